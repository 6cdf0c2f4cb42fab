"""Everything staking knows, in ordered maps whose values never change in place, so that a copy is cheap."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.staking.rules import StakingAccounts, StakingRules
from gridlab.chain.staking.spans import Spans
from gridlab.chain.staking.stake import Stake
from gridlab.errors import ChainError

__all__ = [
    "EraRecord",
    "EraSummary",
    "Exposure",
    "Offender",
    "Payee",
    "Slash",
    "SlashState",
    "State",
    "Validator",
    "require_stake",
]


class Payee(StrEnum):
    """Where rewards go, where it is not an account's number."""

    STASH = "stash"
    COMPOUND = "compound"


class SlashState(StrEnum):
    """What became of a slash."""

    PENDING = "pending"
    APPLIED = "applied"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Validator:
    """What a candidate declares.

    Attributes
    ----------
    commission : int
        Parts per billion of the reward, taken before it is shared.
    public_key : bytes
        Ed25519 key it signs headers and votes with, 32 bytes.
    blocked : bool
        Whether it takes no new nominators.
    """

    commission: int
    public_key: bytes
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Exposure:
    """What stands behind one validator in one era (micro-GRID).

    Attributes
    ----------
    own : int
        The validator's own part.
    others : tuple of (int, int)
        Nominator and its part, by nominator.
    total : int
    """

    own: int
    others: tuple[tuple[int, int], ...]

    @property
    def total(self) -> int:
        """Own and others together."""
        return self.own + sum(value for _, value in self.others)


@dataclass(slots=True)
class EraRecord:
    """One era: who validated with what behind it, what they earned, and who has claimed.

    Attributes
    ----------
    index : int
    first_session, first_slot : int
    issuance : int
        All GRID there was at its start (micro-GRID).
    exposures : dict of int to Exposure
        In the order of election.
    validators : dict of int to Validator
        As declared at the election.
    root : bytes
        Hash over exposures and validators, 32 bytes.
    points : dict of int to int
    parts : dict of int to int
        Validator -> what it and its nominators earned (micro-GRID); empty while the era lasts.
    unclaimed : int
        What is left of all parts (micro-GRID).
    claimed : dict of int to int
        Validator -> what was paid for it (micro-GRID).
    """

    index: int
    first_session: int
    first_slot: int
    issuance: int
    exposures: dict[int, Exposure]
    validators: dict[int, Validator]
    root: bytes
    points: dict[int, int] = field(default_factory=dict)
    parts: dict[int, int] = field(default_factory=dict)
    unclaimed: int = 0
    claimed: dict[int, int] = field(default_factory=dict)

    @property
    def staked(self) -> int:
        """What backs all its validators (micro-GRID)."""
        return sum(exposure.total for exposure in self.exposures.values())

    def fork(self) -> EraRecord:
        """Return an independent copy; exposures and validators never change once elected."""
        return replace(self, points=dict(self.points), parts=dict(self.parts), claimed=dict(self.claimed))


@dataclass(frozen=True, slots=True)
class EraSummary:
    """What is kept of every era, for people."""

    era: int
    first_session: int
    sessions: int
    validators: int
    staked: int
    issuance: int
    inflation: int
    minted: int
    treasury: int
    stakers: int
    points: int


