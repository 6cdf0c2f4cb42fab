"""Transactions in columns: what must be known of thousands of them before any is executed.

Single transfers, with or without a tip, all have one layout and are read by the column; every other kind is read alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.encoding import Reader, compact
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.public.envelope import LARGEST_TIP, TIP_BYTES, open_envelope
from gridlab.chain.single_transfers import KIND, Layout, layout_of
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError

__all__ = ["Batch"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]

_MOVED = tuple(column.name for column in TRANSFERS.columns if column.required)
_ENUMS = tuple(
    (column.name, len(column.dtype.categories))
    for column in TRANSFERS.columns
    if column.required and isinstance(column.dtype, pl.Enum)
)


@functools.lru_cache(maxsize=16)
def _tipped_layout(chain_id: str) -> Layout:
    """Return the layout of a single transfer that bears a tip: the plain one with the envelope put in."""
    plain = layout_of(chain_id)
    offsets = {name: plain.fields.fields[name][1] for name in plain.fields.names or ()}  # type: ignore[index]
    start = offsets["expiry"] + 8
    reader = Reader(plain.template[start:].tobytes(), "layout")
    size = reader.compact()
    prefix = compact(size + TIP_BYTES)
    envelope = np.frombuffer(prefix + bytes(TIP_BYTES), np.uint8)
    tail, shift = start + reader.position, len(prefix) + TIP_BYTES - reader.position
    fixed = np.ones(len(envelope), np.bool_)
    fixed[-8:] = False
    formats = {name: plain.fields.fields[name][0] for name in offsets}  # type: ignore[index]
    moved = {name: offset + shift * (offset >= start) for name, offset in offsets.items()}
    layout = np.dtype(
        {
            "names": [*moved, "tip"],
            "formats": [*formats.values(), "<u8"],
            "offsets": [*moved.values(), start + len(prefix) + 1],
            "itemsize": plain.length + shift,
        }
    )
    template = np.concatenate([plain.template[:start], envelope, plain.template[tail:]])
    return Layout(layout, template, np.concatenate([plain.constant[:start], fixed, plain.constant[tail:]]))


def _matching(encoded: Sequence[bytes], layout: Layout) -> tuple[Array, Array]:
    """Return the places of the transactions that have a layout, and their values."""
    places = np.flatnonzero(np.fromiter(map(len, encoded), np.int64, len(encoded)) == layout.length)
    chosen = encoded if len(places) == len(encoded) else [encoded[place] for place in places.tolist()]
    joined = np.frombuffer(b"".join(chosen), np.uint8)
    rows = joined.reshape(len(places), layout.length)
    fits = ~((rows != layout.template) & layout.constant).any(axis=1)
    values = joined.view(layout.fields) if len(places) else np.zeros(0, layout.fields)
    for name, count in _ENUMS:
        fits &= values[name] < count
    if "tip" in (layout.fields.names or ()):
        fits &= (values["tip"] > 0) & (values["tip"] <= LARGEST_TIP)
    return places[fits], values[fits]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Transactions and their columns; made by `Batch.of`.

    Attributes
    ----------
    transactions : TransactionList
    nonce, expiry : array of uint64
    tip : array of int64
        micro-GRID.
    size : array of int64
        Bytes.
    rows : array of int64
        Rows of the frame.
    single : array of bool
        Which are single transfers of the chain.
    moved : dict of str to array
        The columns of `TRANSFERS` that are required; 0 where a transaction is no single transfer.
    """

    transactions: TransactionList
    nonce: npt.NDArray[np.uint64]
    expiry: npt.NDArray[np.uint64]
    tip: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    single: BoolArray
    moved: dict[str, Array]

    @classmethod
    def of(cls, transactions: TransactionList) -> Batch:
        """Read the columns.

        Raises
        ------
        ChainError
            A payload does not begin as a frame, or its tip is malformed; the error names the place.
        """
        count, encoded = len(transactions), transactions.encoded
        nonce, expiry = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
        tip, rows = np.zeros(count, np.int64), np.ones(count, np.int64)
        single = np.zeros(count, np.bool_)
        plain = layout_of(transactions.chain_id)
        moved = {name: np.zeros(count, plain.fields.fields[name][0]) for name in _MOVED}  # type: ignore[index]
        for layout in (plain, _tipped_layout(transactions.chain_id)):
            places, values = _matching(encoded, layout)
            single[places] = True
            nonce[places], expiry[places] = values["nonce"], values["expiry"]
            if "tip" in (layout.fields.names or ()):
                tip[places] = values["tip"]
            for name, column in moved.items():
                column[places] = values[name]
        for place in np.flatnonzero(~single).tolist():
            one = transactions[place]
            nonce[place], expiry[place] = one.nonce, one.expiry
            tip[place], rows[place] = _tip_and_rows(one, place)
        return cls(transactions, nonce, expiry, tip, transactions.sizes, rows, single, moved)

    def __len__(self) -> int:
        return len(self.transactions)

    def take(self, places: npt.NDArray[np.int64]) -> Batch:
        """Return the transactions at these places, in this order."""
        columns = {each.name: getattr(self, each.name)[places] for each in fields(self)[1:-1]}
        moved = {name: column[places] for name, column in self.moved.items()}
        return Batch(self.transactions.take(places.tolist()), **columns, moved=moved)

    @classmethod
    def joined(cls, batches: Sequence[Batch]) -> Batch:
        """Return the transactions of one batch or more, all of one chain, end to end."""
        if len(batches) == 1:
            return batches[0]
        columns = {
            each.name: np.concatenate([getattr(batch, each.name) for batch in batches]) for each in fields(cls)[1:-1]
        }
        moved = {name: np.concatenate([batch.moved[name] for batch in batches]) for name in _MOVED}
        chain_id = batches[0].transactions.chain_id
        listed = TransactionList.joined([batch.transactions for batch in batches], chain_id)
        return cls(listed, **columns, moved=moved)

    @property
    def kinds(self) -> list[str]:
        """The kind of each."""
        single = self.single.tolist()
        return [KIND if one else self.transactions[place].kind for place, one in enumerate(single)]


def _tip_and_rows(transaction: Transaction, place: int) -> tuple[int, int]:
    try:
        tip, frame = open_envelope(transaction.payload)
        reader = Reader(frame[:16], "payload")
        reader.compact()
        return tip, reader.compact()
    except ChainError as problem:
        raise ChainError(f"transactions[{place}]: {problem}") from problem
