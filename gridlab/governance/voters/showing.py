"""Outcomes of many votes as a notebook shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.doors import through
from gridlab.governance.voters.measures import success_rates

__all__ = ["Outcomes", "show_outcomes"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """How often proposals pass, with a summary for notebooks.

    Attributes
    ----------
    frames : mapping of str to polars.DataFrame
        Name -> what `gridlab.governance.voters.outcome` gave.
    rates : polars.DataFrame
        As `gridlab.governance.voters.success_rates`.
    """

    frames: Mapping[str, pl.DataFrame] = field(repr=False)
    rates: pl.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        told = [f"{name} {passed}/{votes}" for name, votes, passed in self.rates["proposal", "votes", "passed"].rows()]
        return f"Outcomes(passed: {', '.join(told)})"

    def _repr_html_(self) -> str:
        html: str = through("outcomes_html", self.frames)
        return html


def show_outcomes(outcomes: Mapping[str, pl.DataFrame]) -> Outcomes:
    """Return outcomes as a notebook shows them.

    Parameters
    ----------
    outcomes : mapping of str to polars.DataFrame
        Name -> what `outcome` gave.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        It is no mapping, or one of its frames is no frame of outcomes.
    """
    return Outcomes(dict(outcomes) if isinstance(outcomes, Mapping) else outcomes, success_rates(outcomes))
