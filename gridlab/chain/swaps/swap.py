"""The drill: one swap from beginning to end, in virtual time, under a seeded adversary.

Both sides act within their reaction time, the adversary makes the blocks of both chains, and stops are ordered as told.
At the end each side either has what it was promised, or still has what it gave: unless it was not honest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.swaps.deal import INITIATOR, RESPONDER, Deal, World
from gridlab.chain.swaps.griefing import capital_time
from gridlab.chain.swaps.model_chain import Choose, ModelChain
from gridlab.chain.swaps.parties import BEHAVIOURS, INITIATOR_NAME, RESPONDER_NAME, Party, behave
from gridlab.chain.swaps.terms import SwapTerms
from gridlab.doors import through
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.seeds import check_seed, stream

__all__ = ["Halt", "Swap", "SwapOutcome", "outcome_of"]

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Halt:
    """An emergency stop in a drill.

    Attributes
    ----------
    chain : str
        "first" or "second".
    begin, end : int
        Seconds from the start.
    """

    chain: str
    begin: int
    end: int

    def __post_init__(self) -> None:
        if self.chain not in ("first", "second"):
            raise ArgumentError(f"chain is {self.chain!r}, {nearest(self.chain, ('first', 'second'))}")
        require_int("begin", self.begin, 0)
        require_int("end", self.end, self.begin + 1, 10**6)


@dataclass(frozen=True, slots=True)
class SwapOutcome:
    """How a swap ended.

    Attributes
    ----------
    result : str
        "swapped", "refunded" (somebody locked, all went back), "nothing" (nobody locked), or "one-sided".
    losers : tuple of str
        Who gave and did not get.
    seconds : int
        How long the drill ran: until every timeout was over and every refund could be final.
    orders : polars.DataFrame
        second (Float64, the chain's clock), chain, party, action, refused (text, empty where it was not).
    locked : polars.DataFrame
        What was locked up for how long, as `capital_time` returns it.
    forks : int
        Blocks with orders in them that were dropped before they were final.
    """

    result: str
    losers: tuple[str, ...]
    seconds: int
    orders: pl.DataFrame = field(repr=False)
    locked: pl.DataFrame = field(repr=False)
    forks: int = 0

    @property
    def plot(self) -> Any:
        """Pictures: ``outcome.plot.timeline()`` (HoloViews)."""
        return through("swap_plot", self)


class Swap:
    """A swap to be drilled.

    Parameters
    ----------
    deal : Deal, optional
    terms : SwapTerms, optional
    initiator, responder : str
        How they behave, one of `BEHAVIOURS`.
    halts : sequence of Halt
        Emergency stops; those of one chain may not overlap.
    seed : int
    told : bool
        Whether the first chain is told of the second one's stops.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type, or a behaviour is not known.

    Examples
    --------
    >>> Swap(seed=1).run().result
    'swapped'
    >>> Swap(responder="griefing", seed=1).run().result
    'refunded'
    """

    def __init__(
        self,
        deal: Deal | None = None,
        terms: SwapTerms | None = None,
        *,
        initiator: str = "honest",
        responder: str = "honest",
        halts: Sequence[Halt] = (),
        seed: int = 0,
        told: bool = True,
    ) -> None:
        self.terms = _require("terms", SwapTerms() if terms is None else terms, SwapTerms)
        self.deal = _require("deal", Deal() if deal is None else deal, Deal)
        for name, behaviour in ((INITIATOR_NAME, initiator), (RESPONDER_NAME, responder)):
            if behaviour not in BEHAVIOURS:
                raise ArgumentError(f"{name} is {behaviour!r}; {nearest(behaviour, BEHAVIOURS)}")
        self.behaviours = {INITIATOR_NAME: initiator, RESPONDER_NAME: responder}
        self.halts = tuple(require_sequence("halts", halts, Halt))
        _refuse_overlap(self.halts)
        self.seed, self.told = check_seed(seed), told

    def __repr__(self) -> str:
        behaviours = ", ".join(f"{role} {how}" for role, how in self.behaviours.items())
        deal = self.deal
        return f"Swap({deal.amount_given} {deal.gives} for {deal.amount_got} {deal.gets}; {behaviours})"

    def run(self) -> SwapOutcome:
        """Run the drill; the same seed gives the same outcome."""
        random = stream(self.seed, "swap")
        return self.drive(lambda options: int(random.integers(options)), random.bytes(32))

    def drive(self, choose: Choose, secret: bytes) -> SwapOutcome:
        """Run the drill with an adversary of your own and a given secret of 32 bytes."""
        world = World.of(self.deal, self.terms, told=self.told)
        parties = (Party(INITIATOR_NAME, secret), Party(RESPONDER_NAME))
        acted = dict.fromkeys(self.behaviours, 0)
        for second in range(self._longest()):
            self._halt(world, second)
            for party in parties:
                # Adversary or not: nobody is kept from acting for longer than the reaction time.
                if second - acted[party.role] >= self.terms.reaction - 1 or choose(2):
                    acted[party.role] = second
                    behave(party, self.behaviours[party.role], world, choose)
            world.advance(choose)
        return outcome_of(world)

    def _longest(self) -> int:
        # Until both timeouts are over, refunds are final, and every stop and its notice are in the past.
        stood = max((halt.end for halt in self.halts), default=0)
        slack = 4 * self.terms.finality + 2 * self.terms.reaction + 2 * self.terms.drift + 2 * self.terms.notice
        return int(stood + self.terms.first_timeout + self.terms.answer + slack)

    def _halt(self, world: World, second: int) -> None:
        chains = {"first": world.first, "second": world.second}
        for halt in self.halts:
            if second == halt.end:
                world.resume(chains[halt.chain])
        for halt in self.halts:
            if second == halt.begin:
                world.stop(chains[halt.chain])


def _refuse_overlap(halts: Sequence[Halt]) -> None:
    for place, halt in enumerate(halts):
        for other in halts[:place]:
            if other.chain == halt.chain and other.begin < halt.end and halt.begin < other.end:
                raise ArgumentError(f"halts: {halt} overlaps {other}, allowed: stops of one chain one after the other")


def _require(name: str, value: object, kind: type[_Part]) -> _Part:
    if not isinstance(value, kind):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: {kind.__name__}(…)")
    return value


def outcome_of(world: World) -> SwapOutcome:
    """Say how a swap stands now: who has lost, what was locked, and every order in a block."""
    gave = {name: _paid(chain, who) for name, chain, who in _sides(world)}
    losers = []
    if gave[INITIATOR_NAME] > 0 and gave[RESPONDER_NAME] < world.deal.amount_got:
        losers.append(INITIATOR_NAME)
    if gave[RESPONDER_NAME] > 0 and gave[INITIATOR_NAME] < world.deal.amount_given:
        losers.append(RESPONDER_NAME)
    result = "swapped" if all(gave.values()) else "one-sided" if any(gave.values()) else "refunded"
    if not (world.first.head.book.locks or world.second.head.book.locks):
        result = "nothing"
    forks = world.first.dropped + world.second.dropped
    return SwapOutcome(result, tuple(losers), world.tick, _orders(world), capital_time(world), forks)


def _sides(world: World) -> tuple[tuple[str, ModelChain, int], ...]:
    return (INITIATOR_NAME, world.first, INITIATOR), (RESPONDER_NAME, world.second, RESPONDER)


def _paid(chain: ModelChain, account: int) -> int:
    before, after = chain.blocks[0].ledger, chain.head.ledger
    asset = next(name for name in before.balances.columns[1:] if before.balance(account, name))
    # What a liar gave to a third party is his own affair.
    other = RESPONDER if account == INITIATOR else INITIATOR
    return after.balance(other, asset) - before.balance(other, asset)


def _orders(world: World) -> pl.DataFrame:
    rows = [
        (block.moment / 1e6, chain.name, order.party, order.action, reason)
        for chain in (world.first, world.second)
        for block in chain.blocks
        for order, reason in block.orders
    ]
    schema = {"second": pl.Float64, "chain": pl.String, "party": pl.String, "action": pl.String, "refused": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("second", maintain_order=True)
