"""A cluster of validators that makes an application's blocks final, one after another, in virtual time.

The lab's chain asks it for each block; `gridlab.chain.pbft.simulate` runs the same engine with requests of clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.keys import KeyPair
from gridlab.chain.pbft.core import Machine, Settings
from gridlab.chain.pbft.engine import Engine
from gridlab.chain.pbft.evidence import Evidence
from gridlab.chain.pbft.hosted import Application, Hosted
from gridlab.chain.pbft.interventions import Interventions, require_validators
from gridlab.chain.pbft.message_counts import MessageCounts
from gridlab.chain.pbft.message_log import message_frame
from gridlab.chain.pbft.messages import CommittedBlock, Proposal, Signer
from gridlab.chain.pbft.network import Network, require_latency, require_number
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError
from gridlab.seeds import check_seed

__all__ = ["LATENCY_MS", "Cluster", "Decision"]

LATENCY_MS = (5.0, 25.0)
_FOREVER_MS = 1e12


@dataclass(frozen=True, slots=True)
class Decision:
    """A block that is final.

    Attributes
    ----------
    height, view : int
    header, body : bytes
        As the application proposed them.
    handover : bytes
        The next set of validators where this block hands over to one, else empty.
    signatures : dict of bytes to bytes
        Public key to commit signature, a quorum of them, as the first honest validator had them.
    validators : tuple of bytes
        Public keys of the set that decided.
    proposed_ms : float
        Virtual time at which a block of this height was first proposed.
    final_ms : dict of int to float
        Virtual time at which each honest validator had it final, as far as they have it.
    finality_ms : float
        From `proposed_ms` until a quorum of honest validators had it final.
    view_changes : int
        How many views were given up on the way.
    """

    height: int
    view: int
    header: bytes
    body: bytes = field(repr=False)
    handover: bytes = field(repr=False)
    signatures: dict[bytes, bytes] = field(repr=False)
    validators: tuple[bytes, ...] = field(repr=False)
    proposed_ms: float
    final_ms: dict[int, float] = field(repr=False)
    finality_ms: float
    view_changes: int

    @property
    def sealed(self) -> bytes:
        """What `verify_certificate` checks: header, hand-over and view."""
        return self.header + self.handover + self.view.to_bytes(8, "little")

    def __repr__(self) -> str:
        return (
            f"Decision(height {self.height}, view {self.view}, {len(self.signatures)} of {len(self.validators)} "
            f"signatures, {self.finality_ms:.1f} ms)"
        )

    def _repr_html_(self) -> str:
        html: str = through("decision_html", self)
        return html


class Cluster(Interventions):
    """Validators, their network and their misfortunes.

    Parameters
    ----------
    validators : sequence of KeyPair
        One to 1,000, distinct; their place in the sequence is their number.
    chain_id : str
        Name of the chain; every header begins with it.
    application : Application
        Makes and checks the blocks.
    latency_ms : float, pair of float, or n x n array of float
        One-way delay: one for all, the bounds of a uniform one, or the base from each validator (row) to each (column).
    jitter : float
        Mean of an exponential delay on top of each message, milliseconds.
    loss : float
        Share of messages that never arrive, 0 <= loss < 1.
    seed : int
        All chance comes from it.
    quorum : int, optional
        Overrides the quorum, to show what a wrong one does; 1 … n.
    interval_ms : float
        From one block's proposal to the next one's, at least.
    timeout_ms : float
        Until a validator gives its primary up; doubles with each view in which nothing becomes final.
    checkpoint_every : int
        Blocks between checkpoints.
    height : int
        Of the newest final block of the chain that is continued; 0 for a new one.
    message_log : int, optional
        Height of which every message is kept in `message_log`.
    parent : bytes, optional
        That block's hash. Without it the first block may name any parent.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.
    """

    def __init__(
        self,
        validators: Sequence[KeyPair],
        *,
        chain_id: str,
        application: Application,
        latency_ms: Any = LATENCY_MS,
        jitter: float = 0.0,
        loss: float = 0.0,
        seed: int = 0,
        quorum: int | None = None,
        interval_ms: float = 1000.0,
        timeout_ms: float = 2000.0,
        checkpoint_every: int = 10,
        height: int = 0,
        parent: bytes | None = None,
        message_log: int | None = None,
    ) -> None:
        pairs = require_validators(validators)
        if not isinstance(application, Application):
            raise ArgumentTypeError(
                f"application is a {type(application).__name__}, allowed: an object with propose, rival and check"
            )
        self._interval = require_number("interval_ms", interval_ms, 0.0, 86_400_000.0)
        timeout = require_number("timeout_ms", timeout_ms, 1.0, 86_400_000.0)
        self._numbers = {pair.public_key: number for number, pair in enumerate(pairs)}
        settings = Settings(
            signer=Signer(require_text("chain_id", chain_id), {i: pair.public_key for i, pair in enumerate(pairs)}),
            numbers=self._numbers,
            members=tuple(range(len(pairs))),
            quorum=None if quorum is None else require_int("quorum", quorum, 1, len(pairs)),
            checkpoint_every=require_int("checkpoint_every", checkpoint_every, 1, 100_000),
            timeout_ms=timeout,
            resend_ms=max(timeout, 2.0 * self._interval),
            height=require_int("height", height, 0, 2**62),
            parent=None if parent is None else require_bytes("parent", parent, HASH_BYTES),
        )
        network = Network(
            require_latency(latency_ms, jitter, len(pairs)),
            seed=check_seed(seed),
            loss=require_number("loss", loss, 0.0, 1.0, below=True),
        )
        if message_log is not None:
            network.log_height = require_int("message_log", message_log, 1)
        self._application = application
        self._verdicts: dict[Proposal, str | None] = {}
        self._hosted: list[Hosted] = []
        self._wanted = settings.height
        self._next_ms = 0.0
        self._decided = settings.height
        self._start_height = settings.height
        self._engine = Engine(pairs, settings, network, self._machine, seed=seed)
        self._engine.start()

    def __repr__(self) -> str:
        count = len(self.validators)
        return f"Cluster({count} validators, view {self.view}, height {self.height}, {self.clock_ms:g} ms)"

    def _machine(self, _validator: int) -> Machine:
        machine = Hosted(self._application, self._verdicts)
        machine.wanted, machine.height = self._wanted, self._start_height
        return machine

    # What it shows -----------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """Height of the newest block that a quorum of honest validators holds."""
        held = sorted((len(node.durable.blocks) for node in self._engine.honest()), reverse=True)
        place = min(self._needed(), len(held))
        return self._start_height + (held[place - 1] if held else 0)

    @property
    def validators(self) -> tuple[bytes, ...]:
        """Public keys of the validators of the next block."""
        return self.validators_at(self.height + 1)

    @property
    def clock_ms(self) -> float:
        """Virtual time, milliseconds."""
        return self._engine.network.clock

    @property
    def view(self) -> int:
        """The highest view that a quorum of honest validators has reached; who asks for the next is alone as yet."""
        reached = sorted((node.durable.view for node in self._engine.honest()), reverse=True)
        return reached[min(self._needed(), len(reached)) - 1] if reached else 0

    @property
    def messages(self) -> dict[str, int]:
        """How many messages of each kind have been sent."""
        return MessageCounts(self._engine.network.counts)

    @property
    def evidence(self) -> list[Evidence]:
        """Provable misbehaviour that honest validators have found, by height and view."""
        return self._engine.evidence()

    @property
    def message_log(self) -> pl.DataFrame:
        """Every message of the height that was asked for (`gridlab.chain.pbft.message_log.message_frame`)."""
        return message_frame(self._engine.network)

    @property
    def forked(self) -> bool:
        """Whether two honest validators hold different final blocks of one height."""
        return self._engine.forked

    @property
    def stopped(self) -> bool:
        """Whether a quorum of the validators' replicas stand stopped."""
        return self._stopped_count() >= self._needed()

    @property
    def corrupted(self) -> dict[int, str]:
        """Which validators lie, and how."""
        nodes = self._engine.validators
        return {node.validator: node.behaviour.kind for node in nodes if node.behaviour is not None}

    @property
    def crashed(self) -> tuple[int, ...]:
        """Which validators are down."""
        return tuple(node.validator for node in self._engine.validators if node.replica is None)

    @property
    def sides(self) -> dict[int, int] | None:
        """Group of each validator that was named when the network was cut, from 1 on; None where it is whole."""
        return self._engine.network.groups

    def validators_at(self, height: int) -> tuple[bytes, ...]:
        """Return the public keys of the set that decides about the block at `height`, as far as blocks say so now."""
        members = self._foremost().members_at(require_int("height", height, 0))
        return tuple(self._engine.validators[member].pair.public_key for member in members)

    # Blocks ------------------------------------------------------------------------------------------------------

    def decide(self, height: int, *, limit_ms: float = 60_000.0) -> Decision | None:
        """Run the network until the block at `height` is final for a quorum of honest validators.

        Parameters
        ----------
        height : int
            The one after the newest final block, or one that is final already.
        limit_ms : float
            Virtual time after which it is given up; the validators go on with it at the next call.

        Returns
        -------
        Decision or None
            None where virtual time has run out: no quorum, or nothing proposed.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `height` is not the next one, or `limit_ms` is not a positive number.
        """
        # Of those who made the newest block final some may have begun to lie since: `height` may be behind it.
        require_int("height", height, self._start_height + 1, max(self.height, self._decided) + 1)
        limit = require_number("limit_ms", limit_ms, 0.0, _FOREVER_MS)
        view = self.view
        begin = max(self.clock_ms, self._next_ms)
        if not self._is_final(height):
            self._want(height, begin)
            if not self._engine.run(begin + limit, lambda: self._is_final(height)):
                return None
        proposed = self._engine.proposed.get(height, begin)
        self._next_ms = max(self._next_ms, proposed + self._interval)
        self._decided = max(self._decided, height)
        return self._decision(height, proposed, view)

    def _want(self, height: int, begin: float) -> None:
        if height > self._wanted:
            self._engine.run(begin, lambda: False)
            self._wanted = height
        for node in self._engine.nodes.values():
            if node.replica is not None:
                node.replica.machine.wanted = height
                node.replica.poke()
                self._engine.carry_out(node)

    def _decision(self, height: int, proposed: float, view: int) -> Decision:
        times = self._engine.final[height]
        block = self._certified(height)
        proposal = block.proposal
        ordered = sorted(times.values())
        quorum_ms = ordered[min(self._needed_at(height), len(ordered)) - 1]
        return Decision(
            height=height,
            view=block.view,
            header=proposal.header,
            body=proposal.body,
            handover=proposal.handover,
            signatures=dict(block.signatures),
            validators=self.validators_at(height),
            proposed_ms=proposed,
            final_ms={validator: times[validator] for validator in sorted(times)},
            finality_ms=quorum_ms - proposed,
            view_changes=self.view - view,
        )

    def _certified(self, height: int) -> CommittedBlock:
        return next(iter(self._engine.hashes[height].values()))

    def _is_final(self, height: int) -> bool:
        return len(self._engine.final.get(height, ())) >= self._needed_at(height)
