"""What a public chain in a notebook starts with when nobody says otherwise: validators, an attester, governance.

Their keys follow from the seed, and anybody can derive them: ``keys.sandbox(seed, "attester")``.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.keys import KeyPair, require_key_pair, sandbox
from gridlab.chain.members import KYC
from gridlab.chain.public.accounts import GENESIS_ACCOUNTS, ROLES
from gridlab.errors import ArgumentTypeError

__all__ = ["ATTESTER", "GOVERNANCE", "sandbox_accounts", "sandbox_validators"]

ATTESTER, GOVERNANCE = "attester", "governance"
# 1,000,000 GRID: one amount for all, because a balanced election makes stakes about equal.
_STAKE = 10**12
# 1,000 GRID, so that the chain's offices can pay their fees.
_OFFICE = 10**9


def sandbox_validators(
    validators: Sequence[tuple[KeyPair, int]] | None, seed: int, count: int
) -> tuple[list[KeyPair], list[int]]:
    """Return key pairs and stakes of the validators, those of the sandbox where none are given.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An element is no pair of `KeyPair` and a whole number of micro-GRID.
    """
    if validators is None:
        return [sandbox(seed, f"validator {seat}") for seat in range(count)], [_STAKE] * count
    if not isinstance(validators, Sequence) or isinstance(validators, (str, bytes)):
        raise ArgumentTypeError(f"validators is a {type(validators).__name__}, allowed: a list of (KeyPair, stake)")
    pairs, stakes = [], []
    for seat, each in enumerate(validators):
        if not isinstance(each, tuple) or len(each) != 2:
            raise ArgumentTypeError(f"validators[{seat}] is {each!r}, allowed: (KeyPair, stake in micro-GRID)")
        pairs.append(require_key_pair(f"validators[{seat}]", each[0]))
        stakes.append(require_int(f"validators[{seat}]: stake", each[1], 1))
    return pairs, stakes


def sandbox_accounts(
    accounts: pl.DataFrame | pl.LazyFrame | None, pairs: Sequence[KeyPair], seed: int
) -> tuple[pl.DataFrame, dict[bytes, str]]:
    """Return the accounts of genesis and what people call them.

    Parameters
    ----------
    accounts : polars.DataFrame or polars.LazyFrame or None
        As `GENESIS_ACCOUNTS`.
    pairs : sequence of KeyPair
        Of the validators.
    seed : int

    Raises
    ------
    ArgumentTypeError, FrameError
        `accounts` does not fit.
    """
    if isinstance(accounts, pl.LazyFrame):
        accounts = accounts.collect()
    given = GENESIS_ACCOUNTS.empty().select("public_key", "balance") if accounts is None else accounts
    checked = GENESIS_ACCOUNTS.check(given)
    usual = {"role": pl.lit("user", ROLES), "kyc": pl.lit("verified", KYC), "name": pl.lit("")}
    whole = checked.with_columns(**{name: value for name, value in usual.items() if name not in checked.columns})
    known = set(whole["public_key"].to_list())
    rows = [
        (sandbox(seed, role).public_key, _OFFICE, role, "verified", role)
        for role in (ATTESTER, GOVERNANCE)
        if role not in whole["role"].to_list()
    ]
    rows += [
        (pair.public_key, 0, "user", "verified", f"validator {seat}")
        for seat, pair in enumerate(pairs)
        if pair.public_key not in known
    ]
    order = [column.name for column in GENESIS_ACCOUNTS.columns]
    schema = {column.name: column.dtype for column in GENESIS_ACCOUNTS.columns}
    added = pl.DataFrame(rows, schema=schema, orient="row")
    joined = pl.concat([whole.select(order), added])
    names = dict(zip(joined["public_key"].to_list(), joined["name"].to_list(), strict=True))
    return joined, {key: name for key, name in names.items() if name}
