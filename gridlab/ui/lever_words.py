"""What the levers are called, where their defaults come from, and which of a lab's values are not the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from gridlab.agents import Agents
from gridlab.lab import Lab
from gridlab.levers import LeverInfo
from gridlab.ui.figures import lever_text
from gridlab.ui.words import PARTS, Word, lookup

__all__ = ["LeverLine", "changed", "default_levers", "info_words", "lever_lines", "part_of", "part_words"]


@dataclass(frozen=True, slots=True)
class LeverLine:
    """A lever as a reader sees it; `default` is empty where the value is the default."""

    path: str
    label: str
    value: str
    default: str
    source: str
    governed_by: str


@cache
def default_levers() -> Mapping[str, tuple[object, LeverInfo]]:
    """Return path -> (default, declaration) of every lever of the Thai default lab."""
    lab = Lab(agents=Agents(1))
    # The lab's own, not the part's: a lab has fewer public validators than a public chain alone.
    return {path: (lever.value_on(owner), lever.info) for path, owner, lever in lab.lever_paths()}


def info_words(info: LeverInfo) -> str:
    """Return a lever's label in the language in force."""
    return str(Word(info.label, info.label_th))


def part_of(path: str) -> str:
    """Return the path of the part that owns a lever: ``market.wheeling`` of ``market.wheeling.losses``."""
    return path.rpartition(".")[0]


def part_words(part: str) -> str:
    """Return what a part is called."""
    return lookup(PARTS, part)


def lever_lines(levers: Mapping[str, object]) -> Iterator[LeverLine]:
    """Yield the levers of a lab or a run (path -> value); a lever of another version is shown by its path."""
    known = default_levers()
    for path, value in levers.items():
        if path not in known:
            yield LeverLine(path, path, lever_text(value), "", "", "")
            continue
        default, info = known[path]
        was = "" if value == default else lever_text(default, info.unit)
        yield LeverLine(path, info_words(info), lever_text(value, info.unit), was, info.source, info.governed_by)


def changed(levers: Mapping[str, object]) -> list[LeverLine]:
    """Return the levers that do not stand at the Thai default."""
    return [line for line in lever_lines(levers) if line.default]
