"""What an order displaces: the value of the next Wh behind those that are taken, the price of Vickrey's auctions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Queue"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Queue:
    """The Wh of many groups, laid end to end, from the most to the least valuable within a group.

    Attributes
    ----------
    value : ndarray of int64, shape (n,)
        Value of each entry's Wh (THB/MWh).
    end : ndarray of int64, shape (n + 1,)
        Wh of all entries before each, and of all.
    worth : ndarray of int64, shape (n + 1,)
        Value of all entries before each (micro-THB). Over many groups it may wrap around; differences within a group
        are right all the same.
    """

    value: Int64s
    end: Int64s
    worth: Int64s

    @classmethod
    def of(cls, value: Int64s, energy: Int64s) -> Queue:
        """Return the queue of entries that are sorted by group and, within one, from the best value to the least."""
        zero = np.zeros(1, dtype=np.int64)
        return cls(value, np.concatenate((zero, energy.cumsum())), np.concatenate((zero, (value * energy).cumsum())))

    def between(self, start: Int64s, stop: Int64s) -> Int64s:
        """Return the value of the Wh from `start` to `stop` (micro-THB); both are positions on the whole queue."""
        return self._worth_at(stop) - self._worth_at(start)

    def _worth_at(self, position: Int64s) -> Int64s:
        entry = np.searchsorted(self.end[1:-1], position, side="right")
        worth: Int64s = self.worth[entry] + (position - self.end[entry]) * self.value[entry]
        return worth
