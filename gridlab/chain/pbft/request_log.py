"""The machine that `simulate` replicates: a log of clients' requests, each executed exactly once.

A request is signed by its client. A block holds some of them; its header commits to them and names its parent. The
state is a chain of hashes over the blocks, which is what checkpoints compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridlab.chain.encoding import Reader, blob, compact, text, u64
from gridlab.chain.hashing import ZERO_HASH, blake2b_256, tagged_hash
from gridlab.chain.pbft.messages import CommittedBlock, Message, Proposal, Signer
from gridlab.errors import GridlabError

__all__ = ["RequestLog", "Requests"]

_BODY_DOMAIN = "gridlab/pbft-requests/1"
_STATE_DOMAIN = "gridlab/pbft-log-state/1"
_REMEMBERED = 1024


class Requests:
    """Reads the requests in a block's body; all replicas of one process share what has been read.

    Parameters
    ----------
    signer : Signer
        Knows the clients' keys.
    """

    __slots__ = ("_read", "signer")

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._read: dict[bytes, tuple[Message, ...] | str] = {}

    @staticmethod
    def encode(requests: Sequence[Message]) -> bytes:
        """Return the canonical bytes of a block's body."""
        parts = [u64(each.signer) + u64(each.height) + blob(each.body) + each.signature for each in requests]
        return b"".join([compact(len(parts)), *parts])

    def read(self, body: bytes) -> tuple[Message, ...] | str:
        """Return the requests in a body, or why it is malformed."""
        known = self._read.get(body)
        if known is None:
            try:
                known = self._decode(body)
            except GridlabError as problem:
                known = str(problem)
            if len(self._read) >= _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[body] = known
        return known

    def _decode(self, body: bytes) -> tuple[Message, ...]:
        reader = Reader(body, "body")
        requests = []
        for _ in range(reader.compact()):
            client, number, payload = reader.u64(), reader.u64(), reader.blob()
            signature = reader.take(64)
            requests.append(Message("request", client, 0, number, blake2b_256(payload), payload, signature))
        reader.finish()
        return tuple(requests)


class RequestLog:
    """One replica's log.

    Parameters
    ----------
    requests : Requests
    batch : int
        Most requests in a block.
    proposer : int
        Number of the replica; its blocks name it, so two primaries never propose the same block by accident.
    """

    __slots__ = ("_batch", "_proposer", "_requests", "executed", "pool", "state")

    def __init__(self, requests: Requests, batch: int, proposer: int) -> None:
        self._requests, self._batch, self._proposer = requests, batch, proposer
        self.pool: dict[tuple[int, int], Message] = {}
        # What became of each request: this is what makes execution exactly-once, and blocks alone rebuild it.
        self.executed: dict[tuple[int, int], tuple[int, bytes]] = {}
        self.state = ZERO_HASH

    def pending(self) -> bool:
        """Whether some request waits."""
        return bool(self.pool)

    def propose(self, height: int, parent: bytes) -> Proposal | None:
        """Make a block of the requests that have waited longest."""
        chosen = list(self.pool.values())[: self._batch]
        if not chosen:
            return None
        return self._block(height, parent or ZERO_HASH, self._requests.encode(chosen), 2 * self._proposer)

    def rival(self, proposal: Proposal) -> Proposal | None:
        """Make another block of the same requests; its header differs in the field that names the proposer."""
        proposer = int.from_bytes(proposal.header[-8:], "little")
        return self._block(proposal.height, proposal.parent, proposal.body, proposer ^ 1)

    def _block(self, height: int, parent: bytes, body: bytes, proposer: int) -> Proposal:
        start = text(self._requests.signer.chain_id) + u64(height) + parent
        return Proposal(start + tagged_hash(_BODY_DOMAIN, body) + u64(proposer), body)

    def check(self, proposal: Proposal) -> str | None:
        """Refuse a block with malformed, unsigned, executed or repeated requests, or a header that does not fit."""
        start = text(proposal.chain_id) + u64(proposal.height) + proposal.parent
        expected = start + tagged_hash(_BODY_DOMAIN, proposal.body)
        if proposal.header[:-8] != expected:
            return "its header commits to other requests, or is malformed"
        requests = self._requests.read(proposal.body)
        if isinstance(requests, str):
            return requests
        names = [(each.signer, each.height) for each in requests]
        if not 1 <= len(names) <= self._batch or len(set(names)) != len(names):
            return f"it holds {len(names)} requests, allowed: 1 to {self._batch} distinct ones"
        if any(name in self.executed for name in names):
            return "it holds a request that has been executed"
        if not all(self._requests.signer.valid(each) for each in requests):
            return "it holds a request that its client did not sign"
        return None

    def execute(self, block: CommittedBlock) -> Sequence[tuple[int, int, bytes]]:
        """Execute the requests of a final block."""
        proposal = block.proposal
        self.state = tagged_hash(_STATE_DOMAIN, self.state + proposal.hash)
        requests: Any = self._requests.read(proposal.body)
        results = []
        for each in requests:
            name = (each.signer, each.height)
            result = tagged_hash(_STATE_DOMAIN, u64(block.height) + each.digest)
            self.executed[name] = (block.height, result)
            self.pool.pop(name, None)
            results.append((*name, result))
        return results

    def receive(self, request: Message) -> tuple[int, bytes] | None:
        """Keep a request until it is executed; return height and result where it has been."""
        name = (request.signer, request.height)
        done = self.executed.get(name)
        if done is None and request.digest == blake2b_256(request.body):
            self.pool.setdefault(name, request)
        return done

    def state_digest(self) -> bytes:
        """Return the hash over all blocks so far."""
        return self.state
