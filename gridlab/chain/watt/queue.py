"""The queue of redemptions: who came first is paid first.

A queue is never changed; adding and paying return another one. All versions share one tape of entries that only ever
grows at its end, so adding the thousandth redemption of a block does not copy the 999 before it. A version that is not
the newest copies its part of the tape before it adds, so forks do not see each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.array_encoding import encode_array, read_array
from gridlab.chain.encoding import Reader, u64
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import ChainError

__all__ = ["Front", "Redemption", "RedemptionQueue"]

_FRAME = {"redemption": pl.UInt64, "account": pl.UInt32, "amount": pl.Int64, "transfer": pl.UInt64}


class Redemption(NamedTuple):
    """One place in the queue.

    Attributes
    ----------
    account : int
        Whose.
    amount : int
        WATT still to be redeemed, micro-THB.
    transfer : int
        Id of the pending transfer that holds them.
    """

    account: int
    amount: int
    transfer: int


class Front(NamedTuple):
    """What a payout takes from the front of the queue.

    Attributes
    ----------
    rows : array of int64, shape (n, 3)
        Account, whole amount, transfer of each redemption touched.
    paid : array of int64, shape (n,)
        What of it is paid now, micro-THB; less than the whole amount in the last row only.
    """

    rows: npt.NDArray[np.int64]
    paid: npt.NDArray[np.int64]

    @property
    def rest(self) -> int:
        """What stays in the queue of the last redemption touched, micro-THB."""
        return int(self.rows[-1, 1] - self.paid[-1])


class RedemptionQueue:
    """Redemptions in the order in which they came.

    Attributes
    ----------
    first : int
        Number of the one at the front; redemptions are numbered from 0 and keep their numbers.
    total : int
        All that is queued, micro-THB.

    Examples
    --------
    >>> queue = RedemptionQueue().add(Redemption(5, 30, 0)).add(Redemption(6, 20, 1))
    >>> front = queue.front(40)
    >>> front.paid.tolist(), front.rest
    ([30, 10], 10)
    >>> queue.after(front, transfer=2)
    RedemptionQueue(1 waiting from number 1, 10 micro-THB)
    """

    __slots__ = ("_start", "_stop", "_tape", "first", "total")

    def __init__(self, entries: tuple[Redemption, ...] = (), first: int = 0) -> None:
        self._tape: list[Redemption] = list(entries)
        self._start, self._stop, self.first = 0, len(self._tape), first
        self.total = sum(each.amount for each in self._tape)

    def __repr__(self) -> str:
        return f"RedemptionQueue({len(self)} waiting from number {self.first}, {self.total} micro-THB)"

    def __len__(self) -> int:
        return self._stop - self._start

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RedemptionQueue) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    @property
    def entries(self) -> tuple[Redemption, ...]:
        """The redemptions that wait, the oldest first."""
        return tuple(self._tape[self._start : self._stop])

    @property
    def frame(self) -> pl.DataFrame:
        """The same as a frame: redemption (number), account, amount (micro-THB), transfer."""
        rows = [(self.first + place, *entry) for place, entry in enumerate(self.entries)]
        return pl.DataFrame(rows, schema=_FRAME, orient="row")

    def add(self, redemption: Redemption) -> RedemptionQueue:
        """Return the queue with one more at its end."""
        tape, start, stop = self._tape, self._start, self._stop
        # Another version has written on, or half of the tape is paid already.
        if stop != len(tape) or start > len(tape) // 2:
            tape, start, stop = tape[start:stop], 0, stop - start
        tape.append(redemption)
        return self._version(tape, start, stop + 1, self.first, self.total + redemption.amount)

    def front(self, amount: int) -> Front:
        """Return what paying `amount` (micro-THB, 1 … `total`) takes from the front."""
        if not 0 < amount <= self.total:
            raise ChainError(
                f"redemption_payout: {amount} micro-THB are to be paid out, allowed: 1 … {self.total}, which is queued"
            )
        rows = np.array(self._tape[self._start : self._stop], np.int64).reshape(-1, 3)
        before = np.cumsum(rows[:, 1]) - rows[:, 1]
        touched = int(np.searchsorted(before, amount))
        paid = np.minimum(rows[:touched, 1], amount - before[:touched])
        return Front(rows[:touched], paid)

    def after(self, front: Front, transfer: int) -> RedemptionQueue:
        """Return the queue without what `front` pays; what is left of the last one is held by `transfer`."""
        touched, rest, total = len(front.paid), front.rest, self.total - int(front.paid.sum())
        if not rest:
            return self._version(self._tape, self._start + touched, self._stop, self.first + touched, total)
        head = Redemption(int(front.rows[-1, 0]), rest, transfer)
        tape = [head, *self._tape[self._start + touched : self._stop]]
        return self._version(tape, 0, len(tape), self.first + touched - 1, total)

    @classmethod
    def _version(
        cls, tape: list[Redemption], start: int, stop: int, first: int, total: int
    ) -> RedemptionQueue:
        queue = object.__new__(cls)
        queue._tape, queue._start, queue._stop = tape, start, stop
        queue.first, queue.total = first, total
        return queue

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows: npt.NDArray[Any] = np.array(self.entries, np.int64).reshape(-1, 3)
        return u64(self.first) + encode_array(rows)

    @classmethod
    def read(cls, reader: Reader) -> RedemptionQueue:
        """Read what `to_bytes` wrote; raises ChainError where an amount is not above 0 or all together overflow."""
        first, rows = reader.u64(), read_array(reader, np.int64, width=3)
        queue = cls(tuple(Redemption(*row) for row in rows.tolist()), first)
        if (rows[:, 1] <= 0).any() or (rows[:, [0, 2]] < 0).any() or queue.total > LARGEST:
            raise reader.error("a redemption is not above 0, has no account or transfer, or all together overflow")
        return queue
