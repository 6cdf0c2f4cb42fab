"""What governance shows in a notebook: its rules and agenda, an assembly, and its part of a chain; all static."""

from __future__ import annotations

import json
from typing import Any

from gridlab.governance.actions import TRACKS, action_from_bytes
from gridlab.governance.agenda import Act
from gridlab.governance.assembly import Assembly
from gridlab.governance.governance import Governance
from gridlab.governance.pallet import GovernancePart
from gridlab.governance.referenda import Referendum
from gridlab.governance.tracks import share
from gridlab.governance.views import delegation_frame
from gridlab.ui.chain_summary import heading
from gridlab.ui.delegation_picture import delegation_picture
from gridlab.ui.figures import lever_text, number
from gridlab.ui.governance_words import (
    ACTS,
    BALLOT_WORDS,
    STATUSES,
    TRACK_WORDS,
    action_words,
    conviction_words,
    grid_text,
    holder_words,
)
from gridlab.ui.html import card, definitions, escape, scrolled, table
from gridlab.ui.lever_words import info_words
from gridlab.ui.referendum_picture import curves_picture, referendum_picture
from gridlab.ui.referendum_view import Scene, course_of, scene_of
from gridlab.ui.words import Word, lookup

__all__ = ["assembly_html", "delegations_html", "governance_html", "governance_part_html", "referenda_table",
           "title_of"]  # fmt: skip

_DASH = "\N{EN DASH}"
_ACTS_SHOWN = 20
_REFERENDA_SHOWN = 12
_TERMS = {
    "capacity": Word("Decided at the same time", "ตัดสินพร้อมกันได้"),
    "decision_deposit": Word("Decision deposit", "เงินมัดจำเพื่อเข้าสู่การตัดสิน"),
    "prepare": Word("Preparation, at least", "เตรียมการอย่างน้อย"),
    "decision": Word("Decision period", "ระยะเวลาตัดสิน"),
    "confirm": Word("Confirmation", "ระยะเวลายืนยันผล"),
    "enactment": Word("Timelock before enactment", "หน่วงเวลาก่อนมีผล"),
}
_CURVES = {
    "approval": Word("Approval asked for", "สัดส่วนเห็นชอบที่ต้องการ"),
    "support": Word("Support asked for", "สัดส่วนสนับสนุนที่ต้องการ"),
}
_SHAPES = {
    "approval": Word("its curve", "เส้นโค้งของสัดส่วนเห็นชอบ"),
    "support": Word("its curve", "เส้นโค้งของสัดส่วนสนับสนุน"),
}
_QUIET = 'style="opacity:.75;font-size:13px;margin:4px 0"'


def governance_html(governance: Governance) -> str:
    """Return the rules of governance as an HTML card: its tracks side by side, the levers they share, the agenda."""
    info = {path: lever.info for path, _, lever in governance.lever_paths()}
    common = [
        (info_words(info[name]), escape(lever_text(value, info[name].unit)))
        for name, value in governance.values().items()
    ]
    parts = [
        heading(Word("Votes of GRID holders", "การลงมติของผู้ถือ GRID")),
        scrolled(_tracks_table(governance)),
        definitions(common, caption=Word("For all tracks", "ใช้กับทุกช่องทาง")),
        _agenda(governance),
    ]
    return card(parts)


def _tracks_table(governance: Governance) -> str:
    """Return the levers of the tracks, one row each; those of the curves by their ends."""
    terms = {name: getattr(governance, name) for name in TRACKS}
    # "1 proposals" would be no English.
    units = {str(lever.name): lever.info.unit for _, _, lever in terms[TRACKS[0]].lever_paths()} | {"capacity": ""}
    rows: list[list[object]] = [
        [words, *(lever_text(getattr(each, name), units[name]) for each in terms.values())]
        for name, words in _TERMS.items()
    ]
    for what, words in _CURVES.items():
        rows.append([words, *(_ends(each, what) for each in terms.values())])
        rows.append([_SHAPES[what], *(lever_text(getattr(each, f"{what}_shape")) for each in terms.values())])
    rows.append([Word("Adaptive quorum", "องค์ประชุมแบบปรับตัว"), *(lever_text(each.quorum) for each in terms.values())])
    return table([Word("Track", "ช่องทาง"), *(TRACK_WORDS[name] for name in TRACKS)], rows, numbers=len(TRACKS))


