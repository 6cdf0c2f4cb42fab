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
    "assembly_controls": "gridlab.ui.governance_controls:assembly_controls",
    "assembly_html": "gridlab.ui.governance_summary:assembly_html",
    "assembly_plot": "gridlab.ui.governance_plots:AssemblyPlots",
    "block_html": "gridlab.ui.chain_summary:block_html",
    "bridge_html": "gridlab.ui.public_summary:bridge_html",
    "chain_controls": "gridlab.ui.chain_controls:chain_controls",
    "chain_html": "gridlab.ui.chain_summary:chain_html",
    "chain_plot": "gridlab.ui.chain_plots:ChainPlots",
    "channel_plot": "gridlab.ui.deal_plots:ChannelPlots",
    "controls": "gridlab.ui.controls:controls",
    "decision_html": "gridlab.ui.trace_summary:decision_html",
    "economics_controls": "gridlab.ui.economics_controls:economics_controls",
    "economics_html": "gridlab.ui.economics_summary:economics_html",
    "economics_plot": "gridlab.ui.economics_plots:EconomicsPlots",
    "election_html": "gridlab.ui.public_summary:election_html",
    "extension": "gridlab.ui.extension:load",
    "feeds_html": "gridlab.ui.feeds_summary:feeds_html",
    "feeds_plot": "gridlab.ui.feeds_plots:FeedsPlots",
    "governance_html": "gridlab.ui.governance_summary:governance_html",
    "governance_part_html": "gridlab.ui.governance_summary:governance_part_html",
    "governance_plot": "gridlab.ui.governance_plots:GovernancePlots",
    "holding_html": "gridlab.ui.watt_summary:holding_html",
    "lab_html": "gridlab.ui.summary:lab_html",
    "oracle_controls": "gridlab.ui.oracle_controls:oracle_controls",
    "oracle_html": "gridlab.ui.oracle_summary:oracle_html",
    "oracle_run_html": "gridlab.ui.oracle_summary:oracle_run_html",
    "oracle_run_plot": "gridlab.ui.oracle_plots:OracleRunPlots",
    "outcomes_html": "gridlab.ui.voter_summary:outcomes_html",
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
    "voters_html": "gridlab.ui.voter_summary:voters_html",
    "voters_plot": "gridlab.ui.voter_plots:VoterPlots",
    "watt_controls": "gridlab.ui.watt_controls:watt_controls",
    "watt_html": "gridlab.ui.watt_summary:watt_html",
    "watt_plot": "gridlab.ui.watt_plots:WattPlots",
}


def through(door: str, *args: Any, **options: Any) -> Any:
    """Call the function behind `door` (a key of `DOORS`) with the given arguments and return what it returns."""
    module, name = DOORS[door].split(":")
    return getattr(import_module(module), name)(*args, **options)
