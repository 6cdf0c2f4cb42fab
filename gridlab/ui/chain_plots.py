"""HoloViews pictures of a chain: its blocks, and how they became final."""

from __future__ import annotations

from collections.abc import Mapping

import holoviews as hv
import numpy as np
import numpy.typing as npt

from gridlab.chain.chain_views import ChainViews
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.ui import consensus_plots
from gridlab.ui.consensus_plots import framed, height_axis, value_axis, whole_numbers
from gridlab.ui.convert import columns
from gridlab.ui.palette import STATES
from gridlab.ui.words import Word

__all__ = ["ChainPlots"]

_DRAWN = {"backend": "bokeh"}
_BAR = 0.4  # half the width of a bar, in blocks


class ChainPlots:
    """The pictures of one chain, each a HoloViews element.

    Parameters
    ----------
    chain : ConsortiumChain

    Examples
    --------
    ``chain.plot.blocks()``, ``chain.plot.finality()``, ``chain.plot.views()``, ``chain.plot.messages()``
    """

    def __init__(self, chain: ChainViews) -> None:
        if not isinstance(chain, ChainViews):
            raise ArgumentTypeError(f"plots: expected a ConsortiumChain, got {type(chain).__name__}")
        self._chain = chain

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(ChainPlots) if not name.startswith("_"))
        return f"ChainPlots of {self._chain!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def blocks(self) -> hv.Overlay:
        """Transactions of every block, those that were rejected on top and marked."""
        table = columns(self._chain.blocks)
        accepted = table["transactions"] - table["rejected"]
        parts = [
            self._bars(table, 0 * accepted, accepted, Word("accepted", "ยอมรับ"), "honest"),
            self._bars(table, accepted, table["transactions"], Word("rejected", "ปฏิเสธ"), "lies"),
        ]
        ends = (table["height"][0] - 0.7, table["height"][-1] + 0.7)
        whole = {"xticks": whole_numbers(), "yticks": whole_numbers(), "xlim": ends, "ylim": (0, None)}
        return framed(hv.Overlay(parts), Word("Transactions by block", "ธุรกรรมในแต่ละบล็อก"), **whole)

    @staticmethod
    def _bars(
        table: Mapping[str, npt.NDArray], low: npt.NDArray, high: npt.NDArray, label: Word, state: str
    ) -> hv.Rectangles:
        x, y = height_axis(), value_axis("transactions", Word("transactions per block", "ธุรกรรมต่อบล็อก"))
        heights = table["height"].astype(np.float64)
        corners = (heights - _BAR, low, heights + _BAR, high, table["height"], high - low)
        shown = [hv.Dimension("block", label=str(Word("block", "บล็อก"))), hv.Dimension("count", label=str(label))]
        there = high > low
        bars = hv.Rectangles(tuple(side[there] for side in corners), [x, y, "right", "top"], shown, label=str(label))
        # Beside their colour those that were rejected have a dark rim.
        rim = {"line_color": "black", "line_width": 1.5} if state == "lies" else {"line_color": None}
        return bars.opts(color=STATES[state].colour, tools=["hover"], **rim, **_DRAWN)

    def bytes(self) -> hv.Histogram:
        """Size of every block."""
        table = columns(self._chain.blocks)
        heights = table["height"].astype(np.float64)
        edges = np.append(heights - 0.5, heights[-1] + 0.5)
        size = value_axis("bytes", Word("size of the block", "ขนาดของบล็อก"), "B")
        bars = hv.Histogram((edges, table["bytes"]), kdims=[height_axis()], vdims=[size])
        return framed(bars, Word("Bytes by block", "ขนาดของแต่ละบล็อก"), color=STATES["honest"].colour, tools=["hover"])

    def finality(self) -> hv.Overlay:
        """Virtual time from a block's proposal until it is final, with median and 99 % quantile (s)."""
        rounds = self._rounds()
        return consensus_plots.finality(rounds["height"], rounds["finality_ms"], rounds["view_changes"] > 0)

    def finality_distribution(self) -> hv.Histogram:
        """How the times to finality are spread (s)."""
        return consensus_plots.distribution(self._rounds()["finality_ms"])

    def views(self) -> hv.Overlay:
        """View in which every block became final, and where it changed."""
        rounds = self._rounds()
        return consensus_plots.views(rounds["height"], rounds["view"], rounds["view_changes"] > 0)

    def messages(self) -> hv.Overlay:
        """Messages that validators sent for every block."""
        rounds = self._rounds()
        ordering = self._chain.ordering
        validators = ordering.states.height if isinstance(ordering, PbftOrdering) else 1
        return consensus_plots.messages(rounds["height"], rounds["messages"], validators)

    def message_kinds(self) -> hv.Bars:
        """Messages of each kind that validators have sent in all."""
        self._rounds()
        ordering = self._chain.ordering
        return consensus_plots.kinds(ordering.cluster.messages if isinstance(ordering, PbftOrdering) else {})

    def _rounds(self) -> Mapping[str, npt.NDArray]:
        """Return how blocks became final.

        Raises
        ------
        ChainError
            None was sealed here by validators.
        """
        rounds = self._chain.rounds
        if rounds.is_empty():
            raise ChainError(
                "no block of this chain was sealed here by validators that agreed, so nothing is known of their "
                "messages; seal one on a chain with ordering=PbftOrdering.of(21); a run that was loaded has them in "
                'run.frames["consensus"]'
            )
        table = columns(rounds)
        return {name: values.astype(np.float64) for name, values in table.items()}
