"""An exact double-entry ledger: every transfer takes from one account what it gives to another.

Balances are whole numbers (Int64). A batch of transfers is a frame; it is applied whole or not at all, and the result
equals applying its rows one by one in order: a row that overdraws an account is refused even if a later row would
have filled it. Transfers are immutable and idempotent by sender and id, as TigerBeetle's are by id: sent again with the
same fields one "exists" and changes nothing, with other fields it is an error.

An account never falls below zero, except an asset's issuer: what an issuer owes is exactly what circulates, so that
the balances of an asset always add up to zero.

References
----------
TigerBeetle, "Data modeling" and "Transfers", documentation, 2024.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int, require_mapping, require_sequence
from gridlab.chain.transfers import ASSETS, TRANSFERS, Columns, TransferHistory, refuse
from gridlab.errors import ArgumentError, ArgumentTypeError, LedgerError, nearest

__all__ = ["ASSETS", "TRANSFERS", "Applied", "Ledger"]

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_ASSET_NAMES: tuple[str, ...] = tuple(ASSETS.categories)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did.

    Attributes
    ----------
    applied : int
        Transfers that moved something.
    existing : int
        Transfers that had been applied before, with the same fields.
    """

    applied: int
    existing: int


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
        A wrong type, an unknown asset, or an issuer that is not an account.

    Examples
    --------
    >>> book = Ledger(3, issuers={"WATT": [0]})
    >>> book.apply(pl.DataFrame({"transfer_id": [1], "debit_account": [0], "credit_account": [2], "asset": ["WATT"],
    ...                          "amount": [5_000_000], "code": ["mint"]}))
    Applied(applied=1, existing=0)
    >>> book.balance(2, "WATT"), book.circulation("WATT")
    (5000000, 5000000)
    """

    __slots__ = ("_backing", "_balances", "_history", "_may_owe")

    def __init__(
        self,
        accounts: int,
        *,
        issuers: Mapping[str, Sequence[int]] | None = None,
        backing: Mapping[str, str] | None = None,
    ) -> None:
        require_int("accounts", accounts, 0, 2**32 - 1)
        self._balances: Int64Array = np.zeros((accounts, len(_ASSET_NAMES)), np.int64)
        self._may_owe: BoolArray = np.zeros((accounts, len(_ASSET_NAMES)), np.bool_)
        self._history = TransferHistory()
        pairs = require_mapping("backing", backing or {}).items()
        self._backing = tuple((_asset(token), _asset(reserve)) for token, reserve in pairs)
        for asset, members in require_mapping("issuers", issuers or {}).items():
            for account in require_sequence(f"issuers[{asset!r}]", members, int):
                self.declare_issuer(account, asset)

    def __repr__(self) -> str:
        circulating = ", ".join(f"{name} {self.circulation(name)}" for name in _ASSET_NAMES)
        return f"Ledger({len(self)} accounts, {len(self._history)} transfers, in circulation: {circulating})"

    def __len__(self) -> int:
        return len(self._balances)

    def fork(self) -> Ledger:
        """Return an independent copy; what happens to one does not reach the other."""
        copy = object.__new__(Ledger)
        copy._balances = self._balances.copy()
        copy._may_owe = self._may_owe.copy()
        copy._history = self._history.fork()
        copy._backing = self._backing
        return copy

    def grow(self, accounts: int) -> None:
        """Add empty accounts until there are `accounts` of them."""
        added = require_int("accounts", accounts, len(self), 2**32 - 1) - len(self)
        self._balances = np.pad(self._balances, ((0, added), (0, 0)))
        self._may_owe = np.pad(self._may_owe, ((0, added), (0, 0)))

    def declare_issuer(self, account: int, asset: str) -> None:
        """Let `account` owe `asset` without limit."""
        self._may_owe[self._account(account), _asset(asset)] = True

    def is_issuer(self, account: int, asset: str) -> bool:
        """Say whether `account` may owe `asset`."""
        return bool(self._may_owe[self._account(account), _asset(asset)])

    def issues(self, accounts: Int64Array, assets: Int64Array) -> BoolArray:
        """Say for many pairs of account and asset code whether the account issues the asset, Boolean array."""
        known = accounts < len(self)
        return known & self._may_owe[np.where(known, accounts, 0), assets] if len(self) else known

    def balance(self, account: int, asset: str) -> int:
        """Return the balance in the asset's smallest unit (WATT: micro-THB)."""
        return int(self._balances[self._account(account), _asset(asset)])

    def circulation(self, asset: str) -> int:
        """Return how much of `asset` its issuers have put out and not taken back, in its smallest unit."""
        code = _asset(asset)
        return -int(self._balances[self._may_owe[:, code], code].sum())

    @property
    def balances(self) -> pl.DataFrame:
        """All balances: account (UInt32) and one Int64 column per asset."""
        accounts = pl.Series("account", np.arange(len(self), dtype=np.uint32))
        return pl.DataFrame(
            [accounts, *(pl.Series(name, self._balances[:, code]) for code, name in enumerate(_ASSET_NAMES))]
        )

    @property
    def transfers(self) -> pl.DataFrame:
        """Every transfer applied so far, in order: the columns of `TRANSFERS` and sender (UInt32)."""
        return self._history.frame()

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account: its index (4 bytes) and its balances (8 bytes each)."""
        layout = np.dtype([("account", "<u4"), ("balances", "<i8", (len(_ASSET_NAMES),))])
        rows = np.empty(len(self), layout)
        rows["account"] = np.arange(len(self))
        rows["balances"] = self._balances
        packed = rows.tobytes()
        return [packed[start : start + layout.itemsize] for start in range(0, len(packed), layout.itemsize)]

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        return merkle.root(self.leaves(), hash="blake2b-256")

    def apply(self, transfers: pl.DataFrame | pl.LazyFrame, *, sender: int = 0) -> Applied:
        """Apply a batch, whole or not at all.

        Parameters
        ----------
        transfers : polars.DataFrame or polars.LazyFrame
            As `TRANSFERS` declares; the order of rows is the order of events.
        sender : int
            Account whose transfer ids these are; two senders may use the same id.

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
        self._check_rows(columns)
        rows = np.flatnonzero(self._history.is_new(columns, sender))
        new = columns.take(rows)
        self._guard_overflow(new)
        cells, after, overdrawn = self._running_balances(new)
        poor = "an account pays more than it holds at that row; fund it first, or pay less"
        _refuse_new(columns, rows, overdrawn, poor)
        for unbacked, sentence in self._backing_checks(new):
            _refuse_new(columns, rows, unbacked, sentence)
        self._balances.reshape(-1)[cells] = after
        self._history.append(new, sender)
        return Applied(len(new), len(columns) - len(new))

    def _check_rows(self, columns: Columns) -> None:
        refuse(columns, columns.amount <= 0, "an amount is not more than 0; turn the accounts round to move it back")
        refuse(columns, columns.debit == columns.credit, "an account pays itself, which moves nothing; drop the row")
        unknown = (columns.debit >= len(self)) | (columns.credit >= len(self))
        refuse(columns, unknown, f"an account does not exist, allowed: 0 … {len(self) - 1}")

    def _guard_overflow(self, new: Columns) -> None:
        # Summed in two halves, each too small to wrap. What circulates grows at most by what a batch moves, so below
        # this bound neither a running balance nor a sum of balances can leave Int64.
        moved = (int((new.amount >> 32).sum()) << 32) + int((new.amount & 0xFFFF_FFFF).sum())
        held = int(np.maximum(self._balances, 0).sum(axis=0).max(initial=0))
        if moved + held > _LARGEST:
            raise LedgerError(
                f"transfers: the batch moves {moved} in all while {held} of an asset circulate, together more than "
                f"Int64 counts ({_LARGEST}); split the batch, or look for an amount in the wrong unit"
            )

    def _running_balances(self, new: Columns) -> tuple[Int64Array, Int64Array, BoolArray]:
        # Every row makes two entries, debit first. Entries are brought together by cell (account and asset) in their
        # order, so one cumulative sum gives each cell's balance after each of its entries.
        assets = len(_ASSET_NAMES)
        cells = np.stack([new.debit * assets + new.asset, new.credit * assets + new.asset], axis=1).reshape(-1)
        changes = np.stack([-new.amount, new.amount], axis=1).reshape(-1)
        order = np.argsort(cells, kind="stable")
        cells, changes = cells[order], changes[order]
        first = np.flatnonzero(np.diff(cells, prepend=-1))
        sums = np.cumsum(changes)
        before = sums[first] - changes[first]
        spans = np.diff(first, append=len(cells))
        running = sums + np.repeat(self._balances.reshape(-1)[cells[first]] - before, spans)
        overdrawn = np.zeros(len(new), np.bool_)
        overdrawn[order[(running < 0) & (changes < 0) & ~self._may_owe.reshape(-1)[cells]] >> 1] = True
        last = first + spans - 1
        return cells[last], running[last], overdrawn

    def _backing_checks(self, new: Columns) -> Iterator[tuple[BoolArray, str]]:
        for token, reserve in self._backing:
            issued = new.amount * (
                self.issues(new.debit, new.asset).astype(np.int64) - self.issues(new.credit, new.asset).astype(np.int64)
            )
            change = np.cumsum(np.where(new.asset == reserve, issued, np.where(new.asset == token, -issued, 0)))
            names = _ASSET_NAMES[token], _ASSET_NAMES[reserve]
            free = self.circulation(names[1]) - self.circulation(names[0])
            # Only a row that narrows the margin is at fault; one that widens it is on the way back.
            unbacked = (change + free < 0) & (np.diff(change, prepend=0) < 0)
            sentence = f"more {names[0]} would circulate than {names[1]} backs it ({free} are free before the batch)"
            yield unbacked, sentence

    def _account(self, account: int) -> int:
        require_int("account", account)
        if not 0 <= account < len(self):
            raise ArgumentError(f"account {account} does not exist, allowed: 0 … {len(self) - 1}")
        return account


def _refuse_new(columns: Columns, rows: Int64Array, broken: BoolArray, sentence: str) -> None:
    # Shown with the row numbers of the whole batch, in which rows that exist already still stand.
    mask = np.zeros(len(columns), np.bool_)
    mask[rows[broken]] = True
    refuse(columns, mask, sentence)


def _asset(name: str) -> int:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"asset is a {type(name).__name__}, allowed: one of {list(_ASSET_NAMES)}")
    if name not in _ASSET_NAMES:
        raise ArgumentError(f"asset {name!r} is not known; {nearest(name, _ASSET_NAMES)}")
    return _ASSET_NAMES.index(name)
