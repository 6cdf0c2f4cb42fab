"""What the pictures, plots and summaries look at: arrays and small tables made of a run's frames.

Every function takes frames by the names that a run gives them, so that a finished run and a day that a slider just
moved are looked at by the same eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from gridlab.calendar import is_on_peak
from gridlab.errors import ArgumentError, nearest
from gridlab.ui.book_picture import Book, Steps
from gridlab.ui.day_pictures import Hours
from gridlab.ui.figures import clock, day_of
from gridlab.ui.svg import Floats
from gridlab.ui.words import ZONES, lookup

__all__ = [
    "DayView",
    "book",
    "busiest",
    "day_view",
    "hour_prices",
    "payments",
    "positions",
    "saving_by_kind",
    "slot_names",
    "zones",
]

Frames = Mapping[str, pl.DataFrame]

_PER_KWH = 1000.0
_HOURS_PER_SLOT = 0.25


def zones(frames: Frames) -> list[str]:
    """Return the names of the zones that have accounts, in their declared order."""
    column = frames["accounts"]["zone"]
    present = set(column.unique().to_list())
    declared = column.dtype.categories.to_list() if isinstance(column.dtype, pl.Enum) else sorted(present)
    return [name for name in declared if name in present]


def _slots(frames: Frames) -> pl.Series:
    return frames["readings"]["slot"].unique().sort()


@dataclass(frozen=True, slots=True)
class DayView:
    """A run slot by slot.

    Attributes
    ----------
    hours : Hours
    price : Mapping[str, ndarray of float64, shape (slots,)]
        Zone -> THB/kWh; not a number where nothing traded.
    traded : Mapping[str, ndarray of float64, shape (slots,)]
        Zone -> kWh.
    load, generation, net : ndarray of float64, shape (slots,)
        All accounts together, mean over the slot (kW).
    """

    hours: Hours
    price: Mapping[str, Floats]
    traded: Mapping[str, Floats]
    load: Floats
    generation: Floats
    net: Floats


def _hours(slots: pl.Series) -> Hours:
    first = slots[0].replace(hour=0, minute=0)
    begins = (slots - first).dt.total_minutes().to_numpy() / 60
    days = slots.dt.date().unique().sort().to_list()
    return Hours(
        edges=np.append(begins, begins[-1] + _HOURS_PER_SLOT),
        dates=[f"{day.day}/{day.month}" for day in days],
        on_peak=is_on_peak(slots).to_numpy(),
    )


def _by_zone(frames: Frames, slots: pl.Series, column: str, missing: float) -> dict[str, Floats]:
    """Return zone -> one value per slot of a column of the prices frame, in thousands."""
    names = zones(frames)
    grid = np.full((len(names), slots.len()), missing)
    prices = frames["prices"].filter(pl.col("energy") > 0)
    place = prices["zone"].cast(pl.String).replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
    grid[place.to_numpy(), slots.search_sorted(prices["slot"]).to_numpy()] = prices[column].to_numpy() / _PER_KWH
    return dict(zip(names, grid, strict=True))


def day_view(frames: Frames) -> DayView:
    """Return a run slot by slot."""
    slots = _slots(frames)
    kilowatts = (
        frames["readings"]
        .group_by("slot")
        .agg(
            pl.col("load", "generation").sum(),
            net=(pl.col("imported") - pl.col("exported")).sum(),
        )
        .sort("slot")
        .select(pl.col("load", "generation", "net") / (_PER_KWH * _HOURS_PER_SLOT))
    )
    return DayView(
        hours=_hours(slots),
        price=_by_zone(frames, slots, "price", np.nan),
        traded=_by_zone(frames, slots, "energy", 0.0),
        load=kilowatts["load"].to_numpy(),
        generation=kilowatts["generation"].to_numpy(),
        net=kilowatts["net"].to_numpy(),
    )


def busiest(frames: Frames) -> tuple[datetime, str]:
    """Return the slot and the zone with the most energy traded; the first of each where nothing was."""
    prices = frames["prices"]
    if prices["energy"].sum() == 0:
        return _slots(frames)[0], zones(frames)[0]
    row = prices.row(int(prices["energy"].arg_max() or 0), named=True)
    return row["slot"], str(row["zone"])


def _steps(orders: pl.DataFrame, side: str) -> Steps:
    levels = (
        orders.filter(pl.col("side") == side)
        .group_by("limit")
        .agg(pl.col("energy").sum())
        .sort("limit", descending=side == "buy")
    )
    return Steps(levels["energy"].to_numpy() / _PER_KWH, levels["limit"].to_numpy() / _PER_KWH)


def slot_names(frames: Frames) -> dict[str, datetime]:
    """Return how each slot is called -> its start; with the date where the run has several days."""
    slots = _slots(frames)
    several = slots.dt.date().n_unique() > 1
    form = "%Y-%m-%d %H:%M" if several else "%H:%M"
    return dict(zip(slots.dt.to_string(form).to_list(), slots.to_list(), strict=True))


def book(frames: Frames, slot: datetime | str | None = None, zone: str | None = None) -> Book:
    """Return one order book and how it cleared.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
    slot : datetime or str, optional
        Start of a slot, or its name as `slot_names` gives it ("12:00"); the busiest where absent.
    zone : str, optional
        The busiest of that slot where absent.

    Raises
    ------
    ArgumentError
        The run has no such slot or zone.
    """
    moment = _moment(frames, slot)
    name = _zone(frames, zone, moment)
    here = (pl.col("slot") == moment) & (pl.col("zone").cast(pl.String) == name)
    orders = frames["fills"].filter(here)
    found = frames["prices"].filter(here & (pl.col("energy") > 0))
    row: dict[str, Any] = found.row(0, named=True) if found.height else {"energy": 0, "price": None}
    return Book(
        name=f"{lookup(ZONES, name)}, {day_of(moment)} {clock(moment)}",
        demand=_steps(orders, "buy"),
        supply=_steps(orders, "sell"),
        traded=row["energy"] / _PER_KWH,
        price=None if row["price"] is None else row["price"] / _PER_KWH,
        one_price=orders["price"].drop_nulls().n_unique() <= 1,
        buyer_surplus=row.get("buyer_surplus", 0),
        seller_surplus=row.get("seller_surplus", 0),
    )


def _moment(frames: Frames, slot: datetime | str | None) -> datetime:
    if slot is None:
        return busiest(frames)[0]
    names = slot_names(frames)
    if isinstance(slot, str) and slot in names:
        return names[slot]
    if isinstance(slot, datetime):
        local = slot if slot.tzinfo else slot.replace(tzinfo=next(iter(names.values())).tzinfo)
        found = next((moment for moment in names.values() if moment == local), None)
        if found is not None:
            return found
    raise ArgumentError(f"slot: {slot!r} is not in this run; {nearest(slot, names)}")


def _zone(frames: Frames, zone: str | None, moment: datetime) -> str:
    names = zones(frames)
    if zone is None:
        there = frames["prices"].filter(pl.col("slot") == moment)
        return str(there["zone"][int(there["energy"].arg_max() or 0)]) if there.height else names[0]
    if not isinstance(zone, str) or zone not in names:
        raise ArgumentError(f"zone: {zone!r} is not in this run; {nearest(zone, names)}")
    return zone


def hour_prices(frames: Frames) -> Floats:
    """Return the mean price by zone and hour of the day, weighted by energy, THB/kWh, shape (zones, 24).

    Not a number where nothing traded.
    """
    names = zones(frames)
    grid = np.full((len(names), 24), np.nan)
    means = (
        frames["trades"]
        .group_by(pl.col("zone").cast(pl.String), pl.col("slot").dt.hour().alias("hour"))
        .agg(price=pl.col("amount").sum() / pl.col("energy").sum())
    )
    place = means["zone"].replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
    grid[place.to_numpy(), means["hour"].to_numpy()] = means["price"].to_numpy() / _PER_KWH
    return grid


def saving_by_kind(balances: pl.DataFrame) -> pl.DataFrame:
    """Return ``kind``, ``accounts``, ``without``, ``with_market``, ``saving`` (micro-THB), most accounts first."""
    return (
        balances.group_by("kind", maintain_order=True)
        .agg(pl.len().alias("accounts"), pl.col("without", "with_market", "saving").sum())
        .sort("accounts", "kind", descending=[True, False])
    )


_ON_TRADES = ("energy", "wheeling", "losses", "fee", "vat")


def payments(frames: Frames) -> pl.DataFrame:
    """Return who pays whom for what: ``payer``, ``payee``, ``kind``, ``amount`` (micro-THB), by kind.

    Parties are ``prosumers`` and the names of the institutions; what is paid on trades is paid by ``buyers``, the
    energy of a trade to ``sellers``, unless some price is negative and energy is paid for either way.
    """
    parties = pl.concat(
        [
            frames["accounts"].select("account", party=pl.lit("prosumers")),
            frames["institutions"].select("account", party="name"),
        ]
    )
    one_way = not (frames["trades"]["amount"] < 0).any()
    on_trades = pl.col("kind").cast(pl.String).is_in(_ON_TRADES if one_way else _ON_TRADES[1:])
    seller = on_trades & (pl.col("kind").cast(pl.String) == "energy")
    return (
        frames["settlement"]
        .join(parties.rename({"account": "debit", "party": "payer"}), on="debit", how="left")
        .join(parties.rename({"account": "credit", "party": "payee"}), on="credit", how="left")
        .with_columns(
            payer=pl.when(on_trades & (pl.col("payer") == "prosumers")).then(pl.lit("buyers")).otherwise("payer"),
            payee=pl.when(seller)
            .then(pl.lit("sellers"))
            .when(on_trades & (pl.col("payee") == "prosumers"))
            .then(pl.lit("buyers"))
            .otherwise("payee"),
        )
        .group_by("kind", "payer", "payee")
        .agg(pl.col("amount").sum())
        .sort("kind", "payer", "payee")
        .select("payer", "payee", pl.col("kind").cast(pl.String), "amount")
    )


def positions(paid: pl.DataFrame) -> pl.DataFrame:
    """Return ``party``, ``received``, ``paid``, ``net`` (micro-THB) of `payments`; ``net`` sums to nothing.

    Buyers, sellers and prosumers are one party here: they are the same accounts.
    """
    one = pl.col("party").replace({"buyers": "prosumers", "sellers": "prosumers"})
    given = paid.select(party="payer", paid="amount", received=pl.lit(0, dtype=pl.Int64))
    taken = paid.select(party="payee", paid=pl.lit(0, dtype=pl.Int64), received="amount")
    return (
        pl.concat([given, taken])
        .with_columns(one)
        .group_by("party", maintain_order=True)
        .agg(pl.col("received", "paid").sum())
        .with_columns(net=pl.col("received") - pl.col("paid"))
    )
