"""A shard's own ledger, and the rows by which a shard writes in it.

The ledger has an account per account of the shard and one more, *abroad*, which stands for all other shards. A transfer
within the shard is one row. One that leaves it is pending towards *abroad* until its receipt is there, and then posted
or voided; one that arrives comes from *abroad*. So *abroad* owes what the shard's accounts hold, except in the shard of
the issuers, where it holds what circulates elsewhere. There it also has a float of every asset, since what it sent may
come back before the receipt does; backing sees as much more of the token as of its reserve, so nothing is loosened.

Every row is numbered by the shard itself, in rising order, so that the ledger need not search for one that it has seen;
what accounts have sent before is remembered apart (`gridlab.chain.shards.memory`).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.encoding import u32
from gridlab.chain.ledger import Columns, Ledger
from gridlab.chain.ledger.results import OK
from gridlab.chain.ledger.schema import ASSET_NAMES, PENDING, POST, SINGLE, VOID
from gridlab.chain.merkle_tree import MerkleTree
from gridlab.chain.shards.homes import SUPPLY, Homes
from gridlab.chain.shards.parcels import Parcel
from gridlab.errors import ChainError

__all__ = ["ABROAD", "Founding", "OpenParcel", "ShardBook"]

# What a leaf calls the account abroad, and under which sender the shard's own rows stand.
ABROAD = 2**32 - 1
_SENDER = 2**32 - 1
# More than ever is between its arrival and its receipt, and little enough to be added up in Int64.
_FLOAT = 2**50

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Founding:
    """What a shard is made of, sent once to wherever it lives.

    Attributes
    ----------
    shard : int
    homes : Homes
    issuers : tuple of (str, int)
        Asset and account, by its number in the whole.
    backing : tuple of (str, str)
        Asset, and the asset that backs it.
    """

    shard: int
    homes: Homes
    issuers: tuple[tuple[str, int], ...]
    backing: tuple[tuple[str, str], ...]

    @property
    def issues(self) -> bool:
        """Whether the issuers live here."""
        return self.homes.names[self.shard] == SUPPLY


@dataclass(frozen=True, slots=True, eq=False)
class OpenParcel:
    """A parcel that was sent and of which nothing is known yet.

    Attributes
    ----------
    parcel : Parcel
    pending : array of uint64
        Numbers of the pending rows that it left in the shard's ledger.
    """

    parcel: Parcel
    pending: Array


class ShardBook:
    """The ledger of one shard, and the tree over its accounts.

    Parameters
    ----------
    founding : Founding

    Attributes
    ----------
    ledger : Ledger
    abroad : int
        Number of the account that stands for all other shards: the first after the shard's own.
    """

    __slots__ = ("_homes", "_members", "_shard", "_touched", "_tree", "_written", "abroad", "ledger")

    def __init__(self, founding: Founding) -> None:
        self._homes, self._shard = founding.homes, founding.shard
        members = self._homes.members(self._shard)
        self.abroad = len(members)
        # Last comes who owes: abroad itself, or whoever gave it its float.
        self._members = np.append(members, [ABROAD] * (1 + founding.issues))
        issuers = {asset: [len(self._members) - 1] for asset in ASSET_NAMES}
        for asset, account in founding.issuers if founding.issues else ():
            issuers[asset].append(int(self._homes.local[account]))
        backing = dict(founding.backing) if founding.issues else {}
        self.ledger = Ledger(len(self._members), issuers=issuers, backing=backing)
        self._written = 0
        if founding.issues:
            self._give_float()
        self._touched = np.zeros(len(self._members), np.bool_)
        self._tree = MerkleTree(self.leaves())

    def __repr__(self) -> str:
        return f"ShardBook({self._homes.names[self._shard]}, {self.ledger!r})"

    def fork(self) -> ShardBook:
        """Return an independent copy."""
        twin = copy(self)
        twin.ledger = self.ledger.fork()
        twin._tree, twin._touched = self._tree.fork(), self._touched.copy()  # noqa: SLF001 - of its own kind
        return twin

    def _give_float(self) -> None:
        # As often as there are assets, so that a reserve is there before what it backs, however long the chain is.
        for _ in ASSET_NAMES:
            missing = [asset for asset in ASSET_NAMES if not self.ledger.balance(self.abroad, asset)]
            count = len(missing)
            ids = np.arange(self._written, self._written + count, dtype=np.uint64)
            payer, payee = (np.full(count, account, np.uint32) for account in (self.abroad + 1, self.abroad))
            assets = np.array([ASSET_NAMES.index(asset) for asset in missing], np.uint8)
            rows = Columns(ids, payer, payee, assets, np.full(count, _FLOAT), np.zeros(count, np.uint8))
            self._written += count
            self.ledger.apply_each(rows.frame(), _SENDER)

    def arrivals(self, parcel: Parcel) -> Columns:
        """Return the rows that credit a parcel's transfers."""
        moves = parcel.moves
        abroad = np.full(len(moves), self.abroad, np.uint32)
        credit = self._homes.local[moves["credit_account"]].astype(np.uint32)
        return Columns(moves["transfer_id"], abroad, credit, moves["asset"], moves["amount"], moves["code"])

    def closings(self, sent: OpenParcel, accepted: npt.NDArray[np.bool_]) -> Columns:
        """Return the rows that post the pending transfers of a parcel that were accepted, and void the others."""
        moves = sent.parcel.moves
        abroad = np.full(len(moves), self.abroad, np.uint32)
        debit = self._homes.local[moves["debit_account"]].astype(np.uint32)
        phase = np.where(accepted, POST, VOID).astype(np.uint8)
        whole = np.zeros(len(moves), np.int64)
        numbers = moves["transfer_id"], debit, abroad, moves["asset"], whole, moves["code"]
        return Columns(*numbers, phase=phase, pending_id=sent.pending)

    def departures(self, columns: Columns, destinations: Array) -> Columns:
        """Return the rows that move transfers within the shard, or hold them on their way out."""
        leaves = destinations != self._shard
        debit = self._homes.local[columns.debit_account].astype(np.uint32)
        credit = np.where(leaves, self.abroad, self._homes.local[columns.credit_account]).astype(np.uint32)
        phase = np.where(leaves, PENDING, SINGLE).astype(np.uint8) if leaves.any() else None
        return replace(columns, debit_account=debit, credit_account=credit, phase=phase)

    def write(self, parts: Sequence[Columns], now: int) -> tuple[Codes, Array]:
        """Apply rows one by one, all parts in one go; return what became of each and its number in the ledger."""
        if not parts:
            return np.empty(0, np.uint8), np.empty(0, np.uint64)
        rows = Columns.joined(parts) if len(parts) > 1 else parts[0]
        numbers = np.arange(self._written, self._written + len(rows), dtype=np.uint64)
        self._written += len(rows)
        self._touched[rows.debit_account] = self._touched[rows.credit_account] = True
        frame = replace(rows, transfer_id=numbers).frame()
        return self.ledger.apply_each(frame, _SENDER, now=now).codes, numbers

    def write_closings(self, parts: Sequence[Columns], now: int) -> None:
        """Apply posts and voids; each of them must be possible, since what is pending is there."""
        codes, _ = self.write(parts, now)
        if (codes != OK).any():
            name = self._homes.names[self._shard]
            raise ChainError(f"shard {name}: {(codes != OK).sum()} posts or voids were refused; its ledger is damaged")

    def leaves(self, chosen: npt.NDArray[np.int64] | None = None) -> list[bytes]:
        """Return a leaf per account: its number in the whole (4 bytes), then what the shard's ledger says of it."""
        places = np.arange(len(self._members)) if chosen is None else chosen
        numbers = self._members[places].astype("<u4").tobytes()
        written = self.ledger.leaf_bytes(places)
        return [numbers[4 * row : 4 * row + 4] + leaf for row, leaf in enumerate(written)]

    def accounts_root(self) -> bytes:
        """Return the root over `leaves`; only accounts that were touched since the last call are hashed again."""
        places = np.flatnonzero(self._touched)
        self._tree.update(places, self.leaves(places))
        self._touched[:] = False
        return self._tree.root

    def __len__(self) -> int:
        return len(self._members)

    def leaf_place(self, account: int) -> int:
        """Return the place of an account's leaf."""
        place = int(self._homes.local[account])
        if self.leaves(np.array([place]))[0][:4] != u32(account):
            raise ChainError(f"account {account} does not live in shard {self._homes.names[self._shard]}")
        return place
