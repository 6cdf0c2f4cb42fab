"""A lab in a file: what it was started with and every block of its run, so that a killed run can be finished.

The run of a lab repeats itself to the letter. So a store that was left half full is finished by running the lab again:
each block that it holds must come again, byte by byte, which proves it anew, and what is missing is written. The final
blocks of the public chain stand in the same file, as notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.public import PublicChain
from gridlab.chain.store import Store
from gridlab.chain.store.connection import store_path
from gridlab.errors import GridlabError, StoreError

if TYPE_CHECKING:
    from gridlab.lab import Lab

__all__ = ["LabFacts", "PublicKeeper", "facts_of", "keep_in", "open_lab", "stored_public_blocks"]

_NOTE = "lab"
_PUBLIC = "public/"
_FORMAT = "gridlab-lab/2"


@dataclass(frozen=True, slots=True)
class LabFacts:
    """Everything that decides what a run of a lab will be.

    Attributes
    ----------
    version : str
        Version of gridlab; another one may make other blocks.
    title, title_th : str
    seed : int
    prosumers : int
    start : str
        First slot, ISO 8601 with offset.
    slots : int
        Length of the run.
    levers : mapping of str to object
        Lever path -> value.
    agenda : str
        What holders of GRID do in the run (`gridlab.governance.agenda.Agenda.to_json`).
    oracle, weather : str
        Bribes and cuts (`gridlab.oracle.oracle.Oracle.acts`), and the weather that was ordered.
    """

    version: str
    title: str
    title_th: str
    seed: int
    prosumers: int
    start: str
    slots: int
    levers: Mapping[str, Any]
    agenda: str
    oracle: str
    weather: str

    def to_bytes(self) -> bytes:
        """Return the facts as JSON, the same bytes for the same facts."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> LabFacts:
        """Read what `to_bytes` wrote into the store at `path`, or raise StoreError."""
        try:
            found = json.loads(data)
            known = found.pop("format")
        except (ValueError, TypeError, AttributeError, KeyError) as problem:
            raise StoreError(f"{path}: its note of the lab does not read ({problem}); take another copy") from problem
        if known != _FORMAT or found.keys() != {each.name for each in fields(cls)}:
            raise StoreError(f"{path}: its note of the lab is of format {known!r}, this version reads {_FORMAT!r}")
        return cls(**found)

    def differences(self, other: LabFacts) -> list[str]:
        """Say what differs from `other`, one sentence each; the version and the titles do not count."""
        said = [
            f"{name} is {getattr(self, name)!r}, not {getattr(other, name)!r}"
            for name in ("seed", "prosumers", "start", "slots", "agenda", "oracle", "weather")
            if getattr(self, name) != getattr(other, name)
        ]
        paths = dict.fromkeys([*self.levers, *other.levers])
        return said + [
            f"{path} is {self.levers.get(path)!r}, not {other.levers.get(path)!r}"
            for path in paths
            if self.levers.get(path) != other.levers.get(path)
        ]


def facts_of(lab: Lab, slots: int) -> LabFacts:
    """Return what a run of `lab` over so many slots is made of.

    Raises
    ------
    StoreError
        A user's own series stands in place of a feed: the file could not make the lab again.
    """
    from gridlab import __version__

    if lab.feeds.replaced:
        raise StoreError(
            f"feeds: {', '.join(lab.feeds.replaced)} is a series of your own, which the store does not hold, so that "
            "gl.open could not make this lab again; lab.feeds.restore(feed), or run without a store"
        )

    return LabFacts(
        version=__version__,
        title=lab.title,
        title_th=lab.title_th,
        seed=lab.seed,
        prosumers=lab.agents.prosumers,
        start=lab.start.isoformat(),
        slots=slots,
        levers=lab.lever_values(),
        agenda=lab.governance.agenda.to_json(),
        oracle=lab.oracle.acts,
        weather=lab.feeds.ordered,
    )


