"""HoloViews pictures of a simulated run of consensus."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import polars as pl

from gridlab.chain.pbft.trace import Trace
from gridlab.errors import ArgumentError
from gridlab.ui import consensus_plots
from gridlab.ui.convert import columns
from gridlab.ui.logged_messages import require_trace

__all__ = ["TracePlots"]


class TracePlots:
    """The pictures of one trace, each a HoloViews element.

    Parameters
    ----------
    trace : Trace

    Examples
    --------
    ``trace.plot.finality()``, ``trace.plot.views()``, ``trace.plot.messages()``
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = require_trace(trace)

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(TracePlots) if not name.startswith("_"))
        return f"TracePlots of {self._trace!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def finality(self) -> hv.Overlay:
        """Virtual time from a block's proposal until a quorum of honest validators has it final (s)."""
        table = self._blocks("finality_ms")
        changed = np.diff(table["view"], prepend=0) > 0
        return consensus_plots.finality(table["height"], table["finality_ms"], changed)

    def finality_distribution(self) -> hv.Histogram:
        """How the times to finality are spread (s)."""
        return consensus_plots.distribution(self._blocks("finality_ms")["finality_ms"])

    def views(self) -> hv.Overlay:
        """View in which every block became final; in a fork the lowest one."""
        table = self._blocks("view")
        changed = np.diff(table["view"], prepend=0) > 0
        return consensus_plots.views(table["height"], table["view"], changed)

    def messages(self) -> hv.Bars:
        """Messages of each kind that were sent in all."""
        return consensus_plots.kinds(self._trace.messages)

    def _blocks(self, needed: str) -> Any:
        """Return one row per height, float64; raises ArgumentError where no block has what is `needed`."""
        known = self._trace.blocks.drop_nulls(needed).sort("height", "view")
        blocks = known.unique("height", keep="first", maintain_order=True)
        if blocks.is_empty():
            raise ArgumentError(
                f"no block of this trace has its {needed}: no quorum of honest validators holds the same block; "
                "trace.picture() shows where the messages went, if it was made with message_log=1"
            )
        table = columns(blocks.select(pl.col("height", "view", "finality_ms").cast(pl.Float64)))
        return dict(table)
