"""What a public chain, a run of it, an election and a bridge show in a notebook: static, equal for equal data."""

from __future__ import annotations

import polars as pl

from gridlab.chain.bridge.driver import Bridge
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.npos.election import Election
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.simulation import PublicTrace
from gridlab.chain.staking.concentration import nakamoto_coefficient
from gridlab.governance.pallet import GOVERNANCE, GovernancePart
from gridlab.ui.chain_summary import heading, many_transactions
from gridlab.ui.consensus_words import ranges
from gridlab.ui.figures import number, unit
from gridlab.ui.fork_layout import fork_picture
from gridlab.ui.governance_summary import referenda_table
from gridlab.ui.html import card, definitions, escape, scrolled, table
from gridlab.ui.referendum_view import scene_of
from gridlab.ui.words import Word, lookup

__all__ = ["bridge_html", "election_html", "public_chain_html", "public_trace_html", "run_figures"]

_DASH = "\N{EN DASH}"
_WINNERS_SHOWN = 12
_MICRO = 1_000_000
_PACKETS = {
    "sent": Word("sent", "ส่งแล้ว"),
    "executed": Word("executed", "ดำเนินการแล้ว"),
    "refused": Word("refused", "ถูกปฏิเสธ"),
    "acknowledged": Word("acknowledged", "ตอบรับแล้ว"),
    "paid_back": Word("paid back", "คืนเงินแล้ว"),
}


def _code(value: object) -> str:
    return f'<code style="word-break:break-all;white-space:normal">{escape(value)}</code>'


def _grid(amount: int) -> str:
    """Return micro-GRID as GRID, to the last digit."""
    whole, part = divmod(amount, _MICRO)
    return f"{whole:,}.{part:06} GRID"


def _seconds(value: float | None) -> str:
    return _DASH if value is None else f"{number(value, 1)} {unit('s')}"


def run_figures(trace: PublicTrace) -> list[tuple[object, str]]:
    """Return the figures of finality and forks as names and values."""
    lost = trace.blocks.filter(pl.col("best").not_()).height
    caught = sorted({each.seat for each in trace.evidence})
    rows: list[tuple[object, str]] = [
        (Word("Final height by votes", "ความสูงที่สิ้นสุดตามคะแนนเสียง"), number(trace.final_height)),
        (Word("Time to finality, median", "เวลาจนเป็นที่สิ้นสุด มัธยฐาน"), _seconds(trace.finality_p50)),
        (Word("Time to finality, 99 %", "เวลาจนเป็นที่สิ้นสุด ร้อยละ 99"), _seconds(trace.finality_p99)),
        (Word("Missed slots", "ช่วงเวลาที่ไม่มีบล็อก"), f"{number(trace.missed_slots)} / {number(trace.slots)}"),
        (Word("Blocks beside the best branch", "บล็อกนอกสายที่ดีที่สุด"), number(lost)),
        (Word("Deepest reorganisation", "การย้อนสายลึกที่สุด (บล็อก)"), number(trace.reorganisation_depth)),
    ]
    if caught:
        rows.append((Word("Seats caught equivocating", "ที่นั่งที่จับได้ว่าทำสองทาง"), escape(ranges(caught))))
    return rows


def public_trace_html(trace: PublicTrace) -> str:
    """Return a run as an HTML card: outcome, figures, and the tree of its last slots."""
    if trace.forked:
        title = Word("⚠ Finality is broken: two conflicting blocks are final", "⚠ บล็อกที่ขัดกันสองบล็อกเป็นที่สิ้นสุดทั้งคู่")
    elif trace.final_height:
        title = Word("Final blocks, none in conflict", "มีบล็อกที่สิ้นสุดแล้ว ไม่มีบล็อกใดขัดกัน")
    else:
        title = Word("No block is final", "ยังไม่มีบล็อกใดเป็นที่สิ้นสุด")
    voters = len(trace.heads) - 1
    below = Word(
        f"{voters} validators, {number(trace.slots)} slots, {number(trace.blocks.height)} blocks written",
        f"ผู้ตรวจสอบธุรกรรม {voters} ราย {number(trace.slots)} ช่วงเวลา เขียน {number(trace.blocks.height)} บล็อก",
    )
    told = f'{Word("Fingerprint", "ลายพิมพ์ผลการจำลอง")} <code style="word-break:break-all">{trace.fingerprint}</code>'
    parts = [heading(title, below), definitions(run_figures(trace)), scrolled(fork_picture(trace), 480)]
    return card([*parts, f'<div style="font-size:13px">{told}</div>'])


