"""The keys to lesson 11, "Swap without trust", each worked out with real locks, and what the lesson's drills need.

Nothing is taken from the inequalities of `SwapTerms` alone: seconds are tried one after another until a lock says no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Any

from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps import Deal, HashLock, LockBook, LockTerms, Stops, SwapTerms, World, hash_of, worst_case
from gridlab.chain.swaps.model_chain import ModelChain
from gridlab.errors import ChainError, LeverError
from gridlab.learn.answers import Key
from gridlab.seeds import stream

__all__ = [
    "DEAL",
    "ISSUER",
    "KAEW",
    "PIN_HASH",
    "PRASIT",
    "SECOND",
    "Unchecked",
    "cunning",
    "dear_wait",
    "last_second",
    "lost_lock",
    "pin_secret",
    "slow_chain",
    "stolen_pin",
    "untold_stop",
]

SECOND = 1_000_000  # chains count microseconds
ISSUER, KAEW, PRASIT = range(3)
DEAL = Deal(gives="GRID", amount_given=4_000_000_000, gets="WATT", amount_got=10_000_000_000)

_SLOW_FINALITY = 60
_RATE = 7.5  # % a year
_MILLION = 1_000_000_000_000  # micro-WATT
_ANSWERED_S, _STOPPED_S = 22, 60
_SECRET = bytes(range(32))
_PINS = 10_000


class Unchecked(SwapTerms):
    """Terms of a wallet that leaves out the check: any timeouts will do."""

    def conflict(self, values: Mapping[str, Any]) -> None:
        """Find nothing wrong with any timeouts."""


def cunning(terms: SwapTerms, brief: int, last: int = 3) -> Callable[[int], int]:
    """Return an adversary who lets everything happen as late as the chains' promises allow.

    Against the initiator "late" he answers two of the drill's questions otherwise: her lock is `brief` seconds shorter
    than agreed, and she claims when ``1 + last`` seconds of the second lock are left.

    Parameters
    ----------
    terms : SwapTerms
        Tell these two questions from all others, by how many answers they have.
    brief, last : int
        Seconds.

    Returns
    -------
    callable
        For `gridlab.chain.swaps.Swap.drive`.
    """
    hers = {
        terms.first_timeout - terms.answer - terms.delta + 1: brief,
        terms.finality + terms.drift: last,
    }
    return lambda options: hers.get(options, 0)


def _second_lock() -> HashLock:
    """Return Prasit's lock, made when he answers, with the timeout of the lesson's sections 4 and 8."""
    timeout = (_ANSWERED_S + SwapTerms().answer) * SECOND
    terms = LockTerms(PRASIT, KAEW, "WATT", DEAL.amount_got, hash_of(_SECRET), timeout)
    return HashLock("consortium", 0, terms, _ANSWERED_S * SECOND)


def _may_claim(lock: HashLock, now: int, stops: Stops | None = None) -> bool:
    try:
        lock.claim(_SECRET, now * SECOND, Stops() if stops is None else stops)
    except ChainError:
        return False
    return True


@cache
def last_second() -> Key:
    """Work out the last whole second in which the second lock may be claimed."""
    terms = SwapTerms()
    lock, timeout = _second_lock(), _ANSWERED_S + terms.answer
    last = max(now for now in range(_ANSWERED_S, 2 * timeout) if _may_claim(lock, now))
    return Key(
        Fraction(last),
        {
            "refund": Fraction(last + 1),
            "length": Fraction(terms.answer),
            "first": Fraction(terms.first_timeout - 1),
        },
        {"answer": last, "timeout": timeout},
    )


def _settled(chain: ModelChain, terms: LockTerms, ends: str) -> Ledger:
    """Return the ledger of `chain` after a lock that ends as told."""
    ledger, running = chain.ledger.fork(), Stops()
    book, lock = LockBook(chain.name).lock(ledger, terms, 0, running)
    if ends == "claimed":
        book.claim(ledger, lock.id, _SECRET, 0, running)
    else:
        book.refund(ledger, lock.id, SECOND, running)
    return ledger


@cache
def lost_lock() -> Key:
    """Work out, on two ledgers, who has lost where the first lock was taken back and the second claimed."""
    world, digest = World.of(DEAL, SwapTerms()), hash_of(_SECRET)
    hers = LockTerms(KAEW, PRASIT, "GRID", DEAL.amount_given, digest, SECOND)
    his = LockTerms(PRASIT, KAEW, "WATT", DEAL.amount_got, digest, SECOND)
    grid, watt = _settled(world.first, hers, "refunded"), _settled(world.second, his, "claimed")
    got = {"Kaew": watt.balance(KAEW, "WATT"), "Prasit": grid.balance(PRASIT, "GRID")}
    loser, thief = sorted(got, key=lambda name: got[name])
    return Key(
        loser,
        {"thief": thief, "fair": "nobody", "everybody": "both"},
        {"answer": loser, "thief": thief, "baht": got[thief] / SECOND},
    )


def _is_safe(delta: int, levers: Mapping[str, int]) -> bool:
    try:
        SwapTerms(delta=delta, **levers)
    except LeverError:
        return False
    return True


def _least_delta(**levers: int) -> int:
    """Return the least delta, whole seconds, that `SwapTerms` does not refuse."""
    return next(delta for delta in count(2) if _is_safe(delta, levers))


@cache
def slow_chain() -> Key:
    """Work out the least delta where the public chain needs a minute (s)."""
    terms = SwapTerms()
    answer = 3 * _SLOW_FINALITY
    least = _least_delta(public_finality=_SLOW_FINALITY, answer=answer)
    return Key(
        Fraction(least),
        {
            "equal": Fraction(least - 1),
            "no_notice": Fraction(least - terms.notice),
            "one_clock": Fraction(least - terms.drift),
            "no_clocks": Fraction(least - 2 * terms.drift),
            "as_before": Fraction(_least_delta()),
        },
        {"answer": least, "before": _least_delta(), "finality": _SLOW_FINALITY},
    )


@cache
def dear_wait() -> Key:
    """Work out what it costs at worst to wait for somebody who never claims (satang)."""
    costs = {}
    for rate in (_RATE, SwapTerms().capital_cost):
        table = worst_case(SwapTerms(capital_cost=rate), _MILLION, _MILLION)
        costs[rate] = {row["victim"]: Fraction(row["cost"]) / 10_000 for row in table.to_dicts()}
    seconds = dict(worst_case(SwapTerms(), 1, 1).select("victim", "seconds").rows())
    cost = costs[_RATE]["responder"]
    return Key(
        cost,
        {
            "initiator": costs[_RATE]["initiator"],
            "until_timeout": cost * SwapTerms().answer / seconds["responder"],
            "default_rate": costs[SwapTerms().capital_cost]["responder"],
            "in_baht": cost / 100,
        },
        {"answer": float(cost), "seconds": seconds["responder"]},
    )


@cache
def untold_stop() -> Key:
    """Work out how long the consortium chain must stand, untold, so that Kaew can have both (s)."""
    terms = SwapTerms()
    second, timeout = _second_lock(), _ANSWERED_S + terms.answer
    refunded = terms.first_timeout  # the first second in which she may take hers back
    least = next(length for length in count(1) if _may_claim(second, refunded, _stop(length)))
    return Key(
        Fraction(least),
        {
            "equal": Fraction(least - 1),
            "delta": Fraction(terms.delta),
            "until_refund": Fraction(refunded - _STOPPED_S),
            "left": Fraction(timeout - _STOPPED_S),
        },
        {"answer": least, "first": refunded, "second": timeout},
    )


def _stop(length: int) -> Stops:
    begun = Stops().begin("consortium", _STOPPED_S * SECOND)
    return begun.end("consortium", (_STOPPED_S + length) * SECOND)


def pin_secret(pin: int) -> bytes:
    """Return the 32 bytes that a bad wallet makes of a PIN: four digits, the rest zero."""
    return f"{pin:04d}".encode().ljust(32, b"\0")


# Far from 0 and from 9999, so that neither end is met by chance.
PIN_HASH = hash_of(pin_secret(int(stream(11, "a PIN as a secret").integers(_PINS // 4, _PINS))))


@cache
def stolen_pin() -> Key:
    """Find the PIN that the lock of a bad wallet hides."""
    pin = next(pin for pin in range(_PINS) if hash_of(pin_secret(pin)) == PIN_HASH)
    return Key(
        Fraction(pin), {"tries": Fraction(pin + 1)}, {"answer": f"{pin:04d}", "tries": f"{pin + 1:,}", "all": _PINS}
    )
