"""Sets of rules by version: what each kind of transaction does and weighs, and what it costs.

A block names the version that executed it, and is replayed under that one for ever. A new version is first released
(every node must know it) and then approved by governance for a height.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import compact, text, u32
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.public.fees import FeeRules
from gridlab.chain.public.state import PublicState
from gridlab.errors import ArgumentTypeError
from gridlab.frames import Schema

__all__ = ["PublicCall", "PublicEffect", "RuleSet"]

_DOMAIN = "gridlab/public-rules/1"


@dataclass(frozen=True, slots=True)
class PublicCall:
    """One transaction on its way into the state.

    Attributes
    ----------
    account : int
        The sender's.
    frame : polars.DataFrame
    payload : bytes
        The frame's canonical bytes, without the tip.
    height, slot : int
        Of the block.
    timestamp : int
        Of the block, microseconds since 1970-01-01 UTC.
    """

    account: int
    frame: pl.DataFrame
    payload: bytes
    height: int
    slot: int
    timestamp: int


PublicAct = Callable[[PublicState, PublicCall], None]


@dataclass(frozen=True, slots=True)
class PublicEffect:
    """The rule of one kind of transaction.

    Attributes
    ----------
    schema : Schema
        The frame that the payload holds.
    roles : tuple of str
        Who may send it.
    act : callable
        ``act(state, call)`` gives the effect, or raises a GridlabError; the state is then put back.
    weight : int
        Microseconds that a transaction of this kind takes beside its rows.
    row_weight : int
        Microseconds per row of its frame.
    meaning : str
        One sentence.
    """

    schema: Schema
    roles: tuple[str, ...]
    act: PublicAct
    weight: int
    row_weight: int
    meaning: str

    def weight_of(self, rows: int) -> int:
        """Return the weight of a transaction with this many rows, microseconds."""
        return self.weight + self.row_weight * rows


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of the rules.

    Attributes
    ----------
    version : int
        1 or more.
    fees : FeeRules
    effects : mapping of str to PublicEffect
        By kind of transaction.
    """

    version: int
    fees: FeeRules
    effects: Mapping[str, PublicEffect] = field(repr=False)

    def __post_init__(self) -> None:
        require_int("version", self.version, 1, 2**31)
        if not isinstance(self.fees, FeeRules):
            raise ArgumentTypeError(f"fees is a {type(self.fees).__name__}, allowed: FeeRules(base_fee=…, …)")

    @property
    def hash(self) -> bytes:
        """Hash over prices, kinds, roles and weights, by which approved rules are named; 32 bytes."""
        kinds = [
            text(kind) + text(",".join(e.roles)) + compact(e.weight) + compact(e.row_weight) + text(e.schema.name)
            for kind, e in sorted(self.effects.items())
        ]
        return tagged_hash(_DOMAIN, u32(self.version) + self.fees.to_bytes() + compact(len(kinds)) + b"".join(kinds))
