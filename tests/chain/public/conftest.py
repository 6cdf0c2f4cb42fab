"""A small public chain with people on it, and short ways to sign for them."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import Transaction, keys
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.public import EFFECTS, FeeRules, PublicChain, PublicTerms, RuleSet
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.envelope import seal_envelope
from gridlab.chain.public.execution import PublicContext, execute
from gridlab.chain.public.genesis import PublicGenesis, genesis_accounts
from gridlab.chain.transaction_list import TransactionList

PEOPLE = ("alice", "bob", "carol", "dave")


def pair(name):
    return keys.sandbox(0, name)


def people(**balances):
    names = list(balances) or list(PEOPLE)
    return pl.DataFrame(
        {
            "public_key": [pair(name).public_key for name in names],
            "balance": [balances.get(name, 100_000_000) for name in names],
            "name": names,
        }
    )


def transfer_frame(number, debit, credit, amount, asset="GRID"):
    return TRANSFERS.check(
        pl.DataFrame(
            {
                "transfer_id": [number],
                "debit_account": [debit],
                "credit_account": [credit],
                "asset": [asset],
                "amount": [amount],
                "code": ["transfer"],
            }
        )
    )


def signed(name, kind, frame, nonce, *, tip=0, expiry=50, chain_id="test"):
    columns = frame.select(c.name for c in EFFECTS[kind].schema.columns if c.name in frame.columns)
    payload = seal_envelope(encode_frame(columns), tip)
    fields = {"chain_id": chain_id, "kind": kind, "nonce": nonce, "expiry": expiry}
    return Transaction.sign(pair(name), payload=payload, **fields)


def genesis(balances, fees=None, seats=4):
    rules = RuleSet(1, fees or FeeRules(), EFFECTS)
    accounts = pl.concat(
        [
            people(**balances).select("public_key", "balance", pl.lit("user").alias("role")),
            pl.DataFrame(
                {
                    "public_key": [pair("attester").public_key, pair("governance").public_key]
                    + [pair(f"validator {seat}").public_key for seat in range(seats)],
                    "balance": [10**9, 10**9] + [0] * seats,
                    "role": ["attester", "governance"] + ["user"] * seats,
                }
            ),
        ]
    )
    keys_of_seats = tuple(pair(f"validator {seat}").public_key for seat in range(seats))
    return rules, PublicGenesis(
        "test", 0, 6_000, 600, 250_000_000, 1, rules.hash, genesis_accounts(accounts),
        AuthoritySet(0, keys_of_seats, (1,) * seats),
    )  # fmt: skip


def context(rules, state, height=1):
    author = state.accounts.account_of[pair("validator 0").public_key]
    return PublicContext("test", height, height, height * 6_000_000, rules, author)


def batch(transactions):
    return Batch.of(TransactionList.of(transactions, "test"))


@pytest.fixture
def make_chain():
    def make(balances=None, /, **options):
        options.setdefault("terms", PublicTerms(validators=options.pop("validators_count", 4)))
        return PublicChain(people(**(balances or {})), **options)

    return make


@pytest.fixture(scope="session")
def block():
    """What a test needs to execute blocks without a chain."""
    return SimpleNamespace(genesis=genesis, context=context, batch=batch, execute=execute, signed=signed,
                           transfer=transfer_frame, pair=pair, people=people)  # fmt: skip


@pytest.fixture
def key():
    return pair
