"""Clearings in which buyers and sellers need not meet at one price: what they share in prices, fills and trades."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import NONE, REASONS, Levels
from gridlab.market.core.pairing import Pairs, pair_orders
from gridlab.market.core.pricing import BookPrices
from gridlab.market.core.result import Clearing, fills_frame, prices_frame, trades_frame

__all__ = ["REDUCED", "TRUTHFUL_REASON", "BookSums", "add_by_side", "mean_prices", "two_price_clearing"]

Int64s = npt.NDArray[np.int64]

# An order of the efficient set that the mechanism leaves out, so that it can set a price without gaining by it.
REDUCED = len(REASONS)
TRUTHFUL_REASON = pl.Enum(["filled", "partly: rationed", *REASONS[2:], "reduced"])


@dataclass(frozen=True, slots=True)
class BookSums:
    """What trades in each book; row 0 of the arrays of shape (2, books) is for the buys, row 1 for the sells.

    Attributes
    ----------
    volume : ndarray of int64, shape (books,)
        Energy traded (Wh).
    values : ndarray of int64, shape (2, books)
        Value of it at the orders' limits (micro-THB).
    payments : ndarray of int64, shape (2, books)
        What buyers pay, and what sellers get (micro-THB).
    price : ndarray of int64, shape (2, books)
        Price per side (THB/MWh); `NONE` where nothing trades.
    """

    volume: Int64s
    values: Int64s
    payments: Int64s
    price: Int64s


def add_by_side(books: Books, rows: Int64s, amounts: Int64s) -> Int64s:
    """Return the sums of `amounts`, which belong to `rows`, by side and book (int64, shape (2, books))."""
    sums = np.zeros((2, books.count), dtype=np.int64)
    np.add.at(sums, (books.side[rows], books.book[rows]), amounts)
    return sums


def mean_prices(volume: Int64s, payments: Int64s) -> Int64s:
    """Return what a MWh costs buyers and brings sellers on average, rounded down (THB/MWh, shape (2, books))."""
    return np.where(volume > 0, payments // np.maximum(volume, 1), NONE)


def two_price_clearing(rule: str, books: Books, levels: Levels, fills: Fills, sums: BookSums) -> Clearing:
    """Return the clearing of orders that were filled at the prices of their side, or at prices of their own.

    Parameters
    ----------
    rule : str
    books : Books
    levels : Levels
        Of the efficient volume, the yardstick for the welfare.
    fills : Fills
        Reasons are positions in `TRUTHFUL_REASON`.
    sums : BookSums

    Returns
    -------
    Clearing
        `prices` has, beside the usual columns, ``price_buy``, ``price_sell`` (THB/MWh, mean price of a side rounded
        down), ``best_welfare`` (micro-THB, at limits, of the efficient volume) and ``welfare_share`` (Float64; null
        where there is no welfare to be had). ``price`` is the middle of the two prices, rounded down, ``price_low`` and
        ``price_high`` the lower and the higher of them. ``operator_surplus`` is what buyers pay beyond what sellers
        get; below 0 it is a deficit.

        `trades` has ``price`` and ``amount`` as the seller gets them, ``price_buy`` and ``amount_buy`` as the buyer
        pays them. `fills` has each order's own price and amount.
    """
    frame = fills_frame(books, replace(fills, reason=np.zeros_like(fills.reason)))
    frame = frame.with_columns(pl.Series("reason", fills.reason).cat.to(TRUTHFUL_REASON))
    return Clearing(rule, _prices(books, levels, sums), frame, partial(_trades, books, fills.filled, fills.amount))


def _prices(books: Books, levels: Levels, sums: BookSums) -> pl.DataFrame:
    traded = Levels(levels.table.copy())
    traded.energy[:] = sums.volume
    traded.bid_value[:], traded.ask_value[:] = sums.values
    buy, sell = sums.price
    low, high = np.minimum(buy, sell), np.maximum(buy, sell)
    middle = np.where(low == NONE, NONE, low + (high - low) // 2)
    buyers, sellers = sums.values[0] - sums.payments[0], sums.payments[1] - sums.values[1]
    best = pl.Series("best_welfare", levels.bid_value - levels.ask_value)
    frame = prices_frame(books, traded, BookPrices(middle, low, high), buyers, sellers)
    sides = pl.col("price_buy", "price_sell")
    return frame.with_columns(
        pl.Series("price_buy", buy.copy()),
        pl.Series("price_sell", sell.copy()),
        best,
        welfare_share=pl.when(best != 0).then(pl.col("welfare") / best),
    ).with_columns(pl.when(sides != NONE).then(sides))


def _trades(books: Books, filled: Int64s, amount: Int64s) -> pl.DataFrame:
    pairs = pair_orders(books, filled)
    paid = _split(pairs.buy, pairs.energy, filled, amount)
    got = _split(pairs.sell, pairs.energy, filled, amount)
    energy = np.maximum(pairs.energy, 1)
    frame = trades_frame(books, Pairs(pairs.buy, pairs.sell, pairs.energy), got // energy)
    return frame.with_columns(
        pl.Series("amount", got), pl.Series("price_buy", paid // energy), pl.Series("amount_buy", paid)
    )


def _split(rows: Int64s, energy: Int64s, filled: Int64s, amount: Int64s) -> Int64s:
    """Split each order's amount over its pairs, which stand together: the sum is exact.

    An amount of ``q * filled + r`` micro-THB is q for every Wh and one more for each of the first r Wh.
    """
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    start = np.cumsum(energy) - energy
    start -= np.repeat(start[first], np.diff(first, append=len(rows)))
    quotient, remainder = np.divmod(amount[rows], filled[rows])
    share: Int64s = quotient * energy + np.clip(remainder - start, 0, energy)
    return share
