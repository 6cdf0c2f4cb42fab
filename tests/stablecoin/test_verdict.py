"""A holder's check as an outcome: it says what `check_holding` returns or raises, and never raises that itself."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.errors import ArgumentError, ArgumentTypeError, StablecoinError
from gridlab.stablecoin import LiabilityTree, check_holding, judge_holding

PEOPLE = [keys.sandbox(0, name).public_key for name in ("Anong", "Boon", "Chai")]
TREE = LiabilityTree.of(pl.DataFrame({"public_key": PEOPLE, "balance": [70, 20, 10]}), secret=bytes(32))
ISSUER = keys.sandbox(0, "issuer")
STATEMENT, PROOF = TREE.sign(ISSUER, "a chain", 7).to_bytes(), TREE.prove(PEOPLE[1]).to_bytes()
KNOWN = {"issuer": ISSUER.public_key, "chain_id": "a chain", "height": 7, "public_key": PEOPLE[1], "balance": 20}


def test_what_holds_is_true_and_carries_proof_and_statement():
    verdict = judge_holding(PROOF, STATEMENT, **KNOWN)
    assert verdict
    assert repr(verdict) == "HoldingVerdict(20 micro-THB at block 7 of 'a chain': holds)"
    assert (verdict.proof.balance, verdict.statement.total, verdict.reason) == (20, 100, "")


@pytest.mark.parametrize(
    "wrong",
    [{"balance": 25}, {"height": 8}, {"chain_id": "another"}, {"public_key": PEOPLE[0]}, {"issuer": PEOPLE[0]}],
)
def test_what_does_not_hold_is_false_and_says_what_would_be_raised(wrong):
    known = KNOWN | wrong
    with pytest.raises(StablecoinError) as raised:
        check_holding(PROOF, STATEMENT, **known)
    verdict = judge_holding(PROOF, STATEMENT, **known)
    assert not verdict
    assert verdict.reason == str(raised.value)
    assert verdict.reason in repr(verdict)


@given(st.integers(0, len(PROOF) - 1), st.integers(1, 255))
def test_no_byte_of_a_proof_can_change_unseen(place, change):
    changed = bytearray(PROOF)
    changed[place] ^= change
    assert not judge_holding(bytes(changed), STATEMENT, **KNOWN)


def test_damaged_bytes_leave_nothing_to_show():
    verdict = judge_holding(b"", STATEMENT[:-1], **KNOWN)
    assert (verdict.holds, verdict.proof, verdict.statement) == (False, None, None)


def test_a_call_that_makes_no_sense_is_refused():
    with pytest.raises(ArgumentTypeError, match="proof"):
        judge_holding("proof", STATEMENT, **KNOWN)
    with pytest.raises(ArgumentTypeError, match="balance"):
        judge_holding(PROOF, STATEMENT, **(KNOWN | {"balance": 1.5}))
    with pytest.raises(ArgumentError, match="issuer"):
        judge_holding(PROOF, STATEMENT, **(KNOWN | {"issuer": b"short"}))
