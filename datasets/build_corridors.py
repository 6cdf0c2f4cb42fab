"""Limits of the corridors between regions: what was reported, and the defaults that the scenarios use."""

from __future__ import annotations

from typing import Any

from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["tables"]

OPERATION, MODEL, RATING = "operational limit", "model limit", "sum of circuit ratings"
# from, to, kind, low, high, unit, valid from, valid to, source, mark, note
REPORTED: list[tuple[Any, ...]] = [
    ("CAC", "SAC", "import used", "375", "600", "MW", "2014", "2016", "EGAT-2014; EGAT-2016", "V",
     "600 MW in 2014, 375 to 400 MW in 2016"),
    ("CAC", "SAC", OPERATION, "700", "700", "MW", None, "2022-04", "PHUKET", "V", "before the 500 kV line"),
    ("CAC", "SAC", OPERATION, "1600", "1600", "MW", "2022-05", None, "PHUKET", "V",
     "500 kV Bang Saphan 2 - Surat Thani 2 - Phuket 3, 504 km, phase 1"),
    ("SAC", "Phuket", OPERATION, "1170", "1170", "MW", "2022-05", None, "PHUKET", "V", "supply to Phuket"),
    ("SAC", "Malaysia", OPERATION, "380", "380", "MW", None, None, "TZ", "V",
     "300 MW HVDC Khlong Ngae - Gurun and 80 MW AC Sadao - Chuping (split not verified)"),
    ("Malaysia", "SAC", OPERATION, "380", "380", "MW", None, None, "TZ", "V", "as the other direction"),
    ("North and Northeast", "Central", MODEL, "4400", "4400", "MW", "2030", "2030", "TZ", "V2", "model year 2030"),
    ("Central", "North and Northeast", MODEL, "4400", "4400", "MW", "2030", "2030", "TZ", "V2", "model year 2030"),
    ("Central", "South", MODEL, "4400", "4400", "MW", "2030", "2030", "TZ", "V2", "model year 2030"),
    ("South", "Central", MODEL, "4400", "4400", "MW", "2030", "2030", "TZ", "V2", "model year 2030"),
    ("CAC", "SAC", RATING, "3400", "3400", "MVA", "2016", "2016", "PNT; derived", "D",
     "Bang Saphan - Chumphon and Bang Saphan - Lang Suan"),
    ("NAC", "CAC", RATING, "7850", "7850", "MVA", "2016", "2016", "PNT; derived", "D",
     "Mae Moh 3 - Tha Tako 3,400; Tak 2 1,700, Phitsanulok 2 1,700 and Bhumibol 1,050 to Nakhon Sawan"),
    ("NEC", "CAC", RATING, "5100", "5100", "MVA", "2016", "2016", "PNT; derived", "D",
     "Lam Takhong - Saraburi 2 and Tha Tako - Chaiyaphum 1 1,700 each, Saraburi 2 - Pak Chong and - Si Khiu 850 each"),
    ("NEC", "NAC", RATING, "1700", "1700", "MVA", "2016", "2016", "PNT", "V", "Lom Sak - Khon Kaen 3"),
    ("Lao PDR", "NAC", RATING, "3400", "3400", "MVA", "2016", "2016", "PNT", "V", "Hongsa - Nan"),
    ("Lao PDR", "NEC", RATING, "10350", "10350", "MVA", "2016", "2016", "PNT; derived", "D",
     ("Nam Theun 2 - Roi Et 2 and Nabong - Udon Thani 3 3,400 each, Houay Ho - Ubon 2 1,700, "
      "Phontong - Nong Khai 1,000, Thanaleng - Nong Khai 850")),
    ("CAC", "Cambodia", RATING, "1000", "1000", "MVA", "2016", "2016", "PNT", "V",
     "Watthana Nakhon - Banteay Meanchay"),
    ("SAC", "Malaysia", RATING, "2550", "2550", "MVA", "2016", "2016", "PNT; derived", "D",
     "Khlong Ngae - Gurun 1,700 and Sadao - Chuping 850"),
]  # fmt: skip

# scenario, one region, the other, MW in each direction, note
DEFAULTS = [
    ("default", "NAC", "CAC", 3000, "no published limit"),
    ("default", "NEC", "CAC", 2000, "no published limit"),
    ("default", "NEC", "NAC", 600, "no published limit"),
    ("default", "MAC", "CAC", 12000, "meant not to bind"),
    ("default", "CAC", "SAC", 1600, "the reported limit after the 500 kV line"),
    ("before_2022", "NAC", "CAC", 3000, "no published limit"),
    ("before_2022", "NEC", "CAC", 2000, "no published limit"),
    ("before_2022", "NEC", "NAC", 600, "no published limit"),
    ("before_2022", "MAC", "CAC", 12000, "meant not to bind"),
    ("before_2022", "CAC", "SAC", 700, "the reported limit before the 500 kV line"),
]

