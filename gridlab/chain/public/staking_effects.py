"""Kinds of transaction for staking, and what time does to it: authors are noted, sessions and eras end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.evidence_effects import REPORT_EQUIVOCATION
from gridlab.chain.public.handover import elected_set
from gridlab.chain.public.parts import STAKING, StakingPart, part_of
from gridlab.chain.public.possession import require_own_key
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.chain.staking import Staking, carry_out
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema

__all__ = ["STAKING", "STAKING_EFFECTS", "begin_block"]

_BASE, _LIGHT, _HEAVY = 100, 50, 500
_LONGEST_PAYEE = len(str(2**32 - 1))

_AMOUNT = Column("amount", pl.Int64, "integer", "micro-GRID, more than 0")
AMOUNTS = Schema("stake_amounts", (_AMOUNT,))
BONDS = Schema(
    "bonds", (_AMOUNT, Column("payee", pl.String, "text", "'stash', 'compound' or the number of an account"))
)
CANDIDACIES = Schema(
    "candidacies",
    (
        Column("commission", pl.UInt32, "integer", "parts per billion that the validator keeps of each reward"),
        Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519, with which it will sign blocks"),
        Column("blocked", pl.Boolean, "boolean", "whether nobody new may nominate it"),
        Column("proof", pl.Binary, "binary", "public_key's signature; need not be for one's own key", required=False),
    ),
)
TARGETS = Schema("nominations", (Column("account", pl.UInt32, "integer", "a candidate, or a nominator to kick"),))
NOTHING = Schema("nothing", (Column("note", pl.String, "text", "anything; a frame has a column"),))
PAYOUTS = Schema(
    "payouts",
    (
        Column("validator", pl.UInt32, "integer", "account of the validator"),
        Column("era", pl.UInt32, "integer", "an era that has ended"),
    ),
)


def _carry(state: PublicState, operation: Callable[[Staking], pl.DataFrame | None], now: int) -> None:
    part = part_of(state, STAKING, StakingPart)
    part.staking, state.ledger = carry_out(part.staking, state.ledger, operation, now=now)


def _row(call: PublicCall) -> tuple[Any, ...]:
    if call.frame.height != 1:
        raise ChainError(f"{call.frame.height} rows, allowed: one for this kind of transaction")
    return call.frame.row(0)


def _bond(state: PublicState, call: PublicCall) -> None:
    amount, payee = _row(call)
    if len(payee) > _LONGEST_PAYEE:
        # Python reads no number of thousands of digits, and no account has one.
        raise ChainError(f"payee has {len(payee)} characters, allowed: 'stash', 'compound' or the number of an account")
    target = int(payee) if payee.isascii() and payee.isdigit() else payee
    _carry(state, lambda s: s.bond(call.account, amount, payee=target), call.timestamp)


def _validate(state: PublicState, call: PublicCall) -> None:
    commission, key, blocked, *proof = _row(call)
    part = part_of(state, STAKING, StakingPart)
    require_own_key(state, part, call.account, key, proof[0] if proof else b"")

    def operation(staking: Staking) -> None:
        staking.validate(call.account, commission=commission, public_key=key, blocked=blocked)

    _carry(state, operation, call.timestamp)


def _with_amount(name: str) -> Callable[[PublicState, PublicCall], None]:
    def act(state: PublicState, call: PublicCall) -> None:
        (amount,) = _row(call)
        _carry(state, lambda s: getattr(s, name)(call.account, amount), call.timestamp)

    return act


def _with_targets(name: str) -> Callable[[PublicState, PublicCall], None]:
    def act(state: PublicState, call: PublicCall) -> None:
        targets = call.frame["account"].to_list()
        _carry(state, lambda s: getattr(s, name)(call.account, targets), call.timestamp)

    return act


def _alone(name: str) -> Callable[[PublicState, PublicCall], None]:
    def act(state: PublicState, call: PublicCall) -> None:
        _row(call)
        _carry(state, lambda s: getattr(s, name)(call.account), call.timestamp)

    return act


def _payout(state: PublicState, call: PublicCall) -> None:
    for validator, era in call.frame.rows():
        _carry(state, lambda s, who=validator, when=era: s.payout(who, when), call.timestamp)  # type: ignore[misc]


def begin_block(state: PublicState, slot: int, author: int, timestamp: int) -> None:
    """Let time pass for staking, before a block's transactions.

    The first era begins with the first block after somebody stands for election. A session ends with the first block
    of or after its last slot. In sessions that pass without any block nobody could be heard, so nobody is reported.
    With the first block of an era after the first one, its validators are named as the next authorities, unless they
    are too few or too little stands behind them.
    """
    part = state.parts.get(STAKING)
    if not isinstance(part, StakingPart):
        return
    era = part.staking.era
    if era < 0:
        if not part.staking.candidates.height:
            return
        _carry(state, lambda s: s.start(), timestamp)
        _skip(state, slot, timestamp)
    elif slot >= part.staking.session_end:
        _excuse(state, part.staking)
        _carry(state, lambda s: s.end_session(), timestamp)
        _skip(state, slot, timestamp)
    staking = part_of(state, STAKING, StakingPart).staking
    if 0 <= era < staking.era:
        state.authorities = elected_set(state.authorities, staking)
    validator = _validator_of(state, staking, author)
    if validator is not None and validator not in staking.disabled:
        staking.note_author(validator)


def _validator_of(state: PublicState, staking: Staking, author: int) -> int | None:
    """Return the elected validator whose key an author's account holds, if any."""
    if author in staking.elected:
        return author
    known = state.accounts.account_of
    return next((who for who, key in staking.keys.items() if known.get(key) == author), None)


