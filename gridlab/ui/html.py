"""The few pieces of HTML that summaries, controls and the report share: escaped, inline-styled, without ids."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["card", "definitions", "escape", "scrolled", "table", "tiles"]

_LINE = "1px solid rgba(128,128,128,.3)"
_CARD = f"border:{_LINE};border-radius:8px;padding:12px 16px;max-width:860px"
# Said outright, since pages without a doctype do not hand their text colour to tables.
_TABLE = "border-collapse:collapse;color:inherit"
_ROW = "background:transparent"  # against the stripes that notebooks give every table
_CELL = f"padding:3px 10px;border:0;border-bottom:{_LINE}"
_LEFT = f"{_CELL};text-align:left"
_RIGHT = f"{_CELL};text-align:right"
_NUMBER = f"{_RIGHT};white-space:nowrap"
_CAPTION = "text-align:left;font-weight:600;caption-side:top;padding:6px 0 2px"
_SMALL = "font-size:12px;opacity:.75"


def escape(words: object) -> str:
    """Return `words` as text that HTML shows letter by letter."""
    return html.escape(str(words))


def _styled(name: str, style: str, inner: str) -> str:
    return f'<{name} style="{style}">{inner}</{name}>'


def card(parts: Iterable[str]) -> str:
    """Return `parts` (HTML) inside a framed block that takes its colours from the page."""
    return _styled("div", _CARD, "".join(parts))


def definitions(rows: Iterable[tuple[object, str]], *, caption: object = "") -> str:
    """Return a table of names and values; values are HTML and stand on the right."""
    body = "".join(
        _styled("tr", _ROW, _styled("td", _LEFT, escape(name)) + _styled("td", _NUMBER, value)) for name, value in rows
    )
    title = _styled("caption", _CAPTION, escape(caption)) if str(caption) else ""
    return _styled("table", f"{_TABLE};margin:0 24px 8px 0;font-size:13px", f"{title}<tbody>{body}</tbody>")


def table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], *, numbers: int = 1, strong_last: bool = False
) -> str:
    """Return a table of text; the last `numbers` columns stand on the right.

    Parameters
    ----------
    heads : sequence
    rows : iterable of sequences
        Escaped here.
    numbers : int
    strong_last : bool
        Set the last row in bold, as a sum.
    """
    names = len(heads) - numbers
    listed = list(rows)
    top = _row("th", heads, [_LEFT] * names + [_RIGHT] * numbers)
    styles = [_LEFT] * names + [_NUMBER] * numbers
    body = [_row("td", row, styles) for row in listed]
    if strong_last and listed:
        body[-1] = _row("td", listed[-1], [f"{style};font-weight:600" for style in styles])
    return _styled("table", f"{_TABLE};font-size:13px", f"<thead>{top}</thead><tbody>{''.join(body)}</tbody>")


def _row(kind: str, cells: Sequence[object], styles: Sequence[str]) -> str:
    inner = "".join(_styled(kind, style, escape(cell)) for cell, style in zip(cells, styles, strict=True))
    return _styled("tr", _ROW, inner)


def tiles(figures: Iterable[tuple[str, str]], *, least_width: int = 150, size: int = 19) -> str:
    """Return key figures side by side, four in a row where there is room: the value large, its label small above it.

    Parameters
    ----------
    figures : iterable of (label, value)
    least_width : int
        Of a figure (pixels).
    size : int
        Of the value's letters (pixels).
    """
    tile = (
        f"box-sizing:border-box;flex:1 1 21%;min-width:{least_width}px;padding:4px 0 4px 9px;"
        "border-left:3px solid rgba(128,128,128,.4);line-height:1.4"
    )
    parts = "".join(
        _styled(
            "div",
            tile,
            _styled("div", _SMALL, escape(label))
            + _styled("div", f"font-size:{size}px;font-weight:600", escape(value)),
        )
        for label, value in figures
    )
    return _styled("div", "display:flex;flex-wrap:wrap;gap:8px", parts)


def scrolled(inner: str, least_width: int = 0) -> str:
    """Return HTML that scrolls sideways inside itself where the page is narrower than it."""
    kept = _styled("div", f"min-width:{least_width}px", inner) if least_width else inner
    return _styled("div", "overflow-x:auto", kept)
