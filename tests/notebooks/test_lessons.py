"""Every notebook holds compared outputs and its fingerprint; every lesson has the parts that a reader expects."""

from __future__ import annotations

import re

import nbformat
import pytest

import gridlab as gl
from tests.house import ROOT
from tests.notebooks.lessons import lesson_faults, notebook_faults, output_text, solutions

LESSONS = sorted((ROOT / "tutorials").glob("*.ipynb"))
NOTEBOOKS = [*LESSONS, *sorted((ROOT / "notebooks").glob("*.ipynb"))]
WRONG_ANSWER = "an answer that fits no question"


def read(path):
    return nbformat.read(path, as_version=4)


def questions():
    return [(path, name) for path in LESSONS for name in solutions(read(path))]


@pytest.mark.parametrize("name", ["tutorials/01-a-thai-day.ipynb", "notebooks/00-quickstart.ipynb"])
def test_notebook_is_there(name):
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_holds_compared_outputs_and_ends_with_its_fingerprint(path):
    assert list(notebook_faults(read(path))) == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_lesson_has_card_exercises_key_points_and_glossary(path):
    number = re.match(r"(\d\d)-[a-z0-9-]+\.ipynb$", path.name)
    assert number, "a lesson is named NN-name.ipynb"
    assert list(lesson_faults(read(path), number[1])) == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_lesson_solves_every_question_that_is_asked_of_it(path):
    known = set(gl.learn.questions()["question"])
    assert set(solutions(read(path))) == {name for name in known if name.startswith(path.name[:2] + "-")}


@pytest.mark.parametrize(("path", "question"), questions(), ids=lambda value: getattr(value, "name", value))
def test_stored_solution_was_found_right_and_a_wrong_answer_gets_a_hint(path, question):
    solved = output_text(solutions(read(path))[question])
    assert "Correct." in solved or "ถูกต้อง" in solved
    verdict = gl.learn.check(question, WRONG_ANSWER)
    assert not verdict
    assert len(verdict.text.split()) >= 3
