"""Frames in which the council's transactions go, and short ways to write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from gridlab.chain.arguments import require_mapping
from gridlab.chain.emergency.records import DUTIES, StopRecord
from gridlab.chain.emergency.scopes import ACTIONS, SCOPES
from gridlab.chain.moments import require_microseconds
from gridlab.errors import ArgumentTypeError
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "EMERGENCY_APPROVALS",
    "EMERGENCY_COUNCIL",
    "EMERGENCY_RESUMPTIONS",
    "LONGEST_TEXT",
    "approval_frame",
    "council_frame",
    "request_frame",
    "resume_frame",
]

LONGEST_TEXT = 200

EMERGENCY_COUNCIL = Schema(
    "emergency_council",
    (
        Column("seat", pl.String, "text", "name of the seat; the frame holds the whole new council"),
        Column("account", pl.UInt32, "integer", "member that signs for it"),
        Column("duty", DUTIES, "category", "'seat', 'monitor' (a machine) or 'governance' (brings votes)"),
    ),
)
EMERGENCY_APPROVALS = Schema(
    "emergency_approvals",
    (
        Column("action", ACTIONS, "category", "'stop', or 'resume' to ask for a vote on going on"),
        Column("scope", SCOPES, "category", "'market', 'chain', 'asset' or 'zone'"),
        Column("target", pl.String, "text", "the asset or the zone; empty for the market and the chain"),
        Column("reason", pl.String, "text", f"1 to {LONGEST_TEXT} bytes"),
        Column("until", SLOT, "datetime", "when the stop ends by itself; for 'resume' that of the stop"),
    ),
)
EMERGENCY_RESUMPTIONS = Schema(
    "emergency_resumptions",
    (
        Column("stop", pl.UInt32, "integer", "number of the stop that ends"),
        Column("referendum", pl.UInt64, "integer", "number of the referendum that decided so"),
        Column("reference", pl.String, "text", f"where it stands, such as chain and block; 1 to {LONGEST_TEXT} bytes"),
    ),
)


def council_frame(
    seats: Mapping[str, int], *, monitor: Mapping[str, int] | None = None, governance: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """Return the frame of kind ``emergency_council``.

    Parameters
    ----------
    seats : mapping of str to int
        Name of a seat -> account.
    monitor, governance : mapping of str to int, optional
        One name and its account, where there is one.

    Examples
    --------
    >>> council_frame({"ERC": 6, "BOT": 7}, governance={"voters": 9})["duty"].to_list()
    ['seat', 'seat', 'governance']
    """
    groups = {"seat": seats, "monitor": monitor or {}, "governance": governance or {}}
    rows = [
        (name, account, duty)
        for duty, group in groups.items()
        for name, account in require_mapping(duty, group).items()
    ]
    frame = pl.DataFrame(rows, schema=["seat", "account", "duty"], orient="row")
    return EMERGENCY_COUNCIL.check(frame)


def approval_frame(
    scope: str, target: str = "", *, reason: str, until: datetime | int, action: str = "stop"
) -> pl.DataFrame:
    """Return the frame of kind ``emergency_approve``; every seat that approves sends the same.

    Parameters
    ----------
    scope, target, reason, action : str
        As `EMERGENCY_APPROVALS`.
    until : datetime or int
        Bangkok time where it has no time zone, or microseconds since 1970-01-01 UTC.
    """
    moment = pl.Series([require_microseconds("until", until)], dtype=pl.Int64).cast(SLOT)
    columns = {"action": [action], "scope": [scope], "target": [target], "reason": [reason]}
    return EMERGENCY_APPROVALS.check(pl.DataFrame(columns).with_columns(until=moment))


def request_frame(stop: StopRecord, reason: str) -> pl.DataFrame:
    """Return the frame of kind ``emergency_approve`` by which seats ask for a vote on ending a stop."""
    return approval_frame(_stop(stop).scope, stop.target, reason=reason, until=stop.until, action="resume")


def resume_frame(stop: StopRecord, referendum: int, reference: str) -> pl.DataFrame:
    """Return the frame of kind ``emergency_resume``, which governance sends once voters have decided."""
    columns = {"stop": [_stop(stop).number], "referendum": [referendum], "reference": [reference]}
    return EMERGENCY_RESUMPTIONS.check(pl.DataFrame(columns))


def _stop(stop: object) -> StopRecord:
    if not isinstance(stop, StopRecord):
        raise ArgumentTypeError(
            f"stop is a {type(stop).__name__}, allowed: a StopRecord such as chain.emergency.standing[0]"
        )
    return stop
