"""The keys to lesson 02, "How a price forms", each worked out from its books and from fresh Thai labs.

The people, the orders and the trickster are made up; Malai is the same synthetic household as in lesson 01.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl

from gridlab import units
from gridlab.day import MarketDay
from gridlab.kpis import balances
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.learn.lesson_01 import MALAI
from gridlab.market.clearing import clear
from gridlab.market.core.pricing import PRICINGS

__all__ = [
    "ASKS",
    "CAPS",
    "FLOW",
    "QUEUE",
    "SIX_ORDERS",
    "best_ask",
    "best_cap",
    "condominium_pays",
    "late_cancel",
    "savings",
    "sellers_friend",
    "shares_by_hand",
    "spoofed",
]

_BOOK = {"slot": datetime(2026, 5, 6, 12), "zone": "CAC"}  # noqa: DTZ001 - the door reads it as Bangkok time

# The book that has six prices: last accepted and first rejected limits all differ; THB/MWh and Wh.
SIX_ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4, 5, 6],
        "account": [1, 2, 3, 4, 5, 6],
        "side": ["buy", "buy", "buy", "sell", "sell", "sell"],
        "price": [4500, 3300, 2400, 2300, 2600, 3100],
        "energy": [2000, 1000, 1000, 1500, 1500, 1000],
        **_BOOK,
    }
)

# Eight orders that arrive one after another.
FLOW = pl.DataFrame(
    {
        "order_id": range(1, 9),
        "account": range(1, 9),
        "side": ["sell", "buy", "sell", "buy", "sell", "buy", "buy", "sell"],
        "price": [2400, 2500, 2600, 2300, 3100, 4500, 3000, 2900],
        "energy": [1500, 1000, 1500, 1000, 1000, 2000, 1000, 500],
        **_BOOK,
    }
)
_CONDOMINIUM = 6  # its order in the flow

# One seller, and three buyers at one limit who want more than he has.
QUEUE = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4],
        "account": [1, 2, 3, 4],
        "side": ["sell", "buy", "buy", "buy"],
        "price": [2600, 3000, 3000, 3000],
        "energy": [1000, 700, 500, 300],
        **_BOOK,
    }
)
_QUEUED = (407, 502, 341)  # Wh, what the question's buyers want
_SECOND = 3  # order of the second buyer

ASKS = tuple(range(2200, 3501, 50))  # THB/MWh
CAPS = tuple(Fraction(tenths, 10) for tenths in range(22, 51))  # THB/kWh
_BOOM = {"agents.pv_share": 80.0, "agents.pv_size": 150.0}  # as the scenario rooftop_boom
_BLUFF = 4  # the trickster's order that he does not mean


def _lab(**levers: object) -> Lab:
    return Lab.thailand(prosumers=200).set({path.replace("__", "."): value for path, value in levers.items()})


@cache
def _day() -> MarketDay:
    return _lab().day()


def _thb_per_kwh(price: int) -> Fraction:
    return Fraction(price, 1000)


def savings(day: MarketDay) -> tuple[int, int]:
    """Return what the accounts that sold in `day` save, and what all others do (micro-THB)."""
    sellers = day.trades["seller"].unique().implode()
    saved = balances(day.frames()).select("saving", sold=pl.col("account").is_in(sellers))
    return tuple(int(saved.filter(pl.col("sold") == sold)["saving"].sum()) for sold in (True, False))  # type: ignore[return-value]


def condominium_pays() -> Key:
    """Work out what the condominium pays on average in the continuous auction (THB/kWh)."""
    clearing = clear(FLOW, "continuous")
    fill = clearing.fills.row(_CONDOMINIUM - 1, named=True)
    trades = clearing.trades.filter(pl.col("buy_order") == _CONDOMINIUM)
    call, last = int(clear(FLOW).prices["price"].item()), int(trades["price"].max())  # type: ignore[arg-type]
    return Key(
        Fraction(fill["amount"], fill["filled"] * 1000),
        {
            "limit": _thb_per_kwh(fill["limit"]),
            "last": _thb_per_kwh(last),
            "unweighted": Fraction(int(trades["price"].sum()), trades.height * 1000),
            "call": _thb_per_kwh(call),
        },
        {"cheapest": int(trades["price"].min()) / 1000, "dearest": last / 1000, "call": call / 1000},  # type: ignore[arg-type]
    )


@cache
def sellers_friend() -> Key:
    """Work out the pricing that gives sellers the largest share of the savings in a rooftop boom."""
    shares = {}
    for pricing in PRICINGS:
        sold, bought = savings(_lab(**_BOOM, market__pricing=pricing).day())
        shares[pricing] = Fraction(sold, sold + bought)
    ranked = sorted(shares, key=lambda pricing: shares[pricing])
    most, least = ranked[-1], ranked[0]
    return Key(
        most,
        {"least": least, "default": "competitive", "middle": "marginal_accepted"},
        {
            "most_share": float(100 * shares[most]),
            "least": least,
            "least_share": float(100 * shares[least]),
            "default_share": float(100 * shares["competitive"]),
        },
    )


def shares_by_hand() -> Key:
    """Work out what the second of three rationed buyers gets (Wh)."""
    energy = pl.Series([1000, *_QUEUED])
    filled, in_time = (
        int(clear(QUEUE.with_columns(energy=energy), rationing=rule).fills["filled"][_SECOND - 1])
        for rule in ("pro_rata", "time")
    )
    exact = Fraction(1000 * _QUEUED[1], sum(_QUEUED))
    return Key(
        Fraction(filled),
        {"rounded": Fraction(round(exact)), "in_time": Fraction(in_time), "equal": Fraction(1000, 3)},
        {"answer": filled, "exact": float(exact)},
    )


def _gain(ask: int) -> int:
    """Return what Malai earns above the buy-back (micro-THB) at noon when she is paid as she bids `ask` (THB/MWh)."""
    at_noon = (pl.col("slot").dt.strftime("%H:%M") == "12:00") & (pl.col("zone").cast(pl.String) == "CAC")
    hers = pl.col("account") == MALAI
    orders = _day().orders.filter(at_noon).with_columns(price=pl.when(hers).then(ask).otherwise("price"))
    fill = clear(orders, "pay_as_bid", k=0).fills.filter(hers).row(0, named=True)
    return int(fill["amount"] - fill["filled"] * _lab().market.retail.buy_back_price())


@cache
def best_ask() -> Key:
    """Work out which ask earns Malai most where sellers are paid what they ask (THB/kWh)."""
    gains = {ask: _gain(ask) for ask in ASKS}
    best = max(ASKS, key=lambda ask: gains[ask])
    return Key(
        _thb_per_kwh(best),
        {"honest": _thb_per_kwh(ASKS[2]), "greedy": _thb_per_kwh(ASKS[-1]), "over": _thb_per_kwh(best + 50)},
        {"answer": best / 1000, "gain": gains[best] / 10_000, "over": (best + 50) / 1000},
    )


@cache
def best_cap() -> Key:
    """Work out the price cap at which those who only buy save most (THB/kWh)."""
    saved = {cap: savings(_lab(market__price_cap=float(cap)).day()) for cap in CAPS}
    best = max(CAPS, key=lambda cap: saved[cap][1])
    # The top of the line's right-hand hump, where sellers still lose little.
    hump = max((cap for cap in CAPS if cap > 3), key=lambda cap: saved[cap][1])
    loosest = saved[CAPS[-1]]
    return Key(
        best,
        {"hump": hump, "lower": best - Fraction(1, 10), "loosest": CAPS[-1]},
        {
            "answer": float(best),
            "buyers": saved[best][1] / units.MICRO,
            "buyers_free": loosest[1] / units.MICRO,
            "sellers": saved[best][0] / units.MICRO,
            "sellers_free": loosest[0] / units.MICRO,
        },
    )


def spoofed(*, cancel_comes_first: bool) -> pl.DataFrame:
    """Return the orders of the trickster's game; the condominium's arrives after his cancel, or before it."""
    rows: list[tuple[Any, ...]] = [
        (1, 2, "buy", "limit", 2700, 1000, None),
        (2, 3, "buy", "limit", 2600, 500, None),
        (3, 4, "sell", "limit", 3100, 1000, None),
        (_BLUFF, 2, "sell", "limit", 3000, 50_000, None),
        (5, 1, "sell", "limit", 2700, 1000, None),
    ]
    cancel = (2, None, "cancel", None, None, _BLUFF)
    condominium = (6, "buy", "limit", 4500, 2000, None)
    later = [cancel, condominium] if cancel_comes_first else [condominium, cancel]
    rows += [(number, *row) for number, row in enumerate(later, start=6)]
    columns = ["order_id", "account", "side", "kind", "price", "energy", "cancels"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        slot=pl.lit(_BOOK["slot"]), zone=pl.lit(_BOOK["zone"])
    )


def late_cancel() -> Key:
    """Work out what becomes of the trickster's bluff when the condominium is faster than his cancel."""
    fills = clear(spoofed(cancel_comes_first=False), "continuous").fills
    row = fills.row(_BLUFF - 1, named=True)
    return Key(
        str(row["reason"]),
        {"in_time": "cancelled", "still_there": "resting", "whole": "filled", "of_the_cancel": "cancel: too late"},
        {"sold": row["filled"] / 1000, "price": row["price"] / 1000},
    )
