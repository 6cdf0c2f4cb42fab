"""The rule ``trade_reduction``: the last efficient order of each side sets the other orders' price and does not trade.

The second branch of R. P. McAfee, "A dominant strategy double auction", Journal of Economic Theory 56(2), 1992,
434-450, always taken; for orders of many units as in P. Huang, A. Scheller-Wolf and K. Sycara, "Design of a multi-unit
double auction e-market", Computational Intelligence 18(4), 2002, 596-617.
"""

from __future__ import annotations

import numpy as np

from gridlab.market.core.books import Books
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.margins import Margins
from gridlab.market.truthful_auctions.truthful import Decision, clear_by_margins

__all__ = ["clear_trade_reduction", "reduce_both_sides"]


def clear_trade_reduction(books: Books, *, rationing: str) -> Clearing:
    """Clear every book without its last efficient buy and sell.

    The orders ahead of them buy at b_k and sell at s_k, the limits of the two that are left out. Where one side is
    longer, all its orders share the other side's energy by `rationing`. The operator keeps (b_k - s_k) times energy.

    **Truthful in the limit** for orders of any energy, one per account and book: whoever trades does so at a price and
    for an energy that his own limit does not move, and whoever is left out could only trade at a loss. Not truthful in
    the energy: the longer side gains by overstating it under ``pro_rata``, and either side can move a price in its
    favour by holding energy back.

    Parameters
    ----------
    books : Books
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.

    Returns
    -------
    Clearing
    """
    return clear_by_margins("trade_reduction", books, reduce_both_sides, RATIONINGS[rationing])


def reduce_both_sides(margins: Margins) -> Decision:
    """Decide that the last efficient orders set the prices and do not trade."""
    return Decision(margins.limit, np.zeros(margins.limit.shape, dtype=np.bool_))
