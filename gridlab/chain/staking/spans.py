"""Slashing spans: within one, an account loses the greatest of its slashes, not their sum.

Offences are found late and out of order, and one mistake may be reported ten times. So slashes within a span are
compared: only what is above the highest so far is taken. A span ends with a slash; the account must come back on its
own will, and what it does after that is judged anew.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/src/slashing.rs``, 2024.
Web3 Foundation, "Slashing mechanisms in Polkadot", research.web3.foundation, 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gridlab.chain.perbill import part_of

__all__ = ["Compared", "Span", "SpanRecord", "Spans"]


@dataclass(frozen=True, slots=True)
class Span:
    """Eras `start` up to `end` (not included); the current span has no end."""

    index: int
    start: int
    end: int | None

    def contains(self, era: int) -> bool:
        """Say whether `era` lies in the span."""
        return self.start <= era and (self.end is None or era < self.end)


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """The highest slash in a span, and what reporters were paid for it (micro-GRID)."""

    slashed: int = 0
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """What a slash changes in a span.

    Attributes
    ----------
    spans : Spans
        With the span's new record.
    span : Span or None
        The span of the era; None where the era is older than all spans kept.
    difference : int
        What is taken beyond what was taken before (micro-GRID).
    reward : int
        What reporters are due (micro-GRID).
    """

    spans: Spans
    span: Span | None
    difference: int = 0
    reward: int = 0


@dataclass(frozen=True, slots=True)
class Spans:
    """One account's slashing spans, the latest first; every change gives new ones.

    Attributes
    ----------
    index : int
        Number of the current span.
    start : int
        First era of the current span.
    last_slash : int
        Latest era with a slash of more than nothing.
    lengths : tuple of int
        Lengths in eras of the spans before it, the latest first.
    records : tuple of (int, SpanRecord)
        By span index, the earliest first.
    """

    index: int
    start: int
    last_slash: int = 0
    lengths: tuple[int, ...] = ()
    records: tuple[tuple[int, SpanRecord], ...] = ()

    def __iter__(self) -> Iterator[Span]:
        yield Span(self.index, self.start, None)
        end = self.start
        for back, length in enumerate(self.lengths, start=1):
            yield Span(self.index - back, end - length, end)
            end -= length

    def ended(self, now: int) -> Spans:
        """Return the spans with a new one from the era after `now` on; the same where it has begun already."""
        if now + 1 <= self.start:
            return self
        return replace(self, index=self.index + 1, start=now + 1, lengths=(now + 1 - self.start, *self.lengths))

    def pruned(self, first: int) -> Spans:
        """Return the spans without those that were over before the era `first`."""
        old = next((place for place, span in enumerate(self) if span.end is not None and span.end <= first), None)
        lengths = self.lengths if old is None else self.lengths[: old - 1]
        least = self.index - len(lengths)
        records = tuple((index, record) for index, record in self.records if index >= least)
        return replace(self, start=max(self.start, first), lengths=lengths, records=records)

    def record(self, index: int) -> SpanRecord:
        """Return what is known of a span."""
        return dict(self.records).get(index, SpanRecord())

    def compared(self, era: int, slash: int, reporter_share: int, first_share: int) -> Compared:
        """Compare a slash with the highest of the era's span.

        Parameters
        ----------
        era : int
            Era of the offence.
        slash : int
            What the account loses for that era in all (micro-GRID).
        reporter_share : int
            Most of a slash that reporters ever get, parts per billion (f_inf of the paper).
        first_share : int
            How much of what is left of that the next report gets, parts per billion (f_1): reports for the same span
            pay less and less.
        """
        span = next((each for each in self if each.contains(era)), None)
        if span is None:
            return Compared(self, None)
        known = self.record(span.index)
        if slash < known.slashed:
            return Compared(self, span)
        difference = slash - known.slashed
        reward = part_of(first_share, max(0, part_of(reporter_share, slash) - known.paid))
        if not difference and not reward:
            return Compared(self, span)
        record = SpanRecord(slash, known.paid + reward)
        records = tuple(sorted({**dict(self.records), span.index: record}.items()))
        last = max(self.last_slash, era) if difference else self.last_slash
        return Compared(replace(self, records=records, last_slash=last), span, difference, reward)
