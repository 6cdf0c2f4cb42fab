"""The observer's view of the chain: every branch executed, one of them the best, and what is final with its proof.

Consensus (`gridlab.chain.public.network`) says who wrote a block upon which and what is final; here each of these
blocks gets its transactions and its state. A block that loses is forgotten, and its transactions are still in the pool
for the winning branch.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridlab.chain.keys import KeyPair
from gridlab.chain.public.authorities import AuthoritySet, Justification, finality_message
from gridlab.chain.public.building import Builder, Node
from gridlab.chain.public.network import Network
from gridlab.chain.public.pool import PublicPool

__all__ = ["Forks"]


class Forks:
    """The branches of a chain that is running.

    Parameters
    ----------
    builder : Builder
    network : Network
    pool : PublicPool

    Attributes
    ----------
    final : Node
        The last block whose finality is certified.
    abandoned : int
        How many blocks lost.
    """

    __slots__ = ("_builder", "_final", "_network", "_nodes", "_pool", "_seen", "abandoned", "final")

    def __init__(self, builder: Builder, network: Network, pool: PublicPool) -> None:
        self._builder, self._network, self._pool = builder, network, pool
        self.final = builder.root()
        self._final = 0
        self._nodes: dict[int, Node] = {0: self.final}
        self._seen = 1
        self.abandoned = 0

    @property
    def best(self) -> Node:
        """The head that the observer builds upon."""
        return self._nodes[int(self._network.best[-1])]

    @property
    def branch(self) -> list[Node]:
        """The blocks above the last final one on the way to the best head, lowest first."""
        path = self._network.tree.path(int(self._network.best[-1]), self._final)
        return [self._nodes[block] for block in path]

    def advance(self, slot: int) -> list[Node]:
        """Let the network run to just before the slot after `slot`; return the nodes that became final, in order."""
        timing = self._network.timing
        self._network.run_until((slot + 1) * timing.slot - timing.tick)
        self._grow()
        return self._settle()

    def _grow(self) -> None:
        tree = self._network.tree
        for block in range(self._seen, len(tree)):
            parent = self._nodes.get(tree.parent[block])
            if parent is None:
                # Upon a branch that has lost for good.
                self.abandoned += 1
                continue
            claim = self._network.claims[block]
            pair = self._network.pairs[claim.seat]
            # An equivocator's second block is an empty one, so that it differs from the first.
            choose = self._pool.nothing if tree.variant[block] else self._pool.next_block
            self._nodes[block] = self._builder.write(parent, tree.slot[block], claim, pair, choose)
        self._seen = len(tree)

    def _settle(self) -> list[Node]:
        settled = []
        for block in self._network.tree.path(int(self._network.final[-1]), self._final):
            parent, node = self._nodes[self._final], self._nodes[block]
            proof = self._certified(block, node, parent.state.authorities)
            if proof is None:
                break
            self.final = Node(replace(node.block, justification=proof), node.state)
            self._nodes[block], self._final = self.final, block
            settled.append(self.final)
        if settled:
            self._forget()
        return settled

    def _certified(self, block: int, node: Node, authorities: AuthoritySet) -> Justification | None:
        """Let everybody sign who holds the block final; return the certificate once that is enough stake."""
        network, tree = self._network, self._network.tree
        up = network.faults.online(network.now) & ~network.faults.liars
        seats = [
            seat
            for seat in np.flatnonzero(up).tolist()
            if tree.height[int(network.final[seat])] >= tree.height[block]
            and tree.common(int(network.final[seat]), block) == block
        ]
        if sum(authorities.weights[seat] for seat in seats) < authorities.threshold:
            return None
        message = finality_message(node.header.to_bytes(), authorities.number)
        pairs: list[KeyPair] = network.pairs
        return Justification(authorities.number, {seat: pairs[seat].sign(message) for seat in seats})

    def _forget(self) -> None:
        tree, floor = self._network.tree, self._network.tree.height[self._final]
        kept = {}
        for block, node in self._nodes.items():
            if tree.height[block] >= floor and tree.common(block, self._final) == self._final:
                kept[block] = node
            elif tree.height[block] >= 0 and not node.block.justification and block:
                self.abandoned += 1
        self._nodes = kept
        self._pool.forget(self.final.state, self.final.block.height)
