"""Who earned which fee on the consortium chain: the ledger's own movements and nothing else."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ChainTerms, ConsortiumChain, SingleSequencer, keys
from gridlab.chain.fee_account import EARNED, FEE_CODES, earned
from gridlab.chain.ledger import CODES
from gridlab.chain.senders import FEE_SENDER
from gridlab.errors import ArgumentTypeError


@pytest.fixture(scope="module")
def priced(members, pairs, account, make):
    """Return a maker of chains on which a transaction costs something, and alice and bob hold 50 WATT each."""

    def chain():
        terms = ChainTerms(fee_per_transaction=700, fee_per_kibibyte=11)
        made = ConsortiumChain(members, ordering=SingleSequencer(keys.sandbox(7, "sequencer")), terms=terms)
        row = (1, account["bank"], account["issuer"], "THB", 10**8, "reserve")
        made.send(pairs["bank"], "reserve", make.transfers(row))
        minted = [(2 + place, account["issuer"], account[name], "WATT", 5 * 10**7, "mint")
                  for place, name in enumerate(("alice", "bob"))]  # fmt: skip
        made.send(pairs["issuer"], "mint", make.transfers(*minted))
        assert made.seal(make.start).rejected == 0
        return made

    return chain


def by_hand(chain, traders):
    """Go through the transfers one after another."""
    found = {}
    for row in chain.ledger.transfers.to_dicts():
        own = row["sender"] == FEE_SENDER if row["code"] == "chain_fee" else row["sender"] not in traders
        if row["code"] in FEE_CODES and own and row["moved"]:
            key = (row["debit_account"], row["credit_account"], row["code"], row["asset"])
            amount, count = found.get(key, (0, 0))
            found[key] = amount + row["moved"], count + 1
    return found


payments = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob", "operator"]),
        st.sampled_from(["alice", "bob", "grid", "operator"]),
        st.integers(1, 10**6),
        st.sampled_from([*FEE_CODES, "energy", "transfer"]),
        st.sampled_from(["single", "pending"]),
    ),
    max_size=20,
)


@settings(max_examples=30)
@given(payments)
def test_the_account_is_the_sum_of_the_ledgers_movements(priced, pairs, account, make, paid):
    chain = priced()
    for number, (debit, credit, amount, code, phase) in enumerate(paid):
        if debit == credit:
            continue
        frame = make.transfers((100 + number, account[debit], account[credit], "WATT", amount, code))
        frame = frame.with_columns(phase=pl.lit(phase), pending_id=0, timeout=0)
        kind = "settlement" if debit == "operator" else "transfer"
        chain.send(pairs[debit], kind, frame)
        # What an operator settles between others is a fee where it says so.
        between = make.transfers((500 + number, account["alice"], account[credit], "WATT", 1 + number, code))
        if credit != "alice":
            chain.send(pairs["operator"], "settlement", between)
    chain.seal(make.start)
    traders = (account["alice"], account["bob"])
    rows = earned(chain).select("payer", "earner", "kind", "asset", "amount", "transactions").rows()
    assert {row[:4]: row[4:] for row in rows} == by_hand(chain, traders)
    taken = chain.ledger.transfers.filter(pl.col("sender") == FEE_SENDER)["moved"].sum()
    assert chain.earned.filter(kind="chain_fee")["amount"].sum() == chain.fees["fees"].sum() == taken


def test_a_gift_called_wheeling_is_nobodys_earning(priced, pairs, account, make):
    chain = priced()
    gifts = [(10 + place, account["alice"], account["bob"], "WATT", 5, code) for place, code in enumerate(FEE_CODES)]
    chain.send(pairs["alice"], "transfer", make.transfers(*gifts))
    assert chain.seal(make.start).rejected == 0
    fee = chain.terms.fee(chain.block(2).transactions[0].size)
    row = (chain.chain_id, account["alice"], account["operator"], "chain_fee", "WATT", fee, 1)
    assert earned(chain).rows() == [row]
    assert chain.fees.rows() == [(account["alice"], fee)]


def test_what_is_no_chain_has_earned_nothing():
    with pytest.raises(ArgumentTypeError, match=r"chains\[0\] is a int"):
        earned(3)
    assert earned().schema == pl.Schema(EARNED)
    assert set(FEE_CODES) <= set(CODES.categories)
