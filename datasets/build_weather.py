"""Where the provinces lie, how turbid their air is, how hot and how cloudy their months are.

Coordinates are those of the provincial towns. Turbidity and altitude are read from the maps that pvlib carries; the
temperatures are normals of one station per climate zone, as secondary sources give them; the clearness is a judgement.
"""

from __future__ import annotations

from functools import cache

from build_places import MEA, PEA_AREAS
from build_solar import CLEARNESS
from tables import CONFIDENCE, SOURCE, Field, Table

__all__ = ["COORDINATES", "NORMALS", "tables"]

# province: latitude, longitude in degrees; three public lists agree with these within 0.1 degree.
COORDINATES = {
    "Bangkok": (13.7563, 100.5018), "Samut Prakan": (13.5991, 100.5998), "Nonthaburi": (13.8621, 100.5134),
    "Pathum Thani": (14.0208, 100.5250), "Phra Nakhon Si Ayutthaya": (14.3532, 100.5684),
    "Ang Thong": (14.5896, 100.4551), "Lop Buri": (14.7995, 100.6534), "Sing Buri": (14.8936, 100.4015),
    "Chai Nat": (15.1852, 100.1252), "Saraburi": (14.5289, 100.9101), "Nakhon Nayok": (14.2069, 101.2131),
    "Nakhon Pathom": (13.8196, 100.0601), "Samut Sakhon": (13.5475, 100.2744), "Samut Songkhram": (13.4098, 99.9994),
    "Suphan Buri": (14.4745, 100.1177), "Nakhon Sawan": (15.6987, 100.1199), "Uthai Thani": (15.3835, 100.0246),
    "Kamphaeng Phet": (16.4828, 99.5227), "Phichit": (16.4419, 100.3488), "Phitsanulok": (16.8211, 100.2659),
    "Sukhothai": (17.0078, 99.8234), "Phetchabun": (16.4190, 101.1566), "Prachin Buri": (14.0509, 101.3716),
    "Chachoengsao": (13.6904, 101.0779), "Chon Buri": (13.3611, 100.9847), "Rayong": (12.6814, 101.2816),
    "Chanthaburi": (12.6114, 102.1039), "Trat": (12.2428, 102.5175), "Sa Kaeo": (13.8140, 102.0728),
    "Chiang Mai": (18.7883, 98.9853), "Chiang Rai": (19.9105, 99.8406), "Lampang": (18.2888, 99.4928),
    "Lamphun": (18.5745, 99.0087), "Mae Hong Son": (19.3021, 97.9654), "Nan": (18.7831, 100.7782),
    "Phayao": (19.1664, 99.9022), "Phrae": (18.1446, 100.1411), "Uttaradit": (17.6201, 100.0993),
    "Nakhon Ratchasima": (14.9799, 102.0978), "Khon Kaen": (16.4322, 102.8236), "Udon Thani": (17.4138, 102.7872),
    "Ubon Ratchathani": (15.2448, 104.8473), "Buri Ram": (14.9951, 103.1029), "Surin": (14.8818, 103.4936),
    "Si Sa Ket": (15.1186, 104.3220), "Roi Et": (16.0538, 103.6520), "Kalasin": (16.4328, 103.5064),
    "Maha Sarakham": (16.1851, 103.3007), "Chaiyaphum": (15.8105, 102.0288), "Mukdahan": (16.5424, 104.7235),
    "Yasothon": (15.7926, 104.1451), "Amnat Charoen": (15.8585, 104.6298), "Bueng Kan": (18.3609, 103.6465),
    "Nong Bua Lam Phu": (17.2044, 102.4407), "Nong Khai": (17.8783, 102.7420), "Loei": (17.4860, 101.7223),
    "Sakon Nakhon": (17.1546, 104.1486), "Nakhon Phanom": (17.4084, 104.7788), "Songkhla": (7.1756, 100.6143),
    "Phuket": (7.8804, 98.3923), "Surat Thani": (9.1382, 99.3217), "Nakhon Si Thammarat": (8.4304, 99.9631),
    "Krabi": (8.0863, 98.9063), "Phangnga": (8.4501, 98.5255), "Trang": (7.5563, 99.6114),
    "Phatthalung": (7.6166, 100.0740), "Chumphon": (10.4930, 99.1800), "Ranong": (9.9658, 98.6348),
    "Satun": (6.6238, 100.0674), "Pattani": (6.8696, 101.2501), "Yala": (6.5411, 101.2804),
    "Narathiwat": (6.4255, 101.8253), "Kanchanaburi": (14.0228, 99.5328), "Tak": (16.8839, 99.1258),
    "Ratchaburi": (13.5283, 99.8134), "Phetchaburi": (13.1114, 99.9391), "Prachuap Khiri Khan": (11.8124, 99.7972),
}  # fmt: skip

