"""Observations and reports by hand: sign what providers say, make a report of it, ask whether one is due.

The rule itself is the chain's (`gridlab.chain.oracle`), so that what is a report here is one there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping, require_text
from gridlab.chain.moments import require_microseconds
from gridlab.chain.oracle import (
    NETWORK,
    OBSERVATIONS,
    ProviderSet,
    Report,
    check_observations,
    reports_of,
    upper_median,
)
from gridlab.chain.oracle.checking import ROUND
from gridlab.chain.oracle.observations import LONGEST_FEED
from gridlab.chain.oracle.provider_set import MOST_PROVIDERS, require_providers
from gridlab.errors import ArgumentError, ArgumentTypeError, OracleError
from gridlab.frames import SLOT, show_rows
from gridlab.oracle.publishing import deviates
from gridlab.oracle.signing import sign_observations
from gridlab.seeds import check_seed

__all__ = ["OBSERVATIONS", "Report", "due", "observe", "report", "upper_median"]


def observe(
    values: Mapping[int, int],
    *,
    feed: str = "price",
    round: int = 1,  # noqa: A002 - the network's word for it
    seed: int = 0,
    epoch: int = 1,
    observed: datetime | int = 0,
    network: str = NETWORK,
) -> pl.DataFrame:
    """Return what providers say in one round, each signed with its sandbox key.

    Parameters
    ----------
    values : mapping of int to int
        Provider -> value in the feed's own unit, -2**63 … 2**63 - 1.
    feed : str
        1 to 64 bytes.
    round, epoch : int
        0 … 2**64 - 1.
    seed : int
        Of the sandbox keys.
    observed : datetime or int
        Moment for which the values hold; a datetime (Bangkok time where it has no zone), or µs since 1970-01-01 UTC.
    network : str
        Name that the signatures are for.

    Returns
    -------
    polars.DataFrame
        As `OBSERVATIONS`, one row per provider in the order of `values`.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.

    Examples
    --------
    >>> observe({0: 3_100, 1: 3_090}).select("feed", "round", "provider", "value").rows()
    [('price', 1, 0, 3100), ('price', 1, 1, 3090)]
    """
    for provider, value in require_mapping("values", values).items():
        require_int("provider", provider, 0, MOST_PROVIDERS - 1)
        require_int(f"values[{provider}]", value, -(2**63), 2**63 - 1)
    moment = require_microseconds("observed", observed)
    columns = {
        "feed": [feed] * len(values),
        "epoch": [require_int("epoch", epoch, 0, 2**64 - 1)] * len(values),
        "round": [require_int("round", round, 0, 2**64 - 1)] * len(values),
        "provider": list(values),
        "value": list(values.values()),
        "observed": pl.Series([moment] * len(values), dtype=pl.Int64).cast(SLOT),
    }
    if not require_text("feed", feed, longest=LONGEST_FEED):
        raise ArgumentError(f"feed is empty, allowed: a name of 1 to {LONGEST_FEED} bytes, such as 'price/MAC'")
    schema = {column.name: column.dtype for column in OBSERVATIONS.columns if column.name in columns}
    return sign_observations(pl.DataFrame(columns, schema=schema), seed=check_seed(seed), network=network)


def report(
    observations: pl.DataFrame | pl.LazyFrame,
    *,
    providers: int | ProviderSet = 15,
    bounds: tuple[int, int] | None = None,
    seed: int = 0,
    network: str = NETWORK,
) -> Report:
    """Make the report of one round, or say why these observations make none.

    Parameters
    ----------
    observations : polars.DataFrame or polars.LazyFrame
        As `OBSERVATIONS`, of one feed, epoch and round; columns ``epoch`` and ``observed`` may be missing where they
        are 1 and the beginning of 1970, as `observe` has them.
    providers : int or ProviderSet
        How many there are, with the sandbox keys of `seed`; or their public keys.
    bounds : tuple of int, optional
        Least and greatest value that is not absurd.
    seed : int
    network : str

    Returns
    -------
    Report
        ``value`` is the upper median.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.
    OracleError
        A signature is somebody else's or of something else, a provider stands there twice, a value is absurd, feeds or
        rounds are mixed, or there are fewer than 2f + 1 observations or ceil((n + f + 1) / 2) signatures.

    Examples
    --------
    >>> report(observe({provider: 3_000 + provider for provider in range(10)})).value
    3005
    """
    if isinstance(observations, (pl.DataFrame, pl.LazyFrame)):
        usual = {"epoch": pl.lit(1), "observed": pl.lit(0).cast(SLOT)}
        names = observations.lazy().collect_schema().names()
        observations = observations.with_columns(**{name: each for name, each in usual.items() if name not in names})
    frame = OBSERVATIONS.check(observations, error=OracleError)
    if isinstance(providers, int):
        require_int("providers", providers, 1, MOST_PROVIDERS)
        epoch = int(frame["epoch"][0]) if frame.height else 1
        providers = ProviderSet.sandbox(providers, seed=check_seed(seed), epoch=epoch, network=network)
    require_providers(providers)
    rounds = frame.select(ROUND).unique(maintain_order=True)
    if rounds.height > 1:
        raise OracleError(
            "oracle_observations: feeds, epochs or rounds are mixed, allowed: those of one round; filter the frame\n"
            + show_rows(rounds, pl.lit(True))
        )
    return reports_of(check_observations(frame, providers, bounds=bounds), providers)[0]


def due(old: int, new: int, *, age_s: float, deviation_ppb: int, heartbeat_s: float) -> bool:
    """Say whether a new value is to be reported.

    It is if it is away from the old one by at least `deviation_ppb` of the old one's size, or if the old one is as old
    as the heartbeat. Any step away from 0 is large enough; from 0 to 0 there is none.

    Parameters
    ----------
    old, new : int
        The value that was reported last, and the median now.
    age_s : float
        Age of the old one, s, at least 0.
    deviation_ppb : int
        Parts per billion, at least 0.
    heartbeat_s : float
        s, at least 0.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.

    References
    ----------
    smartcontractkit/libocr, ``offchainreporting2/reportingplugin/median/median.go``, 2022 (``deviates``).

    Examples
    --------
    >>> due(1_000, 1_005, age_s=1.0, deviation_ppb=5_000_000, heartbeat_s=3_600)
    True
    >>> due(1_000, 1_004, age_s=1.0, deviation_ppb=5_000_000, heartbeat_s=3_600)
    False
    """
    for name, value in (("old", old), ("new", new)):
        require_int(name, value)
    require_int("deviation_ppb", deviation_ppb, 0)
    for name, seconds in (("age_s", age_s), ("heartbeat_s", heartbeat_s)):
        _require_seconds(name, seconds)
    return deviates(old, new, deviation_ppb) or age_s >= heartbeat_s


def _require_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"{name} is {value!r} ({type(value).__name__}), allowed: seconds (int or float)")
    if math.isnan(value) or value < 0:
        raise ArgumentError(f"{name} is {value}, allowed: 0 s or more; time does not go backwards")
