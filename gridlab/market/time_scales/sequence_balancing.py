"""The balancing market: orders activated in merit order until a zone's net imbalance is covered.

A zone that is short activates sells, the cheapest first; one that is long activates buys, the dearest first. Of equal
prices the earlier order comes first, and the last one is activated in part. Activated energy is taken as delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError, nearest
from gridlab.frames import SLOT, Column, Schema
from gridlab.market.core.door import check_orders

__all__ = ["NEEDS", "PRICINGS", "Balancing", "activate"]

PRICINGS = ("marginal", "pay_as_bid")
_WHERE = ["slot", "zone"]

NEEDS = Schema(
    "system imbalance",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("zone", None, "text", "bidding zone"),
        Column("need", pl.Int64, "integer", "Wh: above 0 where the zone is short, below 0 where it is long"),
    ),
)


@dataclass(frozen=True)
class Balancing:
    """What the balancing market did.

    Attributes
    ----------
    activations : polars.DataFrame
        Activated orders: ``order_id``, ``slot``, ``zone`` (text), ``account``, ``side``, ``energy`` offered,
        ``activated`` (Wh), ``limit``, ``price`` (THB/MWh), ``amount`` (micro-THB: what the seller gets, buyer pays).
    summary : polars.DataFrame
        ``slot``, ``zone``, ``need``, ``covered``, ``uncovered`` (Wh, all with the sign of the need), ``price``
        (marginal, THB/MWh; null where nothing was activated).
    """

    activations: pl.DataFrame
    summary: pl.DataFrame

    def __repr__(self) -> str:
        covered, open_ = (int(self.summary[name].abs().sum()) for name in ("covered", "uncovered"))
        return f"Balancing({self.activations.height} activations, {covered:,} Wh covered, {open_:,} Wh not)"


def activate(
    orders: pl.DataFrame | pl.LazyFrame, needs: pl.DataFrame | pl.LazyFrame, *, pricing: str = "marginal"
) -> Balancing:
    """Cover net imbalances from balancing orders, all slots and zones at once.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.ORDERS`: a sell is upward energy, a buy is downward energy.
    needs : polars.DataFrame or polars.LazyFrame
        As `NEEDS`, one row per slot and zone.
    pricing : str
        ``marginal``: all activated orders of a book get the price of the last one. ``pay_as_bid``: each its own.

    Returns
    -------
    Balancing

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or unknown.
    MarketError
        A frame does not fit its schema, or a slot and zone has two needs.
    """
    if not isinstance(pricing, str):
        raise ArgumentTypeError(f"pricing: expected one of {PRICINGS}, got {pricing!r}")
    if pricing not in PRICINGS:
        raise ArgumentError(f"pricing {pricing!r} is unknown; {nearest(pricing, PRICINGS)}")
    twice = {"a slot and zone has two needs; add them up first": pl.struct(_WHERE).is_duplicated()}
    wanted = NEEDS.check(needs, rules=twice, error=MarketError).select(pl.col(*_WHERE, "need"))
    wanted = wanted.with_columns(pl.col("zone").cast(pl.String))
    frame = check_orders(orders, _WHERE, None, None).with_columns(pl.col("zone").cast(pl.String))
    activated = _activated(frame, wanted, pricing)
    return Balancing(activated.drop("marginal"), _summary(wanted, activated))


def _activated(frame: pl.DataFrame, wanted: pl.DataFrame, pricing: str) -> pl.DataFrame:
    seq = "seq" if "seq" in frame.columns else "order_id"
    sells, need = pl.col("side") == "sell", pl.col("need")
    # One ascending key for both directions: a buy's price counts downwards.
    merit = pl.when(sells).then("price").otherwise(-pl.col("price"))
    left = need.abs() - (pl.col("energy").cum_sum().over(_WHERE) - pl.col("energy"))
    paid = "marginal" if pricing == "marginal" else "limit"
    return (
        frame.lazy()
        .join(wanted.lazy(), on=_WHERE, how="inner")
        .filter((sells & (need > 0)) | (~sells & (need < 0)))
        .sort(*_WHERE, merit, seq)
        .with_columns(activated=pl.min_horizontal("energy", left))
        .filter(pl.col("activated") > 0)
        # The last in merit order that is activated sets the price.
        .with_columns(limit="price", marginal=pl.col("price").last().over(_WHERE))
        .with_columns(price=pl.col(paid))
        .with_columns(amount=pl.col("price") * pl.col("activated"))
        .select("order_id", *_WHERE, "account", "side", "energy", "activated", "limit", "price", "amount", "marginal")
        .collect()
    )


def _summary(wanted: pl.DataFrame, activated: pl.DataFrame) -> pl.DataFrame:
    sums = activated.group_by(_WHERE).agg(covered=pl.col("activated").sum(), price=pl.col("marginal").last())
    covered = pl.col("covered").fill_null(0) * pl.col("need").sign()
    return (
        wanted.join(sums, on=_WHERE, how="left")
        .sort(_WHERE)
        .select(*_WHERE, "need", covered=covered, uncovered=pl.col("need") - covered, price="price")
    )
