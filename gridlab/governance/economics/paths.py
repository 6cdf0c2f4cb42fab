"""Many paths of the GRID economy at once, in floats: the same steps as `exact`, without its rounding.

What the exact path rounds down to whole micro-GRID is not rounded here, except the fee of a single transaction, whose
rounding is multiplied by all transactions. So a path in floats agrees with the exact one up to some micro-GRID per era.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.perbill import BILLION
from gridlab.chain.staking.curve import JULIAN_YEAR_MILLISECONDS
from gridlab.governance.economics.exact import FIGURES
from gridlab.governance.economics.model import Model
from gridlab.governance.economics.shocks import Shocks

__all__ = ["follow"]

Floats = npt.NDArray[np.float64]


def follow(model: Model, shocks: Shocks, kept: npt.NDArray[np.int64]) -> Floats:
    """Return `FIGURES` of all paths at the end of the eras `kept`.

    Parameters
    ----------
    model : Model
    shocks : Shocks
    kept : array of int
        Eras, ascending.

    Returns
    -------
    array of float, shape (figures, kept, paths)
        micro-GRID.
    """
    paths = _Paths(model, shocks.required.shape[1])
    found = np.empty((len(FIGURES), len(kept), shocks.required.shape[1]))
    places = {int(era): place for place, era in enumerate(kept)}
    for era in range(model.eras):
        turn = era // model.spend_period if (era + 1) % model.spend_period == 0 else None
        asked = None if turn is None else shocks.asked[turn]
        paths.step(era, shocks.required[era], shocks.wanted[era], shocks.offenders[era], asked)
        if era in places:
            for figure, values in enumerate(paths.figures(era)):
                found[figure, places[era]] = values
    return found


class _Paths:
    """What is held in every path, arrays of shape (paths,), micro-GRID."""

    def __init__(self, model: Model, paths: int) -> None:
        self.model = model
        opening = model.opening
        self.issuance = np.full(paths, float(opening.issuance))
        self.bonded = np.full(paths, float(opening.bonded))
        self.treasury = np.full(paths, float(opening.treasury))
        zero = np.zeros(paths)
        self.rewards, self.fees, self.spent = zero.copy(), zero.copy(), zero.copy()
        self.burnt, self.slashed, self.backlog = zero.copy(), zero.copy(), zero.copy()
        self.fractions = np.array(model.slash_fractions(), float) / BILLION
        rules = model.rules
        self.reporter = rules.first_report_share * rules.reporter_share / BILLION**2
        self.yearly = JULIAN_YEAR_MILLISECONDS / model.milliseconds

    def figures(self, era: int) -> tuple[Floats | float, ...]:
        locked = float(self.model.locked(era))
        circulating = self.issuance - self.bonded - self.treasury - locked
        return (
            self.issuance, self.bonded, self.treasury, locked, circulating,
            self.rewards, self.fees, self.spent, self.burnt, self.slashed,
        )  # fmt: skip

    def step(
        self,
        era: int,
        required: npt.NDArray[np.int64],
        wanted: npt.NDArray[np.int64],
        offenders: npt.NDArray[np.int64],
        asked: npt.NDArray[np.int64] | None,
    ) -> None:
        model = self.model
        minted = self._payout()
        free = self.issuance - self.bonded - self.treasury
        paid, fees = model.gas.settle_many(wanted.astype(float), free - float(model.locked(era - 1)))
        cut = minted * (model.rules.treasury_share / BILLION)
        earned, opening = minted - cut, self.bonded
        self.fees += paid
        self.issuance += minted
        slash = self.fractions[offenders] * self.bonded
        self.slashed += slash
        self.rewards += earned
        self.treasury += fees + cut + slash * (1.0 - self.reporter)
        self.bonded = self.bonded - slash + earned * (model.compounding / BILLION)
        if asked is not None:
            self._spend(asked)
        self._answer(earned, opening, required, float(model.locked(era)))

    def _payout(self) -> Floats:
        """Return the payout of `gridlab.chain.staking.curve`, with a power of floats for its Taylor series."""
        shape = self.model.rules.inflation
        share, ideal = self.bonded / self.issuance, shape.ideal / BILLION
        above = np.exp2(np.minimum((ideal - share) * (BILLION / shape.falloff), 0.0))
        curve = np.where(share < ideal, share / ideal, above) if ideal else above
        rate = (shape.minimum + (shape.maximum - shape.minimum) * curve) / BILLION
        minted: Floats = np.minimum(rate * (self.issuance / self.yearly), LARGEST - self.issuance)
        return minted

    def _spend(self, asked: npt.NDArray[np.int64]) -> None:
        due = self.backlog + self.treasury * (asked / BILLION)
        paid = np.minimum(due, self.treasury)
        left = self.treasury - paid
        burnt = left * (self.model.burn / BILLION)
        self.backlog = due - paid
        self.spent += paid
        self.burnt += burnt
        self.issuance -= burnt
        self.treasury = left - burnt

    def _answer(self, earned: Floats, opening: Floats, required: npt.NDArray[np.int64], locked: float) -> None:
        model = self.model
        # Where nothing is staked, the first micro-GRID would earn the most that is counted.
        gained = np.minimum(earned * self.yearly / np.maximum(opening, 1e-9), 10.0)
        share = (model.participation + model.response * (gained - required / BILLION)) / BILLION
        goal = np.clip(share, 0.0, 1.0) * (self.issuance - self.treasury - locked)
        free = self.issuance - self.bonded - self.treasury - locked
        self.bonded = self.bonded + np.minimum((goal - self.bonded) * (model.pace / BILLION), free)
