"""Checkpoints, and how a replica that was away catches up.

Every few blocks each replica signs a digest of its state; a quorum of equal ones is a stable checkpoint, which moves
the water marks and lets the votes below it go. Blocks themselves are kept: they are the chain.

Nothing is sent twice unless somebody asks. A replica for which nothing moves tells the others where it stands
(Castro's status message), and they send what it lacks: final blocks with certificates, the newest votes, the newest
view. Status messages are not signed: the worst that a forged one does is that somebody sends what proves itself.

References
----------
Castro, "Practical Byzantine fault tolerance", PhD thesis, MIT 2001, sections 5.2 (status) and 5.3 (state transfer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridlab.chain.pbft.core import Do
from gridlab.chain.pbft.messages import CommittedBlock, Message, Proposal
from gridlab.chain.pbft.view_change import ViewChange

__all__ = ["Status", "Transfer"]

_MOST_BLOCKS = 16
# With so many looks in vain the asking becomes rarer: nothing is gained by shouting into a cut cable.
_PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Status:
    """Where a replica stands: what it says when nothing moves.

    Attributes
    ----------
    active : bool
        Whether it is in its view, or waits for it.
    low : int
        Its stable checkpoint.
    epoch : int
        The newest motion it knows.
    attempt : int
        How often it has asked; it decides who answers with blocks.
    wanted : bytes
        Digest of the proposal whose body it lacks, or empty.
    """

    active: bool
    low: int
    epoch: int
    attempt: int
    wanted: bytes


class Transfer(ViewChange):
    """How a replica takes checkpoints, asks for what it lacks, and answers others."""

    def __init__(self, *given: object, **named: object) -> None:
        self.checkpoints: dict[int, dict[int, Message]] = {}
        self.ahead: dict[int, CommittedBlock] = {}
        self.attempt = self.idle = self.asked_at = 0
        self.seen: tuple[int, int, bool] = (-1, -1, False)
        super().__init__(*given, **named)

    # Checkpoints -------------------------------------------------------------------------------------------------

    def _after_block(self, block: CommittedBlock) -> None:
        if block.height % self.settings.checkpoint_every == 0:
            digest = self.machine.state_digest()
            vote = self.signer.sign(Message("checkpoint", self.number, 0, self.height, digest), self.pair)
            members = self.members_at(block.height)
            if self.number in members:
                self.checkpoints.setdefault(self.height, {})[self.number] = vote
                self._say(vote)
            self._settle(self.height)
        following = self.ahead.pop(self.height + 1, None)
        if following is not None:
            self._take_block(following)

    def _on_checkpoint(self, message: Message) -> None:
        height, signer = message.height, message.signer
        every = self.settings.checkpoint_every
        farthest = max(self.high, self.height) + 2 * every
        if height % every or not self.low < height <= farthest or signer not in self.members_at(height):
            return
        votes = self.checkpoints.setdefault(height, {})
        earlier = votes.get(signer)
        if earlier is not None:
            self.evidence.compare(earlier, message)
        elif message.view == 0 and self.signer.valid(message):
            votes[signer] = message
            self._settle(height)
            if height >= self.height + every and len(votes) == self.some_honest:
                self._ask()

    def _settle(self, height: int) -> None:
        """Move the low water mark to `height` once a quorum has signed this replica's own state there."""
        votes = self.checkpoints.get(height, {})
        own = votes.get(self.number)
        if height > self.height or not votes:
            return
        digests = [vote.digest for vote in votes.values()]
        digest = own.digest if own is not None else max(dict.fromkeys(digests), key=digests.count)
        agreeing = tuple(vote for vote in votes.values() if vote.digest == digest)
        if len(agreeing) >= self.needed_at(height) and height > self.low:
            self.durable.stable = agreeing
            self.low = height
            self.slots = {at: slot for at, slot in self.slots.items() if at > height}
            self.checkpoints = {at: kept for at, kept in self.checkpoints.items() if at > height}
            self.parked = {name: vote for name, vote in self.parked.items() if vote.height > height}

    def _learn_checkpoint(self, votes: Sequence[Message]) -> None:
        for vote in votes:
            if isinstance(vote, Message) and vote.kind == "checkpoint" and vote.height > self.low:
                self._on_checkpoint(vote)

    # Asking ------------------------------------------------------------------------------------------------------

    def _on_look(self) -> None:
        """Look whether anything has moved since the last time, and say where this replica stands if not."""
        self.effects.append((Do.TIMER, "look", self.settings.resend_ms, 0))
        now = (self.height, self.view, self.active)
        self.idle = 0 if now != self.seen else self.idle + 1
        self.seen = now
        often = self._unsettled() and self.idle <= _PATIENCE
        if self.idle and (often or self.idle % _PATIENCE == 0):
            self._ask()
            if self.my_call is not None and not self.active:
                self._say(self.my_call)

    def _unsettled(self) -> bool:
        slot = self.slots.get(self.height + 1)
        return not self.active or self.machine.pending() or slot is not None or bool(self.ahead)

    def _ask(self) -> None:
        slot = self.slots.get(self.height + 1)
        certified = self._base_certificate()
        wanted = b""
        if certified is not None:
            wanted = certified.proposal.digest
        elif slot is not None and slot.pre_prepare is not None and slot.proposal is None:
            wanted = slot.digest
        self.attempt += 1
        self.asked_at = self.height
        status = Status(self.active, self.low, self.durable.epoch, self.attempt, wanted)
        self._say(self._unsigned("status", status, self.height))

    # Answering ---------------------------------------------------------------------------------------------------

    def _on_status(self, message: Message) -> None:
        status, peer = message.body, message.signer
        if not isinstance(status, Status) or peer == self.number:
            return
        self._send_motions(peer, status.epoch)
        if status.wanted:
            self._send_body(peer, status.wanted)
        if message.height < self.height:
            # f + 1 take turns, so that an honest one is among them and not everybody sends everything.
            turn = (self.number - peer - status.attempt) % len(self.members)
            if turn < self.some_honest:
                self._send_blocks(peer, message.height)
        self._send_checkpoints(peer, status.low)
        self._send_view(peer, message.view, status)
        if message.height == self.height and message.view == self.view and status.active and self.active:
            self._send_votes(peer)

    def _send_motions(self, peer: int, epoch: int) -> None:
        durable = self.durable
        if epoch < durable.epoch:
            for vote in durable.motion:
                self._tell(peer, vote)
        if durable.ballot is not None and durable.ballot.view > max(epoch, durable.epoch):
            self._tell(peer, durable.ballot)

    def _send_checkpoints(self, peer: int, low: int) -> None:
        if low < self.low:
            for vote in self.durable.stable:
                self._tell(peer, vote)
        else:
            for votes in self.checkpoints.values():
                if self.number in votes:
                    self._tell(peer, votes[self.number])

    def _send_view(self, peer: int, view: int, status: Status) -> None:
        behind = view < self.view or (view == self.view and not status.active)
        if not behind:
            return
        if self.active and self.durable.new_view is not None:
            self._tell(peer, self.durable.new_view)
        elif not self.active and self.my_call is not None:
            self._tell(peer, self.my_call)

    def _send_votes(self, peer: int) -> None:
        """Send this replica's votes for the height in flight, and the proposal, which its primary has signed."""
        slot = self.slots.get(self.height + 1)
        if slot is None or slot.pre_prepare is None:
            return
        if slot.proposal is not None:
            first = slot.pre_prepare
            whole = Message(*(first.kind, first.signer, first.view, first.height, first.digest, slot.proposal))
            whole.signature, whole.verdict = first.signature, first.verdict
            self._tell(peer, whole)
        for votes in (slot.prepares, slot.commits):
            if self.number in votes:
                self._tell(peer, votes[self.number])

    def _send_body(self, peer: int, digest: bytes) -> None:
        body = self.durable.bodies.get(digest)
        if body is not None:
            self._tell(peer, self._unsigned("body", body))

    def _on_body(self, message: Message) -> None:
        body = message.body
        if not isinstance(body, Proposal):
            return
        self._take_base(body)
        slot = self.slots.get(self.height + 1)
        if slot is not None and slot.proposal is None and body.digest == slot.digest:
            if self._why_not(self.height + 1, body) is None:
                slot.proposal = body
            self._progress()

    def _send_blocks(self, peer: int, height: int) -> None:
        first = max(height - self.settings.height, 0)
        for block in self.durable.blocks[first : first + _MOST_BLOCKS]:
            self._tell(peer, self._unsigned("block", block, block.height))

    def _on_block(self, message: Message) -> None:
        block = message.body
        if isinstance(block, CommittedBlock) and self.height < block.height <= self.height + 2 * _MOST_BLOCKS:
            self._take_block(block)
            if self.height >= self.asked_at + _MOST_BLOCKS:
                # As many as anybody sends at once: there are probably more.
                self._ask()

    def _take_block(self, block: CommittedBlock) -> None:
        """Take a final block that somebody else has sent, once its certificate and its content hold."""
        if not self._proves_final(block):
            return
        if block.height > self.height + 1:
            self.ahead.setdefault(block.height, block)
            return
        proposal = block.proposal
        fits = self.parent is None or proposal.parent == self.parent
        if proposal.chain_id == self.signer.chain_id and fits and self.machine.check(proposal) is None:
            self._final(block)
            self._progress()
