"""What a utility bills for a month: energy, demand, service, power factor, Ft and VAT, to the satang.

Every line is exact; the bill is rounded once, its total to the satang, half up. Rates come from the tables ``tariffs``,
``ft_history`` and ``vat_rates``, which are versioned by billing month.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from html import escape
from typing import Any

import polars as pl

from gridlab import units
from gridlab.errors import ArgumentError, TariffError
from gridlab.market.charges.tariff_table import (
    Rate,
    energy_rates,
    ft_group,
    ft_rate,
    marginal_rate,
    marginal_rates,
    tariff_rates,
    vat_rate,
)

__all__ = ["RetailBill", "bill", "energy_rates", "ft_rate", "marginal_rate", "marginal_rates", "vat_rate"]

# A customer with kvar above this share of the highest kW has a power factor below 0.85 (MEA tariff page 109/258).
_FREE_KVAR = Fraction(6197, 10_000)
# The demand part of a bill is at least this share of the highest of the preceding 12 months (the same page).
_MINIMUM_SHARE = Decimal("0.70")
# More than any customer: it keeps every amount within the digits of a line.
_MOST = 10**11
_MOST_FT = 1000
_SATANG = Decimal("0.01")
# The caller's context may round; in this one every amount is exact.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_LINES: dict[str, Any] = {
    "item": pl.String,
    "item_th": pl.String,
    "quantity": pl.Decimal(38, 7),
    "unit": pl.String,
    "rate": pl.Decimal(18, 4),
    "amount": pl.Decimal(38, 9),
}
_PERIODS = {
    "all": ("", ""),
    "on_peak": (", on-peak", " ช่วง On Peak"),
    "off_peak": (", off-peak", " ช่วง Off Peak"),
    "partial": (", partial peak", " ช่วง Partial Peak"),
}
_Line = tuple[str, str, Decimal | None, str, Decimal | None, Decimal]


@dataclass(frozen=True, slots=True)
class RetailBill:
    """A month's bill; all amounts in THB and exact, `total` rounded to the satang.

    Attributes
    ----------
    tariff, voltage, month : str
        As in the tables.
    kwh : Decimal
        Energy billed.
    energy, demand, service, power_factor, ft : Decimal
        Parts before VAT; `demand` includes what raises it to the minimum charge.
    subtotal : Decimal
        Their sum.
    vat : Decimal
        Value added tax on `subtotal`.
    total : Decimal
        `subtotal` + `vat`, rounded half up to 0.01 THB.
    lines : polars.DataFrame
        item, item_th, quantity, unit, rate, amount (Decimal); VAT is the last line.
    """

    tariff: str
    voltage: str
    month: str
    kwh: Decimal
    energy: Decimal
    demand: Decimal
    service: Decimal
    power_factor: Decimal
    ft: Decimal
    subtotal: Decimal
    vat: Decimal
    total: Decimal
    lines: pl.DataFrame = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        cells = [
            f"<tr><td>{escape(row['item'])}</td><td>{escape(row['item_th'])}</td>"
            f"<td style='text-align:right'>{_shown(row['quantity'])} {escape(row['unit'])}</td>"
            f"<td style='text-align:right'>{row['rate'] if row['rate'] is not None else ''}</td>"
            f"<td style='text-align:right'>{row['amount']:,.4f}</td></tr>"
            for row in self.lines.to_dicts()
        ]
        head = f"Tariff {escape(self.tariff)}, {escape(self.voltage)}, {escape(self.month)}"
        return (
            f"<table><caption>{head}</caption><thead><tr><th>Item</th><th>รายการ</th><th>Quantity</th><th>Rate</th>"
            f"<th>THB</th></tr></thead><tbody>{''.join(cells)}</tbody><tfoot><tr><th>Total</th><th>รวมเงินค่าไฟฟ้า</th>"
            f"<th></th><th></th><th style='text-align:right'>{self.total:,.2f}</th></tr></tfoot></table>"
        )


def bill(
    tariff: str = "1.1.2",
    *,
    month: str = "2026-05",
    voltage: str = "<22 kV",
    energy_kwh: units.Number | None = None,
    on_peak_kwh: units.Number | None = None,
    off_peak_kwh: units.Number | None = None,
    demand_kw: units.Number | None = None,
    partial_demand_kw: units.Number | None = None,
    off_peak_demand_kw: units.Number | None = None,
    kvar: units.Number | None = None,
    highest_demand_charge: units.Number | None = None,
    ft: units.Number | None = None,
) -> RetailBill:
    """Return the bill of one customer for one month.

    Parameters
    ----------
    tariff : str
        Number of the table ``tariffs``, such as ``1.1.2``; PEA's 1.3 is read as 1.2.
    month : str
        Billing month, YYYY-MM.
    voltage : str
        Band, such as ``<22 kV``; MEA's ``<12 kV`` and ``12-24 kV`` are read as PEA's bands.
    energy_kwh : number, optional
        Energy of a tariff without time of use (kWh, in whole Wh).
    on_peak_kwh, off_peak_kwh : number, optional
        Energy of a time-of-use tariff (kWh, in whole Wh); both are needed.
    demand_kw : number, optional
        Highest 15-minute demand (kW), of the on-peak period where the tariff has one. Demands are billed to the
        nearest whole kW, a fraction of 0.5 kW being discarded.
    partial_demand_kw : number, optional
        Highest demand of the partial-peak period of tariff 4.1 (kW); what exceeds `demand_kw` is charged.
    off_peak_demand_kw : number, optional
        Highest off-peak demand (kW): free of charge, but part of the highest demand for the power factor.
    kvar : number, optional
        Highest 15-minute reactive demand (kvar), lagging. Above 61.97 % of the highest demand it is charged, to the
        nearest whole kvar, a fraction of 0.5 kvar being discarded.
    highest_demand_charge : number, optional
        Highest demand charge of the preceding 12 months (THB); the demand part is at least 70 % of it.
    ft : number, optional
        Fuel adjustment (THB/kWh); the table's value where it is not given.

    Returns
    -------
    RetailBill

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A quantity is not a number, is negative, or an energy is finer than a Wh.
    TariffError
        The tariff, its voltage or the month is not in the tables, or a quantity that the tariff needs is missing or one
        that it does not have is given.

    Notes
    -----
    The free electricity of 1.1.1 customers who use at most 50 kWh for the third month in a row is not applied.

    Examples
    --------
    >>> bill("1.1.2", month="2026-05", energy_kwh=300).total
    Decimal('1277.41')
    """
    tariff, voltage, rates = tariff_rates(tariff, month=month, voltage=voltage)
    used = _used(tariff, rates, {"all": energy_kwh, "on_peak": on_peak_kwh, "off_peak": off_peak_kwh})
    demands = _demands(tariff, rates, demand_kw, partial_demand_kw, off_peak_demand_kw)
    adjustment = ft_rate(month, ft_group(tariff)) if ft is None else _own_ft(ft)
    with localcontext(_EXACT):
        kwh = sum(used.values(), Decimal(0))
        parts: dict[str, list[_Line]] = {
            "energy": _energy_lines(rates, used),
            "demand": _demand_lines(rates, demands, tariff, highest_demand_charge),
            "service": _service_lines(rates),
            "power_factor": _power_factor_lines(tariff, rates, demands, kvar),
            "ft": [("Fuel adjustment (Ft)", "ค่าไฟฟ้าผันแปร (Ft)", kwh, "kWh", adjustment, kwh * adjustment)],
        }
        sums = {name: sum((line[-1] for line in lines), Decimal(0)) for name, lines in parts.items()}
        subtotal, rate = sum(sums.values(), Decimal(0)), vat_rate(month)
        vat = subtotal * rate
        lines = [line for group in parts.values() for line in group]
        lines.append(("Value added tax", "ภาษีมูลค่าเพิ่ม", subtotal, "THB", rate, vat))
        frame = pl.DataFrame(lines, schema=_LINES, orient="row")
        total = (subtotal + vat).quantize(_SATANG)
    return RetailBill(
        tariff=tariff,
        voltage=voltage,
        month=month,
        kwh=kwh,
        **sums,
        subtotal=subtotal,
        vat=vat,
        total=total,
        lines=frame,
    )


def _used(tariff: str, rates: tuple[Rate, ...], given: dict[str, units.Number | None]) -> dict[str, Decimal]:
    """Return period -> kWh for the periods of the tariff's energy rates."""
    names = {"all": "energy_kwh", "on_peak": "on_peak_kwh", "off_peak": "off_peak_kwh"}
    needed = {rate.period for rate in rates if rate.component == "energy"}
    missing = [names[period] for period in names if period in needed and given[period] is None]
    foreign = [names[period] for period in names if period not in needed and given[period] is not None]
    if missing or foreign:
        wanted = " and ".join(names[period] for period in names if period in needed)
        found = ", ".join(names[period] for period in names if given[period] is not None) or "none of them"
        raise TariffError(f"tariff {tariff} is billed by {wanted}; given: {found}")
    used = {}
    for period, amount in given.items():
        if amount is not None:
            number = _in_range(amount, names[period], "kWh")
            used[period] = _EXACT.scaleb(Decimal(units.energy(number)), -3)
    return used


