"""What links this chain to the world and to other chains: oracle reports and bridge packets."""

from __future__ import annotations

from gridlab.chain.effects.effect import Call
from gridlab.chain.state import State

__all__ = ["report_observations", "send_packets"]


def report_observations(state: State, call: Call) -> None:
    """Take oracle reports, each of a later round than the one before."""
    state.reports = state.reports.add(call.frame)


def send_packets(state: State, call: Call) -> None:
    """Commit to packets for another chain."""
    state.packets = state.packets.add(call.frame)
