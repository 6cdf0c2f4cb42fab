"""A hash over all that decides what staking will do, so that two nodes can tell whether they agree.

Values are written with a tag, containers with their length and in their order, since the order of candidates and voters
decides equal scores in an election.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from gridlab.chain.encoding import blob, compact, text
from gridlab.chain.hashing import tagged_hash

__all__ = ["commitment", "exposures_root"]

_EXPOSURES_DOMAIN = "gridlab/staking-exposures/1"
_STATE_DOMAIN = "gridlab/staking-state/1"
# In their place stands the root of the era's record, which never changes once it is elected.
_LARGE = ("exposures", "validators")


def commitment(state: object) -> bytes:
    """Return the hash over a staking state, 32 bytes."""
    return tagged_hash(_STATE_DOMAIN, _encode(state))


def exposures_root(exposures: Mapping[int, Any], validators: Mapping[int, Any]) -> bytes:
    """Return the hash over what was elected for an era, 32 bytes."""
    return tagged_hash(_EXPOSURES_DOMAIN, _encode(exposures) + _encode(validators))


# Accounts, eras and stakes stand there again and again.
@functools.lru_cache(maxsize=1 << 16)
def _integer(value: int) -> bytes:
    return b"i" + compact(2 * value if value >= 0 else -2 * value - 1)


def _encode(value: Any) -> bytes:
    if isinstance(value, int):
        return _integer(value)
    if value is None:
        return b"n"
    if isinstance(value, bytes):
        return b"b" + blob(value)
    if isinstance(value, str):
        return b"s" + text(value)
    if is_dataclass(value):
        skipped = _LARGE if hasattr(value, "root") else ()
        parts = [_encode(getattr(value, each.name)) for each in fields(value) if each.name not in skipped]
        return b"d" + compact(len(parts)) + b"".join(parts)
    tag = b"m" if isinstance(value, Mapping) else b"l"
    items = [_encode(each) for each in (value.items() if isinstance(value, Mapping) else value)]
    return tag + compact(len(items)) + b"".join(items)
