"""What controls of parts with levers have in common: levers in folds on the left, one figure on the right.

Moving a widget sets the lever; a lever that code sets moves its widget. What is refused is told, and the levers go back
to where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.errors import GridlabError
from gridlab.levers import Levers
from gridlab.ui.html import escape
from gridlab.ui.lever_widgets import lever_widget, read, show, speak
from gridlab.ui.word import Word, speaking

__all__ = ["LeverPanel"]


class LeverPanel(widgets.VBox):
    """Controls with levers. A subclass makes its own widgets, calls `arrange`, and fills the three hooks.

    Parameters
    ----------
    owners : mapping of str to (Word, Levers)
        Name of a fold -> its title and the part whose levers stand in it.
    height : str
        Of the figure.

    Attributes
    ----------
    levers : dict of str to ipywidgets.ValueWidget
        "name.lever" -> its widget.
    reset : ipywidgets.Button
        Takes the levers back to where they stood when the controls were made.
    told, picture : ipywidgets.HTML
        What became of the last act, or why it was refused; the figure.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone.
    """

    def __init__(self, owners: Mapping[str, tuple[Word, Levers]], *, height: str) -> None:
        self._owners, self._quiet = dict(owners), False
        self._known = {
            f"{name}.{path}": lever for name, (_, part) in self._owners.items() for path, _, lever in part.lever_paths()
        }
        self._start = self._values()
        self._good = dict(self._start)
        self.levers = {
            path: lever_widget(lever, self._start[path], continuous=False) for path, lever in self._known.items()
        }
        self.reset = widgets.Button(icon="undo", layout=widgets.Layout(width="auto"))
        self.told = widgets.HTML(layout=widgets.Layout(min_height="44px", width="98%"))
        self.picture = widgets.HTML(layout=widgets.Layout(height=height, overflow="auto", min_width="320px"))
        self.picture.add_class("gridlab-figure")
        self.language = widgets.ToggleButtons(
            options=[("English", "en"), ("ไทย", "th")],
            value=settings.current().language,
            style={"button_width": "80px"},
        )
        self._folds = widgets.Accordion(children=[self._fold(name) for name in self._owners])
        super().__init__([])

    # What a subclass fills

    def _compute(self) -> None:
        """Work out what is shown, or raise GridlabError and leave what was shown."""
        raise NotImplementedError

    def _figure(self) -> str:
        """Return the figure as HTML in the language in force."""
        raise NotImplementedError

    def _name(self) -> None:
        """Name the subclass's own widgets in the language in force."""

    # What it is given

    def arrange(self, left: Sequence[widgets.Widget], right: Sequence[widgets.Widget], *, fold: int | None) -> None:
        """Put all in its place, compute, speak and listen; `fold` is the one that stands open."""
        self._folds.selected_index = fold
        top = widgets.HBox([self.reset, self.language], layout=widgets.Layout(justify_content="space-between"))
        columns = (([top, *left, self.told, self._folds], "400px"), ([*right, self.picture], "480px"))
        boxes = [
            widgets.VBox(list(parts), layout=widgets.Layout(flex=f"1 1 {width}", min_width="320px"))
            for parts, width in columns
        ]
        self.children = [widgets.Box(boxes, layout=widgets.Layout(display="flex", flex_flow="row wrap"))]
        self._compute()
        self._speak()
        self._watchers = list(self._watch())

    def act(self, do: Callable[[], object]) -> None:
        """Do something and show what comes of it, or tell why not; the levers then go back to where they stood.

        Parameters
        ----------
        do : callable
            Returns what is told afterwards; None tells nothing.
        """
        self._show(do, back=True)

    def draw(self) -> None:
        """Redraw the figure."""
        with speaking(self.language.value):
            self.picture.value = self._figure()

    def close(self) -> None:
        """Take the controls away; the levers forget them."""
        for owner, watcher in self.__dict__.pop("_watchers", ()):
            owner.param.unwatch(watcher)
        super().close()

    # What happens

    def _fold(self, name: str) -> widgets.VBox:
        return widgets.VBox([widget for path, widget in self.levers.items() if path.startswith(f"{name}.")])

    def _watch(self) -> Iterator[tuple[Any, Any]]:
        """Listen to widgets and to levers; yield what `close` must undo."""
        for path, widget in self.levers.items():
            widget.observe(partial(self._moved, path), names="value")
        self.reset.on_click(lambda _: self.act(partial(self._set, self._start)))
        self.language.observe(self._speak, names="value")
        for _, part in self._owners.values():
            names = [path for path, _, _ in part.lever_paths()]
            yield part, part.param.watch(self._set_from_code, names)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Move widgets inside a ``with`` block without taking that for an act of the reader's."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    @property
    def quiet(self) -> bool:
        """Whether widgets are being moved by the controls themselves."""
        return self._quiet

    def _moved(self, path: str, _: Any) -> None:
        if not self._quiet:
            value = read(self.levers[path], self._known[path])
            self.act(partial(self._set, {path: value}))

    def _set_from_code(self, *_: Any) -> None:
        """Follow a lever that code moved; what code set is not taken back, even where nothing comes of it."""
        if not self._quiet:
            self._show(lambda: None, back=False)

    def _values(self) -> dict[str, Any]:
        found = {name: part.lever_values() for name, (_, part) in self._owners.items()}
        return {path: found[path.partition(".")[0]][path.partition(".")[2]] for path in self._known}

    def _set(self, values: Mapping[str, Any]) -> None:
        for name, (_, part) in self._owners.items():
            own = {path.partition(".")[2]: value for path, value in values.items() if path.startswith(f"{name}.")}
            if own:
                part.set(own)

    def _show(self, do: Callable[[], object], *, back: bool) -> None:
        with self.silence(), speaking(self.language.value):
            try:
                words = do()
                self._compute()
            except GridlabError as problem:
                if back:
                    self._set(self._good)
                self._tell(f"⚠ {problem}", "alert", "#d55e00")
            else:
                self._good = self._values()
                self._tell("" if words is None else str(words), "status", "inherit")
                self.draw()
            for path, value in self._values().items():
                show(self.levers[path], value)

    def _tell(self, words: str, role: str, colour: str) -> None:
        shown = f'<div role="{role}" style="color:{colour};line-height:1.35">{escape(words)}</div>'
        self.told.value = shown if words else ""

    def _speak(self, _: Any = None) -> None:
        with self.silence(), speaking(self.language.value):
            for path, widget in self.levers.items():
                speak(widget, self._known[path])
            self._folds.titles = tuple(str(title) for title, _ in self._owners.values())
            self.reset.description = str(Word("Levers back to the start", "คืนค่าเริ่มต้น"))
            self.told.value = ""  # what was said last was said in the other language
            self._name()
        self.draw()
