"""Which rounds become reports: enough signatures, a value within bounds, no unexplained jump, and something new to say.

Each round is judged by the last report, so this is a scan in time order, one feed at a time, over plain integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridlab.chain.perbill import BILLION

__all__ = ["STATUSES", "PublicationRules", "deviates", "publish"]

# What can become of a round.
STATUSES = {
    "reported": "signed, due and believable",
    "not due": "too near to the last report, which is not old yet",
    "no quorum": "too few signatures",
    "absurd": "the median is outside the feed's bounds",
    "jump": "the median is too far from the last report, and not confirmed yet",
    "jump confirmed": "reported, because enough rounds in a row agree on the new level",
}


def deviates(old: int, new: int, deviation_ppb: int) -> bool:
    """Whether `new` is away from `old` by at least a share of the old one's size; any step away from 0 is enough."""
    return new != 0 if old == 0 else abs(new - old) * BILLION >= deviation_ppb * abs(old)


@dataclass(frozen=True, slots=True)
class PublicationRules:
    """When a round of one feed becomes a report.

    Attributes
    ----------
    deviation_ppb : int
        Least change, parts per billion of the last report's size.
    heartbeat_us : int
        Age at which a report is repeated, microseconds.
    jump_ppb : int
        Largest change that is believed at once: parts per billion of the range between the bounds, or of the last
        report's size where the feed has no bounds.
    jump_rounds : int
        How many rounds in a row must agree on a new level; at 1 every jump is believed.
    bounds : tuple of int or None
        Least and greatest value that is not absurd.
    """

    deviation_ppb: int
    heartbeat_us: int
    jump_ppb: int
    jump_rounds: int
    bounds: tuple[int, int] | None = None

    def absurd(self, value: int) -> bool:
        """Whether a value is outside the bounds."""
        return self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]

    def jumps(self, old: int, new: int) -> bool:
        """Whether a step is too large to be believed at once; a feed without bounds may do any step away from 0."""
        if self.bounds is None:
            return old != 0 and abs(new - old) * BILLION > self.jump_ppb * abs(old)
        return abs(new - old) * BILLION > self.jump_ppb * (self.bounds[1] - self.bounds[0])

    def due(self, old: int, new: int, age_us: int) -> bool:
        """Whether there is something new to say, as `gridlab.oracle.aggregation.due`."""
        return deviates(old, new, self.deviation_ppb) or age_us >= self.heartbeat_us


def publish(
    times: Sequence[int],
    values: Sequence[int],
    quorate: Sequence[bool],
    rules: PublicationRules,
    *,
    last: tuple[int, int] | None = None,
) -> list[str]:
    """Return what becomes of each round of one feed.

    Parameters
    ----------
    times : sequence of int
        Microseconds since 1970, increasing.
    values : sequence of int
        The rounds' upper medians.
    quorate : sequence of bool
        Whether enough providers have signed.
    rules : PublicationRules
    last : tuple of int, optional
        Time and value of the report before the first round.

    Returns
    -------
    list of str
        Keys of `STATUSES`.
    """
    found: list[str] = []
    held: tuple[int, int] | None = None  # the last jump that was refused, and how many rounds agree on it
    for time, value, enough in zip(times, values, quorate, strict=True):
        if not enough:
            found.append("no quorum")
        elif rules.absurd(value):
            found.append("absurd")
        elif last is not None and rules.jumps(last[1], value):
            agreeing = held[1] + 1 if held is not None and not rules.jumps(held[0], value) else 1
            confirmed = agreeing >= rules.jump_rounds
            found.append("jump confirmed" if confirmed else "jump")
            last, held = ((time, value), None) if confirmed else (last, (value, agreeing))
        elif last is None or rules.due(last[1], value, time - last[0]):
            found.append("reported")
            last, held = (time, value), None
        else:
            found.append("not due")
            held = None
    return found
