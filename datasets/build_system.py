"""The power system: regional demand of 2019, national peaks, corridors between regions, small power plants."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["tables"]

REGION_NAMES = {
    "MAC": ("Metropolitan", "เขตนครหลวง"),
    "CAC": ("Central", "ภาคกลาง"),
    "NEC": ("Northeast", "ภาคตะวันออกเฉียงเหนือ"),
    "SAC": ("South", "ภาคใต้"),
    "NAC": ("North", "ภาคเหนือ"),
}
# EGAT net generation by region, 2019: peak MW, its time, minimum MW, its time, GWh, load factor (LFE tables 3.33-3.43)
REQUIREMENT = {
    "MAC": ("10994", "2019-04-25 13:49", "3191", "2019-01-01 07:00", "64259.5", "0.6672"),
    "CAC": ("11319", "2019-06-22 20:58", "3033", "2019-01-01 11:30", "73957.8", "0.7459"),
    "NEC": ("3972", "2019-06-22 20:54", "968", "2019-01-01 12:00", "21487.9", "0.6176"),
    "SAC": ("2727", "2019-04-21 20:39", "1328", "2019-01-05 04:00", "17772.2", "0.7440"),
    "NAC": ("3431", "2019-05-20 21:01", "1053", "2019-12-09 04:00", "17577.7", "0.5848"),
}
EGAT_SYSTEM = ("30854", "2019-05-02 22:27", "10523", "2019-01-01 12:00", "196474.7", "0.7269")
# With the very small power producers, 2019 (LFE tables 5.1-5.6)
TOTAL_NET_GENERATION = {
    "MAC": ("11070", None, None, None, "64375", None),
    "CAC": ("11400", "2019-05-08 22:30", None, None, "75380", None),
    "NEC": ("4427", "2019-05-20 20:40", None, None, "23629", None),
    "SAC": ("2932", None, None, None, "18538", None),
    "NAC": ("3575", None, None, None, "18165", None),
    "country": ("32273", "2019-05-03 14:27", "11467", "2019-01-02 04:00", "200086", "0.7077"),
}
# EGAT sales, 2019 (LFE tables 3.2-3.32)
SALES = {
    "MEA": ("9526", "2019-04-25 14:00", None, None, "54939.7", "0.6584"),
    "PEA R1": ("11936", "2019-05-03 23:00", None, None, "80961", "0.7743"),
    "PEA R2": ("3803", "2019-04-20 21:00", None, None, "20008", "0.6006"),
    "PEA R3": ("2609", "2019-04-25 19:30", None, None, "17010", "0.7442"),
    "PEA R4": ("3224", "2019-05-20 21:30", None, None, "16573", "0.5868"),
    "PEA": ("21151", "2019-04-20 21:00", None, None, "134552", None),
    "direct customers": ("1043", None, None, None, "3978", None),
    "all sales": ("29962", "2019-05-02 22:30", None, None, "193469", None),
    "export to TNB (Malaysia)": ("283", None, None, None, "168", None),
    "export to EDL (Lao PDR)": ("893", None, None, None, "1252", None),
}
DEMAND_FIELDS = (
    Field("peak_mw", "Decimal(4)", "MW", "highest demand of the year"),
    Field("peak_time", "Datetime", "", "when, Bangkok time"),
    Field("min_mw", "Decimal(4)", "MW", "lowest demand of the year"),
    Field("min_time", "Datetime", "", "when, Bangkok time"),
    Field("energy_gwh", "Decimal(4)", "GWh", "energy of the year"),
    Field("load_factor", "Decimal(4)", "share", "mean demand over peak demand"),
)


def _shares(column: int) -> dict[str, Decimal]:
    total = sum(Decimal(row[column]) for row in REQUIREMENT.values())
    unit = Decimal("0.0001")
    return {
        region: (Decimal(row[column]) / total).quantize(unit, ROUND_HALF_UP) for region, row in REQUIREMENT.items()
    }


def _regions() -> Table:
    by_energy, by_peak = _shares(4), _shares(0)
    rows = [
        (region, *REGION_NAMES[region], *REQUIREMENT[region], by_energy[region], by_peak[region], "LFE; derived", "V")
        for region in REQUIREMENT
    ]
    return Table(
        name="regions",
        title="EGAT's five regions, demand of 2019",
        title_th="ความต้องการไฟฟ้า 5 ภาคของ กฟผ. ปี 2562",
        description=(
            "EGAT net generation by region, half-hourly statistics of 2019, with the shares used to scale to another "
            "year (mark D: computed from the energy and the non-coincident peaks of this table). Supply points of MEA "
            "sit partly on generation of the central region, so MAC is more than EGAT's sales to MEA."
        ),
        fields=(
            Field("region", "String", "", "EGAT's code of the region"),
            Field("name", "String", "", "English name"),
            Field("name_th", "String", "", "Thai name"),
            *DEMAND_FIELDS,
            Field("share_energy", "Decimal(4)", "share", "of the five regions' energy"),
            Field("share_peak", "Decimal(4)", "share", "of the sum of the five regions' own peaks"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def _demand() -> Table:
    series = {
        "EGAT net generation": {**REQUIREMENT, "EGAT system": EGAT_SYSTEM},
        "total net generation": TOTAL_NET_GENERATION,
        "EGAT sales": SALES,
    }
    rows = [
        (name, area, *figures, "LFE", "V") for name, areas in series.items() for area, figures in areas.items()
    ]
    return Table(
        name="demand_2019",
        title="Demand of 2019 by region and by buyer",
        title_th="ความต้องการไฟฟ้าปี 2562 รายภาคและรายผู้ซื้อ",
        description=(
            "Three series: EGAT net generation by region; total net generation, which adds the very small power "
            "producers; EGAT's sales by buyer, exports included. Empty where the source gives no figure."
        ),
        fields=(
            Field("series", "String", "", "EGAT net generation, total net generation or EGAT sales"),
            Field("area", "String", "", "region, system or buyer"),
            *DEMAND_FIELDS,
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


# area, year, date, time, MW, MW in another report, which record, source, mark, note
PEAKS: list[tuple[Any, ...]] = [
    ("national", 2015, "2015-06-11", "14:02", "27345.8", None, "year", "EGAT-2016", "V", None),
    ("national", 2016, "2016-04-06", "20:21", "27639.3", None, "day", "TCIJ", "V", None),
    ("national", 2016, None, "14:13", "29004.6", None, "day", "BARROW; TCIJ", "V", "fourth record of April 2016"),
    ("national", 2016, None, None, "29618.8", None, "year", "TCIJ", "V", None),
    ("national", 2019, "2019-05-03", "14:27", "32273", None, "year", "LFE", "V", "net generation with VSPP"),
    ("national", 2023, "2023-03-27", "15:43", "31054.6", None, "day", "TNA-14216", "V", None),
    ("national", 2023, "2023-04-04", "15:28", "31495.5", None, "day", "TNA-14216", "V", None),
    ("national", 2023, "2023-04-06", "20:52", "32154.4", None, "day", "TNA-14216", "V", None),
    ("national", 2023, "2023-04-20", None, "33062", None, "day", "NAT-40027376", "V", None),
    ("national", 2023, "2023-04-21", None, "33384.7", None, "day", "NAT-40027376", "V", None),
    ("national", 2023, "2023-05-06", "21:41", "34826.5", "34130", "year", "NAT-40027429; PATTAYA-458957; TNA-15257",
     "V", "the other report is for the EGAT system"),
    ("national", 2024, "2024-02-22", "19:26", "30849.9", "30989", "day", "TNA-15431; BKP-2784507", "V", None),
    ("national", 2024, "2024-03-07", "19:47", "32704", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-01", "21:00", "33340.1", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-02", "20:51", "33827.1", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-04", "21:00", "34196.5", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-05", "22:22", "34277.4", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-06", "20:54", "34656.4", None, "day", "TNA-15431", "V", None),
    ("national", 2024, "2024-04-22", "20:58", "35830.0", None, "day", "PATTAYA-458957", "V", None),
    ("national", 2024, "2024-04-27", None, "36356", None, "day", "BKP-2784507", "V", None),
    ("national", 2024, "2024-04-29", "20:57", "36699.9", None, "day", "BKP-2784507; EXCITE-15435", "V", None),
    ("national", 2024, "2024-05-02", "22:24", "36792", None, "all-time", "unverified", "G",
     "the all-time record that is usually quoted"),
    ("national", 2025, "2025-01-25", "18:48", "27953.3", None, "day", "NAT-40049255", "V", None),
    ("national", 2025, "2025-02-28", "19:18", "30942", None, "day", "NAT-40049255", "V", None),
    ("national", 2025, "2025-03-29", "20:33", "33658.3", None, "day", "NAT-40049255", "V", None),
    ("national", 2025, "2025-04-24", "20:48", "34620.4", None, "day", "NAT-40049255", "V",
     "highest of the year up to 26 April 2025"),
    ("SAC", 2014, None, None, "2467", None, "year", "EGAT-2014", "V", None),
    ("SAC", 2016, "2016-04-18", "21:00", "2630", None, "year", "EGAT-2016", "V", None),
    ("SAC", 2017, None, None, "2713", None, "year", "BKP-1416118", "V", "May 2017"),
]  # fmt: skip


def _peaks() -> Table:
    return Table(
        name="peaks",
        title="Peak demand records",
        title_th="ความต้องการไฟฟ้าสูงสุด (พีค)",
        description=(
            "Records of the national system, and of the south, as reported. The peak moved from about 14:00-15:00 to "
            "20:00-22:00 with solar by day and air-conditioning and vehicle charging by night. No figure for 2026 was "
            "found."
        ),
        fields=(
            Field("area", "String", "", "national, or EGAT's code of a region"),
            Field("year", "Int64", "", "year, Christian era"),
            Field("date", "Date", "", "day; empty where the report gives none"),
            Field("time", "String", "", "HH:MM, Bangkok time; empty where the report gives none"),
            Field("peak_mw", "Decimal(4)", "MW", "demand"),
            Field("other_report_mw", "Decimal(4)", "MW", "what another report says"),
            Field("record", "String", "", "day, year or all-time"),
            SOURCE,
            CONFIDENCE,
            NOTE,
        ),
        rows=PEAKS,
    )


# fuel: plants, installed MW, contracted MW
VSPP = {
    "solar farm": (407, "1941.3", "1857.7"),
    "solar, government and co-operatives": (87, "339.3", "375.6"),
    "biomass": (181, "2227.5", "1150.9"),
    "biogas": (179, "399.5", "338.7"),
    "municipal waste": (30, "141.9", "132.0"),
    "wind": (8, "54.4", "52.8"),
    "coal, industrial waste, gas and other": (15, "236.7", "76.6"),
}


def _small_plants() -> Table:
    return Table(
        name="vspp_fleet_2022",
        title="Very small power producers connected to PEA, September 2022",
        title_th="ผู้ผลิตไฟฟ้าขนาดเล็กมาก (VSPP) ที่เชื่อมต่อกับ กฟภ. กันยายน 2565",
        description=(
            "Plants in commercial operation, summed by fuel from a public list of plants. The list's own total is 909 "
            "plants with 5,340.9 MW installed and 3,984.3 MW contracted; the rows by fuel hold two plants less."
        ),
        fields=(
            Field("fuel", "String", "", "fuel or source"),
            Field("plants", "Int64", "", "number of plants"),
            Field("installed_mw", "Decimal(4)", "MW", "installed capacity"),
            Field("contracted_mw", "Decimal(4)", "MW", "contracted capacity"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=[(fuel, *figures, "ESS; derived", "D") for fuel, figures in VSPP.items()],
        as_of="2022-09-30",
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_regions(), _demand(), _peaks(), _small_plants()]