def public_chain_html(chain: PublicChain) -> str:
    """Return a public chain as an HTML card: what it holds, who certifies it, and how soon blocks became final."""
    blocks, weights = chain.blocks.filter("final"), chain.authorities.weights
    sent, failed = int(blocks["transactions"].sum()), int(blocks["failed"].sum())
    held = [
        (Word("Slot", "ช่วงเวลา"), number(chain.slot)),
        (Word("Final height, certified", "ความสูงที่สิ้นสุดและมีใบรับรอง"), number(chain.height)),
        (Word("Head, not final yet", "บล็อกหัวสาย ยังไม่สิ้นสุด"), number(chain.head.height)),
        (Word("Final transactions", "ธุรกรรมที่สิ้นสุดแล้ว"), many_transactions(sent, failed)),
        (Word("Waiting", "รอเข้าบล็อก"), number(chain.waiting.height)),
        (Word("Treasury", "คลัง"), _grid(chain.treasury)),
        (Word("Fee multiplier", "ตัวคูณค่าธรรมเนียม"), number(chain.multiplier, 4)),
        (Word("Validators", "ผู้ตรวจสอบธุรกรรม"), number(len(weights))),
        (Word("Stake", "จำนวนวางค้ำ"), _grid(sum(weights))),
        (Word("Nakamoto coefficient", "ค่าสัมประสิทธิ์นากาโมโตะ"), number(nakamoto_coefficient(weights))),
        (Word("State root", "รากสถานะบัญชี"), _code(hexadecimal(chain.state_root))),
    ]
    title = heading(Word("Public chain", "เชนสาธารณะ"), chain.chain_id)
    return card([title, definitions(held), _course(chain), _referenda(chain)])


def _referenda(chain: PublicChain) -> str:
    """Return what was proposed on the chain; nothing where it has no governance, or nobody proposed anything."""
    part = chain.state.parts.get(GOVERNANCE)
    if not isinstance(part, GovernancePart) or not part.book.referenda:
        return ""
    title = f'<div style="font-weight:600;font-size:13px">{Word("Referenda", "ประชามติ")}</div>'
    return title + referenda_table(scene_of(part))


def _course(chain: PublicChain) -> str:
    """Return how the chain came about; nothing of one that was read from bytes, which hold final blocks alone."""
    if not chain.runs or not chain.slot:
        return ""
    trace = chain.trace
    figures = definitions(run_figures(trace), caption=Word("Finality and forks", "ความสิ้นสุดและการแยกสาย"))
    return figures + scrolled(fork_picture(trace), 480)


def election_html(election: Election) -> str:
    """Return an election as an HTML card: the first winners, with their stake and who backs them."""
    stakes = [stake for _, stake in election.winners]
    count = len(stakes)
    below = Word(
        f"{count} winners, {number(len(election.assignments))} nominators, Nakamoto coefficient "
        f"{nakamoto_coefficient(stakes)}",
        f"ผู้ได้รับเลือก {count} ราย ผู้เสนอชื่อ {number(len(election.assignments))} ราย ค่าสัมประสิทธิ์นากาโมโตะ "
        f"{nakamoto_coefficient(stakes)}",
    )
    heads = (
        Word("Elected", "ผู้ได้รับเลือก"), Word("Stake (units)", "จำนวนวางค้ำ (หน่วย)"), Word("Share", "สัดส่วน"),
        Word("Nominators", "ผู้เสนอชื่อ"),
    )  # fmt: skip
    total = sum(stakes) or 1
    rows = [
        (winner, f"{stake:,}", f"{number(100 * stake / total, 2)} %", number(backers))
        for winner, stake, backers in election.frame.head(_WINNERS_SHOWN).rows()
    ]
    more = count - len(rows)
    rest = Word(f"and {more} more", f"และอีก {more} ราย") if more > 0 else ""
    parts = [heading(Word("Election", "การเลือกตั้งผู้ตรวจสอบธุรกรรม"), below), scrolled(table(heads, rows, numbers=3))]
    return card([*parts, f'<div style="font-size:13px;opacity:.75">{escape(rest)}</div>'])


def bridge_html(bridge: Bridge) -> str:
    """Return a bridge as an HTML card: both sides, what is anchored, packets, and where each asset is."""
    counts = bridge.packets.group_by("state").len().sort("state").rows()
    packets = ", ".join(f"{count} {lookup(_PACKETS, str(state))}" for state, count in counts)
    anchors = bridge.anchors
    newest, kept = anchors.newest.height, len(anchors.anchors)
    opened = Word("open", "เปิดอยู่") if bridge.is_open else Word("opens with the next block", "จะเปิดเมื่อมีบล็อกถัดไป")
    here, there = (
        Word(f"{side.chain_id}, height {side.height}", f"{side.chain_id} ความสูง {side.height}")
        for side in (bridge.chain, bridge.public)
    )
    rows = [
        (Word("Channel", "ช่องทาง"), escape(opened)),
        (Word("Consortium chain", "คอนซอร์เทียมเชน"), escape(here)),
        (Word("Public side", "ฝั่งสาธารณะ"), escape(there)),
        (
            Word("Newest anchored block", "บล็อกล่าสุดที่ยึดไว้"),
            escape(Word(f"{newest}, of {kept} anchors", f"{newest} จากที่ยึดไว้ {kept} บล็อก")),
        ),
        (Word("Packets", "แพ็กเก็ต"), escape(packets or _DASH)),
        (Word("Proved events", "เหตุการณ์ที่พิสูจน์แล้ว"), number(len(bridge.registry))),
    ]
    heads = (
        Word("Asset (smallest unit)", "สินทรัพย์ (หน่วยย่อยที่สุด)"), Word("Consortium", "คอนซอร์เทียม"),
        Word("Public", "สาธารณะ"), Word("In flight", "ระหว่างทาง"), Word("In all", "รวม"),
    )  # fmt: skip
    supply = [(asset, *(f"{amount:,}" for amount in amounts)) for asset, *amounts in bridge.supply.rows()]
    return card([heading(Word("Bridge", "สะพานเชื่อมเชน")), definitions(rows), scrolled(table(heads, supply, numbers=4))])
