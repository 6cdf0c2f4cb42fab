"""A tiered clearing between two levels: what is left of every order, and what has traded so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills, fill_orders
from gridlab.market.core.kernels import FILLED, NO_COUNTERPARTY, NONE, PARTLY, PRICED_OUT, Levels
from gridlab.market.core.matching import meet
from gridlab.market.core.pairing import Pairs, pair_orders
from gridlab.market.core.pricing import BookPrices, price_books
from gridlab.market.core.result import prices_frame, trades_frame
from gridlab.market.local_first.landed_limits import LandedLimits
from gridlab.market.local_first.places import LEVELS, Level
from gridlab.market.local_first.sieve import number_places, rows_that_cross

__all__ = ["SUMS", "TieredResult", "TieredRun"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1

SUMS = ("energy", "demand", "supply", "bid_value", "ask_value", "turnover", "low", "high")


@dataclass(frozen=True, slots=True)
class TieredResult:
    """What a tiered clearing finds.

    Attributes
    ----------
    fills : Fills
    sums : ndarray of int64, shape (8, books)
        Rows as in `SUMS`: energy traded, demand, supply (Wh), values of the buys and of the sells that trade, at the
        limits on the energy price, turnover (micro-THB), lowest and highest price (THB/MWh).
    """

    fills: Fills
    sums: Int64s

    @staticmethod
    def empty_sums(books: int) -> Int64s:
        """Return the sums of books in which nothing has traded yet."""
        sums = np.zeros((len(SUMS), books), dtype=np.int64)
        sums[SUMS.index("low")], sums[SUMS.index("high")] = INT64_MAX, NONE
        return sums

    def prices(self, books: Books) -> pl.DataFrame:
        """Return one row per book."""
        energy, demand, supply, bid_value, ask_value, turnover, low, high = self.sums
        levels = Levels.of_books(books.count)
        levels.energy[:], levels.demand[:], levels.supply[:] = energy, demand, supply
        levels.bid_value[:], levels.ask_value[:] = bid_value, ask_value
        trades = energy > 0
        mean = np.where(trades, turnover // np.maximum(energy, 1), NONE)
        found = BookPrices(mean, np.where(trades, low, NONE), high)
        return prices_frame(books, levels, found, bid_value - turnover, turnover - ask_value)


@dataclass(frozen=True, slots=True)
class _Round:
    """What traded at one level: rows of the frame, their places' books, energy filled, and price per row."""

    level: str
    rows: Int64s
    places: Books
    filled: Int64s
    price: Int64s


