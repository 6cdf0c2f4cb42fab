"""What an attestor signs about the reserve: so many baht at such a moment, beside what the ledger showed then.

An attestation is a level at one moment; deposits and payouts go on after it. So the attestor also signs what the ledger
had booked as reserve at that moment. The difference is what the books did not know (a loss if below 0), and it stays
true until the next attestation, whatever is booked meanwhile::

    reserve(now) = booked(now) + (attested reserve - booked when attested)

Payouts, and whether there is a gap, follow that figure. New WATT do not: what was booked since, nobody has attested.
They are minted against the attested reserve less what left it since.

References
----------
Regulation (EU) 2023/1114 (MiCA), articles 36 and 54, 2023 (reserve of assets, safeguarded funds of e-money tokens).
BOT sandbox conditions as reported by Baker McKenzie, January 2026 (100 % unencumbered baht in a segregated account).
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain import keys
from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.encoding import Reader, u64
from gridlab.chain.hashing import signing_message
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.moments import LATEST

__all__ = ["ReserveAttestation"]

_DOMAIN = "gridlab/reserve-attestation/1"


@dataclass(frozen=True, slots=True)
class ReserveAttestation:
    """A statement about the reserve.

    Attributes
    ----------
    as_of : int
        The moment for which it holds, microseconds since 1970-01-01 UTC.
    reserve : int
        Baht found in reserve, micro-THB.
    booked : int
        THB in circulation on the ledger at that moment, micro-THB.

    Examples
    --------
    >>> auditor = keys.sandbox(0, "auditor")
    >>> statement = ReserveAttestation(as_of=0, reserve=99, booked=100)
    >>> statement.difference, statement.is_signed_by(auditor.public_key, statement.sign(auditor, "a chain"), "a chain")
    (-1, True)
    """

    as_of: int
    reserve: int
    booked: int

    def __post_init__(self) -> None:
        require_int("as_of", self.as_of, 0, LATEST)
        require_int("reserve", self.reserve, 0, LARGEST)
        require_int("booked", self.booked, 0, LARGEST)

    @property
    def difference(self) -> int:
        """What the ledger did not know, micro-THB: below 0 where baht are missing."""
        return self.reserve - self.booked

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, 24 of them."""
        return u64(self.as_of) + u64(self.reserve) + u64(self.booked)

    @classmethod
    def read(cls, reader: Reader) -> ReserveAttestation:
        """Read what `to_bytes` wrote."""
        return cls(reader.u64(), reader.u64(), reader.u64())

    def sign(self, attestor: keys.KeyPair, chain_id: str) -> bytes:
        """Return the attestor's signature for one chain, 64 bytes."""
        return keys.require_key_pair("attestor", attestor).sign(self._message(chain_id))

    def is_signed_by(self, attestor: bytes, signature: bytes, chain_id: str) -> bool:
        """Say whether `signature` is that of the public key `attestor` over this statement for this chain."""
        return keys.verify(require_bytes("attestor", attestor), self._message(chain_id), signature)

    def _message(self, chain_id: str) -> bytes:
        return signing_message(_DOMAIN, chain_id, self.to_bytes())
