"""The score of an election: which of two results is better.

Source: ``ElectionScore``, paritytech/polkadot-sdk, substrate/primitives/npos-elections/src/lib.rs (2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION

__all__ = ["Score", "score"]

_MOST = 2**128 - 1


@total_ordering
@dataclass(frozen=True, slots=True)
class Score:
    """How good a result is; scores compare, the greater is the better.

    Attributes
    ----------
    least : int
        Stake behind the winner with the least, in units. The more the better; what a buyer of one seat must pay.
    total : int
        Stake behind all winners, in units. The more the better; decides between equal `least`.
    squares : int
        Sum of squared stakes, in units squared, at most 2**128 - 1. The less the better (the more even); decides last.
    """

    least: int
    total: int
    squares: int

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        return (self.least, self.total, -self.squares) < (other.least, other.total, -other.squares)

    def better_than(self, other: Score, threshold: int = 0) -> bool:
        """Whether this score beats `other` by more than `threshold`.

        Parameters
        ----------
        other : Score
        threshold : int
            Parts per billion of the other's figure, 0 to 10**9; each figure must differ by more than that (rounded up)
            to count as different. No figure that comes before may be worse.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `threshold` is not a whole number of that range.
        """
        require_int("threshold", threshold, 0, BILLION)
        least = _compared(self.least, other.least, threshold)
        total = _compared(self.total, other.total, threshold)
        if least > 0:
            return True
        if least < 0 or self.least < other.least:
            return False
        if total > 0:
            return True
        return total == 0 and self.total >= other.total and _compared(self.squares, other.squares, threshold) < 0


def score(stakes: Iterable[int]) -> Score:
    """Return the score of the stakes behind the winners; with no winner, the `least` is 2**128 - 1 as in Substrate."""
    listed = list(stakes)
    return Score(min(listed, default=_MOST), sum(listed), min(sum(stake * stake for stake in listed), _MOST))


def _compared(this: int, that: int, threshold: int) -> int:
    """Return 1, 0 or -1: `this` is more than the threshold above `that`, near it, or more than it below."""
    margin = -(-that * threshold // BILLION)
    high, low = min(that + margin, _MOST), max(that - margin, 0)
    return (this > high) - (this < low)
