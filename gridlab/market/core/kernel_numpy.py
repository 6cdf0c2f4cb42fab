"""The kernels in plain numpy: the same results as the compiled ones, with no compiler in the house."""

# ruff: noqa: PLR0917 - threads hand a kernel its arrays and its chunk by position

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.market.core.kernels import CUT, FILLED, NO_COUNTERPARTY, NOBODY, NONE, PRICED_OUT, RATIONED, Levels

__all__ = ["append_digits", "fill", "find_runs", "note_rows", "pack", "walk"]

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Layout = tuple[int, int, int, int, Int64s]

# Rows handled at a time: the temporaries of a block stay in the second-level cache.
BLOCK = 16_384


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
    """Write codes with one more digit, ``(values - low) / step``; return whether every division came out even.

    `values` span less than 2**53, so a double holds every difference, and an even quotient, exactly.
    """
    even = True
    for first in range(start, stop, BLOCK):
        rows = slice(first, min(first + BLOCK, stop))
        distances = values[rows].astype(np.int64) - low
        digits = (distances / step).astype(np.int32) if step > 1 else distances.astype(np.int32)
        longer[rows] = codes[rows] * np.int32(size) + digits
        even = even and np.array_equal(digits * np.int64(step), distances)
    return even


def note_rows(rows: Int64s, codes: npt.NDArray[np.int32]) -> None:
    """Write to ``rows[c]`` the number of some row whose code is c."""
    block = max(BLOCK, 4 * len(rows))
    for first in range(0, len(codes), block):
        some = codes[first : first + block]
        rows[some] = np.arange(first, first + len(some))
        if (rows >= 0).all():
            break


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
    """Write the word ``book | side | merit | tail`` of each order (see `gridlab.market.core.packing`)."""
    for first in range(start, stop, BLOCK):
        rows = slice(first, min(first + BLOCK, stop))
        # Differences of prices may pass 2**63 - 1; unsigned arithmetic wraps to the right number.
        merit = np.where(side[rows] == 1, price[rows] - low, high - price[rows]).view(np.uint64)
        word = book[rows].astype(np.uint64) * np.uint64(2) + side[rows]
        word = (word << np.uint64(merit_bits)) | merit
        words[rows] = (word << np.uint64(tail_bits)) | tail[rows].view(np.uint64)


def find_runs(words: Words, bits: int, books: int) -> Int64s:
    """Return where the run of each book and side starts in the sorted words, and behind them their length.

    Parameters
    ----------
    words : ndarray of uint64, shape (n,)
    bits : int
        Bits of a word behind the side.
    books : int

    Returns
    -------
    ndarray of int64, shape (2 * books + 1,)
        Buys of book b start at entry ``2 * b``, its sells at ``2 * b + 1``.
    """
    changes = np.flatnonzero((words[1:] ^ words[:-1]) >> np.uint64(bits)) + 1
    firsts = np.concatenate((np.zeros(1, dtype=np.int64), changes))
    runs = np.full(2 * books + 1, len(words), dtype=np.int64)
    runs[(words[firsts] >> np.uint64(bits)).astype(np.int64)] = firsts
    # A run without orders starts where the next one does.
    return np.minimum.accumulate(runs[::-1])[::-1]


def walk(
    table: Int64s, runs: Int64s, words: Words, energies: Int64s, layout: Layout, start: int, stop: int
) -> None:
    """Find where demand and supply meet in the books from `start` to `stop`; write `Levels` to `table`.

    The marginal buy of each book is found by bisection in all books at once: the buy behind which q Wh are already
    bought trades if and only if the sell that holds the next Wh after q asks no more than that buy offers.
    """
    first, last = runs[2 * start], runs[2 * stop]
    stretch = _Stretch(words[first:last], energies[first:last], layout, runs[2 * start : 2 * stop + 1] - first, start)
    count = stretch.count_trading_buys()
    out = Levels(table[:, start:stop])
    out.demand[:] = stretch.before[stretch.sells] - stretch.before[stretch.buys]
    out.supply[:] = stretch.before[stretch.ends] - stretch.before[stretch.sells]
    trading = np.flatnonzero(count)
    if len(trading):
        stretch.write_levels(out, trading, count[trading])


