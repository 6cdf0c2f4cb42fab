"""Where shards live: in this process, or in worker processes that stay alive from block to block.

Workers are spawned, never forked: polars has threads of its own, and a forked child may wait for one for ever. What
goes through the pipes are numpy arrays and small records, not frames.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import numpy as np

from gridlab.chain.shards.postings import Founding
from gridlab.chain.shards.shard import Done, Shard, Work
from gridlab.errors import ChainError, GridlabError

__all__ = ["Host", "LocalHost", "WorkerHost", "shared_out"]

# Shard, name of its method, arguments.
Call = tuple[int, str, tuple[Any, ...]]
_ENDING_S = 5.0


class Host(Protocol):
    """Keeps shards and hands them their work."""

    def execute(self, works: Sequence[Work]) -> list[Done]:
        """Let every shard do its work of one block; one per shard, in order."""

    def ask(self, shard: int, method: str, *arguments: Any) -> Any:
        """Call a method of one shard."""

    def close(self) -> None:
        """Let go of the shards."""


class LocalHost:
    """All shards in this process, one after another."""

    def __init__(self, foundings: Sequence[Founding]) -> None:
        self._shards = [Shard(founding) for founding in foundings]

    def fork(self) -> LocalHost:
        """Return an independent copy of all shards."""
        twin = LocalHost(())
        twin._shards = [shard.fork() for shard in self._shards]
        return twin

    def execute(self, works: Sequence[Work]) -> list[Done]:
        """Let every shard do its work of one block."""
        return [shard.execute(work) for shard, work in zip(self._shards, works, strict=True)]

    def ask(self, shard: int, method: str, *arguments: Any) -> Any:
        """Call a method of one shard."""
        return getattr(self._shards[shard], method)(*arguments)

    def close(self) -> None:
        """Let go of the shards."""
        self._shards = []


def shared_out(sizes: Sequence[int], workers: int) -> list[list[int]]:
    """Return which shards each worker keeps: the largest first, each to whoever has least so far."""
    loads, kept = [0] * workers, [[] for _ in range(workers)]  # type: tuple[list[int], list[list[int]]]
    for shard in sorted(range(len(sizes)), key=lambda each: (-sizes[each], each)):
        least = loads.index(min(loads))
        loads[least] += sizes[shard]
        kept[least].append(shard)
    return [sorted(each) for each in kept]


class WorkerHost:
    """Shards in spawned processes.

    Parameters
    ----------
    foundings : sequence of Founding
    workers : int
        How many processes, 1 to the number of shards.
    """

    def __init__(self, foundings: Sequence[Founding], workers: int) -> None:
        sizes = [int(np.count_nonzero(each.homes.shard == each.shard)) for each in foundings]
        self._kept = shared_out(sizes, workers)
        self._owner = {shard: worker for worker, shards in enumerate(self._kept) for shard in shards}
        context = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for shards in self._kept:
            near, far = context.Pipe()
            own = [foundings[shard] for shard in shards]
            process = context.Process(target=_serve, args=(far, own), name=f"shards {shards}", daemon=True)
            process.start()
            far.close()
            self._ends.append(near)
            self._processes.append(process)

    def execute(self, works: Sequence[Work]) -> list[Done]:
        """Let every shard do its work of one block, the workers at the same time."""
        for worker, shards in enumerate(self._kept):
            self._tell(worker, [(shard, "execute", (works[shard],)) for shard in shards])
        # Every answer is taken before one is looked at, so that none is left in a pipe for a later question.
        answers = [self._answer(worker) for worker in range(len(self._kept))]
        found: dict[int, Done] = {}
        for shards, answer in zip(self._kept, answers, strict=True):
            found.update(zip(shards, _believed(answer), strict=True))
        return [found[shard] for shard in range(len(works))]

    def ask(self, shard: int, method: str, *arguments: Any) -> Any:
        """Call a method of one shard."""
        self._tell(self._owner[shard], [(shard, method, arguments)])
        return _believed(self._answer(self._owner[shard]))[0]

    def _tell(self, worker: int, calls: list[Call]) -> None:
        try:
            self._ends[worker].send(calls)
        except OSError as problem:
            raise self._lost(worker) from problem

    def _answer(self, worker: int) -> list[Any] | GridlabError:
        try:
            answer: list[Any] | GridlabError = self._ends[worker].recv()
        except (EOFError, OSError):
            return self._lost(worker)
        return answer

    def _lost(self, worker: int) -> ChainError:
        self._processes[worker].join(_ENDING_S)
        return ChainError(
            f"shards {self._kept[worker]}: their worker process has ended (exit code "
            f"{self._processes[worker].exitcode}), and with it their state; make the sharded ledger anew and apply its "
            "blocks again. In a script, make it under `if __name__ == '__main__':`, since a worker imports the script"
        )

    def close(self) -> None:
        """End the workers."""
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.join(_ENDING_S)
            if process.is_alive():
                process.terminate()
                process.join()
            process.close()
        self._ends, self._processes = [], []


def _believed(answer: list[Any] | GridlabError) -> list[Any]:
    if isinstance(answer, GridlabError):
        raise answer
    return answer


def _serve(end: Connection, foundings: Sequence[Founding]) -> None:
    """Keep shards and answer calls until the other end is closed."""
    shards = {founding.shard: Shard(founding) for founding in foundings}
    while True:
        try:
            calls: list[Call] = end.recv()
        except (EOFError, OSError):
            return
        try:
            answer: Any = [getattr(shards[shard], method)(*arguments) for shard, method, arguments in calls]
        except GridlabError as problem:
            answer = problem
        end.send(answer)
