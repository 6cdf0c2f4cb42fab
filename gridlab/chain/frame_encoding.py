"""The canonical bytes of a frame: column names, dtype tags and the raw columns, little-endian.

::

    compact(columns) compact(rows)
    per column: text(name) u8(tag) [Enum: compact(categories) and each as text] data

Numbers, slots and Booleans are their raw column; an Enum is its codes in the narrowest of 1, 2 or 4 bytes that hold
them; text and bytes are their lengths (4 bytes each) and then everything end to end. A column moves between polars
and bytes in one piece, so a thousand rows cost no more calls than one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from gridlab.chain.encoding import Reader, compact, text, u8
from gridlab.chain.moments import LATEST
from gridlab.errors import ArgumentTypeError, FrameError
from gridlab.frames import SLOT, show_rows

__all__ = ["decode_frame", "encode_frame"]

# Tags are part of every signed payload: a new dtype gets a new tag, an old tag never changes its meaning.
_FIXED: dict[int, tuple[pl.DataType, str]] = {
    1: (pl.Int64(), "<i8"),
    2: (pl.UInt64(), "<u8"),
    3: (pl.UInt32(), "<u4"),
    4: (pl.UInt8(), "|u1"),
    5: (pl.Boolean(), "|u1"),
    6: (SLOT, "<i8"),
}
_TAG = {dtype: tag for tag, (dtype, _) in _FIXED.items()}
_ENUM, _TEXT, _BINARY = 16, 17, 18
_ALLOWED = "Int64, UInt64, UInt32, UInt8, Boolean, Enum, String, Binary and Datetime[us, Asia/Bangkok]"


def encode_frame(frame: pl.DataFrame) -> bytes:
    """Write a frame as canonical bytes.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns of Int64, UInt64, UInt32, UInt8, Boolean, Enum, String, Binary or Datetime[us, Asia/Bangkok], without
        nulls. There is no float: what is signed is exact.

    Returns
    -------
    bytes

    Raises
    ------
    ArgumentTypeError
        `frame` is not a polars DataFrame.
    FrameError
        A column has another dtype or a null, or there is no column.
    """
    if not isinstance(frame, pl.DataFrame):
        raise ArgumentTypeError(f"frame is a {type(frame).__name__}, allowed: a polars DataFrame")
    if not frame.width:
        raise FrameError("a frame without columns cannot be signed or hashed; allowed: one column or more")
    parts = [compact(frame.width), compact(frame.height)]
    for series in frame:
        if series.null_count():
            raise FrameError(
                f"column {series.name!r} has {series.null_count()} nulls, none can be signed; drop or fill them\n"
                f"{show_rows(frame, pl.col(series.name).is_null())}"
            )
        parts.append(text(series.name))
        parts += _encode_column(series)
    return b"".join(parts)


def _encode_column(series: pl.Series) -> Iterator[bytes]:
    dtype = series.dtype
    if isinstance(dtype, pl.Enum):
        categories = dtype.categories.to_list()
        yield u8(_ENUM) + compact(len(categories))
        yield from map(text, categories)
        yield series.to_physical().to_numpy().astype(_code_type(len(categories))).tobytes()
    elif dtype in _TAG:
        tag = _TAG[dtype]
        if dtype == SLOT:
            _check_slots(series)
        yield u8(tag)
        yield series.to_physical().to_numpy().astype(_FIXED[tag][1], copy=False).tobytes()
    elif isinstance(dtype, (pl.String, pl.Binary)):
        values = series.cast(pl.Binary)
        yield u8(_TEXT if isinstance(dtype, pl.String) else _BINARY)
        yield values.bin.size().to_numpy().astype("<u4").tobytes()
        yield b"".join(values.to_list())
    else:
        raise FrameError(f"column {series.name!r} has dtype {dtype}, allowed: {_ALLOWED}; cast it first")


def _check_slots(series: pl.Series) -> None:
    physical = series.to_physical()
    if series.len() and not 0 <= physical.min() <= physical.max() <= LATEST:  # type: ignore[operator]
        # Shown as numbers: a moment outside the calendar cannot be printed.
        broken = ~pl.col(series.name).is_between(0, LATEST)
        raise FrameError(
            f"column {series.name!r} holds a moment before 1970 or after 9998; in microseconds since 1970, allowed: "
            f"0 … {LATEST}\n{show_rows(physical.to_frame(), broken)}"
        )


def _code_type(categories: int) -> str:
    return "|u1" if categories <= 2**8 else "<u2" if categories <= 2**16 else "<u4"


def decode_frame(data: bytes, what: str = "frame") -> pl.DataFrame:
    """Read a frame that `encode_frame` wrote; every other sequence of bytes is refused.

    Parameters
    ----------
    data : bytes
    what : str
        What is being read, for the error messages.

    Returns
    -------
    polars.DataFrame
        With ``encode_frame(decode_frame(data)) == data``.

    Raises
    ------
    ArgumentTypeError
        `data` is not ``bytes``.
    ChainError
        Bytes are missing or left over, or are not the one canonical form.
    """
    reader = Reader(data, what)
    width, rows = reader.compact(), reader.compact()
    if not width:
        raise reader.error("no columns, allowed: one column or more")
    columns: dict[str, pl.Series] = {}
    # The count comes from a stranger: each column is read before the next is believed in.
    for _ in range(width):
        name = reader.text()
        if name in columns:
            raise reader.error(f"column {name!r} stands there twice")
        columns[name] = _decode_column(reader, rows)
    reader.finish()
    return pl.DataFrame(columns)


def _decode_column(reader: Reader, rows: int) -> pl.Series:
    tag = reader.u8()
    if tag == _ENUM:
        return _decode_enum(reader, rows)
    if tag in (_TEXT, _BINARY):
        return _decode_texts(reader, rows, tag)
    if tag not in _FIXED:
        raise reader.error(f"dtype tag {tag} is not known, allowed: {[*_FIXED, _ENUM, _TEXT, _BINARY]}")
    dtype, layout = _FIXED[tag]
    values = np.frombuffer(reader.take(rows * np.dtype(layout).itemsize), layout)
    if isinstance(dtype, pl.Boolean):
        if rows and values.max() > 1:
            raise reader.error("a Boolean is neither 0 nor 1")
        return pl.Series(values.astype(np.bool_))
    if dtype == SLOT and rows and not 0 <= values.min() <= values.max() <= LATEST:
        raise reader.error(f"a moment is outside 0 … {LATEST} microseconds since 1970")
    series = pl.Series(values)
    return series if series.dtype == dtype else series.cast(dtype)


def _decode_enum(reader: Reader, rows: int) -> pl.Series:
    count = reader.compact()
    categories = [reader.text() for _ in range(count)]
    if len(set(categories)) != count:
        raise reader.error("an Enum names a category twice")
    layout = _code_type(count)
    codes = np.frombuffer(reader.take(rows * np.dtype(layout).itemsize), layout)
    if rows and codes.max() >= count:
        raise reader.error(f"an Enum of {count} categories holds the code {codes.max()}")
    return pl.Series(codes).cat.to(pl.Enum(categories))


def _decode_texts(reader: Reader, rows: int, tag: int) -> pl.Series:
    lengths = np.frombuffer(reader.take(rows * 4), "<u4").astype(np.int64)
    ends = np.cumsum(lengths)
    joined = reader.take(int(ends[-1]) if rows else 0)
    cut = pl.DataFrame({"start": ends - lengths, "length": lengths}).select(
        value=pl.lit(joined).bin.slice("start", "length")
    )["value"]
    if tag == _BINARY:
        return cut
    try:
        return cut.cast(pl.String)
    except pl.exceptions.ComputeError as problem:
        raise reader.error("text that is not UTF-8") from problem
