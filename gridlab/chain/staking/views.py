"""Staking as frames for people: validators, nominators, stakes, slashes, eras. Amounts are micro-GRID."""

from __future__ import annotations

from typing import Any

import polars as pl

from gridlab.chain.staking.state import State

__all__ = ["candidates_frame", "eras_frame", "nominators_frame", "slashes_frame", "stakes_frame", "validators_frame"]

_ACCOUNT = pl.UInt32
_AMOUNT = pl.Int64
_PARTS = pl.UInt32

_VALIDATORS: dict[str, Any] = {
    "era": pl.UInt32,
    "validator": _ACCOUNT,
    "commission_ppb": _PARTS,
    "own": _AMOUNT,
    "others": _AMOUNT,
    "total": _AMOUNT,
    "nominators": pl.UInt32,
    "points": pl.Int64,
    "earned": _AMOUNT,
    "paid": _AMOUNT,
    "claimed": pl.Boolean,
    "disabled": pl.Boolean,
}


def validators_frame(state: State, era: int) -> pl.DataFrame:
    """Return one row per validator of an era, in the order of election."""
    record = state.eras.get(era)
    if record is None:
        return pl.DataFrame(schema=_VALIDATORS)
    rows = [
        (
            era,
            who,
            record.validators[who].commission,
            exposure.own,
            exposure.total - exposure.own,
            exposure.total,
            len(exposure.others),
            record.points.get(who, 0),
            record.parts.get(who, 0),
            record.claimed.get(who, 0),
            who in record.claimed,
            era == state.era and who in state.disabled,
        )
        for who, exposure in record.exposures.items()
    ]
    return pl.DataFrame(rows, schema=_VALIDATORS, orient="row")


def candidates_frame(state: State) -> pl.DataFrame:
    """Return one row per candidate of the next election."""
    backers: dict[int, int] = {}
    behind: dict[int, int] = {}
    for nominator, targets in state.nominations.items():
        for target in targets:
            backers[target] = backers.get(target, 0) + 1
            behind[target] = behind.get(target, 0) + state.stakes[nominator].active
    schema: dict[str, Any] = {
        "validator": _ACCOUNT,
        "commission_ppb": _PARTS,
        "blocked": pl.Boolean,
        "active": _AMOUNT,
        "nominators": pl.UInt32,
        "nominated": pl.Int128,
    }
    rows = [
        (who, each.commission, each.blocked, state.stakes[who].active, backers.get(who, 0), behind.get(who, 0))
        for who, each in state.validators.items()
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def nominators_frame(state: State) -> pl.DataFrame:
    """Return one row per nominator: what it put up, whom it chose, and how much of it backs somebody now."""
    exposed: dict[int, int] = {}
    for exposure in state.current.exposures.values() if state.current else ():
        for who, value in exposure.others:
            exposed[who] = exposed.get(who, 0) + value
    schema: dict[str, Any] = {
        "nominator": _ACCOUNT,
        "active": _AMOUNT,
        "targets": pl.List(_ACCOUNT),
        "backing": _AMOUNT,
    }
    rows = [
        (who, state.stakes[who].active, list(targets), exposed.get(who, 0))
        for who, targets in state.nominations.items()
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def stakes_frame(state: State) -> pl.DataFrame:
    """Return one row per account with a stake."""
    schema: dict[str, Any] = {
        "account": _ACCOUNT,
        "active": _AMOUNT,
        "unlocking": _AMOUNT,
        "next_unlock_era": pl.UInt32,
        "payee": pl.String,
        "role": pl.String,
    }
    rows = [
        (
            who,
            stake.active,
            stake.total - stake.active,
            stake.unlocking[0].era if stake.unlocking else None,
            str(state.payees[who]),
            "validator" if who in state.validators else "nominator" if who in state.nominations else "idle",
        )
        for who, stake in state.stakes.items()
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def slashes_frame(state: State) -> pl.DataFrame:
    """Return one row per slash, in the order in which they were computed."""
    schema: dict[str, Any] = {
        "slash": pl.UInt32,
        "kind": pl.String,
        "era": pl.UInt32,
        "due": pl.UInt32,
        "validator": _ACCOUNT,
        "fraction_ppb": _PARTS,
        "own": _AMOUNT,
        "others": _AMOUNT,
        "nominators": pl.UInt32,
        "reporter": _ACCOUNT,
        "reward": _AMOUNT,
        "state": pl.String,
        "taken": _AMOUNT,
        "paid": _AMOUNT,
    }
    rows = [
        (
            each.index,
            each.kind,
            each.era,
            each.due,
            each.validator,
            each.fraction,
            each.own,
            sum(amount for _, amount in each.others),
            len(each.others),
            each.reporter,
            each.reward,
            str(each.state),
            each.taken,
            each.paid,
        )
        for each in state.slashes
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def eras_frame(state: State) -> pl.DataFrame:
    """Return one row per era that has ended."""
    schema: dict[str, Any] = {
        "era": pl.UInt32,
        "first_session": pl.UInt32,
        "sessions": pl.UInt32,
        "validators": pl.UInt32,
        "staked": _AMOUNT,
        "issuance": _AMOUNT,
        "inflation_ppb": _PARTS,
        "minted": _AMOUNT,
        "treasury": _AMOUNT,
        "stakers": _AMOUNT,
        "points": pl.Int64,
        "unclaimed": _AMOUNT,
    }
    rows = [
        (
            each.era,
            each.first_session,
            each.sessions,
            each.validators,
            each.staked,
            each.issuance,
            each.inflation,
            each.minted,
            each.treasury,
            each.stakers,
            each.points,
            state.eras[each.era].unclaimed if each.era in state.eras else 0,
        )
        for each in state.summaries
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")
