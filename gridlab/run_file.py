"""Saving and loading a run: one zip file of Parquet frames, the bytes of both chains and a manifest.

Every member's BLAKE2b-256 stands in the manifest, and the chains are replayed from genesis, signatures included, so a
damaged file is found and the damaged part named.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.public import PublicChain
from gridlab.chain.public.terms import PublicTerms
from gridlab.errors import ArgumentTypeError, ChainError, MissingRunError, RunFileError
from gridlab.governance.actions import SetLevers
from gridlab.governance.governance import Governance
from gridlab.governance.lever_table import LeverTable
from gridlab.institutions import institutions_of
from gridlab.levers import Levers
from gridlab.market.exchange import MarketExchange
from gridlab.market.market import Market
from gridlab.public_side import rules_of
from gridlab.run import Run, RunFacts

__all__ = ["load", "save"]

_FORMAT = "gridlab-run/2"
_MANIFEST = "manifest.json"
_CHAIN, _PUBLIC = "chain.bin", "public.bin"
_ADVICE = "take another copy, or run the lab again"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # members carry no clock, so that equal runs are equal files

_Part = TypeVar("_Part", bound=Levers)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _path(path: str | Path) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentTypeError(f"path: expected a file name, got {path!r}")
    return Path(path)


def save(run: Run, path: str | Path) -> Path:
    """Write `run` to `path` whole: a file that was there before stays until the new one is complete."""
    target = _path(path)
    members = {f"{name}.parquet": _parquet(frame) for name, frame in run.frames.items()}
    members[_CHAIN], members[_PUBLIC] = run.chain.to_bytes(), run.public.to_bytes()
    manifest = {
        "format": _FORMAT,
        "fingerprint": run.fingerprint,
        "facts": {**asdict(run.facts), "levers": dict(run.facts.levers)},
        "members": {name: _digest(data) for name, data in members.items()},
    }
    members[_MANIFEST] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    partial = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
        partial.replace(target)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise RunFileError(f"{target}: cannot be written ({problem.strerror}); choose another folder") from problem
    return target


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def load(path: str | Path) -> Run:
    """Return the run that `Run.save` wrote to `path`, after checking every part of it.

    Raises
    ------
    MissingRunError
        There is no such file.
    RunFileError
        The file is damaged, was not written by gridlab, or by a version that this one does not know; the message names
        the part.
    """
    source = _path(path)
    if not source.exists():
        raise MissingRunError(f"{source}: no such file; run.save({str(source)!r}) writes one")
    members = _members(source)
    manifest = _manifest(source, members)
    expected = manifest["members"]
    for name in (*expected, *members):
        if name != _MANIFEST and _digest(members.get(name, b"")) != expected.get(name):
            raise RunFileError(f"{source}: part {name!r} is damaged or missing; {_ADVICE}")
    try:
        frames = {
            name.removesuffix(".parquet"): pl.read_parquet(io.BytesIO(data))
            for name, data in members.items()
            if name.endswith(".parquet")
        }
        facts = RunFacts(**{f.name: manifest["facts"][f.name] for f in fields(RunFacts)})
        exchanges = _exchanges(facts, frames["accounts"], frames["levers"], frames["moved"])
        chain = ConsortiumChain.from_bytes(members[_CHAIN], exchanges=exchanges)
        pallets = [_part(Governance(), facts, "governance.").pallet(frames["levers"])]
        rules = [rules_of(_part(PublicTerms(), facts, "public."), pallets)]
        public = PublicChain.from_bytes(members[_PUBLIC], rules=rules, pallets=pallets)
    except (ChainError, pl.exceptions.PolarsError, KeyError, TypeError) as problem:
        raise RunFileError(f"{source}: does not open ({problem}); {_ADVICE}") from problem
    run = Run(facts, frames, chain, public)
    if run.fingerprint != manifest["fingerprint"]:
        raise RunFileError(f"{source}: its chains give {run.fingerprint}, its manifest says {manifest['fingerprint']}")
    return run


def _exchanges(
    facts: RunFacts, accounts: pl.DataFrame, levers: pl.DataFrame, moved: pl.DataFrame
) -> list[MarketExchange]:
    """Return who cleared the orders on the chain of the run, one for each set of levers; nobody with forecasts."""
    if facts.levers["trade_on_forecasts"]:
        return []
    market, institutions, table = _part(Market(), facts, "market."), institutions_of(accounts), LeverTable(levers)
    found = [MarketExchange(market, accounts, institutions)]
    for _, votes in moved.filter(failed="").group_by("public_block", "referendum", maintain_order=True):
        values = table.values(SetLevers(tuple(votes.select("path", "value").rows())))
        market.set({path.removeprefix("market."): v for path, v in values.items() if path.startswith("market.")})
        found.append(MarketExchange(market, accounts, institutions))
    return found


def _part(part: _Part, facts: RunFacts, prefix: str) -> _Part:
    """Return a part of the lab with the levers of the run, whose paths begin with `prefix`."""
    return part.set({path.removeprefix(prefix): v for path, v in facts.levers.items() if path.startswith(prefix)})


def _members(source: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(source) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
    ) as problem:
        raise RunFileError(f"{source}: is damaged, or not a saved run ({problem}); {_ADVICE}") from problem


def _manifest(source: Path, members: dict[str, bytes]) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(members[_MANIFEST])
        known = manifest["format"] == _FORMAT
        complete = {"fingerprint", "facts", "members"} <= manifest.keys()
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise RunFileError(f"{source}: part {_MANIFEST!r} is damaged or missing; take another copy") from problem
    if not known or not complete:
        raise RunFileError(f"{source}: format {manifest.get('format')!r} is unknown; this version reads {_FORMAT!r}")
    return manifest
