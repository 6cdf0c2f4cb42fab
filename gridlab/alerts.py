"""Alerts: what an operator should look at after a run, in the market, in the vote and in the oracle network."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gridlab import units
from gridlab.day import MarketDay
from gridlab.frames import SLOT
from gridlab.market.market import Market
from gridlab.market.protection import wash_trades

__all__ = ["ALERTS", "SEVERITIES", "alerts", "oracle_alerts", "vote_alerts"]

SEVERITIES = pl.Enum(["info", "warning", "critical"])
ALERTS = pl.Schema(
    {"slot": SLOT, "zone": pl.String(), "alert": pl.String(), "detail": pl.String(), "severity": SEVERITIES}
)
_SEVERITY = {
    "price at cap": "warning",
    "price at floor": "warning",
    "trading halted": "critical",
    "position limit": "info",
    "wash trade": "warning",
    "low turnout": "warning",
    "asked in vain": "info",
    "lever not moved": "critical",
}


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
        ``slot``, ``zone``, ``alert``, ``detail``, ``severity``, by slot, zone and alert: prices at floor or cap, books
        that the circuit breaker halted, accounts that a position limit cut, and pairs whose trade went round in a
        circle (these stand at the first slot, without a zone).
    """
    found = [_prices(day, market), _halts(day), _positions(day, market), _wash(day, market)]
    return pl.concat(found).sort("slot", "zone", "alert", "detail", nulls_last=True)


def vote_alerts(
    referenda: pl.DataFrame,
    moved: pl.DataFrame,
    refused: pl.DataFrame,
    *,
    electorate: int,
    turnout: float,
    start: datetime,
) -> pl.DataFrame:
    """Return the alerts of what was voted in a run, as `ALERTS`.

    Parameters
    ----------
    referenda : polars.DataFrame
        As `gridlab.governance.views.referendum_frame`.
    moved : polars.DataFrame
        As `gridlab.recording.MOVES`.
    refused : polars.DataFrame
        What the agenda asked for in vain.
    electorate : int
        micro-GRID that could have voted.
    turnout : float
        Share of it (%) below which a decided referendum is told of.
    start : datetime
        Of the run.
    """
    share = 100 * pl.col("turnout") / electorate
    few = referenda.filter(pl.col("ended").is_not_null(), pl.lit(electorate > 0), share < turnout)
    ended = pl.col("ended").dt.convert_time_zone("Asia/Bangkok").dt.truncate("15m")
    detail = pl.format("referendum {}: {} % of all GRID voted", "referendum", share.round(1))
    rows = [
        _frame(few.select(slot=ended, zone=pl.lit(None), detail=detail), pl.lit("low turnout"), pl.col("detail")),
        _frame(
            moved.filter(pl.col("failed") != "").with_columns(zone=pl.lit(None)),
            pl.lit("lever not moved"),
            pl.format("{}: {}", "path", "failed"),
        ),
        _frame(
            refused.with_columns(slot=pl.lit(start, dtype=SLOT), zone=pl.lit(None)),
            pl.lit("asked in vain"),
            pl.format("{} {}, {}: {}", "time", "holder", "kind", "reason"),
        ),
    ]
    return pl.concat(rows).sort("slot", "alert", "detail")


def oracle_alerts(told: pl.DataFrame) -> pl.DataFrame:
    """Return the alerts of the oracle network (`gridlab.oracle.alerts.ALERTS`) as `ALERTS`, by slot."""
    return told.select(
        slot=pl.col("time").dt.truncate("15m"),
        zone=pl.lit(None, dtype=pl.String),
        alert=pl.format("oracle: {}", "alert"),
        detail=pl.format("{}: {}", "feed", "detail"),
        severity=pl.col("severity").cast(SEVERITIES),
    ).cast(ALERTS)


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
        severity=_graded(pl.lit("wash trade")),
    )


def _frame(rows: pl.DataFrame, alert: pl.Expr, detail: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "slot", pl.col("zone").cast(pl.String), alert=alert, detail=detail, severity=_graded(alert)
    ).cast(ALERTS)


def _graded(alert: pl.Expr) -> pl.Expr:
    return alert.replace_strict(_SEVERITY, return_dtype=SEVERITIES)
