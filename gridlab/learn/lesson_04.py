"""The keys to lesson 04, "When the line is full", each worked out by clearing the lesson's orders anew.

The regions' sizes are the published peaks of 2019, taken as if all fell into one hour; what the plants offer is made up
for teaching.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.datasets import dataset
from gridlab.learn.answers import Key
from gridlab.market.zones.coupling import couple
from gridlab.market.zones.coupling_result import Coupling
from gridlab.market.zones.transfer_limits import thai_zones

__all__ = [
    "CAP",
    "COLUMNS",
    "PLANTS",
    "biggest_loser",
    "corridor",
    "evening",
    "gains",
    "merger",
    "numbered",
    "one_more_megawatt",
    "published_example",
    "published_flow",
    "rent_owner",
    "south_fall",
]

COLUMNS = ["zone", "who", "side", "price", "mw"]
CAP = 10_000  # THB/MWh
_HOUR = 60  # minutes, so that 1 MW is 1,000,000 Wh
_WH_PER_MW = 1_000_000
_SOUTH = "SAC"
_EVENING = datetime(2019, 4, 21, 20)  # noqa: DTZ001 - the door reads it as Bangkok time
_OLD_LINE, _NEW_LINE = 700, 1600  # MW; dataset corridors

# Zone, plant, limit (THB/MWh), size as a share of the zone's own peak of 2019; all made up.
PLANTS = pl.DataFrame(
    [
        ("MAC", "gas", 2600, 0.30),
        ("MAC", "oil", 6000, 0.05),
        ("CAC", "new gas", 2400, 1.30),
        ("CAC", "older gas", 2800, 0.52),
        ("CAC", "oldest gas", 2900, 0.30),
        ("NEC", "hydro and biomass", 1500, 0.25),
        ("NEC", "gas", 2500, 0.50),
        ("NEC", "older gas", 3000, 0.40),
        ("NAC", "hydro", 1400, 0.45),
        ("NAC", "lignite", 1700, 0.65),
        ("SAC", "new gas", 2700, 0.40),
        ("SAC", "older gas", 3700, 0.30),
        ("SAC", "fuel oil", 5500, 0.20),
        ("SAC", "diesel", 8500, 0.10),
    ],
    schema=["zone", "who", "price", "share"],
    orient="row",
)

# PyPSA's example "demand-supply-bids": name, zone, limit, MW.
_SELLS = (
    ("s0", "north", 0, 120),
    ("s1", "south", 15, 100),
    ("s2", "north", 20, 50),
    ("s3", "north", 36, 60),
    ("s4", "south", 60, 70),
    ("s5", "north", 150, 60),
    ("s6", "south", 200, 50),
)
_BUYS = (
    ("d0", "south", 200, 250),
    ("d1", "north", 90, 80),
    ("d2", "north", 75, 20),
    ("d3", "south", 65, 40),
    ("d4", "south", 24, 60),
)

_OWNER_SIZES = tuple(range(100, 2501, 100))  # MW
_HELD = tuple(range(0, 801, 50))  # MW


def numbered(*tables: pl.DataFrame) -> pl.DataFrame:
    """Return tables with the columns `COLUMNS` as one frame of orders for one hour."""
    number = pl.int_range(1, pl.len() + 1)
    return pl.concat(tables).with_columns(
        order_id=number, account=number, energy=pl.col("mw") * _WH_PER_MW, slot=_EVENING
    )


def corridor(size: int, one: str, other: str) -> pl.DataFrame:
    """Return the limits of one line (MW), the same in both directions."""
    return pl.DataFrame({"from_zone": [one, other], "to_zone": [other, one], "limit_mw": [float(size)] * 2})


@cache
def evening() -> pl.DataFrame:
    """Return the orders of the made-up evening: five regions at their peaks of 2019, and their merit orders."""
    peaks = dataset("regions").select(zone=pl.col("region").cast(pl.String), peak=pl.col("peak_mw").cast(pl.Int64))
    size = (pl.col("share") * pl.col("peak")).round().cast(pl.Int64)
    offers = PLANTS.join(peaks, on="zone", maintain_order="left").with_columns(side=pl.lit("sell"), mw=size)
    users = peaks.select("zone", who=pl.lit("users"), side=pl.lit("buy"), price=pl.lit(CAP, pl.Int64), mw="peak")
    return numbered(users, offers.select(COLUMNS))


@cache
def published_example() -> pl.DataFrame:
    """Return the orders of PyPSA's example."""
    rows = [(zone, who, "sell", price, size) for who, zone, price, size in _SELLS]
    rows += [(zone, who, "buy", price, size) for who, zone, price, size in _BUYS]
    return numbered(pl.DataFrame(rows, schema=COLUMNS, orient="row"))


@cache
def _coupled(scenario: str) -> Coupling:
    return couple(evening(), thai_zones(scenario, cross_border=False), slot_minutes=_HOUR, cap=CAP)


def _price(coupling: Coupling, *, zone: str) -> Fraction:
    """Return the price of a zone (THB/kWh)."""
    return Fraction(int(coupling.prices.filter(pl.col("zone").cast(pl.String) == zone)["price"].item()), 1000)


def south_fall() -> Key:
    """Work out by how much the South's price falls with the new line (THB/kWh)."""
    before, after = (_coupled(scenario) for scenario in ("before_2022", "default"))
    old, new = _price(before, zone=_SOUTH), _price(after, zone=_SOUTH)
    rise = _price(after, zone="CAC") - _price(before, zone="CAC")
    return Key(
        old - new, {"old": old, "new": new, "centre": rise}, {"old": float(old), "new": float(new), "rise": float(rise)}
    )


