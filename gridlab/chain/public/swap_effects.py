"""Kinds of transaction for hash time locks, with which GRID is swapped for WATT without trust.

The frames are those of the consortium chain (`gridlab.chain.swaps.wire`). This chain cannot be stopped, but governance
tells it when a chain stands that locks here watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.parts import LockPart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.chain.swaps.wire import (
    EMERGENCY_STOPS,
    HASH_CLAIMS,
    HASH_LOCKS,
    HASH_REFUNDS,
    claim_locks,
    make_locks,
    note_stops,
    refund_locks,
)
from gridlab.errors import ChainError

__all__ = ["LOCKS", "SWAP_EFFECTS"]

LOCKS = "locks"
_BASE, _HEAVY = 100, 200


def _lock(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    part.book = make_locks(part.book, state.ledger, call.frame, call.account, call.timestamp, part.stops)


def _claim(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    part.book = claim_locks(part.book, state.ledger, call.frame, call.timestamp, part.stops)


def _refund(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    part.book = refund_locks(part.book, state.ledger, call.frame, call.timestamp, part.stops)


def _stop(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    own = part.book.chain
    if own in call.frame["chain"].to_list():
        raise ChainError(f"stop: {own!r} is this chain itself, which nobody can stop; tell it of another chain's stop")
    part.stops = note_stops(part.stops, call.frame, call.timestamp, own)


SWAP_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "hash_lock": PublicEffect(HASH_LOCKS, EVERYONE, _lock, _BASE, _HEAVY, "an amount locked under a hash"),
        "hash_claim": PublicEffect(HASH_CLAIMS, EVERYONE, _claim, _BASE, _HEAVY, "a lock claimed by its preimage"),
        "hash_refund": PublicEffect(
            HASH_REFUNDS, EVERYONE, _refund, _BASE, _HEAVY, "a lock taken back after its timeout"
        ),
        "emergency_stop": PublicEffect(
            EMERGENCY_STOPS, ("governance",), _stop, _BASE, _HEAVY, "another chain stands or goes on"
        ),
    }
)
