"""The report of a run: one HTML page that opens without a network, on paper, on a phone, in daylight and at night."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from gridlab import settings
from gridlab.errors import ArgumentTypeError, ReportError
from gridlab.run import Run
from gridlab.ui import report_sections as sections
from gridlab.ui.html import escape
from gridlab.ui.svg import FONT
from gridlab.ui.words import Word

__all__ = ["page", "write"]

_STYLE = f"""
:root {{ color-scheme: light dark; --paper: #fff; --ink: #1d2430; --rule: #d9dde3; --card: #f6f8fa; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #14181f; --ink: #e6e9ee; --rule: #39414d; --card: #1b212a; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 {FONT}; }}
main {{ max-width: 1120px; margin: 0 auto; padding: 28px 20px 48px; }}
header {{ margin-bottom: 28px; }}
h1 {{ font-size: 30px; line-height: 1.3; margin: 0; }}
h2 {{ font-size: 19px; margin: 0 0 10px; }}
h3 {{ font-size: 15px; margin: 16px 0 4px; }}
.quiet, figcaption {{ opacity: .8; }}
.lead {{ font-size: 18px; max-width: 46em; margin: 16px 0 20px; }}
.lead p {{ margin: 0 0 8px; }}
.sections {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 18px; }}
section {{ background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }}
section {{ padding: 16px 18px; min-width: 0; }}
.wide {{ grid-column: 1 / -1; }}
.columns {{ display: flex; flex-wrap: wrap; gap: 16px 20px; }}
.columns > div {{ min-width: 0; max-width: 100%; }}
.half {{ flex: 1 1 430px; }}
figure {{ margin: 0 0 8px; }}
figcaption {{ font-size: 14px; margin-top: 8px; }}
table {{ max-width: 100%; }}
td, th {{ vertical-align: top; }}
dl {{ display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 18px; font-size: 14px; margin: 0; }}
dd {{ margin: 0; }}
code {{ overflow-wrap: anywhere; font-size: 13px; }}
footer {{ margin-top: 24px; font-size: 13px; opacity: .75; overflow-wrap: anywhere; }}
@media (max-width: 560px) {{
  main {{ padding: 18px 12px 32px; }} h1 {{ font-size: 25px; }} .lead {{ font-size: 17px; }}
  section {{ padding: 12px; }} dl {{ grid-template-columns: 1fr; }} dt {{ opacity: .8; }} dd {{ margin-bottom: 6px; }}
}}
@media print {{
  :root {{ --paper: #fff; --ink: #000; --rule: #bbb; --card: #fff; }}
  body {{ font-size: 12px; }} main {{ padding: 0; max-width: none; }} figure, tr, header {{ break-inside: avoid; }}
  h2, h3 {{ break-after: avoid; }}
}}
"""


def page(run: Run) -> str:
    """Return the report of `run` as one HTML page in the language in force; it fetches nothing from elsewhere."""
    language = settings.current().language
    body = [
        *sections.market(run),
        sections.who_gains(run),
        sections.savings(run),
        sections.who_pays(run),
        sections.figures(run),
        sections.levers(run),
        sections.chain(run),
        sections.notes(),
    ]
    made = Word("Made by gridlab", "จัดทำโดย gridlab")
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(Word(run.facts.title, run.facts.title_th))}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{sections.head(run)}<div class=sections>{''.join(body)}</div>"
        f"<footer>{made} · {escape(run.fingerprint)}</footer></main></body></html>\n"
    )


def write(run: Run, path: str | Path) -> Path:
    """Write the report of `run` and return its path.

    Parameters
    ----------
    run : Run
    path : str or pathlib.Path
        An HTML file; one that was there before stays whole until the new one is complete.

    Raises
    ------
    ArgumentTypeError
        `run` is not a run, or `path` is not a file name.
    ReportError
        The file cannot be written there.
    """
    if not isinstance(run, Run):
        raise ArgumentTypeError(f"report: expected a Run as lab.run() returns, got {type(run).__name__}")
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise ArgumentTypeError(f"path: expected a file name such as 'day.html', got {path!r}")
    target = Path(path)
    content = page(run)
    partial = target.with_name(target.name + ".part") if target.name else target
    try:
        partial.write_text(content, encoding="utf-8", newline="\n")
        partial.replace(target)
    except (OSError, ValueError) as problem:
        raise _refused(target, partial, problem) from problem
    return target


def _refused(target: Path, partial: Path, problem: Exception) -> ReportError:
    if partial != target:
        # What cannot be written cannot always be removed; the first problem is the one told.
        with suppress(OSError, ValueError):
            partial.unlink(missing_ok=True)
    why = getattr(problem, "strerror", None) or str(problem)
    return ReportError(
        f"path: {str(target)!r} cannot be written ({why}); "
        "give a file name in a folder that exists and that you may write to"
    )
