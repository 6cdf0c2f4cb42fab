"""Pending transfers: reserved, posted whole or in part, voided, released; and the limits that count them."""

from __future__ import annotations

import pytest

from gridlab.chain.ledger import MEANINGS, RESULTS, Applied, Ledger
from gridlab.errors import ArgumentError, ArgumentTypeError, LedgerError

PENDING = {"transfer_id": 1, "debit_account": 2, "credit_account": 3, "amount": 40, "phase": "pending"}
POST = PENDING | {"transfer_id": 2, "phase": "post", "pending_id": 1, "amount": 0}
VOID = POST | {"phase": "void"}


@pytest.fixture
def book(way, make_transfers):
    """Account 2 holds 100, account 3 nothing; account 0 issues."""
    book = Ledger(5, issuers={"WATT": [0], "THB": [1]})
    book.apply(make_transfers([{"transfer_id": 1, "debit_account": 0, "credit_account": 2, "amount": 100}]), sender=9)
    return book


@pytest.fixture
def result(book, make_transfers):
    """Return a function that applies one row and gives its result by name."""
    return lambda row, now=0, sender=0: book.apply_each(make_transfers([row]), sender, now=now).names[0]


def holdings(book, account):
    return tuple(getattr(book, what)(account, "WATT") for what in ("balance", "reserved", "incoming", "available"))


def test_a_pending_transfer_reserves_and_a_post_moves(book, result):
    assert result(PENDING) == "ok"
    assert holdings(book, 2) == (100, 40, 0, 60)
    assert holdings(book, 3) == (0, 0, 40, 0)
    assert result(POST) == "ok"
    assert holdings(book, 2) == (60, 0, 0, 60)
    assert holdings(book, 3) == (40, 0, 0, 40)
    assert book.pending.height == 0
    assert book.transfers["moved"].to_list() == [100, 0, 40]


def test_what_a_part_post_leaves_is_released(book, result):
    result(PENDING)
    assert result(POST | {"amount": 41}) == "exceeds_pending_amount"
    assert result(POST | {"amount": 15}) == "ok"
    assert holdings(book, 2) == (85, 0, 0, 85)
    assert holdings(book, 3) == (15, 0, 0, 15)


def test_a_void_releases_everything(book, result):
    result(PENDING)
    assert result(VOID | {"amount": 39}) == "void_amount_differs"
    assert result(VOID | {"amount": 40}) == "ok"
    assert holdings(book, 2) == (100, 0, 0, 100)


@pytest.mark.parametrize("first", [POST, VOID])
@pytest.mark.parametrize("second", [POST, VOID])
def test_a_pending_transfer_is_closed_once(result, first, second):
    result(PENDING)
    assert result(first) == "ok"
    assert result(second | {"transfer_id": 3}) == "pending_closed"
    assert result(first) == "exists"


def test_incoming_funds_cannot_be_spent_and_reserved_ones_are_gone(result):
    result(PENDING)
    spend = {"transfer_id": 5, "debit_account": 3, "credit_account": 4, "amount": 1}
    assert result(spend) == "exceeds_balance"
    assert result(spend | {"debit_account": 2, "amount": 61}) == "exceeds_balance"
    assert result(spend | {"debit_account": 2, "amount": 60}) == "ok"
    assert result(POST) == "ok"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"pending_id": 7}, "pending_not_found"),
        ({"asset": "THB"}, "pending_has_different_asset"),
        ({"debit_account": 4}, "pending_has_different_debit_account"),
        ({"credit_account": 4}, "pending_has_different_credit_account"),
        ({"amount": -1}, "amount_negative"),
        ({"timeout": 1}, "timeout_unexpected"),
        ({"transfer_id": 1}, "exists_with_different_amount"),
    ],
)
def test_a_post_must_fit_its_pending_transfer(book, result, change, name):
    result(PENDING)
    assert result(POST | change) == name
    assert holdings(book, 2) == (100, 40, 0, 60)


def test_only_the_sender_of_a_pending_transfer_closes_it(result):
    assert result(PENDING, sender=2) == "ok"
    assert result(POST, sender=3) == "pending_not_found"
    assert result(POST, sender=2) == "ok"


def test_a_transfer_that_moved_at_once_is_not_pending(result):
    assert result(PENDING | {"phase": "single"}) == "ok"
    assert result(POST) == "pending_not_pending"


def test_a_pending_transfer_expires_at_its_time_and_not_before(book, result):
    assert result(PENDING | {"timeout": 50}, now=1_000) == "ok"
    assert book.expire(1_049) == 0
    assert result(POST, now=1_050) == result(VOID, now=1_050) == "pending_expired"
    assert holdings(book, 2) == (100, 40, 0, 60)
    assert book.expire(1_050) == 1
    assert holdings(book, 2) == (100, 0, 0, 100)
    assert result(POST, now=1_049) == "pending_closed"
    assert result(PENDING | {"timeout": 50}, now=9_999) == "exists"


def test_a_timeout_that_int64_cannot_count_is_refused(book, result):
    longest = 2**63 - 2
    assert result(PENDING | {"timeout": longest - 9}, now=10) == "timeout_too_long"
    assert result(PENDING | {"timeout": 2**64 - 1}, now=10) == "timeout_too_long"
    assert result(PENDING | {"timeout": longest - 10}, now=10) == "ok"
    assert book.pending["expires"].to_list() == [longest]


