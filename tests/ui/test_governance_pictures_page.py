"""The page on governance in a notebook: its examples run, and what it names is there."""

from __future__ import annotations

import doctest

from gridlab.governance.assembly import Assembly
from gridlab.governance.economics import simulate
from gridlab.governance.pallet import GovernancePallet
from gridlab.governance.voters import Voters
from tests.house import ROOT

PAGE = ROOT / "docs" / "governance_pictures.md"


def test_the_examples_of_the_page_run():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert attempted > 8


def test_every_picture_that_the_page_names_is_there():
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = {row[1].strip(): [name.strip(" `") for name in row[3].split(",")] for row in rows[1:] if row[3].strip()}
    subjects = {
        "`Assembly`": Assembly({"ana": 1}),
        "governance on a chain": GovernancePallet().part("demo"),
        "`Voters`": Voters(),
        "`EconomicsRun`": simulate(years=0.1, paths=2),
    }
    for name, subject in subjects.items():
        pictures = {each for each in dir(subject.plot) if not each.startswith("_")}
        assert pictures == set(named[name])
