"""Frame schemas, each declared once, and the door at which a frame is checked.

A frame is taken whole or rejected whole. The check is vectorised: dtypes first (no data is touched), then one lazy
query that counts the rows breaking each rule; only when a count is not zero are the offending rows fetched and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from gridlab.errors import ArgumentTypeError, FrameError, nearest

__all__ = ["ACCOUNTS", "ORDERS", "READINGS", "SIDE", "SLOT", "TIME_ZONE", "Column", "Schema", "show_rows"]

TIME_ZONE = "Asia/Bangkok"
SLOT = pl.Datetime("us", TIME_ZONE)
SIDE = pl.Enum(["buy", "sell"])

_KINDS = {
    "integer": "any integer dtype",
    "datetime": "Datetime of any unit; without a time zone it is read as Bangkok time",
    "category": "String, Enum or Categorical",
    "text": "String, Enum or Categorical",
    "float": "any float or integer dtype",
    "boolean": "Boolean",
    "binary": "Binary",
    "decimal": "Decimal",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a schema.

    Attributes
    ----------
    name : str
    dtype : polars.DataType or None
        What is stored. None: an Enum made of the values found, in sorted order (bidding zones).
    kind : str
        What is accepted: one of ``integer``, ``datetime``, ``category``, ``text``, ``float``, ``boolean``, ``binary``.
    meaning : str
        One sentence, with the unit.
    required : bool
    nullable : bool
    """

    name: str
    dtype: Any
    kind: str
    meaning: str
    required: bool = True
    nullable: bool = False

    def accepts(self, dtype: pl.DataType) -> bool:
        """Whether a frame's column of `dtype` may be converted to what is stored."""
        if self.kind == "integer":
            return dtype.is_integer()
        if self.kind == "datetime":
            return isinstance(dtype, pl.Datetime)
        if self.kind in ("category", "text"):
            return isinstance(dtype, (pl.String, pl.Enum, pl.Categorical))
        if self.kind == "float":
            return dtype.is_float() or dtype.is_integer()
        if self.kind == "decimal":
            return isinstance(dtype, pl.Decimal)
        return isinstance(dtype, pl.Boolean if self.kind == "boolean" else pl.Binary)


@dataclass(frozen=True, slots=True)
class Schema:
    """A declared frame: its name and its columns."""

    name: str
    columns: tuple[Column, ...]

    def empty(self) -> pl.DataFrame:
        """Return the frame with all required columns and no rows."""
        return pl.DataFrame({c.name: pl.Series([], dtype=c.dtype or pl.Enum([])) for c in self.columns if c.required})

    def describe(self) -> pl.DataFrame:
        """Return the schema as a frame: column, dtype, accepted, required, meaning."""
        return pl.DataFrame(
            {
                "column": [c.name for c in self.columns],
                "dtype": [str(c.dtype or "Enum of the values") for c in self.columns],
                "accepted": [_KINDS[c.kind] for c in self.columns],
                "required": [c.required for c in self.columns],
                "meaning": [c.meaning for c in self.columns],
            }
        )

    def check(
        self,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        rules: Mapping[str, pl.Expr] | None = None,
        error: type[FrameError] = FrameError,
    ) -> pl.DataFrame:
        """Return `frame` with every declared column in its stored dtype, or raise with the offending rows.

        Parameters
        ----------
        frame : polars.DataFrame or polars.LazyFrame
            A LazyFrame is collected here, once.
        rules : mapping of str to polars.Expr, optional
            Sentence -> Boolean expression that is true where a row breaks the rule, over the stored dtypes.
        error : type
            The `FrameError` subclass to raise.

        Returns
        -------
        polars.DataFrame
            The same rows in the same order; columns that the schema does not know pass through untouched.

        Raises
        ------
        ArgumentTypeError
            `frame` is not a polars frame.
        FrameError
            A column is missing or of a dtype that cannot be converted, a value is null, or a rule is broken.
        """
        if isinstance(frame, pl.LazyFrame):
            frame = frame.collect()
        if not isinstance(frame, pl.DataFrame):
            raise ArgumentTypeError(
                f"{self.name}: expected a polars DataFrame or LazyFrame, got {type(frame).__name__}; "
                "polars.DataFrame(...) makes one of a dict of columns, polars.from_pandas(...) one of a pandas frame"
            )
        present = [c for c in self.columns if c.name in frame.columns]
        self._check_names(frame, error)
        self._check_nulls(frame, present, error)
        frame = frame.with_columns([self._stored(frame, c, error) for c in present])
        for sentence, broken in (rules or {}).items():
            if frame.select(broken.any()).item():
                raise error(f"{self.name}: {sentence}\n{show_rows(frame, broken)}")
        return frame

    def _check_names(self, frame: pl.DataFrame, error: type[FrameError]) -> None:
        missing = [c for c in self.columns if c.required and c.name not in frame.columns]
        if missing:
            known = {c.name for c in self.columns}
            strangers = [name for name in frame.columns if name not in known]
            hint = nearest(missing[0].name, strangers) if strangers else "the frame has no other columns"
            names = ", ".join(repr(c.name) for c in missing)
            raise error(
                f"{self.name}: column {names} is missing ({missing[0].name}: {missing[0].meaning}); "
                f"columns found: {frame.columns}; {hint}"
            )
        for column in self.columns:
            if column.name in frame.columns and not column.accepts(frame.schema[column.name]):
                raise error(
                    f"{self.name}: column {column.name!r} has dtype {frame.schema[column.name]}, "
                    f"allowed: {_KINDS[column.kind]} ({column.meaning}); first values: "
                    f"{frame[column.name].head(3).to_list()}"
                )

    def _check_nulls(self, frame: pl.DataFrame, present: Sequence[Column], error: type[FrameError]) -> None:
        for column in present:
            if not column.nullable and frame[column.name].null_count():
                raise error(
                    f"{self.name}: column {column.name!r} has {frame[column.name].null_count()} nulls, "
                    f"none are allowed; drop or fill them\n{show_rows(frame, pl.col(column.name).is_null())}"
                )

    def _stored(self, frame: pl.DataFrame, column: Column, error: type[FrameError]) -> pl.Series:
        try:
            return _convert(frame[column.name], column)
        except (pl.exceptions.PolarsError, OverflowError) as problem:
            raise error(
                f"{self.name}: column {column.name!r} holds a value that is not allowed; allowed: {_allowed(column)} "
                f"({column.meaning})\n{show_rows(frame, _misfit(column))}"
            ) from problem