_ANDAMAN = {"Ranong", "Phangnga", "Phuket", "Krabi", "Trang", "Satun"}
_GULF = {
    "Chumphon", "Surat Thani", "Nakhon Si Thammarat", "Phatthalung", "Songkhla", "Pattani", "Yala", "Narathiwat",
}  # fmt: skip
_ZONE_OF_AREA = {"N1": "north", "N2": "north", "NE1": "northeast", "NE2": "northeast", "NE3": "northeast"}
_SKY = {"gulf": "gulf", "andaman": "andaman"}
# With the months' own turbidity, which build_solar does not have, its clouds would leave the year below DEDE's band.
_THINNER = 0.87

# zone: (station, sources, mean daily high of January to December, mean daily low), degrees Celsius
NORMALS = {
    "metropolitan": (
        "Bangkok", "METOFFICE; LANGEASY",
        "32.7 33.5 34.5 35.6 34.6 33.9 33.3 33.1 33.0 33.1 33.1 32.4", "22 24 26 27 27 27 26 26 25 25 23 21",
    ),
    "central": (
        "Tha Muang (Kanchanaburi)", "W2V",
        "32.0 34.4 36.6 37.5 35.1 33.5 33.1 32.9 32.5 31.6 30.6 30.5",
        "18.4 21.0 23.3 25.2 25.1 24.8 24.4 24.4 23.9 23.3 21.4 18.5",
    ),
    "northeast": (
        "Khon Kaen", "TRAVELSETU", "30 33 36 36 34 33 32 32 32 31 30 29", "19 22 24 26 25 25 24 24 24 23 20 18",
    ),
    "north": (
        "Chiang Mai (1961 to 1990)", "LIQ-CNX",
        "28.9 32.2 34.9 36.1 34.1 32.3 31.7 31.1 31.3 31.1 29.8 28.3",
        "13.7 14.9 18.2 21.8 23.4 23.7 23.6 23.4 23.0 21.8 19.0 15.0",
    ),
    "gulf": (
        "Ko Samui", "LIQ-USM",
        "29.0 29.5 30.7 32.1 32.6 32.2 32.0 31.9 31.6 30.5 29.5 29.1",
        "24.1 25.0 25.6 26.1 25.8 25.5 25.1 25.1 24.8 24.4 24.1 23.9",
    ),
    "andaman": (
        "Phuket (1961 to 1990)", "LIQ-HKT",
        "31.8 32.9 33.5 33.4 32.0 31.6 31.2 31.2 30.7 30.9 31.0 31.2",
        "23.3 23.7 24.3 24.8 24.5 24.5 24.2 24.4 23.9 23.8 23.8 23.7",
    ),
}  # fmt: skip


def _zone(province: str, area: str | None) -> str:
    if area is None:
        return "metropolitan"
    if province in _ANDAMAN | _GULF:
        return "andaman" if province in _ANDAMAN else "gulf"
    return _ZONE_OF_AREA.get(area, "central")


def _provinces() -> list[tuple[str, str | None]]:
    listed: list[tuple[str, str | None]] = [(province, None) for province in MEA]
    return listed + [(province, area) for area, (_, names) in PEA_AREAS.items() for province in names]


