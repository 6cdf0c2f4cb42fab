"""The kind of transaction that enters an event of the consortium chain into the public register, by proof."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.parts import BRIDGE_PART, REGISTRY_PART, BridgePart, RegistryPart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.frames import Column, Schema

__all__ = ["REGISTRY_EFFECTS", "REGISTRY_ENTRIES"]

_BASE, _HEAVY = 100, 1_000

REGISTRY_ENTRIES = Schema(
    "registry_entries",
    (
        Column("client", pl.String, "text", "name of the light client of the chain on which the event took place"),
        Column("proof", pl.Binary, "binary", "the event's proof up to a header that this client holds"),
    ),
)


def _enter(state: PublicState, call: PublicCall) -> None:
    """Enter events that are proved, all or none; whoever brings the proof need not be trusted."""
    part, end = part_of(state, REGISTRY_PART, RegistryPart), part_of(state, BRIDGE_PART, BridgePart).end
    registry = part.registry
    for client, proof in call.frame.rows():
        registry = registry.add(proof, end.client(client))
    part.registry = registry


REGISTRY_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "registry_entry": PublicEffect(
            REGISTRY_ENTRIES, EVERYONE, _enter, _BASE, _HEAVY, "a certificate's event of another chain, by proof"
        )
    }
)
