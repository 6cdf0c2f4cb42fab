"""A channel: what one end has sent, received, acknowledged and refunded, and what the other end may check of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gridlab.chain.arguments import require_bytes, require_text
from gridlab.chain.bridge.inclusion import ProofSpec
from gridlab.chain.bridge.log import Log
from gridlab.chain.bridge.packet import LONGEST_NAME, Packet, acknowledgement_leaf, read_acknowledgement
from gridlab.chain.bridge.ranges import Ranges
from gridlab.chain.encoding import Reader, compact, text, u8, u64
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.errors import ChainError

__all__ = ["CHANNEL_SPEC", "Channel", "ChannelSummary"]

_PREFIX = text("gridlab/bridge-channel/1")
_LOCAL_DOMAIN = "gridlab/bridge-channel-own/1"
CHANNEL_SPEC = ProofSpec("channels", _PREFIX, 100, 1_024, 16)


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """What a channel's leaf commits to, for the other end to read.

    Attributes
    ----------
    name : str
    chain, counterpart : str
        The chain at the other end, and the channel's name there.
    ordered, closed : bool
    sent : int
        How many packets were sent, under `sent_root`.
    received_ranges : int
        How many ranges there are under `received_root`.
    received_past : int
        The first sequence above all received ones; on an ordered channel the next one.
    acknowledgements : int
        How many there are under `acknowledgements_root`.
    own : bytes
        Hash of what concerns this end alone.
    """

    name: str
    chain: str
    counterpart: str
    ordered: bool
    closed: bool
    sent: int
    sent_root: bytes
    received_ranges: int
    received_past: int
    received_root: bytes
    acknowledgements: int
    acknowledgements_root: bytes
    own: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf under the bridge's root."""
        names = text(self.name) + text(self.chain) + text(self.counterpart) + u8(self.ordered + 2 * self.closed)
        received = u64(self.received_ranges) + u64(self.received_past) + self.received_root
        sent, answers = u64(self.sent) + self.sent_root, u64(self.acknowledgements) + self.acknowledgements_root
        return _PREFIX + names + sent + received + answers + self.own

    @classmethod
    def of_body(cls, body: bytes) -> ChannelSummary:
        """Read a leaf after its prefix; raises ChainError where the bytes are damaged."""
        reader = Reader(body, "channel")
        name, chain, counterpart, flags = reader.text(), reader.text(), reader.text(), reader.u8()
        if flags > 3:
            raise reader.error(f"flags {flags}, allowed: 0 to 3")
        sent, sent_root = reader.u64(), reader.take(HASH_BYTES)
        ranges, past, root = reader.u64(), reader.u64(), reader.take(HASH_BYTES)
        answers, answers_root, own = reader.u64(), reader.take(HASH_BYTES), reader.take(HASH_BYTES)
        reader.finish()
        ordered, closed = bool(flags & 1), bool(flags & 2)
        head = (name, chain, counterpart, ordered, closed, sent, sent_root)
        return cls(*head, ranges, past, root, answers, answers_root, own)


