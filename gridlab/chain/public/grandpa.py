r"""GRANDPA's rule, for all voters at once: what a set of votes supports, and what it can no longer rule out.

A vote for a block is a vote for every block on the way to it. A set of votes has a *supermajority* for a block where
more than two thirds of the stake vote for it or have been seen to vote twice (a liar's vote counts for everything, so
that liars can never take away a supermajority). The *ghost* :math:`g(V)` of the prevotes :math:`V` is the highest block
with a supermajority. The *estimate* of a round is the highest block on the way to the ghost that the precommits may
still come to support; a round is *completable* where the estimate is below the ghost, or no child of the ghost can
get a supermajority any more.

References
----------
Stewart and Kokoris-Kogia, "GRANDPA: a Byzantine finality gadget", arXiv:2007.01560, 2020, sections 2.3 to 2.5.
Parity Technologies, finality-grandpa, ``src/round.rs`` (``possible_to_precommit``), 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.public.authorities import supermajority
from gridlab.chain.public.tree import Window

__all__ = ["Tally", "Votes", "completable", "estimate", "ghost", "tally"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


class Votes:
    """The votes of one phase of one round, and when each node receives each.

    Parameters
    ----------
    voters, columns : int
        Who votes, and who receives.

    Attributes
    ----------
    target : array of int64, shape (2, voters)
        Block number, -1 for no vote; the second row holds the second votes of those who vote twice.
    arrival : array of float64, shape (2, voters, columns)
        Milliseconds, inf where it never arrives.
    """

    __slots__ = ("_next", "arrival", "target")

    def __init__(self, voters: int, columns: int) -> None:
        self.target: IntArray = np.full((2, voters), -1, np.int64)
        self.arrival: Array = np.full((2, voters, columns), np.inf)
        self._next = np.inf

    def cast(self, voters: IntArray, blocks: IntArray | int, arrival: Array, *, row: int = 0) -> None:
        """Take votes of several voters: one block for all or one for each, and an arrival row for each."""
        self.target[row, voters] = blocks
        self.arrival[row, voters] = arrival
        self._next = min(self._next, float(arrival.min(initial=np.inf)))

    def fresh(self, now: float) -> bool:
        """Say whether a vote has arrived anywhere since this was last asked, up to `now`."""
        if self._next > now:
            return False
        self._next = float(self.arrival.min(initial=np.inf, where=self.arrival > now))
        return True


@dataclass(frozen=True, slots=True)
class Tally:
    """What each node has seen of one phase of one round.

    Attributes
    ----------
    support : array of float64, shape (w, columns)
        Stake behind each block of the window, liars included.
    voted, lied : array of float64, shape (columns,)
        Stake of those seen to vote, and to vote twice.
    total : int
        All stake.
    """

    support: Array
    voted: Array
    lied: Array
    total: int

    @property
    def threshold(self) -> int:
        """Stake of a supermajority."""
        return supermajority(self.total)

    @property
    def decided(self) -> BoolArray:
        """Which blocks have a supermajority, shape (w, columns)."""
        reached: BoolArray = self.support >= self.threshold
        return reached

    @property
    def possible(self) -> BoolArray:
        """Which blocks have one or may still get one, by votes to come and by as many liars as are borne.

        As ``possible_to_precommit``: those who have not voted may vote for it, and of those who voted otherwise as many
        may turn out to vote twice as a third of the stake less one, beyond those known.
        """
        bearable = np.maximum(self.total - self.threshold - self.lied, 0)
        liars = np.minimum(self.voted - self.support, bearable)
        reach: BoolArray = self.support + liars + (self.total - self.voted) >= self.threshold
        return reach


def tally(votes: Votes, window: Window, weights: Array, now: float) -> Tally:
    """Add up what each node has received by `now`.

    Parameters
    ----------
    votes : Votes
    window : Window
    weights : array of float64, shape (voters,)
        Whole numbers.
    now : float
        Milliseconds.
    """
    places = window.places(votes.target)
    seen = votes.arrival <= now
    # A node cannot count a vote for a block that it does not have yet.
    known = seen & ((places < 0)[:, :, None] | (window.arrival[places] <= now))
    twice = known[0] & known[1]
    supports = window.below[:, places] & (places >= 0)[None, :, :]
    counted = weights[:, None] * (known & ~twice[None])
    liars = weights @ twice
    support = supports[:, 0].astype(np.float64) @ counted[0] + liars
    if known[1].any():
        support += supports[:, 1].astype(np.float64) @ counted[1]
    return Tally(support, weights @ (known[0] | known[1]), liars, int(weights.sum()))


def ghost(decided: BoolArray, window: Window) -> IntArray:
    """Return the place of the highest block with a supermajority for each node, -1 where there is none.

    With more than a third of the stake lying, blocks of two branches may have one; the lower number then stands.
    """
    heights = np.where(decided, window.height[:, None], -1)
    return np.where(decided.any(axis=0), heights.argmax(axis=0), -1)


def estimate(prevoted: IntArray, precommits: Tally, window: Window) -> IntArray:
    """Return the place of the round's estimate for each node, -1 where the prevotes have no ghost yet."""
    open_ = window.below[:, prevoted] & precommits.possible
    found = np.where(open_, window.height[:, None], -1).argmax(axis=0)
    enough = (precommits.voted >= precommits.threshold) & open_.any(axis=0)
    return np.where(prevoted < 0, -1, np.where(enough, found, prevoted))


def completable(prevoted: IntArray, estimated: IntArray, precommits: Tally, window: Window) -> BoolArray:
    """Say for each node whether the round is completable."""
    above = window.below[prevoted].T & (np.arange(len(window))[:, None] != prevoted)
    stuck = (above & precommits.possible).any(axis=0)
    enough = precommits.voted >= precommits.threshold
    done: BoolArray = (prevoted >= 0) & enough & ((estimated != prevoted) | ~stuck)
    return done
