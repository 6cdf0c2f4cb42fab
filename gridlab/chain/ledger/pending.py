"""The pending transfers that are still open: neither posted, nor voided, nor released."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger.columns import Columns
from gridlab.chain.ledger.pairs import Keys, pack, places_in
from gridlab.chain.ledger.schema import ASSETS, CODES, LARGEST, PENDING

__all__ = ["OPEN", "OpenTransfers", "expiry", "opened_rows"]

Array = npt.NDArray[Any]

OPEN = np.dtype(
    [
        *(("sender", "<u4"), ("transfer_id", "<u8"), ("debit", "<u4"), ("credit", "<u4")),
        *(("asset", "u1"), ("code", "u1"), ("amount", "<i8"), ("expires", "<i8")),
    ]
)


def expiry(columns: Columns, now: int) -> npt.NDArray[np.int64]:
    """Return when each row would expire: `now` + timeout, `LARGEST` for never, -1 where Int64 cannot hold it."""
    timeout = columns.field("timeout")
    soon = timeout <= np.uint64(LARGEST - 1 - now)
    moments = np.where(soon, timeout, 0).astype(np.int64) + now
    return np.where(timeout == 0, LARGEST, np.where(soon, moments, -1))


@dataclass(frozen=True, slots=True)
class OpenTransfers:
    """Open pending transfers in order of sender and id. Never changed: `changed` returns a new one.

    Attributes
    ----------
    rows : structured array of `OPEN`
    keys : array of 12 bytes
        Sender and id of each.
    """

    rows: Array = field(default_factory=lambda: np.empty(0, OPEN))
    keys: Keys = field(default_factory=lambda: np.empty(0, "S12"))

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: Array) -> OpenTransfers:
        """Make it of rows in any order."""
        keys = pack(rows["sender"], rows["transfer_id"])
        order = np.argsort(keys, kind="stable")
        return cls(rows[order], keys[order])

    def find(self, keys: Keys) -> npt.NDArray[np.int64]:
        """Return the place of each transfer, -1 where it is not open."""
        return places_in(self.keys, keys)

    def due(self, now: int) -> npt.NDArray[np.int64]:
        """Return the places of those whose time is over at `now`."""
        return np.flatnonzero(self.rows["expires"] <= now)

    def postponed(self, asset: int, by: int) -> tuple[OpenTransfers, int]:
        """Return it with every timeout of an asset later by so many microseconds, and how many there are."""
        rows = self.rows.copy()
        places = np.flatnonzero((rows["asset"] == asset) & (rows["expires"] != LARGEST))
        # Python's integers, because the sum may not fit; the end of time is not never.
        rows["expires"][places] = [min(moment + by, LARGEST - 1) for moment in rows["expires"][places].tolist()]
        return OpenTransfers(rows, self.keys), len(places)

    def changed(self, closed: Array, opened: Array) -> OpenTransfers:
        """Return it without the places `closed` and with the rows `opened`."""
        rows, keys = self.rows, self.keys
        if len(closed):
            rows, keys = np.delete(rows, closed), np.delete(keys, closed)
        if not len(opened):
            return OpenTransfers(rows, keys)
        added = OpenTransfers.of(opened)
        places = np.searchsorted(keys, added.keys)
        if places[0] == len(keys):  # growing ids, which is the usual case
            return OpenTransfers(np.concatenate([rows, added.rows]), np.concatenate([keys, added.keys]))
        return OpenTransfers(np.insert(rows, places, added.rows), np.insert(keys, places, added.keys))

    def frame(self) -> pl.DataFrame:
        """Return them as a frame; ``expires`` is in microseconds, null for never."""
        rows = self.rows
        expires = pl.Series(rows["expires"].copy())
        return pl.DataFrame(
            {
                "sender": rows["sender"].copy(),
                "transfer_id": rows["transfer_id"].copy(),
                "debit_account": rows["debit"].copy(),
                "credit_account": rows["credit"].copy(),
                "asset": ASSETS.categories.gather(rows["asset"].astype(np.uint32)).cast(ASSETS),
                "amount": rows["amount"].copy(),
                "code": CODES.categories.gather(rows["code"].astype(np.uint32)).cast(CODES),
                "expires": expires.set(expires == LARGEST, None),
            }
        )


def opened_rows(columns: Columns, senders: Array | int, expires: Array, chosen: Array) -> Array:
    """Return those of the rows `chosen` of a batch that are pending, as open pending transfers."""
    chosen = chosen[columns.field("phase")[chosen] == PENDING]
    rows = np.empty(len(chosen), OPEN)
    rows["sender"] = senders if isinstance(senders, int) else senders[chosen]
    rows["expires"] = expires[chosen]
    names = {"transfer_id": "transfer_id", "debit": "debit_account", "credit": "credit_account"}
    for name, column in {**names, "asset": "asset", "code": "code", "amount": "amount"}.items():
        rows[name] = getattr(columns, column)[chosen]
    return rows