@dataclass(frozen=True, slots=True)
class Channel:
    """One end of a channel. Never changed: each act returns a new one.

    Attributes
    ----------
    name : str
    client : str
        Name of the light client of the chain at the other end; empty where there is none and packets are sent only.
    chain, counterpart : str
        That chain, and the channel's name there.
    ordered : bool
        Whether packets are executed in the order of their sequence; then one that times out closes the channel.
    vault : bytes
        Public key of the account that holds what is locked and issues what is foreign; no secret key acts for it.
    native, foreign : tuple of str
        Assets at home on this chain, which are locked and released; and at the other end, which are minted and burnt.
    closed : bool
    sent : Log
        Leaves of sent packets.
    acknowledged, refunded : Ranges
        Which of them the other end has answered as executed, and which were paid back.
    received : Ranges
        Which packets of the other end were executed or refused.
    answers : Log
        Acknowledgements in the order of execution.
    held : mapping of str to int
        Asset -> how much is locked here (native), or was minted and not burnt here (foreign).
    """

    name: str
    client: str = ""
    chain: str = ""
    counterpart: str = ""
    ordered: bool = False
    vault: bytes = b""
    native: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    closed: bool = False
    sent: Log = field(default_factory=Log)
    acknowledged: Ranges = field(default_factory=Ranges)
    refunded: Ranges = field(default_factory=Ranges)
    received: Ranges = field(default_factory=Ranges)
    answers: Log = field(default_factory=Log)
    held: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(require_text("channel", self.name).encode()) <= LONGEST_NAME:
            raise ChainError(f"channel {self.name!r} has no name of 1 to {LONGEST_NAME} bytes")
        if self.client and not 1 <= len(require_text("counterpart", self.counterpart).encode()) <= LONGEST_NAME:
            raise ChainError(f"channel {self.name!r}: its counterpart has no name of 1 to {LONGEST_NAME} bytes")
        assets = [*self.native, *self.foreign]
        if len(set(assets)) != len(assets):
            raise ChainError(f"channel {self.name!r}: an asset stands there twice in {assets}; it has one home")
        if assets and len(require_bytes("vault", self.vault)) != HASH_BYTES:
            raise ChainError(f"channel {self.name!r} carries {assets} and has no vault; give a public key of 32 bytes")

    def __repr__(self) -> str:
        return (
            f"Channel({self.name!r} to {self.counterpart!r} of {self.chain!r}, {self.sent.count} sent, "
            f"{len(self.received)} received{', closed' if self.closed else ''})"
        )

    def packet(self, sequence: int) -> Packet:
        """Return a packet that was sent."""
        return Packet.of_leaf(self.sent[sequence])

    def is_open(self, sequence: int) -> bool:
        """Whether a sent packet is neither answered as executed nor paid back."""
        return sequence < self.sent.count and sequence not in self.acknowledged and sequence not in self.refunded

    @property
    def open_packets(self) -> list[Packet]:
        """All packets that are neither answered as executed nor paid back."""
        return [self.packet(each) for each in range(self.sent.count) if self.is_open(each)]

    def received_as(self, sequence: int, code: int) -> Channel:
        """Return the channel with a packet of the other end received and answered."""
        answers = self.answers.append(acknowledgement_leaf(sequence, code))
        return replace(self, received=self.received.add(sequence), answers=answers)

    def holding(self, asset: str, change: int) -> Channel:
        """Return the channel with more or less of `asset` held; the caller has seen that it stays within bounds."""
        return replace(self, held={**self.held, asset: self.held.get(asset, 0) + change})

    @property
    def answered(self) -> dict[int, tuple[int, int]]:
        """What became of each received packet: sequence -> (place among `answers`, code)."""
        return {
            sequence: (place, code) for place, (sequence, code) in enumerate(map(read_acknowledgement, self.answers))
        }

    @property
    def summary(self) -> ChannelSummary:
        """What the leaf commits to."""
        return ChannelSummary(
            name=self.name,
            chain=self.chain,
            counterpart=self.counterpart,
            ordered=self.ordered,
            closed=self.closed,
            sent=self.sent.count,
            sent_root=self.sent.root,
            received_ranges=len(self.received.bounds),
            received_past=self.received.past_last,
            received_root=self.received.root,
            acknowledgements=self.answers.count,
            acknowledgements_root=self.answers.root,
            own=tagged_hash(_LOCAL_DOMAIN, self._own()),
        )

    def _own(self) -> bytes:
        names = [compact(len(group)) + b"".join(map(text, group)) for group in (self.native, self.foreign)]
        held = [text(asset) + u64(amount) for asset, amount in sorted(self.held.items())]
        settled = self.acknowledged.to_bytes() + self.refunded.to_bytes()
        head = text(self.client) + compact(len(self.vault)) + self.vault + b"".join(names)
        return head + settled + compact(len(held)) + b"".join(held)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        names = text(self.name) + text(self.chain) + text(self.counterpart) + u8(self.ordered + 2 * self.closed)
        return names + self._own() + self.sent.to_bytes() + self.received.to_bytes() + self.answers.to_bytes()

    @classmethod
    def read(cls, reader: Reader) -> Channel:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        name, chain, counterpart, flags = reader.text(), reader.text(), reader.text(), reader.u8()
        if flags > 3:
            raise reader.error(f"flags {flags}, allowed: 0 to 3")
        client, vault = reader.text(), reader.blob()
        native, foreign = (tuple(reader.text() for _ in range(reader.compact())) for _ in range(2))
        acknowledged, refunded = Ranges.read(reader), Ranges.read(reader)
        held = {reader.text(): reader.u64() for _ in range(reader.compact())}
        if list(held) != sorted(held):
            raise reader.error("the assets held are not in the order of their names")
        sent, received, answers = Log.read(reader), Ranges.read(reader), Log.read(reader)
        head = (name, client, chain, counterpart, bool(flags & 1), vault, native, foreign, bool(flags & 2))
        return cls(*head, sent, acknowledged, refunded, received, answers, held)
