"""What agents and settlement know of the world in a lab that reads the oracle: its reports, and never the truth behind.

The feeds say what the sun and the wholesale price are (`gridlab.oracle.feeds`). Roofs generate under the true sun, and
meters count that. What anybody trades or is billed upon went through the network: forecasts are made of reported
weather, and balancing and imbalance refer to the reported wholesale price. So a lie costs somebody money.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import calendar
from gridlab.agents import Agents
from gridlab.agents.population import ZONES
from gridlab.errors import OracleError
from gridlab.market.time_scales.sequence import MarketSequence
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.forecasts import HISTORY_DAYS, LEADS
from gridlab.oracle.feeds.table import family_of
from gridlab.oracle.oracle import Oracle
from gridlab.oracle.run import OracleRun

__all__ = ["PRICE_FEED", "Observed", "observe", "weather_feeds"]

Floats = npt.NDArray[np.float64]

PRICE_FEED = "price/wholesale"
_PROVINCES = {
    "MAC": "Bangkok",
    "CAC": "Phra Nakhon Si Ayutthaya",
    "NEC": "Khon Kaen",
    "SAC": "Surat Thani",
    "NAC": "Chiang Mai",
}
_SLOT_MINUTES = 15


def weather_feeds() -> list[str]:
    """Return the feeds of the sun over each zone, in the order of the zones: output of 1 kWp in its largest town."""
    return [f"weather/pv/{_PROVINCES[zone]}" for zone in ZONES]


@dataclass(frozen=True)
class Observed:
    """What a run is given by the world and by the network.

    Attributes
    ----------
    readings : polars.DataFrame
        Under the true sun, as `gridlab.frames.READINGS`.
    forecasts : dict of str to polars.DataFrame
        ``day_ahead`` and ``intraday``, as `gridlab.frames.READINGS`, made of reported weather.
    references : polars.DataFrame
        ``slot``, ``zone``, ``price`` (THB/MWh): the wholesale price as reported when the slot was settled.
    network : OracleRun
        The network over the slots of the run, signed.
    truth : polars.DataFrame
        ``feed``, ``observed``, ``value``, ``unit`` of the slots of the run.
    """

    readings: pl.DataFrame
    forecasts: dict[str, pl.DataFrame]
    references: pl.DataFrame
    network: OracleRun
    truth: pl.DataFrame


def observe(
    agents: Agents, sequence: MarketSequence, feeds: Feeds, oracle: Oracle, slots: pl.Series, *, sign: bool = True
) -> Observed:
    """Let the world go on for `slots` and the network observe it.

    Parameters
    ----------
    agents : Agents
    sequence : MarketSequence
        Whose levers say when forecasts are made, and how far those of the load err.
    feeds : Feeds
    oracle : Oracle
    slots : polars.Series
        Consecutive slots (`gridlab.calendar.slots`).
    sign : bool
        Whether reports are signed, as a chain wants them.

    Raises
    ------
    OracleError
        The network has reported nothing yet when somebody must read: too many of its providers are silent.
    """
    names = weather_feeds()
    history = _before(slots)
    past = oracle.run(feeds.truth(history, names), seed=feeds.seed, sign=False)
    truth = feeds.truth(slots, [*names, PRICE_FEED])
    # The network's rounds go on: what it reported last is what its next values are judged by.
    network = oracle.run(truth, seed=feeds.seed, sign=sign, previous=_newest(past.reports))
    reported = _as_reported(feeds, names, [(past, history), (network, slots)])
    readings = agents.readings(slots).with_columns(agents.generation(_sun(feeds, slots)))
    return Observed(
        readings=readings,
        forecasts=_forecasts(agents, sequence, reported, readings, slots),
        references=_references(network, slots),
        network=network,
        truth=truth,
    )


def _before(slots: pl.Series) -> pl.Series:
    """Return the slots from some days before the first day until the first slot."""
    first = slots[0].replace(hour=0, minute=0)
    start = first - timedelta(days=HISTORY_DAYS + 1)
    count = round((slots[0] - start) / timedelta(minutes=_SLOT_MINUTES))
    return calendar.slots(start, slots=count)


def _newest(reports: pl.DataFrame) -> pl.DataFrame:
    return reports.drop("published").group_by("feed", maintain_order=True).last()


def _sun(feeds: Feeds, slots: pl.Series) -> Floats:
    return feeds.solar(slots, list(_PROVINCES.values())).drop("slot").to_numpy()


def _read(network: OracleRun, feeds: list[str], slots: pl.Series) -> pl.DataFrame:
    """Return what a reader has of each feed when each slot is over; null before the first report."""
    readers = pl.DataFrame({"feed": feeds}).join(slots.alias("slot").to_frame(), how="cross")
    over = pl.col("slot") + pl.duration(minutes=_SLOT_MINUTES)
    return network.read_many(readers.select("feed", time=over)).select("feed", readers["slot"], "value")


def _as_reported(feeds: Feeds, names: list[str], runs: list[tuple[OracleRun, pl.Series]]) -> Feeds:
    """Return feeds in whose world the weather is what the network said it was."""
    said = pl.concat([_read(network, names, slots) for network, slots in runs])
    known = Feeds(feeds.seed).set(feeds.lever_values())
    for name in names:
        scale = family_of(name).scale
        one = said.filter(feed=name).sort("slot")
        # A reader keeps the last report until there is another one; before the first he has none.
        whole = one["value"].fill_null(strategy="forward").fill_null(0)
        known.replace(name, pl.DataFrame({"slot": one["slot"], "value": whole / scale}))
    return known


def _forecasts(
    agents: Agents, sequence: MarketSequence, reported: Feeds, readings: pl.DataFrame, slots: pl.Series
) -> dict[str, pl.DataFrame]:
    stages = sequence.forecasts(readings, seed=agents.seed)
    leads = {"day_ahead": "day_ahead", "intraday": _lead(int(sequence.gate_closure))}
    return {
        stage: frame.with_columns(agents.generation(_guess(reported, slots, leads[stage])))
        for stage, frame in stages.items()
    }


def _lead(minutes: int) -> str:
    """Return the lead of the newest forecast that is there so many minutes before delivery."""
    there = [name for name, ahead in LEADS.items() if ahead is not None and ahead * _SLOT_MINUTES >= minutes]
    return there[-1] if there else "day_ahead"


def _guess(reported: Feeds, slots: pl.Series, lead: str) -> Floats:
    names = weather_feeds()
    values = reported.forecast(slots, names, lead=lead)["value"].to_numpy().reshape(len(names), slots.len())
    return values.T / family_of(names[0]).scale


def _references(network: OracleRun, slots: pl.Series) -> pl.DataFrame:
    prices = _read(network, [PRICE_FEED], slots)
    if prices["value"].null_count():
        first = prices.filter(pl.col("value").is_null())["slot"][0]
        raise OracleError(
            f"{PRICE_FEED}: the network has reported no price yet at the end of the slot {first:%Y-%m-%d %H:%M}, so "
            "that imbalance cannot be settled; bribe or cut fewer providers, lab.oracle.mend() takes both back"
        )
    zones = pl.DataFrame({"zone": list(ZONES)})
    return prices.select("slot", price="value").join(zones, how="cross").select("slot", "zone", "price")
