"""The oracle network as a part: its rules as levers, providers that may be bribed, feeds that may be cut."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import numpy as np
import polars as pl

from gridlab import units
from gridlab.chain.arguments import require_int, require_mapping, require_sequence, require_text
from gridlab.chain.moments import require_microseconds
from gridlab.chain.oracle import NETWORK, ORACLE_PROVIDERS, ProviderSet
from gridlab.chain.oracle.checking import require_bounds
from gridlab.chain.reports import REPORTS
from gridlab.doors import through
from gridlab.errors import ArgumentError, OracleError, nearest
from gridlab.frames import SLOT
from gridlab.oracle.alerts import alerts
from gridlab.oracle.oracle_terms import OracleTerms
from gridlab.oracle.publishing import PublicationRules
from gridlab.oracle.roster import KINDS, Bribe, Roster, make_roster
from gridlab.oracle.rounds import FeedRounds, check_truth, hold_rounds, say_all, seen_first
from gridlab.oracle.run import OracleRun
from gridlab.oracle.scores import scores
from gridlab.oracle.simulation import evidence_frame, observation_frame, report_frame, round_frame, truth_frame
from gridlab.seeds import check_seed

__all__ = ["Oracle"]

_LARGEST_BIAS = 10.0


class Oracle(OracleTerms):
    """A network of providers that sign what they see, so that a few liars cannot bend what is reported.

    Parameters
    ----------
    bounds : mapping of str to tuple of int, optional
        Feed, or beginning of feeds ending in ``/`` -> least and greatest value that is not absurd; the longest that
        fits counts. Without this argument, those of `gridlab.oracle.feeds.table.FAMILIES`; ``{}`` for none at all. A
        feed without bounds may say anything at first.
    **levers
        Values of levers.

    Examples
    --------
    >>> from datetime import datetime
    >>> times = [datetime(2026, 4, 1, 0, minute) for minute in (0, 15, 30)]
    >>> truth = pl.DataFrame({"feed": ["price/MAC"] * 3, "time": times, "value": [3_000, 3_050, 3_200]})
    >>> run = Oracle(noise=0.0, liars=4).run(truth)
    >>> run.reports["value"].to_list()
    [3000, 3050, 3200]
    """

    def __init__(self, *, bounds: Mapping[str, tuple[int, int]] | None = None, **levers: Any) -> None:
        given = _family_bounds() if bounds is None else require_mapping("bounds", bounds)
        self._bounds = {
            require_text("feed", name): require_bounds(f"bounds[{name!r}]", pair) for name, pair in given.items()
        }
        self._bribes: dict[int, Bribe] = {}
        self._cuts: list[tuple[str, int, int]] = []
        super().__init__(**levers)

    def __repr__(self) -> str:
        acts = f"{self.liars} {self.lie}, {len(self._bribes)} bribed, {len(self._cuts)} cuts"
        return f"Oracle({self.providers} providers, {acts})"

    def _repr_html_(self) -> str:
        html: str = through("oracle_html", self)
        return html

    def controls(self, **options: Any) -> Any:
        """Return live controls: bribe providers, cut a feed, and watch round by round what is reported (ipywidgets).

        `options` are those of `gridlab.ui.oracle_controls.oracle_controls`: feeds, feed, day, seed.
        """
        return through("oracle_controls", self, **options)

    def bribe(self, provider: int, kind: str = "lying", *, bias: float | None = None) -> Self:
        """Let a provider do something else in the runs to come, and return this oracle.

        Parameters
        ----------
        provider : int
        kind : str
            One of `gridlab.oracle.roster.KINDS`.
        bias : float, optional
            How far it lies, in per cent of the value, -1000 to 1000; as the lever `bias` where it is left out.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            There is no such provider or kind, or the bias is out of bounds.
        """
        require_int("provider", provider, 0, int(self.providers) - 1)
        if require_text("kind", kind) not in KINDS:
            raise ArgumentError(f"kind is {kind!r}; {nearest(kind, KINDS)}")
        share = None if bias is None else float(units.exact(bias, what="bias")) / 100
        if share is not None and not -_LARGEST_BIAS <= share <= _LARGEST_BIAS:
            raise ArgumentError(f"bias is {bias} %, allowed: -1000 to 1000 %")
        self._bribes[provider] = Bribe(kind, share)
        return self

    def cut(self, feed: str, since: datetime | int, until: datetime | int) -> Self:
        """Let nobody see a feed from one moment on and until another, and return this oracle.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument is of another type or out of bounds, or the end is not after the beginning.
        """
        start, end = require_microseconds("since", since), require_microseconds("until", until)
        if end <= start:
            raise ArgumentError(f"until is {until}, allowed: after since, {since}")
        self._cuts.append((require_text("feed", feed), start, end))
        return self

    def mend(self) -> Self:
        """Take back every bribe and cut, and return this oracle."""
        self._bribes, self._cuts = {}, []
        return self

    @property
    def cuts(self) -> pl.DataFrame:
        """The cuts: ``feed``, ``since``, ``until``, in the order in which they were made."""
        schema = {"feed": pl.String, "since": pl.Int64, "until": pl.Int64}
        return pl.DataFrame(self._cuts, schema=schema, orient="row").with_columns(pl.col("since", "until").cast(SLOT))

    @property
    def acts(self) -> str:
        """Bribes and cuts as text, the same for the same ones; `read_acts` takes them."""
        bribes = [(provider, each.kind, each.bias) for provider, each in sorted(self._bribes.items())]
        return json.dumps({"bribes": bribes, "cuts": self._cuts})

    def read_acts(self, written: str) -> Self:
        """Take the bribes and cuts that `acts` wrote in place of those here, or raise OracleError."""
        try:
            found = json.loads(written)
            bribes = {provider: Bribe(kind, bias) for provider, kind, bias in found["bribes"]}
            cuts = [(feed, start, end) for feed, start, end in found["cuts"]]
        except (ValueError, TypeError, KeyError) as problem:
            raise OracleError(f"the oracle's bribes and cuts do not read ({problem}); take another copy") from problem
        self._bribes, self._cuts = bribes, cuts
        return self

    def roster(self, seed: int = 0) -> Roster:
        """Return what every provider does; ``.frame`` shows it."""
        count = int(self.providers)
        lost = [provider for provider in self._bribes if provider >= count]
        if lost:
            raise OracleError(f"provider {lost[0]} is bribed, there are only {count}; mend() takes bribes back")
        return make_roster(
            count,
            int(self.liars),
            self.lie,
            bias=self.bias / 100,
            latency_ms=self.latency,
            bribes=self._bribes,
            seed=check_seed(seed),
        )

    def provider_set(self, seed: int = 0, *, epoch: int = 1) -> ProviderSet:
        """Return the providers' public keys, with which anybody checks reports."""
        return ProviderSet.sandbox(int(self.providers), seed=check_seed(seed), epoch=epoch)

    def appointment(self, accounts: Sequence[int], seed: int = 0, *, epoch: int = 1) -> pl.DataFrame:
        """Return what a regulator's transaction of kind ``oracle_providers`` holds under these levers.

        Parameters
        ----------
        accounts : sequence of int
            Where each provider's stake lies: accounts of oracles' licences that are not in force.
        seed, epoch : int

        Returns
        -------
        polars.DataFrame
            As `gridlab.chain.oracle.ORACLE_PROVIDERS`.
        """
        count = int(self.providers)
        if len(require_sequence("accounts", accounts, int)) != count:
            raise ArgumentError(f"accounts are {len(accounts)}, allowed: one for each of {count} providers")
        columns = {
            "network": [NETWORK] * count,
            "epoch": [epoch] * count,
            "provider": range(count),
            "public_key": list(self.provider_set(seed, epoch=epoch).keys),
            "account": list(accounts),
            "stake": [units.money(self.stake)] * count,
            "slash": [_ppb(self.slash)] * count,
        }
        return ORACLE_PROVIDERS.check(pl.DataFrame(columns))

    def bounds_of(self, feed: str) -> tuple[int, int] | None:
        """Return least and greatest value of a feed that are not absurd, or None where it has no bounds."""
        fitting = [name for name in self._bounds if name == feed or (name.endswith("/") and feed.startswith(name))]
        return self._bounds[max(fitting, key=len)] if fitting else None

    def publication_rules(self, feed: str) -> PublicationRules:
        """Return when a round of `feed` becomes a report, under these levers."""
        return PublicationRules(
            deviation_ppb=_ppb(self.deviation),
            heartbeat_us=_us(self.heartbeat),
            jump_ppb=_ppb(self.jump_limit),
            jump_rounds=int(self.jump_rounds),
            bounds=self.bounds_of(feed),
        )

    def run(
        self,
        truth: pl.DataFrame | pl.LazyFrame,
        *,
        seed: int = 0,
        epoch: int = 1,
        previous: pl.DataFrame | None = None,
        struck: Sequence[int] = (),
        sign: bool = True,
    ) -> OracleRun:
        """Let the network observe and report a world, one round of a feed for each row.

        Parameters
        ----------
        truth : polars.DataFrame or polars.LazyFrame
            ``feed``, ``time``, ``value``; each feed's rows in the order of time. A column ``observed`` serves as
            ``time``.
        seed : int
            Keys, errors and delays derive from it.
        epoch : int
            Of the providers.
        previous : polars.DataFrame, optional
            What a chain holds already (``chain.reports``): rounds count on from there, and what is due and what jumps
            is judged by it.
        struck : sequence of int
            Providers that were struck off before (``chain.oracle_providers.struck``); what they say does not count.
        sign : bool
            Whether to sign what others are shown: the observations in reports, and evidence. Signatures take most of
            the time; values, reports and scores are the same without.

        Returns
        -------
        OracleRun

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument is of another type or out of bounds.
        OracleError
            `truth` is empty or does not fit, its time is before that of `previous`, a bribed provider is not there,
            or one is struck off twice.
        """
        frame, roster = check_truth(truth), self.roster(seed)
        if frame.is_empty():
            raise OracleError("truth: there is no row, allowed: at least one round of one feed")
        providers = self.provider_set(seed, epoch=epoch)
        known = _known(previous, epoch)
        said = say_all(
            frame,
            roster,
            self._cuts,
            noise=self.noise / 100,
            stale_rounds=int(self.stale_rounds),
            window_ms=self.window,
            seed=seed,
        )
        for provider in require_sequence("struck", struck, int):
            providers = providers.strike(provider)
        convicts = [int(provider) for provider in roster.of_kind("equivocating") if provider not in struck]
        offences = {provider: place for provider in convicts if (place := seen_first(said, provider)) is not None}
        rounds = [
            hold_rounds(
                feed,
                parts,
                barred=np.array([*struck, *convicts], np.int64),
                least=max(providers.least_observations, providers.least_signatures),
                floor=self.least_spread / 100,
                rules=self.publication_rules(feed),
                before=_before(feed, parts[0], known),
            )
            for feed, parts in said.items()
        ]
        return self._told(rounds, roster, offences, providers, seed=seed, sign=sign)

    def _told(
        self,
        rounds: list[FeedRounds],
        roster: Roster,
        offences: dict[int, tuple[int, str, int]],
        providers: ProviderSet,
        *,
        seed: int,
        sign: bool,
    ) -> OracleRun:
        rules, epoch = self.score_rules(), providers.epoch
        signing: dict[str, Any] = {"seed": seed, "network": providers.network, "sign": sign}
        return OracleRun(
            observations=observation_frame(rounds, epoch=epoch, distance=rules.distance, **signing),
            rounds=round_frame(rounds, epoch=epoch),
            reports=report_frame(rounds, epoch=epoch),
            scores=scores(rounds, roster, rules, offences),
            alerts=alerts(rounds, rules, offences, stale_us=_us(self.staleness)),
            evidence=evidence_frame(rounds, offences, epoch=epoch, **signing),
            truth=truth_frame(rounds),
            providers=providers,
            staleness_us=_us(self.staleness),
            on_stale=self.on_stale,
            signed=sign,
        )


