"""The kernel of the continuous auction, compiled by numba: one pass over the orders of each book.

Only loaded for large frames, and only where the optional extra ``gridlab[fast]`` is installed. It lets go of the
interpreter lock, so threads share the books (`core.parallel`). Its tape equals that of `continuous_python` to
the last bit, which the tests hold.

The resting orders of a level form a queue, linked both ways, so a cancel unhooks its order without a search. The depth
of each level (Wh) is the bottom row of a tree whose every node is the sum of 16 below it. The tree is read for three
things: what rests at a level, which level is the next with anything in it, and how much rests up to a level, which a
fill-or-kill order asks first. None of them walks the orders, so a deep book is nearly as fast as a shallow one. Bids
and asks share the tree, since the best bid always lies below the best ask.

All that a book holds stands in two arrays, one record per order and one `desk` for the levels: numba counts references
to every array that a function is handed, and that counting would take longer than the auction.
"""

# ruff: noqa: PLR0917 - threads hand a kernel its arrays and its chunk by position

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from gridlab.market.continuous_trading.continuous_book import (
    ALLOW,
    CANCEL,
    CANCEL_DONE,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    CANCEL_TOO_LATE,
    CANCELLED,
    EXPIRED,
    FILLED,
    FOK,
    KILLED,
    LIMIT,
    POST_ONLY,
    RESTING,
    SELF_TRADE,
    WOULD_CROSS,
    Arrivals,
    Tape,
)
from gridlab.market.core.kernels import NONE

__all__ = ["match"]

Int64s = npt.NDArray[np.int64]

# Fields of an order's record.
FIELDS = 11
SIDE, KIND, LEVEL, PRICE, ACCOUNT, TARGET, LEFT, AMOUNT, OUTCOME, BEHIND, BEFORE = range(FIELDS)

# Places on the desk: best level and total depth (Wh) of the bids and, one further, of the asks; number of levels and of
# trades so far; where the levels' first and last orders stand; number of rows of the depth tree, and where each starts.
BEST, TOTAL, LEVELS, TRADES, HEADS, TAILS, ROWS, TREE = 0, 2, 4, 5, 6, 7, 8, 9
# 16 rows of 16-fold sums hold more levels than 64 bits can number.
DESK = TREE + 17
# A node of the depth tree is the sum of 2**FAN_BITS below it.
FAN_BITS = 4
FAN = 1 << FAN_BITS


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile `function`, keeping the machine code on disk where some directory can be written to."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no directory for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _make_desk(levels: int) -> Any:
    """Return an empty desk: places, first orders, last orders, depth tree."""
    starts = np.zeros(17, dtype=np.int64)
    start, width, rows = np.int64(DESK + 2 * levels), np.int64(levels), 0
    while True:
        starts[rows] = start
        rows += 1
        # Whole families, so that a search never reads past the end of its row.
        width = ((width + FAN - 1) >> FAN_BITS) << FAN_BITS
        start += width
        if width == FAN:
            break
        width >>= FAN_BITS
    desk = np.zeros(start, dtype=np.int64)
    desk[LEVELS], desk[HEADS], desk[TAILS], desk[ROWS] = levels, DESK, DESK + levels, rows
    desk[TREE : TREE + 17] = starts
    return desk


@_compiled
def _depth(desk: Int64s, level: int) -> Any:
    """Return the depth of a level."""
    return desk[desk[TREE] + level]


@_compiled
def _add_depth(desk: Int64s, level: int, energy: int) -> None:
    """Add `energy` to the depth of a level."""
    for row in range(TREE, TREE + desk[ROWS]):
        desk[desk[row] + level] += energy
        level >>= FAN_BITS


@_compiled
def _depth_below(desk: Int64s, level: int) -> Any:
    """Return the depth of all levels below `level`."""
    total = np.int64(0)
    for row in range(TREE, TREE + desk[ROWS]):
        family = (level >> FAN_BITS) << FAN_BITS
        for node in range(desk[row] + family, desk[row] + level):
            total += desk[node]
        level >>= FAN_BITS
    return total


@_compiled
def _lowest_within(desk: Int64s, row: int, node: int) -> Any:
    """Return the lowest level with anything in it under a node of the tree."""
    while row > TREE:
        row -= 1
        node <<= FAN_BITS
        while not desk[desk[row] + node]:
            node += 1
    return node


@_compiled
def _highest_within(desk: Int64s, row: int, node: int) -> Any:
    """Return the highest level with anything in it under a node of the tree."""
    while row > TREE:
        row -= 1
        node = (node << FAN_BITS) + FAN - 1
        while not desk[desk[row] + node]:
            node -= 1
    return node


@_compiled
def _next_above(desk: Int64s, level: int) -> Any:
    """Return the lowest level above `level` with anything in it, or the number of levels."""
    for row in range(TREE, TREE + desk[ROWS]):
        end = ((level >> FAN_BITS) + 1) << FAN_BITS
        for node in range(level + 1, end):
            if desk[desk[row] + node]:
                return _lowest_within(desk, row, node)
        level >>= FAN_BITS
    return desk[LEVELS]


