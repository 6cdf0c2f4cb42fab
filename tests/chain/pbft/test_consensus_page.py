"""The examples of `docs/consensus.md` and of the room's docstrings run and give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.house import ROOT

MODULES = ["quorums", "certificates", "simulation", "hunting", "message_counts"]


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(Path(ROOT) / "docs" / "consensus.md"), module_relative=False)
    assert failed == 0
    assert attempted > 8


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    failed, attempted = doctest.testmod(importlib.import_module(f"gridlab.chain.pbft.{name}"))
    assert failed == 0
    assert attempted > 0
