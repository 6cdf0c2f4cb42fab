"""That the benchmarks run and print figures, and that the duel with other software judges, waits and gives up rightly.

No peer is installed or fetched here: where one is needed, a script of a few lines stands in for it.
"""

from __future__ import annotations

import json
import re
import sys
import time

import polars as pl
import pytest

import gridlab as gl
from benchmarks.peer_parts.comparison import best_of, books_of, count_findings, gridlab_books, small_books
from benchmarks.peer_parts.process import FOLDER, NotFinishedError, PeerError, PeerProcess
from benchmarks.peers import Duel, number_the_books, race
from tests.house import run

# Each in its smallest form, and a name that stands in what it prints beside a figure.
SMALLEST = {
    "clearing --orders 1000 --books 1 --repeat 1": "clear/sort",
    "continuous --orders 1000 --books 2 --repeat 1": "continuous/sort",
    "mechanisms --orders 1000 --books 4 --repeat 1": "vcg/uniform",
    "coupling --orders 300 --slots 2 --repeat 1": "couple/highs",
    "controls --prosumers 20 --moves 2": "moving the wheeling charge",
    "national_day --prosumers 2": "ratio_to_sort",
    "chain_throughput --traders 20 --transactions 40 --orders 200 --batch 50 --blocks 1": "chain/bare",
    "consensus --blocks 2 --repeat 1": "fresh/bare",
    "ledger --rows 1000 --repeat 1": "apply / group-by",
    "npos --nominators 60 --choices 4 --candidates 20 --seats 8 --repeat 1": "times as fast",
    "store --blocks 3 --rows 10 --repeat 1": "append/file",
    "finality --blocks 1000 --simulated 2 --repeat 1": "model/simulator",
    "channels --updates 50 --repeat 1": "pay_many/bare",
    "oracle --observations 1000 --signed 100 --repeat 1": "medians/polars",
    "feeds --days 3 --sites 2 --repeat 1": "loop/solar",
    "governance --voters 50 --repeat 1": "loop/count",
    "voters --votes 3 --repeat 1": "loop/outcome",
    "economics --years 0.2 --paths 4 --repeat 1": "loop/simulate",
    "liabilities --holders 1000 --repeat 1": "one by one",
    "shards --rows 500 --accounts 2000 --blocks 1 --share 20": "gain over one",
}
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="binds itself to one core, or sets a memory limit")


def benchmark(arguments: str) -> str:
    return run([sys.executable, "-W", "error", "-m", *f"benchmarks.{arguments}".split()])


