"""Provinces with their utility and regions, and the cities for which solar days are computed."""

from __future__ import annotations

from tables import CONFIDENCE, SOURCE, Field, Table

__all__ = ["CITIES", "tables"]

MEA = {
    "Bangkok": "กรุงเทพมหานคร",
    "Nonthaburi": "นนทบุรี",
    "Samut Prakan": "สมุทรปราการ",
}
# PEA area: (head office, {province: Thai name})
PEA_AREAS: dict[str, tuple[str, dict[str, str]]] = {
    "N1": ("Chiang Mai", {
        "Chiang Mai": "เชียงใหม่", "Chiang Rai": "เชียงราย", "Lampang": "ลำปาง", "Lamphun": "ลำพูน",
        "Phayao": "พะเยา", "Mae Hong Son": "แม่ฮ่องสอน",
    }),
    "N2": ("Phitsanulok", {
        "Phitsanulok": "พิษณุโลก", "Phichit": "พิจิตร", "Kamphaeng Phet": "กำแพงเพชร", "Tak": "ตาก",
        "Sukhothai": "สุโขทัย", "Uttaradit": "อุตรดิตถ์", "Phrae": "แพร่", "Nan": "น่าน",
    }),
    "N3": ("Lop Buri", {
        "Lop Buri": "ลพบุรี", "Sing Buri": "สิงห์บุรี", "Chai Nat": "ชัยนาท", "Uthai Thani": "อุทัยธานี",
        "Nakhon Sawan": "นครสวรรค์", "Phetchabun": "เพชรบูรณ์",
    }),
    "NE1": ("Udon Thani", {
        "Udon Thani": "อุดรธานี", "Khon Kaen": "ขอนแก่น", "Nong Khai": "หนองคาย", "Bueng Kan": "บึงกาฬ",
        "Loei": "เลย", "Nong Bua Lam Phu": "หนองบัวลำภู", "Sakon Nakhon": "สกลนคร", "Nakhon Phanom": "นครพนม",
    }),
    "NE2": ("Ubon Ratchathani", {
        "Ubon Ratchathani": "อุบลราชธานี", "Si Sa Ket": "ศรีสะเกษ", "Yasothon": "ยโสธร",
        "Amnat Charoen": "อำนาจเจริญ", "Mukdahan": "มุกดาหาร", "Roi Et": "ร้อยเอ็ด", "Kalasin": "กาฬสินธุ์",
        "Maha Sarakham": "มหาสารคาม",
    }),
    "NE3": ("Nakhon Ratchasima", {
        "Nakhon Ratchasima": "นครราชสีมา", "Chaiyaphum": "ชัยภูมิ", "Buri Ram": "บุรีรัมย์", "Surin": "สุรินทร์",
    }),
    "C1": ("Ayutthaya", {
        "Phra Nakhon Si Ayutthaya": "พระนครศรีอยุธยา", "Ang Thong": "อ่างทอง", "Saraburi": "สระบุรี",
        "Pathum Thani": "ปทุมธานี", "Nakhon Nayok": "นครนายก", "Prachin Buri": "ปราจีนบุรี", "Sa Kaeo": "สระแก้ว",
    }),
    "C2": ("Chon Buri", {
        "Chon Buri": "ชลบุรี", "Rayong": "ระยอง", "Chanthaburi": "จันทบุรี", "Trat": "ตราด",
        "Chachoengsao": "ฉะเชิงเทรา",
    }),
    "C3": ("Nakhon Pathom", {
        "Nakhon Pathom": "นครปฐม", "Kanchanaburi": "กาญจนบุรี", "Suphan Buri": "สุพรรณบุรี",
        "Samut Sakhon": "สมุทรสาคร",
    }),
    "S1": ("Phetchaburi", {
        "Phetchaburi": "เพชรบุรี", "Ratchaburi": "ราชบุรี", "Samut Songkhram": "สมุทรสงคราม",
        "Prachuap Khiri Khan": "ประจวบคีรีขันธ์", "Chumphon": "ชุมพร", "Ranong": "ระนอง",
    }),
    "S2": ("Nakhon Si Thammarat", {
        "Nakhon Si Thammarat": "นครศรีธรรมราช", "Surat Thani": "สุราษฎร์ธานี", "Phuket": "ภูเก็ต",
        "Phangnga": "พังงา", "Krabi": "กระบี่", "Trang": "ตรัง",
    }),
    "S3": ("Yala", {
        "Yala": "ยะลา", "Pattani": "ปัตตานี", "Narathiwat": "นราธิวาส", "Songkhla": "สงขลา", "Satun": "สตูล",
        "Phatthalung": "พัทลุง",
    }),
}  # fmt: skip
EGAT_OF_PEA = {"N": "NAC", "NE": "NEC", "C": "CAC", "S": "SAC"}
# EGAT's central region includes the west, and its circuits to the north end at Nakhon Sawan: these provinces of PEA's
# areas N3 and S1 are put there, which no list of EGAT's that was found confirms.
CENTRAL_BY_JUDGEMENT = {
    "Lop Buri", "Sing Buri", "Chai Nat", "Uthai Thani", "Nakhon Sawan", "Phetchaburi", "Ratchaburi", "Samut Songkhram",
    "Prachuap Khiri Khan",
}  # fmt: skip
MIXED_AREAS = {"N3", "S1"}

