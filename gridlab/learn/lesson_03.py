"""The keys to lesson 03, "The price of the wires", each worked out from the lesson's community of four meters.

The roofs are those told of the T77 pilot in Bangkok (2018; unverified). Loads, tariff classes and feeders are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, cast

import polars as pl

from gridlab import calendar, units
from gridlab.datasets import dataset
from gridlab.learn.answers import Key
from gridlab.market.charges.landed import LandedTerms
from gridlab.market.clearing import clear
from gridlab.market.market import Market

if TYPE_CHECKING:
    from gridlab.market.local_first.tiered import TieredClearing

__all__ = [
    "SATURDAY",
    "WEDNESDAY",
    "Day",
    "best_share",
    "billed_by_the_register",
    "community",
    "dear_neighbours",
    "gains",
    "landed_price",
    "largest_buyer",
    "last_stamp",
    "members",
    "orders",
]

WEDNESDAY = ("2026-05-06", "weekday")
SATURDAY = ("2026-05-09", "weekend")

_MEMBERS = pl.DataFrame(
    {
        "name": ["mall", "school", "apartments", "hospital"],
        "shape": ["mall", "school", "condominium", "small_business"],
        "peak_kw": [150, 220, 400, 120],
        "pv_kw": [54, 413, 168, 0],
        "tariff": ["3.2", "3.2", "1.2", "3.2"],
        "voltage": ["<22 kV", "22-33 kV", "<22 kV", "<22 kV"],
        "transformer": [1, 2, 3, 4],
        "feeder": [1, 1, 2, 1],
        "substation": [1, 1, 1, 1],
        "area": [1, 1, 1, 1],
    }
)
_LIAR = "apartments"
_SOLD_AT = 2500  # THB/MWh, the price of the first question


def members(*, lying: bool = False) -> pl.DataFrame:
    """Return the four members, one row per account, with their retail rates ``on_peak`` and ``off_peak`` (THB/kWh).

    Parameters
    ----------
    lying : bool
        Whether the apartments claim the school's feeder.
    """
    by_time = pl.col("period").is_in(["on_peak", "off_peak"])
    rates = (
        dataset("tariffs")
        .filter(by_time, component="energy")
        .pivot("period", index=["tariff", "voltage"], values="rate")
    )
    joined = _MEMBERS.with_row_index("account").join(rates, on=["tariff", "voltage"], how="left", maintain_order="left")
    claimed = pl.when(pl.lit(lying) & (pl.col("name") == _LIAR)).then(1).otherwise("feeder")
    return joined.with_columns(feeder=claimed)


def _meters(day: str, kind: str) -> pl.DataFrame:
    """Return the load and the generation (Wh) of every member in each slot of `day`."""
    slots = pl.DataFrame({"slot": calendar.slots(day, slots=96)})
    sun = dataset("solar_day_synthetic").filter(city="Bangkok", month=5, variant=0)["kw_per_kwp"]
    slots = slots.with_columns(sun.alias("sun"), hour=pl.col("slot").dt.hour().cast(pl.Int64))
    shapes = dataset("load_shapes_synthetic").filter(day_type=kind).select("hour", shape="kind", part="load")
    rows = members().join(slots, how="cross").join(shapes, on=["shape", "hour"], how="left", maintain_order="left")
    power = {"load": pl.col("peak_kw") * pl.col("part"), "generation": pl.col("pv_kw") * pl.col("sun")}  # kW
    return rows.with_columns((250 * kw).round().cast(pl.Int64).alias(name) for name, kw in power.items())


@cache
def orders(day: str, kind: str) -> pl.DataFrame:
    """Return the honest orders of a day: sellers ask the buy-back, buyers bid their retail rate with Ft, landed."""
    market = Market()
    net = pl.col("load") - pl.col("generation")
    return (
        _meters(day, kind)
        .filter(net != 0)
        .with_row_index("order_id")
        .select(
            "order_id",
            "slot",
            "account",
            zone=pl.lit("MAC"),
            side=pl.when(net > 0).then(pl.lit("buy")).otherwise(pl.lit("sell")),
            price=pl.when(net > 0).then(_retail() // 10).otherwise(market.retail.buy_back_price()),
            energy=net.abs(),
        )
    )


def _retail() -> pl.Expr:
    """Return what the utility charges with Ft, before VAT, in 0.1 THB/MWh."""
    on_peak = calendar.is_on_peak(pl.col("slot"))
    rate = pl.when(on_peak).then("on_peak").otherwise("off_peak")
    return (rate * 10_000).cast(pl.Int64) + Market().retail.ft_rate()


def _terms(scheme: str) -> LandedTerms:
    market = Market()
    market.set({"wheeling.scheme": scheme})
    return market.landed_terms()


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the community: its clearing, and its trades with their landed bills."""

    clearing: TieredClearing
    trades: pl.DataFrame


