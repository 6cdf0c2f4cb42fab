"""What became of each transfer: the results by name, and what each means in words.

The names follow TigerBeetle's where it has the same result.

References
----------
TigerBeetle, "create_transfers", documentation, 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.errors import ArgumentError, nearest

__all__ = ["EXISTS", "MEANINGS", "OK", "RESULTS", "Applied", "Results", "code_of"]

# In order of the codes. A differing field is looked for in the order of the columns.
MEANINGS: dict[str, str] = {
    "ok": "the transfer was applied",
    "exists": "the same transfer was applied before, and nothing is done twice",
    "linked_failed": "a row to which this one is linked was refused",
    "linked_open": "the last row is linked to a next one, and there is none; set linked to false in the last row",
    "amount_not_positive": "an amount is not more than 0; turn the accounts round to move it back",
    "amount_negative": "a post or void has an amount below 0, allowed: 0 for the whole, or more",
    "same_accounts": "an account pays itself, which moves nothing; drop the row",
    "unknown_account": "an account does not exist",
    "pending_id_unexpected": "a pending_id stands in a row that is neither 'post' nor 'void'; set it to 0",
    "timeout_unexpected": "a timeout stands in a row that is not 'pending'; set it to 0",
    "timeout_too_long": "a pending transfer would expire later than Int64 counts microseconds; 0 means never",
    "exists_with_different_debit_account": "a transfer_id exists already with another debit_account",
    "exists_with_different_credit_account": "a transfer_id exists already with another credit_account",
    "exists_with_different_asset": "a transfer_id exists already with another asset",
    "exists_with_different_amount": "a transfer_id exists already with another amount",
    "exists_with_different_code": "a transfer_id exists already with another code",
    "exists_with_different_phase": "a transfer_id exists already with another phase",
    "exists_with_different_pending_id": "a transfer_id exists already with another pending_id",
    "exists_with_different_timeout": "a transfer_id exists already with another timeout",
    "exists_with_different_linked": "a transfer_id exists already with another linked",
    "pending_not_found": "no transfer of this sender has the pending_id",
    "pending_not_pending": "the transfer with the pending_id moved at once; only a 'pending' one is posted or voided",
    "pending_closed": "the pending transfer was posted or voided before, or has been released after its timeout",
    "pending_expired": "the pending transfer's time is over; it can be neither posted nor voided, only released",
    "pending_has_different_debit_account": "the pending transfer has another debit_account",
    "pending_has_different_credit_account": "the pending transfer has another credit_account",
    "pending_has_different_asset": "the pending transfer is in another asset",
    "exceeds_pending_amount": "a post takes more than the pending transfer reserved; post at most that",
    "void_amount_differs": "a void names another amount than was reserved; 0 voids the whole",
    "exceeds_balance": "an account pays more than it holds at that row; fund it first, or pay less",
    "exceeds_limit": "an account would hold more than its limit, what is pending included; pay it less or raise it",
    "exceeds_int64": "a balance or what circulates would be more than Int64 counts; look for a wrong unit",
    "exceeds_backing": "more would circulate than its reserve backs; attest the reserve first",
}
RESULTS = pl.Enum(list(MEANINGS))
_CODE = {name: code for code, name in enumerate(MEANINGS)}


def code_of(name: str) -> int:
    """Return the number of a result.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `name` is not text, or no result has it.
    """
    if require_text("result", name) not in _CODE:
        raise ArgumentError(f"result {name!r} is not known; {nearest(name, _CODE)}")
    return _CODE[name]


OK, EXISTS = _CODE["ok"], _CODE["exists"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did.

    Attributes
    ----------
    applied : int
        Transfers that changed something.
    existing : int
        Transfers that had been applied before, with the same fields.
    """

    applied: int
    existing: int


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What became of each row.

    Attributes
    ----------
    codes : array of uint8
        One per row, a place in `RESULTS`; 0 is "ok", 1 is "exists", all above are refusals.
    """

    codes: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        refused = len(self) - self.applied - self.existing
        return f"Results({self.applied} applied, {self.existing} existing, {refused} refused)"

    @property
    def names(self) -> pl.Series:
        """The result of each row by name, Enum `RESULTS`."""
        return RESULTS.categories.gather(self.codes.astype(np.uint32)).cast(RESULTS).alias("result")

    @property
    def applied(self) -> int:
        """How many rows changed something."""
        return int((self.codes == OK).sum())

    @property
    def existing(self) -> int:
        """How many rows had been applied before."""
        return int((self.codes == EXISTS).sum())

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Whether each row stands on the ledger now: applied, or applied before."""
        return self.codes <= EXISTS

    def reason(self, row: int) -> str:
        """Return the result of `row` and what it means, as one sentence.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `row` is not a row number.
        """
        code = int(self.codes[require_int("row", row, 0, len(self) - 1)])
        name = RESULTS.categories[code]
        return f"{name}: {MEANINGS[name]}"
