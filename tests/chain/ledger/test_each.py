"""`Ledger.apply_each`: rows that stand or fall alone, and chains of them."""

from __future__ import annotations

import numpy as np
import pytest

from gridlab.chain.ledger import Ledger, Results
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, LedgerError


@pytest.fixture
def book(way, make_transfers):
    """Account 1 holds 10, all others nothing; account 0 issues."""
    book = Ledger(5, issuers={"WATT": [0]})
    book.apply(make_transfers([{"transfer_id": 1, "debit_account": 0, "credit_account": 1, "amount": 10}]), sender=9)
    return book


def pay(number, debit, credit, amount, **more):
    return {"transfer_id": number, "debit_account": debit, "credit_account": credit, "amount": amount} | more


def names(book, frame, senders=0):
    return book.apply_each(frame, senders).names.to_list()


def test_a_row_that_fails_leaves_the_others(book, make_transfers):
    rows = [pay(1, 1, 2, 6), pay(2, 1, 3, 6), pay(3, 2, 3, 6), pay(4, 1, 3, 4)]
    results = book.apply_each(make_transfers(rows), 0)
    assert results.names.to_list() == ["ok", "exceeds_balance", "ok", "ok"]
    assert (results.applied, results.existing, len(results)) == (3, 0, 4)
    assert results.accepted.tolist() == [True, False, True, True]
    assert results.reason(1).startswith("exceeds_balance: an account pays more than it holds")
    assert repr(results) == "Results(3 applied, 0 existing, 1 refused)"
    assert book.balance(3, "WATT") == 10
    assert book.transfers["transfer_id"].to_list() == [1, 1, 3, 4]


def test_an_id_that_was_refused_may_be_used_again(book, make_transfers):
    rows = [pay(1, 1, 2, 11), pay(1, 1, 2, 10), pay(1, 1, 2, 10), pay(1, 1, 2, 9)]
    assert names(book, make_transfers(rows)) == [
        *("exceeds_balance", "ok", "exists", "exists_with_different_amount"),
    ]


def test_linked_rows_stand_or_fall_together(book, make_transfers):
    chain = [pay(1, 1, 2, 6, linked=True), pay(2, 2, 3, 7, linked=True), pay(3, 1, 3, 1)]
    assert names(book, make_transfers([*chain, pay(4, 1, 4, 10)])) == [
        *("linked_failed", "exceeds_balance", "linked_failed", "ok"),
    ]
    assert book.balances["WATT"].to_list() == [-10, 0, 0, 0, 10]
    back = [pay(5, 4, 1, 10), *chain[:1], pay(2, 2, 3, 6)]
    assert names(book, make_transfers(back)) == ["ok", "ok", "ok"]


def test_a_chain_that_does_not_end_is_refused(book, make_transfers):
    rows = [pay(1, 1, 2, 1, linked=True), pay(2, 1, 2, 1, linked=True)]
    assert names(book, make_transfers(rows)) == ["linked_failed", "linked_open"]
    with pytest.raises(LedgerError, match="set linked to false in the last row"):
        book.apply(make_transfers(rows))


def test_a_chain_that_was_applied_exists_as_a_whole(book, make_transfers):
    chain = make_transfers([pay(1, 1, 2, 1, linked=True), pay(2, 1, 2, 1)])
    assert names(book, chain) == ["ok", "ok"]
    assert names(book, chain) == ["exists", "exists"]


def test_a_chain_that_fails_gives_its_pending_transfers_back(book, make_transfers):
    reserve = pay(1, 1, 2, 10, phase="pending", linked=True)
    post = pay(2, 1, 2, 0, phase="post", pending_id=1, linked=True)
    assert names(book, make_transfers([reserve, post, pay(3, 3, 2, 1), post | {"linked": False}])) == [
        *("linked_failed", "linked_failed", "exceeds_balance", "pending_not_found"),
    ]
    assert names(book, make_transfers([reserve | {"linked": False}])) == ["ok"]
    assert names(book, make_transfers([post, pay(3, 3, 2, 1), post | {"linked": False}])) == [
        *("linked_failed", "exceeds_balance", "ok"),
    ]
    assert book.balance(2, "WATT") == 10


def test_ids_belong_to_the_sender_of_each_row(book, make_transfers):
    frame = make_transfers([pay(1, 1, 2, 1), pay(1, 1, 3, 1), pay(1, 1, 4, 1)])
    senders = np.array([1, 2**32 - 1, 1])
    assert names(book, frame, senders) == ["ok", "ok", "exists_with_different_credit_account"]
    assert names(book, frame, senders) == ["exists", "exists", "exists_with_different_credit_account"]
    assert book.transfers["sender"].to_list() == [9, 1, 2**32 - 1]
    assert [book.next_id(sender) for sender in (0, 1, 9, 2**32 - 1)] == [0, 2, 2, 2]


def test_an_empty_batch_has_no_results(book, make_transfers):
    assert len(book.apply_each(make_transfers([]), np.empty(0, np.uint32))) == 0


@pytest.mark.parametrize(
    ("senders", "error"),
    [
        ("1", ArgumentTypeError),
        ([1], ArgumentTypeError),
        (np.array([1.0]), ArgumentTypeError),
        (np.array([True]), ArgumentTypeError),
        (np.array([[1]]), ArgumentTypeError),
        (True, ArgumentTypeError),
        (-1, ArgumentError),
        (2**32, ArgumentError),
        (np.array([1, 2]), ArgumentError),
        (np.array([-1]), ArgumentError),
        (np.array([2**32]), ArgumentError),
    ],
)
def test_senders_that_make_no_sense_are_errors(make_transfers, senders, error):
    book = Ledger(3, issuers={"WATT": [0]})
    with pytest.raises(error, match="allowed"):
        book.apply_each(make_transfers([pay(1, 0, 1, 1)]), senders)
    assert book.transfers.is_empty()


def test_a_malformed_frame_is_refused_whole(make_transfers):
    book = Ledger(3, issuers={"WATT": [0]})
    with pytest.raises(FrameError, match="nulls"):
        book.apply_each(make_transfers([pay(1, 0, 1, 1), pay(2, 0, None, 1)]), 0)
    assert book.transfers.is_empty()


@pytest.mark.parametrize("row", [-1, 2, "0"])
def test_only_rows_that_are_there_have_a_reason(row):
    with pytest.raises((ArgumentError, ArgumentTypeError), match="allowed"):
        Results(np.zeros(2, np.uint8)).reason(row)
