"""Comparing two runs, key figure by key figure."""

from __future__ import annotations

import polars as pl

from gridlab.errors import ArgumentTypeError
from gridlab.run import Run

__all__ = ["compare"]


def compare(a: Run, b: Run) -> pl.DataFrame:
    """Return the key figures of two runs side by side.

    Parameters
    ----------
    a, b : Run

    Returns
    -------
    polars.DataFrame
        ``kpi``, ``a``, ``b``, ``difference`` (b less a), ``unit``.
    """
    for name, run in (("a", a), ("b", b)):
        if not isinstance(run, Run):
            raise ArgumentTypeError(f"compare: {name} is {type(run).__name__}, expected a Run as lab.run() returns")
    left = a.kpis().rename({"value": "a"}).select("kpi", "a", "unit")
    right = b.kpis().rename({"value": "b"}).select("kpi", "b")
    joined = left.join(right, on="kpi", how="inner", maintain_order="left")
    return joined.select("kpi", "a", "b", (pl.col("b") - pl.col("a")).alias("difference"), "unit")
