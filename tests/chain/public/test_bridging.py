"""The bridge on the public chain, with a small chain of weighted authorities on the other side."""

from __future__ import annotations

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.inclusion import inclusion_of
from gridlab.chain.bridge.packet import TokenMove
from gridlab.chain.bridge.proving import prove_sent
from gridlab.chain.bridge.small_chain import SmallChain
from gridlab.chain.public.accounts import BRIDGE
from gridlab.chain.public.parts import PUBLIC_LAYOUT
from gridlab.frames import SLOT

HOUR = 3_600_000_000
VAULT = keys.sandbox(0, "side vault").public_key


@pytest.fixture
def bridged(make_chain, key):
    """A public chain and a small one, each with a client of the other and a channel."""
    carol = key("carol").public_key
    issuers = [(VAULT, "GRID"), (keys.sandbox(0, "issuer").public_key, "WATT")]
    side = SmallChain("side", issuers=issuers, balances={(carol, "WATT"): 1_000_000})
    chain = make_chain()
    governance = keys.sandbox(0, "governance")
    layout = side.layout
    client = {
        "client": ["side"], "rule": ["weighted"], "header": [side.signed(0).header], "prefix": [layout.prefix],
        "before": [layout.before], "after": [layout.after], "trusting_period": [100 * HOUR], "clock_drift": [HOUR],
        "longest_skip": [1_000],
    }  # fmt: skip
    chain.send(governance, "bridge_client", pl.DataFrame(client))
    channel = {
        "channel": ["out"], "client": ["side"], "counterpart": ["in"], "ordered": [False], "vault": [BRIDGE],
        "native": ["GRID"], "foreign": ["WATT"],
    }  # fmt: skip
    chain.send(governance, "bridge_channel", pl.DataFrame(channel))
    chain.run(4)
    assert chain.transactions["reason"].to_list() == ["", ""]
    trusted = chain.signed_header(1)
    lengths = {"trusting_period": 100 * HOUR, "clock_drift": HOUR, "longest_skip": 1_000}
    side.end = side.end.with_client("public", LightClient.trusting("public", trusted.header, PUBLIC_LAYOUT, **lengths))
    side.end = side.end.with_channel(
        Channel("in", "public", chain.chain_id, "out", False, VAULT, ("WATT",), ("GRID",))
    )
    return chain, side


def relayed(packet, height, proof):
    return pl.DataFrame(
        {
            "act": ["receive"],
            "packet": [packet.to_bytes()],
            "code": [0],
            "height": [height],
            "proof": [proof.to_bytes()],
        }
    )


def test_watt_comes_in_by_proof_once(bridged, key):
    chain, side = bridged
    alice, carol = key("alice"), key("carol").public_key
    packet = side.send_tokens("in", 10 * HOUR, TokenMove("WATT", 300_000, carol, alice.public_key))
    side.seal()
    end, state = side.at(1)
    proof = prove_sent(end, state, "in", 0)
    header = pl.DataFrame({"client": ["side"], "signed": [side.signed(1).to_bytes()]})
    chain.send(key("bob"), "bridge_relay", relayed(packet, 1, proof))
    chain.send(key("bob"), "bridge_header", header)
    for _ in range(2):
        chain.send(key("bob"), "bridge_relay", relayed(packet, 1, proof))
    chain.run(4)
    # Before its header is known, then it is, then executed, then refused as a repetition.
    assert chain.transactions.tail(4)["accepted"].to_list() == [False, True, True, False]
    assert chain.balance(alice, "WATT") == 300_000
    assert chain.ledger.circulation("WATT") == side.balance(VAULT, "WATT") == 300_000
    assert chain.replay().state_root == chain.state_root


def test_grid_goes_out_and_is_proved_under_the_public_state_root(bridged, key):
    chain, side = bridged
    alice, carol = key("alice"), key("carol").public_key
    frame = pl.DataFrame(
        {
            "channel": ["out"], "recipient": [carol], "asset": ["GRID"], "amount": [5_000],
            "timeout": pl.Series([10 * HOUR], dtype=pl.Int64).cast(SLOT),
        }
    )  # fmt: skip
    chain.send(alice, "bridge_transfer", frame)
    chain.run(4)
    assert chain.ledger.balance(BRIDGE, "GRID") == 5_000
    leaves = chain.state_leaves()
    place = next(each for each, leaf in enumerate(leaves) if leaf.startswith(PUBLIC_LAYOUT.prefix))
    proof = prove_sent(chain.bridge_end, inclusion_of(leaves, place), "out", 0)
    side.seal(now=chain.finalised.header.timestamp)
    side.update("public", chain.signed_header(chain.height))
    packet = chain.bridge_end.channel("out")
    assert packet.sent.count == 1
    from gridlab.chain.bridge.packet import Packet

    move = TokenMove("GRID", 5_000, alice.public_key, carol)
    side.receive(Packet("out", "in", 0, 10 * HOUR, move.to_bytes()), chain.height, proof)
    assert side.balance(carol, "GRID") == 5_000


def test_opening_is_governances_and_has_bounds(bridged, key):
    chain, _ = bridged
    names = {"channel": ["two"], "client": ["side"], "counterpart": ["in"], "ordered": [False], "native": ["GRID"]}
    for who, vault, foreign in (("alice", BRIDGE, "WATT"), ("governance", BRIDGE, "WATT"), ("governance", 7, "WATT"),
                                ("governance", BRIDGE, "GRID"), ("governance", BRIDGE, "GOLD")):  # fmt: skip
        frame = pl.DataFrame(names | {"vault": [vault], "foreign": [foreign]})
        chain.send(key(who), "bridge_channel", frame)
    chain.run(3)
    last = chain.transactions.tail(5)
    assert sorted(last["code"].to_list()) == ["not_permitted", *["rule_broken"] * 4]
