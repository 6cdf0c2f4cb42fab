"""Chains: keys, transactions, Merkle trees, an exact ledger, blocks and the consortium chain."""

from gridlab.chain.blocks import Block, Header, Receipt
from gridlab.chain.consensus import Consensus
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair
from gridlab.chain.ledger import Ledger
from gridlab.chain.ordering import Ordering, SingleSequencer
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.store import Store
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transactions import Transaction

__all__ = [
    "Block",
    "ChainTerms",
    "Consensus",
    "ConsortiumChain",
    "Header",
    "KeyPair",
    "Ledger",
    "Ordering",
    "PbftOrdering",
    "Receipt",
    "SingleSequencer",
    "Store",
    "Transaction",
]
