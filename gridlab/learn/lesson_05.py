"""The keys to lesson 05, "Try to cheat", each worked out by clearing its book or from a fresh Thai lab.

The book of ten is the published case M1 for McAfee's double auction (doctests of erelsgl/auctions on GitHub, MIT), its
limits x moved to baht: 2.10 + 0.10 x THB/kWh. The mechanisms of the lesson do not mind such a move.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.market.clearing import clear

__all__ = ["BOOK", "balancing_fee", "best_lie", "costliest", "false_name", "highest_ask", "money_pump", "profits"]

BOOK = pl.DataFrame(
    {
        "order_id": range(1, 11),
        "account": range(1, 11),
        "who": ["condominium", "Somchai", "shop", "Prasit", "Noi", "Malai", "school", "temple", "Wichai", "Somsri"],
        "side": ["buy"] * 5 + ["sell"] * 5,
        "price": [3800, 3500, 3400, 3000, 2700, 2200, 2500, 2600, 2900, 3200],
        "energy": 1000,
        "slot": datetime(2026, 5, 6, 12),  # noqa: DTZ001 - the door reads it as Bangkok time
        "zone": "CAC",
    }
)
_COUSIN = "cousin"  # the false name
_SATANG = range(2200, 3810, 10)  # the limits tried, THB/MWh
_RULES = ("uniform", "mcafee", "sbb", "muda", "vcg")
_FEES = tuple(Fraction(satang, 100) for satang in range(2, 21))  # THB/kWh
_PUMPED = 10_000  # Wh


def _thb(micro: int) -> Fraction:
    return Fraction(micro, units.MICRO)


def profits(book: pl.DataFrame, who: str, lies: Sequence[int], rule: str, **options: object) -> list[Fraction]:
    """Return what an order gains (THB), counted at its true limit, by each limit that it might report instead.

    All lies are tried in one call: the book is copied once per lie, and each copy is a book of its own.

    Parameters
    ----------
    book : polars.DataFrame
        As `BOOK`; its prices are taken for the truth (THB/MWh).
    who : str
        Whose order lies.
    lies : sequence of int
        Limits to report (THB/MWh).
    rule : str
        A rule of `gridlab.market.clearing.clear`.
    **options
        Options of the rule.

    Returns
    -------
    list of Fraction
        One per lie.

    Raises
    ------
    MarketError
        The rule, an option or the book is refused.
    """
    mine = pl.col("who") == who
    tries = (
        pl.DataFrame({"lie": lies})
        .join(book, how="cross")
        .with_columns(
            truth="price",
            price=pl.when(mine).then("lie").otherwise("price"),
            order_id=pl.int_range(pl.len()),
        )
    )
    fills = clear(tries, rule, by="lie", **options).fills.filter(mine)  # type: ignore[arg-type]
    sign = pl.when(pl.col("side") == "sell").then(1).otherwise(-1)
    gains = fills.select(sign * (pl.col("amount") - pl.col("filled") * pl.col("truth"))).to_series()
    return [_thb(gain) for gain in gains.to_list()]


@cache
def best_lie() -> Key:
    """Work out how much more the temple gains by its best ask than by the true one, under one price for all (THB)."""
    truth = int(BOOK.filter(who="temple")["price"].item())
    gains = dict(zip(_SATANG, profits(BOOK, "temple", _SATANG, "uniform"), strict=True))
    lie = max(gains, key=lambda limit: gains[limit])
    return Key(
        gains[lie] - gains[truth],
        {"limit": Fraction(lie, 1000), "whole": gains[lie], "honest": gains[truth]},
        {"lie": lie / 1000, "honest": float(gains[truth]), "best": float(gains[lie])},
    )


@cache
def _lab() -> Lab:
    return Lab.thailand(prosumers=200)


def _day_prices(levers: dict[str, object]) -> pl.DataFrame:
    """Return the books' prices of the day under other levers."""
    return _lab().with_seed(_lab().seed).set(levers).day().clearing.prices


@cache
def costliest() -> Key:
    """Work out which rule leaves least of the day's welfare."""
    sums = {rule: _day_prices({"market.rule": rule}).select("welfare", "operator_surplus").sum() for rule in _RULES}
    welfare = {rule: int(sums[rule]["welfare"].item()) for rule in _RULES}
    surplus = {rule: int(sums[rule]["operator_surplus"].item()) for rule in _RULES}
    worst = min(_RULES, key=lambda rule: welfare[rule])
    best = max(welfare.values())
    return Key(
        worst,
        {
            "deficit": min(_RULES, key=lambda rule: surplus[rule]),
            "operator": max(_RULES, key=lambda rule: surplus[rule]),
            "untruthful": "uniform",
        },
        {"worst": worst, "share": 100 * welfare[worst] / best},
    )


