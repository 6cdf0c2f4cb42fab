"""Authority sets, certificates and everything that is wrong with a bad one."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.public import AuthoritySet, Justification, finality_message, supermajority
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

PAIRS = [keys.sandbox(0, f"validator {seat}") for seat in range(4)]
SET = AuthoritySet(3, tuple(pair.public_key for pair in PAIRS), (1, 2, 3, 4))
HEADER = b"a header"


def certificate(*seats, header=HEADER, number=3):
    return Justification(number, {seat: PAIRS[seat].sign(finality_message(header, number)) for seat in seats})


@given(st.integers(1, 2**53))
def test_supermajority_is_the_least_above_two_thirds(total):
    least = supermajority(total)
    assert 3 * least > 2 * total
    assert 3 * (least - 1) <= 2 * total


@given(st.sets(st.integers(0, 3)))
def test_a_certificate_holds_exactly_where_more_than_two_thirds_of_stake_signed(seats):
    weight = sum(SET.weights[seat] for seat in seats)
    reason = certificate(*sorted(seats)).why_not(HEADER, SET)
    assert (reason is None) == (3 * weight > 2 * SET.total)
    assert reason is None or f"stake of {weight} signed" in reason


def test_two_sets_of_more_than_two_thirds_share_more_than_a_third():
    """Why two certificates of one height name at least a third of the stake: Stewart and Kokoris-Kogia 2020."""
    for total in range(1, 200):
        assert 3 * (2 * supermajority(total) - total) > total


def test_bad_certificates_are_refused_with_the_reason():
    good = certificate(1, 2, 3)
    assert good.why_not(HEADER, SET) is None
    assert "signature of seat 1" in good.why_not(b"another", SET)
    assert "set 2, in force is set 3" in dataclasses.replace(good, number=2).why_not(HEADER, SET)
    assert "seat 9 signed" in Justification(3, {**good.signatures, 9: bytes(64)}).why_not(HEADER, SET)
    swapped = Justification(3, {0: good.signatures[1], 2: good.signatures[2], 3: good.signatures[3]})
    assert "signature of seat 0" in swapped.why_not(HEADER, SET)
    with pytest.raises(ChainError, match="not certified: stake of 3 signed, 7 of 10 must"):
        certificate(2).require(HEADER, SET)


def test_bytes_are_canonical():
    good = certificate(0, 2, 3)
    assert Justification.from_bytes(good.to_bytes()) == good
    assert AuthoritySet.from_bytes(SET.to_bytes()) == SET
    assert AuthoritySet.from_bytes(SET.to_bytes()).hash == SET.hash
    row = good.to_bytes()[9 : 9 + 68]
    twice = good.to_bytes()[:8] + b"\x08" + row + row
    with pytest.raises(ChainError, match="each signs once"):
        Justification.from_bytes(twice)
    for data in (good.to_bytes()[:-1], good.to_bytes() + b"x"):
        with pytest.raises(ChainError):
            Justification.from_bytes(data)


def test_the_hash_commits_to_number_keys_order_and_weights():
    other = [
        AuthoritySet(4, SET.keys, SET.weights),
        AuthoritySet(3, SET.keys[::-1], SET.weights),
        AuthoritySet(3, SET.keys, SET.weights[::-1]),
    ]
    assert len({SET.hash, *(each.hash for each in other)}) == 4


def test_bad_sets_are_refused():
    with pytest.raises(ArgumentError, match="twice"):
        AuthoritySet(0, (SET.keys[0], SET.keys[0]), (1, 1))
    with pytest.raises(ArgumentError, match="one weight for each key"):
        AuthoritySet(0, SET.keys, (1,))
    with pytest.raises(ArgumentError, match="at least 1"):
        AuthoritySet(0, SET.keys, (1, 2, 3, 0))
    with pytest.raises(ArgumentError, match="at most"):
        AuthoritySet(0, SET.keys, (2**53 - 1, 1, 1, 1))
    with pytest.raises(ArgumentTypeError, match="allowed: int"):
        AuthoritySet(0, SET.keys, (1.5, 1, 1, 1))
    with pytest.raises(ArgumentError, match="1 to 1000"):
        AuthoritySet(0, (), ())
