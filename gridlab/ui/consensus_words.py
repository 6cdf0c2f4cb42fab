"""Words of consensus, in English and Thai: messages, how validators stand, who lies how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from gridlab.datasets import dataset
from gridlab.ui.words import CHOICES, Word, lookup

__all__ = ["MESSAGES", "MESSAGE_CLASSES", "STATES", "city_words", "liars_words", "message_class", "ranges"]

MESSAGES = {
    "request": Word("request", "คำขอ"),
    "pre_prepare": Word("pre-prepare", "เสนอบล็อก (pre-prepare)"),
    "prepare": Word("prepare", "เตรียม (prepare)"),
    "commit": Word("commit", "ยืนยัน (commit)"),
    "reply": Word("reply", "คำตอบ"),
    "checkpoint": Word("checkpoint", "จุดตรวจสอบ"),
    "view_change": Word("view change", "ขอเปลี่ยนมุมมอง"),
    "new_view": Word("new view", "เริ่มมุมมองใหม่"),
    "status": Word("status", "แจ้งสถานะ"),
    "block": Word("block sent on", "ส่งบล็อกต่อ"),
    "body": Word("body sent on", "ส่งเนื้อหาบล็อกต่อ"),
    "motion": Word("vote to stop, resume or change members", "ลงคะแนนหยุด เดินต่อ หรือเปลี่ยนสมาชิก"),
}

# What a picture draws alike.
MESSAGE_CLASSES = {
    "pre_prepare": MESSAGES["pre_prepare"],
    "prepare": MESSAGES["prepare"],
    "commit": MESSAGES["commit"],
    "view_change": Word("view change, new view", "เปลี่ยนมุมมอง"),
    "other": Word("request, reply, passed on, others", "คำขอ คำตอบ ข้อความส่งต่อ และอื่น ๆ"),
}

STATES = {
    "honest": Word("honest", "ซื่อสัตย์"),
    "lies": Word("lies", "โกหก"),
    "down": Word("down", "ล่ม"),
    "primary": Word("primary (proposes the next block)", "ผู้ตรวจสอบหลัก (เสนอบล็อกถัดไป)"),
}

_CLASS_OF = {"pre_prepare": "pre_prepare", "prepare": "prepare", "commit": "commit"}
_CLASS_OF |= {"view_change": "view_change", "new_view": "view_change"}


def message_class(kind: str) -> str:
    """Return the key of `MESSAGE_CLASSES` under which a picture draws a kind of message."""
    return _CLASS_OF.get(kind, "other")


@cache
def _cities() -> Mapping[str, Word]:
    table = dataset("wan_legs_synthetic")
    names = zip(table["city"].to_list(), table["city_th"].to_list(), strict=True)
    return {city: Word(city, thai) for city, thai in names}


def city_words(city: str) -> str:
    """Return what a validator's city is called."""
    return lookup(_cities(), city)


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers as people list them: ``0–5, 8, 10–12``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}\N{EN DASH}{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def liars_words(lies: Mapping[int, str]) -> str:
    """Return who lies how: ``0–5: say nothing; 7: speak in others' names``; empty where nobody does."""
    kinds = dict.fromkeys(lies[who] for who in sorted(lies))
    return "; ".join(
        f"{ranges(who for who, lie in lies.items() if lie == kind)}: {lookup(CHOICES, kind)}" for kind in kinds
    )
