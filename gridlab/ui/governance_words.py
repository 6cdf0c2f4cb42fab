"""What governance and the economy of GRID are called, in English and in Thai."""

from __future__ import annotations

from collections.abc import Mapping

from gridlab.governance.actions import Action, Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.ui.figures import number
from gridlab.ui.words import Word, lookup

__all__ = [
    "ACTS", "BALLOT_WORDS", "ECONOMY", "MEASURE_WORDS", "POWERS", "SCOPE_WORDS", "STATUSES", "TRACK_WORDS",
    "VOTER_GROUPS", "action_words", "conviction_words", "grid_text", "holder_words",
]  # fmt: skip

_MICRO = 1_000_000

TRACK_WORDS = {
    "parameter": Word("levers", "ปรับค่าระบบ"),
    "treasury": Word("treasury", "ใช้เงินคลัง"),
    "upgrade": Word("new rules", "ปรับรุ่นกติกา"),
    "emergency": Word("emergency", "ฉุกเฉิน"),
}

STATUSES = {
    "preparing": Word("preparing", "เตรียมการ"),
    "queued": Word("queued", "รอคิว"),
    "deciding": Word("being decided", "กำลังตัดสิน"),
    "confirming": Word("passing, to be confirmed", "กำลังผ่าน รอยืนยันผล"),
    "approved": Word("approved", "ผ่าน"),
    "rejected": Word("rejected", "ไม่ผ่าน"),
    "timed_out": Word("timed out", "หมดอายุ"),
    "cancelled": Word("cancelled", "ถูกยกเลิก"),
    "killed": Word("killed, deposits forfeited", "ถูกยุติและริบเงินมัดจำ"),
}

MEASURE_WORDS = {
    "approval": Word("approval", "สัดส่วนเห็นชอบ"),
    "support": Word("support", "สัดส่วนสนับสนุนต่อผู้มีสิทธิ์ทั้งหมด"),
}

BALLOT_WORDS = {
    "aye": Word("aye", "เห็นชอบ"),
    "nay": Word("nay", "ไม่เห็นชอบ"),
    "split": Word("split", "แบ่งคะแนน"),
    "abstain": Word("abstain", "งดออกเสียง"),
}

SCOPE_WORDS = {
    "market": Word("the market", "ตลาด"),
    "chain": Word("the chain", "เชน"),
    "asset": Word("the asset", "สินทรัพย์"),
    "zone": Word("the zone", "เขต"),
}

# Kinds of transaction, as an agenda has them.
ACTS = {
    "propose": Word("propose", "เสนอ"),
    "decision_deposit": Word("pay the decision deposit", "วางเงินมัดจำเพื่อเข้าสู่การตัดสิน"),
    "vote": Word("vote", "ลงคะแนน"),
    "remove_vote": Word("take a vote back", "ถอนคะแนน"),
    "delegate": Word("delegate", "มอบสิทธิ์"),
    "undelegate": Word("end a delegation", "เลิกมอบสิทธิ์"),
    "unlock": Word("unlock", "ปลดล็อก"),
    "cancel": Word("cancel", "ยกเลิก"),
    "kill": Word("kill", "ยุติและริบเงินมัดจำ"),
}

VOTER_GROUPS = {
    "household": Word("households", "ครัวเรือน"),
    "prosumer": Word("prosumers", "โปรซูเมอร์"),
    "utility": Word("utilities", "การไฟฟ้า"),
    "whale": Word("whales", "ผู้ถือรายใหญ่"),
    "cooperative": Word("cooperatives", "สหกรณ์"),
    "expert": Word("experts", "ผู้เชี่ยวชาญ"),
    "apathetic": Word("apathetic", "ผู้ไม่สนใจ"),
}

POWERS = {
    "balance": Word("GRID", "GRID"),
    "balance delegated": Word("GRID, with delegation", "GRID รวมที่รับมอบสิทธิ์"),
    "votes": Word("votes after conviction", "คะแนนเสียงตามความเชื่อมั่น"),
    "votes delegated": Word("votes, with delegation", "คะแนนเสียงรวมที่รับมอบสิทธิ์"),
}

ECONOMY = {
    "issuance": Word("supply", "ปริมาณ GRID ทั้งหมด"),
    "staked": Word("staked", "วางค้ำประกัน"),
    "treasury": Word("treasury", "เงินคลัง"),
    "locked": Word("not vested yet", "ยังไม่ปลดล็อก"),
    "circulating": Word("circulating", "หมุนเวียนในตลาด"),
    "rewards": Word("staking rewards so far", "ผลตอบแทนการวางค้ำสะสม"),
    "fees": Word("fees so far", "ค่าธรรมเนียมสะสม"),
    "spent": Word("spent by the treasury so far", "เงินคลังที่จ่ายสะสม"),
    "burnt": Word("burnt so far", "ถูกทำลายสะสม"),
    "slashed": Word("slashed so far", "ถูกริบสะสม"),
    "staked_share": Word("staked share", "สัดส่วนการวางค้ำประกัน"),
    "supply_growth": Word("growth of supply", "อัตราการเพิ่มของปริมาณ GRID"),
    "staking_yield": Word("yield of staking", "ผลตอบแทนของการวางค้ำ"),
}


def grid_text(micro: int) -> str:
    """Return micro-GRID as GRID, to the last digit that is not 0."""
    whole, part = divmod(abs(micro), _MICRO)
    digits = f"{part:06}".rstrip("0")
    sign = "\N{MINUS SIGN}" if micro < 0 else ""
    return f"{sign}{whole:,}{f'.{digits}' if digits else ''} GRID"


def conviction_words(level: int) -> str:
    """Return what a level of conviction multiplies a vote by: ``0.1×``, ``1×`` … ``6×``."""
    return f"{level or '0.1'}×"


def holder_words(account: int, names: Mapping[int, str]) -> str:
    """Return the name of an account, or its number where nobody named it."""
    return names.get(account) or str(Word(f"account {account}", f"บัญชี {account}"))


def action_words(action: Action, names: Mapping[int, str]) -> str:
    """Return what a proposal does, in the language in force.

    Parameters
    ----------
    action : Action
    names : mapping of int to str
        Account -> name; others are shown by their number.
    """
    if isinstance(action, SetLevers):
        moves = ", ".join(f"{path} = {value}" for path, value in action.levers)
        return str(Word(f"set {moves}", f"ตั้งค่า {moves}"))
    if isinstance(action, Spend):
        paid = [(grid_text(amount), holder_words(account, names)) for account, amount in action.payments]
        english = ", ".join(f"{amount} to {who}" for amount, who in paid)
        thai = ", ".join(f"{amount} ให้ {who}" for amount, who in paid)
        return str(Word(f"pay {english}", f"จ่าย {thai}"))
    if isinstance(action, ProtocolUpgrade):
        return str(
            Word(
                f"version {action.version} of the rules from block {number(action.height)}",
                f"ใช้กติการุ่นที่ {action.version} ตั้งแต่บล็อก {number(action.height)}",
            )
        )
    return _emergency_words(action)


def _emergency_words(action: Emergency) -> str:
    kind, colon, which = action.scope.partition(":")
    scope = f"{lookup(SCOPE_WORDS, kind)} {which}".rstrip()
    # Thai writes no blanks between its own words, but one after a name in Latin letters.
    gap = " " if colon else ""
    return str(Word(f"stop {scope}", f"หยุด{scope}") if action.stop else Word(f"resume {scope}", f"ให้{scope}{gap}เดินต่อ"))
