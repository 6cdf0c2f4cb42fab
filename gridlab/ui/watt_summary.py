"""What a run on WATT and the check of a holding show in a notebook: static, equal for equal data."""

from __future__ import annotations

from itertools import accumulate

import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.stablecoin.run import WattRun
from gridlab.stablecoin.verdict import HoldingVerdict
from gridlab.ui.chain_summary import heading
from gridlab.ui.figures import number, unit
from gridlab.ui.html import card, definitions, escape, scrolled, table, tiles
from gridlab.ui.watt_pictures import funds_picture, ratio_picture
from gridlab.ui.watt_words import CAME, GAP_RULE_WORDS, GROUP_WORDS, million_text
from gridlab.ui.word import Word, lookup

__all__ = ["group_table", "holding_html", "order_table", "watt_figures", "watt_html"]

_MICRO = 1_000_000


def watt_html(run: WattRun) -> str:
    """Return a run on WATT as an HTML card: key figures, its course, and who lost what."""
    hours = number(run.slots.height / 4, 2).rstrip("0").rstrip(".")
    rule = GAP_RULE_WORDS[run.watt.gap_rule]
    below = Word(
        f"{number(len(run.holders))} holders, {hours} hours, seed {run.holders.seed}; rule {rule.english}",
        f"ผู้ถือ {number(len(run.holders))} ราย {hours} ชั่วโมง ค่าเริ่มสุ่ม {run.holders.seed} กติกา {rule.thai}",
    )
    return card([
        heading(Word("A run on WATT", "การแห่ไถ่ถอน WATT"), below), tiles(watt_figures(run), least_width=130, size=17),
        scrolled(funds_picture(run), 420), scrolled(ratio_picture(run), 420), group_table(run), order_table(run),
    ])  # fmt: skip


def watt_figures(run: WattRun) -> list[tuple[str, str]]:
    """Return the key figures of a run as labels and values, money in millions."""
    slots, people = run.slots, run.people
    redeemed, before, lost = people.select(pl.col("redeemed", "before", "loss").sum()).row(0)
    lowest, longest = slots.select(pl.col("price").min(), pl.col("queued").max()).row(0)
    coverage = slots.row(-1, named=True)["coverage"]
    million = unit("million THB")
    found: list[tuple[Word, str]] = [
        (Word("Holders who asked", "ผู้ขอไถ่ถอน"), f"{number(people['place'].count())} / {number(people.height)}"),
        (Word("Redeemed", "ไถ่ถอนแล้ว"), f"{number(100 * redeemed / before, 1)} %"),
        (Word("Longest queue", "คิวสูงสุด"), f"{million_text(longest)} {unit('million WATT')}"),
        (Word("Lowest price", "ราคาต่ำสุด"), f"{number(lowest / _MICRO, 3)} {unit('THB/WATT')}"),
        (Word("Behind a WATT at the end", "เงินหนุนหลังเมื่อสิ้นสุด"), f"{number(coverage, 3)} {unit('THB/WATT')}"),
        (Word("Lost by holders", "ผู้ถือสูญเสียรวม"), f"{million_text(lost)} {million}"),
        (Word("First-mover advantage", "ผู้มาก่อนได้เปรียบ"), f"{number(100 * run.first_mover_advantage, 1)} {_POINTS}"),
    ]
    return [(str(label), value) for label, value in found]


_POINTS = Word("points", "จุดร้อยละ")


def group_table(run: WattRun) -> str:
    """Return who lost what by group of holders, as a table."""
    heads = (
        Word("Group", "กลุ่มผู้ถือ"), Word("Holders", "จำนวนราย"), Word("Asked", "ขอไถ่ถอน"),
        Word("Before (million WATT)", "ถือก่อนหน้า (ล้าน WATT)"), Word("Lost (million THB)", "สูญเสีย (ล้านบาท)"),
        Word("Recovered", "ได้คืน"),
    )  # fmt: skip
    rows = [
        (lookup(GROUP_WORDS, group), number(holders), number(asked), million_text(before), million_text(loss),
         f"{number(100 * recovered, 1)} %")
        for group, holders, asked, before, loss, recovered in run.groups.select(
            "group", "holders", "asked", "before", "loss", "recovered").rows()
    ]  # fmt: skip
    return scrolled(table(heads, rows, numbers=5))


def order_table(run: WattRun) -> str:
    """Return what was recovered by place in the queue, as a table."""
    heads = (
        Word("Who came", "ลำดับในคิว"), Word("Holders", "จำนวนราย"), Word("Lost (million THB)", "สูญเสีย (ล้านบาท)"),
        Word("Recovered", "ได้คืน"),
    )  # fmt: skip
    rows = [
        (lookup(CAME, came), number(holders), million_text(loss), f"{number(100 * recovered, 1)} %")
        for came, holders, loss, recovered in run.order.select("came", "holders", "loss", "recovered").rows()
    ]
    return scrolled(table(heads, rows, numbers=3))


def holding_html(verdict: HoldingVerdict) -> str:
    """Return the check of a holding as an HTML card: whether it holds, why not, and the sums up to the total."""
    title = (
        Word("✓ Your WATT are in the total", "✓ WATT ของท่านรวมอยู่ในยอดภาระหนี้แล้ว")
        if verdict.holds
        else Word("⚠ The proof does not hold", "⚠ หลักฐานใช้ไม่ได้")
    )
    below = Word(f"block {verdict.height} of {verdict.chain_id}", f"บล็อก {verdict.height} ของ {verdict.chain_id}")
    rows: list[tuple[object, str]] = [(Word("You hold", "ท่านถือ"), _watt(verdict.balance))]
    if verdict.statement is not None:
        rows += [
            (Word("The issuer says it owes in all", "ผู้ออกเหรียญแจ้งยอดภาระหนี้รวม"), _watt(verdict.statement.total)),
            (Word("to so many holders", "จำนวนผู้ถือ"), number(verdict.statement.holders)),
            (Word("Root", "รากของต้นไม้"), f"<code>{hexadecimal(verdict.statement.root)[:18]}…</code>"),
        ]
    parts = [heading(title, below)]
    if verdict.reason:
        parts.append(f'<div role="alert" style="color:#d55e00;font-size:13px">{escape(verdict.reason)}</div>')
    return card([*parts, definitions(rows), _way(verdict)])


def _watt(micro: int) -> str:
    whole, part = divmod(abs(micro), _MICRO)
    sign = "\N{MINUS SIGN}" if micro < 0 else ""
    return f"{sign}{whole:,}.{part:06} WATT"


def _way(verdict: HoldingVerdict) -> str:
    """Return the sums from the holder's leaf up: what stands beside, and what both make together."""
    if verdict.proof is None:
        return ""
    heads = (Word("Level", "ระดับ"), Word("Owed beside you", "ภาระหนี้ของกิ่งข้าง"), Word("Sum so far", "ยอดรวมถึงระดับนี้"))
    own = verdict.proof.balance
    beside = [node.sum for node in verdict.proof.beside]
    rows = [("0", "\N{EN DASH}", _watt(own))]
    sums = list(accumulate(beside, initial=own))[1:]
    rows += [(str(level), _watt(other), _watt(sums[level - 1])) for level, other in enumerate(beside, 1)]
    return scrolled(table(heads, rows, numbers=2))
