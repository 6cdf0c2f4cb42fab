"""What an oracle network and a run of it show in a notebook: static, equal for equal data, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gridlab.chain.oracle import ProviderSet
from gridlab.errors import OracleError
from gridlab.oracle.oracle import Oracle
from gridlab.oracle.run import OracleRun
from gridlab.ui.chain_summary import heading
from gridlab.ui.consensus_words import ranges
from gridlab.ui.figures import clock, day_of, lever_text, money, number
from gridlab.ui.html import card, definitions, escape, scrolled, table, tiles
from gridlab.ui.lever_words import info_words
from gridlab.ui.oracle_pictures import day_picture, provider_strip
from gridlab.ui.oracle_rounds import feeds_of
from gridlab.ui.oracle_words import (
    ALERT_WORDS,
    PROVIDER_KINDS,
    SEVERITY_WORDS,
    STATUS_GROUPS,
    STATUS_WORDS,
    feed_words,
)
from gridlab.ui.word import Word, lookup

__all__ = ["alert_rows", "oracle_html", "oracle_run_html", "score_table"]

_SHOWN = 8
_PROVIDERS = 20
_RULES = ("window", "deviation", "heartbeat", "jump_limit", "staleness", "outlier_distance", "data_fee", "slash")


def oracle_html(oracle: Oracle) -> str:
    """Return an oracle network as an HTML card: its providers, who lies and how far, the cuts, the main rules."""
    title = Word("Oracle network", "เครือข่ายออราเคิล")
    try:
        roster = oracle.roster()
    except OracleError as problem:  # a bribed provider is no longer there: a card says so, too
        return card([heading(title), f'<div role="alert" style="color:#d55e00;font-size:13px">{escape(problem)}</div>'])
    providers: ProviderSet = oracle.provider_set()
    below = Word(
        f"{len(roster)} providers; a report needs {providers.least_signatures} signatures and bears "
        f"{providers.max_faulty} liars",
        f"ผู้ให้ข้อมูล {len(roster)} ราย รายงานหนึ่งต้องมีลายเซ็น {providers.least_signatures} ราย "
        f"และรองรับผู้ไม่ซื่อสัตย์ได้ถึง {providers.max_faulty} ราย",
    )
    known = {path: lever.info for path, _, lever in oracle.lever_paths()}
    rules = [(info_words(known[name]), escape(lever_text(oracle.get(name), known[name].unit))) for name in _RULES]
    parts = [heading(title, below), provider_strip(roster.kinds)]
    return card([*parts, _dishonest(oracle), _cuts(oracle), definitions(rules, caption=Word("Rules", "กติกา"))])


def _dishonest(oracle: Oracle) -> str:
    frame = oracle.roster().frame.filter(pl.col("kind") != "honest")
    if frame.is_empty():
        return _line(Word("All providers are honest.", "ผู้ให้ข้อมูลทุกรายซื่อสัตย์"))
    grouped = frame.group_by("kind", "bias", maintain_order=True).agg("provider")
    heads = (Word("Provider", "ผู้ให้ข้อมูล"), Word("What it does", "พฤติกรรม"), Word("How far", "ขนาด"))
    rows = [
        (ranges(who), lookup(PROVIDER_KINDS, kind), _bias(kind, bias))
        for kind, bias, who in grouped.select(pl.col("kind").cast(pl.String), "bias", "provider").rows()
    ]
    return scrolled(table(heads, rows))


def _bias(kind: str, bias: float) -> str:
    if kind in ("stale", "silent"):
        return "\N{EN DASH}"
    sign = "±" if kind == "noisy" else ""
    return f"{sign}{number(abs(bias) * 100 if sign else bias * 100, 1, signed=not sign)} %"


def _cuts(oracle: Oracle) -> str:
    cuts = oracle.cuts
    if cuts.is_empty():
        return _line(Word("No feed is cut.", "ไม่มีข้อมูลใดถูกตัด"))
    heads = (Word("Feed that is cut", "ข้อมูลที่ถูกตัด"), Word("From", "ตั้งแต่"), Word("Until", "จนถึง"))
    rows = [(feed_words(feed), *(f"{day_of(at)} {clock(at)}" for at in both)) for feed, *both in cuts.rows()]
    return scrolled(table(heads, rows, numbers=2))


def _line(words: object) -> str:
    return f'<div style="font-size:13px;margin:2px 0 6px">{escape(words)}</div>'


def oracle_run_html(run: OracleRun) -> str:
    """Return a run as an HTML card: rounds and refusals, alerts by severity, providers' scores, and the first feed."""
    feeds = feeds_of(run)
    many, rounds = number(len(feeds)), number(run.rounds.height)
    below = Word(f"feeds: {many}, rounds: {rounds}", f"ข้อมูล {many} รายการ {rounds} รอบ")
    parts = [
        heading(Word("A run of the oracle network", "ผลการทำงานของเครือข่ายออราเคิล"), below),
        tiles(_figures(run), least_width=110, size=17),
        _statuses(run),
        score_table(run),
        alerts_html(run),
        _title(feed_words(feeds[0])),
        scrolled(day_picture(run, feeds[0]), 420),
    ]
    return card(parts)


