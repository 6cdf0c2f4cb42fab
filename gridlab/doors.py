"""Doors: how an object of a lower room shows itself through an upper one without importing it.

`lab.controls()` belongs on the lab, yet widgets live in the top room, which knows everything and which nothing knows. A
door names the upper room's function as text and opens it when somebody walks through, so `import gridlab` stays light
and the floors stay one above the other (docs/architecture.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["DOORS", "through"]

DOORS = {
    "block_html": "gridlab.ui.chain_summary:block_html",
    "chain_controls": "gridlab.ui.chain_controls:chain_controls",
    "chain_html": "gridlab.ui.chain_summary:chain_html",
    "chain_plot": "gridlab.ui.chain_plots:ChainPlots",
    "controls": "gridlab.ui.controls:controls",
    "decision_html": "gridlab.ui.trace_summary:decision_html",
    "extension": "gridlab.ui.extension:load",
    "lab_html": "gridlab.ui.summary:lab_html",
    "plot": "gridlab.ui.plots:Plots",
    "report": "gridlab.ui.report:write",
    "run_html": "gridlab.ui.summary:run_html",
    "trace_html": "gridlab.ui.trace_summary:trace_html",
    "trace_picture": "gridlab.ui.message_picture:message_picture",
    "trace_plot": "gridlab.ui.trace_plots:TracePlots",
    "trace_quorums": "gridlab.ui.quorum_picture:quorum_picture",
}


def through(door: str, *args: Any, **options: Any) -> Any:
    """Call the function behind `door` (a key of `DOORS`) with the given arguments and return what it returns."""
    module, name = DOORS[door].split(":")
    return getattr(import_module(module), name)(*args, **options)
