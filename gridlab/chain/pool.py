"""Transactions that wait for a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError

__all__ = ["Pool"]


class Pool:
    """Waiting transactions in the order of their arrival, within the limits of the chain's terms."""

    __slots__ = ("_bytes", "_of_sender", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[bytes, Transaction] = {}
        self._of_sender: Counter[bytes] = Counter()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Pool({len(self)} waiting, {self._bytes} bytes)"

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[Transaction, ...]:
        """All of them."""
        return tuple(self._waiting.values())

    def of_sender(self, sender: bytes) -> int:
        """Return how many of a sender's transactions wait."""
        return self._of_sender[sender]

    def add(self, transaction: Transaction, terms: ChainTerms) -> None:
        """Let a transaction wait; one that waits already is not taken twice.

        Raises
        ------
        ChainError
            It is too large, its sender has too many waiting, or the pool is full. Nothing has changed then.
        """
        if transaction.id in self._waiting:
            return
        size, sender = transaction.size, transaction.sender
        if size > terms.transaction_bytes:
            raise ChainError(
                f"the transaction has {size} bytes, allowed: {terms.transaction_bytes}; split its frame in two"
            )
        if self._of_sender[sender] >= terms.pending_per_sender:
            raise ChainError(
                f"{terms.pending_per_sender} transactions of {hexadecimal(sender)} wait already, the most that one "
                "sender may have; send again after the next block, or put many orders into one batch"
            )
        if self._bytes + size > terms.pending_bytes:
            raise ChainError(
                f"the pool holds {self._bytes} bytes of {terms.pending_bytes}, {size} more do not fit; send again after "
                "the next block"
            )
        self._waiting[transaction.id] = transaction
        self._of_sender[sender] += 1
        self._bytes += size

    def next_block(self, terms: ChainTerms) -> tuple[Transaction, ...]:
        """Return the oldest transactions that fit into one block."""
        taken, size = [], 0
        for transaction in self._waiting.values():
            size += transaction.size
            if size > terms.block_bytes or len(taken) == terms.block_transactions:
                break
            taken.append(transaction)
        return tuple(taken)

    def remove(self, taken: Sequence[Transaction]) -> None:
        """Let those go that a block has taken."""
        for transaction in taken:
            if self._waiting.pop(transaction.id, None) is not None:
                self._of_sender[transaction.sender] -= 1
                self._bytes -= transaction.size
