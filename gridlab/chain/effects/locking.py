"""Hash time locks on the consortium chain, and what it is told of emergency stops."""

from __future__ import annotations

from dataclasses import replace

from gridlab.chain.effects.effect import Call
from gridlab.chain.effects.money import forbid_redeeming
from gridlab.chain.effects.stopping import take_stops
from gridlab.chain.state import State
from gridlab.chain.swaps.wire import claim_locks, make_locks, note_stops, refund_locks
from gridlab.errors import ChainError

__all__ = ["claim", "lock", "refund", "tell_stops"]


def lock(state: State, call: Call) -> None:
    """Lock amounts of the sender under hashes, all or none."""
    forbid_redeeming(state, call.frame, "payee")
    locked, ledger = state.locked, state.ledger.fork()
    locks = make_locks(locked.locks, ledger, call.frame, call.account, call.timestamp, locked.stops)
    state.ledger, state.locked = ledger, replace(locked, locks=locks)


def claim(state: State, call: Call) -> None:
    """Pay locks to their payees by preimages, all or none."""
    locked, ledger = state.locked, state.ledger.fork()
    locks = claim_locks(locked.locks, ledger, call.frame, call.timestamp, locked.stops)
    state.ledger, state.locked = ledger, replace(locked, locks=locks)


def refund(state: State, call: Call) -> None:
    """Give locks back after their timeouts, all or none."""
    locked, ledger = state.locked, state.ledger.fork()
    locks = refund_locks(locked.locks, ledger, call.frame, call.timestamp, locked.stops)
    state.ledger, state.locked = ledger, replace(locked, locks=locks)


def tell_stops(state: State, call: Call) -> None:
    """Note that a chain stands, or goes on: what is locked here does not run out meanwhile.

    Of this chain a regulator can tell so only while it has no emergency council, whose word it then is.
    """
    for chain, stands in call.frame.select("chain", "stands").rows():
        if chain == state.chain_id and ((stands and state.emergency.seats) or state.emergency.stands("chain")):
            raise ChainError(
                f"stop: {chain!r} is this chain, which its emergency council stops and a vote lets go on; send "
                "'emergency_approve' or 'emergency_resume'"
            )
    stops = note_stops(state.locked.stops, call.frame, call.timestamp, state.chain_id)
    take_stops(state, stops, call.timestamp)
