"""Retail tariffs, their unbundled parts, the fuel adjustment and value added tax."""

from __future__ import annotations

from typing import Any

from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["tables"]

Row = tuple[Any, ...]
START = "2015-11"  # billing month from which energy and demand rates have stood unchanged
SERVICE_CUT = "2023-01"  # ERC meeting 51/2565
LOW, MEDIUM, HIGH, ANY = "<22 kV", "22-33 kV", ">=69 kV", "all"

# tariff: (class, English, Thai)
CLASSES = {
    "1.1.1": ("residential", "Residential, up to 150 kWh a month", "บ้านอยู่อาศัย ใช้ไฟฟ้าไม่เกิน 150 หน่วยต่อเดือน"),
    "1.1.2": ("residential", "Residential, over 150 kWh a month", "บ้านอยู่อาศัย ใช้ไฟฟ้าเกิน 150 หน่วยต่อเดือน"),
    "1.2": ("residential", "Residential, time of use", "บ้านอยู่อาศัย อัตราตามช่วงเวลาของการใช้ (TOU)"),
    "2.1": ("small_general", "Small general service", "กิจการขนาดเล็ก อัตราปกติ"),
    "2.2": ("small_general", "Small general service, time of use", "กิจการขนาดเล็ก อัตราตามช่วงเวลาของการใช้ (TOU)"),
    "3.1": ("medium_general", "Medium general service", "กิจการขนาดกลาง อัตราปกติ"),
    "3.2": ("medium_general", "Medium general service, time of use", "กิจการขนาดกลาง อัตราตามช่วงเวลาของการใช้ (TOU)"),
    "4.1": ("large_general", "Large general service, time of day", "กิจการขนาดใหญ่ อัตราตามช่วงเวลาของวัน (TOD)"),
    "4.2": ("large_general", "Large general service, time of use", "กิจการขนาดใหญ่ อัตราตามช่วงเวลาของการใช้ (TOU)"),
    "5.1": ("specific_business", "Specific business, until the TOU meter", "กิจการเฉพาะอย่าง ระหว่างรอติดตั้งมิเตอร์ TOU"),
    "5.2": ("specific_business", "Specific business, time of use", "กิจการเฉพาะอย่าง อัตราตามช่วงเวลาของการใช้ (TOU)"),
    "6.1": ("non_profit", "Non-profit organisation", "องค์กรที่ไม่แสวงหากำไร อัตราปกติ"),
    "7.1": ("agricultural_pumping", "Water pumping for agriculture", "สูบน้ำเพื่อการเกษตร อัตราปกติ"),
    "8 MEA": ("temporary", "Temporary supply, MEA", "ไฟฟ้าชั่วคราว การไฟฟ้านครหลวง"),
    "8 PEA": ("temporary", "Temporary supply, PEA", "ไฟฟ้าชั่วคราว การไฟฟ้าส่วนภูมิภาค"),
}
TARIFF_FIELDS = (
    Field("class", "String", "", "customer class"),
    Field("tariff", "String", "", "tariff number; 1.2 is MEA's number of the residential TOU tariff, PEA calls it 1.3"),
    Field("voltage", "String", "", "PEA's band; MEA's are <12, 12-24 and >=69 kV; 'all' where there is one band"),
    Field("component", "String", "", "energy, demand, service or power_factor"),
    Field("period", "String", "", "all, on_peak, off_peak or partial"),
    Field("from_kwh", "Int64", "kWh/month", "the block holds the energy above this"),
    Field("to_kwh", "Int64", "kWh/month", "and up to this; empty: no end"),
    Field("rate", "Decimal(4)", "see unit", "without fuel adjustment and without value added tax"),
    Field("unit", "String", "", "THB/kWh, THB/kW, THB/month or THB/kvar"),
    Field("valid_from", "String", "", "first billing month, YYYY-MM"),
    Field("valid_to", "String", "", "last billing month; empty: no end known"),
    SOURCE,
    CONFIDENCE,
    NOTE,
)


