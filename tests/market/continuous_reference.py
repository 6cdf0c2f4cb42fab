"""A slow, obvious continuous auction: the book is a list of resting orders, searched from end to end for every Wh."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

START = datetime(2026, 4, 1)
PARTLY = {"resting", "cancelled", "expired", "self-trade"}


@dataclass(frozen=True)
class Order:
    """One order of the reference auction."""

    order_id: int
    book: int
    account: int
    side: str
    price: int
    energy: int
    seq: int
    kind: str = "limit"
    cancels: int | None = None


@dataclass
class Auction:
    """What happens in one book."""

    self_trade: str = "cancel_newest"
    resting: list[Order] = field(default_factory=list)
    left: dict[int, int] = field(default_factory=dict)
    amount: dict[int, int] = field(default_factory=dict)
    outcome: dict[int, str] = field(default_factory=dict)
    trades: list[tuple[int, int, int, int, int]] = field(default_factory=list)  # buy, sell, energy, price, arriving
    events: list[tuple[object, ...]] = field(default_factory=list)

    def reason(self, order: Order) -> str:
        """Return the outcome in the words of the fills."""
        outcome = self.outcome[order.order_id]
        partly = 0 < self.left[order.order_id] < order.energy and outcome in PARTLY
        return f"partly: {outcome}" if partly else outcome

    def best_first(self, side: str) -> list[Order]:
        """Return the resting orders of a side by price, then by arrival."""
        chosen = [o for o in self.resting if o.side == side]
        return sorted(chosen, key=lambda o: (o.price if side == "sell" else -o.price, o.seq, o.order_id))

    def acceptable(self, order: Order) -> list[Order]:
        """Return the resting orders that an arriving order may trade with, best first."""
        if order.side == "buy":
            return [o for o in self.best_first("sell") if order.kind == "market" or o.price <= order.price]
        return [o for o in self.best_first("buy") if order.kind == "market" or o.price >= order.price]

    def fills_whole(self, order: Order) -> bool:
        """Tell whether an order would trade whole."""
        offered = 0
        for maker in self.acceptable(order):
            if self.self_trade == "allow" or maker.account != order.account:
                offered += self.left[maker.order_id]
            elif self.self_trade != "cancel_oldest":
                break
        return offered >= order.energy

    def arrive(self, order: Order) -> None:
        """Let one order arrive and note the book after it."""
        self.left[order.order_id], self.amount[order.order_id] = order.energy, 0
        if order.kind == "cancel":
            self.cancel(order)
        elif order.kind == "post_only" and self.acceptable(order):
            self.outcome[order.order_id] = "would cross"
        elif order.kind == "fok" and not self.fills_whole(order):
            self.outcome[order.order_id] = "killed"
        else:
            self.take(order)
        self.note(order)

    def cancel(self, order: Order) -> None:
        """Take an order off the list."""
        found = [o for o in self.resting if o.order_id == order.cancels]
        for target in found:
            self.remove(target, "cancelled")
        self.outcome[order.order_id] = "cancel: done" if found else "cancel: too late"

    def remove(self, order: Order, outcome: str) -> None:
        """Take an order off the list for a reason."""
        self.resting.remove(order)
        self.outcome[order.order_id] = outcome

    def take(self, order: Order) -> None:
        """Trade with one acceptable order after another, then rest or expire."""
        while self.left[order.order_id] and self.acceptable(order):
            maker = self.acceptable(order)[0]
            if self.self_trade != "allow" and maker.account == order.account:
                if self.self_trade in {"cancel_oldest", "cancel_both"}:
                    self.remove(maker, "self-trade")
                if self.self_trade in {"cancel_newest", "cancel_both"}:
                    self.outcome[order.order_id] = "self-trade"
                    return
            else:
                self.trade(order, maker)
        if not self.left[order.order_id]:
            self.outcome[order.order_id] = "filled"
        elif order.kind in {"limit", "post_only"}:
            self.outcome[order.order_id] = "resting"
            self.resting.append(order)
        else:
            self.outcome[order.order_id] = "expired"

    def trade(self, order: Order, maker: Order) -> None:
        """Trade at the resting order's price."""
        energy = min(self.left[order.order_id], self.left[maker.order_id])
        for one in (order, maker):
            self.left[one.order_id] -= energy
            self.amount[one.order_id] += energy * maker.price
        buy, sell = (order, maker) if order.side == "buy" else (maker, order)
        self.trades.append((buy.order_id, sell.order_id, energy, maker.price, order.order_id))
        if not self.left[maker.order_id]:
            self.remove(maker, "filled")

    def note(self, order: Order) -> None:
        """Note what anybody could see of the book now."""
        bids = [(o.price, self.left[o.order_id]) for o in self.resting if o.side == "buy"]
        asks = [(o.price, self.left[o.order_id]) for o in self.resting if o.side == "sell"]
        bid = max((price for price, _ in bids), default=None)
        ask = min((price for price, _ in asks), default=None)
        two_sided = bid is not None and ask is not None
        self.events.append(
            (
                order.order_id,
                sum(trade[2] for trade in self.trades if trade[4] == order.order_id),
                bid,
                ask,
                sum(energy for price, energy in bids if price == bid),
                sum(energy for price, energy in asks if price == ask),
                sum(energy for _, energy in bids),
                sum(energy for _, energy in asks),
                self.trades[-1][3] if self.trades else None,
                ask - bid if two_sided else None,
                (ask + bid) / 2 if two_sided else None,
            )
        )


def run_auctions(orders: list[Order], self_trade: str) -> dict[int, Auction]:
    """Return the auction of each book, by its number."""
    auctions = {book: Auction(self_trade) for book in sorted({o.book for o in orders})}
    for order in sorted(orders, key=lambda o: (o.seq, o.order_id)):
        auctions[order.book].arrive(order)
    return auctions


def frame(orders: list[Order]) -> pl.DataFrame:
    """Return orders as an order frame; book b is slot b // 3 of zone b % 3."""
    columns = {
        "order_id": ([o.order_id for o in orders], pl.UInt64),
        "slot": ([START + timedelta(minutes=15 * (o.book // 3)) for o in orders], pl.Datetime("us")),
        "zone": ([f"Z{o.book % 3}" for o in orders], pl.Enum(["Z0", "Z1", "Z2"])),
        "account": ([o.account for o in orders], pl.UInt32),
        "side": ([o.side for o in orders], pl.Enum(["buy", "sell"])),
        "price": ([o.price for o in orders], pl.Int64),
        "energy": ([o.energy for o in orders], pl.Int64),
        "seq": ([o.seq for o in orders], pl.UInt64),
        "kind": ([o.kind for o in orders], pl.String),
        "cancels": ([o.cancels for o in orders], pl.UInt64),
    }
    made = pl.DataFrame({name: pl.Series(values, dtype=dtype) for name, (values, dtype) in columns.items()})
    return made.with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))
