"""What each order gets: one pass over the rows, since a limit against its book's marginal level decides an order.

Better than the level: whole. Worse: nothing. At a level that is cut: rationed (`gridlab.market.core.rationing`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import CUT, FILLED, NOBODY, NONE, PARTLY, RATIONED, Levels
from gridlab.market.core.parallel import over_chunks
from gridlab.market.core.rationing import RATIONINGS, CutLevels

__all__ = ["Fills", "fill_orders"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fills:
    """One entry per order, in the order of the frame's rows.

    Attributes
    ----------
    filled : ndarray of int64
        Energy that trades (Wh).
    amount : ndarray of int64
        Price times filled energy (micro-THB).
    paid : ndarray of int64
        Price (THB/MWh); anything where `filled` is 0.
    reason : ndarray of uint8
        Position in `gridlab.market.core.kernels.REASONS`.
    """

    filled: Int64s
    amount: Int64s
    paid: Int64s
    reason: npt.NDArray[np.uint8]


def fill_orders(books: Books, levels: Levels, price: Int64s, rationing: str) -> Fills:
    """Fill every order at its book's price.

    Parameters
    ----------
    books : Books
    levels : Levels
    price : ndarray of int64, shape (books.count,)
        Price of each book (THB/MWh), `NONE` where nothing trades.
    rationing : str
        How the energy of a cut level is shared out, a key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Fills
    """
    count = len(books.book)
    filled, amount, paid = (np.empty(count, dtype=np.int64) for _ in range(3))
    reason = np.empty(count, dtype=np.uint8)
    inputs = (books.book, books.side, books.price, books.energy, _verdicts(levels, price))
    over_chunks(books.kernel.fill, count, filled, amount, paid, reason, *inputs)
    rows = books.by_arrival(np.flatnonzero(reason == CUT))
    if len(rows):
        book, sells = books.book[rows], books.side[rows] == 1
        shares = np.where(sells, levels.ask_fill[book], levels.bid_fill[book])
        totals = np.where(sells, levels.ask_total[book], levels.bid_total[book])
        filled[rows] = RATIONINGS[rationing](CutLevels(books, rows, shares, totals))
        amount[rows] = filled[rows] * paid[rows]
        part = np.where(filled[rows] < books.energy[rows], PARTLY, FILLED)
        reason[rows] = np.where(filled[rows] > 0, part, RATIONED)
    return Fills(filled, amount, paid, reason)


def _verdicts(levels: Levels, price: Int64s) -> Int64s:
    """Return what decides an order, one row per book and side: marginal level, the same if it is cut, price.

    All three are merits, less being better: the limit on the sell side, its negative on the buy side. Orders up to the
    first trade; of the others, those up to the third have a limit as good as the price.
    """
    verdicts = np.full((2 * len(price), 3), NONE, dtype=np.int64)
    trading = levels.energy > 0
    for side, sign, last, is_cut, others in (
        (0, -1, levels.bid_last, levels.bid_fill < levels.bid_total, levels.supply),
        (1, 1, levels.ask_last, levels.ask_fill < levels.ask_total, levels.demand),
    ):
        rows = verdicts[side::2]
        rows[trading, 0] = sign * last[trading]
        rows[is_cut, 1] = sign * last[is_cut]
        rows[:, 2] = np.where(trading, sign * price, np.where(others > 0, NONE, NOBODY))
    return verdicts
