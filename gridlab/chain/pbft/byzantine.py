"""Validators that lie, and how.

A liar runs a whole replica and bends what that sends. It has its own key and no other; what it forges in another's name
it cannot sign. Liars that double-sign share a `Conspiracy`: each sees what the others know at once, which is more than
real ones could do.

References
----------
Bano, Sonnino, Chursin, Perelman, Malkhi, "Twins: white-glove approach for BFT testing", 2020 (arXiv:2004.10617).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gridlab.chain.hashing import blake2b_256
from gridlab.chain.pbft.messages import CommittedBlock, Message, Prepared, Proposal
from gridlab.chain.pbft.view_change import Standing
from gridlab.seeds import stream

if TYPE_CHECKING:
    from gridlab.chain.pbft.engine import Engine, Node

__all__ = ["KINDS", "Behaviour", "Conspiracy", "behaviour_of"]

_VOTES = ("prepare", "commit")


class Behaviour:
    """What a liar makes of its replica's messages; this base passes them on unchanged.

    Parameters
    ----------
    engine : Engine
    node : Node
    """

    kind = "honest"

    def __init__(self, engine: Engine, node: Node) -> None:
        self.engine, self.network = engine, engine.network
        self.chance = stream(engine.seed, "pbft", "liar", str(node.validator))

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send `message`, or something else, to `receivers`, or to others."""
        self.deliver(node, receivers, message)

    def deliver(self, node: Node, receivers: Iterable[int], message: Message, later_ms: float = 0.0) -> None:
        """Send exactly this; of a validator with a twin, the instance that this node sees is reached."""
        for receiver in receivers:
            if receiver != node.place:
                self.network.send(node.place, self.engine.instance(receiver, node, message), message, later_ms)

    def signed(self, node: Node, kind: str, view: int, height: int, digest: bytes, body: Any = None) -> Message:
        """Sign whatever the liar likes, in its own name."""
        message = Message(kind, node.validator, view, height, digest, body)
        return self.engine.settings.signer.sign(message, node.pair)


class Silent(Behaviour):
    """Says nothing."""

    kind = "silent"

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send nothing."""


class Delay(Behaviour):
    """Says everything too late: up to three timeouts."""

    kind = "delay"

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send every message after a random time."""
        longest = 3.0 * self.engine.settings.timeout_ms
        self.deliver(node, receivers, message, longest * float(self.chance.random()))


class Forge(Behaviour):
    """Speaks in the names of others, with signatures that it cannot make, and alters what it passes on."""

    kind = "forge"

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send the true message to some, and forgeries to all."""
        for forged in self._forgeries(node, message):
            self.deliver(node, receivers, forged)
        if self.chance.random() < 0.5:
            self.deliver(node, receivers, message)

    def _forgeries(self, node: Node, message: Message) -> Iterable[Message]:
        victim = int(self.chance.integers(len(self.engine.validators)))
        place = (message.view, message.height)
        if isinstance(message.body, CommittedBlock):
            yield self._altered_block(message)
        elif message.kind == "view_change":
            # A prepared certificate that nobody signed, in the liar's own valid VIEW-CHANGE.
            yield self._invented_call(node, message)
        elif message.signature:
            body = message.body
            yield Message(message.kind, victim, *place, message.digest, body, message.signature)
            yield Message(message.kind, node.validator, *place, message.digest, body, bytes(64))
            wrong = blake2b_256(message.digest)
            yield Message(message.kind, victim, *place, wrong, body, message.signature)

    def _altered_block(self, message: Message) -> Message:
        block = message.body
        proposal = block.proposal
        other = Proposal(proposal.header, proposal.body + b"\x00", proposal.handover)
        if self.chance.random() < 0.5:
            other = Proposal(proposal.header + b"\x00", proposal.body, proposal.handover)
        forged = CommittedBlock(other, block.view, dict(block.signatures))
        return Message("block", message.signer, message.view, message.height, message.digest, forged)

    def _invented_call(self, node: Node, message: Message) -> Message:
        view, height = max(message.view - 1, 0), message.height + 1
        wrong = blake2b_256(message.digest)
        primary = view % len(self.engine.validators)
        voters = [number for number in range(len(self.engine.validators)) if number != primary]
        votes = tuple(self._in_name(node, "prepare", voter, view, height, wrong) for voter in voters)
        invented = Prepared(self._in_name(node, "pre_prepare", primary, view, height, wrong), votes)
        standing = Standing(message.body.block, invented, message.body.stable)
        digest = blake2b_256(standing.to_bytes())
        return self.signed(node, "view_change", message.view, message.height, digest, standing)

    def _in_name(self, node: Node, kind: str, victim: int, view: int, height: int, digest: bytes) -> Message:
        own = self.signed(node, kind, view, height, digest)
        return Message(kind, victim, view, height, digest, None, own.signature)


class StaleView(Behaviour):
    """Lives in the past: votes for views that are over, and repeats what it has said before."""

    kind = "stale_view"

    def __init__(self, engine: Engine, node: Node) -> None:
        super().__init__(engine, node)
        self._said: list[Message] = []

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send a vote for the view before, or an old message again."""
        if message.kind in _VOTES and message.view > 0:
            body = message.body
            stale = self.signed(node, message.kind, message.view - 1, message.height, message.digest, body)
            self.deliver(node, receivers, stale)
        elif message.kind == "view_change" and message.view > 1:
            call = message.body
            self.deliver(
                node, receivers, self.signed(node, message.kind, message.view - 1, message.height, message.digest, call)
            )
        else:
            self.deliver(node, receivers, message)
        if self._said:
            self.deliver(node, receivers, self._said[int(self.chance.integers(len(self._said)))])
        self._said = [*self._said[-63:], message]


