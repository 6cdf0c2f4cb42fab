"""Who earned which fee on the public chain: every fee split by its rule, and together what left the pot."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.fee_account import earned
from gridlab.chain.public import FeeRules, PublicChain, PublicTerms
from gridlab.chain.public.accounts import FEE_POT, TREASURY
from gridlab.chain.public.fee_shares import earned_on
from gridlab.chain.senders import FEE_SENDER
from gridlab.errors import ChainError

PEOPLE = [keys.sandbox(3, name) for name in ("anong", "boon", "chai")]


def a_chain(share=80):
    people = pl.DataFrame({"public_key": [pair.public_key for pair in PEOPLE], "balance": [10**9] * 3})
    return PublicChain(people, terms=PublicTerms(validators=4, treasury_share=share), seed=3)


def moved(chain, **columns):
    rows = chain.ledger.transfers.filter(pl.col("sender") == FEE_SENDER)
    for name, account in columns.items():
        rows = rows.filter(pl.col(name) == account)
    return rows["moved"].sum()


def require_exact(chain):
    """The account's sums are the ledger's movements, per payer, for the treasury, for each author."""
    found = chain.earned
    assert found["amount"].sum() == moved(chain, credit_account=FEE_POT) == moved(chain, debit_account=FEE_POT)
    for payer in found["payer"].unique().to_list():
        own = found.filter(payer=payer)["amount"].sum()
        assert own == moved(chain, debit_account=payer, credit_account=FEE_POT)
    for earner in found["earner"].unique().to_list():
        own = found.filter(earner=earner)["amount"].sum()
        assert own == moved(chain, debit_account=FEE_POT, credit_account=earner)
    blocks = chain.blocks.filter("final")
    assert (
        chain.transactions.group_by("height")
        .agg(fee=pl.col("fee").sum(), tip=pl.col("tip").sum())
        .sort("height")
        .rows()
        == blocks.filter(pl.col("transactions") > 0).select("height", "fees", "tips").rows()
    )


@settings(max_examples=10)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 50_000), st.integers(0, 3)), max_size=25),
    st.sampled_from([0, 33, 80, 100]),
)
def test_every_fee_is_split_and_nothing_is_left_over(paid, share):
    chain = a_chain(share)
    for sender, receiver, tip, pause in paid:
        # A payment to oneself fails and costs its fee all the same.
        chain.pay(PEOPLE[sender], PEOPLE[receiver], 5, tip=tip)
        if pause:
            chain.run(pause)
    chain.run(5)
    require_exact(chain)
    fees = chain.fees
    assert fees.select(pl.col("fees").sum() + pl.col("tips").sum()).item() == fees["earned"].sum()


def test_the_treasury_gets_its_share_of_each_fee_rounded_down():
    chain = a_chain(33)
    for tip in (0, 7):
        chain.pay(PEOPLE[0], PEOPLE[1], 5, tip=tip)
    chain.run(5)
    rows, rules = chain.transactions, FeeRules(treasury_share=330_000_000)
    expected = sum(rules.treasury_part(fee) for fee in rows["fee"].to_list())
    assert chain.earned.filter(earner=TREASURY)["amount"].to_list() == [expected]
    assert chain.earned.filter(kind="tip")["amount"].sum() == 7
    assert rows.columns.index("fee") + 1 == rows.columns.index("tip")


def test_a_chain_read_back_has_the_same_account():
    chain = a_chain()
    for sender in (0, 1, 2):
        chain.pay(PEOPLE[sender], PEOPLE[(sender + 1) % 3], 5, tip=sender)
    chain.run(5)
    again = PublicChain.from_bytes(chain.to_bytes(), rules=list(chain._builder.rules.values()))
    assert earned(again).equals(earned(chain))
    assert earned(chain, again).height == 2 * earned(chain).height


def test_blocks_of_another_ledger_are_refused():
    chain = a_chain()
    chain.pay(PEOPLE[0], PEOPLE[1], 5)
    chain.run(5)
    transfers, tips = chain.ledger.transfers, chain.transactions["tip"].to_numpy()
    with pytest.raises(ChainError, match="the ledger has 1 of them, the blocks 0"):
        earned_on("x", transfers, tips, [chain.block(0)], {}, {})
