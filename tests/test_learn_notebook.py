"""`gl.notebook()` in a kernel: quiet, and its pictures ask for nothing over the network."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

CELLS = (
    "import gridlab as gl\ngl.notebook()",
    "import holoviews as hv\nhv.Curve([1, 2, 3]) + hv.Bars([('a', 1), ('b', 2)])",
    "import polars as pl\npl.DataFrame({'a': [1234.567]})",
)
FETCHED = re.compile(r"""(?:src|href|url)\\?["']?\s*[:=]\s*\\?["']https?://""")


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells]


def written(cell: list[Any]) -> str:
    return "".join(str(value) for output in cell for value in output.get("data", {}).values())


def test_set_up_prints_nothing(outputs):
    shown = [output for output in outputs[0] if output.output_type == "stream"]
    assert shown == []
    assert not any("text/plain" in output.get("data", {}) for output in outputs[0])


def test_bokeh_comes_from_this_computer(outputs):
    assert "cdn.bokeh.org" not in written(outputs[0])
    assert len(written(outputs[0])) > 1_000_000


def test_picture_fetches_nothing(outputs):
    page = written(outputs[1])
    assert "bokeh" in page.casefold()
    assert FETCHED.search(page) is None
    assert ".css" not in page


def test_table_is_rounded_with_thousands_apart(outputs):
    assert "1,234.57" in outputs[2][0].data["text/html"]
