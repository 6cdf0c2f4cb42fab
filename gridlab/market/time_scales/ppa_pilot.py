"""Thailand's direct-PPA pilot as a scenario: data centres buy up to 2,000 MW from new renewable plants over the grid.

What is known is the frame of rules, each figure with its source, date and confidence mark (`PILOT_FIGURES`). Who buys
from whom, at which price, and how the plants produce is synthetic, made for teaching, and says so in every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import calendar, units
from gridlab.chain.arguments import require_int
from gridlab.chain.sharing import apportion
from gridlab.datasets import dataset
from gridlab.errors import MarketError
from gridlab.frames import SLOT, Column, Schema
from gridlab.market.time_scales.ppa import settle_ppa
from gridlab.seeds import check_seed, stream

__all__ = ["PILOT_FIGURES", "DirectPpaPilot", "guarantee_refund", "pilot"]

Int64s = npt.NDArray[np.int64]

_CITIES = ("Ayutthaya", "Khon Kaen", "Nakhon Ratchasima", "Rayong")
_CLOUDY_DAYS = (1, 2, 3, 4)  # variant 0 of the dataset is the clear sky
_SLOT_HOURS = 0.25
_PPM = 1_000_000

_GUARANTEE = "Bangkok Post, copy at newsycanuse.com, 29 April 2026"
_SYNTHETIC = "made for teaching; not a published number"
PILOT_FIGURES = pl.DataFrame(
    [
        ("most power of the pilot", 2_000.0, "MW", "2024-06", "NEPC June 2024; Bangkok Post 2968171", "V"),
        ("least plant", 1_000.0, "kVA", "2025-10", "ERC draft regulation, 3 October 2025; w.media", "V"),
        ("guarantee", 4.5, "million THB/MW", "2026-04", _GUARANTEE, "V"),
        ("use within a year for half of it back", 50.0, "%", "2026-04", _GUARANTEE, "V"),
        ("use within a year for all of it back", 70.0, "%", "2026-04", _GUARANTEE, "V"),
        ("wheeling", 1.07, "THB/kWh", "2026-05", "ERC draft, as read by Cap Solar (direct-ppa-thailand-factory)", "V2"),
        ("PPA price", 2.60, "THB/kWh", "", _SYNTHETIC, "S"),
        ("load factor of a buyer", 0.85, "1", "", _SYNTHETIC, "S"),
    ],
    schema=["figure", "value", "unit", "as_of", "source", "confidence"],
    orient="row",
)
_FIGURE = dict(PILOT_FIGURES.select("figure", "value").rows())
_PILOT_MW = int(_FIGURE["most power of the pilot"])
_KVA_PER_MW = 1_000  # at a power factor of one
_BUYERS = Schema(
    "buyers",
    (
        Column("contracted_mw", pl.Int64, "integer", "contracted power (MW)"),
        Column("used_share", pl.Int64, "integer", "power in use within a year (parts per million of it)"),
    ),
)


@dataclass(frozen=True, repr=False, eq=False)
class DirectPpaPilot:
    """The pilot as frames; every row beside `figures` is synthetic (``confidence`` S).

    Attributes
    ----------
    figures : polars.DataFrame
        The rules and their sources (`PILOT_FIGURES`).
    buyers, plants : polars.DataFrame
        ``account``, ``name``, ``contracted_mw``; plants also ``kva``, ``city`` and ``technology``.
    agreements : polars.DataFrame
        As `gridlab.market.time_scales.ppa.AGREEMENTS`, with ``buyer``, ``seller`` and ``wheeling`` (THB/MWh).
    production : polars.DataFrame
        As `gridlab.market.time_scales.ppa.PRODUCTION`.
    """

    figures: pl.DataFrame
    buyers: pl.DataFrame
    plants: pl.DataFrame
    agreements: pl.DataFrame
    production: pl.DataFrame

    @property
    def guarantees(self) -> pl.DataFrame:
        """Per buyer: ``guarantee`` (micro-THB), ``used_share`` (parts per million of contracted power), ``refund``.

        What a buyer uses is its mean power in the scenario, standing for its first year.
        """
        used = (
            self.production.join(self.agreements.select("contract", "buyer"), on="contract")
            .group_by(account="buyer")
            .agg(energy=pl.col("consumed").sum(), slots=pl.col("slot").n_unique())
        )
        joined = self.buyers.join(used, on="account", how="left", maintain_order="left")
        whole = pl.col("contracted_mw") * pl.col("slots") * round(units.MICRO * _SLOT_HOURS)
        shares = joined.with_columns(used_share=pl.col("energy") * _PPM // whole)
        return guarantee_refund(shares.select("account", "name", "contracted_mw", "used_share"))

    def settle(self) -> pl.DataFrame:
        """Return `time_scales.ppa.settle_ppa` of the agreements, with ``wheeling`` and ``landed`` (micro-THB).

        The buyer pays wheeling on what the plant feeds in and it takes; `landed` is its cost with wheeling.
        """
        settled = settle_ppa(self.agreements.select("contract", "kind", "price", "energy"), self.production)
        rates = self.agreements.select("contract", rate="wheeling")
        carried = pl.min_horizontal("produced", "consumed")
        return (
            settled.join(rates, on="contract", how="left", maintain_order="left")
            .with_columns(wheeling=pl.col("rate") * carried)
            .with_columns(landed=pl.col("buyer_cost") + pl.col("wheeling"))
            .drop("rate")
        )

    def __repr__(self) -> str:
        power = int(self.buyers["contracted_mw"].sum())
        return f"DirectPpaPilot({self.buyers.height} data centres, {power:,} MW, synthetic)"


def guarantee_refund(buyers: pl.DataFrame) -> pl.DataFrame:
    """Return each buyer's guarantee and how much of it comes back.

    4.5 million THB per MW; half comes back where at least 50 % of the power is used within a year, all of it from 70 %.

    Parameters
    ----------
    buyers : polars.DataFrame
        With ``contracted_mw`` (Int64, above 0) and ``used_share`` (Int64, parts per million, 0 or more).

    Returns
    -------
    polars.DataFrame
        `buyers` with ``guarantee`` and ``refund`` (Int64, micro-THB).

    Raises
    ------
    ArgumentTypeError
        `buyers` is not a polars frame.
    MarketError
        A column is missing or a value out of range.
    """
    rules = {
        f"a power is not 1 … {_PILOT_MW} MW": ~pl.col("contracted_mw").is_between(1, _PILOT_MW),
        "a used share is below 0": pl.col("used_share") < 0,
    }
    checked = _BUYERS.check(buyers, rules=rules, error=MarketError)
    used = pl.col("used_share")
    half, whole = (units.share(_FIGURE[f"use within a year for {part} of it back"]) for part in ("half", "all"))
    part = pl.when(used >= whole).then(2).when(used >= half).then(1).otherwise(0)
    deposit = units.money(_FIGURE["guarantee"]) * units.MICRO  # a million THB
    return checked.with_columns(guarantee=pl.col("contracted_mw") * deposit).with_columns(
        refund=pl.col("guarantee") // 2 * part
    )


def pilot(
    *,
    buyers: int = 8,
    power_mw: int = _PILOT_MW,
    price: units.Number = _FIGURE["PPA price"],
    wheeling: units.Number = _FIGURE["wheeling"],
    start: str = "2026-05-06",
    hours: float = 24,
    seed: int = 0,
) -> DirectPpaPilot:
    """Make the pilot: `buyers` data centres, each with one new solar plant of its own.

    Parameters
    ----------
    buyers : int
        1 to 50.
    power_mw : int
        Contracted power of all of them (whole MW): at least one for each, since no plant may have less than 1,000 kVA,
        and 2,000 at most.
    price, wheeling : number
        What the buyer pays the plant and the grid (THB/kWh).
    start : str
        Date or moment of the first slot.
    hours : float
    seed : int

    Returns
    -------
    DirectPpaPilot

    Raises
    ------
    ArgumentTypeError, ArgumentError, CalendarError
        An argument does not fit.
    """
    check_seed(seed)
    require_int("buyers", buyers, 1, 50)
    require_int("power_mw", power_mw, buyers, _PILOT_MW)
    slots = calendar.slots(start, hours=hours)
    weights = stream(seed, "pilot", "size").integers(1, 5, (1, buyers))
    sizes = 1 + apportion(np.array([power_mw - buyers]), weights)[0]
    cities = [_CITIES[place % len(_CITIES)] for place in range(buyers)]
    centres, plants = _members("Data centre", sizes, 0), _members("Solar plant", sizes, buyers)
    plants = plants.with_columns(kva=pl.Series(sizes * _KVA_PER_MW), city=pl.Series(cities), technology=pl.lit("solar"))
    agreements = centres.select(
        contract=pl.int_range(pl.len(), dtype=pl.UInt32),
        kind=pl.lit("pay_as_produced"),
        price=pl.lit(units.price(price), dtype=pl.Int64),
        energy=pl.lit(0, dtype=pl.Int64),
        buyer="account",
        seller=plants["account"],
        wheeling=pl.lit(units.price(wheeling), dtype=pl.Int64),
        confidence="confidence",
    )
    return DirectPpaPilot(PILOT_FIGURES, centres, plants, agreements, _production(slots, sizes, cities, seed))


def _members(name: str, sizes: Int64s, first: int) -> pl.DataFrame:
    """Return ``account``, ``name``, ``contracted_mw`` and ``confidence`` of one side."""
    numbers = pl.int_range(len(sizes), dtype=pl.UInt32, eager=True)
    return pl.DataFrame(
        {
            "account": numbers + first,
            "name": [f"{name} {number + 1}" for number in numbers],
            "contracted_mw": sizes,
            "confidence": "S",
        }
    )


def _production(slots: pl.Series, sizes: Int64s, cities: list[str], seed: int) -> pl.DataFrame:
    """Return what plants make and data centres use, shape (slots x contracts) flattened by slot."""
    table = dataset("solar_day_synthetic").filter(pl.col("month") == slots[0].month)
    variants = stream(seed, "pilot", "sky").choice(_CLOUDY_DAYS, len(cities))
    quarter = (slots.dt.hour().cast(pl.Int64) * 4 + slots.dt.minute() // 15).to_numpy()
    suns = np.stack(
        [
            table.filter((pl.col("city") == city) & (pl.col("variant") == int(variant)))
            .sort("slot")["kw_per_kwp"]
            .to_numpy()[quarter]
            for city, variant in zip(cities, variants, strict=True)
        ],
        axis=1,
    )
    whole = sizes * (units.MICRO * _SLOT_HOURS)
    shape = (len(slots), len(cities))
    used = _FIGURE["load factor of a buyer"] + 0.03 * stream(seed, "pilot", "load").standard_normal(shape)
    noon = np.clip((quarter - 36) / 52, 0, 1)[:, None]
    reference = np.rint(3_000 - 1_000 * np.sin(np.pi * noon) + np.zeros(shape)).astype(np.int64)
    return pl.DataFrame(
        {
            "contract": pl.Series(np.tile(np.arange(len(cities)), len(slots)), dtype=pl.UInt32),
            "slot": slots.gather(np.repeat(np.arange(len(slots)), len(cities))).cast(SLOT),
            "produced": np.rint(suns * whole).astype(np.int64).reshape(-1),
            "consumed": np.rint(np.clip(used, 0, 1) * whole).astype(np.int64).reshape(-1),
            "reference": reference.reshape(-1),
            "confidence": "S",
        }
    )