@cache
def community(day: tuple[str, str], scheme: str, *, lying: bool = False, register: bool = False) -> Day:
    """Clear and bill a day, local first.

    Parameters
    ----------
    day : tuple of str
        `WEDNESDAY` or `SATURDAY`.
    scheme : str
        A scheme of the lever ``wheeling.scheme``.
    lying : bool
        Whether the apartments claim the school's feeder.
    register : bool
        Whether the bills go by the true feeders all the same.
    """
    terms = _terms(scheme)
    clearing = cast("TieredClearing", clear(orders(*day), "tiered", tariff=terms, accounts=members(lying=lying)))
    return Day(clearing, terms.bill(clearing.trades, members(lying=lying and not register)))


def gains(trades: pl.DataFrame) -> dict[str, Fraction]:
    """Return what each party gains over a day without the market (THB, exact); the sum is zero.

    Parameters
    ----------
    trades : polars.DataFrame
        Billed trades of a day.
    """
    market = Market()
    retail = pl.col("energy") * _retail()  # tenths of a micro-THB
    buy_back = pl.col("energy") * market.retail.buy_back_price() * 10
    at_home = trades.join(members().select("name", "on_peak", "off_peak", buyer="account"), on="buyer", how="left")
    vat = Fraction(market.retail.vat_share(), 1_000_000)
    sums = at_home.group_by("name").agg(
        (pl.col("gross", "amount", "wheeling", "losses", "vat", "fee") * 10).sum(),
        retail=retail.sum(),
        buy_back=buy_back.sum(),
    )
    scale = 10 * units.MICRO
    found = dict.fromkeys(("mall", "apartments", "hospital", "school", "utility", "state", "operator"), Fraction(0))
    for row in sums.to_dicts():  # a buyer each
        found[row["name"]] += (row["retail"] * (1 + vat) - row["gross"]) / scale
        found["school"] += Fraction(row["amount"] - row["buy_back"], scale)
        found["utility"] += Fraction(row["buy_back"] - row["retail"] + row["wheeling"] + row["losses"], scale)
        found["state"] += (row["vat"] - row["retail"] * vat) / scale
        found["operator"] += Fraction(row["fee"], scale)
    return found


def _charges() -> tuple[Fraction, Fraction, Fraction]:
    """Return the fee (THB/kWh), 1 + losses and 1 + VAT."""
    market = Market()
    fee, losses, vat = units.exact(market.fee), units.exact(market.wheeling.losses), units.exact(market.retail.vat)
    return fee, 1 + losses / 100, 1 + vat / 100


def landed_price() -> Key:
    """Work out what the hospital pays for a kWh of the school at 2.50 THB/kWh, on the ladder (THB/kWh)."""
    fee, lossy, taxed = _charges()
    ladder = _terms("distance_ladder").wheeling.charges()
    feeder, transformer = (Fraction(ladder[path], 1000) for path in ("same_feeder", "same_transformer"))
    stamp = units.exact(Market().wheeling.postage_stamp)
    price = Fraction(_SOLD_AT, 1000)
    before = price * lossy + feeder + fee
    return Key(
        before * taxed,
        {
            "no_vat": before,
            "no_losses": (price + feeder + fee) * taxed,
            "no_fee": (price * lossy + feeder) * taxed,
            "stamp": (price * lossy + stamp + fee) * taxed,
            "transformer": (price * lossy + transformer + fee) * taxed,
        },
        {"answer": float(before * taxed), "beside": float(before * taxed - price)},
    )


