"""Who voted for which of two rival blocks, and where the two groups overlap: why a quorum is as large as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridlab.chain.pbft.quorums import max_faulty
from gridlab.chain.pbft.trace import Trace
from gridlab.ui import svg
from gridlab.ui.consensus_words import MESSAGES
from gridlab.ui.html import escape
from gridlab.ui.logged_messages import Votes, logged, require_trace, rivals, votes_of
from gridlab.ui.palette import RIVALS
from gridlab.ui.validator_strip import Validator, mark
from gridlab.ui.words import Word

__all__ = ["quorum_picture"]

_WIDTH = 760.0
_LEFT, _RIGHT = 132.0, 150.0
_ROW, _TOP = 22.0, 74.0
_SIZE = 12.0
_LEAST_LABELLED = 13.0


def quorum_picture(trace: Trace, height: int | None = None) -> svg.Drawing:
    """Return the votes for each block that was proposed at the logged height, validator by validator.

    Validators stand in the order: those that voted for the first block alone, for both, for the second alone, for none.
    So both groups are seen whole, and what they share stands in the middle.

    Parameters
    ----------
    trace : Trace
        Made with ``message_log``.
    height : int, optional

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `trace` is none, or has no log of that height.
    """
    log = logged(require_trace(trace), height)
    letters = rivals(trace, log)
    view, votes = votes_of(log, letters)
    order = _order(trace, votes)
    cell = (_WIDTH - _LEFT - _RIGHT) / max(len(order), 1)
    parts = [*_heads(trace, order, cell), *_shared(order, votes, cell)]
    top = _TOP
    for vote in votes:
        parts += _block(trace, vote, order, cell, top)
        top += 3 * _ROW + 10
    told = [*_outcome(trace, int(log["height"][0]), view, letters), *_reason(trace)]
    for place, sentence in enumerate(told):
        parts.append(svg.text(4, top + 14 + 18 * place, sentence, size=13, weight="600" if place == 0 else ""))
    return svg.Drawing(svg.picture(_WIDTH, top + 16 + 18 * len(told), told[0], parts))


def _voters(vote: Votes) -> frozenset[int]:
    return vote.prepared | vote.committed


def _order(trace: Trace, votes: Sequence[Votes]) -> list[int]:
    first = _voters(votes[0]) if votes else frozenset()
    others = frozenset[int]().union(*(_voters(vote) for vote in votes[1:]))

    def place(validator: int) -> int:
        if validator in first:
            return 1 if validator in others else 0
        return 2 if validator in others else 3

    return sorted(range(trace.n), key=lambda validator: (place(validator), validator))


def _x(place: int, cell: float) -> float:
    return _LEFT + (place + 0.5) * cell


def _heads(trace: Trace, order: Sequence[int], cell: float) -> list[str]:
    """Return the row of validators: marks, and numbers where there is room."""
    parts = [svg.text(4, _TOP - 24, Word("validator", "ผู้ตรวจสอบธุรกรรม"), size=_SIZE)]
    for place, number in enumerate(order):
        state = Validator(number, trace.byzantine.get(number), number not in trace.crashed).state
        parts.append(mark(state, _x(place, cell), _TOP - 28, min(7.5, cell * 0.36)))
        if cell >= _LEAST_LABELLED:
            parts.append(svg.text(_x(place, cell), _TOP - 6, number, size=11, anchor="middle"))
    return parts


def _shared(order: Sequence[int], votes: Sequence[Votes], cell: float) -> list[str]:
    """Return a frame around those that voted for more than one block."""
    places = [place for place, number in enumerate(order) if sum(number in _voters(vote) for vote in votes) > 1]
    if not places:
        return []
    left, right = _LEFT + places[0] * cell, _LEFT + (places[-1] + 1) * cell
    bottom = _TOP + len(votes) * (3 * _ROW + 10) - 6
    frame = svg.tag("rect", x=left, y=26.0, width=right - left, height=bottom - 26, rx=4, fill="none",
                    stroke="currentColor", stroke_width=1.5, stroke_dasharray="5 3")  # fmt: skip
    words = Word(f"voted for both: {len(places)}", f"ลงคะแนนให้ทั้งสอง: {len(places)}")
    middle = min(max((left + right) / 2, _LEFT + 60), _WIDTH - _RIGHT)
    return [frame, svg.text(middle, 18, words, size=_SIZE, anchor="middle", weight="600")]


def _block(trace: Trace, vote: Votes, order: Sequence[int], cell: float, top: float) -> list[str]:
    ink = RIVALS[vote.letter]
    name = Word(f"Block {vote.letter}", f"บล็อก {vote.letter}")
    parts = [svg.text(4, top + 16, f"{name}  {vote.digest[:10]}\N{HORIZONTAL ELLIPSIS}", weight="600")]
    for row, (kind, signers) in enumerate((("prepare", vote.prepared), ("commit", vote.committed)), start=1):
        y = top + row * _ROW
        parts.append(svg.text(14, y + 15, MESSAGES[kind], size=_SIZE))
        for place, number in enumerate(order):
            parts.append(_cell(_LEFT + place * cell, y, cell, vote.letter if number in signers else "", ink.colour))
        parts.append(svg.text(_WIDTH - _RIGHT + 8, y + 15, _count(len(signers), trace.quorum), size=_SIZE))
    return parts


def _cell(x: float, y: float, cell: float, letter: str, colour: str) -> str:
    gap = min(1.0, 0.15 * cell)
    size: dict[str, Any] = {"x": x + gap, "y": y + 1, "width": cell - 2 * gap, "height": _ROW - 2, "rx": 2 * gap}
    if not letter:
        return svg.tag("rect", fill="none", stroke="currentColor", stroke_opacity=0.25, **size)
    drawn = svg.tag("rect", fill=colour, **size)
    if cell < _LEAST_LABELLED:
        return drawn
    inner: dict[str, Any] = {"x": x + cell / 2, "y": y + 15, "font_size": 11, "text_anchor": "middle", "fill": "#fff"}
    return drawn + svg.tag("text", escape(letter), font_weight="600", **inner)


def _count(votes: int, quorum: int) -> str:
    if votes >= quorum:
        return str(Word(f"{votes} \N{GREATER-THAN OR EQUAL TO} {quorum}: quorum", f"{votes} ≥ {quorum}: ครบองค์ประชุม"))
    return str(Word(f"{votes} < {quorum}: none", f"{votes} < {quorum}: ไม่ครบ"))


def _outcome(trace: Trace, height: int, view: int, letters: Mapping[str, str]) -> list[str]:
    held = set(trace.finals.filter(height=height)["hash"].to_list())
    final = [letter for digest, letter in letters.items() if digest in held]
    where = Word(f"Height {height}, view {view}", f"ความสูง {height} มุมมอง {view}")
    if len(final) > 1:
        english, thai = " and ".join(final), " และ ".join(final)
        told = Word(f"blocks {english} are both final. A fork.", f"บล็อก {thai} เป็นที่สิ้นสุดทั้งคู่ เกิดการแยกสาย")
    elif final:
        told = Word(f"block {final[0]} alone is final.", f"บล็อก {final[0]} เท่านั้นที่เป็นที่สิ้นสุด")
    else:
        told = Word("no block is final.", "ไม่มีบล็อกใดเป็นที่สิ้นสุด")
    return [f"{where}: {told}"]


def _reason(trace: Trace) -> list[str]:
    """Return the arithmetic: two quorums of q out of n share at least 2q - n validators, of whom f may lie."""
    n, q, f, liars = trace.n, trace.quorum, max_faulty(trace.n), len(trace.byzantine)
    shared = max(2 * q - n, 0)
    lie = Word(f"up to {f} may lie", f"อาจมีผู้โกหกถึง {f} ราย")
    if liars > f:
        lie = Word(f"{liars} lie, more than the {f} that {n} bear", f"มีผู้โกหก {liars} ราย เกิน {f} รายที่ระบบ {n} รายทนได้")
    first = Word(
        f"Two groups of {q} out of {n} share at least 2 × {q} − {n} = {shared}; {lie}.",
        f"สองกลุ่ม กลุ่มละ {q} จาก {n} มีสมาชิกร่วมกันอย่างน้อย 2 × {q} − {n} = {shared} ราย และ{lie}",
    )
    if shared > max(f, liars):
        second = Word(
            "So one that they share is honest, and an honest validator votes once: there cannot be two quorums.",
            "ในสมาชิกร่วมจึงมีผู้ซื่อสัตย์อย่างน้อยหนึ่งราย ซึ่งลงคะแนนครั้งเดียว จึงเกิดสององค์ประชุมไม่ได้",
        )
    else:
        second = Word(
            "So all that they share may be liars, who vote twice: two blocks can both get a quorum.",
            "สมาชิกร่วมจึงอาจเป็นผู้โกหกทั้งหมด ซึ่งลงคะแนนสองครั้ง ทำให้สองบล็อกครบองค์ประชุมได้ทั้งคู่",
        )
    return [str(first), str(second)]