def _demands(
    tariff: str,
    rates: tuple[Rate, ...],
    demand: units.Number | None,
    partial: units.Number | None,
    off_peak: units.Number | None,
) -> dict[str, Fraction]:
    """Return period -> demand in kW as measured, for the periods that are given."""
    periods = {rate.period for rate in rates if rate.component == "demand"}
    main = "all" if "all" in periods else "on_peak"
    given = {main: ("demand_kw", demand), "partial": ("partial_demand_kw", partial)}
    given["off_peak"] = ("off_peak_demand_kw", off_peak)
    foreign = [name for period, (name, value) in given.items() if value is not None and period not in periods]
    if foreign:
        allowed = ", ".join(name for period, (name, _) in given.items() if period in periods) or "no demand"
        raise TariffError(f"tariff {tariff} has no charge for {', '.join(foreign)}; it takes {allowed}")
    missing = [given[period][0] for period in (main, "partial") if period in periods and given[period][1] is None]
    if missing:
        raise TariffError(f"tariff {tariff} has a demand charge; give {' and '.join(missing)} (kW)")
    return {period: _in_range(value, name, "kW") for period, (name, value) in given.items() if value is not None}


def _energy_lines(rates: tuple[Rate, ...], used: dict[str, Decimal]) -> list[_Line]:
    lines: list[_Line] = []
    for rate in rates:
        if rate.component != "energy":
            continue
        end = used[rate.period] if rate.to_kwh is None else min(used[rate.period], Decimal(rate.to_kwh))
        amount = max(end - rate.from_kwh, Decimal(0))
        english, thai = _PERIODS[rate.period]
        if rate.from_kwh or rate.to_kwh is not None:
            span = f"{rate.from_kwh + 1}" + (f"-{rate.to_kwh}" if rate.to_kwh else " and over")
            english, thai = f", kWh {span}", f" หน่วยที่ {rate.from_kwh + 1}" + (
                f"-{rate.to_kwh}" if rate.to_kwh else " ขึ้นไป"
            )
        if amount or not rate.from_kwh:
            lines.append((f"Energy{english}", f"ค่าพลังงานไฟฟ้า{thai}", amount, "kWh", rate.rate, amount * rate.rate))
    return lines


