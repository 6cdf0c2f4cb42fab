"""What can be done to a running cluster: make validators lie, crash them, cut the network, stop it, change its set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gridlab.chain.arguments import require_int
from gridlab.chain.keys import KeyPair, require_key_pair
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft.engine import Engine, Node
from gridlab.chain.pbft.handover import handover_bytes
from gridlab.chain.pbft.motions import RESUME, STOP
from gridlab.chain.pbft.network import require_number
from gridlab.chain.pbft.quorums import MOST_VALIDATORS
from gridlab.chain.pbft.replica import Replica
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["Interventions", "require_groups", "require_kind", "require_validators"]

_LONGEST_MS = 86_400_000.0
# How often a motion is looked at while its votes are on their way.
_STEP_MS = 10.0


def require_validators(validators: object) -> list[KeyPair]:
    """Return the key pairs if there are 1 to 1,000 distinct ones.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        There are none, too many, two of one key, or something that is not a KeyPair.
    """
    if not isinstance(validators, Sequence) or isinstance(validators, (bytes, str)):
        raise ArgumentTypeError(f"validators is a {type(validators).__name__}, allowed: a list or tuple of KeyPair")
    pairs = [require_key_pair(f"validators[{place}]", pair) for place, pair in enumerate(validators)]
    if not 1 <= len(pairs) <= MOST_VALIDATORS:
        raise ArgumentError(f"validators has {len(pairs)} key pairs, allowed: 1 to {MOST_VALIDATORS:,}")
    if len({pair.public_key for pair in pairs}) != len(pairs):
        raise ArgumentError("validators holds a key twice, allowed: distinct keys; two of one key would vote twice")
    return pairs


def require_kind(name: str, kind: object) -> str:
    """Return `kind` if it names a kind of liar, or raise an error that lists them."""
    if not isinstance(kind, str):
        raise ArgumentTypeError(f"{name} is a {type(kind).__name__}, allowed: one of {', '.join(map(repr, KINDS))}")
    if kind not in KINDS:
        raise ArgumentError(f"{name} is {kind!r}; {nearest(kind, KINDS)}")
    return kind


def require_groups(name: str, groups: object, n: int) -> list[list[int]]:
    """Return groups of validator numbers if each number is in 0 … n - 1 and stands in one group at most.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is no sequence of sequences of int, or a number is out of bounds or stands there twice.
    """
    if not isinstance(groups, Iterable) or isinstance(groups, (str, bytes)):
        raise ArgumentTypeError(f"{name} is a {type(groups).__name__}, allowed: groups such as [[0, 1, 2], [3, 4]]")
    result: list[list[int]] = []
    for place, group in enumerate(groups):
        if not isinstance(group, Iterable) or isinstance(group, (str, bytes)):
            raise ArgumentTypeError(f"{name}[{place}] is a {type(group).__name__}, allowed: a list of numbers")
        result.append([require_int(f"{name}[{place}]", member, 0, n - 1) for member in group])
    everyone = [member for group in result for member in group]
    if len(set(everyone)) != len(everyone):
        raise ArgumentError(f"{name} names a validator twice, allowed: each in one group at most")
    return result


class Interventions:
    """The part of `Cluster` that disturbs it."""

    _engine: Engine
    _numbers: dict[bytes, int]

    # Faults ------------------------------------------------------------------------------------------------------

    def _node(self, validator: object) -> Node:
        validators = self._engine.validators
        return validators[require_int("validator", validator, 0, len(validators) - 1)]

    def corrupt(self, validator: int, kind: str | None) -> None:
        """Make a validator lie from now on, or follow the protocol again.

        Parameters
        ----------
        validator : int
            Its number.
        kind : str or None
            "equivocate", "silent", "delay", "forge", "stale_view", "collude", "twins"; None: honest.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The validator or the kind does not exist.
        """
        node = self._node(validator)
        self._engine.corrupt(node.validator, None if kind is None else require_kind("kind", kind))

    def crash(self, validator: int) -> None:
        """Take a validator down; it loses what it did not write down. One that is down stays down."""
        self._engine.crash(self._node(validator))

    def restart(self, validator: int) -> None:
        """Bring a validator up again from what it wrote down. One that is up stays up."""
        node = self._node(validator)
        if node.replica is None:
            self._engine.restart(node)

    def partition(self, groups: Iterable[Iterable[int]], *, until_ms: float | None = None) -> None:
        """Cut every link between validators of different groups; those that stand in none form a group together.

        Parameters
        ----------
        groups : iterable of iterable of int
        until_ms : float, optional
            Virtual time at which the links are mended; without it they stay cut until `heal`.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `groups` does not fit, or `until_ms` is in the past.
        """
        network = self._engine.network
        checked = require_groups("groups", groups, len(self._engine.validators))
        if until_ms is not None:
            until = require_number("until_ms", until_ms, network.clock, network.clock + _LONGEST_MS)
            network.at(until, -1, network.heal)
        network.partition(checked)

    def heal(self) -> None:
        """Mend all links."""
        self._engine.network.heal()

    # Motions -----------------------------------------------------------------------------------------------------

    def stop(self, *, limit_ms: float = 60_000.0) -> bool:
        """Have every honest validator vote for an emergency stop; say whether a quorum stands stopped in the end.

        Parameters
        ----------
        limit_ms : float
            Virtual time that the votes have.
        """
        return self._move(STOP, limit_ms)

    def resume(self, *, limit_ms: float = 60_000.0) -> bool:
        """Have every honest validator vote for going on; say whether a quorum goes on in the end."""
        return self._move(RESUME, limit_ms)

    def _move(self, action: bytes, limit_ms: float) -> bool:
        limit = require_number("limit_ms", limit_ms, 0.0, _LONGEST_MS)
        engine = self._engine
        nodes = [node for node in engine.honest() if node.replica is not None]
        epoch = 1 + max((max(node.durable.epoch, node.durable.voted_epoch) for node in nodes), default=0)
        if action not in (STOP, RESUME):
            action = handover_bytes(epoch, int.from_bytes(action[:8], "little"), _keys(action[8:]))
        for node in nodes:
            replica = node.replica
            if replica is not None and replica.number in replica.is_member:
                replica.vote(epoch, action)
                engine.carry_out(node)
        end = engine.network.clock + limit
        while not self._carried(epoch) and engine.network.clock < end:
            engine.run(min(engine.network.clock + _STEP_MS, end), lambda: False)
        return self._carried(epoch)

    def _carried(self, epoch: int) -> bool:
        return sum(node.durable.epoch >= epoch for node in self._engine.honest()) >= self._needed()

    def _stopped_count(self) -> int:
        return sum(node.durable.stopped for node in self._engine.honest())

    def change_members(self, validators: Sequence[KeyPair], at_height: int, *, limit_ms: float = 60_000.0) -> bool:
        """Have the honest validators vote for another set, which the next block writes down and hands over to.

        The new set takes over after the first checkpoint at or above `at_height` and above the block that holds the
        change; the quorum is that of its own number. New validators start at once and fetch the chain.

        Parameters
        ----------
        validators : sequence of KeyPair
            The whole new set, in the order in which they become primary.
        at_height : int

        Returns
        -------
        bool
            Whether a quorum has carried the change.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit.
        """
        pairs = require_validators(validators)
        asked = require_int("at_height", at_height, 0, 2**62)
        for pair in pairs:
            if pair.public_key not in self._numbers:
                self._add(pair)
        return self._move(asked.to_bytes(8, "little") + b"".join(pair.public_key for pair in pairs), limit_ms)

    def _add(self, pair: KeyPair) -> None:
        engine = self._engine
        number = len(engine.validators)
        self._numbers[pair.public_key] = number
        engine.settings.signer.learn(number, pair.public_key)
        engine.restart(engine.add_validator(pair))

    # The chain as the foremost replica knows it ------------------------------------------------------------------

    def _foremost(self) -> Replica:
        """Return the replica that knows most of the chain, honest ones first."""
        engine = self._engine
        node = max(engine.validators, key=lambda node: (node.behaviour is None, len(node.durable.blocks)))
        return node.replica or engine.asleep(node)

    def _needed_at(self, height: int) -> int:
        return self._foremost().needed_at(height)

    def _needed(self) -> int:
        foremost = self._foremost()
        return foremost.needed_at(foremost.height + 1)


def _keys(joined: bytes) -> list[bytes]:
    return [joined[start : start + 32] for start in range(0, len(joined), 32)]
