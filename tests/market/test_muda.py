"""MUDA: the halves against the reference, promises, truth in limit and energy, lots that belong to an account."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gridlab.market.core.books import number_books
from gridlab.market.truthful_auctions.halving import draw_lots
from tests.market.both_kernels import clear_both, clear_with
from tests.market.orders import book
from tests.market.reference import frame
from tests.market.truthful_cases import books, check_promises, check_reduced, gains_of_lying
from tests.market.truthful_reference import muda

QUICK = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**63 - 1)
VARIANTS = st.sampled_from(["lottery", "vickrey"])


def lots(orders, seed):
    """Return the halves and the turns by account, as the mechanism draws them."""
    numbered = number_books(frame(orders), ("slot", "zone"))
    half, turn = (draw_lots(numbered, seed, purpose).tolist() for purpose in (0, 1))
    accounts = [o.account for o in orders]
    return {a: h >> 63 for a, h in zip(accounts, half, strict=True)}, dict(zip(accounts, turn, strict=True))


@QUICK
@given(
    orders=books(size=14, accounts=9),
    seed=SEEDS,
    variant=VARIANTS,
    k=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2, 3), Fraction(1)]),
)
def test_muda_equals_the_reference(orders, seed, variant, k):
    half, turn = lots(orders, seed)
    expected = muda(orders, half=half, turn=turn, k=k, variant=variant)
    fills = clear_both(frame(orders), "muda", seed=seed, variant=variant, k=k).fills
    assert fills.select("order_id", "filled", "amount").rows() == expected.rows(orders)


@QUICK
@given(orders=books(), seed=SEEDS, variant=VARIANTS)
def test_muda_is_weakly_balanced_and_nobody_loses(orders, seed, variant):
    clearing = check_promises(orders, "muda", balanced="weakly", seed=seed, variant=variant)
    check_reduced(orders, clearing, exact=False)


@QUICK
@given(orders=books(size=14), seed=SEEDS)
def test_the_lottery_leaves_no_money_with_the_operator(orders, seed):
    prices = clear_both(frame(orders), "muda", seed=seed).prices
    assert prices.filter(pl.col("operator_surplus") != 0).is_empty()


@QUICK
@given(orders=books(size=7), seed=SEEDS, variant=VARIANTS)
def test_neither_limit_nor_energy_pays_more_than_the_true_one(orders, seed, variant):
    assert gains_of_lying(orders, "muda", energy=True, seed=seed, variant=variant) == []


@QUICK
@given(orders=books(size=8, accounts=3), seed=SEEDS)
def test_an_account_with_several_orders_gains_by_no_lie_in_the_lottery(orders, seed):
    # An account on both sides of a book may trade with itself; the claim is about one side.
    one_sided = [o for o in orders if (o.account % 2 == 0) == (o.side == "buy")]
    assert gains_of_lying(one_sided, "muda", energy=True, seed=seed) == []


@QUICK
@given(orders=books(size=12), seed=SEEDS, shuffle=st.randoms())
def test_lots_do_not_depend_on_the_rows_or_on_other_books(orders, seed, shuffle):
    rows = frame(orders)
    mixed = pl.concat([rows, rows.with_columns(pl.col("order_id") + 100, slot=pl.col("slot").dt.offset_by("1h"))])
    alone = clear_both(rows, "muda", seed=seed)
    together = clear_both(mixed[shuffle.sample(range(mixed.height), mixed.height)], "muda", seed=seed)
    assert_frame_equal(alone.fills.sort("order_id"), together.fills.filter(pl.col("order_id") < 100).sort("order_id"))


def many_orders(count=4000):
    random = np.random.default_rng(5)
    sides = np.where(random.integers(0, 2, count) == 0, "buy", "sell")
    columns = {"price": random.integers(1500, 6000, count), "energy": random.integers(1, 20_000, count)}
    rows = zip(sides, columns["price"], columns["energy"], strict=True)
    orders = [(side, int(price), int(energy)) for side, price, energy in rows]
    return book(*([order[1:] for order in orders if order[0] == side] for side in ("buy", "sell")))


@pytest.mark.parametrize("variant", ["lottery", "vickrey"])
def test_a_large_market_loses_little(variant):
    prices = clear_with(many_orders(), "muda", variant=variant, compiled=False).prices.row(0, named=True)
    assert 0.9 < prices["welfare_share"] <= 1


def test_halves_are_even_and_seeds_differ():
    orders = number_books(many_orders().with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok")), ("zone",))
    one, other = (draw_lots(orders, seed, 0) >> np.uint64(63) for seed in (0, 1))
    assert 0.45 < one.mean() < 0.55
    assert 0.45 < (one == other).mean() < 0.55
