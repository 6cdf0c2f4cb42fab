"""The mechanisms of pymarket, served to a duel: its crossing of the curves, ``huang``, ``muda`` and ``p2p``.

pymarket (D. Kiedanski, version 0.7.6 of 2019) has no rule of one price for all; ``curves`` is the function by which it
finds the competitive volume and price for its auctions, and yields no fills.
"""

from __future__ import annotations

from typing import Any

import pymarket
from numpy.random import RandomState
from pymarket.bids import demand_curve_from_bids, intersect_stepwise, supply_curve_from_bids
from pymarket.mechanisms import HuangAuction, MudaAuction, P2PTrading
from serving import Fill, Mechanism, Order, Outcome, serve

Book = tuple[list[Order], Any]


def convert(orders: list[Order]) -> Book:
    """Return the orders, and pymarket's frame of them; every order is a user of its own, numbered from 0."""
    manager = pymarket.BidManager()
    for user, order in enumerate(orders):
        manager.add_bid(order.energy, order.price, user, order.buying)
    return orders, manager.get_df()


def lots(book: Book) -> RandomState:
    """Return other lots for each book; the same ones would put the n-th order of every book into the same half."""
    return RandomState(book[0][0].order_id)


def cross_curves(book: Book) -> Any:
    """Return pymarket's crossing of demand and supply; None where one side is missing, as its auctions do."""
    bids = book[1]
    if bids.buying.nunique() < 2:
        return None
    return intersect_stepwise(demand_curve_from_bids(bids)[0], supply_curve_from_bids(bids)[0])


def read_crossing(_: Book, result: Any) -> Outcome:
    """Return volume and price of the crossing; no volume where none was found."""
    volume = 0.0 if result is None or result[0] is None else float(result[0])
    return Outcome(volume=volume, price=float(result[3]) if volume else None)


def read(book: Book, result: Any) -> Outcome:
    """Return the fills by order; a fee of MUDA adds to what a buyer pays and lessens what a seller gets."""
    orders, (transactions, extra) = book[0], result
    energy: dict[int, float] = {}
    amount: dict[int, float] = {}
    for bid, quantity, price, *_ in transactions.trans:
        energy[int(bid)] = energy.get(int(bid), 0.0) + float(quantity)
        amount[int(bid)] = amount.get(int(bid), 0.0) + float(quantity) * float(price)
    for user, fee in enumerate(extra.get("fees", ())):
        if fee:
            amount[user] = amount.get(user, 0.0) + (float(fee) if orders[user].buying else -float(fee))
    return Outcome([Fill(orders[bid].order_id, energy.get(bid, 0.0), amount[bid]) for bid in amount])


MECHANISMS = {
    "curves": Mechanism(convert, cross_curves, read_crossing),
    "huang": Mechanism(convert, lambda book: HuangAuction(book[1]).run(), read),
    "muda": Mechanism(convert, lambda book: MudaAuction(book[1], r=lots(book)).run(), read),
    "p2p": Mechanism(convert, lambda book: P2PTrading(book[1], r=lots(book)).run(), read),
}


if __name__ == "__main__":
    serve(MECHANISMS, ("pymarket", "pandas", "numpy"))
