"""The view change: how the validators get rid of a primary and keep what it may have committed.

A VIEW-CHANGE says how far its sender has come: its newest final block with the block's certificate, and the prepared
certificate of the one height in flight above it. From a quorum of them every replica computes the same new view:

1. the base is the highest final block that any of them proves;
2. if any of them proves a proposal prepared at the next height, the one of the highest view is proposed again;
3. otherwise the new primary is free to propose.

Up to the base nobody votes in the new view, not even those who do not have these blocks yet: they fetch them first.

This keeps every block that one honest replica has made final. Let block B be final at height h in view v. A quorum
prepared it, and any quorum of VIEW-CHANGEs shares an honest replica with that quorum. That replica has height h - 1
final. So the base is h - 1 or higher; if it is h - 1, the certificate of B is in the set, and no other block can have
one at h in a view from v on. For the same reason there is no gap between the base and a prepared height as long as at
most f lie; a certificate that stands higher than base + 1 is left out, as the paper fills gaps and ends there.

The paper sends prepared certificates for every height above the stable checkpoint and agrees on all of them again. Here
blocks are chained, so a final block's certificate settles everything below it, and replicas that are behind fetch
those blocks instead.

References
----------
Castro, Liskov, "Practical Byzantine fault tolerance and proactive recovery", ACM TOCS 20 (2002), sections 2.3.5, 4.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gridlab.chain.encoding import compact
from gridlab.chain.hashing import blake2b_256
from gridlab.chain.pbft.certificates import why_not_final
from gridlab.chain.pbft.messages import CommittedBlock, Message, Prepared, Proposal
from gridlab.chain.pbft.ordering import Ordering

__all__ = ["NewView", "Standing", "ViewChange", "choose"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a VIEW-CHANGE says about its sender.

    Attributes
    ----------
    block : CommittedBlock or None
        The newest final block with its certificate; None at the beginning of the chain. Only its header counts.
    prepared : Prepared or None
        The prepared certificate of the height above it.
    stable : tuple of Message
        Proof of the stable checkpoint.
    """

    block: CommittedBlock | None
    prepared: Prepared | None
    stable: tuple[Message, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that the VIEW-CHANGE's digest covers."""
        parts = [b"\x00" if self.block is None else b"\x01" + self.block.to_bytes()]
        parts.append(b"\x00" if self.prepared is None else b"\x01" + self.prepared.to_bytes())
        parts += [compact(len(self.stable)), *(vote.to_bytes() for vote in self.stable)]
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class NewView:
    """What a NEW-VIEW carries: a quorum of VIEW-CHANGEs, and the proposal that follows from them."""

    votes: tuple[Message, ...]
    pre_prepare: Message | None

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that the NEW-VIEW's digest covers."""
        again = b"\x00" if self.pre_prepare is None else b"\x01" + self.pre_prepare.to_bytes()
        return b"".join([compact(len(self.votes)), *(vote.to_bytes() for vote in self.votes), again])


def choose(start: int, standings: Iterable[Standing]) -> tuple[int, Prepared | None]:
    """Compute the new view: the height of the base, and what is to be proposed again above it.

    Parameters
    ----------
    start : int
        Height at which consensus began.
    standings : iterable of Standing
        Checked ones, of a quorum.
    """
    shown = list(standings)
    base = max((each.block.height for each in shown if each.block is not None), default=start)
    again = [each.prepared for each in shown if each.prepared and each.prepared.pre_prepare.height == base + 1]
    return base, max(again, key=lambda prepared: prepared.pre_prepare.view, default=None)


class ViewChange(Ordering):
    """How a replica leaves a view and enters the next."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        # The VIEW-CHANGE of the highest view of each validator: all that is ever needed, so nobody can fill the memory.
        self.calls: dict[int, Message] = {}
        self.my_call: Message | None = None
        if not self.active:
            self._call(self.view)
        elif self.durable.new_view is not None:
            self._propose_again(self.durable.new_view)

    # Leaving -----------------------------------------------------------------------------------------------------

    def _leave(self, view: int) -> None:
        """Give up everything below `view` and call for it."""
        self._set_view(view, active=False)
        self._stop_timer()
        self._say(self._call(view))
        self._gather()

    def _set_view(self, view: int, *, active: bool) -> None:
        self.view, self.active = view, active
        self.durable.view, self.durable.active = view, active
        self.slots = {}
        self._take_members()

    def _call(self, view: int) -> Message:
        blocks = self.durable.blocks
        standing = Standing(blocks[-1] if blocks else None, self.durable.prepared, self.durable.stable)
        digest = blake2b_256(standing.to_bytes())
        call = self.signer.sign(Message("view_change", self.number, view, self.height, digest, standing), self.pair)
        self.my_call = self.calls[self.number] = call
        return call

    def _on_view_change(self, message: Message) -> None:
        if message.view < self.view or (message.view == self.view and self.active):
            return
        earlier = self.calls.get(message.signer)
        if earlier is not None and earlier.view >= message.view:
            return
        if not self._valid_call(message):
            return
        self.calls[message.signer] = message
        self._learn_checkpoint(message.body.stable)
        higher = [call.view for call in self.calls.values() if call.view > self.view and call.signer in self.is_member]
        if len(higher) >= self.some_honest and not self.durable.stopped and self.number in self.is_member:
            # At least one honest replica has lost patience, so this one need not wait for its own timer.
            self._leave(min(higher))
        else:
            self._gather()

    def _valid_call(self, message: Message) -> bool:
        if message.signer not in self.is_member or not isinstance(message.body, Standing):
            return False
        standing = message.body
        height = standing.block.height if standing.block is not None else self.settings.height
        if height != message.height or not self.signer.valid(message):
            return False
        if standing.block is not None and not self._proves_final(standing.block):
            return False
        prepared = standing.prepared
        return prepared is None or (
            prepared.pre_prepare.height == height + 1
            and prepared.pre_prepare.view < message.view
            and self._proves_prepared(prepared)
        )

    def _proves_final(self, block: CommittedBlock) -> bool:
        """Check a block's certificate against the set of its height; the verdict is kept on the block."""
        if block.proposal.chain_id != self.signer.chain_id:
            # The same validators may run another chain with the same keys.
            return False
        members, needed = self.members_at(block.height), self.needed_at(block.height)
        question = (members, needed)
        if block.proved_for != question:
            keys = [self.signer.keys[member] for member in members]
            if why_not_final(block.sealed, block.signatures, keys, needed=needed) is not None:
                return False
            block.proved_for = question
        return True

    def _proves_prepared(self, prepared: Prepared) -> bool:
        first = prepared.pre_prepare
        members = self.members_at(first.height)
        voters = dict.fromkeys(vote.signer for vote in prepared.prepares)
        primary = members[first.view % len(members)]
        if first.kind != "pre_prepare" or first.signer != primary or primary in voters:
            return False
        if len(voters) + 1 < self.needed_at(first.height) or not all(voter in members for voter in voters):
            return False
        place = ("prepare", first.view, first.height, first.digest)
        if any((vote.kind, vote.view, vote.height, vote.digest) != place for vote in prepared.prepares):
            return False
        return self.signer.valid(first) and all(self.signer.valid(vote) for vote in prepared.prepares)

    # Entering ----------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Once a quorum calls for this view: give its primary its time, or be that primary."""
        if self.active:
            return
        calls = [call for call in self.calls.values() if call.view >= self.view and call.signer in self.is_member]
        votes = [call for call in calls if call.view == self.view]
        if self.number == self.primary and len(votes) >= self.quorum:
            self._open(votes[: self.quorum])
        elif len(calls) >= self.quorum and not self.armed:
            # Calls for later views count here, too. Their senders have given this view up, and where their calls for
            # it were lost the rest would wait for a quorum that never comes.
            self._start_timer("new_view", self.view - self.progress_view - 1)

    def _open(self, votes: Sequence[Message]) -> None:
        base, prepared = choose(self.settings.height, (vote.body for vote in votes))
        again = None
        if prepared is not None:
            digest = prepared.pre_prepare.digest
            again = self._vote("pre_prepare", base + 1, digest, self.durable.bodies.get(digest))
            if again is None:
                return
        body_of_view = NewView(tuple(votes), again.bare() if again is not None else None)
        digest = blake2b_256(body_of_view.to_bytes())
        message = Message("new_view", self.number, self.view, base, digest, body_of_view)
        self._say(self.signer.sign(message, self.pair))
        self._enter(message)

    def _on_new_view(self, message: Message) -> None:
        if message.view < self.view or (message.view == self.view and self.active):
            return
        if message.signer == self.primary_of(message.view) and self._valid_new_view(message):
            self._enter(message)

    def _valid_new_view(self, message: Message) -> bool:
        new = message.body
        if not isinstance(new, NewView) or not self.signer.valid(message):
            return False
        voters = dict.fromkeys(vote.signer for vote in new.votes)
        if len(voters) < self.quorum or len(voters) != len(new.votes):
            return False
        if not all(vote.kind == "view_change" and vote.view == message.view for vote in new.votes):
            return False
        if not all(self._valid_call(vote) for vote in new.votes):
            return False
        base, prepared = choose(self.settings.height, (vote.body for vote in new.votes))
        if prepared is None or new.pre_prepare is None:
            return message.height == base and prepared is None and new.pre_prepare is None
        said = new.pre_prepare
        place = ("pre_prepare", message.signer, message.view, base + 1, prepared.pre_prepare.digest)
        repeats = (said.kind, said.signer, said.view, said.height, said.digest) == place
        return message.height == base and repeats and self.signer.valid(said)

    def _enter(self, message: Message) -> None:
        self._set_view(message.view, active=True)
        self.durable.new_view = message
        self._stop_timer()
        for vote in message.body.votes:
            self._learn_checkpoint(vote.body.stable)
        self._propose_again(message)
        waiting = [self.parked.pop(name) for name, vote in list(self.parked.items()) if vote.view <= self.view]
        for vote in waiting:
            if vote.view == self.view:
                self.handlers[vote.kind](vote)
        for vote in message.body.votes:
            if vote.height < self.height and vote.signer != self.number:
                self._send_blocks(vote.signer, vote.height)
        self._take_base()
        if message.height > self.height:
            self._ask()
        self._progress()

    def _base_certificate(self) -> CommittedBlock | None:
        """Return the certificate of the next block, if it is the base of this view: it is final, and lacks its body."""
        new_view = self.durable.new_view
        if new_view is None or new_view.height != self.height + 1:
            return None
        standings: list[Standing] = [vote.body for vote in new_view.body.votes]
        return next(each.block for each in standings if each.block and each.block.height == new_view.height)

    def _take_base(self, body: Proposal | None = None) -> None:
        """Make the base of this view final here; its certificate stands in the NEW-VIEW, its body may be at hand.

        Whoever showed the certificate may be a liar and keep the block to itself. But a quorum has prepared it.
        """
        certified = self._base_certificate()
        if certified is None:
            return
        digest = certified.proposal.digest
        proposal = body if body is not None and body.digest == digest else self.durable.bodies.get(digest)
        if proposal is not None:
            self._take_block(CommittedBlock(proposal, certified.view, certified.signatures))

    def _propose_again(self, new_view: Message) -> None:
        again = new_view.body.pre_prepare
        if again is not None and self.low < again.height <= self.high:
            self._slot(again.height).propose(again, None)
