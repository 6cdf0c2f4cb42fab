"""Strongly budget-balanced trade reduction: the reference, one price for all, and an honest try to cheat it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.both_kernels import clear_both
from tests.market.orders import book
from tests.market.reference import Order, frame
from tests.market.truthful_cases import books, check_promises, check_reduced, equal_books, gains_of_lying
from tests.market.truthful_reference import RATIONING, best_welfare, moved, sbb

QUICK = settings(max_examples=60, deadline=None)
RATIONINGS = st.sampled_from(sorted(RATIONING))
SETTERS = st.sampled_from(["buyer", "seller"])


@QUICK
@given(orders=books(size=12), rationing=RATIONINGS, setter=SETTERS)
def test_sbb_equals_the_reference(orders, rationing, setter):
    if not best_welfare(orders)[1]:
        return
    expected = sbb(orders, ration=RATIONING[rationing], price_setter=setter)
    clearing = clear_both(frame(orders), "sbb", rationing=rationing, price_setter=setter)
    assert clearing.fills.select("order_id", "filled", "amount").rows() == expected.rows(orders)
    assert clearing.prices["price"].to_list() == [expected.buy_price]


@QUICK
@given(orders=books(), rationing=RATIONINGS, setter=SETTERS)
def test_sbb_is_strongly_balanced_and_nobody_loses(orders, rationing, setter):
    options = {"rationing": rationing, "price_setter": setter}
    clearing = check_promises([], "sbb", **options)
    assert clearing.prices.is_empty()
    clearing = check_promises(orders, "sbb", balanced="strongly" if best_welfare(orders)[1] else None, **options)
    check_reduced(orders, clearing, exact=True)


@QUICK
@given(orders=equal_books(), rationing=RATIONINGS, setter=SETTERS)
def test_no_limit_pays_more_than_the_true_one_where_energies_are_equal(orders, rationing, setter):
    assert gains_of_lying(orders, "sbb", rationing=rationing, price_setter=setter) == []


@pytest.mark.parametrize(("setter", "price", "filled"), [("buyer", 9, [6, 6, 6, 0, 0]), ("seller", 8, [5, 5, 4, 4, 0])])
def test_worked_example_of_the_documentation(setter, price, filled):
    buys = [(limit, 6) for limit in (17, 14, 13, 9, 6)]
    sells = [(limit, 6) for limit in (1, 4, 5, 8, 13)]
    clearing = clear_both(book(buys, sells), "sbb", price_setter=setter)
    assert clearing.prices.select("energy", "price", "operator_surplus").row(0) == (18, price, 0)
    found = clearing.fills["filled"].to_list()
    reduced, rationed = (found[:5], found[5:]) if setter == "buyer" else (found[5:], found[:5])
    assert reduced == [6, 6, 6, 0, 0]
    assert rationed == [5, 5, 4, 4, 0]


def test_with_unequal_energies_a_lie_about_the_limit_may_pay():
    """The limit of the claim: a seller of 4 Wh that cost 5 asks 6 and moves the price."""
    orders = [
        Order(0, 0, "buy", 5, 5, 0, 0), Order(1, 0, "buy", 9, 3, 1, 1), Order(2, 0, "buy", 1, 5, 2, 2),
        Order(3, 0, "sell", 5, 4, 3, 3), Order(4, 0, "sell", 6, 1, 4, 4),
    ]  # fmt: skip
    assert (3, orders[3], moved(orders[3], price=6)) in gains_of_lying(orders, "sbb")
