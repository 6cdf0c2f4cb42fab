"""Synthetic daily load shapes by kind of customer."""

from __future__ import annotations

from tables import Field, Table

__all__ = ["tables"]

# 24 hourly values from 00:00 on a weekday of the hot season, 1.00 is the peak of the kind.
WEEKDAY = {
    "household": ".62 .58 .55 .52 .50 .50 .52 .50 .46 .45 .46 .48 .50 .51 .50 .50 .53 .60 .74 .88 .97 1.0 .93 .76",
    "condominium": ".66 .60 .54 .50 .47 .47 .54 .56 .44 .36 .34 .35 .37 .37 .36 .37 .41 .52 .70 .86 .96 1.0 .96 .82",
    "school": ".14 .14 .13 .13 .13 .16 .30 .62 .88 .95 .98 1.0 .92 .99 .98 .90 .62 .38 .26 .22 .20 .18 .16 .15",
    "mall": ".42 .40 .39 .38 .38 .40 .46 .58 .80 .92 .97 .99 .96 1.0 1.0 .98 .93 .86 .80 .77 .72 .62 .51 .45",
    "factory": ".90 .89 .88 .88 .87 .87 .86 .88 .95 .98 1.0 .99 .94 .99 1.0 .99 .97 .94 .93 .94 .95 .95 .94 .92",
    "small_business": ".38 .35 .34 .33 .33 .35 .42 .52 .72 .88 .95 .98 .94 .99 1.0 .98 .94 .84 .76 .72 .66 .58 .48 .42",
    "hotel": ".70 .66 .63 .62 .61 .63 .68 .76 .82 .85 .87 .88 .90 .93 .95 .95 .94 .93 .94 .97 1.0 .97 .88 .78",
    "farm_pumping": ".30 .30 .30 .30 .32 .40 .60 .85 1.0 1.0 .98 .95 .85 .85 .88 .85 .75 .55 .40 .34 .32 .30 .30 .30",
}
# In the same unit: families at home by day, schools shut but for security and cold stores, shops fuller after noon,
# a factory on two shifts of three, hotels fuller, pumps as on any day.
WEEKEND = {
    "household": ".66 .62 .58 .55 .52 .51 .51 .53 .56 .60 .64 .68 .71 .73 .72 .70 .69 .70 .77 .87 .95 .98 .92 .78",
    "condominium": ".72 .67 .60 .55 .51 .49 .49 .51 .54 .58 .62 .66 .69 .71 .70 .68 .66 .68 .76 .86 .93 .95 .92 .84",
    "school": ".14 .14 .13 .13 .13 .13 .14 .16 .18 .19 .20 .20 .20 .20 .20 .19 .18 .17 .17 .17 .16 .16 .15 .15",
    "mall": ".43 .41 .39 .38 .38 .39 .43 .50 .68 .88 .96 .99 1.0 1.0 1.0 1.0 .99 .97 .95 .92 .87 .74 .55 .47",
    "factory": ".72 .71 .70 .70 .69 .69 .68 .68 .70 .72 .73 .72 .69 .72 .73 .72 .71 .69 .68 .69 .70 .70 .70 .69",
    "small_business": ".38 .35 .34 .33 .33 .34 .37 .43 .54 .64 .70 .73 .72 .74 .75 .74 .72 .68 .66 .64 .60 .54 .46 .41",
    "hotel": ".75 .70 .66 .64 .63 .64 .68 .76 .84 .88 .89 .89 .90 .93 .95 .95 .95 .95 .97 1.0 1.0 .99 .92 .83",
    "farm_pumping": ".30 .30 .30 .30 .32 .40 .60 .85 1.0 1.0 .98 .95 .85 .85 .88 .85 .75 .55 .40 .34 .32 .30 .30 .30",
}


def _rows() -> list[tuple[str, str, int, str]]:
    rows = []
    for kind in WEEKDAY:
        for day, shapes in (("weekday", WEEKDAY), ("weekend", WEEKEND)):
            values = shapes[kind].split()
            if len(values) != 24:
                raise ValueError(f"{kind}, {day}: {len(values)} hours, 24 are needed")
            rows += [(kind, day, hour, value) for hour, value in enumerate(values)]
    return rows


def tables() -> list[Table]:
    """Return the tables of this family."""
    return [
        Table(
            name="load_shapes_synthetic",
            title="Daily load shapes by kind of customer (synthetic)",
            title_th="รูปแบบการใช้ไฟฟ้ารายวันของผู้ใช้ไฟฟ้าแต่ละกลุ่ม (ข้อมูลสังเคราะห์)",
            description=(
                "Hourly shapes of a day of the hot season, drawn by judgement for teaching, not measured. PEA "
                "publishes measured 15-minute profiles by class and area on its load-profile service; their licence "
                "is not stated."
            ),
            fields=(
                Field("kind", "String", "", "kind of customer"),
                Field("day_type", "String", "", "weekday, or weekend (Saturdays, Sundays and holidays)"),
                Field("hour", "Int64", "h", "start of the hour, 0 to 23, Bangkok time"),
                Field("load", "Float64", "share", "of the kind's weekday peak"),
            ),
            rows=_rows(),
            synthetic=True,
        )
    ]
