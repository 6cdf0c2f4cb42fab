"""gridlab: Thailand's hybrid-blockchain energy market, built out of parts in a notebook.

    import gridlab as gl

    lab = gl.Lab.thailand(prosumers=200)
    run = lab.run(hours=24)
    run.kpis()

The names below are loaded when they are first used, so that importing gridlab costs little more than importing polars.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> (module, attribute); an attribute of None is the module itself
_FACE: dict[str, tuple[str, str | None]] = {
    "Agents": ("gridlab.agents", "Agents"),
    "Audit": ("gridlab.compliance.audit", "Audit"),
    "Bridge": ("gridlab.chain.bridge.driver", "Bridge"),
    "Clearing": ("gridlab.market.core.result", "Clearing"),
    "Consensus": ("gridlab.chain.consensus", "Consensus"),
    "ConsortiumChain": ("gridlab.chain.consortium", "ConsortiumChain"),
    "EnergyTradingContract": ("gridlab.market.agreements.contracts", "EnergyTradingContract"),
    "Feeds": ("gridlab.oracle.feeds", "Feeds"),
    "Governance": ("gridlab.governance.governance", "Governance"),
    "Lab": ("gridlab.lab", "Lab"),
    "Market": ("gridlab.market.market", "Market"),
    "MarketSequence": ("gridlab.market.time_scales.sequence", "MarketSequence"),
    "Oracle": ("gridlab.oracle.oracle", "Oracle"),
    "PublicChain": ("gridlab.chain.public.chain", "PublicChain"),
    "Run": ("gridlab.run", "Run"),
    "agents": ("gridlab.agents", None),
    "bill": ("gridlab.market.charges.retail", "bill"),
    "calendar": ("gridlab.calendar", None),
    "chain": ("gridlab.chain", None),
    "clear": ("gridlab.market.clearing", "clear"),
    "compare": ("gridlab.scenarios.compare", "compare"),
    "config": ("gridlab.settings", "config"),
    "dataset": ("gridlab.datasets", "dataset"),
    "datasets": ("gridlab.datasets", "datasets"),
    "errors": ("gridlab.errors", None),
    "frames": ("gridlab.frames", None),
    "learn": ("gridlab.learn", None),
    "load": ("gridlab.run_file", "load"),
    "market": ("gridlab.market", None),
    "notebook": ("gridlab.learn", "notebook"),
    "open": ("gridlab.lab_store", "open_lab"),
    "scenario": ("gridlab.scenarios.catalogue", "scenario"),
    "scenarios": ("gridlab.scenarios.catalogue", "scenarios"),
    "units": ("gridlab.units", None),
    "verify": ("gridlab.compliance.verifying", "verify"),
    "what_if": ("gridlab.scenarios.what_if", "what_if"),
}

__all__ = [
    "Agents",
    "Audit",
    "Bridge",
    "Clearing",
    "Consensus",
    "ConsortiumChain",
    "EnergyTradingContract",
    "Feeds",
    "Governance",
    "Lab",
    "Market",
    "MarketSequence",
    "Oracle",
    "PublicChain",
    "Run",
    "__version__",
    "agents",
    "bill",
    "calendar",
    "chain",
    "clear",
    "compare",
    "config",
    "dataset",
    "datasets",
    "errors",
    "frames",
    "learn",
    "load",
    "market",
    "notebook",
    "open",
    "scenario",
    "scenarios",
    "units",
    "verify",
    "what_if",
]

if TYPE_CHECKING:
    from gridlab import agents as agents
    from gridlab import calendar as calendar
    from gridlab import chain as chain
    from gridlab import errors as errors
    from gridlab import frames as frames
    from gridlab import learn as learn
    from gridlab import market as market
    from gridlab import units as units
    from gridlab.agents import Agents as Agents
    from gridlab.chain.bridge.driver import Bridge as Bridge
    from gridlab.chain.consensus import Consensus as Consensus
    from gridlab.chain.consortium import ConsortiumChain as ConsortiumChain
    from gridlab.chain.public.chain import PublicChain as PublicChain
    from gridlab.compliance.audit import Audit as Audit
    from gridlab.compliance.verifying import verify as verify
    from gridlab.datasets import dataset as dataset
    from gridlab.datasets import datasets as datasets
    from gridlab.governance.governance import Governance as Governance
    from gridlab.lab import Lab as Lab
    from gridlab.lab_store import open_lab as open  # noqa: A004 - gl.open, as gl.load
    from gridlab.learn import notebook as notebook  # type: ignore[no-redef]  # the module of that name is hidden by it
    from gridlab.market.agreements.contracts import EnergyTradingContract as EnergyTradingContract
    from gridlab.market.charges.retail import bill as bill
    from gridlab.market.clearing import clear as clear
    from gridlab.market.core.result import Clearing as Clearing
    from gridlab.market.market import Market as Market
    from gridlab.market.time_scales.sequence import MarketSequence as MarketSequence
    from gridlab.oracle.feeds import Feeds as Feeds
    from gridlab.oracle.oracle import Oracle as Oracle
    from gridlab.run import Run as Run
    from gridlab.run_file import load as load
    from gridlab.scenarios.catalogue import scenario as scenario
    from gridlab.scenarios.catalogue import scenarios as scenarios
    from gridlab.scenarios.compare import compare as compare
    from gridlab.scenarios.what_if import what_if as what_if
    from gridlab.settings import config as config


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'gridlab' has no attribute {name!r}; it has: {', '.join(__all__)}")
    module, attribute = _FACE[name]
    loaded = import_module(module)
    value = loaded if attribute is None else getattr(loaded, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)


class _Face(ModuleType):
    """The package itself: loading the room ``gridlab.scenarios`` must not hide the function ``gl.scenarios``."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _FACE.get(name, ("", None))[1] is not None:
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