def gains() -> dict[str, int]:
    """Return what each group gains by the new line in the hour of the evening (micro-THB)."""
    before, after = (_coupled(scenario) for scenario in ("before_2022", "default"))
    in_south = pl.col("zone").cast(pl.String) == _SOUTH
    found: dict[str, int] = {}
    for place, rows in (("southern", in_south), ("other", ~in_south)):
        for side in ("buyer", "seller"):
            old, new = (each.prices.filter(rows)[f"{side}_surplus"].sum() for each in (before, after))
            found[f"{place} {side}s"] = int(new) - int(old)
    found["line owner"] = after.congestion_rent - before.congestion_rent
    return found


def biggest_loser() -> Key:
    """Work out which group loses most by the new line."""
    found = gains()
    ranked = sorted(found, key=lambda party: found[party])
    facts = {party.replace(" ", "_"): abs(found[party]) / units.MICRO / 1e6 for party in found}
    return Key(
        ranked[0], {"second": ranked[1], "least": ranked[2], "winner": ranked[-1]}, {"answer": ranked[0], **facts}
    )


def published_flow() -> Key:
    """Work out what flows from north to south where the line never fills (MW)."""
    flows = [
        couple(published_example(), corridor(size, "north", "south"), slot_minutes=_HOUR).flows.filter(
            pl.col("from_zone") == "north"
        )
        for size in (1000, 100)
    ]
    free, narrow = (Fraction(int(each["flow"].item()), _WH_PER_MW) for each in flows)
    return Key(free, {"limit": Fraction(1000), "narrow": narrow}, {"answer": float(free)})


def _southern_lines(sizes: tuple[int, ...]) -> Coupling:
    """Clear the evening once for each size (MW) of the southern line."""
    every = pl.DataFrame({"size": sizes})
    south = (pl.col("from_zone") == _SOUTH) | (pl.col("to_zone") == _SOUTH)
    size = pl.when(south).then(pl.col("size").cast(pl.Float64)).otherwise("limit_mw")
    limits = thai_zones(cross_border=False).join(every, how="cross").with_columns(limit_mw=size)
    orders = evening().join(every, how="cross").with_columns(order_id=pl.int_range(pl.len()))
    return couple(orders, limits, by=("size",), slot_minutes=_HOUR, cap=CAP)


def one_more_megawatt() -> Key:
    """Work out what one MW more of the old southern line saves in the hour (THB)."""
    coupling = _southern_lines((_OLD_LINE, _OLD_LINE + 1))
    welfare = coupling.prices.group_by("size").agg(pl.col("welfare").sum()).sort("size")["welfare"]
    saved = Fraction(int(welfare[1]) - int(welfare[0]), units.MICRO)
    south, centre = (_price(_coupled("before_2022"), zone=zone) for zone in (_SOUTH, "CAC"))
    whole = Fraction(sum(gains().values()), units.MICRO)
    return Key(
        saved,
        {"southern": south * 1000, "central": centre * 1000, "rent": (south - centre) * 1000 * _OLD_LINE, "all": whole},
        {"answer": float(saved), "south": float(south), "centre": float(centre)},
    )


def rent_owner() -> Key:
    """Work out which size of the southern line earns the highest congestion rent (MW)."""
    coupling = _southern_lines(_OWNER_SIZES)
    rents = coupling.flows.group_by("size").agg(pl.col("congestion_rent").sum()).sort("size")
    rent = {size: Fraction(int(value), units.MICRO) for size, value in rents.rows()}
    prices = coupling.prices.with_columns(pl.col("zone").cast(pl.String)).pivot("zone", index="size", values="price")
    joined = min(prices.filter(pl.col("SAC") == pl.col("CAC"))["size"].to_list())
    best = max(_OWNER_SIZES, key=lambda size: rent[size])
    return Key(
        Fraction(best),
        {"joined": Fraction(joined), "built": Fraction(_NEW_LINE), "largest": Fraction(max(_OWNER_SIZES))},
        {
            "answer": best,
            "rent": float(rent[best]) / 1e6,
            "built": float(rent[_NEW_LINE]) / 1e6,
            "size": _NEW_LINE,
            "joined": joined,
        },
    )


def _merged(scenario: str) -> dict[int, Fraction]:
    """Return what both southern gas plants earn together (THB), by what the older one holds back (MW)."""
    held = pl.DataFrame({"held": _HELD})
    withheld = (pl.col("zone") == _SOUTH) & (pl.col("who") == "older gas")
    offered = pl.when(withheld).then(pl.col("mw") - pl.col("held")).otherwise("mw") * _WH_PER_MW
    orders = evening().join(held, how="cross").with_columns(order_id=pl.int_range(pl.len()), energy=offered)
    fills = couple(
        orders, thai_zones(scenario, cross_border=False), by=("held",), slot_minutes=_HOUR, cap=CAP
    ).fills.filter((pl.col("zone").cast(pl.String) == _SOUTH) & pl.col("who").is_in(["new gas", "older gas"]))
    profit = (pl.col("filled") * (pl.col("price") - pl.col("limit"))).sum()
    return {size: Fraction(int(value), units.MICRO) for size, value in fills.group_by("held").agg(profit).rows()}


def merger() -> Key:
    """Work out what the merged company earns at best on the new line (million THB)."""
    new, old = (
        {size: thb / 1_000_000 for size, thb in _merged(scenario).items()} for scenario in ("default", "before_2022")
    )
    best = max(_HELD, key=lambda size: new[size])
    return Key(
        new[best],
        {"honest": new[0], "gain": new[best] - new[0], "old_line": max(old.values())},
        {"answer": float(new[best]), "held": best, "honest": float(new[0])},
    )
