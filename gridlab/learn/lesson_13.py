"""The keys to lesson 13, "Four liars out of fifteen", each worked out from the oracle network or from a fresh Thai lab.

The world is the synthetic wholesale price of the lab's usual day. Nobody is said to have lied in life.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl

from gridlab import units
from gridlab.chain.oracle import ProviderSet
from gridlab.day import MarketDay
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.oracle import Oracle
from gridlab.oracle.run import OracleRun

__all__ = [
    "CUT",
    "LIAR",
    "PRICE",
    "cheapest_attack",
    "equivocators",
    "gainers",
    "paid",
    "priced_day",
    "quorum_of_twenty",
    "reports_of_the_day",
    "scoring",
    "stops",
    "tampered",
    "tampered_lab",
    "which_lie_pays",
    "world",
]

PRICE = "price/wholesale"
LIAR, CUT = 50_000, 10_000  # THB, made up for the last question
_LIES = ("noisy", "stale", "lying", "colluding", "silent", "equivocating")
_PROVIDERS, _MOST_LIARS = 15, 9
_FOUR_HOURS = 14_400


def tampered(liars: int, silent: int = 0, *, bias: float = 20.0) -> Oracle:
    """Return a network whose first providers lie, and whose last ones say nothing.

    Parameters
    ----------
    liars, silent : int
    bias : float
        How far they lie, per cent.

    Returns
    -------
    Oracle
    """
    oracle = Oracle(liars=liars, bias=bias)
    for provider in range(_PROVIDERS - silent, _PROVIDERS):
        oracle.bribe(provider, "silent")
    return oracle


def tampered_lab(liars: int = 0, silent: int = 0, *, bias: float = 20.0) -> Lab:
    """Return the Thai lab whose agents and settlement read such a network: the sun is lied about as well.

    Parameters
    ----------
    liars, silent : int
    bias : float
        Per cent.

    Returns
    -------
    Lab
    """
    lab = Lab.thailand(prosumers=200, seed=0).set({"trade_on_forecasts": True, "read_oracle": True})
    lab.oracle = tampered(liars, silent, bias=bias)
    return lab


@cache
def world() -> pl.DataFrame:
    """Return the wholesale price of the lab's day (THB/MWh): ``feed``, ``observed``, ``value``, ``unit``."""
    lab = Lab.thailand(prosumers=200, seed=0)
    return lab.feeds.truth(lab.slots(), [PRICE])


def _run(oracle: Oracle) -> OracleRun:
    return oracle.run(world(), sign=False)


def priced_day(liars: int, silent: int = 0, *, bias: float = 20.0) -> MarketDay:
    """Return the lab's day where the network is lied to about the price alone.

    Parameters
    ----------
    liars, silent : int
    bias : float
        Per cent.

    Returns
    -------
    MarketDay
    """
    said = _run(tampered(liars, silent, bias=bias)).rounds
    lab = tampered_lab()
    lab.feeds.replace(PRICE, said.select(slot="time", value=pl.col("value").cast(pl.Float64)))
    return lab.day()


def paid(day: MarketDay) -> pl.DataFrame:
    """Return what each account with a meter pays for its imbalance (``account``, ``paid`` in THB).

    Raises
    ------
    ValueError
        The day was not traded on forecasts, so that there is no imbalance.
    """
    if day.stages is None:
        raise ValueError("the day has no stages, allowed: a day of a lab with trade_on_forecasts")
    own = day.stages.imbalance.filter(pl.col("account").is_in(day.stages.accounts.implode()))
    return own.group_by("account").agg(paid=pl.col("payment").sum() / units.MICRO).sort("account")


def scoring(lie: str, liars: int = 4) -> pl.DataFrame:
    """Return the scores of a day on which so many providers do `lie` (`gridlab.oracle.scores.scores`).

    Parameters
    ----------
    lie : str
        A kind of provider.
    liars : int

    Returns
    -------
    polars.DataFrame
    """
    return _run(Oracle(liars=liars, lie=lie)).scores


