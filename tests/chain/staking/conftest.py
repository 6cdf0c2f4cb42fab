"""A small chain of stakers, an election anybody can check by hand, and proofs of equivocation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import Ledger, keys
from gridlab.chain.staking import (
    EquivocationProof,
    Inflation,
    Staking,
    StakingAccounts,
    StakingRules,
    sign_statement,
)

CHAIN = "gridlab-public"
ISSUER, POT, TREASURY = 0, 1, 2
SUPPLY = 1_000_000


def by_approval(candidates, voters, seats):
    """Elect those with the most stake behind them; a voter's stake is spread evenly, the rest to its first winner."""
    support = dict.fromkeys(candidates, 0)
    for _, stake, targets in voters:
        for target in targets:
            support[target] += stake
    winners = sorted(support, key=lambda who: (-support[who], who))[:seats]
    assignments = {}
    for voter, stake, targets in voters:
        backed = [target for target in targets if target in winners]
        if backed:
            shares = dict.fromkeys(backed, stake // len(backed))
            shares[backed[0]] += stake - sum(shares.values())
            assignments[voter] = shares
    return SimpleNamespace(winners=[(winner, support[winner]) for winner in winners], assignments=assignments)


@pytest.fixture(scope="session")
def vectors():
    return json.loads((Path(__file__).parents[2] / "vectors" / "staking.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def elect():
    return by_approval


@pytest.fixture(scope="session")
def pair():
    """Return the key pair of an account."""
    return lambda account: keys.sandbox(7, f"validator {account}")


@pytest.fixture
def rules():
    """Short eras, and slashes applied at once."""
    return StakingRules(
        validators=4,
        least_validators=1,
        session_length=10,
        sessions_per_era=2,
        bonding_duration=3,
        slash_defer_duration=0,
        history_depth=5,
        inflation=Inflation(100_000_000, 100_000_000),
        treasury_share=0,
    )


@pytest.fixture
def make(rules, pair):
    """Return a started staking: validators 10 … with 1,000 each, and nominators given as account: (stake, targets)."""

    def build(count=4, nominators=None, *, start=True, commission=0, issuance=SUPPLY, **changes):
        staking = Staking(
            issuance,
            StakingAccounts(ISSUER, POT, TREASURY),
            rules=replace(rules, **changes),
            chain_id=CHAIN,
            elect=by_approval,
        )
        for account in range(10, 10 + count):
            staking.bond(account, 1_000)
            staking.validate(account, commission=commission, public_key=pair(account).public_key)
        for account, (stake, targets) in (nominators or {}).items():
            staking.bond(account, stake)
            staking.nominate(account, targets)
        if start:
            staking.start()
        return staking

    return build


@pytest.fixture
def prove(pair):
    """Return a function that makes a proof that an account signed two things."""

    def build(account, session=0, place=0, *, kind="header", chain_id=CHAIN, digests=(1, 2)):
        made = [sign_statement(pair(account), chain_id, kind, session, place, bytes([each]) * 32) for each in digests]
        return EquivocationProof(pair(account).public_key, *made)

    return build


@pytest.fixture
def make_ledger():
    """Return a ledger in which accounts 10 … hold GRID."""

    def build(accounts=40, each=10_000):
        ledger = Ledger(accounts, issuers={"GRID": [ISSUER]})
        holders = list(range(10, accounts))
        ledger.apply(
            pl.DataFrame(
                {
                    "transfer_id": range(len(holders)),
                    "debit_account": [ISSUER] * len(holders),
                    "credit_account": holders,
                    "asset": ["GRID"] * len(holders),
                    "amount": [each] * len(holders),
                    "code": ["mint"] * len(holders),
                }
            ),
            sender=ISSUER,
        )
        return ledger

    return build
