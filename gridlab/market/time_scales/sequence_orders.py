"""The orders between the stages of a market sequence: arrival before the gate, reserve offers, fills as positions."""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.frames import ORDERS, SIDE
from gridlab.market.core.result import Clearing
from gridlab.seeds import stream

__all__ = ["arrivals", "day_ahead_prices", "net_of_fills", "reserve_offers"]

_SESSION_MINUTES = 120
_STEPS = 5
_PPM = 1_000_000


def arrivals(orders: pl.DataFrame, *, gate_closure: int, seed: int, first_id: int) -> pl.DataFrame:
    """Let intraday orders arrive, each at a moment of its own in the last two hours before the gate closes.

    Parameters
    ----------
    orders : polars.DataFrame
        As `gridlab.frames.ORDERS`.
    gate_closure : int
        Minutes before delivery.
    seed : int
    first_id : int
        Order ids are counted from here, so that they stay unique over the stages.

    Returns
    -------
    polars.DataFrame
        The orders with new ``order_id`` and ``seq``, and ``arrival`` (Datetime), never after the gate.
    """
    ahead = stream(seed, "sequence", "arrival").integers(0, _SESSION_MINUTES * 60, orders.height, endpoint=True)
    before = pl.duration(minutes=gate_closure) + pl.duration(seconds=pl.col("ahead"))
    timed = orders.with_columns(ahead=pl.Series(ahead)).with_columns(arrival=pl.col("slot") - before)
    return timed.drop("ahead").with_columns(
        order_id=pl.int_range(first_id, first_id + pl.len(), dtype=pl.UInt64),
        seq=pl.col("arrival").rank("ordinal").cast(pl.UInt64),
    )


def net_of_fills(fills: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Return ``slot``, ``account`` and the net energy bought (Wh) as column `name`; no rows for no fills."""
    if fills is None:
        fills = ORDERS.empty().with_columns(filled=pl.lit(0, dtype=pl.Int64))
    signed = pl.when(pl.col("side") == "buy").then("filled").otherwise(-pl.col("filled"))
    return fills.group_by("slot", "account").agg(signed.sum().alias(name))


def day_ahead_prices(clearing: Clearing) -> pl.DataFrame:
    """Return ``slot``, ``zone``, ``price`` of a clearing; of mechanisms with two prices, what buyers pay."""
    prices = clearing.prices
    return prices.select("slot", "zone", price="price" if "price" in prices.columns else "price_buy")


def reserve_offers(
    books: pl.DataFrame, references: pl.DataFrame, *, account: int, size: int, step: int, fallback: int
) -> pl.DataFrame:
    """Return a reserve's balancing orders: five steps up and five down, each dearer than the one before (synthetic).

    Parameters
    ----------
    books : polars.DataFrame
        ``slot``, ``zone`` (text).
    references : polars.DataFrame
        ``slot``, ``zone``, ``price`` (THB/MWh, null where nothing traded).
    account : int
        Who offers.
    size : int
        Energy of each step (Wh).
    step : int
        How far each step's price is from the one before, in parts per million of the reference price's size.
    fallback : int
        Reference price where nothing traded (THB/MWh).

    Returns
    -------
    polars.DataFrame
        As `gridlab.frames.ORDERS`.
    """
    require_int("reserve", account, 0, 2**32 - 1)
    prices = references.select("slot", pl.col("zone").cast(pl.String), "price")
    known = books.join(prices, on=["slot", "zone"], how="left").with_columns(pl.col("price").fill_null(fallback))
    steps = pl.DataFrame({"step": range(1, _STEPS + 1)}).join(
        pl.DataFrame({"side": ["sell", "buy"], "sign": [1, -1]}, schema_overrides={"side": SIDE}), how="cross"
    )
    away = pl.col("step") * (pl.col("price").abs() * step // _PPM)
    frame = (
        known.join(steps, how="cross")
        .sort("slot", "zone", "side", "step")
        .with_row_index("order_id")
        .select(
            "order_id", "slot", "zone", "side",
            account=pl.lit(account, dtype=pl.UInt32), price=pl.col("price") + pl.col("sign") * away,
            energy=pl.lit(size, dtype=pl.Int64),
        )
    )  # fmt: skip
    return ORDERS.check(frame)
