"""What the European Union's carbon border adjustment (CBAM) asks of a Thai factory's exports.

Per good, in gCO2e, with q kg exported::

    indirect = [ f x (electricity - direct line - PPA) ]        only where the law counts indirect emissions
    embedded = direct + indirect
    free     = q x benchmark x free allocation x correction     what a plant in the Union would get for free
    due      = max(embedded - free, 0)
    payable  = due - what a carbon price paid in Thailand is worth in certificates

One certificate covers 1 tCO2e; the statement's sum is rounded up to whole certificates.

What the Union accepts for electricity (read in 2026):

- Indirect emissions count for cement and fertilisers; iron and steel, aluminium and hydrogen stand in Annex II, for
  which direct emissions alone count.
- The rule is a default factor of the country's grid. An actual factor may be claimed for electricity through a direct
  technical link, or under a power purchase agreement between the plant and the generator (Annex IV, points 4.3 and 6).
- Certificates of origin alone (RECs, I-RECs, guarantees of origin) are not accepted; nor are carbon credits.
  Retired certificates are therefore shown in the statement and change nothing, unless the lever is moved.

References
----------
Regulation (EU) 2023/956, Article 9, Article 31, Annexes II and IV; Directive 2003/87/EC as amended by Directive (EU)
2023/959, Article 10a(1a) (free allocation by year); Implementing Regulations (EU) 2025/2547 (method), 2025/2548
(certificate price), 2025/2620 (free allocation adjustment) and 2025/2621 (default values); Veyt, 17 August 2023, on
certificates of origin; Fendler Salva, April 2026, on the first certificate price.
"""

from __future__ import annotations

import polars as pl

from gridlab import units
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError
from gridlab.frames import Column, Schema
from gridlab.levers import Levers, choice, number, switch
from gridlab.market.charges.landed import share_of
from gridlab.market.green.cbam_statement import CbamStatement

__all__ = ["GOODS", "SECTORS", "Cbam", "free_allocation_in"]

SECTORS = pl.Enum(["cement", "fertilisers", "iron_and_steel", "aluminium", "hydrogen"])
_INDIRECT_SECTORS = ("cement", "fertilisers")

# Share of the free allocation that is left, %: Directive 2003/87/EC, Article 10a(1a).
_FREE_ALLOCATION = {
    2026: 97.5, 2027: 95.0, 2028: 90.0, 2029: 77.5, 2030: 51.5, 2031: 39.0, 2032: 26.5, 2033: 14.0, 2034: 0.0,
}  # fmt: skip

_PPM = 1_000_000
_LAW = "European Parliament and Council"
_MOST = 10**15
_MOST_GOODS = 1000
_MOST_BENCHMARK = 50_000
_ENERGIES = ("electricity", "direct_line", "ppa", "certificates")

GOODS = Schema(
    "goods",
    (
        Column("good", pl.String, "text", "what is exported; unique"),
        Column("sector", SECTORS, "category", "sector of the regulation"),
        Column("mass", pl.Int64, "integer", "exported to the Union (kg)"),
        Column("electricity", pl.Int64, "integer", "used to make it (Wh)"),
        Column("direct", pl.Int64, "integer", "direct emissions of making it (gCO2e)"),
        Column("benchmark", pl.Int64, "integer", "emissions allocated for free in full (gCO2e per kg)"),
        Column("direct_line", pl.Int64, "integer", "of the electricity, clean by a direct line (Wh)", required=False),
        Column("ppa", pl.Int64, "integer", "of the electricity, clean under a PPA (Wh)", required=False),
        Column("certificates", pl.Int64, "integer", "energy of certificates retired for it (Wh)", required=False),
        Column("paid_at_origin", pl.Int64, "integer", "carbon price paid in Thailand (micro-THB)", required=False),
    ),
)


