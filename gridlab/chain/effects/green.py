"""Certificates and credits: grouping devices, issuing, handing on, retiring."""

from __future__ import annotations

from gridlab.chain.certificates import grouped
from gridlab.chain.effects.effect import Call, require_accounts
from gridlab.chain.state import State

__all__ = ["group_devices", "issue_certificates", "retire_certificates", "transfer_certificates"]

_WHAT = "certificates"


def group_devices(state: State, call: Call) -> None:
    """Certify small devices together under one account."""
    require_accounts(state, call.frame, _WHAT, "device", "registrant")
    state.meters = grouped(state.meters, call.frame)


def issue_certificates(state: State, call: Call) -> None:
    """Issue certificates for metered energy."""
    require_accounts(state, call.frame, _WHAT, "device", "owner")
    state.certificates = state.certificates.issue(call.frame, state.meters)


def transfer_certificates(state: State, call: Call) -> None:
    """Give certificates to a new owner."""
    require_accounts(state, call.frame, _WHAT, "new_owner")
    state.certificates = state.certificates.transfer(call.frame, sender=call.account)


def retire_certificates(state: State, call: Call) -> None:
    """Use certificates up, for good."""
    state.certificates = state.certificates.retire(call.frame, sender=call.account)
