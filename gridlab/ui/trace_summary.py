"""What a simulated run of consensus and one decision show in a notebook: static, equal for equal data."""

from __future__ import annotations

import numpy as np

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.cluster import Decision
from gridlab.chain.pbft.messages import block_hash
from gridlab.chain.pbft.quorums import quorum
from gridlab.chain.pbft.trace import Trace
from gridlab.ui.chain_summary import heading
from gridlab.ui.consensus_words import MESSAGES, liars_words, ranges
from gridlab.ui.figures import duration, number
from gridlab.ui.html import card, definitions, escape, scrolled
from gridlab.ui.message_picture import message_picture
from gridlab.ui.quorum_picture import quorum_picture
from gridlab.ui.words import Word, lookup

__all__ = ["decision_html", "trace_html"]

_EVIDENCE_SHOWN = 6


def trace_html(trace: Trace) -> str:
    """Return a run as an HTML card: its outcome, its messages, evidence, and the pictures of the height it logged."""
    both = "".join(f"<div>{block}</div>" for block in (_outcome(trace), _messages(trace)))
    tables = f'<div style="display:flex;flex-wrap:wrap">{both}</div>'
    parts = [heading(_title(trace), _who(trace)), tables, _evidence(trace)]
    if not trace.message_log.is_empty():
        parts += [scrolled(quorum_picture(trace), 560), scrolled(message_picture(trace), 560)]
    told = f'{Word("Fingerprint", "ลายพิมพ์ผลการจำลอง")} <code style="word-break:break-all">{trace.fingerprint}</code>'
    return card([*parts, f'<div style="font-size:13px">{told}</div>'])


def _title(trace: Trace) -> str:
    if trace.forked:
        thai = "⚠ เกิดการแยกสาย: สองบล็อกของความสูงเดียวกันเป็นที่สิ้นสุด"
        return str(Word("⚠ A fork: two blocks of one height are final", thai))
    if trace.complete:
        return str(Word("No fork, all blocks final", "ไม่มีการแยกสาย ทุกบล็อกเป็นที่สิ้นสุด"))
    return str(Word("No fork, not all blocks final", "ไม่มีการแยกสาย แต่บางบล็อกยังไม่เป็นที่สิ้นสุด"))


def _who(trace: Trace) -> str:
    n, q = trace.n, trace.quorum
    told = [Word(f"{n} validators, quorum {q}", f"ผู้ตรวจสอบธุรกรรม {n} ราย องค์ประชุม {q}")]
    if trace.byzantine:
        told.append(Word(f"lie: {liars_words(trace.byzantine)}", f"โกหก: {liars_words(trace.byzantine)}"))
    if trace.crashed:
        told.append(Word(f"down: {ranges(trace.crashed)}", f"ล่ม: {ranges(trace.crashed)}"))
    return " · ".join(map(str, told))


def _outcome(trace: Trace) -> str:
    finality = np.array(trace.finality_ms)
    rows = [
        (Word("Heights that got final", "ความสูงที่เป็นที่สิ้นสุด"), number(trace.finals["height"].n_unique())),
        (Word("Highest view", "มุมมองสูงสุด"), number(trace.views)),
        (Word("Virtual time", "เวลาจำลอง"), duration(trace.clock_ms)),
    ]
    if len(finality):
        rows[1:1] = [
            (Word("Time to finality, median", "เวลาจนเป็นที่สิ้นสุด มัธยฐาน"), duration(float(np.median(finality)))),
            (Word("Time to finality, longest", "เวลาจนเป็นที่สิ้นสุด นานที่สุด"), duration(float(finality.max()))),
        ]
    return definitions(rows, caption=Word("Outcome", "ผลลัพธ์"))


def _messages(trace: Trace) -> str:
    order = [*MESSAGES, *(kind for kind in trace.messages if kind not in MESSAGES)]
    rows = [(lookup(MESSAGES, kind), number(trace.messages[kind])) for kind in order if kind in trace.messages]
    total = number(sum(trace.messages.values()))
    return definitions(rows, caption=Word(f"Messages: {total}", f"ข้อความ: {total}"))


def _evidence(trace: Trace) -> str:
    if not trace.evidence:
        return ""
    shown = [
        Word(
            f"validator {each.validator} signed two {MESSAGES[each.kind]} messages at height {each.height}, "
            f"view {each.view}",
            f"ผู้ตรวจสอบธุรกรรม {each.validator} ลงลายมือชื่อ {MESSAGES[each.kind]} สองฉบับ "
            f"ที่ความสูง {each.height} มุมมอง {each.view}",
        )
        for each in trace.evidence[:_EVIDENCE_SHOWN]
    ]
    more = len(trace.evidence) - len(shown)
    if more:
        shown.append(Word(f"and {more} more", f"และอีก {more} รายการ"))
    items = "".join(f"<li>{escape(words)}</li>" for words in shown)
    title = Word("Evidence that anybody can check", "หลักฐานที่ใครก็ตรวจสอบได้")
    return f'<div style="font-size:13px"><b>{title}</b><ul style="margin:2px 0 8px">{items}</ul></div>'


def decision_html(decision: Decision) -> str:
    """Return a decision as an HTML card."""
    n = len(decision.validators)
    signed = f"{len(decision.signatures)} {Word('of', 'จาก')} {n} ({Word('quorum', 'องค์ประชุม')} {quorum(n)})"
    rows = [
        (Word("View", "มุมมอง"), number(decision.view)),
        (Word("View changes on the way", "การเปลี่ยนมุมมองระหว่างทาง"), number(decision.view_changes)),
        (Word("Commit signatures", "ลายมือชื่อยืนยัน"), escape(signed)),
        (Word("Time to finality", "เวลาจนเป็นที่สิ้นสุด"), duration(decision.finality_ms)),
        (Word("Held as final by", "ถือว่าเป็นที่สิ้นสุดโดย"), escape(ranges(decision.final_ms))),
        (Word("Block's hash", "ค่าแฮชของบล็อก"), f"<code>{hexadecimal(block_hash(decision.header))}</code>"),
    ]
    return card([heading(f"{Word('Decision at height', 'มติที่ความสูง')} {decision.height}"), definitions(rows)])
