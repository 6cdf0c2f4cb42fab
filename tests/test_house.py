"""The rules of the house that no single room can keep: floors, weight, size, and what no file may say."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest

import gridlab
from tests.house import ROOT, project_files, project_texts, run, tool

HEAVY = (
    "bokeh",
    "holidays",
    "holoviews",
    "ipywidgets",
    "matplotlib",
    "nacl",
    "numba",
    "pandas",
    "panel",
    "pvlib",
    "scipy",
)
ROW_WISE = {"applymap", "iter_rows", "iterrows", "itertuples", "map_elements", "map_rows"}
SOURCES = sorted((ROOT / "gridlab").rglob("*.py"))
FACE = [name for name in gridlab.__all__ if not name.startswith("__")]

# Processor time of one import in a fresh process, interpreter start left out: what a busy machine hardly changes.
IMPORT_TIMER = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"


def seconds_to_import(module: str) -> float:
    return float(run([sys.executable, "-c", IMPORT_TIMER.format(module)]))


def test_importing_gridlab_costs_at_most_1_6_times_polars():
    seconds_to_import("gridlab")  # leaves the compiled bytecode behind
    pairs = [(seconds_to_import("polars"), seconds_to_import("gridlab")) for _ in range(7)]
    polars, whole = (min(times) for times in zip(*pairs, strict=True))
    assert whole <= 1.6 * polars, f"import gridlab {whole * 1000:.0f} ms, import polars {polars * 1000:.0f} ms"


def test_importing_gridlab_loads_no_heavy_library():
    script = "import sys, gridlab; print(*sorted(sys.modules))"
    loaded = {name.partition(".")[0] for name in run([sys.executable, "-c", script]).split()}
    assert loaded.isdisjoint(HEAVY), f"import gridlab loads {sorted(loaded.intersection(HEAVY))}"


def test_each_room_imports_only_rooms_below_it():
    assert "0 broken" in run([tool("lint-imports"), "--no-cache"])


@pytest.mark.parametrize("name", FACE)
def test_public_name_resolves_and_says_what_it_is(name):
    value = getattr(gridlab, name)
    assert inspect.getdoc(value), f"gridlab.{name} has no docstring"
    assert name in dir(gridlab)


def test_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(AttributeError, match=r"'gridlab' has no attribute 'Labb'.*Lab"):
        gridlab.Labb  # noqa: B018


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_is_one_idea_of_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def row_wise_calls(source: str) -> list[str]:
    """Find calls that run Python once per row: `ledger.apply(frame)` is none, apply with a lambda or with pandas is."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    named = [call for call in calls if call.func.attr in ROW_WISE or _applies_to_rows(call, tree)]
    return [f"line {call.lineno}: .{call.func.attr}()" for call in sorted(named, key=lambda call: call.lineno)]


def _applies_to_rows(call: ast.Call, tree: ast.Module) -> bool:
    if call.func.attr != "apply":
        return False
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return "pandas" in imported or any(isinstance(argument, ast.Lambda) for argument in call.args)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("pl.col('a').map_elements(f)\nfor row in frame.iter_rows():\n    g(row)", ["map_elements", "iter_rows"]),
        ("column.apply(lambda value: value + 1)", ["apply"]),
        ("import pandas as pd\nframe.apply(f, axis=1)", ["apply"]),
        ("ledger.apply(frame)\napply(row)\nframe.map_batches(f)", []),
    ],
)
def test_row_wise_calls_are_seen(source, found):
    assert [call.partition(".")[2] for call in row_wise_calls(source)] == [f"{name}()" for name in found]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_python_loop_over_the_rows_of_a_frame(path):
    assert row_wise_calls(path.read_text(encoding="utf-8")) == []


# Put together here, so that this file does not break the rule it keeps.
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users/\w+)(?=/)")
REGISTRY = re.compile(
    r"https?://[^\s\"'<>)]*(?:/simple\b|registry)|" + r"\b(?:files\.python" + r"hosted|py" + r"pi\.(?:org|io))\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (MACHINE_PATH, "see /" + "work/main/x", True),
        (MACHINE_PATH, 'File "/' + 'root/.cache/a.py"', True),
        (MACHINE_PATH, "the frame/" + "work/main", False),
        (MACHINE_PATH, "mount -t tmpfs /" + "workers/x", False),
        (REGISTRY, "--index-url https" + "://mirror.example/" + "simple", True),
        (REGISTRY, "https" + "://registry.example/x", True),
        (REGISTRY, "a simple registry of names", False),
    ],
)
def test_what_no_file_may_say_is_recognised(pattern, text, expected):
    assert bool(pattern.search(text)) is expected


@pytest.mark.parametrize(("what", "pattern"), [("machine path", MACHINE_PATH), ("registry", REGISTRY)])
def test_no_file_names_the_machine_it_was_made_on_or_a_registry(what, pattern):
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in project_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == [], f"{what} in {found}"


def test_project_files_are_found_and_none_is_left_by_a_tool():
    names = {path.relative_to(ROOT).as_posix() for path in project_files()}
    assert {"pyproject.toml", "gridlab/__init__.py", "tests/test_house.py", "Makefile"} <= names
    assert not [name for name in names if Path(name).suffix in {".pyc", ".nbi", ".nbc"}]