@pytest.mark.parametrize(
    ("arguments", "figure"),
    [pytest.param(*case, marks=needs_linux if case[0].startswith("continuous") else ()) for case in SMALLEST.items()],
)
def test_benchmark_prints_its_figures(arguments, figure):
    printed = benchmark(arguments)
    assert figure in printed
    numbers = [float(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\.\d+\b", printed)]
    assert numbers
    assert max(numbers) > 0


def test_coupling_prints_its_figures_as_json():
    found = json.loads(benchmark("coupling --orders 300 --slots 2 --repeat 1 --json"))
    assert found["orders"] == 300
    assert found["couple_ms"] > 0
    assert found["couple/highs"] > 0


def test_peers_without_a_peer_says_what_to_give():
    printed = benchmark("peers")
    assert "--make" in printed
    assert "--assume ENV/bin/python --pymarket ENV/bin/python" in printed
    assert "assume-framework and pymarket" in printed


def test_peers_that_cannot_be_had_are_named_with_the_reason():
    printed = benchmark(f"peers --assume no-such-python --pymarket {sys.executable}")
    assert "assume: cannot be run: no-such-python cannot be started" in printed
    assert "pymarket: cannot be run: ModuleNotFoundError" in printed


# Two books. In the first the buy at 9 and the sell at 2 belong to every best allocation, the buy at 4 to none.
ORDERS = pl.DataFrame(
    {
        "order_id": pl.Series([0, 1, 2, 3, 4, 5], dtype=pl.UInt64),
        "book": [0, 0, 0, 0, 1, 1],
        "side": pl.Series(["buy", "buy", "sell", "sell", "buy", "sell"], dtype=pl.Enum(["buy", "sell"])),
        "price": [9_000, 4_000, 2_000, 6_000, 5_000, 5_000],
        "energy": [1_000, 1_000, 1_000, 1_000, 1_000, 1_000],
        "account": [0, 1, 2, 3, 4, 5],
        "slot": pl.Series(["2026-04-01 12:00"] * 4 + ["2026-04-01 12:15"] * 2).str.to_datetime("%F %R"),
        "zone": ["BKK"] * 6,
    }
)
GOOD = [[0, 1_000, 5_000_000], [2, 1_000, 5_000_000], [4, 1_000, 5_000_000], [5, 1_000, 5_000_000]]


def findings(fills, books=((0, None, None, None), (1, None, None, None)), *, one_price=True):
    best = best_of(ORDERS)
    own = gridlab_books(ORDERS, best, "uniform", {})
    return count_findings(books_of(ORDERS, best, {"books": books, "fills": fills}), best, own, one_price=one_price)


def faults(found):
    return {name: count for name, count in found.items() if count and name != "books"}


def test_an_efficient_outcome_has_no_faults():
    found = findings(GOOD)
    assert found["books"] == 2
    assert faults(found) == {}


@pytest.mark.parametrize(
    ("fills", "found"),
    [
        # Nothing trades in the first book: the only welfare there was, 7 THB, is lost.
        (GOOD[2:], {"volume differs": 1, "less volume": 1, "less welfare": 1, "welfare lost %": 100.0, "left out": 1}),
        # The orders at one and the same limit are left out: no welfare is lost, volume is.
        (GOOD[:2], {"volume differs": 1, "less volume": 1}),
        # The buy at 4,000 takes the place of the buy at 9,000: 2 of 7 THB are left.
        (
            [[1, 1_000, 3_000_000], [2, 1_000, 3_000_000], *GOOD[2:]],
            {"price differs": 1, "off price": 1, "less welfare": 1, "welfare lost %": 71.43, "left out": 1},
        ),
        # The seller gets 1 THB less than the buyer pays, then 1 THB more.
        ([[0, 1_000, 5_000_000], [2, 1_000, 4_000_000], *GOOD[2:]], {"price differs": 1, "kept": 1}),
        ([[0, 1_000, 5_000_000], [2, 1_000, 6_000_000], *GOOD[2:]], {"price differs": 1, "short": 1}),
        # A buy pays more than its limit of 9,000.
        (
            [[0, 1_000, 9_500_000], [2, 1_000, 9_500_000], *GOOD[2:]],
            {"price differs": 1, "off price": 1, "limit broken": 1},
        ),
        # Half of the energy is sold to nobody.
        ([[0, 500, 2_500_000], *GOOD[1:]], {"volume differs": 1, "less volume": 1, "less welfare": 1,
                                            "welfare lost %": 64.29, "unequal": 1, "short": 1}),
    ],
)  # fmt: skip
def test_each_fault_is_counted(fills, found):
    assert faults(findings(fills)) == found


def test_an_error_is_counted_and_its_book_is_left_out_of_the_rest():
    books = ((0, "ValueError: no", None, None), (1, None, None, None))
    assert faults(findings(GOOD[2:], books)) == {"failed": 1}


def test_a_peer_that_tells_volume_and_price_alone_is_judged_by_them():
    found = findings([], ((0, None, 1_000.0, 1_500.0), (1, None, 0.0, None)))
    assert faults(found) == {"volume differs": 1, "less volume": 1, "price differs": 1, "off price": 1}
    assert found["left out"] is None
    assert found["less welfare"] is None


@pytest.mark.parametrize("limits", ["distinct", "steps"])
def test_gridlab_is_without_fault_in_the_small_books(limits):
    orders = small_books(100, limits)
    best = best_of(orders)
    own = gridlab_books(orders, best, "uniform", {})
    assert faults(count_findings(own, best, own, one_price=True)) == {}
    assert orders.group_by("book").len()["len"].is_between(2, 12).all()
    assert (orders["price"].n_unique() == orders.height) is (limits == "distinct")


@pytest.mark.parametrize("limits", ["distinct", "steps"])
def test_an_order_counts_as_left_out_only_where_the_best_welfare_falls_without_it(limits):
    orders = small_books(12, limits, seed=1)
    best = best_of(orders)
    fills = gl.clear(orders, by="book").fills.select("order_id", "book", "filled", "amount")
    seen = 0
    for order, book in fills.filter(pl.col("filled") > 0).select("order_id", "book").rows():
        without = fills.with_columns(pl.when(pl.col("order_id") != order).then(pl.col("filled", "amount")).fill_null(0))
        outcome = {"books": [], "fills": without.select("order_id", "filled", "amount").rows()}
        marked = books_of(orders, best, outcome).filter("left_out")["book"].to_list()
        assert marked in ([], [book])
        if marked:
            welfare = best.filter(book=book)["welfare"].item()
            rest = gl.clear(orders.filter(pl.col("order_id") != order, book=book), by="book").prices["welfare"].sum()
            assert rest < welfare
            seen += 1
    assert seen > 10


STAND_IN = """
import sys, time
sys.path.insert(0, {folder!r})
from serving import Fill, Mechanism, Outcome, serve

def best_pair(book):
    print("what a peer prints must not disturb")
    buy = max((order for order in book if order.buying), key=lambda order: order.price)
    sell = min((order for order in book if not order.buying), key=lambda order: order.price)
    energy = min(buy.energy, sell.energy)
    return [Fill(buy.order_id, energy, energy * sell.price), Fill(sell.order_id, energy, energy * sell.price)]

def fail(book):
    raise ArithmeticError("no such book")

sleeps = Mechanism(list, lambda book: time.sleep(60), None)
serve({{"pair": Mechanism(list, best_pair, lambda _, fills: Outcome(fills)), "fail": Mechanism(list, fail, None),
       "sleep": sleeps, "end": Mechanism(list, lambda book: sys.exit(3), None)}}, ("polars",))
"""


@pytest.fixture
def stand_in(tmp_path):
    script = tmp_path / "serve_stand_in.py"
    script.write_text(STAND_IN.format(folder=str(FOLDER)), encoding="utf-8")
    orders = tmp_path / "orders.csv"
    ORDERS.select("book", "order_id", "side", "price", "energy").write_csv(orders)
    return lambda mechanism, limit_s=60: PeerProcess(sys.executable, script, mechanism, orders, limit_s)


@needs_linux
def test_a_peer_is_asked_and_answers(stand_in, tmp_path):
    with stand_in("pair") as process:
        assert process.packages == {"polars": pl.__version__}
        answer = process.clear()
        outcome = process.save(tmp_path / "outcome.json")
    assert answer["error"] is None
    assert answer["clear_s"] > 0
    assert outcome["books"] == [[0, None, None, None], [1, None, None, None]]
    assert outcome["fills"] == [[0, 1000, 2_000_000], [2, 1000, 2_000_000], [4, 1000, 5_000_000], [5, 1000, 5_000_000]]


@needs_linux
def test_a_peer_that_raises_tells_the_error(stand_in, tmp_path):
    with stand_in("fail") as process:
        assert process.clear()["error"] == "ArithmeticError: no such book"
        assert process.save(tmp_path / "outcome.json")["fills"] == []


@needs_linux
def test_a_peer_that_is_late_is_ended(stand_in):
    start = time.perf_counter()
    with stand_in("sleep", 0.2) as process, pytest.raises(NotFinishedError, match=r"not finished in 0\.2 s"):
        process.clear()
    assert time.perf_counter() - start < 30


@needs_linux
def test_a_peer_that_ends_by_itself_is_told_from_a_late_one(stand_in):
    with stand_in("end") as process, pytest.raises(PeerError, match="exited with 3"):
        process.clear()


@needs_linux
def test_a_race_gives_times_volume_and_price(stand_in, monkeypatch):
    monkeypatch.setattr("benchmarks.peers.PeerProcess", lambda *given: stand_in(given[2], given[4]))
    times = race(Duel("stand_in", "pair", "uniform"), sys.executable, ORDERS, repeat=2, limit_s=60)
    assert times["rounds"] == 2
    assert min(times["peer ms"], times["gridlab ms"], times["peer/gridlab"]) >= 0
    assert times["volume/gridlab"] == 1.0
    assert times["mean price"] == 3_500.0
    with pytest.raises(PeerError, match="ArithmeticError: no such book"):
        race(Duel("stand_in", "fail", "uniform"), sys.executable, ORDERS, repeat=2, limit_s=60)


def test_books_are_numbered_by_slot_and_zone():
    orders = ORDERS.rename({"book": "key"})
    assert number_the_books(orders)["book"].to_list() == ORDERS["book"].to_list()
