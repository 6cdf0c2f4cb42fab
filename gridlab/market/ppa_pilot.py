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
from gridlab.errors import ArgumentError
from gridlab.frames import SLOT
from gridlab.market.ppa import settle_ppa
from gridlab.seeds import check_seed, stream

__all__ = ["PILOT_FIGURES", "DirectPpaPilot", "guarantee_refund", "pilot"]

Int64s = npt.NDArray[np.int64]

_PILOT_MW = 2_000
_GUARANTEE_THB_PER_MW = 4_500_000
# Share of the contracted power in use within a year (parts per million) -> share of the guarantee that is paid back.
_HALF_BACK, _ALL_BACK = 500_000, 700_000
_PPM = 1_000_000
_CITIES = ("Ayutthaya", "Khon Kaen", "Nakhon Ratchasima", "Rayong")
_CLOUDY_DAYS = (1, 2, 3, 4)  # variant 0 of the dataset is the clear sky
_SLOT_HOURS = 0.25

PILOT_FIGURES = pl.DataFrame(
    {
        "figure": [
            "most power of the pilot", "least plant", "guarantee", "guarantee paid back, use of half and more",
            "guarantee paid back, use of 70 % and more", "wheeling, postage stamp", "PPA price",
            "load factor of a buyer",
        ],
        "value": [2_000.0, 1_000.0, 4.5, 50.0, 100.0, 1.07, 2.60, 0.85],
        "unit": ["MW", "kVA", "million THB/MW", "%", "%", "THB/kWh", "THB/kWh", "1"],
        "as_of": ["2024-06", "2025-10", "2026-04", "2026-04", "2026-04", "2026-05", "", ""],
        "source": [
            "NEPC June 2024; Bangkok Post 2968171", "ERC draft regulation, 3 October 2025; w.media",
            *["Bangkok Post, copy at newsycanuse.com, 29 April 2026"] * 3,
            "ERC draft, as read by Cap Solar (direct-ppa-thailand-factory)",
            *["made for teaching; not a published number"] * 2,
        ],
        "confidence": ["V", "V", "V", "V", "V", "V2", "S", "S"],
    }
)  # fmt: skip


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
        As `gridlab.market.ppa.AGREEMENTS`, with ``buyer``, ``seller`` and ``wheeling`` (THB/MWh).
    production : polars.DataFrame
        As `gridlab.market.ppa.PRODUCTION`.
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
        """Return `gridlab.market.ppa.settle_ppa` of the agreements, with ``wheeling`` and ``landed`` (micro-THB).

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
    ArgumentError
        A column is missing or a value out of range.
    """
    wanted = ("contracted_mw", "used_share")
    if not isinstance(buyers, pl.DataFrame) or any(name not in buyers.columns for name in wanted):
        raise ArgumentError(f"buyers: expected a frame with {' and '.join(wanted)}, got {buyers!r}")
    if buyers.select(((pl.col("contracted_mw") <= 0) | (pl.col("used_share") < 0)).any()).item():
        raise ArgumentError(f"buyers: contracted_mw must be above 0 and used_share 0 or more\n{buyers}")
    used = pl.col("used_share")
    part = pl.when(used >= _ALL_BACK).then(2).when(used >= _HALF_BACK).then(1).otherwise(0)
    return buyers.with_columns(
        guarantee=pl.col("contracted_mw") * (_GUARANTEE_THB_PER_MW * units.MICRO)
    ).with_columns(refund=pl.col("guarantee") // 2 * part)


def pilot(
    *, buyers: int = 8, power_mw: int = _PILOT_MW, start: str = "2026-05-06", hours: float = 24, seed: int = 0
) -> DirectPpaPilot:
    """Make the pilot: `buyers` data centres, each with one new solar plant of its own.

    Parameters
    ----------
    buyers : int
        1 to 50.
    power_mw : int
        Contracted power of all of them (whole MW): at least one for each, since no plant may have less than 1,000 kVA,
        and 2,000 at most.
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
    mark = pl.lit("S").alias("confidence")
    accounts = pl.Series(range(buyers), dtype=pl.UInt32)
    centres = pl.DataFrame({"account": accounts, "name": [f"Data centre {n + 1}" for n in range(buyers)]})
    plants = pl.DataFrame({"account": accounts + buyers, "name": [f"Solar plant {n + 1}" for n in range(buyers)]})
    plants = plants.with_columns(
        contracted_mw=pl.Series(sizes), kva=pl.Series(sizes * 1_000), city=pl.Series(cities), technology=pl.lit("solar")
    )
    terms = {
        "contract": accounts,
        "kind": ["pay_as_produced"] * buyers,
        "price": [units.price(_figure("PPA price"))] * buyers,
        "energy": [0] * buyers,
        "buyer": centres["account"],
        "seller": plants["account"],
        "wheeling": [units.price(_figure("wheeling, postage stamp"))] * buyers,
    }
    return DirectPpaPilot(
        PILOT_FIGURES,
        centres.with_columns(pl.Series("contracted_mw", sizes), mark),
        plants.with_columns(mark),
        pl.DataFrame(terms).with_columns(mark),
        _production(slots, sizes, cities, seed),
    )


def _figure(name: str) -> float:
    return float(PILOT_FIGURES.filter(pl.col("figure") == name)["value"][0])


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
    used = _figure("load factor of a buyer") + 0.03 * stream(seed, "pilot", "load").standard_normal(shape)
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
