"""Rewards of an era: minted at its end, claimed once per era and validator.

Every share is rounded down, and what rounding leaves goes to the treasury, so that what is minted is what is paid, to
the last micro-GRID. Substrate rounds each share to parts per billion first and then to the nearest unit; the exact
ratio is used here, since it favours nobody and leaves less over.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/src/pallet/impls.rs`` (``do_payout_stakers``), 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.perbill import BILLION, QUINTILLION, floor_of
from gridlab.chain.staking.curve import era_payout, inflation
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.stake import Stake
from gridlab.chain.staking.state import EraRecord, EraSummary, Exposure, Payee, State
from gridlab.errors import ChainError

__all__ = ["Shares", "close_era", "expire_rewards", "pay_out", "shares_of", "split_era"]


@dataclass(frozen=True, slots=True)
class Shares:
    """How one validator's part of an era is split (micro-GRID).

    Attributes
    ----------
    commission : int
        Taken by the validator first.
    own : int
        The validator's share by its own exposure.
    others : tuple of (int, int)
        Nominator and its share, the largest exposure first.
    dust : int
        What rounding left, and the shares of nominators beyond the rewarded ones.
    """

    commission: int
    own: int
    others: tuple[tuple[int, int], ...]
    dust: int


def shares_of(part: int, commission: int, exposure: Exposure, rewarded: int) -> Shares:
    """Split a validator's part: commission first, the rest by exposure, each share rounded down.

    Parameters
    ----------
    part : int
        What validator and nominators earned together (micro-GRID).
    commission : int
        Parts per billion.
    exposure : Exposure
    rewarded : int
        How many nominators are rewarded, the largest first; equals in the order of accounts.
    """
    first = floor_of(commission, part)
    rest, total = part - first, exposure.total
    own = rest * exposure.own // total if total else 0
    largest = sorted(exposure.others, key=lambda other: (-other[1], other[0]))[:rewarded]
    others = tuple((account, rest * value // total) for account, value in largest)
    return Shares(first, own, others, rest - own - sum(share for _, share in others))


def split_era(minted: int, treasury_share: int, points: Mapping[int, int]) -> tuple[int, dict[int, int]]:
    """Share what an era may mint between the treasury and the validators that earned points.

    Parameters
    ----------
    minted : int
        What the reward curve allows (micro-GRID).
    treasury_share : int
        Parts per billion.
    points : mapping of int to int
        Validator -> reward points.

    Returns
    -------
    (int, dict of int to int)
        The treasury's part, rounding dust included, and validator -> part (micro-GRID).
    """
    treasury = floor_of(treasury_share, minted)
    earned = sum(points.values())
    # Where nobody did anything, there is nobody to pay, and nothing is minted for stakers.
    stakers = minted - treasury if earned else 0
    parts = {account: stakers * mine // earned for account, mine in points.items()}
    return treasury + stakers - sum(parts.values()), parts


def close_era(state: State, record: EraRecord, moves: Movements) -> None:
    """Mint what the era is worth, and say what each validator earned."""
    milliseconds = (state.session_slots[state.session] - record.first_slot) * state.rules.slot_milliseconds
    minted = era_payout(record.staked, record.issuance, milliseconds, state.rules.inflation)
    minted = min(minted, LARGEST - state.issuance)
    treasury, record.parts = split_era(minted, state.rules.treasury_share, record.points)
    record.unclaimed = sum(record.parts.values())
    state.mint(treasury + record.unclaimed)
    moves.mint(state.accounts.treasury, treasury)
    moves.mint(state.accounts.pot, record.unclaimed)
    state.summaries.append(_summary(state, record, treasury))


def _summary(state: State, record: EraRecord, treasury: int) -> EraSummary:
    rate = inflation(record.staked, record.issuance, state.rules.inflation)
    return EraSummary(
        era=record.index,
        first_session=record.first_session,
        sessions=state.session - record.first_session,
        validators=len(record.exposures),
        staked=record.staked,
        issuance=record.issuance,
        inflation=rate // (QUINTILLION // BILLION),
        minted=treasury + record.unclaimed,
        treasury=treasury,
        stakers=record.unclaimed,
        points=sum(record.points.values()),
    )


def pay_out(state: State, validator: int, era: int, moves: Movements) -> Shares:
    """Pay validator and nominators for one era.

    Raises
    ------
    ChainError
        The era lasts still or is not in the history, the account did not validate in it, or was paid already.
    """
    record = _require_paid_era(state, era)
    if require_int("validator", validator, 0, 2**32 - 1) not in record.exposures:
        raise ChainError(f"account {validator} did not validate in era {era}; staking.validators_of(era) lists who did")
    if validator in record.claimed:
        raise ChainError(
            f"validator {validator} and its nominators were paid for era {era} already: "
            f"{record.claimed[validator]} micro-GRID; a payout is claimed once"
        )
    part, commission = record.parts.get(validator, 0), record.validators[validator].commission
    shares = shares_of(part, commission, record.exposures[validator], state.rules.rewarded_nominators)
    record.claimed[validator] = part - shares.dust
    record.unclaimed -= part
    _pay(state, validator, shares.commission + shares.own, moves)
    for nominator, share in shares.others:
        _pay(state, nominator, share, moves)
    moves.dust(shares.dust)
    return shares


def _require_paid_era(state: State, era: int) -> EraRecord:
    record = state.eras.get(require_int("era", era, 0))
    if era >= state.era:
        raise ChainError(f"era {era} has not ended (now is era {state.era}); its rewards may be claimed when it has")
    if record is None:
        raise ChainError(
            f"era {era} is older than the {state.rules.history_depth} eras of the history; what was not claimed in "
            "time went to the treasury"
        )
    return record


def _pay(state: State, account: int, amount: int, moves: Movements) -> None:
    payee, stake = state.payees.get(account, Payee.STASH), state.stakes.get(account)
    if payee is Payee.COMPOUND and stake is not None:
        # It lies in the pot already and only changes its meaning there.
        state.put_stake(account, Stake(stake.active + amount, stake.unlocking))
    else:
        moves.reward(account if isinstance(payee, Payee) else payee, amount)


def expire_rewards(state: State, moves: Movements) -> None:
    """Forget eras beyond the history; what nobody claimed goes to the treasury."""
    for index in [index for index in state.eras if index < state.era - state.rules.history_depth]:
        moves.dust(state.eras.pop(index).unclaimed)
