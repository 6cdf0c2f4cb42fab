"""What a session shows: its language. Nothing here changes a result."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridlab.errors import ArgumentError, nearest

__all__ = ["LANGUAGES", "Settings", "config", "current", "say"]

LANGUAGES = ("en", "th")


@dataclass(frozen=True, slots=True)
class Settings:
    """How gridlab shows itself.

    Attributes
    ----------
    language : str
        ``en`` or ``th``; widgets, plots and reports follow it.
    """

    language: str = "en"


_settings = Settings()


def config(*, language: str | None = None) -> Settings:
    """Change what is shown in this session, and return the settings in force.

    Parameters
    ----------
    language : str, optional
        ``en`` or ``th``.
    """
    global _settings  # noqa: PLW0603 - the one piece of session state; it changes words, never numbers
    if language is not None:
        if language not in LANGUAGES:
            raise ArgumentError(f"language: {language!r} is not allowed; {nearest(language, LANGUAGES)}")
        _settings = replace(_settings, language=language)
    return _settings


def current() -> Settings:
    """Return the settings in force."""
    return _settings


def say(english: str, thai: str) -> str:
    """Return the text in the language in force."""
    return thai if _settings.language == "th" else english
