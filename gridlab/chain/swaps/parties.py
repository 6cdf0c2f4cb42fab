"""Who takes part in a swap: honest parties, and those who are absent, grieve, come late, race, lie or do anything.

An honest party looks at what is so, not at what it did before: whatever happened meanwhile, it does what is right now.
It believes in a lock only once that is final, but in a preimage as soon as a block shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gridlab.chain.swaps.deal import INITIATOR, ISSUER, RESPONDER, World
from gridlab.chain.swaps.hashlock import HashLock, LockTerms, hash_of
from gridlab.chain.swaps.model_chain import Choose, ModelChain, Order
from gridlab.chain.swaps.terms import SECOND

__all__ = ["BEHAVIOURS", "INITIATOR_NAME", "RESPONDER_NAME", "Act", "Party", "behave"]

INITIATOR_NAME, RESPONDER_NAME = "initiator", "responder"
BEHAVIOURS = ("honest", "absent", "griefing", "late", "racing", "lying", "chaotic")
_WATCHED = ("second",)


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a swap.

    Attributes
    ----------
    role : str
        "initiator" or "responder".
    secret : bytes
        The preimage, 32 bytes, which only the initiator has.
    """

    role: str
    secret: bytes = b""

    @property
    def account(self) -> int:
        """The party's account, the same on both chains."""
        return INITIATOR if self.role == INITIATOR_NAME else RESPONDER


Act = Callable[[Party, World, Choose], None]


def behave(party: Party, behaviour: str, world: World, choose: Choose) -> None:
    """Let a party do what it does in this second."""
    _ACTS[party.role, behaviour](party, world, choose)


def first_lock_terms(world: World, digest: bytes) -> LockTerms:
    """Return the lock that an honest initiator makes."""
    deal, timeout = world.deal, world.first.clock + world.terms.first_timeout * SECOND
    return LockTerms(INITIATOR, RESPONDER, deal.gives, deal.amount_given, digest, timeout, _WATCHED)


def second_lock_terms(world: World, digest: bytes) -> LockTerms:
    """Return the lock that an honest responder answers with."""
    timeout = world.second.clock + world.terms.answer * SECOND
    return LockTerms(RESPONDER, INITIATOR, world.deal.gets, world.deal.amount_got, digest, timeout)


def _send(chain: ModelChain, party: Party, action: str, lock: HashLock, preimage: bytes = b"") -> None:
    chain.submit(Order(party.role, action, lock_id=lock.id, preimage=preimage))


def _take_back(party: Party, world: World, chain: ModelChain) -> None:
    """Refund the party's own lock once its time is over."""
    lock = world.lock_of(chain.head, party.account)
    if lock is not None and lock.status == "locked" and lock.remaining(chain.clock, chain.stops) <= 0:
        _send(chain, party, "refund", lock)


def _has_locked(party: Party, world: World, chain: ModelChain) -> bool:
    waiting = any(order.party == party.role and order.terms is not None for order in chain.pool)
    return waiting or world.lock_of(chain.head, party.account) is not None


def _offer(party: Party, world: World) -> None:
    if not _has_locked(party, world, world.first):
        world.first.submit(Order(party.role, "lock", first_lock_terms(world, hash_of(party.secret))))


def _answer(party: Party, world: World) -> None:
    lock = world.lock_of(world.first.final, INITIATOR)
    if lock is None or _has_locked(party, world, world.second) or not _good_offer(world, lock):
        return
    world.second.submit(Order(party.role, "lock", second_lock_terms(world, lock.terms.hash)))


def _good_offer(world: World, lock: HashLock) -> bool:
    terms, deal = lock.terms, world.deal
    left = lock.remaining(world.first.clock, world.first.stops)
    return (
        (terms.payee, terms.asset, terms.watched) == (RESPONDER, deal.gives, _WATCHED)
        and terms.amount >= deal.amount_given
        and lock.status == "locked"
        and left >= (world.terms.answer + world.terms.delta) * SECOND
        # A secret that is out would let anybody claim the answer at once.
        and world.seen_preimage(terms.hash) is None
    )


