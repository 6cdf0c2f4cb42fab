"""The rule ``vcg``: the efficient energy, everybody paid for what he adds to the others (Vickrey, Clarke, Groves).

W. Vickrey, "Counterspeculation, auctions, and competitive sealed tenders", Journal of Finance 16(1), 1961, 8-37;
E. H. Clarke, "Multipart pricing of public goods", Public Choice 11, 1971, 17-33; T. Groves, "Incentives in teams",
Econometrica 41(4), 1973, 617-631. That truthful, efficient, individually rational trade cannot balance its budget:
R. B. Myerson and M. A. Satterthwaite, "Efficient mechanisms for bilateral trading", Journal of Economic Theory 29(2),
1983, 265-281.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills, fill_orders
from gridlab.market.core.matching import meet
from gridlab.market.core.packing import merit_words
from gridlab.market.core.parallel import sort_in_place
from gridlab.market.core.pricing import price_books
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.displaced import Queue
from gridlab.market.truthful_auctions.two_prices import BookSums, add_by_side, mean_prices, two_price_clearing

__all__ = ["clear_vcg"]

Int64s = npt.NDArray[np.int64]


def clear_vcg(books: Books, *, rationing: str) -> Clearing:
    """Clear every book by the Vickrey-Clarke-Groves mechanism.

    The orders that trade, and how much of them, are those of the rule ``uniform``. With W the welfare of the book and
    W_-i the best welfare of the others without order i, which trades x_i::

        a buyer pays   W_-i - (W - v_i x_i)          a seller gets   (W + c_i x_i) - W_-i

    That is what his x_i Wh would have been worth to those whom he displaces. Lay all orders of a book, buys and sells,
    from the highest limit to the lowest; the energy there is belongs to the first of them. A buyer pays the limits of
    the next x_i Wh behind that line, his own left out; a seller gets those of the last x_i Wh before it.

    **Truthful** in limit and energy for one order per account and book. Nobody trades at a loss. Buyers pay less than
    sellers get: the deficit stands in ``operator_surplus``, below 0, and somebody outside the market has to bear it.

    Parameters
    ----------
    books : Books
    rationing : str
        How a cut level is shared out, a key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Clearing
        An order's price is its amount over its energy, rounded down.
    """
    levels = meet(books)
    half = Fraction(1, 2)
    fills = fill_orders(books, levels, price_books(levels, "competitive", half, half).price, rationing)
    rows = np.flatnonzero(fills.filled)
    amounts = _displaced(books, levels.supply, fills.filled, rows)
    payments = add_by_side(books, rows, amounts)
    values = np.stack((levels.bid_value, levels.ask_value))
    sums = BookSums(levels.energy, values, payments, mean_prices(levels.energy, payments))
    return two_price_clearing("vcg", books, levels, _own_amounts(fills, rows, amounts), sums)


def _displaced(books: Books, supply: Int64s, filled: Int64s, rows: Int64s) -> Int64s:
    """Return what the filled orders in `rows` pay or get (micro-THB)."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    order = _by_value(books)
    energy = books.energy[order]
    queue = Queue.of(books.price[order], energy)
    offered = np.zeros(books.count, dtype=np.int64)
    np.add.at(offered, books.book, books.energy)
    line = (np.cumsum(offered) - offered + supply)[books.book[rows]]
    wanted, limit = books.energy[rows], books.price[rows]
    buys = books.side[rows] == 0
    # The order's own rest stands right at the line, at its own limit: count it in, then take it out.
    start, stop = np.where(buys, line, line - wanted), np.where(buys, line + wanted, line)
    return queue.between(start, stop) - (wanted - filled[rows]) * limit


def _by_value(books: Books) -> Int64s:
    """Return all rows by book and then from the highest limit to the lowest, buys first among equals."""
    count = len(books.book)
    bits = (count - 1).bit_length()
    tail = (books.side.astype(np.int64) << bits) | np.arange(count)
    packed = merit_words(replace(books, side=np.zeros_like(books.side)), tail, bits + 1)
    if packed is None:
        return np.lexsort((books.side, -books.price, books.book))
    sort_in_place(packed.words)
    return (packed.words & np.uint64((1 << bits) - 1)).view(np.int64)


def _own_amounts(fills: Fills, rows: Int64s, amounts: Int64s) -> Fills:
    amount, paid = np.zeros_like(fills.amount), np.zeros_like(fills.paid)
    amount[rows] = amounts
    paid[rows] = amounts // fills.filled[rows]
    return replace(fills, amount=amount, paid=paid)
