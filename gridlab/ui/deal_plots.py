"""HoloViews pictures of two-party protocols: what happened in an atomic swap, and balances in a payment channel."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import polars as pl

from gridlab.chain.channels.payment import PaymentChannel
from gridlab.chain.swaps.swap import SwapOutcome
from gridlab.errors import ArgumentTypeError
from gridlab.ui.consensus_plots import framed, value_axis, whole_numbers
from gridlab.ui.convert import columns
from gridlab.ui.palette import CHAINS, RIVALS, SIDES, STATES
from gridlab.ui.words import Word, lookup

__all__ = ["ChannelPlots", "SwapPlots"]

_DRAWN = {"backend": "bokeh"}
_LANES = {"first": 1.0, "second": 0.0}
_INKS = {"first": CHAINS["public"].colour, "second": CHAINS["consortium"].colour}
_MARKS = {"lock": "square", "claim": "circle", "refund": "triangle"}
_POINTS = 2_000

_ACTIONS = {
    "lock": Word("lock", "ล็อก"),
    "claim": Word("claim", "รับเงิน"),
    "refund": Word("refund", "คืนเงิน"),
}
_CHAIN_WORDS = {
    "first": Word("first chain", "เชนแรก"),
    "second": Word("second chain", "เชนที่สอง"),
}
_RESULTS = {
    "swapped": Word("swapped", "แลกเปลี่ยนสำเร็จ"),
    "refunded": Word("all went back", "คืนเงินทั้งหมด"),
    "nothing": Word("nobody locked", "ไม่มีใครล็อก"),
    "one-sided": Word("one side alone was paid", "จ่ายฝ่ายเดียว"),
}


class SwapPlots:
    """The pictures of a swap's outcome.

    Parameters
    ----------
    outcome : SwapOutcome

    Examples
    --------
    ``outcome.plot.timeline()``
    """

    def __init__(self, outcome: SwapOutcome) -> None:
        if not isinstance(outcome, SwapOutcome):
            raise ArgumentTypeError(f"plots: expected a SwapOutcome, got {type(outcome).__name__}")
        self._outcome = outcome

    def __repr__(self) -> str:
        return f"SwapPlots of {self._outcome!r}: .timeline(); a notebook shows them after one gl.notebook()"

    def timeline(self) -> hv.Overlay:
        """Draw what stood in blocks of both chains over time (s), and how long money was locked."""
        orders = self._outcome.orders.with_columns(lane=pl.col("chain").replace_strict(_LANES, return_dtype=pl.Float64))
        x = value_axis("second", Word("time", "เวลา"), "s")
        y = hv.Dimension("lane", label=str(Word("chain", "เชน")))
        done = orders.filter(pl.col("refused") == "")
        parts: list[Any] = [self._locked(done, chain, x, y) for chain in _LANES]
        shown = [hv.Dimension("party", label=str(Word("party", "ฝ่าย")))]
        looks = [(action, done.filter(action=action), RIVALS["A"].colour, 13) for action in _MARKS]
        for action, rows, colour, size in looks:
            if not rows.is_empty():
                table = columns(rows)
                points = hv.Points(
                    (table["second"], table["lane"], table["party"]), [x, y], shown, label=lookup(_ACTIONS, action)
                )
                parts.append(points.opts(color=colour, marker=_MARKS[action], size=size, tools=["hover"], **_DRAWN))
        refused = columns(orders.filter(pl.col("refused") != ""))
        if len(refused["second"]):
            data = (refused["second"], refused["lane"] + 0.25, refused["party"])
            points = hv.Points(data, [x, y], shown, label=str(Word("refused", "ถูกปฏิเสธ")))
            parts.append(points.opts(color=STATES["lies"].colour, marker="x", size=6, tools=["hover"], **_DRAWN))
        result = lookup(_RESULTS, self._outcome.result)
        ticks = [(place, lookup(_CHAIN_WORDS, chain)) for chain, place in _LANES.items()]
        title = f"{Word('Atomic swap', 'การแลกเปลี่ยนแบบอะตอมมิก')}: {result}"
        end = float(orders["second"].max() or self._outcome.seconds)  # type: ignore[arg-type]
        axes = {"yticks": ticks, "ylim": (-0.6, 1.6), "xlim": (0, 1.05 * end)}
        return framed(hv.Overlay(parts), title, **axes)

    def _locked(self, done: pl.DataFrame, chain: str, x: hv.Dimension, y: hv.Dimension) -> hv.Segments:
        locked = self._outcome.locked.filter(chain=chain)
        # Locks stand in the order in which they were made, in both frames.
        begin = done.filter(chain=chain, action="lock")["second"].to_numpy()[: locked.height]
        end, lane = begin + locked["seconds"].to_numpy(), np.full(len(begin), _LANES[chain])
        asset = f" ({locked['asset'][0]})" if locked.height else ""
        label = f"{Word('locked', 'ถูกล็อก')}: {lookup(_CHAIN_WORDS, chain)}{asset}"
        bars = hv.Segments((begin, lane, end, lane), [x, y, "until", "same"], label=label)
        return bars.opts(color=_INKS[chain], line_width=9, alpha=0.5, **_DRAWN)


class ChannelPlots:
    """The pictures of a payment channel.

    Parameters
    ----------
    channel : PaymentChannel

    Examples
    --------
    ``channel.plot.balances()``
    """

    def __init__(self, channel: PaymentChannel) -> None:
        if not isinstance(channel, PaymentChannel):
            raise ArgumentTypeError(f"plots: expected a PaymentChannel, got {type(channel).__name__}")
        self._channel = channel

    def __repr__(self) -> str:
        return f"ChannelPlots of {self._channel!r}: .balances(); a notebook shows them after one gl.notebook()"

    def balances(self) -> hv.Overlay:
        """Draw what each side holds over the versions of the state (smallest unit); of very many an even choice."""
        history = self._channel.history
        count = history.height
        kept = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.int64))
        table = columns(history[kept].cast(pl.Float64))
        x = hv.Dimension("version", label=str(Word("version of the state", "เวอร์ชันของสถานะ")))
        y = value_axis("balance", Word("balance (smallest unit)", "ยอดคงเหลือ (หน่วยย่อยที่สุด)"))
        sides = (("balance_0", 0, SIDES["buy"].colour, "solid"), ("balance_1", 1, SIDES["sell"].colour, "dashed"))
        parts = [
            hv.Curve((table["version"], table[name]), x, y, label=f"{Word('side', 'ฝ่าย')} {side}").opts(
                color=colour, line_dash=dash, line_width=2, interpolation="steps-post", tools=["hover"], **_DRAWN
            )
            for name, side, colour, dash in sides
        ]
        title = Word("Balances in the channel", "ยอดคงเหลือในช่องชำระเงิน")
        return framed(hv.Overlay(parts), title, xticks=whole_numbers(), ylim=(0, None), yformatter="%d")
