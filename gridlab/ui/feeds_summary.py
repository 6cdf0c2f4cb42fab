"""What feeds show in a notebook: which there are, what was replaced and ordered, which levers were moved; static."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gridlab.frames import TIME_ZONE
from gridlab.oracle.feeds import FAMILIES, Feeds
from gridlab.oracle.feeds.events import Front, HeatWave
from gridlab.ui.chain_summary import heading
from gridlab.ui.figures import clock, day_of, lever_text, number, unit
from gridlab.ui.html import card, escape, scrolled, table
from gridlab.ui.lever_words import info_words
from gridlab.ui.oracle_words import FAMILY_WORDS, feed_words
from gridlab.ui.word import Word, lookup

__all__ = ["feeds_html"]

_KM_H, _KM, _DAYS = (Word("km/h", "กม./ชม."), Word("km", "กม."), Word("days", "วัน"))


def feeds_html(feeds: Feeds) -> str:
    """Return feeds as an HTML card."""
    count = number(len(feeds.names()))
    below = Word(
        f"{count} feeds, seed {feeds.seed}; synthetic where no data of your own stands",
        f"ข้อมูล {count} รายการ ค่าเริ่มสุ่ม {feeds.seed} เป็นข้อมูลสังเคราะห์เว้นแต่แทนที่ด้วยข้อมูลของผู้ใช้",
    )
    parts = [heading(Word("The world that the oracle sees", "โลกจริงที่ออราเคิลสังเกต"), below), _families(feeds)]
    return card([*parts, _replaced(feeds), _weather(feeds), _levers(feeds)])


def _families(feeds: Feeds) -> str:
    names = [name.rpartition("/")[0] for name in feeds.names()]
    heads = (
        Word("Family", "กลุ่มข้อมูล"), Word("About", "เกี่ยวกับ"), Word("Unit", "หน่วย"), Word("Feeds", "จำนวน"),
    )  # fmt: skip
    rows = [
        (each.prefix, lookup(FAMILY_WORDS, each.prefix), unit(each.unit), number(names.count(each.prefix)))
        for each in FAMILIES
    ]
    return scrolled(table(heads, rows))


def _list(title: object, items: list[str], nothing: object) -> str:
    if not items:
        return f'<div style="font-size:13px;margin:6px 0 0">{escape(nothing)}</div>'
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    shown = f'<b>{escape(title)}</b><ul style="margin:2px 0 4px">{listed}</ul>'
    return f'<div style="font-size:13px;margin-top:8px">{shown}</div>'


def _replaced(feeds: Feeds) -> str:
    title = Word("Replaced by your own data", "แทนที่ด้วยข้อมูลของผู้ใช้")
    return _list(title, [feed_words(name) for name in feeds.replaced], Word("No feed is replaced.", "ไม่มีข้อมูลใดถูกแทนที่"))


def _weather(feeds: Feeds) -> str:
    title = Word("Weather by order", "สภาพอากาศที่กำหนดเอง")
    items = [_front(each) for each in feeds.fronts] + [_heat(each) for each in feeds.heat_waves]
    return _list(title, items, Word("No weather is ordered.", "ไม่มีการกำหนดสภาพอากาศเพิ่ม"))


def _when(unix_time: float) -> str:
    # A heat wave may begin between two slots; to the minute is near enough to read.
    moment = datetime.fromtimestamp(round(unix_time / 60) * 60, ZoneInfo(TIME_ZONE))
    return f"{day_of(moment)} {clock(moment)}"


def _front(front: Front) -> str:
    speed, width = f"{number(front.speed)} {_KM_H}", f"{number(front.width)} {_KM}"
    towards = f"{number(front.bearing)}°"
    return str(
        Word(
            f"front on {_when(front.unix_time)}, towards {towards} at {speed}, {width} wide",
            f"แนวเมฆ {_when(front.unix_time)} มุ่งทิศ {towards} ด้วยความเร็ว {speed} กว้าง {width}",
        )
    )


def _heat(wave: HeatWave) -> str:
    days, degrees = f"{number(wave.days, 1)} {_DAYS}", f"{number(wave.strength, 1, signed=True)} °C"
    return str(
        Word(
            f"heat wave from {_when(wave.unix_time)} for {days}, {degrees}",
            f"คลื่นความร้อนตั้งแต่ {_when(wave.unix_time)} นาน {days} {degrees}",
        )
    )


def _levers(feeds: Feeds) -> str:
    moved = [
        (info_words(lever.info), lever_text(value, lever.info.unit), lever_text(lever.default, lever.info.unit))
        for _, owner, lever in feeds.lever_paths()
        for value in [lever.value_on(owner)]
        if value != lever.default
    ]
    if not moved:
        return _list("", [], Word("All levers stand at their defaults.", "ทุกค่าเป็นค่าตั้งต้น"))
    heads = (Word("Lever that was moved", "ค่าที่ปรับ"), Word("Value", "ค่าปัจจุบัน"), Word("Default", "ค่าตั้งต้น"))
    return scrolled(table(heads, moved, numbers=2))
