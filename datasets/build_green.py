"""Green products, emission factors, and what it costs to use the network for one's own trade."""

from __future__ import annotations

from typing import Any

from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["tables"]

BUY, SELL, PREMIUM, ALL_IN, CERTIFICATE, CARBON, CHARGING = (
    "buy-back", "feed-in tariff", "premium", "all-in price", "certificate", "carbon credit", "vehicle charging",
)  # fmt: skip
# product, kind, price, highest price, unit, valid from, valid to, source, mark, note
GREEN: list[tuple[Any, ...]] = [
    ("household rooftop, net billing", BUY, "2.20", "2.20", "THB/kWh", "2021", None, "EQMAG; NAT-40029286; CAP-nm", "V",
     "type 1 customers, up to 10 kWp, contract of 10 years"),
    ("household rooftop, before 2021", BUY, "1.68", "1.68", "THB/kWh", None, "2020", "unverified", "G", None),
    ("school, hospital and pumping rooftop", BUY, "1.00", "1.00", "THB/kWh", "2021", None, "unverified", "G", "pilot"),
    ("community solar", SELL, "2.25", "2.25", "THB/kWh", "2025-10", None, "HUNTON; PV-MAG", "V",
     "upper limit; 1,500 MW, up to 10 MW a site, 25 years, non-firm"),
    ("solar, 2022 round", SELL, "2.1679", "2.1679", "THB/kWh", "2022", None, "unverified", "G", "25 years"),
    ("solar with battery, 2022 round", SELL, "2.8331", "2.8331", "THB/kWh", "2022", None, "unverified", "G",
     "25 years, partial-firm"),
    ("wind, 2022 round", SELL, "3.1014", "3.1014", "THB/kWh", "2022", None, "unverified", "G", "25 years"),
    ("biogas from waste water, 2022 round", SELL, "2.0724", "2.0724", "THB/kWh", "2022", None, "unverified", "G",
     "20 years"),
    ("southern border provinces, 2022 round", PREMIUM, "0.50", "0.50", "THB/kWh", "2022", None, "AUSTCHAM", "V",
     "on top of the feed-in tariff in Yala, Pattani and Narathiwat"),
    ("UGT1", PREMIUM, "0.0594", "0.0594", "THB/kWh", "2025", None, "NISHIMURA; BKP-2946312", "V",
     "on top of the normal bill, without VAT; EGAT hydro"),
    ("UGT1, proposed", PREMIUM, "0.0375", "0.0375", "THB/kWh", "2026", None, "ARGUS", "V",
     "consultation of 7 to 19 January 2026"),
    ("UGT2, indication", ALL_IN, "4.55", "4.56", "THB/kWh", "2024", None, "BGLOBAL; BKP-2730404", "V",
     "the final rate was not found"),
    ("first I-REC sale, hydro", CERTIFICATE, "50", "50", "THB/MWh", "2020", "2020", "BKP-1999115", "V",
     "10,000 certificates of Mae Klong"),
    ("I-REC, hydro, average of 2025", CERTIFICATE, "28.6", "28.6", "THB/MWh", "2025-01", "2025-11", "ARGUS", "V",
     "0.91 USD/MWh"),
    ("I-REC, hydro", CERTIFICATE, "1.32", "1.32", "USD/MWh", "2025-01", "2025-01", "ARGUS", "V", None),
    ("I-REC, hydro", CERTIFICATE, "0.55", "0.55", "USD/MWh", "2025-12", "2025-12", "ARGUS", "V", None),
    ("I-REC, solar and wind", CERTIFICATE, "1.81", "1.81", "USD/MWh", "2025-01", "2025-01", "ARGUS", "V", None),
    ("I-REC, solar and wind", CERTIFICATE, "0.55", "0.55", "USD/MWh", "2025-12", "2025-12", "ARGUS", "V", None),
    ("I-REC, indication", CERTIFICATE, "17.5", "28", "THB/MWh", "2026", None, "CAP-irec", "V2", "0.50 to 0.80 USD"),
    ("T-VER credit", CARBON, "80", "300", "THB/tCO2e", "2026", None, "CAP-irec", "V2", "sold over the counter"),
    ("public charging, low priority", CHARGING, "2.63", "2.63", "THB/kWh", "2020", None, "BKP-1963491", "V",
     "what the station pays; later 2.9162"),
    ("public charging, low priority", CHARGING, "2.9162", "2.9162", "THB/kWh", None, None, "NAT-40061904", "V",
     "what the station pays; revision asked for in 2026"),
    ("PTT public charging, on-peak", CHARGING, "7.5", "7.5", "THB/kWh", "2022-08", None, "PATTAYA-403218", "V", None),
    ("PTT public charging, off-peak", CHARGING, "4.5", "4.5", "THB/kWh", "2022-08", None, "PATTAYA-403218", "V", None),
]  # fmt: skip
# factor, value, highest value, unit, valid from, valid to, source, mark, note
FACTORS: list[tuple[Any, ...]] = [
    ("grid, scope 2", "0.4750", "0.4750", "kgCO2e/kWh", "2026-01-01", None, "TGO-NAT", "V",
     "generation with transmission and distribution losses; the old factor was allowed until 31 March 2026"),
    ("grid, upstream fuel, scope 3", "0.0812", "0.0812", "kgCO2e/kWh", "2026-01-01", None, "TGO-NAT", "V", None),
    ("grid, scope 2", "0.4999", "0.4999", "kgCO2e/kWh", "2018-01-01", "2025-12-31", "unverified", "G", None),
    ("grid, mean of 2001 to 2006", "0.5635", "0.5635", "kgCO2e/kWh", "2001-01-01", "2006-12-31", "SPINE", "V", None),
    ("gas, combined cycle", "0.38", "0.40", "tCO2/MWh", None, None, "unverified", "G", None),
    ("coal", "0.95", "0.95", "tCO2/MWh", None, None, "unverified", "G", None),
    ("lignite", "1.05", "1.05", "tCO2/MWh", None, None, "unverified", "G", None),
]  # fmt: skip
VALIDITY = (
    Field("valid_from", "String", "", "year or month; empty: not known"),
    Field("valid_to", "String", "", "year or month; empty: still valid or not known"),
)