class _Stretch:
    """The sorted words of some neighbouring books, with running sums of their energies."""

    def __init__(self, words: Words, energies: Int64s, layout: Layout, edges: Int64s, start: int) -> None:
        self.words = words
        self.energy_bits, self.merit_bits, self.top, self.low, self.prices = layout
        self.buys, self.sells, self.ends = edges[:-1:2], edges[1::2], edges[2::2]
        self.book = np.arange(start, start + len(self.buys), dtype=np.uint64)
        mask = np.uint64((1 << self.energy_bits) - 1)
        self.energy = energies if len(energies) else (words & mask).view(np.int64)
        # before[i]: energy of all words before word i; before[i + 1]: up to and with it.
        self.before = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum(self.energy, out=self.before[1:])
        # worth[i]: limit times energy of all words before word i. Sums over many books may wrap around; their
        # differences, one book's value, are right all the same.
        self.worth = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum(self.price(self.all_levels()) * self.energy, out=self.worth[1:])

    def level(self, position: Int64s | slice, side: int) -> Words:
        """Return the limits of words as merits of the sell side, in which buys and sells compare."""
        merit = (self.words[position] >> np.uint64(self.energy_bits)) & np.uint64((1 << self.merit_bits) - 1)
        return merit if side else np.uint64(self.top) - merit

    def all_levels(self) -> Words:
        """Return the limits of all words, likewise."""
        sells = (self.words >> np.uint64(self.energy_bits + self.merit_bits)) & np.uint64(1) == 1
        return np.where(sells, self.level(slice(None), 1), self.level(slice(None), 0))

    def price(self, level: Words) -> Int64s:
        """Return the price of a sell merit (THB/MWh)."""
        merit = level.view(np.int64)
        price: Int64s = self.prices[merit] if len(self.prices) else merit + np.int64(self.low)
        return price

    def find(self, book: Int64s, side: int, level: Words, *, behind: bool) -> Int64s:
        """Return the first word of a book's side at a level, or the first behind that level."""
        merit = level if side else np.uint64(self.top) - level
        head = (self.book[book] * np.uint64(2) + np.uint64(side)) << np.uint64(self.merit_bits)
        word = (head | merit) << np.uint64(self.energy_bits)
        if behind:
            word = word | np.uint64((1 << self.energy_bits) - 1)
        return np.searchsorted(self.words, word, side="right" if behind else "left")

    def count_trading_buys(self) -> Int64s:
        """Return how many buys of each book trade at least one Wh."""
        low, high = np.zeros(len(self.book), dtype=np.int64), self.sells - self.buys
        after = self.before[1:]
        while len(open_books := np.flatnonzero(low < high)):
            middle = (low[open_books] + high[open_books]) // 2
            buy = self.buys[open_books] + middle
            bought = self.before[buy] - self.before[self.buys[open_books]]
            sell = np.searchsorted(after, self.before[self.sells[open_books]] + bought, side="right")
            trades = sell < self.ends[open_books]
            trades[trades] = self.level(buy[trades], 0) >= self.level(sell[trades], 1)
            low[open_books] = np.where(trades, middle + 1, low[open_books])
            high[open_books] = np.where(trades, high[open_books], middle)
        return low

    def write_levels(self, out: Levels, book: Int64s, count: Int64s) -> None:
        """Write what is known of books in which `count` buys trade."""
        buys, sells, ends = self.buys[book], self.sells[book], self.ends[book]
        bid = buys + count - 1
        bid_level = self.level(bid, 0)
        affordable = self.before[self.find(book, 1, bid_level, behind=True)] - self.before[sells]
        energy = np.minimum(self.before[bid + 1] - self.before[buys], affordable)
        ask = np.searchsorted(self.before[1:], self.before[sells] + energy)
        ask_level = self.level(ask, 1)
        out.energy[book] = energy
        out.bid_last[book], out.ask_last[book] = self.price(bid_level), self.price(ask_level)
        out.bid_next[book] = self._next(bid, energy - (self.before[bid] - self.before[buys]), sells, 0)
        out.ask_next[book] = self._next(ask, energy - (self.before[ask] - self.before[sells]), ends, 1)
        for side, starts, level in ((0, buys, bid_level), (1, sells, ask_level)):
            first = self.before[self.find(book, side, level, behind=False)]
            last = self.before[self.find(book, side, level, behind=True)]
            name = ("bid", "ask")[side]
            getattr(out, f"{name}_fill")[book] = energy - (first - self.before[starts])
            getattr(out, f"{name}_total")[book] = last - first
        out.bid_value[book] = self.value(buys, bid, energy, 0)
        out.ask_value[book] = self.value(sells, ask, energy, 1)

    def _next(self, last: Int64s, taken: Int64s, end: Int64s, side: int) -> Int64s:
        """Return the limit of the first rejected order, given the last accepted one and what it trades."""
        position = np.where(taken < self.energy[last], last, last + 1)
        exists = position < end
        limits = np.full(len(last), NONE, dtype=np.int64)
        limits[exists] = self.price(self.level(position[exists], side))
        return limits

    def value(self, start: Int64s, last: Int64s, energy: Int64s, side: int) -> Int64s:
        """Return the value at their limits of the first `energy` Wh of runs that end in `last`."""
        unsold = self.before[last + 1] - self.before[start] - energy
        return self.worth[last + 1] - self.worth[start] - unsold * self.price(self.level(last, side))


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
    for first in range(start, stop, BLOCK):
        rows = slice(first, min(first + BLOCK, stop))
        sign = side[rows].astype(np.int64) * 2 - 1
        merit = price[rows] * sign
        level, cut, clearing = verdicts[book[rows] * np.int64(2) + side[rows]].T
        is_cut, trades = merit == cut, merit <= level
        refusal = np.where(clearing == NOBODY, NO_COUNTERPARTY, np.where(merit <= clearing, RATIONED, PRICED_OUT))
        reason[rows] = np.where(is_cut, CUT, np.where(trades, FILLED, refusal))
        paid[rows] = clearing * sign
        filled[rows] = np.where(trades & ~is_cut, energy[rows], 0)
        amount[rows] = filled[rows] * paid[rows]
