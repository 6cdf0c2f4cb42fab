"""How a referendum stands and how it came there, as the pictures and summaries read it; of an assembly or a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gridlab.errors import GovernanceError
from gridlab.governance.assembly import Assembly
from gridlab.governance.book import GovernanceBook
from gridlab.governance.pallet import GovernancePart
from gridlab.governance.referenda import Referendum
from gridlab.governance.track_terms import MINUTE
from gridlab.governance.tracks import Track
from gridlab.ui.svg import Floats
from gridlab.ui.words import Word

__all__ = ["Asked", "Course", "Scene", "asked_of", "course_of", "require_referenda", "scene_of"]

_DRAWN_POINTS = 121


@dataclass(frozen=True, slots=True)
class Scene:
    """Governance at one moment.

    Attributes
    ----------
    book : GovernanceBook
    names : mapping of int to str
        Account -> name, where there is one.
    electorate : int or None
        micro-GRID that could vote, None where the ledger is not at hand.
    """

    book: GovernanceBook
    names: Mapping[int, str] = field(default_factory=dict)
    electorate: int | None = None


def scene_of(subject: Assembly | GovernancePart) -> Scene:
    """Return governance as an assembly or a chain has it."""
    if isinstance(subject, Assembly):
        names = {subject.account(name): name for name in subject.holders}
        return Scene(subject.book, names, subject.electorate)
    return Scene(subject.book.fork())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a track asks for over its decision period.

    Attributes
    ----------
    minute, approval, support : ndarray of float64, shape (points,)
        Minutes of deciding; per cent.
    """

    minute: Floats
    approval: Floats
    support: Floats


def asked_of(track: Track, start: float = 0.0) -> Asked:
    """Return the curves of a track from `start` (minutes) on."""
    elapsed = [track.decision * point // (_DRAWN_POINTS - 1) for point in range(_DRAWN_POINTS)]
    needs = np.array([[float(each) for each in track.needs(moment)] for moment in elapsed])
    return Asked(start + np.array(elapsed) / MINUTE, 100 * needs[:, 0], 100 * needs[:, 1])


@dataclass(frozen=True, slots=True)
class Course:
    """How a referendum came to stand where it does.

    Attributes
    ----------
    minute, approval, support : ndarray of float64, shape (moments,)
        Minutes; per cent.
    asked : Asked or None
        None before deciding begins.
    marks : tuple of (float, Word)
        Minutes of what happened to it.
    end : float
        The last minute that is drawn.
    """

    minute: Floats
    approval: Floats
    support: Floats
    asked: Asked | None
    marks: tuple[tuple[float, Word], ...]
    end: float


def course_of(assembly: Assembly, number: int) -> Course:
    """Return the course of a referendum of an assembly; raises GovernanceError where there is none of this number."""
    book = assembly.book
    referendum = book.referendum(number)
    rows = assembly.course(number).select(pl.col("minute"), pl.col("approval", "support") * 100)
    asked = None
    if referendum.since is not None:
        asked = asked_of(book.track_of(referendum), referendum.since / MINUTE)
    marks = tuple(_marks(book, referendum))
    last = [float(rows["minute"][-1]), *(minute for minute, _ in marks)]
    if asked is not None:
        last.append(float(asked.minute[-1]))
    minute, approval, support = (rows[name].to_numpy() for name in ("minute", "approval", "support"))
    return Course(minute, approval, support, asked, marks, max(*last, float(rows["minute"][0]) + 1))


def _marks(book: GovernanceBook, referendum: Referendum) -> list[tuple[float, Word]]:
    ends = {
        "approved": Word("approved", "ผ่าน"),
        "rejected": Word("rejected", "ไม่ผ่าน"),
    }
    stood = [(referendum.since, Word("deciding begins", "เริ่มตัดสิน"))]
    if referendum.ended is not None:
        stood.append((referendum.ended, ends.get(referendum.end, Word("ended", "สิ้นสุด"))))
    done = [each.timestamp for each in book.enacted if each.referendum == referendum.number]
    if done:
        word = Word("enacted", "มีผลบังคับใช้") if referendum.outcome == "enacted" else Word("failed", "บังคับใช้ไม่สำเร็จ")
        stood.append((done[0], word))
    return [(moment / MINUTE, word) for moment, word in stood if moment is not None]


def require_referenda(book: GovernanceBook) -> None:
    """Raise GovernanceError where nothing was proposed yet."""
    if not book.referenda:
        raise GovernanceError("nothing was proposed yet, so there is nothing to draw; propose() makes a referendum")
