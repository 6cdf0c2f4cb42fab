"""A small chain in virtual time on which swaps are drilled: real ledger and locks, an adversary who makes the blocks.

One tick is one second. In every tick the chain may drop blocks that are not final, then makes a block of those waiting
transactions that the adversary picks, in the order that he picks. Two promises bind him, and nothing else: a
transaction is final `finality` ticks after it was sent, forks included, and clocks stay within the drift. While the
chain stands nothing happens and its promises wait.

The network's delay, the fork rule and the vote are not modelled: whatever they do, the adversary can do it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps.hashlock import LockTerms
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.stops import Stops
from gridlab.chain.swaps.terms import SECOND
from gridlab.errors import GridlabError

__all__ = ["Choose", "ModelBlock", "ModelChain", "Order"]

# Takes how many options there are and returns one of them, 0 upwards: whoever drives the adversary.
Choose = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Order:
    """What a party sends to a chain.

    Attributes
    ----------
    party : str
    action : str
        "lock", "claim" or "refund".
    terms : LockTerms or None
        Of a lock.
    lock_id : bytes
        Of a claim or refund.
    preimage : bytes
        Of a claim.
    due : int
        Age of the chain at which it is final; given by the chain.
    """

    party: str
    action: str
    terms: LockTerms | None = None
    lock_id: bytes = b""
    preimage: bytes = b""
    due: int = 0


@dataclass(frozen=True, slots=True)
class ModelBlock:
    """One block and what it leads to.

    Attributes
    ----------
    moment : int
        The chain's own clock, microseconds.
    orders : tuple of (Order, str)
        With why each was refused, "" where it was not.
    book : LockBook
    ledger : Ledger
    """

    moment: int
    orders: tuple[tuple[Order, str], ...]
    book: LockBook
    ledger: Ledger


@dataclass(slots=True)
class ModelChain:
    """The chain.

    Parameters
    ----------
    name : str
    ledger : Ledger
        At genesis.
    finality : int
        Ticks.
    drift : int
        Ticks by which the clock may be ahead of true time.
    """

    name: str
    ledger: Ledger
    finality: int
    drift: int
    age: int = 0
    clock: int = 0
    stops: Stops = field(default_factory=Stops)
    pool: list[Order] = field(default_factory=list)
    blocks: list[ModelBlock] = field(default_factory=list)
    dropped: int = 0

    def __post_init__(self) -> None:
        self.blocks.append(ModelBlock(0, (), LockBook(self.name), self.ledger))

    @property
    def head(self) -> ModelBlock:
        """The newest block; it may still be dropped."""
        return self.blocks[-1]

    @property
    def final(self) -> ModelBlock:
        """The newest block that nothing can undo."""
        for block in reversed(self.blocks):
            if self._is_final(block):
                return block
        return self.blocks[0]

    def _is_final(self, block: ModelBlock) -> bool:
        # A block stands as soon as one of its orders must, and with it all blocks before.
        return any(order.due <= self.age for order, _ in block.orders)

    @property
    def standing(self) -> bool:
        """Whether the chain stands by its own emergency stop."""
        return self.stops.standing(self.name)

    def submit(self, order: Order) -> None:
        """Take an order into the pool; the same one twice is one."""
        waiting = [replace(other, due=0) for other in self.pool]
        if order not in waiting:
            self.pool.append(replace(order, due=self.age + self.finality))

    def tick(self, true_time: int, choose: Choose) -> None:
        """Let one second pass; `true_time` is how many have."""
        ahead = choose(self.drift + 1)
        self.clock = max(self.clock, (true_time + ahead) * SECOND)
        if self.standing:
            return
        self.age += 1
        self._drop(choose)
        self._seal(self._pick(choose))

    def stop(self) -> None:
        """Stand still from now on."""
        self.stops = self.stops.begin(self.name, self.clock)

    def resume(self) -> None:
        """Go on."""
        self.stops = self.stops.end(self.name, self.clock)

    def _drop(self, choose: Choose) -> None:
        # Two of eight options drop blocks, so that forks come, but not in every tick.
        for _ in range(max(choose(8) - 5, 0)):
            if len(self.blocks) == 1 or self._is_final(self.head):
                return
            block = self.blocks.pop()
            self.pool = [order for order, _ in block.orders] + self.pool
            self.dropped += bool(block.orders)

    def _pick(self, choose: Choose) -> list[Order]:
        picked: list[Order] = []
        left: list[Order] = []
        for order in self.pool:
            # One tick early, so that at its due age it stands in a block that may not be dropped.
            if order.due - 1 <= self.age or choose(2):
                picked.insert(choose(len(picked) + 1), order)
            else:
                left.append(order)
        self.pool = left
        return picked

    def _seal(self, picked: list[Order]) -> None:
        if not picked:
            return
        book, ledger, done = self.head.book, self.head.ledger.fork(), []
        for order in picked:
            reason = ""
            try:
                book = self._execute(book, ledger, order)
            except GridlabError as refusal:
                reason = str(refusal)
            done.append((order, reason))
        self.blocks.append(ModelBlock(self.clock, tuple(done), book, ledger))

    def _execute(self, book: LockBook, ledger: Ledger, order: Order) -> LockBook:
        if order.terms is not None:
            return book.lock(ledger, order.terms, self.clock, self.stops)[0]
        if order.action == "claim":
            return book.claim(ledger, order.lock_id, order.preimage, self.clock, self.stops)[0]
        return book.refund(ledger, order.lock_id, self.clock, self.stops)[0]
