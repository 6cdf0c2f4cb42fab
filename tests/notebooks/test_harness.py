"""The notebook tests themselves: a changed output is caught, a stripped notebook is caught, a fingerprint is kept."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval.plugin import get_sanitize_patterns

from tests.house import ROOT
from tests.notebooks.lessons import lesson_faults, notebook_faults

FINGERPRINT = "0x" + "3f" * 32
SANITIZE = ROOT / "tests" / "notebooks" / "sanitize.cfg"


def sanitized(text):
    for pattern, replacement in get_sanitize_patterns(SANITIZE.read_text(encoding="ascii")):
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("id 5b1d2c3e-0a9b-4c8d-9e7f-0123456789ab", "id 00000000-0a9b-4c8d-9e7f-ba9876543210"),
        ("model d41d8cd98f00b204e9800998ecf8427e.", "model 900150983cd24fb0d6963f7d28e17f72."),
        ("<Thing object at 0x7f3a5c2b1d90>", "<Thing object at 0x55d0c0ffee10>"),
        ("Market(fee=0, name='Market00361')", "Market(fee=0, name='Market00007')"),
        (
            "/var/tmp/ipykernel_4711/2841726598.py:1: UserWarning: slow",
            "/var/folders/x1/ipykernel_99/1111111111.py:1: UserWarning: slow",
        ),
        (
            "day:  50%|#####     | 48/96 [00:01<00:01, 40.1slot/s]\ndone",
            "day: 100%|##########| 96/96 [00:02<00:00, 39.0slot/s]\ndone",
        ),
    ],
)
def test_what_differs_between_two_runs_is_not_compared(first, second):
    assert first != second
    assert sanitized(first) == sanitized(second)


@pytest.mark.parametrize(
    "text",
    [
        f"fingerprint {FINGERPRINT}",
        f"'{FINGERPRINT}'",
        "price 3120 THB/MWh, 12345678 micro-THB, savings 14 %",
        "name='Market'",
        "account 0x00ff00ff",
        "2026-04-01 00:15:00+07:00",
        "shape: (96, 4)\n│ 2026-04-01 00:00:00 ┆ 3_120 │",
    ],
)
def test_figures_and_fingerprints_are_compared_to_the_letter(text):
    assert sanitized(text) == text


SHOW = "from IPython.display import display\ndisplay({'text/plain': '42', 'text/html': 'of today'}, raw=True)"


def result(text):
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def small_notebook():
    """Make a notebook as a person would have saved it after one run."""
    outputs = {
        "import os\nos.environ['PYTHONHASHSEED'], os.environ['TZ']": [result("('0', 'Asia/Bangkok')")],
        "gl = type('Face', (), {'notebook': staticmethod(lambda: None)})\ngl.notebook()": [],
        SHOW: [new_output("display_data", {"text/plain": "42", "text/html": "of last year"})],
        f"'{FINGERPRINT}'": [result(f"'{FINGERPRINT}'")],
    }
    cells = [
        new_code_cell(source, execution_count=number, outputs=stored)
        for number, (source, stored) in enumerate(outputs.items(), start=1)
    ]
    return new_notebook(cells=[new_markdown_cell("# One day"), *cells])


def pytest_on(notebook, place: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest, with this project's configuration, on one notebook in a tree of its own."""
    for name in ("pyproject.toml", "conftest.py", "tests/notebooks/sanitize.cfg"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    nbformat.write(notebook, place / "small.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "small.ipynb"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)


def test_nbval_passes_what_was_stored_whatever_its_html(tmp_path):
    done = pytest_on(small_notebook(), tmp_path)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_nbval_fails_one_changed_digit_of_a_fingerprint(tmp_path):
    notebook = small_notebook()
    notebook.cells[-1].outputs[0].data["text/plain"] = f"'{FINGERPRINT[:-1]}0'"
    done = pytest_on(notebook, tmp_path)
    assert done.returncode == 1
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr


def test_sound_notebook_has_no_fault():
    assert list(notebook_faults(small_notebook())) == []


def stripped(notebook):
    for cell in notebook.cells[1:]:
        cell.outputs, cell.execution_count = [], None


def out_of_order(notebook):
    notebook.cells[2].execution_count = 7


def uncompared(notebook):
    for cell in notebook.cells[1:]:
        cell.metadata["tags"] = ["nbval-ignore-output"]


def without_fingerprint(notebook):
    notebook.cells[-1].outputs[0].data["text/plain"] = "'0x3f3f'"


def with_error(notebook):
    notebook.cells[2].outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]


def with_extension(notebook):
    notebook.cells[3].source = "pn.extension()"


def with_display_update(notebook):
    notebook.cells[3].source = "clear_output()"


def without_set_up(notebook):
    notebook.cells[2].source = "pass"


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (stripped, "have an output that is compared"),
        (stripped, "not run from top to bottom"),
        (out_of_order, "not run from top to bottom"),
        (uncompared, "0 cells have an output that is compared"),
        (without_fingerprint, "the last output is not the run's fingerprint"),
        (with_error, "holds a stored ValueError"),
        (with_extension, "loads an extension itself"),
        (with_display_update, "tag it nbval-ignore-output"),
        (without_set_up, "0 cells call gl.notebook()"),
    ],
)
def test_harmed_notebook_is_found_out(harm, fault):
    notebook = small_notebook()
    harm(notebook)
    assert [found for found in notebook_faults(notebook) if fault in found]


