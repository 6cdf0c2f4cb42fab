r"""What a proposal means to voters, and how that turns into a vote.

A member :math:`v` of group :math:`g` gains :math:`u_v = e_g s_v` THB a month, where :math:`e_g` is the proposal's
effect on the group and :math:`s_v` the member's exposure. It votes aye with the probability

.. math:: P_v = \frac{1}{1 + \exp(-u_v / b_g - z_g)},

the logit choice of McFadden (1974), with the differences of opinion :math:`b_g` and the group's mood :math:`z_g`, which
is drawn anew for every vote. Whoever votes itself turns out with the probability

.. math:: T_v = t_g + (1 - t_g)\,a\,(1 - \exp(-|u_v| / b_g)).

References
----------
McFadden, "Conditional logit analysis of qualitative choice behavior", in: Zarembka (ed.), Frontiers in Econometrics,
Academic Press 1974.
Downs, "An Economic Theory of Democracy", Harper 1957 (turnout rises with what is at stake).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from gridlab.errors import ArgumentTypeError, GovernanceError, nearest
from gridlab.governance.voters.sampling import require_voters
from gridlab.governance.voters.terms import GROUPS, Voters
from gridlab.units import Number, exact

__all__ = ["checked_effects", "wheeling_effects"]


def checked_effects(effects: object) -> dict[str, float]:
    """Return the effect on every group (THB a month for a usual member), 0 where none is given.

    Raises
    ------
    ArgumentTypeError
        It is no mapping of names to numbers.
    GovernanceError
        A group is not known, or an effect is not finite.
    """
    if not isinstance(effects, Mapping):
        raise ArgumentTypeError(
            f'effects is a {type(effects).__name__}, allowed: a mapping such as {{"prosumer": 120.0}} (THB a month)'
        )
    for name, value in effects.items():
        if not isinstance(name, str) or name not in GROUPS:
            raise GovernanceError(f"effects: {name!r} is no group of voters; {nearest(name, GROUPS)}")
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ArgumentTypeError(f"effects[{name!r}] is {value!r}, allowed: a number (THB a month)")
        if not math.isfinite(value):
            raise GovernanceError(f"effects[{name!r}] is {value!r}, allowed: a finite number (THB a month)")
    return {name: float(effects.get(name, 0.0)) for name in GROUPS}


def wheeling_effects(change: Number, *, terms: Voters | None = None) -> dict[str, float]:
    """Return what a change of the wheeling charge means to a usual member of each group.

    Those who trade pay it on the energy that they trade; the utilities together get what the others pay.

    Parameters
    ----------
    change : number
        New charge less old one (THB/kWh).
    terms : Voters, optional
        The levers.

    Returns
    -------
    dict of str to float
        Group -> THB a month.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.

    Examples
    --------
    >>> wheeling_effects(-0.5)["prosumer"]
    175.0
    """
    levers, step = require_voters(terms), float(exact(change, what="change (THB/kWh)"))
    traded = {name: float(group.get("wheeled")) for name, group in levers.groups.items()}
    count = {name: int(group.get("members")) for name, group in levers.groups.items()}
    effects = {name: -step * energy for name, energy in traded.items()}
    paid = sum(traded[name] * count[name] for name in GROUPS if name != "utility")
    effects["utility"] = step * paid / count["utility"] if count["utility"] else 0.0
    return {name: effect + 0.0 for name, effect in effects.items()}
