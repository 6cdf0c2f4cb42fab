"""Atomic swaps: hash time locks on two chains, and the drill that shows that nobody honest loses."""

from gridlab.chain.swaps.deal import Deal, World
from gridlab.chain.swaps.griefing import worst_case
from gridlab.chain.swaps.hashlock import PREIMAGE_BYTES, HashLock, LockTerms, hash_of
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.parties import BEHAVIOURS
from gridlab.chain.swaps.stops import Stop, Stops
from gridlab.chain.swaps.swap import Halt, Swap, SwapOutcome
from gridlab.chain.swaps.terms import SwapTerms
from gridlab.chain.swaps.wire import lock_frame, stop_news

__all__ = [
    "BEHAVIOURS",
    "PREIMAGE_BYTES",
    "Deal",
    "Halt",
    "HashLock",
    "LockBook",
    "LockTerms",
    "Stop",
    "Stops",
    "Swap",
    "SwapOutcome",
    "SwapTerms",
    "World",
    "hash_of",
    "lock_frame",
    "stop_news",
    "worst_case",
]
