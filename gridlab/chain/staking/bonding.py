"""Bonding and unbonding: how GRID is put at stake and taken back."""

from __future__ import annotations

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.stake import Stake
from gridlab.chain.staking.state import Payee, State, require_stake
from gridlab.errors import ArgumentError, ChainError

__all__ = ["bond", "bond_extra", "rebond", "require_account", "require_payee", "unbond", "withdraw"]


def require_account(state: State, name: str, account: object) -> int:
    """Return an account that may stake; refuse those that belong to staking itself."""
    number = require_int(name, account, 0, 2**32 - 1)
    if number in state.accounts:
        raise ChainError(f"{name} {number} is the issuer's, the pot's or the treasury's, allowed: any other account")
    return number


def require_amount(name: str, amount: object, highest: int = LARGEST) -> int:
    """Return an amount of 1 … `highest` micro-GRID."""
    return require_int(f"{name} (micro-GRID)", amount, 1, highest)


def require_payee(state: State, payee: object) -> Payee | int:
    """Return where rewards go: a `Payee` or an account."""
    if isinstance(payee, str):
        if payee not in list(Payee):
            allowed = ", ".join(repr(str(each)) for each in Payee)
            raise ArgumentError(f"payee is {payee!r}, allowed: {allowed}, or the number of an account")
        return Payee(payee)
    return require_account(state, "payee", payee)


def bond(state: State, account: int, amount: int, payee: object, moves: Movements) -> None:
    """Put the first stake of an account up."""
    require_account(state, "account", account)
    if account in state.stakes:
        raise ChainError(f"account {account} has bonded already; bond_extra(account, amount) adds to it")
    _require_supply(state, require_amount("amount", amount))
    where = require_payee(state, payee)
    state.put_stake(account, Stake(amount))
    state.payees[account] = where
    moves.bond(account, amount)


def bond_extra(state: State, account: int, amount: int, moves: Movements) -> None:
    """Add to an account's stake."""
    stake = require_stake(state, require_account(state, "account", account))
    _require_supply(state, require_amount("amount", amount))
    state.put_stake(account, Stake(stake.active + amount, stake.unlocking))
    moves.bond(account, amount)


def _require_supply(state: State, amount: int) -> None:
    free = state.issuance - state.bonded - state.unclaimed
    if amount > free:
        raise ChainError(
            f"amount is {amount} micro-GRID, allowed: at most the {free} of {state.issuance} that are not bonded yet"
        )


def unbond(state: State, account: int, amount: int) -> None:
    """Start taking stake back."""
    stake = require_stake(state, require_account(state, "account", account))
    if require_amount("amount", amount) > stake.active:
        raise ChainError(f"account {account} has {stake.active} micro-GRID active and cannot unbond {amount}")
    if amount == stake.active and (account in state.validators or account in state.nominations):
        raise ChainError(
            f"account {account} validates or nominates, which needs stake; chill(account) first, then unbond everything"
        )
    changed = stake.unbonded(amount, state.now + state.rules.bonding_duration)
    if len(changed.unlocking) > state.rules.unlocking_chunks:
        raise ChainError(
            f"account {account} has {len(stake.unlocking)} parts unlocking, allowed: {state.rules.unlocking_chunks}; "
            "withdraw_unbonded(account) what is ready, or wait for it"
        )
    state.put_stake(account, changed)


def rebond(state: State, account: int, amount: int) -> None:
    """Make stake that is unlocking active again."""
    stake = require_stake(state, require_account(state, "account", account))
    unlocking = stake.total - stake.active
    if require_amount("amount", amount) > unlocking:
        raise ChainError(f"account {account} has {unlocking} micro-GRID unlocking and cannot rebond {amount}")
    state.put_stake(account, stake.rebonded(amount))


def withdraw(state: State, account: int, moves: Movements) -> None:
    """Move what has waited long enough back to the account's free balance."""
    stake = require_stake(state, require_account(state, "account", account))
    left, out = stake.withdrawn(state.now)
    state.put_stake(account, left)
    if not left.total:
        del state.stakes[account], state.payees[account]
        state.validators.pop(account, None)
        state.nominations.pop(account, None)
    moves.release(account, out)
