"""Transactions that wait for a block.

Whoever sends a transaction, only its signature says in whose name it comes. So a member's share of the pool, and the
count from which his next nonce follows, are of those that he signed; all that are not signed have one share together,
and cannot keep anybody out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError

__all__ = ["Pool"]

_NOBODY = b""


class Pool:
    """Waiting transactions in the order of their arrival, within the limits of the chain's terms.

    Parameters
    ----------
    chain_id : str
        The chain for whose blocks they wait.
    """

    __slots__ = ("_arrived", "_bytes", "_ids", "_of_sender", "_queue")

    def __init__(self, chain_id: str) -> None:
        self._queue = TransactionList(chain_id)
        self._arrived: list[TransactionList] = []  # one by one since the queue was last looked at, and behind it
        self._ids: set[bytes] = set()
        self._of_sender: Counter[bytes] = Counter()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Pool({len(self)} waiting, {self._bytes} bytes)"

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def waiting(self) -> TransactionList:
        """All of them."""
        if self._arrived:
            self._queue = TransactionList.joined([self._queue, *self._arrived], self._queue.chain_id)
            self._arrived = []
        return self._queue

    def of_sender(self, sender: bytes) -> int:
        """Return how many transactions wait that a sender has signed."""
        return self._of_sender[sender]

    def add(self, transaction: Transaction, terms: ChainTerms) -> None:
        """Let a transaction wait; one that waits already is not taken twice.

        Raises
        ------
        ChainError
            It is too large, its sender has too many waiting, or the pool is full. Nothing has changed then.
        """
        if transaction.id in self._ids:
            return
        size = transaction.size
        _require_size("the transaction", size, terms)
        listed = TransactionList.of([transaction], self._queue.chain_id)
        counts = _owners(listed)
        self._require_room(size, counts, terms)
        self._arrived.append(listed)
        self._ids.add(transaction.id)
        self._of_sender.update(counts)
        self._bytes += size

    def add_many(self, transactions: TransactionList, terms: ChainTerms) -> int:
        """Let many transactions wait, all or none; return how many did not wait already.

        Raises
        ------
        ChainError
            As for `add`; nothing has changed then.
        """
        fresh = {name: place for place, name in reversed(list(enumerate(transactions.ids))) if name not in self._ids}
        places = sorted(fresh.values())
        if len(places) < len(transactions):
            transactions = transactions.take(places)
        counts, sizes = _owners(transactions), transactions.sizes
        if places:
            largest = int(np.argmax(sizes))
            _require_size(f"transactions[{places[largest]}]", int(sizes[largest]), terms)
        self._require_room(int(sizes.sum()), counts, terms)
        self._queue = self.waiting + transactions
        self._ids.update(fresh)
        self._of_sender.update(counts)
        self._bytes += int(sizes.sum())
        return len(places)

    def _require_room(self, size: int, counts: Mapping[bytes, int], terms: ChainTerms) -> None:
        for sender, more in counts.items():
            if self._of_sender[sender] + more > terms.pending_per_sender:
                whose = f"of {hexadecimal(sender)}" if sender != _NOBODY else "without a valid signature"
                raise ChainError(
                    f"{self._of_sender[sender]} transactions {whose} wait already, {more} more would "
                    f"be above the {terms.pending_per_sender} that one sender may have; send again after the next "
                    "block, or put many orders into one batch"
                )
        if self._bytes + size > terms.pending_bytes:
            raise ChainError(
                f"the pool holds {self._bytes} bytes of {terms.pending_bytes}, {size} more do not fit; send again "
                "after the next block"
            )

    def next_block(self, terms: ChainTerms) -> TransactionList:
        """Return the oldest transactions that fit into one block."""
        waiting = self.waiting
        fit = int(np.searchsorted(np.cumsum(waiting.sizes), terms.block_bytes, side="right"))
        # One is taken whatever its size, below which the terms may have fallen: executed, it is refused and gone.
        return waiting[: max(1, min(fit, terms.block_transactions))]

    def remove(self, taken: Sequence[Transaction]) -> None:
        """Let those go that a block has taken."""
        waiting = self.waiting
        ids = taken.ids if isinstance(taken, TransactionList) else [each.id for each in taken]
        if waiting.ids[: len(ids)] == ids:
            self._queue = waiting[len(ids) :]
        else:
            gone = set(ids)
            self._queue = waiting.take([place for place, name in enumerate(waiting.ids) if name not in gone])
        self._ids.difference_update(ids)
        self._of_sender = _owners(self._queue)
        self._bytes = int(self._queue.sizes.sum())


def _owners(transactions: TransactionList) -> Counter[bytes]:
    """Count the transactions of each sender who signed them, and all others under `_NOBODY`."""
    named = zip(transactions.senders, transactions.signed, strict=True)
    return Counter(sender if signed else _NOBODY for sender, signed in named)


def _require_size(what: str, size: int, terms: ChainTerms) -> None:
    if size > terms.transaction_bytes:
        raise ChainError(f"{what} has {size} bytes, allowed: {terms.transaction_bytes}; split its frame in two")
