"""Slow, obvious truthful mechanisms: one book, order by order, Wh by Wh, straight from the papers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tests.market.reference import Order, by_time, merit, pro_rata, units

RATIONING = {"pro_rata": pro_rata, "time": lambda orders, volume, _: by_time(orders, volume)}


@dataclass
class Result:
    """Energy and amount of each order, by order_id, and the prices of the two sides."""

    filled: dict[int, int] = field(default_factory=dict)
    amount: dict[int, int] = field(default_factory=dict)
    buy_price: int | None = None
    sell_price: int | None = None

    def rows(self, orders):
        """Return (order_id, energy, amount) of every order."""
        return [(o.order_id, self.filled.get(o.order_id, 0), self.amount.get(o.order_id, 0)) for o in orders]


def sides(orders):
    """Return the buys and the sells, best first."""
    return tuple(sorted((o for o in orders if o.side == side), key=merit) for side in ("buy", "sell"))


def best_welfare(orders):
    """Return the largest welfare and the largest volume that reaches it."""
    buys, sells = sides(orders)
    gains = [b - s for b, s in zip(units(buys), units(sells), strict=False)]
    volume = sum(gain >= 0 for gain in gains)
    return sum(gains[:volume]), volume


def last_efficient(orders, volume):
    """Return the position of the order that holds the last efficient Wh."""
    for position, order in enumerate(orders):
        volume -= order.energy
        if volume <= 0:
            return position
    raise AssertionError("the side is shorter than the efficient volume")


def trade(buys, sells, buy_price, sell_price, ration):
    """Let these orders trade at these prices, the longer side rationed."""
    result = Result()
    volume = min(sum(o.energy for o in buys), sum(o.energy for o in sells))
    if not volume:
        return result
    for orders, price in ((buys, buy_price), (sells, sell_price)):
        wanted = sum(o.energy for o in orders)
        filled = ration(orders, volume, wanted) if wanted > volume else {o.order_id: o.energy for o in orders}
        result.filled |= filled
        result.amount |= {order_id: price * energy for order_id, energy in filled.items()}
    result.buy_price, result.sell_price = buy_price, sell_price
    return result


def equal_burdens(orders, volume, wanted):
    """Take a Wh from everybody, round after round; in a round that is not full, from the last to arrive."""
    left = {o.order_id: o.energy for o in sorted(orders, key=lambda o: (o.seq, o.order_id))}
    over = wanted - volume
    while over:
        carriers = [order_id for order_id, energy in left.items() if energy]
        for order_id in carriers[-over:]:
            left[order_id] -= 1
            over -= 1
    return left


def margin(orders):
    """Return both sides in merit order and the positions of their last efficient orders."""
    buys, sells = sides(orders)
    _, volume = best_welfare(orders)
    return buys, sells, last_efficient(buys, volume), last_efficient(sells, volume)


def reduce_trade(orders, ration):
    buys, sells, k, m = margin(orders)
    return trade(buys[:k], sells[:m], buys[k].price, sells[m].price, ration)


def mcafee(orders, *, ration, k=Fraction(1, 2)):
    buys, sells, i, j = margin(orders)
    if i + 1 < len(buys) and j + 1 < len(sells):
        low, high = buys[i + 1].price, sells[j + 1].price
        price = low + math.floor(k * (high - low))
        if sells[j].price <= price <= buys[i].price:
            return trade(buys[: i + 1], sells[: j + 1], price, price, ration)
    return reduce_trade(orders, ration)


def sbb(orders, *, ration, price_setter="buyer"):
    buys, sells, i, j = margin(orders)
    if price_setter == "buyer":
        if j + 1 < len(sells) and sells[j + 1].price <= buys[i].price:
            price = sells[j + 1].price
            return trade(buys[: i + 1], sells[: j + 1], price, price, ration)
        return trade(buys[:i], sells[: j + 1], buys[i].price, buys[i].price, ration)
    if i + 1 < len(buys) and buys[i + 1].price >= sells[j].price:
        price = buys[i + 1].price
        return trade(buys[: i + 1], sells[: j + 1], price, price, ration)
    return trade(buys[: i + 1], sells[:j], sells[j].price, sells[j].price, ration)


def vcg_amounts(orders, filled):
    """Return what each order pays or gets, from the welfare of the market without it."""
    welfare, _ = best_welfare(orders)
    amounts = {}
    for order in orders:
        traded = filled[order.order_id]
        without, _ = best_welfare([o for o in orders if o is not order])
        if order.side == "buy":
            amounts[order.order_id] = without - (welfare - order.price * traded)
        else:
            amounts[order.order_id] = welfare + order.price * traded - without
    return amounts


def competitive_price(orders, k):
    """Return floor of the point k of the interval of prices at which supply and demand agree; None without orders."""
    buys, sells = (units(side) for side in sides(orders))
    volume = best_welfare(orders)[1]
    if not buys and not sells:
        return None
    if volume:
        low = max([sells[volume - 1], *buys[volume : volume + 1]])
        high = min([buys[volume - 1], *sells[volume : volume + 1]])
    else:
        low = buys[0] if buys else sells[0]
        high = sells[0] if sells else buys[0]
    return low + math.floor(k * (high - low))


def muda(orders, *, half, turn, k=Fraction(1, 2), variant="lottery"):
    """Trade in two halves; `half` and `turn` give the lots by account."""
    result = Result()
    parts = [[o for o in orders if half[o.account] == h] for h in (0, 1)]
    for part, other in (parts, parts[::-1]):
        price = competitive_price(other, k)
        if price is None:
            continue
        buys, sells = sides(part)
        buys, sells = [o for o in buys if o.price >= price], [o for o in sells if o.price <= price]
        volume = min(sum(o.energy for o in buys), sum(o.energy for o in sells))
        for orders_of_side in (buys, sells):
            serve(result, orders_of_side, volume, price, turn, variant)
    return result


def serve(result, orders, volume, price, turn, variant):
    """Serve one side of a half at its posted price."""
    wanted = sum(o.energy for o in orders)
    by_turn = sorted(orders, key=lambda o: (turn[o.account], o.account, merit(o)))
    queue = orders if variant == "vickrey" else by_turn
    left = volume
    for o in queue:
        result.filled[o.order_id] = min(o.energy, left)
        left -= result.filled[o.order_id]
    for o in queue:
        filled = result.filled[o.order_id]
        amount = price * filled
        if variant == "vickrey" and wanted > volume:
            sign = 1 if o.side == "buy" else -1
            others = [sign * p for p in units([other for other in orders if other is not o])]
            others += [sign * price] * volume
            served = sum(result.filled[other.order_id] for other in orders if other is not o)
            amount = sign * sum(others[served : served + filled])
        result.amount[o.order_id] = amount


def moved(order: Order, **changes) -> Order:
    """Return the order with other reports."""
    return replace(order, **changes)
