"""The table of all kinds of transaction of the public chain; a new kind is a new row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridlab.chain.public.bridge_effects import BRIDGE_EFFECTS
from gridlab.chain.public.channel_effects import CHANNEL_EFFECTS
from gridlab.chain.public.effects import BASE_EFFECTS
from gridlab.chain.public.registry_effects import REGISTRY_EFFECTS
from gridlab.chain.public.rules import PublicEffect
from gridlab.chain.public.staking_effects import STAKING_EFFECTS
from gridlab.chain.public.swap_effects import SWAP_EFFECTS

__all__ = ["EFFECTS"]

EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {**BASE_EFFECTS, **STAKING_EFFECTS, **SWAP_EFFECTS, **CHANNEL_EFFECTS, **BRIDGE_EFFECTS, **REGISTRY_EFFECTS}
)
