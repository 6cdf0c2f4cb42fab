"""Key pairs, signatures and addresses.

Every key of the sandbox derives from a seed and a name, so that the same run signs the same bytes everywhere. Such
keys are public knowledge: they must never guard anything of value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.ed25519 import verify, verify_many
from gridlab.chain.encoding import text, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ss58 import ss58_decode, ss58_encode
from gridlab.errors import ArgumentTypeError

__all__ = ["KeyPair", "require_key_pair", "sandbox", "ss58_decode", "ss58_encode", "verify", "verify_many"]

SEED_BYTES = 32
_SANDBOX_DOMAIN = "gridlab/sandbox-key/1"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An Ed25519 key pair (RFC 8032, 2017); made by `KeyPair.from_seed` or `sandbox`.

    Attributes
    ----------
    public_key : bytes
        32 bytes.
    """

    public_key: bytes
    _secret_key: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> KeyPair:
        """Derive the pair from 32 secret bytes.

        Raises
        ------
        ArgumentTypeError
            `seed` is not ``bytes``.
        ArgumentError
            `seed` does not have 32 bytes.
        """
        from nacl.bindings import crypto_sign_seed_keypair

        return cls(*crypto_sign_seed_keypair(require_bytes("seed", seed, SEED_BYTES)))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`; the same message always gives the same signature."""
        from nacl.bindings import crypto_sign

        return bytes(crypto_sign(require_bytes("message", message), self._secret_key)[:64])

    @property
    def address(self) -> str:
        """The public key as an SS58 address of a generic Substrate network."""
        return ss58_encode(self.public_key)

    def __repr__(self) -> str:
        return f"KeyPair({self.address})"


def sandbox(seed: int, name: str) -> KeyPair:
    """Return the key pair that belongs to `name` in a sandbox with this `seed`.

    Parameters
    ----------
    seed : int
        The run's seed, 0 … 2^64 - 1.
    name : str
        Who signs: "market operator", "trader 17", …

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `seed` or `name` is of another type or out of bounds.

    Examples
    --------
    >>> sandbox(0, "trader").public_key == sandbox(0, "trader").public_key
    True
    """
    require_int("seed", seed, 0, 2**64 - 1)
    require_text("name", name)
    return KeyPair.from_seed(tagged_hash(_SANDBOX_DOMAIN, u64(seed) + text(name)))


def require_key_pair(name: str, value: object) -> KeyPair:
    """Return `value` if it is a `KeyPair`, or raise ArgumentTypeError."""
    if not isinstance(value, KeyPair):
        raise ArgumentTypeError(
            f"{name} is a {type(value).__name__}, allowed: a KeyPair; keys.sandbox(seed, name) makes one"
        )
    return value
