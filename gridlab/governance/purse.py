"""What governance does with GRID: deposits, locks and payments, all of them transfers of the ledger.

A deposit and a lock are *pending* transfers to the treasury: the amount stays the account's, and cannot be spent. A
deposit that is forfeited is posted, one that is given back is voided; a lock is only ever voided. An account has one
lock at most, as high as the highest reason for it, so that overlapping reasons share the same GRID as Substrate's locks
do. The ledger itself refuses a transfer of what is locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gridlab.chain.encoding import compact, u32
from gridlab.chain.ledger import Ledger
from gridlab.chain.senders import GOVERNANCE_SENDER
from gridlab.chain.swaps.postings import Posting, apply_postings
from gridlab.errors import GovernanceError

__all__ = ["Hold", "Purse"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A pending transfer from an account to the treasury.

    Attributes
    ----------
    transfer : int
        Its id among governance's.
    account : int
    amount : int
        micro-GRID.
    """

    transfer: int
    account: int
    amount: int

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return compact(self.transfer) + u32(self.account) + compact(self.amount)


@dataclass(frozen=True, slots=True)
class Purse:
    """The ledger as governance uses it at one moment.

    Attributes
    ----------
    ledger : Ledger
        Changed in place.
    now : int
        Microseconds since 1970-01-01 UTC.
    treasury : int
        Account.
    system : int
        Accounts below this one belong to nobody: no key acts for them.
    """

    ledger: Ledger
    now: int
    treasury: int
    system: int

    def require_holder(self, account: int, what: str) -> None:
        """Raise GovernanceError unless the account exists and is somebody's."""
        if not self.system <= account < len(self.ledger):
            raise GovernanceError(
                f"{what} {account} is not an account that somebody holds, allowed: {self.system} … "
                f"{len(self.ledger) - 1}"
            )

    def power(self, account: int, held: Hold | None) -> int:
        """Return what an account may vote with, micro-GRID: what it may spend, and what governance locks already."""
        return self.ledger.available(account, "GRID") + (held.amount if held else 0)

    @property
    def electorate(self) -> int:
        """All GRID that somebody could vote with, micro-GRID: what circulates, without the accounts of nobody."""
        nobodys = [account for account in range(self.system) if not self.ledger.is_issuer(account, "GRID")]
        return self.ledger.circulation("GRID") - sum(self.ledger.balance(account, "GRID") for account in nobodys)

    def deposit(self, account: int, amount: int, what: str) -> Hold | None:
        """Take a deposit, None for one of 0; raises GovernanceError where the account cannot spend as much."""
        if not amount:
            return None
        spendable = self.ledger.available(account, "GRID")
        if spendable < amount:
            raise GovernanceError(
                f"{what} is {amount} micro-GRID, account {account} has {spendable} to spend; unlock or fund it first"
            )
        return self._held(account, amount, "deposit", None)

    def lock(self, account: int, held: Hold | None, amount: int) -> Hold | None:
        """Make the one lock of an account this high, and return it; None where nothing is locked any more."""
        if (held.amount if held else 0) == amount:
            return held
        if not amount:
            if held:
                self._apply([self._closing(held, "void", "refund", self._next)])
            return None
        return self._held(account, amount, "reservation", held)

    def refund(self, held: Hold | None) -> None:
        """Give a deposit back."""
        if held is not None:
            self._apply([self._closing(held, "void", "refund", self._next)])

    def forfeit(self, held: Hold | None) -> None:
        """Take a deposit for the treasury."""
        if held is not None:
            self._apply([self._closing(held, "post", "penalty", self._next)])

    def spend(self, payments: Iterable[tuple[int, int]]) -> None:
        """Pay from the treasury, all or none; raises LedgerError where it has too little."""
        first = self._next
        rows = [
            Posting(first + place, self.treasury, account, "GRID", amount, "grid")
            for place, (account, amount) in enumerate(payments)
        ]
        self._apply(rows)

    @property
    def _next(self) -> int:
        return self.ledger.next_id(GOVERNANCE_SENDER)

    def _held(self, account: int, amount: int, code: str, instead_of: Hold | None) -> Hold:
        first = self._next
        freed = [] if instead_of is None else [self._closing(instead_of, "void", "refund", first)]
        made = Hold(first + len(freed), account, amount)
        self._apply([*freed, Posting(made.transfer, account, self.treasury, "GRID", amount, code, "pending")])
        return made

    def _closing(self, held: Hold, phase: str, code: str, transfer: int) -> Posting:
        return Posting(transfer, held.account, self.treasury, "GRID", 0, code, phase, held.transfer)

    def _apply(self, rows: list[Posting]) -> None:
        apply_postings(self.ledger, rows, sender=GOVERNANCE_SENDER, now=self.now)
