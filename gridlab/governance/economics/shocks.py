"""What chance does to the GRID economy: drawn once, in whole numbers, for exact and Monte Carlo paths alike.

Paths come in chunks of `CHUNK`. A chunk has streams of its own, and each is drawn path after path, so path 7 of a
thousand is path 7 of ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.chain.perbill import BILLION
from gridlab.governance.economics.model import Model
from gridlab.seeds import stream

__all__ = ["CHUNK", "Shocks", "draw"]

CHUNK = 500
_MOST_WANTED = 10**12
_MOST_ASKED = 10**3

Wholes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shocks:
    """Chance for some paths, every array of shape (eras, paths) unless said otherwise.

    Attributes
    ----------
    required : array of int
        Yield that holders require (parts per billion per year).
    wanted : array of int
        Transactions wanted at the least multiplier.
    offenders : array of int
        Validators that equivocated, 0 … all.
    asked : array of int, shape (spend periods, paths)
        Share of the treasury asked for (parts per billion).
    """

    required: Wholes
    wanted: Wholes
    offenders: Wholes
    asked: Wholes

    def path(self, number: int) -> Shocks:
        """Return one path's alone."""
        return Shocks(*(each[:, [number]] for each in (self.required, self.wanted, self.offenders, self.asked)))


def draw(model: Model, seed: int, chunk: int, paths: int) -> Shocks:
    """Return the first `paths` paths of a chunk.

    The required yield is a first-order autoregression around its mean, with a stationary start; transactions wander as
    a geometric Brownian motion around their growth; offences are Poisson, each incident hits many validators at once;
    what is asked of the treasury is lognormal.
    """
    shape = (paths, model.eras)

    def chance(name: str) -> np.random.Generator:
        return stream(seed, "governance", "economics", name, f"chunk {chunk}")

    offenders = np.minimum(
        chance("offences").poisson(model.offences, shape)
        + chance("incidents").poisson(model.incidents, shape) * model.incident_size,
        model.rules.validators,
    )
    asked = chance("spending").standard_normal((paths, model.eras // model.spend_period))
    return Shocks(
        required=_required(model, chance("yield").standard_normal(shape)),
        wanted=_wanted(model, chance("transactions").standard_normal(shape)),
        offenders=_by_era(offenders),
        asked=_by_era(np.minimum(model.spending * np.exp(model.spending_spread * asked), _MOST_ASKED) * BILLION),
    )


def _by_era(values: npt.NDArray[np.generic]) -> Wholes:
    return np.ascontiguousarray(values.T, dtype=np.int64)


def _required(model: Model, normal: npt.NDArray[np.float64]) -> Wholes:
    kept = np.exp(-1.0 / model.memory)
    news = np.ascontiguousarray(normal.T)
    news[1:] *= np.sqrt(1.0 - kept**2)
    for era in range(1, len(news)):
        news[era] += kept * news[era - 1]
    return model.required_yield + np.rint(news * (model.yield_spread * BILLION)).astype(np.int64)


def _wanted(model: Model, normal: npt.NDArray[np.float64]) -> Wholes:
    wander = np.cumsum(normal.T * model.volatility + model.growth, axis=0)
    # Beyond any chain's room; the bound keeps the product with the weight within 64 bits.
    return np.minimum(model.transactions * np.exp(np.minimum(wander, 50.0)), _MOST_WANTED).astype(np.int64)