def _mcafee_trades(fifth_ask: int) -> int:
    """Return the energy (Wh) that McAfee's rule trades when Somsri asks `fifth_ask` (THB/MWh)."""
    asked = pl.when(pl.col("who") == "Somsri").then(fifth_ask).otherwise("price")
    return int(clear(BOOK.with_columns(price=asked), "mcafee").prices["energy"].item())


@cache
def highest_ask() -> Key:
    """Work out the highest ask of the fifth seller with which all four pairs still trade (THB/kWh)."""
    whole = int(clear(BOOK).prices["energy"].item())
    limits = {row["who"]: row["price"] for row in BOOK.to_dicts()}
    good = [ask for ask in _SATANG if ask > limits["Wichai"] and _mcafee_trades(ask) == whole]
    return Key(
        Fraction(max(good), 1000),
        {
            "last_bid": Fraction(limits["Prasit"], 1000),
            "lowest": Fraction(2 * limits["Wichai"] - limits["Noi"], 1000),
            "highest_bid": Fraction(limits["condominium"], 1000),
        },
        {"answer": max(good) / 1000, "price": limits["Prasit"] / 1000},
    )


@cache
def balancing_fee() -> Key:
    """Work out the lowest fee, in whole satang, at which the operator bears no deficit under ``vcg`` (THB/kWh)."""
    kept: dict[Fraction, Fraction] = {}
    energy = 0
    for fee in _FEES:
        prices = _day_prices({"market.rule": "vcg", "market.fee": float(fee)})
        energy = int(prices["energy"].sum())
        kept[fee] = _thb(int(prices["operator_surplus"].sum()) + units.price(fee) * energy)
    first = min(fee for fee in _FEES if kept[fee] >= 0)
    return Key(
        first,
        {"last": max(fee for fee in _FEES if fee < first), "addition": -kept[_FEES[0]] / Fraction(energy, 1000)},
        {"answer": float(first), "kept": float(kept[first]), "now": float(_FEES[0]), "deficit": float(-kept[_FEES[0]])},
    )


def _with(*orders: tuple[int, str, str, int, int]) -> pl.DataFrame:
    """Return the book with further orders: account, who, side, price (THB/MWh), energy (Wh)."""
    more = pl.DataFrame(orders, schema=["account", "who", "side", "price", "energy"], orient="row")
    more = more.with_columns(order_id=pl.col("account"), slot=pl.lit(BOOK["slot"][0]), zone=pl.lit("CAC"))
    return pl.concat([BOOK, more.select(BOOK.columns)], how="vertical_relaxed")


def _malai_with_cousin(limit: int) -> Fraction | None:
    """Return what Malai gains (THB) under ``mcafee`` beside a false buy order; None where that one trades."""
    fills = clear(_with((99, _COUSIN, "buy", limit, 1000)), "mcafee").fills
    if fills.filter(who=_COUSIN)["filled"].item():
        return None
    malai = fills.filter(who="Malai").row(0, named=True)
    return _thb(malai["amount"] - malai["filled"] * malai["limit"])


@cache
def false_name() -> Key:
    """Work out which limit of a false buy order, one that does not trade, brings Malai most (THB/kWh)."""
    gains = {limit: _malai_with_cousin(limit) for limit in _SATANG}
    traded = {limit: gain for limit, gain in gains.items() if gain is not None}
    best = max(traded, key=lambda limit: traded[limit])
    now = int(clear(BOOK, "mcafee").prices["price"].item())
    limits = {row["who"]: row["price"] for row in BOOK.to_dicts()}
    honest = profits(BOOK, "Malai", [limits["Malai"]], "mcafee")[0]
    return Key(
        Fraction(best, 1000),
        {"price": Fraction(now, 1000), "loser": Fraction(limits["Noi"], 1000), "ask": Fraction(limits["Wichai"], 1000)},
        {
            "answer": best / 1000,
            "price": float(traded[best]) + limits["Malai"] / 1000,
            "gain": float(traded[best] - honest),
            "before": now / 1000,
        },
    )


def _pumped(energy: int) -> tuple[Fraction, Fraction]:
    """Return what a pair of accounts without a roof gets and pays (THB) under ``vcg`` for `energy` Wh each."""
    cap, floor = (units.price(_lab().get(f"market.price_{edge}")) for edge in ("cap", "floor"))
    fills = clear(_with((98, "left hand", "buy", cap, energy), (99, "right hand", "sell", floor, energy)), "vcg").fills
    pays, gets = (int(fills.filter(who=f"{hand} hand")["amount"].item()) for hand in ("left", "right"))
    return _thb(gets), _thb(pays)


@cache
def money_pump() -> Key:
    """Work out what a pair of 10 kWh takes out of the market under ``vcg`` (THB)."""
    gets, pays = _pumped(_PUMPED)
    small_gets, small_pays = _pumped(1000)
    return Key(
        gets - pays,
        {"gets": gets, "pays": pays, "scaled": (small_gets - small_pays) * _PUMPED / 1000},
        {"gets": float(gets), "pays": float(pays), "answer": float(gets - pays)},
    )
