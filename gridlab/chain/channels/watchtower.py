"""A watchtower: it holds the newest states of channels whose owners sleep, and answers a stale close within the window.

A state is worth handing in by anybody, since both sides have signed it. So a tower needs no key to any money. It signs
a receipt for what it was given; if a channel is settled all the same with an older state, the receipt convicts it.

References
----------
McCorry, Bakshi, Bentov, Meiklejohn, Miller, "Pisa: arbitration outsourcing for state channels", AFT 2019 (receipts).
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain.arguments import require_bytes
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.channels.signed import SignedState, require_signed
from gridlab.chain.encoding import u64
from gridlab.chain.hashing import signing_message
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.chain.swaps.stops import Stops, require_stops
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["TowerReceipt", "Watchtower", "convicts"]

_DOMAIN = "gridlab/watchtower-receipt/1"


@dataclass(frozen=True, slots=True)
class TowerReceipt:
    """A watchtower's promise.

    Attributes
    ----------
    tower : bytes
        Its public key, 32 bytes.
    chain : str
    channel : bytes
    version : int
        The tower will not let an older version stand.
    accepted_at : int
        Microseconds since 1970; a close before that is not the tower's affair.
    signature : bytes
    """

    tower: bytes
    chain: str
    channel: bytes
    version: int
    accepted_at: int
    signature: bytes

    def message(self) -> bytes:
        """Return what the tower has signed."""
        return signing_message(_DOMAIN, self.chain, self.channel + u64(self.version) + u64(self.accepted_at))


class Watchtower:
    """A tower.

    Parameters
    ----------
    pair : KeyPair
        Signs receipts.
    chain : str
        Id of the chain that it watches.
    """

    def __init__(self, pair: KeyPair, chain: str) -> None:
        self.pair, self.chain = require_key_pair("pair", pair), chain
        self._held: dict[bytes, SignedState] = {}

    def __repr__(self) -> str:
        return f"Watchtower({self.chain!r}, {len(self._held)} channels)"

    def take(self, book: ChannelBook, signed: SignedState, now: int) -> TowerReceipt:
        """Keep a state in place of an older one, and return a receipt.

        Raises
        ------
        ArgumentTypeError
            A wrong type.
        ChainError
            The channel is not known or settled, a signature is missing or not valid, or a state as new is held already.
        """
        state = require_signed(signed).state
        record = _require_book(book)[state.channel]
        if record.phase == "settled":
            raise ChainError(f"watchtower: channel {record.number} is settled, there is nothing left to watch")
        signed.require_both(self.chain, record.opening.public_keys)
        held = self._held.get(state.channel)
        if held is not None and held.state.version >= state.version:
            raise ChainError(f"watchtower: version {held.state.version} is held, {state.version} is not newer")
        self._held[state.channel] = signed
        blank = TowerReceipt(self.pair.public_key, self.chain, state.channel, state.version, now, b"")
        return TowerReceipt(blank.tower, self.chain, state.channel, state.version, now, self.pair.sign(blank.message()))

    def answers(self, book: ChannelBook, now: int, stops: Stops) -> list[SignedState]:
        """Return what is to be handed in as disputes now: for every stale close whose window is open.

        What is no channel any more is forgotten.
        """
        _require_book(book)
        require_stops(stops)
        found = []
        for channel, signed in list(self._held.items()):
            record = book[channel]
            if record.phase == "settled":
                del self._held[channel]
            elif record.phase == "closing" and record.time(now, book.chain, stops) < record.window_end:
                found += [signed] if signed.state.version > record.version else []
        return found

    def watch(self, book: ChannelBook, now: int, stops: Stops) -> ChannelBook:
        """Hand in every answer; return the book after that."""
        for signed in self.answers(book, now, stops):
            book, _ = book.dispute(signed.state.channel, signed, now, stops)
        return book


def convicts(receipt: TowerReceipt, book: ChannelBook) -> bool:
    """Say whether a receipt proves that its tower slept: an older version was settled by a close that came after it."""
    if not isinstance(receipt, TowerReceipt):
        raise ArgumentTypeError(f"receipt is a {type(receipt).__name__}, allowed: a TowerReceipt, as tower.take gives")
    require_bytes("signature", receipt.signature)
    record = _require_book(book)[receipt.channel]
    signed = book.chain == receipt.chain and verify(receipt.tower, receipt.message(), receipt.signature)
    closed = [event.moment for event in record.events if event.kind == "close"]
    settled = record.events[-1].kind == "settle" and record.version < receipt.version
    return signed and settled and min(closed) >= receipt.accepted_at


def _require_book(value: object) -> ChannelBook:
    if not isinstance(value, ChannelBook):
        raise ArgumentTypeError(f"book is a {type(value).__name__}, allowed: a ChannelBook")
    return value
