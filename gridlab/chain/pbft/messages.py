"""What replicas say to one another: proposals, signed messages, certificates, and the bytes that signatures cover.

Every vote is one `Message`. Its signature covers a domain tag with its kind, the chain's name, view, height and digest;
a commit's covers the sealed header instead, so that the votes themselves are the block's certificate. Objects are
shared between receivers in the simulator: a broadcast is signed once and its verdict is kept on the object, as 20
replicas of one process would look it up by digest.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridlab.chain.arguments import require_bytes
from gridlab.chain.encoding import Reader, blob, compact, text
from gridlab.chain.hashing import HASH_BYTES, blake2b_256, tagged_hash
from gridlab.chain.keys import KeyPair, verify
from gridlab.chain.pbft.certificates import certificate_message, sealed_header
from gridlab.errors import ChainError

__all__ = ["HANDOVER_TAG", "CommittedBlock", "Message", "Prepared", "Proposal", "Signer", "block_hash"]

_HEADER_DOMAIN = "gridlab/block-header/1"
HANDOVER_TAG = text("gridlab/pbft-members/1")
_HANDOVER_DOMAIN = "gridlab/pbft-handover/1"
_PLACE = struct.Struct("<QQ").pack
# Signatures made in this process, the oldest forgotten first: the same key and bytes always give the same one.
_REMEMBERED = 1 << 16
_made: dict[tuple[bytes, bytes], bytes] = {}
SIGNED_KINDS = ("pre_prepare", "prepare", "checkpoint", "view_change", "new_view", "request", "reply", "motion")


def block_hash(header: bytes) -> bytes:
    """Return a block's hash, as `gridlab.chain.blocks.Header.hash` gives it: 32 bytes, the view not in it."""
    return tagged_hash(_HEADER_DOMAIN, header)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A block that is proposed: the header that is signed and the body that belongs to it.

    Attributes
    ----------
    header : bytes
        Canonical header bytes without a view. They begin with the chain's name (text), the height (u64) and the
        parent's hash (32 bytes), as `gridlab.chain.blocks.Header.to_bytes` writes them; consensus reads no further.
    body : bytes
        What the header commits to; the application checks that it does.
    handover : bytes
        The next set of validators, where this block hands over to one; signed with the header.
    hash : bytes
        Hash of the header, 32 bytes.
    digest : bytes
        What votes name: the hash, or a hash over it and the hand-over.
    chain_id, height, parent
        As the header says.

    Raises
    ------
    ArgumentTypeError, ChainError
        A part is not ``bytes``, or the header does not begin as it must.
    """

    header: bytes
    body: bytes = field(repr=False)
    handover: bytes = field(default=b"", repr=False)
    hash: bytes = field(init=False, compare=False)
    digest: bytes = field(init=False, compare=False, repr=False)
    chain_id: str = field(init=False, compare=False)
    height: int = field(init=False, compare=False)
    parent: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        reader = Reader(require_bytes("header", self.header), "header")
        require_bytes("body", self.body)
        require_bytes("handover", self.handover)
        if HANDOVER_TAG in self.header or (self.handover and not self.handover.startswith(HANDOVER_TAG)):
            raise ChainError("proposal: a hand-over begins with its tag and the header does not hold that tag")
        own = block_hash(self.header)
        digest = tagged_hash(_HANDOVER_DOMAIN, own + self.handover) if self.handover else own
        values = (own, digest, reader.text(), reader.u64(), reader.take(HASH_BYTES))
        for name, value in zip(("hash", "digest", "chain_id", "height", "parent"), values, strict=True):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Proposal(height {self.height}, 0x{self.hash.hex()[:16]}…)"

    @property
    def signed_part(self) -> bytes:
        """What a commit signature covers before the view: the header, and the hand-over where there is one."""
        return self.header + self.handover


class Message:
    """One message of the protocol, signed by its sender; immutable by convention.

    Attributes
    ----------
    kind : str
        "pre_prepare", "prepare", "commit", "checkpoint", "view_change", "new_view", …
    signer : int
        Number of the validator in whose name it speaks.
    view, height : int
    digest : bytes
        What is voted for, 32 bytes.
    body : object
        What else it carries: a `Proposal`, a bare pre-prepare, the sealed part of a header, proofs.
    signature : bytes
        64 bytes, or empty where the content proves itself.
    verdict : bool or None
        Whether the signature is valid, once somebody has checked.
    """

    __slots__ = ("body", "digest", "height", "kind", "signature", "signer", "verdict", "view")

    def __init__(  # noqa: PLR0917 - the most frequent call of a run, always in this order
        self, kind: str, signer: int, view: int, height: int, digest: bytes, body: Any = None, signature: bytes = b""
    ) -> None:
        self.kind, self.signer, self.view, self.height = kind, signer, view, height
        self.digest, self.body, self.signature = digest, body, signature
        self.verdict: bool | None = None

    def __repr__(self) -> str:
        place = f"view {self.view}, height {self.height}"
        return f"Message({self.kind} of {self.signer}, {place}, {self.digest.hex()[:8]}…)"

    def bare(self) -> Message:
        """Return the same vote without its body, as it stands in a proof."""
        if self.body is None:
            return self
        copy = Message(self.kind, self.signer, self.view, self.height, self.digest, None, self.signature)
        copy.verdict = self.verdict
        return copy

    def to_bytes(self) -> bytes:
        """Return canonical bytes of the vote, its signature in them, for what is signed over it in turn."""
        return b"".join((text(self.kind), _PLACE(self.view, self.height), blob(self.digest), blob(self.signature)))


class Signer:
    """Signs and verifies for one chain, each signature once.

    Parameters
    ----------
    chain_id : str
        Name of the chain; a message signed for another one is not valid here.
    keys : mapping of int to bytes
        Public key of every validator number; `learn` adds to it, an entry never changes.
    """

    __slots__ = ("_prefixes", "chain_id", "keys")

    def __init__(self, chain_id: str, keys: Mapping[int, bytes]) -> None:
        self.chain_id, self.keys = chain_id, dict(keys)
        self._prefixes = {kind: text(f"gridlab/pbft-{kind}/1") + text(chain_id) for kind in SIGNED_KINDS}

    def learn(self, number: int, key: bytes) -> None:
        """Add a validator's or client's key; one that is known stays."""
        self.keys.setdefault(number, key)

    def covered(self, message: Message) -> bytes:
        """Return what the signature of `message` covers."""
        if message.kind == "commit":
            return certificate_message(sealed_header(message.body, message.view))
        return self._prefixes[message.kind] + _PLACE(message.view, message.height) + message.digest

    def sign(self, message: Message, pair: KeyPair) -> Message:
        """Sign `message` in place and return it."""
        covered = self.covered(message)
        name = (pair.public_key, covered)
        signature = _made.get(name)
        if signature is None:
            signature = pair.sign(covered)
            if len(_made) >= _REMEMBERED:
                del _made[next(iter(_made))]
            _made[name] = signature
        message.signature = signature
        return message

    def valid(self, message: Message) -> bool:
        """Say whether the message was signed by the validator in whose name it speaks."""
        verdict = message.verdict
        if verdict is None:
            key = self.keys.get(message.signer)
            verdict = key is not None and self.bound(message) and verify(key, self.covered(message), message.signature)
            message.verdict = verdict
        return verdict

    @staticmethod
    def bound(message: Message) -> bool:
        """Say whether digest and body belong together, where the signature covers only one of them."""
        if message.kind == "commit":
            return isinstance(message.body, bytes) and commit_digest(message.body) == message.digest
        if message.kind in {"view_change", "new_view"}:
            return bool(blake2b_256(message.body.to_bytes()) == message.digest)
        return True


def commit_digest(signed_part: bytes) -> bytes | None:
    """Return the digest that belongs to the bytes which a commit signs before the view; None where they are malformed.

    The header is not read to its end here, so a hand-over is told from it by its own tag.
    """
    header, tag, handover = signed_part.partition(HANDOVER_TAG)
    own = block_hash(header)
    return tagged_hash(_HANDOVER_DOMAIN, own + tag + handover) if tag else own


@dataclass(slots=True)
class CommittedBlock:
    """A final block with its certificate.

    Attributes
    ----------
    proposal : Proposal
    view : int
        The view in which it was committed.
    signatures : dict of bytes to bytes
        Public key to commit signature.
    """

    proposal: Proposal
    view: int
    signatures: dict[bytes, bytes] = field(repr=False)
    proved_for: object = field(default=None, repr=False, compare=False)

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.proposal.height

    @property
    def sealed(self) -> bytes:
        """What its commit signatures cover after the domain tag."""
        return sealed_header(self.proposal.signed_part, self.view)

    def to_bytes(self) -> bytes:
        """Return canonical bytes of header and certificate, without the body."""
        parts = [blob(key) + blob(self.signatures[key]) for key in sorted(self.signatures)]
        return b"".join([blob(self.sealed), compact(len(parts)), *parts])


@dataclass(frozen=True, slots=True)
class Prepared:
    """Proof that a proposal was prepared in a view: its pre-prepare and prepares of others, a quorum in all."""

    pre_prepare: Message
    prepares: tuple[Message, ...]

    def to_bytes(self) -> bytes:
        """Return canonical bytes of all its votes."""
        votes = [vote.to_bytes() for vote in self.prepares]
        return b"".join([compact(len(votes)), self.pre_prepare.to_bytes(), *votes])
