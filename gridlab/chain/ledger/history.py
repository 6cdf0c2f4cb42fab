"""The memory of all transfers ever applied.

A transfer id is remembered for ever, so that a batch sent twice moves money once. Batches are kept as they came, small
ones joined to larger ones as in a binary counter. Where a sender's ids grow, its next transfers are known to be new
without a search; only what might be old is searched, in sorted indexes that are built when first needed and merged so
that there are never more than about log2 of the number of transfers. A fork shares all of it with its origin.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger.columns import FIELDS, Array, Columns
from gridlab.chain.ledger.highest import HighestIds
from gridlab.chain.ledger.pairs import Keys, pack, places_in
from gridlab.chain.ledger.schema import TRANSFERS

__all__ = ["TransferHistory"]

Int64Array = npt.NDArray[np.int64]

# Batches up to this many rows are joined; larger ones are left as they are.
_JOINED_ROWS = 65_536
_RECORD = np.dtype(
    [
        *(("sender", "<u4"), ("transfer_id", "<u8"), ("debit_account", "<u4"), ("credit_account", "<u4")),
        *(("asset", "u1"), ("amount", "<i8"), ("code", "u1"), ("phase", "u1")),
        *(("pending_id", "<u8"), ("timeout", "<u8"), ("linked", "u1")),
    ]
)


@dataclass(frozen=True, slots=True)
class _Batch:
    columns: Columns
    senders: npt.NDArray[np.uint32]
    moved: Int64Array | None  # None: as much as the amount says

    def __len__(self) -> int:
        return len(self.senders)

    def posted(self) -> Int64Array:
        return self.columns.amount if self.moved is None else self.moved

    def frame(self) -> pl.DataFrame:
        return self.columns.frame(optional=True).with_columns(
            sender=pl.Series(self.senders.copy()), moved=pl.Series(self.posted().copy())
        )

    def records(self, start: int, stop: int) -> bytes:
        records = np.empty(stop - start, _RECORD)
        records["sender"] = self.senders[start:stop]
        for name in FIELDS:
            values = getattr(self.columns, name)
            records[name] = 0 if values is None else values[start:stop]
        return records.tobytes()


def _joined(first: _Batch, second: _Batch) -> _Batch:
    plain = first.moved is None and second.moved is None
    return _Batch(
        Columns.joined([first.columns, second.columns]),
        np.concatenate([first.senders, second.senders]),
        None if plain else np.concatenate([first.posted(), second.posted()]),
    )


@dataclass(frozen=True, slots=True)
class _Index:
    keys: Keys
    positions: Int64Array

    @classmethod
    def of(cls, keys: Keys, positions: Int64Array) -> _Index:
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], positions[order])

    def __len__(self) -> int:
        return len(self.keys)


class TransferHistory:
    """All transfers ever applied, by sender and id."""

    __slots__ = ("_batches", "_hashed", "_hasher", "_highest", "_indexed", "_indexes", "_length")

    def __init__(self) -> None:
        self._batches: list[_Batch] = []
        self._length = 0
        self._highest = HighestIds()
        self._indexes: list[_Index] = []
        self._indexed = 0
        self._hasher = hashlib.blake2b(digest_size=32)
        self._hashed = 0

    def __len__(self) -> int:
        return self._length

    def fork(self) -> TransferHistory:
        """Return a history that shares the past and not the future."""
        copy = TransferHistory()
        copy._batches, copy._length = list(self._batches), self._length
        copy._highest = self._highest.fork()
        copy._indexes, copy._indexed = list(self._indexes), self._indexed
        copy._hasher, copy._hashed = self._hasher.copy(), self._hashed
        return copy

    def next_id(self, sender: int) -> int:
        """Return the id after the highest that `sender` has used, 0 where it has used none."""
        return self._highest.next_id(sender)

    def may_know(self, senders: Array | int, ids: Array) -> npt.NDArray[np.bool_]:
        """Say for each id whether it is not above the highest that its sender has used."""
        return self._highest.reaches(senders, ids)

    def append(self, columns: Columns, senders: Array | int, moved: Int64Array | None = None) -> None:
        """Remember transfers that have just been applied; the arrays belong to the history from now on.

        Parameters
        ----------
        columns : Columns
        senders : int or array of uint32
        moved : array of int64, optional
            What each moved between posted balances; by default its amount.
        """
        if not len(columns):
            return
        self._highest.take(senders, columns.transfer_id)
        batch = _Batch(columns, np.array(np.broadcast_to(senders, len(columns)), np.uint32), moved)
        self._length += len(batch)
        while self._batches and len(self._batches[-1]) <= len(batch) <= _JOINED_ROWS:
            batch = _joined(self._batches.pop(), batch)
        self._batches.append(batch)

    def find(self, keys: Keys) -> Int64Array:
        """Return where in the history each transfer is, -1 where it is not."""
        self._build_indexes()
        found = np.full(len(keys), -1, np.int64)
        for index in self._indexes:
            places = places_in(index.keys, keys)
            found = np.where(places >= 0, index.positions[places], found)
        return found

    def _build_indexes(self) -> None:
        if self._indexed == self._length:
            return
        keys = [
            pack(batch.senders[skip:], batch.columns.transfer_id[skip:]) for batch, skip in self._since(self._indexed)
        ]
        index = _Index.of(np.concatenate(keys), np.arange(self._indexed, self._length))
        while self._indexes and len(self._indexes[-1]) <= 2 * len(index):
            last = self._indexes.pop()
            joined = np.concatenate([last.keys, index.keys]), np.concatenate([last.positions, index.positions])
            index = _Index.of(*joined)
        self._indexes.append(index)
        self._indexed = self._length

    def _since(self, position: int) -> list[tuple[_Batch, int]]:
        """Return the batches with rows from `position` on, and how many rows of each come before it."""
        chosen, end = [], self._length
        for batch in reversed(self._batches):
            if end <= position:
                break
            end -= len(batch)
            chosen.append((batch, max(0, position - end)))
        return chosen[::-1]

    def since(self, position: int) -> tuple[Columns, Int64Array]:
        """Return the transfers from `position` on, and what each moved between posted balances."""
        later = self._since(position)
        parts = [(batch.columns.rows(slice(skip, None)), batch.posted()[skip:]) for batch, skip in later]
        columns = Columns.joined([Columns.of(TRANSFERS.empty()), *(each for each, _ in parts)])
        return columns, np.concatenate([np.empty(0, np.int64), *(moved for _, moved in parts)])

    def rows(self, positions: Int64Array) -> Columns:
        """Return the transfers at these positions."""
        starts = np.cumsum([0, *(len(batch) for batch in self._batches)])
        owners = np.searchsorted(starts, positions, side="right") - 1
        taken: dict[str, Any] = {name: np.zeros(len(positions), _RECORD[name].newbyteorder("=")) for name in FIELDS}
        for owner in np.unique(owners):
            here = np.flatnonzero(owners == owner)
            inside = positions[here] - starts[owner]
            for name, values in taken.items():
                column = getattr(self._batches[owner].columns, name)
                if column is not None:
                    values[here] = column[inside]
        return Columns(**taken)

    def frame(self) -> pl.DataFrame:
        """Return every transfer in the order in which it was applied: `TRANSFERS`, sender (UInt32), moved (Int64)."""
        nothing = Columns.of(TRANSFERS.empty()).frame(optional=True)
        nothing = nothing.with_columns(sender=pl.lit(0, dtype=pl.UInt32), moved=pl.lit(0, dtype=pl.Int64))
        return pl.concat([nothing, *(batch.frame() for batch in self._batches)], rechunk=True)

    def everything(self) -> tuple[Columns, npt.NDArray[np.uint32]]:
        """Return all transfers and their senders as arrays."""
        nothing = Columns.of(TRANSFERS.empty())
        columns = Columns.joined([nothing, *(batch.columns for batch in self._batches)])
        return columns, np.concatenate([np.empty(0, np.uint32), *(batch.senders for batch in self._batches)])

    @property
    def digest(self) -> bytes:
        """BLAKE2b-256 over all transfers in order, 32 bytes; how they came in batches makes no difference."""
        for batch, skip in self._since(self._hashed):
            for start in range(skip, len(batch), _JOINED_ROWS):
                self._hasher.update(batch.records(start, min(start + _JOINED_ROWS, len(batch))))
        self._hashed = self._length
        return self._hasher.digest()
