"""What two parties agree to swap, and the world in which they do it: two chains and a clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger import Ledger
from gridlab.chain.ledger.doors import require_asset
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.swaps.hashlock import HashLock
from gridlab.chain.swaps.model_chain import Choose, ModelBlock, ModelChain
from gridlab.chain.swaps.postings import Posting, apply_postings
from gridlab.chain.swaps.terms import SwapTerms

__all__ = ["INITIATOR", "ISSUER", "RESPONDER", "Deal", "World"]

ISSUER, INITIATOR, RESPONDER = range(3)


@dataclass(frozen=True, slots=True)
class Deal:
    """The initiator gives `gives` on the first chain and gets `gets` on the second.

    Attributes
    ----------
    gives, gets : str
        Assets: GRID lives on the public chain, WATT on the consortium's.
    amount_given, amount_got : int
        The assets' smallest units.
    """

    gives: str = "GRID"
    amount_given: int = 40_000_000
    gets: str = "WATT"
    amount_got: int = 100_000_000

    def __post_init__(self) -> None:
        for asset, amount in ((self.gives, self.amount_given), (self.gets, self.amount_got)):
            require_asset(asset)
            require_int(f"amount of {asset}", amount, 1, LARGEST // 4)


@dataclass(slots=True)
class World:
    """Two chains, and what is known of the deal on them.

    Attributes
    ----------
    deal : Deal
    terms : SwapTerms
    first, second : ModelChain
        The initiator pays on the first, the responder on the second.
    tick : int
        Seconds of true time.
    notices : list of (int, str, int, bool)
        On their way to the first chain: its age at which they are due, the chain that stopped or went on, when, and
        whether it stopped.
    told : bool
        Whether such notices are sent.
    """

    deal: Deal
    terms: SwapTerms
    first: ModelChain
    second: ModelChain
    tick: int = 0
    notices: list[tuple[int, str, int, bool]] = field(default_factory=list)
    told: bool = True

    @classmethod
    def of(cls, deal: Deal, terms: SwapTerms, *, told: bool = True) -> World:
        """Return the world before anything happened; each party holds twice what it gives.

        `told` False leaves out the notices of stops, to show what they are for.
        """
        finality = {"GRID": terms.public_finality, "WATT": terms.consortium_finality}
        sides = (("first", deal.gives, deal.amount_given, INITIATOR), ("second", deal.gets, deal.amount_got, RESPONDER))
        first, second = (
            ModelChain(name, _funded(asset, 2 * amount, holder), finality.get(asset, terms.finality), terms.drift)
            for name, asset, amount, holder in sides
        )
        return cls(deal, terms, first, second, told=told)

    def advance(self, choose: Choose) -> None:
        """Let one second pass on both chains."""
        self.tick += 1
        self._deliver(choose)
        for chain in (self.first, self.second):
            chain.tick(self.tick, choose)

    def stop(self, chain: ModelChain) -> None:
        """Order an emergency stop of a chain that runs."""
        chain.stop()
        self._tell(chain, stopped=True)

    def resume(self, chain: ModelChain) -> None:
        """Let a chain that stands go on."""
        chain.resume()
        self._tell(chain, stopped=False)

    def _tell(self, chain: ModelChain, *, stopped: bool) -> None:
        if chain is self.second and self.told:
            due = self.first.age + self.terms.notice
            self.notices.append((due, chain.name, chain.clock, stopped))

    def _deliver(self, choose: Choose) -> None:
        while self.notices and not self.first.standing:
            due, name, at, stopped = self.notices[0]
            if due - 1 > self.first.age and not choose(2):
                return
            stops = self.first.stops
            self.first.stops = stops.begin(name, at) if stopped else stops.end(name, at)
            del self.notices[0]

    def lock_of(self, block: ModelBlock, payer: int) -> HashLock | None:
        """Return the first lock that `payer` made, as it is after `block`."""
        return next((lock for lock in block.book.locks.values() if lock.terms.payer == payer), None)

    def seen_preimage(self, digest: bytes) -> bytes | None:
        """Return the preimage of `digest` if a block of either chain shows it, final or not, else None.

        What waits for a block is not looked at: who makes the blocks may keep it to himself.
        """
        found = self.second.head.book.preimage_of(digest)
        return self.first.head.book.preimage_of(digest) if found is None else found


def _funded(asset: str, amount: int, holder: int) -> Ledger:
    ledger = Ledger(3, issuers={asset: [ISSUER]})
    apply_postings(ledger, [Posting(0, ISSUER, holder, asset, amount, "deposit")], sender=ISSUER, now=0)
    return ledger
