"""The truthful rules by name, with the options that each reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.core.books import Books
from gridlab.market.core.result import Clearing
from gridlab.market.truthful_auctions.huang import clear_huang
from gridlab.market.truthful_auctions.mcafee import clear_mcafee
from gridlab.market.truthful_auctions.muda import VARIANTS, clear_muda
from gridlab.market.truthful_auctions.sbb import PRICE_SETTERS, clear_sbb
from gridlab.market.truthful_auctions.trade_reduction import clear_trade_reduction
from gridlab.market.truthful_auctions.vcg import clear_vcg

__all__ = ["TRUTHFUL_RULES", "TruthfulRule", "clear_truthful", "truthful_options"]


@dataclass(frozen=True, slots=True)
class TruthfulRule:
    """A rule and what it reads.

    Attributes
    ----------
    clear : callable
        From `Books` and keyword options to a `Clearing`.
    shared : tuple of str
        Which of the arguments ``k`` and ``rationing`` of `gridlab.market.clearing.clear` it reads.
    options : mapping of str to (object, callable)
        Its own options: default and check.
    """

    clear: Callable[..., Clearing]
    shared: tuple[str, ...]
    options: Mapping[str, tuple[Any, Callable[[object], Any]]]


def _one_of(name: str, allowed: Sequence[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ArgumentTypeError(f"{name}: expected one of {tuple(allowed)}, got {value!r} ({type(value).__name__})")
        if value not in allowed:
            raise MarketError(f"{name} {value!r} is unknown; {nearest(value, allowed)}")
        return value

    return check


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError(f"seed: expected a whole number, got {value!r} ({type(value).__name__}); write seed=0")
    if not 0 <= int(value) < 2**63:
        raise MarketError(f"seed = {value!r} is out of range; allowed: 0 to 2**63 - 1, for instance 0")
    return int(value)


TRUTHFUL_RULES: dict[str, TruthfulRule] = {
    "mcafee": TruthfulRule(clear_mcafee, ("k", "rationing"), {}),
    "trade_reduction": TruthfulRule(clear_trade_reduction, ("rationing",), {}),
    "sbb": TruthfulRule(clear_sbb, ("rationing",), {"price_setter": ("buyer", _one_of("price_setter", PRICE_SETTERS))}),
    "huang": TruthfulRule(clear_huang, (), {}),
    "muda": TruthfulRule(
        clear_muda, ("k",), {"seed": (0, _seed), "variant": ("lottery", _one_of("variant", tuple(VARIANTS)))}
    ),
    "vcg": TruthfulRule(clear_vcg, ("rationing",), {}),
}


def truthful_options(rule: str, *, pricing: str, rationing: str, given: Mapping[str, object]) -> dict[str, Any]:
    """Return the checked options of a truthful rule; one that would not be read is an error, not a silence.

    Parameters
    ----------
    rule : str
        A key of `TRUTHFUL_RULES`.
    pricing, rationing : str
        As given to `gridlab.market.clearing.clear`.
    given : mapping of str to object
        The further options given.

    Raises
    ------
    ArgumentTypeError
        A value is of a wrong type.
    MarketError
        An option or a value is unknown, or has no effect with this rule.
    """
    known = TRUTHFUL_RULES[rule]
    if pricing != "competitive":
        raise MarketError(
            f"pricing {pricing!r} has no effect with rule {rule!r}, whose prices are part of the mechanism; "
            "leave pricing out, or use rule 'uniform'"
        )
    if rationing != "pro_rata" and "rationing" not in known.shared:
        raise MarketError(
            f"rationing {rationing!r} has no effect with rule {rule!r}, whose sharing is part of the mechanism; "
            "leave rationing out, or use rule 'trade_reduction'"
        )
    for name in given:
        if name not in known.options:
            hint = nearest(name, ("by", "floor", "cap", *known.shared, *known.options))
            raise MarketError(f"option {name!r} is not one that rule {rule!r} reads; {hint}")
    return {name: check(given.get(name, default)) for name, (default, check) in known.options.items()}


def clear_truthful(rule: str, books: Books, *, k: Fraction, rationing: str, options: Mapping[str, Any]) -> Clearing:
    """Clear by a truthful rule.

    Parameters
    ----------
    rule : str
        A key of `TRUTHFUL_RULES`.
    books : Books
    k : Fraction
    rationing : str
    options : mapping of str to object
        As `truthful_options` returns them.

    Returns
    -------
    Clearing
    """
    known = TRUTHFUL_RULES[rule]
    shared = {name: value for name, value in (("k", k), ("rationing", rationing)) if name in known.shared}
    return known.clear(books, **shared, **options)
