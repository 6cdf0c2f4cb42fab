"""Throw-away environments for the peers, made by pip from their public names alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peer_parts.process import PeerError

__all__ = ["REQUIREMENTS", "make_environment"]

# pymarket 0.7.6 (2019) writes into arrays that pandas 3 gives read-only: its auction `huang` raises an error there.
REQUIREMENTS = {"assume": ("assume-framework",), "pymarket": ("pymarket", "pandas<3")}


def make_environment(peer: str, folder: Path) -> Path:
    """Make an environment with a peer in it.

    Parameters
    ----------
    peer : str
        A key of `REQUIREMENTS`.
    folder : Path
        An existing folder; the environment becomes a folder in it, and whoever owns the folder deletes it.

    Returns
    -------
    Path
        Its interpreter.

    Raises
    ------
    PeerError
        The environment cannot be made or pip cannot install the peer; pip's last word is in the message.
    """
    place = folder / peer
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([sys.executable, "-m", "venv", str(place)], f"no environment could be made for {peer}")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS[peer]]
    _run(install, f"pip cannot install {' '.join(REQUIREMENTS[peer])}")
    return python


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said or [f"exit code {done.returncode}"]
        raise PeerError(f"{failure}: {errors[-1]}")
