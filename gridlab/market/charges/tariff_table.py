"""The retail tariff tables, asked by tariff, voltage and billing month; each unknown key is refused with a hint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import polars as pl

from gridlab import units
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, TariffError, nearest
from gridlab.frames import Column, Schema, show_rows

__all__ = [
    "GROUPS",
    "Rate",
    "energy_rates",
    "ft_group",
    "ft_rate",
    "marginal_rate",
    "marginal_rates",
    "tariff_rates",
    "vat_rate",
]

GROUPS = ("residential", "other")
_FIRST_MONTH = "2015-11"
_LAST_MONTH = "2100-12"
_ANY_VOLTAGE = "all"
# PEA's number of the tariff and MEA's and typed names of the bands -> what the tables call them.
_TARIFF_ALIASES = {"1.3": "1.2"}
_VOLTAGE_ALIASES = {"<12 kV": "<22 kV", "12-24 kV": "22-33 kV", "≥69 kV": ">=69 kV"}
_RATE_STEPS = 10_000
_ACCOUNTS = Schema(
    "accounts",
    (
        Column("tariff", pl.String, "text", "retail tariff, such as 1.1.2"),
        Column("voltage", pl.String, "text", "voltage band of the tariff"),
        Column("monthly_kwh", pl.Float64, "float", "usual energy bought in a month (kWh)"),
    ),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """One charge of a tariff in one billing month.

    Attributes
    ----------
    component : str
        ``energy``, ``demand``, ``service`` or ``power_factor``.
    period : str
        ``all``, ``on_peak``, ``off_peak`` or ``partial``.
    from_kwh : int
        The block holds the energy above this (kWh per month).
    to_kwh : int or None
        And up to this; None for the block without an end.
    rate : Decimal
        Four decimals, without Ft and VAT.
    unit : str
        THB/kWh, THB/kW, THB/month or THB/kvar.
    """

    component: str
    period: str
    from_kwh: int
    to_kwh: int | None
    rate: Decimal
    unit: str


def tariff_rates(tariff: str, *, month: str, voltage: str) -> tuple[str, str, tuple[Rate, ...]]:
    """Return the tariff's and the band's names in the tables, and every charge in a billing month.

    Raises
    ------
    ArgumentTypeError
        An argument is not text.
    TariffError
        The tariff, its voltage band or the month is not in the tables.
    """
    check_month(month)
    tariff = _known(tariff, "tariff", _TARIFF_ALIASES, sorted({name for name, _ in _index(month)}))
    bands = sorted(band for name, band in _index(month) if name == tariff)
    # A tariff with one band for all voltages takes any band that exists.
    everywhere = bands == [_ANY_VOLTAGE]
    allowed = [*sorted({band for _, band in _index(month)})] if everywhere else bands
    voltage = _known(voltage, f"voltage of tariff {tariff}", _VOLTAGE_ALIASES, allowed)
    return tariff, voltage, _index(month)[tariff, _ANY_VOLTAGE if everywhere else voltage]


def energy_rates(month: str = "2026-05") -> pl.DataFrame:
    """Return the energy rates of every tariff in a billing month.

    Returns
    -------
    polars.DataFrame
        class, tariff, voltage, period, from_kwh, to_kwh (Int64), rate (Decimal, THB/kWh without Ft and VAT), source,
        confidence.

    Raises
    ------
    ArgumentTypeError, TariffError
        `month` is not text of the form YYYY-MM from 2015-11 on.
    """
    check_month(month)
    columns = ("class", "tariff", "voltage", "period", "from_kwh", "to_kwh", "rate", "source", "confidence")
    return _valid_rows(month).filter(pl.col("component") == "energy").select(columns)


def marginal_rate(
    tariff: str, *, month: str = "2026-05", voltage: str = "<22 kV", monthly_kwh: units.Number, on_peak: bool
) -> Decimal:
    """Return what the last kWh of a month costs: what a kWh bought elsewhere saves.

    Parameters
    ----------
    tariff : str
    month : str
        Billing month, YYYY-MM.
    voltage : str
        Band, such as ``<22 kV``.
    monthly_kwh : number
        Energy bought in the month (kWh); it selects the block: above `from_kwh`, up to `to_kwh`; 0 is in the first.
    on_peak : bool
        Which rate of a time-of-use tariff; without effect in others.

    Returns
    -------
    Decimal
        THB/kWh, without Ft and VAT.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `monthly_kwh` is not a number of at least 0, or `on_peak` not a Boolean.
    TariffError
        The tariff, its voltage band or the month is not in the tables.
    """
    if not isinstance(on_peak, bool):
        raise ArgumentTypeError(f"on_peak: expected True or False, got {on_peak!r} of type {type(on_peak).__name__}")
    kwh = units.exact(monthly_kwh, what="monthly_kwh")
    if kwh < 0:
        raise ArgumentError(f"monthly_kwh: {monthly_kwh} is not allowed; it must be 0 kWh or more")
    _, _, rates = tariff_rates(tariff, month=month, voltage=voltage)
    periods = ("all", "on_peak" if on_peak else "off_peak")
    blocks = [rate for rate in rates if rate.component == "energy" and rate.period in periods]
    return next(rate.rate for rate in blocks if rate.to_kwh is None or kwh <= rate.to_kwh)


def marginal_rates(frame: pl.DataFrame | pl.LazyFrame, *, month: str = "2026-05") -> pl.DataFrame:
    """Return what the last kWh of a month costs each account, as `marginal_rate` row by row.

    Parameters
    ----------
    frame : polars.DataFrame or polars.LazyFrame
        tariff, voltage (text) and monthly_kwh (any number, kWh); other columns pass through.
    month : str
        Billing month, YYYY-MM.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order with `on_peak` and `off_peak` (Int64, 0.0001 THB/kWh, without Ft and VAT); the
        two are equal for tariffs without time of use.

    Raises
    ------
    ArgumentTypeError, FrameError
        `frame` is not a frame, lacks a column, or holds an energy below 0.
    TariffError
        The month or a row's tariff and voltage are not in the tables; the first such rows are shown.
    """
    check_month(month)
    negative = {"monthly_kwh must be finite and 0 or more": ~pl.col("monthly_kwh").is_between(0, 1e300)}
    checked = _ACCOUNTS.check(frame, rules=negative)
    accounts = checked.select(
        pl.int_range(pl.len()).alias("row"),
        pl.col("tariff").replace(_TARIFF_ALIASES),
        pl.col("voltage").replace(_VOLTAGE_ALIASES),
        "monthly_kwh",
    )
    blocks = _blocks(month)
    unknown = accounts.join(blocks, on=("tariff", "voltage"), how="anti")
    if unknown.height:
        broken = pl.int_range(pl.len()).is_in(unknown["row"].implode())
        raise TariffError(
            f"accounts: tariff and voltage are not in the tables of {month}; dataset('tariffs') lists them\n"
            f"{show_rows(checked, broken)}"
        )
    in_block = pl.col("to_kwh").is_null() | (pl.col("monthly_kwh") <= pl.col("to_kwh"))
    above = (pl.col("monthly_kwh") > pl.col("from_kwh")) | (pl.col("from_kwh") == 0)
    found = accounts.join(blocks, on=("tariff", "voltage")).filter(in_block & above).sort("row")
    return checked.with_columns(found["on_peak"], found["off_peak"])


def ft_group(tariff: str) -> str:
    """Return the Ft customer group of a tariff of the tables: ``residential`` or ``other``."""
    return "residential" if tariff.startswith("1.") else "other"


def ft_rate(month: str, group: str = "residential") -> Decimal:
    """Return the fuel adjustment Ft as billed in a month.

    Parameters
    ----------
    month : str
        Billing month, YYYY-MM.
    group : {"residential", "other"}
        They differed from January to April 2023.

    Returns
    -------
    Decimal
        THB/kWh, without VAT.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `month` is not text, or `group` is not one of the two.
    TariffError
        No Ft of this month is known; the message names the first and the last known month.
    """
    if group not in GROUPS:
        raise ArgumentError(f"group {group!r} is not allowed; {nearest(group, GROUPS)}")
    check_month(month)
    found = _ft(month, group)
    if found is None:
        first, last = _ft_span()
        raise TariffError(
            f"no Ft is known for {month}; the table ft_history runs from {first} to {last}; give ft= to bill with a "
            "value of your own"
        )
    return found


def vat_rate(month: str) -> Decimal:
    """Return value added tax in a billing month as a share, 0.0700 being 7 %.

    Raises
    ------
    ArgumentTypeError, TariffError
        `month` is not text of the form YYYY-MM from 2015-11 on.
    """
    check_month(month)
    return _vat(month)


def check_month(month: str) -> None:
    """Refuse what is not a billing month of the tables.

    Raises
    ------
    ArgumentTypeError
        `month` is not text.
    TariffError
        `month` is not of the form YYYY-MM, or lies outside November 2015 to 2100.
    """
    if not isinstance(month, str):
        raise ArgumentTypeError(f"month: expected text such as '2026-05', got {month!r} of type {type(month).__name__}")
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
        raise TariffError(f"month {month!r} is not a billing month; write year and month, such as '2026-05'")
    if not _FIRST_MONTH <= month <= _LAST_MONTH:
        hint = "; years are of the Christian era, BE less 543" if month > _LAST_MONTH else ""
        raise TariffError(f"month {month!r} is not in the tariff tables; they begin with {_FIRST_MONTH}{hint}")


def _known(value: str, what: str, aliases: dict[str, str], allowed: list[str]) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what}: expected text, got {value!r} of type {type(value).__name__}")
    value = aliases.get(value, value)
    if value not in allowed:
        hint = nearest(value, allowed)
        near = f"{hint}; " if hint.startswith("did you mean") else ""
        raise TariffError(f"there is no {what} {value!r}; {near}allowed: {', '.join(map(repr, allowed))}")
    return value


def _in_force(month: str, first: str = "valid_from", last: str = "valid_to") -> pl.Expr:
    return (pl.col(first) <= month) & (pl.col(last).is_null() | (pl.col(last) >= month))


@cache
def _valid_rows(month: str) -> pl.DataFrame:
    return dataset("tariffs").filter(_in_force(month))


@cache
def _index(month: str) -> dict[tuple[str, str], tuple[Rate, ...]]:
    """Return (tariff, voltage) -> its charges; some 140 rows, read once per month asked for."""
    found: dict[tuple[str, str], tuple[Rate, ...]] = {}
    for row in _valid_rows(month).to_dicts():
        rate = Rate(*(row[name] for name in ("component", "period", "from_kwh", "to_kwh", "rate", "unit")))
        key = row["tariff"], row["voltage"]
        found[key] = (*found.get(key, ()), rate)
    return found


@cache
def _blocks(month: str) -> pl.DataFrame:
    """Return tariff, voltage, from_kwh, to_kwh, on_peak, off_peak (0.0001 THB/kWh): one row per block and band."""
    rate = (pl.col("rate") * _RATE_STEPS).cast(pl.Int64)
    blocks = (
        energy_rates(month)
        .group_by("tariff", "voltage", "from_kwh", "to_kwh", maintain_order=True)
        .agg(
            on_peak=rate.filter(pl.col("period") != "off_peak").first(),
            off_peak=rate.filter(pl.col("period") != "on_peak").first(),
        )
    )
    bands = blocks.select(band=pl.col("voltage").unique())
    everywhere = blocks.filter(pl.col("voltage") == _ANY_VOLTAGE).join(bands, how="cross")
    return pl.concat(
        [
            blocks.filter(pl.col("voltage") != _ANY_VOLTAGE),
            everywhere.with_columns(voltage="band").select(blocks.columns),
        ]
    )


@cache
def _ft(month: str, group: str) -> Decimal | None:
    rows = dataset("ft_history").filter(
        _in_force(month, "period_start", "period_end"),
        pl.col("status") == "applied",
        pl.col("group").is_in([group, "all"]),
    )
    return rows["ft"].item() if rows.height else None


def _ft_span() -> tuple[str, str]:
    history = dataset("ft_history")
    return str(history["period_start"].min()), str(history["period_end"].max())


@cache
def _vat(month: str) -> Decimal:
    rate: Decimal = dataset("vat_rates").filter(_in_force(month))["rate"].item()
    return rate