def _row(  # noqa: PLR0917 -- one argument per column, in the order of the columns
    tariff: str, voltage: str, component: str, period: str, rate: str, unit: str, source: str, mark: str, *,
    block: tuple[int, int | None] = (0, None), first: str = START, last: str | None = None, note: str | None = None,
) -> Row:
    return (CLASSES[tariff][0], tariff, voltage, component, period, *block, rate, unit, first, last, source, mark, note)


def _blocks(tariff: str, voltage: str, rates: dict[int | None, str], source: str, mark: str) -> list[Row]:
    """Energy rows of a block tariff: upper end of each block -> rate, None for the block without an end."""
    ends = list(rates)
    starts = [0, *(end for end in ends if end is not None)]
    return [
        _row(tariff, voltage, "energy", "all", rates[end], "THB/kWh", source, mark, block=(start, end))
        for start, end in zip(starts, ends, strict=False)
    ]


def _time_of_use(  # noqa: PLR0917 -- one argument per column, in the order of the columns
    tariff: str, voltage: str, on_peak: str, off_peak: str, source: str, mark: str
) -> list[Row]:
    return [
        _row(tariff, voltage, "energy", "on_peak", on_peak, "THB/kWh", source, mark),
        _row(tariff, voltage, "energy", "off_peak", off_peak, "THB/kWh", source, mark),
    ]


def _service(tariff: str, voltage: str, rate: str, source: str, mark: str, *, before: str | None = None) -> list[Row]:
    """Service charge; `before` is the charge until the cut of January 2023 where there was one."""
    if before is None:
        return [_row(tariff, voltage, "service", "all", rate, "THB/month", source, mark)]
    return [
        _row(tariff, voltage, "service", "all", before, "THB/month", source, mark, last="2022-12"),
        _row(tariff, voltage, "service", "all", rate, "THB/month", source, mark, first=SERVICE_CUT),
    ]


def _residential() -> list[Row]:
    first = {15: "2.3488", 25: "2.9882", 35: "3.2405", 100: "3.6237", 150: "3.7171", 400: "4.2218", None: "4.4217"}
    return [
        *_blocks("1.1.1", LOW, first, "MEA-111; NAT-40027429; MaMo", "V"),
        *_service("1.1.1", LOW, "8.19", "MEA-111; NAT-40027429; MaMo", "V"),
        *_blocks("1.1.2", LOW, {150: "3.2484", 400: "4.2218", None: "4.4217"}, "MaMo; PEA-2023-01", "V"),
        *_service("1.1.2", LOW, "24.62", "PEA-2023-01", "V", before="38.22"),
        *_time_of_use("1.2", LOW, "5.7982", "2.6369", "CAP-tou", "V2"),
        *_service("1.2", LOW, "24.62", "PEA-2023-01", "V", before="38.22"),
        *_time_of_use("1.2", MEDIUM, "5.1135", "2.6037", "unverified", "G"),
        *_service("1.2", MEDIUM, "312.24", "unverified", "G"),
    ]


def _small() -> list[Row]:
    return [
        *_blocks("2.1", MEDIUM, {None: "3.9086"}, "PEAC; MaMo", "V2"),
        *_service("2.1", MEDIUM, "312.24", "PEAC; MaMo", "V2"),
        *_blocks("2.1", LOW, {150: "3.2484", 400: "4.2218", None: "4.4217"}, "PEAC; MaMo", "V2"),
        *_service("2.1", LOW, "33.29", "PEA-2023-01", "V", before="46.16"),
        *_time_of_use("2.2", MEDIUM, "5.1135", "2.6037", "PEAC; MaMo", "V2"),
        *_service("2.2", MEDIUM, "312.24", "PEAC; MaMo", "V2"),
        *_time_of_use("2.2", LOW, "5.7982", "2.6369", "PEAC; MaMo; CAP-tou", "V2"),
        *_service("2.2", LOW, "33.29", "PEA-2023-01", "V", before="46.16"),
    ]


