"""One side of a channel: its key, and the newest state that both have signed.

A state goes over in two halves: one side proposes and signs, the other checks, signs and sends it back. Between the two
the proposer has given away a signature and holds none. So it proposes nothing else until it is answered, and the older
state stays the one it can close with. Where the other refuses, the signature is out all the same. So the proposer never
signs another state of that version: the next one is greater and beats it, whatever the other does with the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gridlab.chain.arguments import require_text
from gridlab.chain.channels.signed import SignedState, require_signed
from gridlab.chain.channels.states import ChannelState, Pair, require_side
from gridlab.chain.keys import KeyPair, require_key_pair
from gridlab.errors import ChainError

__all__ = ["Agree", "Endpoint", "endpoints", "gives_me_no_less"]

# Room for versions that were refused, and no more: whoever signs the last version there is can be outbid by nobody.
_LARGEST_STEP = 1_000

# Is given the state before, the state after and the own side; raises ChainError where it does not agree.
Agree = Callable[[ChannelState, ChannelState, int], None]


def gives_me_no_less(before: ChannelState, after: ChannelState, side: int) -> None:
    """Agree to whatever does not take from the own side: what a payee asks of a payment."""
    if after.gain(side) < before.gain(side):
        raise ChainError(
            f"state {after.version}: side {side} would gain {after.gain(side)} over its deposits instead of "
            f"{before.gain(side)}; it signs only what gives it no less"
        )
    if after.locks != before.locks or after.application != before.application:
        raise ChainError(f"state {after.version}: a payment leaves locks and application alone; propose them as moves")


@dataclass(slots=True)
class Endpoint:
    """One side of a channel.

    Attributes
    ----------
    chain : str
        Id of the chain that the channel is on.
    pair : KeyPair
        The side's own.
    side : int
        0 or 1.
    public_keys : tuple of (bytes, bytes)
    deposits : tuple of (int, int)
        What this side has seen final on the chain.
    latest : SignedState
        Newest state that both have signed; version 0 is the opening itself and needs no signature.
    offered : ChannelState or None
        What this side has signed and the other has not answered yet.
    burnt : int
        Highest version that this side has signed in vain, 0 for none.
    """

    chain: str
    pair: KeyPair
    side: int
    public_keys: tuple[bytes, bytes]
    deposits: Pair
    latest: SignedState
    offered: ChannelState | None = field(default=None)
    burnt: int = 0

    def __post_init__(self) -> None:
        require_text("chain", self.chain)
        require_key_pair("pair", self.pair)
        if self.public_keys[require_side(self.side)] != self.pair.public_key:
            raise ChainError(f"endpoint: the key pair is not that of side {self.side}")

    def propose(self, state: ChannelState) -> SignedState:
        """Sign a new state and hand out the half-signed one.

        Raises
        ------
        ChainError
            The state does not follow from the latest one, or another one is still unanswered.
        """
        if self.offered is not None and self.offered != state:
            raise ChainError(
                f"propose: state {self.offered.version} is signed and unanswered; wait for it, or close by the latest"
            )
        self._require_next(state)
        self.offered = state
        return SignedState(state).sign(self.chain, self.pair, self.side)

    def answer(self, half: SignedState, agree: Agree = gives_me_no_less) -> SignedState:
        """Check the other's proposal, sign it, take it as the latest and hand back the whole.

        Raises
        ------
        ChainError
            The other's signature is missing or not valid, the state does not follow from the latest one, the own
            proposal is unanswered, or `agree` refuses it.
        """
        state = require_signed(half).state
        if self.offered is not None:
            raise ChainError(f"answer: the own state {self.offered.version} is still unanswered; one at a time")
        self._require_next(state)
        if not half.signed_by(self.chain, self.public_keys[1 - self.side], 1 - self.side):
            raise ChainError(f"answer: state {state.version} is not signed by the other side for this channel")
        agree(self.latest.state, state, self.side)
        self.latest = half.sign(self.chain, self.pair, self.side)
        return self.latest

    def complete(self, whole: SignedState) -> None:
        """Take the answer to the own proposal; raises ChainError where it is not that, or not signed by both."""
        state = require_signed(whole).state
        if state != self.offered:
            raise ChainError(f"complete: state {state.version} is not what was proposed; the latest state stays")
        whole.require_both(self.chain, self.public_keys)
        self.adopt(whole)

    def withdraw(self) -> None:
        """Give up the own proposal because the other side has refused it; its version is never signed again."""
        if self.offered is not None:
            self.burnt, self.offered = self.offered.version, None

    @property
    def next_version(self) -> int:
        """The least version that this side would sign now."""
        return max(self.latest.state.version, self.burnt) + 1

    def adopt(self, whole: SignedState) -> None:
        """Take a state whose signatures have been checked as the latest."""
        self.latest, self.offered = whole, None

    def _require_next(self, state: ChannelState) -> None:
        latest = self.latest.state
        if state.channel != latest.channel:
            raise ChainError(f"state {state.version} is of channel {state.channel.hex()}, not {latest.channel.hex()}")
        if latest.final:
            raise ChainError(f"state {latest.version} is final: the channel closes with it, nothing may follow")
        least, most = self.next_version, self.next_version + _LARGEST_STEP - 1
        if not least <= state.version <= most:
            raise ChainError(f"state {state.version} follows version {latest.version}, allowed: {least} … {most}")
        if any(counted > seen for counted, seen in zip(state.deposits, self.deposits, strict=True)):
            raise ChainError(f"state {state.version} counts on {state.deposits}, allowed: {self.deposits} as deposited")


def endpoints(chain: str, pairs: Sequence[KeyPair], first: ChannelState) -> tuple[Endpoint, Endpoint]:
    """Return both ends of a channel that has just been opened; `first` is its state 0."""
    keys = (pairs[0].public_key, pairs[1].public_key)
    one, other = (Endpoint(chain, pairs[side], side, keys, first.deposits, SignedState(first)) for side in (0, 1))
    return one, other
