"""The message log of one block, read for pictures: which validator spoke, which block it meant, who voted for which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.pbft.message_log import OUTSIDERS
from gridlab.chain.pbft.trace import Trace
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.ui.palette import RIVALS

__all__ = ["Votes", "logged", "require_trace", "rivals", "votes_of"]


def _genuine() -> pl.Expr:
    """Say whether a message is its signer's; where nobody checked, who sent it in its own name is taken at its word."""
    return pl.col("valid").fill_null(pl.col("from") == pl.col("signer"))


def require_trace(value: object) -> Trace:
    """Return `value` if it is a `Trace`, or raise ArgumentTypeError."""
    if not isinstance(value, Trace):
        raise ArgumentTypeError(f"picture: expected a Trace as pbft.simulate returns, got {type(value).__name__}")
    return value


def logged(trace: Trace, height: int | None = None) -> pl.DataFrame:
    """Return the trace's message log with the lines that messages are drawn on.

    Returns
    -------
    polars.DataFrame
        Those of `gridlab.chain.pbft.message_log.MESSAGE_LOG`, and ``from`` and ``to``: the validator's number, also for
        its second instance; -1 for a client.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        The log is of another height, or there is none.
    """
    log = trace.message_log
    wanted = 1 if height is None else require_int("height", height, 1)
    if log.is_empty() or (height is not None and log["height"][0] != wanted):
        raise ArgumentError(
            f"no message of height {wanted} was logged in this trace; "
            f"pbft.simulate(..., message_log={wanted}) logs them"
        )

    def line(name: str) -> pl.Expr:
        place = pl.col(name)
        return pl.when(place < OUTSIDERS).then(place).otherwise(place.replace_strict(trace.instances, default=-1))

    return log.with_columns(line("sender").cast(pl.Int64).alias("from"), line("receiver").cast(pl.Int64).alias("to"))


def rivals(trace: Trace, log: pl.DataFrame) -> dict[str, str]:
    """Return the letter of each block that a primary proposed or that became final: A is the first that was proposed.

    Blocks beyond the letters that there are inks for are left out.
    """
    proposed = log.filter((pl.col("kind") == "pre_prepare") & _genuine())
    height = int(log["height"][0])
    final = trace.finals.filter(pl.col("height") == height)["hash"]
    digests = dict.fromkeys([*proposed["digest"].to_list(), *final.to_list()])
    return dict(zip(digests, RIVALS, strict=False))


@dataclass(frozen=True, slots=True)
class Votes:
    """Who signed what for one block in one view.

    Attributes
    ----------
    letter, digest : str
    prepared, committed : frozenset of int
        Validators with a valid pre-prepare or prepare, and with a valid commit.
    """

    letter: str
    digest: str
    prepared: frozenset[int]
    committed: frozenset[int]


def votes_of(log: pl.DataFrame, letters: Mapping[str, str]) -> tuple[int, list[Votes]]:
    """Return the view with the first rival proposals (the last with a proposal, where there are none) and its votes."""
    votes = log.filter(pl.col("digest").is_in(list(letters)) & _genuine())
    proposals = (
        votes.filter(pl.col("kind") == "pre_prepare").group_by("view").agg(pl.col("digest").n_unique()).sort("view")
    )
    if proposals.is_empty():
        return 0, []
    rival = proposals.filter(pl.col("digest") > 1)["view"]
    view = int(rival[0] if len(rival) else proposals["view"][-1])

    def signers(digest: str, *kinds: str) -> frozenset[int]:
        own = votes.filter((pl.col("view") == view) & (pl.col("digest") == digest) & pl.col("kind").is_in(kinds))
        return frozenset(own["signer"].to_list())

    found = [
        Votes(letter, digest, signers(digest, "pre_prepare", "prepare"), signers(digest, "commit"))
        for digest, letter in letters.items()
    ]
    return view, [each for each in found if each.prepared or each.committed]
