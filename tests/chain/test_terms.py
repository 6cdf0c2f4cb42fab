"""Fees, limits and the state of the identity check."""

from dataclasses import fields

import polars as pl
import pytest

from gridlab.chain import ChainTerms, ConsortiumChain, PbftOrdering, keys
from gridlab.chain.encoding import Reader
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError


@pytest.fixture
def paid(members, pairs, account, make):
    """A chain on which a transaction costs 1,000 micro-WATT and 10 for each KiB, alice and bob holding a WATT each."""
    terms = ChainTerms(fee_per_transaction=1_000, fee_per_kibibyte=10)
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), terms=terms)
    reserve = (1, account["bank"], account["issuer"], "THB", 2_000_000, "reserve")
    chain.send(pairs["bank"], "reserve", make.transfers(reserve))
    minted = [
        (2 + n, account["issuer"], account[name], "WATT", 1_000_000, "mint") for n, name in enumerate(["alice", "bob"])
    ]
    chain.send(pairs["issuer"], "mint", make.transfers(*minted))
    assert chain.seal(make.start).rejected == 0
    return chain


def test_a_trader_pays_by_transaction_and_by_size(paid, pairs, make, account):
    small = paid.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    large = paid.send(pairs["bob"], "order_batch", make.orders(account["bob"], rows=96))
    assert paid.seal(make.start).rejected == 0
    assert small.size < 1024 < large.size
    fees = {account["alice"]: 1_010, account["bob"]: 1_000 + 10 * -(-large.size // 1024)}
    assert dict(paid.fees.rows()) == fees
    assert paid.ledger.balance(account["operator"], "WATT") == sum(fees.values())
    assert paid.ledger.balance(account["alice"], "WATT") == 1_000_000 - 1_010


def test_institutions_pay_no_fee(paid, pairs, make):
    paid.send(pairs["grid"], "meter_readings", make.readings())
    assert paid.seal(make.start).rejected == 0
    assert paid.fees.is_empty()


def test_who_cannot_pay_the_fee_is_refused(paid, pairs, pay, make):
    assert make.sealed(paid, paid.sign(pairs["alice"], "transfer", pay(1, 999_500))).code == "ledger_refused"
    assert make.sealed(paid, paid.sign(pairs["alice"], "transfer", pay(2, 998_990))).accepted
    receipt = make.sealed(paid, paid.sign(pairs["alice"], "transfer", pay(3, 1)))
    assert (receipt.code, receipt.reason) == ("fee_unpaid", "the fee is 1010 micro-WATT, account 5 has 0 to spend")


def test_a_refused_transaction_costs_nothing(paid, pairs, make, account):
    before = paid.ledger.balance(account["alice"], "WATT")
    receipt = make.sealed(paid, paid.sign(pairs["alice"], "order_batch", make.orders(account["bob"])))
    assert receipt.code == "rule_broken"
    assert paid.ledger.balance(account["alice"], "WATT") == before
    assert paid.fees.is_empty()


def test_the_regulator_changes_terms_and_replays_follow(paid, pairs, make, account):
    change = pl.DataFrame({"term": ["fee_per_transaction", "block_transactions"], "value": [5, 7]})
    paid.send(pairs["regulator"], "terms", change)
    paid.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    assert paid.seal(make.start).rejected == 0
    assert (paid.terms.fee_per_transaction, paid.terms.block_transactions) == (5, 7)
    assert paid.fees["fees"].to_list() == [15]
    assert paid.replay().fingerprint == paid.fingerprint
    assert ConsortiumChain.from_bytes(paid.to_bytes()).terms == paid.terms


@pytest.mark.parametrize(
    ("terms", "values", "reason"),
    [
        (["fee"], [1], "'fee' is not known"),
        (["block_bytes"], [10], "would wait for ever"),
        (["pending_bytes", "pending_bytes"], [10, 11], "stands there twice"),
        (["block_transactions"], [0], "at least 1"),
        (["transaction_bytes"], [4_095], "might ever come in"),
        (["pending_bytes"], [1], "might ever come in"),
    ],
)
def test_terms_that_break_a_rule_are_refused(paid, pairs, make, terms, values, reason):
    change = pl.DataFrame({"term": terms, "value": values})
    receipt = make.sealed(paid, paid.sign(pairs["regulator"], "terms", change))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_a_fee_needs_somebody_to_receive_it(members, pairs, make):
    without = members.filter(pl.col("role") != "market_operator").with_columns(account=pl.int_range(pl.len()))
    with pytest.raises(ChainError, match="none is a market_operator"):
        ConsortiumChain(without, terms=ChainTerms(fee_per_transaction=1))
    chain = ConsortiumChain(without, ordering=PbftOrdering.of(4))
    change = pl.DataFrame({"term": ["fee_per_transaction"], "value": [1]})
    assert "would have no receiver" in make.sealed(chain, chain.sign(pairs["regulator"], "terms", change)).reason


def test_terms_round_trip_and_refuse_what_is_no_number():
    terms = ChainTerms(*range(100, 100 + len(fields(ChainTerms))))
    assert ChainTerms.read(Reader(terms.to_bytes())) == terms
    with pytest.raises(ArgumentTypeError, match="fee_per_transaction"):
        ChainTerms(fee_per_transaction=0.5)
    with pytest.raises(ArgumentError, match="block_transactions is 0"):
        ChainTerms(block_transactions=0)


def test_terms_must_be_terms(members):
    with pytest.raises(ArgumentTypeError, match="allowed: ChainTerms"):
        ConsortiumChain(members, terms={"fee_per_transaction": 1})


def small(members, **terms):
    return ConsortiumChain(members, ordering=PbftOrdering.of(4), terms=ChainTerms(**terms))


def test_a_sender_may_have_only_so_many_waiting(members, pairs, make, account):
    chain = small(members, pending_per_sender=2)
    for first in (0, 10):
        chain.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=first))
    with pytest.raises(ChainError, match=r"2 transactions of 0x.* wait already"):
        chain.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=20))
    chain.send(pairs["bob"], "order_batch", make.orders(account["bob"]))
    assert len(chain.pending) == 3
    chain.seal(make.start)
    chain.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=20))
    assert chain.seal(make.start).rejected == 0


