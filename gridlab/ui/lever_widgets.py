"""One widget for each lever, made from its declaration: a slider, a drop-down list or a check box."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets

from gridlab.errors import ArgumentTypeError
from gridlab.levers import ChoiceLever, NumberLever, SwitchLever
from gridlab.ui.figures import unit
from gridlab.ui.lever_words import info_words
from gridlab.ui.words import CHOICES, Word, lookup
from gridlab.units import exact

__all__ = ["lever_widget", "read", "show", "speak"]

_NAME_WIDTH = "230px"


def _decimals(lever: NumberLever) -> int:
    """Return how many digits after the point a whole step has."""
    step = exact(lever.step)
    return next((digits for digits in range(10) if (step * 10**digits).denominator == 1), 10)


def lever_widget(lever: Any, value: object, *, continuous: bool) -> widgets.ValueWidget:
    """Return the widget of a lever, standing at `value`.

    Parameters
    ----------
    lever : NumberLever, ChoiceLever or SwitchLever
    value : object
    continuous : bool
        Whether a slider reports while it is dragged, or when it is let go.
    """
    common = {"layout": widgets.Layout(width="98%"), "style": {"description_width": _NAME_WIDTH}}
    if isinstance(lever, NumberLever):
        low, high = lever.bounds
        made = widgets.FloatSlider(
            value=value,
            min=low,
            max=high,
            step=lever.step,
            readout_format=f".{_decimals(lever)}f",
            continuous_update=continuous,
            **common,
        )
    elif isinstance(lever, ChoiceLever):
        made = widgets.Dropdown(options=list(lever.objects), value=value, **common)
    elif isinstance(lever, SwitchLever):
        made = widgets.Checkbox(value=value, indent=False, **common)
    else:
        raise ArgumentTypeError(f"no widget is known for a lever of type {type(lever).__name__}")
    speak(made, lever)
    return made


def speak(widget: Any, lever: Any) -> None:
    """Name a lever's widget in the language in force; its tooltip tells the source and who governs it.

    A list of choices passes through its first one on the way, so whoever listens to its value must not do so now.
    """
    info = lever.info
    named = f" ({unit(info.unit)})" if info.unit else ""
    widget.description = info_words(info) + named
    widget.tooltip = (
        f"{info_words(info)}{named}\n{Word('source', 'ที่มา')}: {info.source}\n"
        f"{Word('governed by', 'ผู้กำหนด')}: {info.governed_by}"
    )
    if isinstance(lever, ChoiceLever):
        value = widget.value
        widget.options = [(lookup(CHOICES, name), name) for name in lever.objects]
        widget.value = value


def read(widget: Any, lever: Any) -> Any:
    """Return a widget's value on the lever's own steps: a browser counts in binary fractions, 0.30000000000000004."""
    value = widget.value
    if isinstance(lever, NumberLever) and math.isfinite(value):
        low = exact(lever.bounds[0])
        steps = round((exact(value) - low) / exact(lever.step))
        return float(round(float(low + steps * exact(lever.step)), _decimals(lever)))
    return value


def show(widget: Any, value: object) -> None:
    """Stand a widget at `value`."""
    if widget.value != value:
        widget.value = value
