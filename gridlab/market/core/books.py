"""Books: which orders meet. A book is one combination of the `by` columns; here each gets a number, 0 upwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.kernels import Kernel, load_kernel, pays_to_compile
from gridlab.market.core.parallel import over_chunks

__all__ = ["Books", "number_books"]

Codes = npt.NDArray[np.int32]
# A column as digits: values, lowest value, step, number of digits.
Digits = tuple[npt.NDArray[Any], int, int, int]

# Steps tried on time columns, coarse to fine (microseconds): the delivery interval, a minute, a second.
_STEPS = (900_000_000, 60_000_000, 1_000_000)
# Time spans up to this are exact in a double, so the division by a step can run in floating point.
_EXACT_FLOAT = 2**53


@dataclass(frozen=True, slots=True)
class Books:
    """A checked order frame with its books numbered.

    Attributes
    ----------
    orders : polars.DataFrame
        Checked orders.
    by : tuple of str
        Columns that tell the books apart.
    keys : polars.DataFrame
        The `by` columns, one row per book, sorted by them; row number = book number. (No columns where `by` is empty.)
    count : int
        Number of books.
    book : ndarray of int32, shape (n,)
        Book number of each order; every number in ``range(count)`` occurs.
    side : ndarray of uint8, shape (n,)
        0 buys, 1 sells.
    price, energy : ndarray of int64, shape (n,)
        Limits (THB/MWh) and energies (Wh).
    compiled : bool
        Whether the compiled kernel does the arithmetic. (A module does not pickle, its name does.)
    """

    orders: pl.DataFrame
    by: tuple[str, ...]
    keys: pl.DataFrame
    count: int
    book: Codes
    side: npt.NDArray[np.uint8]
    price: npt.NDArray[np.int64]
    energy: npt.NDArray[np.int64]
    compiled: bool

    @property
    def kernel(self) -> Kernel:
        """The arithmetic to use."""
        return load_kernel(compiled=self.compiled)

    def take(self, rows: npt.NDArray[np.int64]) -> Books:
        """Return the arrays of some rows, with the numbers of the same books."""
        arrays = {name: getattr(self, name)[rows] for name in ("book", "side", "price", "energy")}
        return replace(self, **arrays)

    def by_arrival(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return rows in the order in which their orders arrived: by seq, then order_id."""
        names = [name for name in ("order_id", "seq") if name in self.orders.columns]
        keys = [self.orders[name].to_numpy()[rows] for name in names]
        if (keys[-1][1:] > keys[-1][:-1]).all():
            return rows
        return rows[np.lexsort(keys) if len(keys) > 1 else np.argsort(keys[0])]


def number_books(orders: pl.DataFrame, by: Sequence[str]) -> Books:
    """Give the books of a checked order frame numbers, in the order of their `by` columns.

    Parameters
    ----------
    orders : polars.DataFrame
        As `check_orders` returns it.
    by : sequence of str
        Null-free columns.

    Returns
    -------
    Books
    """
    compiled = pays_to_compile(orders.height)
    kernel = load_kernel(compiled=compiled)
    # Tables of this many entries cost less than one more pass over the orders.
    room = min(max(4 * orders.height, 1024), 2**31 - 1)
    codes, radix = np.zeros(orders.height, dtype=np.int32), 1
    for name in by:
        codes, radix = _append(kernel, codes, radix, orders[name], room)
    codes, rows = _close_gaps(kernel, codes, radix)
    return Books(
        orders=orders,
        by=tuple(by),
        keys=orders.select(list(by))[rows] if by else pl.DataFrame(),
        count=len(rows),
        book=codes,
        side=orders["side"].to_physical().to_numpy(),
        price=orders["price"].to_numpy(),
        energy=orders["energy"].to_numpy(),
        compiled=compiled,
    )


def _append(kernel: Kernel, codes: Codes, radix: int, column: pl.Series, room: int) -> tuple[Codes, int]:
    """Append a column's digit to the mixed-radix codes, so that codes stay below `room` and in order."""
    for values, low, step, size in _digits(column, room):
        if radix * size > room:
            codes, rows = _close_gaps(kernel, codes, radix)
            radix = len(rows)
        if radix * size > room:
            break
        longer = np.empty_like(codes)
        if all(over_chunks(kernel.append_digits, len(codes), longer, codes, values, low, step, size)):
            return longer, radix * size
    ranks = _ranks(column)
    pairs = codes.astype(np.int64) * (int(ranks.max(initial=0)) + 1) + ranks
    found, numbers = np.unique(pairs, return_inverse=True)
    return numbers.astype(np.int32), len(found)


def _digits(column: pl.Series, room: int) -> list[Digits]:
    """Return the cheap ways in which a column may count from 0 in the order of its values, likeliest first."""
    if isinstance(column.dtype, pl.Enum):
        size = len(column.dtype.categories)
        return [(column.to_physical().to_numpy(), 0, 1, size)] if 0 < size <= room else []
    temporal = isinstance(column.dtype, (pl.Datetime, pl.Date))
    if column.is_empty() or not (column.dtype.is_integer() or temporal):
        return []
    numbers = column.to_physical()
    low, high = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    if high - low >= _EXACT_FLOAT or max(-low, high) >= 2**63:
        return []
    values = numbers.cast(pl.Int64).to_numpy()
    steps = (*_STEPS, 1) if isinstance(column.dtype, pl.Datetime) else (1,)
    sizes = {step: (high - low) // step + 1 for step in steps}
    return [(values, low, step, size) for step, size in sizes.items() if size <= room]


def _ranks(column: pl.Series) -> npt.NDArray[np.int64]:
    """Return the dense rank of each value, for columns whose values are no small range of numbers."""
    if isinstance(column.dtype, pl.Categorical):
        column = column.cast(pl.String)
    return column.rank("dense").to_numpy().astype(np.int64) - 1


def _close_gaps(kernel: Kernel, codes: Codes, radix: int) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Renumber codes to ``0 … m-1`` without gaps, in order; return them and one row of each."""
    rows = np.full(radix, -1, dtype=np.int64)
    kernel.note_rows(rows, codes)
    found = rows >= 0
    if found.all():
        return codes, rows
    numbers = (np.cumsum(found) - 1).astype(np.int32)
    return numbers[codes], rows[found]