class Plot:
    """Two blocks for one view and height, and which of them each receiver is shown."""

    def __init__(self, first: Message, second: Message, shown_second: frozenset[int]) -> None:
        self.proposals = (first, second)
        self.shown_second = shown_second

    def side(self, receiver: int) -> int:
        """Return 0 where `receiver` is shown the first block, 1 where the second."""
        return 1 if receiver in self.shown_second else 0


class Conspiracy:
    """What all double-signing liars of one engine know.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.plots: dict[tuple[int, int], Plot] = {}
        self.members: dict[int, Equivocate] = {}

    def leave(self, validator: int) -> None:
        """Take a validator out."""
        self.members.pop(validator, None)

    def plot(self, node: Node, message: Message, rival: Proposal) -> Plot:
        """Split the honest replicas into two halves, tell the fellows, and have all of them vote for both blocks."""
        liars = self.members
        audience = node.replica.audience if node.replica is not None else ()
        honest = [place for place in audience if place not in liars and place != node.place]
        order = stream(self._engine.seed, "pbft", "plot", str(message.view), str(message.height)).permutation(len(honest))
        second = frozenset(honest[place] for place in order[: len(honest) // 2])
        liar = liars[node.validator]
        other = liar.signed(node, "pre_prepare", message.view, message.height, rival.digest, rival)
        plot = self.plots[message.view, message.height] = Plot(message, other, second)
        liar.show(node, honest, plot)
        for validator, fellow in liars.items():
            accomplice = self._engine.validators[validator]
            if accomplice.replica is not None:
                fellow.vote_for_both(accomplice, honest, plot, prepares=accomplice is not node)
        return plot


class Equivocate(Behaviour):
    """Shows two blocks when it is primary, and votes for both whenever another liar does.

    Each honest replica is shown one of them and gets the votes that go with it.
    """

    kind = "equivocate"

    def __init__(self, engine: Engine, node: Node) -> None:
        super().__init__(engine, node)
        engine.conspiracy.members[node.validator] = self

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Turn a proposal into a plot; keep back votes in which a plot has already been served."""
        plots = self.engine.conspiracy.plots
        if message.kind == "pre_prepare" and isinstance(message.body, Proposal) and node.replica is not None:
            rival = node.replica.machine.rival(message.body)
            if rival is not None and (message.view, message.height) not in plots:
                self.engine.conspiracy.plot(node, message, rival)
                return
        if message.kind in ("pre_prepare", *_VOTES) and (message.view, message.height) in plots:
            return
        self.deliver(node, receivers, message)

    def show(self, node: Node, honest: Iterable[int], plot: Plot) -> None:
        """Show each honest replica its block."""
        for receiver in honest:
            self.deliver(node, (receiver,), plot.proposals[plot.side(receiver)])

    def vote_for_both(self, node: Node, honest: Iterable[int], plot: Plot, *, prepares: bool) -> None:
        """Sign prepares and commits of both blocks and send each honest replica those of its own."""
        votes: list[list[Message]] = []
        for first in plot.proposals:
            place, body = (first.view, first.height, first.digest), first.body.signed_part
            pair = [self.signed(node, "commit", *place, body)]
            if prepares:
                pair.insert(0, self.signed(node, "prepare", *place, first.bare()))
            votes.append(pair)
        for receiver in honest:
            for vote in votes[plot.side(receiver)]:
                self.deliver(node, (receiver,), vote)


class Collude(Equivocate):
    """Equivocates, and hides in a view change what was prepared and how far the chain has come."""

    kind = "collude"

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send a VIEW-CHANGE that knows of nothing; everything else as an equivocator does."""
        if message.kind == "view_change":
            standing = Standing(None, None, ())
            digest = blake2b_256(standing.to_bytes())
            start = self.engine.settings.height
            self.deliver(node, receivers, self.signed(node, "view_change", message.view, start, digest, standing))
            return
        super().send(node, receivers, message)


class Twins(Behaviour):
    """Runs twice with one key; each instance is honest, sees a part of the network and knows nothing of the other.

    Which part is dealt out anew whenever the height or the view has moved on by a step.
    """

    kind = "twins"

    def __init__(self, engine: Engine, node: Node) -> None:
        super().__init__(engine, node)
        self.original = node
        engine.start_twin(node, self)

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Reach only the part of the network that this instance sees."""
        self.deliver(node, [receiver for receiver in receivers if self.sees(node, receiver, message)], message)

    def sees(self, node: Node, receiver: int, message: Message) -> bool:
        """Say whether this instance and `receiver` are in the same part in this view and height."""
        name = f"{self.original.validator} {receiver} {message.view // 2} {message.height // 3} {self.engine.seed}"
        return (blake2b_256(name.encode())[0] % 2 == 0) == (node is self.original)


KINDS: dict[str, type[Behaviour]] = {
    each.kind: each for each in (Equivocate, Silent, Delay, Forge, StaleView, Collude, Twins)
}


def behaviour_of(kind: str, engine: Engine, node: Node) -> Behaviour:
    """Return the behaviour of a kind of liar for one node."""
    return KINDS[kind](engine, node)
