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

import functools
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
    weights : array of float64, shape (voters,), optional
        What each vote weighs. With them, votes that come in at a node while it has heard of less than a supermajority
        are no news (`fresh`): whatever they are for, nothing follows from them yet.

    Attributes
    ----------
    target : array of int64, shape (2, voters)
        Block number, -1 for no vote; the second row holds the second votes of those who vote twice.
    arrival : array of float64, shape (2, voters, columns)
        Milliseconds, inf where it never arrives.
    next, news : float
        When the next vote arrives that `fresh` has not told of yet, and when the next one that is news.
    twice : bool
        Whether anybody has cast a second vote.
    """

    __slots__ = (
        "_added",
        "_enough",
        "_heard",
        "_supports",
        "_told",
        "_version",
        "_weights",
        "arrival",
        "news",
        "next",
        "target",
        "twice",
    )

    def __init__(self, voters: int, columns: int, weights: Array | None = None) -> None:
        self.target: IntArray = np.full((2, voters), -1, np.int64)
        self.arrival: Array = np.full((2, voters, columns), np.inf)
        self.next = self.news = np.inf
        self.twice = False
        # When this was last asked, and the first arrival of what was cast after that.
        self._told, self._added = -np.inf, np.inf
        self._weights = weights
        # When each node has heard of a supermajority.
        self._enough: Array = np.full(columns, np.inf)
        # What `single` worked out for one state of the window.
        self._version = -1
        self._supports, self._heard = self.arrival, self.arrival

    def cast(self, voters: IntArray, blocks: IntArray | int, arrival: Array, *, row: int = 0) -> None:
        """Take votes of several voters: one block for all or one for each, and an arrival row for each."""
        if not len(voters):
            return
        self._version = -1
        self.target[row, voters] = blocks
        self.arrival[row, voters] = arrival
        self.twice = self.twice or row == 1
        first = float(arrival.min())
        self._added, self.next = min(self._added, first), min(self.next, first)
        if self._weights is None or self.twice:
            self.news = self.next
            return
        self._enough = self._supermajority_heard(self._weights)
        news = float(arrival.min(initial=np.inf, where=arrival >= self._enough))
        self.news = min(news, self._coming())

    def _supermajority_heard(self, weights: Array) -> Array:
        """Return when each node has heard of a supermajority, whatever it is for."""
        order = self.arrival[0].argsort(axis=0)
        reached = (weights[order].cumsum(axis=0) >= supermajority(int(weights.sum()))).argmax(axis=0)
        columns = np.arange(len(reached))
        found: Array = self.arrival[0][order[reached, columns], columns]
        return found

    def _coming(self) -> float:
        """Return when the next first vote arrives at a node that has heard of a supermajority by then."""
        arrival = self.arrival[0]
        return float(arrival.min(initial=np.inf, where=(arrival > self._told) & (arrival >= self._enough)))

    def fresh(self, now: float, since: float | None = None) -> bool:
        """Say whether a vote has arrived anywhere since this was last asked, up to `now`.

        Parameters
        ----------
        now : float
            Milliseconds.
        since : float, optional
            Where it is given, votes that are no news count as well, if they have come in after this moment.
        """
        if self.next > now:
            return False
        news, told = self.news <= now, self._told
        found = news or (since is not None and self._came(since, now, told))
        self._told, self._added = now, np.inf
        self.next = float(self.arrival.min(initial=np.inf, where=self.arrival > now))
        if news:
            self.news = self.next if self._weights is None or self.twice else self._coming()
        return found

    def _came(self, since: float, now: float, told: float) -> bool:
        # Votes that were cast at `since` have reached their voters at once, and that has not been told either.
        return (told >= since and self._added <= now) or bool(((self.arrival > since) & (self.arrival <= now)).any())

    def single(self, window: Window) -> tuple[Array, Array]:
        """Return which block each first vote supports, and when each node can count it: once it has its block, too.

        Returns
        -------
        array of float64, shape (w, voters)
            1 or 0.
        array of float64, shape (voters, columns)
            Milliseconds.
        """
        if self._version != window.version:
            places = window.places(self.target[0])
            here = places >= 0
            self._supports = (window.below[:, places] & here).astype(np.float64)
            there = np.where(here[:, None], window.arrival[places], -np.inf)
            self._heard, self._version = np.maximum(self.arrival[0], there), window.version
        return self._supports, self._heard


@dataclass(frozen=True)
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
        return self.total - (self.total - 1) // 3

    @property
    def decided(self) -> BoolArray:
        """Which blocks have a supermajority, shape (w, columns)."""
        reached: BoolArray = self.support >= self.threshold
        return reached

    @functools.cached_property
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
    if not votes.twice:
        return _once(votes, window, weights, now)
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


def _once(votes: Votes, window: Window, weights: Array, now: float) -> Tally:
    """Add up where nobody has voted twice; stakes are whole numbers, so the order of adding makes no difference."""
    supports, heard = votes.single(window)
    counted = weights[:, None] * (heard <= now)
    return Tally(supports @ counted, counted.sum(axis=0), np.zeros(counted.shape[1]), int(weights.sum()))


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
