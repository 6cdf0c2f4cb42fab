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
from gridlab.chain.public.equivocation import Equivocation
from gridlab.chain.public.grandpa import Tally, Votes
from gridlab.chain.public.tree import Window

if TYPE_CHECKING:
    from gridlab.chain.public.network import Network

__all__ = ["Rounds"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# Rounds behind the latest one in which nobody votes any more, and whose late votes may still make a block final.
_KEPT = 8
_FEW = 32


class _Round:
    """One round: both phases, the primary's proposal, and what each node makes of them."""

    __slots__ = (
        "_precommitted",
        "_version",
        "completable",
        "counted",
        "estimate",
        "final",
        "ghost",
        "has_final",
        "hint",
        "hint_arrival",
        "known",
        "open",
        "precommits",
        "prevotes",
        "told",
    )

    def __init__(self, weights: Array) -> None:
        voters, columns = len(weights), len(weights) + 1
        # Of many voters somebody is heard at every moment, and sorting out what is news costs more than it saves.
        sorting = weights if voters <= _FEW else None
        self.prevotes, self.precommits = Votes(voters, columns, sorting), Votes(voters, columns, sorting)
        self.hint = -1
        self.hint_arrival: Array = np.full(columns, np.inf)
        self.counted = self.known = self.has_final = False
        self.ghost: IntArray = np.full(columns, -1, np.int64)
        self.estimate: IntArray = self.ghost
        self.final: IntArray = self.ghost
        self.completable: BoolArray = np.zeros(columns, np.bool_)
        # What was last counted: the precommits, and upon which state of the window.
        self._precommitted: Tally | None = None
        self._version, self.open = -1, True
        # What the network was last told is final.
        self.told: IntArray | None = None

    def count(self, window: Window, weights: Array, now: float, fresh: tuple[bool, bool]) -> bool:
        """Work out ghost, estimate, completability and what is final, by node; say whether voters see anything new.

        Parameters
        ----------
        window : Window
        weights : array of float64
        now : float
            Milliseconds.
        fresh : tuple of (bool, bool)
            Whether prevotes and precommits may count otherwise than last time.
        """
        anew = not self.counted or self._version != window.version
        before, tallied = (self.ghost, self.estimate, self.completable), self._precommitted
        if fresh[0] or anew:
            self.ghost = grandpa.ghost(grandpa.tally(self.prevotes, window, weights, now).decided, window)
        if tallied is None or fresh[1] or anew:
            tallied = self._precommitted = grandpa.tally(self.precommits, window, weights, now)
            self.final = grandpa.ghost(tallied.decided, window)
            self.has_final = bool(self.final.max() >= 0)
        elif _same(before[0], self.ghost):
            return False
        self._version = window.version
        told, self.counted = not self.counted, True
        # With less than a supermajority of precommits nobody can rule anything out yet.
        was_open, self.open = self.open, bool(tallied.voted.max() < tallied.threshold)
        if self.open:
            self.estimate, self.completable = self.ghost, np.zeros(len(self.ghost), np.bool_)
        else:
            self.estimate = grandpa.estimate(self.ghost, tallied, window)
            self.completable = grandpa.completable(self.ghost, self.estimate, tallied, window)
        if told or (was_open and self.open):
            return told or not _same(before[0], self.ghost)
        after = self.ghost, self.estimate, self.completable
        return not all(_same(old, new) for old, new in zip(before, after, strict=True))

    def due(self, window: Window) -> float:
        """Return when the next vote arrives that may change what was counted."""
        if self._version != window.version:
            # Blocks have been added since, and any vote makes the voters look again.
            return min(self.prevotes.next, self.precommits.next)
        return min(self.prevotes.news, self.precommits.news)

    def fresh(self, window: Window, now: float, since: float, *, every: bool) -> tuple[bool, bool]:
        """Say for prevotes and precommits whether some have arrived that may change what was counted.

        Parameters
        ----------
        window : Window
        now, since : float
            This tick and the one before, milliseconds.
        every : bool
            Whether votes count from which nothing can follow yet.
        """
        if self.prevotes.next > now and self.precommits.next > now:
            return False, False
        after = since if every or self._version != window.version else None
        return self.prevotes.fresh(now, after), self.precommits.fresh(now, after)

    def settle(self, window: Window, now: float) -> None:
        """Note whether everybody has received all votes that were cast, and the blocks that they are for."""
        self.known = all(self._received(votes, window, now) for votes in (self.prevotes, self.precommits))

    @staticmethod
    def _received(votes: Votes, window: Window, now: float) -> bool:
        if votes.next < np.inf:
            return False
        places = window.places(votes.target)
        late = (places >= 0)[:, :, None] & (window.arrival[places] > now)
        return not late.any()


def _same(first: Array, second: Array) -> bool:
    return first is second or first.tobytes() == second.tobytes()


class Rounds:
    """Where every validator of a network stands in the voting.

    Parameters
    ----------
    network : Network
    root : int
        The block that all voters hold final.
    first : int
        Number of the first round.
    """

    __slots__ = (
        "_estimate",
        "_ghost",
        "_moved",
        "_network",
        "_oldest",
        "_precommitted",
        "_prevoted",
        "_round",
        "_rounds",
        "_start",
        "_timer",
    )

    def __init__(self, network: Network, root: int = 0, first: int = 0) -> None:
        count = len(network.pairs)
        self._network = network
        self._round: IntArray = np.full(count, first, np.int64)
        self._start: Array = np.full(count, network.now, np.float64)
        self._timer, self._oldest = 0.0, first
        # Whether somebody has voted or gone on since the timer was set.
        self._moved = True
        self._prevoted: BoolArray = np.zeros(count, np.bool_)
        self._precommitted: BoolArray = np.zeros(count, np.bool_)
        # Of the round before when this one began, as numbers of blocks.
        self._estimate: IntArray = np.full(count, root, np.int64)
        self._ghost: IntArray = np.full(count, root, np.int64)
        self._rounds: dict[int, _Round] = {first: self._fresh_round()}

    def _fresh_round(self) -> _Round:
        return _Round(self._network.weights)

    @property
    def latest(self) -> int:
        """The highest round that has begun."""
        return int(self._round.max())

    def due(self) -> float:
        """Return when something can happen next without a block arriving: a vote comes in, or the time for one is up.

        Milliseconds; the past where the next moment must be looked at.
        """
        found, window = self._timer, self._network.window
        for one in self._rounds.values():
            if not one.counted:
                return -np.inf
            found = min(found, one.due(window))
        return found

    def _next_timer(self) -> float:
        """Return when the time for a vote is up next."""
        gossip = self._network.timing.gossip
        timers = self._start + np.where(self._prevoted, 4 * gossip, 2 * gossip)
        return float(timers.min(initial=np.inf, where=(timers > self._network.now) & ~self._precommitted))

    def step(self, *, blocks_moved: bool, stirred: bool) -> None:
        """Do what is due at the network's present moment.

        Parameters
        ----------
        blocks_moved : bool
            Whether a block has arrived anywhere.
        stirred : bool
            Whether somebody has come back, or may have got something to vote on otherwise.
        """
        network = self._network
        now, up, since = network.now, network.up, network.now - network.timing.tick
        changed, above = False, self.latest + 1
        lowest = int(self._round.min(initial=above, where=up))
        open_from = int(self._round.min(initial=above, where=network.returning)) - 1
        # Voters act on what they see, on the clock, and when they come back; else they have done what they can.
        acting = network.walks or now >= self._timer or blocks_moved or stirred
        for number in sorted(self._rounds):
            one = self._rounds[number]
            fresh = one.fresh(network.window, now, since, every=network.walks)
            if any(fresh) or blocks_moved or not one.counted:
                news = self._count(number, one, fresh, moved=blocks_moved, spent=number < open_from)
                acting, changed = acting or news, changed or one.has_final
            if acting and number >= lowest:
                self._vote(number, one, up)
                self._go_on(number, one, up)
        if acting and (now >= self._timer or self._moved):
            self._timer, self._moved = self._next_timer(), False
        if (changed or stirred) and network.prune():
            for one in self._rounds.values():
                one.counted, one.told = False, None
        while acting and self._oldest < self.latest - _KEPT:
            self._rounds.pop(self._oldest, None)
            self._oldest += 1

    def _count(self, number: int, one: _Round, fresh: tuple[bool, bool], *, moved: bool, spent: bool) -> bool:
        """Count a round again where that may give something else; say whether voters see anything new."""
        network, news = self._network, False
        # Of a round that nobody votes in or goes by any more only what it makes final matters, and that can change no
        # more once everybody has every vote of it.
        if not (spent and one.counted and one.known and not any(fresh)) or network.walks:
            every = moved or network.walks
            news = one.count(network.window, network.weights, network.now, (fresh[0] or every, fresh[1] or every))
            self._note_liars(number, one)
            if spent:
                one.settle(network.window, network.now)
        if one.told is None or network.conflicts or network.walks or not _same(one.told, one.final):
            network.finalise(one.final)
            one.told = one.final
        return news

    def _vote(self, number: int, one: _Round, up: BoolArray) -> None:
        network, window = self._network, self._network.window
        mine = up & (self._round == number) & ~self._precommitted
        if not mine.any():
            return
        age, gossip = network.now - self._start, network.timing.gossip
        done = one.completable[:-1]
        due = mine & ~self._prevoted & ((age >= 2 * gossip) | done)
        if network.idle_slots:
            due &= ~network.resting
        if due.any():
            voters = np.flatnonzero(due)
            self._cast(one.prevotes, voters, self._heads(voters, number, one), "prevote")
            self._prevoted |= due
        ghosts = one.ghost[:-1]
        due = mine & self._prevoted & ((age >= 4 * gossip) | done) & (ghosts >= 0)
        if due.any():
            due &= window.below[self._before(number)[0], ghosts]
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
        self._moved = True
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
        if one.open:
            return
        network, window = self._network, self._network.window
        ready = (self._round < number) | ((self._round == number) & self._precommitted)
        moving = up & one.completable[:-1] & ready
        if not moving.any():
            return
        self._moved = True
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
        network = self._network
        if not network.lying:
            return
        for what, votes in (("prevote", one.prevotes), ("precommit", one.precommits)):
            both = (votes.arrival[:, :, -1] <= network.now).all(axis=0) & (votes.target[0] != votes.target[1])
            for seat in np.flatnonzero(both).tolist():
                first, second = votes.target[:, seat].tolist()
                found = Equivocation(seat, what, number, first, second, network.key_of(seat))
                network.evidence.setdefault((seat, what, number), found)
