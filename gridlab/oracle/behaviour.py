"""What providers say of a world that they see: values, moments and arrivals of all rounds of one feed at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.oracle.roster import Roster
from gridlab.seeds import stream

__all__ = ["LARGEST_TRUTH", "Said", "say"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# A lie of ten times this is far inside Int64; in micro-THB it is a reserve of a hundred billion baht.
LARGEST_TRUTH = 10**17
# Log-normal spread of one provider's latency from round to round.
_JITTER = 0.35


@dataclass(frozen=True, slots=True)
class Said:
    """What the providers say, each array of shape (rounds, providers).

    Attributes
    ----------
    values : ndarray of int64
    seconds : ndarray of int64
        The other value that an equivocating provider signs; for everybody else the same one.
    observed : ndarray of int64
        Moment for which the value holds, microseconds since 1970.
    arrived : ndarray of int64
        When the signed observation is there, microseconds since 1970.
    present : ndarray of bool
        Whether it says anything within the time that a round has.
    """

    values: Int64s
    seconds: Int64s
    observed: Int64s
    arrived: Int64s
    present: npt.NDArray[np.bool_]


def say(
    feed: str,
    times: Int64s,
    truth: Int64s,
    roster: Roster,
    *,
    noise: float,
    stale_rounds: int,
    window_ms: float,
    seed: int,
) -> Said:
    """Return what all providers say in all rounds of one feed.

    Parameters
    ----------
    feed : str
        Names the random stream, so that one feed's numbers do not depend on which others there are.
    times : ndarray of int64, shape (rounds,)
        Microseconds since 1970, increasing.
    truth : ndarray of int64, shape (rounds,)
        At most `LARGEST_TRUTH` in size.
    roster : Roster
    noise : float
        Standard deviation of an honest error, as a share of the value.
    stale_rounds : int
        How many rounds a stale provider is behind.
    window_ms : float
        What arrives later than this after the beginning of its round is not counted.
    seed : int
    """
    shape = len(times), len(roster)
    errors = stream(seed, "oracle", "noise", feed).standard_normal(shape)
    size = np.abs(truth).astype(np.float64)[:, None]
    # A lie about a feed that happens to be 0, as the sun at night, is measured by the feed's usual size.
    lie = np.rint(roster.bias * np.where(size > 0, size, size.mean())).astype(np.int64)
    values = truth[:, None] + np.rint(size * noise * errors).astype(np.int64)
    observed = np.repeat(times[:, None], len(roster), axis=1)
    before = np.maximum(np.arange(len(times)) - stale_rounds, 0)
    for provider in roster.of_kind("stale"):
        values[:, provider], observed[:, provider] = values[before, provider], times[before]
    for provider in roster.of_kind("noisy"):
        values[:, provider] = truth + np.rint(lie[:, provider] * errors[:, provider]).astype(np.int64)
    for provider in roster.of_kind("lying"):
        values[:, provider] += lie[:, provider]
    for provider in roster.of_kind("colluding"):
        values[:, provider] = truth + lie[:, provider]
    seconds = values.copy()
    for provider in roster.of_kind("equivocating"):
        # A bias of nothing would be no second value.
        seconds[:, provider] += np.where(lie[:, provider] == 0, 1, lie[:, provider])
    jitter = stream(seed, "oracle", "jitter", feed).standard_normal(shape)
    delay = roster.latency_ms * np.exp(_JITTER * jitter)
    present = delay <= window_ms
    present[:, roster.of_kind("silent")] = False
    arrived = times[:, None] + np.rint(delay * 1000).astype(np.int64)
    return Said(values, seconds, observed, arrived, present)
