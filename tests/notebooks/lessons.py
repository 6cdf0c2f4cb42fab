"""What a notebook owes its readers, as functions that name each fault; CONTRIBUTING.md says it in words.

nbval runs the cells and compares outputs, but a notebook without outputs passes there. These functions look at what is
stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat

FINGERPRINT = re.compile(r"\b0x[0-9a-f]{64}\b")
THAI = re.compile(r"[\u0e01-\u0e5b]")
EXERCISE_CHECK = re.compile(r"learn\.check\(\s*[\"'](\d\d-q\d+)[\"']")
UNCOMPARED_TAGS = {"nbval-ignore-output", "nbval-skip"}
COMPARED_TYPES = ("text/plain", "application/json", "text/markdown", "text/latex")
SECTIONS = ("Exercises", "Key points", "Glossary", "Sources", "Next lesson")
MOST_LINES = 15
MOST_WORDS = 120
LEAST_COMPARED = 3


def code_cells(notebook: nbformat.NotebookNode) -> list[Any]:
    """Return the code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def output_text(cell: Any) -> str:
    """Return what nbval compares of a cell's stored outputs, joined."""
    if UNCOMPARED_TAGS & tags(cell) or "NBVAL_IGNORE_OUTPUT" in cell.source or "NBVAL_SKIP" in cell.source:
        return ""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        texts += [str(output.get("data", {})[kind]) for kind in COMPARED_TYPES if kind in output.get("data", {})]
    return "\n".join(text for text in texts if text.strip())


def markdown(notebook: nbformat.NotebookNode) -> str:
    """Return all text cells as one text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def notebook_faults(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield what is wrong with any notebook, lesson or not."""
    cells = code_cells(notebook)
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "not run from top to bottom in a fresh kernel: restart, run all cells and save with the outputs"
    compared = [cell for cell in cells if output_text(cell)]
    if len(compared) < LEAST_COMPARED:
        yield f"{len(compared)} cells have an output that is compared; at least {LEAST_COMPARED} are needed"
    shown = [cell for cell in cells if cell.outputs]
    if not shown or not FINGERPRINT.search(output_text(shown[-1])):
        yield "the last output is not the run's fingerprint (0x and 64 hex digits)"
    for number, cell in enumerate(cells, start=1):
        yield from (f"code cell {number} {fault}" for fault in cell_faults(cell))
    loads = [cell for cell in cells if re.search(r"\bgl\.notebook\(", cell.source)]
    if len(loads) != 1:
        yield f"{len(loads)} cells call gl.notebook(); exactly one is needed"


def cell_faults(cell: Any) -> Iterator[str]:
    """Yield what is wrong with one code cell."""
    errors = [output.ename for output in cell.outputs if output.output_type == "error"]
    if errors and "raises-exception" not in tags(cell):
        yield f"holds a stored {errors[0]}; tag it raises-exception if it is meant"
    if re.search(r"\b(interact|clear_output|update_display)\(", cell.source) and not UNCOMPARED_TAGS & tags(cell):
        yield "shows what nbval cannot compare; tag it nbval-ignore-output"
    if re.search(r"\b(hv|pn|holoviews|panel)\.extension\(", cell.source):
        yield "loads an extension itself; gl.notebook() does that once"


def card_faults(card: str) -> Iterator[str]:
    """Yield what the first cell of a lesson does not say."""
    title = card.partition("\n")[0]
    if not (title.startswith("# ") and THAI.search(title) and re.search("[A-Za-z]", title)):
        yield "the card begins with no '# title' in English and Thai"
    wanted = {
        "for whom it is (**For:** ...)": r"\*\*For:?\*\*",
        "how many minutes it takes": r"\d+\s*minutes",
        "what is needed before (**Before:** ...)": r"\*\*Before:?\*\*",
        "'You will be able to' and at least three points": r"(?is)you will be able to.*?(\n\s*[-*] [^\n]+){3}",
        "the Binder badge": r"\[!\[[^\]]*\]\([^)]*badge[^)]*\)\]\([^)]*binder[^)]*\)",
    }
    yield from (f"the card does not say {what}" for what, pattern in wanted.items() if not re.search(pattern, card))


def lesson_faults(notebook: nbformat.NotebookNode, number: str) -> Iterator[str]:
    """Yield what is wrong with lesson `number` (two digits), beside what is wrong with any notebook."""
    text, cells = markdown(notebook), code_cells(notebook)
    yield from card_faults(notebook.cells[0].source)
    for section in SECTIONS:
        if not re.search(rf"^## .*{section}", text, re.MULTILINE):
            yield f"no section '## {section}'"
    glossary = re.search(r"^## .*Glossary.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if glossary and not re.search(r"^\|.*[A-Za-z].*\|.*[\u0e01-\u0e5b]", glossary[0], re.MULTILINE):
        yield "the glossary is no table of English and Thai"
    if not any(cell.outputs for cell in cells[:3]):
        yield "no result within the first three code cells"
    for word in ("predict", "break it"):
        if word not in text.lower():
            yield f"no '{word}' task"
    yield from exercise_faults(notebook, number)
    yield from length_faults(text, cells)


def length_faults(text: str, cells: list[Any]) -> Iterator[str]:
    """Yield what is too long to be read in class."""
    for cell in cells:
        if len(cell.source.splitlines()) > MOST_LINES:
            yield f"a code cell of {len(cell.source.splitlines())} lines, {MOST_LINES} at most: {cell.source[:50]!r}"
    for paragraph in re.split(r"\n\s*\n", text):
        if len(paragraph.split()) > MOST_WORDS and not paragraph.lstrip().startswith(("|", "- ", "* ", "<")):
            yield f"a paragraph of {len(paragraph.split())} words, {MOST_WORDS} at most: {paragraph[:50]!r}"


def exercise_faults(notebook: nbformat.NotebookNode, number: str) -> Iterator[str]:
    """Yield what is wrong with the exercises: three grades, each question with a collapsed solution that is run."""
    text = markdown(notebook)
    for stars in ("★", "★★", "★★★"):
        if not re.search(rf"(?m)^### .*(?<!★){stars}(?!★)", text):
            yield f"no exercise of grade {stars} in a '### ' heading"
    solved = solutions(notebook)
    asked = set(EXERCISE_CHECK.findall(text)) | set(solved)
    if len(asked) < 3:
        yield f"{len(asked)} questions with gl.learn.check('{number}-q1', answer); at least three are needed"
    if foreign := sorted(name for name in asked if not name.startswith(f"{number}-")):
        yield f"questions of another lesson: {foreign}"
    if unsolved := sorted(asked - set(solved)):
        yield f"no cell tagged 'solution' checks {unsolved}"
    for name, cell in solved.items():
        if not cell.metadata.get("jupyter", {}).get("source_hidden"):
            yield f"the solution of {name} is not collapsed (metadata: jupyter.source_hidden)"
        if not output_text(cell):
            yield f"the solution of {name} shows nothing that is compared"


def solutions(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Return the cells tagged `solution`, by the question that each checks."""
    tagged = [cell for cell in code_cells(notebook) if "solution" in tags(cell)]
    return {name: cell for cell in tagged for name in EXERCISE_CHECK.findall(cell.source)}
