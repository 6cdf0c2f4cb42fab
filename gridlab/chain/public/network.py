"""Validators that write blocks and vote, as a simulation in small steps of time with one random seed.

Time goes in ticks of a tenth of a second. In each tick every node looks at what has reached it, and the whole crowd is
computed at once: arrays over (block, node) and (voter, node), no object per message. The last node has no vote: it is
the observer, an ordinary full node, and what people call "the chain" is what it sees.

A liar writes two blocks in its slots and votes for two in each phase, one for the nodes with an even number, one for
those with an odd one, always what that side's first honest validator would have done. The other copy reaches each side
later, by gossip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.keys import KeyPair
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.rounds import Rounds
from gridlab.chain.public.slots import Claim, Draws
from gridlab.chain.public.tree import BlockTree, Window
from gridlab.seeds import stream

__all__ = ["Equivocation", "Network", "Timing"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take, in whole milliseconds.

    Attributes
    ----------
    slot : int
    gossip : int
        GRANDPA's T: a validator prevotes 2 T and precommits 4 T after the start of its round, or once the round is
        completable.
    latency : int
        Mean of a message's way; half of it is fixed, half exponentially distributed.
    tick : int
        Step of the simulation; divides the slot.
    """

    slot: int = 6_000
    gossip: int = 500
    latency: int = 400
    tick: int = 100


@dataclass(frozen=True, slots=True)
class Equivocation:
    """A validator that the observer has caught doing two things of which the rules allow one.

    Attributes
    ----------
    seat : int
    what : str
        "block", "prevote" or "precommit".
    number : int
        The slot of the blocks, the round of the votes.
    first, second : int
        Numbers of the two blocks in the tree.
    """

    seat: int
    what: str
    number: int
    first: int
    second: int


