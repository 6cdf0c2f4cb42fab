"""The examples of the page on audits run and give what they say."""

import doctest

from tests.house import ROOT


def test_examples_of_the_audit_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "audit.md"), module_relative=False)
    assert failed == 0
    assert attempted > 25
