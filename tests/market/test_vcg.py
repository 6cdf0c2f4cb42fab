"""Vickrey-Clarke-Groves: payments against the welfare of the market without each order, truth, and the deficit."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.both_kernels import clear_both
from tests.market.orders import book
from tests.market.reference import clear_book, frame
from tests.market.truthful_cases import books, check_promises, check_reduced, gains_of_lying
from tests.market.truthful_reference import RATIONING, best_welfare, vcg_amounts

QUICK = settings(max_examples=60, deadline=None)
RATIONINGS = st.sampled_from(sorted(RATIONING))


@QUICK
@given(orders=books(size=12), rationing=RATIONINGS)
def test_vcg_pays_what_an_order_adds_to_the_others(orders, rationing):
    filled = clear_book(orders, rationing=rationing).filled if orders else {}
    amounts = vcg_amounts(orders, filled)
    fills = clear_both(frame(orders), "vcg", rationing=rationing).fills
    expected = [(o.order_id, filled[o.order_id], amounts[o.order_id]) for o in orders]
    assert fills.select("order_id", "filled", "amount").rows() == expected


@QUICK
@given(orders=books(), rationing=RATIONINGS)
def test_vcg_is_efficient_runs_a_deficit_and_nobody_loses(orders, rationing):
    clearing = check_promises(orders, "vcg", balanced="deficit", rationing=rationing)
    check_reduced(orders, clearing, exact=False)
    assert clearing.prices["welfare"].to_list() == clearing.prices["best_welfare"].to_list()


@QUICK
@given(orders=books(size=7), rationing=RATIONINGS)
def test_neither_limit_nor_energy_pays_more_than_the_true_one(orders, rationing):
    assert gains_of_lying(orders, "vcg", energy=True, rationing=rationing) == []


@QUICK
@given(orders=books(), rationing=RATIONINGS)
def test_the_deficit_is_the_surplus_that_traders_get_beyond_the_welfare(orders, rationing):
    welfare, _ = best_welfare(orders)
    prices = clear_both(frame(orders), "vcg", rationing=rationing).prices
    gained = sum(welfare - best_welfare([o for o in orders if o is not order])[0] for order in orders)
    assert int(prices["operator_surplus"].sum()) == welfare - gained


def test_worked_example_of_the_documentation():
    clearing = clear_both(book([(9, 5), (7, 5), (4, 5)], [(2, 6), (5, 6)]), "vcg")
    fills = clearing.fills.select("filled", "price", "amount").rows()
    assert fills == [(5, 4, 24), (5, 4, 24), (0, None, 0), (6, 6, 38), (4, 7, 28)]
    assert clearing.prices["operator_surplus"].to_list() == [24 + 24 - 38 - 28]
    assert clearing.trades.select("energy", "price", "amount", "amount_buy").rows() == [
        (5, 6, 32, 24),
        (1, 6, 6, 5),
        (4, 7, 28, 19),
    ]
