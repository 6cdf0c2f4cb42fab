"""Checking an answer to an exercise: right with the reason why, or a hint that does not give the answer away."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.learn.answers import Question, Verdict

__all__ = ["check", "questions"]

# Number of a lesson -> module with its QUESTIONS.
_LESSONS = {"01": "gridlab.learn.lesson_01"}


@cache
def _all() -> dict[str, Question]:
    found: dict[str, Question] = {}
    for module in _LESSONS.values():
        found |= {question.name: question for question in import_module(module).QUESTIONS}
    return found


def check(question: str, answer: object) -> Verdict:
    """Say whether `answer` is right, and why, or give a hint.

    The answer is worked out from a fresh lab with the Thai defaults, so levers that were moved in the notebook don't
    change what is right.

    Parameters
    ----------
    question : str
        Lesson and number, such as ``"01-q2"``; `questions` lists them.
    answer : object
        A number in the unit asked for (a polars frame or series that holds one value counts as that value) or a word.
        Anything else is no error: the hint says what is asked for.

    Returns
    -------
    Verdict
        True where the answer is right; it shows itself as the reason or the hint, in the language of `gridlab.config`.

    Raises
    ------
    ArgumentTypeError
        `question` is not text.
    ArgumentError
        There is no such question.

    Examples
    --------
    >>> check("01-q2", "XYZ").correct
    False
    """
    if not isinstance(question, str):
        raise ArgumentTypeError(f'question: expected text such as "01-q1", got {question!r}')
    if question not in _all():
        raise ArgumentError(
            f"there is no question {question!r}; {nearest(question, _all())}; gl.learn.questions() lists them all"
        )
    return _all()[question].judge(answer)


def questions() -> pl.DataFrame:
    """Return all questions: ``question``, ``grade``, ``asks``, ``asks_th``, ``answer`` (what kind is asked for)."""
    every = list(_all().values())
    return pl.DataFrame(
        {
            "question": [each.name for each in every],
            "grade": [each.grade for each in every],
            "asks": [each.asks.english for each in every],
            "asks_th": [each.asks.thai for each in every],
            "answer": [str(each.expects()) for each in every],
        }
    )
