"""Forecasts that get better as delivery comes nearer, with the error they turn out to have.

The logarithm of a forecast's error is a random walk in lead time: at lead L (hours) it has the standard deviation ::

    sigma(L) = error x sqrt(L / 24)

so that the day-ahead forecast errs by `error` and one made an hour ahead by about a fifth of it, and the later forecast
is the earlier one corrected, not another guess. Errors of neighbouring slots are alike (an autoregression of first
order). The size is a teaching choice; what a forecast missed by is measured, not assumed (`forecast_errors`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import units
from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.frames import READINGS
from gridlab.seeds import check_seed, stream

__all__ = ["STAGES", "forecast_errors", "forecasts"]

Floats = npt.NDArray[np.float64]

STAGES = ("day_ahead", "intraday")
DAY_AHEAD_MINUTES = 24 * 60
_PERSISTENCE = 0.9
_QUANTITIES = ("load", "generation")


def forecasts(
    readings: pl.DataFrame | pl.LazyFrame, *, error: units.Number, gate_closure: int, seed: int = 0
) -> dict[str, pl.DataFrame]:
    """Return what would have been forecast of `readings` at each stage.

    Parameters
    ----------
    readings : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.READINGS`, each account once in each slot.
    error : number
        Standard deviation of the day-ahead error (%), 0 to 100.
    gate_closure : int
        Minutes before delivery at which the intraday forecast is made, 0 to 1440.
    seed : int

    Returns
    -------
    dict of str to polars.DataFrame
        ``day_ahead`` and ``intraday``, each as `READINGS`, ordered by slot and account.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or out of range.
    MarketError
        An account is missing in a slot or stands there twice.
    """
    size = units.exact(error, what="error")
    if not 0 <= size <= 100:
        raise ArgumentError(f"error: {error} % is not allowed; allowed: 0 to 100 %")
    if isinstance(gate_closure, bool) or not isinstance(gate_closure, int):
        raise ArgumentTypeError(f"gate_closure: expected whole minutes, got {gate_closure!r}")
    if not 0 <= gate_closure <= DAY_AHEAD_MINUTES:
        raise ArgumentError(f"gate_closure: {gate_closure} minutes is not allowed; allowed: 0 to {DAY_AHEAD_MINUTES}")
    check_seed(seed)
    frame = READINGS.check(readings, error=MarketError).sort("slot", "account")
    shape = _shape(frame)
    late = float(size) / 100 * np.sqrt(gate_closure / DAY_AHEAD_MINUTES)
    early = float(size) / 100 * np.sqrt(1 - gate_closure / DAY_AHEAD_MINUTES)
    columns: dict[str, dict[str, pl.Series]] = {stage: {} for stage in STAGES}
    for name in _QUANTITIES:
        missed = late * _noise(shape, seed, name, "late")
        columns["intraday"][name] = _forecast(frame[name], missed, late)
        missed = missed + early * _noise(shape, seed, name, "early")
        columns["day_ahead"][name] = _forecast(frame[name], missed, float(size) / 100)
    return {stage: frame.with_columns(**values) for stage, values in columns.items()}


def _shape(frame: pl.DataFrame) -> tuple[int, int]:
    accounts = frame["account"].n_unique()
    slots = frame["slot"].n_unique()
    if frame.height != slots * accounts or frame.select(pl.struct("slot", "account").is_duplicated().any()).item():
        raise MarketError(
            f"readings: {frame.height} rows for {slots} slots and {accounts} accounts; allowed: each account once in "
            "each slot"
        )
    return slots, accounts


def _noise(shape: tuple[int, int], seed: int, *names: str) -> Floats:
    """Return standard normal errors, alike from slot to slot."""
    noise = stream(seed, "sequence", "forecast", *names).standard_normal(shape)
    for slot in range(1, shape[0]):  # an autoregression over time; each step is one vector over all accounts
        noise[slot] = _PERSISTENCE * noise[slot - 1] + np.sqrt(1 - _PERSISTENCE**2) * noise[slot]
    return noise


def _forecast(actual: pl.Series, missed: Floats, deviation: float) -> pl.Series:
    # Less half the variance, so that the forecast is right on average.
    factor = np.exp(missed.reshape(-1) - deviation**2 / 2)
    return pl.Series(actual.name, np.rint(actual.to_numpy() * factor).astype(np.int64))


def forecast_errors(stages: Mapping[str, pl.DataFrame], readings: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return what forecasts missed by.

    Parameters
    ----------
    stages : mapping of str to polars.DataFrame
        Stage -> forecast, as `gridlab.frames.READINGS`.
    readings : polars.DataFrame or polars.LazyFrame
        What was metered.

    Returns
    -------
    polars.DataFrame
        One row per stage and quantity (``load``, ``generation``, ``net``): ``bias`` (mean of forecast less metered),
        ``mae`` (mean absolute error), ``rmse`` (root of the mean square), all Wh per slot and account, and ``share``
        (%: sum of absolute errors over the sum of absolute metered values; null where nothing was metered).
    """
    actual = READINGS.check(readings, error=MarketError)
    net = pl.col("load") - pl.col("generation")
    keys = ["slot", "account"]
    wide = actual.select(*keys, *_QUANTITIES, net=net)
    parts = []
    for stage, forecast in stages.items():
        both = wide.join(forecast.select(*keys, *_QUANTITIES, net=net), on=keys, suffix="_forecast")
        parts += [both.select(**_measures(stage, name)) for name in (*_QUANTITIES, "net")]
    return pl.concat(parts)


def _measures(stage: str, name: str) -> dict[str, pl.Expr]:
    missed = pl.col(f"{name}_forecast") - pl.col(name)
    whole = pl.col(name).abs().sum()
    return {
        "stage": pl.lit(stage),
        "quantity": pl.lit(name),
        "bias": missed.mean(),
        "mae": missed.abs().mean(),
        "rmse": (missed.cast(pl.Float64) ** 2).mean().sqrt(),
        "share": pl.when(whole > 0).then(100 * missed.abs().sum() / whole),
    }
