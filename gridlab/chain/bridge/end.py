"""One end of the bridge: the clients and channels of a chain, and the acts that its transactions ask for.

An end is a value. Every act checks everything first and then returns the end after it with the payments that the chain
has to make; or it raises, and nothing has changed. So either chain calls it from the effect of a transaction and keeps
the two together: end and ledger change in one block or not at all.

What holds whatever a relayer does, as long as both chains' certificates are honest:

- a packet is executed once at most, and never at or after its timeout;
- it is refunded only if it was not executed and, by proof, never can be, or was refused;
- of every asset, what is free at home, what was minted abroad and what is in flight add up to what there was.

References
----------
Interchain Standards, "ICS-004: Channel and packet semantics" and "ICS-020: Fungible token transfer", 2019-2023.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_text
from gridlab.chain.bridge.channel import Channel, ChannelSummary
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.inclusion import HASH
from gridlab.chain.bridge.packet import EXECUTED, REFUSED, Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.tokens import Payment, burnt_or_locked, executed, paid_back
from gridlab.chain.encoding import Reader, compact, text
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.moments import moment
from gridlab.errors import ChainError, GridlabError, nearest

__all__ = ["BridgeEnd", "Here", "Step"]

_HEAD_PREFIX = text("gridlab/bridge-end/1")
_CLIENTS_DOMAIN = "gridlab/bridge-clients/1"


@dataclass(frozen=True, slots=True)
class Here:
    """Where and when an act takes place: the chain's name and its block's timestamp (µs since 1970-01-01 UTC)."""

    chain_id: str
    now: int


@dataclass(frozen=True, slots=True)
class Step:
    """What an act leads to.

    Attributes
    ----------
    end : BridgeEnd
    payments : tuple of Payment
        What the chain has to move, in the same block.
    packet : Packet
    code : int
        What a received or acknowledged packet was answered with: 0 executed, 1 refused.
    reason : str
        Why it was refused.
    """

    end: BridgeEnd
    payments: tuple[Payment, ...]
    packet: Packet
    code: int = EXECUTED
    reason: str = ""


def _anything(_payment: Payment) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class BridgeEnd:
    """The bridge as one chain sees it.

    Attributes
    ----------
    clients : mapping of str to LightClient
    channels : mapping of str to Channel
    """

    clients: Mapping[str, LightClient] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"BridgeEnd({len(self.clients)} clients, {len(self.channels)} channels)"

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a client nor a channel."""
        return not (self.clients or self.channels)

    def channel(self, name: str) -> Channel:
        """Return a channel, or raise ChainError."""
        if name not in self.channels:
            raise ChainError(f"bridge: no channel {name!r}; {nearest(name, self.channels)}")
        return self.channels[name]

    def client(self, name: str) -> LightClient:
        """Return a client, or raise ChainError."""
        if name not in self.clients:
            raise ChainError(f"bridge: no client {name!r}; {nearest(name, self.clients)}")
        return self.clients[name]

    # What governance does.

    def with_client(self, name: str, client: LightClient) -> BridgeEnd:
        """Return the end with a client that governance trusts: a new one, or another of the same chain in its place.

        Raises
        ------
        ChainError
            It would replace a client that is not frozen and goes on from an older header, or one of another chain.
        """
        require_text("client", name, longest=64)
        before = self.clients.get(name)
        if before is not None and before.chain_id != client.chain_id:
            raise ChainError(f"bridge: client {name!r} follows {before.chain_id!r}, not {client.chain_id!r}")
        if before is not None and client.newest.height < before.newest.height and not before.frozen:
            raise ChainError(
                f"bridge: client {name!r} is at height {before.newest.height}, the new one at {client.newest.height}; "
                "only a frozen client is set back"
            )
        return replace(self, clients={**self.clients, name: client})

    def with_channel(self, channel: Channel) -> BridgeEnd:
        """Return the end with a new channel; raises ChainError where the name is taken or its client missing."""
        if channel.name in self.channels:
            raise ChainError(f"bridge: there is a channel {channel.name!r} already; choose another name")
        fresh = channel
        if channel.client:
            fresh = replace(channel, chain=self.client(channel.client).chain_id)
        return self._with(fresh)

    def _with(self, channel: Channel) -> BridgeEnd:
        return replace(self, channels={**self.channels, channel.name: channel})

    # What anybody does, with proof.

    def update(self, client: str, signed: SignedHeader, here: Here) -> BridgeEnd:
        """Return the end with one more trusted header (`LightClient.update`)."""
        return self._with_client(client, self.client(client).update(signed, here.now))

    def misbehaved(self, client: str, first: SignedHeader, second: SignedHeader, here: Here) -> BridgeEnd:
        """Return the end with a client frozen (`LightClient.misbehaved`)."""
        return self._with_client(client, self.client(client).misbehaved(first, second, here.now))

    def _with_client(self, name: str, client: LightClient) -> BridgeEnd:
        return replace(self, clients={**self.clients, name: client})

    # Sending.

    def send_data(self, channel: str, timeout: int, payload: bytes) -> Step:
        """Return the step that sends other data than tokens; such a payload may not look like one that moves tokens."""
        if _looks_like_tokens(payload):
            raise ChainError(
                "bridge: a payload that moves tokens is sent by a token transfer alone, which locks or burns them"
            )
        return self._sent(self.channel(channel), timeout, payload, ())

    def send_tokens(self, channel: str, timeout: int, tokens: TokenMove, here: Here) -> Step:
        """Return the step that locks or burns the sender's tokens and sends them.

        Parameters
        ----------
        channel : str
        timeout : int
            By the clock of the other chain, microseconds.
        tokens : TokenMove
        here : Here

        Raises
        ------
        ChainError
            The channel is closed or does not carry the asset; its client is frozen or has expired, so that nothing
            could come back; or the timeout is over at the other end already.
        """
        own = self.channel(channel)
        self._require_way_back(own, timeout, here)
        own, payment = burnt_or_locked(own, tokens)
        return self._sent(own, timeout, tokens.to_bytes(), (payment,))

    def _require_way_back(self, channel: Channel, timeout: int, here: Here) -> None:
        client = self.client(channel.client)
        client.require_active(here.now)
        if timeout <= client.newest.timestamp:
            raise ChainError(
                f"bridge: the timeout {moment(timeout)} is over on {channel.chain!r}, whose newest header known here "
                f"is of {moment(client.newest.timestamp)}; choose a later one"
            )

    def _sent(self, channel: Channel, timeout: int, payload: bytes, payments: tuple[Payment, ...]) -> Step:
        if channel.closed:
            raise ChainError(f"bridge: channel {channel.name!r} is closed, a packet of it timed out; open another")
        packet = Packet(channel.name, channel.counterpart, channel.sent.count, timeout, payload)
        return Step(self._with(replace(channel, sent=channel.sent.append(packet.leaf))), payments, packet)

    # Receiving.

    def receive(
        self,
        packet: Packet,
        height: int,
        proof: BridgeProof,
        here: Here,
        *,
        refuses: Callable[[Payment], str | None] = _anything,
    ) -> Step:
        """Return the step that executes a packet of the other end, once, before its timeout.

        Parameters
        ----------
        packet : Packet
        height : int
            Of the other chain's header under whose state root the proof is.
        proof : BridgeProof
            That the other end has sent it.
        here : Here
        refuses : callable, optional
            Says why this chain cannot make the payment, None where it can.

        Returns
        -------
        Step
            With code 1 where the packet is valid and cannot be executed: it counts as received, nothing is paid, and
            the other end pays its sender back.

        Raises
        ------
        ChainError
            The packet is not of this channel, was received before, has timed out or is out of order, or the proof does
            not hold.
        """
        channel = self._channel_of(packet.counterpart, packet.channel)
        if packet.sequence in channel.received:
            raise ChainError(f"bridge: packet {packet.sequence} of channel {packet.channel!r} was received before")
        proof.require_sent(packet, self._summary(channel, height, proof, here))
        if here.now >= packet.timeout:
            raise ChainError(
                f"bridge: packet {packet.sequence} timed out at {moment(packet.timeout)}, it is {moment(here.now)} "
                "here; prove at the other end that it was not received"
            )
        if channel.ordered and packet.sequence != channel.received.past_last:
            raise ChainError(
                f"bridge: channel {channel.name!r} is ordered and expects packet {channel.received.past_last}, not "
                f"{packet.sequence}"
            )
        after, payments, reason = executed(channel, packet, refuses)
        code = REFUSED if reason else EXECUTED
        return Step(self._with(after.received_as(packet.sequence, code)), payments, packet, code, reason)

    # Settling what was sent.

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof, here: Here) -> Step:
        """Return the step that settles a sent packet by the other end's answer; a refused one is paid back.

        Raises
        ------
        ChainError
            The packet was not sent or is settled, or the proof does not hold.
        """
        channel = self._own(packet)
        proof.require_acknowledged(packet.sequence, code, self._summary(channel, height, proof, here))
        if code == REFUSED:
            return self._refunded(channel, packet)
        settled = replace(channel, acknowledged=channel.acknowledged.add(packet.sequence))
        return Step(self._with(settled), (), packet)

    def time_out(self, packet: Packet, height: int, proof: BridgeProof, here: Here) -> Step:
        """Return the step that pays back a packet which the other end has not received and never will.

        The header of `height` is at or past the timeout by the other chain's clock. Its blocks only get younger, and
        none of them executes the packet from its timeout on; so who did not have it then never will. An ordered channel
        can go no further and closes.

        Raises
        ------
        ChainError
            The packet was not sent or is settled, the other chain's clock has not reached the timeout, or the proof
            does not show that it was not received.
        """
        channel = self._own(packet)
        summary = self._summary(channel, height, proof, here)
        clock = self.client(channel.client).at(height, here.now).timestamp
        if clock < packet.timeout:
            raise ChainError(
                f"bridge: packet {packet.sequence} times out at {moment(packet.timeout)}, header {height} of "
                f"{channel.chain!r} is of {moment(clock)}; prove it at a header that is not before the timeout"
            )
        proof.require_unreceived(packet.sequence, summary)
        return self._refunded(replace(channel, closed=channel.closed or channel.ordered), packet)

    def _refunded(self, channel: Channel, packet: Packet) -> Step:
        channel = replace(channel, refunded=channel.refunded.add(packet.sequence))
        tokens = packet.tokens
        if tokens is None:
            return Step(self._with(channel), (), packet, REFUSED)
        channel, payment = paid_back(channel, tokens)
        return Step(self._with(channel), (payment,), packet, REFUSED)

    def _own(self, packet: Packet) -> Channel:
        """Return the channel of a packet that this end has sent and that is not settled."""
        channel = self._channel_of(packet.channel, packet.counterpart)
        if packet.sequence >= channel.sent.count or channel.sent[packet.sequence] != packet.leaf:
            raise ChainError(f"bridge: {packet!r} was not sent from here; send the packet as it was")
        if not channel.is_open(packet.sequence):
            done = "paid back" if packet.sequence in channel.refunded else "answered"
            raise ChainError(f"bridge: packet {packet.sequence} of channel {channel.name!r} is {done} already")
        return channel

    def _channel_of(self, name: str, counterpart: str) -> Channel:
        channel = self.channel(name)
        if not channel.client or channel.counterpart != counterpart:
            raise ChainError(
                f"bridge: channel {name!r} leads to {channel.counterpart!r} of {channel.chain!r}, the packet is of "
                f"channel {counterpart!r}"
            )
        return channel

    def _summary(self, channel: Channel, height: int, proof: BridgeProof, here: Here) -> ChannelSummary:
        """Return what the other end commits to, having seen that both ends mean each other."""
        client = self.client(channel.client)
        anchor = client.at(height, here.now)
        summary = proof.summary(client.layout, anchor.state_root, channel=channel.counterpart)
        if (summary.chain, summary.counterpart, summary.ordered) != (here.chain_id, channel.name, channel.ordered):
            raise ChainError(
                f"bridge: channel {summary.name!r} of {channel.chain!r} leads to {summary.counterpart!r} of "
                f"{summary.chain!r}, not to {channel.name!r} of {here.chain_id!r}, or is ordered where the other is not"
            )
        return summary

    # Bytes.

    @property
    def leaves(self) -> list[bytes]:
        """Leaves of the bridge's root: one for the clients, then one per channel in the order of names."""
        clients = tagged_hash(_CLIENTS_DOMAIN, _listed(self.clients))
        return [_HEAD_PREFIX + clients, *(self.channels[name].summary.leaf for name in sorted(self.channels))]

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves` with BLAKE2b-256, 32 bytes; the chain's state root commits to it."""
        return merkle.root(self.leaves, hash=HASH)

    @property
    def hash(self) -> bytes:
        """The same as `root`."""
        return self.root

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        channels = [self.channels[name].to_bytes() for name in sorted(self.channels)]
        return _listed(self.clients) + b"".join([compact(len(channels)), *channels])

    @classmethod
    def from_bytes(cls, data: bytes) -> BridgeEnd:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(require_bytes("bridge end", data), "bridge end")
        clients = {reader.text(): LightClient.read(reader) for _ in range(reader.compact())}
        read = [Channel.read(reader) for _ in range(reader.compact())]
        reader.finish()
        end = cls(clients, {channel.name: channel for channel in read})
        if end.to_bytes() != data:
            raise ChainError("bridge end: the bytes are not the canonical form of what they hold")
        return end

    def held(self, asset: str) -> int:
        """Return how much of `asset` all channels hold: locked where it is native, minted where it is foreign."""
        return sum(channel.held.get(require_text("asset", asset), 0) for channel in self.channels.values())


def _listed(clients: Mapping[str, LightClient]) -> bytes:
    return compact(len(clients)) + b"".join(text(name) + clients[name].to_bytes() for name in sorted(clients))


def _looks_like_tokens(payload: bytes) -> bool:
    try:
        return TokenMove.of(require_bytes("payload", payload)) is not None
    except GridlabError as problem:
        raise ChainError(f"bridge: the payload begins as one that moves tokens and is none ({problem})") from problem