def _collect(party: Party, world: World) -> None:
    """Claim the answer, where it is as agreed and the claim will be final in time."""
    lock = world.lock_of(world.second.final, RESPONDER)
    if lock is None or not _good_answer(world, lock, hash_of(party.secret)):
        return
    left = lock.remaining(world.second.clock, world.second.stops)
    if left > (world.second.finality + world.terms.drift) * SECOND:
        now = world.lock_of(world.second.head, RESPONDER)
        if now is not None and now.status == "locked":
            _send(world.second, party, "claim", lock, party.secret)


def _good_answer(world: World, lock: HashLock, digest: bytes) -> bool:
    terms, deal = lock.terms, world.deal
    agreed = (terms.payee, terms.asset, terms.hash) == (INITIATOR, deal.gets, digest)
    return agreed and terms.amount >= deal.amount_got


def _collect_as_responder(party: Party, world: World) -> None:
    lock = world.lock_of(world.first.head, INITIATOR)
    if lock is None or lock.status != "locked":
        return
    preimage = world.seen_preimage(lock.terms.hash)
    if preimage is not None and lock.remaining(world.first.clock, world.first.stops) > 0:
        _send(world.first, party, "claim", lock, preimage)


def _honest_initiator(party: Party, world: World, choose: Choose) -> None:  # noqa: ARG001 - behaviours share a shape
    _offer(party, world)
    _collect(party, world)
    _take_back(party, world, world.first)


def _honest_responder(party: Party, world: World, choose: Choose) -> None:  # noqa: ARG001
    _answer(party, world)
    _collect_as_responder(party, world)
    _take_back(party, world, world.second)


def _absent(party: Party, world: World, choose: Choose) -> None:
    """Do nothing at all."""


def _griefing_initiator(party: Party, world: World, choose: Choose) -> None:  # noqa: ARG001
    """Make the other lock up its money, never claim it, and take one's own back."""
    _offer(party, world)
    _take_back(party, world, world.first)


def _griefing_responder(party: Party, world: World, choose: Choose) -> None:  # noqa: ARG001
    """Let the other lock up its money, and never answer: the responder's free option."""
    _take_back(party, world, world.second)


def _offer_briefly(party: Party, world: World, choose: Choose) -> None:
    """Offer a lock that outlives the answer by as little as the responder can just accept, or less."""
    if not _has_locked(party, world, world.first):
        good, terms = first_lock_terms(world, hash_of(party.secret)), world.terms
        spare = terms.first_timeout - terms.answer - terms.delta
        brief = replace(good, timeout=good.timeout - choose(spare + 1) * SECOND)
        world.first.submit(Order(party.role, "lock", brief))


def _is_late(world: World, chain: ModelChain, lock: HashLock, choose: Choose) -> bool:
    """Whether the last seconds have begun; how many these are is the adversary's choice."""
    last = 1 + choose(world.terms.finality + world.terms.drift)
    return lock.status == "locked" and lock.remaining(chain.clock, chain.stops) <= last * SECOND


def _late_initiator(party: Party, world: World, choose: Choose) -> None:
    """Claim in the last seconds, whether or not that can become final."""
    _offer_briefly(party, world, choose)
    lock = world.lock_of(world.second.head, RESPONDER)
    if lock is not None and _is_late(world, world.second, lock, choose):
        _send(world.second, party, "claim", lock, party.secret)
    _take_back(party, world, world.first)


def _late_responder(party: Party, world: World, choose: Choose) -> None:
    """Claim in the last seconds, and so perhaps not at all."""
    _answer(party, world)
    lock = world.lock_of(world.first.head, INITIATOR)
    if lock is not None and _is_late(world, world.first, lock, choose):
        _collect_as_responder(party, world)
    _take_back(party, world, world.second)


