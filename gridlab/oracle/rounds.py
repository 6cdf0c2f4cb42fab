"""All rounds of all feeds: what was said, which of it counts, the medians, and what became of each round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import OracleError
from gridlab.frames import SLOT, Column, Schema
from gridlab.oracle.behaviour import LARGEST_TRUTH, Said, say
from gridlab.oracle.medians import distances_of
from gridlab.oracle.publishing import PublicationRules, publish
from gridlab.oracle.roster import Roster

__all__ = ["TRUTH", "FeedRounds", "Parts", "check_truth", "hold_rounds", "say_all", "seen_first"]

# Times and truth of one feed, and what was said of it.
Parts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Said]

TRUTH = Schema(
    "truth",
    (
        Column("feed", pl.String, "text", "what there is to be observed"),
        Column("time", SLOT, "datetime", "moment of a round; later than the feed's row before"),
        Column("value", pl.Int64, "integer", f"what is true then, in the feed's own unit; at most {LARGEST_TRUTH:.0e}"),
    ),
)


def check_truth(truth: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return the truth as `TRUTH`; a column ``observed`` is read as ``time`` where there is none of that name.

    Raises
    ------
    ArgumentTypeError, OracleError
        It is no frame, a column is missing or of a wrong dtype, a value is absurd, or a feed's time does not go on.
    """
    if isinstance(truth, (pl.DataFrame, pl.LazyFrame)):
        names = truth.lazy().collect_schema().names()
        if "time" not in names and "observed" in names:
            truth = truth.rename({"observed": "time"})
    size = pl.col("value").is_between(-LARGEST_TRUTH, LARGEST_TRUTH)
    rules = {
        f"a value is absurd, allowed: {-LARGEST_TRUTH} … {LARGEST_TRUTH}": ~size,
        "a feed has no name of 1 to 64 bytes": ~pl.col("feed").str.len_bytes().is_between(1, 64),
        "a moment is before 1970": pl.col("time").to_physical() < 0,
        "a feed's time goes backwards or stands still; sort by feed and time, each moment once": (
            pl.col("time") <= pl.col("time").shift().over("feed")
        ),
    }
    return TRUTH.check(truth, rules=rules, error=OracleError).select(column.name for column in TRUTH.columns)


@dataclass(frozen=True, slots=True)
class FeedRounds:
    """The rounds of one feed.

    Attributes
    ----------
    feed : str
    times : ndarray of int64, shape (rounds,)
        Microseconds since 1970.
    truth : ndarray of int64, shape (rounds,)
    first : int
        Number of the first round.
    said : Said
    counted : ndarray of bool, shape (rounds, providers)
        Which observations the round's value is made of.
    values : ndarray of int64, shape (rounds,)
        Upper medians; without meaning where nobody said anything.
    distance : ndarray of float64, shape (rounds, providers)
        Of each observation from the round's value, in MADs.
    status : tuple of str
        What became of each round, keys of `gridlab.oracle.publishing.STATUSES`.
    """

    feed: str
    times: npt.NDArray[np.int64]
    truth: npt.NDArray[np.int64]
    first: int
    said: Said
    counted: npt.NDArray[np.bool_]
    values: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    status: tuple[str, ...]

    @property
    def reported(self) -> npt.NDArray[np.bool_]:
        """Whether each round became a report, shape (rounds,)."""
        return np.isin(self.status, ("reported", "jump confirmed"))

    @property
    def quorate(self) -> npt.NDArray[np.bool_]:
        """Whether each round had enough observations, shape (rounds,)."""
        return np.array([status != "no quorum" for status in self.status], np.bool_)

    @property
    def published(self) -> npt.NDArray[np.int64]:
        """When the last observation that counts had arrived, microseconds since 1970, shape (rounds,).

        No round is published before the one that it follows, however quickly its observations come.
        """
        latest = np.where(self.counted, self.said.arrived, self.times[:, None]).max(axis=1)
        in_order: npt.NDArray[np.int64] = np.maximum.accumulate(latest)
        return in_order


def say_all(
    truth: pl.DataFrame,
    roster: Roster,
    cuts: list[tuple[str, int, int]],
    *,
    noise: float,
    stale_rounds: int,
    window_ms: float,
    seed: int,
) -> dict[str, Parts]:
    """Let the providers speak in all rounds of all feeds.

    Parameters
    ----------
    truth : polars.DataFrame
        As `TRUTH`.
    roster : Roster
    cuts : list of tuple
        Feed, and from when on and until when nobody sees it, microseconds since 1970.
    noise, stale_rounds, window_ms, seed
        As for `gridlab.oracle.behaviour.say`.

    Returns
    -------
    dict
        Feed -> times, truth and what was said, in the order in which the feeds first appear.
    """
    found = {}
    for (feed,), rows in truth.partition_by("feed", as_dict=True, maintain_order=True).items():
        times, values = (rows[name].to_physical().to_numpy() for name in ("time", "value"))
        said = say(feed, times, values, roster, noise=noise, stale_rounds=stale_rounds, window_ms=window_ms, seed=seed)
        for name, since, until in cuts:
            if name == feed:
                said.present[(times >= since) & (times < until)] = False
        found[feed] = times, values, said
    return found


def seen_first(said: Mapping[str, Parts], provider: int) -> tuple[int, str, int] | None:
    """Return (time, feed, place) of the first round in which a provider says anything, or None."""
    found = []
    for feed, (times, _, each) in said.items():
        places = np.flatnonzero(each.present[:, provider])
        if len(places):
            found.append((int(times[places[0]]), feed, int(places[0])))
    return min(found, default=None)


def hold_rounds(
    feed: str,
    parts: Parts,
    *,
    barred: npt.NDArray[np.int64],
    least: int,
    floor: float,
    rules: PublicationRules,
    before: tuple[int, int, int] | None,
) -> FeedRounds:
    """Return the rounds of one feed, judged.

    Parameters
    ----------
    feed : str
    parts : tuple
        Times, truth and what was said.
    barred : ndarray of int64
        Providers whose observations do not count.
    least : int
        How many observations a report needs.
    floor : float
        The least MAD, as a share of the round's value.
    rules : PublicationRules
    before : tuple of int or None
        Round, time and value of the feed's last report before these.
    """
    times, truth, said = parts
    counted = said.present.copy()
    counted[:, barred] = False
    enough = counted.sum(axis=1) >= least
    middle, _, _ = distances_of(said.values, 1, counted)
    scale = np.maximum(1, np.rint(np.abs(middle.astype(np.float64)) * floor)).astype(np.uint64)
    values, _, distance = distances_of(said.values, scale, counted)
    last = None if before is None else before[1:]
    status = publish(times.tolist(), values.tolist(), enough.tolist(), rules, last=last)
    first = 1 if before is None else before[0] + 1
    return FeedRounds(feed, times, truth, first, said, counted, values, distance, tuple(status))
