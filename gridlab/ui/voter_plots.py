"""HoloViews pictures of voters: outcomes over many votes, how each group votes, and how power is spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import holoviews as hv
import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance.voters.electorate import votes_of
from gridlab.governance.voters.measures import patterns, success_rates
from gridlab.governance.voters.outcomes import ballots
from gridlab.governance.voters.sampling import sample
from gridlab.governance.voters.terms import GROUPS, Voters
from gridlab.ui.concentration_plots import lorenz_curves
from gridlab.ui.consensus_plots import framed, value_axis
from gridlab.ui.convert import columns
from gridlab.ui.figures import number
from gridlab.ui.governance_words import POWERS, VOTER_GROUPS
from gridlab.ui.palette import BALLOTS, RIVALS, VOTERS
from gridlab.ui.words import Word, lookup

__all__ = ["VoterPlots", "require_outcomes"]

_DRAWN = {"backend": "bokeh"}
_BAR = 0.38
_OUTCOME = ("passed", "approval", "support", "turnout", "decided_at")


def require_outcomes(frame: object, name: str = "outcomes") -> pl.DataFrame:
    """Return `frame` if it is what `outcome` gives, or raise an error that says what is.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        It is no frame, no frame of outcomes, or it has no rows.
    """
    if not isinstance(frame, pl.DataFrame):
        raise ArgumentTypeError(f"{name} is a {type(frame).__name__}, allowed: the frame that voters.outcome() gives")
    if not set(_OUTCOME) <= set(frame.columns) or frame.is_empty():
        raise GovernanceError(f"{name} is no frame of outcomes, or is empty; voters.outcome(effects, track) gives one")
    return frame


class VoterPlots:
    """The pictures of a population of voters.

    Parameters
    ----------
    voters : Voters
        Its levers; every picture draws the population anew from them, with the seed 0.

    Examples
    --------
    ``Voters().plot.outcomes(frame)``, ``.groups(effects)``, ``.patterns(effects)``, ``.rates(frames)``, ``.power()``
    """

    def __init__(self, voters: Voters) -> None:
        if not isinstance(voters, Voters):
            raise ArgumentTypeError(f"plots: expected Voters, got {type(voters).__name__}")
        self._voters = voters

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(VoterPlots) if not name.startswith("_"))
        return f"VoterPlots: {kinds}; a notebook shows them after one gl.notebook()"

    def outcomes(self, frame: pl.DataFrame) -> hv.Overlay:
        """How approval is spread over many votes (%), those that passed and those that did not.

        Parameters
        ----------
        frame : polars.DataFrame
            As `gridlab.governance.voters.outcome` gives it.
        """
        table = columns(require_outcomes(frame))
        share = 100 * table["approval"].astype(np.float64)
        edges = np.linspace(0.0, 100.0, 41)
        x = value_axis("approval", Word("approval when decided", "สัดส่วนเห็นชอบเมื่อตัดสิน"), "%")
        y = value_axis("votes", Word("number of votes", "จำนวนครั้งที่ลงมติ"))
        passed = table["passed"].astype(np.bool_)
        low, _ = np.histogram(share[passed], bins=edges)
        high, _ = np.histogram(share[~passed], bins=edges)
        looks = (
            (0 * low, low, Word("passed", "ผ่าน"), "aye", passed.sum()),
            (low, low + high, Word("not passed", "ไม่ผ่าน"), "nay", (~passed).sum()),
        )
        parts = [
            self._stack(edges, (bottom, top), [x, y], f"{words}: {number(int(count))}", choice)
            for bottom, top, words, choice, count in looks
        ]
        title = Word(f"Outcomes of {frame.height} votes", f"ผลการลงมติ {frame.height} ครั้ง")
        return framed(hv.Overlay(parts), title, xlim=(0, 100), ylim=(0, None))

    @staticmethod
    def _stack(edges: Any, ends: tuple[Any, Any], axes: list[hv.Dimension], label: str, choice: str) -> hv.Rectangles:
        low, high = ends
        there = high > low
        sides = (edges[:-1], low, edges[1:], high, high - low)
        shown = [hv.Dimension("count", label=str(Word("votes", "ครั้ง")))]
        bars = hv.Rectangles(tuple(side[there] for side in sides), [*axes, "right", "top"], shown, label=label)
        rim = "black" if choice == "nay" else "white"
        return bars.opts(color=BALLOTS[choice].colour, line_color=rim, tools=["hover"], **_DRAWN)

    def groups(self, effects: Mapping[str, float], votes: int = 50) -> hv.Overlay:
        """Share of ayes in each group over many votes (%): every vote a mark, the middle half as a bar, the median.

        Parameters
        ----------
        effects : mapping of str to float
            What the proposal means to a usual member of a group (THB a month).
        votes : int
            Seeds 0, 1, … of so many votes, 1 … 1,000.
        """
        require_int("votes", votes, 1, 1_000)
        population = sample(0, terms=self._voters)
        drawn = [
            patterns(population, ballots(effects, seed, population=population, terms=self._voters))
            for seed in range(votes)
        ]
        table = pl.concat(drawn).select(pl.col("group").cast(pl.String), pl.col("aye") * 100).drop_nulls()
        x = value_axis("aye", Word("ayes of the group's votes", "สัดส่วนเห็นชอบในกลุ่ม"), "%")
        y = hv.Dimension("row", label=str(Word("group", "กลุ่ม")))
        parts: list[Any] = []
        for place, group in enumerate(GROUPS[::-1]):
            ayes = table.filter(group=group)["aye"].to_numpy()
            if len(ayes):
                parts += _spread(ayes, float(place), [x, y], group)
        even = hv.VLine(50).opts(color=RIVALS["C"].colour, line_dash="dashed", line_width=1.5, **_DRAWN)
        ticks = [(place, lookup(VOTER_GROUPS, group)) for place, group in enumerate(GROUPS[::-1])]
        title = Word(f"How groups voted in {votes} votes", f"การลงคะแนนของแต่ละกลุ่มใน {votes} ครั้ง")
        shown = hv.Overlay([*parts, even])
        whole = framed(shown, title, yticks=ticks, xlim=(-3, 103), ylim=(-0.6, len(GROUPS) - 0.4))
        return whole.opts(show_legend=False, height=380, **_DRAWN)

    def patterns(self, effects: Mapping[str, float], seed: int = 0) -> hv.Overlay:
        """Turnout, share of ayes, share of GRID and weight of each group in one vote (%)."""
        population = sample(0, terms=self._voters)
        cast = ballots(effects, seed, population=population, terms=self._voters)
        table = columns(patterns(population, cast).with_columns(pl.col("group").cast(pl.String)))
        measures = {
            "turnout": Word("turnout", "ผู้มาใช้สิทธิ์"),
            "aye": Word("ayes", "เห็นชอบ"),
            "capital": Word("share of GRID", "สัดส่วน GRID"),
            "weight": Word("share of votes cast", "สัดส่วนคะแนนเสียง"),
        }
        rows = [
            (lookup(VOTER_GROUPS, group), str(words), 100 * float(np.nan_to_num(value)))
            for name, words in measures.items()
            for group, value in zip(table["group"], table[name], strict=True)
        ]
        group = hv.Dimension("group", label=str(Word("group", "กลุ่ม")))
        measure = hv.Dimension(
            "measure", label=str(Word("measure", "ตัววัด")), values=[str(words) for words in measures.values()]
        )
        bars = hv.Bars(rows, [group, measure], value_axis("share", Word("share", "สัดส่วน"), "%"))
        inks = dict(zip(measure.values, ("#56b4e9", "#0072b2", "#e69f00", "#d55e00"), strict=True))
        title = Word("Voting patterns", "รูปแบบการลงคะแนน")
        return framed(bars, title, color="measure", cmap=inks, multi_level=False, legend_position="top", legend_cols=2,
                      tools=["hover"], ylim=(0, 118))  # fmt: skip

    def rates(self, outcomes: Mapping[str, pl.DataFrame]) -> hv.Overlay:
        """How often each proposal passes, with the Wilson interval (95 %).

        Parameters
        ----------
        outcomes : mapping of str to polars.DataFrame
            Name -> what `gridlab.governance.voters.outcome` gives.
        """
        table = success_rates(outcomes).reverse()
        if table.is_empty():
            raise GovernanceError("outcomes is empty, so there is nothing to draw; give {name: voters.outcome(…)}")
        rows = np.arange(table.height, dtype=np.float64)
        rate, low, high = (100 * table[name].to_numpy() for name in ("rate", "low", "high"))
        x = value_axis("rate", Word("votes that pass", "สัดส่วนครั้งที่ผ่าน"), "%")
        y = hv.Dimension("row", label=str(Word("proposal", "ข้อเสนอ")))
        told = str(Word("95 % interval", "ช่วงเชื่อมั่นร้อยละ 95"))
        ranges = hv.Segments((low, rows, high, rows), [x, y, "high", "same"], label=told)
        points = hv.Points((rate, rows), [x, y], label=str(Word("rate", "อัตราที่ผ่าน")))
        ink = BALLOTS["aye"].colour
        parts = [ranges.opts(color=ink, line_width=3, alpha=0.5, **_DRAWN),
                 points.opts(color=ink, size=10, tools=["hover"], **_DRAWN)]  # fmt: skip
        ticks = list(zip(rows.tolist(), table["proposal"].to_list(), strict=True))
        title = Word("Success rates", "อัตราการผ่านของข้อเสนอ")
        whole = framed(hv.Overlay(parts), title, yticks=ticks, xlim=(-3, 103), ylim=(-0.7, table.height - 0.3))
        return whole.opts(height=150 + 40 * max(table.height, 2), **_DRAWN)

    def power(self) -> hv.Overlay:
        """Lorenz curves of GRID, and of votes after conviction and delegation, with Gini and Nakamoto coefficients."""
        population = sample(0, terms=self._voters)
        levels = population["conviction"].to_numpy().astype(np.int64)
        power = population.select(
            pl.col("delegate").fill_null(pl.col("voter")).alias("stands_with"),
            "balance",
            pl.Series("votes", votes_of(population["balance"].to_numpy(), levels)),
        )
        gathered = power.group_by("stands_with", maintain_order=True).agg(pl.col("votes").sum())
        held = {"balance": power["balance"], "votes": power["votes"], "votes delegated": gathered["votes"]}
        return lorenz_curves({lookup(POWERS, name): amounts.to_list() for name, amounts in held.items()})


def _spread(ayes: Any, row: float, axes: list[hv.Dimension], group: str) -> list[Any]:
    """Return marks of all votes of a group, its middle half and its median."""
    ink = VOTERS[group]
    low, middle, high = np.quantile(ayes, [0.25, 0.5, 0.75])
    # Marks stand in several lines, in the order of the seeds, so that they do not hide one another.
    apart = row + 0.22 * ((np.arange(len(ayes)) % 5) - 2) / 2
    half = hv.Rectangles(([low], [row - _BAR], [high], [row + _BAR]), [*axes, "right", "top"])
    marks = hv.Points((ayes, apart), axes)
    median = hv.Segments(([middle], [row - _BAR], [middle], [row + _BAR]), [*axes, "same", "top"])
    return [
        half.opts(color=ink.colour, alpha=0.35, line_color=ink.colour, **_DRAWN),
        marks.opts(color=ink.colour, size=5, alpha=0.7, tools=["hover"], **_DRAWN),
        median.opts(color="black", line_width=2.5, **_DRAWN),
    ]
