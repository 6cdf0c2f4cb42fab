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
    "bridge_html": "gridlab.ui.public_summary:bridge_html",
    "chain_controls": "gridlab.ui.chain_controls:chain_controls",
    "chain_html": "gridlab.ui.chain_summary:chain_html",
    "chain_plot": "gridlab.ui.chain_plots:ChainPlots",
    "channel_plot": "gridlab.ui.deal_plots:ChannelPlots",
    "controls": "gridlab.ui.controls:controls",
    "decision_html": "gridlab.ui.trace_summary:decision_html",
    "election_html": "gridlab.ui.public_summary:election_html",
    "extension": "gridlab.ui.extension:load",
    "lab_html": "gridlab.ui.summary:lab_html",
    "plot": "gridlab.ui.plots:Plots",
    "public_chain_controls": "gridlab.ui.public_controls:public_controls",
    "public_chain_html": "gridlab.ui.public_summary:public_chain_html",
    "public_chain_plot": "gridlab.ui.public_plots:PublicChainPlots",
    "public_trace_html": "gridlab.ui.public_summary:public_trace_html",
    "public_trace_plot": "gridlab.ui.public_plots:PublicTracePlots",
    "report": "gridlab.ui.report:write",
    "run_html": "gridlab.ui.summary:run_html",
    "stake_plot": "gridlab.ui.stake_plots:StakePlots",
    "swap_plot": "gridlab.ui.deal_plots:SwapPlots",
    "trace_html": "gridlab.ui.trace_summary:trace_html",
    "trace_picture": "gridlab.ui.message_picture:message_picture",
    "trace_plot": "gridlab.ui.trace_plots:TracePlots",
    "trace_quorums": "gridlab.ui.quorum_picture:quorum_picture",
}


def through(door: str, *args: Any, **options: Any) -> Any:
    """Call the function behind `door` (a key of `DOORS`) with the given arguments and return what it returns."""
    module, name = DOORS[door].split(":")
    return getattr(import_module(module), name)(*args, **options)
