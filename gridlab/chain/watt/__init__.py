"""WATT on the consortium chain: its rules, the attested reserve, the queue of redemptions."""

from gridlab.chain.watt.attestation import ReserveAttestation
from gridlab.chain.watt.bookings import Bookings
from gridlab.chain.watt.queue import RedemptionQueue
from gridlab.chain.watt.register import WattRegister
from gridlab.chain.watt.rules import GAP_RULES, WattRules
from gridlab.chain.watt.shares import share_of

__all__ = ["GAP_RULES", "Bookings", "RedemptionQueue", "ReserveAttestation", "WattRegister", "WattRules", "share_of"]
