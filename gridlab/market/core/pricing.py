"""Where the price of a book comes from: exact shares of the interval between two limits.

In a market of price-takers every price between the last accepted and first rejected limits clears the same volume, so
which of them is taken is policy. The variants are listed in `PRICINGS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.market.core.kernels import NONE, Levels

__all__ = ["PRICINGS", "BookPrices", "exact_share", "point_between", "price_books"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class BookPrices:
    """Prices of the books that trade (int64 arrays, THB/MWh; `NONE` where nothing trades)."""

    price: Int64s
    low: Int64s
    high: Int64s


def exact_share(value: object, name: str, *, most: int | None = 1) -> Fraction:
    """Return a share as the fraction its user wrote: 0.3 is 3/10, not the nearest binary number.

    Parameters
    ----------
    value : int, float, Fraction or Decimal
    name : str
        Argument name, for the error.
    most : int or None
        Largest share allowed; None for no limit.

    Raises
    ------
    ArgumentTypeError
        `value` is not a number.
    MarketError
        `value` is below 0, above `most`, or not finite.
    """
    allowed = f"a number from 0 to {most}" if most is not None else "a number of at least 0"
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction, Decimal, np.integer, np.floating)):
        raise ArgumentTypeError(f"{name}: expected {allowed}, got {value!r} ({type(value).__name__})")
    if not (value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or math.isfinite(value)):
        raise MarketError(f"{name} = {value!r} is not a finite number; allowed: {allowed}, for instance 0.5")
    share = value if isinstance(value, Fraction) else Fraction(str(value))
    if share < 0 or (most is not None and share > most):
        raise MarketError(f"{name} = {value!r} is out of range; allowed: {allowed}, for instance 0.5")
    return share


def point_between(low: Int64s, high: Int64s, share: Fraction) -> Int64s:
    """Return ``low + floor(share * (high - low))``, exactly.

    Parameters
    ----------
    low, high : ndarray of int64
        ``low <= high``, both within -2**62 … 2**62.
    share : Fraction
        At least 0. A share above 1 may reach beyond `high`.
    """
    distance = high - low
    widest = int(distance.max(initial=0))
    if widest * share.numerator <= INT64_MAX and share.denominator <= INT64_MAX:
        return np.asarray(low + distance * share.numerator // share.denominator, dtype=np.int64)
    # Products beyond 64 bits: Python integers, book by book in C, capped at what any price can be.
    exact = low.astype(object) + distance.astype(object) * share.numerator // share.denominator
    return np.asarray(np.minimum(exact, INT64_MAX), dtype=np.int64)


def _competitive(levels: Levels) -> tuple[Int64s, Int64s]:
    """Return the interval of prices that clear the book: [max(LA sell, FR buy), min(LA buy, FR sell)]."""
    rejected_ask = np.where(levels.ask_next == NONE, levels.bid_last, levels.ask_next)
    # NONE is below every price, so a missing first rejected buy never wins the maximum.
    return np.maximum(levels.ask_last, levels.bid_next), np.minimum(levels.bid_last, rejected_ask)


def _by_competitive(levels: Levels, k: Fraction, _: Fraction) -> BookPrices:
    low, high = _competitive(levels)
    return BookPrices(point_between(low, high, k), low, high)


def _by_marginal_accepted(levels: Levels, k: Fraction, _: Fraction) -> BookPrices:
    low, high = levels.ask_last, levels.bid_last
    return BookPrices(point_between(low, high, k), low, high)


def _by_last_ask(levels: Levels, _: Fraction, __: Fraction) -> BookPrices:
    return BookPrices(levels.ask_last, levels.ask_last, levels.bid_last)


def _by_last_bid(levels: Levels, _: Fraction, __: Fraction) -> BookPrices:
    return BookPrices(levels.bid_last, levels.ask_last, levels.bid_last)


def _by_first_rejected(levels: Levels, k: Fraction, _: Fraction) -> BookPrices:
    bid = np.where(levels.bid_next == NONE, levels.ask_last, levels.bid_next)
    ask = np.where(levels.ask_next == NONE, levels.bid_last, levels.ask_next)
    candidate = point_between(bid, ask, k)
    return BookPrices(np.clip(candidate, levels.ask_last, levels.bid_last), *_competitive(levels))


def _by_seller_share(levels: Levels, _: Fraction, r: Fraction) -> BookPrices:
    price = np.minimum(point_between(levels.ask_last, levels.bid_last, r), levels.bid_last)
    return BookPrices(price, levels.ask_last, levels.bid_last)


PRICINGS: dict[str, Callable[[Levels, Fraction, Fraction], BookPrices]] = {
    "competitive": _by_competitive,
    "marginal_accepted": _by_marginal_accepted,
    "last_ask": _by_last_ask,
    "last_bid": _by_last_bid,
    "first_rejected": _by_first_rejected,
    "seller_share": _by_seller_share,
}


def price_books(levels: Levels, pricing: str, k: Fraction, r: Fraction) -> BookPrices:
    """Price each book by one of the variants; LA and FR are last accepted and first rejected limits.

    ======================  ====================================================================  ==================
    variant                 price                                                                 price_low, _high
    ======================  ====================================================================  ==================
    ``competitive``         ``low + floor(k * (high - low))`` of the competitive interval         competitive
    ``marginal_accepted``   ``LA sell + floor(k * (LA buy - LA sell))``                           LA sell, LA buy
    ``last_ask``            ``LA sell``                                                           LA sell, LA buy
    ``last_bid``            ``LA buy``                                                            LA sell, LA buy
    ``first_rejected``      ``FR buy + floor(k * (FR sell - FR buy))``, within LA sell … LA buy   competitive
    ``seller_share``        ``LA sell + floor(r * (LA buy - LA sell))``, at most LA buy           LA sell, LA buy
    ======================  ====================================================================  ==================

    The competitive interval is ``max(LA sell, FR buy) … min(LA buy, FR sell)`` (k-double auction: Chatterjee and
    Samuelson 1983); a missing FR bounds nothing. ``first_rejected`` is the candidate price of McAfee (1992), where a
    missing FR buy reads as LA sell and a missing FR sell as LA buy. Every variant stays within LA sell … LA buy, so
    nobody trades at a price worse than his limit.

    Parameters
    ----------
    levels : Levels
    pricing : str
        A key of `PRICINGS`.
    k, r : Fraction
        Share of the interval, 0 to 1; seller's share, at least 0.
    """
    trading = np.flatnonzero(levels.energy)
    found = PRICINGS[pricing](levels.of(trading), k, r)
    result = BookPrices(*(np.full(len(levels.energy), NONE, dtype=np.int64) for _ in range(3)))
    result.price[trading], result.low[trading], result.high[trading] = found.price, found.low, found.high
    return result
