"""What the text of lesson 10 says of proofs and anchors, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.chain import merkle
from gridlab.chain.bridge import (
    Inclusion,
    LightClient,
    ProofSpec,
    SignedHeader,
    prove_event,
    prove_registered,
    verify_event,
)
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.chain.hashing import blake2b_256
from gridlab.chain.keys import sandbox
from gridlab.chain.public import Justification
from gridlab.errors import ChainError, GridlabError
from gridlab.learn import lesson_10
from gridlab.learn.lesson_10 import SLOTS, sunny_lab, waits
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "10-a-proof-in-your-hand.ipynb"
DAY = 24 * 3600 * 1_000_000
BLAKE = "blake2b-256"
SCHOOL = 21


@cache
def text():
    return "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)


def go(every=4):
    return sunny_lab(every).run(slots=SLOTS, progress=False)


@pytest.fixture(scope="module")
def run():
    return go()


@pytest.fixture(scope="module")
def issued(run):
    return run.chain.transactions.filter(kind="certificate_issue").row(0, named=True)


@pytest.fixture(scope="module")
def issue_id(issued):
    return bytes.fromhex(issued["id"][2:])


@pytest.fixture(scope="module")
def proof(run, issue_id):
    return prove_registered(run.public, issue_id)


class Evening:
    """The day once more, gone on with: the school hands REC 3 on, uses it up for Lena, and relays it itself."""

    def __init__(self):
        run = go()
        self.chain, self.public, self.names = run.chain, run.public, [*run.accounts["name"], *run.institutions["name"]]
        self.waiting = run.frames["certificates_carried"]["energy"].sum()
        self.payer = self.key("school-21")
        handed = {"certificate_id": [3], "quantity": [1], "new_owner": [SCHOOL]}
        used = {"certificate_id": [3], "quantity": [1], "beneficiary": ["Lena"]}
        self.transfer = self.put("EGAT", "certificate_transfer", handed, 18, 0)
        self.retirement = self.put("school-21", "certificate_retire", used, 18, 15)
        self.before = self.public.balance(self.payer)
        self.carry(18, 15, self.transfer, self.retirement)

    def key(self, name):
        return sandbox(4, name)

    def put(self, who, kind, row, hour, minute):
        sent = self.chain.send(self.key(who), kind, pl.DataFrame(row))
        self.chain.seal(datetime(2026, 5, 8, hour, minute))
        return sent

    def carry(self, hour, minute, *sent):
        self.public.run_until(datetime(2026, 5, 8, hour, minute))
        signed = signed_header(self.chain, self.chain.height)
        told = pl.DataFrame({"client": ["consortium"], "signed": [signed.to_bytes()]})
        self.public.send(self.payer, "bridge_header", told)
        self.public.run(5)
        client = self.public.bridge_end.client("consortium")
        proofs = [prove_event(self.chain, each.id, client).to_bytes() for each in sent]
        frame = pl.DataFrame({"client": ["consortium"] * len(sent), "proof": proofs})
        self.public.send(self.payer, "registry_entry", frame)
        self.public.run(5)

    def codes(self, chain, count):
        return chain.transactions.tail(count).select("code", "reason").rows()


@pytest.fixture(scope="module")
def evening():
    return Evening()


def signed_header(chain, height):
    block = chain.block(height)
    return SignedHeader(block.header.to_bytes(), block.certificate, chain.genesis.ordering_authority)


def fresh(chain):
    options = BridgeTerms().client_options
    return LightClient.trusting("pbft", chain.block(0).header.to_bytes(), CONSORTIUM_LAYOUT, **options)


# The story, the first result, sections 1 and 2.


def test_the_figures_of_the_first_table_are_the_levers_in_force():
    terms = BridgeTerms()
    assert (terms.anchor_every, terms.trusting_period) == (4, 14)
    assert sunny_lab().public.validators == 10
    assert sunny_lab().levers().filter(path="public.validators")["low"].item() <= 10
    for stated in ("| 21; 14 |", "| 32; 64 bytes |", "| every 4 blocks, here an hour |", "| 14 days |"):
        assert stated in text()


def test_what_is_made_up_is_said_to_be():
    assert "The school, both people, the roaster and the day are made up." in text()
    assert "three times as large" in text()
    assert sunny_lab().agents.pv_size == 300


def test_the_file_has_some_1700_bytes_and_is_checked_with_409(run, proof, issue_id):
    assert len(proof.to_bytes()) == 1748
    assert "Her own file has 1,748 bytes" in text()
    assert len(run.public.authorities.to_bytes()) == 409
    event = verify_event(proof.to_bytes(), run.public.authorities)
    assert (event.kind, event.transaction.id) == ("certificate_issue", issue_id)
    rows = event.frame.select("certificate_id", "quantity", "zone").rows()
    assert rows == [(1, 2, "MAC"), (3, 1, "NEC")]


def test_rec_3_is_of_three_roofs_about_half_of_it_by_the_school(run):
    kwh = run.readings.group_by("account").agg(pl.col("generation").sum())
    zone = run.accounts.filter(zone="NEC").join(kwh, on="account")
    assert zone.height == 3
    total = zone["generation"].sum()
    assert zone.filter(kind="school")["account"].to_list() == [SCHOOL]
    assert zone.filter(kind="school")["generation"].item() / total == pytest.approx(0.5, abs=0.03)
    carried = run.frames["certificates_carried"].filter(zone="NEC")["energy"].item()
    assert total == 1_000_000 + carried


def test_the_block_carries_14_signatures_of_68_bytes_and_a_header_of_199(run, issued):
    block = run.chain.block(issued["height"])
    assert len(block.certificate) == 10 + 14 * 68
    assert len(block.header.to_bytes()) == 199
    assert issued["height"] == run.chain.height == 74


# Section 3.


def forge(leaf, node):
    """Return whether a message that is not in a tree is proved by way of a leaf of 64 bytes."""

    def digest(data):
        kind = leaf if data[:1] == b"\0" else node
        return blake2b_256(kind + data[1:])

    fake = b"REC 1 to 1000, for the forger"
    leaves = [b"a", b"b", b"c", bytes(32) + blake2b_256(leaf + fake)]
    climbed = blake2b_256(leaf + fake)
    for left in [bytes(32), *merkle.prove_inclusion(leaves, 3, hash=digest)]:
        climbed = blake2b_256(node + left + climbed)
    return climbed == merkle.root(leaves, hash=digest)


def test_without_the_two_bytes_a_proof_is_forged_and_with_them_it_is_not():
    assert forge(b"", b"")
    assert not forge(b"\0", b"\1")


def test_two_hashes_lead_from_the_issue_to_the_root_in_the_header(run, issued, issue_id):
    block = run.chain.block(issued["height"])
    path = merkle.prove_inclusion(block.transaction_ids, issued["index"], hash=BLAKE)
    assert (len(block.transactions), len(path)) == (4, 2)
    assert merkle.root(block.transaction_ids, hash=BLAKE) == block.header.transactions_root


def test_the_last_leaf_is_better_off_in_trees_of_three_five_six_and_seven():
    lengths = {}
    for size in range(3, 9):
        leaves = [bytes([number]) for number in range(size)]
        ends = [len(merkle.prove_inclusion(leaves, place)) for place in (0, size - 1)]
        lengths[size] = ends
    assert [size for size, (first, last) in lengths.items() if last < first] == [3, 5, 6, 7]
    assert lengths[5] == [3, 1]
    assert lengths[4] == [2, 2]
    assert lengths[8] == [3, 3]


def test_a_leaf_of_64_bytes_is_no_id():
    spec = ProofSpec("transactions", b"", 32, 32, 40)
    with pytest.raises(ChainError, match="64 bytes after its prefix, allowed: 32 to 32"):
        spec.require(Inclusion(bytes(64), 0, 1, ()), bytes(32))


# Section 4.


def test_a_light_client_jumps_to_the_last_block_with_under_a_hundredth_of_the_chain(run):
    signed = signed_header(run.chain, 74)
    moment = run.chain.head.timestamp
    assert fresh(run.chain).update(signed, moment).newest.height == 74
    assert len(run.chain.to_bytes()) > 280_000
    assert len(signed.to_bytes()) < len(run.chain.to_bytes()) / 100
    assert run.chain.block(0).header.next_authority == run.chain.head.next_authority


def test_what_fools_a_light_client_does_not(run):
    client, signed, moment = fresh(run.chain), signed_header(run.chain, 74), run.chain.head.timestamp
    bent = replace(run.chain.head, state_root=bytes(32)).to_bytes()
    tricks = [
        (replace(signed, proof=run.chain.block(73).certificate), moment, "is not one of this sealed header"),
        (replace(signed, header=bent), moment, "is not one of this sealed header"),
        (replace(signed, authority=signed.authority[:-32]), moment, "its authority is not the one"),
        (signed, moment - DAY, "in the future here"),
    ]
    for header, now, reason in tricks:
        with pytest.raises(ChainError, match=reason):
            client.update(header, now)
    known = client.update(signed, moment)
    with pytest.raises(ChainError, match="anchored already"):
        known.update(signed, moment)
    with pytest.raises(ChainError, match="has expired"):
        known.update(signed, moment + 15 * DAY)
    known.require_active(moment + 13 * DAY)


# Section 5.


def test_the_signatures_are_the_largest_part_and_the_climb_takes_four_hashes(proof, run):
    certificate = Justification.from_bytes(proof.certificate)
    assert len(certificate.signatures) == len(run.public.authorities) == 10
    climb = 32 * (len(proof.state.path) + len(proof.entry.path)) + len(proof.state.leaf)
    assert len(proof.certificate) > max(len(proof.header), len(proof.entry.leaf), climb)
    assert (proof.state.index, proof.state.size, len(proof.state.path)) == (56, 58, 4)
    assert (proof.entry.size, len(proof.entry.path)) == (1, 0)
    assert run.public.accounts.height + 6 == 58
    assert [int(np.ceil(np.log2(leaves))) for leaves in (58, 58 + 90)] == [6, 8]


def test_both_proofs_show_the_same_event_signed_by_egat(run, proof, issue_id):
    client = run.public.bridge_end.client("consortium")
    event = verify_event(proof, run.public.authorities)
    assert verify_event(prove_event(run.chain, issue_id, client), client) == event
    assert event.transaction.is_signed
    assert event.transaction.sender == sandbox(4, "EGAT").public_key


# Section 6.


def test_the_wait_grows_with_the_distance_of_anchors_and_the_cost_falls(run):
    means, longest, fees = {}, {}, {}
    for every in (1, 4, 16):
        day = run if every == 4 else go(every)
        found = waits(day).filter(pl.col("height") > 3)
        assert found["minutes"].min() > 0
        assert (found["anchor"] >= found["height"]).all()
        means[every], longest[every] = found["minutes"].mean(), found["minutes"].max()
        told = day.public.transactions.filter(kind="bridge_header")
        assert told["bytes"].n_unique() == 1
        fees[every] = told["fee"].sum()
        formula = (every - 1) / 2 * 15 + 0.15
        assert 0.85 * formula < means[every] < formula
        assert longest[every] == pytest.approx((every - 1) * 15, abs=0.3)
    assert fees[1] > fees[4] > fees[16] > 0
    assert fees[1] - fees[4] > 3 * (fees[4] - fees[16])
    assert fees[4] / fees[16] == pytest.approx(4, abs=0.4)


# Sections 7 to 9.


def test_the_school_carries_it_over_itself_for_less_than_a_tenth_of_a_grid(evening):
    assert evening.public.registry.explore(3)["event"].to_list() == ["issue", "transfer", "retire"]
    assert 0 < evening.before - evening.public.balance(evening.payer) < 100_000
    proof = prove_registered(evening.public, evening.retirement.id)
    event = verify_event(proof.to_bytes(), evening.public.authorities)
    assert event.frame["beneficiary"].item() == "Lena"
    assert (proof.entry.index, proof.entry.size, len(proof.entry.path)) == (2, 3, 1)


def test_genuine_parts_in_a_wrong_place_are_refused(evening, proof, issue_id):
    mine, known = prove_registered(evening.public, evening.retirement.id), evening.public.authorities
    issue = prove_registered(evening.public, issue_id)
    votes = Justification.from_bytes(mine.certificate)
    six, seven = (
        Justification(votes.number, dict(list(votes.signatures.items())[:count])).to_bytes() for count in (6, 7)
    )
    lies = [
        replace(mine, entry=replace(mine.entry, path=())),
        replace(mine, entry=replace(mine.entry, index=1)),
        replace(mine, state=proof.state),
        replace(mine, entry=replace(mine.entry, leaf=issue.entry.leaf)),
        replace(mine, certificate=proof.certificate),
        replace(mine, certificate=six),
    ]
    for lie in lies:
        with pytest.raises(ChainError):
            verify_event(lie, known)
    assert verify_event(replace(mine, certificate=seven), known).kind == "certificate_retire"
    own = gl.PublicChain(terms=sunny_lab().public, seed=7).authorities
    with pytest.raises(ChainError, match="certified by another set"):
        verify_event(mine, own)


def test_no_bit_of_the_file_can_be_changed_unnoticed(proof, run):
    data = proof.to_bytes()
    for place in range(0, len(data), 3):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(GridlabError):
            verify_event(bytes(flipped), run.public.authorities)


def test_a_retired_certificate_is_not_sold_again_and_the_old_file_stays_true(evening, proof):
    again = {"certificate_id": [3], "quantity": [1], "new_owner": [5]}
    resale = evening.put("school-21", "certificate_transfer", again, 18, 30)
    ((code, reason),) = evening.codes(evening.chain, 1)
    assert code == "rule_broken"
    assert reason.startswith("certificate transfer: these are retired already")
    with pytest.raises(ChainError, match="so it is no event"):
        prove_event(evening.chain, resale.id, evening.public.bridge_end.client("consortium"))
    evening.carry(18, 30, evening.retirement)
    ((code, reason),) = evening.codes(evening.public, 1)
    assert (code, "is entered already" in reason) == ("rule_broken", True)
    assert verify_event(proof, evening.public.authorities).kind == "certificate_issue"


def test_two_more_certificates_are_in_stock_and_a_lie_makes_three(evening):
    waiting = evening.waiting
    assert waiting // 1000 == 2141
    assert "2,141 kWh together" in text()
    row = evening.chain.payloads("certificate_issue").tail(1).drop("height", "index", strict=False)
    terms = {"certificate_id": (4, pl.UInt64), "quantity": (3, pl.Int64), "energy": (3_000_000, pl.Int64)}
    row = row.with_columns(**{name: pl.lit(value, dtype=kind) for name, (value, kind) in terms.items()})
    evening.put("EGAT", "certificate_issue", row, 18, 30)
    assert [code for code, _ in evening.codes(evening.chain, 1)] == ["rule_broken"]
    lie = {"slot": [datetime(2026, 5, 8, 18, 30)], "account": [29], "load": [0], "generation": [900_000]}
    evening.chain.send(evening.key("PEA"), "meter_readings", pl.DataFrame(lie))
    sent = evening.put("EGAT", "certificate_issue", row, 18, 45)
    assert [code for code, _ in evening.codes(evening.chain, 2)] == ["accepted", "accepted"]
    evening.carry(18, 45, sent)
    event = verify_event(prove_registered(evening.public, sent.id), evening.public.authorities)
    assert event.frame["certificate_id"].to_list() == [4]


def test_the_register_has_no_gap_where_nothing_was_brought(evening):
    evening.put("EGAT", "certificate_transfer", {"certificate_id": [1], "quantity": [1], "new_owner": [5]}, 19, 0)
    assert evening.codes(evening.chain, 1)[0][0] == "accepted"
    evening.public.run(5)
    assert evening.public.registry.explore(1)["event"].to_list() == ["issue"]


# Exercises.


@pytest.mark.parametrize(
    ("question", "wrong", "hint"),
    [
        ("10-q1", 30, "not told"),
        ("10-q1", 28, "before block 30"),
        ("10-q1", 74, "needless headers"),
        ("10-q2", "the anchored headers", "the other proof"),
        ("10-q2", "the meter readings", "never sees them"),
        ("10-q3", 66 * 68, "less than two thirds"),
        ("10-q3", 6800, "everybody signed"),
        ("10-q3", 67 * 64, "for the seat"),
        ("10-q4", 180, "one after an anchor"),
        ("10-q4", 11, "number of blocks"),
        ("10-q4", 45.25, "every 4 blocks"),
        ("10-q5", 3, "one floor deeper"),
        ("10-q5", 8, "number of messages"),
        ("10-q6", 4, "stop the chain"),
        ("10-q6", 6, "More than two thirds"),
        ("10-q6", 14, "quorum of the consortium"),
    ],
)
def test_a_typical_mistake_gets_its_own_hint(question, wrong, hint):
    verdict = gl.learn.check(question, wrong)
    assert not verdict
    assert hint in verdict.text


def test_the_keys_are_what_the_arithmetic_of_the_lesson_says():
    assert lesson_10.covered_by().answer == 32
    assert lesson_10.stranger_needs().answer == "the public chain's authority set"
    assert lesson_10.hundred().answer == (100 * 2 // 3 + 1) * (64 + 4)
    assert float(lesson_10.longest_wait().answer) == pytest.approx(11 * 15, abs=0.5)
    assert lesson_10.false_path().answer == 3 + 1
    assert lesson_10.gang().answer == 10 * 2 // 3 + 1
