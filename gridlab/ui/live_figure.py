"""The picture beside the controls: one order book, the day's prices and four key figures, redrawn as levers move.

It is static HTML in a widget of fixed height, so that any front end shows it and the page does not jump.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import polars as pl

from gridlab import settings
from gridlab.day import MarketDay
from gridlab.kpis import key_figures
from gridlab.lab import Lab
from gridlab.ui.book_picture import book_picture
from gridlab.ui.figures import figure_rows
from gridlab.ui.html import escape, tiles
from gridlab.ui.run_pictures import price_picture
from gridlab.ui.views import Frames, book, busiest, day_view, slot_names, zones
from gridlab.ui.words import HEADLINES, ZONES, Word, lookup, speaking

__all__ = ["LiveFigure"]

_HEIGHT = "750px"


class LiveFigure:
    """A day of a lab as a picture, and the two widgets that choose which order book it shows.

    Parameters
    ----------
    lab : Lab
        Its day is computed at once.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is shown.
    slot : ipywidgets.SelectionSlider
    zone : ipywidgets.Dropdown
    picture : ipywidgets.HTML
        Has the class ``gridlab-figure``.
    language : str
        What the figure speaks ("en" or "th"), whatever the session does.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.language = settings.current().language
        self._naming = False
        self.frames: Frames = {}
        self._kpis = pl.DataFrame()
        self.compute()
        names = slot_names(self.frames)
        slot, zone = busiest(self.frames)
        place = list(names.values()).index(slot)
        self.slot = widgets.SelectionSlider(options=list(names), index=place, layout=widgets.Layout(width="62%"))
        self.zone = widgets.Dropdown(layout=widgets.Layout(width="36%"))
        self._name_zones(zone)
        self.picture = widgets.HTML(layout=widgets.Layout(height=_HEIGHT, overflow="auto", min_width="320px"))
        self.picture.add_class("gridlab-figure")
        self.box = widgets.VBox([widgets.HBox([self.slot, self.zone]), self.picture])
        self.speak(self.language)
        self.slot.observe(self._look, names="value")
        self.zone.observe(self._look, names="value")

    def compute(self) -> None:
        """Compute the day again under the lab's levers; what was shown stays until `draw`, and stays on an error."""
        day: MarketDay = self.lab.day()
        frames = day.frames()
        # Clearing time is no part of the four figures shown.
        self._kpis = key_figures(frames, carbon_factor=self.lab.carbon.grid_factor, clearing_seconds=0.0)
        self.frames = frames

    def draw(self) -> None:
        """Redraw the picture."""
        with speaking(self.language):
            self.picture.value = "".join(self._parts())

    def _parts(self) -> list[str]:
        shown = {name: (label, text) for name, label, text in figure_rows(self._kpis)}
        chosen = book(self.frames, self.slot.value, self.zone.value)
        return [
            tiles((shown[name] for name in HEADLINES), least_width=100, size=15),
            self._title(f"{Word('Supply and demand', 'อุปสงค์และอุปทาน')}: {chosen.name}"),
            book_picture(chosen, height=290.0),
            self._title(str(Word("Prices of the day by zone", "ราคาตลอดวันตามเขต"))),
            price_picture(day_view(self.frames), height=210.0),
        ]

    def speak(self, language: str) -> None:
        """Name everything in `language` ("en" or "th"), and redraw."""
        self.language = language
        with speaking(language):
            self.slot.description = str(Word("slot", "ช่วงเวลา"))
            self.zone.description = str(Word("zone", "เขต"))
            self._name_zones(self.zone.value)
        self.draw()

    def _name_zones(self, value: str) -> None:
        # New options make a list jump to its first one, which nobody chose.
        self._naming = True
        self.zone.options = [(lookup(ZONES, name), name) for name in zones(self.frames)]
        self.zone.value = value
        self._naming = False

    def _look(self, _: Any) -> None:
        if not self._naming:
            self.draw()

    @staticmethod
    def _title(words: str) -> str:
        return f'<div style="font-weight:600;margin:10px 0 2px">{escape(words)}</div>'
