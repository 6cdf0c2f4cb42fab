"""Emergency stops: the time that a chain stands does not count against a timeout.

A chain keeps a log of its own stops and of those of the chains it has been told of. How long something has stood is
the length of the union of the intervals, so that time in which two chains stand at once is counted once.

Why a chain must know of another one's stops: in a swap the answer is locked on the second chain until T2, and what pays
for it is locked on the first until T1 > T2. If the second chain stands and only its own timeouts freeze, the first
lock runs out, its owner takes it back, and claims the second lock as well once that chain goes on. So the first lock
*watches* the second chain: it freezes with it. The other way about nothing is needed, since a longer T1 harms nobody.

A chain may also stop one asset alone. Then only what is locked in this asset freezes there. Other chains are told of it
as of a stop of the whole chain, for the same reason: what watches freezes too long rather than too short (`news`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.encoding import Reader, compact, i64, text, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.moments import LATEST
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["LONGEST_CHAIN_ID", "Stop", "Stops", "require_stops"]

LONGEST_CHAIN_ID = 64
_DOMAIN = "gridlab/emergency-stops/1"
_STILL = -1


@dataclass(frozen=True, slots=True)
class Stop:
    """One emergency stop.

    Attributes
    ----------
    chain : str
        The chain that stands.
    since : int
        Microseconds since 1970.
    until : int or None
        None while it stands.
    asset : str
        The one asset that stands there; empty where the whole chain does.
    """

    chain: str
    since: int
    until: int | None = None
    asset: str = ""

    def freezes(self, chain: str, asset: str) -> bool:
        """Whether it stops the time of what is locked in `asset` on `chain`."""
        return self.chain == chain and self.asset in {"", asset}


@dataclass(frozen=True, slots=True)
class Stops:
    """All stops that a chain knows of, its own under its own name. Never changed: its methods return a new one.

    Attributes
    ----------
    log : tuple of Stop
        In the order in which they were told.

    Examples
    --------
    >>> stops = Stops().begin("public", 10).end("public", 25)
    >>> stops.standstill(["public"], 0, 100), stops.running(100, since=20, chains=["public"])
    (15, 95)
    """

    log: tuple[Stop, ...] = ()

    def standing(self, chain: str, asset: str = "") -> bool:
        """Whether `chain` stands, as far as is known; with an `asset`, whether this asset does for any reason."""
        return any(stop.freezes(chain, asset) and stop.until is None for stop in self.log)

    def begin(self, chain: str, since: int, asset: str = "") -> Stops:
        """Return the log with a stop of `chain`, or of one asset on it, from `since` (microseconds) on.

        Raises
        ------
        ChainError
            It stands already, or stood at that moment by a stop that is in the log.
        """
        require_text("chain", chain, longest=LONGEST_CHAIN_ID)
        require_int("since", since, 0, LATEST)
        for stop in self.log:
            if (stop.chain, stop.asset) == (chain, asset) and (stop.until is None or stop.until > since):
                raise ChainError(
                    f"stop: {_what(chain, asset)} stands from {stop.since} until {stop.until or 'now'} already, so "
                    f"that no stop can begin at {since}; end that one first"
                )
        return Stops((*self.log, Stop(chain, since, asset=asset)))

    def end(self, chain: str, until: int, asset: str = "") -> Stops:
        """Return the log with the stop of `chain`, or of one asset on it, ended at `until` (microseconds).

        Raises
        ------
        ChainError
            It does not stand, or began after that moment.
        """
        require_int("until", until, 0, LATEST)
        what = _what(chain, asset)
        for place, stop in enumerate(self.log):
            if (stop.chain, stop.asset, stop.until) == (chain, asset, None):
                if until < stop.since:
                    raise ChainError(f"stop: {what} stands since {stop.since}, so that it cannot end at {until}")
                return Stops((*self.log[:place], replace(stop, until=until), *self.log[place + 1 :]))
        raise ChainError(f"stop: {what} does not stand, so there is no stop to end")

    def standstill(self, chains: Iterable[str], since: int, now: int, *, asset: str = "") -> int:
        """Return how long any of `chains` (or `asset` on one of them) stood between `since` and `now`, microseconds."""
        wanted = tuple(chains)
        total, reached = 0, since
        for begin, end in self._spans(wanted, asset, now):
            total += max(min(end, now) - max(begin, reached), 0)
            reached = max(reached, end)
        return total

    def running(self, now: int, *, since: int, chains: Iterable[str], asset: str = "") -> int:
        """Return the moment that counts for a timeout set at `since`: `now` less the time any of `chains` stood."""
        return now - self.standstill(chains, since, now, asset=asset)

    def since(self, chain: str, asset: str, now: int) -> int:
        """Return since when `asset` on `chain` has stood without a break, microseconds; `now` where it does not."""
        begun = now
        for begin, end in sorted(self._spans((chain,), asset, now), reverse=True):
            if begin <= begun <= end:
                begun = begin
        return begun

    def _spans(self, chains: tuple[str, ...], asset: str, now: int) -> list[tuple[int, int]]:
        return sorted(
            (stop.since, now if stop.until is None else stop.until)
            for stop in self.log
            if any(stop.freezes(chain, asset) for chain in chains)
        )

    def news(self, chain: str, told: Stops) -> list[tuple[int, bool]]:
        """Return what another chain that was `told` so much must still hear of `chain`: moment, whether it stands then.

        A stop of one asset counts as a stop of the chain, and stops that overlap or touch as one.
        """
        heard = [moment for stop in told.log if stop.chain == chain for moment in (stop.since, stop.until)]
        moments: list[int | None] = []
        for stop in sorted((stop for stop in self.log if stop.chain == chain), key=lambda stop: stop.since):
            until = stop.until
            if moments and (moments[-1] is None or stop.since <= moments[-1]):
                last = moments[-1]
                moments[-1] = None if last is None or until is None else max(last, until)
            else:
                moments += [stop.since, until]
        said = len([moment for moment in heard if moment is not None])
        known = [moment for moment in moments if moment is not None]
        return [(moment, place % 2 == 0) for place, moment in enumerate(known) if place >= said]

    @property
    def frame(self) -> pl.DataFrame:
        """The log: chain, since and until (microseconds since 1970, null while it stands), asset (empty: all)."""
        rows = [(stop.chain, stop.since, stop.until, stop.asset) for stop in self.log]
        schema = {"chain": pl.String, "since": pl.Int64, "until": pl.Int64, "asset": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def is_empty(self) -> bool:
        """Whether no chain has ever stood."""
        return not self.log

    @property
    def hash(self) -> bytes:
        """Hash over the log, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [
            text(stop.chain) + u64(stop.since) + i64(_STILL if stop.until is None else stop.until) + text(stop.asset)
            for stop in self.log
        ]
        return b"".join([compact(len(rows)), *rows])

    @classmethod
    def from_bytes(cls, data: bytes) -> Stops:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader, log = Reader(data, "stops"), []
        for _ in range(reader.compact()):
            name, since, until, asset = reader.text(), reader.u64(), reader.i64(), reader.text()
            if until != _STILL and until < since:
                raise reader.error(f"a stop from {since} ends at {until}, before it began")
            log.append(Stop(name, since, None if until == _STILL else until, asset))
        reader.finish()
        return cls(tuple(log))


def _what(chain: str, asset: str) -> str:
    return f"{asset} on {chain!r}" if asset else repr(chain)


def require_stops(value: object) -> Stops:
    """Return `value` if it is `Stops`, or raise ArgumentTypeError."""
    if not isinstance(value, Stops):
        raise ArgumentTypeError(f"stops is a {type(value).__name__}, allowed: Stops(); Stops().begin(chain, since) …")
    return value
