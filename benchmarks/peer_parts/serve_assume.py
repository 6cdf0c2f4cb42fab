"""The mechanisms ``pay_as_clear`` and ``pay_as_bid`` of ASSUME (package assume-framework), served to a duel.

ASSUME: N. Harder, K. K. Miskiw, M. Khanra et al., "ASSUME: an agent-based simulation framework for exploring
electricity market dynamics with reinforcement learning", SoftwareX 30 (2025) 102176. Its orders are Python
dictionaries, sells of positive and buys of negative volume, and a clearing writes into them: each round converts anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from assume.common.market_objects import MarketConfig, MarketProduct
from assume.markets.clearing_algorithms import clearing_mechanisms
from dateutil.relativedelta import relativedelta
from dateutil.rrule import HOURLY, rrule
from serving import Fill, Mechanism, Order, Outcome, serve

START = datetime(2026, 4, 1)  # noqa: DTZ001 - ASSUME's times carry no zone
LENGTH = timedelta(minutes=15)
PRODUCT = (START, START + LENGTH, None)


def convert(orders: list[Order]) -> list[dict[str, Any]]:
    """Return ASSUME's order book of one product."""
    return [
        {
            "bid_id": order.order_id,
            "start_time": START,
            "end_time": START + LENGTH,
            "only_hours": None,
            "volume": -order.energy if order.buying else order.energy,
            "price": order.price,
            "agent_addr": "agent",
            "node": "node0",
        }
        for order in orders
    ]


def mechanism(name: str) -> Mechanism:
    """Return one of ASSUME's clearing mechanisms, set up as its own tests do."""
    quarter = relativedelta(minutes=15)
    config = MarketConfig(
        market_id="duel",
        market_mechanism=name,
        market_products=[MarketProduct(quarter, 1, quarter)],
        opening_hours=rrule(HOURLY, dtstart=START, until=START + timedelta(days=1)),
        opening_duration=LENGTH,
    )
    role = clearing_mechanisms[name](config)
    return Mechanism(convert, lambda book: role.clear(book, [PRODUCT]), read)


def read(_: Any, result: Any) -> Outcome:
    """Return the fills of the accepted orders; pay-as-bid splits an order that meets several buyers."""
    energy: dict[int, float] = {}
    amount: dict[int, float] = {}
    for order in result[0]:
        number, filled = order["bid_id"], abs(order["accepted_volume"])
        energy[number] = energy.get(number, 0) + filled
        amount[number] = amount.get(number, 0) + filled * order["accepted_price"]
    return Outcome([Fill(number, energy[number], amount[number]) for number in energy])


if __name__ == "__main__":
    serve({name: mechanism(name) for name in ("pay_as_clear", "pay_as_bid")}, ("assume-framework", "pandas", "numpy"))