def _family_bounds() -> dict[str, tuple[int, int]]:
    from gridlab.oracle.feeds.table import FAMILIES

    return {f"{each.prefix}/": (int(each.low * each.scale), int(each.high * each.scale)) for each in FAMILIES}


def _known(previous: pl.DataFrame | None, epoch: int) -> dict[str, tuple[int, int, int]]:
    if previous is None:
        return {}
    frame = REPORTS.check(previous, error=OracleError)
    if frame.filter(pl.col("epoch") > epoch).height:
        raise OracleError(f"previous: a report is of a later epoch than {epoch}; give the epoch of the providers")
    columns = (frame[name].to_physical().to_list() for name in ("round", "observed", "value"))
    return dict(zip(frame["feed"].to_list(), zip(*columns, strict=True), strict=True))


def _before(feed: str, times: Any, known: dict[str, tuple[int, int, int]]) -> tuple[int, int, int] | None:
    before = known.get(feed)
    if before is not None and times[0] < before[1]:
        raise OracleError(
            f"truth: feed {feed!r} begins at {times[0]} and was reported at {before[1]} before (µs since 1970); time "
            "does not go backwards, so give what comes after that"
        )
    return before


def _ppb(percent: float) -> int:
    return round(units.exact(percent) * 10**7)


def _us(seconds: float) -> int:
    return round(units.exact(seconds) * 10**6)
