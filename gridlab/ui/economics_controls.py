"""Live controls of the GRID economy: levers beside the bands of supply, staked share and treasury, which follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.chain.arguments import require_int
from gridlab.chain.staking import StakingTerms
from gridlab.errors import ArgumentTypeError, GridlabError
from gridlab.governance.economics import EconomicsRun, GridEconomics, simulate
from gridlab.levers import Levers
from gridlab.ui.band_picture import band_picture
from gridlab.ui.economics_summary import figures_table
from gridlab.ui.governance_words import ECONOMY
from gridlab.ui.html import escape
from gridlab.ui.lever_widgets import lever_widget, read, show, speak
from gridlab.ui.words import Word, lookup, speaking

__all__ = ["EconomicsControls", "economics_controls"]

_HEIGHT = "860px"
_MOST_PATHS = 2_000

_PARTS = {
    "economy": Word("People and treasury", "ผู้ถือ GRID และคลัง"),
    "staking": Word("Inflation and staking", "เงินเฟ้อและการวางค้ำประกัน"),
}
# Those of staking that the totals of the economy depend on.
_OF_STAKING = ("ideal_stake", "minimum_inflation", "maximum_inflation", "falloff", "treasury_share", "reporter_share")


class EconomicsControls(widgets.VBox):
    """The controls of one set of levers of the economy. What is moved is set on the levers themselves.

    Parameters
    ----------
    terms : GridEconomics
    staking : StakingTerms
    years : float
    paths : int
        How many paths each redraw simulates.
    seed : int

    Attributes
    ----------
    levers : dict of str to ipywidgets.ValueWidget
        "economy.burn", "staking.treasury_share", … -> its widget.
    figures : ipywidgets.SelectMultiple
        Whose bands are drawn.
    reset : ipywidgets.Button
        Takes the levers back to where they stood when the controls were made.
    told, picture : ipywidgets.HTML
        The last refusal, empty where there is none; the bands and the figures at the end.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone.
    run : EconomicsRun
        What is shown.
    """

    def __init__(self, terms: GridEconomics, staking: StakingTerms, *, years: float, paths: int, seed: int) -> None:
        self.terms, self.staking = terms, staking
        self._size = {"years": years, "paths": paths, "seed": seed}
        self.run = self._simulate()
        self._quiet = False
        self._owners: dict[str, Levers] = {"economy": terms, "staking": staking}
        self._known = {
            f"{part}.{path}": lever
            for part, owner in self._owners.items()
            for path, _, lever in owner.lever_paths()
            if part == "economy" or path in _OF_STAKING
        }
        self._start = self._values()
        self._good = dict(self._start)
        self.levers = {
            path: lever_widget(lever, self._start[path], continuous=False) for path, lever in self._known.items()
        }
        self.figures = widgets.SelectMultiple(rows=6, layout=widgets.Layout(width="98%"))
        self.reset = widgets.Button(icon="undo", layout=widgets.Layout(width="auto"))
        self.told = widgets.HTML(layout=widgets.Layout(min_height="40px", width="98%"))
        self.picture = widgets.HTML(layout=widgets.Layout(height=_HEIGHT, overflow="auto", min_width="320px"))
        self.picture.add_class("gridlab-figure")
        self.language = widgets.ToggleButtons(
            options=[("English", "en"), ("ไทย", "th")],
            value=settings.current().language,
            style={"button_width": "80px"},
        )
        self._folds = widgets.Accordion(children=[self._part(part) for part in _PARTS], selected_index=0)
        super().__init__([self._columns()])
        self._name_figures(("issuance", "staked_share", "treasury"))
        self._speak()
        self._watchers = list(self._watch())

    def _part(self, part: str) -> widgets.VBox:
        return widgets.VBox([widget for path, widget in self.levers.items() if path.startswith(f"{part}.")])

    def _columns(self) -> widgets.Box:
        top = widgets.HBox([self.reset, self.language], layout=widgets.Layout(justify_content="space-between"))
        parts = [top, self.told, self._folds]
        left = widgets.VBox(parts, layout=widgets.Layout(flex="1 1 420px", min_width="320px"))
        right = widgets.VBox([self.figures, self.picture], layout=widgets.Layout(flex="1 1 460px", min_width="320px"))
        return widgets.Box([left, right], layout=widgets.Layout(display="flex", flex_flow="row wrap"))

    # What is listened to

    def _watch(self) -> Iterator[tuple[Any, Any]]:
        """Listen to widgets and to levers; yield what `close` must undo."""
        for path, widget in self.levers.items():
            widget.observe(partial(self._moved, path), names="value")
        self.reset.on_click(lambda _: self._try(self._start))
        self.figures.observe(self._look, names="value")
        self.language.observe(self._speak, names="value")
        for part, members in groupby(self._known, key=lambda path: path.partition(".")[0]):
            owner = self._owners[part]
            yield owner, owner.param.watch(self._set_from_code, [path.partition(".")[2] for path in members])

    @contextmanager
    def _silence(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _moved(self, path: str, _: Any) -> None:
        if not self._quiet:
            self._try({path: read(self.levers[path], self._known[path])})

    def _look(self, _: Any = None) -> None:
        if not self._quiet:
            self.draw()

    def _set_from_code(self, *_: Any) -> None:
        """Follow a lever that code moved; what code set is not taken back, even where no economy comes of it."""
        if not self._quiet:
            self._show_or_tell(lambda: None, back=False)

    # What happens

    def _values(self) -> dict[str, Any]:
        found = {part: owner.lever_values() for part, owner in self._owners.items()}
        return {path: found[path.partition(".")[0]][path.partition(".")[2]] for path in self._known}

    def _set(self, values: dict[str, Any]) -> None:
        for part, owner in self._owners.items():
            own = {path.partition(".")[2]: value for path, value in values.items() if path.startswith(f"{part}.")}
            if own:
                owner.set(own)

    def _simulate(self) -> EconomicsRun:
        return simulate(terms=self.terms, staking=self.staking, **self._size)  # type: ignore[arg-type]

    def _try(self, values: dict[str, Any]) -> None:
        self._show_or_tell(lambda: self._set(values), back=True)

    def _show_or_tell(self, act: Callable[[], None], *, back: bool) -> None:
        """Do something to the levers and show what comes of it, or say why not; then go back if so asked."""
        with self._silence(), speaking(self.language.value):
            try:
                act()
                self.run = self._simulate()
            except GridlabError as problem:
                if back:
                    self._set(self._good)
                self.told.value = f'<div role="alert" style="color:#d55e00;line-height:1.35">⚠ {escape(problem)}</div>'
            else:
                self._good, self.told.value = self._values(), ""
                self.draw()
            for path, value in self._values().items():
                show(self.levers[path], value)

    def draw(self) -> None:
        """Redraw the bands."""
        with speaking(self.language.value):
            bands = self.run.bands()
            shown = [band_picture(bands, figure) for figure in self.figures.value]
            self.picture.value = "".join([*shown, figures_table(self.run)])

    def _name_figures(self, chosen: tuple[str, ...]) -> None:
        with self._silence(), speaking(self.language.value):
            self.figures.options = [(lookup(ECONOMY, name), name) for name in ECONOMY]
            self.figures.value = chosen

    def _speak(self, _: Any = None) -> None:
        self._name_figures(self.figures.value)
        with self._silence(), speaking(self.language.value):
            for path, widget in self.levers.items():
                speak(widget, self._known[path])
            self._folds.titles = tuple(map(str, _PARTS.values()))
            self.reset.description = str(Word("Back to the start values", "กลับสู่ค่าเริ่มต้น"))
            self.figures.description = str(Word("shown:", "ที่แสดง:"))
        self.draw()

    def close(self) -> None:
        """Take the controls away; the levers forget them."""
        for owner, watcher in self.__dict__.pop("_watchers", ()):
            owner.param.unwatch(watcher)
        super().close()


def economics_controls(
    terms: GridEconomics, *, staking: StakingTerms | None = None, years: float = 10, paths: int = 100, seed: int = 0
) -> EconomicsControls:
    """Return live controls for the levers of the economy.

    Parameters
    ----------
    terms : GridEconomics
    staking : StakingTerms, optional
        Moved by these controls, too; a fresh one unless given.
    years : float
    paths : int
        How many paths each redraw simulates, 1 … 2,000.
    seed : int

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    """
    if not isinstance(terms, GridEconomics):
        raise ArgumentTypeError(f"controls: expected GridEconomics, got {type(terms).__name__}")
    moved = StakingTerms() if staking is None else staking
    if not isinstance(moved, StakingTerms):
        raise ArgumentTypeError(f"staking is a {type(moved).__name__}, allowed: StakingTerms(…)")
    require_int("paths", paths, 1, _MOST_PATHS)
    return EconomicsControls(terms, moved, years=years, paths=paths, seed=seed)
