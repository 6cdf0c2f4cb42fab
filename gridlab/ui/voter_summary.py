"""What voters show in a notebook: their populations, and how often proposals pass; static, equal for equal data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from gridlab.errors import ArgumentTypeError
from gridlab.governance.voters.measures import concentration, success_rates
from gridlab.governance.voters.sampling import sample
from gridlab.governance.voters.terms import Voters
from gridlab.ui.chain_summary import heading
from gridlab.ui.figures import lever_text, number, unit
from gridlab.ui.governance_words import POWERS, VOTER_GROUPS
from gridlab.ui.html import card, definitions, escape, scrolled, table
from gridlab.ui.lever_words import info_words
from gridlab.ui.voter_plots import require_outcomes
from gridlab.ui.words import Word, lookup

__all__ = ["outcomes_html", "voters_html"]

_DAYS_FROM = 2.0
_TERMS = {
    "members": Word("Members", "จำนวน (ราย)"),
    "balance": Word("GRID, median", "GRID (มัธยฐาน)"),
    "inequality": Word("Gini (%)", "จีนี (%)"),
    "turnout": Word("Turnout (%)", "ผู้มาใช้สิทธิ์ (%)"),
    "delegating": Word("Delegate (%)", "มอบสิทธิ์ (%)"),
    "conviction": Word("Conviction", "ความเชื่อมั่น"),
}


def voters_html(voters: Voters) -> str:
    """Return the populations as an HTML card: who they are, how they act together, how power is spread."""
    rows = [
        [lookup(VOTER_GROUPS, name), *(lever_text(getattr(group, term)) for term in _TERMS)]
        for name, group in voters.groups.items()
    ]
    info = {path: lever.info for path, _, lever in voters.lever_paths()}
    common = [
        (info_words(info[name]), escape(lever_text(value, info[name].unit))) for name, value in voters.values().items()
    ]
    spread = [
        (lookup(POWERS, power), number(holders), number(gini, 3), number(third), number(half))
        for power, holders, gini, third, half in concentration(sample(0, terms=voters)).rows()
    ]
    heads = (
        Word("Power", "อำนาจ"), Word("Holders", "ผู้ถือ"), Word("Gini", "จีนี"),
        Word("Hold a third", "ถือเกินหนึ่งในสาม (ราย)"), Word("Hold half", "ถือเกินครึ่ง (ราย)"),
    )  # fmt: skip
    below = Word("Synthetic: every number is a lever", "ข้อมูลสังเคราะห์ ทุกค่าปรับได้")
    return card(
        [
            heading(Word("Voters", "ผู้มีสิทธิ์ลงคะแนน"), below),
            scrolled(table([Word("Group", "กลุ่ม"), *_TERMS.values()], rows, numbers=len(_TERMS))),
            definitions(common, caption=Word("Together", "พฤติกรรมร่วมกัน")),
            scrolled(table(heads, spread, numbers=4)),
        ]
    )


def outcomes_html(outcomes: Mapping[str, pl.DataFrame]) -> str:
    """Return how often proposals pass as an HTML card.

    Parameters
    ----------
    outcomes : mapping of str to polars.DataFrame
        Name -> what `gridlab.governance.voters.outcome` gives.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        It is no mapping, or one of its frames is no frame of outcomes.
    """
    if not isinstance(outcomes, Mapping):
        raise ArgumentTypeError(f"outcomes is a {type(outcomes).__name__}, allowed: a mapping of name to outcome frame")
    for name, frame in outcomes.items():
        require_outcomes(frame, f"outcomes[{name!r}]")
    heads = (
        Word("Proposal", "ข้อเสนอ"), Word("Votes", "จำนวนครั้ง"), Word("Passed", "ผ่าน"), Word("Rate", "อัตรา"),
        Word("95 % interval", "ช่วงเชื่อมั่นร้อยละ 95"), Word("Approval, median", "สัดส่วนเห็นชอบ (มัธยฐาน)"),
        Word("Turnout, mean", "ผู้มาใช้สิทธิ์เฉลี่ย"), Word("Decided after", "ตัดสินเมื่อ"),
    )  # fmt: skip
    rows = []
    for name, votes, passed, rate, low, high, days, turnout in success_rates(outcomes).rows():
        approval = float(np.median(outcomes[name]["approval"].to_numpy()))
        shares = (f"{number(100 * each, 1)} %" for each in (rate, approval, turnout))
        first, middle, last = shares
        interval = f"{number(100 * low, 1)} – {number(100 * high, 1)} %"
        after = f"{number(days, 1)} {unit('days')}" if days >= _DAYS_FROM else f"{number(24 * days, 1)} {unit('h')}"
        rows.append((name, number(votes), number(passed), first, interval, middle, last, after))
    below = Word("Turnout is a share of all GRID", "ผู้มาใช้สิทธิ์คิดเป็นสัดส่วนของ GRID ทั้งหมด")
    title = heading(Word("Outcomes of many votes", "ผลของการลงมติหลายครั้ง"), below)
    return card([title, scrolled(table(heads, rows, numbers=7))])
