"""The rule of one kind of transaction.

A kind names the frame that its payload holds, the roles that may send it, and the function that gives it its effect.
The function checks first and changes the state last, in one call that takes everything or nothing; so a refused
transaction changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from gridlab.chain.exchange import Exchange
from gridlab.chain.members import ROLES
from gridlab.chain.state import State
from gridlab.errors import ChainError
from gridlab.frames import Schema, show_rows

__all__ = ["EVERYONE", "SLOT_MICROSECONDS", "Act", "Call", "Effect", "forbid", "require_accounts"]

EVERYONE: tuple[str, ...] = tuple(ROLES.categories)
SLOT_MICROSECONDS = 15 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction on its way into the state.

    Attributes
    ----------
    account : int
        The sender's.
    frame : polars.DataFrame
        The payload.
    payload : bytes
        The same as canonical bytes.
    height : int
        Of the block.
    timestamp : int
        Of the block, microseconds since 1970-01-01 UTC.
    exchange : Exchange or None
        Who clears orders on this chain.
    """

    account: int
    frame: pl.DataFrame
    payload: bytes
    height: int
    timestamp: int
    exchange: Exchange | None


# Returns the trades that came of it, where any can.
Act = Callable[[State, Call], pl.DataFrame | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """The rule of one kind of transaction.

    Attributes
    ----------
    schema : Schema
        The frame that the payload holds, in exactly these dtypes.
    roles : tuple of str
        Who may send it.
    act : callable
        ``act(state, call)``: gives the effect and returns the trades it made, or raises a GridlabError and changes
        nothing.
    meaning : str
        One sentence.
    """

    schema: Schema
    roles: tuple[str, ...]
    act: Act
    meaning: str


def forbid(frame: pl.DataFrame, broken: pl.Expr, sentence: str) -> None:
    """Raise ChainError with the rows where `broken` is true, if there are any."""
    if frame.select(broken.any()).item():
        raise ChainError(f"{sentence}\n{show_rows(frame, broken)}")


def require_accounts(state: State, frame: pl.DataFrame, what: str, *columns: str) -> None:
    """Raise ChainError where one of `columns` names an account that does not exist."""
    missing = pl.any_horizontal(pl.col(columns) >= len(state.members))
    forbid(frame, missing, f"{what}: an account does not exist, allowed: 0 … {len(state.members) - 1}")
