"""Movements of GRID as a frame that a ledger applies."""

from __future__ import annotations

import polars as pl

from gridlab.chain.ledger.schema import ASSETS, CODES
from gridlab.chain.staking.state import State

__all__ = ["Movements"]


class Movements:
    """What an operation moves, in order; nothing where an amount is 0.

    Parameters
    ----------
    state : State
        Whose transfer ids are used up.
    """

    __slots__ = ("_rows", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: list[tuple[int, int, int, str]] = []

    def add(self, debit: int, credit: int, amount: int, code: str) -> None:
        """Move `amount` (micro-GRID) from one account to another."""
        if amount:
            self._rows.append((debit, credit, amount, code))

    def bond(self, account: int, amount: int) -> None:
        """Move from an account's free balance into the pot."""
        self.add(account, self._state.accounts.pot, amount, "deposit")

    def release(self, account: int, amount: int) -> None:
        """Move from the pot back to an account's free balance."""
        self.add(self._state.accounts.pot, account, amount, "withdrawal")

    def mint(self, credit: int, amount: int) -> None:
        """Issue new GRID."""
        self.add(self._state.accounts.issuer, credit, amount, "mint")

    def reward(self, credit: int, amount: int) -> None:
        """Pay a reward out of the pot."""
        self.add(self._state.accounts.pot, credit, amount, "reward")

    def dust(self, amount: int) -> None:
        """Give the treasury what rounding left."""
        self.add(self._state.accounts.pot, self._state.accounts.treasury, amount, "transfer")

    def penalty(self, amount: int) -> None:
        """Give the treasury what was slashed."""
        self.add(self._state.accounts.pot, self._state.accounts.treasury, amount, "penalty")

    def extend(self, other: Movements, state: State) -> None:
        """Append what `other` moves; from now on `state` is the one that holds."""
        self._rows += other._rows
        self._state = state

    def frame(self) -> pl.DataFrame:
        """Return the movements as `gridlab.chain.ledger.TRANSFERS`, with ids that the state has not used yet."""
        first = self._state.next_transfer
        self._state.next_transfer += len(self._rows)
        debit, credit, amount, code = zip(*self._rows, strict=True) if self._rows else ((), (), (), ())
        return pl.DataFrame(
            {
                "transfer_id": pl.Series(range(first, self._state.next_transfer), dtype=pl.UInt64),
                "debit_account": pl.Series(debit, dtype=pl.UInt32),
                "credit_account": pl.Series(credit, dtype=pl.UInt32),
                "asset": pl.Series(["GRID"] * len(self._rows), dtype=ASSETS),
                "amount": pl.Series(amount, dtype=pl.Int64),
                "code": pl.Series(code, dtype=CODES),
            }
        )
