"""The door at which observations are checked: whole frames at once, signatures on all cores, bad rows named."""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.ed25519 import verify_many
from gridlab.chain.moments import LATEST
from gridlab.chain.oracle.observations import LONGEST_FEED, OBSERVATIONS, messages_of
from gridlab.chain.oracle.provider_set import ProviderSet, require_providers
from gridlab.errors import ArgumentError, ArgumentTypeError, OracleError
from gridlab.frames import show_rows

__all__ = ["ROUND", "check_observations", "forbid", "forbid_moments", "require_bounds", "require_quorum", "signed_well"]

# What names a round.
ROUND = ("feed", "epoch", "round")


def check_observations(
    observations: pl.DataFrame | pl.LazyFrame,
    providers: ProviderSet,
    *,
    bounds: tuple[int, int] | None = None,
) -> pl.DataFrame:
    """Return the observations as `OBSERVATIONS`, or raise with the rows that may not count.

    Parameters
    ----------
    observations : polars.DataFrame or polars.LazyFrame
        Of any number of feeds and rounds.
    providers : ProviderSet
        Whose signatures count.
    bounds : tuple of int, optional
        Least and greatest value that is not absurd.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type, or the bounds are in the wrong order.
    OracleError
        A column is missing or of a wrong dtype; a provider is not in the set or was struck off; the epoch is another;
        a provider stands in a round twice or with two values; a value is out of bounds; a signature is not the
        provider's.
    """
    require_providers(providers)
    frame = OBSERVATIONS.check(observations, error=OracleError)
    frame = frame.select(column.name for column in OBSERVATIONS.columns)
    count, name_bytes = len(providers), pl.col("feed").str.len_bytes()
    forbid(frame, ~name_bytes.is_between(1, LONGEST_FEED), f"a feed has no name of 1 to {LONGEST_FEED} bytes")
    forbid(frame, pl.col("provider") >= count, f"a provider is not in the set, allowed: 0 … {count - 1}")
    forbid(frame, pl.col("provider").is_in(list(providers.struck)), "a provider was struck off for an offence")
    forbid(frame, pl.col("epoch") != providers.epoch, f"an epoch is not that of the providers, {providers.epoch}")
    forbid_moments(frame)
    if bounds is not None:
        low, high = require_bounds("bounds", bounds)
        forbid(frame, ~pl.col("value").is_between(low, high), f"a value is absurd, allowed: {low} … {high}")
    _forbid_repeats(frame)
    forbid(
        frame,
        ~pl.lit(signed_well(frame, providers)),
        "a signature is not the provider's for this feed, epoch, round, moment and value",
    )
    return frame


def require_bounds(name: str, value: object) -> tuple[int, int]:
    """Return `value` if it is a least and a greatest value, or raise ArgumentTypeError or ArgumentError."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise ArgumentTypeError(f"{name} is {value!r}, allowed: (least, greatest), two whole numbers")
    low, high = (require_int(f"{name}[{place}]", each, -(2**63), 2**63 - 1) for place, each in enumerate(value))
    if low >= high:
        raise ArgumentError(f"{name} are {value}, allowed: the least value first, and a greater one")
    return low, high


def forbid(frame: pl.DataFrame, broken: pl.Expr, sentence: str) -> None:
    """Raise OracleError with the rows where `broken` is true, if there are any; signatures are not shown."""
    if frame.height and frame.select(broken.any()).item():
        shown = show_rows(frame.drop("signature", strict=False), broken)
        raise OracleError(f"oracle_observations: {sentence}\n{shown}")


def forbid_moments(frame: pl.DataFrame) -> None:
    """Raise OracleError where a moment is before 1970 or after 9998; shown as numbers, since it may not print."""
    physical = frame.with_columns(pl.col("observed").to_physical())
    outside = ~pl.col("observed").is_between(0, LATEST)
    forbid(physical, outside, f"a moment is outside 0 … {LATEST} microseconds since 1970")


def _forbid_repeats(frame: pl.DataFrame) -> None:
    own = (*ROUND, "provider")
    values = pl.col("value").n_unique().over(own)
    forbid(frame, values > 1, "a provider has signed two values in one round, which is evidence against it")
    forbid(frame, pl.struct(own).is_duplicated(), "a provider stands in one round twice; each counts once")


def signed_well(frame: pl.DataFrame, providers: ProviderSet) -> pl.Series:
    """Say for each row (as `OBSERVATIONS`, of known providers) whether its signature is that of its provider."""
    keys = [providers.keys[provider] for provider in frame["provider"].to_list()]
    signatures = frame["signature"].to_list()
    checks = list(zip(keys, messages_of(frame, providers.network), signatures, strict=True))
    return pl.Series(verify_many(checks), dtype=pl.Boolean)


def require_quorum(observations: pl.DataFrame, providers: ProviderSet) -> pl.DataFrame:
    """Return checked observations of which every round has enough, or raise OracleError naming the rounds.

    An observation is signed, so the number of signatures is the number of observations; the larger demand decides.
    """
    least = providers.least_observations, providers.least_signatures
    if observations.is_empty():
        raise OracleError(f"oracle_observations: there are none, allowed: at least {max(least)} in a round")
    counts = observations.group_by(ROUND, maintain_order=True).len("signed")
    few = pl.col("signed") < max(least)
    forbid(
        counts,
        few,
        f"a round has too few, allowed: at least {least[0]} observations (2f + 1) and at least {least[1]} signatures "
        f"(ceil((n + f + 1) / 2)) of {len(providers)} providers; wait for more",
    )
    return observations
