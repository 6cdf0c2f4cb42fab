"""What stakers want: to validate, to nominate, or neither."""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.ed25519 import usable_key
from gridlab.chain.perbill import BILLION
from gridlab.chain.staking.bonding import require_account, require_payee
from gridlab.chain.staking.evidence import PUBLIC_KEY_BYTES
from gridlab.chain.staking.state import State, Validator, require_stake
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["chill", "kick", "nominate", "set_payee", "validate"]


def validate(state: State, account: int, commission: int, public_key: bytes, *, blocked: bool) -> None:
    """Stand in the next elections."""
    _require_active(state, account)
    require_int("commission (parts per billion)", commission, state.rules.commission_floor, BILLION)
    require_bytes("public_key", public_key, PUBLIC_KEY_BYTES)
    if not isinstance(blocked, bool):
        raise ArgumentTypeError(f"blocked is {blocked!r} ({type(blocked).__name__}), allowed: True or False")
    if not usable_key(public_key):
        raise ChainError(
            f"public_key 0x{public_key.hex()[:16]}… is not canonical or of small order, so anybody could sign for it; "
            "keys.KeyPair.from_seed(seed) makes a sound one"
        )
    for other, declared in state.validators.items():
        if other != account and declared.public_key == public_key:
            raise ChainError(
                f"public_key 0x{public_key.hex()[:16]}… is that of validator {other}; each signs with a key of its own"
            )
    state.nominations.pop(account, None)
    state.validators[account] = Validator(commission, public_key, blocked)


def nominate(state: State, account: int, targets: Sequence[int]) -> None:
    """Back validators in the next elections."""
    _require_active(state, account)
    chosen = tuple(require_sequence("targets", targets, int))
    _require_targets(state, account, chosen)
    limit = state.rules.maximum_nominators
    if account not in state.nominations and len(state.nominations) >= limit:
        raise ChainError(f"{limit} accounts nominate already, which is the most allowed; wait until one stops")
    state.validators.pop(account, None)
    state.nominations[account] = chosen


def _require_targets(state: State, account: int, targets: tuple[int, ...]) -> None:
    if not 1 <= len(targets) <= state.rules.nominations:
        raise ChainError(f"targets names {len(targets)} validators, allowed: 1 … {state.rules.nominations}")
    seen: dict[int, int] = {}
    before = state.nominations.get(account, ())
    for place, target in enumerate(targets):
        require_int(f"targets[{place}]", target, 0, 2**32 - 1)
        if target in seen:
            raise ChainError(f"targets[{place}] is validator {target}, as is targets[{seen[target]}]; name each once")
        seen[target] = place
        if target not in state.validators or target == account:
            raise ChainError(f"targets[{place}] is {target}, which is no candidate; staking.validators lists them")
        if state.validators[target].blocked and target not in before:
            raise ChainError(f"targets[{place}] is validator {target}, which takes no new nominators; choose another")


def chill(state: State, account: int) -> None:
    """Take an account out of the next elections, whatever it was in them."""
    require_stake(state, require_account(state, "account", account))
    state.validators.pop(account, None)
    state.nominations.pop(account, None)


def kick(state: State, account: int, nominators: Sequence[int]) -> None:
    """Take nominators away from a validator that does not want them."""
    if require_account(state, "account", account) not in state.validators:
        raise ChainError(f"account {account} is no candidate, and only a candidate has nominators to kick")
    unwanted = tuple(require_sequence("nominators", nominators, int))
    for place, nominator in enumerate(unwanted):
        if account not in state.nominations.get(nominator, ()):
            raise ChainError(f"nominators[{place}] is {nominator}, which does not nominate validator {account}")
    for nominator in unwanted:
        left = tuple(target for target in state.nominations.get(nominator, ()) if target != account)
        if left:
            state.nominations[nominator] = left
        else:
            state.nominations.pop(nominator, None)


def set_payee(state: State, account: int, payee: object) -> None:
    """Choose where rewards go."""
    require_stake(state, require_account(state, "account", account))
    state.payees[account] = require_payee(state, payee)


def _require_active(state: State, account: int) -> None:
    if not require_stake(state, require_account(state, "account", account)).active:
        raise ChainError(f"account {account} has no active stake; bond_extra or rebond some first")
