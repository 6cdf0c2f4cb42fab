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
    "controls": "gridlab.ui.controls:controls",
    "extension": "gridlab.ui.extension:load",
    "lab_html": "gridlab.ui.summary:lab_html",
    "plot": "gridlab.ui.plots:Plots",
    "report": "gridlab.ui.report:write",
    "run_html": "gridlab.ui.summary:run_html",
}


def through(door: str, *args: Any, **options: Any) -> Any:
    """Call the function behind `door` (a key of `DOORS`) with the given arguments and return what it returns."""
    module, name = DOORS[door].split(":")
    return getattr(import_module(module), name)(*args, **options)