def _green() -> Table:
    return Table(
        name="green_products",
        title="Prices of green products and surplus energy",
        title_th="ราคาผลิตภัณฑ์พลังงานสะอาดและการรับซื้อไฟฟ้าส่วนเกิน",
        description=(
            "Buy-back of rooftop surplus, feed-in tariffs, utility green tariffs, certificates, carbon credits and "
            "vehicle charging. Net metering one for one was studied and rejected in 2023."
        ),
        fields=(
            Field("product", "String", "", "name of the product"),
            Field("kind", "String", "", f"{BUY}, {SELL}, {PREMIUM}, {ALL_IN}, {CERTIFICATE}, {CARBON} or {CHARGING}"),
            Field("price", "Decimal(4)", "see unit", "price, or the lowest where a range is reported"),
            Field("price_high", "Decimal(4)", "see unit", "highest price reported"),
            Field("unit", "String", "", "THB/kWh, THB/MWh, USD/MWh or THB/tCO2e"),
            *VALIDITY,
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=GREEN,
    )


def _carbon() -> Table:
    return Table(
        name="carbon_factors",
        title="Emission factors of electricity",
        title_th="ค่าการปล่อยก๊าซเรือนกระจกของไฟฟ้า",
        description="Grid factors by period, and rough factors of generating units.",
        fields=(
            Field("factor", "String", "", "what it is for"),
            Field("value", "Decimal(4)", "see unit", "factor, or the lowest where a range is given"),
            Field("value_high", "Decimal(4)", "see unit", "highest value"),
            Field("unit", "String", "", "kgCO2e/kWh or tCO2/MWh"),
            Field("valid_from", "Date", "", "first day; empty: not known"),
            Field("valid_to", "Date", "", "last day; empty: still valid or not known"),
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=FACTORS,
    )


def _wheeling() -> Table:
    return Table(
        name="wheeling",
        title="Wheeling charges and estimates that were published",
        title_th="ค่าบริการใช้โครงข่ายไฟฟ้า (wheeling charge) ที่มีการเผยแพร่",
        description=(
            "ERC's draft postage stamp as read by a vendor, and a vendor's estimate of the all-in cost. Neither is "
            "gazetted. No charge by distance was found for trade between neighbours."
        ),
        fields=(
            Field("charge", "String", "", "what is charged"),
            Field("rate", "Decimal(4)", "THB/kWh", "rate, or the lowest of a range"),
            Field("rate_high", "Decimal(4)", "THB/kWh", "highest of the range"),
            *VALIDITY,
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=[
            ("postage stamp, ERC draft", "1.07", "1.07", "2026-05", None, "CAP-dppa", "V2",
             "a vendor's reading of a draft"),
            ("network and backup, all-in estimate", "1.50", "2.50", "2025", None, "CAP-egat", "V2",
             "for buyers of 10 MW and more; does not agree with the postage stamp"),
        ],
    )  # fmt: skip


def _ladder() -> Table:
    ladder = [
        ("same_transformer", "0.20", "หม้อแปลงเดียวกัน", "part of the distribution component"),
        ("same_feeder", "0.35", "สายป้อนเดียวกัน", "distribution component 0.33"),
        ("same_substation", "0.45", "สถานีไฟฟ้าเดียวกัน", "distribution component and busbar"),
        ("same_area", "0.75", "เขตการไฟฟ้าเดียวกัน", "distribution 0.33 and transmission 0.37 components"),
        ("other_area", "1.07", "ข้ามเขตผ่านระบบส่งของ กฟผ.", "postage stamp of the ERC draft"),
        ("ancillary_low", "0.05", "ค่าบริการเสริมความมั่นคง (ต่ำ)", "assumption; added to any of the above"),
        ("ancillary_high", "0.15", "ค่าบริการเสริมความมั่นคง (สูง)", "assumption; added to any of the above"),
    ]
    return Table(
        name="wheeling_ladder_synthetic",
        title="Teaching ladder of wheeling charges by distance (synthetic)",
        title_th="ขั้นบันไดค่าบริการใช้โครงข่ายไฟฟ้าตามระยะทาง (ค่าสมมติเพื่อการเรียนการสอน)",
        description=(
            "To contrast pricing by distance with the postage stamp; built on the unbundled components of the tariff "
            "6.1. Not a published charge."
        ),
        fields=(
            Field("path", "String", "", "how far the energy travels"),
            Field("rate", "Decimal(4)", "THB/kWh", "charge"),
            Field("path_th", "String", "", "Thai name"),
            Field("note", "String", "", "built from"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=[(*row, "gridlab", "S") for row in ladder],
        synthetic=True,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_green(), _carbon(), _wheeling(), _ladder()]
