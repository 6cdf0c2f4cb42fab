"""Transactions that wait for a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gridlab.chain.transactions import Transaction

__all__ = ["Pool"]


class Pool:
    """Waiting transactions in the order of their arrival."""

    __slots__ = ("_of_sender", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Transaction] = []
        self._of_sender: Counter[bytes] = Counter()

    def __repr__(self) -> str:
        return f"Pool({len(self)} waiting)"

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[Transaction, ...]:
        """All of them."""
        return tuple(self._waiting)

    def of_sender(self, sender: bytes) -> int:
        """Return how many of a sender's transactions wait."""
        return self._of_sender[sender]

    def add(self, transaction: Transaction) -> None:
        """Let a transaction wait."""
        self._waiting.append(transaction)
        self._of_sender[transaction.sender] += 1

    def remove(self, taken: Sequence[Transaction]) -> None:
        """Let those go that a block has taken; an ordering may leave some for a later block."""
        # Counted, not a set: the same transaction may have been submitted twice.
        copies = Counter(transaction.id for transaction in taken)
        left = []
        for transaction in self._waiting:
            copies[transaction.id] -= 1
            if copies[transaction.id] < 0:
                left.append(transaction)
        self._waiting = left
        self._of_sender = Counter(transaction.sender for transaction in left)
