"""Hash time locks on the consortium chain, and what it is told of emergency stops."""

from __future__ import annotations

from dataclasses import replace

from gridlab.chain.effects.effect import Call
from gridlab.chain.state import State
from gridlab.chain.swaps.wire import claim_locks, make_locks, note_stops, refund_locks

__all__ = ["claim", "lock", "refund", "tell_stops"]


def lock(state: State, call: Call) -> None:
    """Lock amounts of the sender under hashes, all or none."""
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
    """Note that a chain stands, or goes on: what is locked here does not run out meanwhile."""
    stops = note_stops(state.locked.stops, call.frame, call.timestamp, state.chain_id)
    state.locked = replace(state.locked, stops=stops)
