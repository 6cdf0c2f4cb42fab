"""`simulate`: validators, liars, crashes and a bad network, from one seed, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.keys import sandbox
from gridlab.chain.pbft import quorums
from gridlab.chain.pbft.clients import Client
from gridlab.chain.pbft.core import Settings
from gridlab.chain.pbft.engine import Engine
from gridlab.chain.pbft.finals import certificate_signers, finals_frame
from gridlab.chain.pbft.message_counts import MessageCounts
from gridlab.chain.pbft.message_log import message_frame
from gridlab.chain.pbft.messages import Signer
from gridlab.chain.pbft.network import Network, require_latency, require_number
from gridlab.chain.pbft.request_log import RequestLog, Requests
from gridlab.chain.pbft.simulation_arguments import (
    require_byzantine,
    require_crashed,
    require_crashes,
    require_partitions,
)
from gridlab.chain.pbft.trace import BLOCKS, Trace
from gridlab.seeds import check_seed

__all__ = ["CHAIN_ID", "LATENCY_MS", "simulate"]

CHAIN_ID = "gridlab-pbft-simulation"
LATENCY_MS = (5.0, 25.0)
_LONGEST_MS = 86_400_000.0
_FINGERPRINT_DOMAIN = "gridlab/pbft-trace/1"


def simulate(
    *,
    n: int = 21,
    blocks: int = 10,
    byzantine: Mapping[int, str] | int = 0,
    crashed: Sequence[int] = (),
    quorum: int | None = None,
    latency_ms: Any = LATENCY_MS,
    loss: float = 0.0,
    partitions: Sequence[tuple[float, float, Sequence[Sequence[int]]]] = (),
    seed: int = 0,
    crashes: Sequence[tuple[int, float, float | None]] = (),
    jitter: float = 0.0,
    duplicates: float = 0.0,
    reorder: float = 0.0,
    selective: float = 0.0,
    heal_ms: float | None = None,
    interval_ms: float = 1000.0,
    timeout_ms: float = 2000.0,
    clients: int = 1,
    checkpoint_every: int = 10,
    limit_ms: float | None = None,
    message_log: int | None = None,
) -> Trace:
    """Run PBFT until every honest validator that is up holds all blocks, a fork is there, or virtual time is over.

    Clients have `blocks` requests in all, and a block holds one, so `blocks` blocks are what the run is to reach.

    Parameters
    ----------
    n : int
        Validators, 1 to 1,000, numbered from 0; validator v % n is the primary of view v.
    blocks : int
        Requests, and therefore blocks, 0 or more.
    byzantine : mapping of int to str, or int
        Who lies and how: "equivocate", "silent", "delay", "forge", "stale_view", "collude", "twins"; or how many, and
        the seed picks whom and how.
    crashed : sequence of int
        Validators that are down from beginning to end; none of them may lie.
    quorum : int, optional
        Overrides ``quorum(n)``, to show what a wrong one does; 1 … n.
    latency_ms : float, pair of float, or n x n array of float
        One-way delay: one for all, the bounds of a uniform one, or the base from each validator (row) to each (column).
    loss : float
        Share of messages that never arrive, 0 <= loss < 1.
    partitions : sequence of (start_ms, end_ms, groups)
        From start to end every link between validators of different groups is cut; those that stand in none form a
        group together, with the clients. A later partition replaces one that still holds.
    seed : int
        All chance comes from it, 0 or more.
    crashes : sequence of (validator, start_ms, end_ms)
        A validator goes down and comes up again with what it wrote down; end None: it stays down.
    jitter : float
        Mean of an exponential delay on top of each message, milliseconds.
    duplicates, reorder : float
        Share of messages that come twice, or ten times as late, 0 <= share < 1.
    selective : float
        Share of all combinations of kind, view and height of which the network lets only a part of the validators
        hear: an adversary that chooses who gets which vote. It lasts until `heal_ms`, so give that, too.
    heal_ms : float, optional
        Virtual time at which all of loss, duplicates, reordering, selection and partitions end; without it only
        partitions do.
    interval_ms : float
        Least time from one request of a client to its next.
    timeout_ms : float
        Until a validator gives its primary up; doubles with each view in which nothing becomes final.
    clients : int
        Between how many clients the requests are dealt out, 1 or more.
    checkpoint_every : int
        Blocks between checkpoints.
    limit_ms : float, optional
        Virtual time at which the run ends in any case; ten minutes after the last disturbance unless given.
    message_log : int, optional
        Height of which every message is kept in ``trace.message_log``.

    Returns
    -------
    Trace

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds; the message says what is allowed.

    Examples
    --------
    >>> trace = simulate(blocks=2)
    >>> trace.forked, trace.messages["pre_prepare"], trace.messages["prepare"], trace.messages["commit"]
    (False, 40, 800, 840)
    >>> simulate(n=21, blocks=1, byzantine={v: "collude" for v in range(5)}, quorum=13).forked
    True
    """
    require_int("n", n, 1, quorums.MOST_VALIDATORS)
    check_seed(seed)
    down = require_crashed(crashed, n)
    outages = require_crashes(crashes, n)
    run = _Run(
        n=n,
        seed=int(seed),
        blocks=require_int("blocks", blocks, 0, 1_000_000),
        down=down,
        lost=(*down, *(validator for validator, _, back in outages if back is None)),
        quorum=quorums.quorum(n) if quorum is None else require_int("quorum", quorum, 1, n),
        clients=require_int("clients", clients, 1, 1000),
    )
    liars = require_byzantine(byzantine, n, down, run.seed)
    faults = {
        "loss": require_number("loss", loss, 0.0, 1.0, below=True),
        "duplicates": require_number("duplicates", duplicates, 0.0, 1.0, below=True),
        "reorder": require_number("reorder", reorder, 0.0, 1.0, below=True),
        "selective": require_number("selective", selective, 0.0, 1.0),
    }
    network = Network(require_latency(latency_ms, jitter, n), seed=run.seed, **faults)
    if message_log is not None:
        network.log_height = require_int("message_log", message_log, 1)
    interval = require_number("interval_ms", interval_ms, 0.0, _LONGEST_MS)
    timeout = require_number("timeout_ms", timeout_ms, 1.0, _LONGEST_MS)
    every = require_int("checkpoint_every", checkpoint_every, 1, 100_000)
    cuts = require_partitions(partitions, n)
    heal = None if heal_ms is None else require_number("heal_ms", heal_ms, 0.0, _LONGEST_MS)
    engine, senders = _assemble(run, network, quorum=quorum, interval=interval, timeout=timeout, every=every)
    for validator, kind in liars.items():
        engine.corrupt(validator, kind)
    last = _schedule(engine, cuts, outages, heal)
    limit = last + run.blocks * interval + 600_000.0
    if limit_ms is not None:
        limit = require_number("limit_ms", limit_ms, 0.0, 1e12)
    _run(engine, senders, run, limit)
    return _trace(engine, run)


@dataclass(frozen=True, slots=True)
class _Run:
    n: int
    seed: int
    blocks: int
    down: tuple[int, ...]
    lost: tuple[int, ...]
    quorum: int
    clients: int


def _assemble(
    run: _Run, network: Network, *, quorum: int | None, interval: float, timeout: float, every: int
) -> tuple[Engine, list[Client]]:
    pairs = [sandbox(run.seed, f"validator {number}") for number in range(run.n)]
    signer = Signer(CHAIN_ID, {number: pair.public_key for number, pair in enumerate(pairs)})
    settings = Settings(
        signer=signer,
        numbers={pair.public_key: number for number, pair in enumerate(pairs)},
        members=tuple(range(run.n)),
        quorum=quorum,
        checkpoint_every=every,
        timeout_ms=timeout,
        resend_ms=max(timeout, 2.0 * interval),
    )
    requests = Requests(signer)
    engine = Engine(pairs, settings, network, lambda number: RequestLog(requests, 1, number), seed=run.seed)
    senders = []
    for number in range(run.clients):
        total = run.blocks // run.clients + (number < run.blocks % run.clients)
        client = Client(
            sandbox(run.seed, f"client {number}"), signer, total=total, n=run.n, interval_ms=interval,
            timeout_ms=timeout,
        )  # fmt: skip
        client.place = engine.add_outsider(client)
        signer.learn(client.place, client.pair.public_key)
        senders.append(client)
    return engine, senders


def _schedule(
    engine: Engine,
    cuts: Sequence[tuple[float, float, list[list[int]]]],
    outages: Sequence[tuple[int, float, float | None]],
    heal: float | None,
) -> float:
    """Put every disturbance into the queue; return when the last one is over."""
    network = engine.network
    holding: list[int] = []

    def cut(name: int, groups: list[list[int]]) -> None:
        holding[:] = [name]
        network.partition(groups)

    def mend(name: int) -> None:
        if holding == [name]:
            network.heal()

    for name, (start, end, groups) in enumerate(cuts):
        network.at(start, -1, lambda name=name, groups=groups: cut(name, groups))
        network.at(end, -1, lambda name=name: mend(name))
    for validator, start, back in outages:
        node = engine.validators[validator]
        network.at(start, -1, lambda node=node: engine.crash(node))
        if back is not None:
            network.at(back, -1, lambda node=node: engine.restart(node))
    if heal is not None:

        def calm() -> None:
            holding.clear()
            network.heal()
            network.set_faults()

        network.at(heal, -1, calm)
    ends = [end for _, end, _ in cuts] + [back or start for _, start, back in outages]
    return max([0.0, *ends, *([] if heal is None else [heal])])


def _run(engine: Engine, senders: Sequence[Client], run: _Run, limit: float) -> None:
    for node in engine.validators:
        if node.validator not in run.down:
            engine.restart(node)
    for client in senders:
        client.start()
        engine.carry_out(client)
    engine.run(limit, lambda: engine.forked or _complete(engine, run))


def _complete(engine: Engine, run: _Run) -> bool:
    if run.blocks and not engine.final.get(run.blocks):
        return False
    waiting = [node for node in engine.honest() if node.validator not in run.lost]
    return all(len(node.durable.blocks) >= run.blocks for node in waiting)


def _trace(engine: Engine, run: _Run) -> Trace:
    honest = [node for node in engine.honest() if node.validator not in run.down]
    committed = {node.validator: [hexadecimal(b.proposal.hash) for b in node.durable.blocks] for node in honest}
    rows = _block_rows(engine, run)
    evidence = engine.evidence()
    messages = dict(sorted(engine.network.counts.items()))
    told = (committed, engine.forked, messages, rows, [repr(each) for each in evidence])
    return Trace(
        committed=committed,
        forked=engine.forked,
        messages=MessageCounts(messages),
        finality_ms=_finality(rows),
        evidence=evidence,
        fingerprint=hexadecimal(tagged_hash(_FINGERPRINT_DOMAIN, repr(told).encode())),
        n=run.n,
        quorum=run.quorum,
        byzantine={node.validator: node.behaviour.kind for node in engine.validators if node.behaviour is not None},
        complete=_complete(engine, run),
        views=max((node.durable.view for node in engine.honest()), default=0),
        clock_ms=engine.network.clock,
        blocks=pl.DataFrame(rows, schema=BLOCKS, orient="row"),
        message_log=message_frame(engine.network),
        finals=finals_frame(engine),
        signers=certificate_signers(engine),
        crashed=run.lost,
        instances={twin.place: validator for validator, twin in engine.twins.items()},
    )


def _block_rows(engine: Engine, run: _Run) -> list[tuple[int, str, int, float, float | None, int]]:
    rows = []
    for height, blocks in sorted(engine.hashes.items()):
        proposed, times = engine.proposed[height], sorted(engine.final[height].values())
        reached = times[run.quorum - 1] - proposed if len(times) >= run.quorum and len(blocks) == 1 else None
        for block_hash, block in sorted(blocks.items()):
            held = [node.durable.blocks[height - 1 : height] for node in engine.honest()]
            holders = sum(each.proposal.hash == block_hash for blocks_there in held for each in blocks_there)
            rows.append((height, hexadecimal(block_hash), block.view, proposed, reached, holders))
    return rows


def _finality(rows: Sequence[tuple[int, str, int, float, float | None, int]]) -> list[float]:
    return [reached for *_, reached, _ in rows if reached is not None]
