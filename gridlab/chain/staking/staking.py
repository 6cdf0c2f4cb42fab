"""Nominated proof of stake: who may validate, what it earns them, and what it costs to misbehave.

`Staking` holds no money. It says what moves: every method that moves GRID returns a frame of transfers, and
`gridlab.chain.staking.carry_out` applies it to a ledger, or leaves both as they were. What is bonded, and what is
minted but not claimed, lies in one account of the ledger, the pot, so that its balance is always `bonded` plus
`unclaimed`.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking``, 2024.
Cevallos and Stewart, "A verifiably secure and proportional committee election rule", AFT 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.staking import bonding, concentration, eras, intentions, offences, payouts, saving, slashing, views
from gridlab.chain.staking.elections import Elect, phragmen
from gridlab.chain.staking.evidence import EquivocationProof
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.rules import StakingAccounts, StakingRules, require_accounts_of_staking
from gridlab.chain.staking.stake import Stake
from gridlab.chain.staking.state import Exposure, Payee, State
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError

__all__ = ["Staking"]


class Staking:
    """Stakes, elections, rewards and slashes of one chain.

    Parameters
    ----------
    issuance : int
        All GRID there is (micro-GRID), 1 … 2^63 - 1.
    accounts : StakingAccounts
        The ledger's accounts that GRID moves between.
    rules : StakingRules, optional
        `StakingTerms.rules` makes them of levers.
    chain_id : str
        Evidence of another chain proves nothing here.
    elect : callable, optional
        ``elect(candidates, voters, seats)``; sequential Phragmén unless another is given.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or outside its bounds.

    Examples
    --------
    >>> from gridlab.chain.staking import StakingAccounts
    >>> staking = Staking(10_000_000, StakingAccounts(issuer=0, pot=1, treasury=2))
    >>> staking.bond(7, 4_000_000).select("debit_account", "credit_account", "amount").rows()
    [(7, 1, 4000000)]
    >>> staking
    Staking(not started, 4000000 of 10000000 micro-GRID bonded)
    """

    __slots__ = ("_elect", "_state")

    def __init__(
        self,
        issuance: int,
        accounts: StakingAccounts,
        *,
        rules: StakingRules | None = None,
        chain_id: str = "gridlab-public",
        elect: Elect = phragmen,
    ) -> None:
        require_int("issuance (micro-GRID)", issuance, 1, LARGEST)
        if not callable(elect):
            raise ArgumentTypeError(
                f"elect is a {type(elect).__name__}, allowed: a function of candidates, voters and seats"
            )
        chosen = _require_rules(StakingRules() if rules is None else rules)
        self._elect = elect
        self._state = State(require_text("chain_id", chain_id), chosen, require_accounts_of_staking(accounts), issuance)

    def __repr__(self) -> str:
        state = self._state
        when = f"era {state.era}, session {state.session}" if state.era >= 0 else "not started"
        return f"Staking({when}, {state.bonded} of {state.issuance} micro-GRID bonded)"

    def fork(self) -> Staking:
        """Return an independent copy; what happens to one does not reach the other."""
        copy = object.__new__(Staking)
        copy._elect, copy._state = self._elect, self._state.fork()
        return copy

    # Bonding ----------------------------------------------------------------------------------------------------------

    def bond(self, account: int, amount: int, *, payee: str | int = Payee.STASH) -> pl.DataFrame:
        """Put the first stake of `account` up: `amount` micro-GRID; `payee` is "stash", "compound" or an account."""
        moves = Movements(self._state)
        bonding.bond(self._state, account, amount, payee, moves)
        return moves.frame()

    def bond_extra(self, account: int, amount: int) -> pl.DataFrame:
        """Add `amount` micro-GRID to the stake of `account`."""
        moves = Movements(self._state)
        bonding.bond_extra(self._state, account, amount, moves)
        return moves.frame()

    def unbond(self, account: int, amount: int) -> None:
        """Start taking `amount` micro-GRID back; it may be withdrawn after the bonding duration."""
        bonding.unbond(self._state, account, amount)

    def rebond(self, account: int, amount: int) -> None:
        """Make `amount` micro-GRID that is unlocking active again, the latest unbonded first."""
        bonding.rebond(self._state, account, amount)

    def withdraw_unbonded(self, account: int) -> pl.DataFrame:
        """Give back what has waited long enough; an account with nothing left is forgotten."""
        moves = Movements(self._state)
        bonding.withdraw(self._state, account, moves)
        return moves.frame()

    def set_payee(self, account: int, payee: str | int) -> None:
        """Let rewards of `account` go to itself ("stash"), to its stake ("compound") or to another account."""
        intentions.set_payee(self._state, account, payee)

    # Intentions -------------------------------------------------------------------------------------------------------

    def validate(self, account: int, *, commission: int, public_key: bytes, blocked: bool = False) -> None:
        """Stand in the next elections with a commission (parts per billion) and an Ed25519 key of its own."""
        intentions.validate(self._state, account, commission, public_key, blocked=blocked)

    def nominate(self, account: int, targets: Sequence[int]) -> None:
        """Back 1 … 16 candidates in the next elections, in place of those named before."""
        intentions.nominate(self._state, account, targets)

    def chill(self, account: int) -> None:
        """Take `account` out of the next elections; its stake stays."""
        intentions.chill(self._state, account)

    def kick(self, account: int, nominators: Sequence[int]) -> None:
        """Take nominators away from candidate `account`, all or none of them."""
        intentions.kick(self._state, account, nominators)

    # Time -------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Elect the validators of era 0."""
        eras.start(self._state, self._elect)

    def end_session(self) -> pl.DataFrame:
        """End the session: report who was silent; at the end of an era mint rewards, apply slashes and elect."""
        after = self._state.fork()
        moves = Movements(after)
        self._state = eras.end_session(after, self._elect, moves)
        return moves.frame()

    def end_era(self) -> pl.DataFrame:
        """End sessions until the era is over, every validator voting once in each; a short way for experiments."""
        before, frames = self._state, []
        self._state = before.fork()
        try:
            for _ in range(before.rules.sessions_per_era):
                self.note_votes()
                frames.append(self.end_session())
                if self.era != before.era:
                    break
        except GridlabError:
            self._state = before
            raise
        return pl.concat(frames)

    def heartbeat(self, validator: int) -> None:
        """Note that a validator is there, though it has nothing to do."""
        eras.hear(self._state, validator)

    def note_author(self, validator: int) -> None:
        """Note that a validator made a block."""
        eras.reward_points(self._state, [validator], self._state.rules.author_points)

    def note_votes(self, validators: Sequence[int] | None = None) -> None:
        """Note that validators voted on finality: these, or all that are not disabled."""
        if validators is None:
            validators = [who for who in self.elected if who not in self._state.disabled]
        eras.reward_points(self._state, validators, self._state.rules.vote_points)

    # Rewards and slashes ----------------------------------------------------------------------------------------------

    def payout(self, validator: int, era: int) -> pl.DataFrame:
        """Pay a validator and its nominators for an era that has ended; once, within the history."""
        moves = Movements(self._state)
        payouts.pay_out(self._state, validator, era, moves)
        return moves.frame()

    def report_equivocation(self, proof: EquivocationProof, *, reporter: int | None = None) -> pl.DataFrame:
        """Slash a validator that provably signed two things for one place, and all who did so at the same place."""
        moves = Movements(self._state)
        offences.report_equivocation(self._state, proof, reporter, moves)
        return moves.frame()

    def cancel_slashes(self, indices: Sequence[int]) -> None:
        """Cancel slashes that are not applied yet, by index; for governance."""
        slashing.cancel(self._state, indices)

    # What is ----------------------------------------------------------------------------------------------------------

    @property
    def rules(self) -> StakingRules:
        """The rules in force; setting them holds from the next operation on."""
        return self._state.rules

    @rules.setter
    def rules(self, rules: StakingRules) -> None:
        self._state.rules = _require_rules(rules)

    @property
    def accounts(self) -> StakingAccounts:
        """The ledger's accounts that GRID moves between."""
        return self._state.accounts

    @property
    def issuance(self) -> int:
        """All GRID there is (micro-GRID)."""
        return self._state.issuance

    @property
    def bonded(self) -> int:
        """Sum of all stakes, what is unlocking included (micro-GRID)."""
        return self._state.bonded

    @property
    def unclaimed(self) -> int:
        """Rewards that are minted and not claimed yet (micro-GRID)."""
        return self._state.unclaimed

    @property
    def era(self) -> int:
        """The era that lasts now, -1 before the first election."""
        return self._state.era

    @property
    def session(self) -> int:
        """The session that lasts now."""
        return self._state.session

    @property
    def session_end(self) -> int:
        """First slot of the next session."""
        return self._state.session_slots[self._state.session] + self._state.rules.session_length

    @property
    def elected(self) -> tuple[int, ...]:
        """The validators of this era, in the order of election."""
        return tuple(self._state.current.exposures) if self._state.current else ()

    @property
    def disabled(self) -> tuple[int, ...]:
        """The validators that may do nothing until the era ends."""
        return tuple(self._state.disabled)

    @property
    def keys(self) -> dict[int, bytes]:
        """Public key of each validator of this era."""
        record = self._state.current
        return {who: each.public_key for who, each in record.validators.items()} if record else {}

    @property
    def overdue(self) -> bool:
        """Whether an era goes on after its last session, because too few were elected to follow."""
        record = self._state.current
        return record is not None and self._state.session - record.first_session >= self.rules.sessions_per_era

    @property
    def declared(self) -> dict[int, bytes]:
        """The keys of those who stand in the next election, by account."""
        return {who: each.public_key for who, each in self._state.validators.items()}

    def stake(self, account: int) -> Stake:
        """Return what an account has bonded, nothing where it has no stake."""
        return self._state.stakes.get(require_int("account", account, 0), Stake(0))

    def exposure(self, validator: int, era: int | None = None) -> Exposure:
        """Return what stands behind a validator in an era of the history, this one unless another is named."""
        record = self._state.eras.get(self.era if era is None else require_int("era", era))
        if record is None or validator not in record.exposures:
            raise ChainError(f"account {validator} did not validate in era {self.era if era is None else era}")
        return record.exposures[validator]

    @property
    def validators(self) -> pl.DataFrame:
        """The validators of this era with exposure, commission, points and rewards."""
        return views.validators_frame(self._state, self.era)

    def validators_of(self, era: int) -> pl.DataFrame:
        """Return the validators of an era of the history, like `validators`; empty for any other era."""
        return views.validators_frame(self._state, require_int("era", era))

    @property
    def candidates(self) -> pl.DataFrame:
        """Who stands in the next election."""
        return views.candidates_frame(self._state)

    @property
    def nominators(self) -> pl.DataFrame:
        """Who nominates, whom, and how much of it backs validators of this era."""
        return views.nominators_frame(self._state)

    @property
    def stakes(self) -> pl.DataFrame:
        """Every account with a stake."""
        return views.stakes_frame(self._state)

    @property
    def slashes(self) -> pl.DataFrame:
        """Every slash: pending, applied or cancelled."""
        return views.slashes_frame(self._state)

    @property
    def eras(self) -> pl.DataFrame:
        """Every era that has ended, with what it minted."""
        return views.eras_frame(self._state)

    @property
    def distribution(self) -> pl.DataFrame:
        """The validators of this era by stake, with their shares."""
        return concentration.stake_distribution(self.validators)

    @property
    def nakamoto_coefficient(self) -> int:
        """How many validators hold more than a third of what backs this era's validators."""
        return concentration.nakamoto_coefficient(self.validators["total"].to_list())

    @property
    def plot(self) -> Any:
        """Pictures: ``staking.plot.stake()`` (HoloViews)."""
        return through("stake_plot", self)

    @property
    def commitment(self) -> bytes:
        """Hash over all that decides what will happen, 32 bytes."""
        return saving.commitment(self._state)


def _require_rules(rules: object) -> StakingRules:
    if not isinstance(rules, StakingRules):
        raise ArgumentTypeError(
            f"rules is a {type(rules).__name__}, allowed: StakingRules(…), or the rules() of StakingTerms"
        )
    return rules
