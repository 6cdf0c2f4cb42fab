"""Options of the truthful rules: the unknown, the wrong and the useless are errors that name what is allowed."""

from __future__ import annotations

import pytest

from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.market.clearing import RULES, clear
from gridlab.market.truthful_auctions.truthful_rules import TRUTHFUL_RULES
from tests.market.orders import book

ORDERS = book([(9, 2), (8, 2)], [(3, 2), (4, 2)])


def test_every_truthful_rule_is_a_rule():
    assert set(TRUTHFUL_RULES) == {"mcafee", "trade_reduction", "sbb", "huang", "muda", "vcg"}
    assert set(TRUTHFUL_RULES) < set(RULES)


@pytest.mark.parametrize("rule", TRUTHFUL_RULES)
def test_a_pricing_that_is_not_read_is_an_error(rule):
    with pytest.raises(MarketError, match=rf"pricing 'last_ask' has no effect with rule '{rule}'.*use rule 'uniform'"):
        clear(ORDERS, rule, pricing="last_ask")


@pytest.mark.parametrize("rule", ["huang", "muda"])
def test_a_rationing_that_is_not_read_is_an_error(rule):
    with pytest.raises(MarketError, match=r"rationing 'time' has no effect.*use rule 'trade_reduction'"):
        clear(ORDERS, rule, rationing="time")


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ("sbb", {"price_setters": "buyer"}, "option 'price_setters' .* rule 'sbb' reads; did you mean 'price_setter'"),
        ("sbb", {"price_setter": "buyers"}, "price_setter 'buyers' is unknown; did you mean 'buyer'"),
        ("muda", {"seeds": 1}, "option 'seeds' .* did you mean 'seed'"),
        ("muda", {"seed": -1}, "seed = -1 is out of range; allowed: 0 to"),
        ("muda", {"variant": "vickry"}, "variant 'vickry' is unknown; did you mean 'vickrey'"),
        ("mcafee", {"seed": 1}, "option 'seed' is not one that rule 'mcafee' reads; allowed: 'by'"),
        ("mcaffee", {}, "rule 'mcaffee' is unknown; did you mean 'mcafee'"),
    ],
)
def test_an_unknown_option_or_value_is_an_error(rule, options, message):
    with pytest.raises(MarketError, match=message):
        clear(ORDERS, rule, **options)


@pytest.mark.parametrize(
    ("rule", "options"),
    [("sbb", {"price_setter": 1}), ("muda", {"seed": 0.5}), ("muda", {"seed": True}), ("muda", {"variant": None})],
)
def test_an_option_of_a_wrong_type_is_an_error(rule, options):
    with pytest.raises(ArgumentTypeError, match=next(iter(options))):
        clear(ORDERS, rule, **options)


@pytest.mark.parametrize("rule", TRUTHFUL_RULES)
def test_books_in_which_nothing_trades(rule):
    for orders in (book([(9, 2)], []), book([], [(3, 2)]), book([(2, 1)], [(3, 1)])):
        clearing = clear(orders, rule)
        row = clearing.prices.row(0, named=True)
        assert (row["energy"], row["welfare"], row["price"], row["price_buy"], row["price_sell"]) == (0, 0, *[None] * 3)
        assert row["welfare_share"] is None
        assert set(clearing.fills["reason"]) <= {"no counterparty", "priced out"}
        assert clearing.trades.is_empty()
    empty = clear(ORDERS.clear(), rule)
    assert empty.prices.is_empty()
    assert empty.trades.is_empty()


@pytest.mark.parametrize("name", ["price_buy", "price_sell", "best_welfare", "welfare_share", "amount_buy", "level"])
def test_a_book_column_named_like_a_result_is_an_error(name):
    with pytest.raises(MarketError, match=f"by: column '{name}' holds a result of the clearing"):
        clear(ORDERS.with_columns(**{name: 1}), "mcafee", by=name)
