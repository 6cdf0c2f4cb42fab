"""What the accounts of a shard have sent, so that a transfer sent again moves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.columns import Columns
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.pairs import pack
from gridlab.chain.ledger.plan import different
from gridlab.chain.ledger.results import OK

__all__ = ["TransferMemory", "repeated_rows"]

Array = npt.NDArray[Any]


def repeated_rows(columns: Columns) -> npt.NDArray[np.bool_]:
    """Say of each row whether a row before it has the same payer and id, Boolean array."""
    ids, payers = columns.transfer_id, columns.debit_account
    repeated = np.zeros(len(ids), np.bool_)
    if (ids[1:] > ids[:-1]).all():
        return repeated
    order = np.lexsort((ids, payers))
    same = (np.diff(ids[order].astype(np.uint64)) == 0) & (np.diff(payers[order].astype(np.int64)) == 0)
    repeated[order[1:][same]] = True
    return repeated


class TransferMemory:
    """All accepted transfers of a shard's accounts, by payer and id, whichever shard they pay into."""

    __slots__ = ("_history",)

    def __init__(self) -> None:
        self._history = TransferHistory()

    def __len__(self) -> int:
        return len(self._history)

    def __repr__(self) -> str:
        return f"TransferMemory({len(self)} transfers)"

    def fork(self) -> TransferMemory:
        """Return an independent copy."""
        twin = TransferMemory()
        twin._history = self._history.fork()
        return twin

    @property
    def digest(self) -> bytes:
        """Hash over all of them in order, 32 bytes."""
        return self._history.digest

    def known(self, columns: Columns, payers: Array) -> npt.NDArray[np.uint8]:
        """Return per row "ok" where it is new, "exists" where it is there, or the result that names what differs.

        Parameters
        ----------
        columns : Columns
            With account numbers of the whole ledger.
        payers : array of uint32
            Each row's paying account by its number in the shard, which is small.
        """
        codes = np.full(len(columns), OK, np.uint8)
        rows = np.flatnonzero(self._history.may_know(payers, columns.transfer_id))
        if len(rows):
            places = self._history.find(pack(payers[rows], columns.transfer_id[rows]))
            rows, places = rows[places >= 0], places[places >= 0]
        if len(rows):
            codes[rows] = different(columns.rows(rows), self._history.rows(places))
        return codes

    def add(self, columns: Columns, payers: Array) -> None:
        """Remember accepted transfers; the arrays belong to the memory from now on."""
        self._history.append(columns, payers)
