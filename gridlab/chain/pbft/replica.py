"""A replica: one validator's state machine, with no clock, no network and no chance of its own."""

from __future__ import annotations

from collections.abc import Callable

from gridlab.chain.pbft.messages import Message
from gridlab.chain.pbft.motions import Motions

__all__ = ["Replica"]

# A stopped replica orders nothing; it still answers, catches up and hears motions.
_ORDERING = frozenset({"pre_prepare", "prepare", "commit", "view_change", "new_view"})


class Replica(Motions):
    """One validator's part of PBFT (Castro and Liskov 1999, 2002).

    Inputs are `receive`, `timeout`, `poke` and `vote`; what they lead to is fetched with `take_effects` (see
    `gridlab.chain.pbft.core.Do`). The parts stand in files of their own: `ordering` (three phases), `view_change`,
    `transfer` (checkpoints and catching up), `motions` (stop, resume, members).
    """

    def _handlers(self) -> dict[str, Callable[[Message], None]]:
        return {
            "pre_prepare": self._on_pre_prepare,
            "prepare": self._on_prepare,
            "commit": self._on_commit,
            "request": self._on_request,
            "checkpoint": self._on_checkpoint,
            "view_change": self._on_view_change,
            "new_view": self._on_new_view,
            "status": self._on_status,
            "block": self._on_block,
            "body": self._on_body,
            "motion": self._on_motion,
        }

    def __repr__(self) -> str:
        state = "stopped" if self.durable.stopped else "active" if self.active else "changing view"
        return f"Replica({self.number}, view {self.view}, height {self.height}, {state})"

    def receive(self, message: Message) -> None:
        """Take in one message; a kind that does not exist is ignored."""
        if self.durable.stopped and message.kind in _ORDERING:
            return
        handler = self.handlers.get(message.kind)
        if handler is not None:
            handler(message)

    def timeout(self, name: str, token: int) -> None:
        """Take in that a timer has run down; one that was stopped meanwhile is ignored."""
        if name == "look":
            self._on_look()
        elif token == self.token and self.armed and not self.durable.stopped:
            self.armed = False
            self._leave(self.view + 1)

    def start(self) -> None:
        """Begin, or begin again after a crash."""
        self._on_look()
        if self.durable.view or self.durable.blocks:
            self._ask()
        self._progress()

    def poke(self) -> None:
        """Look again at whether there is something to order."""
        self._progress()

    def _on_request(self, message: Message) -> None:
        if not self.signer.valid(message):
            return
        done = self.machine.receive(message)
        if done is not None:
            self._reply(message.signer, message.height, *done)
        else:
            self._progress()
