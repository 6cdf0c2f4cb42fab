"""The rounds of voting: when each validator prevotes, precommits and goes on, and what that makes final.

A validator of round r

1. prevotes 2 T after it began the round, or once the round is completable: for the head of the best chain that contains
   the estimate of round r - 1 (or the block that the round's primary proposed, where that lies between the estimate and
   the ghost of round r - 1);
2. precommits 4 T after it began, or once the round is completable, as soon as the ghost of the prevotes contains the
   estimate of round r - 1: for that ghost;
3. goes on to round r + 1 when it has voted and the round is completable.

Who has been away joins the round after the latest one that it sees completable. A block with a supermajority of
precommits of one round is final, and so is every block on the way to it.

References
----------
Stewart and Kokoris-Kogia, "GRANDPA: a Byzantine finality gadget", arXiv:2007.01560, 2020, section 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.public import grandpa
from gridlab.chain.public.grandpa import Votes
from gridlab.chain.public.tree import Window

if TYPE_CHECKING:
    from gridlab.chain.public.network import Network

__all__ = ["Rounds"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# Rounds behind the latest one in which nobody votes any more, and whose late votes may still make a block final.
_KEPT = 8


class _Round:
    """One round: both phases, the primary's proposal, and what each node makes of them."""

    __slots__ = (
        "completable",
        "counted",
        "estimate",
        "final",
        "ghost",
        "hint",
        "hint_arrival",
        "precommits",
        "prevotes",
    )

    def __init__(self, voters: int, columns: int) -> None:
        self.prevotes, self.precommits = Votes(voters, columns), Votes(voters, columns)
        self.hint = -1
        self.hint_arrival: Array = np.full(columns, np.inf)
        self.counted = False
        self.ghost: IntArray = np.full(columns, -1, np.int64)
        self.estimate: IntArray = self.ghost
        self.final: IntArray = self.ghost
        self.completable: BoolArray = np.zeros(columns, np.bool_)

    def count(self, window: Window, weights: Array, now: float) -> None:
        """Work out ghost, estimate, completability and what is final, by node; places of the window."""
        self.counted = True
        self.ghost = grandpa.ghost(grandpa.tally(self.prevotes, window, weights, now).decided, window)
        precommits = grandpa.tally(self.precommits, window, weights, now)
        self.estimate = grandpa.estimate(self.ghost, precommits, window)
        self.completable = grandpa.completable(self.ghost, self.estimate, precommits, window)
        self.final = grandpa.ghost(precommits.decided, window)