def _demand_lines(
    rates: tuple[Rate, ...], demands: dict[str, Fraction], tariff: str, highest: units.Number | None
) -> list[_Line]:
    lines: list[_Line] = []
    for rate in rates:
        if rate.component != "demand" or rate.period not in demands:
            continue
        billed = _nearest_whole(demands[rate.period])
        if rate.period == "partial":
            billed = max(billed - _nearest_whole(demands["on_peak"]), 0)
        english, thai = _PERIODS[rate.period]
        charge = billed * rate.rate
        lines.append((f"Demand{english}", f"ค่าความต้องการพลังไฟฟ้า{thai}", Decimal(billed), "kW", rate.rate, charge))
    if highest is None:
        return lines
    if not demands:
        raise TariffError(f"tariff {tariff} has no demand charge, so highest_demand_charge does not apply")
    least = _decimal(_in_range(highest, "highest_demand_charge", "THB")) * _MINIMUM_SHARE
    added = max(least - sum((line[-1] for line in lines), Decimal(0)), Decimal(0))
    text = ("Minimum demand charge, added", "ค่าไฟฟ้าต่ำสุด ส่วนเพิ่ม")
    return [*lines, (*text, None, "", None, added)]


def _service_lines(rates: tuple[Rate, ...]) -> list[_Line]:
    return [
        ("Service", "ค่าบริการ", Decimal(1), "month", rate.rate, rate.rate)
        for rate in rates
        if rate.component == "service"
    ]


def _power_factor_lines(
    tariff: str, rates: tuple[Rate, ...], demands: dict[str, Fraction], kvar: units.Number | None
) -> list[_Line]:
    if kvar is None:
        return []
    rate = next((rate.rate for rate in rates if rate.component == "power_factor"), None)
    if rate is None:
        raise TariffError(f"tariff {tariff} has no power-factor charge, so kvar does not apply; leave it out")
    excess = _in_range(kvar, "kvar", "kvar") - _FREE_KVAR * max(demands.values())
    billed = max(_nearest_whole(excess), 0)
    return [("Power factor", "ค่าเพาเวอร์แฟคเตอร์", Decimal(billed), "kvar", rate, billed * rate)]


def _in_range(value: units.Number, name: str, unit: str) -> Fraction:
    number = _exact(value, name)
    if not 0 <= number <= _MOST:
        raise ArgumentError(f"{name}: {value} {unit} is not allowed; it must be from 0 to {_MOST:,} {unit}")
    return number


def _nearest_whole(number: Fraction) -> int:
    """Round to the nearest whole number; exactly one half is discarded."""
    return -((1 - 2 * number) // 2)


def _exact(value: units.Number, name: str) -> Fraction:
    number = units.exact(value, what=name)
    # A fraction of numpy's integers would overflow, and Decimal does not take them.
    return Fraction(int(number.numerator), int(number.denominator))


def _own_ft(ft: units.Number) -> Decimal:
    number = _exact(ft, "ft")
    if abs(number) > _MOST_FT:
        raise ArgumentError(f"ft: {ft} THB/kWh is not allowed; it must be from -{_MOST_FT} to {_MOST_FT} THB/kWh")
    return _decimal(number)


def _decimal(number: Fraction) -> Decimal:
    """Return an exact decimal of up to four places, or refuse."""
    if (number * 10_000).denominator != 1:
        raise ArgumentError(f"{float(number)} has more than the four decimals that tariffs have; round it first")
    return _EXACT.scaleb(Decimal((number * 10_000).numerator), -4)


def _shown(quantity: Decimal | None) -> str:
    if quantity is None:
        return ""
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
