"""When the elected validators change: the next authority set, and what of the old validators goes on with the new.

An election at the end of an era gives the next set. The block in which it happens is certified by the old set and names
the new one, so a light client can follow. Nobody writes a block upon that block before it is final, and then the new
set takes over at once: as in GRANDPA, the change is final before the new set votes, and no fork reaches over it.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/client/consensus/grandpa/src/authorities.rs`` (standard changes), 2024.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.perbill import BILLION
from gridlab.chain.public.accounts import TREASURY
from gridlab.chain.public.authorities import LARGEST_STAKE, AuthoritySet
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.parts import STAKING, StakingPart
from gridlab.chain.public.state import PublicState
from gridlab.chain.staking import Staking

__all__ = [
    "Conduct",
    "Keyring",
    "author_account",
    "elected_set",
    "handover_words",
    "session_of",
    "successor",
    "why_not_handed_over",
]


def successor(current: AuthoritySet, validators: Sequence[tuple[bytes, int]]) -> AuthoritySet:
    """Return the set that follows, or `current` itself where nothing changes.

    Parameters
    ----------
    current : AuthoritySet
    validators : sequence of (bytes, int)
        Key and stake (micro-GRID) of each. Stakes that a set cannot count (more than 2^53 - 1 in all) are halved as
        often as needed, all alike, down to 1 at the least.
    """
    weights = [max(stake, 1) for _, stake in validators]
    while sum(weights) > LARGEST_STAKE:
        weights = [max(weight // 2, 1) for weight in weights]
    keys = tuple(key for key, _ in validators)
    if keys == current.keys and tuple(weights) == current.weights:
        return current
    return AuthoritySet(current.number + 1, keys, tuple(weights))


def why_not_handed_over(current: AuthoritySet, staking: Staking) -> str | None:
    """Say why the validators of the era that lasts now do not become the authorities, or None where they do.

    Parameters
    ----------
    current : AuthoritySet
        Those in office, which go on.
    staking : Staking
        After the election of the era that lasts now. Its rules say how many there must be (`least_validators`) and
        how much of the stake of those in office must stand behind them (`handover_share`).
    """
    rules, elected = staking.rules, staking.elected
    if len(elected) < rules.least_validators:
        return f"{len(elected)} validators are elected, at least {rules.least_validators} must be"
    stake = sum(staking.exposure(who).total for who in elected)
    least = -(-current.total * rules.handover_share // BILLION)
    if stake < least:
        return f"{stake} micro-GRID stand behind the elected, at least {least} must, in office are {current.total}"
    return None


def elected_set(current: AuthoritySet, staking: Staking) -> AuthoritySet:
    """Return the set of those elected for the era that lasts now, `current` itself where it is not handed over."""
    if why_not_handed_over(current, staking) is not None:
        return current
    keys = staking.keys
    return successor(current, [(keys[who], staking.exposure(who).total) for who in staking.elected])


def handover_words(state: PublicState) -> str:
    """Say in a sentence how those in office stand to those whom staking has elected."""
    part = state.parts.get(STAKING)
    office = f"set {state.authorities.number} is in office"
    if not isinstance(part, StakingPart) or part.staking.era < 0:
        return f"{office}; nobody is elected"
    staking = part.staking
    if staking.overdue:
        return f"{office}; era {staking.era} goes on, since fewer are elected than {staking.rules.least_validators}"
    if tuple(staking.keys.values()) == state.authorities.keys:
        return f"{office}, as elected for era {staking.era}"
    reason = why_not_handed_over(state.authorities, staking) if staking.era else "genesis serves through the first one"
    return f"{office} and not who is elected for era {staking.era}: {reason}"


def author_account(state: PublicState, seat: int) -> int:
    """Return the account that earns what the author of a seat earns in the block after a state.

    That is the account whose key it is. An elected validator may sign with a key that is no account's; the account
    that stands with it then earns, elected or waiting, and the treasury where nobody stands with it any more.
    """
    key, part = state.authorities.keys[seat], state.parts.get(STAKING)
    owner = state.accounts.account_of.get(key)
    if owner is not None or not isinstance(part, StakingPart):
        return TREASURY if owner is None else owner
    elected = next((account for account, known in part.staking.keys.items() if known == key), None)
    if elected is not None:
        return elected
    return next((account for account, known in part.staking.declared.items() if known == key), TREASURY)


def session_of(state: PublicState) -> int:
    """Return the session that a state is in, 0 on a chain without staking."""
    part = state.parts.get(STAKING)
    return part.staking.session if isinstance(part, StakingPart) else 0


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key pairs that a simulation can write and vote with.

    Attributes
    ----------
    given : mapping of bytes to KeyPair
        By public key.
    names : mapping of bytes to str
        What accounts are called; a name that gives the account's key in the sandbox stands for its pair.
    seed : int
        Of the sandbox.
    """

    given: Mapping[bytes, KeyPair]
    names: Mapping[bytes, str]
    seed: int

    def find(self, public_key: bytes) -> KeyPair | None:
        """Return the pair of a public key, None where nobody here holds it."""
        pair = self.given.get(public_key)
        if pair is None and public_key in self.names:
            derived = sandbox(self.seed, self.names[public_key])
            pair = derived if derived.public_key == public_key else None
        return pair


@dataclass(slots=True)
class Conduct:
    """Faults by key, so that they go with a validator from one set to the next.

    Attributes
    ----------
    down : dict of bytes to list of (float, float)
        From and until when, milliseconds.
    liars : dict of bytes to None
    sides : dict of (int, bytes) to int
        Number of a cut and key -> side.
    """

    down: dict[bytes, list[tuple[float, float]]] = field(default_factory=dict)
    liars: dict[bytes, None] = field(default_factory=dict)
    sides: dict[tuple[int, bytes], int] = field(default_factory=dict)

    def carried(self, faults: Faults, before: Sequence[bytes], after: Sequence[bytes], held: Sequence[bool]) -> Faults:
        """Return the faults of the set with keys `after`, having noted those of the set with keys `before`.

        Parameters
        ----------
        faults : Faults
            Of the set before.
        before, after : sequence of bytes
        held : sequence of bool
            Which of the new validators the simulation has a key of; the others count as down for good.
        """
        self._note(faults, before)
        spans = sorted(
            (start, seat, stop)
            for seat, key in enumerate(after)
            for start, stop in (self.down.get(key, []) if held[seat] else [(0.0, math.inf)])
        )
        cuts = []
        for number, (start, stop, side) in enumerate(faults.cuts):
            stands = [self.sides.get((number, key), int(side[-1])) for key in after]
            cuts.append((start, stop, np.array([*stands, side[-1]], np.int64)))
        return Faults(
            np.array([start for start, _, _ in spans], np.float64),
            np.array([stop for _, _, stop in spans], np.float64),
            np.array([seat for _, seat, _ in spans], np.int64),
            tuple(cuts),
            np.array([key in self.liars for key in after], np.bool_),
        )

    def _note(self, faults: Faults, keys: Sequence[bytes]) -> None:
        for key in keys:
            self.down[key] = []
        spans = zip(faults.down_node.tolist(), faults.down_from.tolist(), faults.down_until.tolist(), strict=True)
        for seat, start, stop in spans:
            self.down[keys[seat]].append((start, stop))
        self.liars.update((keys[seat], None) for seat in np.flatnonzero(faults.liars).tolist())
        for number, (_, _, side) in enumerate(faults.cuts):
            self.sides.update(((number, key), int(side[seat])) for seat, key in enumerate(keys))
