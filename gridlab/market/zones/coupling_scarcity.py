"""Scarcity: what the energy costs where buys at the market's cap go short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gridlab.market.core.books import Books
from gridlab.market.core.kernels import NONE
from gridlab.market.zones.coupling_sharing import Shares, cell_sums
from gridlab.market.zones.transfer_limits import PPM, Corridors

__all__ = ["at_last_ask"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def at_last_ask(books: Books, net: Corridors, shares: Shares, cap: int) -> Shares:
    """Take the price of short zones down from the cap to what the energy there is offered at.

    The new price is the lowest that is no less than any sell in use in the zone, than the price of any zone that
    exports to it, and than the price of any zone to which it could still export (after losses). Who gets what is
    unchanged; what sellers and the grid would have earned at the cap stays with the buyers.

    Parameters
    ----------
    books : Books
        Book ``t * zones + z`` is zone z in slot t.
    net : Corridors
    shares : Shares
        Priced with short zones at the cap.
    cap : int
        Highest limit of the market (THB/MWh).

    Returns
    -------
    Shares
    """
    shape = shares.price.shape
    waiting = (books.side == 0) & (books.price == cap)
    unserved = cell_sums(books.count, books.book[waiting], (books.energy - shares.fills.filled)[waiting]) > 0
    short = _with_neighbours(net, unserved.reshape(shape) & (shares.price == cap), shares.price == cap)
    if not short.any():
        return shares
    dearest = np.full(books.count, np.iinfo(np.int64).min)
    sold = (books.side == 1) & (shares.fills.filled > 0)
    np.maximum.at(dearest, books.book[sold], books.price[sold])
    # Where nothing is sold, a neighbour that exports there sets the price; a limit below all others waits for it.
    lowest = int(books.price.min())
    price = np.where(short, np.maximum(dearest.reshape(shape), lowest), shares.price)
    price = _raised(net, shares.schedule[1], price, short, cap)
    paid = price.ravel()[books.book]
    fills = replace(shares.fills, paid=paid, amount=np.where(shares.fills.filled > 0, shares.fills.filled * paid, 0))
    return replace(shares, fills=fills, price=price)


def _with_neighbours(net: Corridors, short: Bools, at_cap: Bools) -> Bools:
    """Return the short zones, and those at the cap that are in one price area with them."""
    short = short.copy()
    for _ in range(short.shape[1]):
        for corridor, (start, end) in enumerate(zip(net.start, net.end, strict=True)):
            together = (net.capacity[:, corridor] > 0) & at_cap[:, start] & at_cap[:, end]
            either = together & (short[:, start] | short[:, end])
            short[:, start] |= either
            short[:, end] |= either
    return short


def _raised(net: Corridors, sent: Int64s, price: Int64s, short: Bools, cap: int) -> Int64s:
    """Raise the prices of short zones until no corridor carries energy, or could carry more, to its loss."""
    price = price.copy()
    for _ in range(price.shape[1]):
        for corridor, (start, end) in enumerate(zip(net.start, net.end, strict=True)):
            kept = PPM - net.loss[:, corridor]
            flows, room = sent[:, corridor] > 0, sent[:, corridor] < net.capacity[:, corridor]
            after = np.minimum(-(-price[:, start] * PPM // kept), cap)
            before = price[:, end] * kept // PPM
            known = (price[:, start] != NONE) & (price[:, end] != NONE)
            rises = short[:, end] & flows & known
            price[rises, end] = np.maximum(price[rises, end], after[rises])
            rises = short[:, start] & room & known
            price[rises, start] = np.maximum(price[rises, start], before[rises])
    return price
