"""Hash time locks: every branch of the state machine, on a real ledger, and stops of chains."""

import hashlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps import LockBook, LockTerms, Stops, hash_of
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, LedgerError

SECRET = bytes(range(32))
RUNNING = Stops()


def funded():
    ledger = Ledger(4, issuers={"WATT": [0]})
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    ledger.apply(pl.DataFrame([dict(zip(names, (1, 0, 1, "WATT", 100, "mint"), strict=True))]))
    return ledger


def terms(**changes):
    usual = {"payer": 1, "payee": 2, "asset": "WATT", "amount": 60, "hash": hash_of(SECRET), "timeout": 1_000}
    return LockTerms(**(usual | changes))


@pytest.fixture
def locked():
    ledger = funded()
    book, lock = LockBook("chain").lock(ledger, terms(), 100, RUNNING)
    return ledger, book, lock


def test_hash_of_the_empty_message_in_fips_180_4_is_not_a_lock():
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c44298fc1c14")
    with pytest.raises(ArgumentError, match="preimage has 0 bytes, allowed: exactly 32"):
        hash_of(b"")


def test_sha_256_of_32_zero_bytes():
    # NIST CAVP, SHA256ShortMsg, checked with another implementation of the same function.
    assert hash_of(bytes(32)).hex() == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"


def test_a_lock_reserves_and_a_claim_pays(locked):
    ledger, book, lock = locked
    assert (ledger.balance(1, "WATT"), ledger.reserved(1, "WATT"), ledger.incoming(2, "WATT")) == (100, 60, 60)
    book, claimed = book.claim(ledger, lock.id, SECRET, 999, RUNNING)
    assert (ledger.balance(1, "WATT"), ledger.balance(2, "WATT"), ledger.reserved(1, "WATT")) == (40, 60, 0)
    assert (claimed.status, claimed.preimage, book.preimage_of(lock.terms.hash)) == ("claimed", SECRET, SECRET)


def test_a_refund_gives_back(locked):
    ledger, book, lock = locked
    book, _ = book.refund(ledger, lock.id, 1_000, RUNNING)
    assert (ledger.available(1, "WATT"), ledger.balance(2, "WATT"), book[lock.id].status) == (100, 0, "refunded")


@given(now=st.integers(100, 2_000), stood=st.integers(0, 500))
def test_at_every_moment_exactly_one_of_claim_and_refund_is_allowed(now, stood):
    stops = Stops().begin("chain", 100).end("chain", 100 + stood)
    now = max(now, 100 + stood)
    allowed = {}
    for name in ("claim", "refund"):
        ledger = funded()
        book, lock = LockBook("chain").lock(ledger, terms(), 100, RUNNING)
        try:
            if name == "claim":
                book.claim(ledger, lock.id, SECRET, now, stops)
            else:
                book.refund(ledger, lock.id, now, stops)
            allowed[name] = True
        except ChainError:
            allowed[name] = False
            assert ledger.reserved(1, "WATT") == 60
    assert allowed == {"claim": now - stood < 1_000, "refund": now - stood >= 1_000}


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_preimage_of_a_wrong_length_is_refused_and_nothing_lost(locked, size):
    ledger, book, lock = locked
    with pytest.raises(ArgumentError, match=f"preimage has {size} bytes"):
        book.claim(ledger, lock.id, bytes(size), 200, RUNNING)
    assert (ledger.reserved(1, "WATT"), book[lock.id].status) == (60, "locked")


def test_what_a_closed_lock_answers(locked):
    ledger, book, lock = locked
    book, _ = book.claim(ledger, lock.id, SECRET, 200, RUNNING)
    with pytest.raises(ChainError, match="lock 0 is claimed, so that it cannot be claimed"):
        book.claim(ledger, lock.id, SECRET, 201, RUNNING)
    with pytest.raises(ChainError, match="lock 0 is claimed, so that it cannot be refunded"):
        book.refund(ledger, lock.id, 2_000, RUNNING)


def test_a_wrong_preimage_is_refused(locked):
    ledger, book, lock = locked
    with pytest.raises(ChainError, match="allowed: one with the hash"):
        book.claim(ledger, lock.id, bytes(32), 200, RUNNING)


def test_while_its_chain_stands_nothing_happens_to_a_lock_and_the_time_does_not_count(locked):
    ledger, book, lock = locked
    stops = Stops().begin("chain", 500)
    with pytest.raises(ChainError, match="cannot be claimed while 'chain' stands"):
        book.claim(ledger, lock.id, SECRET, 600, stops)
    with pytest.raises(ChainError, match="cannot be refunded while 'chain' stands"):
        book.refund(ledger, lock.id, 9_000, stops)
    with pytest.raises(ChainError, match="'chain' stands"):
        book.lock(ledger, terms(amount=1), 600, stops)
    stops = stops.end("chain", 5_500)
    assert lock.remaining(5_999, stops) == 1
    assert book.claim(ledger, lock.id, SECRET, 5_999, stops)[1].status == "claimed"