def _excuse(state: PublicState, staking: Staking) -> None:
    """Let nobody be reported as offline who is elected and not in office, as in the first era."""
    in_office = dict.fromkeys(state.authorities.keys)
    for validator, key in staking.keys.items():
        if key not in in_office and validator not in staking.disabled:
            staking.heartbeat(validator)


def _skip(state: PublicState, slot: int, timestamp: int) -> None:
    """End the sessions that passed without a block."""
    while slot >= (staking := part_of(state, STAKING, StakingPart).staking).session_end:
        for validator in staking.elected:
            if validator not in staking.disabled:
                staking.heartbeat(validator)
        _carry(state, lambda s: s.end_session(), timestamp)


def _effect(schema: Schema, act: Callable[[PublicState, PublicCall], None], weight: int, meaning: str) -> PublicEffect:
    return PublicEffect(schema, EVERYONE, act, _BASE, weight, meaning)


STAKING_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "bond": _effect(BONDS, _bond, _HEAVY, "a first stake put up"),
        "bond_extra": _effect(AMOUNTS, _with_amount("bond_extra"), _LIGHT, "more stake"),
        "unbond": _effect(AMOUNTS, _with_amount("unbond"), _LIGHT, "stake on its way out"),
        "rebond": _effect(AMOUNTS, _with_amount("rebond"), _LIGHT, "stake that was on its way out back in"),
        "withdraw_unbonded": _effect(NOTHING, _alone("withdraw_unbonded"), _LIGHT, "stake that has waited given back"),
        "validate": _effect(CANDIDACIES, _validate, _LIGHT, "a candidate for the next elections"),
        "nominate": _effect(TARGETS, _with_targets("nominate"), _LIGHT, "candidates backed with one's stake"),
        "kick": _effect(TARGETS, _with_targets("kick"), _LIGHT, "nominators that a candidate does not want"),
        "chill": _effect(NOTHING, _alone("chill"), _LIGHT, "no longer a candidate or nominator"),
        "heartbeat": _effect(NOTHING, _alone("heartbeat"), _LIGHT, "a validator says that it is there"),
        "report_equivocation": REPORT_EQUIVOCATION,
        "payout": _effect(PAYOUTS, _payout, _HEAVY, "rewards of an era paid to a validator and its nominators"),
    }
)