@_compiled
def _next_below(desk: Int64s, level: int) -> Any:
    """Return the highest level below `level` with anything in it, or -1."""
    for row in range(TREE, TREE + desk[ROWS]):
        family = (level >> FAN_BITS) << FAN_BITS
        for node in range(level - 1, family - 1, -1):
            if desk[desk[row] + node]:
                return _highest_within(desk, row, node)
        level >>= FAN_BITS
    return np.int64(-1)


@_compiled
def _rest(records: Int64s, desk: Int64s, order: int) -> None:
    """Put an order at the end of its level's queue."""
    side, level, energy = records[order, SIDE], records[order, LEVEL], records[order, LEFT]
    head, tail = desk[HEADS] + level, desk[TAILS] + level
    records[order, BEHIND] = records[order, BEFORE] = -1
    if _depth(desk, level):
        records[order, BEFORE] = desk[tail]
        records[desk[tail], BEHIND] = order
    else:
        desk[head] = order
        if (level > desk[BEST]) if side == 0 else (level < desk[BEST + 1]):
            desk[BEST + side] = level
    desk[tail] = order
    desk[TOTAL + side] += energy
    _add_depth(desk, level, energy)
    records[order, OUTCOME] = RESTING


@_compiled
def _lower(desk: Int64s, side: int, level: int, energy: int) -> None:
    """Take energy off a level's depth; where nothing is left at the best level, find the next."""
    desk[TOTAL + side] -= energy
    _add_depth(desk, level, -energy)
    if desk[BEST + side] == level and not _depth(desk, level):
        desk[BEST + side] = _next_below(desk, level) if side == 0 else _next_above(desk, level)


@_compiled
def _unhook(records: Int64s, desk: Int64s, order: int, outcome: int) -> None:
    """Take an order out of its level's queue."""
    level, behind, before = records[order, LEVEL], records[order, BEHIND], records[order, BEFORE]
    if before < 0:
        desk[desk[HEADS] + level] = behind
    else:
        records[before, BEHIND] = behind
    if behind < 0:
        desk[desk[TAILS] + level] = before
    else:
        records[behind, BEFORE] = before
    records[order, OUTCOME] = outcome


@_compiled
def _remove(records: Int64s, desk: Int64s, order: int, outcome: int) -> None:
    """Take a resting order, and what is left of it, out of the book."""
    _unhook(records, desk, order, outcome)
    _lower(desk, records[order, SIDE], records[order, LEVEL], records[order, LEFT])


@_compiled
def _crosses(desk: Int64s, side: int, level: int) -> Any:
    """Tell whether the other side's best is at or better than `level`."""
    return desk[BEST + 1] <= level if side == 0 else desk[BEST] >= level


@_compiled
def _offered(desk: Int64s, side: int, limit: int) -> Any:
    """Return the energy that rests on the other side at or better than `limit`."""
    if not _crosses(desk, side, limit):
        return np.int64(0)
    if side == 0:
        return _depth_below(desk, limit + 1) - desk[TOTAL]
    return desk[TOTAL] - _depth_below(desk, limit)


@_compiled
def _fills_whole(records: Int64s, desk: Int64s, self_trade: int, i: int) -> Any:
    """Tell whether all of a fill-or-kill order can trade at once."""
    side, limit, wanted = records[i, SIDE], records[i, LEVEL], records[i, LEFT]
    offered = _offered(desk, side, limit)
    if offered < wanted or self_trade == ALLOW:
        return offered >= wanted
    # Enough rests there, but some may be its own: walk the orders that it would trade with.
    level = desk[BEST + 1 - side]
    while level <= limit if side == 0 else level >= limit:
        order = desk[desk[HEADS] + level]
        while order >= 0:
            if records[order, ACCOUNT] != records[i, ACCOUNT]:
                wanted -= records[order, LEFT]
                if wanted <= 0:
                    return True
            elif self_trade != CANCEL_OLDEST:
                return False
            order = records[order, BEHIND]
        level = _next_above(desk, level) if side == 0 else _next_below(desk, level)
    return False


@_compiled
def _trade(records: Int64s, desk: Int64s, trades: Int64s, i: int, maker: int) -> None:
    """Trade as much as both orders can, at the resting order's price."""
    volume = min(records[i, LEFT], records[maker, LEFT])
    money = volume * records[maker, PRICE]
    records[i, LEFT] -= volume
    records[i, AMOUNT] += money
    records[maker, LEFT] -= volume
    records[maker, AMOUNT] += money
    number = desk[TRADES]
    trades[number, 0], trades[number, 1], trades[number, 2] = i, maker, volume
    desk[TRADES] = number + 1
    if not records[maker, LEFT]:
        _unhook(records, desk, maker, FILLED)
    _lower(desk, records[maker, SIDE], records[maker, LEVEL], volume)


