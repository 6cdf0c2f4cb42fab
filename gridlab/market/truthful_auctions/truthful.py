"""What the trade-reduction mechanisms share: the last efficient order of each side, and the settling of a decision.

A mechanism of this family decides two things per book: at which price each side trades, and whether the last efficient
order of each side trades at all. Everything else follows one principle, from which truthfulness comes: **an order's own
limit only decides whether it trades, never at what price or how much.** So where the two sides that trade are not
equally long, the energy of the whole longer side is rationed by energy or arrival, not that of its worst limit alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import FILLED, NOBODY, NONE, PARTLY, PRICED_OUT, RATIONED
from gridlab.market.core.matching import meet
from gridlab.market.core.parallel import over_chunks
from gridlab.market.core.rationing import CutLevels
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.margins import Margins, find_margins
from gridlab.market.truthful_auctions.two_prices import REDUCED, BookSums, add_by_side, two_price_clearing

__all__ = ["Decision", "clear_by_margins", "settle"]

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Rationing = Callable[[CutLevels], Int64s]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a mechanism decides; row 0 of each array is for the buys, row 1 for the sells, one column per book.

    Attributes
    ----------
    price : ndarray of int64, shape (2, books)
        What buyers pay and what sellers get (THB/MWh). Read only where something trades.
    keeps : ndarray of bool, shape (2, books)
        Whether the last efficient order of the side trades.
    """

    price: Int64s
    keeps: Flags


def clear_by_margins(
    rule: str, books: Books, decide: Callable[[Margins], Decision], rationing: Rationing, *, next_limits: bool = False
) -> Clearing:
    """Clear every book by a mechanism that looks at the orders around the efficient volume.

    Parameters
    ----------
    rule : str
    books : Books
    decide : callable
        From the margins to prices and who trades.
    rationing : callable
        Shares out the energy of a longer side (see `gridlab.market.core.rationing`).
    next_limits : bool
        Whether `decide` reads ``Margins.next_limit``.

    Returns
    -------
    Clearing
        See `gridlab.market.truthful_auctions.two_prices.two_price_clearing`.
    """
    levels = meet(books)
    margins = find_margins(books, levels, next_limits=next_limits)
    return settle(rule, books, margins, decide(margins), rationing)


def settle(rule: str, books: Books, margins: Margins, decision: Decision, rationing: Rationing) -> Clearing:
    """Fill the orders as decided, ration the longer side, and add up who gains."""
    totals = margins.ahead + np.where(decision.keeps, margins.energy, 0)
    volume = totals.min(axis=0)
    levels = margins.levels
    fills = _fill(books, margins, decision, volume)
    values = margins.value_ahead + np.where(decision.keeps, margins.energy * margins.limit, 0)
    values[:, volume == 0] = 0
    longer = (totals > volume) & (volume > 0)
    if longer.any():
        rows = _ration(books, fills, margins.sides, np.where(longer, totals, 0), volume, by=rationing)
        shared = add_by_side(books, rows, fills.filled[rows] * books.price[rows])
        values = np.where(longer, shared, values)
    payments = np.where(volume > 0, decision.price, 0) * volume
    price = np.where(volume > 0, decision.price, NONE)
    return two_price_clearing(rule, books, levels, fills, BookSums(volume, values, payments, price))


def _fill(books: Books, margins: Margins, decision: Decision, volume: Int64s) -> Fills:
    """Fill whole every order that trades by the decision."""
    count = len(books.book)
    filled, amount, paid = (np.empty(count, dtype=np.int64) for _ in range(3))
    reason = np.empty(count, dtype=np.uint8)
    inputs = (books.book, books.side, books.price, books.energy, _verdicts(margins, decision, volume))
    over_chunks(books.kernel.fill, count, filled, amount, paid, reason, *inputs)
    rows = margins.rows
    book, side = books.book[rows], books.side[rows]
    trades = (margins.place < 0) | ((margins.place == 0) & decision.keeps[side, book])
    filled[rows] = np.where(trades, books.energy[rows], 0)
    amount[rows] = filled[rows] * paid[rows]
    sign = 2 * side.astype(np.int64) - 1
    refusal = np.where((books.price[rows] - paid[rows]) * sign <= 0, RATIONED, PRICED_OUT)
    reason[rows] = np.where(trades, FILLED, np.where(margins.place <= 0, REDUCED, refusal))
    _undo(books, filled, amount, reason, (margins.levels.energy > 0) & (volume == 0))
    return Fills(filled, amount, paid, reason)


def _undo(books: Books, filled: Int64s, amount: Int64s, reason: npt.NDArray[np.uint8], empty: Flags) -> None:
    """Take back the fills of books of which the mechanism leaves nothing."""
    if empty.any():
        rows = np.flatnonzero(empty[books.book])
        left_out = rows[filled[rows] > 0]
        filled[rows], amount[rows], reason[left_out] = 0, 0, REDUCED
        # Without a price nobody's limit is as good as it.
        reason[rows[reason[rows] == RATIONED]] = PRICED_OUT


def _verdicts(margins: Margins, decision: Decision, volume: Int64s) -> Int64s:
    """Return what decides an order (see `core.filling`); all orders at the last limit are looked at apart."""
    verdicts = np.full((2 * len(volume), 3), NONE, dtype=np.int64)
    levels = margins.levels
    efficient = levels.energy > 0
    for side, sign, others in ((0, -1, levels.supply), (1, 1, levels.demand)):
        rows = verdicts[side::2]
        rows[efficient, :2] = sign * margins.limit[side, efficient, np.newaxis]
        refused = np.where(volume > 0, sign * decision.price[side], NONE + 2)
        rows[:, 2] = np.where(efficient, refused, np.where(others > 0, NONE, NOBODY))
    return verdicts


def _ration(books: Books, fills: Fills, sides: Int64s, wanted: Int64s, volume: Int64s, *, by: Rationing) -> Int64s:
    """Share out the volume among all orders of the longer sides, those that want more than 0; return their rows."""
    chosen = np.take((wanted > 0).T.ravel(), sides)
    rows = books.by_arrival(np.flatnonzero(chosen & (fills.filled > 0)))
    book, side = books.book[rows], books.side[rows]
    energy = books.energy[rows]
    share = by(CutLevels(books, rows, volume[book], wanted[side, book]))
    fills.filled[rows] = share
    fills.amount[rows] = share * fills.paid[rows]
    fills.reason[rows] = np.where(share > 0, np.where(share < energy, PARTLY, FILLED), RATIONED)
    return rows
