"""A report: one round of one feed, with the signed observations that make its value.

Nothing in it is taken on trust. The value is not stored but follows from the observations, and whoever has the
providers' public keys checks their signatures and their number (`Report.require`).

::

    text(domain) text(network) text(feed) u64(epoch) u64(round) compact(observations)
    per observation: u32(provider) u64(observed) i64(value) signature (64 bytes)

Observations stand in the order of their providers, so that a report has one form only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import polars as pl

from gridlab.chain.arguments import require_int, require_sequence, require_text
from gridlab.chain.ed25519 import SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, compact, i64, text, u32, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.moments import LATEST
from gridlab.chain.oracle.checking import ROUND, check_observations, require_quorum
from gridlab.chain.oracle.observations import LONGEST_FEED, OBSERVATIONS, upper_median
from gridlab.chain.oracle.provider_set import MOST_PROVIDERS, ProviderSet
from gridlab.errors import ArgumentTypeError, OracleError
from gridlab.frames import SLOT

__all__ = ["Report", "Signed", "reports_of"]

_DOMAIN = "gridlab/oracle-report/1"


class Signed(NamedTuple):
    """One provider's part in a report.

    Attributes
    ----------
    provider : int
    observed : int
        Microseconds since 1970-01-01 UTC.
    value : int
    signature : bytes
        64 bytes.
    """

    provider: int
    observed: int
    value: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """One round of one feed; made by `reports_of` or `Report.from_bytes`.

    Attributes
    ----------
    network, feed : str
    epoch, round : int
    signed : tuple of Signed
        In ascending order of providers.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A part is of another type or out of bounds.
    OracleError
        There is no observation, or providers are not in ascending order.
    """

    network: str
    feed: str
    epoch: int
    round: int
    signed: tuple[Signed, ...]

    def __post_init__(self) -> None:
        for name in ("network", "feed"):
            require_text(name, getattr(self, name), longest=LONGEST_FEED)
        for name in ("epoch", "round"):
            require_int(name, getattr(self, name), 0, 2**64 - 1)
        providers = [each.provider for each in require_sequence("signed", self.signed, Signed)]
        if not providers or any(one >= other for one, other in pairwise(providers)):
            raise OracleError(f"report: providers are {providers}, allowed: one or more in ascending order, each once")

    def __repr__(self) -> str:
        name = f"Report({self.feed!r}, epoch {self.epoch}, round {self.round}"
        return f"{name}: {self.value}, {len(self.signed)} observations)"

    @property
    def value(self) -> int:
        """The upper median of the observations, in the feed's own unit."""
        return upper_median([each.value for each in self.signed])

    @property
    def observed(self) -> int:
        """The upper median of the moments observed, microseconds since 1970; a liar cannot move it either."""
        return upper_median([each.observed for each in self.signed])

    @property
    def signers(self) -> tuple[int, ...]:
        """The providers that signed, in ascending order."""
        return tuple(each.provider for each in self.signed)

    @property
    def observations(self) -> pl.DataFrame:
        """The signed observations, as `gridlab.chain.oracle.OBSERVATIONS`."""
        providers, observed, values, signatures = (list(column) for column in zip(*self.signed, strict=True))
        count = len(self.signed)
        columns = {
            "feed": [self.feed] * count,
            "epoch": [self.epoch] * count,
            "round": [self.round] * count,
            "provider": providers,
            "value": values,
            "observed": pl.Series(observed, dtype=pl.Int64).cast(SLOT),
            "signature": signatures,
        }
        return pl.DataFrame(columns, schema={column.name: column.dtype for column in OBSERVATIONS.columns})

    @property
    def id(self) -> bytes:
        """Hash of the report, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def require(self, providers: ProviderSet) -> Report:
        """Return the report if `providers` vouch for it.

        Parameters
        ----------
        providers : ProviderSet
            The public keys of the report's epoch.

        Raises
        ------
        ArgumentTypeError
            `providers` is of another type.
        OracleError
            The report is of another network or epoch, a signature is not its provider's, or there are too few.
        """
        frame = check_observations(self.observations, providers)
        if self.network != providers.network:
            raise OracleError(f"report: is of network {self.network!r}, the providers are of {providers.network!r}")
        require_quorum(frame, providers)
        return self

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        head = text(_DOMAIN) + text(self.network) + text(self.feed) + u64(self.epoch) + u64(self.round)
        rows = [u32(each.provider) + u64(each.observed) + i64(each.value) + each.signature for each in self.signed]
        return head + compact(len(rows)) + b"".join(rows)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged. Nothing is verified yet."""
        reader = Reader(data, "oracle report")
        if (domain := reader.text()) != _DOMAIN:
            raise reader.error(f"begins with {domain!r}, allowed: {_DOMAIN!r}")
        network, feed, epoch, number = reader.text(), reader.text(), reader.u64(), reader.u64()
        if not 1 <= len(feed.encode()) <= LONGEST_FEED:
            raise reader.error(f"the feed {feed!r} has no name of 1 to {LONGEST_FEED} bytes")
        count = reader.compact()
        if count > MOST_PROVIDERS:
            raise reader.error(f"{count} observations, allowed: at most {MOST_PROVIDERS}")
        rows = tuple(
            Signed(reader.u32(), _moment(reader), reader.i64(), reader.take(SIGNATURE_BYTES)) for _ in range(count)
        )
        reader.finish()
        return cls(network, feed, epoch, number, rows)


def _moment(reader: Reader) -> int:
    moment = reader.u64()
    if moment > LATEST:
        raise reader.error(f"the moment {moment} is outside 0 … {LATEST} microseconds since 1970")
    return moment


def reports_of(observations: pl.DataFrame, providers: ProviderSet) -> list[Report]:
    """Return one report for each round of the observations, in the order in which the rounds first appear.

    Parameters
    ----------
    observations : polars.DataFrame
        As `check_observations` returned them.
    providers : ProviderSet

    Raises
    ------
    OracleError
        A round has too few observations.
    """
    if not isinstance(observations, pl.DataFrame):
        raise ArgumentTypeError(f"observations is a {type(observations).__name__}, allowed: a polars DataFrame")
    require_quorum(observations, providers)
    rounds = observations.sort("provider").partition_by(ROUND, as_dict=True)
    order = observations.select(ROUND).unique(maintain_order=True)
    names = zip(order["feed"].to_list(), order["epoch"].to_list(), order["round"].to_list(), strict=True)
    return [
        Report(providers.network, feed, epoch, number, _signed(rounds[feed, epoch, number]))
        for feed, epoch, number in names
    ]


def _signed(rows: pl.DataFrame) -> tuple[Signed, ...]:
    columns = (rows[name].to_physical().to_list() for name in Signed._fields)
    return tuple(map(Signed._make, zip(*columns, strict=True)))
