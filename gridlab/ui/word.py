"""A text in both languages, and how one of the two is picked when it is written into something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gridlab import settings

__all__ = ["Word", "lookup", "speaking"]


@dataclass(frozen=True, slots=True)
class Word:
    """A text in both languages; ``str(word)`` is the one in force.

    Attributes
    ----------
    english, thai : str
    """

    english: str
    thai: str

    def __str__(self) -> str:
        return settings.say(self.english, self.thai)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` ("en" or "th") inside a ``with`` block, whatever the session speaks outside it."""
    before = settings.current().language
    settings.config(language=language)
    try:
        yield
    finally:
        settings.config(language=before)


def lookup(table: Mapping[str, Word], key: str) -> str:
    """Return the word for `key`; a key that the table does not know is shown as it is, with blanks for underscores."""
    return str(table[key]) if key in table else key.replace("_", " ")
