"""Two traders' orders by the second, off chain: quotes, positions, and what each trade moves between the balances.

A quote stands until it is cancelled or taken. Whoever takes it trades at its price::

    amount [micro-WATT] = price [THB/MWh] x energy [Wh]

which the buyer pays to the seller, or the other way about where the price is below 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gridlab.chain.arguments import require_int
from gridlab.chain.channels.states import Pair, paid, require_side
from gridlab.chain.encoding import compact, i64, u8, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.moments import LATEST
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, nearest

__all__ = ["Cancel", "Place", "Quote", "Take", "TraderBook"]

_DOMAIN = "gridlab/channel-trading/1"
_SIDES = ("buy", "sell")
_MOST_QUOTES = 1_000
_HIGHEST_PRICE = 10**9


@dataclass(frozen=True, slots=True)
class Quote:
    """An order that stands.

    Attributes
    ----------
    slot : int
        Start of the delivery slot, microseconds since 1970.
    side : str
        "buy" or "sell", as its maker sees it.
    price : int
        THB/MWh, may be negative.
    energy : int
        Wh, more than 0.
    """

    slot: int
    side: str
    price: int
    energy: int

    def __post_init__(self) -> None:
        require_int("slot", self.slot, 0, LATEST)
        if self.side not in _SIDES:
            raise ArgumentError(f"side is {self.side!r}; {nearest(self.side, _SIDES)}")
        require_int("price", self.price, -_HIGHEST_PRICE, _HIGHEST_PRICE)
        require_int("energy", self.energy, 1, LARGEST)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return u64(self.slot) + u8(_SIDES.index(self.side)) + i64(self.price) + u64(self.energy)


@dataclass(frozen=True, slots=True)
class Place:
    """Move: a new quote of the mover."""

    quote: Quote


@dataclass(frozen=True, slots=True)
class Cancel:
    """Move: the mover withdraws its own quote."""

    number: int


@dataclass(frozen=True, slots=True)
class Take:
    """Move: the mover trades `energy` (Wh) against the other side's quote."""

    number: int
    energy: int


Move = Place | Cancel | Take


@dataclass(frozen=True, slots=True)
class TraderBook:
    """Quotes and positions of two traders, an application of a `StateChannel`.

    Attributes
    ----------
    quotes : tuple of (int, int, Quote)
        Number, maker, quote; in the order of numbers.
    positions : tuple of (int, int)
        Slot, and what side 0 has bought of side 1 for it (Wh, negative: sold); sorted.
    placed : int
        How many quotes there have been.
    """

    quotes: tuple[tuple[int, int, Quote], ...] = ()
    positions: tuple[tuple[int, int], ...] = field(default=())
    placed: int = 0

    @property
    def hash(self) -> bytes:
        """Hash over quotes and positions, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        quotes = [u64(number) + u8(maker) + quote.to_bytes() for number, maker, quote in self.quotes]
        positions = [u64(slot) + i64(energy) for slot, energy in self.positions]
        lists = [b"".join([compact(len(rows)), *rows]) for rows in (quotes, positions)]
        return u64(self.placed) + b"".join(lists)

    def advance(self, balances: Pair, move: Move, mover: int) -> tuple[TraderBook, Pair]:
        """Return the book and the balances after a move.

        Raises
        ------
        ArgumentTypeError
            `move` is none of `Place`, `Cancel` and `Take`.
        ChainError
            The quote does not exist or is not the right side's, it is less than what is taken, there are too many, or
            whoever pays holds too little.
        """
        require_side(mover)
        if isinstance(move, Place):
            return self._placed(move.quote, mover), balances
        if isinstance(move, Cancel):
            self._quote(move.number, maker=mover)
            return self._without(move.number, None), balances
        if isinstance(move, Take):
            return self._taken(move, mover, balances)
        raise ArgumentTypeError(f"move is a {type(move).__name__}, allowed: Place, Cancel or Take")

    def _placed(self, quote: Quote, mover: int) -> TraderBook:
        if len(self.quotes) >= _MOST_QUOTES:
            raise ChainError(f"place: {len(self.quotes)} quotes stand already, allowed: {_MOST_QUOTES}; cancel some")
        return replace(self, quotes=(*self.quotes, (self.placed, mover, quote)), placed=self.placed + 1)

    def _taken(self, move: Take, mover: int, balances: Pair) -> tuple[TraderBook, Pair]:
        quote = self._quote(move.number, maker=1 - mover)
        require_int("energy", move.energy, 1, quote.energy)
        buyer = 1 - mover if quote.side == "buy" else mover
        amount = quote.price * move.energy
        if amount:
            balances = paid(balances, buyer if amount > 0 else 1 - buyer, abs(amount))
        rest = replace(quote, energy=quote.energy - move.energy) if move.energy < quote.energy else None
        held = dict(self.positions)
        held[quote.slot] = held.get(quote.slot, 0) + (move.energy if buyer == 0 else -move.energy)
        return replace(self._without(move.number, rest), positions=tuple(sorted(held.items()))), balances

    def _quote(self, number: int, *, maker: int) -> Quote:
        require_int("number", number)
        for known, owner, quote in self.quotes:
            if known == number and owner == maker:
                return quote
        raise ChainError(f"quote {number} does not stand, or is not side {maker}'s; {len(self.quotes)} quotes stand")

    def _without(self, number: int, rest: Quote | None) -> TraderBook:
        kept = []
        for known, maker, quote in self.quotes:
            if known != number:
                kept.append((known, maker, quote))
            elif rest is not None:
                kept.append((known, maker, rest))
        return replace(self, quotes=tuple(kept))
