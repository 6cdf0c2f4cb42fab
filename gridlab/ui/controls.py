"""Live controls of a lab: every lever as a widget, beside a figure that follows.

Moving a widget calls ``lab.set``; ``lab.set`` from code moves the widget. What the lab refuses is told in a line of its
own, and the widget goes back to where the lab stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.errors import ArgumentTypeError, GridlabError
from gridlab.lab import Lab
from gridlab.ui.html import escape
from gridlab.ui.lever_widgets import lever_widget, read, show, speak
from gridlab.ui.lever_words import part_of, part_words
from gridlab.ui.live_figure import LiveFigure
from gridlab.ui.words import Word, speaking

__all__ = ["CONTINUOUS_UP_TO", "Controls", "controls"]

# A slider reports while it is dragged only where the figure keeps up, which notebooks need within 50 ms. A redraw takes
# about that for 200 prosumers (`python -m benchmarks.controls` measures it here), and grows with them.
CONTINUOUS_UP_TO = 250


class Controls(widgets.VBox):
    """The controls of one lab.

    Parameters
    ----------
    lab : Lab

    Attributes
    ----------
    levers : dict of str to ipywidgets.ValueWidget
        Lever path -> its widget.
    figure : LiveFigure
    error : ipywidgets.HTML
        The last refusal, empty where there is none.
    reset : ipywidgets.Button
        Takes the lab back to the values it had when the controls were made.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone; `gridlab.config` speaks for the session.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._known = {path: lever for path, _, lever in lab.lever_paths()}
        self._start = lab.lever_values()
        self._good = dict(self._start)
        self._quiet = False
        self.figure = LiveFigure(lab)
        continuous = lab.agents.prosumers <= CONTINUOUS_UP_TO
        self.levers = {
            path: lever_widget(lever, self._start[path], continuous=continuous) for path, lever in self._known.items()
        }
        self.error = widgets.HTML(layout=widgets.Layout(height="64px", width="98%", overflow="auto"))
        self.reset = widgets.Button(icon="undo", layout=widgets.Layout(width="auto"))
        self.language = widgets.ToggleButtons(
            options=[("English", "en"), ("ไทย", "th")],
            value=settings.current().language,
            style={"button_width": "80px"},
        )
        self._parts = list(dict.fromkeys(part_of(path) for path in self._known))
        self._folds = widgets.Accordion(
            children=[self._part(part) for part in self._parts], selected_index=self._first()
        )
        super().__init__([self._columns()])
        self._speak()
        self._watchers = list(self._watch())

    def _first(self) -> int | None:
        """Return the part that stands open: wheeling, the lever of the policy question, or the first."""
        return self._parts.index("market.wheeling") if "market.wheeling" in self._parts else 0

    def _part(self, part: str) -> widgets.VBox:
        return widgets.VBox([widget for path, widget in self.levers.items() if part_of(path) == part])

    def _columns(self) -> widgets.Box:
        top = widgets.HBox([self.reset, self.language], layout=widgets.Layout(justify_content="space-between"))
        left = widgets.VBox([top, self.error, self._folds], layout=widgets.Layout(flex="1 1 420px", min_width="320px"))
        self.figure.box.layout = widgets.Layout(flex="1 1 460px", min_width="320px")
        return widgets.Box([left, self.figure.box], layout=widgets.Layout(display="flex", flex_flow="row wrap"))

    def _watch(self) -> Iterator[tuple[Any, Any]]:
        """Listen to widgets and to levers; yield what `close` must undo."""
        for path, widget in self.levers.items():
            widget.observe(partial(self._moved, path), names="value")
        self.reset.on_click(self._back)
        self.language.observe(self._speak, names="value")
        for owner, members in groupby(self.lab.lever_paths(), key=lambda entry: entry[1]):
            names = [str(lever.name) for _, _, lever in members]
            yield owner, owner.param.watch(self._set_from_code, names)

    @contextmanager
    def _silence(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _moved(self, path: str, _: Any) -> None:
        """Hand a moved widget's value to the lab."""
        if self._quiet:
            return
        self._try({path: read(self.levers[path], self._known[path])})

    def _back(self, _: Any = None) -> None:
        self._try(self._start)

    def _set_from_code(self, *_: Any) -> None:
        """Follow a lever that code moved; what code set is not taken back, even where no day comes of it."""
        if self._quiet:
            return
        try:
            self.figure.compute()
        except GridlabError as problem:
            self.error.value = self._refusal(problem)
            self._stand(self.lab.lever_values())
        else:
            self._accept()

    def _try(self, values: dict[str, Any]) -> None:
        """Set `values` and show the day they make; on a refusal go back to the last values that made a day."""
        with self._silence():
            try:
                self.lab.set(values)
                self.figure.compute()
            except GridlabError as problem:
                self.lab.set(self._good)
                self.error.value = self._refusal(problem)
                self._stand(self._good)
            else:
                self._accept()

    def _accept(self) -> None:
        self._good = self.lab.lever_values()
        self.error.value = ""
        self._stand(self._good)
        self.figure.draw()

    def _stand(self, values: dict[str, Any]) -> None:
        """Stand every widget at its value, without taking that for a move."""
        with self._silence():
            for path, value in values.items():
                show(self.levers[path], value)

    @staticmethod
    def _refusal(problem: GridlabError) -> str:
        return f'<div role="alert" style="color:#d55e00;line-height:1.35"><b>⚠</b> {escape(problem)}</div>'

    def _speak(self, _: Any = None) -> None:
        with self._silence(), speaking(self.language.value):
            for path, widget in self.levers.items():
                speak(widget, self._known[path])
            self._folds.titles = tuple(part_words(part) for part in self._parts)
            self.reset.description = str(Word("Back to the start values", "กลับสู่ค่าเริ่มต้น"))
            self.reset.tooltip = str(
                Word(
                    "Sets every lever to the value it had when these controls were made.",
                    "ตั้งทุกค่ากลับเป็นค่าที่มีเมื่อสร้างแผงควบคุมนี้",
                )
            )
        self.figure.speak(self.language.value)

    def close(self) -> None:
        """Take the controls away; the lab forgets them."""
        for owner, watcher in self.__dict__.pop("_watchers", ()):
            owner.param.unwatch(watcher)
        super().close()


def controls(lab: Lab) -> Controls:
    """Return live controls for a lab.

    Parameters
    ----------
    lab : Lab

    Returns
    -------
    Controls
        An ipywidgets widget: show it as the last line of a cell.

    Raises
    ------
    ArgumentTypeError
        `lab` is not a lab.
    """
    if not isinstance(lab, Lab):
        raise ArgumentTypeError(f"controls: expected a Lab, got {type(lab).__name__}; gl.Lab.thailand() makes one")
    return Controls(lab)
