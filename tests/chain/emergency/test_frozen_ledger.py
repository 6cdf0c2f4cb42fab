"""Pending transfers of an asset that stands keep their place, and get their time back."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.ledger import Ledger
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import ArgumentError, ArgumentTypeError


def ledger_of(rows):
    """A ledger with one pending transfer per row of asset and timeout."""
    book = Ledger(3, issuers={"WATT": [0], "GRID": [0]})
    for number, (asset, timeout) in enumerate(rows):
        columns = {"transfer_id": [number], "debit_account": [0], "credit_account": [1], "asset": [asset]}
        columns |= {"amount": [5], "code": ["transfer"], "phase": ["pending"], "pending_id": [0], "timeout": [timeout]}
        book.apply(pl.DataFrame(columns), sender=2)
    return book


@given(st.lists(st.tuples(st.sampled_from(["WATT", "GRID"]), st.integers(0, 40)), max_size=12), st.integers(0, 60))
def test_frozen_ones_do_not_expire_and_postponed_ones_expire_later(rows, by):
    book = ledger_of(rows)
    released = book.expire(20, frozen=["WATT"])
    assert released == sum(asset == "GRID" and 0 < timeout <= 20 for asset, timeout in rows)
    assert book.postpone("WATT", by) == sum(asset == "WATT" and timeout > 0 for asset, timeout in rows)
    found = sorted(book.pending.filter(asset="WATT")["expires"].drop_nulls().to_list())
    assert found == sorted(timeout + by for asset, timeout in rows if asset == "WATT" and timeout)
    assert Ledger.from_bytes(book.to_bytes()).commitment == book.commitment
    book.expire(20 + by + 40)
    assert book.pending["expires"].drop_nulls().is_empty()


def test_the_end_of_time_is_not_never():
    book = ledger_of([("WATT", 10)])
    book.postpone("WATT", LARGEST)
    assert book.pending["expires"].to_list() == [LARGEST - 1]


def test_which_assets_moved_since_a_fork():
    book = ledger_of([("WATT", 10)])
    before = book.fork()
    assert book.assets_since(before) == []
    row = {"transfer_id": [99], "debit_account": [0], "credit_account": [1], "asset": ["GRID"], "amount": [5]}
    book.apply(pl.DataFrame(row | {"code": ["mint"]}), sender=2)
    assert book.assets_since(before) == ["GRID"]
    with pytest.raises(ArgumentTypeError):
        book.assets_since(None)
    with pytest.raises(ArgumentError):
        book.postpone("WATT", -1)
