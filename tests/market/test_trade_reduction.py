"""Trade reduction and Huang's mechanism: the references, the promises, and who can gain by which lie."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.both_kernels import clear_both
from tests.market.orders import book
from tests.market.reference import Order, frame, pro_rata
from tests.market.truthful_cases import books, check_promises, check_reduced, equal_books, gains_of_lying
from tests.market.truthful_reference import RATIONING, best_welfare, equal_burdens, reduce_trade

QUICK = settings(max_examples=60, deadline=None)
REDUCTIONS = [("trade_reduction", "pro_rata"), ("trade_reduction", "time"), ("huang", "pro_rata")]
each_reduction = pytest.mark.parametrize(("rule", "rationing"), REDUCTIONS)


def ration_of(rule, rationing):
    return equal_burdens if rule == "huang" else RATIONING[rationing]


@each_reduction
@QUICK
@given(orders=books(size=12))
def test_reduction_equals_the_reference(rule, rationing, orders):
    if not best_welfare(orders)[1]:
        return
    expected = reduce_trade(orders, ration_of(rule, rationing))
    clearing = clear_both(frame(orders), rule, rationing=rationing)
    assert clearing.fills.select("order_id", "filled", "amount").rows() == expected.rows(orders)
    assert clearing.prices.select("price_buy", "price_sell").row(0) == (expected.buy_price, expected.sell_price)


@each_reduction
@QUICK
@given(orders=books())
def test_reduction_is_weakly_balanced_and_nobody_loses(rule, rationing, orders):
    clearing = check_promises(orders, rule, balanced="weakly", rationing=rationing)
    check_reduced(orders, clearing, exact=True)


@each_reduction
@QUICK
@given(orders=books())
def test_no_limit_pays_more_than_the_true_one_whatever_the_energies(rule, rationing, orders):
    assert gains_of_lying(orders, rule, rationing=rationing) == []


@QUICK
@given(orders=equal_books())
def test_huang_and_trade_reduction_agree_where_energies_are_equal(orders):
    huang, reduction = (clear_both(frame(orders), rule) for rule in ("huang", "trade_reduction"))
    assert huang.prices.rows() == reduction.prices.rows()
    assert huang.fills.rows() == reduction.fills.rows()


def test_worked_example_of_the_documentation():
    # Buys of 3, 4 and 5 Wh and sells of 2, 6 and 6 Wh: the last of each side sets its price.
    orders = book([(9, 3), (8, 4), (6, 5)], [(2, 2), (3, 6), (5, 6)])
    reduced, equal = (clear_both(orders, rule) for rule in ("trade_reduction", "huang"))
    assert reduced.prices.select("energy", "price_buy", "price_sell", "operator_surplus").row(0) == (7, 6, 5, 7)
    assert reduced.fills["filled"].to_list() == [3, 4, 0, 2, 5, 0]
    assert equal.fills["filled"].to_list() == [3, 4, 0, 2, 5, 0]
    assert reduced.fills["reason"].to_list() == [
        "filled", "filled", "reduced", "filled", "partly: rationed", "reduced",
    ]  # fmt: skip


def test_equal_burdens_spare_nobody_and_take_no_more_than_there_is():
    # 3 + 9 + 20 Wh offered, 11 wanted: 21 to bear; the first loses all 3, the others 9 each.
    orders = book([(9, 11), (8, 30)], [(1, 3), (1, 9), (1, 20), (5, 20)])
    fills = clear_both(orders, "huang").fills
    assert fills["filled"].to_list() == [11, 0, 0, 0, 11, 0]
    assert fills["reason"].to_list()[2:4] == ["rationed", "rationed"]


def test_overstating_energy_pays_on_the_longer_side():
    """The limit of the claim: with energies to tell, neither mechanism is truthful."""
    orders = [
        Order(0, 0, "buy", 9, 6, 0, 0), Order(1, 0, "buy", 5, 9, 1, 1),
        Order(2, 0, "sell", 1, 5, 2, 2), Order(3, 0, "sell", 1, 5, 3, 3), Order(4, 0, "sell", 4, 5, 4, 4),
    ]  # fmt: skip
    for rule in ("trade_reduction", "huang"):
        gain, truth, lie = max(gains_of_lying(orders, rule, energy=True), key=lambda found: found[0])
        assert gain > 0
        assert truth.energy != lie.energy
        assert gains_of_lying(orders, rule) == []


@QUICK
@given(orders=books(), shuffle=st.randoms())
def test_shuffling_the_rows_changes_nothing(orders, shuffle):
    shuffled = shuffle.sample(orders, len(orders))
    one, other = (clear_both(frame(rows), "huang") for rows in (orders, shuffled))
    assert one.prices.rows() == other.prices.rows()
    assert one.fills.sort("order_id").rows() == other.fills.sort("order_id").rows()


def test_remainders_too_wide_for_one_word_are_sorted_by_two_keys():
    energies = [2**57 + 3 * i * i + 1 for i in range(16)]
    clearing = clear_both(book([(1, energy) for energy in energies], [(0, 2**60 + 12_345)]))
    level = [Order(i, 0, "buy", 1, energy, i) for i, energy in enumerate(energies)]
    expected = pro_rata(level, 2**60 + 12_345, sum(energies))
    assert clearing.fills["filled"].to_list()[:16] == [expected[i] for i in range(16)]
