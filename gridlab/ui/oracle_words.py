"""What the oracle network and its feeds are called, in English and in Thai: providers, rounds, alerts, families."""

from __future__ import annotations

from functools import cache

from gridlab.chain.arguments import require_text
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError
from gridlab.oracle.feeds.table import family_of
from gridlab.ui.figures import number, unit
from gridlab.ui.word import Word, lookup
from gridlab.ui.words import ZONES

__all__ = [
    "ALERT_WORDS",
    "FAMILY_WORDS",
    "MEMBERS",
    "PROVIDER_KINDS",
    "SEVERITY_WORDS",
    "STATUS_GROUPS",
    "STATUS_WORDS",
    "feed_scale",
    "feed_words",
    "member_words",
    "value_text",
]  # fmt: skip

# What each provider does, as keys of `gridlab.oracle.roster.KINDS`.
PROVIDER_KINDS = {
    "honest": Word("honest", "ซื่อสัตย์"),
    "stale": Word("stale", "ข้อมูลค้าง"),
    "noisy": Word("noisy", "คลาดเคลื่อนมาก"),
    "lying": Word("lying", "บิดเบือนข้อมูล"),
    "colluding": Word("colluding", "สมคบกัน"),
    "equivocating": Word("equivocating", "ลงนามสองค่า"),
    "silent": Word("silent", "เงียบ"),
}

STATUS_WORDS = {
    "reported": Word("reported", "รายงานแล้ว"),
    "not due": Word("not due yet", "ยังไม่ถึงกำหนดรายงาน"),
    "no quorum": Word("too few signatures", "ลายเซ็นไม่ครบ"),
    "absurd": Word("outside the bounds", "นอกช่วงค่าที่ยอมรับ"),
    "jump": Word("jump, not believed yet", "กระโดด ยังไม่เชื่อ"),
    "jump confirmed": Word("jump, confirmed", "กระโดด ยืนยันแล้ว"),
}

# How a status is judged at a glance.
STATUS_GROUPS = {
    "reported": "published",
    "jump confirmed": "published",
    "not due": "quiet",
    "no quorum": "refused",
    "absurd": "refused",
    "jump": "refused",
}

SEVERITY_WORDS = {
    "critical": Word("critical", "วิกฤต"),
    "warning": Word("warning", "เตือน"),
    "info": Word("for information", "แจ้งเพื่อทราบ"),
}

ALERT_WORDS = {
    "no quorum": Word("too few signatures", "ลายเซ็นไม่ครบ"),
    "absurd": Word("value outside the bounds", "ค่าอยู่นอกช่วงที่ยอมรับ"),
    "jump": Word("jump refused", "ปฏิเสธค่าที่กระโดด"),
    "jump confirmed": Word("new level confirmed", "ยืนยันระดับใหม่แล้ว"),
    "stale": Word("feed is stale", "ข้อมูลค้าง"),
    "outlier": Word("provider strays", "ผู้ให้ข้อมูลออกนอกแนว"),
    "two values": Word("two values signed", "ลงนามสองค่า"),
}

FAMILY_WORDS = {
    "weather/ghi": Word("solar irradiance", "ความเข้มรังสีดวงอาทิตย์"),
    "weather/pv": Word("output of solar panels", "กำลังผลิตของแผงโซลาร์"),
    "weather/temperature": Word("air temperature", "อุณหภูมิอากาศ"),
    "load": Word("load of a region", "ความต้องการไฟฟ้ารายภาค"),
    "price": Word("wholesale price", "ราคาขายส่ง"),
    "price/neighbour": Word("wholesale price next door", "ราคาขายส่งของประเทศเพื่อนบ้าน"),
    "carbon": Word("price of a carbon credit", "ราคาคาร์บอนเครดิต"),
    "fx": Word("exchange rate", "อัตราแลกเปลี่ยน"),
    "reserve": Word("baht held against WATT", "เงินบาทสำรองของ WATT"),
}

# What feeds are about, beside provinces.
MEMBERS = {
    **ZONES,
    "wholesale": Word("Thailand", "ประเทศไทย"),
    "Lao PDR": Word("Lao PDR", "สปป. ลาว"),
    "Malaysia": Word("Malaysia", "มาเลเซีย"),
    "Singapore": Word("Singapore", "สิงคโปร์"),
}


def feed_scale(feed: str) -> tuple[int, str]:
    """Return how many counted units of a feed are one that people read, and its unit in words; (1, "") where unknown.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `feed` is no name of a feed.
    """
    require_text("feed", feed)
    try:
        family = family_of(feed)
    except ArgumentError:  # a user's own world may hold anything
        return 1, ""
    return family.scale, unit(family.unit)


def feed_words(feed: str) -> str:
    """Return what a feed is called: ``air temperature: Nan``; its own name where its family is not known."""
    prefix, _, about = feed.rpartition("/")
    if prefix not in FAMILY_WORDS:
        return feed
    words = lookup(FAMILY_WORDS, prefix)
    return f"{words[:1].upper()}{words[1:]}: {member_words(about)}"


@cache
def _provinces() -> dict[str, Word]:
    table = dataset("provinces")
    return {name: Word(name, thai) for name, thai in table.select("province", "province_th").rows()}


def member_words(about: str) -> str:
    """Return what a feed is about: a province, region or neighbour in words, anything else as it is."""
    return lookup(MEMBERS, about) if about in MEMBERS else str(_provinces().get(about, about))


def value_text(feed: str, value: float | None) -> str:
    """Return a feed's counted value as people read it, with its unit; a dash for None."""
    if value is None:
        return "\N{EN DASH}"
    scale, words = feed_scale(feed)
    return f"{number(value / scale, min(len(str(scale)) - 1, 3))} {words}".rstrip()