class PublicKeeper:
    """Writes the final blocks of a lab's public chain into the store of its consortium chain.

    Parameters
    ----------
    store : Store
        Open for writing; the blocks that it holds already must come again.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._stored, self._kept = store, stored_public_blocks(store), 0

    def __call__(self, public: PublicChain) -> None:
        """Write what has become final since the last call.

        Raises
        ------
        StoreError
            A block is not the one that the store holds, or the disk refuses it.
        """
        notes = {}
        for height in range(self._kept + 1, public.height + 1):
            data = public.block(height).to_bytes()
            if height not in self._stored:
                notes[f"{_PUBLIC}{height:010d}"] = data
            elif self._stored[height] != data:
                raise StoreError(
                    f"{self._store.path}: block {height} of the public chain is not the one that this run makes; the "
                    "file is damaged or was written by other code; take another copy, or another file name"
                )
        if notes:
            self._store.write_notes(notes)
        self._kept = public.height


def stored_public_blocks(store: Store) -> dict[int, bytes]:
    """Return height -> canonical bytes of the public chain's final blocks in a store."""
    return {int(name.removeprefix(_PUBLIC)): data for name, data in store.notes.items() if name.startswith(_PUBLIC)}


def keep_in(chain: ConsortiumChain, path: str | Path, facts: LabFacts) -> PublicKeeper:
    """Let a chain live in the store at `path`: a new one, or one that a run on the same facts left.

    Returns who keeps the public chain beside it.

    Raises
    ------
    ArgumentTypeError
        `path` is no file name.
    StoreError
        The store is of another lab or of another length, damaged, in use, or cannot be written.
    """
    if not store_path(path).exists():
        return PublicKeeper(chain.store_in(path, notes={_NOTE: facts.to_bytes()}))
    stored = _facts_in(path)
    differ = stored.differences(facts)
    if differ:
        raise StoreError(
            f"{path}: holds the run of another lab ({'; '.join(differ[:3])}); gl.open({str(path)!r}) makes the lab "
            "that wrote it, another file name begins a new one"
        )
    try:
        return PublicKeeper(chain.resume_in(path))
    except StoreError as problem:
        if stored.version == facts.version:
            raise
        raise StoreError(f"{problem}; it was written by gridlab {stored.version}, this is {facts.version}") from problem


def _facts_in(path: str | Path) -> LabFacts:
    with Store.open(path, read_only=True) as store:
        found = store.notes.get(_NOTE)
        if found is None:
            raise StoreError(
                f"{path}: holds a chain and no lab; gl.ConsortiumChain.open({str(path)!r}) opens it, "
                "lab.run(store=...) with another file name begins a new one"
            )
        return LabFacts.from_bytes(found, store.path)


def open_lab(path: str | Path) -> Lab:
    """Return the lab whose run stands in a store, whole or cut short; its `run` finishes it.

    Parameters
    ----------
    path : str or Path
        What ``lab.run(store=path)`` wrote.

    Returns
    -------
    Lab
        With the levers, seed and start of that run. ``lab.run()`` runs as many slots as were asked for then, compares
        every block with the stored one, and writes those that are missing.

    Raises
    ------
    ArgumentTypeError
        `path` is no file name.
    MissingStoreError
        There is no such file.
    StoreError
        It is no store, damaged, or holds no lab.

    Examples
    --------
    >>> import tempfile
    >>> import gridlab as gl
    >>> path = tempfile.mkdtemp() + "/run.db"
    >>> run = gl.Lab.thailand(prosumers=5).run(slots=4, progress=False, store=path)
    >>> gl.open(path).run(progress=False).fingerprint == run.fingerprint
    True
    """
    from gridlab.agents import Agents
    from gridlab.lab import Lab

    facts = _facts_in(path)
    agents = Agents(facts.prosumers, seed=facts.seed)
    try:
        lab = Lab(agents=agents, start=facts.start, seed=facts.seed, title=facts.title, title_th=facts.title_th).set(
            facts.levers
        )
    except GridlabError as problem:
        raise StoreError(
            f"{path}: was written by gridlab {facts.version}, whose lab this version does not know ({problem})"
        ) from problem
    lab.governance.agenda.read_json(facts.agenda)
    lab.oracle.read_acts(facts.oracle)
    lab.feeds.read_ordered(facts.weather)
    return lab.stored_in(path, slots=facts.slots)
