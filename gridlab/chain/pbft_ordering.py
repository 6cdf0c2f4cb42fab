"""PBFT as an ordering: validators agree on every block of a consortium chain, message by message.

The chain hands over the block that its transactions make; the validators' cluster (`gridlab.chain.pbft.cluster`) runs
the protocol on a virtual clock until a block is final at a quorum, and the commit signatures become its certificate.
An honest validator accepts what execution gives. What a lying primary shows instead is the block without any of the
waiting transactions: execution could have given that, too, so it is for the protocol to see that only one stands.

A certificate is ``u64(view) blob(hand-over) compact(signatures)``, then the validator's place (4 bytes) and the
signature (64 bytes) of each, by place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.authority import pack_validators, unpack_validators
from gridlab.chain.blocks import Block, Header
from gridlab.chain.ed25519 import SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, blob, compact, u32, u64
from gridlab.chain.keys import KeyPair, require_key_pair, sandbox
from gridlab.chain.ordering import ROUNDS, Execute
from gridlab.chain.pbft.certificates import sealed_header, verify_certificate
from gridlab.chain.pbft.messages import HANDOVER_TAG, Proposal, block_hash
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.chain.transactions import Transaction
from gridlab.chain.validator_states import Planned, validator_states
from gridlab.errors import ChainError, GridlabError

if TYPE_CHECKING:
    from gridlab.chain.pbft.cluster import Cluster, Decision
    from gridlab.chain.pbft.wan import WideAreaNetwork

__all__ = ["PbftOrdering", "pack_certificate", "unpack_certificate"]

# With half a virtual hour no doubling of timeouts that could still help is cut short.
_LIMIT_MS = 1_800_000.0


class _Candidates:
    """The application whose blocks the cluster orders: the block that is due, and what a liar may show instead."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, Block] = {}
        self._due: Proposal | None = None
        self._execute: Execute | None = None

    def offer(self, block: Block, execute: Execute) -> None:
        # What was offered for this height before may have been prepared by some, and then it is that which must stand.
        self._blocks = {hash_: kept for hash_, kept in self._blocks.items() if kept.height == block.height}
        self._due, self._execute = self._proposal(block), execute

    def _proposal(self, block: Block) -> Proposal:
        self._blocks[block.hash] = block
        return Proposal(block.header.to_bytes(), b"".join(block.transaction_ids))

    def propose(self, height: int) -> Proposal | None:
        return self._due if self._due is not None and self._due.height == height else None

    def rival(self, proposal: Proposal) -> Proposal | None:
        block = self._blocks.get(proposal.hash)
        if block is None or not block.transactions or self._execute is None:
            return None
        return self._proposal(self._execute(()))

    def check(self, proposal: Proposal) -> str | None:
        block = self._blocks.get(proposal.hash)
        if block is None:
            return "execution does not give this block"
        ids = b"".join(block.transaction_ids)
        return None if proposal.body == ids else "the body is not what the header commits to"

    def block(self, decision: Decision) -> Block:
        return self._blocks[block_hash(decision.header)]


