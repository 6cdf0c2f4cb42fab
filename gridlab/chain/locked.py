"""What is locked on a chain until somebody shows something: hash time locks and channels, and the stops that count.

All three belong together: the time in which a chain stands counts neither against a lock nor against a channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.encoding import Reader, blob
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.stops import Stops
from gridlab.errors import ChainError

__all__ = ["Locked"]

_DOMAIN = "gridlab/locked/1"


@dataclass(frozen=True, slots=True)
class Locked:
    """Locks, channels and stops of one chain. Never changed, only replaced.

    Attributes
    ----------
    locks : LockBook
    channels : ChannelBook
    stops : Stops
        Emergency stops of this chain and of those that it was told of.

    Raises
    ------
    ChainError
        Locks and channels are of two chains.
    """

    locks: LockBook
    channels: ChannelBook
    stops: Stops = field(default_factory=Stops)

    def __post_init__(self) -> None:
        if self.locks.chain != self.channels.chain:
            raise ChainError(f"locks of {self.locks.chain!r}, channels of {self.channels.chain!r}; give one chain's")

    @property
    def chain(self) -> str:
        """Id of the chain."""
        return self.locks.chain

    @classmethod
    def on(cls, chain_id: str) -> Locked:
        """Return the register of a chain on which nothing was ever locked."""
        return cls(LockBook(chain_id), ChannelBook(chain_id))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever locked and no chain has ever stood."""
        return self.locks.is_empty and self.channels.is_empty and self.stops.is_empty

    @property
    def hash(self) -> bytes:
        """Hash over all three, 32 bytes."""
        return tagged_hash(_DOMAIN, self.locks.hash + self.channels.hash + self.stops.hash)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(blob(part.to_bytes()) for part in (self.locks, self.channels, self.stops))

    @classmethod
    def from_bytes(cls, data: bytes) -> Locked:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "what is locked")
        locks = LockBook.from_bytes(reader.blob())
        channels = ChannelBook.from_bytes(reader.blob())
        stops = Stops.from_bytes(reader.blob())
        reader.finish()
        return cls(locks, channels, stops)
