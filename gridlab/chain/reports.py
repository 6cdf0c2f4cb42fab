"""Oracle reports on the chain: who may observe, and the newest value of each feed, in strictly increasing rounds.

The chain checks every report itself: the providers' public keys are part of its state, so it verifies the signatures,
counts them and takes the median (`gridlab.chain.oracle`). It keeps what a reader needs, one row per feed; the
observations themselves stay in the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from gridlab.chain.encoding import Reader, blob, compact
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.oracle.checking import check_observations
from gridlab.chain.oracle.evidence import require_equivocation
from gridlab.chain.oracle.observations import OBSERVATIONS
from gridlab.chain.oracle.provider_set import ProviderSet
from gridlab.chain.oracle.report import Report, reports_of
from gridlab.errors import ChainError, OracleError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["REPORTS", "Newest", "OracleReports"]

_DOMAIN = "gridlab/oracle-reports/1"
# Sets of providers that are kept after the next one is appointed.
_MOST_EARLIER = 4

# What the chain shows: the newest report of each feed.
REPORTS = Schema(
    "oracle_reports",
    (
        Column("feed", pl.String, "text", "what is reported: 'price/MAC', 'weather/Chiang Mai', …"),
        Column("epoch", pl.UInt64, "integer", "counts the oracle network's sets of providers"),
        Column("round", pl.UInt64, "integer", "counts the feed's rounds"),
        Column("observed", SLOT, "datetime", "moment for which the value holds: the upper median of the observed ones"),
        Column("value", pl.Int64, "integer", "upper median of the observations, in the feed's own unit, fixed point"),
        Column("observations", pl.UInt32, "integer", "how many providers' signed observations make it"),
    ),
)
# Epoch, round, observed (microseconds since 1970), value, number of observations.
Newest = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class OracleReports:
    """The providers and the newest report of every feed. Never changed: each act returns a new one.

    Attributes
    ----------
    newest : mapping of str to tuple
        Feed -> (epoch, round, observed in microseconds since 1970, value, number of observations), in the order of the
        feeds' first reports.
    providers : ProviderSet or None
        Whose observations count; None before a regulator has appointed any.
    earlier : tuple of ProviderSet
        The last four sets before that one, the oldest first: against them, too, evidence counts.
    """

    newest: Mapping[str, Newest] = field(default_factory=dict)
    providers: ProviderSet | None = None
    earlier: tuple[ProviderSet, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody may report yet."""
        return self.providers is None

    @property
    def frame(self) -> pl.DataFrame:
        """The newest reports as `REPORTS`, one row per feed, sorted by feed."""
        rows = [(feed, *self.newest[feed]) for feed in sorted(self.newest)]
        schema = {column.name: column.dtype for column in REPORTS.columns} | {"observed": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("observed").cast(SLOT))

    @property
    def hash(self) -> bytes:
        """Hash over providers and newest reports, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def appoint(self, providers: ProviderSet) -> OracleReports:
        """Return the register with another set of providers, of a later epoch.

        The set before is kept for evidence, with those before it up to four. Whose key was struck off in one of them
        is struck off in the new set, too.

        Raises
        ------
        OracleError
            The epoch is not above the one before, or the network has another name.
        """
        before = self.providers
        if before is not None and providers.epoch <= before.epoch:
            raise OracleError(
                f"oracle_providers: epoch {providers.epoch} is not above {before.epoch}, the one in force; count on"
            )
        if before is not None and providers.network != before.network:
            raise OracleError(
                f"oracle_providers: network {providers.network!r} is not {before.network!r}; reports of two networks "
                "do not belong in one register"
            )
        kept = self._sets
        return replace(self, providers=providers.strike_keys(_struck_keys(kept)), earlier=kept[-_MOST_EARLIER:])

    def add(self, observations: pl.DataFrame) -> OracleReports:
        """Return the register with the reports that signed observations make, all or none.

        Parameters
        ----------
        observations : polars.DataFrame
            As `gridlab.chain.oracle.OBSERVATIONS`, of any number of feeds and rounds; rounds of one feed in order.

        Raises
        ------
        OracleError
            There are no providers; an observation may not count or a round has too few; a feed's (epoch, round) is not
            above the one before, or its time goes backwards.
        """
        providers = self._appointed()
        newest = dict(self.newest)
        for report in reports_of(check_observations(observations, providers), providers):
            newest[report.feed] = _following(newest.get(report.feed), report)
        return replace(self, newest=newest)

    def convict(self, pair: pl.DataFrame) -> tuple[OracleReports, ProviderSet, int]:
        """Return the register with the provider that two observations convict struck off.

        Its key is struck off in every set that is kept, so that it is convicted once.

        Parameters
        ----------
        pair : polars.DataFrame
            Two rows, as `gridlab.chain.oracle.OBSERVATIONS`, of the epoch in force or of one of those that are kept.

        Returns
        -------
        OracleReports
        ProviderSet
            Of the epoch of the observations, as it was before.
        int
            The provider's number in that set.

        Raises
        ------
        OracleError
            There are no providers, their set is not kept any more, the observations prove nothing, or the provider was
            struck off before.
        """
        judging = self._judging(OBSERVATIONS.check(pair, error=OracleError))
        provider = require_equivocation(pair, judging)
        judging.strike(provider)  # raises where that was done before
        sets = [each.strike_keys({judging.keys[provider]}) for each in self._sets]
        return replace(self, providers=sets[-1], earlier=tuple(sets[:-1])), judging, provider

    def _judging(self, pair: pl.DataFrame) -> ProviderSet:
        """Return the set of the epoch of observations, or raise OracleError where it is not kept."""
        in_force, epochs = self._appointed(), pair["epoch"].to_list()
        # What does not belong to one epoch proves nothing under any set.
        if len(set(epochs)) != 1:
            return in_force
        found = [each for each in self._sets if each.epoch == epochs[0]]
        if not found:
            raise OracleError(
                f"oracle_evidence: the epoch is {epochs[0]}, allowed: {[each.epoch for each in self._sets]}, whose "
                "providers are kept; show evidence before its set is forgotten"
            )
        return found[0]

    @property
    def _sets(self) -> tuple[ProviderSet, ...]:
        return self.earlier if self.providers is None else (*self.earlier, self.providers)

    def _appointed(self) -> ProviderSet:
        if self.providers is None:
            raise OracleError(
                "oracle: this chain knows no providers yet, so nobody's observations count; a regulator appoints them "
                "by a transaction of kind 'oracle_providers'"
            )
        return self.providers

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: reports, then numbers of observations and the sets of providers if there are any.

        The set in force stands before the earlier ones, which are counted.
        """
        reports = blob(encode_frame(self.frame.drop("observations")))
        if self.providers is None:
            return reports
        counts = blob(encode_frame(self.frame.select("observations"))) + blob(self.providers.to_bytes())
        earlier = [blob(each.to_bytes()) for each in self.earlier]
        return reports + counts + compact(len(earlier)) + b"".join(earlier)

    @classmethod
    def from_bytes(cls, data: bytes) -> OracleReports:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "oracle reports")
        frame, providers = decode_frame(reader.blob(), "oracle reports"), None
        earlier: tuple[ProviderSet, ...] = ()
        if reader.position < len(data):
            counts = decode_frame(reader.blob(), "numbers of observations")
            providers = ProviderSet.from_bytes(reader.blob())
            earlier = _earlier(reader, providers)
            if counts.columns != ["observations"] or counts.height != frame.height:
                raise reader.error("the numbers of observations are not one for each report")
            frame = frame.with_columns(counts["observations"])
        elif frame.height:
            raise reader.error("there are reports, and no providers that could have made them")
        else:
            frame = frame.with_columns(pl.lit(0, pl.UInt32).alias("observations"))
        reader.finish()
        register = cls(_by_feed(REPORTS.check(frame, error=OracleError)), providers, earlier)
        if register.to_bytes() != data:
            raise ChainError("oracle reports: are not written in the one canonical form")
        return register


