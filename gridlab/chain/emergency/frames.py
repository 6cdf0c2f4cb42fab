"""Stops, motions and seats as people look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.emergency.records import DUTIES, Motion, Seat, StopRecord
from gridlab.frames import SLOT

__all__ = ["MOTIONS", "STOPS", "motions_frame", "seats_frame", "stops_frame"]

STOPS: Mapping[str, Any] = MappingProxyType(
    {
        "number": pl.UInt32,
        "scope": pl.String,
        "target": pl.String,
        "reason": pl.String,
        "since": SLOT,
        "until": SLOT,
        "height": pl.UInt64,
        "approvals": pl.String,
        "alone": pl.Boolean,
        "requested": SLOT,
        "ended": SLOT,
        "ended_by": pl.String,
        "referendum": pl.UInt64,
        "reference": pl.String,
        "orders": pl.UInt64,
        "released": pl.Int64,
    }
)
"""Columns as the fields of `StopRecord`; approvals have commas between them, null is what has not happened."""

MOTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "action": pl.String,
        "scope": pl.String,
        "target": pl.String,
        "reason": pl.String,
        "until": SLOT,
        "opened": SLOT,
        "approvals": pl.String,
    }
)
"""Columns as the fields of `Motion`."""


def stops_frame(stops: Sequence[StopRecord]) -> pl.DataFrame:
    """Return one row per stop, as `STOPS`."""
    return _frame(stops, STOPS)


def motions_frame(motions: Sequence[Motion]) -> pl.DataFrame:
    """Return one row per motion, as `MOTIONS`."""
    return _frame(motions, MOTIONS)


def seats_frame(seats: Sequence[Seat]) -> pl.DataFrame:
    """Return one row per seat: seat, account, duty."""
    rows = [(seat.name, seat.account, seat.duty) for seat in seats]
    schema: dict[str, Any] = {"seat": pl.String, "account": pl.UInt32, "duty": DUTIES}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _frame(records: Sequence[StopRecord] | Sequence[Motion], schema: Mapping[str, Any]) -> pl.DataFrame:
    rows = {name: [getattr(record, name) for record in records] for name in schema}
    rows["approvals"] = [", ".join(names) for names in rows["approvals"]]
    # Moments are microseconds, which become dates only by a cast.
    counted = {name: pl.Int64 if dtype == SLOT else dtype for name, dtype in schema.items()}
    return pl.DataFrame(rows, schema=counted).cast(pl.Schema(schema))
