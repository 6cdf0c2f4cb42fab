"""The examples of the page on the GRID economy run and give what they say."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_examples_of_the_page_on_the_grid_economy():
    page = Path(__file__).parents[3] / "docs" / "grid_economics.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert attempted > 8
