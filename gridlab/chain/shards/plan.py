"""The shards of a chain, as genesis fixes them: who lives where, and how long a transfer may travel."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import Reader, blob, i64
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.shards.homes import HOMES
from gridlab.chain.shards.terms import ShardTerms
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import show_rows

__all__ = ["OTHERS", "ShardPlan"]

# Where members live whose home the frame does not say: the market's institutions.
OTHERS = "institutions"
# A day, as far as the lever goes.
_LONGEST = 86_400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ShardPlan:
    """What a chain with shards begins with.

    Attributes
    ----------
    homes : polars.DataFrame
        Account and shard of every account that the chain can ever have, as `gridlab.chain.shards.HOMES`.
    timeout : int
        How long a parcel may be executed after its block, microseconds.
    """

    homes: pl.DataFrame = field(repr=False)
    timeout: int

    @classmethod
    def of(cls, homes: pl.DataFrame | pl.LazyFrame, members: int, terms: ShardTerms | None = None) -> ShardPlan:
        """Return the plan for a chain with so many members at genesis.

        A member without a row lives in the shard `OTHERS`. Rows beyond the members are homes of those who come later.

        Raises
        ------
        ArgumentTypeError, FrameError
            `homes` is no such frame, or `terms` no terms.
        ChainError
            An account stands there twice, or those beyond the members leave a gap.
        """
        terms = ShardTerms() if terms is None else terms
        if not isinstance(terms, ShardTerms):
            raise ArgumentTypeError(f"shard_terms is a {type(terms).__name__}, allowed: ShardTerms(timeout=…)")
        frame = HOMES.check(homes).select("account", "shard").sort("account")
        twice = pl.col("account").is_duplicated()
        if frame.select(twice.any()).item():
            raise ChainError(f"shards: an account stands there twice\n{show_rows(frame, twice)}")
        every = pl.DataFrame({"account": pl.int_range(members, dtype=pl.UInt32, eager=True)})
        joined = every.join(frame, on="account", how="left", maintain_order="left").with_columns(
            pl.col("shard").fill_null(OTHERS)
        )
        later = frame.filter(pl.col("account") >= members)
        gaps = pl.col("account") != pl.int_range(members, members + pl.len(), dtype=pl.UInt32)
        if later.select(gaps.any()).item():
            raise ChainError(
                f"shards: homes beyond the {members} members are for those who come later and count on without gaps\n"
                f"{show_rows(later, gaps)}"
            )
        return cls(pl.concat([joined, later]), terms.microseconds)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return i64(self.timeout) + blob(encode_frame(self.homes))

    @classmethod
    def from_bytes(cls, data: bytes) -> ShardPlan:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "shards")
        timeout, homes = reader.i64(), HOMES.check(decode_frame(reader.blob(), "homes"))
        require_int("timeout", timeout, 1, _LONGEST)
        reader.finish()
        return cls(homes, timeout)
