"""Payloads: the frame that a kind of transaction asks for, as canonical bytes."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gridlab.chain.arguments import require_text
from gridlab.chain.effects import Effect
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.errors import ChainError, nearest

__all__ = ["decode_payload", "effect_of", "encode_payload"]


def effect_of(kind: str, effects: Mapping[str, Effect]) -> Effect:
    """Return the rule of `kind`, or raise ChainError naming the kinds there are (ArgumentTypeError for no text)."""
    if require_text("kind", kind) not in effects:
        raise ChainError(f"kind {kind!r} is not known; {nearest(kind, effects)}")
    return effects[kind]


def encode_payload(effect: Effect, frame: pl.DataFrame | pl.LazyFrame) -> bytes:
    """Check `frame` against the schema of a kind and write it as canonical bytes.

    Raises
    ------
    ArgumentTypeError, FrameError
        As `Schema.check` does.
    """
    checked = effect.schema.check(frame)
    return encode_frame(checked.select(c.name for c in effect.schema.columns if c.name in checked.columns))


def decode_payload(effect: Effect, payload: bytes) -> pl.DataFrame:
    """Read a payload, which must have exactly the columns and dtypes of its schema.

    Raises
    ------
    ChainError
        The bytes are not a canonical frame, or not one of this schema.
    """
    frame = decode_frame(payload, effect.schema.name)
    columns = [column for column in effect.schema.columns if column.required or column.name in frame.columns]
    if frame.columns != [column.name for column in columns]:
        names = [column.name for column in columns]
        raise ChainError(f"{effect.schema.name}: columns {frame.columns}, allowed: {names} in this order")
    for column, dtype in zip(columns, frame.dtypes, strict=True):
        fits = isinstance(dtype, pl.Enum) if column.dtype is None else dtype == column.dtype
        if not fits:
            raise ChainError(f"{effect.schema.name}: column {column.name!r} has dtype {dtype}, allowed: {column.dtype}")
    return frame
