"""Reading a proof that a stranger made: every field of one type, in one spelling, and no other field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from gridlab.chain.blocks import Header
from gridlab.chain.moments import LATEST
from gridlab.errors import GridlabError
from gridlab.frames import TIME_ZONE

__all__ = [
    "LARGEST_PROOF",
    "RefusedError",
    "bytes_of",
    "header_json",
    "items_of",
    "moment_text",
    "object_of",
    "parse",
    "read_header",
    "read_moment",
    "text_of",
    "whole_of",
]

LARGEST_PROOF = 2**26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = ZoneInfo(TIME_ZONE)
# Hashes and signatures have their own lengths, checked where they are used; nothing in a proof is longer than this.
_LONGEST_BYTES = LARGEST_PROOF // 2


class RefusedError(Exception):
    """Why a proof does not hold; never leaves `gridlab.compliance`."""


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError(f"it holds {name}, allowed: whole numbers, text, lists and objects")


def _refuse_fraction(digits: str) -> NoReturn:
    raise RefusedError(f"it holds the fraction {digits[:40]}, allowed: whole numbers")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RefusedError(f"the field {name[:80]!r} stands there twice")
        found[name] = value
    return found


def parse(data: bytes) -> Any:
    """Read JSON without fractions and without a field that stands there twice, or raise RefusedError."""
    if len(data) > LARGEST_PROOF:
        raise RefusedError(f"it has more than {LARGEST_PROOF} bytes, the most that a proof may have")
    try:
        return json.loads(
            data.decode(), object_pairs_hook=_once, parse_float=_refuse_fraction, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as problem:
        raise RefusedError(f"it is not JSON in UTF-8 ({problem})") from problem


def object_of(value: object, where: str, names: Sequence[str]) -> Mapping[str, Any]:
    """Return an object that has exactly the fields `names`."""
    if not isinstance(value, dict):
        raise RefusedError(f"{where} is a {type(value).__name__}, allowed: an object with {', '.join(names)}")
    for name in names:
        if name not in value:
            raise RefusedError(f"{where} has no field {name!r}")
    for name in value:
        if name not in names:
            raise RefusedError(f"{where} has a field {name[:80]!r} that no proof has, allowed: {', '.join(names)}")
    return value


def items_of(value: object, where: str, most: int) -> list[Any]:
    """Return a list of at most `most` items."""
    if not isinstance(value, list) or len(value) > most:
        raise RefusedError(f"{where} is not a list of at most {most} items")
    return value


def text_of(value: object, where: str, allowed: Sequence[str] | None = None) -> str:
    """Return a text, one of `allowed` where they are given."""
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise RefusedError(f"{where} is not a text that UTF-8 can hold")
    if allowed is not None and value not in allowed:
        raise RefusedError(f"{where} is {value[:80]!r}, allowed: {' or '.join(map(repr, allowed))}")
    return value


def whole_of(value: object, where: str, low: int, high: int) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RefusedError(f"{where} is not a whole number of {low} … {high}")
    return value


def bytes_of(value: object, where: str, size: int | None = None) -> bytes:
    """Return bytes written as ``0x`` and small hexadecimal digits, `size` of them where it is given."""
    try:
        data = bytes.fromhex(value[2:]) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or value != "0x" + data.hex() or len(data) > _LONGEST_BYTES:
        raise RefusedError(f"{where} is not written as 0x and pairs of the digits 0-9 and a-f")
    if size is not None and len(data) != size:
        raise RefusedError(f"{where} has {len(data)} bytes, allowed: {size}")
    return data


def moment_text(microseconds: int) -> str:
    """Write microseconds since 1970 as Bangkok time, ISO 8601 with offset."""
    return (_EPOCH + timedelta(microseconds=microseconds)).astimezone(_ZONE).isoformat()


def read_moment(value: object, where: str) -> int:
    """Read what `moment_text` wrote, and no other spelling of it."""
    try:
        microseconds = (datetime.fromisoformat(text_of(value, where)) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):
        microseconds = -1
    if not 0 <= microseconds <= LATEST or moment_text(microseconds) != value:
        raise RefusedError(f"{where} is not a moment in Bangkok time such as 2026-04-01T10:15:00+07:00")
    return microseconds


_HEADER = tuple(field.name for field in fields(Header) if field.init)


def header_json(header: Header) -> dict[str, Any]:
    """Write a header field by field."""
    values = ((name, getattr(header, name)) for name in _HEADER)
    return {name: "0x" + value.hex() if isinstance(value, bytes) else value for name, value in values}


def read_header(value: object, where: str) -> Header:
    """Read what `header_json` wrote."""
    content = object_of(value, where, _HEADER)
    kinds = {field.name: field.type for field in fields(Header)}
    read: dict[str, Any] = {
        name: bytes_of(content[name], f"{where}.{name}") if kinds[name] == "bytes" else content[name]
        for name in _HEADER
    }
    try:
        return Header(**read)
    except GridlabError as problem:
        raise RefusedError(f"{where}: {problem}") from problem
