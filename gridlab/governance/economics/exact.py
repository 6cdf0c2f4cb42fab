"""One path of the GRID economy in whole numbers, by the chain's own rules, era by era."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION, floor_of
from gridlab.chain.public import PublicTerms
from gridlab.chain.staking import StakingTerms
from gridlab.chain.staking.curve import JULIAN_YEAR_MILLISECONDS
from gridlab.governance.economics.model import Model
from gridlab.governance.economics.shocks import CHUNK, Shocks, draw
from gridlab.governance.economics.terms import GridEconomics
from gridlab.seeds import check_seed

__all__ = ["FIGURES", "exact_path", "walk"]

# What the exact and the Monte Carlo paths both report, micro-GRID; from `rewards` on, summed since the start.
FIGURES = (
    "issuance", "staked", "treasury", "locked", "circulating",
    "rewards", "fees", "spent", "burnt", "slashed",
)  # fmt: skip

_MOST_YIELD = 10 * BILLION


def exact_path(
    years: float = 10,
    *,
    seed: int = 0,
    path: int = 0,
    terms: GridEconomics | None = None,
    staking: StakingTerms | None = None,
    public: PublicTerms | None = None,
) -> pl.DataFrame:
    """Return one path to the last micro-GRID, the same that `simulate` follows in floats.

    Parameters
    ----------
    years : float
        Julian years.
    seed : int
    path : int
        Which of the paths of `simulate`, 0 upwards.
    terms, staking, public : GridEconomics, StakingTerms, PublicTerms, optional
        The levers.

    Returns
    -------
    polars.DataFrame
        One row per era: ``era``, and `FIGURES` (Int64, micro-GRID) at its end; rewards and what follows are summed
        since the start.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.

    Examples
    --------
    >>> exact_path(0.5, seed=1).select("era", "issuance", "burnt").tail(1).row(0)[0]
    181
    """
    require_int("path", path, 0)
    model = Model.of(years, terms, staking, public)
    chunk, place = divmod(path, CHUNK)
    return walk(model, draw(model, check_seed(seed), chunk, place + 1).path(place))


def walk(model: Model, shocks: Shocks) -> pl.DataFrame:
    """Return the path of a model under the shocks of one path; as `exact_path`."""
    path = _Path(model)
    rows = [
        path.step(era, required, wanted, offenders, asked)
        for era, (required, wanted, offenders, asked) in enumerate(_columns(model, shocks))
    ]
    schema: dict[str, Any] = {"era": pl.UInt32} | dict.fromkeys(FIGURES, pl.Int64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _columns(model: Model, shocks: Shocks) -> zip[tuple[int, ...]]:
    asked = np.zeros(model.eras, np.int64)
    asked[model.spend_period - 1 :: model.spend_period] = shocks.asked[:, 0]
    return zip(
        *(column.tolist() for column in (shocks.required[:, 0], shocks.wanted[:, 0], shocks.offenders[:, 0], asked)),
        strict=True,
    )


class _Path:
    """The books of one path, and what was summed on the way."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.books = model.opening
        self.rewards = self.fees = self.spent = self.burnt = self.slashed = self.backlog = 0
        self.fractions = model.slash_fractions()
        # Equal work: the dust of the division goes to the treasury, as on the chain.
        self.points = dict.fromkeys(range(model.rules.validators), 1)

    def step(self, era: int, required: int, wanted: int, offenders: int, asked: int) -> tuple[int, ...]:
        opening = self.books
        locked_before = self.model.locked(era - 1)
        self._pay_fees(wanted, opening.holders - locked_before)
        self.books = self.books.closed(opening, self.model.milliseconds, self.points, self.model.rules)
        earned = self.books.unclaimed
        self._slash(offenders)
        self.books = self.books.claimed(earned, compounded=floor_of(self.model.compounding, earned))
        self.rewards += earned
        if (era + 1) % self.model.spend_period == 0:
            self._spend(asked)
        locked = self.model.locked(era)
        self._answer(_yearly(earned, opening.bonded, self.model.milliseconds), required, locked)
        books = self.books
        return (
            era, books.issuance, books.bonded, books.treasury, locked, books.holders - locked,
            self.rewards, self.fees, self.spent, self.burnt, self.slashed,
        )  # fmt: skip

    def _pay_fees(self, wanted: int, purse: int) -> None:
        gas = self.model.gas.settle(wanted, purse)
        self.fees += gas.paid
        self.books = self.books.paid_fees(gas.treasury)

    def _slash(self, offenders: int) -> None:
        amount = floor_of(self.fractions[offenders], self.books.bonded)
        self.slashed += amount
        self.books = self.books.slashed(amount, self.model.rules)

    def _spend(self, asked: int) -> None:
        """Pay what was asked for as far as the treasury goes; the rest waits for the next period."""
        due = self.backlog + floor_of(asked, self.books.treasury)
        paid = min(due, self.books.treasury)
        before = self.books.issuance
        self.books = self.books.spent(paid, burn=self.model.burn)
        self.backlog = due - paid
        self.spent += paid
        self.burnt += before - self.books.issuance

    def _answer(self, earned: int, required: int, locked: int) -> None:
        """Let holders stake more or less, as staking pays better or worse than they require."""
        model, books = self.model, self.books
        share = model.participation + model.response * (earned - required) // BILLION
        goal = floor_of(min(max(share, 0), BILLION), books.bonded + books.holders - locked)
        self.books = books.bonds(min(model.pace * (goal - books.bonded) // BILLION, books.holders - locked))


def _yearly(earned: int, staked: int, milliseconds: int) -> int:
    """Return what stake earns in a year (parts per billion), at most tenfold."""
    if not staked:
        return _MOST_YIELD
    return min(earned * BILLION * JULIAN_YEAR_MILLISECONDS // (staked * milliseconds), _MOST_YIELD)
