"""The levers of the retail tariff: Ft, VAT and the buy-back price of rooftop surplus."""

from __future__ import annotations

from gridlab import units
from gridlab.levers import Levers, number

__all__ = ["RetailTerms"]


class RetailTerms(Levers):
    """What the utility adds to the base tariff, and what it pays for surplus."""

    ft = number(
        0.1623,
        -1.0,
        5.0,
        0.0001,
        unit="THB/kWh",
        label="Ft (fuel adjustment)",
        label_th="ค่า Ft",
        source="ERC, May to August 2026, as reported by Cap Solar (fact sheet 1.3, V2)",
        governed_by="ERC",
    )
    vat = number(
        7.0,
        0.0,
        30.0,
        0.1,
        unit="%",
        label="VAT",
        label_th="ภาษีมูลค่าเพิ่ม",
        source="Reduced rate 7 %, statutory 10 % (fact sheet 1.1, V)",
        governed_by="Cabinet",
    )
    buy_back = number(
        2.20,
        0.0,
        10.0,
        0.001,
        unit="THB/kWh",
        label="Buy-back of rooftop surplus",
        label_th="ราคารับซื้อไฟฟ้าส่วนเกิน",
        source="Household rooftop net billing since 2021 (fact sheet 1.4, V)",
        governed_by="ERC",
    )

    def ft_rate(self) -> int:
        """Return Ft in 0.1 THB/MWh (the fourth decimal of THB/kWh)."""
        return int(units.exact(self.ft) * 10_000)

    def vat_share(self) -> int:
        """Return the VAT in parts per million."""
        return units.share(self.vat)

    def buy_back_price(self) -> int:
        """Return the buy-back price in THB/MWh."""
        return units.price(self.buy_back)
