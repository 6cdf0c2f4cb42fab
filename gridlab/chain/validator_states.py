"""How each validator stands: honest or lying, up or down, on which side of a cut; before the first block, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.interventions import require_groups, require_kind

__all__ = ["VALIDATOR_STATES", "Planned", "validator_states"]

VALIDATOR_STATES: Mapping[str, Any] = {
    "validator": pl.UInt32,
    "city": pl.String,
    "public_key": pl.String,
    "lie": pl.String,
    "up": pl.Boolean,
    "side": pl.UInt32,
    "primary": pl.Boolean,
}


class Validators(Protocol):
    """What is read of a cluster, or of plans for one."""

    @property
    def corrupted(self) -> dict[int, str]:
        """Which validators lie, and how."""

    @property
    def crashed(self) -> tuple[int, ...]:
        """Which validators are down."""

    @property
    def sides(self) -> dict[int, int] | None:
        """Group of each validator that was named when the network was cut; None where it is whole."""

    @property
    def view(self) -> int:
        """The view whose primary proposes next."""


class Planned:
    """What is to be done to validators that have not started: refused here and now if they would refuse it then.

    Parameters
    ----------
    validators : int
        How many there are.
    """

    view = 0

    def __init__(self, validators: int) -> None:
        self._count = validators
        self._lies: dict[int, str] = {}
        self._down: dict[int, None] = {}
        self._sides: dict[int, int] | None = None
        self.stopped = False

    @property
    def corrupted(self) -> dict[int, str]:
        """Which validators are going to lie, and how."""
        return dict(sorted(self._lies.items()))

    @property
    def crashed(self) -> tuple[int, ...]:
        """Which validators are going to be down."""
        return tuple(sorted(self._down))

    @property
    def sides(self) -> dict[int, int] | None:
        """Group of each validator that was named for a cut; None where there is to be none."""
        return self._sides

    def _known(self, validator: object) -> int:
        return require_int("validator", validator, 0, self._count - 1)

    def corrupt(self, validator: int, kind: str | None) -> None:
        """Plan a lie, or none; raises ArgumentTypeError or ArgumentError as `Cluster.corrupt` does."""
        known = self._known(validator)
        if kind is None:
            self._lies.pop(known, None)
        else:
            self._lies[known] = require_kind("kind", kind)

    def crash(self, validator: int) -> None:
        """Plan a validator to be down."""
        self._down[self._known(validator)] = None

    def restart(self, validator: int) -> None:
        """Plan a validator to be up."""
        self._down.pop(self._known(validator), None)

    def partition(self, groups: Sequence[Sequence[int]]) -> None:
        """Plan a cut between groups."""
        checked = require_groups("groups", groups, self._count)
        self._sides = {validator: side for side, group in enumerate(checked, start=1) for validator in group}

    def heal(self) -> None:
        """Plan a whole network."""
        self._sides = None

    def stop(self) -> None:
        """Plan to stop."""
        self.stopped = True

    def resume(self) -> None:
        """Plan to go on."""
        self.stopped = False


def validator_states(keys: Sequence[bytes], cities: Sequence[str], source: Validators) -> pl.DataFrame:
    """Return how each validator stands.

    Parameters
    ----------
    keys : sequence of bytes
        Public keys in the order of validators.
    cities : sequence of str
        Where they stand; begun again where there are more validators than cities.
    source : Cluster or Planned

    Returns
    -------
    polars.DataFrame
        As `VALIDATOR_STATES`, one row per validator: lie (null: honest), up, side (null: the network is whole; 0: in no
        group that was named), primary (of the view that is in force).
    """
    lies, down, sides = source.corrupted, source.crashed, source.sides
    count = len(keys)
    rows = [
        (
            number,
            cities[number % len(cities)],
            hexadecimal(key),
            lies.get(number),
            number not in down,
            None if sides is None else sides.get(number, 0),
            number == source.view % count,
        )
        for number, key in enumerate(keys)
    ]
    return pl.DataFrame(rows, schema=dict(VALIDATOR_STATES), orient="row")
