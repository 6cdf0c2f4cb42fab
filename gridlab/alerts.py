"""Alerts: what an operator should look at after a run."""

from __future__ import annotations

import polars as pl

from gridlab import units
from gridlab.day import MarketDay
from gridlab.frames import SLOT
from gridlab.market.market import Market
from gridlab.market.protection import wash_trades

__all__ = ["ALERTS", "alerts"]

ALERTS = pl.Schema({"slot": SLOT, "zone": pl.String(), "alert": pl.String(), "detail": pl.String()})


def alerts(day: MarketDay, market: Market) -> pl.DataFrame:
    """Return the alerts of a market day.

    Parameters
    ----------
    day : MarketDay
    market : Market
        The market whose levers were in force.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone``, ``alert``, ``detail``, by slot, zone and alert: prices at floor or cap, books that the
        circuit breaker halted, accounts that a position limit cut, and pairs whose trade went round in a circle (these
        stand at the first slot, without a zone).
    """
    found = [_prices(day, market), _halts(day), _positions(day, market), _wash(day, market)]
    return pl.concat(found).sort("slot", "zone", "alert", "detail", nulls_last=True)


def _prices(day: MarketDay, market: Market) -> pl.DataFrame:
    floor, cap = market.limits()
    at_cap = pl.col("price") >= cap
    edge = day.clearing.prices.filter(at_cap | (pl.col("price") <= floor))
    name = pl.when(at_cap).then(pl.lit("price at cap")).otherwise(pl.lit("price at floor"))
    return _frame(edge, name, pl.format("{} THB/MWh", "price"))


def _halts(day: MarketDay) -> pl.DataFrame:
    return _frame(day.halts, pl.lit("trading halted"), pl.lit("circuit breaker"))


def _positions(day: MarketDay, market: Market) -> pl.DataFrame:
    wished = day.wished.group_by("slot", "zone").agg(wished=pl.col("energy").sum())
    placed = day.orders.group_by("slot", "zone").agg(placed=pl.col("energy").sum())
    cut = wished.join(placed, on=["slot", "zone"], how="left").with_columns(
        cut=pl.col("wished") - pl.col("placed").fill_null(0)
    )
    limit = f"{units.energy(market.protection.position_limit)} Wh"
    return _frame(
        cut.filter(pl.col("cut") > 0), pl.lit("position limit"), pl.format(f"{{}} Wh of orders cut at {limit}", "cut")
    )


def _wash(day: MarketDay, market: Market) -> pl.DataFrame:
    pairs = wash_trades(day.trades, ratio=units.share(market.protection.wash_ratio))
    return pairs.select(
        slot=pl.lit(day.slots[0], dtype=SLOT),
        zone=pl.lit(None, dtype=pl.String),
        alert=pl.lit("wash trade"),
        detail=pl.format("accounts {} and {}: {} and {} Wh", "account_a", "account_b", "a_to_b", "b_to_a"),
    )


def _frame(rows: pl.DataFrame, alert: pl.Expr, detail: pl.Expr) -> pl.DataFrame:
    return rows.select("slot", pl.col("zone").cast(pl.String), alert=alert, detail=detail).cast(ALERTS)
