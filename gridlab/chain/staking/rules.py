"""The numbers that staking goes by, in the units of the chain."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION
from gridlab.chain.staking.curve import Inflation
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["StakingAccounts", "StakingRules", "require_accounts_of_staking"]


@dataclass(frozen=True, slots=True)
class StakingRules:
    """What governance may change; `StakingTerms.rules` makes them of levers.

    Attributes
    ----------
    validators : int
        Seats in an election.
    least_validators : int
        With fewer elected the validators of the era before go on (Substrate's ``MinimumValidatorCount``); at most
        `validators`. Four is the least with which one may fail (n >= 3 f + 1).
    handover_share : int
        How much stake must stand behind the elected to become a public chain's authorities, parts per billion of what
        stands behind those in office. Otherwise a little stake, put up while hardly anybody else stands, would get the
        whole chain.
    session_length : int
        Slots in a session.
    sessions_per_era : int
    slot_milliseconds : int
        Length of a slot.
    bonding_duration : int
        Eras between unbonding and withdrawing.
    slash_defer_duration : int
        Eras between a slash and its application, in which governance may cancel it; below `bonding_duration`.
    history_depth : int
        Eras for which rewards may be claimed; at least `bonding_duration`.
    inflation : Inflation
    commission_floor : int
        Least commission, parts per billion.
    reporter_share : int
        Most of a slash that reporters ever get, parts per billion.
    first_report_share : int
        How much of what is left of that each report gets, parts per billion.
    treasury_share : int
        Of what an era mints, parts per billion.
    nominations : int
        Most validators that one account may nominate.
    maximum_nominators : int
        Most accounts that may nominate.
    rewarded_nominators : int
        How many of a validator's nominators are rewarded, the largest first.
    unlocking_chunks : int
        Most parts of one stake that may be on their way out.
    author_points, vote_points : int
        Reward points for a block and for a vote on finality.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is of another type or outside its bounds.
    ChainError
        Values do not go together.
    """

    validators: int = 100
    session_length: int = 2_400
    sessions_per_era: int = 6
    slot_milliseconds: int = 6_000
    bonding_duration: int = 28
    slash_defer_duration: int = 27
    history_depth: int = 84
    inflation: Inflation = field(default_factory=Inflation)
    commission_floor: int = 0
    reporter_share: int = BILLION // 10
    first_report_share: int = BILLION // 2
    treasury_share: int = 15 * BILLION // 100
    nominations: int = 16
    maximum_nominators: int = 50_000
    rewarded_nominators: int = 512
    unlocking_chunks: int = 32
    author_points: int = 20
    vote_points: int = 1
    least_validators: int = 4
    handover_share: int = -(-BILLION // 3)

    def __post_init__(self) -> None:
        for name in ("validators", "session_length", "sessions_per_era", "slot_milliseconds", "bonding_duration"):
            require_int(name, getattr(self, name), 1, 2**32 - 1)
        for name in ("nominations", "maximum_nominators", "rewarded_nominators", "unlocking_chunks"):
            require_int(name, getattr(self, name), 1, 2**32 - 1)
        for name in ("commission_floor", "reporter_share", "first_report_share", "treasury_share", "handover_share"):
            require_int(name, getattr(self, name), 0, BILLION)
        for name in ("slash_defer_duration", "history_depth", "author_points", "vote_points"):
            require_int(name, getattr(self, name), 0, 2**32 - 1)
        if not isinstance(self.inflation, Inflation):
            raise ArgumentTypeError(f"inflation is a {type(self.inflation).__name__}, allowed: an Inflation")
        require_int("least_validators", self.least_validators, 1, self.validators)
        if self.slash_defer_duration >= self.bonding_duration:
            raise ChainError(
                f"slash_defer_duration is {self.slash_defer_duration}, allowed: below bonding_duration "
                f"{self.bonding_duration}; otherwise stake could be withdrawn before a slash reaches it"
            )
        if self.history_depth < self.bonding_duration:
            raise ChainError(
                f"history_depth is {self.history_depth}, allowed: at least bonding_duration {self.bonding_duration}; "
                "otherwise the exposures that a late slash needs would be forgotten"
            )


@dataclass(frozen=True, slots=True)
class StakingAccounts:
    """The ledger's accounts that staking moves GRID between, beside those of the stakers.

    Attributes
    ----------
    issuer : int
        Issues GRID.
    pot : int
        Holds what is bonded and what is minted but not claimed.
    treasury : int

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An account is not a whole number within 0 … 2^32 - 1.
    ChainError
        Two of them are the same.
    """

    issuer: int
    pot: int
    treasury: int

    def __post_init__(self) -> None:
        for name in ("issuer", "pot", "treasury"):
            require_int(name, getattr(self, name), 0, 2**32 - 1)
        if len({self.issuer, self.pot, self.treasury}) < 3:
            raise ChainError(
                f"issuer {self.issuer}, pot {self.pot} and treasury {self.treasury} must be three accounts, otherwise "
                "bonded and free money could not be told apart"
            )

    def __contains__(self, account: object) -> bool:
        return account in (self.issuer, self.pot, self.treasury)


def require_accounts_of_staking(value: object) -> StakingAccounts:
    """Return `value` if it is `StakingAccounts`, or raise ArgumentTypeError."""
    if not isinstance(value, StakingAccounts):
        raise ArgumentTypeError(
            f"accounts is a {type(value).__name__}, allowed: StakingAccounts(issuer=…, pot=…, treasury=…)"
        )
    return value
