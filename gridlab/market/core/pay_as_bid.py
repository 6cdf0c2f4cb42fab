"""The rule ``pay_as_bid``: the efficient set of orders, paired in merit order, each pair at its own price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills, fill_orders
from gridlab.market.core.kernels import NONE, Levels
from gridlab.market.core.matching import meet
from gridlab.market.core.pairing import Pairs, pair_orders
from gridlab.market.core.pricing import BookPrices, point_between
from gridlab.market.core.result import Clearing, fills_frame, prices_frame, trades_frame

__all__ = ["clear_pay_as_bid"]

Int64s = npt.NDArray[np.int64]


def clear_pay_as_bid(books: Books, *, k: Fraction, rationing: str) -> Clearing:
    """Clear every book pair by pair.

    The orders that trade, and how much of them, are those of the rule ``uniform``. They are paired best buy with best
    sell, and a pair trades at ``sell + floor(k * (buy - sell))``: k = 1 is the buyer's limit, k = 0 the seller's. An
    order's ``amount`` is the sum over its pairs, exact; its ``price``, and the book's, is that over the energy, rounded
    down, so it never passes the order's limit. ``price_low`` and ``price_high`` are the lowest and highest price of a
    pair.

    Parameters
    ----------
    books : Books
    k : Fraction
        Share of the pair's margin that goes to the seller, 0 to 1.
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Clearing
    """
    levels = meet(books)
    # The last accepted buy's limit stands in for a price: no refused order is as good, so none counts as rationed.
    fills = fill_orders(books, levels, levels.bid_last, rationing)
    pairs = pair_orders(books, fills.filled)
    price = point_between(books.price[pairs.sell], books.price[pairs.buy], k)
    amount = price * pairs.energy
    return Clearing(
        "pay_as_bid",
        _prices(books, levels, pairs, price, amount),
        fills_frame(books, _own_amounts(fills, pairs, amount)),
        partial(trades_frame, books, pairs, price),
    )


def _own_amounts(fills: Fills, pairs: Pairs, amount: Int64s) -> Fills:
    """Return the fills with each order's own amount and mean price."""
    own, paid = np.zeros_like(fills.amount), np.zeros_like(fills.paid)
    for rows in (pairs.buy, pairs.sell):
        firsts = np.flatnonzero(np.diff(rows, prepend=-1))
        own[rows[firsts]] = np.add.reduceat(amount, firsts) if len(firsts) else 0
    traded = fills.filled > 0
    np.floor_divide(own, fills.filled, out=paid, where=traded)
    return replace(fills, amount=own, paid=paid)


def _prices(books: Books, levels: Levels, pairs: Pairs, price: Int64s, amount: Int64s) -> pl.DataFrame:
    book = books.book[pairs.buy]
    firsts = np.flatnonzero(np.diff(book, prepend=-1))
    turnover = np.zeros(books.count, dtype=np.int64)
    found = BookPrices(*(np.full(books.count, NONE, dtype=np.int64) for _ in range(3)))
    if len(firsts):
        trading = book[firsts]
        turnover[trading] = np.add.reduceat(amount, firsts)
        found.price[trading] = turnover[trading] // levels.energy[trading]
        found.low[trading] = np.minimum.reduceat(price, firsts)
        found.high[trading] = np.maximum.reduceat(price, firsts)
    return prices_frame(books, levels, found, levels.bid_value - turnover, turnover - levels.ask_value)
