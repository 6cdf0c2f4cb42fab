"""One table of the datasets: its columns, its rows, its card, and how the three are written as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sources import resolve

__all__ = ["AS_OF", "CONFIDENCE", "NOTE", "SOURCE", "Field", "Table"]

# The newest of the sources is of June 2026.
AS_OF = "2026-06-30"
LICENCE = "CC-BY-4.0"
MARKS = {
    "V": "verified in a primary, news or law-firm source",
    "V2": "verified only in a secondary source; check again before calling it official",
    "D": "derived by arithmetic or by rule from sourced data",
    "G": "general knowledge, not verified",
    "S": "synthetic, made for teaching; not a published number",
}
DTYPES: dict[str, pl.DataType] = {
    "String": pl.String(),
    "Int64": pl.Int64(),
    "Float64": pl.Float64(),
    "Decimal(4)": pl.Decimal(18, 4),
    "Boolean": pl.Boolean(),
    "Date": pl.Date(),
    # Written as text without an offset; the card says that it is Bangkok time, and the reader attaches the zone.
    "Datetime": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, one of the dtypes above, its unit ("" for none) and what it means."""

    name: str
    dtype: str
    unit: str
    meaning: str


SOURCE = Field("source", "String", "", "keys of the sources, as resolved in the card")
CONFIDENCE = Field("confidence", "String", "", "V, V2, D, G or S, as explained in the card")
NOTE = Field("note", "String", "", "what a reader must know beside the number")


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its card.

    Attributes
    ----------
    rows : sequence of tuple
        In the order of `fields`; decimals as text, so that no digit passes through a float.
    frame : polars.DataFrame, optional
        In place of `rows` where the table is computed.
    """

    name: str
    title: str
    title_th: str
    description: str
    fields: tuple[Field, ...]
    rows: Sequence[tuple[Any, ...]] = ()
    frame: pl.DataFrame | None = None
    synthetic: bool = False
    form: str = "csv"
    as_of: str = AS_OF

    def data(self) -> pl.DataFrame:
        """Return the rows, typed; decimals and dates are read from their text."""
        if self.frame is not None:
            return self.frame
        texts = pl.DataFrame(
            [tuple(None if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell) for cell in row)
             for row in self.rows],
            schema={field.name: pl.String for field in self.fields},
            orient="row",
        )
        return texts.with_columns(self._typed(field) for field in self.fields)

    @staticmethod
    def _typed(field: Field) -> pl.Expr:
        column = pl.col(field.name)
        if field.dtype == "Boolean":
            return column == "true"
        if field.dtype == "Date":
            return column.str.to_date("%Y-%m-%d")
        return column.cast(DTYPES[field.dtype])

    @property
    def file(self) -> str:
        """Name of the data file."""
        return f"{self.name}.{self.form}"

    def card(self) -> str:
        """Return the card as TOML text."""
        data = self.data()
        marks = self._marks(data)
        head = {
            "name": self.name,
            "title": self.title,
            "title_th": self.title_th,
            "description": self.description,
            "file": self.file,
            "rows": data.height,
            "as_of": self.as_of,
            "licence": LICENCE,
            "confidence": ", ".join(marks),
            "synthetic": self.synthetic,
        }
        lines = [f"{key} = {_toml(value)}" for key, value in head.items()]
        lines += ["", "[marks]"] + [f"{mark} = {_toml(MARKS[mark])}" for mark in marks]
        lines += ["", "[sources]"] + [f"{_toml(key)} = {_toml(name)}" for key, name in self._sources(data).items()]
        for field in self.fields:
            lines += ["", "[[columns]]"]
            lines += [f"{key} = {_toml(getattr(field, key))}" for key in ("name", "dtype", "unit", "meaning")]
        return "\n".join(lines) + "\n"

    def _marks(self, data: pl.DataFrame) -> list[str]:
        if self.synthetic:
            return ["S"]
        found = set(data["confidence"].unique())
        if not found <= set(MARKS):
            raise ValueError(f"{self.name}: confidence marks {found - set(MARKS)} are not among {list(MARKS)}")
        return [mark for mark in MARKS if mark in found]

    def _sources(self, data: pl.DataFrame) -> dict[str, str]:
        if "source" not in data.columns:
            return resolve("gridlab")
        found: dict[str, str] = {}
        for cell in data["source"].unique().sort():
            found |= resolve(cell)
        return dict(sorted(found.items()))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    # A TOML basic string has the escapes of a JSON string.
    return json.dumps(value, ensure_ascii=False)
