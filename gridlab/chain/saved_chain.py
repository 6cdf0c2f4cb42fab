"""A chain as bytes: genesis, every block, and the hash of the head.

::

    magic blob(genesis) compact(blocks) blob(block)… head hash

Everything else (balances, receipts, roots) follows from these by executing the blocks again. The head's hash comes
last, so that cutting blocks off the end, or changing the newest one, shows as surely as changing an older one.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.arguments import require_bytes
from gridlab.chain.blocks import Block
from gridlab.chain.encoding import Reader, blob, compact
from gridlab.chain.genesis import Genesis
from gridlab.chain.hashing import HASH_BYTES
from gridlab.errors import ChainError

__all__ = ["pack", "unpack"]

_MAGIC = b"gridlab consortium chain 1\n"


def pack(genesis: Genesis, blocks: Sequence[Block], head_hash: bytes) -> bytes:
    """Write a chain as canonical bytes."""
    bodies = [blob(block.to_bytes()) for block in blocks]
    return b"".join([_MAGIC, blob(genesis.to_bytes()), compact(len(bodies)), *bodies, head_hash])


def unpack(data: bytes) -> tuple[Genesis, list[Block], bytes]:
    """Read what `pack` wrote: genesis, blocks and the head's hash; nothing has been executed yet.

    Raises
    ------
    ArgumentTypeError
        `data` is not ``bytes``.
    GridlabError
        Bytes are missing, left over or not canonical.
    """
    if not require_bytes("data", data).startswith(_MAGIC):
        raise ChainError(f"these bytes are not a saved chain, which begins with {_MAGIC!r}")
    reader = Reader(data[len(_MAGIC) :], "saved chain")
    genesis = Genesis.from_bytes(reader.blob())
    blocks = [Block.from_bytes(reader.blob()) for _ in range(reader.compact())]
    head_hash = reader.take(HASH_BYTES)
    reader.finish()
    return genesis, blocks, head_hash