def test_without_a_timeout_nothing_expires(book, result):
    result(PENDING)
    assert book.expire(2**63 - 2) == 0
    assert book.pending.row(0, named=True) == {
        "sender": 0,
        "transfer_id": 1,
        "debit_account": 2,
        "credit_account": 3,
        "asset": "WATT",
        "amount": 40,
        "code": "energy",
        "expires": None,
    }


def test_a_limit_counts_what_is_pending(book, result):
    book.set_limit(3, "WATT", 50)
    assert book.limit(3, "WATT") == 50
    assert result(PENDING) == "ok"
    pay = {"transfer_id": 5, "debit_account": 2, "credit_account": 3, "amount": 11}
    assert result(pay) == "exceeds_limit"
    assert result(pay | {"amount": 10}) == "ok"
    assert result(POST) == "ok"
    assert result(pay | {"transfer_id": 6, "debit_account": 3, "credit_account": 2, "amount": 20}) == "ok"
    assert result(pay | {"transfer_id": 7, "amount": 21}) == "exceeds_limit"
    book.set_limit(3, "WATT", None)
    assert book.limit(3, "WATT") is None
    assert result(pay | {"transfer_id": 7, "amount": 21}) == "ok"


def test_a_limit_below_what_is_held_stops_only_what_comes(book, result):
    book.set_limit(2, "WATT", 10)
    assert result({"transfer_id": 5, "debit_account": 0, "credit_account": 2, "amount": 1}) == "exceeds_limit"
    assert result({"transfer_id": 5, "debit_account": 2, "credit_account": 3, "amount": 1}) == "ok"


def test_pending_issues_and_redemptions_count_at_their_worst(way, make_transfers):
    book = Ledger(4, issuers={"WATT": [0], "THB": [1]}, backing={"WATT": "THB"})

    def result(number, debit, credit, asset, amount, **more):
        row = {"transfer_id": number, "debit_account": debit, "credit_account": credit, "asset": asset}
        return book.apply_each(make_transfers([row | {"amount": amount} | more]), 0).names[0]

    assert result(1, 1, 0, "THB", 100, phase="pending") == "ok"
    assert result(2, 0, 2, "WATT", 1) == "exceeds_backing"  # the reserve is not there yet
    assert result(3, 1, 0, "THB", 0, phase="post", pending_id=1) == "ok"
    assert result(4, 0, 2, "WATT", 60, phase="pending") == "ok"
    assert result(5, 0, 2, "WATT", 41) == "exceeds_backing"  # 60 may still be issued
    assert result(6, 0, 2, "WATT", 0, phase="post", pending_id=4) == "ok"
    assert result(7, 2, 0, "WATT", 60, phase="pending") == "ok"
    assert result(8, 0, 1, "THB", 41) == "exceeds_backing"  # the WATT is not back yet
    assert result(9, 0, 1, "THB", 40, phase="pending") == "ok"
    assert result(10, 0, 2, "WATT", 1) == "exceeds_backing"  # the reserve may be gone already
    assert result(11, 2, 0, "WATT", 0, phase="post", pending_id=7) == "ok"
    assert result(12, 0, 1, "THB", 0, phase="void", pending_id=9) == "ok"
    assert result(13, 0, 2, "WATT", 100) == "ok"
    assert (book.circulation("WATT"), book.circulation("THB")) == (100, 100)


def test_an_account_that_becomes_an_issuer_keeps_the_books_straight(book, result):
    assert result(PENDING) == "ok"
    book.declare_issuer(2, "WATT")
    assert book.circulation("WATT") == 0
    assert result(POST) == "ok"
    assert book.circulation("WATT") == 40


def test_two_phases_work_within_one_batch_as_a_whole(book, make_transfers):
    again = PENDING | {"transfer_id": 8, "amount": 100}
    assert book.apply(make_transfers([PENDING, VOID, again])) == Applied(3, 0)
    with pytest.raises(LedgerError, match=r"was posted or voided before[\s\S]*│ 1 "):
        book.apply(make_transfers([VOID, POST | {"transfer_id": 3}]))
    assert holdings(book, 2) == (100, 100, 0, 0)


@pytest.mark.parametrize("name", [name for name in MEANINGS if name not in {"ok", "exists"}])
def test_every_refusal_has_a_sentence_for_people(name):
    assert RESULTS.categories.to_list().index(name) > 1
    assert len(MEANINGS[name]) > 20


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda book: book.expire("1"), ArgumentTypeError),
        (lambda book: book.expire(-1), ArgumentError),
        (lambda book: book.expire(2**63 - 1), ArgumentError),
        (lambda book: book.set_limit(2, "WATT", "5"), ArgumentTypeError),
        (lambda book: book.set_limit(2, "WATT", -1), ArgumentError),
        (lambda book: book.set_limit(9, "WATT", 5), ArgumentError),
        (lambda book: book.available(2, "GOLD"), ArgumentError),
        (lambda book: book.next_id("2"), ArgumentTypeError),
        (lambda book: book.changed_accounts(5), ArgumentTypeError),
        (lambda _: Ledger(1, backing={"WATT": "WATT"}), ArgumentError),
    ],
)
def test_calls_that_make_no_sense_are_errors(call, error):
    with pytest.raises(error, match=r"allowed|did you mean"):
        call(Ledger(5))
