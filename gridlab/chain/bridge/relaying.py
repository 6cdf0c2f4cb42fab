"""What an honest relayer finds to do: it reads both chains and carries proofs from one to the other.

A relayer holds no secret and is not trusted. Anybody may be one, and one honest relayer is enough for every packet to
be executed, or paid back once its timeout is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from gridlab.chain.bridge.end import BridgeEnd, Here
from gridlab.chain.bridge.inclusion import Inclusion
from gridlab.chain.bridge.packet import EXECUTED, Packet
from gridlab.chain.bridge.proofs import BridgeProof
from gridlab.chain.bridge.proving import prove_answer, prove_sent, prove_unreceived

__all__ = ["Host", "Relay", "relay", "relays_due"]


class Host(Protocol):
    """A chain as a relayer sees it."""

    @property
    def end(self) -> BridgeEnd:
        """Its end of the bridge now."""

    @property
    def here(self) -> Here:
        """Its name, and the timestamp of the block in which the next act takes place."""

    def at(self, height: int) -> tuple[BridgeEnd, Inclusion]:
        """Return its end after an anchored block, and the proof that the state root commits to it."""

    def receive(self, packet: Packet, height: int, proof: BridgeProof) -> Any:
        """Execute a packet of the other chain; None where that is on its way already."""

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof) -> Any:
        """Settle a packet by the other chain's answer."""

    def time_out(self, packet: Packet, height: int, proof: BridgeProof) -> Any:
        """Pay back a packet that was not received in time."""


@dataclass(frozen=True, slots=True)
class Relay:
    """One act of a relayer.

    Attributes
    ----------
    act : str
        "receive", at the packet's destination; "acknowledge" or "time_out", where it came from.
    packet : Packet
    code : int
        What an acknowledgement says.
    height : int
        Of the other chain's header under whose state root the proof is.
    proof : BridgeProof
    """

    act: str
    packet: Packet
    code: int
    height: int
    proof: BridgeProof

    def perform(self, host: Host) -> Any:
        """Do it."""
        if self.act == "acknowledge":
            return host.acknowledge(self.packet, self.code, self.height, self.proof)
        act = host.receive if self.act == "receive" else host.time_out
        return act(self.packet, self.height, self.proof)


def relays_due(origin: Host, destination: Host, channel: str) -> Iterator[Relay]:
    """Yield what can be done, by the headers that each chain knows of the other, for packets sent on `channel`.

    Parameters
    ----------
    origin, destination : Host
    channel : str
        Its name on the chain of origin.
    """
    own = origin.end.channel(channel)
    far = destination.end.channel(own.counterpart)
    seen_here, seen_there = origin.end.client(own.client).newest, destination.end.client(far.client).newest
    answering, answer_state = destination.at(seen_here.height)
    sending, sent_state = origin.at(seen_there.height)
    answers = answering.channels.get(own.counterpart)
    known = sending.channels.get(channel)
    following = far.received.past_last
    for packet in own.open_packets:
        number = packet.sequence
        if answers is not None and number in answers.received:
            proof, code = prove_answer(answering, answer_state, own.counterpart, number)
            yield Relay("acknowledge", packet, code, seen_here.height, proof)
        elif answers is not None and seen_here.timestamp >= packet.timeout:
            proof = prove_unreceived(answering, answer_state, own.counterpart, number)
            yield Relay("time_out", packet, EXECUTED, seen_here.height, proof)
        elif number in far.received or known is None or number >= known.sent.count:
            continue
        elif destination.here.now < packet.timeout and (not own.ordered or number == following):
            following += 1
            proof = prove_sent(sending, sent_state, channel, number)
            yield Relay("receive", packet, EXECUTED, seen_there.height, proof)


def relay(origin: Host, destination: Host, channel: str) -> list[Relay]:
    """Do all that is due for packets sent on `channel` of the chain of origin; return what was not under way yet."""
    due = list(relays_due(origin, destination, channel))
    return [each for each in due if each.perform(destination if each.act == "receive" else origin) is not None]
