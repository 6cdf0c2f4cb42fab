"""The log of blocks: whoever kept its root of yesterday can check today that history was only added to.

The hashes of all blocks from genesis on are the leaves of an RFC 6962 tree. Its root over the first n leaves stands for
the whole history up to then, and a consistency proof of a few hashes shows that a later root has that history as its
beginning. A chain that rewrote one block has another root, and no proof leads there.

References
----------
Laurie, Langley, Kasper, "Certificate Transparency", RFC 6962, 2013, section 2.1.2.
Crosby, Wallach, "Efficient data structures for tamper-evident logging", USENIX Security 2009.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.hashing import HASH_BYTES

__all__ = ["log_root", "prove_extension", "verify_extension"]

_HASH = "blake2b-256"


def _hashes(chain: ChainViews, height: int) -> list[bytes]:
    return [chain.block(each).hash for each in range(height + 1)]


def log_root(chain: ChainViews, height: int) -> bytes:
    """Return the root over the hashes of blocks 0 … `height`, 32 bytes.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        The chain has no block at `height`.
    """
    return merkle.root(_hashes(chain, require_int("height", height, 0, chain.height)), hash=_HASH)


def prove_extension(chain: ChainViews, old_height: int, new_height: int) -> list[bytes]:
    """Return the proof that the history up to `new_height` begins with that up to `old_height`.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        The chain has no block at one of the heights, or the first is above the second.
    """
    require_int("new_height", new_height, 0, chain.height)
    require_int("old_height", old_height, 0, new_height)
    return merkle.prove_consistency(_hashes(chain, new_height), old_height + 1, hash=_HASH)


def verify_extension(
    old_root: bytes, old_height: int, new_root: bytes, new_height: int, proof: Sequence[bytes]
) -> bool:
    """Say whether `proof` shows that a history was only added to.

    Parameters
    ----------
    old_root : bytes
        What the reader kept: the log's root at `old_height`, 32 bytes.
    old_height : int
        0 or more.
    new_root : bytes
        The root that is shown now, 32 bytes.
    new_height : int
    proof : sequence of bytes
        As from `prove_extension`.

    Returns
    -------
    bool
        False for every wrong proof, whatever bytes it is made of.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type, or a root is not one.

    Examples
    --------
    >>> leaves = [bytes([height]) * 32 for height in range(5)]
    >>> kept, shown = (merkle.root(leaves[:size], hash="blake2b-256") for size in (3, 5))
    >>> proof = merkle.prove_consistency(leaves, 3, hash="blake2b-256")
    >>> verify_extension(kept, 2, shown, 4, proof), verify_extension(kept, 2, shown, 4, proof[1:])
    (True, False)
    """
    require_bytes("old_root", old_root, HASH_BYTES)
    require_bytes("new_root", new_root, HASH_BYTES)
    sizes = require_int("old_height", old_height, 0) + 1, require_int("new_height", new_height, 0) + 1
    return merkle.verify_consistency(old_root, sizes[0], new_root, sizes[1], proof, hash=_HASH)