class Rounds:
    """Where every validator of a network stands in the voting.

    Parameters
    ----------
    network : Network
    """

    __slots__ = ("_estimate", "_ghost", "_network", "_precommitted", "_prevoted", "_round", "_rounds", "_start")

    def __init__(self, network: Network) -> None:
        count = len(network.pairs)
        self._network = network
        self._round: IntArray = np.zeros(count, np.int64)
        self._start: Array = np.zeros(count, np.float64)
        self._prevoted: BoolArray = np.zeros(count, np.bool_)
        self._precommitted: BoolArray = np.zeros(count, np.bool_)
        # Of the round before when this one began, as numbers of blocks.
        self._estimate: IntArray = np.zeros(count, np.int64)
        self._ghost: IntArray = np.zeros(count, np.int64)
        self._rounds: dict[int, _Round] = {0: self._fresh_round()}

    def _fresh_round(self) -> _Round:
        count = len(self._network.pairs)
        return _Round(count, count + 1)

    @property
    def latest(self) -> int:
        """The highest round that has begun."""
        return int(self._round.max())

    def step(self, *, blocks_moved: bool) -> None:
        """Do what is due at the network's present moment."""
        network = self._network
        now, up = network.now, network.faults.online(network.now)
        changed, lowest = False, int(self._round.min())
        for number in sorted(self._rounds):
            one = self._rounds[number]
            fresh = [one.prevotes.fresh(now), one.precommits.fresh(now)]
            if any(fresh) or blocks_moved or not one.counted:
                one.count(network.window, network.weights, now)
                self._note_liars(number, one)
                changed = changed or bool((one.final >= 0).any())
                network.finalise(one.final)
            if number >= lowest:
                self._vote(number, one, up)
                self._go_on(number, one, up)
        if changed and network.prune():
            for one in self._rounds.values():
                one.counted = False
        for number in [number for number in self._rounds if number < self.latest - _KEPT]:
            del self._rounds[number]

    def _vote(self, number: int, one: _Round, up: BoolArray) -> None:
        network, window = self._network, self._network.window
        mine = up & (self._round == number)
        if not mine.any():
            return
        age, gossip = network.now - self._start, network.timing.gossip
        done = one.completable[:-1]
        due = mine & ~self._prevoted & ((age >= 2 * gossip) | done)
        if due.any():
            voters = np.flatnonzero(due)
            self._cast(one.prevotes, voters, self._heads(voters, number, one), "prevote")
            self._prevoted |= due
        ghosts = one.ghost[:-1]
        agreed = (ghosts >= 0) & window.below[self._before(number)[0], ghosts]
        due = mine & self._prevoted & ~self._precommitted & ((age >= 4 * gossip) | done) & agreed
        if due.any():
            voters = np.flatnonzero(due)
            self._cast(one.precommits, voters, window.blocks[ghosts[voters]], "precommit", one)
            self._precommitted |= due

    def _before(self, number: int) -> tuple[IntArray, IntArray]:
        """Return the places of estimate and ghost of the round before `number`, as each voter sees them now.

        They follow the votes that still come in: only so do the voters' estimates agree in the end, and with estimates
        as they were at the start of the round, two liars can keep the others waiting for each other for ever.
        """
        window, earlier = self._network.window, self._rounds.get(number - 1)
        estimate, ghost = (np.maximum(window.places(blocks), 0) for blocks in (self._estimate, self._ghost))
        if earlier is None or not earlier.counted:
            return estimate, ghost
        now = earlier.estimate[:-1], earlier.ghost[:-1]
        return np.where(now[0] >= 0, now[0], estimate), np.where(now[1] >= 0, now[1], ghost)

    def _heads(self, voters: IntArray, number: int, one: _Round) -> IntArray:
        """Return the head of the best chain that each voter is bound to prevote for, as numbers of blocks."""
        network, window = self._network, self._network.window
        bound, ghosts = (places[voters] for places in self._before(number))
        if one.hint >= 0:
            hint = int(window.places(np.array([one.hint]))[0])
            heard = (one.hint_arrival[voters] <= network.now) & (hint >= 0)
            heard &= (
                window.below[bound, hint] & window.below[hint, ghosts] & (window.arrival[hint, voters] <= network.now)
            )
            bound = np.where(heard, hint, bound)
        eligible = window.below[bound].T & (window.arrival[:, voters] <= network.now)
        scores = np.where(eligible, window.score[:, None], -1)
        heads = window.places(network.best[voters])
        fits = (heads >= 0) & window.below[bound, heads]
        return window.blocks[np.where(fits, heads, scores.argmax(axis=0))]

    def _cast(self, votes: Votes, voters: IntArray, targets: IntArray, what: str, one: _Round | None = None) -> None:
        network = self._network
        liars = network.faults.liars[voters]
        plain = voters[~liars]
        votes.cast(plain, targets[~liars], network.sent(plain))
        network.messages[what] += len(voters) + int(liars.sum())
        if liars.any():
            chosen = self._lies(one)
            for side, target in enumerate(chosen):
                lying = voters[liars]
                votes.cast(lying, target, network.sent(lying, side), row=side)

    def _lies(self, one: _Round | None) -> tuple[int, int]:
        """Return what liars vote for on each side: two different blocks wherever there are two."""
        network, window = self._network, self._network.window
        found = []
        for seat in network.sides:
            ghost = -1 if one is None else int(one.ghost[seat])
            found.append(int(window.blocks[ghost]) if ghost >= 0 else int(network.best[seat]))
        if found[0] == found[1] and found[1] in window.place:
            parent = network.tree.parent[found[1]]
            found[1] = parent if parent in window.place else found[1]
        return found[0], found[1]

    def _go_on(self, number: int, one: _Round, up: BoolArray) -> None:
        network, window = self._network, self._network.window
        ready = (self._round < number) | ((self._round == number) & self._precommitted)
        moving = up & one.completable[:-1] & ready
        if not moving.any():
            return
        self._round[moving] = number + 1
        self._start[moving] = network.now
        self._prevoted[moving] = self._precommitted[moving] = False
        self._estimate[moving] = window.blocks[one.estimate[:-1][moving]]
        self._ghost[moving] = window.blocks[one.ghost[:-1][moving]]
        following = self._rounds.setdefault(number + 1, self._fresh_round())
        primary = (number + 1) % len(network.pairs)
        if moving[primary] and following.hint < 0:
            following.hint = int(self._estimate[primary])
            following.hint_arrival = network.sent(np.array([primary]))[0]

    def _note_liars(self, number: int, one: _Round) -> None:
        from gridlab.chain.public.network import Equivocation

        network = self._network
        if not network.faults.liars.any():
            return
        for what, votes in (("prevote", one.prevotes), ("precommit", one.precommits)):
            both = (votes.arrival[:, :, -1] <= network.now).all(axis=0) & (votes.target[0] != votes.target[1])
            for seat in np.flatnonzero(both).tolist():
                first, second = votes.target[:, seat].tolist()
                found = Equivocation(seat, what, number, first, second)
                network.evidence.setdefault((seat, what, number), found)
