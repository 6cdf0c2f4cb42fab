"""What if: every combination of lever values, over several seeds, as one long frame of key figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.lab import Lab

__all__ = ["what_if"]


def _values(path: str, values: object) -> list[object]:
    """Return the values to try as a list of Python objects."""
    if isinstance(values, (np.ndarray, pl.Series)):
        values = values.tolist() if isinstance(values, np.ndarray) else values.to_list()
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ArgumentTypeError(f"{path}: expected a sequence of values to try, got {values!r}; write [{values!r}]")
    return list(values)


_CHAIN_PARTS = ("consensus", "public", "bridge")
_Case = tuple[Lab, dict[str, object], int, int | None]


def _figures(case: _Case) -> pl.DataFrame:
    lab, levers, seed, slots = case
    changed = lab.with_seed(seed).set(levers)
    # The market's figures do not hang on who seals its blocks, so the chain is run only where it is asked about.
    on_chain = bool(lab.governance.agenda) or any(path.partition(".")[0] in _CHAIN_PARTS for path in levers)
    kpis = changed.run(slots=slots, progress=False).kpis() if on_chain else changed.preview(slots=slots)
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
    if _forks(executor):
        # A forked child inherits the locks of polars' threads and waits on them for ever (polars' own advice: spawn).
        workers = executor._max_workers  # noqa: SLF001 - no public name tells the size of a pool
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            return list(pool.map(_figures, cases))
    return list(executor.map(_figures, cases))


def _forks(executor: Any) -> bool:
    """Whether the executor is a process pool whose workers would be forked from this process."""
    context = getattr(executor, "_mp_context", None)
    return isinstance(executor, ProcessPoolExecutor) and context is not None and context.get_start_method() == "fork"


def what_if(
    lab: Lab,
    levers: Mapping[str, Sequence[object]],
    *,
    runs: int = 1,
    slots: int | None = None,
    executor: Any = None,
) -> pl.DataFrame:
    """Return the key figures for every combination of lever values.

    The market is computed whole, without signing and sealing it, since its key figures do not hang on the chains. Where
    a lever of a chain is asked for, or votes move levers within the run, the chains are run. `lab` is not changed.

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
        A process pool that forks is replaced by one of the same size that spawns, since polars does not survive a fork;
        a script then needs its ``if __name__ == "__main__":``.

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
    if not isinstance(levers, Mapping):
        raise ArgumentTypeError(
            f"levers: expected a mapping of lever path to values, got {levers!r}; "
            'write for example {"market.wheeling.postage_stamp": [0.5, 1.07]}'
        )
    tried = [_values(path, values) for path, values in levers.items()]
    combinations = [dict(zip(levers, values, strict=True)) for values in product(*tried)]
    for combination in combinations:
        lab.with_seed(lab.seed).set(combination)
    cases = [(lab, combination, lab.seed + i, slots) for combination in combinations for i in range(runs)]
    return pl.concat(_spread(executor, cases), how="vertical_relaxed")
