"""The door of a sharded ledger: which transfers it takes, and what is wrong with each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger import Columns
from gridlab.chain.ledger.columns import refuse
from gridlab.chain.ledger.results import OK, code_of

__all__ = ["checked", "own_faults"]


def checked(transfers: pl.DataFrame | pl.LazyFrame) -> Columns:
    """Return a frame of transfers as columns.

    Raises
    ------
    ArgumentTypeError, FrameError
        As `gridlab.chain.ledger.Ledger.apply` does.
    LedgerError
        A row has a phase, or is linked.
    """
    columns = Columns.of(transfers)
    broken = np.zeros(len(columns), np.bool_)
    for name in ("phase", "pending_id", "timeout", "linked"):
        broken |= columns.field(name) != 0
    refuse(
        columns,
        broken,
        "a sharded ledger takes transfers that move at once; leave out phase, pending_id, timeout and linked (it holds "
        "by itself what goes from shard to shard)",
    )
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    return Columns(**{name: columns.field(name) for name in names})


def own_faults(columns: Columns, accounts: int) -> npt.NDArray[np.uint8]:
    """Return per row the result that is wrong with it by itself, "ok" where nothing is; in the ledger's order."""
    same = columns.debit_account == columns.credit_account
    unknown = (columns.debit_account >= accounts) | (columns.credit_account >= accounts)
    faults: dict[str, Any] = {"unknown_account": unknown, "same_accounts": same}
    codes = np.full(len(columns), OK, np.uint8)
    for name, broken in {**faults, "amount_not_positive": columns.amount <= 0}.items():
        codes[broken] = code_of(name)
    return codes
