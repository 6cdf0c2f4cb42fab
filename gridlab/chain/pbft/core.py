"""What a replica is made of: what it must not forget, what it may lose, and the effects it asks for.

A replica has no clock, no network and no chance: messages, requests and timers go in, effects come out. What survives a
crash is `Durable` and nothing else; it holds every vote that the replica may not contradict later.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Protocol

from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.keys import KeyPair
from gridlab.chain.pbft.evidence import Evidence, EvidenceBook
from gridlab.chain.pbft.handover import members_of
from gridlab.chain.pbft.messages import CommittedBlock, Message, Prepared, Proposal, Signer
from gridlab.chain.pbft.quorums import quorum, some_honest

__all__ = ["Core", "Do", "Durable", "Machine", "Settings"]

# Timeouts double per failed view, up to this many times.
_MOST_DOUBLINGS = 8


class Do(IntEnum):
    """The kinds of effects: each effect is a tuple that begins with one of them.

    ``(SEND_ALL, message)``, ``(SEND, receiver, message)``, ``(TIMER, name, delay_ms, token)``,
    ``(PROPOSED, proposal)``, ``(FINAL, block)``.
    """

    SEND_ALL = 0
    SEND = 1
    TIMER = 2
    PROPOSED = 3
    FINAL = 4


class Machine(Protocol):
    """What is replicated: proposes, checks and executes blocks; one per replica, deterministic."""

    def pending(self) -> bool:
        """Whether there is something to order."""

    def propose(self, height: int, parent: bytes) -> Proposal | None:
        """Make the next block, or None where there is nothing to order."""

    def rival(self, proposal: Proposal) -> Proposal | None:
        """Make another acceptable block of the same height, as a lying primary would; None where there is none."""

    def check(self, proposal: Proposal) -> str | None:
        """Say why the next block is not acceptable, or None."""

    def execute(self, block: CommittedBlock) -> Sequence[tuple[int, int, bytes]]:
        """Apply a final block; return ``(client, request number, result)`` for each of its requests."""

    def receive(self, request: Message) -> tuple[int, bytes] | None:
        """Keep a valid request until it is executed; return height and result where it has been already."""

    def state_digest(self) -> bytes:
        """Return the digest of the state after the newest final block, 32 bytes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all replicas of a chain share.

    Attributes
    ----------
    signer : Signer
    numbers : dict of bytes to int
        Public key to validator number; it may grow.
    members : tuple of int
        The first set of validators.
    quorum : int or None
        Overrides the quorum, to show what a wrong one does.
    checkpoint_every : int
        Blocks between checkpoints; water marks are two of these apart.
    timeout_ms, resend_ms : float
        Until a replica gives its primary up, and between two looks at whether anything moves.
    height, parent : int, bytes or None
        Where the chain stands when consensus begins; None: the first block may have any parent.
    """

    signer: Signer
    numbers: dict[bytes, int]
    members: tuple[int, ...]
    quorum: int | None = None
    checkpoint_every: int = 10
    timeout_ms: float = 2000.0
    resend_ms: float = 2000.0
    height: int = 0
    parent: bytes | None = None


@dataclass(slots=True)
class Durable:
    """What a replica writes down before it acts on it, and finds again after a crash.

    Attributes
    ----------
    view : int
    active : bool
        False while the replica waits for the new view of `view`.
    votes : dict
        Every vote it has sent above the newest final block, by kind, view and height: it never sends another.
    bodies : dict of bytes to Proposal
        Every proposal above the newest final block that it has voted for, in any view, by digest. A later view may
        come back to an earlier one, and then somebody must still have it.
    prepared : Prepared or None
        The prepared certificate of the highest view above the newest final block.
    new_view : Message or None
        The NEW-VIEW that opened `view`: what it proposes again binds after a crash, too.
    blocks : list of CommittedBlock
    stable : tuple of Message
        Checkpoint votes of a quorum: proof of the low water mark.
    epoch : int
        Number of the newest motion that was carried.
    ballot : Message or None
        Its vote in the newest motion it has voted in.
    stopped : bool
    motion : tuple of Message
        The votes that carried the newest motion.
    handover : bytes
        A carried change of members that no block holds yet.
    evidence : dict
        Misbehaviour of others that it can prove.
    """

    view: int = 0
    active: bool = True
    votes: dict[tuple[str, int, int], Message] = field(default_factory=dict)
    bodies: dict[bytes, Proposal] = field(default_factory=dict)
    prepared: Prepared | None = None
    new_view: Message | None = None
    blocks: list[CommittedBlock] = field(default_factory=list)
    stable: tuple[Message, ...] = ()
    epoch: int = 0
    ballot: Message | None = None
    stopped: bool = False
    motion: tuple[Message, ...] = ()
    handover: bytes = b""
    evidence: dict[tuple[str, int, int, int], Evidence] = field(default_factory=dict)

    @property
    def voted_epoch(self) -> int:
        """Number of the newest motion it has voted in."""
        return 0 if self.ballot is None else self.ballot.view

    def copy(self) -> Durable:
        """Return what another instance with the same past would find."""
        return replace(
            self,
            votes=dict(self.votes),
            bodies=dict(self.bodies),
            blocks=list(self.blocks),
            evidence=dict(self.evidence),
        )


class Slot:
    """The votes of one height in the current view."""

    __slots__ = ("accepted", "agreeing", "commits", "committing", "digest", "pre_prepare", "prepared", "prepares",
                 "proposal")  # fmt: skip

    def __init__(self) -> None:
        self.prepares: dict[int, Message] = {}
        self.commits: dict[int, Message] = {}
        self.digest = b""
        self.pre_prepare: Message | None = None
        self.proposal: Proposal | None = None
        # Votes for `digest`, counted as they come, the pre-prepare among the prepares.
        self.agreeing = self.committing = 0
        self.accepted = self.prepared = False

    def propose(self, pre_prepare: Message, proposal: Proposal | None) -> None:
        """Take the primary's word, and count the votes that were here before it."""
        self.pre_prepare, self.digest, self.proposal = pre_prepare, pre_prepare.digest, proposal
        self.agreeing = 1 + sum(vote.digest == self.digest for vote in self.prepares.values())
        self.committing = sum(vote.digest == self.digest for vote in self.commits.values())


