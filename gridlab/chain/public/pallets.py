"""Pallets: what a room above the chain adds to a public chain, without the chain knowing the room.

A pallet has a part of the state, kinds of transaction, and something that happens in each block. Its part is a leaf of
the state's tree like staking or the bridge, so that genesis commits to it, every block proves it, and a follower must
be given the same pallets. The name is Substrate's, whose runtimes are put together of pallets in the same way.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/support/src/traits/hooks.rs`` (``on_initialize``), 2024.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import polars as pl

from gridlab.chain.arguments import require_bytes, require_mapping, require_sequence, require_text
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.public.rules import PublicEffect
from gridlab.chain.public.state import Part, PublicState
from gridlab.chain.public.table import EFFECTS
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError

__all__ = [
    "AskedUpgrade",
    "Pallet",
    "UpgradingPallet",
    "effects_with",
    "pallet_parts",
    "require_pallets",
    "run_pallets",
]

# Version, the height from which it shall count, and the hash of its rules.
AskedUpgrade: TypeAlias = tuple[int, int, bytes]

_MEMBERS = ("name", "effects", "part", "on_block")


@runtime_checkable
class Pallet(Protocol):
    """What `PublicChain(pallets=[…])` takes."""

    @property
    def name(self) -> str:
        """Name of the part, in genesis and in ``state.parts``; 1 to 64 bytes."""

    @property
    def effects(self) -> Mapping[str, PublicEffect]:
        """Its kinds of transaction; no kind that another pallet or the chain itself has."""

    def part(self, chain_id: str) -> Part:
        """Return the part as it is at genesis."""

    def on_block(self, state: PublicState, height: int, timestamp: int) -> None:
        """Do what every block does, before the block's transactions.

        It may change its own part and move money on ``state.ledger``. What it does must follow from its arguments
        alone, because every node does it again.

        Parameters
        ----------
        state : PublicState
            Changed in place; under the rules of this block, after what has timed out and after staking's sessions.
        height : int
            Of the block.
        timestamp : int
            Of the block, microseconds since 1970-01-01 UTC.
        """


@runtime_checkable
class UpgradingPallet(Protocol):
    """A pallet, some of whose transactions ask for other rules of the chain, as a proposal to be voted on may."""

    def upgrades_in(self, kind: str, frame: pl.DataFrame) -> Iterable[AskedUpgrade]:
        """Return the upgrades that a transaction asks for, so that a node takes none to rules that it has not.

        Parameters
        ----------
        kind : str
            One of the pallet's.
        frame : polars.DataFrame
            Of the kind's schema.
        """


def require_pallets(pallets: object, taken: Iterable[str]) -> tuple[Pallet, ...]:
    """Return the pallets if they can stand beside each other on one chain.

    Parameters
    ----------
    pallets : sequence of Pallet
    taken : iterable of str
        Names of the chain's own parts.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An element is no pallet, its name or a kind of its transactions has a wrong type.
    ChainError
        A name or a kind is taken already.
    """
    names, kinds = dict.fromkeys(taken, "the chain"), dict.fromkeys(EFFECTS, "the chain")
    given = require_sequence("pallets", pallets, object)
    found = tuple(_require_pallet(f"pallets[{place}]", pallet) for place, pallet in enumerate(given))
    for place, pallet in enumerate(found):
        _take(f"pallets[{place}]: the name", pallet.name, names, pallet.name)
        for kind in pallet.effects:
            _take(f"pallets[{place}]: the kind", kind, kinds, pallet.name)
    return found


def _require_pallet(place: str, pallet: object) -> Pallet:
    missing = [member for member in _MEMBERS if not hasattr(pallet, member)]
    if isinstance(pallet, type) or not isinstance(pallet, Pallet):
        lacking = "is a class" if isinstance(pallet, type) else f"has no {', '.join(missing)}"
        raise ArgumentTypeError(
            f"{place} is {pallet!r}, which {lacking}; allowed: an object with {', '.join(_MEMBERS)}, as "
            "gridlab.chain.public.Pallet describes"
        )
    for method in ("part", "on_block"):
        if not callable(getattr(pallet, method)):
            raise ArgumentTypeError(f"{place}: {method} is {getattr(pallet, method)!r}, allowed: a method")
    if not require_text(f"{place}: name", pallet.name, longest=64):
        raise ArgumentError(f"{place}: its name is empty, allowed: 1 to 64 bytes, such as 'governance'")
    for kind, effect in require_mapping(f"{place}: effects", pallet.effects).items():
        require_text(f"{place}: a kind", kind)
        if not isinstance(effect, PublicEffect):
            raise ArgumentTypeError(f"{place}: effects[{kind!r}] is a {type(effect).__name__}, allowed: a PublicEffect")
    return pallet


def _take(what: str, name: str, known: dict[str, str], owner: str) -> None:
    if name in known:
        held = known[name] if known[name] == "the chain" else f"pallet {known[name]!r}"
        raise ChainError(f"{what} {name!r} is taken already by {held}; choose one of your own, such as 'my_{name}'")
    known[name] = owner


def effects_with(pallets: Sequence[Pallet]) -> dict[str, PublicEffect]:
    """Return the chain's own kinds of transaction and those of the pallets, for a `RuleSet` of a chain with them."""
    found = dict(EFFECTS)
    for pallet in pallets:
        found.update(pallet.effects)
    return found


def pallet_parts(pallets: Sequence[Pallet], chain_id: str) -> dict[str, Part]:
    """Return each pallet's part at genesis, by name.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        What a pallet gives has no ``hash`` of 32 bytes or no ``fork()``.
    """
    parts: dict[str, Part] = {}
    for pallet in pallets:
        part = pallet.part(chain_id)
        if not hasattr(part, "hash") or not callable(getattr(part, "fork", None)):
            raise ArgumentTypeError(
                f"pallet {pallet.name!r}: its part is {part!r}, allowed: an object with hash (32 bytes) and fork()"
            )
        require_bytes(f"pallet {pallet.name!r}: hash of its part", part.hash, HASH_BYTES)
        parts[pallet.name] = part
    return parts


def run_pallets(pallets: Sequence[Pallet], state: PublicState, height: int, timestamp: int) -> None:
    """Let each pallet, in their order, do what it does in every block.

    Raises
    ------
    ChainError
        A pallet refused. A block cannot do without it, so the chain stops there; an `on_block` must cope instead.
    """
    for pallet in pallets:
        try:
            pallet.on_block(state, height, timestamp)
        except GridlabError as problem:
            raise ChainError(
                f"block {height}: pallet {pallet.name!r} refused, and no block can be written without it: {problem}; "
                "an on_block must leave out what it cannot do"
            ) from problem