@dataclass(frozen=True, slots=True)
class Offender:
    """Who was reported for one kind of offence at one place."""

    validator: int
    reporter: int | None


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash that was computed; amounts in micro-GRID.

    Attributes
    ----------
    index : int
        By which governance cancels it.
    kind : str
        "header", "vote" or "offline".
    era : int
        Of the offence.
    due : int
        Era at whose start it is applied.
    validator : int
    fraction : int
        Parts per billion.
    own : int
        From the validator.
    others : tuple of (int, int)
        Nominator and what is taken from it.
    reporter : int or None
    reward : int
        What the reporter is due.
    state : SlashState
    taken, paid : int
        What was really taken and paid when it was applied.
    """

    index: int
    kind: str
    era: int
    due: int
    validator: int
    fraction: int
    own: int
    others: tuple[tuple[int, int], ...]
    reporter: int | None
    reward: int
    state: SlashState = SlashState.PENDING
    taken: int = 0
    paid: int = 0


@dataclass(slots=True)
class State:
    """All of it; see `gridlab.chain.staking.staking.Staking` for what may be done with it.

    Attributes
    ----------
    chain_id : str
    rules : StakingRules
    accounts : StakingAccounts
    issuance : int
        All GRID there is (micro-GRID).
    bonded : int
        Sum over all stakes (micro-GRID).
    era, session : int
        The current ones; era -1 before the first election.
    session_slots : dict of int to int
        First slot of each session that evidence may be about.
    next_transfer : int
        Id of the next transfer.
    stakes : dict of int to Stake
    payees : dict of int to Payee or int
    validators : dict of int to Validator
        Candidates in the next election.
    nominations : dict of int to tuple of int
    eras : dict of int to EraRecord
        Those in the history, the earliest first.
    summaries : list of EraSummary
    spans : dict of int to Spans
    fractions : dict of (int, int) to int
        (era, validator) -> highest slash fraction.
    nominator_slashes : dict of (int, int) to int
        (era, nominator) -> slash of that era over all its validators (micro-GRID).
    offences : dict
        (kind, session, place) -> offenders.
    slashes : list of Slash
    pending : dict of int to None
        Indices of slashes that are not applied yet.
    disabled, online : dict of int to None
        Validators of the current era that are disabled; of the current session that were heard of.
    """

    chain_id: str
    rules: StakingRules
    accounts: StakingAccounts
    issuance: int
    bonded: int = 0
    era: int = -1
    session: int = 0
    session_slots: dict[int, int] = field(default_factory=lambda: {0: 0})
    next_transfer: int = 0
    stakes: dict[int, Stake] = field(default_factory=dict)
    payees: dict[int, Payee | int] = field(default_factory=dict)
    validators: dict[int, Validator] = field(default_factory=dict)
    nominations: dict[int, tuple[int, ...]] = field(default_factory=dict)
    eras: dict[int, EraRecord] = field(default_factory=dict)
    summaries: list[EraSummary] = field(default_factory=list)
    spans: dict[int, Spans] = field(default_factory=dict)
    fractions: dict[tuple[int, int], int] = field(default_factory=dict)
    nominator_slashes: dict[tuple[int, int], int] = field(default_factory=dict)
    offences: dict[tuple[str, int, int], tuple[Offender, ...]] = field(default_factory=dict)
    slashes: list[Slash] = field(default_factory=list)
    pending: dict[int, None] = field(default_factory=dict)
    disabled: dict[int, None] = field(default_factory=dict)
    online: dict[int, None] = field(default_factory=dict)

    def fork(self) -> State:
        """Return an independent copy."""
        copies: dict[str, Any] = {
            name: type(value)(value)
            for name in State.__slots__
            if isinstance(value := getattr(self, name), (dict, list))
        }
        copies["eras"] = {index: record.fork() for index, record in self.eras.items()}
        return replace(self, **copies)

    @property
    def current(self) -> EraRecord | None:
        """The era that lasts now, None before the first election."""
        return self.eras.get(self.era)

    @property
    def now(self) -> int:
        """The era that unbonding and slashing count from: 0 before the first election."""
        return max(self.era, 0)

    @property
    def unclaimed(self) -> int:
        """What is minted for stakers and not claimed yet (micro-GRID)."""
        return sum(record.unclaimed for record in self.eras.values())

    def put_stake(self, account: int, stake: Stake) -> None:
        """Change an account's stake and keep the sum."""
        old = self.stakes.get(account)
        self.bonded += stake.total - (old.total if old else 0)
        self.stakes[account] = stake

    def mint(self, amount: int) -> int:
        """Count new GRID; return how much of `amount` fits below what the ledger can count (micro-GRID)."""
        fits = min(amount, LARGEST - self.issuance)
        self.issuance += fits
        return fits


def require_stake(state: State, account: int) -> Stake:
    """Return the account's stake, or raise ChainError where it has none."""
    stake = state.stakes.get(account)
    if stake is None:
        raise ChainError(f"account {account} has bonded nothing; bond(account, amount) comes first")
    return stake
