"""McAfee's double auction: published cases, an order-by-order reference, and an honest try to cheat it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.both_kernels import clear_both
from tests.market.orders import book
from tests.market.reference import Order, frame
from tests.market.truthful_cases import books, check_promises, check_reduced, equal_books, gains_of_lying
from tests.market.truthful_reference import RATIONING, best_welfare, mcafee, moved

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "mcafee.json").read_text(encoding="utf-8"))
QUICK = settings(max_examples=60, deadline=None)
RATIONINGS = st.sampled_from(sorted(RATIONING))


def case_name(case):
    return f"{case['id']}-from-erelsgl-auctions-doctests"


def scaled(price):
    return round(price * 1000)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_mcafee_vector(case):
    orders = book(*([(scaled(price), 1) for price in case[side]] for side in ("buyers", "sellers")))
    prices = clear_both(orders, "mcafee").prices.row(0, named=True)
    expected = case["expected"]
    assert prices["energy"] == expected["trades"]
    assert prices["price_buy"] == scaled(expected["buyer_price"])
    assert prices["price_sell"] == scaled(expected["seller_price"])


@pytest.mark.parametrize("energy", [1, 250])
def test_worked_example_of_the_documentation(energy):
    orders = book(
        [(scaled(price), energy) for price in (17, 14, 13, 9, 6)],
        [(scaled(price), energy) for price in (1, 4, 5, 8, 13)],
    )
    prices = clear_both(orders, "mcafee").prices.row(0, named=True)
    assert (prices["price_buy"], prices["price_sell"], prices["price"]) == (9000, 8000, 8500)
    assert prices["energy"] == 3 * energy
    assert prices["welfare"] == 34_000 * energy
    assert prices["operator_surplus"] == 3_000 * energy
    assert prices["welfare_share"] == pytest.approx(34 / 35)


def test_the_price_between_the_losers_is_rounded_down():
    # Losers at 6 and 13: their middle, 9.5, lies above the last buy's 9; rounded down it does not.
    orders = book([(9, 1), (6, 1)], [(3, 1), (13, 1)])
    prices = clear_both(orders, "mcafee").prices.row(0, named=True)
    assert (prices["energy"], prices["price_buy"], prices["price_sell"]) == (1, 9, 9)


@QUICK
@given(orders=books(), rationing=RATIONINGS, k=st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2), 1]))
def test_mcafee_equals_the_reference(orders, rationing, k):
    if not best_welfare(orders)[1]:
        return
    expected = mcafee(orders, ration=RATIONING[rationing], k=k)
    clearing = clear_both(frame(orders), "mcafee", k=k, rationing=rationing)
    assert clearing.fills.select("order_id", "filled", "amount").rows() == expected.rows(orders)
    prices = clearing.prices.select("price_buy", "price_sell").row(0)
    assert prices == (expected.buy_price, expected.sell_price)


@QUICK
@given(orders=books(), rationing=RATIONINGS)
def test_mcafee_is_weakly_balanced_and_nobody_loses(orders, rationing):
    clearing = check_promises(orders, "mcafee", balanced="weakly", rationing=rationing)
    check_reduced(orders, clearing, exact=True)


@QUICK
@given(orders=equal_books(), rationing=RATIONINGS, k=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]))
def test_no_limit_pays_more_than_the_true_one_where_energies_are_equal(orders, rationing, k):
    assert gains_of_lying(orders, "mcafee", rationing=rationing, k=k) == []


@QUICK
@given(orders=equal_books())
def test_equal_energies_lose_at_most_the_least_valuable_trade(orders):
    clearing = clear_both(frame(orders), "mcafee")
    for prices in clearing.prices.iter_rows(named=True):
        _, volume = best_welfare(orders)
        energy = orders[0].energy
        assert prices["energy"] >= volume - energy
        trades = volume // energy
        assert trades * prices["welfare"] >= (trades - 1) * prices["best_welfare"]


def test_with_unequal_energies_a_lie_about_the_limit_may_pay():
    """The limit of the claim: a buyer of 4 Wh worth 6 says 5 and gains."""
    orders = [
        Order(0, 0, "buy", 4, 1, 0, 0), Order(1, 0, "buy", 6, 4, 1, 1), Order(2, 0, "buy", 2, 1, 2, 2),
        Order(3, 0, "sell", 1, 1, 3, 3), Order(4, 0, "sell", 6, 5, 4, 4),
    ]  # fmt: skip
    gains = gains_of_lying(orders, "mcafee")
    assert (1, orders[1], moved(orders[1], price=5)) in gains
    assert gains_of_lying(orders, "trade_reduction") == []
