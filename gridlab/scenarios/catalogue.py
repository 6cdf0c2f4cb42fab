"""The Thai scenarios by name: how to list them, make a lab of one, and check that it gives what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from gridlab.errors import ArgumentTypeError, ScenarioError, nearest
from gridlab.lab import Lab
from gridlab.scenarios.days import DAYS
from gridlab.scenarios.designs import DESIGNS
from gridlab.scenarios.faults import FAULTS
from gridlab.scenarios.scenario import Scenario

__all__ = ["CATALOGUE", "Scenario", "bounds", "check", "scenario", "scenarios", "sources"]

CATALOGUE: Mapping[str, Scenario] = MappingProxyType({**DAYS, **DESIGNS, **FAULTS})


def scenarios() -> pl.DataFrame:
    """Return the scenarios, one row each.

    Returns
    -------
    polars.DataFrame
        ``name``, ``title``, ``title_th``, ``teaches``, ``teaches_th``, ``start``, ``prosumers`` (how many where nobody
        says otherwise), ``sources`` (one figure after the other, each with where it comes from and its mark:
        V verified, V2 secondary, D derived, G unverified, S made up for teaching).
    """
    columns = ("title", "title_th", "teaches", "teaches_th", "start", "prosumers")
    return pl.DataFrame(
        {
            "name": list(CATALOGUE),
            **{column: [getattr(entry, column) for entry in CATALOGUE.values()] for column in columns},
            "sources": ["; ".join(map(str, entry.sources)) for entry in CATALOGUE.values()],
        }
    )


def sources(name: str) -> pl.DataFrame:
    """Return where the figures of a scenario come from: ``figure``, ``origin``, ``mark``.

    Raises
    ------
    ArgumentTypeError, ScenarioError
        No scenario has this name.
    """
    rows = [(each.figure, each.origin, each.mark) for each in _entry(name).sources]
    return pl.DataFrame(rows, schema=["figure", "origin", "mark"], orient="row")


def bounds(name: str) -> pl.DataFrame:
    """Return within which bounds key figures of a scenario lie: ``kpi``, ``low``, ``high``.

    Raises
    ------
    ArgumentTypeError, ScenarioError
        No scenario has this name.
    """
    rows = [(each.kpi, float(each.low), float(each.high)) for each in _entry(name).bounds]
    return pl.DataFrame(rows, schema={"kpi": pl.String, "low": pl.Float64, "high": pl.Float64}, orient="row")


def check(name: str, lab: Lab | None = None) -> pl.DataFrame:
    """Measure a scenario and return which key figures are within its bounds.

    Parameters
    ----------
    name : str
    lab : Lab, optional
        The lab to measure in place of ``gl.scenario(name)``, such as one with a lever moved.

    Returns
    -------
    polars.DataFrame
        ``kpi``, ``value``, ``unit``, ``low``, ``high``, ``within``; one row per bound, in their order.

    Raises
    ------
    ArgumentTypeError
        `name` is not text, or `lab` is no lab.
    ScenarioError
        No scenario has this name.
    """
    entry = _entry(name)
    if lab is not None and not isinstance(lab, Lab):
        raise ArgumentTypeError(f"lab: expected a Lab, got {type(lab).__name__}; gl.scenario({name!r}) makes one")
    figures = entry.measure(entry.lab() if lab is None else lab)
    return (
        bounds(name)
        .join(figures, on="kpi", how="left", maintain_order="left")
        .with_columns(within=pl.col("value").is_between("low", "high").fill_null(value=False))
        .select("kpi", "value", "unit", "low", "high", "within")
    )


def scenario(name: str, *, seed: int = 0, prosumers: int | None = None, **levers: object) -> Lab:
    """Return the lab of a scenario.

    Parameters
    ----------
    name : str
        As `scenarios` lists them.
    seed : int
    prosumers : int, optional
        How many accounts; the scenario's own number where absent.
    **levers : object
        Lever path -> value on top of the scenario's own; write the dots of a path as two underscores
        (``market__wheeling__postage_stamp=0.8``) or pass a dict with ``**{"market.wheeling.postage_stamp": 0.8}``.

    Returns
    -------
    Lab
        ``"watt_run"`` gives a `gridlab.scenarios.watt_lab.WattLab`, with ``lab.watt`` and ``lab.run_on_watt()``;
        ``"t77_rooftop"`` a `gridlab.scenarios.neighbourhood.NeighbourhoodLab`, whose people are its own.

    Raises
    ------
    ArgumentTypeError
        `name` is not text.
    ScenarioError
        No scenario has this name.
    LeverError
        A lever does not exist or its value is not allowed.
    """
    lab = _entry(name).lab(seed=seed, prosumers=prosumers)
    return lab.set({path.replace("__", "."): value for path, value in levers.items()})


def _entry(name: object) -> Scenario:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name: expected text, got {name!r}; gl.scenarios() lists the names")
    if name not in CATALOGUE:
        raise ScenarioError(f"no scenario {name!r}; {nearest(name, CATALOGUE)}; gl.scenarios() lists them all")
    return CATALOGUE[name]
