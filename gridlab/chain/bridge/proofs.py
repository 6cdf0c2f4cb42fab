"""From a trusted state root down to one packet: the leaf of the bridge, of the channel, of a register.

::

    state root -> bridge root -> channel -> register of sent packets, of acknowledgements, or ranges of received packets

Each step is a proof of inclusion against the spec of its layer. A channel commits to the size of its registers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.bridge.channel import CHANNEL_SPEC, ChannelSummary
from gridlab.chain.bridge.inclusion import Inclusion, ProofSpec
from gridlab.chain.bridge.packet import ACKNOWLEDGEMENT_SPEC, PACKET_SPEC, Packet, acknowledgement_leaf
from gridlab.chain.bridge.ranges import require_absent
from gridlab.chain.encoding import Reader, blob, compact, text, u32
from gridlab.chain.hashing import HASH_BYTES
from gridlab.errors import ChainError

__all__ = ["CONSORTIUM_LAYOUT", "BridgeProof", "StateLayout"]

_DEEPEST_STATE = 40
_MOST_ENTRIES = 2


@dataclass(frozen=True, slots=True)
class StateLayout:
    """Where under a chain's state root the root of its end of the bridge stands.

    Attributes
    ----------
    prefix : bytes
        What the leaf begins with; no other leaf of that chain's state may.
    before, after : int
        How many bytes stand before and after the 32 bytes of the bridge's root.
    """

    prefix: bytes
    before: int = 0
    after: int = 0

    def __post_init__(self) -> None:
        if not require_bytes("prefix", self.prefix):
            raise ChainError("state layout: it has no prefix, so that any leaf of the state would do; give one")
        require_int("before", self.before, 0, 2**16)
        require_int("after", self.after, 0, 2**16)

    def bridge_root(self, proof: Inclusion, state_root: bytes) -> bytes:
        """Return the bridge's root that the proof shows under `state_root`, or raise ChainError."""
        length = self.before + HASH_BYTES + self.after
        spec = ProofSpec("the bridge in the state", self.prefix, length, length, _DEEPEST_STATE)
        return spec.require(proof, state_root)[self.before : self.before + HASH_BYTES]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return blob(self.prefix) + u32(self.before) + u32(self.after)

    @classmethod
    def read(cls, reader: Reader) -> StateLayout:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        return cls(reader.blob(), reader.u32(), reader.u32())


# The leaf of `gridlab.chain.state` that holds the hash of the oracle's reports and then that of the packets.
CONSORTIUM_LAYOUT = StateLayout(text("gridlab/state-links/1"), HASH_BYTES)


@dataclass(frozen=True, slots=True)
class BridgeProof:
    """A proof about one channel of the other chain's end.

    Attributes
    ----------
    state : Inclusion
        The bridge's root under the state root.
    channel : Inclusion
        The channel under the bridge's root.
    entries : tuple of Inclusion
        A sent packet or an acknowledgement (one), or the ranges around a number that is absent (none to two).
    """

    state: Inclusion
    channel: Inclusion
    entries: tuple[Inclusion, ...] = field(default=())

    def summary(self, layout: StateLayout, state_root: bytes, *, channel: str) -> ChannelSummary:
        """Return what the other end commits to of `channel`, or raise ChainError."""
        body = CHANNEL_SPEC.require(self.channel, layout.bridge_root(self.state, state_root))
        summary = ChannelSummary.of_body(body)
        if summary.name != channel:
            raise ChainError(f"proof of channels: it is of channel {summary.name!r}, not of {channel!r}")
        return summary

    def _one(self, what: str) -> Inclusion:
        if len(self.entries) != 1:
            raise ChainError(f"proof of {what}: it has {len(self.entries)} leaves, allowed: exactly 1")
        return self.entries[0]

    def require_sent(self, packet: Packet, summary: ChannelSummary) -> None:
        """Raise ChainError unless the other end has sent exactly this packet."""
        entry = self._one("sent packets")
        PACKET_SPEC.require(entry, summary.sent_root, size=summary.sent)
        if entry.leaf != packet.leaf or entry.index != packet.sequence:
            raise ChainError(f"proof of sent packets: it is of another packet than {packet!r}; send the one it proves")

    def require_acknowledged(self, sequence: int, code: int, summary: ChannelSummary) -> None:
        """Raise ChainError unless the other end has executed or refused the packet as `code` says."""
        entry = self._one("acknowledgements")
        ACKNOWLEDGEMENT_SPEC.require(entry, summary.acknowledgements_root, size=summary.acknowledgements)
        if entry.leaf != acknowledgement_leaf(sequence, code):
            raise ChainError(f"proof of acknowledgements: it does not say {code} of packet {sequence}")

    def require_unreceived(self, sequence: int, summary: ChannelSummary) -> None:
        """Raise ChainError unless the other end has not received the packet."""
        require_absent(
            sequence,
            self.entries,
            root=summary.received_root,
            size=summary.received_ranges,
            past_last=summary.received_past,
        )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        parts = [each.to_bytes() for each in (self.state, self.channel, *self.entries)]
        return compact(len(self.entries)) + b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> BridgeProof:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "bridge proof")
        count = reader.compact()
        if count > _MOST_ENTRIES:
            raise reader.error(f"{count} leaves of a register, allowed: at most {_MOST_ENTRIES}")
        parts = [Inclusion.read(reader) for _ in range(2 + count)]
        reader.finish()
        return cls(parts[0], parts[1], tuple(parts[2:]))
