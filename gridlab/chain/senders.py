"""Transfer ids that the chain itself gives.

A transfer id belongs to its sender. What follows from a rule and not from a member's own transfer frame has a sender
above all accounts, so that no member can use up its ids.
"""

from __future__ import annotations

__all__ = [
    "CHANNEL_SENDER",
    "CLEARING_SENDER",
    "CONTRACT_SENDER",
    "FEE_SENDER",
    "GOVERNANCE_SENDER",
    "HIGHEST_ACCOUNT",
    "LOCK_SENDER",
    "PAYOUT_SENDER",
    "REDEMPTION_SENDER",
    "RESERVATION_SENDER",
]

CONTRACT_SENDER = 2**32 - 1
RESERVATION_SENDER = 2**32 - 2
CLEARING_SENDER = 2**32 - 3
FEE_SENDER = 2**32 - 4
LOCK_SENDER = 2**32 - 9
CHANNEL_SENDER = 2**32 - 10
GOVERNANCE_SENDER = 2**32 - 11
REDEMPTION_SENDER = 2**32 - 12
PAYOUT_SENDER = 2**32 - 13
HIGHEST_ACCOUNT = 2**32 - 17