def test_a_lock_freezes_with_a_chain_it_watches_and_may_be_claimed_meanwhile():
    ledger = funded()
    book, lock = LockBook("chain").lock(ledger, terms(watched=("other",)), 100, RUNNING)
    stops = Stops().begin("other", 300)
    assert lock.remaining(9_000, stops) == 700
    with pytest.raises(ChainError, match="may be claimed for another 700"):
        book.refund(ledger, lock.id, 9_000, stops)
    assert book.claim(ledger, lock.id, SECRET, 9_000, stops)[1].status == "claimed"


SPANS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 10)), max_size=6)


@given(SPANS, st.integers(0, 9))
def test_standstill_counts_each_moment_once(spans, since):
    stops, stood, latest = Stops(), set(), {"a": 0, "b": 0}
    for chain, gap, length in spans:
        begin = latest[chain] + gap
        latest[chain] = begin + length
        stops = stops.begin(chain, begin).end(chain, begin + length)
        stood |= set(range(begin, begin + length))
    now = 40
    assert stops.standstill("ab", since, now) == len([moment for moment in stood if since <= moment < now])
    assert Stops.from_bytes(stops.to_bytes()) == stops


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: Stops().end("a", 1), "does not stand"),
        (lambda: Stops().begin("a", 5).begin("a", 6), "stands from 5 until now already"),
        (lambda: Stops().begin("a", 5).end("a", 4), "cannot end at 4"),
        (lambda: Stops().begin("a", 5).end("a", 9).begin("a", 8), "until 9 already"),
    ],
)
def test_a_stop_that_cannot_be_is_refused(act, sentence):
    with pytest.raises(ChainError, match=sentence):
        act()


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"amount": 0}, ArgumentError, "amount is 0"),
        ({"amount": 2**63}, ArgumentError, "at most 9223372036854775807"),
        ({"amount": 1.5}, ArgumentTypeError, "whole number"),
        ({"hash": bytes(31)}, ArgumentError, "hash has 31 bytes"),
        ({"payee": 1}, ChainError, "would pay itself"),
        ({"asset": "WAT"}, ArgumentError, "WATT"),
        ({"watched": ("b", "a")}, ChainError, "sorted"),
        ({"timeout": 0}, ArgumentError, "timeout is 0"),
    ],
)
def test_terms_that_make_no_sense_are_refused(changes, error, sentence):
    with pytest.raises(error, match=sentence):
        terms(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"amount": 101}, LedgerError, "pays more than it holds"),
        ({"timeout": 100}, ChainError, "is not after now, 100"),
        ({"payee": 9}, ArgumentError, "account 9 does not exist"),
        ({"payer": 0}, ChainError, "issues WATT"),
    ],
)
def test_a_lock_that_cannot_be_is_refused_and_changes_nothing(changes, error, sentence):
    ledger, book = funded(), LockBook("chain")
    before = ledger.to_bytes()
    with pytest.raises(error, match=sentence):
        book.lock(ledger, terms(**changes), 100, RUNNING)
    assert ledger.to_bytes() == before
    assert book.is_empty


def test_a_hash_whose_preimage_is_public_takes_no_new_lock(locked):
    ledger, book, lock = locked
    book, _ = book.claim(ledger, lock.id, SECRET, 200, RUNNING)
    with pytest.raises(ChainError, match="public already"):
        book.lock(ledger, terms(amount=1), 300, RUNNING)


def test_a_lock_of_another_chain_is_not_known(locked):
    _, book, lock = locked
    elsewhere, other = LockBook("other").lock(funded(), terms(), 100, RUNNING)
    assert other.id != lock.id
    with pytest.raises(ChainError, match="is not known on 'chain', which has 1 locks"):
        book[other.id]
    assert elsewhere.hash != book.hash


def test_a_book_comes_back_from_its_bytes_and_damage_is_seen(locked):
    ledger, book, lock = locked
    book, _ = book.lock(ledger, terms(amount=5, watched=("other",), hash=hash_of(bytes(32))), 150, RUNNING)
    book, _ = book.claim(ledger, lock.id, SECRET, 200, RUNNING)
    again = LockBook.from_bytes(book.to_bytes())
    assert (again, again.hash) == (book, book.hash)
    assert book.frame["status"].to_list() == ["claimed", "locked"]
    with pytest.raises(ChainError):
        LockBook.from_bytes(book.to_bytes()[:-1])
    with pytest.raises(ChainError, match="another hash"):
        LockBook.from_bytes(book.to_bytes().replace(SECRET, bytes(32)))


@pytest.mark.parametrize("wrong", [None, 5, "book"])
def test_wrong_types_are_named(locked, wrong):
    ledger, book, lock = locked
    with pytest.raises(ArgumentTypeError):
        book.lock(wrong, terms(), 100, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.lock(ledger, wrong, 100, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.claim(ledger, lock.id, wrong, 200, RUNNING)
    with pytest.raises(ArgumentTypeError):
        book.refund(ledger, lock.id, 2_000, wrong)
