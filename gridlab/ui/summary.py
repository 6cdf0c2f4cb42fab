"""What a bare lab and a bare run show in a notebook: static, equal for equal data, at home on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import numpy as np
import polars as pl

from gridlab.lab import Lab
from gridlab.run import Run
from gridlab.ui.day_pictures import sparkline
from gridlab.ui.figures import day_of, figure_rows, number, unit
from gridlab.ui.html import card, definitions, escape
from gridlab.ui.lever_words import changed
from gridlab.ui.palette import NET_LOAD, SIDES, Ink
from gridlab.ui.svg import Floats
from gridlab.ui.views import day_view
from gridlab.ui.words import GROUPS, KINDS, Word, figure, lookup

__all__ = ["MEASURED", "lab_html", "run_html"]

# The one figure that differs between two equal runs; a summary must not.
MEASURED = "orders_per_second"

_QUIET = 'style="opacity:.75;font-size:13px;margin:2px 0 8px"'


def lab_html(lab: Lab) -> str:
    """Return a lab as an HTML card: title, start, prosumers by kind, the levers that are not at their default."""
    moved = changed(lab.lever_values())
    lines = [
        (line.label, f"{escape(line.value)} ({Word('default', 'ค่าตั้งต้น')} {escape(line.default)})") for line in moved
    ]
    head = _head(str(Word(lab.title, lab.title_th)), f"{day_of(lab.start)} · {Word('seed', 'ค่าเริ่มสุ่ม')} {lab.seed}")
    levers = (
        definitions(lines, caption=Word("Levers moved from the Thai default", "ค่าที่ปรับจากค่าตั้งต้นของไทย"))
        if lines
        else f"<p {_QUIET}>{Word('All levers stand at the Thai default.', 'ทุกค่าเป็นค่าตั้งต้นของไทย')}</p>"
    )
    return card([head, _row(_prosumers(lab), levers), _next_steps()])


def _head(title: str, below: str) -> str:
    return f'<div style="font-size:17px;font-weight:600">{escape(title)}</div><div {_QUIET}>{escape(below)}</div>'


def _row(*blocks: str) -> str:
    return '<div style="display:flex;flex-wrap:wrap">' + "".join(f"<div>{block}</div>" for block in blocks) + "</div>"


def _prosumers(lab: Lab) -> str:
    accounts = lab.agents.accounts()
    kinds = (
        accounts.group_by("kind")
        .agg(pl.len(), roofs=(pl.col("pv_kw") > 0).sum(), pv=pl.col("pv_kw").sum())
        .sort("len", "kind", descending=[True, False])
        .to_dict(as_series=False)
    )
    rows = [
        (lookup(KINDS, kind), f"{number(count)} ({number(roofs)} {Word('with solar', 'มีโซลาร์')}, {number(pv, 1)} kWp)")
        for kind, count, roofs, pv in zip(kinds["kind"], kinds["len"], kinds["roofs"], kinds["pv"], strict=True)
    ]
    return definitions(rows, caption=f"{Word('Prosumers', 'โปรซูเมอร์')}: {number(accounts.height)}")


def _next_steps() -> str:
    run, controls = "<code>lab.run(hours=24)</code>", "<code>lab.controls()</code>"
    return (
        f"<div {_QUIET}>"
        + str(Word(f"Next: {run} runs it, {controls} moves its levers.", f"ต่อไป: {run} เพื่อจำลอง, {controls} เพื่อปรับค่า"))
        + "</div>"
    )


def run_html(run: Run) -> str:
    """Return a run as an HTML card: key figures in groups, three sparklines, the chain and the fingerprint."""
    facts = run.facts
    length = Word(f"{facts.slots} slots of 15 minutes", f"{facts.slots} ช่วง ช่วงละ 15 นาที")
    who = Word(f"{number(facts.prosumers)} prosumers", f"โปรซูเมอร์ {number(facts.prosumers)} ราย")
    seed = Word(f"seed {facts.seed}", f"ค่าเริ่มสุ่ม {facts.seed}")
    head = _head(str(Word(facts.title, facts.title_th)), f"{day_of(facts.start)} · {length} · {who} · {seed}")
    return card([head, _sparklines(run), _row(*_groups(run)), _chain(run)])


def _sparklines(run: Run) -> str:
    view = day_view(run.frames)
    traded = sum(view.traded.values(), np.zeros_like(view.net))
    lines: list[tuple[Word, Floats, Ink, str]] = [
        (Word("Price (mean of zones)", "ราคา (เฉลี่ยทุกเขต)"), _mean_price(view.price), SIDES["sell"], unit("THB/kWh")),
        (Word("Energy traded", "ไฟฟ้าที่ซื้อขายกัน"), traded, SIDES["buy"], unit("kWh")),
        (Word("Net load", "ความต้องการไฟฟ้าสุทธิ"), view.net, NET_LOAD, unit("kW")),
    ]
    shown = [
        f'<div style="font-size:12px;margin-right:28px"><div style="opacity:.75">{words}, {name}</div>'
        f"{sparkline(values, ink=ink, title=f'{words}, {name}', width=180, height=34)}</div>"
        for words, values, ink, name in lines
    ]
    return '<div style="display:flex;flex-wrap:wrap;margin:4px 0">' + "".join(shown) + "</div>"


def _mean_price(prices: Mapping[str, Floats]) -> Floats:
    """Return the mean over the zones that traded; not a number where none did."""
    grid = np.stack(list(prices.values()))
    known = np.isfinite(grid)
    count = known.sum(axis=0)
    total = np.where(known, grid, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _groups(run: Run) -> list[str]:
    kpis = run.kpis().filter(pl.col("kpi") != MEASURED)
    order = list(GROUPS)
    rows = sorted(figure_rows(kpis), key=lambda row: order.index(figure(row[0]).group))
    return [
        definitions([(label, escape(text)) for _, label, text in members], caption=GROUPS[group])
        for group, members in groupby(rows, key=lambda row: figure(row[0]).group)
    ]


def _chain(run: Run) -> str:
    blocks = run.blocks
    transactions = int(blocks["transactions"].sum())
    sealed = Word(
        f"{number(blocks.height)} blocks with {number(transactions)} signed transactions",
        f"{number(blocks.height)} บล็อก รวม {number(transactions)} ธุรกรรมที่ลงลายมือชื่อ",
    )
    anchors = run.anchors.height
    public = Word(
        f"{number(anchors)} of their roots anchored on the public chain, final at block {number(run.public.height)}",
        f"บันทึกราก {number(anchors)} ครั้งบนเชนสาธารณะ ซึ่งสิ้นสุดที่บล็อก {number(run.public.height)}",
    )
    fingerprint = f'<code style="word-break:break-all">{run.fingerprint}</code>'
    label = Word("Fingerprint", "ลายพิมพ์ผลการจำลอง")
    return f'<div style="font-size:13px">{sealed}<br>{public}<br>{label} {fingerprint}</div>'
