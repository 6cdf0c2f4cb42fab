"""The books of a run of the public chain are the chain's own, to the last micro-GRID."""

from __future__ import annotations

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.public import FeeRules, PublicChain
from gridlab.chain.public.accounts import STAKING_POT, TREASURY
from gridlab.chain.public.fees import ONE
from gridlab.chain.staking import StakingRules
from gridlab.governance.economics import Books

RULES = StakingRules(
    validators=2, least_validators=2, session_length=5, sessions_per_era=2, bonding_duration=2, slash_defer_duration=1,
    history_depth=20,
)
PEOPLE = ("alice", "bob", "carol")
HELD = 10**15
STAKES = {"alice": 400_000_000_000_007, "bob": 300_000_000_000_011, "carol": 200_000_000_000_013}


def pair(name):
    return keys.sandbox(0, name)


@pytest.fixture(scope="module")
def chain():
    """Five eras with fees, and with payouts of two of them; one validator stakes its rewards again."""
    accounts = pl.DataFrame({"public_key": [pair(name).public_key for name in PEOPLE], "balance": [HELD] * 3})
    # Those who stand for election write the blocks, so that they earn points.
    chain = PublicChain(accounts, validators=[(pair(name), 1) for name in ("alice", "bob")], staking=RULES)
    for name, amount in STAKES.items():
        payee = "compound" if name == "bob" else "stash"
        chain.send(pair(name), "bond", pl.DataFrame({"amount": [amount], "payee": [payee]}))
    for name in ("alice", "bob"):
        row = {"commission": [7_000_000], "public_key": [pair(name).public_key], "blocked": [False]}
        chain.send(pair(name), "validate", pl.DataFrame(row))
    targets = [chain.account(pair(name)) for name in ("alice", "bob")]
    chain.send(pair("carol"), "nominate", pl.DataFrame({"account": targets}))
    chain.run(3)
    while staking_of(chain).era < 5:
        for name in ("alice", "bob"):
            chain.send(pair(name), "heartbeat", pl.DataFrame({"note": ["here"]}))
        chain.run(4)
    for era in (0, 2):
        for target in targets:
            chain.send(pair("carol"), "payout", pl.DataFrame({"validator": [target], "era": [era]}), tip=3)
    chain.run(4)
    assert chain.transactions.filter(~pl.col("accepted")).height == 0
    return chain


def staking_of(chain):
    return chain._final.state.parts["staking"].staking


def fees_to_treasury(chain):
    """Compute the price of every transaction again, block by block, and what the treasury gets of it."""
    rules, weights = FeeRules(), {row[0]: row[3:] for row in chain.kinds.rows()}
    multiplier, treasury = ONE, 0
    for block in chain.blocks.filter("final").sort("height").to_dicts():
        rows = chain.transactions.filter(pl.col("height") == block["height"])
        fees, weight = [], 0
        for kind, size in rows.select("kind", "bytes").rows():
            one = weights[kind][0] + weights[kind][1] * (2 if kind == "nominate" else 1)
            fees.append(rules.fee(one, size, multiplier))
            weight += one
        assert sum(fees) == block["fees"]
        treasury += sum(map(rules.treasury_part, fees))
        if block["height"]:
            multiplier = rules.next_multiplier(multiplier, weight)
    return treasury


def test_issuance_treasury_and_rewards_are_those_of_the_chain(chain):
    staking = staking_of(chain)
    books = Books(3 * HELD + 2 * 10**9).bonds(sum(STAKES.values()))
    eras = staking.eras
    assert eras.height >= 5
    for era in eras.to_dicts():
        assert (books.issuance, books.bonded) == (era["issuance"], era["staked"])
        validators = staking.validators_of(era["era"])
        milliseconds = era["sessions"] * RULES.session_length * RULES.slot_milliseconds
        points = dict(validators.select("validator", "points").rows())
        assert sum(points.values()) > 0
        before = books
        books = books.closed(books, milliseconds, points, RULES)
        assert books.issuance - before.issuance == era["minted"] > 0
        assert books.unclaimed - before.unclaimed == era["stakers"] > 0
        assert books.treasury - before.treasury == era["treasury"] > 0
    for era in (0, 2):
        validators = staking.validators_of(era)
        assert validators["claimed"].all()
        paid, earned = validators["paid"].sum(), validators["earned"].sum()
        books = books.claimed(paid, earned - paid)
    books = books.bonds(staking.bonded - sum(STAKES.values()))
    assert staking.bonded > sum(STAKES.values()), "bob's rewards are staked again"
    books = books.paid_fees(fees_to_treasury(chain))
    assert books == Books(staking.issuance, staking.bonded, staking.unclaimed, chain.treasury)


def test_holders_have_on_the_chain_what_the_books_say(chain):
    staking = staking_of(chain)
    books = Books(staking.issuance, staking.bonded, staking.unclaimed, chain.treasury)
    pot, treasury = (chain.ledger.balance(account, "GRID") for account in (STAKING_POT, TREASURY))
    assert pot == books.bonded + books.unclaimed
    assert treasury == books.treasury
    held = chain.accounts.filter(pl.col("GRID") > 0, ~pl.col("account").is_in([STAKING_POT, TREASURY]))["GRID"].sum()
    assert held == books.holders
