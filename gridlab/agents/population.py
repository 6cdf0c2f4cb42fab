"""The prosumers: who they are, where their meters hang, how much they use and what is on their roofs.

The population is synthetic and seeded. Counts per zone follow the five regions' energy shares of 2019 (fact sheet 3.2);
sizes are drawn log-normally around typical values per kind, which are teaching assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.frames import ACCOUNTS
from gridlab.seeds import stream

__all__ = ["KINDS", "ZONES", "Kind", "check_prosumers", "population"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of prosumer (sizes are synthetic teaching values).

    Attributes
    ----------
    name : str
    share : float
        Share of the population, 0..1.
    peak_kw : float
        Median of the highest load (kW).
    spread : float
        Standard deviation of the logarithm of the load's size.
    load_factor : float
        Mean load over peak load, from which the month's energy follows.
    pv_ratio : float
        PV size over peak load where there is PV (kWp per kW).
    pv_multiple : float
        Share of roofs with PV, as a multiple of the households' share.
    tariff, voltage : str
        Retail tariff of the fact sheet, section 1.2.
    """

    name: str
    share: float
    peak_kw: float
    spread: float
    load_factor: float
    pv_ratio: float
    pv_multiple: float
    tariff: str
    voltage: str


KINDS = (
    Kind("household", 0.78, 1.6, 0.45, 0.55, 3.2, 1.0, "1.1.2", "<22 kV"),
    Kind("condominium", 0.08, 12.0, 0.35, 0.58, 0.8, 1.0, "2.2", "<22 kV"),
    Kind("school", 0.07, 25.0, 0.40, 0.30, 2.2, 1.6, "3.2", "<22 kV"),
    Kind("mall", 0.03, 60.0, 0.35, 0.60, 0.8, 1.6, "3.2", "22-33 kV"),
    Kind("factory", 0.04, 60.0, 0.40, 0.85, 1.8, 1.8, "3.2", "22-33 kV"),
)

# zone -> (share of energy 2019, fact sheet 3.2; utility; area; representative city of the solar profiles)
ZONES = {
    "MAC": (0.329, "MEA", 0, "Bangkok"),
    "CAC": (0.379, "PEA", 1, "Ayutthaya"),
    "NEC": (0.110, "PEA", 2, "Khon Kaen"),
    "SAC": (0.091, "PEA", 3, "Surat Thani"),
    "NAC": (0.090, "PEA", 4, "Chiang Mai"),
}

_HOURS_PER_MONTH = 730.0
_METERS_PER_TRANSFORMER = 5
_TRANSFORMERS_PER_FEEDER = 3
_FEEDERS_PER_SUBSTATION = 4
_STRIDE = 1_000_000  # places per zone, so that an index tells its zone


def _largest_remainder(total: int, shares: Floats) -> Integers:
    exact = total * shares / shares.sum()
    counts: Integers = np.floor(exact).astype(np.int64)
    first = np.argsort(-(exact - counts), kind="stable")[: total - counts.sum()]
    counts[first] += 1
    return counts


def population(prosumers: int, *, seed: int, pv_share: float) -> pl.DataFrame:
    """Return the accounts frame of a seeded population.

    Parameters
    ----------
    prosumers : int
        How many, 1 to 1,000,000.
    seed : int
    pv_share : float
        Share of households with rooftop PV, 0..1; other kinds have a fixed multiple of it. Moving it adds or removes
        roofs at the margin: who has PV at 30 % still has it at 40 %.

    Returns
    -------
    polars.DataFrame
        As `gridlab.frames.ACCOUNTS`; row i is account i.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `prosumers` is not an integer, or out of range.
    """
    prosumers = check_prosumers(prosumers)
    rng = stream(seed, "agents", "population")
    zone = np.repeat(np.arange(len(ZONES)), _largest_remainder(prosumers, np.array([z[0] for z in ZONES.values()])))
    shares = np.array([kind.share for kind in KINDS])
    kind = rng.permutation(np.repeat(np.arange(len(KINDS)), _largest_remainder(prosumers, shares)))
    size = np.exp(rng.standard_normal(prosumers) * _of(kind, "spread"))
    peak = np.round(_of(kind, "peak_kw") * size, 2)
    roof = rng.random(prosumers) < np.minimum(1.0, pv_share * _of(kind, "pv_multiple"))
    pv = np.round(peak * _of(kind, "pv_ratio") * rng.uniform(0.6, 1.4, prosumers), 1) * roof
    return _frame(zone, kind, peak, pv)


def check_prosumers(prosumers: object) -> int:
    """Return `prosumers` if it is an integer from 1 to 1,000,000, else raise."""
    if isinstance(prosumers, bool) or not isinstance(prosumers, (int, np.integer)):
        raise ArgumentTypeError(f"prosumers: expected an integer, got {prosumers!r}")
    if not 1 <= prosumers <= 1_000_000:
        raise ArgumentError(f"prosumers: {prosumers} is not allowed; allowed: 1 to 1,000,000")
    return int(prosumers)


def _of(kind: Integers, attribute: str) -> Floats:
    values: Floats = np.array([getattr(k, attribute) for k in KINDS])
    return values[kind]


def _frame(zone: Integers, kind: Integers, peak: Floats, pv: Floats) -> pl.DataFrame:
    names = list(ZONES)
    places = [ZONES[name] for name in names]
    first = np.searchsorted(zone, np.arange(len(names)))  # zones come in blocks
    within = np.arange(zone.size) - first[zone]
    transformer = within // _METERS_PER_TRANSFORMER
    feeder = transformer // _TRANSFORMERS_PER_FEEDER
    substation = feeder // _FEEDERS_PER_SUBSTATION
    frame = pl.DataFrame(
        {
            "account": np.arange(zone.size, dtype=np.uint32),
            "kind": pl.Series([k.name for k in KINDS]).gather(kind),
            "zone": pl.Series(names, dtype=pl.Enum(names)).gather(zone),
            "utility": pl.Series([p[1] for p in places]).gather(zone),
            "area": np.array([p[2] for p in places])[zone],
            "substation": zone * _STRIDE + substation,
            "feeder": zone * _STRIDE + feeder,
            "transformer": zone * _STRIDE * 10 + transformer,
            "tariff": pl.Series([k.tariff for k in KINDS]).gather(kind),
            "voltage": pl.Series([k.voltage for k in KINDS]).gather(kind),
            "monthly_kwh": np.round(peak * _of(kind, "load_factor") * _HOURS_PER_MONTH, 0),
            "peak_kw": peak,
            "pv_kw": pv,
        }
    )
    name = pl.format("{}-{}", "kind", pl.col("account").cast(pl.String).str.zfill(len(str(zone.size - 1))))
    return ACCOUNTS.check(frame.with_columns(name=name).select([c.name for c in ACCOUNTS.columns]))
