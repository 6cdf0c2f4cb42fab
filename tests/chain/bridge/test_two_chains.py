"""The bridge between a real consortium chain and a real public chain: tokens, roots, events, refunds, replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, PbftOrdering, bridge, keys
from gridlab.chain.bridge.driver import Bridge
from gridlab.chain.bridge.registered import RegisteredProof, prove_registered
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.chain.public import AuthoritySet, PublicChain, PublicTerms
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError

START = datetime(2026, 4, 1)
UNIT = 1_000_000
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
PEOPLE = {"relayer": 900 * UNIT, "carol": 50 * UNIT, "dave": 0}
ISSUED = sum(PEOPLE.values()) + 2_000 * UNIT


def pair(name):
    return keys.sandbox(3, name)


class World:
    """A minute per block of the consortium chain, ten slots of the public one."""

    def __init__(self, public=None, **terms):
        members = pl.DataFrame(
            {
                "account": range(len(ROLES)),
                "name": list(ROLES), "role": list(ROLES.values()),
                "public_key": [pair(name).public_key for name in ROLES],
                "active": [name != "vault" for name in ROLES],
            }
        )  # fmt: skip
        self.chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), genesis_time=START)
        rows = (("bank", "reserve", "bank", "issuer", "THB"), ("issuer", "mint", "issuer", "alice", "WATT"))
        for place, (sender, kind, debit, credit, asset) in enumerate(rows):
            row = (place, ACCOUNT[debit], ACCOUNT[credit], asset, 100 * UNIT, kind)
            names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
            self.chain.send(pair(sender), kind, pl.DataFrame([dict(zip(names, row, strict=True))]))
        self.chain.seal(START)
        self.now = START
        self.public = public_chain() if public is None else public
        self.bridge = Bridge(
            self.chain,
            regulator=pair("regulator"),
            relayer=pair("relayer"),
            vault=ACCOUNT["vault"],
            public=self.public,
            terms=BridgeTerms(**({"anchor_every": 1} | terms)),
        )
        self.step(2)

    def step(self, times=1):
        for _ in range(times):
            self.now += timedelta(minutes=1)
            self.bridge.step(self.now)
            rejected = self.chain.block(self.chain.height).rejected
            assert rejected == 0, self.chain.transactions.tail(5)["reason"].to_list()
            self.require_constant()
        return self

    def require_constant(self):
        watt, grid = self.bridge.supply.rows()
        assert (watt[-1], grid[-1]) == (100 * UNIT, ISSUED)

    def states(self):
        return self.bridge.packets["state"].to_list()


def public_chain(**options):
    accounts = pl.DataFrame(
        {"public_key": [pair(name).public_key for name in PEOPLE], "balance": list(PEOPLE.values())},
        schema_overrides={"public_key": pl.Binary},
    )
    return PublicChain(accounts, terms=PublicTerms(validators=4), genesis_time=START, **options)


@pytest.fixture
def world():
    return World()


def both_replay(world):
    assert world.chain.replay().state_root == world.chain.state_root
    read = PublicChain.from_bytes(world.public.to_bytes())
    assert read.state_root == world.public.state_root
    assert read.registry.to_bytes() == world.public.registry.to_bytes()
    assert read.bridge_end.root == world.public.bridge_end.root


def test_watt_goes_to_the_public_chain_and_comes_back(world):
    span, carol = world.bridge, pair("carol")
    span.send(pair("alice"), carol.public_key, 30 * UNIT)
    world.step(1)
    assert span.supply.row(0)[1:4] == (70 * UNIT, 0, 30 * UNIT)
    world.step(4)
    assert world.states() == ["acknowledged"]
    assert world.public.balance(carol, "WATT") == 30 * UNIT
    span.send_back(carol, pair("bob").public_key, 10 * UNIT)
    world.step(5)
    assert world.states() == ["acknowledged", "acknowledged"]
    assert world.chain.ledger.balance(ACCOUNT["bob"], "WATT") == 10 * UNIT
    assert span.supply.row(0) == ("WATT", 80 * UNIT, 20 * UNIT, 0, 100 * UNIT)
    assert world.public.transactions.filter(~pl.col("accepted"))["reason"].to_list() == []
    both_replay(world)


def test_grid_comes_over_wrapped_and_goes_home(world):
    span, carol = world.bridge, pair("carol")
    span.send_back(carol, pair("alice").public_key, 5 * UNIT, asset="GRID")
    world.step(5)
    assert world.chain.ledger.balance(ACCOUNT["alice"], "GRID") == 5 * UNIT
    span.send(pair("alice"), pair("dave").public_key, 2 * UNIT, asset="GRID")
    world.step(5)
    assert world.public.balance(pair("dave")) == 2 * UNIT
    assert span.supply.row(1)[1:4] == (3 * UNIT, ISSUED - 3 * UNIT, 0)
    assert set(world.states()) == {"acknowledged"}


def test_a_packet_for_nobody_is_refused_and_paid_back(world):
    stranger = keys.sandbox(3, "stranger").public_key
    world.bridge.send(pair("alice"), stranger, 30 * UNIT)
    world.step(5)
    assert world.states() == ["paid_back"]
    assert world.chain.ledger.balance(ACCOUNT["alice"], "WATT") == 100 * UNIT


def test_who_sends_to_a_chain_that_does_not_finalise_is_paid_back_after_the_timeout(world):
    world.public.fail(offline=[0, 1], slots=60)
    world.bridge.send(pair("alice"), pair("carol").public_key, 30 * UNIT, timeout=world.now + timedelta(minutes=5))
    world.step(4)
    assert world.states() == ["sent"]
    world.step(8)
    assert world.states() == ["paid_back"]
    assert world.chain.ledger.balance(ACCOUNT["alice"], "WATT") == 100 * UNIT
    assert world.public.balance(pair("carol"), "WATT") == 0
    both_replay(world)


def green(world):
    """A reading, three certificates for it, one handed on and one retired; returns the ids of the last three."""
    reading = {"slot": [START], "account": [ACCOUNT["alice"]], "load": [0], "generation": [3_000_000]}
    issue = {
        "certificate_id": [1], "instrument": ["REC"], "quantity": [3], "energy": [3_000_000],
        "device": [ACCOUNT["alice"]], "technology": ["solar_roof"], "zone": ["Chiang Mai"],
        "vintage_start": [START], "vintage_end": [datetime(2026, 5, 1)], "owner": [ACCOUNT["alice"]],
    }  # fmt: skip
    moved = {"certificate_id": [1], "quantity": [1], "new_owner": [ACCOUNT["bob"]]}
    retired = {"certificate_id": [2], "quantity": [1], "beneficiary": ["a factory"]}
    sent = []
    for sender, kind, frame in (
        ("grid", "meter_readings", reading),
        ("egat", "certificate_issue", issue),
        ("alice", "certificate_transfer", moved),
        ("alice", "certificate_retire", retired),
    ):
        sent.append(world.chain.send(pair(sender), kind, pl.DataFrame(frame)))
        world.step()
    return [transaction.id for transaction in sent[1:]]


def test_from_the_meter_to_whoever_knows_the_public_chains_genesis_alone():
    world = World(anchor_every=3)
    genesis_set = world.public.authorities.to_bytes()
    ids = green(world)
    world.step(3)
    assert world.bridge.publish() == 3
    assert world.bridge.publish() == 0
    assert len(world.public.registry) == 0
    world.step(1)
    assert world.bridge.publish() == 0
    assert all(each in world.public.registry for each in ids)
    events = world.public.registry.events
    assert events["event"].to_list() == ["issue", "transfer", "retire"]
    assert world.public.registry.explore(2)["event"].to_list() == ["issue", "retire"]
    assert world.bridge.registry.totals.rows() == [("issue", 1, 3), ("transfer", 1, 1), ("retire", 1, 1)]

    proof = prove_registered(world.public, ids[0]).to_bytes()
    event = bridge.verify_event(proof, AuthoritySet.from_bytes(genesis_set))
    assert (event.kind, event.frame["quantity"].item(), event.transaction.id) == ("certificate_issue", 3, ids[0])
    assert event.timestamp == world.chain.block(event.height).header.timestamp
    assert bridge.verify_event(world.bridge.prove(ids[0]), world.bridge.anchors) == event
    both_replay(world)


def test_what_does_not_prove_an_event_in_the_register(world):
    ids = green(world)
    world.step(2)
    world.bridge.publish()
    world.step(1)
    world.bridge.publish()
    world.step(1)
    public, known = world.public, world.public.authorities
    proof, other = (prove_registered(public, name) for name in ids[:2])
    bridged = next(leaf for leaf in public.state_leaves() if leaf[32:] == public.bridge_end.root)
    few = replace(known, weights=(known.weights[0] * 9, *known.weights[1:]))
    wrong = [
        replace(proof, entry=replace(proof.entry, leaf=other.entry.leaf)),
        replace(proof, entry=replace(proof.entry, index=other.entry.index)),
        replace(proof, entry=replace(proof.entry, path=proof.entry.path[1:])),
        replace(proof, state=replace(proof.state, leaf=bridged)),
        replace(proof, state=replace(proof.state, leaf=proof.state.leaf[:32] + bytes(32))),
        replace(proof, header=public.header(public.height - 1).to_bytes()),
        replace(proof, certificate=public.signed_header(public.height - 1).proof),
        replace(proof, certificate=b""),
    ]
    for lie in wrong:
        with pytest.raises(GridlabError):
            bridge.verify_event(lie, known)
    with pytest.raises(ChainError, match="another set"):
        bridge.verify_event(proof, few)
    data = proof.to_bytes()
    assert RegisteredProof.from_bytes(data) == proof
    for place in range(0, len(data), 11):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(GridlabError):
            bridge.verify_event(bytes(flipped), known)
    with pytest.raises(ArgumentTypeError, match="RegisteredProof"):
        bridge.verify_event(world.bridge.prove(ids[0]), known)
    with pytest.raises(ArgumentTypeError, match="EventProof"):
        bridge.verify_event(proof, world.bridge.anchors)
    with pytest.raises(ChainError, match="is not entered"):
        prove_registered(public, bytes(32))
    with pytest.raises(ArgumentTypeError, match="PublicChain"):
        prove_registered(world.chain, ids[0])


def test_the_register_takes_an_event_once_and_nothing_that_is_not_proved(world):
    ids = green(world)
    world.step(2)
    good = world.bridge.prove(ids[0]).to_bytes()
    cut = replace(world.bridge.prove(ids[1]), headers=()).to_bytes()
    rows = [("consortium", good), ("consortium", good), ("consortium", cut), ("nobody", good)]
    for client, proof in rows:
        world.public.send(pair("carol"), "registry_entry", pl.DataFrame({"client": [client], "proof": [proof]}))
    # Two in one transaction stand or fall together.
    both = {"client": ["consortium"] * 2, "proof": [world.bridge.prove(ids[1]).to_bytes(), good]}
    world.public.send(pair("carol"), "registry_entry", pl.DataFrame(both))
    world.public.run(4)
    sent = world.public.transactions.filter(kind="registry_entry").sort("nonce")
    assert sent["accepted"].to_list() == [True, False, False, False, False]
    reasons = sent["reason"].to_list()
    expected = ("entered already", "0 headers", "no client 'nobody'", "entered already")
    assert all(said in reason for said, reason in zip(expected, reasons[1:], strict=True))
    assert len(world.public.registry) == 1
    assert world.public.replay().state_root == world.public.state_root


def test_the_register_is_a_value_and_a_fork_does_not_disturb_the_other_branch(world):
    ids = green(world)
    world.step(2)
    proofs, client = [world.bridge.prove(each) for each in ids], world.bridge.anchors
    empty = world.public.registry
    first = empty.add(proofs[0], client)
    left, right = first.add(proofs[1], client), first.add(proofs[2], client).add(proofs[1], client)
    assert [len(each) for each in (empty, first, left, right)] == [0, 1, 2, 3]
    assert ids[2] in right and ids[2] not in left and ids[1] not in first and ids[0] not in empty  # noqa: PT018
    assert left.events["event"].to_list() == ["issue", "transfer"]
    assert right.events["event"].to_list() == ["issue", "transfer", "retire"]
    assert len({each.hash for each in (empty, first, left, right)}) == 4
    assert left.add(proofs[2], client).hash != right.hash


def test_whoever_relays_needs_grid_and_whoever_sends_a_key():
    with pytest.raises(ChainError, match="for fees"):
        World(public=PublicChain(terms=PublicTerms(validators=4), genesis_time=START))
    with pytest.raises(ArgumentTypeError, match="PublicChain"):
        World(public="public")
    world = World()
    with pytest.raises(ArgumentTypeError, match="who signs"):
        world.bridge.send_back(pair("carol").public_key, pair("bob").public_key, 1)
    with pytest.raises(ChainError, match="was not kept"):
        world.bridge._far.at(10**6)


def test_clocks_that_are_far_apart_are_refused():
    accounts = pl.DataFrame({"public_key": [pair("relayer").public_key], "balance": [UNIT]})
    with pytest.raises(ChainError, match="genesis_time"):
        World(public=PublicChain(accounts, terms=PublicTerms(validators=4)))


def test_a_chain_has_one_bridge_and_a_step_that_cannot_be_made_makes_nothing(world):
    options = {"regulator": pair("regulator"), "relayer": pair("relayer"), "vault": ACCOUNT["vault"]}
    with pytest.raises(ChainError, match="'gridlab-consortium' is at the end of a bridge already"):
        Bridge(world.chain, public=public_chain(), **options)
    other = ConsortiumChain(world.chain.members.select("account", "name", "role", "public_key"), genesis_time=START)
    with pytest.raises(ChainError, match="'gridlab-public' is at the end of a bridge already"):
        Bridge(other, public=world.public, **options)
    height = world.chain.height
    with pytest.raises(ChainError, match="14400"):
        world.bridge.step(START + timedelta(days=2))
    assert world.chain.height == height
    fresh = Bridge(other, public=public_chain(), **options)
    with pytest.raises(ChainError, match="opens with"):
        fresh.publish()


def test_what_waits_is_not_sent_twice(world):
    world.bridge.send(pair("alice"), pair("carol").public_key, UNIT)
    world.step(1)
    world.bridge.anchor()
    count = len(world.public.waiting)
    world.bridge.anchor()
    assert len(world.public.waiting) == count > 0


def test_other_acts_of_another_relayer_do_not_stop_this_one(world):
    # A stranger tells the consortium chain a public header that our relayer has kept no proofs for.
    world.public.run(1)
    height = world.public.height
    frame = pl.DataFrame({"client": ["public"], "signed": [world.public.signed_header(height).to_bytes()]})
    world.chain.send(pair("bob"), "bridge_header", frame)
    world.chain.seal(world.now)
    assert world.bridge.relay() == []
    world.bridge.send(pair("alice"), pair("carol").public_key, UNIT)
    world.step(6)
    assert world.states() == ["acknowledged"]


def test_a_relayer_without_grid_loses_nothing_and_goes_on_once_it_is_paid():
    accounts = pl.DataFrame(
        {"public_key": [pair(name).public_key for name in PEOPLE], "balance": [1_000, ISSUED - 2_000 * UNIT - 1_000, 0]}
    )
    world = World(public=PublicChain(accounts, terms=PublicTerms(validators=4), genesis_time=START))
    world.bridge.send(pair("alice"), pair("carol").public_key, UNIT)
    world.step(4)
    assert world.states() == ["sent"]
    assert len(world.bridge.anchors.anchors) == 1
    world.public.pay(pair("carol"), pair("relayer"), 10 * UNIT)
    world.step(6)
    assert world.states() == ["acknowledged"]


def test_a_block_every_quarter_of_an_hour():
    world = World()
    world.bridge.send(pair("alice"), pair("carol").public_key, UNIT)
    for _ in range(5):
        world.now += timedelta(minutes=15)
        world.bridge.step(world.now)
    assert world.states() == ["acknowledged"]
    assert world.chain.transactions["accepted"].all()


ACTS = st.lists(
    st.tuples(st.sampled_from(["out", "back", "grid", "stranger", "late", "fail", "wait"]), st.integers(1, 9)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_the_supply_over_both_chains_is_constant_whatever_happens(acts):
    world = World()
    span, carol, alice = world.bridge, pair("carol"), pair("alice")
    for act, size in acts:
        soon = world.now + timedelta(minutes=2)
        if act == "out":
            span.send(alice, carol.public_key, size * UNIT)
        elif act == "back":
            # May be more than carol has; then it fails there and pays its fee.
            span.send_back(carol, alice.public_key, size * UNIT)
        elif act == "grid":
            span.send_back(carol, alice.public_key, size * 1_000, asset="GRID")
        elif act == "stranger":
            span.send(alice, bytes([size]) * 32, size * UNIT)
        elif act == "late":
            span.send(alice, carol.public_key, size * UNIT, timeout=soon)
        elif act == "fail":
            world.public.fail(offline=[0, 1], slots=size)
        world.step(1)
    world.step(9)
    assert set(world.states()) <= {"acknowledged", "paid_back"}
    assert len(world.states()) >= sum(act in {"out", "stranger", "late", "grid"} for act, _ in acts) - 1
    both_replay(world)
