"""A client: it signs requests, sends each to the primary, and believes f + 1 equal replies."""

from __future__ import annotations

from typing import Any

from gridlab.chain.encoding import u64
from gridlab.chain.hashing import ZERO_HASH, blake2b_256
from gridlab.chain.keys import KeyPair
from gridlab.chain.pbft.core import Do
from gridlab.chain.pbft.messages import Message, Signer
from gridlab.chain.pbft.quorums import some_honest

__all__ = ["Client"]

_MOST_DOUBLINGS = 4


class Client:
    """Sends one request after another; the next one when the last was executed and its time has come.

    It stands in the engine like a node, and is its own state machine: messages and timers in, effects out.

    Parameters
    ----------
    pair : KeyPair
    signer : Signer
    total : int
        How many requests it has.
    n : int
        Number of validators.
    interval_ms : float
        Least time from one request to the next.
    timeout_ms : float
        Until it sends a request to all validators; doubles up to sixteenfold.
    """

    def __init__(
        self, pair: KeyPair, signer: Signer, *, total: int, n: int, interval_ms: float, timeout_ms: float
    ) -> None:
        self.pair, self.signer, self.total = pair, signer, total
        self.audience = tuple(range(n))
        self.believes = some_honest(n)
        self.interval_ms, self.timeout_ms = interval_ms, timeout_ms
        self.place = -1
        self.behaviour = None
        self.effects: list[tuple[Any, ...]] = []
        self.number = self.accepted = 0
        self.view = 0
        self.due = True
        self.attempts = 0
        self.request: Message | None = None
        self.replies: dict[int, tuple[int, bytes]] = {}

    @property
    def replica(self) -> Client:
        """Itself: what the engine hands messages to."""
        return self

    @property
    def done(self) -> bool:
        """Whether every request has been executed, as far as f + 1 validators say."""
        return self.accepted == self.total

    def take_effects(self) -> list[tuple[Any, ...]]:
        """Hand over the effects that have come up since the last call."""
        effects, self.effects = self.effects, []
        return effects

    def start(self) -> None:
        """Send the first request."""
        self._next()

    def _next(self) -> None:
        if self.number > self.accepted or self.number == self.total or not self.due:
            return
        self.number += 1
        self.due, self.attempts = False, 0
        self.replies = {}
        payload = u64(self.place) + u64(self.number)
        request = Message("request", self.place, 0, self.number, blake2b_256(payload), payload)
        self.request = self.signer.sign(request, self.pair)
        self.effects.append((Do.SEND, self.view % len(self.audience), self.request))
        self.effects.append((Do.TIMER, "due", self.interval_ms, self.number))
        self._wait()

    def _wait(self) -> None:
        delay = self.timeout_ms * 2 ** min(self.attempts, _MOST_DOUBLINGS)
        self.effects.append((Do.TIMER, "retry", delay, self.number))

    def receive(self, message: Message) -> None:
        """Count a reply to the request that is out."""
        if message.kind != "reply" or message.view != self.number or self.number == self.accepted:
            return
        if message.signer in self.replies or not self.signer.valid(message):
            return
        self.replies[message.signer] = (message.height, message.digest)
        equal = [signer for signer, said in self.replies.items() if said == (message.height, message.digest)]
        if len(equal) >= self.believes and message.digest != ZERO_HASH:
            self.accepted = self.number
            # Where the primary is believed to be is a hint and nothing more: a wrong one costs a retry.
            self.view = message.body if isinstance(message.body, int) else self.view
            self._next()

    def timeout(self, name: str, token: int) -> None:
        """Send the request to everybody when it has waited too long; take up the next when its time has come."""
        if token != self.number:
            return
        if name == "due":
            self.due = True
            self._next()
        elif self.accepted < self.number and self.request is not None:
            self.attempts += 1
            self.effects.append((Do.SEND_ALL, self.request))
            self._wait()