@_compiled
def _take(records: Int64s, desk: Int64s, trades: Int64s, self_trade: int, i: int) -> Any:
    """Trade an arriving order against the other side; return whether it is still wanted."""
    side, limit = records[i, SIDE], records[i, LEVEL]
    while records[i, LEFT] and _crosses(desk, side, limit):
        maker = desk[desk[HEADS] + desk[BEST + 1 - side]]
        if self_trade == ALLOW or records[maker, ACCOUNT] != records[i, ACCOUNT]:
            _trade(records, desk, trades, i, maker)
            continue
        if self_trade != CANCEL_NEWEST:
            _remove(records, desk, maker, SELF_TRADE)
        if self_trade != CANCEL_OLDEST:
            records[i, OUTCOME] = SELF_TRADE
            return False
    return records[i, LEFT] > 0


@_compiled
def _arrive(records: Int64s, desk: Int64s, trades: Int64s, self_trade: int, i: int) -> None:
    """Let one order arrive."""
    kind, target = records[i, KIND], records[i, TARGET]
    if kind == CANCEL:
        if records[target, OUTCOME] == RESTING:
            _remove(records, desk, target, CANCELLED)
            records[i, OUTCOME] = CANCEL_DONE
        else:
            records[i, OUTCOME] = CANCEL_TOO_LATE
    elif kind == POST_ONLY and _crosses(desk, records[i, SIDE], records[i, LEVEL]):
        records[i, OUTCOME] = WOULD_CROSS
    elif kind == FOK and not _fills_whole(records, desk, self_trade, i):
        records[i, OUTCOME] = KILLED
    elif _take(records, desk, trades, self_trade, i):
        if kind in (LIMIT, POST_ONLY):
            _rest(records, desk, i)
        else:
            records[i, OUTCOME] = EXPIRED


@_compiled
def _record(records: Int64s, desk: Int64s, trades: Int64s, event: Int64s, traded: int) -> None:
    """Write the book after an arrival (`EVENT_FIELDS`)."""
    event[0], event[1], event[2], event[3], event[4] = traded, NONE, NONE, 0, 0
    bid, ask, number = desk[BEST], desk[BEST + 1], desk[TRADES]
    if bid >= 0:
        event[1], event[3] = records[desk[desk[HEADS] + bid], PRICE], _depth(desk, bid)
    if ask < desk[LEVELS]:
        event[2], event[4] = records[desk[desk[HEADS] + ask], PRICE], _depth(desk, ask)
    event[5], event[6] = desk[TOTAL], desk[TOTAL + 1]
    event[7] = records[trades[number - 1, 1], PRICE] if number else NONE


@_compiled
def _load(records: Int64s, arrivals: Arrivals, first: int) -> None:
    """Fill the records of a book's orders, the first of them at position `first`."""
    side, kind, level, price, energy, account, target = arrivals
    for i in range(len(records)):
        order = first + i
        records[i, SIDE], records[i, KIND], records[i, LEVEL] = side[order], kind[order], level[order]
        records[i, PRICE], records[i, LEFT], records[i, ACCOUNT] = price[order], energy[order], account[order]
        # Positions count from the book's first order, which keeps them among its own records.
        records[i, TARGET] = target[order] - first
        records[i, AMOUNT], records[i, OUTCOME] = 0, FILLED


@_compiled
def _unload(records: Int64s, desk: Int64s, tape: Tape, first: int) -> None:
    """Write what became of a book's orders, and leave the desk empty."""
    remaining, amount, outcome = tape.remaining, tape.amount, tape.outcome
    for i in range(len(records)):
        remaining[first + i], amount[first + i] = records[i, LEFT], records[i, AMOUNT]
        outcome[first + i] = records[i, OUTCOME]
        if records[i, OUTCOME] == RESTING:
            _add_depth(desk, records[i, LEVEL], -records[i, LEFT])
    tape.trades[first : first + desk[TRADES], :2] += first


@_compiled
def _run_book(records: Int64s, desk: Int64s, trades: Int64s, events: Int64s, self_trade: int) -> None:
    """Let the orders of one book arrive in turn."""
    desk[BEST], desk[BEST + 1], desk[TOTAL], desk[TOTAL + 1], desk[TRADES] = -1, desk[LEVELS], 0, 0, 0
    for i in range(len(records)):
        wanted = records[i, LEFT]
        _arrive(records, desk, trades, self_trade, i)
        if len(events):
            _record(records, desk, trades, events[i], wanted - records[i, LEFT])


@_compiled
def match(
    arrivals: Arrivals, tape: Tape, firsts: Int64s, levels: int, self_trade: int, start: int, stop: int
) -> None:
    """Run the books from `start` to `stop`; write what happens to `tape`."""
    desk = _make_desk(levels)
    longest = np.diff(firsts[start : stop + 1]).max()
    all_records = np.empty((longest, FIELDS), dtype=np.int64)
    for book in range(start, stop):
        first, end = firsts[book], firsts[book + 1]
        records = all_records[: end - first]
        _load(records, arrivals, first)
        _run_book(records, desk, tape.trades[first:end], tape.events[first:end], self_trade)
        _unload(records, desk, tape, first)
