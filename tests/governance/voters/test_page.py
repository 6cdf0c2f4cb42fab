"""The examples of the page on voters run and give what they say."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_examples_of_the_page_on_voters():
    page = Path(__file__).parents[3] / "docs" / "voters.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert attempted > 8
