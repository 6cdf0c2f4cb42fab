"""The roll of a track: what each account votes there, to whom it delegates, what it received, what is still locked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import compact, u8, u32
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import GovernanceError
from gridlab.governance.ballots import Ballot, Delegations
from gridlab.governance.voting import TENTHS, conviction_level
from gridlab.units import Number

__all__ = ["Delegation", "Voter"]


@dataclass(frozen=True, slots=True)
class Delegation:
    """Votes handed to another account.

    Attributes
    ----------
    delegate : int
        Account.
    level : int
        Of conviction, 0 … 6.
    amount : int
        micro-GRID, more than 0.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        A number is none, or out of range.
    """

    delegate: int
    level: int
    amount: int

    def __post_init__(self) -> None:
        require_int("delegate", self.delegate, 0, 2**32 - 1)
        if not 0 <= require_int("level", self.level) < len(TENTHS):
            raise GovernanceError(
                f"the level of conviction is {self.level}, allowed: 0 (a tenth, no lock), or 1 … {len(TENTHS) - 1}"
            )
        require_int("amount", self.amount, 1, LARGEST)

    @classmethod
    def to(cls, delegate: int, amount: int, conviction: Number = 1) -> Delegation:
        """Return a delegation of an amount (micro-GRID) to an account."""
        return cls(delegate, conviction_level(conviction), amount)

    @property
    def given(self) -> Delegations:
        """What the delegate receives."""
        return Delegations.of(self.amount, self.level)


@dataclass(frozen=True, slots=True)
class Voter:
    """One account on one track. Never changed, only replaced.

    Attributes
    ----------
    ballots : tuple of (int, Ballot)
        By number of the referendum, ended ones too until the account removes them.
    delegation : Delegation or None
        An account that delegates does not vote itself.
    received : Delegations
        From those who delegate to this account.
    until, amount : int
        The lock that is left from earlier votes: micro-GRID, until that moment (microseconds). Several are kept as one
        with the largest amount and the latest end.
    period : int
        Microseconds that one period of its delegation's lock will last: as the rules were when it delegated.
    """

    ballots: tuple[tuple[int, Ballot], ...] = ()
    delegation: Delegation | None = None
    received: Delegations = field(default_factory=Delegations)
    until: int = 0
    amount: int = 0
    period: int = 0

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        handed = self.delegation
        parts = [compact(len(self.ballots))]
        parts += [compact(number) + ballot.to_bytes() for number, ballot in self.ballots]
        parts += [u8(0)] if handed is None else [u8(1), u32(handed.delegate), u8(handed.level), compact(handed.amount)]
        parts += map(compact, (self.received.votes, self.received.capital, self.until, self.amount, self.period))
        return b"".join(parts)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be kept of it."""
        return not (self.ballots or self.delegation or self.received.capital or self.amount)

    def ballot(self, number: int) -> Ballot | None:
        """Return what it votes in a referendum, None where it does not."""
        return dict(self.ballots).get(number)

    def voting(self, number: int, ballot: Ballot | None) -> Voter:
        """Return it with another ballot in a referendum, or none there."""
        kept = dict(self.ballots)
        kept.pop(number, None)
        if ballot is not None:
            kept[number] = ballot
        return replace(self, ballots=tuple(sorted(kept.items(), key=lambda each: each[0])))

    def locking(self, until: int, amount: int) -> Voter:
        """Return it with one more lock from the past."""
        return replace(self, until=max(self.until, until), amount=max(self.amount, amount))

    def released(self, now: int) -> Voter:
        """Return it without the lock from the past if that one has run out."""
        return replace(self, until=0, amount=0) if self.amount and now >= self.until else self

    @property
    def locked(self) -> int:
        """How much must stay locked for this track, micro-GRID."""
        delegated = self.delegation.amount if self.delegation else 0
        return max(self.amount, delegated, *(ballot.amount for _, ballot in self.ballots))
