"""The public chain: BABE-like block production, GRANDPA finality, fees in GRID, pallets, attested identities."""

from __future__ import annotations

from gridlab.chain.public.accounts import PublicAccounts
from gridlab.chain.public.authorities import AuthoritySet, Justification, finality_message, supermajority
from gridlab.chain.public.blocks import PublicBlock, PublicHeader
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.fees import FeeRules
from gridlab.chain.public.pallets import Pallet, effects_with
from gridlab.chain.public.possession import candidacy_frame, possession_message
from gridlab.chain.public.rules import PublicCall, PublicEffect, RuleSet
from gridlab.chain.public.simulation import PublicTrace, simulate_public
from gridlab.chain.public.state import PublicState
from gridlab.chain.public.table import EFFECTS
from gridlab.chain.public.terms import PublicTerms

__all__ = [
    "EFFECTS",
    "AuthoritySet",
    "FeeRules",
    "Justification",
    "Pallet",
    "PublicAccounts",
    "PublicBlock",
    "PublicCall",
    "PublicChain",
    "PublicEffect",
    "PublicHeader",
    "PublicState",
    "PublicTerms",
    "PublicTrace",
    "RuleSet",
    "candidacy_frame",
    "effects_with",
    "finality_message",
    "possession_message",
    "simulate_public",
    "supermajority",
]
