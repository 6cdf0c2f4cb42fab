"""Who certifies blocks, now and from a later height on.

An ordering checks certificates against an authority: bytes that hold one key or a set of validators. The regulator's
transaction of kind ``validators`` replaces it, never at once but at the next checkpoint, so that every validator knows
the set before the first block that it certifies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, blob, compact, u8, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema, show_rows

__all__ = ["CHECKPOINT_INTERVAL", "VALIDATORS", "Authority", "authority_hash", "pack_validators", "unpack_validators"]

CHECKPOINT_INTERVAL = 16
_HASH_DOMAIN = "gridlab/authority-state/1"
_CERTIFIER_DOMAIN = "gridlab/authority/1"
_MOST_VALIDATORS = 1_000

VALIDATORS = Schema(
    "validators",
    (Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519; the whole new set, in order"),),
)


def authority_hash(authority: bytes) -> bytes:
    """Return what a header says of the authority that certifies the block after it, 32 bytes."""
    return tagged_hash(_CERTIFIER_DOMAIN, authority)


def pack_validators(keys: Sequence[bytes]) -> bytes:
    """Write a set of validators as an authority."""
    return compact(len(keys)) + b"".join(keys)


def unpack_validators(authority: bytes) -> tuple[bytes, ...]:
    """Read what `pack_validators` wrote.

    Raises
    ------
    ChainError
        The bytes are not a set of 1 to 1,000 different keys.
    """
    reader = Reader(authority, "validators")
    count = reader.compact()
    if not 1 <= count <= _MOST_VALIDATORS:
        raise reader.error(f"{count} validators, allowed: 1 to {_MOST_VALIDATORS}")
    keys = tuple(reader.take(PUBLIC_KEY_BYTES) for _ in range(count))
    reader.finish()
    if len(set(keys)) != count:
        raise reader.error("a validator stands there twice")
    return keys


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority in force after a block, and the one that follows.

    Attributes
    ----------
    current : bytes
        Certifies the next block, unless `following` starts there.
    following : bytes
        Certifies blocks from height `since` on; empty where none is appointed.
    since : int
    replaceable : bool
        Whether it is a set of validators; a single sequencer is what it is.
    """

    current: bytes
    following: bytes = b""
    since: int = 0
    replaceable: bool = True

    def at(self, height: int) -> bytes:
        """Return the authority that certifies the block at `height`."""
        return self.following if self.following and height >= self.since else self.current

    def after(self, height: int) -> Authority:
        """Return the authority once the block at `height` stands."""
        return Authority(self.following) if self.following and height + 1 >= self.since else self

    def appoint(self, validators: pl.DataFrame, height: int) -> Authority:
        """Return the authority with a new set of validators from the checkpoint after the block at `height` on.

        Raises
        ------
        ChainError
            There is none to replace; the new one is empty, too large, holds a key twice or one that is not a key; or
            another change is under way.
        """
        if not self.replaceable:
            raise ChainError("validators: this chain is certified by one sequencer, so there is no set to change")
        if self.following:
            raise ChainError(
                f"validators: another set is appointed from block {self.since} on; send the change after that"
            )
        wrong = pl.col("public_key").bin.size() != PUBLIC_KEY_BYTES
        if validators.select(wrong.any()).item():
            raise ChainError(
                f"validators: a key does not have {PUBLIC_KEY_BYTES} bytes\n{show_rows(validators, wrong)}"
            )
        packed = pack_validators(validators["public_key"].to_list())
        unpack_validators(packed)
        since = (height // CHECKPOINT_INTERVAL + 1) * CHECKPOINT_INTERVAL + 1
        return Authority(self.current, packed, since)

    @property
    def hash(self) -> bytes:
        """Hash over the set in force and the appointed one, 32 bytes."""
        return tagged_hash(_HASH_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return blob(self.current) + blob(self.following) + u64(self.since) + u8(int(self.replaceable))

    @classmethod
    def from_bytes(cls, data: bytes) -> Authority:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "authority")
        authority = cls(reader.blob(), reader.blob(), reader.u64(), bool(reader.u8()))
        reader.finish()
        return authority
