"""The examples of docs/feeds.md run and give what they say, and its table of families is the code's."""

import doctest

from gridlab.oracle.feeds import FAMILIES
from tests.house import ROOT

PAGE = ROOT / "docs" / "feeds.md"


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert attempted > 15


def test_the_page_lists_every_family_with_its_unit():
    text = PAGE.read_text(encoding="utf-8")
    for family in FAMILIES:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{family.prefix}` |"))
        assert family.counted in row
        assert f"{family.scale:,} per {family.unit}" in row
