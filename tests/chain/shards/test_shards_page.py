"""The examples of docs/shards.md run and give what they say."""

from __future__ import annotations

import doctest

from tests.house import ROOT


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "shards.md"), module_relative=False)
    assert failed == 0
    assert attempted > 15
