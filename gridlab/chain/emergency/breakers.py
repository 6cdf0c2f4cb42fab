"""What machines see becomes proposals: halts of the circuit breaker, jumps the oracle refused, a reserve too small.

Each function turns a frame of what was seen into a frame of proposals. The market monitor sends every proposal as its
approval (`gridlab.chain.emergency.approval_frame`); people complete the signatures. So a proposal says everything that
they sign: scope, target, reason, end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping
from gridlab.chain.emergency.levers import Emergency
from gridlab.chain.emergency.scopes import require_target
from gridlab.chain.emergency.wire import EMERGENCY_APPROVALS, LONGEST_TEXT
from gridlab.errors import ArgumentTypeError
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "HALTS",
    "JUMPS",
    "PROPOSALS",
    "RESERVES",
    "approvals",
    "from_halts",
    "from_jumps",
    "from_reserves",
    "merged",
]

_SLOT = timedelta(minutes=15)

HALTS = Schema(
    "halts",
    (
        Column("slot", SLOT, "datetime", "slot in which the circuit breaker let nothing trade"),
        Column("zone", pl.String, "text", "bidding zone"),
    ),
)
JUMPS = Schema(
    "jumps",
    (
        Column("slot", SLOT, "datetime", "when the oracle refused the value"),
        Column("feed", pl.String, "text", "name of the feed"),
    ),
)
RESERVES = Schema(
    "reserves",
    (
        Column("slot", SLOT, "datetime", "when both were counted"),
        Column("circulation", pl.Int64, "integer", "WATT in circulation (micro-THB)"),
        Column("reserve", pl.Int64, "integer", "baht attested to lie in reserve (micro-THB)"),
    ),
)
PROPOSALS: Mapping[str, pl.DataType] = {
    "slot": SLOT,
    **{column.name: column.dtype for column in EMERGENCY_APPROVALS.columns},
}
"""``slot`` when it was seen, then what is signed: action, scope, target, reason, until."""


def from_halts(halts: pl.DataFrame, levers: Emergency) -> pl.DataFrame:
    """Propose to stop a zone where the circuit breaker has halted it too often.

    A halt is a stretch of halted slots of one zone. The k-th halt of a zone makes a proposal where it begins within
    ``breaker_window`` slots of the (k - n + 1)-th, n being ``breaker_halts``.

    Parameters
    ----------
    halts : polars.DataFrame
        ``slot``, ``zone`` of halted books, as `gridlab.market.protection.Protection.halts` returns them.
    levers : Emergency

    Returns
    -------
    polars.DataFrame
        As `PROPOSALS`, by slot and zone.
    """
    needed, window = int(_levers(levers).breaker_halts), int(levers.breaker_window)
    begins = (pl.col("slot") - pl.col("slot").shift().over("zone")).fill_null(timedelta.max) > _SLOT
    first = pl.col("slot").shift(needed - 1).over("zone")
    seen = (
        HALTS.check(halts)
        .unique(["slot", "zone"])
        .sort("zone", "slot")
        .filter(begins)
        .filter(pl.col("slot") - first < window * _SLOT)
    )
    reason = f"circuit breaker: {needed} halts within {window} slots"
    return _proposed(seen, levers, scope="zone", target=pl.col("zone"), reason=pl.lit(reason))


def from_jumps(jumps: pl.DataFrame, scopes: Mapping[str, tuple[str, str]], levers: Emergency) -> pl.DataFrame:
    """Propose the stop that belongs to a feed whose value jumped so far that the oracle refused it.

    Parameters
    ----------
    jumps : polars.DataFrame
        As `JUMPS`.
    scopes : mapping of str to (str, str)
        Feed -> scope and target of what trades on it; other feeds propose nothing.
    levers : Emergency
        With ``on_jump`` off nothing is proposed.

    Returns
    -------
    polars.DataFrame
        As `PROPOSALS`, by slot, scope and target.

    Raises
    ------
    ArgumentTypeError, FrameError, ChainError
        An argument does not fit, or a scope cannot have that target.
    """
    seen = JUMPS.check(jumps)
    parts = [_none()]
    for feed, (scope, target) in require_mapping("scopes", scopes).items():
        require_target(scope, target)
        reason = pl.lit(f"oracle: the feed {feed} jumped".encode()[:LONGEST_TEXT].decode(errors="ignore"))
        own = seen.filter(pl.col("feed") == feed)
        parts.append(_proposed(own, levers, scope=scope, target=pl.lit(target), reason=reason))
    return merged(*parts) if _levers(levers).on_jump else _none()


def from_reserves(reserves: pl.DataFrame, levers: Emergency) -> pl.DataFrame:
    """Propose to stop WATT where less baht lies in reserve than WATT circulates.

    Parameters
    ----------
    reserves : polars.DataFrame
        As `RESERVES`.
    levers : Emergency
        With ``on_reserve_gap`` off nothing is proposed.

    Returns
    -------
    polars.DataFrame
        As `PROPOSALS`; one row where a gap opens, none while it stays.
    """
    gap = pl.col("circulation") > pl.col("reserve")
    opens = gap & ~gap.shift(fill_value=False)
    seen = RESERVES.check(reserves).sort("slot").filter(opens)
    short = pl.col("circulation") - pl.col("reserve")
    reason = pl.format("reserve gap: {} micro-THB are missing", short)
    found = _proposed(seen, levers, scope="asset", target=pl.lit("WATT"), reason=reason)
    return found if _levers(levers).on_reserve_gap else _none()


def merged(*proposals: pl.DataFrame) -> pl.DataFrame:
    """Return proposals of several kinds as one frame, by slot, scope and target; the same one stands there once."""
    return pl.concat([_none(), *proposals]).unique().sort("slot", "scope", "target", "reason")


def approvals(proposals: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the frames of kind ``emergency_approve`` that the monitor sends, one for each of `proposals`."""
    return list(EMERGENCY_APPROVALS.check(proposals).drop("slot").iter_slices(1))


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(PROPOSALS))


def _proposed(seen: pl.DataFrame, levers: Emergency, *, scope: str, target: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    minutes = round(levers.proposed_stop * 60)
    columns = {
        "action": pl.lit("stop"),
        "scope": pl.lit(scope),
        "target": target,
        "reason": reason,
        "until": pl.col("slot") + timedelta(minutes=require_int("proposed_stop", minutes, 1)),
    }
    frame = seen.select("slot", **columns).cast(dict(PROPOSALS))  # type: ignore[arg-type]
    return frame.sort("slot", "scope", "target")


def _levers(levers: Emergency) -> Emergency:
    if not isinstance(levers, Emergency):
        raise ArgumentTypeError(f"levers is a {type(levers).__name__}, allowed: an Emergency; Emergency() is one")
    return levers
