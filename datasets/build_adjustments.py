"""What is added to the tariff on every bill: the fuel adjustment Ft and value added tax."""

from __future__ import annotations

from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["tables"]

SUBSIDY = "households of up to 300 kWh a month kept 3.99 THB/kWh by subsidy"
FT_ROWS = [
    ("2021-09", "2021-12", "all", "applied", "-0.1532", "3.61", "HUAHIN", "V", None),
    ("2022-01", "2022-04", "all", "applied", "0.0139", "3.76", "ASEANNOW; NAT-40013632", "V",
     "price quoted as 3.76 to 3.78"),
    ("2022-05", "2022-08", "all", "applied", "0.2477", "4.00", "MOICAP; BURIRAM; derived", "V",
     "0.9343 less the announced rise of 0.6866"),
    ("2022-09", "2022-12", "all", "applied", "0.9343", "4.72", "BKPC", "V", None),
    ("2023-01", "2023-04", "residential", "applied", "0.9343", "4.72", "BKP-2461417; unverified", "G", "price V, Ft G"),
    ("2023-01", "2023-04", "other", "applied", "1.5492", "5.33", "WISEBK; unverified", "G", "price V, Ft G"),
    ("2023-05", "2023-08", "all", "applied", "0.9119", "4.70", "PATTAYAONE; unverified", "G", "price V, Ft G"),
    ("2023-09", "2023-12", "all", "announced", "0.6689", "4.45", "NAT-40029761", "V", "replaced by the cabinet's cut"),
    ("2023-09", "2023-12", "all", "applied", "0.2048", "3.99", "NAT-40033596; unverified", "G", "price V, Ft G"),
    ("2024-01", "2024-04", "all", "applied", "0.3972", "4.18", "RECCESSARY", "V", SUBSIDY),
    ("2024-05", "2024-08", "all", "applied", "0.3972", "4.18", "MaMo; unverified", "G", "price V, Ft G"),
    ("2024-09", "2024-12", "all", "applied", "0.3972", "4.18", "NAT-40043651; derived", "D",
     "price V; the Ft of the period before, since the price is the same"),
    ("2025-01", "2025-04", "all", "applied", "0.3672", "4.15", "NAT-40047890", "V", None),
    ("2025-05", "2025-08", "all", "applied", "0.1972", "3.98", "EXCITE-16734; NAT-40049384; derived", "D",
     "price and cut of 0.17 on 30 April 2025 V, Ft by subtraction"),
    ("2025-09", "2025-12", "all", "applied", "0.1572", "3.94", "unverified", "G", None),
    ("2026-01", "2026-04", "all", "applied", "0.0972", "3.88", "unverified", "G", None),
    ("2026-05", "2026-08", "all", "applied", "0.1623", "3.95", "CAP-ft", "V2", None),
]  # fmt: skip


def _ft() -> Table:
    return Table(
        name="ft_history",
        title="Fuel adjustment (Ft) by billing period",
        title_th="ค่าไฟฟ้าผันแปร (Ft) รายงวด",
        description=(
            "ERC resets Ft every four months. One row per period and customer group; an announced value that was "
            "replaced before it was billed has the status announced."
        ),
        fields=(
            Field("period_start", "String", "", "first billing month, YYYY-MM"),
            Field("period_end", "String", "", "last billing month, YYYY-MM"),
            Field("group", "String", "", "all, residential or other"),
            Field("status", "String", "", "applied or announced"),
            Field("ft", "Decimal(4)", "THB/kWh", "fuel adjustment, without value added tax"),
            Field("average_price", "Decimal(4)", "THB/kWh", "headline average price with Ft, without value added tax"),
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=FT_ROWS,
    )


def _vat() -> Table:
    note = "statutory rate 10 %; the reduced rate is renewed year by year"
    return Table(
        name="vat_rates",
        title="Value added tax on electricity",
        title_th="ภาษีมูลค่าเพิ่มของค่าไฟฟ้า",
        description="On the sum of energy, demand, service, power-factor and fuel-adjustment charges.",
        fields=(
            Field("valid_from", "String", "", "first billing month, YYYY-MM"),
            Field("valid_to", "String", "", "last billing month; empty: no end known"),
            Field("rate", "Decimal(4)", "share", "0.07 is 7 %"),
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=[
            ("2015-11", "2025-09", "0.07", "PWC; CAP-ft", "V", note),
            ("2025-10", None, "0.07", "unverified", "G", note),
        ],
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_ft(), _vat()]
