"""What WATT and a run on it are called, in English and in Thai: figures, groups of holders, places in the queue."""

from __future__ import annotations

from gridlab.ui.figures import number
from gridlab.ui.word import Word

__all__ = ["CAME", "FLOWS", "GAP_RULE_WORDS", "GROUP_WORDS", "LEVELS", "RATIOS", "SHOCK", "million_text"]

_MILLION = 1e12  # micro-THB in a million baht

# Amounts, as columns of `WattRun.slots`.
LEVELS = {
    "reserve": Word("baht in reserve", "เงินบาทสำรองที่มีจริง"),
    "attested": Word("reserve as attested", "เงินสำรองตามที่รับรอง"),
    "circulation": Word("WATT in circulation", "WATT ที่หมุนเวียน"),
    "queued": Word("WATT in the queue", "WATT ในคิวไถ่ถอน"),
}

# Baht behind or paid for one WATT.
RATIOS = {
    "coverage": Word("baht behind a WATT", "เงินบาทหนุนหลังต่อ 1 WATT"),
    "attested_coverage": Word("baht behind a WATT, as attested", "เงินบาทหนุนหลังต่อ 1 WATT ตามที่รับรอง"),
    "price": Word("price in the secondary market", "ราคาในตลาดรอง"),
}

FLOWS = {
    "cash": Word("cash", "เงินสด"),
    "bonds": Word("bonds", "พันธบัตร"),
}

GROUP_WORDS = {
    "households": Word("households", "ครัวเรือน"),
    "traders": Word("traders", "ผู้ค้า"),
    "utilities": Word("utilities", "การไฟฟ้า"),
    "funds": Word("funds", "กองทุน"),
}

CAME = {
    "first quarter": Word("first quarter of the queue", "หนึ่งในสี่แรกของคิว"),
    "second quarter": Word("second quarter", "หนึ่งในสี่ที่สอง"),
    "third quarter": Word("third quarter", "หนึ่งในสี่ที่สาม"),
    "last quarter": Word("last quarter", "หนึ่งในสี่สุดท้าย"),
    "never": Word("never asked", "ไม่เคยขอไถ่ถอน"),
}

GAP_RULE_WORDS = {
    "par": Word("par: in full, first come", "par: จ่ายเต็มตามลำดับ"),
    "haircut": Word("haircut: same share for all", "haircut: สัดส่วนเท่ากัน"),
    "stop": Word("stop: none while baht are missing", "stop: หยุดจ่ายเมื่อเงินขาด"),
}

SHOCK = Word("bad news", "ข่าวร้าย")


def million_text(micro: float, decimals: int = 2) -> str:
    """Return micro-THB (or micro-WATT) in millions, without a unit."""
    return number(micro / _MILLION, decimals)
