"""The transfer frame as arrays, in the order of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger.schema import TRANSFERS
from gridlab.errors import LedgerError
from gridlab.frames import show_rows

__all__ = ["FIELDS", "OPTIONAL", "Columns", "refuse"]

Array = npt.NDArray[Any]

FIELDS = tuple(column.name for column in TRANSFERS.columns)
OPTIONAL = tuple(column.name for column in TRANSFERS.columns if not column.required)
_STORED: dict[str, np.dtype[Any]] = {
    **dict.fromkeys(("debit_account", "credit_account"), np.dtype(np.uint32)),
    **dict.fromkeys(("transfer_id", "pending_id", "timeout"), np.dtype(np.uint64)),
    **dict.fromkeys(("asset", "code", "phase"), np.dtype(np.uint8)),
    "amount": np.dtype(np.int64),
    "linked": np.dtype(np.bool_),
}


def _is_stored(frame: object) -> TypeGuard[pl.DataFrame]:
    """Say whether a frame has all its columns in their stored dtypes and no nulls, so that nothing is to be checked."""
    if not isinstance(frame, pl.DataFrame):
        return False
    found = frame.schema
    return all(
        (not column.required and column.name not in found)
        or (found.get(column.name) == column.dtype and not frame[column.name].null_count())
        for column in TRANSFERS.columns
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """A checked transfer frame as arrays of one length.

    A column that the frame leaves out, or that holds nothing but its default (single, 0, false), is None: most batches
    are plain, and so cost neither time nor memory for what they do not use.

    Attributes
    ----------
    transfer_id : array of uint64
    debit_account, credit_account : array of uint32
    asset, code : array of uint8
        Places in `ASSETS` and `CODES`.
    amount : array of int64
    phase : array of uint8 or None
        Places in `PHASES`.
    pending_id, timeout : array of uint64 or None
    linked : array of bool or None
    """

    transfer_id: Array
    debit_account: Array
    credit_account: Array
    asset: Array
    amount: Array
    code: Array
    phase: Array | None = None
    pending_id: Array | None = None
    timeout: Array | None = None
    linked: Array | None = None

    @classmethod
    def of(cls, transfers: pl.DataFrame | pl.LazyFrame) -> Columns:
        """Check a frame against `TRANSFERS` and return its columns; raises as `Schema.check` does."""
        frame = transfers if _is_stored(transfers) else TRANSFERS.check(transfers)
        # Copied, since polars shares memory with the arrays that a frame was made of, which may change.
        present = {name: frame[name].to_physical().to_numpy().copy() for name in FIELDS if name in frame.columns}
        return cls(**{name: values for name, values in present.items() if name not in OPTIONAL or values.any()})

    def __len__(self) -> int:
        return len(self.transfer_id)

    @property
    def two_phase(self) -> bool:
        """Whether some row is pending, post or void."""
        return self.phase is not None

    def field(self, name: str) -> Array:
        """Return a column, made of defaults where it is None."""
        values: Array | None = getattr(self, name)
        return np.zeros(len(self), _STORED[name]) if values is None else values

    def rows(self, places: Array | slice) -> Columns:
        """Return a copy of the rows at `places`."""
        return Columns(**{name: values[places] for name, values in self._used()})

    def _used(self) -> list[tuple[str, Array]]:
        return [(name, values) for name in FIELDS if (values := getattr(self, name)) is not None]

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Return the rows of all parts, one after another."""
        used = [name for name in FIELDS if any(getattr(part, name) is not None for part in parts)]
        return cls(**{name: np.concatenate([part.field(name) for part in parts]) for name in used})

    def frame(self, *, optional: bool = False) -> pl.DataFrame:
        """Return the transfer frame again; the optional columns that are not in use only where `optional` is true."""
        used = [name for name, _ in self._used()]
        return pl.DataFrame({name: self._series(name) for name in FIELDS if optional or name in used})

    def _series(self, name: str) -> pl.Series:
        dtype = TRANSFERS.columns[FIELDS.index(name)].dtype
        values = self.field(name)
        if isinstance(dtype, pl.Enum):
            return dtype.categories.gather(values.astype(np.uint32)).cast(dtype)
        # Copied, since polars would share the memory, and a frame's owner may look at it for ever.
        return pl.Series(values.copy(), dtype=dtype)


def refuse(columns: Columns, broken: Array, sentence: str) -> None:
    """Raise LedgerError with the rows where `broken` is true, if there are any."""
    if broken.any():
        raise LedgerError(f"transfers: {sentence}\n{show_rows(columns.frame(), pl.lit(pl.Series(broken)))}")
