"""Protection of the market: position limits, the circuit breaker, wash trades, market power.

Limits and breaker act before trades exist; detection only tells. Each rule is a function over whole frames, and the
levers of `Protection` set them.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gridlab import units
from gridlab.chain.emergency.book import EmergencyBook
from gridlab.errors import ArgumentTypeError
from gridlab.levers import Levers, number

__all__ = ["Protection", "halted_books", "limit_positions", "not_stopped", "pivotal_suppliers", "wash_trades"]

_GOVERNOR = "ERC"
_TEACHING = "teaching choice (S); no Thai rule is published for peer-to-peer trade"


class Protection(Levers):
    """What keeps a market fair; a lever at its lowest value switches its rule off."""

    position_limit = number(
        0.0,
        0.0,
        100_000.0,
        0.001,
        unit="kWh",
        label="Position limit per account, side and slot (0: none)",
        label_th="เพดานปริมาณต่อบัญชีต่อช่วงเวลา (0 คือไม่จำกัด)",
        source=_TEACHING,
        governed_by=_GOVERNOR,
    )
    breaker_move = number(
        0.0,
        0.0,
        500.0,
        1.0,
        unit="%",
        label="Circuit breaker: price move that halts trading (0: none)",
        label_th="Circuit breaker: ราคาขยับเท่าใดจึงหยุดซื้อขาย (0 คือไม่ใช้)",
        source=_TEACHING,
        governed_by=_GOVERNOR,
    )
    breaker_pause = number(
        4,
        1,
        96,
        1,
        unit="slots",
        label="Circuit breaker: length of a halt",
        label_th="Circuit breaker: ระยะเวลาหยุดซื้อขาย",
        source=_TEACHING,
        governed_by=_GOVERNOR,
    )
    wash_ratio = number(
        80.0,
        1.0,
        100.0,
        1.0,
        unit="%",
        label="Wash trade: energy that comes back, as a share",
        label_th="การซื้อขายอำพราง: สัดส่วนพลังงานที่ซื้อขายกลับ",
        source=_TEACHING,
        governed_by=_GOVERNOR,
    )

    def limit(self, orders: pl.DataFrame) -> pl.DataFrame:
        """Return `orders` under the position limit in force."""
        limit = units.energy(self.position_limit)
        return limit_positions(orders, limit) if limit else orders

    def halts(self, prices: pl.DataFrame) -> pl.DataFrame:
        """Return the books (``slot``, ``zone``) that the circuit breaker in force halts.

        Each delivery day is a session of its own: its gate closes at once, and its first price is no move.
        """
        if not self.breaker_move or prices.is_empty():
            return prices.select("slot", "zone").clear()
        move, pause = units.share(self.breaker_move), int(self.breaker_pause)
        days = prices.with_columns(day=pl.col("slot").dt.date()).partition_by("day", include_key=False)
        return pl.concat([halted_books(day, move=move, pause=pause) for day in days]).sort("slot", "zone")


def limit_positions(orders: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Cut orders so that no account bids for, or offers, more than `limit` Wh in a slot.

    Parameters
    ----------
    orders : polars.DataFrame
        As `gridlab.frames.ORDERS`.
    limit : int
        Wh per slot, account and side; earlier orders (``seq``, else ``order_id``) count first.

    Returns
    -------
    polars.DataFrame
        The orders in their order, with ``energy`` cut; an order of which nothing is left is gone.
    """
    arrival = "seq" if "seq" in orders.columns else "order_id"
    before = pl.col("energy").cum_sum().over("slot", "account", "side", order_by=[arrival, "order_id"])
    room = limit - (before - pl.col("energy"))
    return orders.with_columns(energy=pl.min_horizontal("energy", room)).filter(pl.col("energy") > 0)


def halted_books(prices: pl.DataFrame, *, move: int, pause: int) -> pl.DataFrame:
    """Return the books that a circuit breaker halts.

    In each zone the last traded price is the reference. A slot whose price would differ from it by more than `move`
    does not trade, nor do the slots after it until `pause` slots have passed; then trading resumes, and the first
    price after the halt is taken as it comes and becomes the reference.

    Parameters
    ----------
    prices : polars.DataFrame
        ``slot``, ``zone``, ``price`` (THB/MWh, null where nothing trades); every book as if no breaker existed.
    move : int
        Largest move, parts per million of the reference's size.
    pause : int
        Length of a halt in slots of `prices`.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone`` of the halted books.
    """
    if prices.is_empty():
        return prices.select("slot", "zone")
    table = prices.pivot("zone", index="slot", values="price", sort_columns=True).sort("slot")
    values = table.drop("slot").cast(pl.Float64).to_numpy()  # (slots, zones); prices are far below 2**53
    halted = np.zeros(values.shape, dtype=np.bool_)
    reference = np.full(values.shape[1], np.nan)
    remaining = np.zeros(values.shape[1], dtype=np.int64)
    for slot, price in enumerate(values):  # a halt depends on the slot before; each step is all zones at once
        waiting = remaining > 0
        moved = ~waiting & (np.abs(price - reference) * 1_000_000 > move * np.abs(reference))
        halted[slot] = waiting | moved
        remaining = np.where(moved, pause - 1, np.maximum(remaining - 1, 0))
        resumes = halted[slot] & (remaining == 0)
        reference = np.where(
            halted[slot], np.where(resumes, np.nan, reference), np.where(np.isnan(price), reference, price)
        )
    flags = pl.DataFrame(halted, schema=table.columns[1:]).with_columns(table["slot"])
    return (
        flags.unpivot(index="slot", variable_name="zone", value_name="halted")
        .filter("halted")
        .select("slot", pl.col("zone").cast(prices["zone"].dtype))
        .join(prices.select("slot", "zone"), on=["slot", "zone"], how="semi")
        .sort("slot", "zone")
    )


