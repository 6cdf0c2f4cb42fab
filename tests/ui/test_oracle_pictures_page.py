"""The page on oracle, feeds and WATT in a notebook: its examples run, and what it names is there."""

from __future__ import annotations

import doctest

import gridlab as gl
from gridlab.calendar import slots
from gridlab.stablecoin.run import run as run_on
from tests.house import ROOT

PAGE = ROOT / "docs" / "oracle_pictures.md"


def test_the_examples_of_the_page_run():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert attempted > 10


def test_every_picture_that_the_page_names_is_there():
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = {row[1].strip(" `"): [name.strip(" `") for name in row[3].split(",")] for row in rows[1:] if row[3].strip()}
    world = gl.Feeds(1).truth(slots("2026-04-20", hours=1), ["fx/USDTHB"])
    subjects = {
        "OracleRun": gl.Oracle().run(world, sign=False),
        "gl.Feeds": gl.Feeds(),
        "WattRun": run_on(holders=50, hours=1),
    }
    assert set(named) == set(subjects)
    for name, subject in subjects.items():
        assert {each for each in dir(subject.plot) if not each.startswith("_")} == set(named[name])
