"""The terms of a consortium chain: what a transaction costs, and how much of them a member and a block may hold."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import Reader, u64
from gridlab.errors import ArgumentTypeError, ChainError, nearest
from gridlab.frames import Column, Schema

__all__ = ["CHANGES", "FEE_ASSET", "FEE_ROLES", "ChainTerms", "require_terms"]

# Who pays for a transaction. Institutions are paid for their work by tariffs, not by the chain.
FEE_ROLES = ("trader",)
FEE_ASSET = "WATT"
# Header and a certificate of a thousand signatures; in front of each transaction stands its length.
_BLOCK_OVERHEAD = 100_000
# Seconds. Whatever goes wrong, a chain goes on by itself within thirty days.
_LONGEST_STOP = 30 * 86_400
_DURATIONS = ("stop_longest", "motion_lifetime", "monitor_stop")

CHANGES = Schema(
    "terms",
    (
        Column("term", pl.String, "text", "name of a term, such as fee_per_transaction"),
        Column("value", pl.UInt64, "integer", "its new value"),
    ),
)


@dataclass(frozen=True, slots=True)
class ChainTerms:
    """What genesis fixes and a regulator may change by a transaction of kind ``terms``.

    Attributes
    ----------
    fee_per_transaction : int
        micro-WATT that a trader pays for an accepted transaction.
    fee_per_kibibyte : int
        micro-WATT for each 1,024 bytes begun.
    transaction_bytes : int
        Largest transaction.
    block_bytes, block_transactions : int
        What one block may hold.
    pending_per_sender : int
        How many of one sender's transactions may wait at once.
    pending_bytes : int
        How much may wait in all.
    stop_threshold : int
        Seats of the emergency council that must approve of a stop.
    stop_longest : int
        Seconds after which a stop ends by itself at the latest, at most 30 days.
    motion_lifetime : int
        Seconds in which the approvals must come together.
    monitor_stop : int
        Seconds for which the market monitor stops a zone without people; 0 not at all.
    """

    fee_per_transaction: int = 0
    fee_per_kibibyte: int = 0
    transaction_bytes: int = 2**25
    block_bytes: int = 2**27
    block_transactions: int = 20_000
    pending_per_sender: int = 4_096
    pending_bytes: int = 2**29
    stop_threshold: int = 3
    stop_longest: int = 86_400
    motion_lifetime: int = 3_600
    monitor_stop: int = 0

    def __post_init__(self) -> None:
        for each in fields(self):
            low = 0 if each.name.startswith("fee") or each.name == "monitor_stop" else 1
            high = _LONGEST_STOP if each.name in _DURATIONS else 2**40
            require_int(each.name, getattr(self, each.name), low, high)
        if self.block_bytes < self.transaction_bytes:
            raise ChainError(
                f"terms: block_bytes {self.block_bytes} is below transaction_bytes {self.transaction_bytes}, so that a "
                "large transaction would wait for ever; raise the first or lower the second"
            )

    def fee(self, size: int) -> int:
        """Return what an accepted transaction of `size` bytes costs a trader, micro-WATT."""
        return self.fee_per_transaction + self.fee_per_kibibyte * -(-size // 1024)

    @property
    def free(self) -> bool:
        """Whether transactions cost nothing."""
        return not (self.fee_per_transaction or self.fee_per_kibibyte)

    def changed(self, changes: pl.DataFrame) -> ChainTerms:
        """Return the terms after `changes` (as `CHANGES`); raises ChainError or ArgumentError where they do not fit."""
        names = [each.name for each in fields(self)]
        wanted = dict(zip(changes["term"].to_list(), changes["value"].to_list(), strict=True))
        if len(wanted) != changes.height:
            raise ChainError(f"terms: a term stands there twice in {changes['term'].to_list()}; name each once")
        for name in wanted:
            if name not in names:
                raise ChainError(f"terms: {name!r} is not known; {nearest(name, names)}")
        return replace(self, **wanted)

    def require_room(self, height: int, transactions: int, size: int) -> None:
        """Raise ChainError where a block holds more than one may; what it holds beside transactions is free."""
        if transactions > self.block_transactions or size > self.block_bytes + _BLOCK_OVERHEAD + 8 * transactions:
            raise ChainError(
                f"block {height}: {transactions} transactions in {size} bytes, allowed: {self.block_transactions} in "
                f"{self.block_bytes}"
            )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(map(u64, astuple(self)))

    @classmethod
    def read(cls, reader: Reader) -> ChainTerms:
        """Read what `to_bytes` wrote."""
        return cls(*(reader.u64() for _ in fields(cls)))


def require_terms(value: object) -> ChainTerms:
    """Return `value` if it is `ChainTerms`, or raise ArgumentTypeError."""
    if not isinstance(value, ChainTerms):
        raise ArgumentTypeError(f"terms is a {type(value).__name__}, allowed: ChainTerms(fee_per_transaction=…, …)")
    return value
