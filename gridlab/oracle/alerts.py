"""What the network's operator should look at: feeds that stand still, values refused, providers that stray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.frames import SLOT
from gridlab.oracle.rounds import FeedRounds
from gridlab.oracle.scores import ScoreRules, outliers_of, straying

__all__ = ["ALERTS", "SEVERITIES", "alerts"]

SEVERITIES = pl.Enum(["info", "warning", "critical"])

ALERTS = pl.Schema(
    {
        "time": SLOT,
        "feed": pl.String(),
        "provider": pl.UInt32(),
        "severity": SEVERITIES,
        "alert": pl.String(),
        "detail": pl.String(),
    }
)
_Row = tuple[int, str, int | None, str, str, str]
# Which statuses of a round are told, how grave they are, and whether only the first of a stretch is.
_TOLD = {
    "no quorum": ("critical", True),
    "absurd": ("critical", False),
    "jump": ("critical", False),
    "jump confirmed": ("info", False),
}
_WORDS = {
    "no quorum": "too few signatures; the last report stands until there are more",
    "absurd": "the median {} is outside the feed's bounds and was refused",
    "jump": "the median {} is too far from the last report and was refused",
    "jump confirmed": "enough rounds agree on the new level {}",
}


def alerts(
    rounds: Sequence[FeedRounds], rules: ScoreRules, offences: dict[int, tuple[int, str, int]], *, stale_us: int
) -> pl.DataFrame:
    """Return the alerts of a run, by time.

    Parameters
    ----------
    rounds : sequence of FeedRounds
    rules : ScoreRules
    offences : dict
        Provider -> (time, feed, place) at which it signed two values.
    stale_us : int
        From which age on a value is stale, microseconds.

    Returns
    -------
    polars.DataFrame
        As `ALERTS`; ``provider`` is null where an alert is about a feed. A feed that stays without a quorum or stale,
        and a provider that strays on one feed, are told once for each stretch.
    """
    found = [each for feed in rounds for each in (*_refused(feed), *_stale(feed, stale_us), *_strayed(feed, rules))]
    for provider, (time, name, _) in offences.items():
        words = "signed two values in one round; struck off and slashed"
        found.append((time, name, provider, "critical", "two values", words))
    schema = {**ALERTS, "time": pl.Int64()}
    frame = pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.col("time").cast(SLOT))
    return frame.sort("time", "feed", "provider", "alert", nulls_last=True, maintain_order=True)


def _begins(state: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    before = np.zeros_like(state)
    before[1:] = state[:-1]
    return state & ~before


def _refused(feed: FeedRounds) -> Iterator[_Row]:
    states = np.array(feed.status)
    for status, (severity, once) in _TOLD.items():
        state = states == status
        places = np.flatnonzero(_begins(state) if once else state)
        for time, value in zip(feed.times[places].tolist(), feed.values[places].tolist(), strict=True):
            yield time, feed.feed, None, severity, status, _WORDS[status].format(value)


def _stale(feed: FeedRounds, stale_us: int) -> Iterator[_Row]:
    # The time of the newest report at each round; before the first one, a feed is young from its first round on.
    newest = np.maximum.accumulate(np.where(feed.reported, feed.times, feed.times[:1]))
    ages = feed.times - newest
    places = np.flatnonzero(_begins(ages > stale_us))
    for time, age in zip(feed.times[places].tolist(), ages[places].tolist(), strict=True):
        yield time, feed.feed, None, "warning", "stale", f"no new report for {age / 1_000_000:g} s"


def _strayed(feed: FeedRounds, rules: ScoreRules) -> Iterator[_Row]:
    many = straying(outliers_of(feed, rules), outliers=rules.outliers, window=rules.window)
    places, providers = np.nonzero(_begins(many))
    words = f"{rules.outliers} or more of the last {rules.window} rounds lie more than {rules.distance:g} MADs away"
    for time, provider in zip(feed.times[places].tolist(), providers.tolist(), strict=True):
        yield time, feed.feed, provider, "warning", "outlier", words
