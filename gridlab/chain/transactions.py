"""Signed transactions: who asks the chain for what, once, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, blob, compact, text, u64
from gridlab.chain.hashing import hexadecimal, signing_message, tagged_hash
from gridlab.chain.keys import KeyPair, require_key_pair, verify

__all__ = ["Transaction"]

_SIGNATURE_DOMAIN = "gridlab/transaction-signature/1"
_ID_DOMAIN = "gridlab/transaction-id/1"
_LONGEST_NAME = 64
_LARGEST_U64 = 2**64 - 1

# What stands in front of a transaction's bytes when its id is hashed, and in front of all but its signature when it is
# signed; for those who hash and verify thousands.
ID_PREFIX = text(_ID_DOMAIN)
MESSAGE_PREFIX = text(_SIGNATURE_DOMAIN)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One signed request.

    Attributes
    ----------
    chain_id : str
        The one chain on which it counts.
    kind : str
        What it asks for: "transfer", "settlement", …
    sender : bytes
        Public key, 32 bytes.
    nonce : int
        How many of the sender's transactions the chain has accepted before; each counts once.
    expiry : int
        Height of the last block that may still accept it.
    payload : bytes
        Canonical bytes of the frame that `kind` asks for.
    signature : bytes
        64 bytes over the domain tag, the chain id and the body.
    id : bytes
        BLAKE2b-256 of all of the above, the signature included.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A field has a wrong type, length or range. Whether the signature is valid is for the chain to say.
    """

    chain_id: str
    kind: str
    sender: bytes
    nonce: int
    expiry: int
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_text("chain_id", self.chain_id, longest=_LONGEST_NAME)
        require_text("kind", self.kind, longest=_LONGEST_NAME)
        require_bytes("sender", self.sender, PUBLIC_KEY_BYTES)
        require_int("nonce", self.nonce, 0, _LARGEST_U64)
        require_int("expiry", self.expiry, 0, _LARGEST_U64)
        require_bytes("payload", self.payload)
        require_bytes("signature", self.signature, SIGNATURE_BYTES)
        object.__setattr__(self, "id", tagged_hash(_ID_DOMAIN, self.to_bytes()))

    def __repr__(self) -> str:
        return f"Transaction({self.kind}, nonce {self.nonce}, {hexadecimal(self.id)[:18]}…)"

    @classmethod
    def sign(
        cls, key_pair: KeyPair, *, chain_id: str, kind: str, nonce: int, expiry: int, payload: bytes
    ) -> Transaction:
        """Make and sign a transaction; raises as the class does."""
        require_key_pair("key_pair", key_pair)
        body = (key_pair.public_key, nonce, expiry, payload)
        unsigned = cls(chain_id, kind, *body, bytes(SIGNATURE_BYTES))
        return cls(chain_id, kind, *body, key_pair.sign(unsigned.message))

    @property
    def body(self) -> bytes:
        """Canonical bytes without chain id and signature."""
        return text(self.kind) + self.sender + u64(self.nonce) + u64(self.expiry) + blob(self.payload)

    @property
    def message(self) -> bytes:
        """What the signature covers."""
        return signing_message(_SIGNATURE_DOMAIN, self.chain_id, self.body)

    @property
    def is_signed(self) -> bool:
        """Whether the signature is the sender's."""
        return verify(self.sender, self.message, self.signature)

    @property
    def size(self) -> int:
        """How many canonical bytes it has."""
        names = len(text(self.chain_id)) + len(text(self.kind))
        fixed = PUBLIC_KEY_BYTES + 8 + 8 + SIGNATURE_BYTES
        return names + fixed + len(compact(len(self.payload))) + len(self.payload)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: chain id, body, signature."""
        return text(self.chain_id) + self.body + self.signature

    @classmethod
    def from_bytes(cls, data: bytes) -> Transaction:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ArgumentTypeError
            `data` is not ``bytes``.
        ChainError
            Bytes are missing, left over or not canonical.
        ArgumentError
            A name is longer than allowed.
        """
        reader = Reader(data, "transaction")
        chain_id, kind = reader.text(), reader.text()
        sender = reader.take(PUBLIC_KEY_BYTES)
        nonce, expiry, payload = reader.u64(), reader.u64(), reader.blob()
        signature = reader.take(SIGNATURE_BYTES)
        reader.finish()
        return cls(chain_id, kind, sender, nonce, expiry, payload, signature)
