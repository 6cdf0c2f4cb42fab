"""HoloViews pictures of how evenly something is held: the Lorenz curve, with Gini and Nakamoto coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np

from gridlab.chain.staking import gini_coefficient, nakamoto_coefficient
from gridlab.errors import GovernanceError
from gridlab.ui.consensus_plots import framed, value_axis
from gridlab.ui.figures import number
from gridlab.ui.palette import RIVALS, Ink
from gridlab.ui.svg import Floats
from gridlab.ui.words import Word

__all__ = ["lorenz", "lorenz_curves"]

_DRAWN = {"backend": "bokeh"}
_POINTS = 500
_INKS = (Ink("#0072b2"), Ink("#d55e00", "7 3"), Ink("#009e73", "2 2"), Ink("#cc79a7", "8 3 2 3"))


def lorenz(amounts: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the Lorenz curve: the share of holders from the poorest up, and their share of all, per cent.

    Parameters
    ----------
    amounts : sequence of int
        0 or more each, at least one above 0.
    """
    ordered = np.sort(np.array(list(amounts), dtype=np.float64))
    held = np.concatenate([[0.0], np.cumsum(ordered)])
    people = np.arange(len(held), dtype=np.float64) / len(ordered)
    return 100 * people, 100 * held / held[-1]


def lorenz_curves(held: Mapping[str, Sequence[int]]) -> hv.Overlay:
    """Return the Lorenz curves of several distributions, each with its coefficients in the legend.

    Holders of nothing are left out, as the Gini coefficients of `gridlab.governance.voters.concentration` have it.

    Parameters
    ----------
    held : mapping of str to sequence of int
        What it is called -> amounts by holder.

    Raises
    ------
    GovernanceError
        Nobody holds anything.
    """
    x = value_axis("holders", Word("share of holders, the poorest first", "สัดส่วนผู้ถือ เรียงจากรายเล็กที่สุด"), "%")
    y = value_axis("share", Word("share of all they hold", "สัดส่วนที่ถือรวมกัน"), "%")
    parts: list[Any] = []
    for (name, amounts), ink in zip(held.items(), _INKS, strict=False):
        some = [amount for amount in amounts if amount > 0]
        if not some:
            raise GovernanceError(f"{name}: nobody holds any, so there is nothing to draw; give someone GRID first")
        people, share = lorenz(some)
        kept = np.unique(np.linspace(0, len(people) - 1, min(len(people), _POINTS)).round().astype(np.int64))
        # Where the largest few have most, the last points make the curve.
        kept = np.union1d(kept, np.arange(max(len(people) - 60, 0), len(people)))
        curve = hv.Curve((people[kept], share[kept]), x, y, label=f"{name}: {coefficients(some)}")
        dash: Any = [int(part) for part in ink.dash.split()] or "solid"
        parts.append(curve.opts(color=ink.colour, line_dash=dash, line_width=2.5, tools=["hover"], **_DRAWN))
    even = hv.Curve(([0.0, 100.0], [0.0, 100.0]), x, y, label=str(Word("equal shares", "แบ่งเท่ากัน")))
    parts.append(even.opts(color=RIVALS["C"].colour, line_dash="dotted", line_width=1.5, **_DRAWN))
    title = Word("How evenly it is held (Lorenz curve)", "ความเท่าเทียมของการถือครอง (เส้นโค้งลอเรนซ์)")
    return framed(hv.Overlay(parts), title, xlim=(0, 100), ylim=(0, 100)).opts(legend_cols=1, height=420, **_DRAWN)


def coefficients(amounts: Sequence[int]) -> str:
    """Return Gini and Nakamoto coefficients in words."""
    gini, few = gini_coefficient(amounts), nakamoto_coefficient(amounts, numerator=1, denominator=2)
    return str(
        Word(
            f"Gini {number(gini, 3)}, {few} hold more than half (Nakamoto)",
            f"จีนี {number(gini, 3)} ถือเกินครึ่งโดย {few} ราย (นากาโมโตะ)",
        )
    )
