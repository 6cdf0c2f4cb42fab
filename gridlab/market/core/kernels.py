"""Two sets of the same arithmetic, and which one a frame of a given size gets.

A kernel works on the rows, or the books, from `start` to `stop` and writes into arrays that it is given, so that
threads can share the work. `kernel_numpy` is always there; `kernel_numba` needs the optional extra ``gridlab[fast]``.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

__all__ = [
    "CUT",
    "FIELDS",
    "FILLED",
    "NOBODY",
    "NONE",
    "NO_COUNTERPARTY",
    "PARTLY",
    "PRICED_OUT",
    "RATIONED",
    "REASONS",
    "Kernel",
    "Levels",
    "load_kernel",
    "pays_to_compile",
]

# Loading numba and the compiled kernels costs about half a second, once a process, which some ten calls of this size
# earn back; once they are loaded, they are faster from frames of the second size on (measured on two cores).
COMPILED_FROM = 400_000
COMPILED_FROM_ONCE_LOADED = 20_000

# The constants below are compiled into kernel_numba, whose cache on disk looks only at the date of that file: who
# changes one touches that file too, or the tests will find the kernels at odds.

# Stands for "there is no such price". Prices stay within -2**62 … 2**62, so no price is mistaken for it.
NONE = -(2**63)
# The same, where the reason is that the other side of the book is empty.
NOBODY = NONE + 1

# Rows of the table that a walk fills, one column per book. The four of a side's limits stand together: the compiled
# walk writes them as one.
FIELDS = (
    "energy", "demand", "supply", "bid_value", "ask_value",
    "bid_last", "bid_next", "bid_fill", "bid_total",
    "ask_last", "ask_next", "ask_fill", "ask_total",
)  # fmt: skip

# Reasons as the kernels write them: positions in REASONS, and one that waits for rationing. Their order counts: the
# kernels get from PRICED_OUT to its neighbours by adding or taking 1.
REASONS = ("filled", "partly: marginal", "rationed", "priced out", "no counterparty")
FILLED, PARTLY, RATIONED, PRICED_OUT, NO_COUNTERPARTY = range(len(REASONS))
CUT = 255


class Levels:
    """Where demand and supply of each book meet: named rows of one table (int64, one entry per book).

    Attributes
    ----------
    energy : ndarray
        Largest volume that can trade (Wh): max over p of min(D(p), S(p)).
    demand, supply : ndarray
        All energy offered on a side (Wh).
    bid_value, ask_value : ndarray
        Value at the limits of what trades on a side (micro-THB).
    bid_last, ask_last : ndarray
        Limit of the last accepted order of a side (THB/MWh); `NONE` where nothing trades.
    bid_next, ask_next : ndarray
        Limit of the first rejected order of a side, a cut order counting as both; `NONE` where there is none.
    bid_fill, bid_total, ask_fill, ask_total : ndarray
        Energy that trades, and that is offered, at the limit of the last accepted order of a side (Wh).
    """

    __slots__ = ("table", *FIELDS)
    energy: npt.NDArray[np.int64]
    demand: npt.NDArray[np.int64]
    supply: npt.NDArray[np.int64]
    bid_value: npt.NDArray[np.int64]
    ask_value: npt.NDArray[np.int64]
    bid_last: npt.NDArray[np.int64]
    bid_next: npt.NDArray[np.int64]
    bid_fill: npt.NDArray[np.int64]
    bid_total: npt.NDArray[np.int64]
    ask_last: npt.NDArray[np.int64]
    ask_next: npt.NDArray[np.int64]
    ask_fill: npt.NDArray[np.int64]
    ask_total: npt.NDArray[np.int64]

    def __init__(self, table: npt.NDArray[np.int64]) -> None:
        self.table = table
        for row, name in enumerate(FIELDS):
            setattr(self, name, table[row])

    @classmethod
    def of_books(cls, books: int) -> Levels:
        """Return levels of so many books, to be written by a walk."""
        return cls(np.zeros((len(FIELDS), books), dtype=np.int64))

    def of(self, books: npt.NDArray[np.int64]) -> Levels:
        """Return the levels of some books (a copy)."""
        return Levels(self.table[:, books])


class Kernel(Protocol):
    """What a set of arithmetic offers. See `gridlab.market.core.kernel_numpy` for what each does."""

    append_digits: Any
    note_rows: Any
    pack: Any
    find_runs: Any
    walk: Any
    fill: Any


def pays_to_compile(orders: int) -> bool:
    """Tell whether the compiled kernel is to be had and pays for a frame of so many orders."""
    loaded = "gridlab.market.core.kernel_numba" in sys.modules
    return orders >= (COMPILED_FROM_ONCE_LOADED if loaded else COMPILED_FROM) and _can_compile()


@cache
def _can_compile() -> bool:
    try:
        import_module("gridlab.market.core.kernel_numba")
    except ImportError:  # the extra gridlab[fast] is not installed
        return False
    return True


def load_kernel(*, compiled: bool) -> Kernel:
    """Return the compiled kernel or the numpy one, imported when first asked for."""
    return cast("Kernel", import_module(f"gridlab.market.core.kernel_{'numba' if compiled else 'numpy'}"))
