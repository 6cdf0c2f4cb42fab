"""Kinds of transaction for payment and state channels, as on the consortium chain (`gridlab.chain.channels.wire`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gridlab.chain.channels.wire import (
    CHANNEL_OPENINGS,
    CHANNEL_PREIMAGES,
    CHANNEL_SETTLEMENTS,
    CHANNEL_STATES,
    CHANNEL_TOP_UPS,
)
from gridlab.chain.effects.channelling import Scene, take_step
from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.parts import ChannelPart, LockPart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.chain.public.swap_effects import LOCKS
from gridlab.frames import Schema

__all__ = ["CHANNELS", "CHANNEL_EFFECTS"]

CHANNELS = "channels"
# Two signatures to verify, or postings on the ledger: teaching choices of the order of those for locks.
_BASE, _LIGHT, _HEAVY = 100, 100, 300


def _step(kind: str) -> Callable[[PublicState, PublicCall], None]:
    def act(state: PublicState, call: PublicCall) -> None:
        part, stops = part_of(state, CHANNELS, ChannelPart), part_of(state, LOCKS, LockPart).stops
        scene = Scene(state.ledger, stops, call.timestamp, call.account, state.accounts)
        part.book = take_step(kind, part.book, call.frame, scene)

    return act


def _effect(kind: str, schema: Schema, weight: int, meaning: str) -> PublicEffect:
    return PublicEffect(schema, EVERYONE, _step(kind), _BASE, weight, meaning)


CHANNEL_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        kind: _effect(kind, schema, weight, meaning)
        for kind, schema, weight, meaning in (
            ("channel_open", CHANNEL_OPENINGS, _HEAVY, "a channel that both sides have signed"),
            ("channel_top_up", CHANNEL_TOP_UPS, _LIGHT, "more put into a channel by a side of it"),
            ("channel_close_together", CHANNEL_STATES, _HEAVY, "a channel paid by its final state"),
            ("channel_close", CHANNEL_STATES, _HEAVY, "a channel that one side closes alone"),
            ("channel_dispute", CHANNEL_STATES, _HEAVY, "a newer state than the one that stands"),
            ("channel_reveal", CHANNEL_PREIMAGES, _LIGHT, "a conditional payment won by a preimage"),
            ("channel_settle", CHANNEL_SETTLEMENTS, _LIGHT, "a channel paid after its window"),
        )
    }
)
