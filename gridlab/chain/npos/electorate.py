"""The door of an election: candidates and votes are checked whole, then laid out flat.

A vote is an edge from a voter to a candidate. All edges stand in one array, voter after voter, each voter's in the
order of its own list, because ties are broken in that order.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["Approvals", "Electorate", "Integers", "Places", "exact", "read_electorate"]

Places: TypeAlias = npt.NDArray[np.int64]
Integers: TypeAlias = npt.NDArray[Any]

_MOST_STAKE = 2**64 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Electorate:
    """Who stands for election and who votes for whom.

    Attributes
    ----------
    candidates, voters : tuple
        Ids, in the order given.
    stakes : tuple of int
        One per voter, 0 to 2**64 - 1 units.
    start : numpy.ndarray of int64, shape (voters + 1,)
        Voter v has the edges ``start[v]`` to ``start[v + 1] - 1``.
    voter, target : numpy.ndarray of int64, shape (edges,)
        Places in `voters` and `candidates`.
    approval : tuple of int
        Per candidate, the stake of all who approve it, in units.
    """

    candidates: tuple[Hashable, ...]
    voters: tuple[Hashable, ...]
    stakes: tuple[int, ...]
    start: Places
    voter: Places
    target: Places
    approval: tuple[int, ...]

    @property
    def total(self) -> int:
        """Stake of all voters together, in units."""
        return sum(self.stakes)

    @property
    def bound(self) -> int:
        """More than balancing computes on the way: all stake, times one more than the longest vote has candidates."""
        return self.total * (int(np.diff(self.start).max(initial=0)) + 1)


class Approvals:
    """The same edges from the candidates' side.

    Attributes
    ----------
    edges : list of numpy.ndarray of int64
        Per candidate, the edges that lead to it, ascending.
    backers : numpy.ndarray of int64, shape (candidates,)
        How many voters approve each candidate.
    """

    __slots__ = ("_approved", "_begin", "_voter", "backers", "edges")

    def __init__(self, electorate: Electorate) -> None:
        count = len(electorate.candidates)
        # Numbers of 16 bits are sorted by counting, an order of magnitude faster.
        keys = electorate.target.astype(np.uint16) if count <= 2**16 else electorate.target
        order = np.argsort(keys, kind="stable")
        self.backers: Places = np.bincount(electorate.target, minlength=count).astype(np.int64)
        begin = np.cumsum(self.backers) - self.backers
        self.edges: list[Places] = np.split(order, begin[1:]) if count else []
        self._voter = electorate.voter[order]
        self._approved = np.flatnonzero(self.backers)
        self._begin = begin[self._approved]

    def sums(self, values: Integers) -> Integers:
        """Return per candidate the sum of `values`, one per voter, over all who approve it."""
        found = np.zeros(len(self.backers), dtype=values.dtype)
        if len(self._approved):
            found[self._approved] = np.add.reduceat(values[self._voter], self._begin)
        return found


def exact(values: Sequence[int], bound: int) -> Integers:
    """Return `values` as int64 where nothing computed from them passes `bound` < 2**62, else as Python integers."""
    return np.array(values, dtype=np.int64 if bound < 2**62 else object)


def read_electorate(candidates: object, voters: object) -> Electorate:
    """Check an election's input and lay it out flat.

    Parameters
    ----------
    candidates : sequence of hashable
        Ids, each once.
    voters : sequence of (id, stake, sequence of candidate ids)
        Each voter once; stake in units, 0 to 2**64 - 1. A candidate named twice by one voter counts once. Zero stake
        and an empty list of candidates are allowed and without effect.

    Raises
    ------
    ArgumentTypeError
        A wrong type anywhere.
    ArgumentError
        A candidate or a voter twice, a vote for somebody who is no candidate, a stake out of bounds.
    """
    index = _index("candidates", require_sequence("candidates", candidates, object))
    votes = [_vote(place, vote) for place, vote in enumerate(require_sequence("voters", voters, object))]
    names = _index("voters", [name for name, _, _ in votes])
    approvals = [_places(name, approved, index) for name, _, approved in votes]
    lengths = np.array([len(each) for each in approvals], dtype=np.int64)
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    voter = np.repeat(np.arange(len(votes)), lengths)
    target = np.fromiter(chain.from_iterable(approvals), dtype=np.int64, count=int(start[-1]))
    stakes = tuple(stake for _, stake, _ in votes)
    approval = exact([0] * len(index), sum(stakes))
    np.add.at(approval, target, exact(stakes, sum(stakes))[voter])
    return Electorate(tuple(index), tuple(names), stakes, start, voter, target, tuple(approval.tolist()))


def _index(name: str, ids: Sequence[object]) -> dict[Hashable, int]:
    index: dict[Hashable, int] = {}
    for place, one in enumerate(ids):
        _hashable(f"{name}[{place}]", one)
        if index.setdefault(one, place) != place:
            raise ArgumentError(
                f"{name}[{place}] is {one!r}, which {name}[{index[one]}] is already; allowed: each id once. "
                "Add the stakes of one owner up first"
            )
    return index


def _hashable(name: str, value: object) -> None:
    try:
        hash(value)
    except TypeError as problem:
        raise ArgumentTypeError(
            f"{name} is a {type(value).__name__}, allowed: an id that can be hashed (int, str, bytes, tuple)"
        ) from problem


def _vote(place: int, vote: object) -> tuple[object, int, Sequence[object]]:
    if not isinstance(vote, (tuple, list)) or len(vote) != 3:
        shown = f"has {len(vote)} parts" if isinstance(vote, (tuple, list)) else f"is a {type(vote).__name__}"
        kind = ArgumentError if isinstance(vote, (tuple, list)) else ArgumentTypeError
        raise kind(f"voters[{place}] {shown}, allowed: three, (id, stake, sequence of candidate ids)")
    name, stake, approved = vote
    require_int(f"stake of voters[{place}]", stake, 0, _MOST_STAKE)
    if not isinstance(approved, (tuple, list)):
        require_sequence(f"approvals of voters[{place}]", approved, object)
    return name, stake, approved


def _places(voter: object, approved: Sequence[object], index: dict[Hashable, int]) -> list[int]:
    try:
        return [index[one] for one in dict.fromkeys(approved)]
    except TypeError:
        for place, one in enumerate(approved):
            _hashable(f"approval {place} of voter {voter!r}", one)
        raise
    except KeyError as problem:
        unknown = problem.args[0]
        raise ArgumentError(
            f"voter {voter!r} approves {unknown!r}, which is not a candidate; {nearest(unknown, map(str, index))} "
            "Take votes for those who no longer stand out first"
        ) from problem