def test_a_block_takes_what_fits_and_leaves_the_rest_for_the_next(members, pairs, make, account):
    chain = small(members, block_transactions=2)
    for first in range(0, 50, 10):
        chain.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=first))
    assert [len(chain.seal(make.start).transactions) for _ in range(4)] == [2, 2, 1, 0]
    size = chain.block(1).transactions[0].size
    narrow = small(members, block_bytes=2 * size + 1, transaction_bytes=size)
    for first in range(0, 50, 10):
        narrow.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=first))
    assert [len(narrow.seal(make.start).transactions) for _ in range(3)] == [2, 2, 1]
    assert narrow.blocks["rejected"].sum() == 0


def test_a_transaction_that_is_too_large_is_refused_at_the_door_and_in_a_block(members, pairs, make, account):
    chain = small(members, transaction_bytes=400)
    large = chain.sign(pairs["alice"], "order_batch", make.orders(account["alice"], rows=96))
    with pytest.raises(ChainError, match=f"has {large.size} bytes, allowed: 400"):
        chain.submit(large)
    chain._pool.add(large, ChainTerms())
    assert chain.seal(make.start).receipts[0].code == "too_large"


def test_a_full_pool_says_so(members, pairs, make, account):
    chain = small(members, pending_bytes=1_000)
    batches = [make.orders(account["alice"], first_id=first) for first in range(0, 100, 10)]

    def fill():
        for batch in batches:
            chain.send(pairs["alice"], "order_batch", batch)

    with pytest.raises(ChainError, match="do not fit; send again after"):
        fill()
    assert 1 <= len(chain.pending) <= 3


@pytest.mark.parametrize("state", ["pending", "expired", "refused"])
def test_who_is_not_identified_may_not_act(chain, pairs, make, account, state):
    lapsed = chain.sign(pairs["regulator"], "membership", make.change(chain, "alice", kyc=pl.lit(state)))
    assert make.sealed(chain, lapsed).accepted
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "order_batch", make.orders(account["alice"])))
    assert receipt.code == "kyc_not_verified"
    assert repr(state) in receipt.reason
    renewed = make.change(chain, "alice", kyc=pl.lit("verified"))
    assert make.sealed(chain, chain.sign(pairs["regulator"], "membership", renewed)).accepted
    assert make.sealed(chain, chain.sign(pairs["alice"], "order_batch", make.orders(account["alice"]))).accepted


def test_membership_is_asked_before_anything_else(chain, make, pay):
    stranger = keys.sandbox(99, "stranger")
    good = chain.sign(keys.sandbox(7, "alice"), "transfer", pay())
    wrong = type(good).sign(stranger, chain_id="other", kind="nonsense", nonce=9, expiry=0, payload=b"")
    assert make.sealed(chain, wrong).code == "not_a_member"


def test_a_block_that_holds_more_than_one_may_is_no_block(members, pairs, make, account):
    ordering = PbftOrdering.of(4)
    chain = ConsortiumChain(members, ordering=ordering, terms=ChainTerms(block_transactions=2))
    wide = ConsortiumChain(members, ordering=ordering, terms=ChainTerms(block_transactions=3))
    for first in (0, 10, 20):
        wide.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=first))
    with pytest.raises(ChainError, match=r"block 1: 3 transactions in .* bytes, allowed: 2 in"):
        chain.append_block(wide.seal(make.start))
    assert chain.height == 0