class TieredRun:
    """What has traded so far.

    Parameters
    ----------
    books : Books
    k : Fraction
        Where a place's price lies in its interval, 0 to 1.
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.

    Attributes
    ----------
    left, amount : ndarray of int64, shape (n,)
        What each order still wants (Wh), and what it has paid or got (micro-THB).
    reason : ndarray of uint8, shape (n,)
        Why an order that got nothing got nothing, as of the last level.
    value : ndarray of int64, shape (2, books)
        Value of what traded, at the limits on the energy price (micro-THB): buys, sells.
    turnover, low, high : ndarray of int64, shape (books,)
        Money paid (micro-THB), lowest and highest price (THB/MWh).
    """

    def __init__(self, books: Books, k: Fraction, rationing: str) -> None:
        self.books, self.k, self.rationing = books, k, rationing
        count = len(books.book)
        self.left = books.energy.copy()
        self.amount = np.zeros(count, dtype=np.int64)
        self.reason = np.full(count, PRICED_OUT, dtype=np.uint8)
        self.value = np.zeros((2, books.count), dtype=np.int64)
        self.turnover = np.zeros(books.count, dtype=np.int64)
        self.low = np.full(books.count, INT64_MAX, dtype=np.int64)
        self.high = np.full(books.count, NONE, dtype=np.int64)
        self.rounds: list[_Round] = []

    def clear_level(self, level: Level, limits: LandedLimits) -> None:
        """Let the places of a level clear, with what is left."""
        rows, places = self._places(level, limits)
        if not len(rows):
            return
        levels = meet(places)
        price = price_books(levels, "competitive", self.k, self.k).price
        fills = fill_orders(places, levels, price, self.rationing)
        self.reason[rows] = fills.reason
        traded = np.flatnonzero(fills.filled)
        if len(traded):
            self._write(level.name, rows[traded], places.take(traded), fills.filled[traded], fills.paid[traded])

    def _places(self, level: Level, limits: LandedLimits) -> tuple[Int64s, Books]:
        """Return the rows that may trade at a level, and their places as books."""
        books = self.books
        open_rows = self.left > 0 if level.known is None else (self.left > 0) & level.known
        rows = np.flatnonzero(open_rows)
        side = books.side[rows]
        limit = books.price[rows].copy()
        buys = side == 0
        limit[buys] = limits.energy_limits(limit[buys], level.path)
        if level.place is not None:
            stay = rows_that_cross(books.book[rows], level.place[rows], side, limit)
            rows, side, limit = rows[stay], side[stay], limit[stay]
            numbers, count = number_places(books, rows, level.place[rows])
        else:
            numbers, count = books.book[rows], books.count
        names = [name for name in ("order_id", "seq") if name in books.orders.columns]
        return rows, replace(
            books,
            orders=books.orders.select(names)[rows],
            count=count,
            book=numbers,
            side=side,
            price=limit,
            energy=self.left[rows],
        )

    def _write(self, level: str, rows: Int64s, places: Books, filled: Int64s, price: Int64s) -> None:
        book, amount = self.books.book[rows], price * filled
        self.left[rows] -= filled
        self.amount[rows] += amount
        np.add.at(self.value, (places.side, book), places.price * filled)
        np.add.at(self.turnover, book, amount * (places.side == 0))
        np.minimum.at(self.low, book, price)
        np.maximum.at(self.high, book, price)
        self.rounds.append(_Round(level, rows, places, filled, price))

    def result(self) -> TieredResult:
        """Return what each order got in all levels together, and the sums of each book."""
        books = self.books
        filled = books.energy - self.left
        paid = np.where(filled > 0, self.amount // np.maximum(filled, 1), NONE)
        offered = np.zeros((2, books.count), dtype=np.int64)
        np.add.at(offered, (books.side, books.book), books.energy)
        alone = offered[1 - books.side, books.book] == 0
        refusal = np.where(alone, NO_COUNTERPARTY, self.reason)
        reason = np.where(self.left == 0, FILLED, np.where(filled > 0, PARTLY, refusal)).astype(np.uint8)
        bought = np.zeros(books.count, dtype=np.int64)
        np.add.at(bought, books.book, filled * (books.side == 0))
        sums = np.stack((bought, *offered, *self.value, self.turnover, self.low, self.high))
        return TieredResult(Fills(filled, self.amount, paid, reason), sums)

    def trades(self) -> pl.DataFrame:
        """Return the pairs of all levels."""
        frames = [trades_frame(self.books, Pairs(*(np.zeros(0, dtype=np.int64),) * 3), np.zeros(0, dtype=np.int64))]
        frames[0] = frames[0].with_columns(level=pl.lit(None, dtype=pl.Enum(LEVELS)))
        for done in self.rounds:
            pairs = pair_orders(replace(done.places, orders=self._arrival(done.rows)), done.filled)
            price = done.price[pairs.buy]
            in_frame = Pairs(done.rows[pairs.buy], done.rows[pairs.sell], pairs.energy)
            frame = trades_frame(self.books, in_frame, price)
            frames.append(frame.with_columns(level=pl.lit(done.level, dtype=pl.Enum(LEVELS))))
        return pl.concat(frames)

    def _arrival(self, rows: Int64s) -> pl.DataFrame:
        orders = self.books.orders
        return orders.select([name for name in ("order_id", "seq") if name in orders.columns])[rows]
