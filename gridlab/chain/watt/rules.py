"""The rules of WATT that a regulator sets: who attests, for how long it counts, and how baht are paid out.

Three rules say what happens while less is in reserve than circulates, the "gap":

========  ===========================================================================================================
stop      no payouts until an attestation closes the gap; everybody keeps his place in the queue (the default)
haircut   everybody is paid the same share, reserve / circulation, whether he came first or last
par       first come, first served in full until nothing is left; what a run hopes for, kept so that it can be studied
========  ===========================================================================================================

References
----------
Regulation (EU) 2023/1114 (MiCA), article 46 with 55, 2023: recovery options of an issuer are liquidity fees on
redemptions, limits on what may be redeemed on a working day, and suspension of redemptions.
Diamond and Dybvig, "Bank runs, deposit insurance, and liquidity", Journal of Political Economy 91, 1983 (sequential
service gives those who come first more than those who come last).
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, u8, u32, u64
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.moments import LATEST
from gridlab.chain.perbill import BILLION
from gridlab.errors import ChainError

__all__ = ["GAP_RULES", "WattRules"]

GAP_RULES = ("stop", "haircut", "par")
_HIGHEST_FEE = BILLION // 10


@dataclass(frozen=True, slots=True)
class WattRules:
    """What holds for issuing and redeeming WATT.

    Attributes
    ----------
    attestor : bytes
        Public key of who attests the reserve, 32 bytes; best an auditor, neither bank nor issuer.
    longest_age : int
        How old an attestation may be for WATT to be minted on it, microseconds.
    gap_rule : str
        One of `GAP_RULES`.
    gate : int
        Most WATT redeemed in a slot of 15 minutes, micro-THB; 0 sets no limit.
    fee_ppb : int
        The issuer's fee, parts per billion of the baht paid out, at most a tenth.
    least : int
        Smallest redemption, micro-THB; keeps the queue from being filled with dust.
    """

    attestor: bytes
    longest_age: int
    gap_rule: str = "stop"
    gate: int = 0
    fee_ppb: int = 0
    least: int = 1

    def __post_init__(self) -> None:
        require_bytes("attestor", self.attestor, PUBLIC_KEY_BYTES)
        require_int("longest_age", self.longest_age, 1, LATEST)
        require_int("gate", self.gate, 0, LARGEST)
        require_int("fee_ppb", self.fee_ppb, 0, _HIGHEST_FEE)
        require_int("least", self.least, 1, LARGEST)
        if self.gap_rule not in GAP_RULES:
            raise ChainError(f"watt_rules: gap_rule is {self.gap_rule!r}, allowed: {', '.join(GAP_RULES)}")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rule = u8(GAP_RULES.index(self.gap_rule))
        return self.attestor + u64(self.longest_age) + rule + u64(self.gate) + u32(self.fee_ppb) + u64(self.least)

    @classmethod
    def read(cls, reader: Reader) -> WattRules:
        """Read what `to_bytes` wrote."""
        attestor, age, rule = reader.take(PUBLIC_KEY_BYTES), reader.u64(), reader.u8()
        if rule >= len(GAP_RULES):
            raise reader.error(f"gap rule {rule} is not known, allowed: 0 … {len(GAP_RULES) - 1}")
        return cls(attestor, age, GAP_RULES[rule], reader.u64(), reader.u32(), reader.u64())
