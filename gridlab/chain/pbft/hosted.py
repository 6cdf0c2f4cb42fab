"""The seam to whatever is ordered: an application makes and checks blocks, consensus makes them final.

Consensus reads of a header only how it begins: chain, height, parent. Everything else is the application's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.pbft.messages import CommittedBlock, Message, Proposal
from gridlab.errors import ArgumentTypeError

__all__ = ["Application", "Hosted"]

_REMEMBERED = 4096


@runtime_checkable
class Application(Protocol):
    """What is ordered. All replicas of a cluster share one application, so its answers must depend on its arguments."""

    def propose(self, height: int) -> Proposal | None:
        """Return what an honest primary proposes at `height`, or None where there is nothing to order."""

    def rival(self, proposal: Proposal) -> Proposal | None:
        """Return what an equivocating primary shows the other half: a block as acceptable as `proposal`, or None."""

    def check(self, proposal: Proposal) -> str | None:
        """Return why an honest replica refuses a proposal, or None where it accepts it."""


class Hosted:
    """One replica's view of a shared application: nothing is pending until the cluster wants a block.

    Parameters
    ----------
    application : Application
    verdicts : dict
        Shared by all replicas of the cluster: what the application said about each proposal when it stood at that
        height. The application is asked once, and a replica that is behind can still take in what was accepted then.
    """

    __slots__ = ("_application", "_last", "_verdicts", "height", "wanted")

    def __init__(self, application: Application, verdicts: dict[Proposal, str | None]) -> None:
        self._application, self._verdicts = application, verdicts
        self._last = ZERO_HASH
        self.height = 0
        self.wanted = -1

    def pending(self) -> bool:
        """Whether a block is wanted that is not final here."""
        return self.wanted > self.height

    def propose(self, height: int, _parent: bytes) -> Proposal | None:
        """Ask the application for the block that is wanted."""
        proposal = self._application.propose(height) if height <= self.wanted else None
        if proposal is not None and not isinstance(proposal, Proposal):
            raise ArgumentTypeError(
                f"application.propose({height}) returned a {type(proposal).__name__}, allowed: a Proposal or None"
            )
        return proposal

    def rival(self, proposal: Proposal) -> Proposal | None:
        """Ask the application for a rival."""
        return self._application.rival(proposal)

    def check(self, proposal: Proposal) -> str | None:
        """Ask the application whether the proposal is acceptable, unless it has said so before."""
        verdicts = self._verdicts
        if proposal.handover:
            # The change of members is consensus' own affair; the application sees its block.
            proposal = Proposal(proposal.header, proposal.body)
        if proposal not in verdicts:
            if len(verdicts) >= _REMEMBERED:
                del verdicts[next(iter(verdicts))]
            verdicts[proposal] = self._application.check(proposal)
        return verdicts[proposal]

    def execute(self, block: CommittedBlock) -> Sequence[tuple[int, int, bytes]]:
        """Note the final block; the application executes it when the cluster hands it over."""
        self.height, self._last = block.height, block.proposal.hash
        return ()

    def receive(self, _request: Message) -> tuple[int, bytes] | None:
        """Ignore a request: the application holds what is to be ordered."""
        return None

    def state_digest(self) -> bytes:
        """Return the newest block's hash; its header commits to the state."""
        return self._last
