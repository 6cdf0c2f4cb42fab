"""Nodes of a Merkle sum tree: each is a hash and a sum, and its parent's hash covers both sums.

::

    holder = H(holder tag, salt, public key)
    leaf   = (H(0x00, holder, balance), balance)
    node   = (H(0x01, hash left, sum left, hash right, sum right), sum left + sum right)

Maxwell's first summation tree, as Todd wrote it down, hashed only the total of two children. Then an issuer may show
the left holder one split of the total and the right holder another, and prove each of them right under one root that
adds up to less than it owes: to the larger of two balances instead of their sum. Chalkias, Lewi, Mohassel and
Nikolaenko found the flaw; the cure is to hash both sums.

Sums are written as signed integers of 64 bits, so that a negative or overflowing one can be seen and refused: one
negative sum beside a path would hide what is owed to others.

References
----------
Chalkias, Lewi, Mohassel and Nikolaenko, "Distributed Auditing Proofs of Liabilities", Cryptology ePrint 2020/468, 2020.
Dagher, Bünz, Bonneau, Clark and Boneh, "Provisions: privacy-preserving proofs of solvency for Bitcoin exchanges", CCS
2015 (section 2 describes Maxwell's tree).
Laurie, Langley and Kasper, "Certificate Transparency", RFC 6962, 2013 (shape of the tree; tags of leaves and nodes).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from gridlab.chain.encoding import i64, text
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import StablecoinError

__all__ = ["HOLDER_TAG", "SALT_BYTES", "SALT_TAG", "Node", "holder_hash", "join", "leaf", "salt_of"]

SALT_BYTES = 32
_HOLDER_DOMAIN = "gridlab/liability-holder/1"
_SALT_DOMAIN = "gridlab/liability-salt/1"
# What is hashed in front of salt and key, and of secret and key.
HOLDER_TAG, SALT_TAG = text(_HOLDER_DOMAIN), text(_SALT_DOMAIN)


class Node(NamedTuple):
    """A node of the tree.

    Attributes
    ----------
    hash : bytes
        32 bytes.
    sum : int
        What is owed to all holders below it, micro-THB.
    """

    hash: bytes
    sum: int

    def to_bytes(self) -> bytes:
        """Return hash and sum, 40 bytes."""
        return self.hash + i64(self.sum)


def salt_of(secret: bytes, public_key: bytes) -> bytes:
    """Return the salt of one holder, which only the holder is told; 32 bytes."""
    return tagged_hash(_SALT_DOMAIN, secret + public_key)


def holder_hash(salt: bytes, public_key: bytes) -> bytes:
    """Return what stands for a holder in the tree; without the salt nobody can tell whom."""
    return tagged_hash(_HOLDER_DOMAIN, salt + public_key)


def leaf(holder: bytes, balance: int) -> Node:
    """Return the leaf of a holder.

    Raises
    ------
    StablecoinError
        The balance is below 0 or more than Int64 counts.
    """
    _require_sum("a balance", balance)
    return Node(hashlib.blake2b(b"\x00" + holder + i64(balance), digest_size=HASH_BYTES).digest(), balance)


def join(left: Node, right: Node) -> Node:
    """Return the parent of two nodes.

    Raises
    ------
    StablecoinError
        A sum is below 0, or both together are more than Int64 counts.
    """
    for node in (left, right):
        _require_sum("a sum", node.sum)
    total = left.sum + right.sum
    _require_sum("the sum of two nodes", total)
    both = b"\x01" + left.to_bytes() + right.to_bytes()
    return Node(hashlib.blake2b(both, digest_size=HASH_BYTES).digest(), total)


def _require_sum(what: str, value: int) -> None:
    if not 0 <= value <= LARGEST:
        kind = "negative" if value < 0 else "overflowing"
        raise StablecoinError(f"liabilities: {what} is {value}, which is {kind}; allowed: 0 … {LARGEST}")
