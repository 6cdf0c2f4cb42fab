"""Motions: what the validators decide outside of blocks. Stop, resume, change the members.

A motion is carried by a quorum of signed votes. Motions are numbered by epochs: a replica follows one only if its
number is higher than that of the last it followed, and votes once per number, so old votes cannot be played again.

A stopped replica keeps everything, answers those who are behind, and orders nothing. After a resume it goes on with
the very votes that it had sent.
"""

from __future__ import annotations

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import text
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.pbft.handover import handover_bytes, members_of
from gridlab.chain.pbft.messages import HANDOVER_TAG, Message
from gridlab.chain.pbft.transfer import Transfer
from gridlab.errors import ChainError

__all__ = ["RESUME", "STOP", "Motions"]

STOP, RESUME = text("gridlab/pbft-stop/1"), text("gridlab/pbft-resume/1")
_MOTION_DOMAIN = "gridlab/pbft-motion/1"


class Motions(Transfer):
    """How a replica votes on motions and follows those that are carried."""

    def __init__(self, *given: object, **named: object) -> None:
        self.motions: dict[int, Message] = {}
        super().__init__(*given, **named)

    def vote(self, epoch: int, action: bytes) -> None:
        """Vote for a motion: `STOP`, `RESUME`, or the bytes of a hand-over; once per epoch.

        Parameters
        ----------
        epoch : int
            Its number, higher than that of every motion carried or voted on here; otherwise nothing happens.
        action : bytes
        """
        if require_int("epoch", epoch, 1) <= max(self.durable.voted_epoch, self.durable.epoch):
            return
        message = Message("motion", self.number, epoch, 0, tagged_hash(_MOTION_DOMAIN, action), action)
        self.durable.ballot = self.signer.sign(message, self.pair)
        self._say(message)
        self._on_motion(message)

    def _on_motion(self, message: Message) -> None:
        epoch, action = message.view, message.body
        if epoch <= self.durable.epoch or message.signer not in self.is_member or not isinstance(action, bytes):
            return
        earlier = self.motions.get(message.signer)
        if (earlier is not None and earlier.view >= epoch) or tagged_hash(_MOTION_DOMAIN, action) != message.digest:
            return
        if not self.signer.valid(message):
            return
        self.motions[message.signer] = message
        votes = tuple(vote for vote in self.motions.values() if (vote.view, vote.digest) == (epoch, message.digest))
        if len(votes) >= self.quorum:
            self._carry(epoch, action, votes)

    def _carry(self, epoch: int, action: bytes, votes: tuple[Message, ...]) -> None:
        durable = self.durable
        durable.epoch, durable.motion = epoch, votes
        self.motions = {signer: vote for signer, vote in self.motions.items() if vote.view > epoch}
        if action == STOP:
            durable.stopped = True
            self._stop_timer()
        elif action == RESUME:
            durable.stopped = False
            self._ask()
            if self.active:
                self._progress()
            else:
                self._gather()
        elif self._is_handover(epoch, action):
            durable.handover = action
            self._progress()

    def _is_handover(self, epoch: int, action: bytes) -> bool:
        if not action.startswith(HANDOVER_TAG):
            return False
        try:
            at_height, keys = members_of(action)
        except ChainError:
            return False
        known = all(key in self.settings.numbers for key in keys)
        return known and action == handover_bytes(epoch, at_height, keys)
