"""What two parties may agree on beside balances: an application says which state follows from which move.

The chain sees the hash of the application's state only. Each party works the next state out for itself and signs
nothing else, so that a wrong sum never gets a second signature.

References
----------
Dziembowski, Faust, Hostáková, "General state channel networks", ACM CCS 2018.
"""

from __future__ import annotations

from typing import Any, Protocol

from gridlab.chain.channels.endpoint import Agree
from gridlab.chain.channels.payment import PaymentChannel
from gridlab.chain.channels.record import ChannelRecord
from gridlab.chain.channels.signed import SignedState
from gridlab.chain.channels.states import ChannelState, Pair
from gridlab.chain.keys import KeyPair
from gridlab.errors import ChainError

__all__ = ["Application", "StateChannel"]


class Application(Protocol):
    """An immutable state of an application; every move gives another one."""

    @property
    def hash(self) -> bytes:
        """Hash over the whole state, 32 bytes."""

    def advance(self, balances: Pair, move: Any, mover: int) -> tuple[Application, Pair]:
        """Return the state and the balances after a move of side `mover`; raises GridlabError where it may not be."""


class StateChannel(PaymentChannel):
    """A channel whose states also hold the hash of an application.

    Parameters
    ----------
    chain, channel, pairs, record
        As of `PaymentChannel`.
    application : Application
        Its first state.
    """

    def __init__(
        self,
        chain: str,
        channel: bytes,
        pairs: tuple[KeyPair, KeyPair],
        record: ChannelRecord,
        *,
        application: Application,
    ) -> None:
        super().__init__(chain, channel, pairs, record)
        self.application = application

    def move(self, move: Any, *, mover: int) -> SignedState:
        """Make one move; return the state that both have signed.

        Raises
        ------
        ChainError
            The application does not allow the move.
        """
        after, balances = self.application.advance(self.balances, move, mover)
        state = self.following(balances, application=after.hash)
        whole = self.update(state, proposer=mover, agree=self.follows(move, mover))
        self.application = after
        return whole

    def follows(self, move: Any, mover: int) -> Agree:
        """Return the check of whoever did not move: the state must be what it works out from the move itself."""
        known = self.application

        def agree(before: ChannelState, after: ChannelState, side: int) -> None:
            expected, balances = known.advance(before.balances, move, mover)
            if after != before.next(balances, version=after.version, application=expected.hash):
                raise ChainError(
                    f"state {after.version}: side {side} works out balances {balances} and another state than "
                    f"{after.balances} and what is proposed; it signs nothing"
                )

        return agree