CARD = """# A day / หนึ่งวัน

[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/x/y)

**For:** school classes. **Time:** 40 minutes. **Before:** nothing.

You will be able to

- read a price
- read a bill
- read a block
"""
END = """## Exercises

### Read ★

### Predict ★★

### Break it ★★★

## Key points

- one

## Glossary

| English | Thai |
|---|---|
| price | ราคา |

## Sources

## Next lesson
"""


def small_lesson():
    notebook = small_notebook()
    fingerprint = notebook.cells.pop()
    notebook.cells[0] = new_markdown_cell(CARD)
    for question in (1, 2, 3):
        shown = [new_output("stream", name="stdout", text="Right.\n")]
        hidden = {"tags": ["solution"], "jupyter": {"source_hidden": True}}
        source = f"gl.learn.check('01-q{question}', 42)"
        notebook.cells.append(new_code_cell(source, outputs=shown, metadata=copy.deepcopy(hidden)))
    notebook.cells += [new_markdown_cell(END), fingerprint]
    return notebook


def test_sound_lesson_has_no_fault():
    assert list(lesson_faults(small_lesson(), "01")) == []


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("หนึ่งวัน", "in English and Thai"),
        ("badge_logo.svg", "the Binder badge"),
        ("minutes", "how many minutes"),
        ("**For:**", "for whom it is"),
        ("**Before:**", "what is needed before"),
        ("- read a block\n", "at least three points"),
        ("## Key points", "no section '## Key points'"),
        ("## Next lesson", "no section '## Next lesson'"),
        ("ราคา", "the glossary is no table"),
        ("Predict", "no 'predict' task"),
        ("Break it", "no 'break it' task"),
        ("★★★", "no exercise of grade ★★★"),
    ],
)
def test_lesson_without_a_part_is_found_out(part, fault):
    lesson = small_lesson()
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(part, "", 1)
    assert [found for found in lesson_faults(lesson, "01") if fault in found]


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda cell: cell.metadata.update(tags=[]), "2 questions"),
        (lambda cell: cell.metadata.update(jupyter={}), "the solution of 01-q3 is not collapsed"),
        (lambda cell: cell.update(outputs=[]), "the solution of 01-q3 shows nothing"),
        (lambda cell: cell.update(source=cell.source.replace("01-", "02-")), "questions of another lesson: ['02-q3']"),
        (lambda cell: cell.update(source=cell.source + "\n" * 15 + "1"), "a code cell of 16 lines"),
        (lambda cell: cell.update(cell_type="markdown", source="word " * 121), "a paragraph of 121 words"),
    ],
)
def test_lesson_with_a_harmed_cell_is_found_out(harm, fault):
    lesson = small_lesson()
    harm(lesson.cells[-3])
    assert [found for found in lesson_faults(lesson, "01") if fault in found]


def test_question_without_a_solution_is_found_out():
    lesson = small_lesson()
    lesson.cells[-2].source += '\nTry `gl.learn.check("01-q4", answer)`.'
    assert "no cell tagged 'solution' checks ['01-q4']" in list(lesson_faults(lesson, "01"))
