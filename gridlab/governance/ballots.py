"""Ballots and tallies: what one account says about a referendum, and what all say together."""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import compact, u8
from gridlab.errors import ArgumentTypeError, GovernanceError, nearest
from gridlab.governance.voting import PERIODS, TENTHS, conviction_level
from gridlab.units import Number

__all__ = ["CHOICES", "Ballot", "Delegations", "Tally"]

CHOICES = ("aye", "nay", "split")
# What Int64 counts, so that a ledger can hold it.
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Delegations:
    """What others have handed to an account.

    Attributes
    ----------
    votes : int
        After conviction.
    capital : int
        micro-GRID.
    """

    votes: int = 0
    capital: int = 0

    def __add__(self, other: Delegations) -> Delegations:
        return Delegations(self.votes + other.votes, self.capital + other.capital)

    def __sub__(self, other: Delegations) -> Delegations:
        return Delegations(self.votes - other.votes, self.capital - other.capital)

    @classmethod
    def of(cls, amount: int, level: int) -> Delegations:
        """Return what an amount gives under the conviction of this level, 0 … 6."""
        return cls(amount * TENTHS[level] // 10, amount)


@dataclass(frozen=True, slots=True)
class Tally:
    """How a referendum stands.

    Attributes
    ----------
    ayes, nays : int
        Votes, after conviction.
    support : int
        micro-GRID behind ayes and abstentions, before conviction.
    turnout : int
        micro-GRID that voted in any way, before conviction.
    """

    ayes: int = 0
    nays: int = 0
    support: int = 0
    turnout: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.ayes + other.ayes,
            self.nays + other.nays,
            self.support + other.support,
            self.turnout + other.turnout,
        )

    def __sub__(self, other: Tally) -> Tally:
        return Tally(
            self.ayes - other.ayes,
            self.nays - other.nays,
            self.support - other.support,
            self.turnout - other.turnout,
        )

    @classmethod
    def of(cls, given: Delegations, *, aye: bool) -> Tally:
        """Return what votes and capital count on one side."""
        if aye:
            return cls(given.votes, 0, given.capital, given.capital)
        return cls(0, given.votes, 0, given.capital)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return compact(self.ayes) + compact(self.nays) + compact(self.support) + compact(self.turnout)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one account votes in one referendum; `Ballot.for_it`, `against` and `split` make one.

    Attributes
    ----------
    choice : str
        "aye", "nay", or "split" between aye, nay and abstention.
    level : int
        Of conviction, 0 … 6; a split has 0 and counts a tenth.
    aye, nay, abstain : int
        micro-GRID.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        An attribute is of the wrong type or out of range, the amounts do not fit the choice, or nothing is voted.
    """

    choice: str
    level: int
    aye: int = 0
    nay: int = 0
    abstain: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.choice, str):
            raise ArgumentTypeError(f"choice is a {type(self.choice).__name__}, allowed: one of {list(CHOICES)}")
        if self.choice not in CHOICES:
            raise GovernanceError(f"choice {self.choice!r} is not known; {nearest(self.choice, CHOICES)}")
        if not 0 <= require_int("level", self.level) < len(TENTHS):
            raise GovernanceError(
                f"the level of conviction is {self.level}, allowed: 0 (a tenth, no lock), or 1 … {len(TENTHS) - 1}"
            )
        for name in ("aye", "nay", "abstain"):
            require_int(name, getattr(self, name), 0, _MOST)
        unused = {"aye": ("nay", "abstain"), "nay": ("aye", "abstain"), "split": ()}[self.choice]
        if any(getattr(self, name) for name in unused):
            raise GovernanceError(f"a vote {self.choice!r} has amounts on another side; split votes may divide theirs")
        if self.choice == "split" and self.level:
            raise GovernanceError("a split vote has no conviction, allowed: level 0; vote aye or nay to have one")
        if not 0 < self.amount <= _MOST:
            raise GovernanceError(f"the vote is over {self.amount} micro-GRID, allowed: 1 to {_MOST}")

    @classmethod
    def for_it(cls, amount: int, conviction: Number = 1) -> Ballot:
        """Return an aye over an amount (micro-GRID)."""
        return cls("aye", conviction_level(conviction), aye=amount)

    @classmethod
    def against(cls, amount: int, conviction: Number = 1) -> Ballot:
        """Return a nay over an amount (micro-GRID)."""
        return cls("nay", conviction_level(conviction), nay=amount)

    @classmethod
    def split(cls, *, aye: int = 0, nay: int = 0, abstain: int = 0) -> Ballot:
        """Return amounts (micro-GRID) on several sides, at a tenth of a vote each; abstentions count as support."""
        return cls("split", 0, aye, nay, abstain)

    @property
    def amount(self) -> int:
        """All that is voted with, micro-GRID."""
        return self.aye + self.nay + self.abstain

    @property
    def side(self) -> bool | None:
        """True for aye, False for nay, None for a split, which delegations do not follow."""
        return None if self.choice == "split" else self.choice == "aye"

    @property
    def tally(self) -> Tally:
        """What it counts by itself; each side rounds down."""
        ayes, nays = (Delegations.of(amount, self.level).votes for amount in (self.aye, self.nay))
        return Tally(ayes, nays, self.aye + self.abstain, self.amount)

    def periods(self, *, approved: bool) -> int:
        """Return for how many periods its amount stays locked after the end: 0 unless its side won."""
        return PERIODS[self.level] if self.side is approved else 0

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        amounts = compact(self.aye) + compact(self.nay) + compact(self.abstain)
        return u8(CHOICES.index(self.choice)) + u8(self.level) + amounts