def _misfit(column: Column) -> pl.Expr:
    """Return the expression that is true where a value does not fit the stored dtype."""
    value = pl.col(column.name)
    if isinstance(column.dtype, pl.Enum):
        return ~value.cast(pl.String).is_in(column.dtype.categories.to_list())
    return value.cast(column.dtype, strict=False).is_null()


def _allowed(column: Column) -> str:
    if isinstance(column.dtype, pl.Enum):
        return f"one of {column.dtype.categories.to_list()}"
    return f"what fits {column.dtype}"


def _convert(series: pl.Series, column: Column) -> pl.Series:
    if column.kind == "datetime" and isinstance(series.dtype, pl.Datetime):
        if series.dtype == column.dtype:
            return series
        series = series.dt.cast_time_unit("us")
        zone = column.dtype.time_zone
        if series.dtype.time_zone is None:  # type: ignore[attr-defined]
            return series.dt.replace_time_zone(zone)
        return series.dt.convert_time_zone(zone)
    if column.dtype is None:
        if isinstance(series.dtype, pl.Enum):
            return series
        names = series.cast(pl.String)
        return names.cast(pl.Enum(names.unique().sort()))
    return series if series.dtype == column.dtype else series.cast(column.dtype)


def show_rows(frame: pl.DataFrame, broken: pl.Expr, *, limit: int = 5) -> str:
    """Return the first offending rows as text, with their row numbers."""
    rows = frame.with_row_index("row").filter(broken)
    with pl.Config(tbl_rows=limit, tbl_cols=12, tbl_hide_dataframe_shape=True, tbl_width_chars=160):
        more = f"\n({rows.height - limit} more such rows)" if rows.height > limit else ""
        return f"{rows.head(limit)}{more}"


ORDERS = Schema(
    "orders",
    (
        Column("order_id", pl.UInt64, "integer", "unique in the frame"),
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("zone", None, "text", "bidding zone"),
        Column("account", pl.UInt32, "integer", "index into the accounts frame"),
        Column("side", SIDE, "category", "'buy' or 'sell'"),
        Column("price", pl.Int64, "integer", "limit in THB/MWh; 1 THB/kWh is 1000"),
        Column("energy", pl.Int64, "integer", "Wh, more than 0; 1 kWh is 1000"),
        Column("seq", pl.UInt64, "integer", "arrival order; order_id where absent", required=False),
    ),
)

ACCOUNTS = Schema(
    "accounts",
    (
        Column("account", pl.UInt32, "integer", "index, 0 upwards without gaps"),
        Column("name", pl.String, "text", "what people call it"),
        Column("kind", pl.String, "text", "household, condominium, school, mall, factory"),
        Column("zone", None, "text", "bidding zone"),
        Column("utility", pl.String, "text", "distribution utility: MEA or PEA"),
        Column("area", pl.UInt32, "integer", "utility area"),
        Column("substation", pl.UInt32, "integer", "substation, unique in the country"),
        Column("feeder", pl.UInt32, "integer", "medium-voltage feeder, unique in the country"),
        Column("transformer", pl.UInt32, "integer", "distribution transformer, unique in the country"),
        Column("tariff", pl.String, "text", "retail tariff, such as 1.1.2"),
        Column("voltage", pl.String, "text", "voltage band of the tariff"),
        Column("monthly_kwh", pl.Float64, "float", "usual energy bought in a month (kWh)"),
        Column("peak_kw", pl.Float64, "float", "usual highest load (kW)"),
        Column("pv_kw", pl.Float64, "float", "rooftop PV (kWp)"),
    ),
)

READINGS = Schema(
    "readings",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("account", pl.UInt32, "integer", "index into the accounts frame"),
        Column("load", pl.Int64, "integer", "energy used (Wh)"),
        Column("generation", pl.Int64, "integer", "energy generated behind the meter (Wh)"),
    ),
)
