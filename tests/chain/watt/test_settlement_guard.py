"""A settlement moves what the market's results are, and never what lies in a vault or in reserve."""

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, keys


@pytest.fixture
def guarded(members, pairs, make):
    """A chain with a bridge's vault and a treasury, each holding 9 WATT."""
    more = {"vault": "bridge_operator", "treasury": "treasury"}
    extra = pl.DataFrame(
        {
            "account": [7, 8],
            "name": list(more),
            "role": list(more.values()),
            "public_key": [keys.sandbox(7, name).public_key for name in more],
        }
    )
    chain = ConsortiumChain(pl.concat([members, extra]), ordering=PbftOrdering.of(4))
    chain.send(pairs["bank"], "reserve", make.transfers((1, 0, 1, "THB", 100, "reserve")))
    rows = [(2, 1, 7, "WATT", 9, "mint"), (3, 1, 8, "WATT", 9, "mint"), (4, 1, 5, "WATT", 9, "mint")]
    chain.send(pairs["issuer"], "mint", make.transfers(*rows))
    assert chain.seal(make.start).rejected == 0
    return chain


@pytest.mark.parametrize(
    ("debit", "asset", "who"), [(7, "WATT", "a bridge's vault"), (8, "WATT", "an authority"), (1, "THB", "the reserve")]
)
def test_the_operator_cannot_settle_out_of_special_accounts(guarded, pairs, make, debit, asset, who):
    good, bad = (10, 5, 6, "WATT", 1, "energy"), (11, debit, 6, asset, 5, "energy")
    receipt = make.sealed(guarded, guarded.sign(pairs["operator"], "settlement", make.transfers(good, bad)))
    assert receipt.code == "rule_broken"
    assert who in receipt.reason
    assert "trader, market_operator" in receipt.reason


def test_the_operator_still_settles_between_those_who_trade(guarded, pairs, make):
    rows = [(10, 5, 6, "WATT", 4, "energy"), (11, 6, 2, "WATT", 1, "fee"), (12, 5, 8, "WATT", 1, "vat")]
    assert make.sealed(guarded, guarded.sign(pairs["operator"], "settlement", make.transfers(*rows))).accepted
    assert guarded.ledger.balance(8, "WATT") == 10


def test_a_treasury_gives_back_the_tax_on_a_negative_price(guarded, pairs, make):
    row = (10, 8, 5, "WATT", 2, "vat")
    assert make.sealed(guarded, guarded.sign(pairs["operator"], "settlement", make.transfers(row))).accepted
    assert guarded.ledger.balance(8, "WATT") == 7


def test_an_account_that_does_not_exist_is_the_ledgers_business(guarded, pairs, make):
    receipt = make.sealed(
        guarded, guarded.sign(pairs["operator"], "settlement", make.transfers((10, 99, 6, "WATT", 4, "energy")))
    )
    assert receipt.code == "ledger_refused"