def not_stopped(orders: pl.DataFrame, emergency: EmergencyBook) -> pl.DataFrame:
    """Return the orders that may meet under the emergency stops of a chain, as its gate closure takes them.

    A market that is computed beside the chain leaves out the others before it clears, and then makes the same trades.

    Parameters
    ----------
    orders : polars.DataFrame
        ``slot``, ``zone`` and whatever else orders have.
    emergency : EmergencyBook
        As `gridlab.chain.ConsortiumChain.emergency` when the gate closes.

    Raises
    ------
    ArgumentTypeError
        `emergency` is not an `EmergencyBook`.
    """
    if not isinstance(emergency, EmergencyBook):
        raise ArgumentTypeError(
            f"emergency is a {type(emergency).__name__}, allowed: an EmergencyBook such as chain.emergency"
        )
    return orders.filter(pl.Series(~emergency.barred(orders), dtype=pl.Boolean))


def wash_trades(trades: pl.DataFrame, *, ratio: int) -> pl.DataFrame:
    """Return pairs of accounts whose trade goes round in a circle: each sold the other about what it bought.

    Parameters
    ----------
    trades : polars.DataFrame
        ``buyer``, ``seller``, ``energy`` (Wh).
    ratio : int
        Least share, in parts per million, that the smaller direction has of the larger.

    Returns
    -------
    polars.DataFrame
        ``account_a`` < ``account_b`` (equal for a self-trade), ``a_to_b``, ``b_to_a`` (Wh), largest first.
    """
    a, b = pl.min_horizontal("buyer", "seller"), pl.max_horizontal("buyer", "seller")
    sold_by_a = pl.col("energy").filter(pl.col("seller") == pl.col("account_a")).sum()
    sold_by_b = pl.col("energy").filter(pl.col("seller") == pl.col("account_b")).sum()
    smaller, larger = pl.min_horizontal("a_to_b", "b_to_a"), pl.max_horizontal("a_to_b", "b_to_a")
    return (
        trades.drop_nulls(["buyer", "seller"])
        .select("buyer", "seller", "energy", account_a=a, account_b=b)
        .group_by("account_a", "account_b")
        .agg(a_to_b=sold_by_a, b_to_a=sold_by_b)
        .filter((smaller > 0) & (smaller * 1_000_000 >= larger * ratio))
        .sort(smaller, "account_a", "account_b", descending=[True, False, False])
    )


def pivotal_suppliers(orders: pl.DataFrame) -> pl.DataFrame:
    """Return how much each book depends on its largest seller.

    The residual supply index is ``(supply - supply of the largest seller) / demand`` (Sheffrin 2002); a seller is
    pivotal where demand exceeds what the others offer.

    Parameters
    ----------
    orders : polars.DataFrame
        As `gridlab.frames.ORDERS`.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone``, ``demand``, ``supply`` (Wh), ``residual_supply_index`` (null without demand), ``pivotal``
        (number of pivotal sellers); books without a seller are left out.
    """
    books = ["slot", "zone"]
    demand = orders.filter(pl.col("side") == "buy").group_by(books).agg(demand=pl.col("energy").sum())
    sellers = orders.filter(pl.col("side") == "sell").group_by([*books, "account"]).agg(pl.col("energy").sum())
    others = pl.col("supply") - pl.col("energy")
    return (
        sellers.with_columns(supply=pl.col("energy").sum().over(books))
        .join(demand, on=books, how="left")
        .with_columns(pl.col("demand").fill_null(0))
        .group_by(books)
        .agg(
            pl.col("demand", "supply").first(),
            residual_supply_index=pl.when(pl.col("demand").first() > 0).then(others.min() / pl.col("demand").first()),
            pivotal=(pl.col("demand") > others).sum().cast(pl.Int64),
        )
        .sort(books)
    )
