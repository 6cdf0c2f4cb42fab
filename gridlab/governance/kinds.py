"""Frames of governance's transactions, and short ways to write them."""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentTypeError
from gridlab.frames import Column, Schema
from gridlab.governance.actions import TRACKS, Action, action_to_bytes, require_action
from gridlab.governance.ballots import Ballot
from gridlab.governance.roll import Delegation
from gridlab.governance.tallying import CHOICE

__all__ = [
    "ACCOUNTS",
    "HANDED",
    "PROPOSALS",
    "REFERENDUM_NUMBERS",
    "TRACK_NAMES",
    "VOTES",
    "account_form",
    "delegation_form",
    "proposal_form",
    "referendum_form",
    "track_form",
    "vote_form",
]

_TRACK = pl.Enum(TRACKS)
_NUMBER = Column("referendum", pl.UInt32, "integer", "number of the referendum")
_CONVICTION = Column("conviction", pl.UInt8, "integer", "0 (a tenth, no lock) or 1 … 6; 0 for a split")

PROPOSALS = Schema(
    "proposals",
    (
        Column("action", pl.Binary, "binary", "what shall be done, canonical bytes; `proposal_form` writes them"),
        Column("after", pl.UInt64, "integer", "µs from approval to enactment; the track's timelock is the least"),
    ),
)
REFERENDUM_NUMBERS = Schema("referendum_numbers", (_NUMBER,))
VOTES = Schema(
    "votes",
    (
        _NUMBER,
        Column("choice", CHOICE, "category", "'aye', 'nay' or 'split'"),
        _CONVICTION,
        Column("aye", pl.Int64, "integer", "micro-GRID"),
        Column("nay", pl.Int64, "integer", "micro-GRID"),
        Column("abstain", pl.Int64, "integer", "micro-GRID; counts as support"),
    ),
)
HANDED = Schema(
    "handed_votes",
    (
        Column("track", _TRACK, "category", "the track on which the delegate votes"),
        Column("delegate", pl.UInt32, "integer", "account"),
        _CONVICTION,
        Column("amount", pl.Int64, "integer", "micro-GRID, which are locked"),
    ),
)
TRACK_NAMES = Schema("track_names", (Column("track", _TRACK, "category", "a track"),))
ACCOUNTS = Schema("accounts", (Column("account", pl.UInt32, "integer", "whose GRID shall be unlocked"),))


def proposal_form(action: Action, *, after: int = 0) -> pl.DataFrame:
    """Return the frame of a ``propose`` transaction.

    Parameters
    ----------
    action : Action
    after : int
        Microseconds from approval to enactment.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is no action, or the time no whole number of 0 or more.
    """
    written = action_to_bytes(require_action(action))
    require_int("after", after, 0, 10**17)
    return pl.DataFrame({"action": [written], "after": [after]}, schema={"action": pl.Binary, "after": pl.UInt64})


def referendum_form(number: int) -> pl.DataFrame:
    """Return the frame of a ``decision_deposit``, ``remove_vote``, ``cancel`` or ``kill``."""
    return pl.DataFrame({"referendum": [require_int("referendum", number, 0, 2**32 - 1)]})


def vote_form(number: int, ballot: Ballot) -> pl.DataFrame:
    """Return the frame of a ``vote``; frames of several referenda may be put together into one."""
    if not isinstance(ballot, Ballot):
        raise ArgumentTypeError(f"ballot is a {type(ballot).__name__}, allowed: Ballot.for_it(amount, conviction), …")
    row = (require_int("referendum", number, 0, 2**32 - 1), ballot.choice, ballot.level)
    schema = {column.name: column.dtype for column in VOTES.columns}
    return pl.DataFrame([(*row, ballot.aye, ballot.nay, ballot.abstain)], schema=schema, orient="row")


def delegation_form(track: str, handed: Delegation) -> pl.DataFrame:
    """Return the frame of a ``delegate``."""
    if not isinstance(handed, Delegation):
        raise ArgumentTypeError(f"handed is a {type(handed).__name__}, allowed: Delegation.to(account, amount, …)")
    row = {"track": track, "delegate": handed.delegate, "conviction": handed.level, "amount": handed.amount}
    return HANDED.check(pl.DataFrame([row]))


def track_form(track: str) -> pl.DataFrame:
    """Return the frame of an ``undelegate``."""
    return TRACK_NAMES.check(pl.DataFrame({"track": [track]}))


def account_form(account: int) -> pl.DataFrame:
    """Return the frame of an ``unlock``, for one's own account or another."""
    return pl.DataFrame({"account": [require_int("account", account, 0, 2**32 - 1)]}, schema={"account": pl.UInt32})
