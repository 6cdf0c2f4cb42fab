"""The rule ``mcafee``: McAfee's double auction, efficient where a price between the losers fits, else one trade less.

R. P. McAfee, "A dominant strategy double auction", Journal of Economic Theory 56(2), 1992, 434-450.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE
from gridlab.market.core.pricing import point_between
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.margins import Margins
from gridlab.market.truthful_auctions.truthful import Decision, clear_by_margins

__all__ = ["clear_mcafee"]


def clear_mcafee(books: Books, *, k: Fraction, rationing: str) -> Clearing:
    """Clear every book by McAfee's mechanism.

    With the last efficient orders b_k and s_k and the first that do not trade, b_(k+1) and s_(k+1), let ::

        p0 = b_(k+1) + floor(k (s_(k+1) - b_(k+1)))            McAfee: k = 1/2

    If both exist and s_k <= p0 <= b_k, all efficient orders trade at p0. Otherwise the last efficient order of each
    side is left out; the rest buy at b_k and sell at s_k, and the operator keeps the difference.

    Rounding p0 down costs no truthfulness: it is still a function of two orders that do not trade, never below b_(k+1)
    nor above s_(k+1), and the test that accepts it is made with the rounded price.

    **Truthful** where the orders of a book are of equal energy and each account has one: then no order gains by another
    limit, whatever the others do. With unequal energies the orders that trade, in either case, share the shorter side's
    energy by `rationing`; nobody trades at a loss and the budget never runs a deficit, but an order may gain by
    misreporting its limit (an order that is cut can push another out). The rule `trade_reduction` has no such gap.

    Parameters
    ----------
    books : Books
    k : Fraction
        Where p0 lies between b_(k+1) and s_(k+1), 0 to 1.
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Clearing
    """
    return clear_by_margins("mcafee", books, partial(_decide, k=k), RATIONINGS[rationing], next_limits=True)


def _decide(margins: Margins, k: Fraction) -> Decision:
    bid, ask = margins.limit
    next_bid, next_ask = margins.next_limit
    known = (next_bid != NONE) & (next_ask != NONE) & (margins.energy[0] > 0)
    # A next buy never reaches the next sell, or the pair would be efficient too.
    middle = point_between(np.where(known, next_bid, 0), np.where(known, next_ask, 0), k)
    fits = known & (ask <= middle) & (middle <= bid)
    return Decision(np.where(fits, middle, margins.limit), np.stack((fits, fits)))
