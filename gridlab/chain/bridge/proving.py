"""Making the proofs that `gridlab.chain.bridge.proofs` checks, out of a chain's end at some height."""

from __future__ import annotations

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.inclusion import Inclusion, inclusion_of
from gridlab.chain.bridge.proofs import BridgeProof
from gridlab.errors import ChainError

__all__ = ["prove_answer", "prove_sent", "prove_unreceived"]


def _proof(end: BridgeEnd, state: Inclusion, channel: Channel, entries: tuple[Inclusion, ...]) -> BridgeProof:
    within = inclusion_of(end.leaves, 1 + sorted(end.channels).index(channel.name))
    return BridgeProof(state, within, entries)


def prove_sent(end: BridgeEnd, state: Inclusion, channel: str, sequence: int) -> BridgeProof:
    """Prove that a packet was sent.

    Parameters
    ----------
    end : BridgeEnd
        Of the chain that sent it, at the height of the proof.
    state : Inclusion
        That the state root of the same height commits to it.
    channel : str
    sequence : int
    """
    own = end.channel(channel)
    if sequence >= own.sent.count:
        raise ChainError(f"bridge: channel {channel!r} has sent {own.sent.count} packets at that height; wait")
    return _proof(end, state, own, (own.sent.prove(sequence),))


def prove_answer(end: BridgeEnd, state: Inclusion, channel: str, sequence: int) -> tuple[BridgeProof, int]:
    """Prove what a received packet was answered with; returns the proof and the code."""
    own = end.channel(channel)
    if sequence not in own.received:
        raise ChainError(f"bridge: channel {channel!r} has not received packet {sequence} at that height; wait")
    place, code = own.answered[sequence]
    return _proof(end, state, own, (own.answers.prove(place),)), code


def prove_unreceived(end: BridgeEnd, state: Inclusion, channel: str, sequence: int) -> BridgeProof:
    """Prove that a packet was not received."""
    own = end.channel(channel)
    return _proof(end, state, own, own.received.prove_absent(sequence))
