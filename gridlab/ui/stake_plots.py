"""HoloViews pictures of stake: how it is spread over validators, and how few of them could stop finality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np

from gridlab.chain.npos.election import Election
from gridlab.chain.staking.concentration import nakamoto_coefficient
from gridlab.chain.staking.staking import Staking
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.ui.consensus_plots import framed, value_axis, whole_numbers
from gridlab.ui.figures import number
from gridlab.ui.palette import RIVALS, STATES
from gridlab.ui.words import Word

__all__ = ["StakePlots", "nakamoto_words", "stake_bars"]

_DRAWN = {"backend": "bokeh"}
_BAR = 0.4


def nakamoto_words(count: int) -> Word:
    """Return in words that `count` validators together hold more than a third."""
    return Word(
        f"{count} together hold more than a third (Nakamoto coefficient {count})",
        f"{count} รายรวมกันถือเกินหนึ่งในสาม (ค่าสัมประสิทธิ์นากาโมโตะ {count})",
    )


def stake_bars(names: Sequence[str], stakes: Sequence[int]) -> hv.Overlay:
    """Return the share of each holder from the largest down.

    Parameters
    ----------
    names : sequence of str
    stakes : sequence of int
        One for each name, 0 or more.

    Raises
    ------
    ChainError
        Nothing is staked.
    """
    if not sum(stakes):
        raise ChainError("nobody holds any stake, so there is nothing to draw; elect or bond first")
    order = sorted(range(len(stakes)), key=lambda place: (-stakes[place], place))
    share = 100 * np.array([stakes[place] for place in order], np.float64) / float(sum(stakes))
    who = np.array([str(names[place]) for place in order], dtype=object)
    rank, few = np.arange(1.0, len(share) + 1), nakamoto_coefficient(stakes)
    x = hv.Dimension("rank", label=str(Word("rank by stake", "อันดับตามจำนวนวางค้ำ")))
    y = value_axis("share", Word("share of the stake", "สัดส่วนการวางค้ำ"), "%")
    shown = [hv.Dimension("holder", label=str(Word("validator", "ผู้ตรวจสอบธุรกรรม")))]
    groups = ((rank <= few, nakamoto_words(few), "lies"), (rank > few, Word("all others", "รายอื่นทั้งหมด"), "honest"))
    parts: list[Any] = []
    for chosen, label, state in groups:
        if chosen.any():
            at, high = rank[chosen], share[chosen]
            bars = hv.Rectangles(
                (at - _BAR, 0 * high, at + _BAR, high, who[chosen]), [x, y, "right", "top"], shown, label=str(label)
            )
            rim = {"line_color": "black", "line_width": 1.2} if state == "lies" else {"line_color": None}
            parts.append(bars.opts(color=STATES[state].colour, tools=["hover"], **rim, **_DRAWN))
    even = 100 / len(share)
    told = f"{Word('equal shares', 'แบ่งเท่ากัน')}: {number(even, 2)} %"
    line = hv.Curve((np.array([0.4, len(share) + 0.6]), np.full(2, even)), x, y, label=told)
    parts.append(line.opts(color=RIVALS["A"].colour, line_dash="dashed", line_width=2, **_DRAWN))
    title = Word("Stake of the validators", "การวางค้ำของผู้ตรวจสอบธุรกรรม")
    return framed(hv.Overlay(parts), title, xticks=whole_numbers(), ylim=(0, None)).opts(legend_cols=1)


class StakePlots:
    """The pictures of an election or of staking.

    Parameters
    ----------
    holder : Election or Staking

    Examples
    --------
    ``election.plot.stake()``, ``staking.plot.stake()``
    """

    def __init__(self, holder: Election | Staking) -> None:
        if not isinstance(holder, (Election, Staking)):
            raise ArgumentTypeError(f"plots: expected an Election or a Staking, got {type(holder).__name__}")
        self._holder = holder

    def __repr__(self) -> str:
        return f"StakePlots of {self._holder!r}: .stake(); a notebook shows them after one gl.notebook()"

    def stake(self) -> hv.Overlay:
        """Stake behind each elected validator, from the largest down, in per cent of all."""
        if isinstance(self._holder, Election):
            winners = self._holder.winners
            return stake_bars([str(name) for name, _ in winners], [stake for _, stake in winners])
        elected = self._holder.validators
        return stake_bars(list(map(str, elected["validator"].to_list())), elected["total"].to_list())
