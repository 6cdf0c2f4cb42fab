"""What two parties sign off chain: who holds how much of the deposits, under a version.

::

    text(domain) text(chain id) | channel id (32) version (8) final (1)
    deposits (2 x 8) balances (2 x 8) application hash (32) locks

The domain tag, the chain's id and the channel's id stand in every signed message, so that a state is good for one
channel on one chain and nowhere else. Deposits are those that the state counts with; what was deposited since belongs
to whoever did it. So balances and open conditional payments always add up to deposits::

    balances[0] + balances[1] + sum of locks = deposits[0] + deposits[1]

References
----------
Dziembowski, Eckey, Faust, Malinowski, "Perun: virtual payment hubs over cryptocurrencies", IEEE S&P 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.encoding import Reader, compact, u8, u64
from gridlab.chain.hashing import HASH_BYTES, ZERO_HASH, signing_message
from gridlab.chain.ledger.schema import LARGEST
from gridlab.chain.moments import LATEST
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["LATEST_VERSION", "STATE_DOMAIN", "ChannelState", "Conditional", "Pair", "require_pair", "require_side"]

STATE_DOMAIN = "gridlab/channel-state/1"
LATEST_VERSION = 2**64 - 1
_MOST_LOCKS = 64

Pair = tuple[int, int]


def require_side(value: object) -> int:
    """Return 0 or 1, which of a channel's two parties; raises ArgumentTypeError or ArgumentError."""
    return require_int("side", value, 0, 1)


def require_pair(name: str, value: object) -> Pair:
    """Return a pair of amounts, each 0 … 2^63 - 1 and their sum, too; raises ArgumentTypeError or ArgumentError."""
    pair = require_sequence(name, value, int)
    require_int(f"how many {name} there are", len(pair), 2, 2)
    one, other = (require_int(f"{name}[{side}]", amount, 0, LARGEST) for side, amount in enumerate(pair))
    require_int(f"the sum of {name}", one + other, 0, LARGEST)
    return one, other


@dataclass(frozen=True, slots=True)
class Conditional:
    """A conditional payment inside a channel: a hash time lock of which the chain knows nothing unless there is strife.

    Attributes
    ----------
    payer : int
        Side, 0 or 1.
    amount : int
    hash : bytes
        SHA-256 of the preimage, 32 bytes.
    timeout : int
        Microseconds since 1970; the payee must have shown the preimage before.
    """

    payer: int
    amount: int
    hash: bytes
    timeout: int

    def __post_init__(self) -> None:
        require_side(self.payer)
        require_int("amount", self.amount, 1, LARGEST)
        require_bytes("hash", self.hash, HASH_BYTES)
        require_int("timeout", self.timeout, 1, LATEST)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return u8(self.payer) + u64(self.amount) + self.hash + u64(self.timeout)

    @classmethod
    def read(cls, reader: Reader) -> Conditional:
        """Read what `to_bytes` wrote."""
        return cls(reader.u8(), reader.u64(), reader.take(HASH_BYTES), reader.u64())


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One state of a channel.

    Attributes
    ----------
    channel : bytes
        The channel's id, 32 bytes.
    version : int
        Counts states; the strictly greater one wins.
    deposits, balances : tuple of (int, int)
        Of side 0 and side 1, the asset's smallest unit.
    final : bool
        Whether it may close the channel at once.
    application : bytes
        Hash of what else the two agree on, 32 bytes; zeros for none.
    locks : tuple of Conditional
    """

    channel: bytes
    version: int
    deposits: Pair
    balances: Pair
    final: bool = False
    application: bytes = ZERO_HASH
    locks: tuple[Conditional, ...] = field(default=())

    def __post_init__(self) -> None:
        require_bytes("channel", self.channel, HASH_BYTES)
        require_int("version", self.version, 0, LATEST_VERSION)
        deposits = require_pair("deposits", self.deposits)
        balances = require_pair("balances", self.balances)
        require_bytes("application", self.application, HASH_BYTES)
        locks = require_sequence("locks", self.locks, Conditional)
        require_int("how many locks there are", len(locks), 0, _MOST_LOCKS)
        if not isinstance(self.final, bool):
            raise ArgumentTypeError(f"final is {self.final!r}, allowed: True or False")
        if self.final and locks:
            raise ChainError(f"state: it is final and has {len(locks)} open locks; resolve them first")
        if len({lock.hash for lock in locks}) != len(locks):
            raise ChainError("state: two locks have the same hash, so that one preimage would open both; take another")
        held = sum(balances) + sum(lock.amount for lock in locks)
        if held != sum(deposits):
            raise ChainError(
                f"state: balances and locks add up to {held}, allowed: exactly the deposits, {sum(deposits)}"
            )

    def next(self, balances: Pair, **changes: object) -> ChannelState:
        """Return a state that follows, by the next version unless `changes` say another."""
        fields: dict[str, Any] = {"version": self.version + 1, "balances": balances} | changes
        return replace(self, **fields)

    def gain(self, side: int) -> int:
        """Return what a side holds beyond what it put in; the chain pays it its deposits and this."""
        return self.balances[side] - self.deposits[side]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, without domain and chain."""
        amounts = b"".join(map(u64, (*self.deposits, *self.balances)))
        locks = b"".join([compact(len(self.locks)), *(lock.to_bytes() for lock in self.locks)])
        return self.channel + u64(self.version) + u8(int(self.final)) + amounts + self.application + locks

    @classmethod
    def read(cls, reader: Reader) -> ChannelState:
        """Read what `to_bytes` wrote."""
        channel, version, final = reader.take(HASH_BYTES), reader.u64(), reader.u8()
        if final > 1:
            raise reader.error(f"final is {final}, allowed: 0 or 1")
        one, other, mine, yours = (reader.u64() for _ in range(4))
        application = reader.take(HASH_BYTES)
        locks = tuple(Conditional.read(reader) for _ in range(reader.compact()))
        return cls(channel, version, (one, other), (mine, yours), bool(final), application, locks)

    def message(self, chain_id: str) -> bytes:
        """Return what both parties sign."""
        return signing_message(STATE_DOMAIN, chain_id, self.to_bytes())


def paid(balances: Sequence[int], payer: int, amount: int) -> Pair:
    """Return the balances after `payer` (0 or 1) has paid the other side.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        The amount is not a whole number above 0.
    ChainError
        The payer holds less.
    """
    require_side(payer)
    require_int("amount", amount, 1, LARGEST)
    if amount > balances[payer]:
        raise ChainError(
            f"payment of {amount}: side {payer} holds {balances[payer]} in the channel; pay at most that, or top up"
        )
    change = amount if payer else -amount
    return balances[0] + change, balances[1] - change
