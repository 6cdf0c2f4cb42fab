"""What a channel does on the ledger: a pending transfer for each deposit, and at the end posts and voids.

With deposits (d0, d1) and the outcome (o0, o1) of equal sum, side 0 pays d0 - o0 where that is positive, else side 1
pays d1 - o1. Whoever pays has it posted out of his own pending deposits, oldest first; everything else is voided.
"""

from __future__ import annotations

from gridlab.chain.channels.record import ChannelRecord
from gridlab.chain.ledger import Ledger
from gridlab.chain.senders import CHANNEL_SENDER
from gridlab.chain.swaps.postings import Posting, apply_postings

__all__ = ["post_deposit", "post_outcome"]

# Transfer ids of one channel: its n-th deposit has n, what closes that has n + half of the span.
_SPAN = 1 << 20
_CLOSING = _SPAN >> 1


def post_deposit(ledger: Ledger, record: ChannelRecord, first: int, now: int) -> None:
    """Reserve the deposits of a record from the `first` one on."""
    rows = [
        Posting(record.number * _SPAN + place, *_ways(record, side), record.opening.asset, amount, "deposit", "pending")
        for place, (side, amount) in enumerate(record.deposits[first:], start=first)
    ]
    apply_postings(ledger, rows, sender=CHANNEL_SENDER, now=now)


def post_outcome(ledger: Ledger, record: ChannelRecord, now: int) -> None:
    """Pay what the record's outcome says and release the rest."""
    left = [max(put - got, 0) for put, got in zip(record.deposited, record.outcome(), strict=True)]
    rows = []
    for place, (side, amount) in enumerate(record.deposits):
        taken = min(left[side], amount)
        left[side] -= taken
        number = record.number * _SPAN + place
        code, phase = ("transfer", "post") if taken else ("refund", "void")
        ways = _ways(record, side)
        rows.append(Posting(number + _CLOSING, *ways, record.opening.asset, taken, code, phase, number))
    apply_postings(ledger, rows, sender=CHANNEL_SENDER, now=now)


def _ways(record: ChannelRecord, side: int) -> tuple[int, int]:
    accounts = record.opening.accounts
    return accounts[side], accounts[1 - side]
