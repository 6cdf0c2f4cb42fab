"""A ledger as bytes and back, and what its root commits to."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.encoding import Reader, blob, text, u32
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import Applied, Ledger
from gridlab.errors import ArgumentTypeError, ChainError

PENDING = {"debit_account": 2, "credit_account": 3, "phase": "pending"}


def start(make_transfers):
    book = Ledger(5, issuers={"WATT": [0], "THB": [1]}, backing={"WATT": "THB"})
    book.set_limit(3, "WATT", 500)
    rows = [
        {"transfer_id": 1, "debit_account": 1, "credit_account": 0, "amount": 900, "asset": "THB"},
        {"transfer_id": 2, "debit_account": 0, "credit_account": 2, "amount": 100},
        PENDING | {"transfer_id": 3, "amount": 10},
        PENDING | {"transfer_id": 4, "amount": 20, "timeout": 7},
        PENDING | {"transfer_id": 5, "amount": 30, "timeout": 7},
        PENDING | {"transfer_id": 6, "amount": 5, "timeout": 2},
        PENDING | {"transfer_id": 7, "amount": 0, "phase": "post", "pending_id": 3, "linked": True},
        PENDING | {"transfer_id": 8, "amount": 15, "phase": "post", "pending_id": 4},
    ]
    book.apply(make_transfers(rows), sender=2, now=100)
    assert book.expire(103) == 1
    return book


@pytest.fixture
def book(make_transfers):
    return start(make_transfers)


def test_a_ledger_comes_back_whole(book, make_transfers):
    back = Ledger.from_bytes(book.to_bytes())
    assert back.to_bytes() == book.to_bytes()
    assert (back.root, back.commitment, repr(back)) == (book.root, book.commitment, repr(book))
    for what in ("balances", "reservations", "pending", "transfers"):
        assert getattr(back, what).equals(getattr(book, what)), what
    assert back.limit(3, "WATT") == 500
    assert back.circulation("WATT") == 100
    assert back.next_id(2) == 9
    assert back.apply(book.transfers, sender=2) == Applied(0, 8)
    late = make_transfers([PENDING | {"transfer_id": 9, "amount": 0, "phase": "post", "pending_id": 6}])
    assert back.apply_each(late, 2).names.to_list() == ["pending_closed"]


def test_an_empty_ledger_comes_back():
    back = Ledger.from_bytes(Ledger(0).to_bytes())
    assert (len(back), back.transfers.height) == (0, 0)
    assert Ledger.from_bytes(Ledger(3).to_bytes()).root == Ledger(3).root


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_bytes_and_root_do_not_know_how_transfers_came_in_batches(make_transfers, size):
    rows = [
        {"transfer_id": number, "debit_account": 0, "credit_account": 1 + number % 3, "amount": 1 + number}
        | ({"phase": "pending"} if number % 3 else {})
        for number in range(8)
    ]
    whole, parts = Ledger(4, issuers={"WATT": [0]}), Ledger(4, issuers={"WATT": [0]})
    whole.apply(make_transfers(rows), sender=3)
    for first in range(0, len(rows), size):
        parts.apply_each(make_transfers(rows[first : first + size]), 3)
        assert len(parts.commitment) == 32  # in between, what was hashed so far is kept
    assert parts.root == whole.root
    assert parts.to_bytes() == whole.to_bytes()


def test_a_column_that_only_a_refused_row_needed_leaves_no_trace(make_transfers):
    plain = {"transfer_id": 1, "debit_account": 0, "credit_account": 1, "amount": 1}
    refused = {"transfer_id": 2, "debit_account": 2, "credit_account": 1, "amount": 1, "phase": "pending", "timeout": 5}
    one, other = Ledger(3, issuers={"WATT": [0]}), Ledger(3, issuers={"WATT": [0]})
    one.apply_each(make_transfers([plain, refused]), 0)
    other.apply_each(make_transfers([plain]), 0)
    assert one.to_bytes() == other.to_bytes()
    assert one.root == other.root


CHANGES = {
    "a balance": lambda book, make: book.apply(make([{"transfer_id": 50, "debit_account": 2, "credit_account": 4}])),
    "an issuer": lambda book, _: book.declare_issuer(4, "GRID"),
    "a limit": lambda book, _: book.set_limit(4, "GRID", 7),
    "a released reservation": lambda book, _: book.expire(107),
    "an account": lambda book, _: book.grow(6),
    "a used id": lambda book, make: book.apply(
        make([PENDING | {"transfer_id": 60, "phase": "void", "pending_id": 5, "amount": 0}]), sender=2, now=104
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_root_tells_ledgers_apart_that_would_behave_differently(book, make_transfers, what):
    def make(rows):
        return make_transfers([{"amount": 1} | row for row in rows])

    other = book.fork()
    assert other.root == book.root
    CHANGES[what](other, make)
    assert other.root != book.root
    assert Ledger.from_bytes(other.to_bytes()).root == other.root


def test_the_root_knows_expiries_used_ids_and_backing(make_transfers):
    def made(*, sender=0, now=0, backing=None, number=1, **more):
        book = Ledger(3, issuers={"WATT": [0], "THB": [0]}, backing=backing)
        row = {"transfer_id": number, "debit_account": 0, "credit_account": 1, "amount": 1, "asset": "THB"} | more
        book.apply(make_transfers([row]), sender=sender, now=now)
        return book.root

    waiting = {"phase": "pending", "timeout": 5}
    roots = [
        *(made(), made(sender=1), made(number=2), made(code="fee"), made(backing={"WATT": "THB"})),
        *(made(**waiting), made(now=1, **waiting), made(phase="pending")),
    ]
    assert len(set(roots)) == len(roots)


def test_changed_accounts_are_those_whose_leaf_changed(book, make_transfers):
    fork = book.fork()
    assert fork.changed_accounts(book).tolist() == []
    fork.apply(make_transfers([{"transfer_id": 50, "debit_account": 2, "credit_account": 4, "amount": 1}]))
    assert fork.changed_accounts(book).tolist() == [2, 4]
    fork.grow(7)
    assert fork.changed_accounts(book).tolist() == [2, 4, 5, 6]
    before, after = book.leaves(), fork.leaves()
    assert [n for n in range(7) if n >= 5 or before[n] != after[n]] == [2, 4, 5, 6]
    fork = book.fork()
    fork.expire(107)
    assert fork.changed_accounts(book).tolist() == [2]  # only what is reserved stands in a leaf


@given(data=st.data())
def test_damaged_bytes_are_refused(make_transfers, data):
    whole = start(make_transfers).to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(changed), whole[:place], whole + b"\0"):
        with pytest.raises(ChainError, match="ledger"):
            Ledger.from_bytes(damaged)


@given(data=st.data())
def test_changed_bytes_with_a_right_hash_are_refused_or_mean_another_ledger(make_transfers, data):
    book = start(make_transfers)
    body = bytearray(book.to_bytes()[:-32])
    counts = range(len(text("gridlab/ledger/1")), len(text("gridlab/ledger/1")) + 4)  # a count could be a billion
    place = data.draw(st.integers(0, len(body) - 1).filter(lambda place: place not in counts))
    body[place] ^= data.draw(st.integers(1, 255))
    try:
        other = Ledger.from_bytes(sealed(bytes(body)))
    except ChainError:
        return
    assert other.to_bytes() == sealed(bytes(body))
    assert other.root != book.root


def sealed(body):
    return body + tagged_hash("gridlab/ledger/1", body)


def parts_of(data):
    reader = Reader(data[:-32], "ledger")
    head = text(reader.text()) + u32(reader.u32()) + b"".join(blob(reader.blob()) for _ in range(3))
    return head, decode_frame(reader.blob()), decode_frame(reader.blob())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, w: (pl.concat([t, t.tail(1)]), w), "stands there twice"),
        (lambda t, w: (t.with_columns(credit_account="debit_account"), w), "pays itself"),
        (lambda t, w: (t.with_columns(credit_account=pl.lit(5, pl.UInt32)), w), "does not exist"),
        (lambda t, w: (t.filter(pl.col("transfer_id") != 3), w), "without its pending one"),
        (lambda t, w: (t.reverse(), w), "without its pending one"),
        (
            lambda t, w: (t.with_columns(pending_id=(pl.col("pending_id") > 0).cast(pl.UInt64) * 2), w),
            "that is not pending",
        ),
        (
            lambda t, w: (t.with_columns(pending_id=(pl.col("pending_id") > 0).cast(pl.UInt64) * 3), w),
            "closed twice",
        ),
        (lambda t, w: (t.with_columns(amount=pl.col("amount") - 5), w), "not more than 0"),
        (
            lambda t, w: (t.with_columns(amount=pl.when(pl.col("transfer_id") == 8).then(21).otherwise("amount")), w),
            "more than was reserved",
        ),
        (
            lambda t, w: (t.with_columns(amount=pl.when(pl.col("transfer_id") == 2).then(7).otherwise("amount")), w),
            "more than it holds",
        ),
        (lambda t, w: (t, w.with_columns(transfer_id=pl.lit(4, pl.UInt64))), "was never pending"),
        (lambda t, w: (t, w.with_columns(transfer_id=pl.lit(77, pl.UInt64))), "was never pending"),
        (lambda t, w: (t, pl.concat([w, w])), "open transfer stands there twice"),
        (lambda t, w: (t.drop("sender"), w), "not those of a ledger"),
        (lambda t, w: (t, w.drop("expires")), "not those of a ledger"),
        (lambda t, w: (t, w.with_columns(expires=pl.lit("never"))), "not those of a ledger"),
        (lambda t, w: (t, w.with_columns(transfer_id=pl.lit(b"five"))), "not those of a ledger"),
        (lambda t, w: (t.with_columns(sender=pl.lit("two")), w), "not those of a ledger"),
        (lambda t, w: (t.drop("amount"), w), "not those of a ledger"),
        (lambda t, w: (t.select(pl.col("sender"), pl.exclude("sender")), w), "canonical"),
    ],
)
def test_a_history_that_no_ledger_has_is_refused(book, change, message):
    head, transfers, waiting = parts_of(book.to_bytes())
    assert sealed(head + blob(encode_frame(transfers)) + blob(encode_frame(waiting))) == book.to_bytes()
    with pytest.raises(ChainError, match=message):
        Ledger.from_bytes(sealed(head + b"".join(blob(encode_frame(frame)) for frame in change(transfers, waiting))))


@pytest.mark.parametrize("data", [b"", b"\x18ledger", bytes(40), sealed(text("gridlab/state/1") + bytes(40))])
def test_other_bytes_are_refused(data):
    with pytest.raises(ChainError, match="ledger"):
        Ledger.from_bytes(data)


def test_only_bytes_are_taken():
    with pytest.raises(ArgumentTypeError, match="allowed: bytes"):
        Ledger.from_bytes("ledger")


def test_frames_and_arrays_of_others_are_never_shared():
    amounts = np.full(2, 5)
    frame = pl.DataFrame(
        {
            "transfer_id": np.array([1, 2], np.uint64),
            "debit_account": np.zeros(2, np.uint32),
            "credit_account": np.ones(2, np.uint32),
            "asset": ["WATT", "WATT"],
            "amount": amounts,
            "code": ["mint", "mint"],
        }
    )
    book = Ledger(2, issuers={"WATT": [0]})
    book.apply(frame)
    balances = book.balances
    amounts[:] = 77
    assert book.transfers["amount"].to_list() == [5, 5]
    book.apply(frame.with_columns(transfer_id=pl.col("transfer_id") + 10, amount=pl.lit(1, pl.Int64)))
    assert balances["WATT"].to_list() == [-10, 10]
