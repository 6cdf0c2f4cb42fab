"""Static SVG as text: the few elements that the pictures are made of.

A picture is a string that is equal for equal data: no ids, no times, no scripts, no style sheet. It has a viewBox and
scales with its page, takes its text colour from there (light or dark), keeps text as text, and opens with a <title>
for readers who do not see it.
"""

from __future__ import annotations

import html
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "FONT",
    "Drawing",
    "Floats",
    "circle",
    "group",
    "line",
    "picture",
    "polygon",
    "polyline",
    "rectangle",
    "tag",
    "text",
    "text_width",
]

Floats = npt.NDArray[np.float64]

# Fonts of Linux, Windows, Apple and Android that have Thai; the browser takes the first it has.
FONT = "system-ui, 'Segoe UI', 'Noto Sans Thai', 'Leelawadee UI', Thonburi, Sarabun, Loma, 'Tlwg Loma', sans-serif"

_EM = 0.56  # mean advance of a letter over the font size in sans-serif faces, enough to lay out a legend


class Drawing(str):
    """A finished picture: text that a notebook shows as what it draws."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Drawing({len(self):,} characters of SVG; a notebook shows it, str() gives it)"

    def _repr_html_(self) -> str:
        return str(self)


def _value(value: object) -> str:
    return f"{round(value, 2):g}" if isinstance(value, (float, np.floating)) else html.escape(str(value))


def tag(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; attribute values are escaped, `content` is not; underscores in names become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items() if value != ""
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(
    x: float, y: float, words: object, *, size: float = 12, anchor: str = "", weight: str = "", opacity: float = 1.0
) -> str:
    """Return escaped text that begins, centres (``middle``) or ends (``end``) at (x, y) on its base line."""
    faded: object = opacity if opacity < 1 else ""
    return tag(
        "text",
        html.escape(str(words)),
        x=float(x),
        y=float(y),
        font_size=float(size),
        text_anchor=anchor,
        font_weight=weight,
        fill="currentColor",
        fill_opacity=faded,
    )


def text_width(words: object, size: float) -> float:
    """Return about how wide text of `size` is drawn; Thai vowels and tone marks above and below take no room."""
    return sum(unicodedata.category(letter) != "Mn" for letter in str(words)) * size * _EM


def line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    *,
    stroke: str = "currentColor",
    width: float = 1,
    dash: str = "",
    opacity: float = 1.0,
) -> str:
    """Return a straight line."""
    faded: object = opacity if opacity < 1 else ""
    return tag(
        "line",
        x1=float(x1),
        y1=float(y1),
        x2=float(x2),
        y2=float(y2),
        stroke=stroke,
        stroke_width=float(width),
        stroke_dasharray=dash,
        stroke_opacity=faded,
    )


def rectangle(x: float, y: float, width: float, height: float, *, fill: str, opacity: float = 1.0) -> str:
    """Return a filled rectangle; a negative extent is turned round."""
    return tag(
        "rect",
        x=float(min(x, x + width)),
        y=float(min(y, y + height)),
        width=float(abs(width)),
        height=float(abs(height)),
        fill=fill,
        fill_opacity=opacity if opacity < 1 else "",
    )


def circle(x: float, y: float, radius: float, *, fill: str) -> str:
    """Return a filled circle with a pale rim, so that it stands out on lines of any colour."""
    return tag("circle", cx=float(x), cy=float(y), r=float(radius), fill=fill, stroke="#fff", stroke_width=1.5)


def _points(x: Floats, y: Floats) -> str:
    """Return the points as text, a tenth of a pixel fine; points that fall on their neighbour are left out.

    A book of a million orders makes no longer a path than the picture has pixels.
    """
    grid = np.round(np.column_stack([x, y]), 1)
    moved = np.ones(len(grid), dtype=np.bool_)
    moved[1:] = (np.diff(grid, axis=0) != 0).any(axis=1)
    # A run of steps along one line needs its ends alone.
    kept = grid[moved]
    if len(kept) > 2:
        before, after = np.diff(kept[:-1], axis=0), np.diff(kept[1:], axis=0)
        bends = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
        turns = (before * after).sum(axis=1) < 0
        kept = kept[np.concatenate([[True], bends | turns, [True]])]
    return " ".join(f"{a:g},{b:g}" for a, b in kept)


def polyline(x: Floats, y: Floats, *, stroke: str, width: float = 2, dash: str = "") -> str:
    """Return an open line through the points; where `y` is not a number it is interrupted."""
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    style: dict[str, Any] = {
        "stroke": stroke,
        "stroke_width": width,
        "stroke_dasharray": dash,
        "stroke_linejoin": "round",
    }
    pieces = zip(edges[::2], edges[1::2], strict=True)
    return "".join(tag("polyline", points=_points(x[a:b], y[a:b]), fill="none", **style) for a, b in pieces)


def polygon(x: Floats, y: Floats, *, fill: str, opacity: float = 1.0) -> str:
    """Return a filled area; nothing where it has no points."""
    if len(x) == 0:
        return ""
    return tag("polygon", points=_points(x, y), fill=fill, fill_opacity=opacity if opacity < 1 else "")


def group(parts: list[str], **attributes: object) -> str:
    """Return `parts` under common attributes."""
    return tag("g", "".join(parts), **attributes)


def picture(width: float, height: float, title: object, parts: list[str], *, decorative: bool = False) -> str:
    """Return a whole picture.

    Parameters
    ----------
    width, height : float
        Extent of the viewBox; the picture is never shown wider than 1.25 times that.
    title : object
        What a screen reader says, escaped here.
    parts : list of str
        Elements.
    decorative : bool
        Keep the picture at its own size, inside a line of text (a sparkline).
    """
    fixed = f"width:{width:g}px;height:{height:g}px;vertical-align:middle"
    style = fixed if decorative else f"width:100%;max-width:{width * 1.25:g}px;height:auto;display:block"
    return tag(
        "svg",
        tag("title", html.escape(str(title))) + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        font_family=FONT,
        style=style,
    )
