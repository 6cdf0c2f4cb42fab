"""Quorums, and certificates as an outsider checks them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import keys, pbft
from gridlab.errors import ArgumentError, ArgumentTypeError


@pytest.fixture(scope="module")
def signed():
    pairs = [keys.sandbox(7, f"validator {number}") for number in range(21)]
    sealed = pbft.sealed_header(b"header", 3)
    message = pbft.certificate_message(sealed)
    return sealed, {pair.public_key: pair.sign(message) for pair in pairs}, [pair.public_key for pair in pairs]


@pytest.mark.parametrize(
    ("n", "faulty", "quorum"),
    [(1, 0, 1), (2, 0, 2), (3, 0, 2), (4, 1, 3), (6, 1, 4), (7, 2, 5), (10, 3, 7), (21, 6, 14)],
)
def test_faulty_and_quorum(n, faulty, quorum):
    assert (pbft.max_faulty(n), pbft.quorum(n)) == (faulty, quorum)


@given(st.integers(1, 10_000))
def test_two_quorums_share_an_honest_validator_and_the_honest_ones_can_form_one(n):
    faulty, quorum = pbft.max_faulty(n), pbft.quorum(n)
    assert 2 * quorum - n >= faulty + 1
    assert quorum <= n - faulty
    assert 2 * (quorum - 1) - n < faulty + 1  # one less would not do
    assert quorum == -(-(n + faulty + 1) // 2)


@pytest.mark.parametrize("call", [pbft.max_faulty, pbft.quorum])
def test_a_number_of_validators_must_be_one_or_more(call):
    with pytest.raises(ArgumentError, match="at least 1"):
        call(0)
    with pytest.raises(ArgumentTypeError):
        call(4.0)
    with pytest.raises(ArgumentTypeError):
        call(True)


def first(signatures, count):
    return dict(list(signatures.items())[:count])


def test_fourteen_of_twenty_one_signatures_make_a_certificate_and_thirteen_do_not(signed):
    sealed, signatures, validators = signed
    assert pbft.verify_certificate(sealed, first(signatures, 14), validators)
    assert pbft.verify_certificate(sealed, signatures, validators)
    assert not pbft.verify_certificate(sealed, first(signatures, 13), validators)
    assert pbft.why_not_final(sealed, first(signatures, 13), validators) == "13 of 21 validators signed, 14 must"


def test_one_bad_signature_spoils_a_certificate_that_would_do_without_it(signed):
    sealed, signatures, validators = signed
    spoiled = signatures | {validators[20]: signatures[validators[19]]}
    assert not pbft.verify_certificate(sealed, spoiled, validators)
    assert not pbft.verify_certificate(sealed, signatures | {validators[0]: b""}, validators)


def test_one_foreign_signature_spoils_a_certificate(signed):
    sealed, signatures, validators = signed
    stranger = keys.sandbox(8, "stranger")
    foreign = {stranger.public_key: stranger.sign(pbft.certificate_message(sealed))}
    assert not pbft.verify_certificate(sealed, signatures | foreign, validators)


def test_a_key_that_stands_twice_among_the_validators_does_not_help(signed):
    sealed, signatures, validators = signed
    # 13 signers listed twice are still 13; and 27 names of 21 validators still ask for 14.
    assert not pbft.verify_certificate(sealed, first(signatures, 13), validators + validators[:6])
    assert pbft.verify_certificate(sealed, first(signatures, 14), validators + validators[:6])
    assert not pbft.verify_certificate(sealed, first(signatures, 1), validators[:1] * 4 + validators[1:4])


def test_signatures_of_several_views_do_not_add_up(signed):
    sealed, signatures, validators = signed
    other = pbft.certificate_message(pbft.sealed_header(b"header", 4))
    pairs = [keys.sandbox(7, f"validator {number}") for number in range(21)]
    mixed = first(signatures, 7) | {pair.public_key: pair.sign(other) for pair in pairs[7:]}
    assert len(mixed) == 21
    assert not pbft.verify_certificate(sealed, mixed, validators)
    assert not pbft.verify_certificate(pbft.sealed_header(b"header", 4), mixed, validators)
    assert not pbft.verify_certificate(b"header", mixed, validators)


def test_nobody_makes_no_certificate(signed):
    sealed, signatures, _ = signed
    assert not pbft.verify_certificate(sealed, {}, [])
    assert not pbft.verify_certificate(sealed, signatures, [])


def test_the_message_names_its_purpose_and_the_view_is_in_it():
    assert pbft.certificate_message(b"h").endswith(b"h")
    assert b"pbft-commit" in pbft.certificate_message(b"h")
    assert pbft.sealed_header(b"h", 2) == b"h" + (2).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("header", "signatures", "validators"),
    [
        ("header", {}, []),
        (b"header", [], []),
        (b"header", {}, "validators"),
        (b"header", {}, ["key"]),
        (b"header", {"key": b""}, []),
        (b"header", {b"key": "signature"}, []),
    ],
)
def test_wrong_types_are_named(header, signatures, validators):
    with pytest.raises(ArgumentTypeError):
        pbft.verify_certificate(header, signatures, validators)
