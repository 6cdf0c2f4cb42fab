"""What a proposal does once it is enacted: move levers, spend from the treasury, switch the rules, stop or resume.

An action decides the track on which it is voted, as an origin does in pallet-referenda.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from gridlab.chain.arguments import require_bytes, require_int, require_sequence, require_text
from gridlab.chain.encoding import Reader, compact, text, u8, u32, u64
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import ArgumentTypeError, GovernanceError

__all__ = [
    "SCOPES",
    "TRACKS",
    "Action",
    "Emergency",
    "ProtocolUpgrade",
    "SetLevers",
    "Spend",
    "action_from_bytes",
    "action_to_bytes",
    "require_action",
]

TRACKS = ("parameter", "treasury", "upgrade", "emergency")
SCOPES = ("market", "chain", "asset", "zone")
_MOST_ROWS = 64
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class SetLevers:
    """Move levers, all or none.

    Attributes
    ----------
    levers : tuple of (str, str)
        Path and value as text, sorted by path; `LeverTable.action` writes them from values.
    """

    levers: tuple[tuple[str, str], ...]
    track: ClassVar[str] = "parameter"
    tag: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_sequence("levers", self.levers, tuple)
        if not 0 < len(self.levers) <= _MOST_ROWS:
            raise GovernanceError(f"levers: {len(self.levers)} of them, allowed: 1 to {_MOST_ROWS} in one proposal")
        for place, lever in enumerate(self.levers):
            if len(lever) != 2:
                raise GovernanceError(f"levers[{place}] is {lever!r}, allowed: (path, value as text)")
            path, value = lever
            require_text("path", path, longest=_LONGEST)
            require_text(f"levers[{path!r}]", value, longest=_LONGEST)
        paths = [path for path, _ in self.levers]
        if paths != sorted(set(paths)):
            raise GovernanceError(f"levers: {paths} is not sorted, or a path stands there twice; name each path once")

    @property
    def body(self) -> bytes:
        """Canonical bytes without the tag."""
        return compact(len(self.levers)) + b"".join(text(path) + text(value) for path, value in self.levers)

    @classmethod
    def read(cls, reader: Reader) -> SetLevers:
        """Read what `body` wrote."""
        return cls(tuple((reader.text(), reader.text()) for _ in range(_count(reader))))

    def __str__(self) -> str:
        return "set " + ", ".join(f"{path} = {value}" for path, value in self.levers)


@dataclass(frozen=True, slots=True)
class Spend:
    """Pay from the treasury, all payments or none.

    Attributes
    ----------
    payments : tuple of (int, int)
        Account, and micro-GRID.
    """

    payments: tuple[tuple[int, int], ...]
    track: ClassVar[str] = "treasury"
    tag: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_sequence("payments", self.payments, tuple)
        if not 0 < len(self.payments) <= _MOST_ROWS:
            raise GovernanceError(f"payments: {len(self.payments)} of them, allowed: 1 to {_MOST_ROWS} in one proposal")
        for place, payment in enumerate(self.payments):
            if len(payment) != 2:
                raise GovernanceError(f"payments[{place}] is {payment!r}, allowed: (account, micro-GRID)")
            require_int(f"payments[{place}]: account", payment[0], 0, 2**32 - 1)
            require_int(f"payments[{place}]: amount", payment[1], 1, LARGEST)

    @classmethod
    def to(cls, account: int, amount: int) -> Spend:
        """Return one payment (micro-GRID)."""
        return cls(((account, amount),))

    @property
    def body(self) -> bytes:
        """Canonical bytes without the tag."""
        return compact(len(self.payments)) + b"".join(u32(account) + u64(amount) for account, amount in self.payments)

    @classmethod
    def read(cls, reader: Reader) -> Spend:
        """Read what `body` wrote."""
        return cls(tuple((reader.u32(), reader.u64()) for _ in range(_count(reader))))

    def __str__(self) -> str:
        return "spend " + ", ".join(f"{amount} micro-GRID to account {account}" for account, amount in self.payments)


@dataclass(frozen=True, slots=True)
class ProtocolUpgrade:
    """Switch to a released set of rules.

    Attributes
    ----------
    version : int
    height : int
        The first block under it; one that is past when the proposal is enacted makes it fail.
    rules : bytes
        Hash of the set, 32 bytes.
    """

    version: int
    height: int
    rules: bytes
    track: ClassVar[str] = "upgrade"
    tag: ClassVar[int] = 2

    def __post_init__(self) -> None:
        require_int("version", self.version, 1, 2**31)
        require_int("height", self.height, 1, 2**63 - 1)
        require_bytes("rules", self.rules, HASH_BYTES)

    @property
    def body(self) -> bytes:
        """Canonical bytes without the tag."""
        return u32(self.version) + u64(self.height) + self.rules

    @classmethod
    def read(cls, reader: Reader) -> ProtocolUpgrade:
        """Read what `body` wrote."""
        return cls(reader.u32(), reader.u64(), reader.take(HASH_BYTES))

    def __str__(self) -> str:
        return f"upgrade to version {self.version} of the rules from block {self.height}"


@dataclass(frozen=True, slots=True)
class Emergency:
    """Stop something, or let it go on.

    Attributes
    ----------
    stop : bool
        False to resume.
    scope : str
        One of `SCOPES`, and after a colon which one: ``"market"``, ``"zone:BKK"``, ``"asset:WATT"``.
    """

    stop: bool
    scope: str
    track: ClassVar[str] = "emergency"
    tag: ClassVar[int] = 3

    def __post_init__(self) -> None:
        if not isinstance(self.stop, bool):
            raise ArgumentTypeError(f"stop is a {type(self.stop).__name__}, allowed: True or False")
        kind, colon, which = require_text("scope", self.scope, longest=_LONGEST).partition(":")
        if kind not in SCOPES or (colon and not which):
            raise GovernanceError(
                f"scope is {self.scope!r}, allowed: one of {list(SCOPES)}, and which one after a colon: 'zone:BKK'"
            )

    @property
    def body(self) -> bytes:
        """Canonical bytes without the tag."""
        return u8(int(self.stop)) + text(self.scope)

    @classmethod
    def read(cls, reader: Reader) -> Emergency:
        """Read what `body` wrote."""
        flag = reader.take(1)[0]
        if flag > 1:
            raise GovernanceError(f"an emergency action begins with {flag}, allowed: 1 to stop, 0 to resume")
        return cls(bool(flag), reader.text())

    def __str__(self) -> str:
        return f"{'stop' if self.stop else 'resume'} {self.scope}"


Action: TypeAlias = SetLevers | Spend | ProtocolUpgrade | Emergency
_KINDS: tuple[type[Action], ...] = (SetLevers, Spend, ProtocolUpgrade, Emergency)


def _count(reader: Reader) -> int:
    count = reader.compact()
    if count > _MOST_ROWS:
        raise GovernanceError(f"a proposal has {count} rows, allowed: {_MOST_ROWS}; split it")
    return count


def action_to_bytes(action: Action) -> bytes:
    """Return the canonical bytes of an action."""
    return u8(action.tag) + action.body


def action_from_bytes(data: bytes) -> Action:
    """Read an action.

    Raises
    ------
    ArgumentTypeError, GridlabError
        `data` is not ``bytes``, or not an action's.
    """
    reader = Reader(require_bytes("action", data), "an action")
    tag = reader.take(1)[0]
    if tag >= len(_KINDS):
        raise GovernanceError(f"an action has the tag {tag}, allowed: 0 … {len(_KINDS) - 1}")
    action = _KINDS[tag].read(reader)
    reader.finish()
    return action


def require_action(action: object) -> Action:
    """Return `action` if it is one, or raise ArgumentTypeError."""
    if not isinstance(action, _KINDS):
        names = ", ".join(kind.__name__ for kind in _KINDS)
        raise ArgumentTypeError(
            f"action is a {type(action).__name__}, allowed: {names}; a LeverTable makes one of {{path: value}}"
        )
    return action
