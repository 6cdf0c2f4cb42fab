"""What links this chain to other chains: bridge packets."""

from __future__ import annotations

from gridlab.chain.effects.effect import Call
from gridlab.chain.state import State

__all__ = ["send_packets"]


def send_packets(state: State, call: Call) -> None:
    """Commit to packets for another chain."""
    state.packets = state.packets.add(call.frame)
