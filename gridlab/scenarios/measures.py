"""The figures by which a scenario is known: those of every run, and a few that only this one needs.

Each function takes a lab and returns ``kpi``, ``value``, ``unit``. Most look at the market alone; those that ask about
votes or validators run the lab on its chains.
"""

from __future__ import annotations

import polars as pl

from gridlab.kpis import KPI_FRAME
from gridlab.lab import Lab
from gridlab.market.zones.coupling_result import Coupling
from gridlab.scenarios.watt_lab import WattLab
from gridlab.units import MICRO

__all__ = [
    "SEALED_SLOTS",
    "VOTED_SLOTS",
    "consensus_figures",
    "evening_figures",
    "front_figures",
    "heat_figures",
    "market_figures",
    "oracle_figures",
    "southern_figures",
    "vote_figures",
    "watt_figures",
]

# Enough blocks for each of six liars to have been primary; until nine in the morning, when roofs sell.
SEALED_SLOTS = 16
VOTED_SLOTS = 36
_WHOLESALE = "price/wholesale"
_SOUTH, _NORTH_EAST = "SAC", "NEC"
_Row = tuple[str, float, str]


def _with(frame: pl.DataFrame, *rows: _Row) -> pl.DataFrame:
    return pl.concat([frame, pl.DataFrame(list(rows), schema=KPI_FRAME, orient="row")])


def market_figures(lab: Lab) -> pl.DataFrame:
    """Return the key figures of a day without its chains."""
    return lab.preview()


def evening_figures(lab: Lab) -> pl.DataFrame:
    """Return the same, and at which hour the net load is highest and lowest, and how low it gets (kW)."""
    net = (
        lab.day()
        .frames()["readings"]
        .group_by("slot", maintain_order=True)
        .agg(wh=(pl.col("imported") - pl.col("exported")).sum())
        .with_columns(hour=pl.col("slot").dt.hour() + pl.col("slot").dt.minute() / 60)
    )
    highest, lowest = net["wh"].arg_max(), net["wh"].arg_min()
    return _with(
        lab.preview(),
        ("hour_of_peak", net["hour"][highest], "h"),  # type: ignore[index]  # a day has slots
        ("hour_of_least", net["hour"][lowest], "h"),  # type: ignore[index]
        ("least_net_load", net["wh"][lowest] * 4 / 1000, "kW"),  # type: ignore[index]
    )


def heat_figures(lab: Lab) -> pl.DataFrame:
    """Return the figures of the evening, and the highest load of the country in the synthetic feeds (MW)."""
    national = lab.feeds.load(lab.slots()).group_by("slot").agg(pl.col("load_mw").sum())["load_mw"].max()
    return _with(evening_figures(lab), ("national_peak", national, "MW"))  # type: ignore[arg-type]  # a day has slots


def front_figures(lab: Lab) -> pl.DataFrame:
    """Return the key figures of a day, and how much of the sun forecast for the north-east did not come (%)."""
    day = lab.day()
    if day.observed is None:
        return lab.preview()
    there = day.accounts.filter(zone=_NORTH_EAST)["account"].implode()
    came, forecast = (
        int(frame.filter(pl.col("account").is_in(there))["generation"].sum())
        for frame in (day.observed.readings, day.observed.forecasts["day_ahead"])
    )
    missing = 100 * (1 - came / forecast) if forecast else 0.0
    return _with(lab.preview(), ("north_east_missing", missing, "% of forecast"))


def southern_figures(lab: Lab) -> pl.DataFrame:
    """Return the same, with the congestion rent of the line to the South (THB) and the highest flow on it (kW)."""
    clearing = lab.day().clearing
    if not isinstance(clearing, Coupling):
        return lab.preview()
    line = clearing.flows.filter((pl.col("from_zone") == _SOUTH) | (pl.col("to_zone") == _SOUTH))
    rent, flow = line.select(pl.col("congestion_rent").sum() / MICRO, pl.col("flow_mw").max() * 1000).row(0)
    return _with(lab.preview(), ("southern_rent", rent, "THB"), ("southern_flow", flow, "kW"))


def vote_figures(lab: Lab) -> pl.DataFrame:
    """Return the key figures of a morning on both chains, and what a kWh paid for the wires before and after a vote."""
    run = lab.run(slots=VOTED_SLOTS, progress=False)
    moved = run.frames["moved"]
    after = pl.lit(value=False) if moved.is_empty() else pl.col("slot") >= moved["slot"].min()
    before, later = (
        run.trades.filter(part).select((pl.col("wheeling").sum() / pl.col("energy").sum() / 1000).fill_nan(0.0)).item()
        for part in (~after, after)
    )
    return _with(
        run.kpis(),
        ("levers_moved", moved.height, "levers"),
        ("wheeling_before", before, "THB/kWh"),
        ("wheeling_after", later, "THB/kWh"),
    )


def consensus_figures(lab: Lab) -> pl.DataFrame:
    """Return the key figures of a few hours sealed by the lab's validators."""
    return lab.run(slots=SEALED_SLOTS, progress=False).kpis()


def oracle_figures(lab: Lab) -> pl.DataFrame:
    """Return the figures of a day, how far reported wholesale prices were from the truth, and who was flagged."""
    observed = lab.day().observed
    if observed is None:
        return lab.preview()
    network = observed.network
    priced = network.reports.filter(feed=_WHOLESALE).join(network.truth, on=["feed", "round"], suffix="_true")
    error = priced.select((pl.col("value") / pl.col("value_true") - 1).abs().max()).item()
    honest = pl.col("kind").cast(pl.String) == "honest"
    flagged = network.scores.filter(pl.col("flagged") > 0)
    return _with(
        lab.preview(),
        ("largest_report_error", 100 * error, "%"),
        ("liars_flagged", flagged.filter(~honest).height, "providers"),
        ("honest_flagged", flagged.filter(honest).height, "providers"),
    )


def watt_figures(lab: Lab) -> pl.DataFrame:
    """Return the figures of the day's market, and those of the run on WATT beside it."""
    if not isinstance(lab, WattLab):
        return lab.preview()
    outcome = lab.run_on_watt()
    order = outcome.order.filter(pl.col("came") == "first quarter")
    asked = outcome.people["place"].count() / outcome.people.height
    return _with(
        lab.preview(),
        ("watt_asked", 100 * asked, "% of holders"),
        ("watt_first_quarter", 100 * float(order["recovered"].sum()), "% recovered"),
        ("watt_advantage", 100 * outcome.first_mover_advantage, "% points"),
        ("watt_lowest_price", float(outcome.slots.select(pl.col("price").min()).item()) / MICRO, "THB/WATT"),
    )
