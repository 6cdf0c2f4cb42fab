"""Transfers that a lock or a channel makes on the ledger, written by hand-fuls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from gridlab.chain.ledger import ASSETS, CODES, PHASES, Ledger
from gridlab.chain.ledger.doors import require_asset
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["Posting", "apply_postings", "require_holder", "require_ledger"]


class Posting(NamedTuple):
    """One transfer.

    Attributes
    ----------
    id : int
    debit, credit : int
    asset : str
    amount : int
        0 posts or voids the whole of a pending one.
    code : str
    phase : str
    pending : int
        The pending transfer that a post or void closes.
    """

    id: int
    debit: int
    credit: int
    asset: str
    amount: int
    code: str
    phase: str = "single"
    pending: int = 0


def apply_postings(ledger: Ledger, postings: Sequence[Posting], *, sender: int, now: int) -> None:
    """Apply transfers in order, all or none; raises LedgerError where the ledger refuses one."""
    if not postings:
        return
    columns = list(zip(*postings, strict=True))
    frame = pl.DataFrame(
        {
            "transfer_id": pl.Series(columns[0], dtype=pl.UInt64),
            "debit_account": pl.Series(columns[1], dtype=pl.UInt32),
            "credit_account": pl.Series(columns[2], dtype=pl.UInt32),
            "asset": pl.Series(columns[3], dtype=ASSETS),
            "amount": pl.Series(columns[4], dtype=pl.Int64),
            "code": pl.Series(columns[5], dtype=CODES),
            "phase": pl.Series(columns[6], dtype=PHASES),
            "pending_id": pl.Series(columns[7], dtype=pl.UInt64),
            # 0: the ledger's own timeouts do not know of emergency stops, so what is locked here never lapses there.
            "timeout": pl.Series([0] * len(postings), dtype=pl.UInt64),
        }
    )
    ledger.apply(frame, sender=sender, now=now)


def require_ledger(value: object) -> Ledger:
    """Return `value` if it is a `Ledger`, or raise ArgumentTypeError."""
    if not isinstance(value, Ledger):
        raise ArgumentTypeError(f"ledger is a {type(value).__name__}, allowed: a Ledger")
    return value


def require_holder(ledger: Ledger, account: int, asset: str, what: str) -> int:
    """Return `account` if it exists and may not make `asset` out of nothing.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        There is no such account or asset.
    ChainError
        The account issues the asset, so that what it locks would be new money.
    """
    require_asset(asset)
    if ledger.is_issuer(account, asset):
        raise ChainError(
            f"{what}: account {account} issues {asset}, so that what it locks would be new money; "
            "issue first, to an account that then locks"
        )
    return account
