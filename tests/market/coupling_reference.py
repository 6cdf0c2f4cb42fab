"""A slow, obvious coupling: every whole flow is tried, and every zone is cleared Wh by Wh."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path

import polars as pl

START = datetime(2026, 4, 1, 12)
# 1 MW over this slot is 1 MWh, over a minute a sixtieth of it.
WH_PER_MW = 250_000


@dataclass(frozen=True)
class Order:
    """One order of the reference; `zone` counts from 0."""

    zone: int
    side: str
    price: int
    energy: int


def zone_name(zone: int) -> str:
    return f"Z{zone}"


def frame(orders: list[Order], zones: int = 3) -> pl.DataFrame:
    """Return orders as an order frame of one slot."""
    return pl.DataFrame(
        {
            "order_id": pl.Series(range(len(orders)), dtype=pl.UInt64),
            "slot": pl.Series([START] * len(orders), dtype=pl.Datetime("us")),
            "zone": pl.Series([zone_name(o.zone) for o in orders], dtype=pl.Enum([zone_name(z) for z in range(zones)])),
            "account": pl.Series(range(len(orders)), dtype=pl.UInt32),
            "side": pl.Series([o.side for o in orders], dtype=pl.Enum(["buy", "sell"])),
            "price": pl.Series([o.price for o in orders], dtype=pl.Int64),
            "energy": pl.Series([o.energy for o in orders], dtype=pl.Int64),
        }
    )


def limits_frame(
    capacity: dict[tuple[int, int], int], loss: dict[tuple[int, int], float] | None = None
) -> pl.DataFrame:
    """Return limits whose flows over the slot are so many Wh."""
    rows = pl.DataFrame(
        {
            "from_zone": pl.Series([zone_name(i) for i, _ in capacity], dtype=pl.String),
            "to_zone": pl.Series([zone_name(j) for _, j in capacity], dtype=pl.String),
            "limit_mw": pl.Series([wh / WH_PER_MW for wh in capacity.values()], dtype=pl.Float64),
        }
    )
    if loss is None:
        return rows
    return rows.with_columns(loss=pl.Series([loss.get(pair, 0.0) for pair in capacity], dtype=pl.Float64))


def zone_welfare(orders: list[Order], export: int) -> int | None:
    """Return the best welfare of a zone that exports so many Wh; None where it cannot."""
    bids = sorted((o.price for o in orders if o.side == "buy" for _ in range(o.energy)), reverse=True)
    asks = sorted(o.price for o in orders if o.side == "sell" for _ in range(o.energy))
    values = [
        sum(bids[:bought]) - sum(asks[: bought + export])
        for bought in range(len(bids) + 1)
        if 0 <= bought + export <= len(asks)
    ]
    return max(values, default=None)


def best_welfare(orders: list[Order], capacity: dict[tuple[int, int], int], zones: int) -> int:
    """Return the highest welfare over all whole flows."""
    own = [[o for o in orders if o.zone == zone] for zone in range(zones)]
    table: dict[tuple[int, int], int | None] = {}
    best = 0
    pairs = list(capacity)
    for flows in product(*(range(capacity[pair] + 1) for pair in pairs)):
        export = [0] * zones
        for (start, end), flow in zip(pairs, flows, strict=True):
            export[start] += flow
            export[end] -= flow
        parts = []
        for zone, wh in enumerate(export):
            if (zone, wh) not in table:
                table[zone, wh] = zone_welfare(own[zone], wh)
            parts.append(table[zone, wh])
        if None not in parts:
            best = max(best, sum(parts))
    return best


VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "network.json").read_text())


Z1 = VECTORS[0]


# Vector quantities are whole; as kWh they keep every pro-rata share of the vector whole too.
SCALE = 1000


def z1_orders():
    rows = [("sell", *row) for row in Z1["supply"]] + [("buy", *row) for row in Z1["demand"]]
    return pl.DataFrame(
        {
            "order_id": range(len(rows)),
            "slot": [START] * len(rows),
            "zone": [zone for *_, zone in rows],
            "account": range(len(rows)),
            "side": [side for side, *_ in rows],
            "price": [price for _, _, _, price, _ in rows],
            "energy": [energy * SCALE for _, _, energy, _, _ in rows],
            "name": [name for _, name, *_ in rows],
        }
    )


def z1_limits(ntc):
    mw = ntc * SCALE / WH_PER_MW
    return pl.DataFrame(
        {"from_zone": ["north", "south"], "to_zone": ["south", "north"], "limit_mw": [mw, mw]},
        schema_overrides={"limit_mw": pl.Float64},
    )


RESULT = ["order_id", "filled", "price", "amount", "reason"]


def check_invariants(coupling, *, cap=10**12):
    """Hold what is true of every coupling."""
    fills, prices, flows = coupling.fills, coupling.prices, coupling.flows
    assert fills.select(pl.col("filled").is_between(0, pl.col("energy")).all()).item()
    traded = fills.filter(pl.col("filled") > 0)
    worse = (
        pl.when(pl.col("side") == "buy")
        .then(pl.col("price") > pl.col("limit"))
        .otherwise(pl.col("price") < pl.col("limit"))
    )
    assert traded.filter(worse).is_empty()
    assert traded.filter(pl.col("amount") != pl.col("price") * pl.col("filled")).is_empty()
    # Orders better than the price of their zone get all they want, unless a shortage is priced below the cap.
    priced = fills.drop("price").join(prices.select("slot", "zone", "price"), on=["slot", "zone"])
    better = (
        pl.when(pl.col("side") == "buy")
        .then(pl.col("limit") > pl.col("price"))
        .otherwise(pl.col("limit") < pl.col("price"))
    )
    assert priced.filter(better & (pl.col("filled") < pl.col("energy")) & (pl.col("limit") != cap)).is_empty()
    sums = {side: fills.filter(pl.col("side") == side) for side in ("buy", "sell")}
    for zone, export in prices.select("zone", "net_export").rows():
        bought, sold = (part.filter(pl.col("zone") == zone)["filled"].sum() for part in sums.values())
        if "arrived" in flows.columns:
            out = flows.filter(pl.col("from_zone") == zone)["flow"].sum()
            into = flows.filter(pl.col("to_zone") == zone)["arrived"].sum()
            assert bought + out == sold + into
        assert sold - bought == export
    paid, received = (part["amount"].sum() for part in sums.values())
    assert paid - received == coupling.congestion_rent == prices["operator_surplus"].sum()
    assert prices["welfare"].sum() == prices.select(
        pl.sum_horizontal("buyer_surplus", "seller_surplus", "operator_surplus").sum()
    ).item()  # fmt: skip
    trades = coupling.trades
    own = trades.filter(pl.col("buy_order").is_not_null())
    assert own["energy"].sum() == sums["buy"]["filled"].sum()
    assert trades.filter(pl.col("sell_order").is_not_null())["energy"].sum() == sums["sell"]["filled"].sum()
    assert trades.filter(pl.col("buy_order").is_null() & pl.col("sell_order").is_null()).is_empty()
