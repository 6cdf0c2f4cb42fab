"""What replaces the rules and the market's terms: approvals for later blocks, by the regulator.

Both are his alone. A market operator closes gates and is paid by every trade: terms that he could change by himself
could change what an order costs between its acceptance and its clearing.
"""

from __future__ import annotations

from gridlab.chain.effects.effect import Call
from gridlab.chain.state import State

__all__ = ["approve_rules", "change_market"]


def approve_rules(state: State, call: Call) -> None:
    """Put a released set of rules in force from a later block on."""
    state.versions = state.versions.approved(call.frame, call.height)


def change_market(state: State, call: Call) -> None:
    """Let another exchange clear from the next block on."""
    state.versions = state.versions.with_market(call.frame)
