"""Transactions that wait for a block: who pays more for space goes first, and each sender's in the order of nonces.

Priority is Substrate's: the tip, plus one, times how often the transaction would fit into a block. So of two equal tips
the smaller transaction wins, and without any tip the smaller one does, too. A transaction never overtakes an earlier
one of its sender, and so has at most that one's priority.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/transaction-payment/src/lib.rs`` (``get_priority``), 2024.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.rules import RuleSet
from gridlab.chain.public.state import PublicState
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import ChainError

__all__ = ["PublicPool"]

Int64Array = npt.NDArray[np.int64]

LARGEST_POOL_BYTES = 2**29
# Beyond this, how often a transaction fits makes no difference; so a priority stays below 2^63.
_MOST_FITTING = 2**22


class PublicPool:
    """What waits.

    Parameters
    ----------
    chain_id : str

    Attributes
    ----------
    version : int
        Counts the changes.
    """

    __slots__ = ("_arrived", "_bytes", "_ids", "_next", "version")

    def __init__(self, chain_id: str) -> None:
        # Joined when somebody asks, so that a thousand that come one by one are not copied a thousand times.
        self._arrived: list[Batch] = [Batch.of(TransactionList(chain_id))]
        self._ids: set[bytes] = set()
        self._next: dict[bytes, int] = {}
        self._bytes = self.version = 0

    def __repr__(self) -> str:
        return f"PublicPool({len(self)} transactions, {self._bytes} bytes)"

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def batch(self) -> Batch:
        """All of them, in the order of arrival."""
        self._arrived = [Batch.joined(self._arrived)]
        return self._arrived[0]

    def next_nonce(self, sender: bytes, least: int) -> int:
        """Return the nonce after the sender's highest that waits, at least `least`."""
        return max(least, self._next.get(sender, 0))

    def add(self, batch: Batch) -> int:
        """Let transactions wait; return how many did not wait already.

        Raises
        ------
        ChainError
            There is no room; nothing has changed then.
        """
        ids = batch.transactions.ids
        fresh = {name: place for place, name in reversed(list(enumerate(ids))) if name not in self._ids}
        places = sorted(fresh.values())
        size = int(batch.size[places].sum())
        if self._bytes + size > LARGEST_POOL_BYTES:
            raise ChainError(
                f"the pool holds {self._bytes} bytes of {LARGEST_POOL_BYTES}, {size} more do not fit; run a few slots"
            )
        chosen = batch if len(places) == len(batch) else batch.take(np.array(places, np.int64))
        self._arrived.append(chosen)
        self._ids.update(fresh)
        self._bytes += size
        self.version += 1
        self._count(chosen)
        return len(places)

    def _count(self, batch: Batch) -> None:
        for sender, nonce in zip(batch.transactions.senders, batch.nonce.tolist(), strict=True):
            self._next[sender] = max(self._next.get(sender, 0), nonce + 1)

    def next_block(self, state: PublicState, rules: RuleSet, height: int) -> Batch:
        """Return what an author takes for a block after `state`, best paid first."""
        batch, fees = self.batch, rules.fees
        account_of = state.accounts.account_of
        account = np.array([account_of.get(key, -1) for key in batch.transactions.senders], np.int64)
        known = np.append(state.accounts.verified, np.False_)[account]
        due = np.append(state.nonces, np.uint64(0))[account]
        usable = known & (batch.nonce >= due) & (batch.expiry >= height) & (batch.expiry <= height + fees.lifetime)
        weight = _weights(batch, rules)
        usable &= (weight > 0) & (weight <= fees.block_weight) & (batch.size <= fees.block_bytes)
        places = np.flatnonzero(usable)
        if not len(places):
            return batch.take(places)
        fits = np.minimum(fees.block_weight // weight[places], fees.block_bytes // batch.size[places])
        priority = (batch.tip[places] + 1) * np.minimum(fits, _MOST_FITTING)
        order = _ordered(places, account[places], (batch.nonce - due)[places], priority)
        full = (np.cumsum(weight[order]) > fees.block_weight) | (np.cumsum(batch.size[order]) > fees.block_bytes)
        return batch.take(order[: int(np.argmax(full))] if full.any() else order)

    def nothing(self, _state: PublicState, _rules: RuleSet, _height: int) -> Batch:
        """Return no transaction, for a block that is to be empty."""
        return self.batch.take(np.zeros(0, np.int64))

    def forget(self, state: PublicState, height: int) -> None:
        """Let those go whose nonce a final state has passed, or that are good for no block after `height`."""
        if not self._ids:
            return
        batch, account_of = self.batch, state.accounts.account_of
        account = np.array([account_of.get(key, -1) for key in batch.transactions.senders], np.int64)
        due = np.append(state.nonces, np.uint64(0))[account]
        stays = (batch.nonce >= due) & (batch.expiry > height)
        if stays.all():
            return
        self.version += 1
        left = batch.take(np.flatnonzero(stays))
        self._arrived, self._ids, self._next = [left], set(left.transactions.ids), {}
        self._bytes = int(left.size.sum())
        self._count(left)

    def frame(self) -> pl.DataFrame:
        """Return what waits: id, kind, sender, nonce, expiry, tip (micro-GRID), bytes."""
        batch = self.batch
        columns: dict[str, Any] = {
            "id": pl.Series([hexadecimal(name) for name in batch.transactions.ids], dtype=pl.String),
            "kind": pl.Series(batch.kinds, dtype=pl.String),
            "sender": pl.Series([hexadecimal(key) for key in batch.transactions.senders], dtype=pl.String),
            "nonce": batch.nonce,
            "expiry": batch.expiry,
            "tip": batch.tip,
            "bytes": batch.size,
        }
        return pl.DataFrame(columns)


def _weights(batch: Batch, rules: RuleSet) -> Int64Array:
    """Return the weight of each transaction, 0 where the rules do not know its kind."""
    table = {kind: (effect.weight, effect.row_weight) for kind, effect in rules.effects.items()}
    fixed, per_row = table.get("transfer", (0, 0))
    weights = fixed + per_row * batch.rows
    for place in np.flatnonzero(~batch.single).tolist():
        fixed, per_row = table.get(batch.transactions[place].kind, (0, 0))
        weights[place] = fixed + per_row * int(batch.rows[place])
    return weights


def _ordered(places: Int64Array, account: Int64Array, ahead: Any, priority: Int64Array) -> Int64Array:
    """Return the places of transactions that can go one after another, in the order of priority.

    `ahead` says how many nonces of the sender must come before. Of two with one nonce the better paid one goes.
    """
    rows = pl.DataFrame({"place": places, "account": account, "ahead": ahead, "priority": priority})
    return (
        rows.lazy()
        .sort("account", "ahead", "priority", "place", descending=[False, False, True, False])
        .unique(["account", "ahead"], keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("account") == pl.col("ahead"))
        .with_columns(pl.col("priority").cum_min().over("account"), came=pl.col("place").cum_max().over("account"))
        .sort("priority", "came", "ahead", descending=[True, False, False])
        .select("place")
        .collect()["place"]
        .to_numpy()
    )
