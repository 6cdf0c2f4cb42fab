"""The keys to lesson 01, "One Thai day", each worked out from a fresh Thai lab.

Malai and Somchai are names for two synthetic households of the default population, neighbours on one transformer in the
central zone.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.calendar import billing_month
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import sandbox
from gridlab.day import MarketDay, retail_rates
from gridlab.kpis import balances
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.market.clearing import clear

__all__ = [
    "FIVE_ORDERS",
    "MALAI",
    "SOMCHAI",
    "ceiling",
    "copied_payment",
    "dearest_zone",
    "saving",
    "silent_stamp",
    "withholding",
]

MALAI, SOMCHAI = 78, 77  # a roof in the central zone, and the neighbour on the same transformer

# The book that the lesson clears by hand: three buyers, two sellers; THB/MWh and Wh.
FIVE_ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3, 4, 5],
        "account": [1, 2, 3, 4, 5],
        "side": ["buy", "buy", "buy", "sell", "sell"],
        "price": [4500, 3300, 2600, 2300, 2500],
        "energy": [2000, 1000, 1000, 1500, 1500],
        "slot": datetime(2026, 5, 6, 12),  # noqa: DTZ001 - the door reads it as Bangkok time
        "zone": "CAC",
    }
)
_SCHOOL = 5  # its order
_OFFERS = (1500, 1400, 1000, 400)  # Wh
_STAMPS = tuple(Fraction(quarters, 4) for quarters in range(17))  # 0 to 4 THB/kWh


@cache
def _lab() -> Lab:
    return Lab.thailand(prosumers=200)


@cache
def _day() -> MarketDay:
    return _lab().day()


def _thb(micro: int) -> Fraction:
    return Fraction(micro, units.MICRO)


def saving() -> Key:
    """Work out what Malai saves (THB)."""
    row = balances(_day().frames()).row(MALAI, named=True)
    without, with_market = _thb(row["without"]), _thb(row["with_market"])
    income = _thb(int(_day().trades.filter(pl.col("seller") == MALAI)["amount"].sum()))
    return Key(
        _thb(row["saving"]),
        {"bill_without": without, "bill_with": with_market, "income": income},
        {"without": float(without), "with_market": float(with_market)},
    )


def dearest_zone() -> Key:
    """Work out where a traded kWh cost most."""
    means = (
        _day()
        .trades.group_by(pl.col("zone").cast(pl.String))
        .agg(price=pl.col("amount").sum() / pl.col("energy").sum() / 1000, energy=pl.col("energy").sum())
        .sort("price")
    )
    cheapest, dearest = means["zone"][0], means["zone"][-1]
    busiest = means.sort("energy")["zone"][-1]
    return Key(
        dearest,
        {"cheapest": cheapest, "busiest": busiest},
        {
            "dearest": dearest,
            "cheapest": cheapest,
            "dearest_price": means["price"][-1],
            "cheapest_price": means["price"][0],
        },
    )


def _small_rate() -> Fraction:
    """Return what a household of 151 to 400 kWh a month pays for its last kWh, with Ft, before VAT (THB/kWh)."""
    is_small = (pl.col("kind") == "household") & pl.col("monthly_kwh").is_between(151, 400)
    small = _day().accounts.filter(is_small).head(1)
    rates = retail_rates(_lab().market, small, billing_month(_lab().start)).energy
    return Fraction(int(rates["on_peak"].item()), 10_000)


def ceiling() -> Key:
    """Work out at which energy price a market kWh costs a small household what the utility's does (THB/kWh)."""
    retail = _small_rate()
    ft, stamp, fee, losses, vat = (
        units.exact(_lab().get(f"market.{path}"))
        for path in ("retail.ft", "wheeling.postage_stamp", "fee", "wheeling.losses", "retail.vat")
    )
    lossy, taxed = 1 + losses / 100, 1 + vat / 100
    answer = (retail - stamp - fee) / lossy
    return Key(
        answer,
        {
            "no_losses": retail - stamp - fee,
            "no_fee": (retail - stamp) / lossy,
            "no_wheeling": (retail - fee) / lossy,
            "no_ft": (retail - ft - stamp - fee) / lossy,
            "vat_once": (retail * taxed - stamp - fee) / lossy,
        },
        {"answer": float(answer), "landed": float(retail * taxed)},
    )


def _traded_at(stamp: Fraction) -> int:
    """Return the energy traded (Wh) under a postage stamp (THB/kWh)."""
    lab = _lab().with_seed(_lab().seed).set({"market.wheeling.postage_stamp": float(stamp)})
    return int(lab.day().clearing.prices["energy"].sum())


@cache
def silent_stamp() -> Key:
    """Work out the lowest postage stamp at which nothing is traded (THB/kWh)."""
    traded = {stamp: _traded_at(stamp) for stamp in _STAMPS}
    last = max(stamp for stamp in _STAMPS if traded[stamp])
    return Key(
        min(stamp for stamp in _STAMPS if not traded[stamp]),
        {"last": last, "halved": min(stamp for stamp in _STAMPS if traded[stamp] < traded[_STAMPS[0]] / 2)},
        {"last": float(last), "last_energy": traded[last] / 1000},
    )


def _gain_of_school(offered: int) -> Fraction:
    """Return what the school earns above the buy-back (THB) when it offers `offered` Wh."""
    held = pl.when(pl.col("order_id") == _SCHOOL).then(offered).otherwise(pl.col("energy"))
    fill = clear(FIVE_ORDERS.with_columns(energy=held)).fills.row(_SCHOOL - 1, named=True)
    return _thb(fill["amount"] - fill["filled"] * _lab().market.retail.buy_back_price())


def withholding() -> Key:
    """Work out which of the school's offers earns it most (kWh)."""
    gains = {offered: _gain_of_school(offered) for offered in _OFFERS}
    best = max(_OFFERS, key=lambda offered: gains[offered])
    return Key(
        Fraction(best, 1000),
        {"honest": Fraction(max(_OFFERS), 1000), "greedy": Fraction(min(_OFFERS), 1000)},
        {"answer": best / 1000, "best": float(gains[best]), "honest": float(gains[max(_OFFERS)])},
    )


def copied_payment() -> Key:
    """Send a signed payment, then the same bytes again, and work out what the second receipt says."""
    roles = {"bank": "reserve_bank", "issuer": "watt_issuer"}
    pairs = [sandbox(0, name) for name in roles]
    members = {"account": [0, 1], "name": list(roles), "role": list(roles.values())}
    chain = ConsortiumChain(pl.DataFrame({**members, "public_key": [pair.public_key for pair in pairs]}))
    payment = pl.DataFrame(
        {
            "transfer_id": [1],
            "debit_account": [0],
            "credit_account": [1],
            "asset": ["THB"],
            "amount": [units.MICRO],
            "code": ["reserve"],
        }
    )
    signed = chain.send(pairs[0], "reserve", payment)
    first = chain.seal(0).receipts[0]
    chain.submit(signed)
    second = chain.seal(0).receipts[0]
    return Key(second.code, {name: name for name in (first.code, "bad_signature", "expired")})
