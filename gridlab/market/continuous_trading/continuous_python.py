"""The kernel of the continuous auction in plain Python: the same tape with no compiler in the house.

It serves small frames, for which loading a compiler would take longer than the auction, and every frame where numba is
not installed. Each side of a book is a heap of levels; each level is a first-in, first-out queue. A cancelled order
stays in its queue until it comes to the front, a level without depth in its heap until it comes to the top.
"""

# ruff: noqa: PLR0917 - threads hand a kernel its arrays and its chunk by position

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from gridlab.market.continuous_trading.continuous_book import (
    ALLOW,
    CANCEL,
    CANCEL_DONE,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    CANCEL_TOO_LATE,
    CANCELLED,
    EXPIRED,
    FILLED,
    FOK,
    KILLED,
    LIMIT,
    POST_ONLY,
    RESTING,
    SELF_TRADE,
    WOULD_CROSS,
    Arrivals,
    Tape,
)
from gridlab.market.core.kernels import NONE

__all__ = ["match"]

Int64s = npt.NDArray[np.int64]


class _Queue:
    """The resting orders of one level: positions by arrival, and their energy (Wh)."""

    __slots__ = ("depth", "orders")

    def __init__(self) -> None:
        self.depth = 0
        self.orders: deque[int] = deque()


class _Side:
    """One side of a book. A merit is a level turned so that less is better."""

    __slots__ = ("heap", "queues", "sign", "total")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.heap: list[int] = []
        self.queues: dict[int, _Queue] = {}
        self.total = 0

    def best(self) -> _Queue | None:
        """Return the queue of the best level with anything in it."""
        while self.heap:
            queue = self.queues[self.heap[0]]
            if queue.depth:
                return queue
            del self.queues[heappop(self.heap)]
        return None

    def meets(self, level: int) -> bool:
        """Tell whether the best level is at or better than `level`."""
        return self.best() is not None and self.heap[0] <= self.sign * level

    def rest(self, level: int, order: int, energy: int) -> None:
        """Put an order at the end of its level's queue."""
        merit = self.sign * level
        if merit not in self.queues:
            self.queues[merit] = _Queue()
            heappush(self.heap, merit)
        self.queues[merit].orders.append(order)
        self.lower(level, -energy)

    def lower(self, level: int, energy: int) -> None:
        """Take energy off a level."""
        self.queues[self.sign * level].depth -= energy
        self.total -= energy


