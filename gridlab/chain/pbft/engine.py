"""Replicas, liars and a simulated network, run as one: what `Cluster` and `simulate` are built on.

Everything real happens here in virtual time: the replicas are whole, their signatures are checked, and the only thing
that is not there is a wire. The engine carries out the effects of each replica, and asks a liar's `Behaviour` what
becomes of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gridlab.chain.keys import KeyPair
from gridlab.chain.pbft.byzantine import Behaviour, Conspiracy, Twins, behaviour_of
from gridlab.chain.pbft.core import Do, Durable, Machine, Settings
from gridlab.chain.pbft.evidence import Evidence
from gridlab.chain.pbft.messages import CommittedBlock, Message, Proposal
from gridlab.chain.pbft.network import Network
from gridlab.chain.pbft.replica import Replica

__all__ = ["Engine", "Node"]

_OUTSIDERS = 1 << 20


class Node:
    """One process: a validator's replica (None while it is down), or a twin of it.

    Attributes
    ----------
    validator : int
        In whose name it speaks; a twin shares its validator's.
    place : int
        Its number in the network.
    durable : Durable
        What it finds again after a crash.
    behaviour : Behaviour or None
        What a liar makes of its replica's messages; None: honest.
    """

    __slots__ = ("behaviour", "durable", "pair", "place", "replica", "validator")

    def __init__(self, validator: int, place: int, pair: KeyPair) -> None:
        self.validator, self.place, self.pair = validator, place, pair
        self.durable = Durable()
        self.replica: Replica | None = None
        self.behaviour: Behaviour | None = None


class Engine:
    """The one simulator.

    Parameters
    ----------
    pairs : sequence of KeyPair
        Keys of the first set of validators.
    settings : Settings
    network : Network
        Empty; the engine adds its nodes.
    make_machine : callable
        Makes the machine of the replica of one validator, in the state of ``settings.height``.
    seed : int
        Forked for the liars.
    """

    def __init__(
        self,
        pairs: Sequence[KeyPair],
        settings: Settings,
        network: Network,
        make_machine: Callable[[int], Machine],
        *,
        seed: int,
    ) -> None:
        self.settings, self.network, self.seed = settings, network, seed
        self._make_machine = make_machine
        self.nodes: dict[int, Any] = {}
        self.validators: list[Node] = []
        self.twins: dict[int, Node] = {}
        self.conspiracy = Conspiracy(self)
        # By height: when it was first proposed, and who made which block final when (honest validators alone).
        self.proposed: dict[int, float] = {}
        self.final: dict[int, dict[int, float]] = {}
        self.hashes: dict[int, dict[bytes, CommittedBlock]] = {}
        self.on_final: Callable[[Node, CommittedBlock], None] | None = None
        for pair in pairs:
            self.add_validator(pair)

    def add_validator(self, pair: KeyPair) -> Node:
        """Start a node for one more validator; it orders once a block has made it a member."""
        number = len(self.validators)
        self.network.add(number, number)
        node = Node(number, number, pair)
        self.nodes[number] = node
        self.validators.append(node)
        return node

    def add_outsider(self, outsider: Any, beside: int | None = None) -> int:
        """Add a node that is no validator, such as a client, and return its place in the network."""
        # Far above the numbers of validators, since those are their places.
        place = _OUTSIDERS + len(self.nodes)
        self.network.add(place, beside)
        self.nodes[place] = outsider
        return place

    def start_twin(self, node: Node, behaviour: Behaviour) -> None:
        """Start a second instance of a validator, with the same key and the same past."""
        twin = Node(node.validator, 0, node.pair)
        twin.place = self.add_outsider(twin, beside=node.validator)
        twin.durable, twin.behaviour = node.durable.copy(), behaviour
        self.twins[node.validator] = twin
        if node.replica is not None:
            self.restart(twin)

    def start(self) -> None:
        """Start every replica that is not down."""
        for node in list(self.validators):
            if node.replica is None:
                self.restart(node)

    def crash(self, node: Node) -> None:
        """Stop a node; what is not durable is lost."""
        node.replica = None

    def restart(self, node: Node) -> None:
        """Start a node from what it wrote down."""
        node.replica = self.asleep(node)
        node.replica.start()
        self.carry_out(node)

    def asleep(self, node: Node) -> Replica:
        """Return the replica that a node would start as."""
        return Replica(node.validator, node.pair, self.settings, self._make_machine(node.validator), node.durable)

    def corrupt(self, validator: int, kind: str | None) -> None:
        """Make a validator lie in one of the `KINDS`, or be honest again (None)."""
        node = self.validators[validator]
        twin = self.twins.pop(validator, None)
        if twin is not None:
            self.crash(twin)
        self.conspiracy.leave(validator)
        node.behaviour = None if kind is None else behaviour_of(kind, self, node)

    def honest(self) -> list[Node]:
        """Return the validators that follow the protocol, those that are down among them."""
        return [node for node in self.validators if node.behaviour is None]

    # Running -----------------------------------------------------------------------------------------------------

    def run(self, limit_ms: float, until: Callable[[], bool]) -> bool:
        """Run until `until` holds (asked after each final block and each event of the schedule), or to the limit."""
        network, nodes = self.network, self.nodes
        self._check = False
        if until():
            return True
        while True:
            event = network.next(limit_ms)
            if event is None:
                return until()
            receiver, what = event
            if receiver < 0:
                what()
                self._check = True
            else:
                node = nodes[receiver]
                if node.replica is not None:
                    self._deliver(node, what)
            if self._check:
                self._check = False
                if until():
                    return True

    def _deliver(self, node: Any, what: Any) -> None:
        replica = node.replica
        if type(what) is Message:
            replica.receive(what)
            if node.behaviour is not None:
                node.behaviour.hear(node, what)
        elif what[0] is replica:
            # A timer of an earlier life, before a crash, is nobody's.
            replica.timeout(what[1], what[2])
        if replica.effects:
            self.carry_out(node)

    def later(self, delay_ms: float, act: Callable[[], None]) -> None:
        """Do something when so much virtual time has passed."""
        self.network.at(self.network.clock + delay_ms, -1, act)

    def carry_out(self, node: Any) -> None:
        """Carry out what a node's replica asks for."""
        replica, behaviour, network = node.replica, node.behaviour, self.network
        for effect in replica.take_effects():
            what = effect[0]
            if what == Do.TIMER:
                network.at(network.clock + effect[2], node.place, (replica, effect[1], effect[3]))
            elif what == Do.FINAL:
                self._final(node, effect[1])
            elif what == Do.PROPOSED:
                self._proposed(effect[1])
            else:
                message = effect[-1]
                receivers: Sequence[int] = replica.audience if what == Do.SEND_ALL else (effect[1],)
                if behaviour is not None:
                    behaviour.send(node, receivers, message)
                elif self.twins:
                    for receiver in receivers:
                        if receiver != node.place:
                            network.send(node.place, self.instance(receiver, node, message), message)
                elif what == Do.SEND_ALL:
                    network.send_all(node.place, receivers, message)
                else:
                    network.send(node.place, receivers[0], message)

    def instance(self, receiver: int, sender: Node, message: Message) -> int:
        """Return which instance of a twinned validator a message reaches; every other receiver is its own."""
        twin = self.twins.get(receiver)
        if twin is None or not isinstance(twin.behaviour, Twins):
            return receiver
        original = self.validators[receiver]
        return receiver if twin.behaviour.sees(original, sender.place, message) else twin.place

    def _proposed(self, proposal: Proposal) -> None:
        self.proposed.setdefault(proposal.height, self.network.clock)

    def _final(self, node: Node, block: CommittedBlock) -> None:
        self._check = True
        if node.behaviour is not None:
            return
        height = block.height
        self.final.setdefault(height, {}).setdefault(node.validator, self.network.clock)
        self.hashes.setdefault(height, {}).setdefault(block.proposal.hash, block)
        if self.on_final is not None:
            self.on_final(node, block)

    # What came of it ---------------------------------------------------------------------------------------------

    @property
    def forked(self) -> bool:
        """Whether two honest validators hold different final blocks of one height."""
        return any(len(blocks) > 1 for blocks in self.hashes.values())

    def evidence(self) -> list[Evidence]:
        """Return the provable misbehaviour, each once, by height and view.

        It is what honest validators have found, and, in a fork, what comparing the two certificates shows.
        """
        found: dict[tuple[int, int, int, str], Evidence] = {}
        for node in self.honest():
            for each in node.durable.evidence.values():
                found.setdefault((each.height, each.view, each.validator, each.kind), each)
        for each in self._compared_certificates():
            found.setdefault((each.height, each.view, each.validator, each.kind), each)
        return [found[name] for name in sorted(found)]

    def _compared_certificates(self) -> Iterator[Evidence]:
        """Name those who stand in the certificates of two blocks of one height and view."""
        for height, blocks in self.hashes.items():
            for first, second in itertools.combinations(blocks.values(), 2):
                for key in first.signatures if first.view == second.view else ():
                    if key in second.signatures:
                        number = self.settings.numbers[key]
                        votes = [_commit_in(block, number, key) for block in (first, second)]
                        yield Evidence("commit", number, key, first.view, height, *votes)


def _commit_in(block: CommittedBlock, number: int, key: bytes) -> Message:
    proposal = block.proposal
    place = (block.view, block.height, proposal.digest)
    return Message("commit", number, *place, proposal.signed_part, block.signatures[key])
