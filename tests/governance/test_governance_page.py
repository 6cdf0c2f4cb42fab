"""The examples of docs/governance.md run and give what they say."""

import doctest

from tests.house import ROOT


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "governance.md"), module_relative=False)
    assert failed == 0
    assert attempted > 40
