"""The kernels compiled by numba: each one pass over rows or books, without temporaries.

Only loaded for large frames, and only where the optional extra ``gridlab[fast]`` is installed. Functions let go of the
interpreter lock; threads share the work by chunks (`gridlab.market.parallel`). The results equal `kernel_numpy`'s to
the last bit, which the tests hold; what a function computes is documented there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from gridlab.market.kernels import CUT, FIELDS, FILLED, RATIONED

__all__ = ["append_digits", "fill", "find_runs", "note_rows", "pack", "walk"]

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

ENERGY, DEMAND, SUPPLY, BID_VALUE, ASK_VALUE, BID_LAST, ASK_LAST = (
    FIELDS.index(name) for name in ("energy", "demand", "supply", "bid_value", "ask_value", "bid_last", "ask_last")
)


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile `function`, keeping the machine code on disk where some directory can be written to."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no directory for its cache
        return numba.njit(**options)(function)


@_compiled
def append_digits(
    codes: npt.NDArray[np.int32], values: npt.NDArray[Any], low: int, step: int, size: int, start: int, stop: int
) -> bool:
    """Append the digit ``(values - low) / step`` to mixed-radix codes; return whether every division came out even."""
    uneven = np.int64(0)
    for i in range(start, stop):
        distance = np.int64(values[i]) - low
        # In floating point, since processors divide doubles, not integers, many at a time.
        digit = np.int32(np.float64(distance) / np.float64(step))
        codes[i] = codes[i] * np.int32(size) + digit
        uneven |= np.int64(digit) * step ^ distance
    return uneven == 0


@_compiled
def note_rows(rows: Int64s, codes: npt.NDArray[np.int32]) -> None:
    """Write to ``rows[c]`` the number of some row whose code is c."""
    missing = len(rows)
    for i in range(len(codes)):
        if rows[codes[i]] < 0:
            rows[codes[i]] = i
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
    for i in range(start, stop):
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
def _energy(words: Words, energies: Int64s, energy_bits: int, i: int) -> int:
    """Return the energy of a word (Wh)."""
    if len(energies):
        return energies[i]  # type: ignore[no-any-return]
    return np.int64(words[i] & ((np.uint64(1) << np.uint64(energy_bits)) - np.uint64(1)))  # type: ignore[return-value]


@_compiled
def _level(words: Words, energy_bits: int, merit_bits: int, top: int, i: int) -> int:
    """Return the limit of a word as a merit of the sell side, in which buys and sells compare."""
    word = words[i] >> np.uint64(energy_bits)
    merit = word & ((np.uint64(1) << np.uint64(merit_bits)) - np.uint64(1))
    if (word >> np.uint64(merit_bits)) & np.uint64(1):
        return merit  # type: ignore[return-value]
    return np.uint64(top) - merit  # type: ignore[return-value]


@_compiled
def _price(low: int, prices: Int64s, level: int) -> int:
    """Return the price of a sell merit (THB/MWh)."""
    if len(prices):
        return prices[np.int64(level)]  # type: ignore[no-any-return]
    return np.int64(level) + low


@_compiled
def _write_side(
    table: Int64s,
    fields: int,
    value_field: int,
    total_field: int,
    book: int,
    first: int,
    end: int,
    energy: int,
    words: Words,
    energies: Int64s,
    energy_bits: int,
    merit_bits: int,
    top: int,
    low: int,
    prices: Int64s,
) -> None:
    """Write one side of a book of which `energy` Wh trade: value, limits around the cut, and the cut level."""
    total, value, i = np.int64(0), np.int64(0), first
    while total < energy:
        here = _energy(words, energies, energy_bits, i)
        value += here * _price(low, prices, _level(words, energy_bits, merit_bits, top, i))
        total += here
        i += 1
    if energy:
        last, excess = _level(words, energy_bits, merit_bits, top, i - 1), total - energy
        # i is the order behind the last accepted one; a cut order is accepted and rejected.
        rejected = i - 1 if excess else i
        level_total, j = np.int64(0), i - 1
        while j >= first and _level(words, energy_bits, merit_bits, top, j) == last:
            level_total += _energy(words, energies, energy_bits, j)
            j -= 1
        level_fill, j = level_total - excess, i
        while j < end and _level(words, energy_bits, merit_bits, top, j) == last:
            level_total += _energy(words, energies, energy_bits, j)
            j += 1
        table[fields, book] = _price(low, prices, last)
        if rejected < end:
            table[fields + 1, book] = _price(low, prices, _level(words, energy_bits, merit_bits, top, rejected))
        table[fields + 2, book], table[fields + 3, book] = level_fill, level_total
        table[value_field, book] = value - excess * _price(low, prices, last)
    for j in range(i, end):
        total += _energy(words, energies, energy_bits, j)
    table[total_field, book] = total


@_compiled
def _volume(
    first: int,
    middle: int,
    end: int,
    words: Words,
    energies: Int64s,
    energy_bits: int,
    merit_bits: int,
    top: int,
) -> int:
    """Return the largest volume of a book: serve the best buy and the best sell while they cross.

    Steps are taken without branches on who is used up first, which no processor could foretell.
    """
    i, j, volume = first, middle, np.int64(0)
    if i >= middle or j >= end:
        return volume  # type: ignore[return-value]
    bought = _energy(words, energies, energy_bits, i)
    sold = _energy(words, energies, energy_bits, j)
    last = len(words) - 1
    while i < middle and j < end:
        if _level(words, energy_bits, merit_bits, top, i) < _level(words, energy_bits, merit_bits, top, j):
            break
        volume = min(bought, sold)
        buy_done, sell_done = np.int64(bought == volume), np.int64(sold == volume)
        i += buy_done
        j += sell_done
        # A run's end is read past, never used: the loop stops there.
        bought += buy_done * _energy(words, energies, energy_bits, min(i, last))
        sold += sell_done * _energy(words, energies, energy_bits, min(j, last))
    return volume  # type: ignore[return-value]


@_compiled
def walk(
    table: Int64s,
    runs: Int64s,
    words: Words,
    energies: Int64s,
    energy_bits: int,
    merit_bits: int,
    top: int,
    low: int,
    prices: Int64s,
    start: int,
    stop: int,
) -> None:
    """Find where demand and supply meet in the books from `start` to `stop`; write `Levels` to `table`."""
    layout = (words, energies, energy_bits, merit_bits, top)
    for book in range(start, stop):
        first, middle, end = runs[2 * book], runs[2 * book + 1], runs[2 * book + 2]
        energy = _volume(first, middle, end, *layout)
        table[ENERGY, book] = energy
        _write_side(table, BID_LAST, BID_VALUE, DEMAND, book, first, middle, energy, *layout, low, prices)
        _write_side(table, ASK_LAST, ASK_VALUE, SUPPLY, book, middle, end, energy, *layout, low, prices)


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
    """Decide each order by its limit (see `gridlab.market.filling`)."""
    for i in range(start, stop):
        # Arithmetic instead of branches, which no processor could foretell.
        row = 2 * np.int64(book[i]) + np.int64(side[i])
        sign = 2 * np.int64(side[i]) - 1
        merit, clearing, refusal = price[i] * sign, verdicts[row, 2], verdicts[row, 3]
        trades = np.int64(merit <= verdicts[row, 0])
        is_cut = trades & np.int64(merit == verdicts[row, 1])
        rest = refusal + (RATIONED - refusal) * np.int64(merit <= clearing)
        paid[i] = clearing * sign
        filled[i] = energy[i] * (trades - is_cut)
        amount[i] = filled[i] * paid[i]
        reason[i] = trades * FILLED + (1 - trades) * rest + is_cut * (CUT - FILLED)
