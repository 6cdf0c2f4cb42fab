"""Where the consortium's validators stand, and how long a message takes from there to the exchange point in Bangkok."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from build_places import CITIES as PLACES
from tables import CONFIDENCE, NOTE, SOURCE, Field, Table

__all__ = ["ACCESS_MS", "leg_ms", "tables"]

EARTH_KM = 6371.0088  # mean radius of the WGS 84 ellipsoid
FIBRE_KM_PER_MS = 299.792458 / 1.4682  # group index of G.652 single-mode fibre at 1550 nm
ROUTE_FACTOR = 2.1  # Bozkurt et al. 2018
# A round trip of 12 ms from Udon Thani to Bangkok was published: one way 6 ms, of which 4.88 ms in the fibre by the two
# constants above. The access at both ends gets the rest.
ACCESS_MS = 0.56

_OTHERS = {
    "Nonthaburi": ("นนทบุรี", 13.8591, 100.5217),
    "Lop Buri": ("ลพบุรี", 14.7995, 100.6534),
    "Udon Thani": ("อุดรธานี", 17.4138, 102.7872),
    "Ubon Ratchathani": ("อุบลราชธานี", 15.2448, 104.8473),
    "Chon Buri": ("ชลบุรี", 13.3611, 100.9847),
    "Nakhon Pathom": ("นครปฐม", 13.8199, 100.0621),
    "Phetchaburi": ("เพชรบุรี", 13.1119, 99.9399),
    "Nakhon Si Thammarat": ("นครศรีธรรมราช", 8.4304, 99.9631),
    "Yala": ("ยะลา", 6.5411, 101.2804),
}
_KNOWN = {city: (name_th, latitude, longitude) for city, name_th, _, latitude, longitude, _, _ in PLACES}
SEATS = (
    "Bangkok", "Nonthaburi", "Chiang Mai", "Phitsanulok", "Lop Buri", "Udon Thani", "Ubon Ratchathani",
    "Nakhon Ratchasima", "Ayutthaya", "Chon Buri", "Nakhon Pathom", "Phetchaburi", "Nakhon Si Thammarat", "Yala",
)  # fmt: skip
COORDINATES = {city: (_KNOWN | _OTHERS)[city] for city in SEATS}

_AREA = "PEA area {}"
_REGIONS_TH = {"N": "ภาคเหนือ", "NE": "ภาคตะวันออกเฉียงเหนือ", "C": "ภาคกลาง", "S": "ภาคใต้"}
_AREA_SEATS = (
    ("N1", "Chiang Mai"), ("N2", "Phitsanulok"), ("N3", "Lop Buri"), ("NE1", "Udon Thani"),
    ("NE2", "Ubon Ratchathani"), ("NE3", "Nakhon Ratchasima"), ("C1", "Ayutthaya"), ("C2", "Chon Buri"),
    ("C3", "Nakhon Pathom"), ("S1", "Phetchaburi"), ("S2", "Nakhon Si Thammarat"), ("S3", "Yala"),
)  # fmt: skip
VALIDATORS = (
    ("EGAT", "การไฟฟ้าฝ่ายผลิตแห่งประเทศไทย", "Nonthaburi"),
    ("MEA", "การไฟฟ้านครหลวง", "Bangkok"),
    ("PEA head office", "การไฟฟ้าส่วนภูมิภาค สำนักงานใหญ่", "Bangkok"),
    *(
        (_AREA.format(area), f"การไฟฟ้าส่วนภูมิภาค เขต {area[-1]} ({_REGIONS_TH[area[:-1]]})", seat)
        for area, seat in _AREA_SEATS
    ),
    ("ERC", "สำนักงานคณะกรรมการกำกับกิจการพลังงาน", "Bangkok"),
    ("EPPO", "สำนักงานนโยบายและแผนพลังงาน", "Bangkok"),
    ("DEDE", "กรมพัฒนาพลังงานทดแทนและอนุรักษ์พลังงาน", "Bangkok"),
    ("Bank of Thailand", "ธนาคารแห่งประเทศไทย", "Bangkok"),
    ("TGO", "องค์การบริหารจัดการก๊าซเรือนกระจก", "Bangkok"),
    ("Settlement bank", "ธนาคารผู้ชำระราคา", "Bangkok"),
)


def distance_km(city: str) -> float:
    """Return the great-circle distance from `city` to Bangkok in km, by the haversine formula."""
    _, south, west = COORDINATES["Bangkok"]
    _, latitude, longitude = COORDINATES[city]
    rise, turn = radians(latitude - south) / 2, radians(longitude - west) / 2
    chord = sin(rise) ** 2 + cos(radians(latitude)) * cos(radians(south)) * sin(turn) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))


def leg_ms(city: str) -> float:
    """Return the least one-way delay from a validator in `city` to the exchange point in Bangkok, in ms."""
    return ACCESS_MS + ROUTE_FACTOR * distance_km(city) / FIBRE_KM_PER_MS


def _legs() -> Table:
    rows = [
        (city, name_th, f"{latitude:.4f}", f"{longitude:.4f}", f"{distance_km(city):.1f}", f"{leg_ms(city):.2f}",
         "LISTS; BOZKURT; COMMONS-HOST; gridlab", "S")
        for city, (name_th, latitude, longitude) in COORDINATES.items()
    ]  # fmt: skip
    return Table(
        name="wan_legs_synthetic",
        title="One-way delay from fourteen cities to the exchange point in Bangkok (synthetic)",
        title_th="เวลาหน่วงทางเดียวจาก 14 เมืองถึงจุดแลกเปลี่ยนอินเทอร์เน็ตในกรุงเทพฯ (ค่าสมมติ)",
        description=(
            f"Computed, not measured: delay = {ACCESS_MS} ms + {ROUTE_FACTOR} x great-circle distance / speed of light "
            "in fibre (299.792458 km/ms divided by 1.4682). The factor is the rule of thumb of Bozkurt et al.; the "
            "access delay is what the one published Thai figure, a round trip of 12 ms from Udon Thani to Bangkok in "
            "2018, leaves for each end. Queueing is not in it. Coordinates are those of the public lists."
        ),
        fields=(
            Field("city", "String", "", "English name"),
            Field("city_th", "String", "", "Thai name"),
            Field("latitude", "Float64", "degrees north", "WGS 84"),
            Field("longitude", "Float64", "degrees east", "WGS 84"),
            Field("distance_km", "Float64", "km", "great-circle distance to Bangkok"),
            Field("delay_ms", "Float64", "ms", "least one-way delay of a message to the exchange point"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
        synthetic=True,
    )


def _validators() -> Table:
    areas, others = "where the area's head office is said to be", "where the head office is said to be"
    rows = [
        (number, name, name_th, city, areas if name.startswith("PEA area") else others, "gridlab", "S")
        for number, (name, name_th, city) in enumerate(VALIDATORS)
    ]
    return Table(
        name="validators_synthetic",
        title="The 21 validators of the teaching consortium and their cities (synthetic)",
        title_th="ผู้ตรวจสอบ 21 รายของเครือข่ายตัวอย่างกับเมืองที่ตั้ง (ค่าสมมติ)",
        description=(
            "No such consortium exists: who validates, and where the machine stands, is made up for teaching. None of "
            "the organisations has agreed to anything. The cities are those of their head offices, not verified."
        ),
        fields=(
            Field("validator", "Int64", "", "number, 0 to 20; 0 leads view 0"),
            Field("name", "String", "", "English name or initials"),
            Field("name_th", "String", "", "Thai name"),
            Field("city", "String", "", "as in wan_legs_synthetic"),
            NOTE,
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
        synthetic=True,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_legs(), _validators()]
