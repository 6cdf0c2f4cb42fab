"""Registers beside accounts and ledger: how staking, locks, channels and the bridge hang on the state.

A chain has the parts that genesis names, each with its hash; a follower must be given the same ones. Every part is
one leaf of the state's tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.inclusion import ProofSpec
from gridlab.chain.bridge.proofs import StateLayout
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.chain.public.accounts import ISSUANCE, STAKING_POT, TREASURY
from gridlab.chain.public.authorities import MOST_AUTHORITIES
from gridlab.chain.public.state import Part, PublicState, part_prefix
from gridlab.chain.staking import Staking, StakingAccounts, StakingRules
from gridlab.chain.swaps import LockBook, Stops
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

__all__ = [
    "BRIDGE_PART",
    "PUBLIC_LAYOUT",
    "REGISTRY_PART",
    "REGISTRY_SPEC",
    "STAKING",
    "BridgePart",
    "ChannelPart",
    "Committed",
    "LockPart",
    "RegistryPart",
    "StakingPart",
    "part_of",
    "staking_part",
]

BRIDGE_PART = "bridge"
_LOCKS_DOMAIN = "gridlab/public-locks/1"
# Where other chains find the root of this chain's end of the bridge under its state root.
PUBLIC_LAYOUT = StateLayout(part_prefix(BRIDGE_PART), 0)
REGISTRY_PART = "registry"
STAKING = "staking"
# And where anybody finds the root of the register of certificates.
REGISTRY_SPEC = ProofSpec("the register in the state", part_prefix(REGISTRY_PART), HASH_BYTES, HASH_BYTES, 40)

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Committed:
    """A part of which only the hash is known; enough for the root of a state.

    Attributes
    ----------
    hash : bytes
        32 bytes.
    """

    hash: bytes

    def fork(self) -> Committed:
        """Return itself, since it never changes."""
        return self


@dataclass(slots=True)
class LockPart:
    """Hash time locks.

    Attributes
    ----------
    book : LockBook
        Never changed, only replaced.
    stops : Stops
        The emergency stops that the chain knows of.
    """

    book: LockBook
    stops: Stops

    @property
    def hash(self) -> bytes:
        """Hash of the book, and of the stops once the chain was told of any; 32 bytes."""
        if self.stops.is_empty:
            return self.book.hash
        return tagged_hash(_LOCKS_DOMAIN, self.book.hash + self.stops.hash)

    def fork(self) -> LockPart:
        """Return an independent copy."""
        return LockPart(self.book, self.stops)


@dataclass(slots=True)
class ChannelPart:
    """Payment and state channels; the stops that count for them are those of the locks.

    Attributes
    ----------
    book : ChannelBook
        Never changed, only replaced.
    """

    book: ChannelBook

    @property
    def hash(self) -> bytes:
        """Hash of the book."""
        return self.book.hash

    def fork(self) -> ChannelPart:
        """Return an independent copy."""
        return ChannelPart(self.book)


@dataclass(slots=True)
class StakingPart:
    """Stakes, elections and rewards.

    Attributes
    ----------
    staking : Staking
    chain_id : str
    """

    staking: Staking
    chain_id: str

    @property
    def hash(self) -> bytes:
        """What the staking commits to."""
        return self.staking.commitment

    def fork(self) -> StakingPart:
        """Return an independent copy."""
        return StakingPart(self.staking.fork(), self.chain_id)


@dataclass(slots=True)
class BridgePart:
    """The end of the bridge on this chain.

    Attributes
    ----------
    chain_id : str
    end : BridgeEnd
        Never changed, only replaced.
    """

    chain_id: str
    end: BridgeEnd

    @property
    def hash(self) -> bytes:
        """Root of the end, under which packets are proved to other chains."""
        return self.end.root

    def fork(self) -> BridgePart:
        """Return an independent copy."""
        return BridgePart(self.chain_id, self.end)


@dataclass(slots=True)
class RegistryPart:
    """The register of certificates and green credits.

    Attributes
    ----------
    registry : PublicRegistry
        Never changed, only replaced.
    """

    registry: PublicRegistry

    @property
    def hash(self) -> bytes:
        """Root of the register, under which events are proved to anybody."""
        return self.registry.hash

    def fork(self) -> RegistryPart:
        """Return an independent copy."""
        return RegistryPart(self.registry)


def staking_part(issuance: int, rules: StakingRules, chain_id: str) -> StakingPart:
    """Return a staking part that nobody has bonded in yet.

    Parameters
    ----------
    issuance : int
        All GRID at genesis, micro-GRID.
    rules : StakingRules
    chain_id : str

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    """
    if not isinstance(rules, StakingRules):
        raise ArgumentTypeError(
            f"staking is a {type(rules).__name__}, allowed: StakingRules(…), or StakingTerms(…).rules"
        )
    if rules.validators > MOST_AUTHORITIES:
        raise ArgumentError(
            f"staking elects {rules.validators} validators, allowed on this chain: 1 to {MOST_AUTHORITIES}, since they "
            "become its authorities"
        )
    accounts = StakingAccounts(issuer=ISSUANCE, pot=STAKING_POT, treasury=TREASURY)
    return StakingPart(Staking(issuance, accounts, rules=rules, chain_id=chain_id), chain_id)


def part_of(state: PublicState, name: str, kind: type[_Part]) -> _Part:
    """Return a part of a state; raises ChainError where the chain was made without it."""
    part = state.parts.get(name)
    if not isinstance(part, kind):
        raise ChainError(
            f"this chain has no {name}, it has {list(state.parts)}; PublicChain(staking=…, pallets=[…]) makes one with "
            "it"
        )
    return part


def checked_parts(parts: Mapping[str, Part], committed: Mapping[str, bytes]) -> dict[str, Part]:
    """Return copies of the parts in the order of genesis; raises ChainError where they are not those it names."""
    found = {name: part.hash for name, part in parts.items()}
    if found != dict(committed):
        raise ChainError(
            f"genesis names the parts {list(committed)} by their hashes, given are {list(found)} with others; give the "
            "parts as they were at genesis"
        )
    return {name: parts[name].fork() for name in committed}
