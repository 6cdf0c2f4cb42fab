"""What `simulate` accepts: who lies, who is down and when, which links are cut when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gridlab.chain.arguments import require_int
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft.interventions import require_groups, require_kind
from gridlab.chain.pbft.network import require_number
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.seeds import stream

__all__ = ["require_byzantine", "require_crashed", "require_crashes", "require_partitions"]

_LONGEST_MS = 86_400_000.0


def _require_items(name: str, value: object, allowed: str) -> list[object]:
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value.tolist())  # whole numbers of Python's own, which is what is asked for
    if not isinstance(value, (Sequence, range, set, frozenset)) or isinstance(value, (str, bytes)):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: {allowed}")
    return list(value)


def require_crashed(crashed: object, n: int) -> tuple[int, ...]:
    """Return the validators that are down, sorted, if each is one of 0 … n - 1 and named once.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is no sequence of int, or a number is out of bounds or stands there twice.
    """
    items = _require_items("crashed", crashed, "a list or range of validator numbers")
    numbers = [require_int(f"crashed[{place}]", item, 0, n - 1) for place, item in enumerate(items)]
    if len(set(numbers)) != len(numbers):
        raise ArgumentError(f"crashed is {numbers}, allowed: each validator once")
    return tuple(sorted(numbers))


def require_byzantine(byzantine: object, n: int, crashed: tuple[int, ...], seed: int) -> dict[int, str]:
    """Return who lies and how; a number of liars is dealt out by the seed among those that are not down.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is neither a mapping nor an int, names a validator that does not exist or is down, or an unknown kind.
    """
    if isinstance(byzantine, Mapping):
        for place, validator in enumerate(byzantine):
            require_int(f"byzantine, key {place + 1}", validator, 0, n - 1)
        liars = {who: require_kind(f"byzantine[{who}]", byzantine[who]) for who in sorted(byzantine)}
        both = [who for who in liars if who in crashed]
        if both:
            raise ArgumentError(f"validators {both} are in byzantine and in crashed, allowed: in one of them")
        return liars
    if isinstance(byzantine, bool) or not isinstance(byzantine, int):
        raise ArgumentTypeError(
            f"byzantine is a {type(byzantine).__name__}, allowed: a dict such as {{0: 'silent'}}, or how many lie"
        )
    up = [validator for validator in range(n) if validator not in crashed]
    count = require_int("byzantine", byzantine, 0, len(up))
    chance = stream(seed, "pbft", "byzantine")
    chosen = sorted(chance.permutation(len(up))[:count].tolist())
    kinds = chance.integers(len(KINDS), size=count).tolist()
    return {up[place]: list(KINDS)[kind] for place, kind in zip(chosen, kinds, strict=True)}


def require_partitions(partitions: object, n: int) -> list[tuple[float, float, list[list[int]]]]:
    """Return the partitions if each is (start_ms, end_ms, groups).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        One has another shape, ends before it starts, or has groups that do not fit.
    """
    result = []
    for place, item in enumerate(_require_items("partitions", partitions, "a list of (start_ms, end_ms, groups)")):
        name = f"partitions[{place}]"
        if not isinstance(item, Sequence) or isinstance(item, (str, bytes)) or len(item) != 3:
            raise ArgumentTypeError(f"{name} is {item!r}, allowed: (start_ms, end_ms, groups)")
        start = require_number(f"{name}: start_ms", item[0], 0.0, _LONGEST_MS)
        end = require_number(f"{name}: end_ms", item[1], start, _LONGEST_MS)
        result.append((start, end, require_groups(f"{name}: groups", item[2], n)))
    return result


def require_crashes(crashes: object, n: int) -> list[tuple[int, float, float | None]]:
    """Return the outages if each is (validator, start_ms, end_ms or None).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        One has another shape, ends before it starts, or names a validator that does not exist.
    """
    result = []
    for place, item in enumerate(_require_items("crashes", crashes, "a list of (validator, start_ms, end_ms)")):
        name = f"crashes[{place}]"
        if not isinstance(item, Sequence) or isinstance(item, (str, bytes)) or len(item) != 3:
            raise ArgumentTypeError(f"{name} is {item!r}, allowed: (validator, start_ms, end_ms or None)")
        start = require_number(f"{name}: start_ms", item[1], 0.0, _LONGEST_MS)
        end = None if item[2] is None else require_number(f"{name}: end_ms", item[2], start, _LONGEST_MS)
        result.append((require_int(f"{name}: validator", item[0], 0, n - 1), start, end))
    return result
