"""Oracle reports on the chain: the newest value of each feed, in strictly increasing rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.encoding import blob
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["REPORTS", "OracleReports"]

_DOMAIN = "gridlab/oracle-reports/1"
_LONGEST_FEED = 64

REPORTS = Schema(
    "oracle_reports",
    (
        Column("feed", pl.String, "text", "what is reported: 'price/MAC', 'weather/Chiang Mai', …"),
        Column("epoch", pl.UInt64, "integer", "counts the oracle network's settings"),
        Column("round", pl.UInt64, "integer", "counts reports of the feed within the epoch"),
        Column("observed", SLOT, "datetime", "moment for which the value holds"),
        Column("value", pl.Int64, "integer", "in the feed's own unit, fixed point"),
    ),
)


@dataclass(frozen=True, slots=True)
class OracleReports:
    """The newest report of every feed. Never changed: `add` returns a new one.

    Attributes
    ----------
    newest : mapping of str to tuple
        Feed -> (epoch, round, observed in microseconds since 1970, value), in the order of the feeds' first reports.
    """

    newest: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was reported yet."""
        return not self.newest

    @property
    def frame(self) -> pl.DataFrame:
        """The newest reports as `REPORTS`, one row per feed, sorted by feed."""
        rows = [(feed, *self.newest[feed]) for feed in sorted(self.newest)]
        schema = {column.name: column.dtype for column in REPORTS.columns} | {"observed": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("observed").cast(SLOT))

    @property
    def hash(self) -> bytes:
        """Hash over `frame`, 32 bytes."""
        return tagged_hash(_DOMAIN, blob(self.to_bytes()))

    def add(self, reports: pl.DataFrame) -> OracleReports:
        """Return the reports with these (as `REPORTS`) taken in, all or none.

        Raises
        ------
        ChainError
            A feed's name is empty or too long, or its (epoch, round) is not above the one before.
        """
        newest = dict(self.newest)
        columns = (reports[column.name].to_physical().to_list() for column in REPORTS.columns)
        for feed, epoch, number, observed, value in zip(*columns, strict=True):
            if not 1 <= len(feed.encode()) <= _LONGEST_FEED:
                raise ChainError(f"oracle_reports: the feed {feed!r} has no name of 1 to {_LONGEST_FEED} bytes")
            if feed in newest and (epoch, number) <= newest[feed][:2]:
                raise ChainError(
                    f"oracle_reports: feed {feed!r} is at epoch and round {newest[feed][:2]}, the report is of "
                    f"{(epoch, number)}; each report must be of a later one"
                )
            newest[feed] = (epoch, number, observed, value)
        return OracleReports(newest)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return encode_frame(self.frame)

    @classmethod
    def from_bytes(cls, data: bytes) -> OracleReports:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        return cls().add(REPORTS.check(decode_frame(data, "oracle reports")))
