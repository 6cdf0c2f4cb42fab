"""The questions of a lesson: words from its TOML file, keys from its module."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from gridlab.learn.answers import NumberQuestion, Phrase, Question, WordQuestion

__all__ = ["LESSONS", "all_questions"]

# Lessons that have questions: gridlab/learn/lesson_NN.py works them out, lesson_NN.toml words them.
LESSONS = tuple(
    sorted(
        file.name[len("lesson_") : -len(".toml")]
        for file in files("gridlab.learn").iterdir()
        if file.name.startswith("lesson_") and file.name.endswith(".toml")
    )
)


@cache
def all_questions() -> dict[str, Question]:
    """Return name -> question, in the order of the lessons."""
    return {question.name: question for lesson in LESSONS for question in _read(lesson)}


def _read(lesson: str) -> list[Question]:
    table = tomllib.loads((files("gridlab.learn") / f"lesson_{lesson}.toml").read_text(encoding="utf-8"))
    module = import_module(f"gridlab.learn.lesson_{lesson}")
    return [_question(entry, module) for entry in table["question"]]


def _question(entry: dict[str, Any], module: Any) -> Question:
    words = {name: Phrase(**entry[name]) for name in ("asks", "why", "hint")}
    common = {
        "name": entry["name"],
        "grade": entry["grade"],
        "mistakes": {name: Phrase(**hint) for name, hint in entry.get("mistakes", {}).items()},
        "solve": getattr(module, entry["solve"]),
        **words,
    }
    if "choices" in entry:
        return WordQuestion(**common, choices=tuple(entry["choices"]))
    return NumberQuestion(**common, unit=entry["unit"], within=Fraction(entry["within"]))
