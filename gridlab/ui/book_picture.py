"""Supply and demand of one slot and zone: the two step curves, the clearing point and the gains on either side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridlab.ui import svg
from gridlab.ui.axes import Entry, Panel
from gridlab.ui.figures import energy, money, price, unit
from gridlab.ui.palette import NET_LOAD, SIDES
from gridlab.ui.svg import Floats
from gridlab.ui.words import SIDES as SIDE_WORDS
from gridlab.ui.words import Word

__all__ = ["Book", "Steps", "book_picture"]

_PER_KWH = 1000.0
_FAINT = 0.2


@dataclass(frozen=True, slots=True)
class Steps:
    """One side of a book as a step curve, best price first.

    Attributes
    ----------
    energy : ndarray of float64, shape (n,)
        Energy of each price level (kWh), more than 0.
    price : ndarray of float64, shape (n,)
        THB/kWh.
    """

    energy: Floats
    price: Floats

    @property
    def total(self) -> float:
        """All energy of this side (kWh)."""
        return float(self.energy.sum())

    def until(self, quantity: float) -> tuple[Floats, Floats]:
        """Return the corners of the curve from 0 to at most `quantity` (kWh): energy and price."""
        ends = np.cumsum(self.energy)
        starts = ends - self.energy
        seen = starts < quantity
        x = np.column_stack([starts[seen], np.minimum(ends[seen], quantity)]).ravel()
        return x, np.repeat(self.price[seen], 2)


@dataclass(frozen=True, slots=True)
class Book:
    """What stands in one order book and how it cleared.

    Attributes
    ----------
    name : str
        Slot and zone, in words.
    demand, supply : Steps
    traded : float
        kWh.
    price : float or None
        THB/kWh; None where nothing traded. The mean where trades differ.
    one_price : bool
        Whether all trades have the same price.
    buyer_surplus, seller_surplus : int
        micro-THB.
    """

    name: str
    demand: Steps
    supply: Steps
    traded: float
    price: float | None
    one_price: bool
    buyer_surplus: int
    seller_surplus: int


def _reach(book: Book) -> float:
    """Return the highest energy shown: the short side in full, and enough of the long side to see that it is long."""
    longest, shortest = max(book.demand.total, book.supply.total), min(book.demand.total, book.supply.total)
    return max(min(longest * 1.04, shortest * 1.8), book.traded * 1.3) or longest * 1.04 or 1.0


def _span(book: Book, reach: float) -> tuple[float, float]:
    seen = np.concatenate([side.until(reach)[1] for side in (book.demand, book.supply)])
    if not len(seen):
        return 0.0, 1.0
    margin = 0.04 * float(np.ptp(seen)) or 0.1
    return float(seen.min()) - margin, float(seen.max()) + margin


def _entries(book: Book) -> list[Entry]:
    entries = [Entry(str(SIDE_WORDS[side]), SIDES[side]) for side in ("buy", "sell")]
    if book.price is None:
        return [*entries, Entry(str(Word("no trade", "ไม่มีการซื้อขาย")), NET_LOAD, "dot")]
    at = Word(" at ", " ที่ราคา ") if book.one_price else Word(" at on average ", " ที่ราคาเฉลี่ย ")
    entries.append(Entry(f"{energy(book.traded * _PER_KWH, 3)}{at}{price(book.price * _PER_KWH)}", NET_LOAD, "dot"))
    if not book.one_price:
        gain = f"{Word('gains from trade', 'ประโยชน์รวม')} {money(book.buyer_surplus + book.seller_surplus)}"
        return [*entries, Entry(gain, NET_LOAD, "area")]
    buyers = f"{Word('buyers’ surplus', 'ส่วนเกินผู้ซื้อ')} {money(book.buyer_surplus)}"
    sellers = f"{Word('sellers’ surplus', 'ส่วนเกินผู้ขาย')} {money(book.seller_surplus)}"
    return [*entries, Entry(buyers, SIDES["buy"], "area"), Entry(sellers, SIDES["sell"], "area")]


def _gains(panel: Panel, book: Book) -> list[str]:
    """Return the areas between the curves up to the traded energy, split at the price where there is one."""
    demand, supply = book.demand.until(book.traded), book.supply.until(book.traded)

    def area(upper: tuple[Floats, Floats], lower: tuple[Floats, Floats], colour: str) -> str:
        x = np.concatenate([upper[0], lower[0][::-1]])
        y = np.concatenate([upper[1], lower[1][::-1]])
        return svg.polygon(panel.x(x), panel.y(y), fill=colour, opacity=_FAINT)

    if not book.one_price or book.price is None:
        return [area(demand, supply, NET_LOAD.colour)]
    level = (np.array([0.0, book.traded]), np.full(2, book.price))
    return [area(demand, level, SIDES["buy"].colour), area(level, supply, SIDES["sell"].colour)]


def book_picture(book: Book, *, height: float = 300.0) -> str:
    """Return the supply-and-demand picture of `book` as SVG."""
    reach = _reach(book)
    panel = Panel(
        (0.0, reach),
        _span(book, reach),
        entries=_entries(book),
        height=height,
        y_unit=f"{Word('price', 'ราคา')} ({unit('THB/kWh')})",
        x_unit=f"{Word('energy', 'พลังงานไฟฟ้า')} ({unit('kWh')})",
    )
    panel.rule_x_numbers()
    if book.price is not None:
        panel.parts += _gains(panel, book)
    for side, steps in (("buy", book.demand), ("sell", book.supply)):
        x, y = steps.until(reach)
        panel.parts.append(svg.polyline(panel.x(x), panel.y(y), stroke=SIDES[side].colour, dash=SIDES[side].dash))
    if book.price is not None:
        panel.parts += _clearing_point(panel, book.traded, book.price)
    return panel.picture(f"{Word('Supply and demand', 'อุปสงค์และอุปทาน')}: {book.name}")


def _clearing_point(panel: Panel, traded: float, level: float) -> list[str]:
    x, y = panel.x.at(traded), panel.y.at(level)
    return [
        svg.line(panel.x.start, y, x, y, stroke=NET_LOAD.colour, dash="2 3"),
        svg.line(x, y, x, panel.bottom, stroke=NET_LOAD.colour, dash="2 3"),
        svg.circle(x, y, 5.5, fill=NET_LOAD.colour),
    ]