def largest_buyer() -> Key:
    """Work out who buys most of the school's surplus on Wednesday, under the stamp, local first."""
    trades = community(WEDNESDAY, "postage_stamp").trades
    bought = trades.join(members().select("name", buyer="account"), on="buyer").group_by("name")
    energy = dict(bought.agg(pl.col("energy").sum()).rows())
    names = members()["name"].to_list()
    ranked = sorted((name for name in names if name != "school"), key=lambda name: energy.get(name, 0))
    return Key(
        ranked[-1],
        {"far": _LIAR, "second": ranked[-2]},
        {name: energy.get(name, 0) / 1000 for name in names},
    )


def last_stamp() -> Key:
    """Work out the highest stamp at which the hospital still gains on Saturday (THB/kWh)."""
    fee, lossy, _ = _charges()
    market = Market()
    hospital = members().row(by_predicate=pl.col("name") == "hospital", named=True)
    off_peak, on_peak = (Fraction(hospital[period]) for period in ("off_peak", "on_peak"))
    ft, buy_back = units.exact(market.retail.ft), units.exact(market.retail.buy_back)
    answer = off_peak + ft - fee - buy_back * lossy
    return Key(
        answer,
        {
            "no_fee": answer + fee,
            "no_losses": off_peak + ft - fee - buy_back,
            "no_ft": answer - ft,
            "on_peak": on_peak + ft - fee - buy_back * lossy,
        },
        {"answer": float(answer), "draft": float(market.wheeling.postage_stamp)},
    )


def best_share() -> Key:
    """Work out which part of the best welfare local first reaches on Wednesday, on the ladder (%)."""
    shares = {}
    for scheme in ("postage_stamp", "distance_ladder"):
        found = community(WEDNESDAY, scheme).clearing.optimum().select(pl.col("welfare", "best_welfare").sum())
        shares[scheme] = Fraction(100 * found["welfare"].item(), found["best_welfare"].item())
    answer = shares["distance_ladder"]
    return Key(
        answer,
        {"stamp": shares["postage_stamp"], "lost": 100 - answer, "fraction": answer / 100},
        {"answer": float(answer), "stamp": float(shares["postage_stamp"])},
    )


def _changes(*, register: bool) -> dict[str, Fraction]:
    """Return what each party gains by the lie on Saturday, on the ladder (THB)."""
    honest = gains(community(SATURDAY, "distance_ladder").trades)
    lied = gains(community(SATURDAY, "distance_ladder", lying=True, register=register).trades)
    return {party: lied[party] - honest[party] for party in honest}


def dear_neighbours() -> Key:
    """Work out what mall and hospital together lose by the lie on Saturday (THB)."""
    changes = _changes(register=False)
    lost = -changes["mall"] - changes["hospital"]
    return Key(
        lost,
        {
            "mall": -changes["mall"],
            "hospital": -changes["hospital"],
            "school": changes["school"],
            "utility": -changes["utility"],
            "liar": changes[_LIAR],
        },
        {"answer": float(lost), "school": float(changes["school"]), "liar": float(changes[_LIAR])},
    )


def billed_by_the_register() -> Key:
    """Work out who is worse off by most when the lie places the orders and the register bills them."""
    changes = _changes(register=True)
    ranked = sorted(changes, key=lambda party: changes[party])
    best = ranked[-1]
    return Key(
        ranked[0],
        {"second": ranked[1], "best": best, "utility": "utility"},
        {"answer": ranked[0], "lost": float(-changes[ranked[0]]), "mall": float(-changes["mall"])},
    )
