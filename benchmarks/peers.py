"""How `gridlab.clear` stands beside other people's market software, on the same orders in the same run.

::

    python -m benchmarks.peers --make                                  # fetches the peers with pip, drops them after
    python -m benchmarks.peers --assume ENV/bin/python --pymarket ENV/bin/python
    python -m benchmarks.peers --make --orders 1000 --books 1 --repeat 5 --json

The peers are ASSUME (package assume-framework; ``pay_as_clear``, ``pay_as_bid``) and pymarket (``curves``, the crossing
of demand and supply, for it has no rule of one price for all; ``huang``, ``muda``, ``p2p``). Each runs in a process and
an environment of its own and is no part of gridlab's.

**Speed.** Peer and gridlab clear the same orders in turn, repetition after repetition; the ratio is the median over the
repetitions of the ratio within one. Of the peer the clearing call alone is timed, book by book, and converting the
orders into its own form is told apart; of gridlab one `gridlab.clear` of all books, every check of the frame and the
frames of prices and fills included, on all the threads polars has. A first round warms up and is not counted, unless
there was no time for a second. A case that takes longer than ``--limit`` is not finished, and one that wants more
memory than `benchmarks.peer_parts.serving` allows has failed; the table says so.

**Agreement.** Both clear some hundred small random books, whose limits are all distinct, or on five steps, and
`benchmarks.peer_parts.comparison` counts what each did to them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

import gridlab as gl
from benchmarks.clearing import make_orders
from benchmarks.peer_parts.comparison import FIGURES, best_of, books_of, count_findings, gridlab_books, small_books
from benchmarks.peer_parts.making import REQUIREMENTS, make_environment
from benchmarks.peer_parts.process import FOLDER, NotFinishedError, PeerError, PeerProcess

# (orders, books): a feeder, a village, a town; and the books of some hours, which a peer clears one by one.
CASES = ((100, 1), (1_000, 1), (10_000, 1), (1_000, 10), (10_000, 96))
SMALL_BOOKS = 300
LIMITS = ("distinct", "steps")
HELP = """No peer was given, so there is nothing to compare with. Say one of these:

  python -m benchmarks.peers --make
      makes environments in a temporary folder, installs {packages} there with pip, and deletes them
  python -m benchmarks.peers --assume ENV/bin/python --pymarket ENV/bin/python
      uses interpreters of environments that have them; one of the two is enough
"""


@dataclass(frozen=True, slots=True)
class Duel:
    """A peer's mechanism and the rule of gridlab that does the same, or what comes nearest.

    Attributes
    ----------
    peer, mechanism : str
    rule : str
        gridlab's.
    options : mapping
        Further arguments of `gridlab.clear`.
    by_lot : bool
        Whether who trades with whom is drawn by lot, so that one book's result says nothing about another's.
    one_price : bool
        Whether all orders of a book have one price.
    """

    peer: str
    mechanism: str
    rule: str
    options: Mapping[str, Any] = field(default_factory=dict)
    by_lot: bool = False
    one_price: bool = False

    @property
    def own_name(self) -> str:
        """The call of gridlab, as a reader would write it."""
        return " ".join(["gridlab", self.rule, *(f"{name}={value}" for name, value in self.options.items())])


DUELS = (
    Duel("assume", "pay_as_clear", "uniform", {"pricing": "last_ask"}, one_price=True),
    Duel("assume", "pay_as_bid", "pay_as_bid", {"k": 0}),
    Duel("pymarket", "curves", "uniform", one_price=True),
    Duel("pymarket", "huang", "huang"),
    Duel("pymarket", "muda", "muda", {"variant": "vickrey"}, by_lot=True),
    # gridlab has no rule of random pairs; pairs in merit order, each at its own price, come nearest.
    Duel("pymarket", "p2p", "pay_as_bid", by_lot=True),
)


@contextmanager
def facing(duel: Duel, python: str | Path, orders: pl.DataFrame, limit_s: float) -> Iterator[tuple[PeerProcess, Path]]:
    """Start the peer's process on the orders; yield it, and a file for its outcome."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "orders.csv")
        orders.select("book", "order_id", "side", "price", "energy").write_csv(file)
        script = FOLDER / f"serve_{duel.peer}.py"
        with PeerProcess(python, script, duel.mechanism, file, limit_s) as process:
            yield process, Path(folder, "outcome.json")