class PbftOrdering:
    """Validators that agree on every block by PBFT; made by `PbftOrdering.of`, or `checking` for readers.

    Parameters
    ----------
    validators : sequence of KeyPair or bytes
        Key pairs; or public keys alone, with which certificates can be checked and no block sealed.
    network : WideAreaNetwork, optional
        Delays and losses between them; the Thai default where none is given.
    seed : int
        Of all random delays.
    timeout_ms : float
        How long a validator waits for a block before it asks for another view.
    interval_ms : float
        Time between blocks.
    """

    name = "pbft"

    def __init__(
        self,
        validators: Sequence[KeyPair] | Sequence[bytes],
        *,
        network: WideAreaNetwork | None = None,
        seed: int = 0,
        timeout_ms: float = 2_000.0,
        interval_ms: float = 1_000.0,
    ) -> None:
        pairs = [each for each in require_sequence("validators", validators, object) if isinstance(each, KeyPair)]
        keys = [each.public_key if isinstance(each, KeyPair) else each for each in validators]
        self._authority = pack_validators(require_sequence("validators", keys, bytes))
        unpack_validators(self._authority)
        self._pairs = {pair.public_key: pair for pair in pairs}
        self._network, self._seed = network, require_int("seed", seed, 0)
        self._timeout_ms, self._interval_ms = timeout_ms, interval_ms
        self._candidates = _Candidates()
        self._rounds: list[tuple[Any, ...]] = []
        self._sent, self._view = 0, 0
        self._cluster: Cluster | None = None
        self._running: bytes = b""
        self._tip: bytes | None = None
        self._planned = Planned(len(self.validators))
        self._early: list[Callable[[Cluster | Planned], object]] = []

    @classmethod
    def of(cls, validators: int = 21, *, seed: int = 0, **options: Any) -> Self:
        """Return so many validators with sandbox keys; `options` as for the class."""
        require_int("validators", validators, 1, 1_000)
        return cls([sandbox(seed, f"validator {place}") for place in range(validators)], seed=seed, **options)

    @classmethod
    def checking(cls, authority: bytes) -> Self:
        """Return an ordering that checks certificates and cannot seal; `authority` is what genesis names."""
        return cls(unpack_validators(authority))

    def twin(self) -> Self:
        """Return validators with the same keys that have decided nothing and do not lie, for a copy of the chain."""
        keys = self.validators
        twin = type(self)(
            keys,
            network=self._network,
            seed=self._seed,
            timeout_ms=self._timeout_ms,
            interval_ms=self._interval_ms,
        )
        twin._pairs = dict(self._pairs)  # noqa: SLF001 - of its own kind
        return twin

    @property
    def authority(self) -> bytes:
        """The first set of validators, packed."""
        return self._authority

    @property
    def validators(self) -> tuple[bytes, ...]:
        """Public keys of the first set."""
        return unpack_validators(self._authority)

    def __repr__(self) -> str:
        sealing = "" if self.can_seal else ", cannot seal"
        return f"PbftOrdering({len(self.validators)} validators{sealing})"

    @property
    def can_seal(self) -> bool:
        """Whether the secret keys of all validators in force are here."""
        return all(key in self._pairs for key in self._keys())

    @property
    def stopped(self) -> bool:
        """Whether the validators have stopped (`stop`) and no block is sealed."""
        return (self._cluster or self._planned).stopped

    @property
    def view(self) -> int:
        """The view in force; validator ``view % n`` proposes the next block."""
        return (self._cluster or self._planned).view

    @property
    def states(self) -> pl.DataFrame:
        """How each validator stands, as `gridlab.chain.validator_states.VALIDATOR_STATES`."""
        from gridlab.chain.pbft.wan import default_placement

        return validator_states(self._keys(), default_placement(), self._cluster or self._planned)

    def _keys(self) -> tuple[bytes, ...]:
        return unpack_validators(self._running or self._authority)

    def arrange(self, pending: Sequence[Transaction]) -> Sequence[Transaction]:
        """Keep the order of arrival."""
        return pending

    def decide(self, proposed: Block, execute: Execute, authority: bytes) -> tuple[Block, bytes]:
        """Run the protocol until a block is final for a quorum of honest validators.

        Raises
        ------
        ChainError
            Secret keys are missing, the validators have stopped, or no quorum answers.
        """
        cluster = self._cluster_for(proposed.header, authority)
        if cluster.stopped:
            raise ChainError(f"block {proposed.height}: the validators have stopped; chain.ordering.resume() goes on")
        self._candidates.offer(proposed, execute)
        decision = cluster.decide(proposed.height, limit_ms=_LIMIT_MS)
        if cluster.forked:
            raise ChainError(
                f"block {proposed.height}: honest validators hold two different final blocks of one height, so more "
                f"than {max_faulty(len(cluster.validators))} of them lie; such a chain is worth nothing any more: "
                "replay it, and look at ordering.cluster.evidence"
            )
        if decision is None:
            validators = unpack_validators(authority)
            raise ChainError(
                f"block {proposed.height}: no quorum of {quorum(len(validators))} of {len(validators)} validators "
                f"answered within {_LIMIT_MS / 60_000:.0f} virtual minutes; restart those that are down, or heal the "
                "network, and seal again; the transactions still wait"
            )
        self._note(decision, cluster)
        return self._candidates.block(decision), pack_certificate(decision, unpack_validators(authority))

    def accepts(self, header: Header, certificate: bytes, authority: bytes) -> bool:
        """Say whether a quorum of the validators in force has committed the block of this header."""
        validators = unpack_validators(authority)
        try:
            view, handover, signatures = unpack_certificate(certificate, validators)
        except GridlabError:
            return False
        return verify_certificate(sealed_header(header.to_bytes() + handover, view), signatures, validators)

    @property
    def rounds(self) -> pl.DataFrame:
        """How each block became final, as `gridlab.chain.ordering.ROUNDS`."""
        return pl.DataFrame(self._rounds, schema=dict(ROUNDS), orient="row")

    @property
    def cluster(self) -> Cluster:
        """The validators at work: to make them lie, to cut their network, to look at messages and evidence.

        Raises
        ------
        ChainError
            No block has been sealed yet.
        """
        if self._cluster is None:
            raise ChainError("the validators start with the first block; seal one, or use corrupt, crash and stop here")
        return self._cluster

    def corrupt(self, validator: int, kind: str | None) -> None:
        """Make a validator lie (`gridlab.chain.pbft.cluster.Cluster.corrupt`), or follow the protocol again."""
        self._intervene(lambda cluster: cluster.corrupt(validator, kind))

    def crash(self, validator: int) -> None:
        """Take a validator down."""
        self._intervene(lambda cluster: cluster.crash(validator))

    def restart(self, validator: int) -> None:
        """Bring a validator up again from what it wrote down."""
        self._intervene(lambda cluster: cluster.restart(validator))

    def partition(self, groups: Sequence[Sequence[int]]) -> None:
        """Cut the network between groups of validators, until `heal`."""
        self._intervene(lambda cluster: cluster.partition(groups))

    def heal(self) -> None:
        """Mend the network."""
        self._intervene(lambda cluster: cluster.heal())

    def stop(self) -> None:
        """Stop all validators by a quorum of their votes: no block until `resume`."""
        self._intervene(lambda cluster: cluster.stop())

    def resume(self) -> None:
        """Go on after `stop`, by a quorum of votes."""
        self._intervene(lambda cluster: cluster.resume())

    def _intervene(self, act: Callable[[Cluster | Planned], object]) -> None:
        if self._cluster is None:
            act(self._planned)  # what the cluster would refuse is refused now
            self._early.append(act)
        else:
            act(self._cluster)

    def _cluster_for(self, header: Header, authority: bytes) -> Cluster:
        """Return the cluster of the set in force; a new set starts one of its own on top of the parent block."""
        if self._tip is not None and header.parent != self._tip:
            raise ChainError(
                f"block {header.height}: these validators have decided about another chain than the one below it, and "
                "vote once for a height; a copy has validators of its own: chain.replay(), or ordering.twin()"
            )
        if self._cluster is None or self._running != authority:
            self._cluster, self._running = self._started(header, authority), authority
            self._sent, self._view = 0, 0
            for act in self._early:
                act(self._cluster)
            self._early = []
        return self._cluster

    def _started(self, header: Header, authority: bytes) -> Cluster:
        from gridlab.chain.pbft.cluster import Cluster
        from gridlab.chain.pbft.wan import WideAreaNetwork, default_placement

        keys = unpack_validators(authority)
        missing = sum(key not in self._pairs for key in keys)
        if missing:
            raise ChainError(
                f"the secret keys of {missing} of {len(keys)} validators are not here, so blocks can be checked and "
                "not sealed; give ordering=PbftOrdering(key_pairs), and admit(key_pair) for validators appointed later"
            )
        network = self._network or WideAreaNetwork()
        cities = default_placement()
        return Cluster(
            [self._pairs[key] for key in keys],
            chain_id=header.chain_id,
            application=self._candidates,
            latency_ms=network.delays_ms([cities[place % len(cities)] for place in range(len(keys))]),
            jitter=network.jitter,
            loss=network.loss / 100,
            seed=self._seed,
            interval_ms=self._interval_ms,
            timeout_ms=self._timeout_ms,
            height=header.height - 1,
            parent=header.parent,
        )

    def admit(self, key_pair: KeyPair) -> None:
        """Keep the key pair of a validator that the regulator has appointed, or is going to."""
        pair = require_key_pair("key_pair", key_pair)
        self._pairs[pair.public_key] = pair

    def _note(self, decision: Decision, cluster: Cluster) -> None:
        sent = sum(cluster.messages.values())
        self._rounds.append(
            (
                decision.height,
                decision.view,
                decision.view - self._view,
                decision.proposed_ms,
                decision.proposed_ms + decision.finality_ms,
                decision.finality_ms,
                sent - self._sent,
                len(decision.signatures),
            )
        )
        self._sent, self._view = sent, decision.view
        self._tip = block_hash(decision.header)


