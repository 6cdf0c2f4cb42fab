"""The tip on a transaction, inside what its sender signs.

A payload is the canonical bytes of a frame. They begin with the number of columns, which is never 0; so a payload that
begins with a zero byte is one that bears a tip::

    0x00 | tip, 8 bytes little-endian, more than 0 | frame

There is one way to write each: without a tip the frame stands alone.
"""

from __future__ import annotations

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.encoding import Reader, u64
from gridlab.errors import ChainError

__all__ = ["LARGEST_TIP", "TIP_BYTES", "open_envelope", "seal_envelope"]

TIP_BYTES = 9
LARGEST_TIP = 2**40


def seal_envelope(frame: bytes, tip: int = 0) -> bytes:
    """Return the payload that holds a frame's bytes and a tip (micro-GRID)."""
    require_bytes("frame", frame)
    return b"\x00" + u64(tip) + frame if require_int("tip", tip, 0, LARGEST_TIP) else frame


def open_envelope(payload: bytes) -> tuple[int, bytes]:
    """Return tip and frame bytes of a payload.

    Raises
    ------
    ChainError
        The tip is cut short, 0 or too large.
    """
    if payload[:1] != b"\x00":
        return 0, payload
    reader = Reader(payload[:TIP_BYTES], "tip")
    reader.take(1)
    tip = reader.u64()
    if not 0 < tip <= LARGEST_TIP:
        raise ChainError(f"tip of {tip} micro-GRID, allowed: 1 … {LARGEST_TIP}; leave the tip out where there is none")
    return tip, payload[TIP_BYTES:]
