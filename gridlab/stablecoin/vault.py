"""What lies behind WATT: cash, bonds, and bonds that are sold and not yet paid. Whole micro-baht."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gridlab.chain.perbill import BILLION

__all__ = ["Vault"]


@dataclass(slots=True)
class Vault:
    """The reserve as it is; what the chain knows of it is what somebody attests.

    Attributes
    ----------
    cash, bonds : int
        Micro-THB, bonds at their fair value.
    selling : deque of (int, int)
        Slot in which it is paid, and how much, in the order of sale.
    lost : int
        To bad news and to fire sales, so far.
    """

    cash: int
    bonds: int
    selling: deque[tuple[int, int]] = field(default_factory=deque)
    lost: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.cash + self.bonds + sum(amount for _, amount in self.selling)

    def settle(self, slot: int) -> None:
        """Take in what was sold long enough ago."""
        while self.selling and self.selling[0][0] <= slot:
            self.cash += self.selling.popleft()[1]

    def lose(self, loss: int) -> None:
        """Lose so much, of cash and bonds in proportion and at most all of both."""
        loss = min(loss, self.cash + self.bonds)
        of_cash = loss * self.cash // max(self.cash + self.bonds, 1)
        self.cash, self.bonds, self.lost = self.cash - of_cash, self.bonds - (loss - of_cash), self.lost + loss

    def raise_at_once(self, wanted: int, discount_ppb: int) -> None:
        """Sell bonds at a discount until there is `wanted` in cash, or until there are none left."""
        short = wanted - self.cash
        if short <= 0 or not self.bonds:
            return
        sold = min(self.bonds, -(-short * BILLION // (BILLION - discount_ppb)))
        proceeds = sold * (BILLION - discount_ppb) // BILLION
        self.bonds, self.cash, self.lost = self.bonds - sold, self.cash + proceeds, self.lost + sold - proceeds

    def sell_in_order(self, wanted: int, due: int) -> None:
        """Sell as many bonds at their value as are short of `wanted`, to be paid in slot `due`."""
        short = wanted - self.cash - sum(amount for _, amount in self.selling)
        sold = min(self.bonds, max(short, 0))
        if sold:
            self.bonds -= sold
            self.selling.append((due, sold))
