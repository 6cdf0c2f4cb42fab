"""A change of the set of validators as it stands in a block: from which height on, and who."""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, compact, u64
from gridlab.chain.pbft.messages import HANDOVER_TAG
from gridlab.errors import ChainError

__all__ = ["handover_bytes", "members_of"]


def handover_bytes(epoch: int, at_height: int, keys: Sequence[bytes]) -> bytes:
    """Return the canonical bytes of a hand-over.

    Parameters
    ----------
    epoch : int
        Number of the motion that decided it, so that an old one cannot be used again.
    at_height : int
        The set takes over after the first checkpoint at or above it (and not before the block that holds it).
    keys : sequence of bytes
        Public keys of the new set, in the order in which they become primary.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.
    """
    parts = [require_bytes(f"keys[{place}]", key, PUBLIC_KEY_BYTES) for place, key in enumerate(keys)]
    numbers = u64(require_int("epoch", epoch, 1)) + u64(require_int("at_height", at_height, 0))
    return b"".join([HANDOVER_TAG, numbers, compact(len(parts)), *parts])


def members_of(handover: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Read `handover_bytes`: the height it was asked for, and the keys of the new set.

    Raises
    ------
    ChainError
        The bytes are malformed, or name nobody or somebody twice.
    """
    reader = Reader(handover, "handover")
    if reader.take(len(HANDOVER_TAG)) != HANDOVER_TAG:
        raise reader.error("it does not begin with its tag")
    reader.u64()
    at_height = reader.u64()
    keys = tuple(reader.take(PUBLIC_KEY_BYTES) for _ in range(reader.compact()))
    reader.finish()
    if not keys or len(set(keys)) != len(keys):
        distinct = len(set(keys))
        raise ChainError(f"handover: {len(keys)} keys, {distinct} of them distinct; allowed: one or more, distinct")
    return at_height, keys