def _demand_common(tariff: str, voltage: str, source: str) -> list[Row]:
    """Service and power-factor charge, the same in classes 3, 4 and 5."""
    return [
        *_service(tariff, voltage, "312.24", source, "V"),
        _row(tariff, voltage, "power_factor", "all", "56.07", "THB/kvar", "MEA-114; MEA-258", "V",
             note="per kvar of the highest 15-minute demand above 61.97 % of the highest kW (power factor 0.85)"),
    ]


def _demand_normal() -> list[Row]:
    energy = {HIGH: "3.1097", MEDIUM: "3.1471", LOW: "3.1751"}
    demand = {
        "3.1": {HIGH: "175.70", MEDIUM: "196.26", LOW: "221.50"},
        "5.1": {HIGH: "220.56", MEDIUM: "256.07", LOW: "276.64"},
    }
    rows: list[Row] = []
    for tariff, by_voltage in demand.items():
        for voltage, rate in by_voltage.items():
            rows.append(_row(tariff, voltage, "demand", "all", rate, "THB/kW", "PEAC", "V2"))
            rows.append(_row(tariff, voltage, "energy", "all", energy[voltage], "THB/kWh", "PEAC", "V2"))
            rows += _demand_common(tariff, voltage, "MEA-258")
    return rows


def _demand_time_of_use() -> list[Row]:
    by_voltage = {
        HIGH: ("74.14", "4.1025", "2.5849"),
        MEDIUM: ("132.93", "4.1839", "2.6037"),
        LOW: ("210.00", "4.3297", "2.6369"),
    }
    # The page of schedule 5.2 was read; 3.2 and 4.2 are known to have its numbers from a secondary source.
    origin = {"3.2": ("MEA-258; PEAC", "V2"), "4.2": ("MEA-258; PEAC", "V2"), "5.2": ("MEA-258", "V")}
    rows: list[Row] = []
    for tariff, (source, mark) in origin.items():
        for voltage, (demand, on_peak, off_peak) in by_voltage.items():
            rows.append(_row(tariff, voltage, "demand", "on_peak", demand, "THB/kW", source, mark))
            rows.append(_row(tariff, voltage, "demand", "off_peak", "0", "THB/kW", source, mark))
            rows += _time_of_use(tariff, voltage, on_peak, off_peak, source, mark)
            rows += _demand_common(tariff, voltage, "MEA-258")
    return rows


def _time_of_day() -> list[Row]:
    by_voltage = {
        HIGH: ("224.30", "29.91", "3.1097"),
        MEDIUM: ("285.05", "58.88", "3.1471"),
        LOW: ("332.71", "68.22", "3.1751"),
    }
    excess = "08:00-18:30 every day; only the demand above that of the on-peak period"
    rows: list[Row] = []
    for voltage, (on_peak, partial, energy) in by_voltage.items():
        rows += [
            _row("4.1", voltage, "demand", "on_peak", on_peak, "THB/kW", "MEA-114", "V", note="18:30-21:30 every day"),
            _row("4.1", voltage, "demand", "partial", partial, "THB/kW", "MEA-114", "V", note=excess),
            _row("4.1", voltage, "demand", "off_peak", "0", "THB/kW", "MEA-114", "V", note="21:30-08:00 every day"),
            _row("4.1", voltage, "energy", "all", energy, "THB/kWh", "MEA-114", "V"),
            *_demand_common("4.1", voltage, "MEA-114"),
        ]
    return rows


def _others() -> list[Row]:
    misprint = "MEA's page prints 2.8031 for this block; 2.8013 is what the code of the second source bills"
    stray = "MEA's page prints a stray 3.2193 before this rate"
    return [
        _row("6.1", HIGH, "energy", "all", "3.4149", "THB/kWh", "MEA-259; MaMo", "V"),
        *_service("6.1", HIGH, "312.24", "MEA-259; MaMo", "V"),
        _row("6.1", MEDIUM, "energy", "all", "3.5849", "THB/kWh", "MEA-259; MaMo", "V", note=stray),
        *_service("6.1", MEDIUM, "312.24", "MEA-259; MaMo", "V"),
        _row("6.1", LOW, "energy", "all", "2.8013", "THB/kWh", "MaMo", "V2", block=(0, 10), note=misprint),
        _row("6.1", LOW, "energy", "all", "3.8919", "THB/kWh", "MEA-259; MaMo", "V", block=(10, None)),
        *_service("6.1", LOW, "20.00", "MEA-259; MaMo", "V"),
        *_blocks("7.1", ANY, {100: "2.0889", None: "3.2405"}, "MaMo", "V2"),
        *_service("7.1", ANY, "115.16", "MaMo", "V2"),
        *_blocks("8 MEA", ANY, {None: "6.8283"}, "MEA-261", "V"),
        *_blocks("8 PEA", ANY, {None: "6.8025"}, "SECONDARY", "V2"),
    ]


