"""What every account holds: posted, reserved and incoming per asset, the limits, and what circulates.

A *cell* is one account's part of one asset, ``account * assets + asset``. Transfers change a cell by two numbers only:
what they move and by how much they change what is held for pending transfers (see `gridlab.chain.ledger.walk`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.columns import Array
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST

__all__ = ["CIRCULATING", "INCOMING", "ISSUING", "POSTED", "REDEEMING", "RESERVED", "Accounts"]

Int64Array = npt.NDArray[np.int64]

POSTED, RESERVED, INCOMING = range(3)
CIRCULATING, ISSUING, REDEEMING = range(3)
_ASSETS = len(ASSET_NAMES)


@dataclass(slots=True)
class Accounts:
    """The cells of all accounts.

    Attributes
    ----------
    amounts : array of int64, shape (accounts, assets, 3)
        Posted, reserved (what pending transfers may take) and incoming (what they may bring).
    floor : array of int64, shape (accounts, assets)
        Least that may be available: 0, or ``-LARGEST`` for an issuer of the asset.
    ceiling : array of int64, shape (accounts, assets)
        Most that may be posted and incoming: `LARGEST`, or a limit.
    totals : array of int64, shape (assets, 3)
        What circulates; what pending transfers may issue, and what they may redeem.
    backing : array of int64, shape (pairs, 2)
        Asset, and the asset that backs it.
    """

    amounts: Int64Array
    floor: Int64Array
    ceiling: Int64Array
    totals: Int64Array
    backing: Int64Array

    @classmethod
    def empty(cls, accounts: int, backing: Int64Array) -> Accounts:
        """Return so many empty accounts."""
        shape = (accounts, _ASSETS)
        totals = np.zeros((_ASSETS, 3), np.int64)
        return cls(np.zeros((*shape, 3), np.int64), np.zeros(shape, np.int64), np.full(shape, LARGEST), totals, backing)

    def __len__(self) -> int:
        return len(self.amounts)

    def fork(self) -> Accounts:
        """Return an independent copy; floors and ceilings are shared until one of the two changes them."""
        return Accounts(self.amounts.copy(), self.floor, self.ceiling, self.totals.copy(), self.backing)

    def grow(self, added: int) -> None:
        """Append so many empty accounts."""
        self.amounts = np.pad(self.amounts, ((0, added), (0, 0), (0, 0)))
        self.floor = np.pad(self.floor, ((0, added), (0, 0)))
        self.ceiling = np.pad(self.ceiling, ((0, added), (0, 0)), constant_values=LARGEST)

    def set_floor(self, account: int, asset: int, lowest: int) -> None:
        """Change one floor, in this fork alone."""
        self.floor = self.floor.copy()
        self.floor[account, asset] = lowest

    def set_ceiling(self, account: int, asset: int, highest: int) -> None:
        """Change one ceiling, in this fork alone."""
        self.ceiling = self.ceiling.copy()
        self.ceiling[account, asset] = highest

    def issuing(self, debit: Array, credit: Array, asset: Array) -> npt.NDArray[np.int64]:
        """Return 1 where a transfer from `debit` to `credit` issues the asset, -1 where it redeems it, else 0."""
        pays, receives = self.floor[debit, asset] < 0, self.floor[credit, asset] < 0
        return pays.astype(np.int64) - receives.astype(np.int64)

    def count(self, open_rows: Array) -> None:
        """Count anew what circulates and what the open pending transfers may issue and redeem."""
        issuers = self.floor < 0
        self.totals[:, CIRCULATING] = -np.where(issuers, self.amounts[:, :, POSTED], 0).sum(axis=0)
        self.totals[:, [ISSUING, REDEEMING]] = 0
        self._add_open(open_rows, 1)

    def _add_open(self, open_rows: Array, sign: int) -> None:
        sense = self.issuing(open_rows["debit"], open_rows["credit"], open_rows["asset"])
        for total, wanted in ((ISSUING, 1), (REDEEMING, -1)):
            chosen = open_rows[sense == wanted]
            np.add.at(self.totals[:, total], chosen["asset"], sign * chosen["amount"])

    def hold(self, open_rows: Array, sign: int = 1) -> None:
        """Reserve what pending transfers may move; release it with sign -1."""
        change = sign * open_rows["amount"]
        np.add.at(self.amounts[:, :, RESERVED], (open_rows["debit"], open_rows["asset"]), change)
        np.add.at(self.amounts[:, :, INCOMING], (open_rows["credit"], open_rows["asset"]), change)
        self._add_open(open_rows, sign)

    def post(self, columns: tuple[Array, Array, Array, Array]) -> None:
        """Move amounts between posted balances: debit accounts, credit accounts, assets, amounts."""
        debit, credit, asset, moved = columns
        np.subtract.at(self.amounts[:, :, POSTED], (debit, asset), moved)
        np.add.at(self.amounts[:, :, POSTED], (credit, asset), moved)