def race(duel: Duel, python: str | Path, orders: pl.DataFrame, repeat: int, limit_s: float) -> dict[str, Any]:
    """Time a duel on one frame; return milliseconds, their ratio, and volume and price of both.

    Raises
    ------
    PeerError
        The peer raised an error on a book, was not finished in time, or its process ended.
    """
    rounds: list[tuple[float, float, float]] = []
    with facing(duel, python, orders, limit_s) as (process, file):
        gl.clear(orders, duel.rule, by="book", **duel.options)
        begin = last = time.perf_counter()
        # A round is begun only if there is time for one more like the last.
        while len(rounds) <= repeat and (not rounds or 2 * time.perf_counter() - last - begin < limit_s):
            last = time.perf_counter()
            try:
                answer = process.clear()
            except NotFinishedError:
                if rounds:
                    break
                raise
            if answer["error"]:
                raise PeerError(answer["error"])
            start = time.perf_counter()
            clearing = gl.clear(orders, duel.rule, by="book", **duel.options)
            rounds.append((answer["clear_s"], answer["convert_s"], time.perf_counter() - start))
            if len(rounds) == 1:
                outcome = process.save(file)
    return _times(rounds[1:] or rounds) | _results(books_of(orders, best_of(orders), outcome), clearing)


def _times(rounds: list[tuple[float, float, float]]) -> dict[str, Any]:
    peers, converting, owns = zip(*rounds, strict=True)
    return {
        "rounds": len(rounds),
        "peer ms": round(median(peers) * 1e3, 2),
        "converting ms": round(median(converting) * 1e3, 2),
        "gridlab ms": round(median(owns) * 1e3, 2),
        "peer/gridlab": round(median(peer / own for peer, own in zip(peers, owns, strict=True)), 2),
    }


def _results(peer: pl.DataFrame, clearing: gl.Clearing) -> dict[str, Any]:
    """Return the peer's volume over gridlab's, and the mean price that buyers pay on either side (THB/MWh)."""
    if peer["failed"].any():
        raise PeerError("its outcome cannot be read (the mechanism's `read` in its serve script raised an error)")
    volume, paid = peer.select("bought", "paid").sum().row(0)
    own = clearing.fills.filter(pl.col("side") == "buy").select("filled", "amount").sum().row(0)
    return {
        "volume/gridlab": round(volume / own[0], 4) if own[0] else None,
        "mean price": round(paid / volume, 1) if volume else None,
        "gridlab's": round(own[1] / own[0], 1) if own[0] else None,
    }


def number_the_books(orders: pl.DataFrame) -> pl.DataFrame:
    """Return the orders with ``book``, counted from 0 by slot and zone."""
    books = orders.select("slot", "zone").unique().sort("slot", "zone").with_row_index("book")
    return orders.drop("key").join(books, on=["slot", "zone"], how="left", maintain_order="left")


