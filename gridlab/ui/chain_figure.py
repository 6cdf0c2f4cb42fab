"""What stands beside the controls of a chain: its validators, its last blocks, and who was proved to lie."""

from __future__ import annotations

import polars as pl

from gridlab.chain.chain_views import ChainViews
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.errors import ChainError
from gridlab.ui.chain_summary import many_transactions, standing, strip
from gridlab.ui.consensus_words import ranges
from gridlab.ui.figures import duration, number
from gridlab.ui.html import escape, scrolled, table
from gridlab.ui.words import Word

__all__ = ["chain_figure"]

_BLOCKS_SHOWN = 6
_DASH = "\N{EN DASH}"


def chain_figure(chain: ChainViews) -> str:
    """Return the figure as HTML."""
    ordering = chain.ordering
    parts = []
    if isinstance(ordering, PbftOrdering):
        parts += [_line(_agreement(ordering)), strip(ordering) if ordering.can_seal else "", _proved(ordering)]
    return "".join([*parts, _title(Word("Last blocks", "บล็อกล่าสุด")), scrolled(_blocks(chain))])


def _title(words: object) -> str:
    return f'<div style="font-weight:600;margin:8px 0 2px">{escape(words)}</div>'


def _line(words: object) -> str:
    return f'<div style="font-size:13px;margin:0 0 8px;line-height:1.5">{escape(words)}</div>'


def _agreement(ordering: PbftOrdering) -> str:
    n = ordering.states.height
    agreed = Word(
        f"{n} validators, quorum {quorum(n)}, up to {max_faulty(n)} may be faulty",
        f"ผู้ตรวจสอบธุรกรรม {n} ราย องค์ประชุม {quorum(n)} ทนความผิดพลาดได้ถึง {max_faulty(n)} ราย",
    )
    return f"{agreed} · {Word('view', 'มุมมอง')} {ordering.view} · {standing(ordering)}"


def _proved(ordering: PbftOrdering) -> str:
    """Return who has provably signed two contradicting votes, and whether the validators have forked."""
    try:
        cluster = ordering.cluster
    except ChainError:  # they have not started
        return ""
    caught = sorted({each.validator for each in cluster.evidence})
    told = []
    if caught:
        told.append(Word(f"Proved to have voted twice: {ranges(caught)}", f"มีหลักฐานว่าลงคะแนนสองทาง: {ranges(caught)}"))
    if cluster.forked:
        told.append(Word("⚠ Honest validators hold two different blocks of one height: a fork.",
                         "⚠ ผู้ตรวจสอบธุรกรรมที่ซื่อสัตย์ถือบล็อกต่างกันที่ความสูงเดียวกัน: เกิดการแยกสาย"))  # fmt: skip
    return "".join(_line(words) for words in told)


def _blocks(chain: ChainViews) -> str:
    names = ("height", "transactions", "rejected", "view", "view_changes", "finality_ms", "messages", "signatures")
    blocks = chain.blocks.select("height", "transactions", "rejected").tail(_BLOCKS_SHOWN)
    shown = blocks.join(chain.rounds, on="height", how="left").select(names).sort("height", descending=True)
    heads = [
        Word("block", "บล็อก"),
        Word("transactions", "ธุรกรรม"),
        Word("view", "มุมมอง"),
        Word("view changes", "เปลี่ยนมุมมอง"),
        Word("final after", "เป็นที่สิ้นสุดใน"),
        Word("messages", "ข้อความ"),
        Word("signatures", "ลายมือชื่อ"),
    ]
    return table(heads, _rows(shown), numbers=len(heads) - 1)


def _rows(shown: pl.DataFrame) -> list[list[str]]:
    rows = zip(*shown.to_dict(as_series=False).values(), strict=True)
    return [
        [
            number(height),
            many_transactions(transactions, rejected),
            *(_DASH if value is None else number(value) for value in (view, changes)),
            _DASH if finality is None else duration(finality),
            *(_DASH if value is None else number(value) for value in (messages, signatures)),
        ]
        for height, transactions, rejected, view, changes, finality, messages, signatures in rows
    ]