def _earlier(reader: Reader, providers: ProviderSet) -> tuple[ProviderSet, ...]:
    """Read the sets before the one in force; raises a GridlabError where they cannot have been before it."""
    count = reader.compact()
    if count > _MOST_EARLIER:
        raise reader.error(f"{count} earlier sets of providers, allowed: at most {_MOST_EARLIER}")
    earlier = tuple(ProviderSet.from_bytes(reader.blob()) for _ in range(count))
    epochs = [each.epoch for each in (*earlier, providers)]
    if epochs != sorted(set(epochs)) or any(each.network != providers.network for each in earlier):
        raise reader.error(f"the sets of providers are of epochs {epochs}, allowed: rising ones of one network")
    return earlier


def _struck_keys(sets: Iterable[ProviderSet]) -> set[bytes]:
    return {each.keys[provider] for each in sets for provider in each.struck}


def _following(before: Newest | None, report: Report) -> Newest:
    """Return the entry of a report, or raise OracleError where it does not follow the one before."""
    entry = (report.epoch, report.round, report.observed, report.value, len(report.signed))
    if before is None:
        return entry
    if entry[:2] <= before[:2]:
        raise OracleError(
            f"oracle_report: feed {report.feed!r} is at epoch and round {before[:2]}, the report is of {entry[:2]}; "
            "each report must be of a later one"
        )
    if report.observed < before[2]:
        raise OracleError(
            f"oracle_report: feed {report.feed!r} was observed at {before[2]} before and at {report.observed} now "
            "(µs since 1970); time does not go backwards"
        )
    return entry


def _by_feed(frame: pl.DataFrame) -> dict[str, Newest]:
    feeds, *rest = (frame[column.name].to_physical().to_list() for column in REPORTS.columns)
    return dict(zip(feeds, zip(*rest, strict=True), strict=True))
