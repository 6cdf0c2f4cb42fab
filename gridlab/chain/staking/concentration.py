"""How evenly stake is spread.

References
----------
Srinivasan and Lee, "Quantifying decentralization", 2017 (the Nakamoto coefficient).
Gini, "Variabilità e mutabilità", 1912.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentError

__all__ = ["gini_coefficient", "nakamoto_coefficient", "stake_distribution"]


def nakamoto_coefficient(stakes: Iterable[int], *, numerator: int = 1, denominator: int = 3) -> int:
    """Return the least number of holders that have more than ``numerator / denominator`` of all stake together.

    Parameters
    ----------
    stakes : iterable of int
        One per holder, 0 or more.
    numerator, denominator : int
        The share that does harm: more than 1/3 stops finality.

    Returns
    -------
    int
        0 where nothing is staked.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A stake is not a whole number or negative, or the share is not within 0 … 1 (1 not included).

    Examples
    --------
    >>> nakamoto_coefficient([40, 30, 20, 10]), nakamoto_coefficient([25, 25, 25, 25])
    (1, 2)
    """
    require_int("denominator", denominator, 1)
    if require_int("numerator", numerator, 0) >= denominator:
        raise ArgumentError(f"the share is {numerator}/{denominator}, allowed: below 1, since nobody has more than all")
    sizes = _sorted(stakes)
    total = sum(sizes)
    sums = enumerate(accumulate(reversed(sizes)), start=1)
    return next((count for count, held in sums if held * denominator > total * numerator), 0)


def gini_coefficient(stakes: Iterable[int]) -> float:
    """Return 0 where all hold the same, near 1 where one holds everything.

    ``sum((2 i - n - 1) x_i) / (n sum(x_i))`` over the stakes in ascending order, i = 1 … n.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A stake is not a whole number or negative.

    Examples
    --------
    >>> gini_coefficient([5, 5, 5, 5]), gini_coefficient([0, 0, 0, 8])
    (0.0, 0.75)
    """
    sizes = _sorted(stakes)
    count, total = len(sizes), sum(sizes)
    if not total:
        return 0.0
    return sum((2 * place - count - 1) * size for place, size in enumerate(sizes, start=1)) / (count * total)


def _sorted(stakes: Iterable[int]) -> list[int]:
    return sorted(require_int(f"stakes[{place}]", stake, 0) for place, stake in enumerate(stakes))


def stake_distribution(validators: pl.DataFrame) -> pl.DataFrame:
    """Return validators by stake, with the share that each holds and the share held up to it.

    Parameters
    ----------
    validators : polars.DataFrame
        With columns ``validator`` and ``total``, as `Staking.validators_of` gives it.

    Returns
    -------
    polars.DataFrame
        ``rank`` (1 is the largest), ``validator``, ``total`` (micro-GRID), ``share`` and ``cumulative_share`` (0 … 1).
    """
    ranked = validators.sort("total", "validator", descending=[True, False])
    return ranked.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("rank"),
        "validator",
        "total",
        (pl.col("total") / pl.col("total").sum()).alias("share"),
        (pl.col("total").cum_sum() / pl.col("total").sum()).alias("cumulative_share"),
    )
