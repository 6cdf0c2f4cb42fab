"""gridlab's side of a duel: a peer's process that is asked, watched and, when its time is up, ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer
from types import TracebackType
from typing import Any, Self

from gridlab.errors import GridlabError

__all__ = ["FOLDER", "NotFinishedError", "PeerError", "PeerProcess"]

FOLDER = Path(__file__).parent
# Importing a peer, reading orders and writing outcomes is not what is measured, but it must end some time.
OTHER_LIMIT_S = 120


class PeerError(GridlabError, RuntimeError):
    """A peer that cannot be installed, cannot be started or raised an error."""


class NotFinishedError(PeerError):
    """A peer that did not finish in the time it had."""


class PeerProcess:
    """One mechanism of one peer, with its books of orders, in a process of its own.

    Parameters
    ----------
    python : str or Path
        Interpreter of the environment in which the peer is installed.
    script : Path
        One of the ``serve_…`` scripts.
    mechanism : str
    orders : Path
        CSV file with the columns book, order_id, side, price (THB/MWh) and energy (Wh).
    limit_s : float
        Seconds that one clearing of all books may take, converting included.

    Attributes
    ----------
    packages : dict of str to str
        Versions of the peer and of what it stands on.
    """

    def __init__(self, python: str | Path, script: Path, mechanism: str, orders: Path, limit_s: float) -> None:
        self._limit_s = limit_s
        self._errors = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in _end
        command = [str(python), "-W", "ignore", str(script), mechanism, str(orders)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
            )
        except OSError as problem:
            self._errors.close()
            raise PeerError(f"{python} cannot be started ({problem}); give the path of a Python interpreter") from None
        self.packages: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.packages = self._answer(OTHER_LIMIT_S)["packages"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def clear(self) -> dict[str, Any]:
        """Clear all books once.

        Returns
        -------
        dict
            ``convert_s`` and ``clear_s``, and ``error``, the first that a book raised, or None.

        Raises
        ------
        NotFinishedError
            The time is up.
        PeerError
            The process ended by itself.
        """
        return self._ask({"do": "clear"}, self._limit_s)

    def save(self, file: Path) -> dict[str, Any]:
        """Return the outcome of the last clearing: ``books`` and ``fills``, as ``serving.save`` writes them."""
        self._ask({"do": "save", "to": str(file)}, OTHER_LIMIT_S)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _ask(self, command: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended, and why is read below
        return self._answer(limit_s)

    def _answer(self, limit_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = Event()
        timer = Timer(limit_s, self._stop_late, [late])
        timer.daemon = True
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process.wait()
        if late.is_set():
            raise NotFinishedError(f"not finished in {limit_s:g} s")
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or [f"it exited with {self._process.returncode}"]
        raise PeerError(said[-1])

    def _stop_late(self, late: Event) -> None:
        late.set()
        self._process.kill()

    def _end(self) -> None:
        self._process.kill()
        # Closes the pipes and waits, whatever is still on its way.
        self._process.communicate()
        self._errors.close()
