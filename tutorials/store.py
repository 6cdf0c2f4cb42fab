"""Run notebooks from top to bottom as the tests do, and store their outputs.

    python tutorials/store.py tutorials/01-a-thai-day.ipynb notebooks/00-quickstart.ipynb

The stored file is for readers without a kernel: Bokeh's own library (3 MB, which `gl.notebook()` takes from this
computer) is replaced by its address, and a widget, which is nothing without a kernel, leaves no output.
"""  # noqa: INP001 - a folder of lessons is no package

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

LOADS = {"application/javascript", "application/vnd.holoviews_load.v0+json"}
WIDGET = "application/vnd.jupyter.widget-view+json"
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "Asia/Bangkok"}  # as conftest.py
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LONGEST_CELL = 60  # seconds


def run(notebook: nbformat.NotebookNode, place: Path) -> None:
    """Run all cells in a fresh kernel that stands in the folder `place`."""
    resources = {"metadata": {"path": str(place)}}
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=LONGEST_CELL, resources=resources, store_widget_state=False
    )
    client.execute()


def loader() -> list[Any]:
    """Return the outputs that load Bokeh by its address."""
    cell = nbformat.v4.new_code_cell("import holoviews as hv\nhv.extension('bokeh', logo=False, inline=False)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    run(notebook, Path.cwd())
    return [output for output in notebook.cells[0].outputs if LOADS & output.get("data", {}).keys()]


def stored(outputs: list[Any]) -> list[Any]:
    """Return what is kept of a cell's outputs."""
    kept, loads = [], False
    for output in outputs:
        kinds = output.get("data", {}).keys()
        loads = loads or bool(LOADS & kinds)
        if WIDGET not in kinds and not LOADS & kinds:
            kept.append(output)
    return [*loader(), *kept] if loads else kept


def store(path: Path) -> None:
    """Run the notebook at `path` and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    run(notebook, path.parent)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = stored(cell.outputs)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main() -> None:
    """Store the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description="Run notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    os.environ.update(ENVIRONMENT)
    for path in parser.parse_args().notebooks:
        store(path)
        print(f"{path}: {path.stat().st_size / 1000:,.0f} kB")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
