"""What the chain knows of one channel.

All its timeouts are in *channel time*: the chain's clock less what the chain has stood since the channel was opened. So
an emergency stop takes nothing from anybody's window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.channels.states import ChannelState, Conditional, Pair, require_pair
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, blob, compact, text, u8, u32, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger.doors import require_asset
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.swaps.hashlock import PREIMAGE_BYTES, hash_of
from gridlab.chain.swaps.stops import Stops, require_stops
from gridlab.errors import ChainError

__all__ = ["EVENTS", "PHASES", "ChannelEvent", "ChannelRecord", "Opening"]

PHASES = ("open", "closing", "settled")
EVENTS = ("open", "top_up", "close", "dispute", "reveal", "settle", "close_together")
_ID_DOMAIN = "gridlab/channel/1"


@dataclass(frozen=True, slots=True)
class Opening:
    """Between whom a channel is, and what each puts in.

    Attributes
    ----------
    accounts : tuple of (int, int)
    public_keys : tuple of (bytes, bytes)
        Ed25519, 32 bytes each.
    asset : str
    deposits : tuple of (int, int)
        The asset's smallest unit; one of the two may be 0.
    window : int
        For disputes, microseconds.
    longest_lock : int
        How long a close waits for conditional payments after its window, microseconds.
    """

    accounts: Pair
    public_keys: tuple[bytes, bytes]
    asset: str
    deposits: Pair
    window: int
    longest_lock: int

    def __post_init__(self) -> None:
        for account in require_pair("accounts", self.accounts):
            require_int("account", account, 0, 2**32 - 1)
        for key in self.public_keys:
            require_bytes("public_key", key, PUBLIC_KEY_BYTES)
        require_asset(self.asset)
        require_pair("deposits", self.deposits)
        require_int("window", self.window, 1, 2**53)
        require_int("longest_lock", self.longest_lock, 0, 2**53)
        if self.accounts[0] == self.accounts[1] or self.public_keys[0] == self.public_keys[1]:
            raise ChainError(f"channel: both sides are account {self.accounts[0]} or one key; it needs two parties")
        if not sum(self.deposits):
            raise ChainError("channel: nobody deposits anything; at least one side must")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        who = u32(self.accounts[0]) + u32(self.accounts[1]) + self.public_keys[0] + self.public_keys[1]
        what = u8(ASSET_NAMES.index(self.asset)) + u64(self.deposits[0]) + u64(self.deposits[1])
        return who + what + u64(self.window) + u64(self.longest_lock)

    @classmethod
    def read(cls, reader: Reader) -> Opening:
        """Read what `to_bytes` wrote."""
        accounts, keys = (reader.u32(), reader.u32()), (reader.take(PUBLIC_KEY_BYTES), reader.take(PUBLIC_KEY_BYTES))
        asset = reader.u8()
        if asset >= len(ASSET_NAMES):
            raise reader.error(f"asset {asset} is not known, allowed: 0 … {len(ASSET_NAMES) - 1}")
        deposits = (reader.u64(), reader.u64())
        return cls(accounts, keys, ASSET_NAMES[asset], deposits, reader.u64(), reader.u64())

    def id(self, chain: str, number: int) -> bytes:
        """Return the channel's name, on no other chain and never again on this one; 32 bytes."""
        return tagged_hash(_ID_DOMAIN, text(chain) + u64(number) + self.to_bytes())


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """What happened on the chain: `kind` is one of `EVENTS`, `version` that of the state that stands after it."""

    moment: int
    kind: str
    version: int


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """One channel as the chain knows it.

    Attributes
    ----------
    number : int
        Counts the chain's channels from 0.
    opening : Opening
    deposits : tuple of tuple of (int, int)
        Every deposit by (side, amount), in order; the n-th one has the n-th pending transfer of the channel.
    phase : str
        One of `PHASES`.
    standing : ChannelState or None
        The newest state that was shown; None: the deposits as they are.
    closing_since : int
        Channel time; 0 while it is open.
    revealed : tuple of (bytes, int)
        Preimages that were shown, and the channel time of each.
    events : tuple of ChannelEvent
    """

    number: int
    opening: Opening
    deposits: tuple[Pair, ...]
    phase: str = "open"
    standing: ChannelState | None = None
    closing_since: int = 0
    revealed: tuple[tuple[bytes, int], ...] = ()
    events: tuple[ChannelEvent, ...] = ()

    @property
    def deposited(self) -> Pair:
        """What each side has put in so far."""
        one, other = (sum(amount for who, amount in self.deposits if who == side) for side in (0, 1))
        return one, other

    @property
    def version(self) -> int:
        """Version of the state that stands, 0 where none was shown."""
        return 0 if self.standing is None else self.standing.version

    def time(self, now: int, chain: str, stops: Stops) -> int:
        """Return the channel time at `now`, microseconds."""
        since, asset = self.events[0].moment, self.opening.asset
        return require_stops(stops).running(now, since=since, chains=[chain], asset=asset)

    @property
    def window_end(self) -> int:
        """Channel time at which the dispute window is over."""
        return self.closing_since + self.opening.window

    @property
    def settles_at(self) -> int:
        """Channel time from which it may be settled: the window is over, and each lock is resolved."""
        shown = {hash_of(preimage) for preimage, _ in self.revealed}
        locks = () if self.standing is None else self.standing.locks
        return max([self.window_end, *(self.lock_end(lock) for lock in locks if lock.hash not in shown)])

    def lock_end(self, lock: Conditional) -> int:
        """Channel time from which a preimage comes too late: the lock's timeout, or what a close waits at most."""
        return min(lock.timeout, self.window_end + self.opening.longest_lock)

    def outcome(self) -> Pair:
        """Return what each side gets: its balance, what was deposited after the state, and the locks it won."""
        deposited = self.deposited
        if self.standing is None:
            return deposited
        state = self.standing
        shown = {hash_of(preimage): moment for preimage, moment in self.revealed}
        parts = [balance + deposited[side] - state.deposits[side] for side, balance in enumerate(state.balances)]
        for lock in state.locks:
            end = self.lock_end(lock)
            won = shown.get(lock.hash, end) < end
            parts[1 - lock.payer if won else lock.payer] += lock.amount
        return parts[0], parts[1]

    def after(self, moment: int, kind: str, **changes: object) -> ChannelRecord:
        """Return the record with `changes` and an event more."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        return replace(changed, events=(*self.events, ChannelEvent(moment, kind, changed.version)))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        standing = b"" if self.standing is None else self.standing.to_bytes()
        deposits = [u8(side) + u64(amount) for side, amount in self.deposits]
        revealed = [preimage + u64(moment) for preimage, moment in self.revealed]
        events = [u64(e.moment) + u8(EVENTS.index(e.kind)) + u64(e.version) for e in self.events]
        lists = [b"".join([compact(len(rows)), *rows]) for rows in (deposits, revealed, events)]
        head = blob(self.opening.to_bytes()) + u8(PHASES.index(self.phase)) + blob(standing) + u64(self.closing_since)
        return head + b"".join(lists)

    @classmethod
    def read(cls, reader: Reader, number: int) -> ChannelRecord:
        """Read what `to_bytes` wrote."""
        inner = Reader(reader.blob(), "channel opening")
        opening = Opening.read(inner)
        inner.finish()
        phase, shown, since = _named(reader, PHASES), reader.blob(), reader.u64()
        standing = None
        if shown:
            inner = Reader(shown, "channel state")
            standing = ChannelState.read(inner)
            inner.finish()
        deposits = tuple((reader.u8(), reader.u64()) for _ in range(reader.compact()))
        revealed = tuple((reader.take(PREIMAGE_BYTES), reader.u64()) for _ in range(reader.compact()))
        events = [ChannelEvent(reader.u64(), _named(reader, EVENTS), reader.u64()) for _ in range(reader.compact())]
        if any(side > 1 for side, _ in deposits) or not events:
            raise reader.error(f"channel {number} holds what no chain would have written")
        return cls(number, opening, deposits, phase, standing, since, revealed, tuple(events))


def _named(reader: Reader, names: tuple[str, ...]) -> str:
    place = reader.u8()
    if place >= len(names):
        raise reader.error(f"{place} stands for nothing, allowed: 0 … {len(names) - 1} for {list(names)}")
    return names[place]
