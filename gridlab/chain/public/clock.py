"""Which tick comes next: where nothing can happen, time is not walked through.

A tick must be looked at when a message arrives from which something can follow, when the time for a vote is up, when a
fault begins or ends, when a block is due, and right after a tick that has moved what is final. Of all others it is
known that they change nothing. So a quiet night is one step, and the result is the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gridlab.chain.public.network import Network

__all__ = ["Clock"]

_NEVER = 2**40


class Clock:
    """When something happens next in a network.

    Parameters
    ----------
    network : Network
    """

    __slots__ = ("_due", "_network")

    def __init__(self, network: Network) -> None:
        self._network = network
        self._due = -np.inf

    def disturb(self) -> None:
        """Let the very next tick be looked at, because something was changed from outside."""
        self._due = -np.inf

    def next_tick(self) -> int:
        """Return the next tick that must be looked at, milliseconds since genesis."""
        network = self._network
        tick, least = network.timing.tick, network.now + network.timing.tick
        if network.walks or self._due < least:
            return least
        due = min(self._due, self._next_slot())
        return max(least, math.ceil(due / tick) * tick)

    def ticked(self) -> None:
        """Work out what comes after the tick that has just been looked at."""
        network = self._network
        if network.walks or network.unsettled:
            self._due = -np.inf
            return
        later = network.boundaries[network.boundaries > network.now]
        fault = float(later[0]) if len(later) else np.inf
        self._due = min(network.next_block, network.rounds.due(), fault)

    def _next_slot(self) -> int:
        """Return when the next slot begins in which somebody writes a block."""
        network = self._network
        slot = network.now // network.timing.slot + 1
        return max(slot, self.first_due(self.deciding)) * network.timing.slot

    @property
    def deciding(self) -> list[int]:
        """The nodes upon whose heads blocks are written: who is up; liars do what the first honest of each side does.

        Empty where every slot has a block anyhow.
        """
        network = self._network
        if not network.idle_slots:
            return []
        honest = np.flatnonzero(network.up & network.honest[:-1]).tolist()
        lying = bool((network.up & ~network.honest[:-1]).any())
        return [*honest, *network.sides] if lying else honest

    def first_due(self, nodes: Iterable[int]) -> int:
        """Return the first slot in which a block is due upon the head of one of these nodes.

        A block is due when a transaction waits that it would hold, when so many slots have passed as may be idle, and
        while the head is not final for the node: two blocks of one slot split the votes until a further block decides.
        """
        network = self._network
        if not network.idle_slots:
            return 0
        found = _NEVER
        for head, final in dict.fromkeys((int(network.best[node]), int(network.final[node])) for node in nodes):
            if head in network.changes:
                continue
            if head != final or network.wants(head):
                return 0
            found = min(found, network.tree.slot[head] + network.idle_slots)
        return found
