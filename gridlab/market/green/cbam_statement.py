"""The statement that a factory makes for the border adjustment: a row per good, the certificates due, and HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from gridlab import units
from gridlab.settings import say

__all__ = ["CbamStatement"]

_GRAMS = 1_000_000
# column, unit after division, divisor, English, Thai
_SHOWN = (
    ("mass", "t", 1_000, "exported", "ส่งออก"),
    ("electricity", "MWh", 1_000_000, "electricity", "ไฟฟ้าที่ใช้"),
    ("default_energy", "MWh", 1_000_000, "at the default factor", "ใช้ค่าโดยปริยาย"),
    ("direct", "t", _GRAMS, "direct", "ปล่อยทางตรง"),
    ("indirect", "t", _GRAMS, "indirect, counted", "ปล่อยทางอ้อมที่นับ"),
    ("free", "t", _GRAMS, "free allocation", "จัดสรรให้เปล่า"),
    ("deducted", "t", _GRAMS, "paid in Thailand", "จ่ายในไทยแล้ว"),
    ("payable", "t", _GRAMS, "payable", "ที่ต้องจ่าย"),
)


@dataclass(frozen=True)
class CbamStatement:
    """What is due for a period's exports.

    Attributes
    ----------
    frame : polars.DataFrame
        The goods as given, then ``default_energy`` (Wh at the default factor), ``indirect``, ``embedded``, ``free``,
        ``due``, ``deducted``, ``payable`` (Int64, gCO2e).
    certificate_price : float
        EUR/tCO2e.
    exchange_rate : float
        THB/EUR.
    certificates_accepted : bool
        Whether retired certificates of origin were counted, which the law does not.
    """

    frame: pl.DataFrame = field(repr=False)
    certificate_price: float
    exchange_rate: float
    certificates_accepted: bool

    @property
    def certificates(self) -> int:
        """CBAM certificates due: payable tonnes, their sum rounded up."""
        return -(-int(self.frame["payable"].sum()) // _GRAMS)

    @property
    def cost_eur(self) -> Decimal:
        """What the certificates cost (EUR), to the cent."""
        cents = self.certificates * int(units.exact(self.certificate_price) * 100)
        return Decimal(cents).scaleb(-2)

    @property
    def cost(self) -> int:
        """What the certificates cost (micro-THB)."""
        value = units.exact(self.certificate_price) * units.exact(self.exchange_rate) * self.certificates
        return int(value * units.MICRO)

    def __repr__(self) -> str:
        return f"CbamStatement({self.frame.height} goods, {self.certificates} certificates, {self.cost_eur} EUR)"

    def _repr_html_(self) -> str:
        heads = ["", *(f"{say(english, thai)} ({unit})" for _, unit, _, english, thai in _SHOWN)]
        columns = [name for name, *_ in _SHOWN]
        goods = zip(self.frame["good"].to_list(), self.frame.select(columns).rows(), strict=True)
        rows = "".join(_row(good, values) for good, values in goods)
        total = _row(say("Sum", "รวม"), self.frame.select(pl.col(columns).sum()).row(0))
        head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}{total}</tbody></table><p>{self._words()}</p>"

    def _words(self) -> str:
        cost = f"{self.cost_eur:,} EUR = {self.cost / units.MICRO:,.2f} THB"
        due = say(f"{self.certificates:,} CBAM certificates, {cost}.", f"ใบรับรอง CBAM {self.certificates:,} ใบ {cost}")
        shown = int(self.frame["certificates"].sum())
        if not shown or self.certificates_accepted:
            return html.escape(due)
        note = say(
            f" {shown / 1_000_000:,.0f} MWh of retired certificates are shown and not counted: the Union accepts a "
            "direct line or a power purchase agreement, not certificates alone.",
            f" ใบรับรอง REC ที่ยกเลิกแล้ว {shown / 1_000_000:,.0f} MWh แสดงไว้แต่ไม่นับ "
            "เพราะสหภาพยุโรปรับเฉพาะสายตรงหรือสัญญาซื้อขายไฟฟ้า (PPA)",
        )
        return html.escape(due + note)


def _row(name: str, values: tuple[Any, ...]) -> str:
    cells = "".join(
        f'<td style="text-align:right">{value / divisor:,.3f}</td>'
        for value, (_, _, divisor, _, _) in zip(values, _SHOWN, strict=True)
    )
    return f'<tr><th style="text-align:left">{html.escape(name)}</th>{cells}</tr>'
