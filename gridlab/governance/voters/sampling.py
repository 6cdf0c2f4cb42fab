"""A population of voters, drawn from the levers: balances, habits, delegations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.frames import Column, Schema
from gridlab.governance.voters.group import Group
from gridlab.governance.voters.terms import GROUPS, Voters
from gridlab.governance.voting import TENTHS
from gridlab.seeds import check_seed, stream
from gridlab.units import MICRO

__all__ = ["GROUP", "POPULATION", "checked_population", "require_voters", "sample"]

GROUP = pl.Enum(GROUPS)
# The highest level counts six times, and all votes together must fit Int64.
_MOST_BALANCE = (2**63 - 1) // 6
_LATE = 0.9

POPULATION = Schema(
    "population",
    (
        Column("voter", pl.UInt32, "integer", "0 upwards without gaps"),
        Column("group", GROUP, "category", "population it belongs to, one of GROUPS"),
        Column("balance", pl.Int64, "integer", "micro-GRID, 0 or more"),
        Column("conviction", pl.UInt8, "integer", "level of conviction, 0 (a tenth) … 6"),
        Column("delegate", pl.UInt32, "integer", "the voter it delegates to; null for who votes itself", nullable=True),
        Column("exposure", pl.Float64, "float", "effect of a proposal on this voter, relative to its group's mean"),
        Column("arrival", pl.Float64, "float", "when it votes: share of the decision period, 0 … 1"),
    ),
)

_RULES = {
    "voters are not numbered 0 upwards without gaps": pl.col("voter") != pl.int_range(pl.len(), dtype=pl.UInt32),
    "a balance is below 0": pl.col("balance") < 0,
    "a conviction is out of range, allowed: 0 … 6": pl.col("conviction") > len(TENTHS) - 1,
    "an exposure is below 0 or not finite": ~(pl.col("exposure").is_finite() & (pl.col("exposure") >= 0)),
    "an arrival is out of range, allowed: 0 … 1": ~pl.col("arrival").is_between(0.0, 1.0),
}


def require_voters(terms: object) -> Voters:
    """Return the levers, the usual ones for None; raise ArgumentTypeError for anything else."""
    if terms is None:
        return Voters()
    if not isinstance(terms, Voters):
        raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: Voters(…)")
    return terms


def sample(seed: int = 0, *, terms: Voters | None = None) -> pl.DataFrame:
    """Draw a population.

    Parameters
    ----------
    seed : int
    terms : Voters, optional
        The levers.

    Returns
    -------
    polars.DataFrame
        As `POPULATION`, group by group.

    Raises
    ------
    ArgumentTypeError
        An argument is of the wrong type.
    GovernanceError
        All balances together are more than can be counted.

    Examples
    --------
    >>> sample(1).group_by("group", maintain_order=True).len().row(0)
    ('household', 20000)
    """
    check_seed(seed)
    levers = require_voters(terms)
    parts = [_members(seed, name, group, levers) for name, group in levers.groups.items()]
    whole = pl.concat(parts).with_row_index("voter")
    return checked_population(_delegated(seed, whole, levers))


def checked_population(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return a population of one's own with every column in its stored type.

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        It does not fit `POPULATION`, a delegate is not there or delegates itself, or balances are too large.
    """
    population = POPULATION.check(frame, rules=_RULES).select(column.name for column in POPULATION.columns)
    if int(population["balance"].cast(pl.Int128).sum()) > _MOST_BALANCE:
        raise GovernanceError(
            f"all balances together are more than {_MOST_BALANCE} micro-GRID, at six votes each they could not be "
            "counted; lower members or balance of a group"
        )
    targets = population["delegate"].drop_nulls().unique()
    highest = max(targets.to_list(), default=-1)
    if highest >= population.height:
        raise GovernanceError(f"delegate {highest} is not in the population of {population.height} voters")
    handed = population.filter(pl.col("voter").is_in(targets.implode()) & pl.col("delegate").is_not_null())
    if handed.height:
        raise GovernanceError(
            f"voter {handed['voter'][0]} is a delegate and delegates itself; what is delegated goes one step"
        )
    return population


def _members(seed: int, name: str, group: Group, levers: Voters) -> pl.DataFrame:
    values = group.values()
    count = values["members"]

    def chance(what: str) -> np.random.Generator:
        return stream(seed, "governance", "voters", name, what)

    arrival = chance("arrival").random(count)
    if levers.strategic and name == "whale":
        arrival = _LATE + (1.0 - _LATE) * arrival
    spread = levers.spread / 100
    return pl.DataFrame(
        {
            "group": pl.repeat(name, count, dtype=GROUP, eager=True),
            "balance": _balances(group, count, chance("balance")),
            "conviction": chance("conviction").binomial(6, values["conviction"] / 6, count).astype(np.uint8),
            "delegates": chance("delegating").random(count) < values["delegating"] / 100,
            # A mean of 1 whatever the spread, so that a group's effect is what its members feel on average.
            "exposure": chance("exposure").lognormal(-spread * spread / 2, spread, count),
            "arrival": arrival,
        }
    )


def _balances(group: Group, count: int, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    kind, first, second = group.body()
    if kind == "lognormal":
        drawn = chance.lognormal(first, second, count)
    else:
        drawn = first * (1.0 + chance.pareto(second, count))
    return np.minimum(drawn * MICRO, _MOST_BALANCE).astype(np.int64)


def _delegated(seed: int, whole: pl.DataFrame, levers: Voters) -> pl.DataFrame:
    """Give each who delegates a cooperative or an expert; nobody delegates where there are neither."""
    places = {name: whole.filter(pl.col("group") == name)["voter"].to_numpy() for name in ("expert", "cooperative")}
    chance = stream(seed, "governance", "voters", "delegates")
    to_expert = chance.random(whole.height) < levers.to_experts / 100
    pick = chance.random(whole.height)
    if not len(places["expert"]) or not len(places["cooperative"]):
        to_expert = np.full(whole.height, len(places["expert"]) > 0)
    delegate = np.zeros(whole.height, np.int64)
    for name, chosen in (("expert", to_expert), ("cooperative", ~to_expert)):
        if len(places[name]):
            at = (pick[chosen] * len(places[name])).astype(np.int64)
            delegate[chosen] = places[name][at]
    able: Any = pl.col("delegates") & ~pl.col("group").is_in(["expert", "cooperative"])
    if not any(len(each) for each in places.values()):
        able = pl.lit(False)
    given = pl.Series("delegate", delegate, dtype=pl.UInt32)
    return whole.with_columns(delegate=pl.when(able).then(given)).drop("delegates")
