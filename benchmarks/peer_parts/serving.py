"""The peer's side of a duel: read books of orders, clear them when told to, say how long it took and what came out.

This file and the two ``serve_…`` scripts run in the peer's own environment, which has no gridlab and no polars: they
use the standard library and the peer, nothing else. One process serves one mechanism::

    python serve_assume.py MECHANISM ORDERS.csv

It reads commands from standard input, one JSON object a line, and answers each with one line: ``{"do": "clear"}`` with
the seconds that converting and clearing took, ``{"do": "save", "to": FILE}`` with the outcome of the last clearing
written to that file. What the peer itself prints goes to standard error.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, NamedTuple, TextIO

# A mechanism that lists all pairs of many orders can ask for more than any machine has; better refused than swapped.
MEMORY_BYTES = 4 << 30


class Order(NamedTuple):
    """A limit order: price in THB/MWh, energy in Wh."""

    order_id: int
    buying: bool
    price: int
    energy: int


class Fill(NamedTuple):
    """What an order got: energy in Wh, and the amount that the buyer pays or the seller gets in micro-THB."""

    order_id: int
    filled: float
    amount: float


@dataclass(frozen=True)
class Outcome:
    """What came of one book: fills; or, where a peer finds no more than these, its volume (Wh) and price (THB/MWh)."""

    fills: Sequence[Fill] = ()
    volume: float | None = None
    price: float | None = None


@dataclass(frozen=True)
class Mechanism:
    """One way of the peer to clear a book, in three steps of which the second alone is timed as clearing."""

    convert: Callable[[list[Order]], Any]
    clear: Callable[[Any], Any]
    read: Callable[[Any, Any], Outcome]


@dataclass
class Round:
    """All books cleared one by one: seconds, and by book what came out or the error that was raised."""

    convert_s: float = 0.0
    clear_s: float = 0.0
    results: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def read_orders(file: str) -> dict[int, list[Order]]:
    """Return the orders by book, in the order of the file's rows."""
    books: dict[int, list[Order]] = {}
    with open(file, newline="", encoding="utf-8") as rows:  # noqa: PTH123 - as plain as can be
        for row in csv.DictReader(rows):
            order = Order(int(row["order_id"]), row["side"] == "buy", int(row["price"]), int(row["energy"]))
            books.setdefault(int(row["book"]), []).append(order)
    return books


def clear_all(mechanism: Mechanism, books: Mapping[int, list[Order]]) -> Round:
    """Clear every book by itself; an error ends the book, not the round."""
    done = Round()
    for number, orders in books.items():
        start = time.perf_counter()
        try:
            book = mechanism.convert(orders)
            converted = time.perf_counter()
            result = mechanism.clear(book)
        except Exception as problem:  # noqa: BLE001 - whatever a peer raises is a finding
            done.errors[number] = f"{type(problem).__name__}: {problem}"
            continue
        done.clear_s += time.perf_counter() - converted
        done.convert_s += converted - start
        done.results[number] = (book, result)
    return done


def save(mechanism: Mechanism, done: Round, file: str) -> None:
    """Write ``{"books": [[book, error, volume, price], …], "fills": [[order_id, filled, amount], …]}``."""
    books: list[list[Any]] = [[number, error, None, None] for number, error in done.errors.items()]
    fills: list[Fill] = []
    for number, (book, result) in done.results.items():
        try:
            outcome = mechanism.read(book, result)
        except Exception as problem:  # noqa: BLE001 - an outcome that cannot be read is a finding, too
            books.append([number, f"{type(problem).__name__}: {problem}", None, None])
            continue
        books.append([number, None, outcome.volume, outcome.price])
        fills.extend(outcome.fills)
    with open(file, "w", encoding="utf-8") as place:  # noqa: PTH123 - as plain as can be
        json.dump({"books": books, "fills": fills}, place, default=float)


def serve(mechanisms: Mapping[str, Mechanism], packages: Sequence[str]) -> None:
    """Answer commands until standard input ends.

    Parameters
    ----------
    mechanisms : mapping of str to Mechanism
        What the peer can do, by the name on the command line.
    packages : sequence of str
        Whose versions are told in the greeting.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _limit_memory()
    mechanism, books = mechanisms[sys.argv[1]], read_orders(sys.argv[2])
    _say(answers, {"packages": {name: version(name) for name in packages}})
    done = Round()
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "save":
            save(mechanism, done, command["to"])
            _say(answers, {})
        else:
            done = clear_all(mechanism, books)
            first = next(iter(done.errors.values()), None)
            _say(answers, {"convert_s": done.convert_s, "clear_s": done.clear_s, "error": first})


def _say(answers: TextIO, answer: Mapping[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


def _limit_memory() -> None:
    """Let a peer that asks for too much fail, where the system can: Windows and macOS cannot."""
    if sys.platform != "linux":
        return
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    allowed = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
