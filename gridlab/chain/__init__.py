"""Chains: keys, transactions, Merkle trees, an exact ledger, blocks and the consortium chain."""

from gridlab.chain.blocks import Block, Header, Receipt
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair
from gridlab.chain.ledger import Ledger
from gridlab.chain.ordering import Ordering, SingleSequencer
from gridlab.chain.transactions import Transaction

__all__ = [
    "Block",
    "ConsortiumChain",
    "Header",
    "KeyPair",
    "Ledger",
    "Ordering",
    "Receipt",
    "SingleSequencer",
    "Transaction",
]
