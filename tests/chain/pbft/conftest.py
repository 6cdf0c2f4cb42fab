"""Shared parts: key pairs of validators, an application that counts, and a cluster of both."""

from __future__ import annotations

import pytest

from gridlab.chain import keys
from gridlab.chain.encoding import text, u64
from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.pbft import Cluster, Proposal
from gridlab.chain.pbft.messages import block_hash

CHAIN_ID = "pbft-test"


class Counting:
    """Blocks that carry their own height and a mark; the rival's mark is another one."""

    def __init__(self):
        self.parent = ZERO_HASH
        self.asked = 0

    def block(self, height, mark=b"A"):
        return Proposal(text(CHAIN_ID) + u64(height) + self.parent + mark, b"body of " + mark)

    def propose(self, height):
        self.asked += 1
        return self.block(height)

    def rival(self, proposal):
        return self.block(proposal.height, b"B")

    def check(self, proposal):
        expected = [self.block(proposal.height, mark) for mark in (b"A", b"B")]
        return None if proposal in expected else "it is not a block of this application"

    def execute(self, decision):
        self.parent = block_hash(decision.header)


@pytest.fixture(scope="session")
def pairs():
    return [keys.sandbox(7, f"validator {number}") for number in range(24)]


@pytest.fixture
def application():
    return Counting()


@pytest.fixture
def make_cluster(pairs, application):
    def make(n=21, **options):
        return Cluster(pairs[:n], chain_id=CHAIN_ID, application=application, **options)

    return make


@pytest.fixture
def decide(application):
    """Make blocks final one after another and execute them, as the lab's chain does."""

    def run(cluster, *heights, **options):
        decisions = []
        for height in heights:
            decision = cluster.decide(height, **options)
            if decision is not None:
                application.execute(decision)
            decisions.append(decision)
        return decisions if len(decisions) > 1 else decisions[0]

    return run
