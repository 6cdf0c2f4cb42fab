"""Packets in the chain's state: numbered per channel without gaps, and its end of the bridge, which commits to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.errors import ChainError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["PACKETS", "Packets"]

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
    """What the chain's state keeps of the bridge. Never changed: `add` returns a new one.

    Attributes
    ----------
    end : BridgeEnd
        Clients and channels; every packet is a leaf of its channel's register, under the bridge's root.
    """

    end: BridgeEnd = field(default_factory=BridgeEnd)

    @property
    def channels(self) -> Mapping[str, tuple[int, bytes]]:
        """Channel -> (next sequence, root over its packets so far)."""
        return {name: (channel.sent.count, channel.sent.root) for name, channel in self.end.channels.items()}

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a packet nor a channel nor a client."""
        return self.end.is_empty

    @property
    def hash(self) -> bytes:
        """The bridge's root (`BridgeEnd.root`), 32 bytes, under which a light client checks packets."""
        return self.end.root

    def add(self, packets: pl.DataFrame) -> Packets:
        """Return the packets with these (as `PACKETS`) added, all or none.

        A channel that nobody has opened begins with its first packet, and only sends.

        Raises
        ------
        ChainError
            A channel's name is empty or too long, a sequence is not the channel's next one, or a payload would move
            tokens, which a transaction of kind ``bridge_transfer`` alone may do.
        """
        end = self.end
        columns = (packets[column.name].to_physical().to_list() for column in PACKETS.columns)
        for channel, sequence, timeout, payload in zip(*columns, strict=True):
            if channel not in end.channels:
                end = end.with_channel(Channel(channel))
            expected = end.channel(channel).sent.count
            if sequence != expected:
                raise ChainError(f"bridge_packets: channel {channel!r} expects packet {expected}, not {sequence}")
            end = end.send_data(channel, timeout, payload).end
        return Packets(end)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return self.end.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Packets:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        return cls(BridgeEnd.from_bytes(data))
