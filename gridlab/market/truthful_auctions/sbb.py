"""The rule ``sbb``: strongly budget-balanced trade reduction; one price, and no money is left with the operator.

E. Segal-Halevi, A. Hassidim and Y. Aumann, "SBBA: a strongly-budget-balanced double-auction mechanism", Algorithmic
Game Theory (SAGT), 2016.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.margins import Margins
from gridlab.market.truthful_auctions.truthful import Decision, clear_by_margins

__all__ = ["PRICE_SETTERS", "clear_sbb"]

PRICE_SETTERS = ("buyer", "seller")


def clear_sbb(books: Books, *, price_setter: str, rationing: str) -> Clearing:
    """Clear every book at one price, set by an order that does not gain by it.

    With the last efficient orders b_k and s_k and the first that do not trade, b_(k+1) and s_(k+1)::

        price_setter = "buyer"     p = min(b_k, s_(k+1))       SBBA as published
        price_setter = "seller"    p = max(s_k, b_(k+1))       its mirror image

    If the order that does not trade sets p, all efficient orders trade. Otherwise the last efficient order of the
    setting side is left out, and all efficient orders of the other side share what is left by `rationing`: where SBBA
    leaves one of them out by lot, energy can be divided, so each bears its part and nothing is left to chance.

    **Truthful** where the orders of a book are of equal energy and each account has one; with unequal energies nobody
    trades at a loss and the budget stays balanced, but an order may gain by misreporting its limit.

    Parameters
    ----------
    books : Books
    price_setter : str
        One of `PRICE_SETTERS`.
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Clearing
        With ``operator_surplus`` 0 in every book.
    """
    decide = partial(_decide, setter=PRICE_SETTERS.index(price_setter))
    return clear_by_margins("sbb", books, decide, RATIONINGS[rationing], next_limits=True)


def _decide(margins: Margins, setter: int) -> Decision:
    own, other = margins.limit[setter], margins.next_limit[1 - setter]
    better = other <= own if setter == 0 else other >= own
    outside = (other != NONE) & better
    price = np.where(outside, other, own)
    keeps = np.ones(margins.limit.shape, dtype=np.bool_)
    keeps[setter] = outside
    return Decision(np.stack((price, price)), keeps)
