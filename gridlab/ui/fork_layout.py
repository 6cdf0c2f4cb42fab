"""Where the blocks of a tree with losing branches stand in a picture, and that picture as static SVG.

Blocks stand by slot from left to right. In a slot the block of the best branch lies on the base line and the others
above it, so that a chain without rivals is a straight line.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.public.simulation import PublicTrace
from gridlab.ui import svg
from gridlab.ui.palette import RIVALS, STATES, Ink
from gridlab.ui.words import Word

__all__ = ["FATES", "FATE_INKS", "edges", "fork_picture", "placed"]

FATES = {
    "final": Word("final", "เป็นที่สิ้นสุด"),
    "best": Word("best branch, not final yet", "สายที่ดีที่สุด ยังไม่สิ้นสุด"),
    "lost": Word("beside the best branch", "อยู่นอกสายที่ดีที่สุด"),
    "conflict": Word("final for some, against others", "สิ้นสุดสำหรับบางราย แต่ขัดกับรายอื่น"),
}
FATE_INKS: dict[str, Ink] = {
    "final": STATES["honest"],
    "best": RIVALS["A"],
    "lost": STATES["down"],
    "conflict": STATES["lies"],
}

_WIDTH = 640.0
_LANE = 18.0
_TOP = 30.0
_MOST_LANES = 8


def placed(trace: PublicTrace, slots: int) -> pl.DataFrame:
    """Return where the blocks of the last `slots` slots stand.

    Parameters
    ----------
    trace : PublicTrace
    slots : int
        1 or more.

    Returns
    -------
    polars.DataFrame
        block, parent, slot, seat, height, primary, lane (0 is the base line) and fate, a key of `FATES`.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `slots` is not a whole number of 1 or more.
    """
    shown = trace.blocks.filter(pl.col("slot") > trace.slots - require_int("slots", slots, 1))
    clashing = sorted({block for pair in trace.conflicts for block in pair})
    fate = (
        pl.when(pl.col("block").is_in(clashing)).then(pl.lit("conflict"))
        .when("final").then(pl.lit("final"))
        .when("best").then(pl.lit("best"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip
    ranked = shown.sort("slot", pl.col("best").not_(), "block").with_columns(fate.alias("fate"))
    # A slot whose blocks all lost leaves the base line free.
    lane = pl.int_range(pl.len()).over("slot") + pl.col("best").any().not_().cast(pl.Int64).over("slot")
    names = ("block", "parent", "slot", "seat", "height", "primary", "lane", "fate")
    return ranked.with_columns(lane.alias("lane")).select(names)


def edges(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each block whose parent is placed too: x0, y0 of the parent, x1, y1 of the block."""
    parents = blocks.select(pl.col("block").alias("parent"), x0="slot", y0="lane")
    joined = blocks.select("parent", x1="slot", y1="lane").join(
        parents, on="parent", how="inner", maintain_order="left"
    )
    return joined.select("x0", "y0", "x1", "y1").cast(pl.Float64)


def fork_picture(trace: PublicTrace, slots: int = 30) -> str:
    """Return the tree of the last `slots` slots as SVG; lanes above the eighth are drawn on it."""
    blocks = placed(trace, slots).with_columns(pl.col("lane").clip(0, _MOST_LANES - 1))
    lanes = int(blocks["lane"].max() or 0) + 1  # type: ignore[arg-type]
    first = max(trace.slots - slots, 0) + 1
    step = (_WIDTH - 40) / max(slots - 1, 1)
    base = _TOP + lanes * _LANE
    x, y = 20 + (pl.col("slot").cast(pl.Float64) - first) * step, base - pl.col("lane") * _LANE
    lines = edges(blocks).select(
        x0=20 + (pl.col("x0") - first) * step, y0=base - pl.col("y0") * _LANE,
        x1=20 + (pl.col("x1") - first) * step, y1=base - pl.col("y1") * _LANE,
    )  # fmt: skip
    parts = [_legend()]
    parts += [svg.line(x0, y0, x1, y1, opacity=0.5) for x0, y0, x1, y1 in lines.rows()]
    radius = min(6.0, step * 0.4)
    parts += [
        _mark(fate, across, down, radius) for fate, across, down in blocks.select("fate", x.alias("x"), y=y).rows()
    ]
    missing = sorted(set(range(first, trace.slots + 1)) - set(blocks.filter(pl.col("lane") == 0)["slot"].to_list()))
    parts += [svg.text(20 + (slot - first) * step, base + 4, "×", anchor="middle", opacity=0.7) for slot in missing]
    for slot in sorted({first, trace.slots} if trace.slots else set()):
        anchor = "start" if slot == first else "end"
        place = 14 + (slot - first) * step + (0 if slot == first else 12)
        parts.append(svg.text(place, base + 24, f"{Word('slot', 'ช่วงเวลา')} {slot}", anchor=anchor))
    return svg.picture(_WIDTH, base + 30, Word("Tree of blocks", "ต้นไม้ของบล็อก"), parts)


def _mark(fate: str, x: float, y: float, radius: float) -> str:
    """Return a disc for a final block, a ring on the best branch, a bar for a losing one, a diamond for a clash."""
    ink = FATE_INKS[fate].colour
    if fate == "best":
        return svg.tag("circle", cx=x, cy=y, r=radius - 1, fill="none", stroke=ink, stroke_width=2)
    if fate == "lost":
        return svg.rectangle(x - radius, y - radius / 2, 2 * radius, radius, fill=ink)
    if fate == "conflict":
        tip = radius * 1.2
        points = f"{x:g},{y - tip:g} {x + tip:g},{y:g} {x:g},{y + tip:g} {x - tip:g},{y:g}"
        return svg.tag("polygon", points=points, fill=ink)
    return svg.tag("circle", cx=x, cy=y, r=radius, fill=ink)


def _legend() -> str:
    parts, x = [], 10.0
    for fate in ("final", "best", "lost"):
        parts += [_mark(fate, x, 10.0, 5.0), svg.text(x + 10, 14, FATES[fate], size=12)]
        x += 10 + svg.text_width(FATES[fate], 12) + 22
    told = Word("no block", "ไม่มีบล็อก")
    return "".join([*parts, svg.text(x, 14, f"× {told}", size=12)])
