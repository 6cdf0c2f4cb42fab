"""What the tests of the truthful mechanisms share: drawn books, and what an agent gains by telling something else."""

from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import strategies as st

from tests.market.both_kernels import clear_both, clear_with
from tests.market.reference import Order, frame
from tests.market.truthful_reference import best_welfare, moved, sides

# Limits around which the orders are drawn, and those tried as lies.
LIMITS = range(7)
ENERGIES = st.integers(1, 5)
LIES = range(-1, 8)
NO_LIMIT = 10**6


@st.composite
def books(draw, *, size=9, energies=ENERGIES, accounts=None):
    """Draw one book of few limits, so that ties are the rule; without `accounts`, every order has its own."""
    count = draw(st.integers(0, size))
    ids = draw(st.permutations(range(count)))
    return [
        Order(
            order_id=i,
            book=0,
            side=draw(st.sampled_from(["buy", "sell"])),
            price=draw(st.sampled_from(LIMITS)),
            energy=draw(energies),
            seq=draw(st.integers(0, 3)),
            account=i if accounts is None else draw(st.integers(0, accounts - 1)),
        )
        for i in ids
    ]


@st.composite
def equal_books(draw, size=9):
    """Draw one book in which all orders are of equal energy."""
    energy = draw(st.integers(1, 4))
    return draw(books(size=size, energies=st.just(energy)))


def many_books(orders_of_books):
    """Return one frame of several books, told apart by ``zone`` alone, with the order_ids made unique per book."""
    frames = [
        frame(orders).with_columns(
            zone=pl.lit(f"{number:04}"), local=pl.col("order_id"), order_id=pl.col("order_id") + 1000 * number
        )
        for number, orders in enumerate(orders_of_books)
    ]
    return pl.concat(frames)


def outcomes(orders_of_books, rule, **options):
    """Clear several books in one call; return {order_id: (filled, amount)} of each."""
    clearing = clear_with(many_books(orders_of_books), rule, by=("zone",), compiled=False, **options)
    found = [{} for _ in orders_of_books]
    columns = clearing.fills.select(pl.col("zone").cast(pl.String), "local", "filled", "amount").rows()
    for zone, order_id, filled, amount in columns:
        found[int(zone)][order_id] = (filled, amount)
    return found


def utility(truths, outcome):
    """Return what the true orders of one account gain; a seller cannot deliver what he does not have."""
    filled = sum(outcome[o.order_id][0] for o in truths)
    amount = sum(outcome[o.order_id][1] for o in truths)
    worth = [o.price for o in sorted(truths, key=lambda o: o.price) for _ in range(o.energy)]
    if truths[0].side == "buy":
        return sum(worth[::-1][:filled]) - amount
    return amount - sum(worth[:filled]) - NO_LIMIT * max(0, filled - len(worth))


def lies_of(order, *, energy):
    """Return the order with other limits and, where asked for, other energies."""
    energies = {order.energy} | ({1, order.energy + 1, order.energy + 4, 2 * order.energy} if energy else set())
    return [
        moved(order, price=price, energy=amount)
        for price in LIES
        for amount in sorted(energies)
        if (price, amount) != (order.price, order.energy)
    ]


def gains_of_lying(orders, rule, *, energy=False, **options):
    """Return (gain, truth, lie) of every lie of every order that pays."""
    tries = [(order, lie) for order in orders for lie in lies_of(order, energy=energy)]
    markets = [orders, *([lie if o is order else o for o in orders] for order, lie in tries)]
    honest, *others = outcomes(markets, rule, **options)
    gains = []
    for (order, lie), outcome in zip(tries, others, strict=True):
        truths = [o for o in orders if o.account == order.account and o.side == order.side]
        gain = utility(truths, outcome) - utility(truths, honest)
        if gain > 0:
            gains.append((gain, order, lie))
    return gains


def check_promises(orders, rule, *, balanced=None, **options):
    """Hold what every truthful mechanism promises; return the clearing."""
    clearing = clear_both(frame(orders), rule, **options)
    for book in clearing.prices.iter_rows(named=True):
        best, _ = best_welfare(orders)
        assert book["best_welfare"] == best
        assert 0 <= book["welfare"] <= best
        assert (book["welfare_share"] is None) == (best == 0)
        assert book["welfare"] == book["buyer_surplus"] + book["seller_surplus"] + book["operator_surplus"]
        assert book["buyer_surplus"] >= 0
        assert book["seller_surplus"] >= 0
        if balanced == "strongly":
            assert book["operator_surplus"] == 0
            assert book["price_buy"] == book["price_sell"] == book["price"]
        if balanced == "weakly":
            assert book["operator_surplus"] >= 0
        if balanced == "deficit":
            assert book["operator_surplus"] <= 0
        check_fills(orders, clearing, book)
    return clearing


def check_fills(orders, clearing, book):
    """Hold that fills are feasible, that nobody trades at a loss, and that trades and prices add up to them."""
    sums = Counter()
    limits = {o.order_id: o for o in orders}
    for fill in clearing.fills.iter_rows(named=True):
        order, filled, amount = limits[fill["order_id"]], fill["filled"], fill["amount"]
        assert 0 <= filled <= order.energy
        assert (fill["price"] is None) == (filled == 0)
        assert (fill["reason"] in ("filled", "partly: rationed")) == (filled > 0)
        assert (fill["reason"] == "filled") == (filled == order.energy)
        sign = 1 if order.side == "buy" else -1
        assert sign * amount <= sign * order.price * filled
        if filled:
            assert fill["price"] == amount // filled
        sums[order.side, "energy"] += filled
        sums[order.side, "amount"] += amount
        sums[order.side, "value"] += order.price * filled
    assert sums["buy", "energy"] == sums["sell", "energy"] == book["energy"]
    assert book["buyer_surplus"] == sums["buy", "value"] - sums["buy", "amount"]
    assert book["seller_surplus"] == sums["sell", "amount"] - sums["sell", "value"]
    trades = clearing.trades
    for side, name in (("buy", "amount_buy"), ("sell", "amount")):
        per_order = dict(trades.group_by(f"{side}_order").agg(pl.col(name).sum()).rows())
        fills = clearing.fills.filter(pl.col("side") == side, pl.col("filled") > 0)
        assert per_order == dict(fills.select("order_id", "amount").rows())


def check_reduced(orders, clearing, *, exact):
    """Hold that "reduced" marks the efficient orders that the mechanism leaves out."""
    reduced = set(clearing.fills.filter(pl.col("reason") == "reduced")["order_id"].to_list())
    if exact:
        left = best_welfare(orders)[1]
        efficient = set()
        for side in sides(orders):
            rest = left
            for order in side:
                if rest > 0:
                    efficient.add(order.order_id)
                rest -= order.energy
        silent = set(clearing.fills.filter(pl.col("filled") == 0, pl.col("reason") != "rationed")["order_id"].to_list())
        assert reduced == efficient & silent
    else:
        assert not reduced
