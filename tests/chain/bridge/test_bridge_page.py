"""The examples of docs/bridge.md run, and the package hands on what it names."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from gridlab.chain import bridge

PAGE = Path(__file__).parents[3] / "docs" / "bridge.md"


def test_the_examples_of_the_page():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 4
    assert results.failed == 0


def test_the_package_hands_on_its_names():
    for name in bridge.__all__:
        assert getattr(bridge, name).__name__ == name
    assert set(bridge.__all__) <= set(dir(bridge))
    with pytest.raises(AttributeError, match="no attribute 'Brigde'"):
        _ = bridge.Brigde
