"""What a bare chain and a bare block show in a notebook: static, equal for equal data, without ids or scripts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gridlab.chain.blocks import Block
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.quorums import quorum
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.frames import TIME_ZONE
from gridlab.ui.consensus_words import liars_words
from gridlab.ui.figures import clock, day_of, duration, number
from gridlab.ui.html import card, definitions, escape
from gridlab.ui.validator_strip import validator_strip, validators_of
from gridlab.ui.words import Word

__all__ = ["block_html", "chain_html", "heading", "many_transactions", "standing", "strip"]

_WHOLE_WATT = 1_000_000


def heading(title: object, below: object = "") -> str:
    """Return the first lines of a card."""
    small = f'<div style="opacity:.75;font-size:13px;margin:2px 0 8px">{escape(below)}</div>' if str(below) else ""
    return f'<div style="font-size:17px;font-weight:600">{escape(title)}</div>{small}'


def many_transactions(count: int, rejected: int) -> str:
    """Return how many transactions there are and how many of them were rejected."""
    return str(
        Word(f"{number(count)}, of which {number(rejected)} rejected", f"{number(count)} (ถูกปฏิเสธ {number(rejected)})")
    )


def _code(value: object) -> str:
    return f'<code style="word-break:break-all;white-space:normal">{escape(value)}</code>'


def block_html(block: Block) -> str:
    """Return a block as an HTML card."""
    header = block.header
    local: datetime = header.time.astimezone(ZoneInfo(TIME_ZONE))
    rows = [
        (Word("Slot", "ช่วงเวลา"), escape(f"{day_of(local)} {clock(local)}")),
        (Word("Transactions", "ธุรกรรม"), many_transactions(len(block.transactions), block.rejected)),
        (Word("Certificate", "ใบรับรองบล็อก"), f"{number(len(block.certificate))} {Word('bytes', 'ไบต์')}"),
        (Word("Hash", "ค่าแฮช"), _code(hexadecimal(header.hash))),
        (Word("Parent", "บล็อกก่อนหน้า"), _code(hexadecimal(header.parent))),
        (Word("State root", "รากสถานะบัญชี"), _code(hexadecimal(header.state_root))),
    ]
    return card([heading(f"{Word('Block', 'บล็อก')} {header.height}", header.chain_id), definitions(rows)])


def chain_html(chain: ChainViews) -> str:
    """Return a chain as an HTML card: what it holds, who agrees on it, how its validators stand."""
    blocks = chain.blocks
    sent, rejected = int(blocks["transactions"].sum()), int(blocks["rejected"].sum())
    whole, micro = divmod(chain.ledger.circulation("WATT"), _WHOLE_WATT)
    held = [
        (Word("Height", "ความสูง"), number(chain.height)),
        (Word("Members", "สมาชิก"), number(chain.members.height)),
        (Word("Transactions", "ธุรกรรม"), many_transactions(sent, rejected)),
        (Word("Waiting", "รอเข้าบล็อก"), number(len(chain.pending))),
        (Word("WATT in circulation", "WATT ที่หมุนเวียน"), f"{whole:,}.{micro:06}"),
        (Word("Last block", "บล็อกสุดท้าย"), _code(hexadecimal(chain.head.hash))),
        (Word("State root", "รากสถานะบัญชี"), _code(hexadecimal(chain.state_root))),
    ]
    parts = [heading(Word("Consortium chain", "คอนซอร์เทียมเชน"), chain.chain_id), definitions(held), _agreement(chain)]
    return card(parts)


def standing(ordering: PbftOrdering) -> str:
    """Return whether the validators can seal, in words."""
    if not ordering.can_seal:
        return str(Word("their secret keys are not here: nothing is sealed", "ไม่มีกุญแจลับที่นี่ จึงปิดบล็อกไม่ได้"))
    if ordering.stopped:
        return str(Word("stopped; resume goes on", "หยุดอยู่ สั่งเดินต่อได้"))
    return str(Word("running", "ทำงานอยู่"))


def _agreement(chain: ChainViews) -> str:
    ordering = chain.ordering
    caption = Word("Who agrees on blocks", "ผู้ลงมติรับรองบล็อก")
    if not isinstance(ordering, PbftOrdering):
        return definitions([(Word("Ordering", "ผู้จัดลำดับธุรกรรม"), escape(repr(ordering)))], caption=caption)
    states = ordering.states
    rows = [
        (Word("Validators", "ผู้ตรวจสอบธุรกรรม"), number(states.height)),
        (Word("Quorum", "องค์ประชุม"), number(quorum(states.height))),
        (Word("State", "สถานะ"), escape(standing(ordering))),
        *_last_round(chain),
    ]
    return definitions(rows, caption=caption) + (strip(ordering) if ordering.can_seal else "")


def strip(ordering: PbftOrdering) -> str:
    """Return how the validators stand as a picture, and below it who lies how."""
    validators = validators_of(ordering.states)
    lies = {each.number: each.lie for each in validators if each.lie is not None}
    told = f"{Word('Liars', 'ผู้โกหก')} {liars_words(lies)}" if lies else ""
    return validator_strip(validators) + f'<div style="font-size:13px">{escape(told)}</div>'


def _last_round(chain: ChainViews) -> list[tuple[object, str]]:
    rounds = chain.rounds
    if rounds.is_empty():
        return []
    last = rounds.row(-1, named=True)
    return [
        (Word("View of the last block", "มุมมองของบล็อกสุดท้าย"), number(last["view"])),
        (Word("Its time to finality", "เวลาจนเป็นที่สิ้นสุด"), duration(last["finality_ms"])),
    ]
