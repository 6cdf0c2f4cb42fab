r"""Who votes, who wins, who weighs: voting patterns, success rates, and how power is spread.

The Wilson score interval for :math:`k` successes in :math:`n` trials, :math:`p = k/n`:

.. math:: \frac{p + z^2/2n \pm z\sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}

References
----------
Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
Srinivasan and Lee, "Quantifying decentralization", 2017 (the Nakamoto coefficient).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from statistics import NormalDist

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.staking import gini_coefficient, nakamoto_coefficient
from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.governance.voters.electorate import votes_of
from gridlab.governance.voters.outcomes import CAST
from gridlab.governance.voters.sampling import checked_population

__all__ = ["concentration", "patterns", "success_rates", "wilson"]


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share.

    Parameters
    ----------
    successes, trials : int
        0 … `trials`, and 1 or more.
    confidence : float
        More than 0 and less than 1.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.

    Examples
    --------
    >>> tuple(round(end, 4) for end in wilson(8, 10))
    (0.4902, 0.9433)
    """
    require_int("trials", trials, 1)
    require_int("successes", successes, 0, trials)
    if isinstance(confidence, bool) or not isinstance(confidence, Real):
        raise ArgumentTypeError(f"confidence is {confidence!r}, allowed: a number between 0 and 1")
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence is {confidence!r}, allowed: more than 0 and less than 1; 0.95 is usual")
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), successes / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # At the ends rounding would leave 1e-17 on the wrong side.
    low = 0.0 if successes == 0 else (middle - half) / scale
    return low, 1.0 if successes == trials else (middle + half) / scale


def success_rates(outcomes: Mapping[str, pl.DataFrame], *, confidence: float = 0.95) -> pl.DataFrame:
    """Return how often each proposal passes.

    Parameters
    ----------
    outcomes : mapping of str to polars.DataFrame
        Name -> what `outcome` gave.
    confidence : float
        Of the Wilson intervals.

    Returns
    -------
    polars.DataFrame
        ``proposal``, ``votes`` (how many), ``passed``, ``rate``, ``low``, ``high`` (shares), ``days`` (mean until
        decided) and ``turnout`` (mean).

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        An argument does not fit.
    """
    if not isinstance(outcomes, Mapping):
        raise ArgumentTypeError(f"outcomes is a {type(outcomes).__name__}, allowed: a mapping of name to outcome frame")
    rows = []
    for name, frame in outcomes.items():
        if not isinstance(frame, pl.DataFrame) or not {"passed", "decided_at", "turnout"} <= set(frame.columns):
            raise GovernanceError(f"outcomes[{name!r}] is no frame of outcomes; outcome(effects, track) gives one")
        passed = int(frame["passed"].sum())
        low, high = wilson(passed, frame.height, confidence)
        days, came = frame["decided_at"].mean(), frame["turnout"].mean()
        rows.append((name, frame.height, passed, passed / frame.height, low, high, days, came))
    columns = ("proposal", "votes", "passed", "rate", "low", "high", "days", "turnout")
    kinds = (pl.String, pl.UInt32, pl.UInt32, *([pl.Float64] * 5))
    return pl.DataFrame(rows, schema=dict(zip(columns, kinds, strict=True)), orient="row")


def patterns(population: pl.DataFrame, cast: pl.DataFrame) -> pl.DataFrame:
    """Return how each group voted.

    Parameters
    ----------
    population : polars.DataFrame
        As `sample` gives it.
    cast : polars.DataFrame
        As `ballots` gives it.

    Returns
    -------
    polars.DataFrame
        ``group``, ``members``, ``turnout`` (share of members whose vote counts), ``delegated`` (share of those votes
        that came through a delegate, by heads), ``aye`` (share of the group's votes after conviction), ``capital`` and
        ``weight`` (the group's share of all GRID, and of all votes cast).

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        The population does not fit `POPULATION`, or the ballots `CAST`.
    """
    whole = checked_population(population)
    people = whole.group_by("group").agg(pl.len().alias("members"), pl.col("balance").sum().alias("held"))
    counted = (
        CAST.check(cast)
        .group_by("group")
        .agg(
            pl.len().alias("came"),
            pl.col("delegate").is_not_null().mean().alias("delegated"),
            pl.col("votes").filter("aye").sum().alias("ayes"),
            pl.col("votes").sum().alias("votes"),
        )
    )
    return (
        people.join(counted, on="group", how="left")
        .sort("group")
        .select(
            "group",
            "members",
            (pl.col("came").fill_null(0) / pl.col("members")).alias("turnout"),
            "delegated",
            (pl.col("ayes") / pl.col("votes")).alias("aye"),
            (pl.col("held") / pl.col("held").sum()).alias("capital"),
            (pl.col("votes").fill_null(0) / pl.col("votes").sum()).alias("weight"),
        )
    )


def concentration(population: pl.DataFrame) -> pl.DataFrame:
    """Return how evenly GRID and power over votes are spread, before and after conviction and delegation.

    Parameters
    ----------
    population : polars.DataFrame
        As `sample` gives it.

    Returns
    -------
    polars.DataFrame
        One row each for ``balance``, ``balance delegated``, ``votes`` and ``votes delegated``: ``holders`` (how many
        have any), ``gini`` (over them), ``nakamoto_third`` and ``nakamoto_half`` (least number that has more than a
        third, or half, of all). Votes are after conviction; delegated means counted where the delegate stands.

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        The population does not fit `POPULATION`.

    Examples
    --------
    >>> from gridlab.governance.voters import sample
    >>> concentration(sample(1))["power"].to_list()
    ['balance', 'balance delegated', 'votes', 'votes delegated']
    """
    whole = checked_population(population)
    levels = whole["conviction"].to_numpy().astype("int64")
    power = whole.select(
        pl.col("delegate").fill_null(pl.col("voter")).alias("stands_with"),
        "balance",
        pl.Series("votes", votes_of(whole["balance"].to_numpy(), levels)),
    )
    gathered = power.group_by("stands_with", maintain_order=True).agg(pl.col("balance", "votes").sum())
    rows = [
        (f"{name}{suffix}", *_spread(frame[name]))
        for name in ("balance", "votes")
        for suffix, frame in (("", power), (" delegated", gathered))
    ]
    columns = {"power": pl.String, "holders": pl.UInt32, "gini": pl.Float64}
    return pl.DataFrame(rows, schema=columns | {"nakamoto_third": pl.UInt32, "nakamoto_half": pl.UInt32}, orient="row")


def _spread(amounts: pl.Series) -> tuple[int, float, int, int]:
    held = amounts.filter(amounts > 0).to_list()
    return (
        len(held), gini_coefficient(held), nakamoto_coefficient(held),
        nakamoto_coefficient(held, numerator=1, denominator=2),
    )  # fmt: skip
