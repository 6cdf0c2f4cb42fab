"""Shards by region: home shards, transfers between them in two phases, one root over all."""

from gridlab.chain.shards.homes import HOMES, SHARD_NAMES, SUPPLY, home_shards
from gridlab.chain.shards.in_chain import ChainAccountProof, ChainShards, verify_chain_account
from gridlab.chain.shards.letters import AbsenceLetter, ParcelLetter, ReceiptLetter
from gridlab.chain.shards.parcels import Parcel, Receipt
from gridlab.chain.shards.plan import ShardPlan
from gridlab.chain.shards.proofs import AccountProof, verify_account
from gridlab.chain.shards.sharded import ShardBlock, ShardedLedger
from gridlab.chain.shards.terms import ShardTerms

__all__ = [
    "HOMES",
    "SHARD_NAMES",
    "SUPPLY",
    "AbsenceLetter",
    "AccountProof",
    "ChainAccountProof",
    "ChainShards",
    "Parcel",
    "ParcelLetter",
    "Receipt",
    "ReceiptLetter",
    "ShardBlock",
    "ShardPlan",
    "ShardTerms",
    "ShardedLedger",
    "home_shards",
    "verify_account",
    "verify_chain_account",
]
