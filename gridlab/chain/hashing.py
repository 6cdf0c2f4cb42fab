"""BLAKE2b-256 with a domain tag in front, and the message that a signature covers.

A hash or a signature made for one purpose must never be valid for another. So each begins with a tag that names its
purpose, and a signature also names its chain: a transaction signed for one chain cannot be replayed on its fork.
"""

from __future__ import annotations

import hashlib

from gridlab.chain.encoding import text

__all__ = ["HASH_BYTES", "ZERO_HASH", "blake2b_256", "hexadecimal", "signing_message", "tagged_hash"]

HASH_BYTES = 32
ZERO_HASH = bytes(HASH_BYTES)


def blake2b_256(data: bytes) -> bytes:
    """Return the 32-byte BLAKE2b hash of `data` (RFC 7693, 2015)."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


def tagged_hash(domain: str, data: bytes) -> bytes:
    """Return BLAKE2b-256 of `data` with the length-prefixed `domain` tag in front, 32 bytes."""
    hasher = hashlib.blake2b(text(domain), digest_size=HASH_BYTES)
    hasher.update(data)
    return hasher.digest()


def signing_message(domain: str, chain_id: str, body: bytes) -> bytes:
    """Return what a signature covers: the domain tag, the chain's name, the body."""
    return text(domain) + text(chain_id) + body


def hexadecimal(data: bytes) -> str:
    """Return `data` as ``0x`` and hexadecimal digits, as people read hashes."""
    return "0x" + data.hex()
