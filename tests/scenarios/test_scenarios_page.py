"""The page about the scenarios: its examples run, and its table names each scenario once."""

import doctest
import re

import gridlab as gl
from tests.house import ROOT

PAGE = ROOT / "docs" / "scenarios.md"


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
    assert attempted > 15


def test_the_table_names_every_scenario_once():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == gl.scenarios()["name"].to_list()
