"""From rounds to a run: the frames of what was said and reported, and the signatures of what is shown to others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.oracle import OBSERVATIONS
from gridlab.chain.reports import REPORTS
from gridlab.frames import SLOT
from gridlab.oracle.publishing import STATUSES
from gridlab.oracle.rounds import FeedRounds
from gridlab.oracle.signing import sign_observations

__all__ = ["evidence_frame", "observation_frame", "report_frame", "round_frame", "truth_frame"]

_ORDER = [column.name for column in OBSERVATIONS.columns]


def _moments(values: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series(values, dtype=pl.Int64).cast(SLOT)


def observation_frame(
    rounds: Sequence[FeedRounds], *, epoch: int, distance: float, seed: int, network: str, sign: bool
) -> pl.DataFrame:
    """Return what arrived in time (`gridlab.oracle.run.OracleRun.observations`); what is in a report is signed."""
    found = pl.concat([_said(feed, epoch, distance) for feed in rounds])
    shown = found["shown"]
    signatures = pl.repeat(None, found.height, dtype=pl.Binary, eager=True).alias("signature")
    if sign and shown.any():
        signed = sign_observations(found.filter("shown"), seed=seed, network=network)["signature"]
        places = (shown.cum_sum().cast(pl.Int64) - 1).clip(lower_bound=0)  # of its signature, where a row has one
        signatures = pl.select(pl.when(shown).then(signed.gather(places))).to_series().alias("signature")
    return found.with_columns(signatures).select(*_ORDER, "arrived", "counted", "distance", "outlier")


def _said(feed: FeedRounds, epoch: int, distance: float) -> pl.DataFrame:
    places, providers = np.nonzero(feed.said.present)
    counted = feed.counted[places, providers]
    away = np.where(counted, feed.distance[places, providers], np.nan)
    outlier = counted & feed.quorate[places] & (away > distance)
    columns = {
        "provider": pl.Series(providers, dtype=pl.UInt32),
        "value": pl.Series(feed.said.values[places, providers]),
        "observed": _moments(feed.said.observed[places, providers]),
        "arrived": _moments(feed.said.arrived[places, providers]),
        "counted": pl.Series(counted),
        "distance": pl.Series(away).fill_nan(None),
        "outlier": pl.Series(outlier),
        "shown": pl.Series(counted & feed.reported[places]),
    }
    return pl.DataFrame(columns).with_columns(
        feed=pl.lit(feed.feed),
        epoch=pl.lit(epoch, pl.UInt64),
        round=pl.Series(feed.first + places, dtype=pl.UInt64),
    )


def round_frame(rounds: Sequence[FeedRounds], *, epoch: int) -> pl.DataFrame:
    """Return what became of each round (`gridlab.oracle.run.OracleRun.rounds`)."""
    return pl.concat([_rounds(feed, epoch) for feed in rounds])


def _rounds(feed: FeedRounds, epoch: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "round": pl.Series(feed.first + np.arange(len(feed.times)), dtype=pl.UInt64),
            "time": _moments(feed.times),
            "observations": pl.Series(feed.counted.sum(axis=1), dtype=pl.UInt32),
            "value": pl.Series(feed.values),
            "status": pl.Series(feed.status, dtype=pl.Enum(list(STATUSES))),
        }
    ).select(
        pl.lit(feed.feed).alias("feed"),
        pl.lit(epoch, pl.UInt64).alias("epoch"),
        "round",
        "time",
        "observations",
        pl.when(pl.col("status") != "no quorum").then("value").alias("value"),
        "status",
    )


def truth_frame(rounds: Sequence[FeedRounds]) -> pl.DataFrame:
    """Return what was true in each round (`gridlab.oracle.run.OracleRun.truth`)."""
    parts = [
        pl.DataFrame({"round": feed.first + np.arange(len(feed.times)), "value": feed.truth}).select(
            pl.lit(feed.feed).alias("feed"), pl.col("round").cast(pl.UInt64), "value"
        )
        for feed in rounds
    ]
    return pl.concat(parts)


def report_frame(rounds: Sequence[FeedRounds], *, epoch: int) -> pl.DataFrame:
    """Return the reports (`gridlab.oracle.run.OracleRun.reports`), in the order of publication."""
    return pl.concat([_reports(feed, epoch) for feed in rounds]).sort("published", "feed", "round")


def _reports(feed: FeedRounds, epoch: int) -> pl.DataFrame:
    chosen = np.flatnonzero(feed.reported)
    counted, observed = feed.counted[chosen], feed.said.observed[chosen]
    count = counted.sum(axis=1)
    # The upper median of the moments, as the chain takes it.
    late = np.iinfo(np.int64).max
    in_order = np.sort(np.where(counted, observed, late), axis=1)
    middle = np.take_along_axis(in_order, count[:, None] // 2, axis=1)[:, 0] if len(chosen) else in_order[:, 0]
    columns = {
        "feed": pl.Series([feed.feed] * len(chosen), dtype=pl.String),
        "epoch": pl.Series([epoch] * len(chosen), dtype=pl.UInt64),
        "round": pl.Series(feed.first + chosen, dtype=pl.UInt64),
        "observed": _moments(middle),
        "value": pl.Series(feed.values[chosen]),
        "observations": pl.Series(count, dtype=pl.UInt32),
        "published": _moments(feed.published[chosen]),
    }
    return pl.DataFrame(columns).select(*(column.name for column in REPORTS.columns), "published")


def evidence_frame(
    rounds: Sequence[FeedRounds],
    offences: dict[int, tuple[int, str, int]],
    *,
    epoch: int,
    seed: int,
    network: str,
    sign: bool,
) -> pl.DataFrame:
    """Return the pairs of observations that convict providers (`gridlab.oracle.run.OracleRun.evidence`)."""
    by_feed = {feed.feed: feed for feed in rounds}
    rows = []
    for provider, (_, name, place) in sorted(offences.items()):
        feed = by_feed[name]
        moment = int(feed.said.observed[place, provider])
        both = (int(values[place, provider]) for values in (feed.said.values, feed.said.seconds))
        rows += [(name, epoch, feed.first + place, provider, value, moment) for value in both]
    schema = {column.name: column.dtype for column in OBSERVATIONS.columns} | {"observed": pl.Int64}
    names = _ORDER[:-1]
    frame = pl.DataFrame(rows, schema={name: schema[name] for name in names}, orient="row")
    frame = frame.with_columns(pl.col("observed").cast(SLOT))
    if sign:
        return sign_observations(frame, seed=seed, network=network)
    return frame.with_columns(pl.lit(None, pl.Binary).alias("signature"))
