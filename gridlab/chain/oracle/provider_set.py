"""Who observes: the public keys of the providers in one epoch, and how many of them must sign.

Of n providers f = floor((n - 1) / 3) may lie. A report needs at least 2f + 1 observations, so that honest ones lie on
both sides of the median, and at least ceil((n + f + 1) / 2) signatures of different providers, so that any two reports
of one round share an honest signer. At n = 15 these are 9 and 10: nine signatures are not enough.

References
----------
Breidenbach et al., "Chainlink off-chain reporting protocol", 2021 (2f + 1 observations, upper median).
smartcontractkit/libocr, ``OCR2Base.sol``, 2022 (``uniqueReports``: (n + f) / 2 + 1 signatures).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_sequence, require_text
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.encoding import Reader, compact, text, u32, u64
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.oracle.observations import LONGEST_FEED, NETWORK
from gridlab.chain.perbill import BILLION
from gridlab.errors import ArgumentError, ArgumentTypeError, OracleError
from gridlab.frames import Column, Schema

__all__ = ["MOST_PROVIDERS", "ORACLE_PROVIDERS", "ProviderSet", "require_providers", "sandbox_pair"]

MOST_PROVIDERS = 1_000

ORACLE_PROVIDERS = Schema(
    "oracle_providers",
    (
        Column("network", pl.String, "text", "name that observations are signed for; the same in every row"),
        Column("epoch", pl.UInt64, "integer", "above the one before; the same in every row"),
        Column("provider", pl.UInt32, "integer", "number, 0 upwards without gaps; the whole new set, in order"),
        Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519; unique"),
        Column("account", pl.UInt32, "integer", "where its stake lies: an oracle's licence that is not in force"),
        Column("stake", pl.Int64, "integer", "what must lie there at least (micro-WATT)"),
        Column(
            "slash", pl.UInt32, "integer", "share of it lost for two values in a round (ppb); the same in every row"
        ),
    ),
)


def sandbox_pair(seed: int, provider: int) -> KeyPair:
    """Return the sandbox key pair of a provider."""
    return sandbox(seed, f"oracle provider {provider}")


@dataclass(frozen=True, slots=True)
class ProviderSet:
    """The providers of one epoch.

    Attributes
    ----------
    keys : tuple of bytes
        Public keys by provider.
    epoch : int
        Counts the sets of providers.
    network : str
        Name that observations are signed for.
    accounts : tuple of int
        Where their stakes lie on the ledger; empty away from the chain.
    slash : int
        Share of a stake that is lost for two values in one round, parts per billion.
    struck : tuple of int
        Providers whose observations no longer count, in ascending order.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A part is of another type or out of bounds.
    OracleError
        A key or an account stands there twice, or there is not one account for each key.

    Examples
    --------
    >>> providers = ProviderSet.sandbox(15)
    >>> providers.max_faulty, providers.least_observations, providers.least_signatures
    (4, 9, 10)
    """

    keys: tuple[bytes, ...]
    epoch: int = 1
    network: str = NETWORK
    accounts: tuple[int, ...] = ()
    slash: int = 0
    struck: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        count = len(require_sequence("keys", self.keys, bytes))
        if not 1 <= count <= MOST_PROVIDERS:
            raise ArgumentError(f"keys are {count}, allowed: 1 to {MOST_PROVIDERS} providers")
        for provider, key in enumerate(self.keys):
            require_bytes(f"keys[{provider}]", key, PUBLIC_KEY_BYTES)
        require_int("epoch", self.epoch, 0, 2**64 - 1)
        if not require_text("network", self.network, longest=LONGEST_FEED):
            raise ArgumentError(f"network is empty, allowed: a name of 1 to {LONGEST_FEED} bytes")
        require_int("slash", self.slash, 0, BILLION)
        if self.accounts and len(self.accounts) != count:
            raise OracleError(f"oracle_providers: {count} keys and {len(self.accounts)} accounts; give each its own")
        for name, values in (("public key", self.keys), ("account", self.accounts)):
            if len(set(values)) != len(values):
                raise OracleError(f"oracle_providers: the same {name} stands there twice; each provider has its own")
        if list(self.struck) != sorted({require_int("struck", each, 0, count - 1) for each in self.struck}):
            raise ArgumentError(f"struck is {self.struck}, allowed: providers in ascending order, each once")

    @classmethod
    def sandbox(cls, count: int, *, seed: int = 0, epoch: int = 1, network: str = NETWORK) -> Self:
        """Return `count` providers with the sandbox keys of `seed`."""
        require_int("count", count, 1, MOST_PROVIDERS)
        keys = tuple(sandbox_pair(seed, provider).public_key for provider in range(count))
        return cls(keys, epoch=epoch, network=network)

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> Self:
        """Return the set that a frame (as `ORACLE_PROVIDERS`) appoints; raises OracleError where it does not fit."""
        frame = ORACLE_PROVIDERS.check(frame, error=OracleError)
        same = {name: frame[name].unique().to_list() for name in ("network", "epoch", "slash")}
        for name, values in same.items():
            if len(values) != 1:
                raise OracleError(f"oracle_providers: {name} is {sorted(values)}, allowed: one, the same in every row")
        if frame["provider"].to_list() != list(range(frame.height)):
            raise OracleError("oracle_providers: a provider's number is not its row's; number them 0, 1, 2, … in order")
        return cls(
            tuple(frame["public_key"].to_list()),
            epoch=same["epoch"][0],
            network=same["network"][0],
            accounts=tuple(frame["account"].to_list()),
            slash=same["slash"][0],
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def max_faulty(self) -> int:
        """How many may lie: f = floor((n - 1) / 3)."""
        return (len(self) - 1) // 3

    @property
    def least_observations(self) -> int:
        """How many observations a report needs: 2f + 1."""
        return 2 * self.max_faulty + 1

    @property
    def least_signatures(self) -> int:
        """How many signatures of different providers a report needs: ceil((n + f + 1) / 2)."""
        # As `gridlab.chain.pbft.quorums.quorum`; a test holds the two together.
        return (len(self) + self.max_faulty) // 2 + 1

    def strike(self, provider: int) -> ProviderSet:
        """Return the set in which `provider` no longer counts; raises OracleError where it has been struck before."""
        if require_int("provider", provider, 0, len(self) - 1) in self.struck:
            raise OracleError(
                f"oracle_evidence: provider {provider} of epoch {self.epoch} has been struck off and slashed before"
            )
        return replace(self, struck=tuple(sorted((*self.struck, provider))))

    def strike_keys(self, keys: Collection[bytes]) -> ProviderSet:
        """Return the set in which the providers with these public keys no longer count; it may have none of them."""
        struck = {provider for provider, key in enumerate(self.keys) if key in keys}
        return replace(self, struck=tuple(sorted(struck.union(self.struck))))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        accounts, struck = ([u32(each) for each in part] for part in (self.accounts, self.struck))
        head = text(self.network) + u64(self.epoch) + u32(self.slash)
        return head + b"".join(
            [compact(len(self)), *self.keys, compact(len(accounts)), *accounts, compact(len(struck)), *struck]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "oracle providers")
        network, epoch, slash = reader.text(), reader.u64(), reader.u32()
        keys = tuple(reader.take(PUBLIC_KEY_BYTES) for _ in range(_count(reader)))
        accounts = tuple(reader.u32() for _ in range(_count(reader)))
        struck = tuple(reader.u32() for _ in range(_count(reader)))
        reader.finish()
        return cls(keys, epoch, network, accounts, slash, struck)


def _count(reader: Reader) -> int:
    count = reader.compact()
    if count > MOST_PROVIDERS:
        raise reader.error(f"{count} providers, allowed: at most {MOST_PROVIDERS}")
    return count


def require_providers(value: object) -> ProviderSet:
    """Return `value` if it is a `ProviderSet`, or raise ArgumentTypeError."""
    if not isinstance(value, ProviderSet):
        raise ArgumentTypeError(
            f"providers is a {type(value).__name__}, allowed: a ProviderSet; ProviderSet.sandbox(15) makes one"
        )
    return value