def pack_certificate(decision: Decision, validators: Sequence[bytes]) -> bytes:
    """Write a decision's commit signatures as a block's certificate."""
    places = {key: place for place, key in enumerate(validators)}
    signed = sorted((places[key], signature) for key, signature in decision.signatures.items())
    bodies = [u32(place) + signature for place, signature in signed]
    return b"".join([u64(decision.view), blob(decision.handover), compact(len(bodies)), *bodies])


def unpack_certificate(certificate: bytes, validators: Sequence[bytes]) -> tuple[int, bytes, dict[bytes, bytes]]:
    """Read a certificate: view, hand-over, and public key -> signature.

    Raises
    ------
    ArgumentTypeError, ChainError
        The bytes are not one, name a place that no validator has, or are not in the order of places.
    """
    reader = Reader(certificate, "certificate")
    view, handover = reader.u64(), reader.blob()
    if handover and not handover.startswith(HANDOVER_TAG):
        raise reader.error("what follows the view is no hand-over")
    signatures: dict[bytes, bytes] = {}
    last = -1
    for _ in range(reader.compact()):
        place = reader.u32()
        if not last < place < len(validators):
            raise reader.error(f"the signature of validator {place} is out of order, or there is no such validator")
        signatures[validators[place]], last = reader.take(SIGNATURE_BYTES), place
    reader.finish()
    return view, handover, signatures
