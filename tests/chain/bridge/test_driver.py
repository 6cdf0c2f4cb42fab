"""A consortium chain and the public side: tokens over and back, anchored roots, events proved alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, bridge, keys
from gridlab.chain.bridge.driver import Bridge
from gridlab.chain.bridge.events import EventProof, verify_event
from gridlab.chain.bridge.packet import TokenMove
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError, LeverError
from gridlab.levers import Levers

START = datetime(2026, 4, 1)
WATT = 1_000_000
STRANGER = bytes([7]) * 32
ROLES = {
    "bank": "reserve_bank",
    "issuer": "watt_issuer",
    "regulator": "regulator",
    "egat": "certificate_issuer",
    "grid": "grid_operator",
    "relayer": "bridge_operator",
    "vault": "bridge_operator",
    "alice": "trader",
    "bob": "trader",
}
ACCOUNT = {name: number for number, name in enumerate(ROLES)}


class World:
    def __init__(self, **terms):
        self.pairs = {name: keys.sandbox(3, name) for name in ROLES}
        members = pl.DataFrame(
            {
                "account": range(len(ROLES)),
                "name": list(ROLES),
                "role": list(ROLES.values()),
                "public_key": [pair.public_key for pair in self.pairs.values()],
                "active": [name != "vault" for name in ROLES],
            }
        )
        self.chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), genesis_time=START)
        self.now = START
        rows = (("bank", "reserve", "bank", "issuer", "THB"), ("issuer", "mint", "issuer", "alice", "WATT"))
        for place, (sender, kind, debit, credit, asset) in enumerate(rows):
            row = (place, ACCOUNT[debit], ACCOUNT[credit], asset, 100 * WATT, kind)
            names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
            self.chain.send(self.pairs[sender], kind, pl.DataFrame([dict(zip(names, row, strict=True))]))
        self.chain.seal(START)
        self.bridge = Bridge(
            self.chain,
            regulator=self.pairs["regulator"],
            relayer=self.pairs["relayer"],
            vault=ACCOUNT["vault"],
            terms=BridgeTerms(anchor_every=1, **terms),
        )
        self.step()

    def key(self, name):
        return self.pairs[name].public_key

    def step(self, times=1, minutes=15):
        for _ in range(times):
            self.now += timedelta(minutes=minutes)
            self.bridge.step(self.now)
            rejected = self.chain.block(self.chain.height).rejected
            assert rejected == 0, self.chain.transactions.tail(5)["reason"].to_list()
            watt = self.bridge.supply.row(0, named=True)
            assert watt["total"] == 100 * WATT
        return self

    def states(self):
        return self.bridge.packets["state"].to_list()


@pytest.fixture
def world():
    return World()


def test_tokens_go_over_and_come_back(world):
    span = world.bridge
    assert span.is_open
    span.send(world.pairs["alice"], STRANGER, 30 * WATT)
    world.step(5)
    assert world.states() == ["acknowledged"]
    assert span.public.balance(STRANGER, "WATT") == 30 * WATT
    assert world.chain.ledger.balance(ACCOUNT["vault"], "WATT") == 30 * WATT
    span.send_back(STRANGER, world.key("bob"), 10 * WATT)
    world.step(5)
    assert world.states() == ["acknowledged", "acknowledged"]
    assert world.chain.ledger.balance(ACCOUNT["bob"], "WATT") == 10 * WATT
    assert span.supply.rows()[0] == ("WATT", 80 * WATT, 20 * WATT, 0, 100 * WATT)
    assert world.chain.replay().state_root == world.chain.state_root
    again = ConsortiumChain.from_bytes(world.chain.to_bytes())
    assert again.bridge_end.root == world.chain.bridge_end.root


def test_grid_comes_over_wrapped_and_goes_home(world):
    span, key = world.bridge, world.key("alice")
    span.public.balances[STRANGER, "GRID"] = 50
    span.send_back(STRANGER, key, 20, asset="GRID")
    world.step(5)
    assert world.chain.ledger.balance(ACCOUNT["alice"], "GRID") == 20
    assert world.chain.ledger.circulation("GRID") == 20
    span.send(world.pairs["alice"], STRANGER, 5, asset="GRID")
    world.step(5)
    assert span.public.balance(STRANGER, "GRID") == 35
    assert span.supply.rows()[1] == ("GRID", 15, 35, 0, 50)
    assert set(world.states()) == {"acknowledged"}


def test_a_packet_for_no_member_is_refused_and_its_sender_paid_back(world):
    span = world.bridge
    span.send(world.pairs["alice"], STRANGER, 30 * WATT)
    world.step(5)
    span.send_back(STRANGER, b"\x05" * 32, 10 * WATT)
    world.step(5)
    assert world.states() == ["acknowledged", "paid_back"]
    assert span.public.balance(STRANGER, "WATT") == 30 * WATT


def test_a_packet_that_nobody_relays_in_time_is_paid_back(world):
    span, far = world.bridge, world.bridge.public
    span.send(world.pairs["alice"], STRANGER, 30 * WATT, timeout=world.now + timedelta(minutes=40))
    world.chain.seal(world.now)
    assert span.supply.row(0)[1:4] == (70 * WATT, 0, 30 * WATT)
    world.now += timedelta(hours=1)
    far.seal(far.now + 3_600_000_000)
    world.step(5)
    assert world.states() == ["paid_back"]
    assert world.chain.ledger.balance(ACCOUNT["alice"], "WATT") == 100 * WATT


def rejected(world, sender, kind, frame):
    """Why the chain rejects a transaction, which then changes nothing."""
    world.chain.seal(world.now)  # what the relayer has sent already
    root = world.chain.state_root
    world.chain.send(world.pairs[sender], kind, frame)
    block = world.chain.seal(world.now)
    assert world.chain.state_root == root
    return block.receipts[0].reason


def transfer(**changes):
    row = {"channel": "watt-grid", "recipient": STRANGER, "asset": "WATT", "amount": 5}
    return pl.DataFrame([row | {"timeout": START.replace(year=2027)} | changes])


def test_what_the_consortium_refuses(world):
    header = world.bridge.public.signed(0).to_bytes()
    row = {"channel": "x", "client": "public", "counterpart": "y", "ordered": False, "vault": ACCOUNT["vault"]}
    opening = row | {"native": "", "foreign": "GRID"}
    cases = [
        ("bob", "bridge_transfer", transfer(), "exceeds|short|overdraw|has|hold"),
        ("alice", "bridge_transfer", transfer(channel="nowhere"), "no channel 'nowhere'"),
        ("alice", "bridge_transfer", transfer(asset="THB"), "does not carry 'THB'"),
        ("alice", "bridge_transfer", transfer(recipient=b"\x01"), "exactly 32"),
        ("alice", "bridge_transfer", transfer(timeout=START.replace(year=2025)), "is over on"),
        ("alice", "bridge_transfer", pl.concat([transfer(), transfer()]), "2 rows, allowed: one"),
        ("alice", "bridge_header", pl.DataFrame({"client": ["public"], "signed": [header]}), "not newer|anchored"),
        ("alice", "bridge_header", pl.DataFrame({"client": ["public"], "signed": [header[:-1]]}), "cut short"),
        ("regulator", "bridge_channel", pl.DataFrame([opening | {"foreign": "WATT"}]), "issued on this chain"),
        ("regulator", "bridge_channel", pl.DataFrame([opening | {"vault": ACCOUNT["alice"]}]), "no bridge operator"),
        ("regulator", "bridge_channel", pl.DataFrame([opening]), "vault of another channel"),
        ("regulator", "bridge_channel", pl.DataFrame([opening | {"client": "nobody"}]), "no client 'nobody'"),
    ]
    for sender, kind, frame, reason in cases:
        said = rejected(world, sender, kind, frame)
        assert re.search(reason, said), (kind, said)


def test_an_operator_cannot_send_a_packet_that_moves_tokens_without_locking_them(world):
    tokens = TokenMove("WATT", 5, world.key("relayer"), STRANGER).to_bytes()
    for channel, payload in (("watt-grid", tokens), ("fresh", tokens), ("fresh", tokens[:-1])):
        frame = pl.DataFrame({"channel": [channel], "sequence": [0], "timeout": [world.now], "payload": [payload]})
        assert "moves tokens" in rejected(world, "relayer", "bridge_packet", frame)


def test_proof_that_the_public_side_contradicts_itself_freezes_its_client(world):
    far = world.bridge.public
    pair = far.certify(far.header()), far.certify(far.header(state_root=bytes(32)))
    first, second = (each.to_bytes() for each in pair)
    frame = pl.DataFrame({"client": ["public"], "first": [first], "second": [second]})
    world.chain.send(world.pairs["bob"], "bridge_conflict", frame)
    assert world.chain.seal(world.now).rejected == 0
    assert "two final headers" in world.chain.bridge_end.client("public").frozen
    assert "is frozen" in rejected(world, "alice", "bridge_transfer", transfer())


def green(world):
    """Issue three certificates to alice, who hands one to bob and retires another."""
    reading = {"slot": [START], "account": [ACCOUNT["alice"]], "load": [0], "generation": [3_000_000]}
    issue = {
        "certificate_id": [1],
        "instrument": ["REC"],
        "quantity": [3],
        "energy": [3_000_000],
        "device": [ACCOUNT["alice"]],
        "technology": ["solar_roof"],
        "zone": ["Chiang Mai"],
        "vintage_start": [datetime(2026, 4, 1)],
        "vintage_end": [datetime(2026, 5, 1)],
        "owner": [ACCOUNT["alice"]],
    }
    moved = {"certificate_id": [1], "quantity": [1], "new_owner": [ACCOUNT["bob"]]}
    retired = {"certificate_id": [2], "quantity": [1], "beneficiary": ["a factory"]}
    sent = []
    for sender, kind, frame in (
        ("grid", "meter_readings", reading),
        ("egat", "certificate_issue", issue),
        ("alice", "certificate_transfer", moved),
        ("alice", "certificate_retire", retired),
    ):
        sent.append(world.chain.send(world.pairs[sender], kind, pl.DataFrame(frame)))
        world.step()
    return [transaction.id for transaction in sent[1:]]


def test_the_public_registry_holds_what_was_proved(world):
    ids = green(world)
    assert world.bridge.publish() == 3
    assert world.bridge.publish() == 0
    events = world.bridge.registry.events
    assert events["event"].to_list() == ["issue", "transfer", "retire"]
    assert events["quantity"].to_list() == [3, 1, 1]
    assert events["beneficiary"].to_list() == [None, None, "a factory"]
    assert world.bridge.registry.explore(2)["event"].to_list() == ["issue", "retire"]
    assert world.bridge.registry.totals.rows() == [("issue", 1, 3), ("transfer", 1, 1), ("retire", 1, 1)]
    assert all(each in world.bridge.registry for each in ids)
    with pytest.raises(ChainError, match="entered already"):
        world.bridge.registry.add(world.bridge.prove(ids[0]), world.bridge.anchors)


def test_anybody_checks_an_event_by_its_proof_and_an_anchored_header():
    world = World()
    world.bridge.terms.set({"anchor_every": 4})
    ids = green(world)
    world.bridge.anchor()
    proof = world.bridge.prove(ids[0])
    anchor = next(each for each in world.bridge.anchors.anchors if each.height >= 4)
    assert len(proof.headers) > 1
    event = bridge.verify_event(proof.to_bytes(), anchor)
    assert (event.kind, event.frame["quantity"].item()) == ("certificate_issue", 3)
    assert event.anchored == anchor.height
    other = world.bridge.prove(ids[1])
    wrong = [
        replace(proof, transaction=other.transaction),
        replace(proof, listed=other.listed),
        replace(proof, receipt=other.receipt),
        replace(proof, headers=proof.headers[1:]),
        replace(proof, headers=proof.headers[:-1]),
        replace(proof, headers=(proof.headers[0], proof.headers[0])),
        replace(proof, headers=()),
        replace(proof, listed=replace(proof.listed, size=2)),
        replace(proof, listed=replace(proof.listed, path=(bytes(32),))),
        replace(proof, receipt=replace(proof.receipt, leaf=proof.receipt.leaf + b"\x00")),
    ]
    for lie in wrong:
        with pytest.raises(GridlabError):
            verify_event(lie, world.bridge.anchors)
    data = proof.to_bytes()
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(GridlabError):
            verify_event(bytes(flipped), anchor)
    with pytest.raises(ArgumentTypeError):
        verify_event("proof", anchor)
    with pytest.raises(ArgumentTypeError):
        verify_event(proof, b"root")


def test_a_rejected_transaction_is_no_event_and_other_kinds_are_not_registered(world):
    moved = pl.DataFrame({"certificate_id": [1], "quantity": [1], "new_owner": [ACCOUNT["bob"]]})
    bad = world.chain.send(world.pairs["alice"], "certificate_transfer", moved)
    world.chain.seal(world.now)
    with pytest.raises(ChainError, match="was rejected"):
        world.bridge.prove(bad.id)
    with pytest.raises(GridlabError, match="is in no block"):
        world.bridge.prove(bytes(32))
    world.bridge.send(world.pairs["alice"], STRANGER, WATT)
    world.step(2)
    sent = world.chain.transactions.filter(kind="bridge_transfer")["id"].item()
    proof = world.bridge.prove(bytes.fromhex(sent[2:]))
    assert verify_event(proof, world.bridge.anchors).kind == "bridge_transfer"
    with pytest.raises(ChainError, match="not of a certificate"):
        PublicRegistry().add(proof, world.bridge.anchors)
    assert isinstance(EventProof.from_bytes(proof.to_bytes()), EventProof)


def test_validators_hand_over_and_the_anchors_follow():
    world = World()
    fresh = [keys.sandbox(9, f"new {place}") for place in range(4)]
    for pair in fresh:
        world.chain.ordering.admit(pair)
    new = pl.DataFrame({"public_key": [pair.public_key for pair in fresh]})
    world.chain.send(world.pairs["regulator"], "validators", new)
    world.bridge.terms.set({"anchor_every": 12})
    world.step(24)
    heights = world.bridge.anchored["height"].to_list()
    assert 16 in heights
    assert heights[-1] > 16


def test_it_shows_itself_and_has_levers(world):
    world.bridge.send(world.pairs["alice"], STRANGER, WATT)
    world.step(5)
    assert "1 acknowledged" in world.bridge._repr_html_()
    assert "open" in repr(world.bridge)
    frame = world.bridge.terms.levers()
    assert isinstance(world.bridge.terms, Levers)
    assert all(frame["label_th"].str.len_chars() > 0)
    with pytest.raises(LeverError, match="outlasts"):
        BridgeTerms(trusting_period=0.1, timeout=2.5)
    with pytest.raises(ArgumentTypeError):
        Bridge("chain", regulator=world.pairs["regulator"], relayer=world.pairs["relayer"], vault=6)
