"""What the tests of the house share: its files as a stranger's clone would have them, and clean child processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_BY_TOOLS = re.compile(r"\.(?!ci$|gitignore$|github$).*|__pycache__|build|dist|.*\.egg-info")


def project_files() -> list[Path]:
    """Every file of the project that git keeps or would keep; outside a clone, every file no tool left behind."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not any(map(LEFT_BY_TOOLS.fullmatch, path.relative_to(ROOT).parts))
    ]


def project_texts() -> list[tuple[str, str]]:
    """Path from the root and content of every project file that is text."""
    texts = []
    for path in project_files():
        if path.is_symlink() or path.suffix in {".png", ".parquet", ".gridlab", ".webp", ".jpg"}:
            continue
        texts.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
    return texts


def tool(name: str) -> str:
    """Path of a command-line tool that stands beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(str(beside)) or shutil.which(name)
    assert found, f"{name} is not installed: pip install -c constraints.txt -e '.[test]'"
    return found


def run(command: Sequence[str], *, cwd: Path = ROOT, timeout: float = 120, **environment: str) -> str:
    """Run `command`, fail with its output unless it exits with 0, and return what it printed."""
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
