"""All blocks that were ever written, and the window of those that may still be undone.

Consensus asks again and again which block descends from which. Only blocks above the last final one matter to that, so
their relation is kept as a Boolean matrix over a window, and all that is final or lost leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BlockTree", "Window"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# A block counts by the primary blocks on its way, then by its height: BABE's order in one number.
PRIMARY_WORTH = 2**32


@dataclass(slots=True)
class BlockTree:
    """Every block by number, in the order of writing; number 0 is the root.

    Attributes
    ----------
    parent, slot, seat, height, primaries : list of int
        `primaries` counts the primary blocks from the root up to the block.
    primary : list of bool
    variant : list of int
        0, or 1 for the second block that an equivocator wrote in the same slot.
    written : list of int
        Milliseconds.
    """

    parent: list[int] = field(default_factory=lambda: [-1])
    slot: list[int] = field(default_factory=lambda: [0])
    seat: list[int] = field(default_factory=lambda: [-1])
    height: list[int] = field(default_factory=lambda: [0])
    primaries: list[int] = field(default_factory=lambda: [0])
    primary: list[bool] = field(default_factory=lambda: [False])
    variant: list[int] = field(default_factory=lambda: [0])
    written: list[int] = field(default_factory=lambda: [0])

    def __len__(self) -> int:
        return len(self.parent)

    def add(self, parent: int, slot: int, seat: int, *, primary: bool, variant: int, written: int) -> int:
        """Add a block and return its number."""
        self.parent.append(parent)
        self.slot.append(slot)
        self.seat.append(seat)
        self.height.append(self.height[parent] + 1)
        self.primaries.append(self.primaries[parent] + primary)
        self.primary.append(primary)
        self.variant.append(variant)
        self.written.append(written)
        return len(self) - 1

    def score(self, block: int) -> int:
        """Return what the block's chain counts in the fork choice; more wins."""
        return self.primaries[block] * PRIMARY_WORTH + self.height[block]

    def path(self, top: int, bottom: int) -> list[int]:
        """Return the blocks from `bottom` (left out) up to `top`, lowest first."""
        found = []
        while top != bottom and top >= 0:
            found.append(top)
            top = self.parent[top]
        return found[::-1]

    def common(self, first: int, second: int) -> int:
        """Return the last block that is on the way to both."""
        while first != second:
            if self.height[first] >= self.height[second]:
                first = self.parent[first]
            else:
                second = self.parent[second]
        return first


class Window:
    """The blocks that may still be undone, lowest numbers first; place 0 is the last block that is final everywhere.

    Parameters
    ----------
    columns : int
        Nodes that receive blocks.
    root : int
        Number of the block that all nodes hold final.
    score, height : int
        Of that block.

    Attributes
    ----------
    blocks : array of int64, shape (w,)
        Their numbers in the tree.
    below : array of bool, shape (w, w)
        ``below[i, j]``: block j is block i or descends from it.
    arrival : array of float64, shape (w, columns)
        When each node has the block and all before it, milliseconds; inf for never.
    score, height : array of int64, shape (w,)
    version : int
        Counts the changes.
    """

    __slots__ = ("_places", "arrival", "below", "blocks", "height", "place", "score", "version")

    def __init__(self, columns: int, root: int = 0, score: int = 0, height: int = 0) -> None:
        self.blocks: IntArray = np.array([root], np.int64)
        self.below: BoolArray = np.ones((1, 1), np.bool_)
        self.arrival: Array = np.full((1, columns), -np.inf)
        self.score: IntArray = np.array([score], np.int64)
        self.height: IntArray = np.array([height], np.int64)
        self.place: dict[int, int] = {root: 0}
        self.version = 0
        # By block number; the last entry, which -1 finds, is of no block.
        self._places: IntArray = np.full(root + 64, -1, np.int64)
        self._places[root] = 0

    def __len__(self) -> int:
        return len(self.blocks)

    def add(self, block: int, tree: BlockTree, arrival: Array) -> None:
        """Add a block that the tree has just taken, which each node receives at `arrival` at the earliest."""
        parent, size = self.place[tree.parent[block]], len(self)
        grown = np.zeros((size + 1, size + 1), np.bool_)
        grown[:size, :size] = self.below
        grown[:size, size] = self.below[:, parent]
        grown[size, size] = True
        self.below = grown
        # A block counts only once its parent is there.
        self.arrival = np.vstack([self.arrival, np.maximum(arrival, self.arrival[parent])])
        self.blocks = np.append(self.blocks, block)
        self.score = np.append(self.score, tree.score(block))
        self.height = np.append(self.height, tree.height[block])
        self.place[block] = size
        if block >= len(self._places) - 1:
            self._places = np.append(self._places, np.full(len(self._places), -1, np.int64))
        self._places[block] = size
        self.version += 1

    def prune(self, root: int) -> BoolArray:
        """Keep `root` (a place) and what descends from it; return which places stayed."""
        keep: BoolArray = self.below[root].copy()
        self.below = self.below[np.ix_(keep, keep)]
        self._places[self.blocks] = -1
        self.arrival, self.blocks = self.arrival[keep], self.blocks[keep]
        self.score, self.height = self.score[keep], self.height[keep]
        self.place = {block: place for place, block in enumerate(self.blocks.tolist())}
        self._places[self.blocks] = np.arange(len(self))
        self.version += 1
        return keep

    def places(self, blocks: IntArray) -> IntArray:
        """Return the place of each block number, -1 where it has left the window or is -1."""
        found: IntArray = self._places[blocks]
        return found
