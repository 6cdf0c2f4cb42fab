"""HoloViews pictures of a public chain: blocks and fullness, finality, and the tree with its losing branches."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.simulation import PublicTrace
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.ui import consensus_plots
from gridlab.ui.consensus_plots import framed, height_axis, value_axis, whole_numbers
from gridlab.ui.convert import columns
from gridlab.ui.figures import number, unit
from gridlab.ui.fork_layout import FATE_INKS, FATES, edges, placed
from gridlab.ui.palette import RIVALS, STATES
from gridlab.ui.stake_plots import stake_bars
from gridlab.ui.words import Word

__all__ = ["PublicChainPlots", "PublicTracePlots"]

_DRAWN = {"backend": "bokeh"}
_BAR = 0.4  # half the width of a bar, in blocks or slots
_MARKERS = {"final": "circle", "best": "circle", "lost": "square", "conflict": "diamond"}
_MICRO = 1e6

_Look = tuple[Word, str]  # what bars are, and the state whose colour they have


def _slot_axis() -> hv.Dimension:
    return hv.Dimension("slot", label=str(Word("slot", "ช่วงเวลา")))


def _bars(
    x: npt.NDArray, ends: tuple[npt.NDArray, npt.NDArray], axes: list[hv.Dimension], look: _Look
) -> hv.Rectangles:
    """Return bars around `x` between two heights each; those without extent are left out."""
    low, high = ends
    there, (label, state) = high > low, look
    sides = (x - _BAR, low, x + _BAR, high, high - low)
    shown = [hv.Dimension("amount", label=str(label))]
    bars = hv.Rectangles(tuple(side[there] for side in sides), [*axes, "right", "top"], shown, label=str(label))
    # Beside their colour, all but the plain ones have a dark rim.
    rim = {"line_color": None} if state == "honest" else {"line_color": "black", "line_width": 1.2}
    return bars.opts(color=STATES[state].colour, tools=["hover"], **rim, **_DRAWN)


def _told(kind: type, subject: object) -> str:
    kinds = ", ".join(f".{name}()" for name in dir(kind) if not name.startswith("_"))
    return f"{kind.__name__} of {subject!r}: {kinds}; a notebook shows them after one gl.notebook()"


class PublicTracePlots:
    """The pictures of a simulated run of block production and finality.

    Parameters
    ----------
    trace : PublicTrace

    Examples
    --------
    ``trace.plot.finality()``, ``trace.plot.forks(slots=30)``, ``trace.plot.slots()``
    """

    def __init__(self, trace: PublicTrace) -> None:
        if not isinstance(trace, PublicTrace):
            raise ArgumentTypeError(f"plots: expected a PublicTrace, got {type(trace).__name__}")
        self._trace = trace

    def __repr__(self) -> str:
        return _told(PublicTracePlots, self._trace)

    def finality(self) -> hv.Overlay:
        """Time from the writing of a block until the observer knew it final, with median and 99 % quantile (s)."""
        table = self._final()
        x, y = height_axis(), value_axis("finality", Word("time to finality", "เวลาจนบล็อกเป็นที่สิ้นสุด"), "s")
        seconds, primary = table["finality_ms"] / 1000.0, table["primary"].astype(np.bool_)
        looks = (
            (primary, Word("primary author", "ผู้เขียนหลัก"), STATES["honest"].colour, "circle"),
            (~primary, Word("secondary author", "ผู้เขียนสำรอง"), RIVALS["C"].colour, "triangle"),
        )
        parts: list[Any] = [
            hv.Scatter((table["height"][chosen], seconds[chosen]), x, y, label=str(label)).opts(
                color=colour, marker=marker, size=8, tools=["hover"], **_DRAWN
            )
            for chosen, label, colour, marker in looks
            if chosen.any()
        ]
        ends = np.array([table["height"].min() - 0.5, table["height"].max() + 0.5])
        for share, dash in ((0.5, "solid"), (0.99, "dashed")):
            value = float(np.quantile(seconds, share))
            line = hv.Curve((ends, np.full(2, value)), x, y, label=f"p{share * 100:g}: {number(value, 1)} {unit('s')}")
            parts.append(line.opts(color=RIVALS["A"].colour, line_dash=dash, line_width=2, **_DRAWN))
        title = Word("Time to finality by block", "เวลาจนเป็นที่สิ้นสุดของแต่ละบล็อก")
        return framed(hv.Overlay(parts), title, xticks=whole_numbers(), ylim=(0, None))

    def finality_distribution(self) -> hv.Histogram:
        """How the times to finality are spread (s)."""
        return consensus_plots.distribution(self._final()["finality_ms"])

    def forks(self, slots: int = 40) -> hv.Overlay:
        """Draw the tree of blocks of the last `slots` slots: the best branch on the base line, losing ones above it."""
        blocks = placed(self._trace, slots)
        if blocks.is_empty():
            raise ChainError(f"no block was written in the last {slots} slots; let more slots pass, or show more")
        x, y = _slot_axis(), value_axis("lane", Word("blocks of one slot", "บล็อกในช่วงเวลาเดียวกัน"))
        lines = columns(edges(blocks))
        parts: list[Any] = [
            hv.Segments(tuple(lines[name] for name in ("x0", "y0", "x1", "y1")), [x, y, "x1", "y1"]).opts(
                color=RIVALS["C"].colour, line_width=1.5, **_DRAWN
            )
        ]
        shown = [hv.Dimension("block_height", label=str(Word("block height", "ความสูงของบล็อก"))),
                 hv.Dimension("seat", label=str(Word("seat", "ที่นั่ง")))]  # fmt: skip
        for fate, marker in _MARKERS.items():
            some = columns(blocks.filter(fate=fate).select(pl.exclude("fate").cast(pl.Float64)))
            if len(some["slot"]):
                data = tuple(some[name] for name in ("slot", "lane", "height", "seat"))
                points = hv.Points(data, [x, y], shown, label=str(FATES[fate]))
                ink = FATE_INKS[fate].colour
                look = {"fill_alpha": 0.0} if fate == "best" else {}
                parts.append(
                    points.opts(color=ink, marker=marker, size=11, line_width=2, tools=["hover"], **look, **_DRAWN)
                )
        title = Word("Tree of blocks", "ต้นไม้ของบล็อก")
        top = float(blocks["lane"].max() or 0)  # type: ignore[arg-type]
        axes = {"xticks": whole_numbers(), "yticks": whole_numbers(), "ylim": (-0.6, max(top, 2.0) + 0.6)}
        return framed(hv.Overlay(parts), title, **axes)

    def slots(self) -> hv.Overlay:
        """How many blocks each slot brought on the best branch and beside it; a slot without a block is marked."""
        every = pl.DataFrame({"slot": pl.Series(range(1, self._trace.slots + 1), dtype=pl.Int64)})
        counts = self._trace.blocks.group_by("slot").agg(
            kept=pl.col("best").sum().cast(pl.Int64), lost=pl.col("best").not_().sum().cast(pl.Int64)
        )
        counted = every.join(counts.cast(pl.Int64), on="slot", how="left", maintain_order="left").fill_null(0)
        table = columns(counted.cast(pl.Float64))
        axes = [_slot_axis(), value_axis("blocks", Word("blocks written", "บล็อกที่เขียน"))]
        slot, kept = table["slot"], table["kept"]
        parts: list[Any] = [
            _bars(slot, (0 * kept, kept), axes, (Word("best branch", "สายที่ดีที่สุด"), "honest")),
            _bars(slot, (kept, kept + table["lost"]), axes, (FATES["lost"], "down")),
        ]
        missed = slot[kept == 0]
        if len(missed):
            told = f"{Word('missed slots', 'ช่วงเวลาที่ไม่มีบล็อก')}: {number(len(missed))}"
            points = hv.Scatter((missed, 0 * missed), *axes, label=told)
            parts.append(points.opts(color=STATES["lies"].colour, marker="x", size=9, line_width=2, **_DRAWN))
        title = Word("Blocks by slot", "บล็อกในแต่ละช่วงเวลา")
        return framed(hv.Overlay(parts), title, xticks=whole_numbers(), yticks=whole_numbers())

    def _final(self) -> dict[str, npt.NDArray]:
        """Return the final blocks by height as float64 columns; raises ChainError where there is none."""
        final = self._trace.blocks.filter("final").sort("height")
        if final.is_empty():
            raise ChainError(
                "no block is final yet: more slots must pass, or more than two thirds of the stake must be online and "
                "able to hear one another; .forks() shows what was written"
            )
        return dict(columns(final.select(pl.col("height", "finality_ms", "primary").cast(pl.Float64))))


class PublicChainPlots(PublicTracePlots):
    """The pictures of one public chain.

    Parameters
    ----------
    chain : PublicChain

    Examples
    --------
    ``chain.plot.blocks()``, ``chain.plot.fees()``, ``chain.plot.fullness()``, ``chain.plot.stake()``, and those of its
    `trace`: ``chain.plot.finality()``, ``chain.plot.forks()``, ``chain.plot.slots()``
    """

    def __init__(self, chain: PublicChain) -> None:
        if not isinstance(chain, PublicChain):
            raise ArgumentTypeError(f"plots: expected a PublicChain, got {type(chain).__name__}")
        self._chain = chain

    def __repr__(self) -> str:
        return _told(PublicChainPlots, self._chain)

    @property
    def _trace(self) -> PublicTrace:  # type: ignore[override]
        return self._chain.trace

    def blocks(self) -> hv.Overlay:
        """Transactions of every block, those that failed (and paid all the same) on top."""
        table = self._table()
        axes = [height_axis(), value_axis("transactions", Word("transactions per block", "ธุรกรรมต่อบล็อก"))]
        good = table["transactions"] - table["failed"]
        parts = [
            _bars(table["height"], (0 * good, good), axes, (Word("done", "สำเร็จ"), "honest")),
            _bars(table["height"], (good, table["transactions"]), axes, (Word("failed", "ไม่สำเร็จ"), "lies")),
        ]
        return self._framed(parts, Word("Transactions by block", "ธุรกรรมในแต่ละบล็อก"), table)

    def fees(self) -> hv.Overlay:
        """Fees and tips of every block (GRID)."""
        table = self._table()
        axes = [height_axis(), value_axis("paid", Word("paid in the block", "ค่าใช้จ่ายในบล็อก"), "GRID")]
        fees, tips = table["fees"] / _MICRO, table["tips"] / _MICRO
        parts = [
            _bars(table["height"], (0 * fees, fees), axes, (Word("fees", "ค่าธรรมเนียม"), "honest")),
            _bars(table["height"], (fees, fees + tips), axes, (Word("tips", "ทิป"), "down")),
        ]
        return self._framed(parts, Word("Fees by block", "ค่าธรรมเนียมในแต่ละบล็อก"), table)

    def fullness(self) -> hv.Overlay:
        """How full every block is by weight and by bytes, beside the target at which the fee multiplier rests (%)."""
        table, limits = self._table(), self._chain.rules.fees
        x, y = height_axis(), value_axis("fullness", Word("share of a full block", "สัดส่วนของบล็อกเต็ม"), "%")
        shares = (
            (table["weight"] / limits.block_weight, Word("weight", "น้ำหนักประมวลผล"), STATES["honest"].colour, "solid"),
            (table["bytes"] / limits.block_bytes, Word("bytes", "ไบต์"), RIVALS["B"].colour, "dotted"),
        )
        parts: list[Any] = [
            hv.Curve((table["height"], 100 * share), x, y, label=str(label)).opts(
                color=colour, line_dash=dash, line_width=2, interpolation="steps-mid", tools=["hover"], **_DRAWN
            )
            for share, label, colour, dash in shares
        ]
        target = limits.target_fullness / 1e7
        ends = np.array([table["height"][0] - 0.5, table["height"][-1] + 0.5])
        line = hv.Curve((ends, np.full(2, target)), x, y, label=f"{Word('target', 'เป้าหมาย')}: {number(target)} %")
        parts.append(line.opts(color=RIVALS["C"].colour, line_dash="dashed", line_width=2, **_DRAWN))
        return self._framed(parts, Word("Fullness of blocks", "ความเต็มของบล็อก"), table)

    def stake(self) -> hv.Overlay:
        """Stake of the validators from the largest down, and how few could stop finality (Nakamoto coefficient)."""
        weights = self._chain.authorities.weights
        return stake_bars([str(seat) for seat in range(len(weights))], list(weights))

    def _table(self) -> dict[str, npt.NDArray]:
        names = ("height", "transactions", "failed", "weight", "bytes", "fees", "tips")
        return dict(columns(self._chain.blocks.select(pl.col(names).cast(pl.Float64))))

    @staticmethod
    def _framed(parts: list[Any], title: Word, table: dict[str, npt.NDArray]) -> hv.Overlay:
        ends = (table["height"][0] - 0.7, table["height"][-1] + 0.7)
        return framed(hv.Overlay(parts), title, xticks=whole_numbers(), xlim=ends, ylim=(0, None))
