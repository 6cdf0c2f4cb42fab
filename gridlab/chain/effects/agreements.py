"""Energy trading contracts: registering one that all parties signed, and paying what follows from it."""

from __future__ import annotations

from gridlab.chain.effects.effect import Call
from gridlab.chain.effects.money import forbid_issuing
from gridlab.chain.senders import CONTRACT_SENDER
from gridlab.chain.state import State

__all__ = ["execute_contract", "register_contract"]


def register_contract(state: State, call: Call) -> None:
    """Register a contract whose parties have all signed."""
    state.contracts = state.contracts.register(
        call.frame, sender=call.account, members=state.members, chain_id=state.chain_id
    )


def execute_contract(state: State, call: Call) -> None:
    """Pay what follows from a contract and its parties' meters."""
    role = state.members.roles[call.account]
    contracts, transfers = state.contracts.execute(call.frame, sender=call.account, role=role)
    forbid_issuing(state, transfers)
    state.ledger.apply(transfers, sender=CONTRACT_SENDER, now=call.timestamp)
    state.contracts = contracts
