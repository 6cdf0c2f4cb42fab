"""What the chain's state knows of WATT beside the balances: rules, the newest attestation, a pause, the queue.

Until a regulator has set rules the register is empty and WATT is what it always was: backed by what the reserve bank
has booked, which the ledger holds for every single row. Rules make the attested reserve count as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.encoding import Reader, blob, text, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.perbill import BILLION, from_rational
from gridlab.chain.watt.attestation import ReserveAttestation
from gridlab.chain.watt.bookings import Bookings
from gridlab.chain.watt.queue import RedemptionQueue
from gridlab.chain.watt.rules import WattRules
from gridlab.errors import ChainError

__all__ = ["WattRegister"]

_DOMAIN = "gridlab/watt/1"


@dataclass(frozen=True, slots=True)
class WattRegister:
    """Never changed, only replaced.

    Attributes
    ----------
    rules : WattRules or None
        None until a regulator has set them.
    attestation : ReserveAttestation or None
        The newest.
    pause : str
        Why issuing and redeeming are paused; empty where they are not.
    queue : RedemptionQueue
    slot : int
        Start of the slot of the newest payout, microseconds since 1970.
    burned : int
        WATT redeemed in that slot, micro-THB; counts against the gate.
    bookings : Bookings
        What was booked after the moment of the newest attestation.
    """

    rules: WattRules | None = None
    attestation: ReserveAttestation | None = None
    pause: str = ""
    queue: RedemptionQueue = field(default_factory=RedemptionQueue)
    slot: int = 0
    burned: int = 0
    bookings: Bookings = field(default_factory=Bookings)

    @property
    def is_empty(self) -> bool:
        """Whether no rules were ever set; then nothing else is there either."""
        return self.rules is None

    @property
    def in_force(self) -> WattRules:
        """The rules; ChainError where there are none."""
        if self.rules is None:
            raise ChainError("no rules for WATT are in force on this chain; a regulator sets them by kind 'watt_rules'")
        return self.rules

    def reserve(self, ledger: Ledger) -> int:
        """Return the attested reserve carried on to now by what was booked since, micro-THB."""
        difference = self.attestation.difference if self.attestation else 0
        return max(0, ledger.circulation("THB") + difference)

    def cover(self, ledger: Ledger) -> int:
        """Return what is left of the attested baht, micro-THB: what left the books since is off, bookings add nothing.

        So much WATT may circulate after a mint or a release. It is never more than was attested, nor than `reserve`.
        """
        if self.attestation is None:
            return 0
        left = ledger.circulation("THB") + self.attestation.difference - self.bookings.total
        return max(0, min(self.attestation.reserve, left))

    def gap(self, ledger: Ledger) -> int:
        """Return how much more WATT circulates than is in reserve, micro-THB; 0 where all of it is covered."""
        return max(0, ledger.circulation("WATT") - self.reserve(ledger))

    def age(self, now: int) -> int | None:
        """Return the age of the newest attestation, microseconds; None where there is none."""
        return None if self.attestation is None else now - self.attestation.as_of

    def require_fresh(self, now: int, what: str) -> None:
        """Raise ChainError unless an attestation is there and young enough at `now`."""
        age, longest = self.age(now), self.in_force.longest_age
        if age is None:
            raise ChainError(f"{what}: nobody has attested the reserve yet; send a 'reserve_attestation' first")
        if age > longest:
            raise ChainError(
                f"{what}: the newest attestation is {age} µs old, allowed: at most {longest}; send a newer one first"
            )

    def require_running(self, what: str) -> None:
        """Raise ChainError while WATT is paused."""
        if self.pause:
            raise ChainError(f"{what}: WATT is paused ({self.pause!r}); a regulator can resume it")

    def rate(self, ledger: Ledger) -> int:
        """Return what one WATT is redeemed for, parts per billion of a baht.

        Raises
        ------
        ChainError
            There is a gap, and the rule for it is "stop", or nothing is left to share.
        """
        gap, rule = self.gap(ledger), self.in_force.gap_rule
        if not gap or rule == "par":
            return BILLION
        if rule == "stop":
            raise ChainError(
                f"redemption_payout: {gap} micro-THB are missing in reserve, and the rule for a gap is 'stop'; attest "
                "what was paid in, or let the regulator choose 'haircut'"
            )
        rate = from_rational(self.reserve(ledger), ledger.circulation("WATT"))
        if not rate:
            raise ChainError("redemption_payout: nothing is in reserve, and WATT are not burned for nothing; wait")
        return rate

    def left_in_slot(self, slot: int) -> int | None:
        """Return how much may still be redeemed in the slot that starts at `slot`, micro-THB; None without a gate."""
        gate = self.in_force.gate
        if not gate:
            return None
        return max(0, gate - (self.burned if slot == self.slot else 0))

    @property
    def hash(self) -> bytes:
        """Hash over all of it, 32 bytes."""
        return tagged_hash(_DOMAIN, blob(self.to_bytes()))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        parts = (self.rules, self.attestation)
        given = [b"\0" if part is None else b"\1" + part.to_bytes() for part in parts]
        slot = u64(self.slot) + u64(self.burned)
        return b"".join([*given, text(self.pause), self.queue.to_bytes(), slot, self.bookings.to_bytes()])

    @classmethod
    def from_bytes(cls, data: bytes) -> WattRegister:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "WATT register")
        rules = WattRules.read(reader) if _flag(reader) else None
        attestation = ReserveAttestation.read(reader) if _flag(reader) else None
        rest = (reader.text(), RedemptionQueue.read(reader), reader.u64(), reader.u64(), Bookings.read(reader))
        register = cls(rules, attestation, *rest)
        reader.finish()
        if register.is_empty and register != cls():
            raise reader.error("something is there without rules")
        return register


def _flag(reader: Reader) -> bool:
    found = reader.u8()
    if found > 1:
        raise reader.error(f"{found} stands for yes or no, allowed: 0 or 1")
    return bool(found)
