"""Validators side by side, each with its number and a mark for how it stands; one row for each side of a cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from gridlab.ui import svg
from gridlab.ui.consensus_words import STATES as STATE_WORDS
from gridlab.ui.consensus_words import city_words
from gridlab.ui.html import escape
from gridlab.ui.palette import STATES
from gridlab.ui.words import Word

__all__ = ["Validator", "mark", "validator_strip", "validators_of"]

_WIDTH = 640.0
_CELL = 29.0
_ROW = 58.0
_IN_A_ROW = 21
_LEGEND = 24.0


@dataclass(frozen=True, slots=True)
class Validator:
    """One validator as it is drawn.

    Attributes
    ----------
    number : int
    lie : str or None
        How it lies; None where it is honest.
    up : bool
    side : int or None
        Group of a cut network; None where it is whole.
    primary : bool
    city : str
    """

    number: int
    lie: str | None = None
    up: bool = True
    side: int | None = None
    primary: bool = False
    city: str = ""

    @property
    def state(self) -> str:
        """Key of `palette.STATES`; a liar that is down is down."""
        return "down" if not self.up else "honest" if self.lie is None else "lies"


def validators_of(states: pl.DataFrame) -> list[Validator]:
    """Return the validators of a frame as `gridlab.chain.validator_states.VALIDATOR_STATES`."""
    names = ("validator", "lie", "up", "side", "primary", "city")
    return [Validator(*row) for row in zip(*(states[name].to_list() for name in names), strict=True)]


def mark(state: str, x: float, y: float, radius: float) -> str:
    """Return the mark of a state: a disc, a diamond with an exclamation mark, an empty ring with a cross."""
    ink = STATES[state].colour
    if state == "lies":
        tip = radius * 1.25
        points = f"{x:g},{y - tip:g} {x + tip:g},{y:g} {x:g},{y + tip:g} {x - tip:g},{y:g}"
        sign = svg.tag(
            "text", "!", x=x, y=y + radius * 0.5, font_size=radius * 1.5, font_weight="700", text_anchor="middle",
            fill="#fff",
        )  # fmt: skip
        return svg.tag("polygon", points=points, fill=ink) + sign
    if state == "down":
        arm = radius * 0.45
        ring = svg.tag("circle", cx=x, cy=y, r=max(radius - 1, 0.6 * radius), fill="none", stroke=ink, stroke_width=1.5,
                       stroke_dasharray="3 2")  # fmt: skip
        cross = [(-arm, -arm, arm, arm), (-arm, arm, arm, -arm)]
        return ring + "".join(svg.line(x + a, y + b, x + c, y + d, stroke=ink, width=2) for a, b, c, d in cross)
    return svg.tag("circle", cx=x, cy=y, r=radius, fill=ink)


def validator_strip(validators: Sequence[Validator], *, primary: bool = True) -> str:
    """Return the validators as SVG, in rows of 21; a cut network has rows of its own for each side.

    `primary` says whether one of them leads the others, so that the legend explains its mark.
    """
    sides = list(dict.fromkeys(validator.side for validator in sorted(validators, key=_side)))
    parts, top = _legend(primary=primary), _LEGEND
    for place, side in enumerate(sides):
        members = [validator for validator in validators if validator.side == side]
        if place:
            parts.append(_cut(top + 4))
            top += 14
        for start in range(0, len(members), _IN_A_ROW):
            parts += _row(members[start : start + _IN_A_ROW], top)
            top += _ROW
    return svg.picture(_WIDTH, top, _title(validators), parts)


def _side(validator: Validator) -> int:
    # Those that no group names stand together, below all others.
    return validator.side or 1_000_000


def _title(validators: Sequence[Validator]) -> str:
    count = {state: sum(each.state == state for each in validators) for state in STATES}
    told = ", ".join(f"{STATE_WORDS[state]} {many}" for state, many in count.items())
    return f"{Word('Validators', 'ผู้ตรวจสอบธุรกรรม')}: {told}"


def _legend(*, primary: bool) -> list[str]:
    parts, x = [], 8.0
    for state in STATES:
        words = STATE_WORDS[state]
        parts += [mark(state, x, 10, 6), svg.text(x + 12, 14, words, size=12)]
        x += 12 + svg.text_width(words, 12) + 26
    if not primary:
        return parts
    return [*parts, _crown(x, 14), svg.text(x + 12, 14, STATE_WORDS["primary"], size=12)]


def _crown(x: float, y: float) -> str:
    """Return the primary's mark: a triangle."""
    return svg.tag("polygon", points=f"{x:g},{y - 9:g} {x + 6:g},{y:g} {x - 6:g},{y:g}", fill="currentColor")


def _cut(y: float) -> str:
    words = Word("the network is cut here", "เครือข่ายขาดตรงนี้")
    end = _WIDTH - svg.text_width(words, 11) - 12
    return svg.line(4, y, end, y, width=1.5, dash="6 4") + svg.text(_WIDTH - 4, y + 4, words, size=11, anchor="end")


def _row(members: Sequence[Validator], top: float) -> list[str]:
    parts = []
    for place, validator in enumerate(members):
        x = 18 + place * _CELL
        told = svg.tag("title", escape(f"{validator.number} {city_words(validator.city)}".strip()))
        cell = [told, mark(validator.state, x, top + 18, 9.5), svg.text(x, top + 42, validator.number, anchor="middle")]
        if validator.primary:
            cell.append(_crown(x, top + 55))
        parts.append(svg.group(cell))
    return parts
