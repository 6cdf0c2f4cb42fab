"""When two final headers convict those who signed them."""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.bridge.signed_header import Anchor
from gridlab.chain.hashing import hexadecimal

__all__ = ["conflict"]


def conflict(anchors: Sequence[Anchor], certifiers: Sequence[bytes]) -> str | None:
    """Say what no honest chain does and these two final headers show, None where they go together.

    Parameters
    ----------
    anchors : sequence of Anchor
        Two of one chain, each final.
    certifiers : sequence of bytes
        Hash of the authority that signed each.

    Returns
    -------
    str or None
        Two blocks at one height; a child of another parent; a block older than one below it; or a set that went on
        after it had handed over.
    """
    (lower, signed_low), (upper, signed_high) = sorted(
        zip(anchors, certifiers, strict=True), key=lambda each: each[0].height
    )
    shown = f"{hexadecimal(lower.hash)[:18]}… and {hexadecimal(upper.hash)[:18]}…"
    if lower.hash == upper.hash:
        return None
    if lower.height == upper.height:
        return f"two final headers at height {lower.height}, {shown}"
    if upper.height == lower.height + 1 and upper.parent != lower.hash:
        return f"header {upper.height} is no child of the final header {lower.height}, {shown}"
    if upper.timestamp < lower.timestamp:
        return f"header {upper.height} is older than header {lower.height} below it, {shown}"
    if signed_low == signed_high and lower.next_authority != signed_low:
        return f"the set that handed over at height {lower.height} signed header {upper.height}, {shown}"
    return None
