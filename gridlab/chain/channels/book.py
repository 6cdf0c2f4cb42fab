"""All channels of a chain: opened, topped up, closed, disputed and settled on its ledger.

A deposit is a pending transfer from its depositor to the other side. At the end what one side owes the other on balance
is posted out of these, and the rest is voided. No account holds money for others, and settling can never fail for want
of it: everything it may need is reserved.

::

    open --close_together--------------------------------------------> settled
    open --close, with a state or without--> closing --settle--------> settled
                                             closing --dispute, a strictly greater version--> closing

A dispute does not extend the window: a loser could go on for ever. A stale state is beaten, not punished. Poon and
Dryja's penalty takes all from whoever shows an old state, which also hits an honest party that has restored an old
backup; here versions are ordered, so the newest state simply wins, as in Perun and eltoo.

References
----------
Poon and Dryja, "The Bitcoin Lightning Network", draft 0.5.9.2, 2016.
Dziembowski, Eckey, Faust, Malinowski, "Perun: virtual payment hubs over cryptocurrencies", IEEE S&P 2019.
Decker, Russell, Osuntokun, "eltoo: a simple layer 2 protocol for Bitcoin", 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.channels.posting import post_deposit, post_outcome
from gridlab.chain.channels.record import ChannelEvent, ChannelRecord, Opening
from gridlab.chain.channels.signed import SignedState, require_signed
from gridlab.chain.channels.states import ChannelState, require_side
from gridlab.chain.ed25519 import verify
from gridlab.chain.encoding import Reader, compact, text, u64
from gridlab.chain.hashing import HASH_BYTES, signing_message, tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.moments import LATEST
from gridlab.chain.swaps.hashlock import hash_of
from gridlab.chain.swaps.postings import require_holder, require_ledger
from gridlab.chain.swaps.stops import LONGEST_CHAIN_ID, Stops, require_stops
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["ChannelBook", "opening_message"]

_DOMAIN = "gridlab/channels/1"
_OPENING_DOMAIN = "gridlab/channel-opening/1"
_MOST_DEPOSITS = 1 << 16


def opening_message(chain_id: str, number: int, opening: Opening) -> bytes:
    """Return what both parties sign to open channel `number` of a chain."""
    return signing_message(_OPENING_DOMAIN, chain_id, u64(number) + opening.to_bytes())


@dataclass(frozen=True, slots=True)
class ChannelBook:
    """Every channel there has been. Never changed: its methods return a new book, and change the ledger last.

    Attributes
    ----------
    chain : str
        The chain's id, at most 64 bytes.
    channels : mapping of bytes to ChannelRecord
        By id, in the order of their numbers.
    """

    chain: str
    channels: Mapping[bytes, ChannelRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("chain", self.chain, longest=LONGEST_CHAIN_ID)

    def __getitem__(self, channel: bytes) -> ChannelRecord:
        """Return a channel; raises ChainError where there is none with this id."""
        require_bytes("channel", channel, HASH_BYTES)
        if channel not in self.channels:
            raise ChainError(f"channel {channel.hex()} is not known on {self.chain!r}; it has {len(self.channels)}")
        return self.channels[channel]

    def open(
        self, ledger: Ledger, opening: Opening, signatures: Sequence[bytes], now: int, stops: Stops
    ) -> tuple[ChannelBook, bytes]:
        """Open a channel that both have signed (`opening_message`); return the book and the channel's id.

        Parameters
        ----------
        ledger : Ledger
            Is changed, unless an error is raised.
        opening : Opening
        signatures : sequence of bytes
            Two, by side.
        now : int
            Of the block, microseconds since 1970.
        stops : Stops

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A wrong type, or an account that does not exist.
        ChainError
            A signature is not valid, the chain stands, or a side issues the asset.
        LedgerError
            A side has not that much to spend.
        """
        require_ledger(ledger)
        if not isinstance(opening, Opening):
            raise ArgumentTypeError(f"opening is a {type(opening).__name__}, allowed: Opening(…)")
        self._require_running(now, stops, opening.asset)
        number = len(self.channels)
        message = opening_message(self.chain, number, opening)
        for side, (key, signature) in enumerate(zip(opening.public_keys, signatures, strict=True)):
            if not verify(key, message, signature):
                raise ChainError(f"open: side {side} has not signed the opening of channel {number} on {self.chain!r}")
            require_holder(ledger, opening.accounts[side], opening.asset, "open")
        deposits = tuple((side, amount) for side, amount in enumerate(opening.deposits) if amount)
        record = ChannelRecord(number, opening, deposits, events=(ChannelEvent(now, "open", 0),))
        post_deposit(ledger, record, 0, now)
        return self._with(record), opening.id(self.chain, number)

    def top_up(  # noqa: PLR0917 - as the other steps: where, what, when
        self, ledger: Ledger, channel: bytes, side: int, amount: int, now: int, stops: Stops
    ) -> tuple[ChannelBook, ChannelRecord]:
        """Put more into an open channel; the transaction that calls this is the depositor's own."""
        require_ledger(ledger)
        require_side(side)
        require_int("amount", amount, 1, LARGEST)
        record = self._in_phase(channel, "open", "topped up")
        self._require_running(now, stops, record.opening.asset)
        require_int("deposits in all", sum(record.deposited) + amount, 0, LARGEST)
        require_int("number of deposits", len(record.deposits) + 1, 1, _MOST_DEPOSITS)
        topped = record.after(now, "top_up", deposits=(*record.deposits, (side, amount)))
        post_deposit(ledger, topped, len(record.deposits), now)
        return self._with(topped), topped

    def close_together(
        self, ledger: Ledger, channel: bytes, signed: SignedState, now: int, stops: Stops
    ) -> tuple[ChannelBook, ChannelRecord]:
        """Pay out at once by a state that is marked final, which both sides have signed."""
        require_ledger(ledger)
        record = self[channel]
        if record.phase == "settled":
            raise ChainError(f"channel {record.number} is settled already; there is nothing to close")
        self._require_running(now, stops, record.opening.asset)
        state = self._checked(channel, record, signed)
        if state.version < record.version:
            raise ChainError(f"close_together: version {state.version} is shown, but {record.version} stands already")
        if not state.final:
            raise ChainError(f"close_together: state {state.version} is not final; close with it, or sign a final one")
        settled = record.after(now, "close_together", phase="settled", standing=state)
        post_outcome(ledger, settled, now)
        return self._with(settled), settled

    def close(
        self, channel: bytes, signed: SignedState | None, now: int, stops: Stops
    ) -> tuple[ChannelBook, ChannelRecord]:
        """Begin to close alone: by a state that both have signed, or None for the deposits as they are."""
        record = self._in_phase(channel, "open", "closed")
        self._require_running(now, stops, record.opening.asset)
        state = None if signed is None else self._checked(channel, record, signed)
        since = record.time(now, self.chain, stops)
        closing = record.after(now, "close", phase="closing", standing=state, closing_since=since)
        return self._with(closing), closing

    def dispute(
        self, channel: bytes, signed: SignedState, now: int, stops: Stops
    ) -> tuple[ChannelBook, ChannelRecord]:
        """Show a strictly newer state within the window, which stays as long as it was; anybody may.

        Raises
        ------
        ArgumentTypeError
            `signed` is not a `SignedState`.
        ChainError
            The channel is not closing, the window is over, the version is not greater, the state is another channel's,
            it counts on more than was deposited, or a signature is missing or not valid.
        """
        record = self._in_phase(channel, "closing", "disputed")
        self._require_running(now, stops, record.opening.asset)
        late = record.time(now, self.chain, stops) - record.window_end
        if late >= 0:
            raise ChainError(f"dispute: the window of channel {record.number} is over since {late} µs; settle it")
        state = self._checked(channel, record, signed)
        if state.version <= record.version:
            raise ChainError(
                f"dispute: version {state.version} is shown and {record.version} stands, allowed: strictly greater ones"
            )
        disputed = record.after(now, "dispute", standing=state)
        return self._with(disputed), disputed

    def reveal(
        self, channel: bytes, preimage: bytes, now: int, stops: Stops
    ) -> tuple[ChannelBook, ChannelRecord]:
        """Show the preimage of a conditional payment while the channel closes; it counts if its time is not over."""
        digest = hash_of(preimage)
        record = self._in_phase(channel, "closing", "given a preimage")
        self._require_running(now, stops, record.opening.asset)
        if any(known == preimage for known, _ in record.revealed):
            raise ChainError(f"reveal: the preimage of {digest.hex()} was shown to channel {record.number} before")
        locks = () if record.standing is None else record.standing.locks
        if all(lock.hash != digest for lock in locks):
            raise ChainError(f"reveal: no lock of state {record.version} has the hash {digest.hex()}; dispute first")
        moment = record.time(now, self.chain, stops)
        shown = record.after(now, "reveal", revealed=(*record.revealed, (preimage, moment)))
        return self._with(shown), shown

    def settle(self, ledger: Ledger, channel: bytes, now: int, stops: Stops) -> tuple[ChannelBook, ChannelRecord]:
        """Pay out by the state that stands, once the window is over and every conditional payment is resolved."""
        require_ledger(ledger)
        record = self._in_phase(channel, "closing", "settled")
        self._require_running(now, stops, record.opening.asset)
        left = record.settles_at - record.time(now, self.chain, stops)
        if left > 0:
            raise ChainError(f"settle: channel {record.number} may be disputed or claimed from for another {left} µs")
        settled = record.after(now, "settle", phase="settled")
        post_outcome(ledger, settled, now)
        return self._with(settled), settled

    def _in_phase(self, channel: bytes, phase: str, wanted: str) -> ChannelRecord:
        record = self[channel]
        if record.phase != phase:
            raise ChainError(f"channel {record.number} is {record.phase}, only one that is {phase} can be {wanted}")
        return record

    def _checked(self, channel: bytes, record: ChannelRecord, signed: SignedState) -> ChannelState:
        state = require_signed(signed).state
        if state.channel != channel:
            raise ChainError(f"state {state.version} is of channel {state.channel.hex()}, not of {channel.hex()}")
        for side, counted in enumerate(state.deposits):
            if counted > record.deposited[side]:
                raise ChainError(
                    f"state {state.version} counts on {counted} of side {side}, allowed: {record.deposited[side]}"
                )
        return signed.require_both(self.chain, record.opening.public_keys)

    def _require_running(self, now: int, stops: Stops, asset: str) -> None:
        require_int("now", now, 0, LATEST)
        if require_stops(stops).standing(self.chain, asset):
            raise ChainError(
                f"channels: {self.chain!r} stands, or {asset} on it; wait until it goes on, no window runs meanwhile"
            )

    def _with(self, record: ChannelRecord) -> ChannelBook:
        return ChannelBook(self.chain, {**self.channels, record.opening.id(self.chain, record.number): record})

    @property
    def is_empty(self) -> bool:
        """Whether there has never been a channel."""
        return not self.channels

    @property
    def hash(self) -> bytes:
        """Hash over all channels, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [record.to_bytes() for record in self.channels.values()]
        return b"".join([text(self.chain), compact(len(rows)), *rows])

    @classmethod
    def from_bytes(cls, data: bytes) -> ChannelBook:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "channels")
        chain, channels = reader.text(), {}
        for number in range(reader.compact()):
            record = ChannelRecord.read(reader, number)
            channels[record.opening.id(chain, number)] = record
        reader.finish()
        return cls(chain, channels)
