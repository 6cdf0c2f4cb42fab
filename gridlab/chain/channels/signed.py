"""A state with signatures: only one that both parties have signed is worth anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridlab.chain.arguments import require_bytes, require_text
from gridlab.chain.channels.states import ChannelState, require_side
from gridlab.chain.ed25519 import SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, blob
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["SignedState", "require_signed"]


@dataclass(frozen=True, slots=True)
class SignedState:
    """A state and its signatures by side; an empty one is missing.

    Attributes
    ----------
    state : ChannelState
    signatures : tuple of (bytes, bytes)
        64 bytes each, or empty.
    """

    state: ChannelState
    signatures: tuple[bytes, bytes] = (b"", b"")

    def sign(self, chain_id: str, pair: KeyPair, side: int) -> SignedState:
        """Return it with the signature of one side more."""
        require_text("chain_id", chain_id)
        signature = require_key_pair("pair", pair).sign(self.state.message(chain_id))
        other = self.signatures[1 - require_side(side)]
        return SignedState(self.state, (signature, other) if side == 0 else (other, signature))

    def signed_by(self, chain_id: str, public_key: bytes, side: int) -> bool:
        """Say whether the signature of `side` is there and is that of `public_key`."""
        signature = self.signatures[require_side(side)]
        return bool(signature) and verify(public_key, self.state.message(chain_id), signature)

    def require_both(self, chain_id: str, public_keys: Sequence[bytes]) -> ChannelState:
        """Return the state if both sides have signed it for this chain.

        Raises
        ------
        ChainError
            A signature is missing, or is not that of the party over this state on this chain.
        """
        for side, key in enumerate(public_keys):
            if not self.signed_by(chain_id, key, side):
                what = "is not valid for this chain and channel" if self.signatures[side] else "is missing"
                raise ChainError(
                    f"state {self.state.version}: the signature of side {side} {what}, allowed: states that both sides "
                    "have signed"
                )
        return self.state

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return blob(self.state.to_bytes()) + blob(self.signatures[0]) + blob(self.signatures[1])

    @classmethod
    def from_bytes(cls, data: bytes) -> SignedState:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "signed state")
        inner = Reader(reader.blob(), "channel state")
        state = ChannelState.read(inner)
        inner.finish()
        signatures = reader.blob(), reader.blob()
        reader.finish()
        for signature in signatures:
            if signature:
                require_bytes("signature", signature, SIGNATURE_BYTES)
        return cls(state, signatures)


def require_signed(value: object) -> SignedState:
    """Return `value` if it is a `SignedState`, or raise ArgumentTypeError."""
    if not isinstance(value, SignedState):
        raise ArgumentTypeError(f"state is a {type(value).__name__}, allowed: a SignedState, as channel.latest gives")
    return value
