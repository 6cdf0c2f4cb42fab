"""Two small chains with a channel between them, and a consortium chain with a bridge."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.packet import TokenMove
from gridlab.chain.bridge.small_chain import SmallChain

SECOND = 1_000_000
DAY = 24 * 3_600 * SECOND
ALICE, BOB = (bytes([number]) * 32 for number in (1, 2))
VAULTS = bytes([8]) * 32, bytes([9]) * 32


def world(*, ordered=False, period=10 * DAY, drift=60 * SECOND, skip=50):
    """Chain "a" is home of WATT, chain "b" of GRID; alice lives on a, bob on b."""
    chains = []
    rows = (("a", VAULTS[0], "GRID", ALICE, "WATT"), ("b", VAULTS[1], "WATT", BOB, "GRID"))
    for name, vault, foreign, owner, own in rows:
        chains.append(SmallChain(name, issuers=[(vault, foreign)], balances={(owner, own): 1_000}, now=DAY))
    for chain, other, vault in zip(chains, chains[::-1], VAULTS, strict=True):
        native, foreign = (("WATT",), ("GRID",)) if chain.chain_id == "a" else (("GRID",), ("WATT",))
        options = {"trusting_period": period, "clock_drift": drift, "longest_skip": skip}
        client = LightClient.trusting("weighted", other.head.to_bytes(), other.layout, **options)
        channel = Channel(
            f"to-{other.chain_id}",
            "client",
            counterpart=f"to-{chain.chain_id}",
            ordered=ordered,
            vault=vault,
            native=native,
            foreign=foreign,
        )
        chain.end = chain.end.with_client("client", client).with_channel(channel)
    return chains


def tell(chain, other):
    """Seal a block of `other` and let `chain` know of it."""
    other.seal()
    chain.update("client", other.signed(other.height))


def move(asset="WATT", amount=100, sender=ALICE, recipient=BOB):
    return TokenMove(asset, amount, sender, recipient)


@pytest.fixture
def pair():
    return world()


@pytest.fixture(scope="session")
def tools():
    return SimpleNamespace(
        world=world, tell=tell, move=move, ALICE=ALICE, BOB=BOB, VAULTS=VAULTS, SECOND=SECOND, DAY=DAY
    )
