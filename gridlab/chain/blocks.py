"""Blocks: a header that commits to everything, the transactions, and what became of each."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.encoding import Reader, blob, compact, i64, text, u32, u64
from gridlab.chain.hashing import HASH_BYTES, hexadecimal, tagged_hash
from gridlab.chain.moments import LATEST, moment
from gridlab.chain.receipts import Receipt, ReceiptList, receipts_root
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.doors import through
from gridlab.errors import ChainError

__all__ = ["Block", "Header", "Receipt", "receipts_root", "transactions_root"]

_HEADER_DOMAIN = "gridlab/block-header/1"


@dataclass(frozen=True, slots=True)
class Header:
    """What a block's hash covers.

    Attributes
    ----------
    chain_id : str
    height : int
        0 is genesis.
    parent : bytes
        Hash of the header before it, 32 bytes; zeros at genesis.
    timestamp : int
        Start of the slot, microseconds since 1970-01-01 UTC.
    transactions_root, receipts_root, state_root : bytes
        RFC 6962 roots with BLAKE2b-256, 32 bytes each.
    rules_version : int
        Which set of rules executed the block.
    next_authority : bytes
        Hash of the authority that certifies the block after this one (`gridlab.chain.authority`), 32 bytes.
    hash : bytes
        BLAKE2b-256 of the canonical bytes.
    """

    chain_id: str
    height: int
    parent: bytes
    timestamp: int
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    rules_version: int
    next_authority: bytes
    hash: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        require_text("chain_id", self.chain_id)
        require_int("height", self.height, 0, 2**63 - 1)
        require_int("timestamp", self.timestamp, 0, LATEST)
        require_int("rules_version", self.rules_version, 0, 2**32 - 1)
        for name in ("parent", "transactions_root", "receipts_root", "state_root", "next_authority"):
            require_bytes(name, getattr(self, name), HASH_BYTES)
        object.__setattr__(self, "hash", tagged_hash(_HEADER_DOMAIN, self.to_bytes()))

    def __repr__(self) -> str:
        return f"Header(height {self.height}, {hexadecimal(self.hash)[:18]}…)"

    @property
    def time(self) -> datetime:
        """The timestamp as a datetime in UTC."""
        return moment(self.timestamp)

    def require_equal(self, replayed: Header) -> None:
        """Raise ChainError naming what differs, unless this header is the one that replaying gives."""
        for each in fields(self):
            found, expected = getattr(self, each.name), getattr(replayed, each.name)
            if found != expected:
                shown = [hexadecimal(value) if isinstance(value, bytes) else value for value in (found, expected)]
                raise ChainError(f"block {replayed.height}: its {each.name} is {shown[0]}, replaying gives {shown[1]}")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(
            [
                text(self.chain_id),
                u64(self.height),
                self.parent,
                i64(self.timestamp),
                self.transactions_root,
                self.receipts_root,
                self.state_root,
                u32(self.rules_version),
                self.next_authority,
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        """Read what `to_bytes` wrote, or raise a GridlabError that says what is wrong with the bytes."""
        reader = Reader(data, "header")
        header = cls(
            chain_id=reader.text(),
            height=reader.u64(),
            parent=reader.take(HASH_BYTES),
            timestamp=reader.i64(),
            transactions_root=reader.take(HASH_BYTES),
            receipts_root=reader.take(HASH_BYTES),
            state_root=reader.take(HASH_BYTES),
            rules_version=reader.u32(),
            next_authority=reader.take(HASH_BYTES),
        )
        reader.finish()
        return header


def transactions_root(transactions: Sequence[Transaction]) -> bytes:
    """Return the RFC 6962 root over the transactions' ids, with BLAKE2b-256."""
    return merkle.root(_ids(transactions), hash="blake2b-256")


def _ids(transactions: Sequence[Transaction]) -> Sequence[bytes]:
    if isinstance(transactions, TransactionList):
        return transactions.ids
    return [transaction.id for transaction in transactions]


def _encoded(transactions: Sequence[Transaction]) -> Sequence[bytes]:
    if isinstance(transactions, TransactionList):
        return transactions.encoded
    return [transaction.to_bytes() for transaction in transactions]


@dataclass(frozen=True, slots=True)
class Block:
    """A header, its transactions, their receipts, and the certificate that makes the block final.

    Attributes
    ----------
    header : Header
    transactions : sequence of Transaction
        A tuple, or a `TransactionList`.
    certificate : bytes
        What the chain's ordering gives as proof of finality, over the header.
    receipts : sequence of Receipt
        One per transaction, recomputed wherever the block is executed; not part of the block's bytes.
    """

    header: Header
    transactions: Sequence[Transaction] = field(repr=False)
    certificate: bytes = field(repr=False)
    receipts: Sequence[Receipt] = field(default=(), repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Block(height {self.height}, {len(self.transactions)} transactions, {hexadecimal(self.hash)[:18]}…)"

    def _repr_html_(self) -> str:
        html: str = through("block_html", self)
        return html

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.header.height

    @property
    def hash(self) -> bytes:
        """Hash of the header, 32 bytes."""
        return self.header.hash

    @property
    def rejected(self) -> int:
        """How many of the transactions changed nothing."""
        if isinstance(self.receipts, ReceiptList):
            return self.receipts.rejected
        return sum(not receipt.accepted for receipt in self.receipts)

    @property
    def transaction_ids(self) -> Sequence[bytes]:
        """The id of each transaction, 32 bytes."""
        return _ids(self.transactions)

    @property
    def size(self) -> int:
        """How many canonical bytes it has."""
        inner = [len(self.header.to_bytes()), len(self.certificate), *map(len, _encoded(self.transactions))]
        prefixes = sum(len(compact(length)) * count for length, count in Counter(inner).items())
        return sum(inner) + prefixes + len(compact(len(self.transactions)))

    def prove_transaction(self, index: int) -> list[bytes]:
        """Return the inclusion proof of a transaction's id under the header's `transactions_root`."""
        return merkle.prove_inclusion(self.transaction_ids, require_int("index", index), hash="blake2b-256")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: header, transactions, certificate."""
        parts = [blob(self.header.to_bytes()), compact(len(self.transactions))]
        lengths = functools.lru_cache(compact)
        for body in _encoded(self.transactions):
            parts += (lengths(len(body)), body)
        return b"".join([*parts, blob(self.certificate)])

    @classmethod
    def from_bytes(cls, data: bytes) -> Block:
        """Read what `to_bytes` wrote, or raise a GridlabError; receipts are not known until it is executed."""
        reader = Reader(data, "block")
        header = Header.from_bytes(reader.blob())
        bodies = [reader.blob() for _ in range(reader.compact())]
        block = cls(header, TransactionList.of(bodies, header.chain_id), reader.blob())
        reader.finish()
        return block
