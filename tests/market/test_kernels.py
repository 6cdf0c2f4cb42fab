"""Large and awkward frames: both kernels, every packing, any number of threads give the same books."""

from __future__ import annotations

import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gridlab as gl
from gridlab.market.core import books, kernels, packing, parallel
from gridlab.market.core.door import check_orders
from gridlab.market.core.matching import meet
from tests.market.both_kernels import KERNELS, clear_both, clear_with
from tests.market.orders import NOON, book
from tests.market.reference import Order as ReferenceOrder
from tests.market.reference import clear_book, frame, pairs

ROOT = Path(__file__).parents[2]


def random_orders(count, book_count, *, price=500, energy=10_000, seed=0, seq=False):
    """Return a frame of uniform random orders in random row order."""
    numbers = np.random.default_rng(seed)
    key = numbers.integers(0, book_count, count)
    orders = pl.DataFrame(
        {
            "order_id": numbers.permutation(count),
            "slot": np.datetime64(NOON) + key // 7 * np.timedelta64(15, "m"),
            "zone": pl.Series([f"Z{z}" for z in range(7)], dtype=pl.Enum([f"Z{z}" for z in range(7)])).gather(key % 7),
            "account": numbers.integers(0, 50, count),
            "side": pl.Series(numbers.integers(0, 2, count, dtype=np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": numbers.integers(-price, price, count),
            "energy": numbers.integers(1, energy, count),
        }
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))
    return orders.with_columns(seq=pl.Series(numbers.integers(0, 9, count))) if seq else orders


@pytest.fixture
def three_threads(monkeypatch):
    monkeypatch.setattr(parallel, "worker_count", lambda: 3)
    monkeypatch.setattr(parallel, "ROWS_PER_THREAD", 50)


@pytest.mark.parametrize("rule", ["uniform", "pay_as_bid"])
@pytest.mark.parametrize(("count", "book_count"), [(20_000, 1), (20_000, 150), (20_000, 10_000)])
def test_threads_change_nothing(rule, count, book_count, monkeypatch):
    orders = random_orders(count, book_count, seq=True)
    monkeypatch.setattr(parallel, "worker_count", lambda: 1)
    one = clear_both(orders, rule)
    monkeypatch.setattr(parallel, "worker_count", lambda: 3)
    monkeypatch.setattr(parallel, "ROWS_PER_THREAD", 50)
    three = clear_both(orders, rule)
    assert_frame_equal(one.prices, three.prices)
    assert_frame_equal(one.fills, three.fills)
    assert_frame_equal(one.trades, three.trades)


@pytest.mark.parametrize("rationing", ["pro_rata", "time"])
def test_ten_thousand_books_equal_each_book_alone(rationing, three_threads):
    orders = random_orders(40_000, 10_000, price=5, energy=9, seq=True)
    together = clear_both(orders, rationing=rationing)
    assert together.prices.height > 9_000
    for key, alone in random.Random(1).sample(list(orders.group_by("slot", "zone", maintain_order=True)), 60):
        chosen = (pl.col("slot") == key[0]) & (pl.col("zone") == key[1])
        single = clear_with(alone, compiled=False, rationing=rationing)
        assert_frame_equal(together.prices.filter(chosen), single.prices)
        assert_frame_equal(together.fills.filter(chosen), single.fills)
        assert_frame_equal(together.trades.filter(chosen), single.trades)


def test_one_large_book_equals_the_reference():
    numbers = random.Random(5)
    orders = [
        ReferenceOrder(i, 0, numbers.choice(["buy", "sell"]), numbers.randint(0, 60), numbers.randint(1, 5), i % 11)
        for i in range(600)
    ]
    clearing, expected = clear_both(frame(orders)), clear_book(orders)
    assert clearing.fills["filled"].to_list() == [expected.filled[o.order_id] for o in orders]
    assert clearing.prices.select("price", "energy", "welfare").row(0) == (
        expected.price, expected.energy, expected.welfare,
    )  # fmt: skip
    assert clearing.trades.select("buy_order", "sell_order", "energy").rows() == pairs(orders, expected.filled)


@pytest.mark.parametrize("rule", ["uniform", "pay_as_bid"])
def test_words_of_ranks_equal_words_of_prices(rule, monkeypatch):
    orders = random_orders(5_000, 40, price=30)
    packed = clear_both(orders, rule)
    monkeypatch.setattr(packing, "WORD_BITS", 0)
    ranked = clear_both(orders, rule)
    assert_frame_equal(packed.prices, ranked.prices)
    assert_frame_equal(packed.fills, ranked.fills)
    assert_frame_equal(packed.trades, ranked.trades)


def test_words_that_use_all_64_bits():
    # A bit for the book, one for the side, 31 for prices up to 2**31 - 1 and 31 for energies up to the same; the last
    # sell is the word of 64 ones, and no greater word can be searched for.
    most = 2**31 - 1
    orders = pl.concat([
        book(buys=[(0, 1)]), book(buys=[(most, most)], sells=[(most, most)]).with_columns(zone=pl.lit("X")),
    ]).with_columns(order_id=pl.int_range(3))  # fmt: skip
    checked = check_orders(orders, ("slot", "zone"), None, None)
    merit = packing.sort_by_merit(books.number_books(checked, ("slot", "zone")))
    assert int(merit.words[-1]) == 2**64 - 1
    clearing = clear_both(orders)
    assert clearing.fills["filled"].to_list() == [0, most, most]
    assert clearing.prices["price"].to_list() == [None, most]


@pytest.mark.parametrize("unit", [1, 2**20, 2**45, 2**59])
def test_wide_prices_scale_like_narrow_ones(unit):
    numbers = random.Random(2)
    narrow = [(numbers.choice(["buy", "sell"]), numbers.randint(-3, 3)) for _ in range(12)]
    rows = {side: [(price, 1) for s, price in narrow if s == side] for side in ("buy", "sell")}
    wide = {side: [(price * unit, 1) for price, _ in orders] for side, orders in rows.items()}
    if 3 * unit * 12 >= 2**63:
        with pytest.raises(gl.errors.MarketError, match="passes 2\\*\\*63"):
            clear_both(book(wide["buy"], wide["sell"]))
        return
    one, other = clear_both(book(rows["buy"], rows["sell"]), k=0), clear_both(book(wide["buy"], wide["sell"]), k=0)
    assert other.fills["filled"].to_list() == one.fills["filled"].to_list()
    assert other.prices["price"].item() == one.prices["price"].item() * unit
    assert other.prices["welfare"].item() == one.prices["welfare"].item() * unit


def test_prices_at_the_ends_of_the_range_are_right_or_an_error():
    far = [book(buys=[(2**62, 1)]), book(sells=[(-(2**62), 1)]).with_columns(zone=pl.lit("X"))]
    prices = clear_both(pl.concat(far).with_columns(order_id=pl.int_range(2))).prices
    assert prices["energy"].to_list() == [0, 0]
    with pytest.raises(gl.errors.MarketError, match="passes 2\\*\\*63"):
        clear_both(book(buys=[(2**62, 1)], sells=[(-(2**62), 1)]))
    half = 2**62 - 1
    clearing = clear_both(book(buys=[(half, 1)], sells=[(-half, 1)]), k=Fraction(1, 3))
    assert clearing.prices["price"].item() == -half + 2 * half // 3
    assert clearing.prices["welfare"].item() == 2 * half


def test_a_long_k_is_exact_where_products_pass_64_bits():
    k = Fraction(10**30 + 1, 3 * 10**30)
    orders = book(buys=[(2**50, 3)], sells=[(0, 3)])
    price = clear_both(orders, k=k).prices["price"].item()
    assert price == (2**50 * k.numerator) // k.denominator
    assert clear_both(orders, "pay_as_bid", k=k).trades["price"].item() == price


def test_pro_rata_is_exact_where_products_pass_64_bits():
    large = 2**60
    orders = book(buys=[(1, large), (1, large - 1), (1, 3)], sells=[(1, large + 7)])
    total, share = 2 * large + 2, large + 7
    quotas = [Fraction(share * energy, total) for energy in (large, large - 1, 3)]
    filled = clear_both(orders).fills["filled"].to_list()[:3]
    assert sum(filled) == share
    assert all(int(quota) <= part <= int(quota) + 1 for part, quota in zip(filled, quotas, strict=True))


def test_sparse_slots_do_not_need_tables_of_all_slots():
    # Books a century apart, in as many zones as there are orders.
    orders = book(buys=[(5, 1)] * 3, sells=[(4, 1)] * 3).with_columns(
        slot=pl.Series([NOON, NOON.replace(year=2126), NOON.replace(year=1926)] * 2),
        zone=pl.Series(["a", "b", "c"] * 2, dtype=pl.Enum([f"n{i}" for i in range(5_000)] + ["a", "b", "c"])),
    )
    prices = clear_both(orders).prices
    assert prices["zone"].to_list() == ["c", "a", "b"]
    assert prices["energy"].to_list() == [1, 1, 1]


def test_books_told_apart_by_two_columns_without_a_small_range():
    # 60,000 values each: numbering pairs of ranks needs more than 32 bits on the way.
    count = 60_000
    orders = random_orders(count, 1).with_columns(
        one=pl.int_range(count) // 2 * 1.5, other=(pl.int_range(count) // 2).cast(pl.String)
    )
    prices = clear_both(orders, by=("one", "other")).prices
    assert prices["one"].to_list() == [1.5 * book for book in range(count // 2)]
    assert (prices["demand"] + prices["supply"]).sum() == orders["energy"].sum()


def test_without_a_directory_for_its_cache_numba_compiles_all_the_same(monkeypatch):
    numba = pytest.importorskip("numba")
    kernel_numba = kernels.load_kernel(compiled=True)
    real = numba.njit

    def njit(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)
    assert kernel_numba._compiled(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize("compiled", KERNELS)
def test_levels_of_a_book(compiled, monkeypatch):
    monkeypatch.setattr(books, "pays_to_compile", lambda _: compiled)
    orders = check_orders(book(buys=[(9, 4), (5, 8), (5, 4), (2, 1)], sells=[(1, 10), (6, 3)]), (), None, None)
    levels = meet(books.number_books(orders, ()))
    figures = {name: int(getattr(levels, name)[0]) for name in kernels.FIELDS}
    assert figures == {
        "energy": 10, "demand": 17, "supply": 13, "bid_value": 9 * 4 + 5 * 6, "ask_value": 10,
        "bid_last": 5, "bid_next": 5, "bid_fill": 6, "bid_total": 12,
        "ask_last": 1, "ask_next": 6, "ask_fill": 10, "ask_total": 10,
    }  # fmt: skip


@pytest.mark.parametrize(("length", "threads"), [(0, 1), (10, 1), (99, 1), (100, 2), (150, 3), (10_000, 3)])
def test_chunks_cover_a_range_once(length, threads, three_threads):
    pieces = parallel.chunks(length)
    assert len(pieces) == threads
    assert [i for start, stop in pieces for i in range(start, stop)] == list(range(length))


def test_small_frames_do_not_load_numba():
    code = (
        "import sys, gridlab as gl; from tests.market.orders import book; "
        "gl.clear(book(buys=[(5, 1)], sells=[(4, 1)])).trades; print('numba' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert shown.stdout.strip() == "False"


def test_large_frames_use_the_compiled_kernel_where_there_is_one(monkeypatch):
    pytest.importorskip("numba")
    assert kernels.pays_to_compile(kernels.COMPILED_FROM)
    assert not kernels.pays_to_compile(100)
    monkeypatch.setattr(kernels, "_can_compile", lambda: False)
    assert not kernels.pays_to_compile(10**9)
    assert kernels.load_kernel(compiled=False).__name__.endswith("kernel_numpy")
