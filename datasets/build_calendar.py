"""Days that decide between on-peak and off-peak: the public holidays of 2025 and 2026."""

from __future__ import annotations

from tables import CONFIDENCE, SOURCE, Field, Table

__all__ = ["tables"]

NAMES = {
    "new_year": ("New Year's Day", "วันขึ้นปีใหม่"),
    "makha": ("Makha Bucha", "วันมาฆบูชา"),
    "chakri": ("Chakri Memorial Day", "วันจักรี"),
    "songkran": ("Songkran Festival", "วันสงกรานต์"),
    "labour": ("National Labour Day", "วันแรงงานแห่งชาติ"),
    "coronation": ("Coronation Day", "วันฉัตรมงคล"),
    "ploughing": ("Royal Ploughing Day", "วันพืชมงคล"),
    "visakha": ("Visakha Bucha", "วันวิสาขบูชา"),
    "queen": ("Queen Suthida's Birthday", "วันเฉลิมพระชนมพรรษาสมเด็จพระนางเจ้าฯ พระบรมราชินี"),
    "king": ("King Vajiralongkorn's Birthday", "วันเฉลิมพระชนมพรรษาพระบาทสมเด็จพระเจ้าอยู่หัว"),
    "asarnha": ("Asarnha Bucha", "วันอาสาฬหบูชา"),
    "lent": ("Khao Phansa (Buddhist Lent)", "วันเข้าพรรษา"),
    "mother": ("Queen Mother's Birthday and Mother's Day", "วันแม่แห่งชาติ"),
    "navamindra": ("King Bhumibol Memorial Day", "วันนวมินทรมหาราช"),
    "chulalongkorn": ("King Chulalongkorn Memorial Day", "วันปิยมหาราช"),
    "father": ("King Bhumibol's Birthday, National Day and Father's Day", "วันชาติและวันพ่อแห่งชาติ"),
    "constitution": ("Constitution Day", "วันรัฐธรรมนูญ"),
    "new_year_eve": ("New Year's Eve", "วันสิ้นปี"),
    "special": ("Special holiday by cabinet resolution", "วันหยุดราชการเพิ่มเป็นกรณีพิเศษ"),
}
HOLIDAY, SUBSTITUTION, PLOUGHING, SPECIAL = (
    "public holiday",
    "substitution day",
    "Royal Ploughing Day",
    "special day by cabinet resolution",
)
# "V": in the sourced list of bank holidays. "D": the day itself follows from the rule and a sourced substitution day or
# from the calendar package, the banks' list having no entry for it.
BANK, RULE = ("CHONLA", "V"), ("HOLIDAYS; derived", "D")
DAYS = {
    2025: [
        ("01-01", "new_year", HOLIDAY, BANK), ("02-12", "makha", HOLIDAY, BANK), ("04-06", "chakri", HOLIDAY, RULE),
        ("04-07", "chakri", SUBSTITUTION, BANK), ("04-13", "songkran", HOLIDAY, RULE),
        ("04-14", "songkran", HOLIDAY, BANK), ("04-15", "songkran", HOLIDAY, BANK),
        ("04-16", "songkran", SUBSTITUTION, RULE), ("05-01", "labour", HOLIDAY, BANK),
        ("05-04", "coronation", HOLIDAY, RULE), ("05-05", "coronation", SUBSTITUTION, BANK),
        ("05-09", "ploughing", PLOUGHING, RULE), ("05-11", "visakha", HOLIDAY, RULE),
        ("05-12", "visakha", SUBSTITUTION, BANK), ("06-02", "special", SPECIAL, BANK),
        ("06-03", "queen", HOLIDAY, BANK),
        ("07-10", "asarnha", HOLIDAY, BANK), ("07-11", "lent", HOLIDAY, RULE), ("07-28", "king", HOLIDAY, BANK),
        ("08-11", "special", SPECIAL, BANK), ("08-12", "mother", HOLIDAY, RULE),
        ("10-13", "navamindra", HOLIDAY, RULE), ("10-23", "chulalongkorn", HOLIDAY, RULE),
        ("12-05", "father", HOLIDAY, RULE), ("12-10", "constitution", HOLIDAY, RULE),
        ("12-31", "new_year_eve", HOLIDAY, RULE),
    ],
    2026: [
        ("01-01", "new_year", HOLIDAY, BANK), ("01-02", "special", SPECIAL, BANK), ("03-03", "makha", HOLIDAY, BANK),
        ("04-06", "chakri", HOLIDAY, BANK), ("04-13", "songkran", HOLIDAY, BANK), ("04-14", "songkran", HOLIDAY, BANK),
        ("04-15", "songkran", HOLIDAY, BANK), ("05-01", "labour", HOLIDAY, BANK),
        ("05-04", "coronation", HOLIDAY, BANK), ("05-13", "ploughing", PLOUGHING, RULE),
        ("05-31", "visakha", HOLIDAY, RULE), ("06-01", "visakha", SUBSTITUTION, BANK),
        ("06-03", "queen", HOLIDAY, BANK),
        ("07-28", "king", HOLIDAY, BANK), ("07-29", "asarnha", HOLIDAY, BANK), ("07-30", "lent", HOLIDAY, RULE),
        ("08-12", "mother", HOLIDAY, BANK), ("10-13", "navamindra", HOLIDAY, BANK),
        ("10-23", "chulalongkorn", HOLIDAY, BANK), ("12-05", "father", HOLIDAY, RULE),
        ("12-07", "father", SUBSTITUTION, BANK), ("12-10", "constitution", HOLIDAY, BANK),
        ("12-31", "new_year_eve", HOLIDAY, BANK),
    ],
}  # fmt: skip


def _named(key: str, reason: str) -> tuple[str, str]:
    name, name_th = NAMES[key]
    return (f"{name} (substitution)", f"วันหยุดชดเชย{name_th}") if reason == SUBSTITUTION else (name, name_th)


def tables() -> list[Table]:
    """Return the tables of this family."""
    rows = [
        (f"{year}-{day}", *_named(key, reason), reason == HOLIDAY, reason, *origin)
        for year, days in DAYS.items()
        for day, key, reason, origin in days
    ]
    return [
        Table(
            name="tou_holidays",
            title="Holidays and the time-of-use tariff, 2025 and 2026",
            title_th="วันหยุดกับอัตราค่าไฟฟ้าตามช่วงเวลาของการใช้ (TOU) พ.ศ. 2568-2569",
            description=(
                "Off-peak all day: normal public holidays and National Labour Day. Not off-peak: substitution days, "
                "Royal Ploughing Day, and special days by cabinet resolution as long as no notice of MEA or PEA says "
                "otherwise. The rule is on MEA's tariff page 109/258."
            ),
            fields=(
                Field("date", "Date", "", "day, Bangkok time"),
                Field("name", "String", "", "English name"),
                Field("name_th", "String", "", "Thai name"),
                Field("off_peak", "Boolean", "", "whether the day is off-peak from 00:00 to 24:00"),
                Field("reason", "String", "", f"{HOLIDAY}, {SUBSTITUTION}, {PLOUGHING} or {SPECIAL}"),
                SOURCE,
                CONFIDENCE,
            ),
            rows=rows,
        )
    ]
