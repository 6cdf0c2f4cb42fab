"""The examples of docs/emergency.md run and give what they say."""

import doctest

from tests.house import ROOT


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "emergency.md"), module_relative=False)
    assert failed == 0
    assert attempted > 10
