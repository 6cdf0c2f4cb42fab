"""How shards deal with each other, as levers."""

from __future__ import annotations

from gridlab.levers import Levers, number

__all__ = ["ShardTerms"]


class ShardTerms(Levers):
    """The terms of the two phases in which a transfer goes from shard to shard.

    Examples
    --------
    >>> ShardTerms(timeout=90).microseconds
    90000000
    """

    timeout = number(
        60.0,
        1.0,
        86_400.0,
        0.001,
        unit="s",
        label="How long another shard may credit a transfer after the block that sent it",
        label_th="ระยะเวลาที่ชาร์ดปลายทางรับโอนได้ นับจากบล็อกที่ส่ง",
        source="teaching choice (S)",
        governed_by="consortium of licensed validators",
    )

    def __repr__(self) -> str:
        return f"ShardTerms(timeout={self.timeout:g} s)"

    @property
    def microseconds(self) -> int:
        """The timeout in microseconds."""
        return round(float(self.timeout) * 1_000_000)
