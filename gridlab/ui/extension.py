"""Loading what a notebook needs to show HoloViews pictures, without a network."""

from __future__ import annotations

from typing import Any

import holoviews as hv
from bokeh.models import ImportedStyleSheet
from bokeh.models.ui import UIElement
from bokeh.models.widgets import Widget
from panel.viewable import Viewable

__all__ = ["load"]


def load() -> None:
    """Load HoloViews' Bokeh backend into this notebook so that no picture asks for a file over the network.

    Bokeh's library goes into the page from this computer; the frame that Panel puts around a picture loses the style
    sheets that it would fetch.
    """
    hv.extension("bokeh", logo=False, inline=True)
    hooks = Viewable._preprocessing_hooks  # noqa: SLF001 - where Panel's own parts add theirs; no public way exists
    if _keep_local not in hooks:
        hooks.append(_keep_local)


def _keep_local(_: Viewable, root: Any) -> None:
    """Drop the style sheets that come from elsewhere, unless there are widgets, which they style."""
    if list(root.select({"type": Widget})):
        return
    for element in root.select({"type": UIElement}):
        element.stylesheets = [sheet for sheet in element.stylesheets if not isinstance(sheet, ImportedStyleSheet)]
