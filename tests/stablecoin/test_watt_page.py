"""The examples of docs/watt.md and of the rooms' docstrings run and give what they say."""

import doctest
import importlib

import polars as pl
import pytest

from tests.house import ROOT


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "watt.md"), module_relative=False)
    assert failed == 0
    assert attempted > 20


MODULES = ["stablecoin.liabilities", "stablecoin.run", "stablecoin.terms", "chain.watt.queue", "chain.watt.attestation"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name):
    module = importlib.import_module(f"gridlab.{name}")
    failed, attempted = doctest.testmod(module, extraglobs={"pl": pl})
    assert failed == 0
    assert attempted > 0
