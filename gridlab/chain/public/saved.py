"""A public chain as bytes: genesis, every final block, and the hash of the last."""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.encoding import Reader, blob, compact, text
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.chain.public.blocks import PublicBlock
from gridlab.chain.public.genesis import PublicGenesis
from gridlab.errors import ChainError

__all__ = ["pack", "unpack"]

_MAGIC = "gridlab/public-chain/1"


def pack(genesis: PublicGenesis, blocks: Sequence[PublicBlock]) -> bytes:
    """Write genesis and blocks as canonical bytes."""
    head = blocks[-1].hash if blocks else genesis.header.hash
    parts = [
        text(_MAGIC),
        blob(genesis.to_bytes()),
        compact(len(blocks)),
        *(blob(block.to_bytes()) for block in blocks),
    ]
    return b"".join([*parts, head])


def unpack(data: bytes) -> tuple[PublicGenesis, list[PublicBlock]]:
    """Read what `pack` wrote, or raise a GridlabError that says what is wrong with the bytes."""
    reader = Reader(data, "public chain")
    magic = reader.text()
    if magic != _MAGIC:
        raise reader.error(
            f"they begin with {magic!r}, allowed: {_MAGIC!r}; ask PublicChain.to_bytes for a chain's bytes"
        )
    genesis = PublicGenesis.from_bytes(reader.blob())
    blocks = [PublicBlock.from_bytes(reader.blob()) for _ in range(reader.compact())]
    head = reader.take(HASH_BYTES)
    reader.finish()
    found = blocks[-1].hash if blocks else genesis.header.hash
    if head != found:
        raise ChainError(f"public chain: the last block is {hexadecimal(found)}, announced is {hexadecimal(head)}")
    return genesis, blocks
