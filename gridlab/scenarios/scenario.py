"""What a scenario is: a day, levers, what it teaches, where its figures come from, and what must come out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.errors import ArgumentError
from gridlab.lab import DEFAULT_START, Lab
from gridlab.scenarios.measures import market_figures

__all__ = ["MARKS", "Bound", "Scenario", "Source"]

# As in the tables of `gl.datasets()`.
MARKS: Mapping[str, str] = {
    "V": "verified",
    "V2": "secondary source",
    "D": "derived from sourced figures",
    "G": "general knowledge, unverified",
    "S": "made up for teaching",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where one figure, or one group of figures, of a scenario comes from.

    Attributes
    ----------
    figure : str
        The figure, with its unit.
    origin : str
        Who published it and when, or which choice was made.
    mark : str
        One of `MARKS`.

    Raises
    ------
    ArgumentError
        There is no such mark.
    """

    figure: str
    origin: str
    mark: str

    def __post_init__(self) -> None:
        """Refuse a mark that says nothing."""
        if self.mark not in MARKS:
            raise ArgumentError(f"mark: {self.mark!r} is not allowed; allowed: {list(MARKS)}")

    def __str__(self) -> str:
        return f"{self.figure}: {self.origin} ({self.mark})"


@dataclass(frozen=True, slots=True)
class Bound:
    """A key figure of a scenario and the range in which it lies, bounds included.

    Raises
    ------
    ArgumentError
        `low` is not below `high`: such a range would hold nothing, or fail by the last digit.
    """

    kpi: str
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range without room."""
        if not self.low < self.high:
            raise ArgumentError(f"{self.kpi}: {self.low} to {self.high} is not allowed; allowed: low below high")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named starting point.

    Attributes
    ----------
    title, title_th, teaches, teaches_th : str
    sources : tuple of Source
        Marked S is what was made up for teaching.
    bounds : tuple of Bound
        Held for any seed tried, at `prosumers` and without further levers.
    start : str
        First day, midnight Bangkok time.
    levers : Mapping[str, object]
        Lever path -> value, on top of the Thai defaults.
    prosumers : int
        How many accounts where nobody says otherwise.
    kind : type
        `gridlab.lab.Lab`, or a lab with something beside it.
    prepare : callable, optional
        Does to a fresh lab what levers cannot: orders weather, writes proposals into the agenda. Levers are set later.
    measure : callable
        Lab -> frame ``kpi``, ``value``, ``unit``, the figures that the bounds are about.
    """

    title: str
    title_th: str
    teaches: str
    teaches_th: str
    sources: tuple[Source, ...]
    bounds: tuple[Bound, ...]
    start: str = DEFAULT_START
    levers: Mapping[str, object] = field(default_factory=dict)
    prosumers: int = 200
    kind: type[Lab] = Lab
    prepare: Callable[[Lab], None] | None = None
    measure: Callable[[Lab], pl.DataFrame] = market_figures

    def lab(self, *, seed: int = 0, prosumers: int | None = None) -> Lab:
        """Return a fresh lab of this scenario."""
        lab = self.kind.thailand(
            prosumers=self.prosumers if prosumers is None else prosumers,
            seed=seed,
            start=self.start,
            title=self.title,
            title_th=self.title_th,
        )
        if self.prepare is not None:
            self.prepare(lab)
        return lab.set(self.levers)
