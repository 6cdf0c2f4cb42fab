"""Saving and loading a run: one zip file of Parquet frames, the chain's bytes and a manifest.

Every member's BLAKE2b-256 stands in the manifest, and the chain is replayed from genesis, signatures included, so a
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
from typing import Any

import polars as pl

from gridlab.chain.consortium import ConsortiumChain
from gridlab.errors import ArgumentTypeError, ChainError, MissingRunError, RunFileError
from gridlab.institutions import institutions_of
from gridlab.market.exchange import MarketExchange
from gridlab.market.market import Market
from gridlab.run import Run, RunFacts

__all__ = ["load", "save"]

_FORMAT = "gridlab-run/1"
_MANIFEST = "manifest.json"
_CHAIN = "chain.bin"
_ADVICE = "take another copy, or run the lab again"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # members carry no clock, so that equal runs are equal files


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
    members[_CHAIN] = run.chain.to_bytes()
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
        chain = ConsortiumChain.from_bytes(members[_CHAIN], exchange=_exchange(facts, frames["accounts"]))
    except (ChainError, pl.exceptions.PolarsError, KeyError, TypeError) as problem:
        raise RunFileError(f"{source}: does not open ({problem}); {_ADVICE}") from problem
    run = Run(facts, frames, chain)
    if run.fingerprint != manifest["fingerprint"]:
        raise RunFileError(f"{source}: its chain gives {run.fingerprint}, its manifest says {manifest['fingerprint']}")
    return run


def _exchange(facts: RunFacts, accounts: pl.DataFrame) -> MarketExchange | None:
    """Return who cleared the orders on the chain of the run; nobody, where agents traded on forecasts."""
    if facts.levers["trade_on_forecasts"]:
        return None
    levers = {path.removeprefix("market."): v for path, v in facts.levers.items() if path.startswith("market.")}
    return MarketExchange(Market().set(levers), accounts, institutions_of(accounts))


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
