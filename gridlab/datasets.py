"""The tables that come with gridlab, each with the card that says where its numbers come from.

A table is read as its card declares it: money rates as Decimal, times in Bangkok time. The cards mark each number as
verified, derived, unverified or synthetic; the file name of a synthetic table says so too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.errors import ArgumentTypeError, DatasetError, nearest
from gridlab.frames import SLOT, TIME_ZONE

__all__ = ["Card", "CardColumn", "card", "dataset", "datasets"]

_ANEW = "install gridlab again, or run python datasets/build.py in a source checkout, which writes it anew"
_DTYPES: dict[str, Any] = {
    "String": pl.String,
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Decimal(4)": pl.Decimal(18, 4),
    "Boolean": pl.Boolean,
    "Date": pl.Date,
    "Datetime": SLOT,
}


@dataclass(frozen=True, slots=True)
class CardColumn:
    """One column of a table, as its card declares it.

    Attributes
    ----------
    name : str
    dtype : str
        ``String``, ``Int64``, ``Float64``, ``Decimal(4)``, ``Boolean``, ``Date`` or ``Datetime`` (Bangkok time).
    unit : str
        Empty where the column has none.
    meaning : str
    """

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is known about a table.

    Attributes
    ----------
    name, title, title_th, description : str
    file : str
        Name of the data file beside the card.
    rows : int
    as_of : str
        Date up to which the sources were read, YYYY-MM-DD.
    licence : str
        Licence of the compilation.
    confidence : str
        Marks found in the table, separated by commas.
    synthetic : bool
        True where the numbers were made for teaching.
    marks : mapping of str to str
        What each confidence mark means.
    sources : mapping of str to str
        Key used in the table's `source` column -> full name.
    columns : tuple of CardColumn
    """

    name: str
    title: str
    title_th: str
    description: str
    file: str
    rows: int
    as_of: str
    licence: str
    confidence: str
    synthetic: bool
    marks: Mapping[str, str]
    sources: Mapping[str, str]
    columns: tuple[CardColumn, ...]


def datasets() -> pl.DataFrame:
    """Return the catalogue of all tables.

    Returns
    -------
    polars.DataFrame
        name, title, title_th, rows (Int64), synthetic (Boolean), source, as_of (Date), licence, confidence, file;
        one row per table, sorted by name.

    Raises
    ------
    DatasetError
        The folder of the tables is missing, or a card is damaged.
    """
    cards = [card(name) for name in _names()]
    return pl.DataFrame(
        {
            "name": [c.name for c in cards],
            "title": [c.title for c in cards],
            "title_th": [c.title_th for c in cards],
            "rows": [c.rows for c in cards],
            "synthetic": [c.synthetic for c in cards],
            "source": ["; ".join(c.sources.values()) for c in cards],
            "as_of": [c.as_of for c in cards],
            "licence": [c.licence for c in cards],
            "confidence": [c.confidence for c in cards],
            "file": [c.file for c in cards],
        }
    ).with_columns(pl.col("as_of").str.to_date("%Y-%m-%d"))


def dataset(name: str) -> pl.DataFrame:
    """Return one table, typed as its card says.

    Parameters
    ----------
    name : str
        As in the column `name` of `datasets`.

    Raises
    ------
    ArgumentTypeError
        `name` is not text.
    DatasetError
        There is no such table, or its file does not fit its card.
    """
    return _read(card(name).name).clone()


def card(name: str) -> Card:
    """Return the card of one table.

    Raises
    ------
    ArgumentTypeError
        `name` is not text.
    DatasetError
        There is no such table, or its card is damaged.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name of a dataset: expected text, got {name!r} of type {type(name).__name__}")
    if name not in _names():
        raise DatasetError(f"there is no dataset {name!r}; {nearest(name, _names())}; datasets() lists them all")
    return _read_card(name)


@cache
def _folder() -> Path:
    # In a wheel the tables lie inside the package, in a source checkout beside it. A foreign package that is called
    # `datasets` may lie beside an installed gridlab, so the folder must hold one of our cards.
    here = Path(__file__).resolve().parent
    for folder in (here / "_datasets", here.parent / "datasets"):
        if (folder / "tariffs.toml").is_file():
            return folder
    raise DatasetError(
        f"the tables of gridlab are missing: neither {here / '_datasets'} nor {here.parent / 'datasets'} holds them; "
        "install gridlab again, or run python datasets/build.py in a source checkout"
    )


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


@cache
def _read_card(name: str) -> Card:
    path = _folder() / f"{name}.toml"
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        columns = tuple(CardColumn(**column) for column in fields.pop("columns"))
        unknown = [column.dtype for column in columns if column.dtype not in _DTYPES]
        if unknown:
            raise DatasetError(f"the card {path} is damaged: there is no dtype {unknown[0]!r}; {_ANEW}")
        # Cards are shared between callers, so nobody may write into them.
        marks, sources = (MappingProxyType(fields.pop(key)) for key in ("marks", "sources"))
        return Card(**fields, marks=marks, sources=sources, columns=columns)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        raise DatasetError(f"the card {path} is damaged: {problem}; {_ANEW}") from problem


@cache
def _read(name: str) -> pl.DataFrame:
    about = _read_card(name)
    path = _folder() / about.file
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, about)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise DatasetError(f"the file {path} is damaged: {problem}; {_ANEW}") from problem
    expected = {column.name: _DTYPES[column.dtype] for column in about.columns}
    if dict(frame.schema) != expected or frame.height != about.rows:
        raise DatasetError(
            f"the file {path} does not fit its card: {frame.height} rows of {dict(frame.schema)}, the card says "
            f"{about.rows} rows of {expected}; {_ANEW}"
        )
    return frame


def _read_csv(path: Path, about: Card) -> pl.DataFrame:
    times = [column.name for column in about.columns if column.dtype == "Datetime"]
    schema = {c.name: pl.String if c.name in times else _DTYPES[c.dtype] for c in about.columns}
    return pl.read_csv(path, schema=schema).with_columns(
        pl.col(times).str.to_datetime("%Y-%m-%d %H:%M", time_unit="us").dt.replace_time_zone(TIME_ZONE)
    )