class Network:
    """All nodes of a public chain.

    Parameters
    ----------
    pairs : sequence of KeyPair
        Of the validators, by seat.
    weights : sequence of int
        Stake of each.
    draws : Draws
    timing : Timing
    faults : Faults
    seed : int

    Attributes
    ----------
    now : int
        Milliseconds since genesis.
    tree : BlockTree
    claims : dict of int to Claim
        Block -> its author's claim.
    best, final : array of int64, shape (validators + 1,)
        Head and last final block of each node; the observer's last.
    lags : list of (int, int)
        Block and milliseconds from its writing until the observer knew it final, in order of finality.
    conflicts : list of (int, int)
        Pairs of blocks of which neither descends from the other, and both of which honest nodes hold final.
    reorganisations : list of (int, int, int)
        Time, honest node, and how many blocks it left behind when its head moved to another branch.
    """

    def __init__(
        self,
        pairs: Sequence[KeyPair],
        weights: Sequence[int],
        *,
        draws: Draws,
        timing: Timing,
        faults: Faults,
        seed: int,
    ) -> None:
        count = len(pairs)
        self.pairs, self.draws, self.timing, self.faults = list(pairs), draws, timing, faults
        self.weights: Array = np.array(weights, np.float64)
        self.now = 0
        self.tree, self.window = BlockTree(), Window(count + 1)
        self.claims: dict[int, Claim] = {}
        self.best: IntArray = np.zeros(count + 1, np.int64)
        self.final: IntArray = np.zeros(count + 1, np.int64)
        self.lags: list[tuple[int, int]] = []
        self.conflicts: list[tuple[int, int]] = []
        self.reorganisations: list[tuple[int, int, int]] = []
        self.evidence: dict[tuple[int, str, int], Equivocation] = {}
        self.messages = {"block": 0, "prevote": 0, "precommit": 0}
        self._delays = stream(seed, "public", "latency")
        self._highest = 0
        self._rounds = Rounds(self)

    def __repr__(self) -> str:
        return f"Network({len(self.pairs)} validators, {self.now / 1000:g} s, {len(self.tree) - 1} blocks)"

    @property
    def observer(self) -> int:
        """The node without a vote."""
        return len(self.pairs)

    @property
    def sides(self) -> tuple[int, int]:
        """The first honest seat with an even and with an odd number, whom liars imitate; 0 where there is none."""
        honest = np.flatnonzero(~self.faults.liars)
        even, odd = (honest[honest % 2 == side] for side in (0, 1))
        return int(even[0]) if len(even) else 0, int(odd[0]) if len(odd) else 0

    @property
    def honest(self) -> BoolArray:
        """Which nodes follow the rules, the observer included."""
        return np.append(~self.faults.liars, np.True_)

    def run_until(self, moment: int) -> None:
        """Let time pass until `moment`, milliseconds since genesis."""
        while self.now < moment:
            self.now += self.timing.tick
            # Heads first: what was made final in the last tick may have taken a head away.
            moved = self._choose()
            if self.now % self.timing.slot == 0:
                self._write(self.now // self.timing.slot)
            self._rounds.step(blocks_moved=moved)

    # Blocks

    def _write(self, slot: int) -> None:
        up = self.faults.online(self.now)
        for claim in self.draws.claims(slot, self.pairs):
            if not up[claim.seat]:
                continue
            if self.faults.liars[claim.seat]:
                written = [self._add(slot, claim, side) for side in (0, 1)]
                found = Equivocation(claim.seat, "block", slot, *written)
                self.evidence[claim.seat, "block", slot] = found
            else:
                self._add(slot, claim, None)

    def _add(self, slot: int, claim: Claim, side: int | None) -> int:
        parent = int(self.best[claim.seat if side is None else self.sides[side]])
        names = {"primary": claim.primary, "variant": side or 0, "written": self.now}
        block = self.tree.add(parent, slot, claim.seat, **names)  # type: ignore[arg-type]
        self.claims[block] = claim
        self.messages["block"] += 1
        self.window.add(block, self.tree, self.sent(np.array([claim.seat]), side)[0])
        return block

    def sent(self, senders: IntArray, side: int | None = None) -> Array:
        """Return when messages that are sent now arrive, shape (k, nodes); a liar's for one `side` the other later."""
        half = self.timing.latency / 2
        delays = half + half * self._delays.exponential(size=(len(senders), len(self.best)))
        if side is None:
            delays[np.arange(len(senders)), senders] = 0.0
            return self.faults.arrivals(self.now, senders, delays)
        # A liar has its own lines to its side, cut or not; to the other one the news goes through an honest node.
        own = np.arange(len(self.best)) % 2 == side
        relay = np.full(len(senders), self.sides[side])
        around = self.faults.arrivals(self.now, relay, delays + 2 * self.timing.latency)
        return np.where(own, self.now + delays, around)

    def _choose(self) -> bool:
        """Let every node move to the best block that it has; say whether any block has arrived."""
        window, since = self.window, self.now - self.timing.tick
        arrived = window.arrival <= self.now
        fresh = bool((arrived & (window.arrival > since)).any())
        roots = np.maximum(window.places(self.final), 0)
        heads = window.places(self.best)
        lost = (heads < 0) | ~window.below[roots, heads]
        if not fresh and not lost.any():
            return False
        eligible = arrived & window.below[roots].T
        scores = np.where(eligible, window.score[:, None], -1)
        top = scores.max(axis=0)
        # Of equals the one that came first; and who has a head leaves it for a better one only.
        chosen = np.where(scores == top, window.arrival, np.inf).argmin(axis=0)
        moving = lost | (top > window.score[heads])
        self._note_moves(np.flatnonzero(moving & ~lost), heads, chosen)
        self.best = np.where(moving, window.blocks[chosen], self.best)
        return fresh

    def _note_moves(self, nodes: IntArray, heads: IntArray, chosen: IntArray) -> None:
        aside = nodes[~self.window.below[heads[nodes], chosen[nodes]] & self.honest[nodes]]
        for node in aside.tolist():
            old, new = (int(self.window.blocks[places[node]]) for places in (heads, chosen))
            depth = self.tree.height[old] - self.tree.height[self.tree.common(old, new)]
            self.reorganisations.append((self.now, node, depth))

    # Finality

    def finalise(self, found: IntArray) -> None:
        """Take over the places of blocks that each node has seen precommitted, -1 for none.

        Whoever holds a higher block final already stays there.
        """
        window = self.window
        old = np.maximum(window.places(self.final), 0)
        higher = (found >= 0) & (window.height[found] > window.height[old])
        aside = higher & ~window.below[old, found]
        for node in np.flatnonzero(aside & self.honest).tolist():
            self._conflict(int(self.final[node]), int(window.blocks[found[node]]))
        higher &= ~aside
        for block in np.unique(window.blocks[found[higher & self.honest]]).tolist():
            self._compare(block)
        before = int(self.final[self.observer])
        self.final = np.where(higher, window.blocks[found], self.final)
        for block in self.tree.path(int(self.final[self.observer]), before):
            self.lags.append((block, self.now - self.tree.written[block]))

    def _compare(self, block: int) -> None:
        common = self.tree.common(self._highest, block)
        if common not in (self._highest, block):
            self._conflict(self._highest, block)
        elif common == self._highest:
            self._highest = block

    def _conflict(self, first: int, second: int) -> None:
        pair = (min(first, second), max(first, second))
        if pair not in self.conflicts:
            self.conflicts.append(pair)

    def prune(self) -> bool:
        """Drop what is below the last block that all nodes which may come back hold final; say whether any was."""
        staying = np.append(~self.faults.gone, np.True_) & self.honest
        places = np.maximum(self.window.places(self.final[staying]), 0)
        root = int(places[self.window.height[places].argmin()])
        if self.conflicts or not root:
            return False
        self.window.prune(root)
        return True
