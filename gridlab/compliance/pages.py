"""What audits, traces and proofs show in a notebook: plain static HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

import polars as pl

__all__ = ["facts_html", "table_html"]

_MOST_ROWS = 12


def facts_html(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """Return names and values as a table under a title."""
    rows = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(str(value))}</td></tr>'
        for name, value in facts
    )
    return f"<table><caption>{html.escape(title)}</caption>{rows}</table>"


def table_html(title: str, frame: pl.DataFrame, heads: Mapping[str, str]) -> str:
    """Return the first rows of a frame as a table; `heads` says which columns, and what to write above each."""
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads.values())
    columns = [frame[name].head(_MOST_ROWS).cast(pl.String).fill_null("").to_list() for name in heads]
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in zip(*columns, strict=True)
    )
    more = frame.height - _MOST_ROWS
    below = f"<p>and {more} more rows</p>" if more > 0 else ""
    return f"<table><caption>{html.escape(title)}</caption><tr>{top}</tr>{body}</table>{below}"
