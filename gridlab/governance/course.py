"""The course of referenda: how tallies and what was asked for stood at each block, kept for pictures.

The state of a chain holds how things are, not how they came about. An assembly keeps this beside its state.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl

from gridlab.governance.book import GovernanceBook
from gridlab.governance.referenda import Referendum
from gridlab.governance.track_terms import MINUTE
from gridlab.governance.tracks import share

__all__ = ["COURSE", "Course", "course_row"]

COURSE: dict[str, Any] = {
    "minute": pl.Float64,
    "status": pl.String,
    **dict.fromkeys(("approval", "support", "turnout", "approval_asked", "support_asked"), pl.Float64),
}


class Course:
    """Rows of `COURSE` for each referendum, in the order of time."""

    __slots__ = ("_going", "_rows")

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[Any, ...]]] = {}
        # Numbers of those whose end is not written down yet.
        self._going: frozenset[int] = frozenset()

    def fork(self) -> Course:
        """Return an independent copy."""
        twin = Course()
        twin._rows = {number: list(rows) for number, rows in self._rows.items()}
        twin._going = self._going
        return twin

    def note(self, book: GovernanceBook, now: int, electorate: int) -> None:
        """Write down how all referenda stand at a moment (microseconds); an ended one is written down once.

        Parameters
        ----------
        book : GovernanceBook
        now : int
        electorate : int
            micro-GRID.
        """
        noted = sorted(self._going | book.alive) if self._rows else [number for number, _ in book.referenda.items()]
        for referendum in map(book.referendum, noted):
            rows = self._rows.setdefault(referendum.number, [])
            if rows and referendum.end and rows[-1][1] == referendum.end:
                continue
            row = course_row(book, referendum, now, electorate)
            if rows and rows[-1][0] == row[0] and not referendum.end:
                rows[-1] = row
            else:
                rows.append(row)
        self._going = frozenset(number for number in noted if book.referendum(number).ongoing)

    def frame(self, number: int) -> pl.DataFrame:
        """Return the course of a referendum, as `COURSE`: minutes, and shares from 0 to 1.

        What is asked for is null where nothing is decided yet, or any more.
        """
        return pl.DataFrame(self._rows.get(number, []), schema=COURSE, orient="row")


def course_row(book: GovernanceBook, referendum: Referendum, now: int, electorate: int) -> tuple[Any, ...]:
    """Return how a referendum stands at a moment, as `COURSE`."""
    tally = referendum.tally
    shares = (
        share(tally.ayes, tally.ayes + tally.nays),
        share(tally.support, electorate),
        share(tally.turnout, electorate),
    )
    asked: tuple[Fraction, Fraction] | tuple[None, None] = (None, None)
    if referendum.since is not None:
        until = now if referendum.ended is None else referendum.ended
        asked = book.track_of(referendum).needs(until - referendum.since)
    numbers = (None if each is None else float(each) for each in (*shares, *asked))
    return (now / MINUTE, referendum.status, *numbers)
