"""Rounds of the oracle as pictures need them: what was true, what honest providers saw, what was reported."""

from __future__ import annotations

import polars as pl

from gridlab.errors import OracleError, nearest
from gridlab.oracle.run import OracleRun

__all__ = ["feeds_of", "known_feed", "round_rows", "said_in", "states_of"]


def feeds_of(run: OracleRun) -> list[str]:
    """Return the feeds of a run in the order in which they first appear."""
    names: list[str] = run.rounds["feed"].unique(maintain_order=True).to_list()
    return names


def known_feed(run: OracleRun, feed: str | None) -> str:
    """Return `feed`, or the run's first one for None.

    Raises
    ------
    OracleError
        The run has no such feed.
    """
    names = feeds_of(run)
    if feed is None:
        return names[0]
    if feed not in names:
        raise OracleError(f"feed {feed!r} is not in this run; {nearest(feed, names)}")
    return feed


def _honest(run: OracleRun) -> pl.Expr:
    names = run.scores.filter(pl.col("kind") == "honest")["provider"]
    return pl.col("provider").is_in(names.implode())


def round_rows(run: OracleRun, feed: str) -> pl.DataFrame:
    """Return the rounds of a feed, in order.

    Returns
    -------
    polars.DataFrame
        round, time, status, value (the median; null without a quorum), truth, low and high (the least and greatest
        value that an honest provider has seen; null where none was heard), all in counted units.
    """
    seen = run.observations.filter(pl.col("feed") == feed).filter(_honest(run))
    ranges = seen.group_by("round").agg(low=pl.col("value").min(), high=pl.col("value").max())
    truth = run.truth.filter(pl.col("feed") == feed).select("round", truth="value")
    rows = run.rounds.filter(pl.col("feed") == feed).select("round", "time", "status", "value")
    for other in (truth, ranges):
        rows = rows.join(other, on="round", how="left", maintain_order="left")
    return rows


def said_in(run: OracleRun, feed: str, number: int) -> pl.DataFrame:
    """Return one row per provider in one round: provider, kind, value, state (as `states_of`)."""
    own = run.observations.filter(pl.col("feed") == feed, pl.col("round") == number)
    heard = own.select("provider", "value", "counted", "outlier")
    every = run.scores.select("provider", "kind").join(heard, on="provider", how="left", maintain_order="left")
    return every.select("provider", "kind", "value", state=states_of())


def states_of() -> pl.Expr:
    """Return how an observation stands, as keys of `gridlab.ui.palette.STATES`.

    "honest" where it counts and lies near the others, "lies" where it is an outlier or of a provider that signs two
    values, "down" where none came.
    """
    strays = pl.col("outlier") | pl.col("counted").not_()
    return pl.when(pl.col("value").is_null()).then(pl.lit("down")).when(strays).then(pl.lit("lies")).otherwise(
        pl.lit("honest")
    )  # fmt: skip
