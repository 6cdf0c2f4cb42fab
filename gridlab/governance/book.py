"""All that governance knows: referenda, votes, delegations, locks, what was enacted. Pure and forkable.

The book holds no money. What it does with GRID goes through a `Purse`, which is the ledger at one moment. Every part of
it is replaced and never changed, so that a fork is a copy of a dozen references. The numbers of what is alive are kept
apart, so that a block costs what goes on and not what there ever was.

The functions that change a book stand in ``proposing.py``, ``casting.py``, ``delegating.py`` and ``deciding.py``. They
check first and change last. On the chain, what fails is put back together with the ledger; `Assembly` does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import blob, compact, text, u64
from gridlab.chain.hashing import ZERO_HASH, tagged_hash
from gridlab.errors import GovernanceError
from gridlab.governance.actions import TRACKS
from gridlab.governance.history import History
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.purse import Hold
from gridlab.governance.referenda import Referendum
from gridlab.governance.register import Register
from gridlab.governance.roll import Voter
from gridlab.governance.tracks import GovernanceRules, Track

__all__ = ["Enacted", "GovernanceBook"]

_DOMAIN = "gridlab/governance/1"
_LOG_DOMAIN = "gridlab/governance-enacted/1"
_NOBODY = Voter()


@dataclass(frozen=True, slots=True)
class Enacted:
    """One thing that an approved proposal did, or that it failed to do.

    Attributes
    ----------
    height : int
        Block that did it.
    timestamp : int
        Of that block, microseconds since 1970-01-01 UTC.
    referendum : int
    action : str
        "set", "spend", "upgrade", "stop" or "resume".
    path : str
        The lever, the account that was paid, the version of the rules, or the scope.
    value : str
        The lever's value, micro-GRID, the height of the upgrade; empty for an emergency.
    failed : str
        Why nothing was done; empty where it was.
    """

    height: int
    timestamp: int
    referendum: int
    action: str
    path: str
    value: str
    failed: str = ""

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        words = (self.action, self.path, self.value, self.failed)
        return u64(self.height) + u64(self.timestamp) + compact(self.referendum) + b"".join(map(text, words))


def _empty_rolls() -> dict[str, Register[Voter]]:
    return {name: Register() for name in TRACKS}


@dataclass(slots=True)
class GovernanceBook:
    """The state of governance.

    Attributes
    ----------
    rules : GovernanceRules
    terms : dict of str to object
        The levers that the rules were made of, path -> value.
    table : LeverTable
        What votes may move.
    referenda : Register of Referendum
        All there ever were.
    rolls : dict of str to Register of Voter
        Per track.
    locks : Register of Hold
        Per account.
    stopped : dict of str to int
        Scope -> since when it stands by vote, microseconds.
    enacted : History of Enacted
    log : bytes
        Hash chain over `enacted`, 32 bytes.
    alive : frozenset of int
        Numbers of the referenda that go on or await enactment.
    """

    rules: GovernanceRules
    terms: Mapping[str, Any]
    table: LeverTable
    referenda: Register[Referendum] = field(default_factory=Register)
    rolls: Mapping[str, Register[Voter]] = field(default_factory=_empty_rolls)
    locks: Register[Hold] = field(default_factory=Register)
    stopped: Mapping[str, int] = field(default_factory=dict)
    enacted: History[Enacted] = field(default_factory=History)
    log: bytes = ZERO_HASH
    alive: frozenset[int] = frozenset()

    def fork(self) -> GovernanceBook:
        """Return an independent copy."""
        return copy(self)

    def become(self, other: GovernanceBook) -> None:
        """Take over all that another book holds."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    @property
    def hash(self) -> bytes:
        """Hash over all that the book holds, 32 bytes."""
        terms = b"".join(text(path) + text(repr(value)) for path, value in sorted(self.terms.items()))
        stopped = b"".join(text(scope) + u64(since) for scope, since in sorted(self.stopped.items()))
        rolls = b"".join(self.rolls[name].hash for name in TRACKS)
        return tagged_hash(
            _DOMAIN,
            blob(terms) + self.table.hash + self.referenda.hash + rolls + self.locks.hash + blob(stopped) + self.log,
        )

    def referendum(self, number: int) -> Referendum:
        """Return a referendum; raises GovernanceError where there is none of this number."""
        found = self.referenda.get(require_int("referendum", number))
        if found is None:
            raise GovernanceError(f"there is no referendum {number}, so far there are {len(self.referenda)}, from 0 on")
        return found

    def ongoing(self, number: int) -> Referendum:
        """Return a referendum that still takes votes; raises GovernanceError where it does not."""
        found = self.referendum(number)
        if not found.ongoing:
            raise GovernanceError(f"referendum {number} has ended ({found.end}), so that nothing changes it any more")
        return found

    def put(self, *referenda: Referendum) -> None:
        """Keep referenda in place of what stood under their numbers."""
        self.referenda = self.referenda.changed({each.number: each for each in referenda})
        come = {each.number for each in referenda if each.alive} - self.alive
        gone = {each.number for each in referenda if not each.alive} & self.alive
        if come or gone:
            self.alive = (self.alive | come) - gone

    def living(self, track: str = "") -> list[Referendum]:
        """Return the referenda that go on or await enactment, in order of numbers; of all tracks, or of one."""
        found = [self.referendum(number) for number in sorted(self.alive)]
        return [each for each in found if not track or each.track == track]

    def track_of(self, referendum: Referendum) -> Track:
        """Return the rules of a referendum's track."""
        return self.rules[referendum.track]

    def require_track(self, name: object) -> str:
        """Return the name of a track; raises GovernanceError where there is none of this name."""
        if name not in TRACKS:
            raise GovernanceError(f"track {name!r} is not known, allowed: {list(TRACKS)}")
        return str(name)

    def voter(self, track: str, account: int) -> Voter:
        """Return an account as it stands on a track."""
        return self.rolls[track].get(account) or _NOBODY

    def put_voters(self, track: str, voters: Mapping[int, Voter]) -> None:
        """Keep voters of a track; of one of whom nothing is left nothing is kept."""
        kept = {account: None if voter.is_empty else voter for account, voter in voters.items()}
        self.rolls = {**self.rolls, track: self.rolls[track].changed(kept)}

    def put_lock(self, account: int, held: Hold | None) -> None:
        """Keep the lock of an account, or none."""
        if self.locks.get(account) is not held:
            self.locks = self.locks.changed({account: held})

    def note(self, *entries: Enacted) -> None:
        """Write down what was enacted."""
        for entry in entries:
            self.log = tagged_hash(_LOG_DOMAIN, self.log + blob(entry.to_bytes()))
        self.enacted = self.enacted.added(entries)
