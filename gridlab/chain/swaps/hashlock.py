"""The hash time lock: an amount for whoever shows a preimage in time, or else back to where it came from.

::

    locked --claim, SHA-256(preimage) = hash and now < timeout--> claimed
    locked --refund, now >= timeout-----------------------------> refunded

At every moment exactly one of the two may happen, and nothing follows either. ``now`` is a moment that counts: the time
during which the chain stands, or one that the lock watches, is taken off (`gridlab.chain.swaps.stops`).

References
----------
Bowe and Hopwood, "BIP 199: Hashed Time-Locked Contract transactions", 2017 (SHA-256, 32-byte preimage; a preimage of
free length lets two chains with other limits disagree about one claim).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from gridlab.chain.arguments import require_bytes, require_int, require_sequence, require_text
from gridlab.chain.encoding import Reader, compact, text, u8, u32, u64
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.chain.ledger.doors import require_asset
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST
from gridlab.chain.moments import LATEST
from gridlab.chain.swaps.stops import LONGEST_CHAIN_ID, Stops, require_stops
from gridlab.errors import ChainError

__all__ = ["PREIMAGE_BYTES", "STATUSES", "HashLock", "LockTerms", "hash_of", "require_preimage"]

PREIMAGE_BYTES = 32
STATUSES = ("locked", "claimed", "refunded")
_ID_DOMAIN = "gridlab/hash-lock/1"
_MOST_WATCHED = 8


def require_preimage(value: object) -> bytes:
    """Return `value` if it is 32 bytes; raises ArgumentTypeError or ArgumentError."""
    return require_bytes("preimage", value, PREIMAGE_BYTES)


def hash_of(preimage: bytes) -> bytes:
    """Return the SHA-256 hash (FIPS 180-4, 2015) that a preimage of 32 bytes opens.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        The preimage is not ``bytes``, or not 32 of them.
    """
    return hashlib.sha256(require_preimage(preimage)).digest()


@dataclass(frozen=True, slots=True)
class LockTerms:
    """What is locked, for whom, and until when.

    Attributes
    ----------
    payer, payee : int
        Accounts.
    asset : str
    amount : int
        More than 0, the asset's smallest unit.
    hash : bytes
        SHA-256 of the preimage, 32 bytes.
    timeout : int
        Microseconds since 1970.
    watched : tuple of str
        Other chains whose stops freeze this lock, too.
    """

    payer: int
    payee: int
    asset: str
    amount: int
    hash: bytes
    timeout: int
    watched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_int("payer", self.payer, 0, 2**32 - 1)
        require_int("payee", self.payee, 0, 2**32 - 1)
        require_asset(self.asset)
        require_int("amount", self.amount, 1, LARGEST)
        require_bytes("hash", self.hash, HASH_BYTES)
        require_int("timeout", self.timeout, 1, LATEST)
        for name in require_sequence("watched", self.watched, str):
            require_text("watched", name, longest=LONGEST_CHAIN_ID)
        if len(self.watched) > _MOST_WATCHED or list(self.watched) != sorted(set(self.watched)):
            raise ChainError(
                f"lock: it watches {list(self.watched)}, allowed: at most {_MOST_WATCHED} chains, each once, sorted"
            )
        if self.payer == self.payee:
            raise ChainError(f"lock: account {self.payer} would pay itself; name another payee")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        watched = b"".join([compact(len(self.watched)), *map(text, self.watched)])
        what = u8(ASSET_NAMES.index(self.asset)) + u64(self.amount) + self.hash + u64(self.timeout)
        return u32(self.payer) + u32(self.payee) + what + watched

    @classmethod
    def read(cls, reader: Reader) -> LockTerms:
        """Read what `to_bytes` wrote."""
        payer, payee, asset = reader.u32(), reader.u32(), reader.u8()
        if asset >= len(ASSET_NAMES):
            raise reader.error(f"asset {asset} is not known, allowed: 0 … {len(ASSET_NAMES) - 1}")
        amount, digest, timeout = reader.u64(), reader.take(HASH_BYTES), reader.u64()
        watched = tuple(reader.text() for _ in range(reader.compact()))
        return cls(payer, payee, ASSET_NAMES[asset], amount, digest, timeout, watched)


@dataclass(frozen=True, slots=True)
class HashLock:
    """A hash time lock and how far it is. Never changed: `claim` and `refund` return another one.

    Attributes
    ----------
    chain : str
        Where it is.
    number : int
        Counts the locks of the chain from 0.
    terms : LockTerms
    locked_at : int
        Microseconds since 1970; only stops after it count.
    status : str
        One of `STATUSES`.
    preimage : bytes
        32 bytes once claimed, empty before.
    """

    chain: str
    number: int
    terms: LockTerms
    locked_at: int
    status: str = "locked"
    preimage: bytes = b""

    @property
    def id(self) -> bytes:
        """Name of the lock, on no other chain and never again on this one; 32 bytes."""
        return tagged_hash(_ID_DOMAIN, text(self.chain) + u64(self.number) + self.terms.to_bytes())

    def remaining(self, now: int, stops: Stops) -> int:
        """Return how long it may still be claimed, microseconds; 0 or less: it may be refunded."""
        chains = (self.chain, *self.terms.watched)
        running = require_stops(stops).running(now, since=self.locked_at, chains=chains, asset=self.terms.asset)
        return self.terms.timeout - running

    def claim(self, preimage: bytes, now: int, stops: Stops) -> HashLock:
        """Return the lock claimed.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The preimage does not have 32 bytes.
        ChainError
            The lock is not open, its time is over, its chain stands, or the preimage is another one's.
        """
        opened = hash_of(preimage)
        left = self._left(now, stops, "claimed")
        if opened != self.terms.hash:
            raise ChainError(
                f"claim: the preimage has the hash {opened.hex()}, allowed: one with the hash {self.terms.hash.hex()}"
            )
        if left <= 0:
            raise ChainError(
                f"claim: the time of lock {self.number} was over {-left} µs ago, allowed: claims before its timeout; "
                "only a refund is left"
            )
        return replace(self, status="claimed", preimage=preimage)

    def refund(self, now: int, stops: Stops) -> HashLock:
        """Return the lock refunded.

        Raises
        ------
        ChainError
            The lock is not open, may still be claimed, or its chain stands.
        """
        left = self._left(now, stops, "refunded")
        if left > 0:
            raise ChainError(
                f"refund: lock {self.number} may be claimed for another {left} µs, allowed: refunds from its timeout on"
            )
        return replace(self, status="refunded")

    def _left(self, now: int, stops: Stops, wanted: str) -> int:
        require_int("now", now, self.locked_at, LATEST)
        if self.status != "locked":
            raise ChainError(f"lock {self.number} is {self.status}, so that it cannot be {wanted}")
        if require_stops(stops).standing(self.chain, self.terms.asset):
            raise ChainError(
                f"lock {self.number} cannot be {wanted} while {self.chain!r} stands, or {self.terms.asset} on "
                "it; wait for it"
            )
        return self.remaining(now, stops)
