"""What the kernels of the continuous auction read and write: orders in arrival order, and the tape of what happened.

Orders of a book stand together, books one after another, in each book from the first arrival to the last. A place in
that row is a *position*. Prices are *levels*, whole numbers from 0 upwards in the order of the prices, so that a kernel
finds a price's queue without searching.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.parallel import over_chunks, sort_in_place

__all__ = [
    "EVENT_FIELDS",
    "KINDS",
    "OUTCOMES",
    "SELF_TRADES",
    "Arrivals",
    "Lineup",
    "Tape",
    "arrival_order",
    "line_up",
    "run_books",
]

Int64s = npt.NDArray[np.int64]
Uint8s = npt.NDArray[np.uint8]

# What an order is, as the kernels read it: positions in KINDS.
KINDS = ("limit", "market", "ioc", "fok", "post_only", "cancel")
LIMIT, MARKET, IOC, FOK, POST_ONLY, CANCEL = range(len(KINDS))

# What happens where an order meets one of its own account: positions in SELF_TRADES.
SELF_TRADES = ("cancel_newest", "cancel_oldest", "cancel_both", "allow")
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, ALLOW = range(len(SELF_TRADES))

# What became of an order, as the kernels write it: positions in OUTCOMES.
OUTCOMES = (
    "filled", "resting", "cancelled", "expired", "self-trade",
    "killed", "would cross", "cancel: done", "cancel: too late",
)  # fmt: skip
FILLED, RESTING, CANCELLED, EXPIRED, SELF_TRADE, KILLED, WOULD_CROSS, CANCEL_DONE, CANCEL_TOO_LATE = range(
    len(OUTCOMES)
)

# Columns of the event table, one row per position. Prices are NONE where there is none.
EVENT_FIELDS = (
    "traded", "best_bid", "best_ask", "bid_depth", "ask_depth", "total_bid_depth", "total_ask_depth", "last_price",
)  # fmt: skip

# One level per THB/MWh up to this many levels, or as many as there are orders; beyond, one per price that occurs.
DENSE_LEVELS = 65_536

# Loading numba and the compiled kernel costs about a third of a second, once a process; the plain kernel does some
# 200,000 orders in that time (measured on one core). Once loaded, the compiled kernel is always the faster one.
COMPILED_FROM = 200_000


class Arrivals(NamedTuple):
    """Orders by book and arrival; arrays of shape (n,) by position. A tuple, as numba takes it apart.

    Attributes
    ----------
    side : ndarray of uint8
        0 buys, 1 sells.
    kind : ndarray of uint8
        Position in `KINDS`.
    level : ndarray of int64
        Level of the limit; the worst of all for a market order.
    price, energy : ndarray of int64
        Limit (THB/MWh) and energy (Wh).
    account : ndarray of uint32
    target : ndarray of int64
        Position of the order that a cancel is about; -1 for every other kind.
    """

    side: Uint8s
    kind: Uint8s
    level: Int64s
    price: Int64s
    energy: Int64s
    account: npt.NDArray[np.uint32]
    target: Int64s


class Tape(NamedTuple):
    """What happened, written by a kernel.

    Attributes
    ----------
    remaining, amount : ndarray of int64, shape (n,)
        What an order did not trade (Wh), and the money of what it did (micro-THB).
    outcome : ndarray of uint8, shape (n,)
        Position in `OUTCOMES`.
    trades : ndarray of int64, shape (n, 3)
        Position of the arriving and of the resting order, and energy (Wh). The trades of a book stand from the book's
        first position on, in the order of time; behind its last trade all three are -1. A trade fills at least one of
        its two orders, so a book has fewer trades than orders.
    events : ndarray of int64, shape (n, len(EVENT_FIELDS)) or (0, len(EVENT_FIELDS))
        The book after each position; no rows where nobody asked.
    """

    remaining: Int64s
    amount: Int64s
    outcome: Uint8s
    trades: Int64s
    events: Int64s


@dataclass(frozen=True, slots=True)
class Lineup:
    """Everything that a run needs.

    Attributes
    ----------
    arrivals : Arrivals
    firsts : ndarray of int64, shape (books + 1,)
        First position of each book, and behind them the number of orders.
    levels : int
        Number of levels.
    """

    arrivals: Arrivals
    firsts: Int64s
    levels: int


def arrival_order(books: Books) -> tuple[Int64s, Int64s]:
    """Sort orders by book, then seq (order_id where absent), then order_id.

    Parameters
    ----------
    books : Books

    Returns
    -------
    rows : ndarray of int64, shape (n,)
        Row of the frame at each position.
    firsts : ndarray of int64, shape (books + 1,)
        First position of each book, and behind them the number of orders.
    """
    rows = _by_time(books.orders)
    if books.count > 1:
        rows = rows[_stable_order(books.book[rows].astype(np.uint64))]
    sizes = np.bincount(books.book, minlength=books.count)
    return rows, np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)))


def _by_time(orders: pl.DataFrame) -> Int64s:
    """Return the rows by seq, then order_id."""
    ids = orders["order_id"].to_numpy()
    seq = orders["seq"].to_numpy() if "seq" in orders.columns else ids
    rows = np.arange(len(ids))
    if bool(((seq[1:] > seq[:-1]) | ((seq[1:] == seq[:-1]) & (ids[1:] > ids[:-1]))).all()):
        return rows
    rows = _stable_order(ids)
    return rows if seq is ids else rows[_stable_order(seq[rows])]


def _stable_order(keys: npt.NDArray[np.uint64]) -> Int64s:
    """Return the positions that sort `keys`, equal keys in the order in which they stand."""
    keys = keys - keys.min(initial=np.iinfo(np.uint64).max)
    bits = np.uint64(len(keys).bit_length())
    if int(keys.max(initial=0)).bit_length() + int(bits) > 64:
        return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
    # One word of key and position: numpy sorts bare words several times as fast as it finds an order.
    words = keys << bits | np.arange(len(keys), dtype=np.uint64)
    sort_in_place(words)
    return (words & ((np.uint64(1) << bits) - np.uint64(1))).view(np.int64)


def line_up(books: Books, kind: Uint8s, target: Int64s, rows: Int64s, firsts: Int64s) -> Lineup:
    """Put the orders of all books in arrival order.

    Parameters
    ----------
    books : Books
    kind : ndarray of uint8, shape (n,)
        By row of the frame: position in `KINDS`.
    target : ndarray of int64, shape (n,)
        By row of the frame: position of the order to cancel, or -1.
    rows, firsts : ndarray of int64
        As `arrival_order` returns them.
    """
    level, levels = _levels(books, kind)
    account = books.orders["account"].to_numpy()
    arrivals = Arrivals(
        side=books.side[rows],
        kind=kind[rows],
        level=level[rows],
        price=books.price[rows],
        energy=books.energy[rows],
        account=account[rows],
        target=target[rows],
    )
    return Lineup(arrivals, firsts, levels)


def _levels(books: Books, kind: Uint8s) -> tuple[Int64s, int]:
    """Return the level of each limit and the number of levels; a market order's is the other side's worst."""
    unlimited = (kind == MARKET) | (kind == CANCEL)
    limited = np.flatnonzero(~unlimited)
    limits = books.price[limited]
    low, high = (int(limits.min()), int(limits.max())) if len(limits) else (0, 0)
    if high - low < max(len(limits), DENSE_LEVELS):
        level, levels = books.price - low, high - low + 1
    else:
        # Differences may pass 2**63 - 1; read without a sign, they are right.
        order = _stable_order((limits - low).view(np.uint64))
        ranks = np.cumsum(np.diff(limits[order], prepend=low) != 0)
        level, levels = np.zeros(len(kind), dtype=np.int64), int(ranks[-1]) + 1
        level[limited[order]] = ranks
    if len(limits) < len(kind):
        level[unlimited] = np.where(books.side[unlimited] == 0, levels - 1, 0)
    return level, levels


def run_books(lineup: Lineup, self_trade: int, *, events: bool) -> Tape:
    """Let the orders of every book arrive, one after another.

    Parameters
    ----------
    lineup : Lineup
    self_trade : int
        Position in `SELF_TRADES`.
    events : bool
        Whether to record the book after each arrival.

    Returns
    -------
    Tape
    """
    energy, books = lineup.arrivals.energy, len(lineup.firsts) - 1
    count = len(energy)
    tape = Tape(
        remaining=energy.copy(),
        amount=np.zeros(count, dtype=np.int64),
        outcome=np.zeros(count, dtype=np.uint8),
        trades=np.full((count, 3), -1, dtype=np.int64),
        events=np.empty((count if events else 0, len(EVENT_FIELDS)), dtype=np.int64),
    )
    if books:
        match = load_matcher(compiled=pays_to_compile(count))
        inputs = (lineup.arrivals, tape, lineup.firsts, lineup.levels, self_trade)
        over_chunks(match, books, *inputs, weight=count)
    return tape


def pays_to_compile(orders: int) -> bool:
    """Tell whether the compiled kernel is to be had and pays for a frame of so many orders."""
    loaded = "gridlab.market.continuous_trading.continuous_numba" in sys.modules
    return (loaded or orders >= COMPILED_FROM) and _can_compile()


@cache
def _can_compile() -> bool:
    try:
        import_module("gridlab.market.continuous_trading.continuous_numba")
    except ImportError:  # the extra gridlab[fast] is not installed
        return False
    return True


def load_matcher(*, compiled: bool) -> Any:
    """Return the compiled kernel's `match` or the plain one's, imported when first asked for."""
    return import_module(f"gridlab.market.continuous_trading.continuous_{'numba' if compiled else 'python'}").match
