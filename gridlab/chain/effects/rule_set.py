"""A released set of rules: which kinds of transaction there are under a version, and what each may do.

A block names the version that executed it and is executed under that one for ever, by whoever replays, opens or audits
the chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping
from gridlab.chain.effects.effect import Effect
from gridlab.chain.encoding import blob, compact, text, u32
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["RuleSet"]

_DOMAIN = "gridlab/consortium-rules/1"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of the rules of a consortium chain.

    Parameters
    ----------
    version : int
        1 or more.
    effects : mapping of str to Effect
        By kind of transaction; without the kind ``upgrade`` no later version could ever follow.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError
        An argument does not fit.

    Examples
    --------
    >>> from gridlab.chain.effects import RULES
    >>> RuleSet(2, {kind: effect for kind, effect in RULES[1].items() if kind != "trade"})
    RuleSet(version=2)
    """

    version: int
    effects: Mapping[str, Effect] = field(repr=False)

    def __post_init__(self) -> None:
        require_int("version", self.version, 1, 2**31)
        for kind, effect in require_mapping("effects", self.effects).items():
            if not isinstance(kind, str) or not isinstance(effect, Effect):
                raise ArgumentTypeError(
                    f"effects[{kind!r}] is a {type(effect).__name__}, allowed: a kind's name and its Effect"
                )
        if "upgrade" not in self.effects:
            raise ChainError(f"rules version {self.version}: without the kind 'upgrade' it would be the last; add it")
        # What was released does not change when somebody changes the dictionary that it was made from.
        object.__setattr__(self, "effects", MappingProxyType(dict(self.effects)))

    @property
    def hash(self) -> bytes:
        """Hash over version and, by kind, roles, schema and meaning, by which approved rules are named; 32 bytes.

        It does not reach into program code: an effect that is changed must say so in its `meaning`. Two nodes whose
        code differs in spite of that part at the first block whose state root shows it.
        """
        kinds = [_described(kind, effect) for kind, effect in sorted(self.effects.items())]
        return tagged_hash(_DOMAIN, u32(self.version) + compact(len(kinds)) + b"".join(kinds))


def _described(kind: str, effect: Effect) -> bytes:
    schema = effect.schema
    words = (kind, ",".join(effect.roles), effect.meaning, schema.name)
    # An empty frame says names and dtypes in the one canonical form; of categories that a sender chooses, only so much.
    columns = {each.name: pl.String if each.dtype is None else each.dtype for each in schema.columns}
    flags = bytes(2 * each.required + (each.dtype is None) for each in schema.columns)
    return b"".join(map(text, words)) + blob(encode_frame(pl.DataFrame(schema=columns))) + blob(flags)
