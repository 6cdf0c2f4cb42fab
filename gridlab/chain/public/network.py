"""Validators that write blocks and vote, as a simulation in small steps of time with one random seed.

Time goes in ticks of a tenth of a second. In each tick every node looks at what has reached it, and the whole crowd is
computed at once: arrays over (block, node) and (voter, node), no object per message. A tick at which nothing can happen
is left out (`gridlab.chain.public.clock`), and the result is that of walking through all (`Network.walks`). The last
node has no vote: it is the observer, an ordinary full node, and what people call "the chain" is what it sees.

A liar writes two blocks in its slots and votes for two in each phase, one for the nodes with an even number, one for
those with an odd one, always what that side's first honest validator would have done. The other copy reaches each side
later, by gossip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.keys import KeyPair
from gridlab.chain.public.clock import Clock
from gridlab.chain.public.equivocation import Equivocation
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


class Network:
    """All nodes of a public chain.

    Parameters
    ----------
    pairs : sequence of KeyPair or None
        Of the validators, by seat; None where nobody holds the key, and the seat is down for good.
    weights : sequence of int
        Stake of each.
    draws : Draws
    timing : Timing
    faults : Faults
    seed : int
    idle_slots : int
        0 if every slot has a block; otherwise one is written only where it is due (`Clock.first_due`), and who holds
        its head final has nothing to vote on and waits.
    after : tuple of (Network, int), optional
        The network that this one goes on from, and the block in which its validators handed over. Each node joins when
        the certificate of that block reaches it.

    Attributes
    ----------
    now : int
        Milliseconds since genesis.
    walks : bool
        Whether every tick is looked at and everything counted again in each, which takes longer and gives the same.
    wants : callable
        ``wants(block)`` says whether a block upon this one would hold a transaction; asked where `idle_slots` is not 0.
    up : array of bool, shape (validators,)
        Who is up at the present moment.
    boundaries : array of float64
        When a validator goes down or comes back, milliseconds.
    next_block : float
        When the next block arrives anywhere.
    unsettled : bool
        Whether heads must be looked at in the next tick though no block arrives.
    changes : dict of int to None
        Blocks in which the validators hand over; nobody writes upon them here.
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
        pairs: Sequence[KeyPair | None],
        weights: Sequence[int],
        *,
        draws: Draws,
        timing: Timing,
        faults: Faults,
        seed: int,
        idle_slots: int = 0,
        after: tuple[Network, int] | None = None,
    ) -> None:
        count = len(pairs)
        self.pairs, self.draws, self.timing = list(pairs), draws, timing
        self.idle_slots, self.walks = idle_slots, False
        self.wants: Callable[[int], bool] = _wants_nothing
        self.weights: Array = np.array(weights, np.float64)
        self.now, root, first = 0, 0, 0
        self._clock = Clock(self)
        self._joined: Array = np.full(count, -np.inf)
        self.changes: dict[int, None] = {}
        self.tree = BlockTree()
        self.claims: dict[int, Claim] = {}
        self.lags: list[tuple[int, int]] = []
        self.conflicts: list[tuple[int, int]] = []
        self.reorganisations: list[tuple[int, int, int]] = []
        self.evidence: dict[tuple[int, str, int], Equivocation] = {}
        self.messages = {"block": 0, "prevote": 0, "precommit": 0}
        self._delays = stream(seed, "public", "latency")
        if after is not None:
            past, root = after
            first = past.rounds.latest + 1
            self._go_on_from(past)
        self.best: IntArray = np.full(count + 1, root, np.int64)
        self.final: IntArray = np.full(count + 1, root, np.int64)
        self._highest = root
        self.window = Window(count + 1, root, self.tree.score(root), self.tree.height[root])
        self.faults = faults
        if after is not None:
            self._joined = self.sent(np.array([count]))[0, :-1]
            self.window.arrival[0, :-1] = self._joined
            self.faults = faults
        self.next_block, self.unsettled = np.inf, True
        self.rounds: Rounds = Rounds(self, root, first)

    def _go_on_from(self, past: Network) -> None:
        """Take over the clock, the blocks, and what was seen so far."""
        self.now, self.walks, self.wants = past.now, past.walks, past.wants
        self.tree, self.claims, self.messages = past.tree, past.claims, past.messages
        self.lags, self.conflicts, self.reorganisations = past.lags, past.conflicts, past.reorganisations
        self.evidence, self._delays = past.evidence, past._delays

    def __repr__(self) -> str:
        return f"Network({len(self.pairs)} validators, {self.now / 1000:g} s, {len(self.tree) - 1} blocks)"

    @property
    def observer(self) -> int:
        """The node without a vote."""
        return len(self.pairs)

    @property
    def faults(self) -> Faults:
        """What goes wrong; setting it holds from the next tick on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults, self._prunable = faults, True
        self._clock.disturb()
        # Whether voters have something to look at that is no message: who is up, who has nothing to vote on.
        self._stirred = True
        self.up = self._present(faults)
        self.honest: BoolArray = np.append(~faults.liars, np.True_)
        self.returning: BoolArray = ~faults.gone
        self.lying = bool(faults.liars.any())
        self.boundaries = np.unique(
            np.concatenate([faults.down_from, faults.down_until, self._joined[self._joined > self.now]])
        )

    def _present(self, faults: Faults) -> BoolArray:
        up: BoolArray = faults.online(self.now) & (self._joined <= self.now)
        return up

    def key_of(self, seat: int) -> bytes:
        """Return the public key of a seat, nothing where nobody holds its key."""
        pair = self.pairs[seat]
        return pair.public_key if pair is not None else b""

    def mark_change(self, block: int) -> None:
        """Let nobody write upon a block, because the validators hand over in it."""
        self.changes[block] = None
        self.unsettled = True
        self._clock.disturb()

    @property
    def sides(self) -> tuple[int, int]:
        """The first honest seat with an even and with an odd number, whom liars imitate; 0 where there is none."""
        honest = np.flatnonzero(~self.faults.liars)
        even, odd = (honest[honest % 2 == side] for side in (0, 1))
        return int(even[0]) if len(even) else 0, int(odd[0]) if len(odd) else 0

    @property
    def resting(self) -> BoolArray:
        """Which validators have nothing to vote on; they wait for a block where slots may be idle."""
        settled: BoolArray = self.best[:-1] == self.final[:-1]
        return settled

    def run_until(self, moment: int) -> None:
        """Let time pass until `moment`, milliseconds since genesis."""
        tick = self.timing.tick
        while self.now < moment:
            due = self._clock.next_tick()
            if due > moment:
                # Nothing happens until then.
                self.now += -((self.now - moment) // tick) * tick
                return
            self.now = due
            self._step()

    def _step(self) -> None:
        if len(self.boundaries):
            up = self._present(self.faults)
            self._stirred = self._stirred or bool((up != self.up).any())
            self.up = up
        # Heads first: what was made final in the last tick may have taken a head away.
        moved = self._choose()
        if self.now % self.timing.slot == 0:
            self._write(self.now // self.timing.slot)
        stirred, self._stirred = self._stirred, False
        self.rounds.step(blocks_moved=moved, stirred=stirred)
        self._clock.ticked()

    # Blocks

    def _write(self, slot: int) -> None:
        if slot < self._clock.first_due(self._clock.deciding):
            return
        for claim in self.draws.claims(slot, self.pairs):
            if not self.up[claim.seat]:
                continue
            lies = bool(self.faults.liars[claim.seat])
            nodes = self.sides if lies else [claim.seat]
            if slot < self._clock.first_due(nodes) or any(int(self.best[node]) in self.changes for node in nodes):
                continue
            if lies:
                written = [self._add(slot, claim, side) for side in (0, 1)]
                found = Equivocation(claim.seat, "block", slot, written[0], written[1], self.key_of(claim.seat))
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
        self._await_blocks()
        return block

    def _await_blocks(self) -> None:
        later = self.window.arrival[self.window.arrival > self.now]
        self.next_block = float(later.min(initial=np.inf))

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
        if not self.walks and self.next_block > self.now and not self.unsettled:
            return False
        window, since = self.window, self.now - self.timing.tick
        arrived = window.arrival <= self.now
        fresh = bool((arrived & (window.arrival > since)).any())
        self._await_blocks()
        roots = np.maximum(window.places(self.final), 0)
        heads = window.places(self.best)
        lost = (heads < 0) | ~window.below[roots, heads]
        self.unsettled = bool(lost.any())
        if not fresh and not self.unsettled and not self.changes:
            return False
        self._stirred = self._stirred or self.unsettled
        eligible = arrived & window.below[roots].T
        scores = np.where(eligible, window.score[:, None], -1)
        top = scores.max(axis=0)
        # Of equals the one that came first; and who has a head leaves it for a better one only.
        chosen = np.where(scores == top, window.arrival, np.inf).argmin(axis=0)
        moving = lost | (top > window.score[heads])
        if self.changes:
            chosen, moving = self._agreed(scores == top, heads, chosen, moving)
        self._note_moves(np.flatnonzero(moving & ~lost), heads, chosen)
        self.best = np.where(moving, window.blocks[chosen], self.best)
        return fresh

    def _agreed(
        self, best: BoolArray, heads: IntArray, chosen: IntArray, moving: BoolArray
    ) -> tuple[IntArray, BoolArray]:
        """Let all nodes choose the same of several best blocks in which the validators hand over.

        Nobody writes upon such a block, so that no further block would decide between two of them. The earliest
        written one stands here for the one with the lowest hash.
        """
        changing = best & np.isin(self.window.blocks, list(self.changes))[:, None]
        tied, first = changing.any(axis=0), changing.argmax(axis=0)
        return np.where(tied, first, chosen), moving | (tied & (first != heads))

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
        if not higher.any():
            return
        self.unsettled = self._prunable = True
        self._stirred = self._stirred or self.idle_slots > 0
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
        if self.conflicts or not self._prunable:
            return False
        self._prunable = False
        staying = np.append(self.returning, np.True_) & self.honest
        places = np.maximum(self.window.places(self.final[staying]), 0)
        root = int(places[self.window.height[places].argmin()])
        if not root:
            return False
        self.window.prune(root)
        self.unsettled = True
        self._await_blocks()
        return True


def _wants_nothing(_block: int) -> bool:
    return False
