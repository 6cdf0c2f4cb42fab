"""The transfer frame as arrays, in the order of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger.schema import LARGEST, TRANSFERS
from gridlab.errors import LedgerError
from gridlab.frames import show_rows

__all__ = ["FIELDS", "OPTIONAL", "Columns", "refuse"]

Array = npt.NDArray[Any]

FIELDS = tuple(column.name for column in TRANSFERS.columns)
OPTIONAL = tuple(column.name for column in TRANSFERS.columns if not column.required)
_STORED = {
    column.name: np.dtype("uint8" if isinstance(column.dtype, pl.Enum) else str(column.dtype).lower().replace("boolean", "bool"))
    for column in TRANSFERS.columns
}


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
        frame = TRANSFERS.check(transfers)
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
        chosen = {name: None if (values := getattr(self, name)) is None else values[places] for name in FIELDS}
        # A slice of a NumPy array is a view, which its owner could still write to.
        return Columns(**{k: v.copy() if v is not None and isinstance(places, slice) else v for k, v in chosen.items()})

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Return the rows of all parts, one after another."""
        used = [name for name in FIELDS if any(getattr(part, name) is not None for part in parts)]
        return cls(**{name: np.concatenate([part.field(name) for part in parts]) for name in used})

    def frame(self, *, optional: bool | None = None) -> pl.DataFrame:
        """Return the transfer frame again, with the optional columns (by default those in use)."""
        names = [n for n in FIELDS if n not in OPTIONAL or optional or (optional is None and getattr(self, n) is not None)]
        return pl.DataFrame({name: self._series(name) for name in names})

    def _series(self, name: str) -> pl.Series:
        dtype = TRANSFERS.columns[FIELDS.index(name)].dtype
        values = self.field(name)
        if isinstance(dtype, pl.Enum):
            return dtype.categories.gather(values.astype(np.uint32)).cast(dtype)
        # Copied, since polars would share the memory, and a frame's owner may look at it for ever.
        return pl.Series(values.copy(), dtype=dtype)

    @property
    def moved_most(self) -> int:
        """Sum of all amounts above 0, exactly; LARGEST + 1 or more where Int64 cannot hold it."""
        amounts = np.maximum(self.amount, 0)
        total = (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFF_FFFF).sum())
        return min(total, LARGEST + 1)


def refuse(columns: Columns, broken: Array, sentence: str) -> None:
    """Raise LedgerError with the rows where `broken` is true, if there are any."""
    if broken.any():
        raise LedgerError(f"transfers: {sentence}\n{show_rows(columns.frame(), pl.lit(pl.Series(broken)))}")