def _tariffs() -> Table:
    return Table(
        name="tariffs",
        title="Retail electricity tariffs of MEA and PEA",
        title_th="อัตราค่าไฟฟ้าขายปลีกของ กฟน. และ กฟภ.",
        description=(
            "Energy, demand, service and power-factor charges by tariff, voltage and billing month. Energy and demand "
            "rates stand unchanged since November 2015; service charges of small customers were cut in January 2023. "
            "MEA and PEA charge the same rates. No service charge of the temporary tariff 8 was found."
        ),
        fields=TARIFF_FIELDS,
        rows=[*_residential(), *_small(), *_demand_normal(), *_demand_time_of_use(), *_time_of_day(), *_others()],
    )


def _classes() -> Table:
    limits = {
        "residential": "households",
        "small_general": "less than 30 kW",
        "medium_general": "30 to 999 kW and at most 250,000 kWh a month on average of three months",
        "large_general": "1,000 kW and more, or more than 250,000 kWh a month",
        "specific_business": "hotels and other lodging of 30 kW and more",
        "non_profit": "non-governmental organisations that serve without charge, and places of worship",
        "agricultural_pumping": "pumping of water for agriculture",
        "temporary": "construction sites and events",
    }
    sourced = {"small_general", "medium_general", "large_general", "specific_business"}
    pages = {"non_profit": "MEA-259", "temporary": "MEA-261"}
    rows = []
    for tariff, (group, title, title_th) in CLASSES.items():
        source = "MEA-114; MEA-258" if group in sourced else pages.get(group, "unverified")
        rows.append((tariff, group, title, title_th, limits[group], source, "G" if source == "unverified" else "V"))
    return Table(
        name="tariff_classes",
        title="Names of the retail tariffs",
        title_th="ชื่อประเภทอัตราค่าไฟฟ้า",
        description="Each tariff of the table tariffs with its class, its names and who it is for.",
        fields=(
            Field("tariff", "String", "", "tariff number, as in the table tariffs"),
            Field("class", "String", "", "customer class"),
            Field("title", "String", "", "English name"),
            Field("title_th", "String", "", "Thai name"),
            Field("limits", "String", "", "who the class is for"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def _components() -> Table:
    parts = {
        HIGH: ("3.0194", "0.3636", "0.1875", "-0.1556"),
        MEDIUM: ("3.0488", "0.3759", "0.3297", "-0.1695"),
    }
    names = ("generation", "transmission", "distribution", "support")
    rows = [
        ("6.1", voltage, name, rate, "MaMo; MEA-259; derived", "D")
        for voltage, rates in parts.items()
        for name, rate in zip(names, rates, strict=True)
    ]
    return Table(
        name="tariff_components",
        title="Unbundled parts of the non-profit tariff 6.1",
        title_th="องค์ประกอบของอัตราค่าไฟฟ้าองค์กรที่ไม่แสวงหากำไร (ประเภท 6.1)",
        description=(
            "Generation, transmission, distribution and cross-subsidy; they sum to the published energy rate. The best "
            "public hint at the cost of Thai network service."
        ),
        fields=(
            Field("tariff", "String", "", "tariff number"),
            Field("voltage", "String", "", "voltage band"),
            Field("component", "String", "", "generation, transmission, distribution or support (cross-subsidy)"),
            Field("rate", "Decimal(4)", "THB/kWh", "part of the energy rate"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_tariffs(), _classes(), _components()]
