"""The market: order frames in; prices, fills and trades out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gridlab.market.clearing import Clearing, clear

__all__ = [
    "Clearing",
    "clear",
    "clear_blocks",
    "couple",
    "mark_to_market",
    "match",
    "pilot",
    "settle_forwards",
    "settle_ppa",
    "share_community",
    "thai_zones",
]

# Loaded when first used: name -> module.
_LATER = {
    "clear_blocks": "gridlab.market.block_orders.blocks",
    "couple": "gridlab.market.zones.coupling",
    "mark_to_market": "gridlab.market.time_scales.futures",
    "match": "gridlab.market.green.matching_24_7",
    "pilot": "gridlab.market.time_scales.ppa_pilot",
    "settle_forwards": "gridlab.market.time_scales.futures",
    "settle_ppa": "gridlab.market.time_scales.ppa",
    "share_community": "gridlab.market.time_scales.community",
    "thai_zones": "gridlab.market.zones.transfer_limits",
}

if TYPE_CHECKING:
    from gridlab.market.block_orders.blocks import clear_blocks as clear_blocks
    from gridlab.market.green.matching_24_7 import match as match
    from gridlab.market.time_scales.community import share_community as share_community
    from gridlab.market.time_scales.futures import mark_to_market as mark_to_market
    from gridlab.market.time_scales.futures import settle_forwards as settle_forwards
    from gridlab.market.time_scales.ppa import settle_ppa as settle_ppa
    from gridlab.market.time_scales.ppa_pilot import pilot as pilot
    from gridlab.market.zones.coupling import couple as couple
    from gridlab.market.zones.transfer_limits import thai_zones as thai_zones


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gridlab.market' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
