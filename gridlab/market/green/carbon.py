"""Carbon as a part: the grid's emission factor, credits, the carbon tax and an emissions trading system, as levers.

With the factor f of grid electricity (kgCO2e/kWh, which is gCO2e/Wh), e Wh from the grid emit ``[ f e ]`` g, rounded
once, halves upward. Since 1 THB/tCO2e x 1 g = 1 micro-THB, a carbon price x emissions is money without a remainder.

References
----------
WRI, "GHG Protocol Scope 2 Guidance", 2015 (location-based and market-based figures side by side); TGO's factors as
reported in The Nation, article 40059019, 2025 (fact sheet 6.2, V).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import polars as pl

from gridlab import units
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError
from gridlab.frames import Column, Schema
from gridlab.levers import Levers, number, switch
from gridlab.market.charges.landed import share_of
from gridlab.market.green.cbam import Cbam

__all__ = ["TONNE", "Carbon", "grid_factor_on"]

TONNE = 1_000_000  # g; also Wh of a megawatt-hour and micro-THB of a baht
_PPM = 1_000_000
_MOST = 10**14
_USE = Schema(
    "use",
    (
        Column("account", pl.UInt32, "integer", "who used it"),
        Column("energy", pl.Int64, "integer", "energy from the grid (Wh)"),
        Column("green", pl.Int64, "integer", "of it covered by retired certificates or a PPA (Wh)", required=False),
    ),
)


class Carbon(Levers):
    """What carbon costs and who says so."""

    parts = ("cbam",)

    grid_factor = number(
        0.475,
        0.0,
        2.0,
        0.0001,
        unit="kgCO2e/kWh",
        label="Emission factor of grid electricity",
        label_th="ค่าการปล่อยก๊าซเรือนกระจกของไฟฟ้าจากระบบ",
        source="Scope 2 factor from 2026-01-01 (fact sheet 6.2, V); 0.4999 before (G)",
        governed_by="TGO",
    )
    credit_price = number(
        190.0,
        0.0,
        5000.0,
        1.0,
        unit="THB/tCO2e",
        label="Price of a T-VER carbon credit",
        label_th="ราคาคาร์บอนเครดิต T-VER",
        source="middle of the 80 to 300 THB reported for 2026 (fact sheet 6.2, V2; D)",
        governed_by="over the counter; registry of TGO",
    )
    tax_rate = number(
        200.0,
        0.0,
        5000.0,
        1.0,
        unit="THB/tCO2e",
        label="Carbon tax",
        label_th="ภาษีคาร์บอน",
        source="cabinet, 21 January 2025, inside the fuel excise (fact sheet 6.2, V)",
        governed_by="Excise Department, Ministry of Finance",
    )
    tax_on_electricity = switch(
        default=False,
        label="Carbon tax is charged on grid electricity, too",
        label_th="เก็บภาษีคาร์บอนจากไฟฟ้าด้วย",
        source="the tax of 2025 is on fuels only (fact sheet 6.2, V); on: a what-if",
        governed_by="Excise Department, Ministry of Finance",
    )
    ets_cap = number(
        95.0,
        0.0,
        200.0,
        0.1,
        unit="% of baseline",
        label="Cap of the emissions trading system",
        label_th="เพดานการปล่อยรวมของระบบซื้อขายสิทธิ (ETS)",
        source="teaching choice (S): the bill of 2 December 2025 has no cap yet (fact sheet 6.2, V)",
        governed_by="parliament, under the Climate Change Bill",
    )
    ets_free_allocation = number(
        90.0,
        0.0,
        100.0,
        0.1,
        unit="% of the cap",
        label="Allowances given for free",
        label_th="สัดส่วนสิทธิที่จัดสรรให้เปล่า",
        source="teaching choice (S)",
        governed_by="parliament, under the Climate Change Bill",
    )
    ets_allowance_price = number(
        200.0,
        0.0,
        10000.0,
        1.0,
        unit="THB/tCO2e",
        label="Price of an allowance",
        label_th="ราคาสิทธิการปล่อย",
        source="teaching choice (S): the rate of the carbon tax; there is no market yet",
        governed_by="market for allowances",
    )
    ets_penalty = number(
        1000.0,
        0.0,
        50000.0,
        1.0,
        unit="THB/tCO2e",
        label="Penalty for emissions without an allowance",
        label_th="ค่าปรับส่วนที่ปล่อยเกินสิทธิ",
        source="teaching choice (S)",
        governed_by="parliament, under the Climate Change Bill",
    )

    def __init__(self, **levers: Any) -> None:
        self.cbam = Cbam()
        super().__init__(**levers)

    def emissions(self, energy: pl.Expr) -> pl.Expr:
        """Return the emissions (g) of `energy` (Wh) from the grid."""
        return share_of(energy, int(units.exact(self.grid_factor) * _PPM))

    def tax_on_energy(self) -> int:
        """Return the carbon tax on energy from the grid in 0.1 THB/MWh, halves upward; 0 where it is not charged.

        ``[ 10 t f ]`` for a tax of t THB/tCO2e and a factor of f kgCO2e/kWh, which is tCO2e/MWh.
        """
        if not self.tax_on_electricity:
            return 0
        return floor(10 * units.exact(self.tax_rate) * units.exact(self.grid_factor) + Fraction(1, 2))

    def credit_energy(self) -> int:
        """Return how much clean energy (Wh, rounded up) avoids 1 tCO2e at the grid factor: what backs one credit.

        Raises
        ------
        CertificateError
            The grid factor is 0, so nothing is avoided; or above 1, where a credit would need less than 1 MWh.
        """
        factor = units.exact(self.grid_factor)
        if not 0 < factor <= 1:
            raise CertificateError(
                f"carbon.grid_factor is {self.grid_factor} kgCO2e/kWh; carbon credits need one above 0 and up to 1"
            )
        return int(-(-TONNE // factor))

    def statement(self, use: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
        """Return the carbon statement of each account.

        Parameters
        ----------
        use : polars.DataFrame or polars.LazyFrame
            ``account``, ``energy`` (Wh from the grid), optional ``green`` (Wh of it covered by retired certificates or
            a PPA; what goes beyond the use counts for nothing).

        Returns
        -------
        polars.DataFrame
            ``account``, ``energy``, ``green`` (Wh), ``location_based``, ``market_based`` (gCO2e), ``tax`` and
            ``offset_cost`` (micro-THB): the carbon tax on electricity where it is charged, on the location-based
            figure, and what credits for the market-based figure would cost.

        Raises
        ------
        ArgumentTypeError, CertificateError
            `use` is not a frame, or does not fit.
        """
        names = ["energy", *(["green"] if "green" in use.collect_schema() else [])] if _is_frame(use) else []
        rules = {f"a column {name} is not 0 … {_MOST} Wh": ~pl.col(name).is_between(0, _MOST) for name in names}
        frame = _USE.check(use, rules=rules, error=CertificateError)
        green = pl.col("green") if "green" in frame.columns else pl.lit(0, dtype=pl.Int64)
        taxed = int(self.tax_rate) if self.tax_on_electricity else 0
        return (
            frame.select("account", "energy", green=pl.min_horizontal(green, "energy"))
            .with_columns(
                location_based=self.emissions(pl.col("energy")),
                market_based=self.emissions(pl.col("energy") - pl.col("green")),
            )
            .with_columns(
                tax=pl.col("location_based") * taxed, offset_cost=pl.col("market_based") * int(self.credit_price)
            )
        )

    def __repr__(self) -> str:
        return (
            f"Carbon(grid_factor={self.grid_factor}, tax_rate={self.tax_rate}, "
            f"ets_allowance_price={self.ets_allowance_price})"
        )


def _is_frame(use: object) -> bool:
    return isinstance(use, (pl.DataFrame, pl.LazyFrame))


def grid_factor_on(day: date) -> Decimal:
    """Return the Scope 2 factor of grid electricity (kgCO2e/kWh) that is valid on a day.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `day` is not a date, or before the first factor known.
    """
    if not isinstance(day, date):
        raise ArgumentTypeError(f"day is {day!r}, allowed: a date, such as date(2026, 5, 6)")
    day = date(day.year, day.month, day.day)
    factors = dataset("carbon_factors").filter(pl.col("factor") == "grid, scope 2").sort("valid_from")
    valid = factors.filter(pl.col("valid_from") <= day)
    if valid.is_empty():
        raise ArgumentError(f"no grid factor is known for {day}; allowed: from {factors['valid_from'][0]} on")
    factor: Decimal = valid["value"][-1]
    return factor
