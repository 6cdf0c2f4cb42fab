"""The walk compiled by numba.

Only loaded for large batches, and only where the optional extra ``gridlab[fast]`` is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba

from gridlab.chain.ledger import walk as source

__all__ = ["rewind", "walk"]

# Each before those that call it.
_FUNCTIONS = ("_sense", "_shift", "_backed", "_fits", "_resolve", "_note", "rewind", "_break", "_known", "walk")


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile `function`, keeping the machine code on disk where some directory can be written to."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no directory for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


def _compile_all() -> dict[str, Any]:
    # The functions call each other by name. Compiled ones look for those names here, where they find compiled ones;
    # in their own module they stay plain Python.
    names = dict(vars(source))
    for name in _FUNCTIONS:
        plain = getattr(source, name)
        copy = FunctionType(plain.__code__, names, name, plain.__defaults__, plain.__closure__)
        copy.__module__, copy.__qualname__ = plain.__module__, plain.__qualname__
        names[name] = _compiled(copy)
    return names


_COMPILED = _compile_all()
walk, rewind = _COMPILED["walk"], _COMPILED["rewind"]
