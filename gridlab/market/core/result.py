"""What a clearing returns: the frames of prices, fills and trades, and the object that holds them."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import NONE, REASONS, Levels
from gridlab.market.core.pairing import Pairs
from gridlab.market.core.pricing import BookPrices

__all__ = ["REASON", "Clearing", "fills_frame", "prices_frame", "trades_frame"]

Int64s = npt.NDArray[np.int64]

REASON = pl.Enum(list(REASONS))


@dataclass(frozen=True, repr=False, eq=False)
class Clearing:
    """The outcome of a clearing: three frames.

    Attributes
    ----------
    rule : str
        Rule that cleared the orders.
    prices : polars.DataFrame
        One row per book, sorted by the `by` columns: these, then ``price``, ``price_low``, ``price_high`` (THB/MWh,
        null where nothing trades), ``energy``, ``demand``, ``supply`` (Wh), ``welfare``, ``buyer_surplus``,
        ``seller_surplus``, ``operator_surplus`` (micro-THB; the last three sum to ``welfare``).
    fills : polars.DataFrame
        One row per order, in the order of the rows given: ``order_id``, the `by` columns, ``account``, ``side``,
        ``limit`` (the order's own price), ``energy``, ``filled`` (Wh), ``price`` (null where unfilled; the mean,
        rounded down, where an order trades at several), ``amount`` (micro-THB, exact), ``reason``, then every other
        column given. ``amount`` is what the buyer pays or the seller gets, with one sign for both: it is below 0 only
        where the price is, when the seller pays the buyer.
    """

    rule: str
    prices: pl.DataFrame
    fills: pl.DataFrame
    _pair: Callable[[], pl.DataFrame] = field(repr=False)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Pairs of buys and sells in merit order, made when first asked for (polars.DataFrame).

        The `by` columns, then ``buyer``, ``seller`` (accounts), ``buy_order``, ``sell_order``, ``energy`` (Wh),
        ``price`` (THB/MWh), ``amount`` (micro-THB). Rows by book, then from the best buy and sell to the last.
        """
        return self._pair()

    def summary(self) -> pl.DataFrame:
        """Return the key figures: figure, value, unit."""
        energy, welfare = int(self.prices["energy"].sum()), int(self.prices["welfare"].cast(pl.Int128).sum())
        paid = int(self.fills.filter(pl.col("side") == "buy")["amount"].cast(pl.Int128).sum())
        return pl.DataFrame(
            {
                "figure": ["books", "orders", "traded energy", "average price", "welfare"],
                "value": [
                    f"{self.prices.height:,}",
                    f"{self.fills.height:,}",
                    f"{energy / 1e3:,.3f}",
                    f"{paid / energy / 1e3:,.4f}" if energy else "–",
                    f"{welfare / 1e6:,.2f}",
                ],
                "unit": ["", "", "kWh", "THB/kWh", "THB"],
            }
        )

    def __repr__(self) -> str:
        energy = int(self.prices["energy"].sum()) / 1e3
        return (
            f"{type(self).__name__}(rule={self.rule!r}, books={self.prices.height:,}, orders={self.fills.height:,}, "
            f"traded={energy:,.3f} kWh)"
        )

    @property
    def _caption(self) -> str:
        return f"Clearing by rule {self.rule}"

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in self.summary().rows()
        )
        return f"<table><caption>{html.escape(self._caption)}</caption><tbody>{cells}</tbody></table>"


def prices_frame(books: Books, levels: Levels, prices: BookPrices, buyers: Int64s, sellers: Int64s) -> pl.DataFrame:
    """Return one row per book.

    Parameters
    ----------
    books : Books
    levels : Levels
    prices : BookPrices
    buyers, sellers : ndarray of int64, shape (books.count,)
        Surplus of either side (micro-THB). What is left of the welfare is the operator's.
    """
    welfare = levels.bid_value - levels.ask_value
    columns = {
        "price": prices.price,
        "price_low": prices.low,
        "price_high": prices.high,
        "energy": levels.energy,
        "demand": levels.demand,
        "supply": levels.supply,
        "welfare": welfare,
        "buyer_surplus": buyers,
        "seller_surplus": sellers,
        "operator_surplus": welfare - buyers - sellers,
    }
    # Copies: the rows of the level table are views of one block, and a frame should not keep all of it alive.
    frame = pl.DataFrame([*books.keys, *(pl.Series(name, values.copy()) for name, values in columns.items())])
    limits = pl.col("price", "price_low", "price_high")
    return frame.with_columns(pl.when(limits != NONE).then(limits))


def fills_frame(books: Books, fills: Fills) -> pl.DataFrame:
    """Return one row per order, in the order of the frame's rows; columns of the frame are shared, not copied."""
    orders = books.orders
    heads = dict.fromkeys(["order_id", *books.by, "account", "side"])
    results = [
        orders["price"].alias("limit"),
        orders["energy"],
        pl.Series("filled", fills.filled),
        pl.Series("price", fills.paid),
        pl.Series("amount", fills.amount),
        pl.Series("reason", fills.reason).cat.to(REASON),
    ]
    rest = [name for name in orders.columns if name not in heads and name not in ("price", "energy")]
    frame = pl.DataFrame([*(orders[name] for name in heads), *results, *(orders[name] for name in rest)])
    return frame.with_columns(pl.when(pl.col("filled") > 0).then(pl.col("price")))


def trades_frame(books: Books, pairs: Pairs, price: Int64s) -> pl.DataFrame:
    """Return one row per pair.

    Parameters
    ----------
    books : Books
    pairs : Pairs
    price : ndarray of int64, shape (m,)
        Price of each pair (THB/MWh).
    """
    orders = books.orders
    keys = books.keys[books.book[pairs.buy]] if books.by else pl.DataFrame()
    columns = [
        orders["account"][pairs.buy].alias("buyer"),
        orders["account"][pairs.sell].alias("seller"),
        orders["order_id"][pairs.buy].alias("buy_order"),
        orders["order_id"][pairs.sell].alias("sell_order"),
        pl.Series("energy", pairs.energy),
        pl.Series("price", price),
        pl.Series("amount", price * pairs.energy),
    ]
    return pl.DataFrame([*keys, *columns])
