"""The transfer frame, its columns as arrays, and the memory of transfers already applied.

A transfer id is remembered for ever, so that a batch sent twice moves money once. An id belongs to its sender: were
it everybody's, one member could use up the ids that another is going to need. Batches are kept as they came; only
those whose range of ids meets the range of a new batch are searched, so growing ids are never searched at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import LedgerError
from gridlab.frames import Column, Schema, show_rows

__all__ = ["ASSETS", "CODES", "TRANSFERS", "Columns", "TransferHistory", "refuse"]

Array = npt.NDArray[Any]

ASSETS = pl.Enum(["WATT", "THB"])
CODES = pl.Enum(
    [
        *("energy", "wheeling", "losses", "fee", "vat"),  # a trade's landed bill
        *("retail", "retail_vat", "buy_back"),  # the utility's daily statement
        *("transfer", "reserve", "mint", "redeem"),
        *("imbalance", "balancing"),
    ]
)

TRANSFERS = Schema(
    "transfers",
    (
        Column("transfer_id", pl.UInt64, "integer", "unique for ever among its sender's; sent again it does nothing"),
        Column("debit_account", pl.UInt32, "integer", "account that pays"),
        Column("credit_account", pl.UInt32, "integer", "account that receives"),
        Column("asset", ASSETS, "category", "'WATT' (1 WATT is 1 THB) or 'THB' (attested reserve)"),
        Column("amount", pl.Int64, "integer", "more than 0, in micro-THB for both assets"),
        Column("code", CODES, "category", "what is paid for"),
    ),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """A checked transfer frame as arrays of one length, in the order of the rows.

    Attributes
    ----------
    transfer_id : array of uint64
    debit, credit : array of int64
        Accounts that pay and receive.
    asset, code : array of int64
        Places in `ASSETS` and `CODES`.
    amount : array of int64
    """

    transfer_id: Array
    debit: Array
    credit: Array
    asset: Array
    amount: Array
    code: Array

    @classmethod
    def of(cls, transfers: pl.DataFrame | pl.LazyFrame) -> Columns:
        """Check a frame against `TRANSFERS` and return its columns; raises as `Schema.check` does."""
        frame = TRANSFERS.check(transfers)
        names = [column.name for column in TRANSFERS.columns]
        first, *rest = (frame[name].to_physical().to_numpy() for name in names)
        return cls(first, *(values.astype(np.int64) for values in rest))

    def __len__(self) -> int:
        return len(self.transfer_id)

    def __iter__(self) -> Iterator[Array]:
        return (getattr(self, field.name) for field in fields(self))

    def take(self, rows: Array) -> Columns:
        """Return the rows with these numbers."""
        return self if len(rows) == len(self) else Columns(*(values[rows] for values in self))

    def frame(self) -> pl.DataFrame:
        """Return the transfer frame again."""
        columns = {}
        for column, values in zip(TRANSFERS.columns, self, strict=True):
            if isinstance(column.dtype, pl.Enum):
                columns[column.name] = column.dtype.categories.gather(values.astype(np.uint32)).cast(column.dtype)
            else:
                columns[column.name] = pl.Series(values, dtype=column.dtype)
        return pl.DataFrame(columns)


def refuse(columns: Columns, broken: Array, sentence: str) -> None:
    """Raise LedgerError with the rows where `broken` is true, if there are any."""
    if broken.any():
        raise LedgerError(f"transfers: {sentence}\n{show_rows(columns.frame(), pl.lit(pl.Series(broken)))}")


@dataclass(frozen=True, slots=True)
class _Batch:
    columns: Columns
    sender: int
    sorted_ids: Array
    order: Array

    @classmethod
    def of(cls, columns: Columns, sender: int) -> _Batch:
        order = np.argsort(columns.transfer_id, kind="stable")
        return cls(columns, sender, columns.transfer_id[order], order)

    def frame(self) -> pl.DataFrame:
        return self.columns.frame().with_columns(sender=pl.lit(self.sender, dtype=pl.UInt32))

    def find(self, ids: Array) -> tuple[Array, Array]:
        """Return which of `ids` are in this batch, and the row of each."""
        places = np.minimum(np.searchsorted(self.sorted_ids, ids), len(self.sorted_ids) - 1)
        return self.sorted_ids[places] == ids, self.order[places]


class TransferHistory:
    """All transfers ever applied, by sender and id."""

    __slots__ = ("_batches", "_highest")

    def __init__(self) -> None:
        self._batches: list[_Batch] = []
        self._highest: dict[int, int] = {}

    def __len__(self) -> int:
        return sum(len(batch.columns) for batch in self._batches)

    def fork(self) -> TransferHistory:
        """Return a history that shares the past and not the future."""
        copy = TransferHistory()
        copy._batches = list(self._batches)
        copy._highest = dict(self._highest)
        return copy

    def append(self, columns: Columns, sender: int) -> None:
        """Remember transfers that have just been applied."""
        if len(columns):
            batch = _Batch.of(columns, sender)
            self._batches.append(batch)
            self._highest[sender] = max(self._highest.get(sender, 0), int(batch.sorted_ids[-1]))

    def frame(self) -> pl.DataFrame:
        """Return every transfer in the order in which it was applied, with its sender (UInt32)."""
        nothing = TRANSFERS.empty().with_columns(sender=pl.lit(0, dtype=pl.UInt32))
        return pl.concat([nothing, *(batch.frame() for batch in self._batches)], rechunk=True)

    def is_new(self, columns: Columns, sender: int) -> Array:
        """Say for each transfer whether its sender never used its id before, neither earlier in the batch.

        Raises
        ------
        LedgerError
            An id was seen with other fields; the error names the field and shows the rows.
        """
        new = np.ones(len(columns), np.bool_)
        if not len(columns):
            return new
        own = _Batch.of(columns, sender)
        _, first = own.find(columns.transfer_id)
        repeated = first != np.arange(len(columns))
        self._same_fields(columns, repeated, columns, first)
        new &= ~repeated
        lowest, highest = int(own.sorted_ids[0]), int(own.sorted_ids[-1])
        if lowest > self._highest.get(sender, -1):
            return new
        for batch in self._batches:
            if batch.sender == sender and batch.sorted_ids[0] <= highest and batch.sorted_ids[-1] >= lowest:
                seen, rows = batch.find(columns.transfer_id)
                self._same_fields(columns, seen, batch.columns, rows)
                new &= ~seen
        return new

    @staticmethod
    def _same_fields(columns: Columns, seen: Array, earlier: Columns, rows: Array) -> None:
        if not seen.any():
            return
        for column, values, before in zip(TRANSFERS.columns, columns, earlier, strict=True):
            refuse(
                columns,
                seen & (values != before[rows]),
                f"a transfer_id exists already with another {column.name}; a transfer is never changed, use a new id",
            )
