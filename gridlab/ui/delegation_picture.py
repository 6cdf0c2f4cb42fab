"""Who delegates to whom on a track, as static SVG: delegators on the left, delegates on the right, width by amount."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gridlab.ui import svg
from gridlab.ui.axes import WIDTH
from gridlab.ui.governance_words import conviction_words, grid_text, holder_words
from gridlab.ui.palette import BALLOTS
from gridlab.ui.words import Word

__all__ = ["MOST_SHOWN", "delegation_picture"]

MOST_SHOWN = 24
_ROW = 30.0
_TOP = 28.0
_LEFT, _RIGHT = 150.0, WIDTH - 130.0
_WIDEST = 9.0


def delegation_picture(delegations: pl.DataFrame, names: Mapping[int, str], title: object) -> str:
    """Return delegations as SVG; of very many the largest.

    Parameters
    ----------
    delegations : polars.DataFrame
        ``account``, ``delegate``, ``conviction`` and ``amount`` (micro-GRID), as
        `gridlab.governance.views.delegation_frame` gives them.
    names : mapping of int to str
        Account -> name.
    title : object
        What a screen reader says, and the line above.
    """
    if delegations.is_empty():
        nobody = Word("nobody delegates on this track", "ไม่มีผู้มอบสิทธิ์ในช่องทางนี้")
        return svg.picture(WIDTH, 40.0, title, [svg.text(2, 14, title, weight="600"), svg.text(2, 34, nobody)])
    largest = delegations.sort("amount", "account", descending=[True, False]).head(MOST_SHOWN)
    shown = largest.sort("delegate", "account")
    rows = shown.select("account", "delegate", "conviction", "amount").rows()
    height = _TOP + _ROW * len(rows) + (18.0 if delegations.height > len(rows) else 4.0)
    parts = [svg.text(2, 14, title, weight="600"), *_delegates(shown, names)]
    most = int(shown["amount"].max())  # type: ignore[arg-type]
    middles = _middles(shown)
    for place, (account, delegate, level, amount) in enumerate(rows):
        width = max(1.0, _WIDEST * amount / most)
        parts += _row(place, middles[delegate], width)
        told = f"{grid_text(amount)} · {conviction_words(level)}"
        parts.append(svg.text(0, _y(place) + 4, holder_words(account, names)))
        above = _y(place) - 4 - width / 2
        parts.append(svg.text((_LEFT + _RIGHT) / 2, above, told, size=10, anchor="middle", opacity=0.8))
    if delegations.height > len(rows):
        rest = delegations.height - len(rows)
        parts.append(svg.text(2, height - 4, Word(f"and {rest} smaller ones", f"และรายเล็กกว่าอีก {rest} ราย"), size=11))
    return svg.picture(WIDTH, height, title, parts)


def _y(place: float) -> float:
    return _TOP + _ROW * (place + 0.5)


def _middles(shown: pl.DataFrame) -> dict[int, float]:
    """Return delegate -> height of the middle of its delegators."""
    placed = shown.with_row_index("place").group_by("delegate", maintain_order=True).agg(pl.col("place").mean())
    return {delegate: _y(place) for delegate, place in placed.rows()}


def _delegates(shown: pl.DataFrame, names: Mapping[int, str]) -> list[str]:
    sums = shown.group_by("delegate", maintain_order=True).agg(pl.col("amount").sum())
    parts = []
    middles = _middles(shown)
    for delegate, amount in sums.rows():
        y = middles[delegate]
        parts.append(svg.circle(_RIGHT, y, 5, fill=BALLOTS["aye"].colour))
        parts.append(svg.text(_RIGHT + 10, y, holder_words(delegate, names), weight="600"))
        parts.append(svg.text(_RIGHT + 10, y + 13, grid_text(amount), size=10, opacity=0.8))
    return parts


def _row(place: int, end: float, width: float) -> list[str]:
    """Return a band that leaves to the right and bends to its delegate."""
    y, half = _y(place), (_LEFT + _RIGHT) / 2
    path = f"M{_LEFT:g},{y:g} C{half + 60:g},{y:g} {half + 60:g},{end:g} {_RIGHT:g},{end:g}"
    ink = BALLOTS["aye"].colour
    band = svg.tag("path", d=path, fill="none", stroke=ink, stroke_width=width, stroke_opacity=0.45)
    return [band, svg.circle(_LEFT, y, 3.5, fill=ink)]
