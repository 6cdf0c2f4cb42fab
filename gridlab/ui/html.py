"""The few pieces of HTML that summaries, controls and the report share: escaped, inline-styled, without ids."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["card", "definitions", "escape", "scrolled", "table", "tiles"]

_LINE = "1px solid rgba(128,128,128,.3)"
_CELL = f"padding:3px 10px;border:0;border-bottom:{_LINE}"
_QUIET = "opacity:.75"


def escape(words: object) -> str:
    """Return `words` as text that HTML shows letter by letter."""
    return html.escape(str(words))


def card(parts: Iterable[str]) -> str:
    """Return `parts` (HTML) inside a framed block that takes its colours from the page."""
    return f'<div style="border:{_LINE};border-radius:8px;padding:12px 16px;max-width:860px">{"".join(parts)}</div>'


def definitions(rows: Iterable[tuple[object, str]], *, caption: object = "") -> str:
    """Return a table of names and values; values are HTML and stand on the right."""
    body = "".join(
        f'<tr style="background:transparent"><td style="{_CELL};text-align:left">{escape(name)}</td>'
        f'<td style="{_CELL};text-align:right;white-space:nowrap">{value}</td></tr>'
        for name, value in rows
    )
    title = (
        f'<caption style="text-align:left;font-weight:600;caption-side:top;padding:6px 0 2px">{escape(caption)}</caption>'
        if str(caption)
        else ""
    )
    return f'<table style="border-collapse:collapse;margin:0 24px 8px 0;font-size:13px">{title}<tbody>{body}</tbody></table>'


def table(heads: Sequence[object], rows: Iterable[Sequence[object]], *, numbers: int = 1, strong_last: bool = False) -> str:
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
    first = len(heads) - numbers

    def cells(kind: str, row: Sequence[object], weight: str = "") -> str:
        return "".join(
            f'<{kind} style="{_CELL};text-align:{"right" if i >= first else "left"}{weight}">{escape(v)}</{kind}>'
            for i, v in enumerate(row)
        )

    listed = list(rows)
    body = "".join(
        f'<tr style="background:transparent">{cells("td", row, ";font-weight:600" if strong_last and row is listed[-1] else "")}</tr>'
        for row in listed
    )
    return (
        f'<table style="border-collapse:collapse;font-size:14px"><thead><tr style="background:transparent">{cells("th", heads)}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Return key figures side by side: the value large, its label small above it."""
    parts = "".join(
        f'<div style="flex:1 1 150px;padding:6px 12px;border-left:3px solid rgba(128,128,128,.4)">'
        f'<div style="font-size:12px;{_QUIET}">{escape(label)}</div>'
        f'<div style="font-size:19px;font-weight:600">{escape(value)}</div></div>'
        for label, value in figures
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{parts}</div>'


def scrolled(inner: str, least_width: int = 0) -> str:
    """Return HTML that scrolls sideways inside itself where the page is narrower than it."""
    kept = f'<div style="min-width:{least_width}px">{inner}</div>' if least_width else inner
    return f'<div style="overflow-x:auto">{kept}</div>'
