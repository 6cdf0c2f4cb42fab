"""What a notebook loads once: the plotting library and how numbers are shown."""

from __future__ import annotations

import sys

import polars as pl

from gridlab import settings
from gridlab.doors import through

__all__ = ["notebook"]

# Tables that fit a page and a phone: two decimals, thousands apart, no dtypes, no shape.
_TABLES = {
    "float_precision": 2,
    "thousands_separator": ",",
    "tbl_rows": 12,
    "tbl_cols": 12,
    "tbl_width_chars": 110,
    "fmt_str_lengths": 80,
    "tbl_hide_dataframe_shape": True,
    "tbl_hide_column_data_types": True,
    "tbl_formatting": "UTF8_FULL_CONDENSED",
}


def notebook(language: str | None = None) -> None:
    """Make this notebook ready: load what pictures need, and show tables narrow and rounded.

    One cell of a notebook calls it, once. What is shown changes, no figure does. Outside a notebook nothing is loaded.

    Parameters
    ----------
    language : str, optional
        ``en`` or ``th``, as `gridlab.config` takes it.

    Raises
    ------
    ArgumentError
        The language is not known.
    """
    settings.config(language=language)
    for name, value in _TABLES.items():
        getattr(pl.Config, f"set_{name}")(value)
    if _in_notebook():
        # By name, as through a door (gridlab.doors): the room that draws lies above this one.
        through("extension")


def _in_notebook() -> bool:
    """Whether an IPython kernel, and not a terminal, runs this process."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
