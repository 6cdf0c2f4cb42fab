"""The kernels compiled by numba: each one pass over rows or books, without temporaries.

Only loaded for large frames, and only where the optional extra ``gridlab[fast]`` is installed. Functions let go of the
interpreter lock; threads share the work by chunks (`core.parallel`). The results equal `kernel_numpy`'s to
the last bit, which the tests hold; what a function computes is documented there.

Loops run over slices from 0 to their length, not from `start` to `stop`: then the compiler knows that no index is
negative, leaves out Python's wrap-around and vectorises (measured: six times faster).
"""

# ruff: noqa: PLR0917 - threads hand a kernel its arrays and its chunk by position

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from gridlab.market.core.kernels import FIELDS, NOBODY, PRICED_OUT

__all__ = ["append_digits", "fill", "find_runs", "note_rows", "pack", "walk"]

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Layout = tuple[int, int, int, int, Int64s]

ENERGY, DEMAND, SUPPLY, BID_VALUE, ASK_VALUE, BID_LAST, ASK_LAST = (
    FIELDS.index(name) for name in ("energy", "demand", "supply", "bid_value", "ask_value", "bid_last", "ask_last")
)


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile `function`, keeping the machine code on disk where some directory can be written to."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no directory for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def append_digits(
    longer: npt.NDArray[np.int32],
    codes: npt.NDArray[np.int32],
    values: npt.NDArray[Any],
    low: int,
    step: int,
    size: int,
    start: int,
    stop: int,
) -> bool:
    """Write codes with one more digit, ``(values - low) / step``; return whether every division came out even."""
    longer, codes, values, uneven = longer[start:stop], codes[start:stop], values[start:stop], np.int64(0)
    for i in range(len(codes)):
        distance = np.int64(values[i]) - low
        # In floating point, since processors divide doubles, not integers, many at a time.
        digit = np.int32(np.float64(distance) / np.float64(step))
        longer[i] = codes[i] * np.int32(size) + digit
        uneven |= np.int64(digit) * step ^ distance
    return not uneven


@_compiled
def note_rows(rows: Int64s, codes: npt.NDArray[np.int32]) -> None:
    """Write to ``rows[c]`` the number of some row whose code is c."""
    missing = len(rows)
    for i in range(len(codes)):
        code = np.uint32(codes[i])
        if rows[code] < 0:
            rows[code] = i
            missing -= 1
            if not missing:
                break


@_compiled
def pack(
    words: Words,
    book: npt.NDArray[np.int32],
    side: npt.NDArray[np.uint8],
    price: Int64s,
    tail: Int64s,
    low: int,
    high: int,
    merit_bits: int,
    tail_bits: int,
    start: int,
    stop: int,
) -> None:
    """Write the word ``book | side | merit | tail`` of each order."""
    words, book, side = words[start:stop], book[start:stop], side[start:stop]
    price, tail = price[start:stop], tail[start:stop]
    for i in range(len(words)):
        # No branch on the side, which no processor could foretell; differences may wrap around to the right number.
        sell = np.int64(side[i])
        merit = np.uint64((price[i] - low) * sell + (high - price[i]) * (1 - sell))
        head = np.uint64(book[i]) << np.uint64(1) | np.uint64(sell)
        words[i] = (head << np.uint64(merit_bits) | merit) << np.uint64(tail_bits) | np.uint64(tail[i])


@_compiled
def find_runs(words: Words, bits: int, books: int) -> Int64s:
    """Return where the run of each book and side starts in the sorted words, and behind them their length."""
    runs = np.empty(2 * books + 1, dtype=np.int64)
    opened = 0
    for i in range(len(words)):
        run = np.int64(words[i] >> np.uint64(bits))
        while opened <= run:
            runs[opened] = i
            opened += 1
    runs[opened:] = len(words)
    return runs


@_compiled
def _energy(words: Words, energies: Int64s, layout: Layout, i: int) -> Any:
    """Return the energy of a word (Wh)."""
    if len(energies):
        return energies[i]
    return np.int64(words[i] & ((np.uint64(1) << np.uint64(layout[0])) - np.uint64(1)))


@_compiled
def _level(words: Words, layout: Layout, i: int) -> Any:
    """Return the limit of a word as a merit of the sell side, in which buys and sells compare."""
    energy_bits, merit_bits, top = layout[:3]
    word = words[i] >> np.uint64(energy_bits)
    merit = word & ((np.uint64(1) << np.uint64(merit_bits)) - np.uint64(1))
    if (word >> np.uint64(merit_bits)) & np.uint64(1):
        return merit
    return np.uint64(top) - merit


@_compiled
def _price(layout: Layout, level: Any) -> Any:
    """Return the price of a sell merit (THB/MWh)."""
    low, prices = layout[3], layout[4]
    if len(prices):
        return prices[np.int64(level)]
    return np.int64(level) + low


