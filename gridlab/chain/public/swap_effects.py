"""Kinds of transaction for hash time locks, with which GRID is swapped for WATT without trust."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from gridlab.chain.ledger import ASSETS
from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.parts import LockPart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.chain.swaps import LockTerms
from gridlab.frames import SLOT, Column, Schema

__all__ = ["LOCKS", "SWAP_EFFECTS"]

LOCKS = "locks"
_BASE, _HEAVY = 100, 200

HASH_LOCKS = Schema(
    "hash_locks",
    (
        Column("payee", pl.UInt32, "integer", "account that is paid when it shows the preimage"),
        Column("asset", ASSETS, "category", "what is locked"),
        Column("amount", pl.Int64, "integer", "more than 0, in the asset's smallest unit"),
        Column("hash", pl.Binary, "binary", "SHA-256 of the preimage, 32 bytes"),
        Column("timeout", SLOT, "datetime", "claims before it, refunds from it on, by the clock of this chain"),
    ),
)
CLAIMS = Schema(
    "hash_claims",
    (
        Column("lock", pl.Binary, "binary", "the lock's id, 32 bytes"),
        Column("preimage", pl.Binary, "binary", "32 bytes"),
    ),
)
REFUNDS = Schema("hash_refunds", (Column("lock", pl.Binary, "binary", "the lock's id, 32 bytes"),))


def _lock(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    columns = (call.frame[column.name].to_physical().to_list() for column in HASH_LOCKS.columns)
    names = ASSETS.categories.to_list()
    for payee, asset, amount, digest, timeout in zip(*columns, strict=True):
        terms = LockTerms(call.account, payee, names[asset], amount, digest, timeout)
        part.book, _ = part.book.lock(state.ledger, terms, call.timestamp, part.stops)


def _claim(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    for lock, preimage in call.frame.rows():
        part.book, _ = part.book.claim(state.ledger, lock, preimage, call.timestamp, part.stops)


def _refund(state: PublicState, call: PublicCall) -> None:
    part = part_of(state, LOCKS, LockPart)
    for lock in call.frame["lock"].to_list():
        part.book, _ = part.book.refund(state.ledger, lock, call.timestamp, part.stops)


SWAP_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "hash_lock": PublicEffect(HASH_LOCKS, EVERYONE, _lock, _BASE, _HEAVY, "an amount locked under a hash"),
        "hash_claim": PublicEffect(CLAIMS, EVERYONE, _claim, _BASE, _HEAVY, "a lock claimed by its preimage"),
        "hash_refund": PublicEffect(REFUNDS, EVERYONE, _refund, _BASE, _HEAVY, "a lock taken back after its timeout"),
    }
)