def _ends(terms: Any, what: str) -> str:
    start, end = getattr(terms, f"{what}_start"), getattr(terms, f"{what}_end")
    return f"{number(start, 1)} → {number(end, 1)} %"


def _agenda(governance: Governance) -> str:
    acts = list(governance.agenda)
    if not acts:
        none = Word(
            "The agenda is empty: nobody proposes or votes in a run.",
            "ยังไม่มีกำหนดการ จะไม่มีผู้ใดเสนอหรือลงคะแนนในการจำลอง",
        )
        return f"<div {_QUIET}>{none}</div>"
    heads = (Word("Time", "เวลา"), Word("Holder", "ผู้ถือ GRID"), Word("Act", "การกระทำ"), Word("What", "รายละเอียด"))
    rows = [(_clock(act), act.holder, lookup(ACTS, act.kind), _said(act)) for act in acts[:_ACTS_SHOWN]]
    more = len(acts) - len(rows)
    caption = f'<div style="font-weight:600;font-size:13px">{Word("Agenda of a run", "กำหนดการในการจำลอง")}</div>'
    return caption + scrolled(table(heads, rows, numbers=0)) + _rest(more)


def _rest(more: int) -> str:
    return f"<div {_QUIET}>{Word(f'and {more} more', f'และอีก {more} รายการ')}</div>" if more > 0 else ""


def _clock(act: Act) -> str:
    return f"{act.minute // 60:02d}:{act.minute % 60:02d}"


def _said(act: Act) -> str:
    """Return the content of an act in words."""
    said = act.said
    numbered = f"#{said['referendum']}" if "referendum" in said else ""
    if act.kind == "propose":
        return action_words(action_from_bytes(bytes.fromhex(said["action"])), {})
    if act.kind == "vote":
        return f"{numbered} {_ballot(said['ballot'])}"
    if act.kind == "delegate":
        amount, track = grid_text(said["amount"]), lookup(TRACK_WORDS, said["track"])
        return f"{amount} · {conviction_words(said['level'])} → {said['to']} ({track})"
    if act.kind == "undelegate":
        return lookup(TRACK_WORDS, said["track"])
    return numbered or (json.dumps(said, ensure_ascii=False, sort_keys=True) if said else "")


def _ballot(ballot: Any) -> str:
    if ballot["choice"] != "split":
        amount = grid_text(ballot[ballot["choice"]])
        return f"{lookup(BALLOT_WORDS, ballot['choice'])} {amount} · {conviction_words(ballot['level'])}"
    sides = [f"{lookup(BALLOT_WORDS, side)} {grid_text(ballot[side])}" for side in ("aye", "nay", "abstain")]
    return f"{lookup(BALLOT_WORDS, 'split')}: {', '.join(sides)}"


def assembly_html(assembly: Assembly) -> str:
    """Return an assembly as an HTML card: what holders have, its referenda, and the course of the newest one."""
    scene = scene_of(assembly)
    book = scene.book
    ongoing = sum(each.ongoing for each in book.referenda.values())
    locked = sum(each.amount for _, each in book.locks.items())
    held = [
        (Word("Minute", "นาทีที่"), number(assembly.height)),
        (Word("Holders", "ผู้ถือ GRID"), number(len(assembly.holders))),
        (Word("GRID that could vote", "GRID ที่มีสิทธิ์ลงคะแนน"), grid_text(assembly.electorate)),
        (Word("Locked by votes", "ล็อกอยู่เพราะการลงคะแนน"), grid_text(locked)),
        (Word("Treasury", "คลัง"), grid_text(assembly.treasury)),
        (Word("Referenda, of which going on", "ประชามติ (ที่ยังดำเนินอยู่)"), f"{len(book.referenda)} ({ongoing})"),
    ]
    parts = [heading(Word("Assembly", "ที่ประชุมผู้ถือ GRID")), definitions(held), referenda_table(scene)]
    if book.referenda:
        newest = len(book.referenda) - 1
        parts.append(_titled(title_of(newest), referendum_picture(course_of(assembly, newest), title_of(newest))))
    return card([*parts, delegations_html(scene)])