class Cbam(Levers):
    """The terms of the border adjustment."""

    certificate_price = number(
        75.36,
        0.0,
        500.0,
        0.01,
        unit="EUR/tCO2e",
        label="Price of a CBAM certificate",
        label_th="ราคาใบรับรอง CBAM",
        source="first quarter of 2026, Commission, 7 April 2026, as reported by Fendler Salva (V2)",
        governed_by="European Commission, from the auctions of EU allowances",
    )
    exchange_rate = number(
        38.0,
        1.0,
        100.0,
        0.01,
        unit="THB/EUR",
        label="Exchange rate",
        label_th="อัตราแลกเปลี่ยน",
        source="teaching choice (S)",
        governed_by="foreign exchange market",
    )
    electricity_factor = number(
        0.475,
        0.0,
        2.0,
        0.0001,
        unit="kgCO2e/kWh",
        label="Default factor of the electricity used",
        label_th="ค่าการปล่อยโดยปริยายของไฟฟ้าที่ใช้ผลิต",
        source="the Thai Scope 2 factor stands in (fact sheet 6.2, V); the Commission's default was not found",
        governed_by="European Commission",
    )
    free_allocation = number(
        97.5,
        0.0,
        100.0,
        0.1,
        unit="% of the benchmark",
        label="Free allocation still granted in the Union",
        label_th="สัดส่วนสิทธิปล่อยที่สหภาพยุโรปยังให้เปล่า",
        source="2026: Directive 2003/87/EC, Article 10a(1a); free_allocation_in(year) has the years to 2034",
        governed_by=_LAW,
    )
    correction = number(
        100.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Cross-sectoral correction of the free allocation",
        label_th="ตัวคูณปรับการจัดสรรข้ามภาคส่วน",
        source="teaching choice (S): no correction",
        governed_by="European Commission",
    )
    indirect_scope = choice(
        "law",
        ["law", "all_goods"],
        label="Goods whose indirect emissions count",
        label_th="สินค้าที่นับการปล่อยทางอ้อม",
        source="Regulation (EU) 2023/956, Annex II: cement and fertilisers; all_goods: a what-if",
        governed_by=_LAW,
    )
    ppa_accepted = switch(
        default=True,
        label="Electricity under a PPA counts as clean",
        label_th="นับไฟฟ้าตามสัญญา PPA เป็นไฟฟ้าสะอาด",
        source="Regulation (EU) 2023/956, Annex IV, point 6",
        governed_by=_LAW,
    )
    certificates_accepted = switch(
        default=False,
        label="Retired certificates (RECs) count as clean electricity",
        label_th="นับใบรับรอง REC ที่ยกเลิกแล้วเป็นไฟฟ้าสะอาด",
        source="not accepted (Veyt on Implementing Regulation (EU) 2023/1773, 17 August 2023, V2); on: a what-if",
        governed_by=_LAW,
    )

    def statement(self, goods: pl.DataFrame | pl.LazyFrame) -> CbamStatement:
        """Return a factory's statement for a period.

        Parameters
        ----------
        goods : polars.DataFrame or polars.LazyFrame
            As `GOODS`, one row per good. The electricity's clean parts never count for more than the electricity.

        Returns
        -------
        CbamStatement

        Raises
        ------
        ArgumentTypeError, CertificateError
            `goods` is not a frame, or does not fit.
        """
        frame = self._checked(goods)
        certificate_value = units.exact(self.certificate_price) * units.exact(self.exchange_rate)  # THB/t
        price = int(certificate_value * 10_000)
        clean = pl.sum_horizontal(
            pl.col("direct_line"),
            pl.col("ppa") * int(self.ppa_accepted),
            pl.col("certificates") * int(self.certificates_accepted),
        )
        counted = pl.lit(self.indirect_scope == "all_goods") | pl.col("sector").is_in(_INDIRECT_SECTORS)
        # A price of nothing makes what was paid at home worth nothing here, either.
        paid = pl.col("paid_at_origin")
        worth = paid // price * 10_000 + paid % price * 10_000 // price if price else paid * 0
        rows = (
            frame.with_columns(default_energy=(pl.col("electricity") - clean).clip(lower_bound=0))
            .with_columns(indirect=share_of(pl.col("default_energy"), self._factor()) * counted.cast(pl.Int64))
            .with_columns(embedded=pl.col("direct") + pl.col("indirect"), free=self._free())
            .with_columns(due=(pl.col("embedded") - pl.col("free")).clip(lower_bound=0))
            .with_columns(deducted=pl.min_horizontal(worth, "due"))
            .with_columns(payable=pl.col("due") - pl.col("deducted"))
        )
        return CbamStatement(rows, self.certificate_price, self.exchange_rate, self.certificates_accepted)

    def _factor(self) -> int:
        return int(units.exact(self.electricity_factor) * _PPM)

    def _free(self) -> pl.Expr:
        full = pl.col("mass") * pl.col("benchmark")
        return share_of(share_of(full, units.share(self.free_allocation)), units.share(self.correction))

    @staticmethod
    def _checked(goods: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
        optional = [column.name for column in GOODS.columns if not column.required]
        frame = GOODS.check(goods, error=CertificateError)
        frame = frame.with_columns(
            pl.lit(0, dtype=pl.Int64).alias(name) for name in optional if name not in frame.columns
        )
        counted = ("mass", *_ENERGIES, "direct", "paid_at_origin")
        rules: dict[str, pl.Expr] = {
            f"{name} is not 0 … {_MOST}": ~pl.col(name).is_between(0, _MOST) for name in counted
        }
        rules[f"a benchmark is not 0 … {_MOST_BENCHMARK} g/kg"] = ~pl.col("benchmark").is_between(0, _MOST_BENCHMARK)
        rules["mass x benchmark is beyond what can be counted; look for a wrong unit"] = pl.col(
            "mass"
        ) > 4 * 10**18 // pl.col("benchmark").clip(lower_bound=1)
        rules[f"there are more than {_MOST_GOODS} goods; make several statements"] = (
            pl.int_range(pl.len()) >= _MOST_GOODS
        )
        rules["a good stands there twice"] = pl.col("good").is_duplicated()
        return GOODS.check(frame, rules=rules, error=CertificateError).select(column.name for column in GOODS.columns)

    def __repr__(self) -> str:
        return f"Cbam(certificate_price={self.certificate_price}, free_allocation={self.free_allocation})"


def free_allocation_in(year: int) -> float:
    """Return the lever `Cbam.free_allocation` (%) that the law sets for a year: 97.5 in 2026, 0 from 2034 on.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `year` is not a whole number, or before 2026.
    """
    if isinstance(year, bool) or not isinstance(year, int):
        raise ArgumentTypeError(f"year is {year!r}, allowed: a whole number from 2026 on")
    if year < min(_FREE_ALLOCATION):
        raise ArgumentError(f"year is {year}; allowed: 2026 or later, before it no certificates were due")
    return _FREE_ALLOCATION[min(year, max(_FREE_ALLOCATION))]
