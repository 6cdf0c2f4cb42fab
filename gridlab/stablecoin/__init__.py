"""WATT as a stablecoin: proof of liabilities, and what happens in a run."""

from gridlab.stablecoin.liabilities import LiabilityTree, holders_of
from gridlab.stablecoin.proofs import LiabilityProof, LiabilityStatement, check_holding
from gridlab.stablecoin.terms import HolderTerms, WattTerms
from gridlab.stablecoin.verdict import HoldingVerdict, judge_holding

__all__ = [
    "HolderTerms",
    "HoldingVerdict",
    "LiabilityProof",
    "LiabilityStatement",
    "LiabilityTree",
    "WattTerms",
    "check_holding",
    "holders_of",
    "judge_holding",
]
