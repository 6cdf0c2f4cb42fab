"""Protection: position limits, circuit breaker, wash trades and pivotal sellers against plain loops."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.frames import ORDERS
from gridlab.market.protection import Protection, halted_books, limit_positions, pivotal_suppliers, wash_trades

START = datetime(2026, 5, 6, 10)

ORDER = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["A", "B"]),
    st.integers(0, 4),
    st.sampled_from(["buy", "sell"]),
    st.integers(1, 9),
)


def orders_of(rows, seqs=None):
    frame = {
        "order_id": list(range(len(rows))),
        "slot": [START + timedelta(minutes=15 * r[0]) for r in rows],
        "zone": [r[1] for r in rows],
        "account": [r[2] for r in rows],
        "side": [r[3] for r in rows],
        "price": [3000] * len(rows),
        "energy": [r[4] for r in rows],
    }
    if seqs is not None:
        frame["seq"] = seqs
    return ORDERS.check(pl.DataFrame(frame))


@given(st.lists(ORDER, min_size=1, max_size=30), st.integers(1, 20), st.randoms())
def test_a_position_limit_cuts_later_orders_first(rows, limit, random):
    seqs = random.sample(range(100), len(rows))
    left = {}
    expected = {}
    for _, i in sorted(zip(seqs, range(len(rows)), strict=True)):
        slot, _, account, side, energy = rows[i]
        room = left.setdefault((slot, account, side), limit)
        take = min(room, energy)
        left[slot, account, side] -= take
        if take:
            expected[i] = take
    cut = limit_positions(orders_of(rows, seqs), limit)
    assert dict(cut.select("order_id", "energy").iter_rows()) == expected
    assert cut["order_id"].is_sorted()


PRICE = st.one_of(st.none(), st.integers(-100, 6000))


def plain_halts(prices, move, pause):
    reference, remaining, halted = None, 0, []
    for slot, price in enumerate(prices):
        if remaining:
            halted.append(slot)
            remaining -= 1
            if not remaining:
                reference = None
            continue
        if price is None:
            continue
        if reference is not None and abs(price - reference) * 1_000_000 > move * abs(reference):
            halted.append(slot)
            remaining = pause - 1
            if not remaining:
                reference = None
            continue
        reference = price
    return halted


@given(
    st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(PRICE, min_size=n, max_size=n), min_size=1, max_size=3)),
    st.integers(1, 2_000_000),
    st.integers(1, 5),
)
def test_the_circuit_breaker_equals_a_plain_loop(zones, move, pause):
    rows = [
        (START + timedelta(minutes=15 * t), f"Z{z}", price)
        for z, prices in enumerate(zones)
        for t, price in enumerate(prices)
    ]
    frame = pl.DataFrame(rows, schema={"slot": pl.Datetime("us"), "zone": pl.String, "price": pl.Int64}, orient="row")
    halts = halted_books(frame, move=move, pause=pause)
    for z, prices in enumerate(zones):
        mine = halts.filter(zone=f"Z{z}")["slot"].to_list()
        assert mine == [START + timedelta(minutes=15 * t) for t in plain_halts(prices, move, pause)]


def test_a_jump_halts_and_trading_resumes_at_a_new_reference():
    slots = [START + timedelta(minutes=15 * t) for t in range(7)]
    prices = pl.DataFrame({"slot": slots, "zone": ["A"] * 7, "price": [3000, 3100, 4500, 4500, 4500, 4600, 3000]})
    halts = halted_books(prices, move=200_000, pause=2)
    assert halts["slot"].to_list() == [slots[2], slots[3], slots[6]]


def test_no_prices_no_halts():
    empty = pl.DataFrame(schema={"slot": pl.Datetime("us"), "zone": pl.String, "price": pl.Int64})
    assert halted_books(empty, move=1, pause=1).is_empty()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 50)), max_size=25), st.integers(1, 100))
def test_wash_trades_equal_a_plain_count(rows, percent):
    trades = pl.DataFrame(rows, schema={"buyer": pl.UInt32, "seller": pl.UInt32, "energy": pl.Int64}, orient="row")
    found = {tuple(row[:2]): tuple(row[2:]) for row in wash_trades(trades, ratio=percent * 10_000).iter_rows()}
    expected = {}
    for a in range(4):
        for b in range(a, 4):
            ab = sum(e for buyer, seller, e in rows if (seller, buyer) == (a, b))
            ba = sum(e for buyer, seller, e in rows if (seller, buyer) == (b, a))
            if min(ab, ba) > 0 and min(ab, ba) * 100 >= max(ab, ba) * percent:
                expected[a, b] = (ab, ba)
    assert found == expected


@given(st.lists(ORDER, max_size=30))
def test_pivotal_sellers_equal_a_plain_count(rows):
    frame = pivotal_suppliers(orders_of(rows) if rows else ORDERS.empty())
    books = {(r[0], r[1]) for r in rows if r[3] == "sell"}
    assert frame.height == len(books)
    for row in frame.iter_rows(named=True):
        slot = (row["slot"].replace(tzinfo=None) - START) // timedelta(minutes=15)
        mine = [r for r in rows if (r[0], r[1]) == (slot, row["zone"])]
        demand = sum(r[4] for r in mine if r[3] == "buy")
        supply = {}
        for r in mine:
            if r[3] == "sell":
                supply[r[2]] = supply.get(r[2], 0) + r[4]
        total = sum(supply.values())
        assert (row["demand"], row["supply"]) == (demand, total)
        assert row["pivotal"] == sum(demand > total - own for own in supply.values())
        if demand:
            assert row["residual_supply_index"] == pytest.approx((total - max(supply.values())) / demand)
        else:
            assert row["residual_supply_index"] is None


def test_levers_switch_the_rules():
    frame = orders_of([(0, "A", 0, "buy", 9), (0, "A", 1, "sell", 9)])
    assert Protection().limit(frame) is frame
    assert Protection(position_limit=0.004).limit(frame)["energy"].to_list() == [4, 4]
    prices = pl.DataFrame({"slot": [START, START + timedelta(minutes=15)], "zone": ["A", "A"], "price": [1000, 3000]})
    assert Protection().halts(prices).is_empty()
    assert Protection(breaker_move=50, breaker_pause=1).halts(prices).height == 1