# city, Thai name, EGAT region, latitude, longitude, altitude, whether the coordinates were verified
CITIES: list[tuple[str, str, str, float, float, int, bool]] = [
    ("Bangkok", "กรุงเทพมหานคร", "MAC", 13.7563, 100.5018, 3, True),
    ("Ayutthaya", "พระนครศรีอยุธยา", "CAC", 14.3532, 100.5684, 4, True),
    ("Rayong", "ระยอง", "CAC", 12.6814, 101.2816, 5, False),
    ("Khon Kaen", "ขอนแก่น", "NEC", 16.4322, 102.8236, 187, True),
    ("Nakhon Ratchasima", "นครราชสีมา", "NEC", 14.9799, 102.0978, 187, False),
    ("Surat Thani", "สุราษฎร์ธานี", "SAC", 9.1382, 99.3215, 7, False),
    ("Hat Yai", "หาดใหญ่", "SAC", 7.0086, 100.4747, 28, False),
    ("Phuket", "ภูเก็ต", "SAC", 7.8804, 98.3923, 8, True),
    ("Chiang Mai", "เชียงใหม่", "NAC", 18.7883, 98.9853, 310, True),
    ("Phitsanulok", "พิษณุโลก", "NAC", 16.8211, 100.2659, 45, False),
]


def _provinces() -> Table:
    territory = "SCRIBD-337580986; EQMAG"
    rows: list[tuple[str | None, ...]] = [
        (province, name_th, "MEA", None, None, "MAC", "V", f"{territory}; LFE", "V")
        for province, name_th in MEA.items()
    ]
    for area, (office, provinces) in PEA_AREAS.items():
        for province, name_th in provinces.items():
            central = province in CENTRAL_BY_JUDGEMENT
            region = "CAC" if central else EGAT_OF_PEA[area.rstrip("123")]
            mark = "G" if area in MIXED_AREAS else "D"
            rows.append((province, name_th, "PEA", area, office, region, mark, f"{territory}; ESS; derived", "D"))
    return Table(
        name="provinces",
        title="The 77 provinces, their utility, PEA area and EGAT region",
        title_th="77 จังหวัดกับการไฟฟ้า เขตของ กฟภ. และภาคของ กฟผ.",
        description=(
            "MEA serves Bangkok, Nonthaburi and Samut Prakan, PEA the other 74 provinces. The provinces of a PEA area "
            "come from the district lists of the VSPP plants; EGAT's region is set from the PEA area, except in areas "
            "N3 and S1, which straddle EGAT's regions (mark G in region_confidence)."
        ),
        fields=(
            Field("province", "String", "", "English name"),
            Field("province_th", "String", "", "Thai name"),
            Field("utility", "String", "", "MEA or PEA"),
            Field("pea_area", "String", "", "one of PEA's twelve areas; empty for MEA"),
            Field("pea_office", "String", "", "seat of the area's head office (not verified); empty for MEA"),
            Field("egat_region", "String", "", "EGAT's code of the region, as in the table regions"),
            Field("region_confidence", "String", "", "mark of egat_region"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def _cities() -> Table:
    rows = [
        (city, name_th, region, latitude, longitude, altitude, *(("LISTS", "V") if verified else ("unverified", "G")))
        for city, name_th, region, latitude, longitude, altitude, verified in CITIES
    ]
    return Table(
        name="cities",
        title="Representative cities",
        title_th="เมืองตัวแทนของแต่ละภาค",
        description=(
            "Cities for which the synthetic solar days are computed. Time zone Asia/Bangkok, UTC+7 without summer "
            "time. Altitudes are not verified in any row."
        ),
        fields=(
            Field("city", "String", "", "English name"),
            Field("city_th", "String", "", "Thai name"),
            Field("region", "String", "", "EGAT's code of the region"),
            Field("latitude", "Float64", "degrees north", "WGS 84"),
            Field("longitude", "Float64", "degrees east", "WGS 84"),
            Field("altitude", "Int64", "m", "above sea level"),
            SOURCE,
            CONFIDENCE,
        ),
        rows=rows,
    )


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [_provinces(), _cities()]
