"""The rule ``uniform``: everybody in a book trades at one price (pay-as-clear, k-double auction)."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import fill_orders
from gridlab.market.core.matching import meet
from gridlab.market.core.pairing import pair_orders
from gridlab.market.core.pricing import price_books
from gridlab.market.core.result import Clearing, fills_frame, prices_frame, trades_frame

__all__ = ["clear_uniform"]

Int64s = npt.NDArray[np.int64]


def clear_uniform(books: Books, *, k: Fraction, pricing: str, rationing: str, r: Fraction) -> Clearing:
    """Clear every book at one price.

    The volume is the largest that can trade, v* = max over p of min(D(p), S(p)); see
    `gridlab.market.core.pricing.price_books` for the price. The price is budget-balanced: the operator's surplus is 0.

    Parameters
    ----------
    books : Books
    k, r : Fraction
        Share of the price interval, and seller's share (pricing ``seller_share``).
    pricing, rationing : str
        Keys of `PRICINGS` and `RATIONINGS`.

    Returns
    -------
    Clearing
    """
    levels = meet(books)
    prices = price_books(levels, pricing, k, r)
    fills = fill_orders(books, levels, prices.price, rationing)
    turnover = np.where(levels.energy > 0, prices.price, 0) * levels.energy
    surplus = (levels.bid_value - turnover, turnover - levels.ask_value)
    pair = partial(_trades, books, fills.filled, prices.price)
    return Clearing("uniform", prices_frame(books, levels, prices, *surplus), fills_frame(books, fills), pair)


def _trades(books: Books, filled: Int64s, price: Int64s) -> pl.DataFrame:
    pairs = pair_orders(books, filled)
    return trades_frame(books, pairs, price[books.book[pairs.buy]])