def _racing_initiator(party: Party, world: World, choose: Choose) -> None:
    """Take one's own back first, and then try to claim all the same."""
    _offer_briefly(party, world, choose)
    _take_back(party, world, world.first)
    own = world.lock_of(world.first.head, INITIATOR)
    if own is not None and own.status == "refunded":
        lock = world.lock_of(world.second.head, RESPONDER)
        if lock is not None:
            _send(world.second, party, "claim", lock, party.secret)


def _racing_responder(party: Party, world: World, choose: Choose) -> None:  # noqa: ARG001
    """Ask for one's own back all the time, from the first second on, and claim as well."""
    _answer(party, world)
    own = world.lock_of(world.second.head, RESPONDER)
    if own is not None:
        _send(world.second, party, "refund", own)
    _collect_as_responder(party, world)


def _lying_initiator(party: Party, world: World, choose: Choose) -> None:
    """Offer less, or for a shorter time, or to oneself; claim with wrong preimages, refund too early."""
    good = first_lock_terms(world, hash_of(party.secret))
    if not _has_locked(party, world, world.first):
        world.first.submit(Order(party.role, "lock", _falsified(good, choose)))
    _collect(party, world)
    _spoil(party, world, choose)


def _lying_responder(party: Party, world: World, choose: Choose) -> None:
    """Answer with less, under another hash or for a shorter time; claim with wrong preimages, refund too early."""
    lock = world.lock_of(world.first.head, INITIATOR)
    if lock is not None and not _has_locked(party, world, world.second):
        world.second.submit(Order(party.role, "lock", _falsified(second_lock_terms(world, lock.terms.hash), choose)))
    _spoil(party, world, choose)
    _collect_as_responder(party, world)


def _falsified(good: LockTerms, choose: Choose) -> LockTerms:
    lies: tuple[dict[str, Any], ...] = (
        {"amount": max(good.amount // 2, 1)},
        {"hash": hash_of(bytes(32))},
        {"payee": ISSUER},
        {"timeout": max(good.timeout - 100 * SECOND, 1)},
    )
    return replace(good, **lies[choose(len(lies))])


def _spoil(party: Party, world: World, choose: Choose) -> None:
    for chain in (world.first, world.second):
        for lock in chain.head.book.locks.values():
            act = choose(4)
            if act == 1:
                _send(chain, party, "claim", lock, bytes([choose(256)]) * 32)
            elif act == 2:
                _send(chain, party, "refund", lock)
            elif act == 3 and party.secret:
                _send(chain, party, "claim", lock, party.secret)


def _chaotic(party: Party, world: World, choose: Choose) -> None:
    """Do anything that is right for anybody at any time, in any order, and now and then what is not."""
    acts = (_absent, *(_ACTS[party.role, name] for name in BEHAVIOURS if name not in ("absent", "chaotic")))
    acts[choose(len(acts))](party, world, choose)


_ACTS: dict[tuple[str, str], Act] = {
    (INITIATOR_NAME, "honest"): _honest_initiator,
    (RESPONDER_NAME, "honest"): _honest_responder,
    (INITIATOR_NAME, "griefing"): _griefing_initiator,
    (RESPONDER_NAME, "griefing"): _griefing_responder,
    (INITIATOR_NAME, "late"): _late_initiator,
    (RESPONDER_NAME, "late"): _late_responder,
    (INITIATOR_NAME, "racing"): _racing_initiator,
    (RESPONDER_NAME, "racing"): _racing_responder,
    (INITIATOR_NAME, "lying"): _lying_initiator,
    (RESPONDER_NAME, "lying"): _lying_responder,
    **{(role, "absent"): _absent for role in (INITIATOR_NAME, RESPONDER_NAME)},
    **{(role, "chaotic"): _chaotic for role in (INITIATOR_NAME, RESPONDER_NAME)},
}
