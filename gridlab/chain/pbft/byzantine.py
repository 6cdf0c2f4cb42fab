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
# View, height and digest of a vote.
_Place = tuple[int, int, bytes]


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

    def hear(self, node: Node, message: Message) -> None:
        """Take note of a message that the replica has just received."""

    def deliver(self, node: Node, receivers: Iterable[int], message: Message, later_ms: float = 0.0) -> None:
        """Send exactly this; of a validator with a twin, the instance that this node sees is reached."""
        for receiver in receivers:
            if receiver != node.place:
                self.network.send(node.place, self.engine.instance(receiver, node, message), message, later_ms)

    @property
    def n(self) -> int:
        """How many validators there are."""
        return len(self.engine.validators)

    def in_name(self, node: Node, kind: str, victim: int, place: _Place, body: Any = None) -> Message:
        """Make a vote in another's name; the signature is the liar's own, since it has no other key."""
        own = self.signed(node, kind, place, body)
        return Message(kind, victim, *place, body, own.signature)

    def call_with_invented(self, node: Node, message: Message, height: int, digest: bytes) -> Message:
        """Make the liar's own VIEW-CHANGE with a prepared certificate that nobody else has signed."""
        view = max(message.view - 1, 0)
        primary = view % self.n
        voters = [number for number in range(self.n) if number != primary]
        place = (view, height, digest)
        votes = tuple(self.in_name(node, "prepare", voter, place) for voter in voters)
        invented = Prepared(self.in_name(node, "pre_prepare", primary, place), votes)
        standing = Standing(message.body.block, invented, message.body.stable)
        name = blake2b_256(standing.to_bytes())
        return self.signed(node, "view_change", (message.view, message.height, name), standing)

    def signed(self, node: Node, kind: str, place: _Place, body: Any = None) -> Message:
        """Sign whatever the liar likes, in its own name."""
        message = Message(kind, node.validator, *place, body)
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
        if isinstance(message.body, CommittedBlock):
            yield from self._altered_blocks(node, message)
        elif message.kind == "view_change":
            wrong = blake2b_256(message.digest)
            yield self.call_with_invented(node, message, message.height + 1, wrong)
        elif message.signature:
            body = message.body
            place = (message.view, message.height, message.digest, body)
            yield Message(message.kind, int(self.chance.integers(self.n)), *place, message.signature)
            yield Message(message.kind, node.validator, *place, bytes(64))
            yield from self._votes_of_all(node, message)

    def _votes_of_all(self, node: Node, message: Message) -> Iterable[Message]:
        """Vote for another block in everybody else's name; an eighth of the time, since it is a flood."""
        replica = node.replica
        slot = replica.slots.get(message.height) if replica is not None else None
        if replica is None or slot is None or slot.proposal is None or self.chance.random() > 0.125:
            return
        rival = replica.machine.rival(slot.proposal)
        if rival is None or replica.primary_of(message.view) == node.validator:
            return
        primary = replica.primary_of(message.view)
        place = (message.view, message.height, rival.digest)
        first = self.in_name(node, "pre_prepare", primary, place, rival)
        yield first
        for victim in range(self.n):
            if victim == node.validator:
                continue
            yield self.in_name(node, "prepare", victim, place, first.bare())
            yield self.in_name(node, "commit", victim, place, rival.signed_part)

    def _altered_blocks(self, node: Node, message: Message) -> Iterable[Message]:
        """Pass on a block with another body, and another block with its certificate."""
        block = message.body
        proposal = block.proposal
        rival = node.replica.machine.rival(proposal) if node.replica is not None else None
        for other in (Proposal(proposal.header, proposal.body + b"\x00", proposal.handover), rival):
            if other is not None:
                forged = CommittedBlock(other, block.view, dict(block.signatures))
                yield Message("block", message.signer, message.view, message.height, message.digest, forged)


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
            place = (message.view - 1, message.height, message.digest)
            self.deliver(node, receivers, self.signed(node, message.kind, place, body))
        elif message.kind == "view_change" and message.view > 1:
            place = (message.view - 1, message.height, message.digest)
            self.deliver(node, receivers, self.signed(node, message.kind, place, message.body))
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
        name = ("plot", str(message.view), str(message.height))
        order = stream(self._engine.seed, "pbft", *name).permutation(len(honest))
        second = frozenset(honest[place] for place in order[: len(honest) // 2])
        liar = liars[node.validator]
        other = liar.signed(node, "pre_prepare", (message.view, message.height, rival.digest), rival)
        plot = self.plots[message.view, message.height] = Plot(message, other, second)
        liar.show(node, honest, plot)
        for validator, fellow in liars.items():
            accomplice = self._engine.validators[validator]
            if accomplice.replica is not None:
                fellow.vote_for_both(accomplice, honest, plot, prepares=accomplice is not node)
        return plot


class Equivocate(Behaviour):
    """Shows two blocks when it is primary, and signs whatever block it is shown, whatever it has signed before.

    Each honest replica is shown one of the two, and gets the votes of all equivocators that go with it.
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
        plot = plots.get((message.view, message.height)) if message.kind in ("pre_prepare", *_VOTES) else None
        if plot is None:
            self.deliver(node, receivers, message)
        elif len(receivers) == 1:
            # Somebody asks again, perhaps after a crash: it may be made to vote for the other block this time.
            self.serve(node, receivers[0], plot, int(self.chance.integers(2)))

    def hear(self, node: Node, message: Message) -> None:
        """Vote for every proposal at once, checked or not, final already or not."""
        if message.kind != "pre_prepare" or not isinstance(message.body, Proposal) or node.replica is None:
            return
        if message.signer == node.validator or message.signer in self.engine.conspiracy.members:
            return
        for vote in self._votes(node, message, prepares=True):
            self.deliver(node, node.replica.audience, vote)

    def show(self, node: Node, honest: Iterable[int], plot: Plot) -> None:
        """Show each honest replica its block."""
        for receiver in honest:
            self.deliver(node, (receiver,), plot.proposals[plot.side(receiver)])

    def vote_for_both(self, node: Node, honest: Iterable[int], plot: Plot, *, prepares: bool) -> None:
        """Sign prepares and commits of both blocks and send each honest replica those of its own."""
        votes = [self._votes(node, first, prepares=prepares) for first in plot.proposals]
        for receiver in honest:
            for vote in votes[plot.side(receiver)]:
                self.deliver(node, (receiver,), vote)

    def serve(self, node: Node, receiver: int, plot: Plot, side: int) -> None:
        """Show one replica one of the two blocks, with the liar's votes for it."""
        first = plot.proposals[side]
        self.deliver(node, (receiver,), first)
        for vote in self._votes(node, first, prepares=first.signer != node.validator):
            self.deliver(node, (receiver,), vote)

    def _votes(self, node: Node, first: Message, *, prepares: bool) -> list[Message]:
        place = (first.view, first.height, first.digest)
        commit = self.signed(node, "commit", place, first.body.signed_part)
        return [self.signed(node, "prepare", place, first.bare()), commit] if prepares else [commit]


class Collude(Equivocate):
    """Equivocates, and hides in a view change what was prepared and how far the chain has come."""

    kind = "collude"

    def send(self, node: Node, receivers: Sequence[int], message: Message) -> None:
        """Send a VIEW-CHANGE that hides or invents; everything else as an equivocator does."""
        if message.kind == "view_change":
            self.deliver(node, receivers, self._lying_call(node, message))
        else:
            super().send(node, receivers, message)

    def _lying_call(self, node: Node, message: Message) -> Message:
        plots = self.engine.conspiracy.plots
        height = message.height + 1
        known = [plot for (_, at), plot in plots.items() if at == height]
        if known and self.chance.random() < 0.25:
            return self.call_with_invented(node, message, height, known[-1].proposals[1].digest)
        standing = Standing(None, None, ())
        digest = blake2b_256(standing.to_bytes())
        start = self.engine.settings.height
        return self.signed(node, "view_change", (message.view, start, digest), standing)


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
