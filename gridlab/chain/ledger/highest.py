"""The highest transfer id that each sender has used."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["HighestIds"]

Array = npt.NDArray[Any]

# Senders below this are kept in an array. Above lie the chain's own few, whose numbers start from the top.
_DENSE = 1 << 20


class HighestIds:
    """The highest id per sender, for many senders at once."""

    __slots__ = ("_few", "_highest", "_used")

    def __init__(self) -> None:
        self._highest = np.zeros(0, np.uint64)
        self._used = np.zeros(0, np.bool_)
        self._few: dict[int, int] = {}

    def fork(self) -> HighestIds:
        """Return an independent copy."""
        copy = HighestIds()
        copy._highest, copy._used, copy._few = self._highest.copy(), self._used.copy(), dict(self._few)
        return copy

    def next_id(self, sender: int) -> int:
        """Return the id after the highest that `sender` has used, 0 where it has used none."""
        if sender < len(self._used):
            return int(self._highest[sender]) + 1 if self._used[sender] else 0
        return self._few.get(sender, -1) + 1

    def reaches(self, senders: Array | int, ids: Array) -> npt.NDArray[np.bool_]:
        """Say for each id whether it is not above the highest that its sender has used."""
        if isinstance(senders, int):
            following = self.next_id(senders)
            return ids <= np.uint64(following - 1) if following else np.zeros(len(ids), np.bool_)
        dense = senders < len(self._used)
        places = np.where(dense, senders, 0)
        if not len(self._used):
            reached = np.zeros(len(ids), np.bool_)
        else:
            reached = dense & self._used[places] & (ids <= self._highest[places])
        if self._few and not dense.all():
            for sender in np.unique(senders[~dense]).tolist():
                own = senders == sender
                reached[own] = self.reaches(sender, ids[own])
        return reached

    def take(self, senders: Array | int, ids: Array) -> None:
        """Note ids, of which there is at least one, as used by their senders."""
        if isinstance(senders, int):
            self._take_one(senders, int(ids.max()))
            return
        dense = senders < _DENSE
        if dense.all():
            self._take_dense(senders, ids)
            return
        self._take_dense(senders[dense], ids[dense])
        for sender in np.unique(senders[~dense]).tolist():
            self._take_one(sender, int(ids[senders == sender].max()))

    def _take_one(self, sender: int, highest: int) -> None:
        if sender < _DENSE:
            self._grow(sender + 1)
            self._highest[sender] = max(int(self._highest[sender]), highest)
            self._used[sender] = True
        else:
            self._few[sender] = max(self._few.get(sender, 0), highest)

    def _take_dense(self, senders: Array, ids: Array) -> None:
        if len(senders):
            self._grow(int(senders.max()) + 1)
            np.maximum.at(self._highest, senders, ids)
            self._used[senders] = True

    def _grow(self, senders: int) -> None:
        if senders > len(self._used):
            added = max(senders, min(2 * len(self._used), _DENSE)) - len(self._used)
            self._highest, self._used = np.pad(self._highest, (0, added)), np.pad(self._used, (0, added))
