"""A slow, obvious market: every Wh is a unit of its own, and the best volume is found by trying every price."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby

import polars as pl

START = datetime(2026, 4, 1)


@dataclass(frozen=True)
class Order:
    """One order of the reference market."""

    order_id: int
    book: int
    side: str
    price: int
    energy: int
    seq: int
    account: int = 0


def frame(orders: list[Order]) -> pl.DataFrame:
    """Return orders as an order frame; book b is slot b // 3 of zone b % 3."""
    return pl.DataFrame(
        {
            "order_id": pl.Series([o.order_id for o in orders], dtype=pl.UInt64),
            "slot": pl.Series(
                [START + timedelta(minutes=15 * (o.book // 3)) for o in orders], dtype=pl.Datetime("us")
            ).dt.replace_time_zone("Asia/Bangkok"),
            "zone": pl.Series([f"Z{o.book % 3}" for o in orders], dtype=pl.Enum(["Z0", "Z1", "Z2"])),
            "account": pl.Series([o.account for o in orders], dtype=pl.UInt32),
            "side": pl.Series([o.side for o in orders], dtype=pl.Enum(["buy", "sell"])),
            "price": pl.Series([o.price for o in orders], dtype=pl.Int64),
            "energy": pl.Series([o.energy for o in orders], dtype=pl.Int64),
            "seq": pl.Series([o.seq for o in orders], dtype=pl.UInt64),
        }
    )


def merit(order: Order) -> tuple[int, int, int]:
    """Return the key by which orders of one side are ranked."""
    return (order.price if order.side == "sell" else -order.price, order.seq, order.order_id)


def units(orders: list[Order]) -> list[int]:
    """Return the limit of each Wh, best first."""
    return [o.price for o in sorted(orders, key=merit) for _ in range(o.energy)]


@dataclass
class BookResult:
    """What the reference finds for one book."""

    energy: int
    welfare: int
    price: int | None
    low: int | None
    high: int | None
    filled: dict[int, int]
    reason: dict[int, str]


def clear_book(orders: list[Order], *, k=Fraction(1, 2), pricing="competitive", rationing="pro_rata", r=Fraction(1, 2)):
    """Clear one book at one price."""
    buys = [o for o in orders if o.side == "buy"]
    sells = [o for o in orders if o.side == "sell"]
    bids, asks = units(buys), units(sells)
    volume = max(
        (min(sum(b >= p for b in bids), sum(a <= p for a in asks)) for p in {*bids, *asks}),
        default=0,
    )
    price, low, high = price_interval(bids, asks, volume, k, pricing, r) if volume else (None, None, None)
    filled = {}
    for side in (buys, sells):
        filled |= fill_side(sorted(side, key=merit), volume, rationing)
    reason = {o.order_id: why(o, filled[o.order_id], price, sells if o.side == "buy" else buys) for o in orders}
    return BookResult(volume, sum(bids[:volume]) - sum(asks[:volume]), price, low, high, filled, reason)


def price_interval(bids, asks, volume, k, pricing, r):
    """Return price, price_low and price_high from the limits of single Wh."""
    last_bid, last_ask = bids[volume - 1], asks[volume - 1]
    next_bid = bids[volume] if len(bids) > volume else None
    next_ask = asks[volume] if len(asks) > volume else None
    low = last_ask if next_bid is None else max(last_ask, next_bid)
    high = last_bid if next_ask is None else min(last_bid, next_ask)
    if pricing == "competitive":
        return low + math.floor(k * (high - low)), low, high
    if pricing == "first_rejected":
        bid = last_ask if next_bid is None else next_bid
        ask = last_bid if next_ask is None else next_ask
        return min(max(bid + math.floor(k * (ask - bid)), last_ask), last_bid), low, high
    price = {
        "marginal_accepted": last_ask + math.floor(k * (last_bid - last_ask)),
        "last_ask": last_ask,
        "last_bid": last_bid,
        "seller_share": min(last_ask + math.floor(r * (last_bid - last_ask)), last_bid),
    }[pricing]
    return price, last_ask, last_bid


def fill_side(orders, volume, rationing):
    """Give levels of equal limit what they want, best first, until the volume is used up."""
    filled = {}
    for _, group in groupby(orders, key=lambda o: o.price):
        level = list(group)
        wanted = sum(o.energy for o in level)
        share = min(volume, wanted)
        filled |= pro_rata(level, share, wanted) if rationing == "pro_rata" else by_time(level, share)
        volume -= share
    return filled


def pro_rata(level, share, wanted):
    """Largest remainder on Wh."""
    exact = {o.order_id: Fraction(share * o.energy, wanted) for o in level}
    filled = {order_id: math.floor(quota) for order_id, quota in exact.items()}
    queue = sorted(level, key=lambda o: (filled[o.order_id] - exact[o.order_id], o.seq, o.order_id))
    for o in queue[: share - sum(filled.values())]:
        filled[o.order_id] += 1
    return filled


def by_time(level, share):
    """First come, first served."""
    filled = {}
    for o in sorted(level, key=lambda o: (o.seq, o.order_id)):
        filled[o.order_id] = min(o.energy, share)
        share -= filled[o.order_id]
    return filled


def why(order, filled, price, others):
    """Return the reason that belongs to an order's fill."""
    if filled == order.energy:
        return "filled"
    if filled:
        return "partly: marginal"
    if not others:
        return "no counterparty"
    as_good = price is not None and (order.price >= price if order.side == "buy" else order.price <= price)
    return "rationed" if as_good else "priced out"


def pairs(orders: list[Order], filled: dict[int, int]) -> list[tuple[int, int, int]]:
    """Return (buy order, sell order, energy) in merit order, Wh by Wh."""
    queues = {
        side: [
            o.order_id
            for o in sorted((o for o in orders if o.side == side), key=merit)
            for _ in range(filled[o.order_id])
        ]
        for side in ("buy", "sell")
    }
    return [
        (*pair, len(list(same)))
        for pair, same in groupby(zip(queues["buy"], queues["sell"], strict=True))
    ]


def by_book(orders: list[Order]) -> dict[int, list[Order]]:
    """Return the orders of each book, books in order."""
    books = defaultdict(list)
    for o in orders:
        books[o.book].append(o)
    return dict(sorted(books.items()))
