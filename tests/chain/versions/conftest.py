"""A chain on which that exchange clears."""

from __future__ import annotations

import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering
from tests.chain.versions.fee_exchange import Fee, fund


@pytest.fixture
def market(members, pairs, account, make):
    """A chain with an exchange without a fee; alice holds 100 WATT, bob 10."""
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), exchange=Fee())
    fund(chain, pairs, make, account, alice=10**8, bob=10**7)
    return chain
