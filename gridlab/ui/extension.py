"""Loading what a notebook needs to show HoloViews pictures, without a network."""

from __future__ import annotations

import holoviews as hv
from bokeh.models import ImportedStyleSheet, Model
from bokeh.models.ui import UIElement
from panel.pane import HoloViews

__all__ = ["load"]


def load() -> None:
    """Load HoloViews' Bokeh backend into this notebook, its scripts taken from this computer.

    Where Bokeh's library is not inlined, and in the frame that Panel puts around every picture, a page asks for files
    over the network; a class room may have none.
    """
    hv.extension("bokeh", logo=False, inline=True)
    if _stay_here not in HoloViews._preprocessing_hooks:
        HoloViews._preprocessing_hooks = [*HoloViews._preprocessing_hooks, _stay_here]


def _stay_here(_: HoloViews, root: Model) -> None:
    """Drop the style sheets that Panel's frame would fetch; they style widgets, of which a picture has none."""
    for element in root.select({"type": UIElement}):
        element.stylesheets = [sheet for sheet in element.stylesheets if not isinstance(sheet, ImportedStyleSheet)]
