"""Blocks of the public chain: a header sealed by its author, transactions, and the certificate of finality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, blob, compact, i64, text, u8, u32, u64
from gridlab.chain.hashing import HASH_BYTES, hexadecimal, tagged_hash
from gridlab.chain.keys import KeyPair, verify
from gridlab.chain.moments import LATEST
from gridlab.chain.public.authorities import Justification
from gridlab.chain.receipts import ReceiptList
from gridlab.chain.staking.evidence import statement_message
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["PublicBlock", "PublicHeader"]

_HEADER_DOMAIN = "gridlab/public-header/1"


@dataclass(frozen=True, slots=True)
class PublicHeader:
    """What a block's hash covers.

    Attributes
    ----------
    chain_id : str
    height : int
        0 is genesis.
    parent : bytes
        Hash of the header before it, 32 bytes; zeros at genesis.
    slot : int
        In which it was written.
    timestamp : int
        Start of the slot, microseconds since 1970-01-01 UTC.
    seat : int
        The author's place in the authority set.
    author : bytes
        The author's public key, 32 bytes; zeros at genesis.
    primary : bool
        Whether the author was drawn as a primary one.
    claim : bytes
        64 bytes, what proves it (`gridlab.chain.public.slots`).
    transactions_root, receipts_root, state_root : bytes
        RFC 6962 roots with BLAKE2b-256, 32 bytes each.
    rules_version : int
        Which set of rules executed the block.
    authority : bytes
        Hash of the set that certifies this block, 32 bytes.
    next_authority : bytes
        Hash of the set that certifies the block after this one, 32 bytes.
    hash : bytes
        BLAKE2b-256 of the canonical bytes.
    """

    chain_id: str
    height: int
    parent: bytes
    slot: int
    timestamp: int
    seat: int
    author: bytes
    primary: bool
    claim: bytes
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    rules_version: int
    authority: bytes
    next_authority: bytes
    hash: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        require_text("chain_id", self.chain_id)
        for name in ("height", "slot"):
            require_int(name, getattr(self, name), 0, 2**63 - 1)
        require_int("timestamp", self.timestamp, 0, LATEST)
        for name in ("seat", "rules_version"):
            require_int(name, getattr(self, name), 0, 2**32 - 1)
        if not isinstance(self.primary, bool):
            raise ArgumentTypeError(f"primary is {self.primary!r}, allowed: True or False")
        require_bytes("author", self.author, PUBLIC_KEY_BYTES)
        require_bytes("claim", self.claim, SIGNATURE_BYTES)
        for name in ("parent", "transactions_root", "receipts_root", "state_root", "authority", "next_authority"):
            require_bytes(name, getattr(self, name), HASH_BYTES)
        object.__setattr__(self, "hash", tagged_hash(_HEADER_DOMAIN, self.to_bytes()))

    def __repr__(self) -> str:
        return f"PublicHeader(height {self.height}, slot {self.slot}, {hexadecimal(self.hash)[:18]}…)"

    def require_equal(self, replayed: PublicHeader) -> None:
        """Raise ChainError naming what differs, unless this header is the one that replaying gives."""
        for each in fields(self):
            found, expected = getattr(self, each.name), getattr(replayed, each.name)
            if found != expected:
                shown = [hexadecimal(value) if isinstance(value, bytes) else value for value in (found, expected)]
                raise ChainError(f"block {replayed.height}: its {each.name} is {shown[0]}, replaying gives {shown[1]}")

    def seal_message(self, session: int = 0) -> bytes:
        """Return what the author signs: a statement on session and slot, so that two of them prove a lie."""
        return statement_message(self.chain_id, "header", session, self.slot, self.hash)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(
            [
                text(self.chain_id),
                u64(self.height),
                self.parent,
                u64(self.slot),
                i64(self.timestamp),
                u32(self.seat),
                self.author,
                u8(int(self.primary)),
                self.claim,
                self.transactions_root,
                self.receipts_root,
                self.state_root,
                u32(self.rules_version),
                self.authority,
                self.next_authority,
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicHeader:
        """Read what `to_bytes` wrote, or raise a GridlabError that says what is wrong with the bytes."""
        reader = Reader(data, "public header")
        header = cls(
            chain_id=reader.text(),
            height=reader.u64(),
            parent=reader.take(HASH_BYTES),
            slot=reader.u64(),
            timestamp=reader.i64(),
            seat=reader.u32(),
            author=reader.take(PUBLIC_KEY_BYTES),
            primary=_flag(reader),
            claim=reader.take(SIGNATURE_BYTES),
            transactions_root=reader.take(HASH_BYTES),
            receipts_root=reader.take(HASH_BYTES),
            state_root=reader.take(HASH_BYTES),
            rules_version=reader.u32(),
            authority=reader.take(HASH_BYTES),
            next_authority=reader.take(HASH_BYTES),
        )
        reader.finish()
        return header


def _flag(reader: Reader) -> bool:
    value = reader.u8()
    if value > 1:
        raise reader.error(f"primary is {value}, allowed: 0 or 1")
    return bool(value)


@dataclass(frozen=True, slots=True)
class PublicBlock:
    """A header, its author's seal, the transactions, and what makes the block final.

    Attributes
    ----------
    header : PublicHeader
    seal : bytes
        The author's signature over session, slot and the header's hash, 64 bytes.
    transactions : TransactionList
    justification : Justification or None
        None until the block is final.
    receipts : ReceiptList or None
        One per transaction, recomputed wherever the block is executed; not part of the block's bytes.
    weight, fees, tips : int
        Microseconds and micro-GRID; recomputed as well.
    session : int
        Of staking, in which it was sealed; 0 on a chain without staking, recomputed as well.
    """

    header: PublicHeader
    seal: bytes = field(repr=False)
    transactions: TransactionList = field(repr=False)
    justification: Justification | None = field(default=None, repr=False)
    receipts: ReceiptList | None = field(default=None, repr=False, compare=False)
    weight: int = field(default=0, repr=False, compare=False)
    fees: int = field(default=0, repr=False, compare=False)
    tips: int = field(default=0, repr=False, compare=False)
    session: int = field(default=0, repr=False, compare=False)

    @classmethod
    def sealed(
        cls, header: PublicHeader, pair: KeyPair, transactions: TransactionList, session: int = 0
    ) -> PublicBlock:
        """Seal a header with its author's key."""
        return cls(header, pair.sign(header.seal_message(session)), transactions, session=session)

    def __repr__(self) -> str:
        final = "final" if self.justification else "not final"
        return f"PublicBlock(height {self.height}, {len(self.transactions)} transactions, {final}, {self.short_hash}…)"

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.header.height

    @property
    def hash(self) -> bytes:
        """Hash of the header, 32 bytes."""
        return self.header.hash

    @property
    def short_hash(self) -> str:
        """The first digits of the hash."""
        return hexadecimal(self.hash)[:18]

    @property
    def is_sealed(self) -> bool:
        """Whether the seal is the author's in `session`, which on a chain with staking is known once it is executed."""
        return verify(self.header.author, self.header.seal_message(self.session), self.seal)

    @property
    def failed(self) -> int:
        """How many of the transactions paid their fee and changed nothing else."""
        return self.receipts.rejected if self.receipts is not None else 0

    def prove_transaction(self, index: int) -> list[bytes]:
        """Return the inclusion proof of a transaction's id under the header's `transactions_root`."""
        ids = self.transactions.ids
        return merkle.prove_inclusion(ids, require_int("index", index, 0, len(ids) - 1), hash="blake2b-256")

    def prove_receipt(self, index: int) -> list[bytes]:
        """Return the inclusion proof of a receipt under the header's `receipts_root`."""
        if self.receipts is None:
            raise ChainError(f"block {self.height} was not executed here, so its receipts are not known; append it")
        leaves: Sequence[bytes] = self.receipts.leaves()
        return merkle.prove_inclusion(leaves, require_int("index", index, 0, len(leaves) - 1), hash="blake2b-256")

    @property
    def size(self) -> int:
        """How many canonical bytes it has."""
        return len(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: header, seal, transactions, justification."""
        parts = [blob(self.header.to_bytes()), self.seal, compact(len(self.transactions))]
        parts += [blob(body) for body in self.transactions.encoded]
        return b"".join([*parts, blob(self.justification.to_bytes() if self.justification else b"")])

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicBlock:
        """Read what `to_bytes` wrote, or raise a GridlabError; receipts are not known until it is executed."""
        reader = Reader(data, "public block")
        header = PublicHeader.from_bytes(reader.blob())
        seal = reader.take(SIGNATURE_BYTES)
        bodies = [reader.blob() for _ in range(reader.compact())]
        proof = reader.blob()
        reader.finish()
        justification = Justification.from_bytes(proof) if proof else None
        return cls(header, seal, TransactionList.of(bodies, header.chain_id), justification)
