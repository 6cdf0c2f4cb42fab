"""Which version of the rules and which terms of the market are in force on a consortium chain, and which follow.

A chain outlives the rules that it began with. What changes is first *released*, so that every node has it, then
*approved* by a transaction, and then in force from a block on that the transaction or the chain's rule names. Below
that block everything stays as it was, whoever executes it and whenever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from gridlab.chain.encoding import Reader, blob, u8, u32, u64
from gridlab.chain.hashing import HASH_BYTES, hexadecimal, tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema

__all__ = ["LONGEST_REFERENCE", "MARKET_TERMS", "UPGRADES", "Upgrade", "Versions"]

LONGEST_REFERENCE = 200
_DOMAIN = "gridlab/state-versions/1"

UPGRADES = Schema(
    "upgrades",
    (
        Column("version", pl.UInt32, "integer", "released version of the rules, above the one in force"),
        Column("height", pl.UInt64, "integer", "first block under it, later than this one"),
        Column("rules", pl.Binary, "binary", "hash of that set of rules, 32 bytes"),
    ),
)

MARKET_TERMS = Schema(
    "market_terms",
    (
        Column("terms", pl.Binary, "binary", "terms of the exchange that clears from the next block on, 32 bytes"),
        Column("reference", pl.String, "text", f"who decided so and where, at most {LONGEST_REFERENCE} bytes"),
    ),
)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An approved set of rules that is not in force yet.

    Attributes
    ----------
    version : int
    height : int
        The first block under it.
    rules : bytes
        Hash of the set, 32 bytes; a node that knows another set under this version stops there.
    """

    version: int
    height: int
    rules: bytes


@dataclass(frozen=True, slots=True)
class Versions:
    """What is in force after a block, and what the next blocks bring. Never changed, only replaced.

    Attributes
    ----------
    rules : int
        Version of the rules that executed the block.
    upgrade : Upgrade or None
        The approved set that follows.
    exchange : bytes
        Terms of the exchange that cleared in the block (`gridlab.chain.exchange.Exchange.terms`); empty without one.
    following : bytes
        Those from the next block on; empty where they stay.
    """

    rules: int = 1
    upgrade: Upgrade | None = None
    exchange: bytes = b""
    following: bytes = b""

    def approved(self, upgrades: pl.DataFrame, height: int) -> Versions:
        """Return the versions after an approval (as `UPGRADES`) in the block at `height`.

        A later approval replaces one that is not in force yet.

        Raises
        ------
        ChainError
            There is not one row, the version is not above the one in force, the height is not above this block's, or
            the hash is none.
        """
        if upgrades.height != 1:
            raise ChainError(f"upgrade: {upgrades.height} rows, allowed: one version and its height")
        version, since, rules = upgrades.select("version", "height", "rules").row(0)
        if version <= self.rules:
            raise ChainError(f"upgrade: version {version} is not above {self.rules}, which is in force")
        if since <= height:
            raise ChainError(f"upgrade: block {since} is not after this one, block {height}")
        if since >= 2**63:
            raise ChainError(f"upgrade: no chain reaches block {since}, allowed: less than 2^63")
        if len(rules) != HASH_BYTES:
            raise ChainError(f"upgrade: the hash of the rules has {len(rules)} bytes, allowed: {HASH_BYTES}")
        return replace(self, upgrade=Upgrade(version, since, rules))

    def with_market(self, market: pl.DataFrame) -> Versions:
        """Return the versions after other terms of the market (as `MARKET_TERMS`) for the blocks from the next one on.

        A later change in the same block replaces an earlier one, and the terms in force take it back.

        Raises
        ------
        ChainError
            There is not one row, the chain has no exchange, the terms are not 32 bytes or in force already, or the
            reference is too long.
        """
        if market.height != 1:
            raise ChainError(f"market_terms: {market.height} rows, allowed: one")
        terms, reference = market.select("terms", "reference").row(0)
        if not self.exchange:
            raise ChainError("market_terms: this chain has no exchange; its orders are cleared elsewhere")
        if len(terms) != HASH_BYTES:
            raise ChainError(f"market_terms: the terms have {len(terms)} bytes, allowed: {HASH_BYTES}")
        if (size := len(reference.encode())) > LONGEST_REFERENCE:
            raise ChainError(f"market_terms: the reference has {size} bytes in UTF-8, allowed: {LONGEST_REFERENCE}")
        if terms == (self.following or self.exchange):
            raise ChainError(f"market_terms: {hexadecimal(terms)} are the terms already; nothing would change")
        return replace(self, following=b"" if terms == self.exchange else terms)

    def at(self, height: int) -> Versions:
        """Return what is in force in the block at `height`, the one after the block of this state."""
        market = replace(self, exchange=self.following, following=b"") if self.following else self
        if market.upgrade is None or height < market.upgrade.height:
            return market
        return replace(market, rules=market.upgrade.version, upgrade=None)

    @property
    def hash(self) -> bytes:
        """Hash over all of it, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        approved = self.upgrade
        upgrade = u32(approved.version) + u64(approved.height) + approved.rules if approved else b""
        return u32(self.rules) + u8(int(approved is not None)) + upgrade + blob(self.exchange) + blob(self.following)

    @classmethod
    def from_bytes(cls, data: bytes) -> Versions:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "versions")
        rules, approved = reader.u32(), reader.u8()
        if approved > 1:
            raise reader.error(f"{approved} upgrades, allowed: 0 or 1")
        upgrade = Upgrade(reader.u32(), reader.u64(), reader.take(HASH_BYTES)) if approved else None
        found = cls(rules, upgrade, reader.blob(), reader.blob())
        reader.finish()
        return found
