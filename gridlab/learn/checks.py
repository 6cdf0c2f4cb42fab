"""Checking an answer to an exercise: right with the reason why, or a hint that does not give the answer away."""

from __future__ import annotations

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.learn.answers import Verdict
from gridlab.learn.bank import all_questions

__all__ = ["check", "questions"]


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
    >>> check("01-q2", "Chiang Mai").correct
    False
    """
    known = all_questions()
    if not isinstance(question, str):
        raise ArgumentTypeError(f'question: expected text such as "01-q1", got {question!r}')
    if question not in known:
        raise ArgumentError(
            f"there is no question {question!r}; {nearest(_padded(question), known)}; gl.learn.questions() lists all"
        )
    return known[question].judge(answer)


def _padded(question: str) -> str:
    """Return the name with two digits for the lesson, which people leave out first: 1-q1 is 01-q1."""
    lesson, dash, rest = question.partition("-")
    return f"{lesson.zfill(2)}{dash}{rest}"


def questions() -> pl.DataFrame:
    """Return all questions: ``question``, ``grade``, ``asks``, ``asks_th``, ``answer`` (what kind is asked for)."""
    every = list(all_questions().values())
    return pl.DataFrame(
        {
            "question": [each.name for each in every],
            "grade": [each.grade for each in every],
            "asks": [each.asks.en for each in every],
            "asks_th": [each.asks.th for each in every],
            "answer": [str(each.expects()) for each in every],
        }
    )
