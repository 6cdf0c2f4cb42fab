"""The bridge: light clients, proofs against a spec, packets executed once, anchored roots, events proved alone.

The names below are loaded when they are first used: the state of a chain holds a `BridgeEnd`, and what drives two
chains stands above both.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridlab.chain.bridge.client import LightClient as LightClient
    from gridlab.chain.bridge.driver import Bridge as Bridge
    from gridlab.chain.bridge.end import BridgeEnd as BridgeEnd
    from gridlab.chain.bridge.events import EventProof as EventProof
    from gridlab.chain.bridge.events import prove_event as prove_event
    from gridlab.chain.bridge.events import verify_event as verify_event
    from gridlab.chain.bridge.finality import FinalityProof as FinalityProof
    from gridlab.chain.bridge.inclusion import Inclusion as Inclusion
    from gridlab.chain.bridge.inclusion import ProofSpec as ProofSpec
    from gridlab.chain.bridge.packet import Packet as Packet
    from gridlab.chain.bridge.proofs import BridgeProof as BridgeProof
    from gridlab.chain.bridge.registered import RegisteredProof as RegisteredProof
    from gridlab.chain.bridge.registered import prove_registered as prove_registered
    from gridlab.chain.bridge.registry import PublicRegistry as PublicRegistry
    from gridlab.chain.bridge.signed_header import Anchor as Anchor
    from gridlab.chain.bridge.signed_header import SignedHeader as SignedHeader
    from gridlab.chain.bridge.small_chain import SmallChain as SmallChain
    from gridlab.chain.bridge.terms import BridgeTerms as BridgeTerms

_MODULES = {
    "Anchor": "signed_header",
    "Bridge": "driver",
    "BridgeEnd": "end",
    "BridgeProof": "proofs",
    "BridgeTerms": "terms",
    "EventProof": "events",
    "FinalityProof": "finality",
    "Inclusion": "inclusion",
    "LightClient": "client",
    "Packet": "packet",
    "ProofSpec": "inclusion",
    "PublicRegistry": "registry",
    "RegisteredProof": "registered",
    "SignedHeader": "signed_header",
    "SmallChain": "small_chain",
    "prove_event": "events",
    "prove_registered": "registered",
    "verify_event": "events",
}

__all__ = [
    "Anchor",
    "Bridge",
    "BridgeEnd",
    "BridgeProof",
    "BridgeTerms",
    "EventProof",
    "FinalityProof",
    "Inclusion",
    "LightClient",
    "Packet",
    "ProofSpec",
    "PublicRegistry",
    "RegisteredProof",
    "SignedHeader",
    "SmallChain",
    "prove_event",
    "prove_registered",
    "verify_event",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'gridlab.chain.bridge' has no attribute {name!r}")
    return getattr(import_module(f"gridlab.chain.bridge.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
