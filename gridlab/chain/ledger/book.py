"""An exact double-entry ledger: every transfer takes from one account what it gives to another.

Balances are whole numbers (Int64). A batch of transfers is a frame. It is applied whole or not at all (`Ledger.apply`),
or every row stands or falls alone (`Ledger.apply_each`); both equal applying the rows one by one in order: a row that
overdraws an account is refused even if a later row would have filled it. Transfers are immutable and idempotent by
sender and id, as TigerBeetle's are by id: sent again with the same fields one "exists" and changes nothing, with other
fields it is an error.

A transfer moves at once, or in two phases: a pending one reserves the amount, and is then posted, whole or in part, or
voided, once. What is pending counts at its worst: reserved funds are spent already, incoming ones are not yet there. So
a post can never overdraw.

An account never falls below zero, except an asset's issuer: what an issuer owes is exactly what circulates, so that
the balances of an asset always add up to zero.

References
----------
TigerBeetle, "Data modeling", "Two-phase transfers" and "Linked events", documentation, 2024.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int, require_mapping, require_sequence
from gridlab.chain.ledger import leaves, saving
from gridlab.chain.ledger.accounts import CIRCULATING, INCOMING, POSTED, RESERVED, Accounts
from gridlab.chain.ledger.batches import Parts, apply_columns
from gridlab.chain.ledger.columns import Columns
from gridlab.chain.ledger.doors import require_asset, require_moment, require_senders
from gridlab.chain.ledger.failures import sentence_of
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.pending import OpenTransfers
from gridlab.chain.ledger.results import RESULTS, Applied, Results
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST
from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["Ledger"]

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Ledger:
    """Accounts 0 … n - 1, each with a balance in every asset.

    Parameters
    ----------
    accounts : int
        Number of accounts.
    issuers : mapping of str to sequence of int, optional
        Asset -> the accounts that may owe it without limit.
    backing : mapping of str to str, optional
        Asset -> the asset that backs it: after every row no more of the first may circulate than of the second.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A wrong type, an unknown asset, one that backs itself, or an issuer that is not an account.

    Examples
    --------
    >>> book = Ledger(3, issuers={"WATT": [0]})
    >>> book.apply(pl.DataFrame({"transfer_id": [1], "debit_account": [0], "credit_account": [2], "asset": ["WATT"],
    ...                          "amount": [5_000_000], "code": ["mint"]}))
    Applied(applied=1, existing=0)
    >>> book.balance(2, "WATT"), book.circulation("WATT")
    (5000000, 5000000)
    >>> book.apply(pl.DataFrame({"transfer_id": [2], "debit_account": [2], "credit_account": [1], "asset": ["WATT"],
    ...                          "amount": [2_000_000], "code": ["reservation"], "phase": ["pending"]}))
    Applied(applied=1, existing=0)
    >>> book.balance(2, "WATT"), book.available(2, "WATT")
    (5000000, 3000000)
    """

    __slots__ = ("_parts",)

    def __init__(
        self,
        accounts: int,
        *,
        issuers: Mapping[str, Sequence[int]] | None = None,
        backing: Mapping[str, str] | None = None,
    ) -> None:
        require_int("accounts", accounts, 0, 2**32 - 1)
        pairs = [
            (require_asset(token), require_asset(reserve))
            for token, reserve in require_mapping("backing", backing or {}).items()
        ]
        for token, reserve in pairs:
            if token == reserve:
                raise ArgumentError(f"backing: {ASSET_NAMES[token]} backs itself, allowed: another asset as reserve")
        arranged = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        self._parts = Parts(Accounts.empty(accounts, arranged), TransferHistory(), OpenTransfers())
        for asset, members in require_mapping("issuers", issuers or {}).items():
            for account in require_sequence(f"issuers[{asset!r}]", members, int):
                self.declare_issuer(account, asset)

    def __repr__(self) -> str:
        circulating = ", ".join(f"{name} {amount}" for name in ASSET_NAMES if (amount := self.circulation(name)))
        return (
            f"Ledger({len(self)} accounts, {len(self._parts.history)} transfers, {len(self._parts.pending)} pending, "
            f"in circulation: {circulating or 'nothing'})"
        )

    def __len__(self) -> int:
        return len(self._parts.accounts)

    def fork(self) -> Ledger:
        """Return an independent copy; what happens to one does not reach the other."""
        return self._of(self._parts.fork())

    @classmethod
    def _of(cls, parts: Parts) -> Ledger:
        book = object.__new__(cls)
        book._parts = parts
        return book

    def grow(self, accounts: int) -> None:
        """Add empty accounts until there are `accounts` of them."""
        self._parts.accounts.grow(require_int("accounts", accounts, len(self), 2**32 - 1) - len(self))

    def declare_issuer(self, account: int, asset: str) -> None:
        """Let `account` owe `asset` without limit."""
        self._account(account)
        if not self.is_issuer(account, asset):
            self._parts.accounts.set_floor(account, require_asset(asset), -LARGEST)
            self._parts.accounts.count(self._parts.pending.rows)

    def is_issuer(self, account: int, asset: str) -> bool:
        """Say whether `account` may owe `asset`."""
        return bool(self._parts.accounts.floor[self._account(account), require_asset(asset)] < 0)

    def issues(self, accounts: Int64Array, assets: Int64Array) -> BoolArray:
        """Say for many pairs of account and asset code whether the account issues the asset, Boolean array."""
        known = accounts < len(self)
        if not len(self):
            return known
        return known & (self._parts.accounts.floor[np.where(known, accounts, 0), assets] < 0)

    def set_limit(self, account: int, asset: str, highest: int | None) -> None:
        """Let `account` hold at most `highest` of `asset`, what is pending for it included; None lifts the limit.

        What an account holds already stays; until it is below its limit, only no more may come.
        """
        place = self._account(account), require_asset(asset)
        bound = LARGEST if highest is None else require_int("highest", highest, 0, LARGEST)
        if self._parts.accounts.ceiling[place] != bound:
            self._parts.accounts.set_ceiling(*place, bound)

    def limit(self, account: int, asset: str) -> int | None:
        """Return the most that `account` may hold of `asset`, None where it has no limit."""
        bound = int(self._parts.accounts.ceiling[self._account(account), require_asset(asset)])
        return None if bound == LARGEST else bound

    def balance(self, account: int, asset: str) -> int:
        """Return the posted balance in the asset's smallest unit (WATT: micro-THB)."""
        return self._amount(account, asset, POSTED)

    def reserved(self, account: int, asset: str) -> int:
        """Return how much of `asset` pending transfers may take from `account`."""
        return self._amount(account, asset, RESERVED)

    def incoming(self, account: int, asset: str) -> int:
        """Return how much of `asset` pending transfers may bring to `account`."""
        return self._amount(account, asset, INCOMING)

    def available(self, account: int, asset: str) -> int:
        """Return what `account` may spend of `asset`: what is posted less what is reserved."""
        return self.balance(account, asset) - self.reserved(account, asset)

    def _amount(self, account: int, asset: str, kind: int) -> int:
        return int(self._parts.accounts.amounts[self._account(account), require_asset(asset), kind])

    def circulation(self, asset: str) -> int:
        """Return how much of `asset` its issuers have put out and not taken back, in its smallest unit."""
        return int(self._parts.accounts.totals[require_asset(asset), CIRCULATING])

    @property
    def balances(self) -> pl.DataFrame:
        """All posted balances: account (UInt32) and one Int64 column per asset."""
        return self._amounts(POSTED)

    @property
    def reservations(self) -> pl.DataFrame:
        """All reserved amounts: account (UInt32) and one Int64 column per asset."""
        return self._amounts(RESERVED)

    def _amounts(self, kind: int) -> pl.DataFrame:
        # Copied, since polars would share the memory with the ledger.
        columns = [pl.Series("account", np.arange(len(self), dtype=np.uint32))]
        amounts = self._parts.accounts.amounts
        columns += [pl.Series(name, amounts[:, code, kind].copy()) for code, name in enumerate(ASSET_NAMES)]
        return pl.DataFrame(columns)

    @property
    def transfers(self) -> pl.DataFrame:
        """Every transfer applied so far, in order: the columns of `TRANSFERS`, sender (UInt32) and moved (Int64).

        `moved` is what went from one posted balance to the other: 0 for a pending transfer and a void.
        """
        return self._parts.history.frame()

    @property
    def pending(self) -> pl.DataFrame:
        """The open pending transfers by sender and id; `expires` in microseconds, null for never."""
        return self._parts.pending.frame()

    def next_id(self, sender: int) -> int:
        """Return the id after the highest that `sender` has used, 0 where it has used none."""
        return self._parts.history.next_id(require_int("sender", sender, 0, 2**32 - 1))

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account: its index (4 bytes), posted and reserved amounts (8 bytes each)."""
        return self.leaf_bytes(np.arange(len(self)))

    def leaf_bytes(self, accounts: npt.NDArray[Any]) -> list[bytes]:
        """Return the leaves of these accounts, an integer array."""
        return leaves.account_leaves(self._parts.accounts, accounts)

    def changed_accounts(self, earlier: Ledger) -> Int64Array:
        """Return the accounts whose leaf is not the one in `earlier`, from which this ledger was forked; sorted."""
        if not isinstance(earlier, Ledger):
            raise ArgumentTypeError(f"earlier is a {type(earlier).__name__}, allowed: a Ledger")
        return leaves.changed(self._parts.accounts, earlier._parts.accounts)

    @property
    def commitment(self) -> bytes:
        """Hash over all that decides what the ledger will do and that is not in `leaves`, 32 bytes.

        Issuers, limits, backing, open pending transfers, and every transfer ever applied.
        """
        return leaves.commitment(self._parts)

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves` and, last, `commitment`, with BLAKE2b-256; 32 bytes."""
        return merkle.root([*self.leaves(), self.commitment], hash="blake2b-256")

    def to_bytes(self) -> bytes:
        """Return the whole ledger as canonical bytes: two ledgers that are the same give the same."""
        return saving.to_bytes(self._parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Ledger:
        """Read what `to_bytes` wrote; balances are counted anew from the transfers.

        Raises
        ------
        ArgumentTypeError
            `data` is not ``bytes``.
        ChainError
            The bytes are damaged, or not the one canonical form.
        """
        return cls._of(saving.from_bytes(data))

    def apply(self, transfers: pl.DataFrame | pl.LazyFrame, *, sender: int = 0, now: int = 0) -> Applied:
        """Apply a batch, whole or not at all.

        Parameters
        ----------
        transfers : polars.DataFrame or polars.LazyFrame
            As `TRANSFERS` declares; the order of rows is the order of events.
        sender : int
            Account whose transfer ids these are; two senders may use the same id.
        now : int
            Microseconds since 1970-01-01 UTC, from which timeouts count.

        Returns
        -------
        Applied
            How many were new and how many existed.

        Raises
        ------
        ArgumentTypeError
            `transfers` is not a frame.
        FrameError
            A column is missing, or holds a null, an unknown asset or a value that does not fit its dtype.
        LedgerError
            A row breaks a rule of the ledger; the error shows the offending rows, and nothing has changed.
        """
        require_int("sender", sender, 0, 2**32 - 1)
        columns = Columns.of(transfers)
        results = Results(apply_columns(self._parts, columns, sender, require_moment(now), whole=True))
        return Applied(results.applied, results.existing)

    def apply_each(
        self, transfers: pl.DataFrame | pl.LazyFrame, senders: int | npt.NDArray[Any], *, now: int = 0
    ) -> Results:
        """Apply each row, or each chain of linked rows, by itself: one that is refused leaves the others as they are.

        Parameters
        ----------
        transfers : polars.DataFrame or polars.LazyFrame
            As `TRANSFERS` declares; the order of rows is the order of events. Linked rows stand next to each other; in
            a chain that fails, one row has the reason and all others have "linked_failed".
        senders : int or array of int
            Account whose transfer id it is, one for all rows or one per row.
        now : int
            Microseconds since 1970-01-01 UTC, from which timeouts count.

        Returns
        -------
        Results
            What became of each row.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError
            As for `apply`; then nothing has changed.
        """
        columns = Columns.of(transfers)
        senders = require_senders(senders, len(columns))
        return Results(apply_columns(self._parts, columns, senders, require_moment(now), whole=False))

    def refusals(self, transfers: pl.DataFrame, results: Results, rows: Sequence[int]) -> list[str]:
        """Return the first line that `apply` would say of each of `rows`, refused by `apply_each`, had it come alone.

        Where it names a number that changes (what backing is free), that is the number now.
        """
        columns, accounts = Columns.of(transfers), self._parts.accounts
        names = [RESULTS.categories[int(results.codes[row])] for row in rows]
        found = zip(names, rows, strict=True)
        return [f"transfers: {sentence_of(name, columns, row, accounts)}" for name, row in found]

    def expire(self, now: int, *, frozen: Sequence[str] = ()) -> int:
        """Release every pending transfer whose time is over at `now` (microseconds); return how many there were.

        Those in a `frozen` asset stay, because an emergency stop holds them up; `postpone` gives them their time back.
        """
        return self._parts.expire(require_moment(now), [require_asset(asset) for asset in frozen])

    def postpone(self, asset: str, by: int) -> int:
        """Let every open pending transfer of `asset` that has a timeout expire so much later; return how many.

        Parameters
        ----------
        asset : str
        by : int
            Microseconds.
        """
        return self._parts.postpone(require_asset(asset), require_int("by", by, 0, LARGEST))

    def assets_since(self, earlier: Ledger) -> list[str]:
        """Return the assets of all transfers, pending ones too, since `earlier`, from which this ledger was forked."""
        if not isinstance(earlier, Ledger):
            raise ArgumentTypeError(f"earlier is a {type(earlier).__name__}, allowed: a Ledger")
        history = self._parts.history
        later = history.rows(np.arange(len(earlier._parts.history), len(history)))
        return [ASSET_NAMES[code] for code in np.unique(later.asset).tolist()]

    def moves_since(self, earlier: Ledger) -> pl.DataFrame:
        """Return what went between posted balances since `earlier`, from which this ledger was forked.

        As `TRANSFERS` without phases, in order: the id is the place among all transfers, the amount what moved.
        """
        if not isinstance(earlier, Ledger):
            raise ArgumentTypeError(f"earlier is a {type(earlier).__name__}, allowed: a Ledger")
        start = len(earlier._parts.history)
        columns, moved = self._parts.history.since(start)
        places = np.flatnonzero(moved > 0)
        taken = {name: getattr(columns, name)[places] for name in ("debit_account", "credit_account", "asset", "code")}
        numbers = (start + places).astype(np.uint64)
        return Columns(transfer_id=numbers, amount=moved[places], **taken).frame()

    def _account(self, account: int) -> int:
        require_int("account", account)
        if not 0 <= account < len(self):
            raise ArgumentError(f"account {account} does not exist, allowed: 0 … {len(self) - 1}")
        return account
