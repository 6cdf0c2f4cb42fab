"""Counting many votes at once: a hundred thousand voters, and those who delegate to them, in one pass over arrays.

The chain keeps its tallies as votes come in. This counts the same from the votes themselves: to check the chain, and to
ask how a whole population would decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import GovernanceError
from gridlab.frames import Column, Schema, show_rows
from gridlab.governance.ballots import CHOICES, Tally
from gridlab.governance.voting import TENTHS

__all__ = ["BALLOTS", "CHOICE", "DELEGATED", "count_votes"]

Int64Array = npt.NDArray[np.int64]

CHOICE = pl.Enum(CHOICES)

BALLOTS = Schema(
    "ballots",
    (
        Column("account", pl.UInt32, "integer", "who votes; once in a referendum"),
        Column("choice", CHOICE, "category", "'aye', 'nay' or 'split'"),
        Column("conviction", pl.UInt8, "integer", "0 (a tenth, no lock) or 1 … 6; 0 for a split"),
        Column("aye", pl.Int64, "integer", "micro-GRID"),
        Column("nay", pl.Int64, "integer", "micro-GRID"),
        Column("abstain", pl.Int64, "integer", "micro-GRID"),
    ),
)

DELEGATED = Schema(
    "delegations",
    (
        Column("account", pl.UInt32, "integer", "who delegates; once on a track"),
        Column("delegate", pl.UInt32, "integer", "whose aye or nay it follows"),
        Column("conviction", pl.UInt8, "integer", "0 (a tenth) or 1 … 6"),
        Column("amount", pl.Int64, "integer", "micro-GRID"),
    ),
)

_TENTHS = np.array(TENTHS, np.int64)
_BALLOT_RULES = {
    "a conviction is out of range, allowed: 0 … 6": pl.col("conviction") > len(TENTHS) - 1,
    "an amount is below 0": pl.min_horizontal("aye", "nay", "abstain") < 0,
    "an account votes twice; one vote for each": pl.col("account").is_duplicated(),
    "a split vote has a conviction, allowed: 0": (pl.col("choice") == "split") & (pl.col("conviction") > 0),
    "amounts stand on another side than the choice": (
        (pl.col("choice") == "aye") & (pl.max_horizontal("nay", "abstain") > 0)
        | (pl.col("choice") == "nay") & (pl.max_horizontal("aye", "abstain") > 0)
    ),
}
_DELEGATION_RULES = {
    "a conviction is out of range, allowed: 0 … 6": pl.col("conviction") > len(TENTHS) - 1,
    "an amount is below 0": pl.col("amount") < 0,
    "an account delegates twice; once for each": pl.col("account").is_duplicated(),
    "an account delegates to itself": pl.col("account") == pl.col("delegate"),
}


def count_votes(ballots: pl.DataFrame | pl.LazyFrame, delegations: pl.DataFrame | pl.LazyFrame | None = None) -> Tally:
    """Count a referendum.

    Parameters
    ----------
    ballots : polars.DataFrame or polars.LazyFrame
        As `BALLOTS`, one row per voter.
    delegations : polars.DataFrame or polars.LazyFrame, optional
        As `DELEGATED`, one row per account that delegates on the referendum's track. What it delegates counts on the
        side of its delegate, if that one votes aye or nay; it goes no further than to the delegate.

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        A frame does not fit its schema or breaks one of its rules, or an account both votes and delegates; the error
        shows the rows.

    Examples
    --------
    >>> ballots = pl.DataFrame({"account": [1, 2], "choice": ["aye", "nay"], "conviction": [2, 0], "aye": [100, 0],
    ...                         "nay": [0, 99], "abstain": [0, 0]})
    >>> count_votes(ballots)
    Tally(ayes=200, nays=9, support=100, turnout=199)
    >>> handed = pl.DataFrame({"account": [3], "delegate": [2], "conviction": [6], "amount": [10]})
    >>> count_votes(ballots, handed)
    Tally(ayes=200, nays=69, support=100, turnout=209)
    """
    cast = BALLOTS.check(ballots, rules=_BALLOT_RULES)
    level = cast["conviction"].to_numpy()
    aye, nay = cast["aye"].to_numpy(), cast["nay"].to_numpy()
    own = Tally(
        _votes(aye, level),
        _votes(nay, level),
        _total(aye) + _total(cast["abstain"].to_numpy()),
        _total(aye) + _total(nay) + _total(cast["abstain"].to_numpy()),
    )
    return own if delegations is None else own + _followed(cast, delegations)


def _followed(cast: pl.DataFrame, delegations: pl.DataFrame | pl.LazyFrame) -> Tally:
    handed = DELEGATED.check(delegations, rules=_DELEGATION_RULES)
    both = pl.col("account").is_in(cast["account"].implode())
    if handed.select(both.any()).item():
        raise GovernanceError(f"an account delegates and votes; it does one of the two\n{show_rows(handed, both)}")
    sides = cast.filter(pl.col("choice") != "split").select(delegate="account", side=pl.col("choice") == "aye")
    joined = handed.join(sides, on="delegate", how="inner")
    counted = Tally()
    for side in (True, False):
        part = joined.filter(pl.col("side") == side)
        amount = part["amount"].to_numpy()
        votes, capital = _votes(amount, part["conviction"].to_numpy()), _total(amount)
        counted += Tally(votes, 0, capital, capital) if side else Tally(0, votes, 0, capital)
    return counted


def _votes(amount: Int64Array, level: npt.NDArray[Any]) -> int:
    # Six times an amount may pass Int64, and a sum surely may; so levels are summed apart and weighed as whole numbers.
    tenth = level == 0
    counted = _total(amount[tenth] // 10)
    for each in range(1, len(_TENTHS)):
        counted += each * _total(amount[level == each])
    return counted


def _total(amount: Int64Array) -> int:
    """Return the exact sum, which may pass Int64: the halves of the words are summed apart."""
    return (int((amount >> 32).sum()) << 32) + int((amount & 0xFFFF_FFFF).sum())