@cache
def quorum_of_twenty() -> Key:
    """Work out how many of 20 providers must sign a report."""
    twenty = ProviderSet.sandbox(20)
    return Key(
        Fraction(twenty.least_signatures),
        {
            "observations": Fraction(twenty.least_observations),
            "majority": Fraction(len(twenty) // 2 + 1),
            "honest": Fraction(len(twenty) - twenty.max_faulty + 1),
        },
        {
            "liars": twenty.max_faulty,
            "quorum": twenty.least_signatures,
            "shared": 2 * twenty.least_signatures - len(twenty),
            "less": 2 * (twenty.least_signatures - 1) - len(twenty),
        },
    )


@cache
def which_lie_pays() -> Key:
    """Work out which lie earns its four providers the largest data fees in a day."""
    fees = {lie: _thb(int(scoring(lie).filter(kind=lie)["fees"].sum())) for lie in _LIES}
    best, *_ = sorted(_LIES, key=lambda lie: -fees[lie])
    return Key(
        best,
        {"random": "noisy", "unpaid": "silent", "slashed": "equivocating", "far": "lying", "agreed": "colluding"},
        {"lie": best, "fees": float(fees[best]), "noisy": float(fees["noisy"])},
    )


def _thb(micro: int) -> Fraction:
    return Fraction(micro, units.MICRO)


def _count(**levers: Any) -> int:
    return int(_run(Oracle(heartbeat=_FOUR_HOURS, staleness=_FOUR_HOURS, **levers)).reports.height)


@cache
def reports_of_the_day() -> Key:
    """Work out how many reports a day has with a deviation of 1 % and a heartbeat of four hours."""
    count = _count(deviation=1.0)
    return Key(
        Fraction(count),
        {"every": Fraction(world().height), "beats": Fraction(_count(deviation=100.0))},
        {"count": count, "every": world().height, "fees": count * float(Oracle().data_fee)},
    )


@cache
def gainers() -> Key:
    """Work out how many accounts gain where eight of 15 say a price of 20 % too much."""
    more = paid(priced_day(0))["paid"] - paid(priced_day(8))["paid"]
    gain, lose = int((more > 0).sum()), int((more < 0).sum())
    roofs = int((Lab.thailand(prosumers=200, seed=0).agents.accounts()["pv_kw"] > 0).sum())
    return Key(
        Fraction(gain),
        {"losers": Fraction(lose), "roofs": Fraction(roofs), "all": Fraction(more.len())},
        {"gain": gain, "lose": lose, "together": float(more.sum()), "most": float(more.max())},  # type: ignore[arg-type]
    )


def stops(liars: int) -> bool:
    """Say whether so many equivocating providers leave the network without a single report."""
    return _run(Oracle(liars=liars, lie="equivocating")).reports.is_empty()


@cache
def equivocators() -> Key:
    """Work out how many equivocating providers stop the network of 15."""
    least = next(liars for liars in range(_PROVIDERS + 1) if stops(liars))
    fifteen = ProviderSet.sandbox(_PROVIDERS)
    return Key(
        Fraction(least),
        {
            "too_many_to_bear": Fraction(fifteen.max_faulty + 1),
            "majority": Fraction(_PROVIDERS // 2 + 1),
            "quorum": Fraction(fifteen.least_signatures),
        },
        {
            "least": least,
            "left": _PROVIDERS - least,
            "quorum": fifteen.least_signatures,
            "stakes": least * float(Oracle().stake) * float(Oracle().slash) / 100,
        },
    )


def _captured(liars: int, silent: int, bias: float = 20.0) -> bool:
    """Say whether liars set every value of the day's first hour."""
    hour = world().head(4)
    said = tampered(liars, silent, bias=bias).run(hour, sign=False).rounds
    if said["value"].null_count():
        return False
    moved = (said["value"] / hour["value"] - 1).abs()
    return bool((moved > 0.1).all())


def _least_cost(most_silent: int, bias: float = 20.0) -> tuple[int, int, int]:
    tries = [
        (LIAR * liars + CUT * silent, liars, silent)
        for silent in range(most_silent + 1)
        for liars in range(_MOST_LIARS + 1)
        if _captured(liars, silent, bias)
    ]
    return min(tries)


@cache
def cheapest_attack() -> Key:
    """Work out what it costs at least to have a price of 20 % too much reported, with liars and cuts for sale."""
    cost, liars, silent = _least_cost(most_silent=5)
    return Key(
        Fraction(cost),
        {
            "no_cuts": Fraction(_least_cost(most_silent=0)[0]),
            "too_low": Fraction(_least_cost(most_silent=5, bias=-20.0)[0]),
            "liars_alone": Fraction(LIAR * liars),
        },
        {"cost": cost, "liars": liars, "silent": silent, "no_cuts": _least_cost(most_silent=0)[0]},
    )
