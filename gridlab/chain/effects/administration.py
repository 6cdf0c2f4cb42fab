"""What the regulator decides: licences, validators, the terms of the chain."""

from __future__ import annotations

from gridlab.chain.effects.effect import Call
from gridlab.chain.state import State
from gridlab.errors import ChainError

__all__ = ["appoint_validators", "change_members", "change_terms"]

# Far above what a change of all terms takes, some 500 bytes.
_LEAST_BYTES = 4_096


def change_members(state: State, call: Call) -> None:
    """Grant or withdraw licences, change keys and KYC states."""
    state.set_members(state.members.changed(call.frame))


def appoint_validators(state: State, call: Call) -> None:
    """Let another set of validators certify blocks from the next checkpoint on."""
    state.authority = state.authority.appoint(call.frame, call.height)


def change_terms(state: State, call: Call) -> None:
    """Change fees and limits, from the next transaction on."""
    terms = state.terms.changed(call.frame)
    if min(terms.transaction_bytes, terms.pending_bytes) < _LEAST_BYTES:
        raise ChainError(
            f"terms: transaction_bytes {terms.transaction_bytes} or pending_bytes {terms.pending_bytes} would be below "
            f"{_LEAST_BYTES}, and no transaction that changes the terms again might ever come in"
        )
    state.emergency.require_enough(terms)
    if not terms.free and state.operator_account is None:
        raise ChainError("terms: no member is a market operator, so a fee would have no receiver; license one first")
    state.terms = terms
