"""How far an emergency stop reaches: the whole market, the chain, one asset or one zone; and what each scope refuses.

======  =============================================  ============================================
scope   refuses                                        freezes
======  =============================================  ============================================
market  orders, gate closures, trades made elsewhere   nothing
zone    the same in this zone; its resting orders do   nothing
        not meet when the gate closes for the others
asset   whatever would move it, and where the market   locks, channels and two-phase transfers in
        settles in it what a stop of the market does   this asset
chain   everything but `GOES_ON`                       locks, channels and two-phase transfers
======  =============================================  ============================================
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_text
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.errors import ChainError, nearest

__all__ = ["ACTIONS", "EMERGENCY_KINDS", "GOES_ON", "MARKET_KINDS", "SCOPES", "SETTLEMENT_ASSET", "require_target"]

ACTIONS = pl.Enum(["stop", "resume"])
SCOPES = pl.Enum(["market", "chain", "asset", "zone"])

SETTLEMENT_ASSET = "WATT"
MARKET_KINDS = frozenset({"order_batch", "gate_closure", "trade"})
EMERGENCY_KINDS = frozenset({"emergency_council", "emergency_approve", "emergency_resume"})
# What goes on while the chain stands: what leads out of the emergency, and what tells the truth about the world. Light
# clients must follow meanwhile, or they would expire and nothing could come home over the bridge.
GOES_ON = EMERGENCY_KINDS | {
    *("emergency_stop", "membership", "validators", "upgrade"),
    *("oracle_providers", "oracle_report", "reserve", "reserve_attestation", "watt_pause"),
    *("bridge_header", "bridge_conflict"),
}

_LONGEST_ZONE = 64


def require_target(scope: str, target: str) -> None:
    """Raise ChainError unless `target` is what a stop of this scope may name: an asset, a zone, or nothing."""
    if scope == "asset":
        if target not in ASSET_NAMES:
            raise ChainError(f"emergency: the ledger has no asset {target!r}; {nearest(target, ASSET_NAMES)}")
    elif scope == "zone":
        if not require_text("target", target, longest=_LONGEST_ZONE):
            raise ChainError("emergency: a stop of a zone names none, allowed: the zone's name as orders write it")
    elif target:
        raise ChainError(f"emergency: a stop of the {scope} names {target!r}, allowed: no target")