def _title(words: object) -> str:
    return f'<div style="font-weight:600;margin:10px 0 2px">{escape(words)}</div>'


def _figures(run: OracleRun) -> list[tuple[str, str]]:
    groups = pl.col("status").cast(pl.String).replace_strict(STATUS_GROUPS)
    refused = run.rounds.filter(groups == "refused").height
    counts = dict(run.alerts["severity"].cast(pl.String).value_counts().rows())
    found = [
        (Word("Reports", "รายงาน"), run.reports.height),
        (Word("Refused rounds", "รอบที่ถูกปฏิเสธ"), refused),
        *((Word(f"Alerts: {word.english}", f"การแจ้งเตือน: {word.thai}"), counts.get(name, 0))
          for name, word in SEVERITY_WORDS.items()),
    ]  # fmt: skip
    return [(str(label), number(value)) for label, value in found]


def _statuses(run: OracleRun) -> str:
    counts = dict(run.rounds["status"].cast(pl.String).value_counts().rows())
    rows = [(word, number(counts[name])) for name, word in STATUS_WORDS.items() if name in counts]
    return _title(Word("What became of the rounds", "ผลของแต่ละรอบ")) + definitions(rows)


def score_table(run: OracleRun) -> str:
    """Return what every provider earned and lost; of more than 20, the dishonest first and the rest counted."""
    heads = (
        Word("Provider", "ผู้ให้ข้อมูล"), Word("What it does", "พฤติกรรม"), Word("accepted", "ยอมรับ"),
        Word("outliers", "ค่าผิดปกติ"), Word("missed", "ไม่มาทัน"), Word("reputation", "ชื่อเสียง"),
        Word("fees", "ค่าข้อมูล"), Word("slashed", "ถูกริบ"),
    )  # fmt: skip
    names = ("provider", "accepted", "outliers", "missed", "reputation", "fees", "slashed")
    frame = run.scores.select(pl.col("kind").cast(pl.String), *names)
    if frame.height > _PROVIDERS:
        frame = frame.sort(pl.col("kind") == "honest", maintain_order=True)
    rest = frame.height - _PROVIDERS
    more = _line(Word(f"and {number(rest)} more", f"และอีก {number(rest)} ราย")) if rest > 0 else ""
    rows = [
        (provider, lookup(PROVIDER_KINDS, kind), *map(number, counts), money(fees), money(slashed, 0))
        for kind, provider, *counts, fees, slashed in frame.head(_PROVIDERS).rows()
    ]
    return scrolled(table(heads, rows, numbers=6)) + more


def alert_rows(run: OracleRun, most: int = _SHOWN) -> list[Sequence[object]]:
    """Return the gravest alerts as rows of a table, the earliest first among equals."""
    frame = run.alerts.sort(pl.col("severity").to_physical(), descending=True, maintain_order=True).head(most)
    return [
        (
            lookup(SEVERITY_WORDS, severity),
            f"{day_of(time)} {clock(time)}",
            lookup(ALERT_WORDS, alert),
            feed_words(feed),
            "\N{EN DASH}" if provider is None else provider,
        )
        for time, feed, provider, severity, alert, _ in frame.rows()
    ]


def alerts_html(run: OracleRun) -> str:
    """Return the alerts of a run as a table, the gravest first; how many more there are is said."""
    if run.alerts.is_empty():
        return _line(Word("No alerts.", "ไม่มีการแจ้งเตือน"))
    heads = (
        Word("Severity", "ระดับ"), Word("Time", "เวลา"), Word("Alert", "การแจ้งเตือน"), Word("Feed", "ข้อมูล"),
        Word("Provider", "ผู้ให้ข้อมูล"),
    )  # fmt: skip
    more = run.alerts.height - _SHOWN
    rest = _line(Word(f"and {number(more)} more", f"และอีก {number(more)} รายการ")) if more > 0 else ""
    return _title(Word("Alerts", "การแจ้งเตือน")) + scrolled(table(heads, alert_rows(run))) + rest
