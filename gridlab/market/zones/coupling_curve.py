"""The net curve of a zone: how much it exports at each price.

Every limit of a book is a step. A step of price p is as wide as the energy asked and bid there, for as the price passes
p, sells of that limit start to run and buys of that limit stop: both free energy for export. One step per distinct
price, with asks and bids together, is all that coupling needs to know of a book.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books

__all__ = ["NetCurve", "Steps", "net_curve"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Steps:
    """Where a curve stands at a price: what runs for certain, and what the price leaves open (Wh).

    Attributes
    ----------
    ask_before, bid_before : ndarray of int64
        Energy of sells below, and of buys above, the price.
    ask_at, bid_at : ndarray of int64
        Energy of sells and of buys whose limit is the price.
    """

    ask_before: Int64s
    bid_before: Int64s
    ask_at: Int64s
    bid_at: Int64s

    @property
    def least(self) -> Int64s:
        """Lowest net export that the price allows (Wh)."""
        return self.ask_before - self.bid_before - self.bid_at

    @property
    def most(self) -> Int64s:
        """Highest net export that the price allows (Wh)."""
        return self.ask_before + self.ask_at - self.bid_before


@dataclass(frozen=True, slots=True)
class NetCurve:
    """Net curves of many books side by side.

    Attributes
    ----------
    first : ndarray of int64, shape (books + 1,)
        Steps of book b are ``first[b]`` to ``first[b + 1]``.
    price : ndarray of int64, shape (steps,)
        Price of each step (THB/MWh), rising within a book.
    bid, ask : ndarray of int64, shape (steps,)
        Energy bid and asked at it (Wh); their sum is above 0.
    asks, bids : ndarray of int64, shape (steps + 1,)
        Running sums of `ask` and `bid` over all books.
    """

    first: Int64s
    price: Int64s
    bid: Int64s
    ask: Int64s
    asks: Int64s
    bids: Int64s

    @property
    def demand(self) -> Int64s:
        """Energy bid in each book (Wh)."""
        return self.bids[self.first[1:]] - self.bids[self.first[:-1]]

    @property
    def supply(self) -> Int64s:
        """Energy asked in each book (Wh)."""
        return self.asks[self.first[1:]] - self.asks[self.first[:-1]]

    @property
    def width(self) -> Int64s:
        """Energy of each step (Wh)."""
        return self.bid + self.ask

    @property
    def book(self) -> Int64s:
        """Book of each step."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def bounds(self, export: Int64s, lowest: int, highest: int) -> tuple[Int64s, Int64s]:
        """Return the interval of prices at which each book exports `export`.

        ``low`` is the dearest step in use, the larger of the last accepted sell and the first rejected buy; ``high``
        the cheapest step not used up, the smaller of the last accepted buy and the first rejected sell. A step in use
        but not used up counts as both.

        Parameters
        ----------
        export : ndarray of int64, shape (books,)
            Net export (Wh), from minus demand to supply.
        lowest, highest : int
            Stand for the bound that a book without such a step does not have (THB/MWh).
        """
        used, unused = self._around(export)
        low, high = np.full_like(export, lowest), np.full_like(export, highest)
        low[used >= 0] = self.price[used[used >= 0]]
        high[unused >= 0] = self.price[unused[unused >= 0]]
        return low, high

    def at(self, export: Int64s, price: Int64s) -> Steps:
        """Return where each book stands at a price that lies in its interval for `export`."""
        used, unused = self._around(export)
        step = np.full_like(used, -1)
        for candidate in (unused, used):
            here = candidate >= 0
            here[here] = self.price[candidate[here]] == price[here]
            step[here] = candidate[here]
        exists = step >= 0
        edge = np.where(used >= 0, used + 1, self.first[:-1])
        below, above = np.where(exists, step, edge), np.where(exists, step + 1, edge)
        ask_at, bid_at = np.zeros_like(export), np.zeros_like(export)
        ask_at[exists], bid_at[exists] = self.ask[step[exists]], self.bid[step[exists]]
        return Steps(
            ask_before=self.asks[below] - self.asks[self.first[:-1]],
            bid_before=self.bids[self.first[1:]] - self.bids[above],
            ask_at=ask_at,
            bid_at=bid_at,
        )

    def _around(self, export: Int64s) -> tuple[Int64s, Int64s]:
        """Return the last step in use and the first not used up of each book; -1 where there is none."""
        start, end = self.first[:-1], self.first[1:]
        totals = self.asks + self.bids
        target = totals[start] + self.demand + export
        used = np.searchsorted(totals, target, side="left") - 1
        unused = np.searchsorted(totals, target, side="right") - 1
        return np.where(used >= start, used, -1), np.where(unused < end, unused, -1)


def net_curve(books: Books) -> NetCurve:
    """Return the net curves of books; here a number below ``books.count`` may be a book without orders."""
    sells, energy = books.side == 1, books.energy
    sides = {"bid": np.where(sells, 0, energy), "ask": np.where(sells, energy, 0)}
    steps = (
        pl.DataFrame({"book": books.book, "price": books.price, **sides})
        .group_by("book", "price")
        .agg(pl.col("bid", "ask").sum())
        .sort("book", "price")
    )
    bid, ask = steps["bid"].to_numpy(), steps["ask"].to_numpy()
    start = np.zeros(1, dtype=np.int64)
    return NetCurve(
        first=np.searchsorted(steps["book"].to_numpy(), np.arange(books.count + 1)).astype(np.int64),
        price=steps["price"].to_numpy(),
        bid=bid,
        ask=ask,
        asks=np.concatenate((start, np.cumsum(ask))),
        bids=np.concatenate((start, np.cumsum(bid))),
    )