def run_races(pythons: Mapping[str, str | Path], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Time every duel of the peers there are on every case."""
    cases = [(options.orders, options.books)] if options.orders else CASES
    found = []
    for count, books in cases:
        orders = number_the_books(make_orders(count, books, "shuffled"))
        for duel in DUELS:
            if duel.peer in pythons:
                row = {"peer": duel.peer, "mechanism": duel.mechanism, "orders": count, "books": books}
                try:
                    row |= race(duel, pythons[duel.peer], orders, options.repeat, options.limit)
                except PeerError as problem:
                    row["failed"] = str(problem)
                found.append(row)
    return found


def compare(duel: Duel, python: str | Path, orders: pl.DataFrame, limit_s: float) -> list[dict[str, Any]]:
    """Count the findings of both sides of a duel over the same books, peer first."""
    best = best_of(orders)
    own = gridlab_books(orders, best, duel.rule, duel.options)
    mine = {"clearing": duel.own_name} | count_findings(own, best, own, one_price=duel.one_price)
    with facing(duel, python, orders, limit_s) as (process, file):
        process.clear()
        peer = books_of(orders, best, process.save(file))
    found = count_findings(peer, best, None if duel.by_lot else own, one_price=duel.one_price)
    return [{"clearing": f"{duel.peer} {duel.mechanism}"} | found, mine]


def run_comparisons(pythons: Mapping[str, str | Path], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Compare every duel of the peers there are on the small books, of both kinds of limits."""
    found: list[dict[str, Any]] = []
    for limits in LIMITS:
        orders = small_books(options.small_books, limits)
        for duel in DUELS:
            if duel.peer in pythons:
                try:
                    pair = compare(duel, pythons[duel.peer], orders, options.limit)
                except PeerError as problem:
                    pair = [{"clearing": f"{duel.peer} {duel.mechanism}", "problem": str(problem)}]
                found += [{"limits": limits} | row for row in pair]
    return found


@contextmanager
def environments(options: argparse.Namespace) -> Iterator[tuple[dict[str, str | Path], dict[str, str]]]:
    """Yield the interpreters of the peers, given or made, and why the others cannot be had."""
    given: dict[str, str | Path] = {peer: getattr(options, peer) for peer in REQUIREMENTS if getattr(options, peer)}
    missing: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        for peer in REQUIREMENTS if options.make else ():
            if peer not in given:
                try:
                    given[peer] = make_environment(peer, Path(folder))
                except PeerError as problem:
                    missing[peer] = str(problem)
        yield given, missing


def greet(pythons: Mapping[str, str | Path], missing: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the versions that each peer runs on; one that does not start goes over to the missing."""
    versions = {}
    orders = small_books(1, "distinct")
    for duel in DUELS:
        if duel.peer in pythons and duel.peer not in versions and duel.peer not in missing:
            try:
                with facing(duel, pythons[duel.peer], orders, 60) as (process, _):
                    versions[duel.peer] = process.packages
            except PeerError as problem:
                missing[duel.peer] = str(problem)
    return versions


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table; what does not apply is a dash."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=320, tbl_hide_column_data_types=True, fmt_str_lengths=120,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(frame.select(pl.all().cast(pl.String).fill_null("–")))


def report(versions: Mapping[str, Mapping[str, str]], missing: Mapping[str, str], tables: dict[str, Any]) -> None:
    """Print versions, what is missing, both tables and what their columns mean."""
    for peer, packages in versions.items():
        print(f"{peer}:", ", ".join(f"{name} {number}" for name, number in packages.items()))
    for peer, reason in missing.items():
        print(f"{peer}: cannot be run: {reason}")
    print(f"gridlab {gl.__version__}, polars {pl.__version__} on {pl.thread_pool_size()} threads\n")
    if tables["speed"]:
        show(tables["speed"])
        print("\nMean prices (THB/MWh) are what buyers pay. Of the books below, in so many\n")
        print(*(f"  {name}: {meaning}" for name, meaning in FIGURES.items()), sep="\n", end="\n\n")
        show(tables["agreement"])


def positive(text: str) -> int:
    """Return a whole number of at least 1, or raise what argparse makes an answer of."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def read_options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in REQUIREMENTS:
        parser.add_argument(f"--{peer}", metavar="PYTHON", help=f"interpreter of an environment that has {peer}")
    parser.add_argument("--make", action="store_true", help="make environments for the peers that are not given")
    parser.add_argument("--orders", type=positive, help="orders in the frame; with --books, instead of the usual cases")
    parser.add_argument("--books", type=positive, default=1, help="books in the frame (default: %(default)s)")
    parser.add_argument("--repeat", type=positive, default=5, help="repetitions (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=20, help="seconds per peer and case (default: %(default)s)")
    parser.add_argument("--small-books", type=positive, default=SMALL_BOOKS, help="compared (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of tables")
    return parser.parse_args()


def main() -> None:
    """Run the benchmark from the command line."""
    options = read_options()
    if not (options.make or any(getattr(options, peer) for peer in REQUIREMENTS)):
        print(HELP.format(packages=" and ".join(packages[0] for packages in REQUIREMENTS.values())), end="")
        return
    with environments(options) as (pythons, missing):
        versions = greet(pythons, missing)
        running = {peer: python for peer, python in pythons.items() if peer in versions}
        tables = {"speed": run_races(running, options), "agreement": run_comparisons(running, options)}
    if options.json:
        lines = [{"table": "versions", "versions": versions, "missing": missing}]
        lines += [{"table": name} | row for name, rows in tables.items() for row in rows]
        print(*map(json.dumps, lines), sep="\n")
        return
    report(versions, missing, tables)


if __name__ == "__main__":
    main()
