"""Packets to another chain: numbered per channel without gaps, committed to so that a light client can check them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.encoding import Reader, blob, compact, i64, text, u64
from gridlab.chain.hashing import HASH_BYTES, ZERO_HASH, tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["PACKETS", "Packets"]

_PACKET_DOMAIN = "gridlab/bridge-packet/1"
_DOMAIN = "gridlab/bridge-packets/1"
_LONGEST_CHANNEL = 64

PACKETS = Schema(
    "bridge_packets",
    (
        Column("channel", pl.String, "text", "from this chain to another one"),
        Column("sequence", pl.UInt64, "integer", "counts the channel's packets from 0, without gaps"),
        Column("timeout", SLOT, "datetime", "by the clock of the chain of destination"),
        Column("payload", pl.Binary, "binary", "what the other chain is to execute"),
    ),
)


@dataclass(frozen=True, slots=True)
class Packets:
    """How far each channel is, and one hash over all its packets. Never changed: `add` returns a new one.

    Attributes
    ----------
    channels : mapping of str to tuple of (int, bytes)
        Channel -> (next sequence, hash over its packets so far).
    """

    channels: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no packet was sent yet."""
        return not self.channels

    @property
    def hash(self) -> bytes:
        """Hash over all channels, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def add(self, packets: pl.DataFrame) -> Packets:
        """Return the packets with these (as `PACKETS`) added, all or none.

        Raises
        ------
        ChainError
            A channel's name is empty or too long, or a sequence is not the channel's next one.
        """
        channels = dict(self.channels)
        columns = (packets[column.name].to_physical().to_list() for column in PACKETS.columns)
        for channel, sequence, timeout, payload in zip(*columns, strict=True):
            if not 1 <= len(channel.encode()) <= _LONGEST_CHANNEL:
                raise ChainError(f"bridge_packets: channel {channel!r} has no name of 1 to {_LONGEST_CHANNEL} bytes")
            expected, running = channels.get(channel, (0, ZERO_HASH))
            if sequence != expected:
                raise ChainError(f"bridge_packets: channel {channel!r} expects packet {expected}, not {sequence}")
            packet = text(channel) + u64(sequence) + i64(timeout) + blob(payload)
            channels[channel] = (expected + 1, tagged_hash(_PACKET_DOMAIN, running + packet))
        return Packets(channels)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [text(name) + u64(count) + running for name, (count, running) in sorted(self.channels.items())]
        return b"".join([compact(len(rows)), *rows])

    @classmethod
    def from_bytes(cls, data: bytes) -> Packets:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "bridge packets")
        channels = {}
        for _ in range(reader.compact()):
            name = reader.text()
            channels[name] = (reader.u64(), reader.take(HASH_BYTES))
        reader.finish()
        return cls(channels)
