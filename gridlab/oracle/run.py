"""What came of a run of the oracle network, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.moments import moment, require_microseconds
from gridlab.chain.oracle import OBSERVATIONS, ProviderSet, Report, reports_of
from gridlab.doors import through
from gridlab.errors import ArgumentError, OracleError, nearest
from gridlab.frames import SLOT, TIME_ZONE, Column, Schema

__all__ = ["ON_STALE", "READERS", "OracleRun", "Reading"]

ON_STALE = ("raise", "flag")

READERS = Schema(
    "readers",
    (
        Column("feed", pl.String, "text", "what is read"),
        Column("time", SLOT, "datetime", "when it is read"),
    ),
)


class Reading(NamedTuple):
    """The newest report of a feed as a reader has it.

    Attributes
    ----------
    feed : str
    value : int
        In the feed's own unit, fixed point.
    observed : datetime
        Moment for which the value holds, Bangkok time.
    age_s : float
        How long ago that was (s).
    stale : bool
        Whether that is too long ago.
    """

    feed: str
    value: int
    observed: datetime
    age_s: float
    stale: bool


def _shown(microseconds: int) -> datetime:
    return moment(microseconds).astimezone(ZoneInfo(TIME_ZONE))


@dataclass(frozen=True)
class OracleRun:
    """A run of the network.

    Attributes
    ----------
    observations : polars.DataFrame
        What arrived in time: ``feed``, ``epoch``, ``round``, ``provider``, ``value``, ``observed``, ``signature`` (null
        where it is in no report), ``arrived``, ``counted`` (whether the round's value is made of it), ``distance`` (in
        MADs), ``outlier``.
    rounds : polars.DataFrame
        ``feed``, ``epoch``, ``round``, ``time``, ``observations`` (that count), ``value`` (null without a quorum),
        ``status`` (keys of `gridlab.oracle.publishing.STATUSES`).
    reports : polars.DataFrame
        As `gridlab.chain.reports.REPORTS`, and ``published``: when the last signature was there. In the order of
        publication.
    scores : polars.DataFrame
        One row per provider (`gridlab.oracle.scores.scores`).
    alerts : polars.DataFrame
        As `gridlab.oracle.alerts.ALERTS`.
    evidence : polars.DataFrame
        As `gridlab.chain.oracle.OBSERVATIONS`: pairs of signed observations that contradict each other.
    truth : polars.DataFrame
        ``feed``, ``round``, ``value``: what the providers looked at, for pictures and lessons; no reader of a report
        has it.
    providers : ProviderSet
        The public keys.
    staleness_us : int
        From which age on a value is stale, microseconds.
    on_stale : str
        What reading a stale value does: "raise" or "flag".
    signed : bool
        Whether reports and evidence are signed.
    """

    observations: pl.DataFrame
    rounds: pl.DataFrame
    reports: pl.DataFrame
    scores: pl.DataFrame
    alerts: pl.DataFrame
    evidence: pl.DataFrame
    truth: pl.DataFrame
    providers: ProviderSet
    staleness_us: int
    on_stale: str
    signed: bool = field(default=True)

    def __repr__(self) -> str:
        feeds = self.rounds["feed"].n_unique()
        return (
            f"OracleRun({feeds} feeds, {self.rounds.height} rounds, {self.reports.height} reports, "
            f"{self.alerts.height} alerts)"
        )

    def _repr_html_(self) -> str:
        html: str = through("oracle_run_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``run.plot.observations("load/NEC")``, ``.providers()``, ``.latencies()``, ``.rounds()``."""
        return through("oracle_run_plot", self)

    def transactions(self, since: datetime | int = 0, until: datetime | int | None = None) -> pl.DataFrame:
        """Return what a transaction of kind ``oracle_report`` holds, for the reports published in a span of time.

        Parameters
        ----------
        since, until : datetime or int
            From the first moment on, and before the second; a datetime (Bangkok time where it has no zone), or
            microseconds since 1970-01-01 UTC. Without the second, to the end.

        Returns
        -------
        polars.DataFrame
            As `gridlab.chain.oracle.OBSERVATIONS`, rounds in the order of their publication; empty where nothing was
            published.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A moment is of another type or out of bounds.
        OracleError
            The run was not signed.
        """
        self._require_signed()
        published = pl.col("published").to_physical()
        chosen = published >= require_microseconds("since", since)
        if until is not None:
            chosen &= published < require_microseconds("until", until)
        return self._observations(self.reports.filter(chosen))

    def report(self, feed: str, round: int | None = None) -> Report:  # noqa: A002 - the network's word for it
        """Return a report with its signed observations; the newest of the feed unless a round is named.

        Raises
        ------
        ArgumentTypeError, OracleError
            There is no such report, or the run was not signed.
        """
        self._require_signed()
        own = self._of_feed(feed)
        if round is not None:
            require_int("round", round, 0, 2**64 - 1)
            own = own.filter(pl.col("round") == round)
        if own.is_empty():
            raise OracleError(f"feed {feed!r} has no report of round {round}; run.rounds says what became of each")
        return reports_of(self._observations(own.tail(1)), self.providers)[0]

    def _observations(self, reports: pl.DataFrame) -> pl.DataFrame:
        names = [column.name for column in OBSERVATIONS.columns]
        keys = reports.select("feed", "epoch", "round").with_row_index("order")
        joined = keys.join(
            self.observations.filter("counted"), on=["feed", "epoch", "round"], maintain_order="left_right"
        )
        return joined.select(names)

    def _require_signed(self) -> None:
        if not self.signed:
            raise OracleError(
                "this run was made with sign=False, so that its reports prove nothing; run with sign=True"
            )

    def _of_feed(self, feed: object) -> pl.DataFrame:
        known = self.rounds["feed"].unique(maintain_order=True).to_list()
        if require_text("feed", feed) not in known:
            raise OracleError(f"feed {feed!r} is not known; {nearest(feed, known)}")
        return self.reports.filter(pl.col("feed") == feed)

    def read(self, feed: str, now: datetime | int, *, on_stale: str | None = None) -> Reading:
        """Return the newest report of `feed` that is published at `now`.

        Parameters
        ----------
        feed : str
        now : datetime or int
            A datetime (Bangkok time where it has no zone), or microseconds since 1970-01-01 UTC.
        on_stale : str, optional
            "raise" or "flag"; as the lever says where it is left out.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument is of another type or out of bounds.
        OracleError
            The feed is not known or has no report yet, or its report is stale and that is to raise.
        """
        time = require_microseconds("now", now)
        wish = self.on_stale if on_stale is None else on_stale
        if wish not in ON_STALE:
            raise ArgumentError(f"on_stale is {on_stale!r}; {nearest(on_stale, ON_STALE)}")
        own = self._of_feed(feed).filter(pl.col("published").to_physical() <= time)
        if own.is_empty():
            raise OracleError(f"feed {feed!r} has no report yet at {_shown(time)}; read it later")
        row = own.select("value", pl.col("observed").to_physical()).row(-1)
        age = time - row[1]
        if age > self.staleness_us and wish == "raise":
            raise OracleError(
                f"feed {feed!r} is stale: its newest report is of {_shown(row[1])}, {age / 1e6:g} s before "
                f"{_shown(time)}, allowed: {self.staleness_us / 1e6:g} s; wait for one, or read with on_stale='flag'"
            )
        return Reading(feed, row[0], _shown(row[1]), age / 1e6, age > self.staleness_us)

    def read_many(self, readers: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
        """Return what many readers have, in one query; nothing raises for being stale.

        Parameters
        ----------
        readers : polars.DataFrame or polars.LazyFrame
            ``feed``, ``time``.

        Returns
        -------
        polars.DataFrame
            The readers in their order, with ``value``, ``observed``, ``age_s`` (null where there is no report yet) and
            ``stale`` (true there).
        """
        asked = READERS.check(readers, error=OracleError)
        newest = self.reports.select("feed", "published", "value", "observed").sort("published")
        found = (
            asked.with_row_index("order")
            .sort("time")
            .join_asof(newest, left_on="time", right_on="published", by="feed", check_sortedness=False)
        )
        age = (pl.col("time") - pl.col("observed")).dt.total_microseconds()
        found = found.with_columns(age_s=age / 1e6, stale=(age > self.staleness_us).fill_null(True))
        return found.sort("order").drop("order", "published", strict=False)
