"""The door of every call: wrong types raise one error with one wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["require_bytes", "require_int", "require_mapping", "require_sequence", "require_text"]

_Item = TypeVar("_Item")


def require_bytes(name: str, value: object, length: int | None = None) -> bytes:
    """Return `value` if it is ``bytes`` (of `length`, where one is given).

    Raises
    ------
    ArgumentTypeError
        `value` is not ``bytes``.
    ArgumentError
        `value` has another length.
    """
    if not isinstance(value, bytes):
        raise ArgumentTypeError(
            f"{name} is a {type(value).__name__}, allowed: bytes; bytes.fromhex(...) reads hexadecimal text"
        )
    if length is not None and len(value) != length:
        raise ArgumentError(f"{name} has {len(value)} bytes, allowed: exactly {length}")
    return value


def require_int(name: str, value: object, low: int | None = None, high: int | None = None) -> int:
    """Return `value` if it is an ``int`` (not a ``bool``) within ``low <= value <= high``.

    Raises
    ------
    ArgumentTypeError
        `value` is not an ``int``.
    ArgumentError
        `value` is outside the bounds.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name} is {value!r} ({type(value).__name__}), allowed: a whole number (int)")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
        raise ArgumentError(f"{name} is {value}, allowed: {' and '.join(bounds)}")
    return value


def require_text(name: str, value: object, *, longest: int | None = None) -> str:
    """Return `value` if it is a ``str`` that UTF-8 can hold, of at most `longest` bytes there.

    Raises
    ------
    ArgumentTypeError
        `value` is not a ``str``.
    ArgumentError
        `value` holds half a surrogate pair, or is too long.
    """
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: str")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as problem:
        raise ArgumentError(f"{name} is {value!r}, allowed: text that UTF-8 can hold ({problem.reason})") from problem
    if longest is not None and size > longest:
        raise ArgumentError(f"{name} has {size} bytes in UTF-8, allowed: at most {longest}")
    return value


def require_sequence(name: str, value: object, item: type[_Item]) -> Sequence[_Item]:
    """Return `value` if it is a sequence whose every element is an `item`.

    Raises
    ------
    ArgumentTypeError
        `value` is not a sequence, is itself ``bytes`` or ``str``, or holds an element of another type.
    """
    if not isinstance(value, Sequence) or isinstance(value, (bytes, bytearray, str)):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: a list or tuple of {item.__name__}")
    for place, element in enumerate(value):
        if not isinstance(element, item):
            raise ArgumentTypeError(f"{name}[{place}] is a {type(element).__name__}, allowed: {item.__name__}")
    return value


def require_mapping(name: str, value: object) -> Mapping[Any, Any]:
    """Return `value` if it is a mapping, or raise ArgumentTypeError."""
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: a dict")
    return value