class _Book:
    """One book and its orders, as lists, which Python reads faster than arrays."""

    def __init__(self, orders: dict[str, list[int]], self_trade: int) -> None:
        self.side, self.kind, self.level = orders["side"], orders["kind"], orders["level"]
        self.price, self.energy = orders["price"], orders["energy"]
        self.account, self.target = orders["account"], orders["target"]
        self.self_trade = self_trade
        self.sides = (_Side(-1), _Side(1))
        self.remaining = list(self.energy)
        self.amount = [0] * len(self.energy)
        self.outcome = [FILLED] * len(self.energy)
        self.trades: list[tuple[int, int, int]] = []

    def arrive(self, i: int) -> None:
        """Let one order arrive."""
        kind, side = self.kind[i], self.side[i]
        if kind == CANCEL:
            self.cancel(i)
        elif kind == POST_ONLY and self.sides[1 - side].meets(self.level[i]):
            self.outcome[i] = WOULD_CROSS
        elif kind == FOK and not self.fills_whole(i):
            self.outcome[i] = KILLED
        else:
            self.take(i)
            if self.remaining[i] and self.outcome[i] != SELF_TRADE:
                rests = kind in {LIMIT, POST_ONLY}
                self.outcome[i] = RESTING if rests else EXPIRED
                if rests:
                    self.sides[side].rest(self.level[i], i, self.remaining[i])

    def take(self, i: int) -> None:
        """Trade an arriving order against the other side."""
        other = self.sides[1 - self.side[i]]
        while self.remaining[i] and self.outcome[i] != SELF_TRADE and other.meets(self.level[i]):
            orders = other.queues[other.heap[0]].orders
            maker = orders[0]
            if self.outcome[maker] != RESTING:
                orders.popleft()
            elif self.self_trade != ALLOW and self.account[maker] == self.account[i]:
                self.meet_own(i, maker)
            else:
                self.trade(i, maker)

    def trade(self, i: int, maker: int) -> None:
        """Trade as much as both orders can, at the resting order's price."""
        volume = min(self.remaining[i], self.remaining[maker])
        for order in (i, maker):
            self.remaining[order] -= volume
            self.amount[order] += volume * self.price[maker]
        self.trades.append((i, maker, volume))
        self.sides[self.side[maker]].lower(self.level[maker], volume)
        if not self.remaining[maker]:
            self.outcome[maker] = FILLED

    def remove(self, order: int, outcome: int) -> None:
        """Take a resting order out of the book."""
        self.sides[self.side[order]].lower(self.level[order], self.remaining[order])
        self.outcome[order] = outcome

    def meet_own(self, i: int, maker: int) -> None:
        """Cancel the arriving order, the resting order or both, which belong to one account."""
        if self.self_trade != CANCEL_NEWEST:
            self.remove(maker, SELF_TRADE)
        if self.self_trade != CANCEL_OLDEST:
            self.outcome[i] = SELF_TRADE

    def cancel(self, i: int) -> None:
        """Take the order that a cancel is about out of the book, if it still rests there."""
        resting = self.outcome[self.target[i]] == RESTING
        self.outcome[i] = CANCEL_DONE if resting else CANCEL_TOO_LATE
        if resting:
            self.remove(self.target[i], CANCELLED)

    def fills_whole(self, i: int) -> bool:
        """Tell whether all of a fill-or-kill order can trade at once."""
        other, wanted = self.sides[1 - self.side[i]], self.energy[i]
        reach = other.sign * self.level[i]
        merits = sorted(merit for merit in other.queues if merit <= reach)
        offered = sum(other.queues[merit].depth for merit in merits)
        if offered < wanted or self.self_trade == ALLOW:
            return offered >= wanted
        for order in (order for merit in merits for order in other.queues[merit].orders):
            if self.outcome[order] != RESTING:
                continue
            if self.account[order] != self.account[i]:
                wanted -= self.remaining[order]
                if wanted <= 0:
                    return True
            elif self.self_trade != CANCEL_OLDEST:
                return False
        return False

    def record(self, i: int) -> list[int]:
        """Return the row of the event table after an arrival."""
        bids, asks = self.sides
        bid, ask = bids.best(), asks.best()
        return [
            self.energy[i] - self.remaining[i],
            NONE if bid is None else self.price_at(bid),
            NONE if ask is None else self.price_at(ask),
            bid.depth if bid else 0,
            ask.depth if ask else 0,
            bids.total,
            asks.total,
            self.price[self.trades[-1][1]] if self.trades else NONE,
        ]

    def price_at(self, queue: _Queue) -> int:
        """Return the price of a level: that of any order in its queue, gone or not."""
        return self.price[queue.orders[0]]


def match(
    arrivals: Arrivals, tape: Tape, firsts: Int64s, levels: int, self_trade: int, start: int, stop: int
) -> None:
    """Run the books from `start` to `stop`; write what happens to `tape`."""
    del levels  # the compiled kernel's business: heaps need not know how many there are
    record = len(tape.events) > 0
    for number in range(start, stop):
        first, end = int(firsts[number]), int(firsts[number + 1])
        columns: dict[str, list[int]] = {
            name: values[first:end].tolist() for name, values in arrivals._asdict().items() if name != "target"
        }
        book = _Book({**columns, "target": (arrivals.target[first:end] - first).tolist()}, self_trade)
        events = []
        for i in range(end - first):
            book.arrive(i)
            if record:
                events.append(book.record(i))
        _write(book, tape, events, first, end)


def _write(book: _Book, tape: Tape, events: list[list[int]], first: int, end: int) -> None:
    """Write what happened in one book."""
    tape.remaining[first:end] = book.remaining
    tape.amount[first:end] = book.amount
    tape.outcome[first:end] = book.outcome
    if book.trades:
        tape.trades[first : first + len(book.trades)] = np.array(book.trades) + np.array([first, first, 0])
    if events:
        tape.events[first:end] = events
