"""What if: every combination of lever values, over several seeds, as one long frame of key figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.lab import Lab

__all__ = ["what_if"]

_Case = tuple[Lab, dict[str, object], int, int | None]


def _figures(case: _Case) -> pl.DataFrame:
    lab, levers, seed, slots = case
    kpis = lab.with_seed(seed).set(levers).preview(slots=slots)
    return kpis.select(
        *[pl.lit(value).alias(path) for path, value in levers.items()],
        pl.lit(seed, dtype=pl.Int64).alias("seed"),
        "kpi",
        "value",
        "unit",
    )


def _spread(executor: Any, cases: list[_Case]) -> list[pl.DataFrame]:
    if executor is None:
        return [_figures(case) for case in cases]
    if hasattr(executor, "gather"):  # a dask.distributed.Client maps to futures and gathers them
        return list(executor.gather(executor.map(_figures, cases, pure=False)))
    if not hasattr(executor, "map"):
        raise ArgumentTypeError(f"executor: expected a concurrent.futures.Executor or a Dask client, got {executor!r}")
    return list(executor.map(_figures, cases))


def what_if(
    lab: Lab,
    levers: Mapping[str, Sequence[object]],
    *,
    runs: int = 1,
    slots: int | None = None,
    executor: Any = None,
) -> pl.DataFrame:
    """Return the key figures for every combination of lever values.

    The market is computed whole, without signing and sealing it on the chain, which no key figure depends on. `lab`
    itself is not changed.

    Parameters
    ----------
    lab : Lab
    levers : mapping of str to sequence
        Lever path -> values to try.
    runs : int
        Seeds per combination: the lab's own and those that follow it.
    slots : int, optional
        How many 15-minute slots; a day where absent.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional

    Returns
    -------
    polars.DataFrame
        One column per lever path, then ``seed``, ``kpi``, ``value``, ``unit``; one row per combination, seed and kpi.

    Raises
    ------
    LeverError
        A path or a value is not allowed; found before anything is computed.
    """
    if not isinstance(lab, Lab):
        raise ArgumentTypeError(f"lab: expected a Lab, got {type(lab).__name__}; gl.Lab.thailand() makes one")
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
        raise ArgumentError(f"runs: {runs!r} is not allowed; allowed: an integer of at least 1")
    for path, values in levers.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise ArgumentTypeError(f"{path}: expected a sequence of values to try, got {values!r}; write [{values!r}]")
    combinations = [dict(zip(levers, values, strict=True)) for values in product(*levers.values())]
    for combination in combinations:
        lab.with_seed(lab.seed).set(combination)
    cases = [(lab, combination, lab.seed + i, slots) for combination in combinations for i in range(runs)]
    return pl.concat(_spread(executor, cases), how="vertical_relaxed")
