"""The rule ``muda``: two halves drawn by lot, each trading at the price of the other.

E. Segal-Halevi, A. Hassidim and Y. Aumann, "MUDA: a truthful multi-unit double-auction mechanism", Proceedings of the
AAAI Conference on Artificial Intelligence 32(1), 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import FILLED, NO_COUNTERPARTY, NONE, PARTLY, PRICED_OUT, RATIONED
from gridlab.market.core.matching import meet
from gridlab.market.core.pricing import point_between, price_books
from gridlab.market.core.rationing import RATIONINGS, CutLevels
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.displaced import Queue
from gridlab.market.truthful_auctions.halving import draw_lots
from gridlab.market.truthful_auctions.two_prices import BookSums, add_by_side, mean_prices, two_price_clearing

__all__ = ["VARIANTS", "clear_muda"]

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_HALF, _TURN = 0, 1


def clear_muda(books: Books, *, k: Fraction, seed: int, variant: str) -> Clearing:
    """Clear every book in two random halves.

    Each account falls into one half of its book, with even chances. The competitive price of either half (`k` as in
    the rule ``uniform``; between the best buy and the best sell where they do not meet; the best order of the one side
    that is there) is posted in the other half, where all buys at or above it and all sells at or below it want to
    trade. The shorter side trades whole. On the longer side:

    - ``lottery``: accounts take their turn by lot, each trading all it wants as long as there is some. One price on
      both sides, so nothing is left with the operator.
    - ``vickrey``: the best limits trade, and each pays for the Wh that it displaces (the posted price where it
      displaces none). More welfare; the difference to the posted price stays with the operator, never below 0.

    **Truthful** in limit and energy: the posted price comes from the other half, and wanting what one truly wants at it
    is best whatever the turn. Under ``lottery`` this holds for all orders that an account has on one side of a book
    together; under ``vickrey`` for one order per account and book.

    Parameters
    ----------
    books : Books
    k : Fraction
        Share of the competitive interval, 0 to 1.
    seed : int
        Of the lots, 0 to 2**63 - 1.
    variant : str
        A key of `VARIANTS`.

    Returns
    -------
    Clearing
        ``price_buy`` and ``price_sell`` are the means over both halves, rounded down.
    """
    levels = meet(books)
    if not books.count:
        return two_price_clearing("muda", books, levels, _empty(), _no_sums())
    half = (draw_lots(books, seed, _HALF) >> np.uint64(63)).astype(np.int32)
    # Halves of one book stand side by side; one without orders simply has none.
    halves = replace(books, book=books.book * np.int32(2) + half, count=2 * books.count)
    posted = _competitive_prices(halves, k).reshape(-1, 2)[:, ::-1].ravel()
    fills = _trade_at(halves, posted, VARIANTS[variant], draw_lots(books, seed, _TURN))
    rows = np.flatnonzero(fills.filled)
    values = add_by_side(books, rows, books.price[rows] * fills.filled[rows])
    payments = add_by_side(books, rows, fills.amount[rows])
    volume = add_by_side(books, rows, fills.filled[rows])[0]
    return two_price_clearing(
        "muda", books, levels, fills, BookSums(volume, values, payments, mean_prices(volume, payments))
    )


def _empty() -> Fills:
    nothing = np.zeros(0, dtype=np.int64)
    return Fills(nothing, nothing, nothing, nothing.astype(np.uint8))


def _no_sums() -> BookSums:
    nothing = np.zeros((2, 0), dtype=np.int64)
    return BookSums(nothing[0], nothing, nothing, nothing)


def _competitive_prices(halves: Books, k: Fraction) -> Int64s:
    """Return a price at which each half would clear by itself; `NONE` for a half without orders."""
    levels = meet(halves)
    price = price_books(levels, "competitive", k, k).price
    best = _best_limits(halves)
    quiet = np.flatnonzero(levels.energy == 0)
    bid, ask = best[0, quiet], best[1, quiet]
    # Where one side is missing, the best order of the other is indifferent at its own limit.
    bid, ask = np.where(bid == NONE, ask, bid), np.where(ask == NONE, bid, ask)
    price[quiet] = np.where(bid == NONE, NONE, point_between(bid, ask, k))
    return price


def _best_limits(books: Books) -> Int64s:
    """Return the highest buy and the lowest sell of each book (shape (2, books)); `NONE` where there is none."""
    worst = -NONE - 1
    best = np.full((2, books.count), worst, dtype=np.int64)
    np.minimum.at(best, (books.side, books.book), np.where(books.side == 1, books.price, -books.price))
    sign = np.array([[-1], [1]])
    return np.where(best == worst, NONE, best * sign)


def _trade_at(halves: Books, posted: Int64s, share_out: _ShareOut, turn: npt.NDArray[np.uint64]) -> Fills:
    """Let everybody who likes the posted price of his half trade at it, as far as the shorter side reaches."""
    price = posted[halves.book]
    likes = np.where(halves.side == 1, halves.price <= price, halves.price >= price) & (price != NONE)
    rows = np.flatnonzero(likes)
    wanted = add_by_side(halves, rows, halves.energy[rows])
    volume = wanted.min(axis=0)
    filled = np.where(likes & (volume[halves.book] > 0), halves.energy, 0)
    amount = filled * price
    longer = ((wanted > volume) & (volume > 0))[halves.side, halves.book]
    rows = np.flatnonzero(longer & likes)
    if len(rows):
        rows = share_out.sort(halves, rows, turn)
        book, side = halves.book[rows], halves.side[rows]
        cut = CutLevels(halves, rows, volume[book], wanted[side, book])
        filled[rows] = RATIONINGS["time"](cut)
        amount[rows] = share_out.pay(cut, filled[rows], price[rows])
    paid = np.where(filled > 0, amount // np.maximum(filled, 1), NONE)
    return Fills(filled, amount, paid, _reasons(halves, filled, likes))


def _reasons(halves: Books, filled: Int64s, likes: Flags) -> npt.NDArray[np.uint8]:
    present = np.zeros((2, halves.count), dtype=np.bool_)
    present[halves.side, halves.book] = True
    alone = ~present[1 - halves.side, halves.book]
    refusal = np.where(alone, NO_COUNTERPARTY, np.where(likes, RATIONED, PRICED_OUT))
    return np.where(filled == halves.energy, FILLED, np.where(filled > 0, PARTLY, refusal)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _ShareOut:
    """How the longer side is served: in which order, and at what amounts (micro-THB)."""

    sort: Callable[[Books, Int64s, npt.NDArray[np.uint64]], Int64s]
    pay: Callable[[CutLevels, Int64s, Int64s], Int64s]


def _by_turn(halves: Books, rows: Int64s, turn: npt.NDArray[np.uint64]) -> Int64s:
    rows = _by_limit(halves, rows, turn)
    account = halves.orders["account"].to_numpy()[rows]
    return rows[np.lexsort((account, turn[rows], halves.book[rows]))]


def _by_limit(halves: Books, rows: Int64s, _: npt.NDArray[np.uint64]) -> Int64s:
    rows = halves.by_arrival(rows)
    merit = np.where(halves.side[rows] == 1, halves.price[rows], -halves.price[rows])
    return rows[np.lexsort((merit, halves.book[rows]))]


def _at_posted_price(_: CutLevels, filled: Int64s, price: Int64s) -> Int64s:
    return filled * price


def _for_the_displaced(cut: CutLevels, filled: Int64s, price: Int64s) -> Int64s:
    """Return the value of the Wh behind those that trade, at least the posted price each; rows stand by limit."""
    halves, rows = cut.books, cut.rows
    book, energy = halves.book[rows], halves.energy[rows]
    sign = np.where(halves.side[rows] == 1, -1, 1)
    queue = Queue.of(halves.price[rows] * sign, energy)
    first = np.flatnonzero(np.diff(book, prepend=-1))
    start = np.repeat(queue.end[first], np.diff(first, append=len(rows)))
    line, end = start + cut.shares, start + cut.totals
    stop = np.minimum(line + energy, end)
    displaced = queue.between(line, stop) + (line + energy - stop) * price * sign
    own_rest = (energy - filled) * halves.price[rows] * sign
    return np.where(filled > 0, (displaced - own_rest) * sign, 0)


VARIANTS: dict[str, _ShareOut] = {
    "lottery": _ShareOut(_by_turn, _at_posted_price),
    "vickrey": _ShareOut(_by_limit, _for_the_displaced),
}
