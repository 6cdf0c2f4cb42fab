"""The normal case: pre-prepare, prepare, commit, one height after another.

A block names its parent, so the block at h + 1 can only be proposed and checked once h is final: one height is in
flight. Votes for later heights, up to the high water mark, are kept until their turn comes.
"""

from __future__ import annotations

from gridlab.chain.pbft.core import Core, Do, Slot
from gridlab.chain.pbft.messages import CommittedBlock, Message, Prepared, Proposal

__all__ = ["Ordering"]


class Ordering(Core):
    """How a replica orders blocks within a view."""

    # Messages ----------------------------------------------------------------------------------------------------

    def _on_pre_prepare(self, message: Message) -> None:
        height = message.height
        if not self._is_current(message) or message.signer != self.primary or not self.signer.valid(message):
            return
        slot = self._slot(height)
        if slot.pre_prepare is not None:
            self.evidence.compare(slot.pre_prepare, message)
            if slot.proposal is None and message.digest == slot.digest:
                slot.proposal = _body_of(message)
        elif (proposal := _body_of(message)) is not None:
            slot.propose(message.bare(), proposal)
        if height == self.height + 1:
            self._progress()

    def _on_prepare(self, message: Message) -> None:
        height = message.height
        if message.view != self.view or not self.low < height <= self.high or not self.active:
            self._park(message)
            return
        signer = message.signer
        slot = self.slots.get(height)
        if slot is None:
            slot = self._slot(height)
        earlier = slot.prepares.get(signer)
        if earlier is not None:
            if earlier.digest != message.digest:
                self.evidence.compare(earlier, message)
            return
        if signer not in self.is_member or signer == self.primary:
            return
        if not (message.verdict or self.signer.valid(message)):
            return
        slot.prepares[signer] = message
        if message.digest == slot.digest:
            slot.agreeing += 1
            if slot.agreeing >= self.quorum and not slot.prepared and height == self.height + 1:
                self._progress()
        elif slot.pre_prepare is not None and isinstance(message.body, Message):
            # It answers another proposal of the same primary, whose signature it carries.
            self.evidence.compare(slot.pre_prepare, message.body)

    def _on_commit(self, message: Message) -> None:
        height = message.height
        if message.view != self.view or not self.low < height <= self.high or not self.active:
            self._park(message)
            return
        signer = message.signer
        slot = self.slots.get(height)
        if slot is None:
            slot = self._slot(height)
        earlier = slot.commits.get(signer)
        if earlier is not None:
            if earlier.digest != message.digest:
                self.evidence.compare(earlier, message)
            return
        if signer not in self.is_member or not (message.verdict or self.signer.valid(message)):
            return
        slot.commits[signer] = message
        if message.digest == slot.digest:
            slot.committing += 1
            if slot.committing >= self.quorum and slot.prepared and height == self.height + 1:
                self._progress()

    def _is_current(self, message: Message) -> bool:
        if message.view == self.view and self.active and self.low < message.height <= self.high:
            return True
        self._park(message)
        return False

    def _park(self, message: Message) -> None:
        """Keep the newest vote of each validator for a view that this replica has not entered yet."""
        ahead = message.view > self.view or (message.view == self.view and not self.active)
        if not ahead or not self.low < message.height <= self.high or message.signer not in self.is_member:
            return
        name = (message.kind, message.height, message.signer)
        earlier = self.parked.get(name)
        if (earlier is None or earlier.view < message.view) and self.signer.valid(message):
            self.parked[name] = message

    def _slot(self, height: int) -> Slot:
        slot = self.slots.get(height)
        if slot is None:
            slot = self.slots[height] = Slot()
        return slot

    # Steps -------------------------------------------------------------------------------------------------------

    def _progress(self) -> None:
        while self.active and not self.durable.stopped and self.number in self.is_member:
            height = self.height + 1
            # Up to the base of the view blocks are final somewhere, though not here: a second vote could undo them.
            if height > self.high or height <= self.base:
                break
            slot = self.slots.get(height)
            if slot is None or slot.pre_prepare is None:
                slot = self._propose(height) if self.number == self.primary else None
                if slot is None:
                    break
            if not slot.accepted and not self._accept(height, slot):
                break
            if not slot.prepared and not self._prepare_done(height, slot):
                break
            if slot.committing < self.quorum:
                break
            self._commit(slot)
        self._watch_primary()

    def _propose(self, height: int) -> Slot | None:
        message = self.durable.votes.get(("pre_prepare", self.view, height))
        if message is None:
            proposal = self._new_proposal(height)
            message = None if proposal is None else self._vote("pre_prepare", height, proposal.digest, proposal)
            if message is None:
                return None
        slot = self._slot(height)
        slot.propose(message.bare(), _body_of(message))
        if slot.proposal is not None:
            self.effects.append((Do.PROPOSED, slot.proposal))
            self._say(message)
        return slot

    def _new_proposal(self, height: int) -> Proposal | None:
        proposal = self.machine.propose(height, self.parent or b"")
        if proposal is not None and self.durable.handover:
            return Proposal(proposal.header, proposal.body, self.durable.handover)
        return proposal

    def _accept(self, height: int, slot: Slot) -> bool:
        """Check the proposal and say that it is the one which this replica prepares."""
        if slot.proposal is None:
            slot.proposal = self.durable.bodies.get(slot.digest)
        if slot.proposal is None:
            self._ask()
            return False
        if self._why_not(height, slot.proposal) is not None:
            return False
        if self.number != self.primary:
            # The prepare shows what it answers: a primary that says two things is found out by the first crossing.
            message = self._vote("prepare", height, slot.digest, slot.pre_prepare)
            if message is None:
                return False
            slot.prepares[self.number] = message
            slot.agreeing += 1
            self._say(message)
        self.durable.bodies[slot.digest] = slot.proposal
        slot.accepted = True
        return True

    def _why_not(self, height: int, proposal: Proposal) -> str | None:
        if proposal.chain_id != self.signer.chain_id:
            return f"it is for chain {proposal.chain_id!r}"
        if proposal.height != height:
            return f"it is for height {proposal.height}"
        if self.parent is not None and proposal.parent != self.parent:
            return "its parent is another block"
        if proposal.handover and proposal.handover != self.durable.handover:
            return "it changes the members, and no quorum has asked for that here"
        return self.machine.check(proposal)

    def _prepare_done(self, height: int, slot: Slot) -> bool:
        if slot.agreeing < self.quorum or slot.pre_prepare is None or slot.proposal is None:
            return False
        votes = tuple(vote for vote in slot.prepares.values() if vote.digest == slot.digest)
        message = self._vote("commit", height, slot.digest, slot.proposal.signed_part)
        if message is None:
            return False
        self.durable.prepared = Prepared(slot.pre_prepare, votes)
        slot.prepared = True
        slot.commits[self.number] = message
        slot.committing += 1
        self._say(message)
        return True

    def _commit(self, slot: Slot) -> None:
        proposal = slot.proposal
        if proposal is None:
            return
        votes = [vote for vote in slot.commits.values() if vote.digest == slot.digest]
        keys = self.signer.keys
        self._final(CommittedBlock(proposal, self.view, {keys[vote.signer]: vote.signature for vote in votes}))

    def _final(self, block: CommittedBlock) -> None:
        """Execute a block whose certificate holds; everything that was in flight below it is settled."""
        durable = self.durable
        durable.blocks.append(block)
        if block.proposal.handover == durable.handover:
            durable.handover = b""
        results = self._advance(block)
        height = self.height
        durable.votes = {name: vote for name, vote in durable.votes.items() if name[2] > height}
        durable.prepared, durable.bodies = None, {}
        if self.active:
            # While it waits for a new view, a block that others made final says nothing about that view's primary.
            self.progress_view = self.view
            self._stop_timer()
        self.effects.append((Do.FINAL, block))
        for client, number, result in results:
            self._reply(client, number, height, result)
        self._after_block(block)

    def _reply(self, client: int, number: int, height: int, result: bytes) -> None:
        reply = Message("reply", self.number, number, height, result, self.view)
        self._tell(client, self.signer.sign(reply, self.pair))


def _body_of(message: Message) -> Proposal | None:
    body = message.body
    return body if isinstance(body, Proposal) and body.digest == message.digest else None
