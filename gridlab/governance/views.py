"""Governance as frames: referenda, votes, delegations, locks, and what was enacted.

Moments are in UTC. Amounts are micro-GRID and votes are counted as those; null where Int64 cannot count them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import polars as pl

from gridlab.governance.actions import TRACKS, SetLevers
from gridlab.governance.book import GovernanceBook
from gridlab.governance.tallying import BALLOTS, DELEGATED

__all__ = ["delegation_frame", "enacted_frame", "levers_moved", "lock_frame", "referendum_frame", "vote_frame"]

_MOMENT = pl.Datetime("us", "UTC")
_TRACK = pl.Enum(TRACKS)
_COUNTS = ("ayes", "nays", "support", "turnout")
_REFERENDA: dict[str, Any] = {
    "referendum": pl.UInt32,
    "track": _TRACK,
    "action": pl.String,
    "status": pl.String,
    "outcome": pl.String,
    "proposer": pl.UInt32,
    **dict.fromkeys(_COUNTS, pl.Int128),
    **dict.fromkeys(("submitted", "deciding_since", "confirmed_at", "ended", "enacted_from"), pl.Int64),
}
_ENACTED: dict[str, Any] = {
    "height": pl.UInt64,
    "timestamp": pl.Int64,
    "referendum": pl.UInt32,
    "action": pl.String,
    "path": pl.String,
    "value": pl.String,
    "failed": pl.String,
}


def _frame(rows: Sequence[tuple[Any, ...]], schema: dict[str, Any], *moments: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(moments).cast(_MOMENT))


def referendum_frame(book: GovernanceBook) -> pl.DataFrame:
    """Return all referenda: their action, where they stand, their tally and their moments."""
    rows = []
    for each in book.referenda.values():
        tally = each.tally
        rows.append(
            (
                *(each.number, each.track, str(each.action), each.status, each.outcome, each.proposer),
                *(tally.ayes, tally.nays, tally.support, tally.turnout),
                *(each.submitted, each.since, each.confirming, each.ended, each.enact),
            )
        )
    moments = ("submitted", "deciding_since", "confirmed_at", "ended", "enacted_from")
    return _frame(rows, _REFERENDA, *moments).with_columns(pl.col(_COUNTS).cast(pl.Int64, strict=False))


def vote_frame(book: GovernanceBook, number: int) -> pl.DataFrame:
    """Return who votes what in a referendum, columns as `BALLOTS`; raises GovernanceError where there is none."""
    roll = book.rolls[book.referendum(number).track]
    cast = [(account, voter.ballot(number)) for account, voter in roll.items()]
    rows = [(who, each.choice, each.level, each.aye, each.nay, each.abstain) for who, each in cast if each is not None]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in BALLOTS.columns}, orient="row")


def delegation_frame(book: GovernanceBook, track: str) -> pl.DataFrame:
    """Return who delegates to whom on a track, columns as `DELEGATED`; raises GovernanceError where there is none."""
    handed = [(account, voter.delegation) for account, voter in book.rolls[book.require_track(track)].items()]
    rows = [(account, each.delegate, each.level, each.amount) for account, each in handed if each is not None]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in DELEGATED.columns}, orient="row")


def lock_frame(book: GovernanceBook) -> pl.DataFrame:
    """Return what governance locks: account and amount (micro-GRID)."""
    rows = [(account, held.amount) for account, held in book.locks.items()]
    return pl.DataFrame(rows, schema={"account": pl.UInt32, "amount": pl.Int64}, orient="row")


def enacted_frame(book: GovernanceBook) -> pl.DataFrame:
    """Return what approved proposals did, and at which block; ``failed`` says why nothing was done, or is empty."""
    rows = [
        (each.height, each.timestamp, each.referendum, each.action, each.path, each.value, each.failed)
        for each in book.enacted
    ]
    return _frame(rows, _ENACTED, "timestamp")


def levers_moved(book: GovernanceBook, *, after: int = -1) -> list[tuple[int, int, dict[str, Any]]]:
    """Return what votes moved since a block: its height, the referendum, and path -> value as ``lab.set`` takes them.

    Parameters
    ----------
    book : GovernanceBook
    after : int
        Height of the block up to which all is known already.
    """
    found: dict[tuple[int, int], dict[str, Any]] = {}
    # Blocks are written down in their order, so that what is known already need not be read again.
    first = bisect_right(book.enacted, after, key=lambda entry: entry.height)
    for each in book.enacted[first:]:
        if each.action == "set" and not each.failed:
            moved = book.table.values(SetLevers(((each.path, each.value),)))
            found.setdefault((each.height, each.referendum), {}).update(moved)
    return [(height, number, moved) for (height, number), moved in found.items()]