@_compiled
def _volume(buys: Words, buy_energies: Int64s, sells: Words, sell_energies: Int64s, layout: Layout) -> Any:
    """Return the largest volume of a book: serve the best buy and the best sell while they cross.

    The steps do not branch on which of the two is used up first, which no processor could foretell.
    """
    i: Any = 0
    j: Any = 0
    volume = np.int64(0)
    if not len(buys) or not len(sells):
        return volume
    bought, sold = _energy(buys, buy_energies, layout, 0), _energy(sells, sell_energies, layout, 0)
    last_buy, last_sell = len(buys) - 1, len(sells) - 1
    while i <= last_buy and j <= last_sell and _level(buys, layout, i) >= _level(sells, layout, j):
        volume = min(bought, sold)
        buy_done, sell_done = np.int64(bought == volume), np.int64(sold == volume)
        i += buy_done
        j += sell_done
        # Behind the end of a run some energy is read once more, but the loop stops there.
        bought += buy_done * _energy(buys, buy_energies, layout, min(i, last_buy))
        sold += sell_done * _energy(sells, sell_energies, layout, min(j, last_sell))
    return volume


@_compiled
def _write_side(side: Int64s, value: Int64s, energy: int, words: Words, energies: Int64s, layout: Layout) -> Any:
    """Write to `side` and `value` what is known of one side of a book of which `energy` Wh trade; return its total."""
    total, i = np.int64(0), 0
    while total < energy:
        here = _energy(words, energies, layout, i)
        value[0] += here * _price(layout, _level(words, layout, i))
        total += here
        i += 1
    if energy:
        last, excess = _level(words, layout, i - 1), total - energy
        # i is the order behind the last accepted one; a cut order counts as accepted and rejected.
        rejected = i - 1 if excess else i
        level_total, j = np.int64(0), i - 1
        while j >= 0 and _level(words, layout, j) == last:
            level_total += _energy(words, energies, layout, j)
            j -= 1
        level_fill, j = level_total - excess, i
        while j < len(words) and _level(words, layout, j) == last:
            level_total += _energy(words, energies, layout, j)
            j += 1
        side[0], side[2], side[3] = _price(layout, last), level_fill, level_total
        if rejected < len(words):
            side[1] = _price(layout, _level(words, layout, rejected))
        value[0] -= excess * _price(layout, last)
    for j in range(i, len(words)):
        total += _energy(words, energies, layout, j)
    return total


@_compiled
def walk(
    table: Int64s, runs: Int64s, words: Words, energies: Int64s, layout: Layout, start: int, stop: int
) -> None:
    """Find where demand and supply meet in the books from `start` to `stop`; write `Levels` to `table`."""
    for book in range(start, stop):
        first, middle, end = runs[2 * book], runs[2 * book + 1], runs[2 * book + 2]
        buys, buy_energies = words[first:middle], energies[first:middle]
        sells, sell_energies = words[middle:end], energies[middle:end]
        energy = _volume(buys, buy_energies, sells, sell_energies, layout)
        column = table[:, book]
        column[ENERGY] = energy
        column[DEMAND] = _write_side(column[BID_LAST:], column[BID_VALUE:], energy, buys, buy_energies, layout)
        column[SUPPLY] = _write_side(column[ASK_LAST:], column[ASK_VALUE:], energy, sells, sell_energies, layout)


@_compiled
def fill(
    filled: Int64s,
    amount: Int64s,
    paid: Int64s,
    reason: npt.NDArray[np.uint8],
    book: npt.NDArray[np.int32],
    side: npt.NDArray[np.uint8],
    price: Int64s,
    energy: Int64s,
    verdicts: Int64s,
    start: int,
    stop: int,
) -> None:
    """Decide each order by its limit (see `gridlab.market.core.filling`)."""
    filled, amount, paid, reason = filled[start:stop], amount[start:stop], paid[start:stop], reason[start:stop]
    book, side, price, energy = book[start:stop], side[start:stop], price[start:stop], energy[start:stop]
    for i in range(len(reason)):
        # Arithmetic on 0 and 1 instead of branches, which no processor could foretell.
        row = 2 * np.uint64(book[i]) + np.uint64(side[i])
        sign = 2 * np.int64(side[i]) - 1
        merit, clearing = price[i] * sign, verdicts[row, 2]
        trades, is_cut = np.int64(merit <= verdicts[row, 0]), np.int64(merit == verdicts[row, 1])
        refusal = PRICED_OUT + np.int64(clearing == NOBODY) - np.int64(merit <= clearing)
        # FILLED is 0, CUT has all bits set: trades - 1 masks the refusal, -is_cut sets the mark.
        reason[i] = (refusal & (trades - 1)) | -is_cut
        paid[i] = clearing * sign
        filled[i] = energy[i] * (trades - is_cut)
        amount[i] = energy[i] * (trades - is_cut) * (clearing * sign)