def _places() -> Table:
    from pvlib.location import lookup_altitude

    rows = [
        (province, *COORDINATES[province], int(lookup_altitude(*COORDINATES[province])), _zone(province, area),
         "LISTS; PVLIB-MAPS; gridlab", "V2")
        for province, area in _provinces()
    ]  # fmt: skip
    return Table(
        name="province_places",
        title="Where the 77 provincial towns lie",
        title_th="พิกัดของตัวเมืองทั้ง 77 จังหวัด",
        description=(
            "Coordinates as three public lists give them, which agree within 0.1 degree; altitude from the map that "
            "pvlib carries (steps of 28 m); the climate zone groups provinces for the tables climate_normals and "
            "sky_clearness_synthetic and is this project's own (the west, the east and PEA's area N3 count as central)."
        ),
        fields=(
            Field("province", "String", "", "as in the table provinces"),
            Field("latitude", "Float64", "degrees north", "WGS 84"),
            Field("longitude", "Float64", "degrees east", "WGS 84"),
            Field("altitude", "Int64", "m", "above sea level"),
            Field("zone", "String", "", "metropolitan, central, northeast, north, gulf (eastern side of the peninsula) "
                                        "or andaman"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )  # fmt: skip


@cache
def _turbidities() -> list[tuple[str, int, str, str, str]]:
    import pandas as pd
    from pvlib.clearsky import lookup_linke_turbidity

    months = pd.date_range("2026-01-01", periods=12, freq="MS")
    return [
        (province, month, f"{value:.2f}", "REMUND; PVLIB-MAPS", "V2")
        for province, (latitude, longitude) in ((name, COORDINATES[name]) for name, _ in _provinces())
        for month, value in enumerate(
            lookup_linke_turbidity(months, latitude, longitude, interp_turbidity=False), start=1
        )
    ]


def _turbidity() -> Table:
    return Table(
        name="linke_turbidity",
        title="Linke turbidity by province and month",
        title_th="ค่าความขุ่นมัวของบรรยากาศ (Linke) รายจังหวัดและรายเดือน",
        description=(
            "How many clean dry atmospheres would dim the sun as much as the real cloudless one does: monthly means "
            "of a world map with a step of 5 minutes of arc, read at the provincial towns."
        ),
        fields=(
            Field("province", "String", "", "as in the table provinces"),
            Field("month", "Int64", "", "1 to 12"),
            Field("turbidity", "Float64", "", "Linke turbidity at air mass 2"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=_turbidities(),
    )


def _normals() -> Table:
    rows = [
        (zone, station, month, high, low, source, "V2")
        for zone, (station, source, highs, lows) in NORMALS.items()
        for month, (high, low) in enumerate(zip(highs.split(), lows.split(), strict=True), start=1)
    ]
    return Table(
        name="climate_normals",
        title="Mean daily high and low by climate zone and month",
        title_th="อุณหภูมิสูงสุดและต่ำสุดเฉลี่ยรายเดือนของแต่ละเขตภูมิอากาศ",
        description=(
            "One station stands for each zone. The figures come from secondary sources, which name the Thai "
            "Meteorological Department or the World Weather Information Service or nobody; periods differ."
        ),
        fields=(
            Field("zone", "String", "", "as in the table province_places"),
            Field("station", "String", "", "the station, with its period where the source gives one"),
            Field("month", "Int64", "", "1 to 12"),
            Field("high", "Float64", "°C", "mean of the daily maxima"),
            Field("low", "Float64", "°C", "mean of the daily minima"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def _clearness() -> Table:
    rows = [
        (zone, month, f"{1 - (1 - value) * _THINNER:.3f}")
        for zone in NORMALS
        for month, value in enumerate(CLEARNESS[_SKY.get(zone, "inland")], start=1)
    ]
    return Table(
        name="sky_clearness_synthetic",
        title="Mean clear-sky index by climate zone and month (synthetic)",
        title_th="ดัชนีท้องฟ้าแจ่มใสเฉลี่ยรายเดือนของแต่ละเขตภูมิอากาศ (ข้อมูลสังเคราะห์)",
        description=(
            "Irradiance over that of a cloudless sky, as a mean of the month: the judgement of the synthetic solar "
            "days, with 13 % less taken by clouds, so that the year's irradiation falls into the band of 18 to 19 "
            "MJ/m² a day in which DEDE puts half of the country."
        ),
        fields=(
            Field("zone", "String", "", "as in the table province_places"),
            Field("month", "Int64", "", "1 to 12"),
            Field("clearness", "Float64", "share", "mean clear-sky index"),
        ),
        rows=rows,
        synthetic=True,
    )


def _mix() -> Table:
    shares = {
        "MAC": ".24 .16 .30 .30", "CAC": ".18 .10 .12 .60", "NEC": ".46 .20 .12 .22", "SAC": ".36 .20 .18 .26",
        "NAC": ".44 .20 .14 .22",
    }  # fmt: skip
    kinds = ("household", "small_business", "mall", "factory")
    return Table(
        name="load_mix_synthetic",
        title="Who uses a region's electricity (synthetic)",
        title_th="สัดส่วนการใช้ไฟฟ้าแยกตามกลุ่มผู้ใช้ในแต่ละภาค (ข้อมูลสังเคราะห์)",
        description=(
            "Shares of a region's energy by kind of customer, drawn by judgement so that the regions together, "
            "weighted by their energy of 2019, give the country's industry 39 %, commerce 33 % and households 27 % "
            "of 2021 (DEDE, as quoted in LFE) within one per cent of the country's energy."
        ),
        fields=(
            Field("region", "String", "", "EGAT's code of the region, as in the table regions"),
            Field("kind", "String", "", "kind of customer, as in the table load_shapes_synthetic"),
            Field("share", "Float64", "share", "of the region's energy"),
        ),
        rows=[
            (region, kind, share)
            for region, cells in shares.items()
            for kind, share in zip(kinds, cells.split(), strict=True)
        ],
        synthetic=True,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_places(), _turbidity(), _normals(), _clearness(), _mix()]