class Core(ABC):
    """State and small steps that all parts of a replica use.

    Parameters
    ----------
    number : int
        Which validator it is.
    pair : KeyPair
    settings : Settings
    machine : Machine
        In the state of ``settings.height``; the blocks of `durable` are executed on it.
    durable : Durable, optional
        What an earlier life of this replica left behind.
    """

    def __init__(
        self, number: int, pair: KeyPair, settings: Settings, machine: Machine, durable: Durable | None = None
    ) -> None:
        self.number, self.pair, self.settings, self.machine = number, pair, settings, machine
        self.durable = durable or Durable()
        self.signer = settings.signer
        self.evidence = EvidenceBook(self.signer, self.durable.evidence)
        self.effects: list[tuple[Any, ...]] = []
        self.handlers = self._handlers()
        self.view, self.active = self.durable.view, self.durable.active
        self.progress_view = self.view
        self.height, self.parent = settings.height, settings.parent
        self.slots: dict[int, Slot] = {}
        self.parked: dict[tuple[str, int, int], Message] = {}
        self.token, self.armed = 0, False
        self._sets: list[tuple[int, tuple[int, ...]]] = [(settings.height, settings.members)]
        self._take_members()
        for block in self.durable.blocks:
            self._advance(block)
        self.low = self.durable.stable[0].height if self.durable.stable else settings.height

    @property
    def base(self) -> int:
        """Height up to which this view's NEW-VIEW proves blocks final: nothing may be voted for there."""
        new_view = self.durable.new_view
        return self.settings.height if new_view is None else new_view.height

    # Members -----------------------------------------------------------------------------------------------------

    def members_at(self, height: int) -> tuple[int, ...]:
        """Return who decides about the block at `height`."""
        return next(members for last, members in reversed(self._sets) if last < height or last == self._sets[0][0])

    def needed_at(self, height: int) -> int:
        """Return the quorum for the block at `height`."""
        return self.settings.quorum or quorum(len(self.members_at(height)))

    def _take_members(self) -> None:
        members = self.members_at(self.height + 1)
        self.members, self.quorum = members, self.settings.quorum or quorum(len(members))
        self.is_member = frozenset(members)
        self.some_honest = some_honest(len(members))
        self.primary = members[self.view % len(members)]

    def primary_of(self, view: int) -> int:
        """Return who proposes in `view`."""
        return self.members[view % len(self.members)]

    def _advance(self, block: CommittedBlock) -> Sequence[tuple[int, int, bytes]]:
        """Execute a final block, and let a change of members take effect where its checkpoint is reached."""
        results = self.machine.execute(block)
        self.height, self.parent = block.height, block.proposal.hash
        if block.proposal.handover:
            at_height, keys = members_of(block.proposal.handover)
            every = self.settings.checkpoint_every
            last = -(-max(at_height, block.height) // every) * every
            self._sets.append((last, tuple(self.settings.numbers[key] for key in keys)))
        self._take_members()
        return results

    @property
    def audience(self) -> tuple[int, ...]:
        """Who is told everything: the members, and those who are about to become members."""
        future = self._sets[-1][1]
        return self.members if future is self.members else tuple(dict.fromkeys(self.members + future))

    @property
    def high(self) -> int:
        """The high water mark: nothing above it is taken in."""
        return self.low + 2 * self.settings.checkpoint_every

    # Effects -----------------------------------------------------------------------------------------------------

    def take_effects(self) -> list[tuple[Any, ...]]:
        """Hand over the effects that have come up since the last call."""
        effects, self.effects = self.effects, []
        return effects

    def _vote(self, kind: str, height: int, digest: bytes, body: object = None) -> Message | None:
        """Sign and note a vote of the current view, or None where it would contradict one that was sent before."""
        name = (kind, self.view, height)
        earlier = self.durable.votes.get(name)
        if earlier is not None:
            return earlier if earlier.digest == digest else None
        vote = self.signer.sign(Message(kind, self.number, self.view, height, digest, body), self.pair)
        self.durable.votes[name] = vote
        return vote

    def _say(self, message: Message) -> None:
        self.effects.append((Do.SEND_ALL, message))

    def _tell(self, receiver: int, message: Message) -> None:
        self.effects.append((Do.SEND, receiver, message))

    def _unsigned(self, kind: str, body: object, height: int = 0, digest: bytes = ZERO_HASH) -> Message:
        return Message(kind, self.number, self.view, height, digest, body)

    # Timers ------------------------------------------------------------------------------------------------------

    def _start_timer(self, name: str, doublings: int) -> None:
        self.token += 1
        self.armed = True
        delay = self.settings.timeout_ms * 2 ** min(max(doublings, 0), _MOST_DOUBLINGS)
        self.effects.append((Do.TIMER, name, delay, self.token))

    def _stop_timer(self) -> None:
        self.token += 1
        self.armed = False

    def _watch_primary(self) -> None:
        """Give the primary its time, where there is something to order and the clock does not run yet."""
        if self.armed or not self.active or self.durable.stopped or self.number not in self.is_member:
            return
        slot = self.slots.get(self.height + 1)
        if (slot is not None and slot.pre_prepare is not None) or self.machine.pending():
            self._start_timer("progress", self.view - self.progress_view)

    # What the other parts add ------------------------------------------------------------------------------------

    @abstractmethod
    def _handlers(self) -> dict[str, Callable[[Message], None]]:
        """Return who takes in which kind of message."""

    @abstractmethod
    def _progress(self) -> None:
        """Go as far as the messages at hand allow."""

    @abstractmethod
    def _after_block(self, block: CommittedBlock) -> None:
        """Take the checkpoint and look at what was waiting for this block."""

    @abstractmethod
    def _take_block(self, block: CommittedBlock) -> None:
        """Take a final block that was not made final here."""

    @abstractmethod
    def _send_blocks(self, peer: int, height: int) -> None:
        """Send somebody the final blocks above `height`."""

    @abstractmethod
    def _learn_checkpoint(self, votes: Sequence[Message]) -> None:
        """Take in checkpoint votes that came inside of another message."""

    @abstractmethod
    def _ask(self) -> None:
        """Tell the others where this replica stands, so that they send what it lacks."""