def _titled(words: object, picture: str) -> str:
    return f'<div style="font-weight:600;font-size:13px;margin-top:8px">{escape(words)}</div>{scrolled(picture, 420)}'


def title_of(number_of_it: int) -> Word:
    """Return the title of a referendum's picture."""
    return Word(f"Referendum {number_of_it} over time", f"ประชามติที่ {number_of_it} ตามเวลา")


def governance_part_html(part: GovernancePart) -> str:
    """Return governance on a chain as an HTML card: referenda with tallies, and the curves of tracks in use."""
    scene = scene_of(part)
    book = scene.book
    held = [
        (Word("Levers that votes may move", "ค่าที่ลงมติปรับได้"), number(len(book.table))),
        (Word("Accounts with locked GRID", "บัญชีที่ GRID ถูกล็อก"), number(len(book.locks))),
        (Word("Enacted so far", "มีผลบังคับใช้แล้ว"), number(sum(not each.failed for each in book.enacted))),
    ]
    used = [name for name in TRACKS if any(each.track == name for each in book.referenda.values())]
    title = Word("Governance on the chain", "การลงมติบนเชน")
    parts = [heading(title), definitions(held), referenda_table(scene)]
    for name in used:
        words = Word(f"Asked for on the track: {TRACK_WORDS[name]}", f"สิ่งที่ต้องการในช่องทาง: {TRACK_WORDS[name]}")
        parts.append(_titled(words, curves_picture(book.rules[name], words)))
    return card([*parts, delegations_html(scene)])


def referenda_table(scene: Scene) -> str:
    """Return the newest referenda as a table, newest first."""
    listed = list(scene.book.referenda.values())[::-1]
    if not listed:
        return f"<div {_QUIET}>{Word('Nothing was proposed yet.', 'ยังไม่มีข้อเสนอ')}</div>"
    heads = (
        "#", Word("Proposal", "ข้อเสนอ"), Word("By", "ผู้เสนอ"), Word("Status", "สถานะ"), Word("Votes aye", "คะแนนเห็นชอบ"),
        Word("Votes nay", "คะแนนไม่เห็นชอบ"), Word("Approval", "สัดส่วนเห็นชอบ"), Word("Support", "สัดส่วนสนับสนุน"),
    )  # fmt: skip
    rows = [_referendum_row(scene, each) for each in listed[:_REFERENDA_SHOWN]]
    return scrolled(table(heads, rows, numbers=4)) + _rest(len(listed) - len(rows))


def _referendum_row(scene: Scene, referendum: Referendum) -> list[object]:
    tally = referendum.tally
    cast = tally.ayes + tally.nays
    approval = f"{number(100 * float(share(tally.ayes, cast)), 1)} %" if cast else _DASH
    backed = grid_text(tally.support)
    if scene.electorate:
        backed = f"{number(100 * float(share(tally.support, scene.electorate)), 1)} %"
    return [
        referendum.number, action_words(referendum.action, scene.names),
        holder_words(referendum.proposer, scene.names), _status(referendum),
        _votes(tally.ayes), _votes(tally.nays), approval, backed,
    ]  # fmt: skip


def _status(referendum: Referendum) -> str:
    words = lookup(STATUSES, referendum.status)
    if referendum.outcome == "enacted":
        return f"{words}, {Word('enacted', 'มีผลบังคับใช้แล้ว')}"
    return f"{words}, {Word('failed', 'บังคับใช้ไม่สำเร็จ')}: {referendum.outcome}" if referendum.outcome else words


def _votes(micro: int) -> str:
    return grid_text(micro).removesuffix(" GRID")


def delegations_html(scene: Scene) -> str:
    """Return pictures of delegations, for the tracks on which somebody delegates."""
    parts = []
    for name in TRACKS:
        handed = delegation_frame(scene.book, name)
        if not handed.is_empty():
            words = Word(f"Delegations on the track: {TRACK_WORDS[name]}", f"การมอบสิทธิ์ในช่องทาง: {TRACK_WORDS[name]}")
            parts.append(scrolled(delegation_picture(handed, scene.names, words), 420))
    return "".join(parts)
