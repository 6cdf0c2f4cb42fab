"""The observer's view of the chain: every branch executed, one of them the best, and what is final with its proof.

Consensus (`gridlab.chain.public.network`) says who wrote a block upon which and what is final; here each of these
blocks gets its transactions and its state. A block that loses is forgotten, and its transactions are still in the pool
for the winning branch.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridlab.chain.public.authorities import AuthoritySet, Justification, finality_message
from gridlab.chain.public.building import Builder, Node
from gridlab.chain.public.handover import Conduct, Keyring, session_of
from gridlab.chain.public.network import Network
from gridlab.chain.public.pool import PublicPool
from gridlab.chain.public.witness import Witness
from gridlab.chain.staking import EquivocationProof
from gridlab.errors import ChainError

__all__ = ["Forks"]


class Forks:
    """The branches of a chain that is running.

    Parameters
    ----------
    builder : Builder
    network : Network
    pool : PublicPool
    keyring : Keyring
        Where key pairs of newly elected validators are found.

    Attributes
    ----------
    network : Network
        That of the validators in office.
    final : Node
        The last block whose finality is certified.
    abandoned : int
        How many blocks lost.
    """

    __slots__ = (
        "_builder",
        "_conduct",
        "_final",
        "_keyring",
        "_nodes",
        "_pool",
        "_seen",
        "_wanted",
        "_witness",
        "abandoned",
        "final",
        "network",
    )

    def __init__(self, builder: Builder, network: Network, pool: PublicPool, keyring: Keyring) -> None:
        self._builder, self.network, self._pool, self._keyring = builder, network, pool, keyring
        self._conduct, self._witness = Conduct(), Witness(builder.genesis.chain_id, keyring)
        self.final = builder.root()
        self._final = 0
        self._nodes: dict[int, Node] = {0: self.final}
        self._seen = 1
        self.abandoned = 0
        # Whether a block upon another would hold a transaction, by block and state of the pool.
        self._wanted: dict[tuple[int, int], bool] = {}
        network.wants = self._wants

    @property
    def best(self) -> Node:
        """The head that the observer builds upon."""
        return self._nodes[int(self.network.best[-1])]

    @property
    def proofs(self) -> list[EquivocationProof]:
        """What can be proved of liars, in the order in which they were caught."""
        return self._witness.proofs

    @property
    def branch(self) -> list[Node]:
        """The blocks above the last final one on the way to the best head, lowest first."""
        path = self.network.tree.path(int(self.network.best[-1]), self._final)
        return [self._nodes[block] for block in path]

    def advance(self, slot: int) -> list[Node]:
        """Let the network run to just before the slot after `slot`; return the nodes that became final, in order."""
        timing = self.network.timing
        self.network.run_until((slot + 1) * timing.slot - timing.tick)
        self._grow()
        return self._settle()

    def _wants(self, head: int) -> bool:
        """Say whether a block upon `head` would hold a transaction that waits."""
        if not len(self._pool) or head not in self._nodes:
            return False
        key = head, self._pool.version
        if key not in self._wanted:
            state = self._nodes[head].state
            rules = self._builder.rules[state.rules_version]
            chosen = self._pool.next_block(state, rules, self._nodes[head].block.height + 1)
            self._wanted = {k: v for k, v in self._wanted.items() if k[1] == key[1]} | {key: len(chosen) > 0}
        return self._wanted[key]

    def _grow(self) -> None:
        tree = self.network.tree
        for block in range(self._seen, len(tree)):
            parent = self._nodes.get(tree.parent[block])
            if parent is None:
                # Upon a branch that has lost for good.
                self.abandoned += 1
                continue
            claim = self.network.claims[block]
            pair = self.network.pairs[claim.seat]
            if pair is None:
                raise ChainError(f"seat {claim.seat} wrote block {block}, and nobody holds its key")
            # An equivocator's second block is an empty one, so that it differs from the first.
            choose = self._pool.nothing if tree.variant[block] else self._pool.next_block
            node = self._nodes[block] = self._builder.write(parent, tree.slot[block], claim, pair, choose)
            self._witness.note(block, node.block, lies=not self.network.honest[claim.seat])
            if node.state.authorities is not parent.state.authorities:
                self.network.mark_change(block)
        self._seen = len(tree)

    def _settle(self) -> list[Node]:
        settled = []
        for block in self.network.tree.path(int(self.network.final[-1]), self._final):
            parent, node = self._nodes[self._final], self._nodes[block]
            proof = self._certified(block, node, parent.state.authorities)
            if proof is None:
                break
            self.final = Node(replace(node.block, justification=proof), node.state)
            self._nodes[block], self._final = self.final, block
            settled.append(self.final)
        if settled:
            self._forget()
        self._witness.collect(self.network, session_of(self.final.state))
        if self._final in self.network.changes:
            self._hand_over()
        return settled

    def _hand_over(self) -> None:
        """Let the validators that the last final block names take over."""
        past, coming = self.network, self.final.state.authorities
        before = [past.key_of(seat) for seat in range(len(past.pairs))]
        pairs = [self._keyring.find(key) for key in coming.keys]
        held = [pair is not None for pair in pairs]
        self.network = Network(
            pairs,
            coming.weights,
            draws=past.draws,
            timing=past.timing,
            faults=self._conduct.carried(past.faults, before, coming.keys, held),
            seed=0,
            idle_slots=past.idle_slots,
            after=(past, self._final),
        )

    def _certified(self, block: int, node: Node, authorities: AuthoritySet) -> Justification | None:
        """Let everybody sign who holds the block final; return the certificate once that is enough stake."""
        network, tree = self.network, self.network.tree
        up = network.up & network.honest[:-1]
        seats = [
            seat
            for seat in np.flatnonzero(up).tolist()
            if tree.height[int(network.final[seat])] >= tree.height[block]
            and tree.common(int(network.final[seat]), block) == block
        ]
        if sum(authorities.weights[seat] for seat in seats) < authorities.threshold:
            return None
        message = finality_message(node.header.to_bytes(), authorities.number)
        pairs = network.pairs
        signed = {seat: pair.sign(message) for seat in seats if (pair := pairs[seat]) is not None}
        return Justification(authorities.number, signed)

    def _forget(self) -> None:
        tree, floor = self.network.tree, self.network.tree.height[self._final]
        kept = {}
        for block, node in self._nodes.items():
            if tree.height[block] >= floor and tree.common(block, self._final) == self._final:
                kept[block] = node
            elif tree.height[block] >= 0 and not node.block.justification and block:
                self.abandoned += 1
        self._nodes = kept
        self._pool.forget(self.final.state, self.final.block.height)
