"""The error of a batch that was refused as a whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.accounts import CIRCULATING, ISSUING, REDEEMING, Accounts
from gridlab.chain.ledger.columns import Columns, refuse
from gridlab.chain.ledger.results import EXISTS, MEANINGS, RESULTS, code_of
from gridlab.chain.ledger.schema import ASSET_NAMES

__all__ = ["raise_refused", "sentence_of"]


def raise_refused(columns: Columns, verdict: npt.NDArray[np.uint8], accounts: Accounts) -> None:
    """Raise LedgerError for the first row that was refused by itself, with all rows refused for the same reason.

    Parameters
    ----------
    columns : Columns
    verdict : array of uint8
        Per row a place in `RESULTS`, with a refusal among them.
    accounts : Accounts
        As before the batch.

    Raises
    ------
    LedgerError
    """
    own = np.flatnonzero((verdict > EXISTS) & (verdict != code_of("linked_failed")))
    code = int(verdict[own[0]])
    name = RESULTS.categories[code]
    refuse(columns, verdict == code, sentence_of(name, columns, int(own[0]), accounts))


def sentence_of(name: str, columns: Columns, row: int, accounts: Accounts) -> str:
    """Return what the result `name` of a row means and what is allowed; the numbers are of `accounts`."""
    meaning = MEANINGS[name]
    if name == "unknown_account":
        return f"{meaning}, allowed: 0 … {len(accounts) - 1}"
    if name.startswith("exists_with_different"):
        return f"{meaning}; a transfer is never changed, use a new id"
    if name == "exceeds_backing":
        return _unbacked(columns, row, accounts)
    return meaning


def _free(accounts: Accounts, token: int, reserve: int) -> int:
    most, least = accounts.totals[token], accounts.totals[reserve]
    return int(least[CIRCULATING]) - int(least[REDEEMING]) - int(most[CIRCULATING]) - int(most[ISSUING])


def _unbacked(columns: Columns, row: int, accounts: Accounts) -> str:
    asset = int(columns.asset[row])
    pays = accounts.floor[int(columns.debit_account[row]), asset] < 0
    # A row that issues is held back by its own reserve; one that redeems, by a token that its asset backs.
    pairs = [(t, r) for t, r in accounts.backing.tolist() if asset == (t if pays else r)]
    free, token, reserve = min((_free(accounts, *pair), *pair) for pair in pairs)
    names = ASSET_NAMES[token], ASSET_NAMES[reserve]
    return (
        f"more {names[0]} would circulate than {names[1]} backs it ({free} are free before the batch, with what is "
        "pending counted as if it were done)"
    )