# from, to, MW, loss (share of the energy sent), note
CROSS_BORDER = [
    ("Lao PDR", "NEC", 3947, "0.0300", "limit: the 7 hydro projects of the 2021 memorandum; loss: assumed"),
    ("NEC", "Lao PDR", 893, "0.0300", "limit: highest export to EDL in 2019 (LFE), placed here; loss: assumed"),
    ("Lao PDR", "NAC", 1473, "0.0200", "limit: Hongsa, the thermal project of the 2021 memorandum; loss: assumed"),
    ("SAC", "Malaysia", 380, "0.0200", "limit: as reported in corridors (TZ); loss: assumed"),
    ("Malaysia", "SAC", 380, "0.0200", "limit: as reported in corridors (TZ); loss: assumed"),
    ("Malaysia", "Singapore", 200, "0.0100", "limit: LTMS-PIP phase 2, 100 MW Lao and 100 MW Malaysian; loss: assumed"),
]


def _reported() -> Table:
    return Table(
        name="corridors",
        title="Reported limits between regions and across borders",
        title_th="ขีดจำกัดการส่งไฟฟ้าระหว่างภาคและข้ามพรมแดน",
        description=(
            "Operational limits where they were reported, limits of a public planning model, and sums of the thermal "
            "ratings of the circuits of 2016; limits by N-1 and stability are far below those sums. No operational "
            "limit of the northern and north-eastern corridors is published."
        ),
        fields=(
            Field("from_area", "String", "", "EGAT's code of a region, or a name"),
            Field("to_area", "String", "", "EGAT's code of a region, or a name"),
            Field("kind", "String", "", f"{OPERATION}, import used, {MODEL} or {RATING}"),
            Field("limit_low", "Decimal(4)", "see unit", "lowest reported"),
            Field("limit_high", "Decimal(4)", "see unit", "highest reported"),
            Field("unit", "String", "", "MW or MVA"),
            Field("valid_from", "String", "", "year or month; empty: not known"),
            Field("valid_to", "String", "", "year or month; empty: still valid or not known"),
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=REPORTED,
    )


def _defaults() -> Table:
    rows = [
        (scenario, start, end, limit, note, "gridlab", "S")
        for scenario, one, other, limit, note in DEFAULTS
        for start, end in ((one, other), (other, one))
    ]
    return Table(
        name="corridors_synthetic",
        title="Teaching defaults of the limits between regions (synthetic)",
        title_th="ค่าสมมติของขีดจำกัดการส่งไฟฟ้าระหว่างภาค เพื่อการเรียนการสอน",
        description="One row per direction. Chosen for teaching; only the southern corridor follows a reported limit.",
        fields=(
            Field("scenario", "String", "", "default, or before_2022 (southern corridor before the 500 kV line)"),
            Field("from_region", "String", "", "EGAT's code of the region"),
            Field("to_region", "String", "", "EGAT's code of the region"),
            Field("limit_mw", "Int64", "MW", "highest exchange in this direction"),
            NOTE,
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
        synthetic=True,
    )


def _cross_border() -> Table:
    return Table(
        name="cross_border_synthetic",
        title="Teaching defaults of the limits and losses across Thailand's borders (synthetic)",
        title_th="ค่าสมมติของขีดจำกัดและกำลังสูญเสียการส่งไฟฟ้าข้ามพรมแดน เพื่อการเรียนการสอน",
        description=(
            "One row per direction. The limits lean on reported contracts and capacities, as the notes say; in which "
            "region they end, and every loss, is an assumption for teaching. No operational limit is published."
        ),
        fields=(
            Field("from_zone", "String", "", "EGAT's code of a region, or a country"),
            Field("to_zone", "String", "", "EGAT's code of a region, or a country"),
            Field("limit_mw", "Int64", "MW", "highest exchange in this direction"),
            Field("loss", "Decimal(4)", "share", "part of the energy sent that is lost"),
            NOTE,
            SOURCE,
            CONFIDENCE,
        ),
        rows=[(*row, "gridlab", "S") for row in CROSS_BORDER],
        synthetic=True,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_reported(), _defaults(), _cross_border()]
