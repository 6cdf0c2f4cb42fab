"""Who holds all GRID: stakers, stakers that have not claimed yet, the treasury, everybody else.

Every movement gives new books and moves whole micro-GRID, by the rules of the chain itself: what an era mints and how
it is split, the treasury's part of a fee, a slash. So the books of a run of the chain, fed with what happened on it,
are the chain's own, to the last unit; a test holds the two side by side.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/treasury/src/lib.rs`` (``spend_funds``), 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.perbill import part_of
from gridlab.chain.staking import StakingRules, era_payout
from gridlab.chain.staking.payouts import split_era
from gridlab.errors import ArgumentError

__all__ = ["Books"]


@dataclass(frozen=True, slots=True)
class Books:
    """The state of GRID, every field in micro-GRID.

    Attributes
    ----------
    issuance : int
        All GRID there is.
    bonded : int
        What is staked.
    unclaimed : int
        Rewards that are minted and not claimed.
    treasury : int

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A field is not a whole number or negative, or the parts are more than the whole.

    Examples
    --------
    >>> books = Books(issuance=1_000, bonded=600)
    >>> books.paid_fees(50).spent(30, burn=100_000_000)
    Books(issuance=998, bonded=600, unclaimed=0, treasury=18)
    """

    issuance: int
    bonded: int = 0
    unclaimed: int = 0
    treasury: int = 0

    def __post_init__(self) -> None:
        for name in ("issuance", "bonded", "unclaimed", "treasury"):
            require_int(f"{name} (micro-GRID)", getattr(self, name), 0, LARGEST)
        if self.holders < 0:
            raise ArgumentError(
                f"bonded {self.bonded}, unclaimed {self.unclaimed} and treasury {self.treasury} are more than the "
                f"issuance {self.issuance} (micro-GRID); nothing may be counted twice"
            )

    @property
    def holders(self) -> int:
        """What everybody holds freely (micro-GRID)."""
        return self.issuance - self.bonded - self.unclaimed - self.treasury

    def paid_fees(self, treasury_part: int) -> Books:
        """Return the books after fees, of which the treasury got this much; authors are holders."""
        return replace(self, treasury=self.treasury + require_int("treasury_part", treasury_part, 0))

    def closed(self, opening: Books, milliseconds: int, points: Mapping[int, int], rules: StakingRules) -> Books:
        """Return the books after an era has ended and its rewards are minted.

        Parameters
        ----------
        opening : Books
            As they were when the era began; the payout is computed on them.
        milliseconds : int
            How long the era was.
        points : mapping of int to int
            Validator -> reward points of the era.
        rules : StakingRules
        """
        minted = era_payout(opening.bonded, opening.issuance, milliseconds, rules.inflation)
        treasury, parts = split_era(min(minted, LARGEST - self.issuance), rules.treasury_share, points)
        stakers = sum(parts.values())
        return replace(
            self,
            issuance=self.issuance + treasury + stakers,
            treasury=self.treasury + treasury,
            unclaimed=self.unclaimed + stakers,
        )

    def claimed(self, paid: int, dust: int = 0, *, compounded: int = 0) -> Books:
        """Return the books after rewards were claimed.

        Parameters
        ----------
        paid : int
            What stakers got, `compounded` included (micro-GRID).
        dust : int
            What rounding left, for the treasury (micro-GRID).
        compounded : int
            What of it was staked again at once (micro-GRID).
        """
        require_int("paid (micro-GRID)", paid, 0, self.unclaimed)
        require_int("dust (micro-GRID)", dust, 0, self.unclaimed - paid)
        require_int("compounded (micro-GRID)", compounded, 0, paid)
        return replace(
            self,
            unclaimed=self.unclaimed - paid - dust,
            treasury=self.treasury + dust,
            bonded=self.bonded + compounded,
        )

    def slashed(self, amount: int, rules: StakingRules, *, reported: bool = True) -> Books:
        """Return the books after a slash that one report led to; what the reporter does not get, the treasury does."""
        require_int("amount (micro-GRID)", amount, 0, self.bonded)
        reward = part_of(rules.first_report_share, part_of(rules.reporter_share, amount)) if reported else 0
        return replace(self, bonded=self.bonded - amount, treasury=self.treasury + amount - reward)

    def spent(self, amount: int, *, burn: int) -> Books:
        """Return the books after a spend period: payments first, then `burn` (parts per billion) of what is left."""
        left = self.treasury - require_int("amount (micro-GRID)", amount, 0, self.treasury)
        burnt = part_of(burn, left)
        return replace(self, treasury=left - burnt, issuance=self.issuance - burnt)

    def bonds(self, amount: int) -> Books:
        """Return the books after holders have staked `amount` more, or less where it is negative."""
        return replace(self, bonded=self.bonded + amount)
