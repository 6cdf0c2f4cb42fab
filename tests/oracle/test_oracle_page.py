"""The examples of docs/oracle.md and of the room's docstrings run and give what they say."""

import doctest

from gridlab.chain.oracle import observations, provider_set
from gridlab.oracle import aggregation, oracle
from tests.house import ROOT


def test_examples_of_the_page():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "oracle.md"), module_relative=False)
    assert failed == 0
    assert attempted > 20


def test_examples_of_the_docstrings():
    for module in (aggregation, oracle, observations, provider_set):
        failed, attempted = doctest.testmod(module)
        assert failed == 0
        assert attempted > 0
