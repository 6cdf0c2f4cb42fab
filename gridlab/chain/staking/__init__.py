"""Nominated proof of stake: bonding, eras, rewards by reward curve, slashing with spans."""

from gridlab.chain.staking.booking import carry_out
from gridlab.chain.staking.concentration import gini_coefficient, nakamoto_coefficient, stake_distribution
from gridlab.chain.staking.curve import Inflation, era_payout, inflation, reward_curve, reward_curve_parts
from gridlab.chain.staking.evidence import EquivocationProof, Statement, sign_statement, statement_message
from gridlab.chain.staking.fractions_slashed import equivocation_slash, offline_slash
from gridlab.chain.staking.rules import StakingAccounts, StakingRules
from gridlab.chain.staking.staking import Staking
from gridlab.chain.staking.terms import StakingTerms

__all__ = [
    "EquivocationProof",
    "Inflation",
    "Staking",
    "StakingAccounts",
    "StakingRules",
    "StakingTerms",
    "Statement",
    "carry_out",
    "equivocation_slash",
    "era_payout",
    "gini_coefficient",
    "inflation",
    "nakamoto_coefficient",
    "offline_slash",
    "reward_curve",
    "reward_curve_parts",
    "sign_statement",
    "stake_distribution",
    "statement_message",
]
