"""Order frames for the tests, written as short rows."""

from __future__ import annotations

from datetime import datetime

import polars as pl

NOON = datetime(2026, 4, 1, 12)


def book(buys=(), sells=(), **columns):
    """Return the frame of one book: buys and sells as (price, energy); order_id counts from 0, buys first."""
    rows = [("buy", *order) for order in buys] + [("sell", *order) for order in sells]
    return pl.DataFrame(
        {
            "order_id": range(len(rows)),
            "slot": [NOON] * len(rows),
            "zone": ["BKK"] * len(rows),
            "account": range(100, 100 + len(rows)),
            "side": [side for side, _, _ in rows],
            "price": [price for _, price, _ in rows],
            "energy": [energy for _, _, energy in rows],
            **columns,
        },
        schema_overrides={"price": pl.Int64, "energy": pl.Int64, "slot": pl.Datetime("us")},
    )
