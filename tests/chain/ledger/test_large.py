"""Large batches: every way gives the same ledger, the same results and the same bytes."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridlab.chain.ledger import ASSETS, CODES, PHASES, Ledger, kernels
from gridlab.errors import LedgerError

ROOT = Path(__file__).parents[3]
ACCOUNTS = 400
ROWS = 20_000


def random_batch(seed, *, poor, phases, shuffled, links):
    """Payments of 1 … 100 among accounts that hold little (`poor`) or plenty, of all phases or plain ones."""
    random = np.random.default_rng(seed)
    kind = random.choice(4, ROWS, p=[0.4, 0.3, 0.2, 0.1]) if phases else np.zeros(ROWS, np.int64)
    ids = random.permutation(ROWS) if shuffled else np.arange(ROWS)
    frame = pl.DataFrame(
        {
            "transfer_id": ids.astype(np.uint64),
            "debit_account": random.integers(2, ACCOUNTS, ROWS).astype(np.uint32),
            "credit_account": random.integers(0, ACCOUNTS, ROWS).astype(np.uint32),
            "asset": ASSETS.categories.gather(random.integers(0, 2, ROWS)).cast(ASSETS),
            "amount": random.integers(1, 101 if poor else 3, ROWS),
            "code": pl.Series(["energy"], dtype=CODES).new_from_index(0, ROWS),
            "phase": PHASES.categories.gather(kind).cast(PHASES),
            "timeout": np.where(kind == 1, random.integers(0, 2, ROWS), 0).astype(np.uint64),
            "linked": (random.random(ROWS) < 0.2) & (np.arange(ROWS) < ROWS - 1) if links else np.zeros(ROWS, np.bool_),
        }
    ).with_columns(
        credit_account=pl.when(pl.col("credit_account") == pl.col("debit_account"))
        .then(1)
        .otherwise("credit_account")
        .cast(pl.UInt32)
    )
    if not phases:
        return frame
    # A post or void names the nearest pending row before it, with the same accounts, most of the time.
    source = np.maximum.accumulate(np.where(kind == 1, np.arange(ROWS), 0))
    closing, sure = pl.Series(kind >= 2), pl.Series(random.random(ROWS) < 0.9)
    nearest = frame[source]
    sides = [
        pl.when(closing & sure).then(nearest[name]).otherwise(pl.col(name)).alias(name)
        for name in ("debit_account", "credit_account", "asset")
    ]
    named = pl.when(closing).then(nearest["transfer_id"]).otherwise(0).cast(pl.UInt64).alias("pending_id")
    return frame.with_columns(*sides, named, amount=pl.when(closing).then(0).otherwise("amount"))


def funded():
    book = Ledger(ACCOUNTS, issuers={"WATT": [0], "THB": [1]}, backing={"WATT": "THB"})
    for number, (asset, issuer) in enumerate([("THB", 1), ("WATT", 0)]):
        accounts = np.arange(2, ACCOUNTS, dtype=np.uint32)
        book.apply(
            pl.DataFrame(
                {
                    "transfer_id": (accounts + number * ACCOUNTS).astype(np.uint64),
                    "debit_account": np.full(len(accounts), issuer, np.uint32),
                    "credit_account": accounts,
                    "asset": [asset] * len(accounts),
                    "amount": np.full(len(accounts), 300),
                    "code": ["mint"] * len(accounts),
                }
            ),
            sender=2**32 - 1,
        )
    book.set_limit(7, "WATT", 320)
    return book


CASES = {
    "rich": {"poor": False, "phases": False, "shuffled": False, "links": False},
    "rich and shuffled": {"poor": False, "phases": False, "shuffled": True, "links": False},
    "poor": {"poor": True, "phases": False, "shuffled": False, "links": False},
    "poor and linked": {"poor": True, "phases": False, "shuffled": True, "links": True},
    "phases": {"poor": True, "phases": True, "shuffled": False, "links": False},
    "phases and links": {"poor": True, "phases": True, "shuffled": True, "links": True},
}


@pytest.mark.skipif(not find_spec("numba"), reason="needs the extra gridlab[fast]")
@pytest.mark.parametrize("case", CASES)
def test_every_way_gives_the_same(case, monkeypatch):
    frame, seen = random_batch(5, **CASES[case]), []
    senders = np.random.default_rng(6).integers(0, 50, ROWS) if CASES[case]["shuffled"] else 3
    for compiled in (False, True):
        monkeypatch.setattr(kernels, "pays_to_compile", lambda _, compiled=compiled: compiled)
        book = funded()
        whole = book.fork()
        results = book.apply_each(frame, senders, now=10)
        try:
            whole.apply(frame, sender=3, now=10)
        except LedgerError as problem:
            assert whole.to_bytes() == funded().to_bytes()
            seen.append((results.codes.tobytes(), book.root, str(problem)))
        else:
            seen.append((results.codes.tobytes(), book.root, whole.root))
        assert book.balances.select("WATT", "THB").sum().row(0) == (0, 0)
        assert 0 < results.applied <= ROWS
        assert Ledger.from_bytes(book.to_bytes()).root == book.root
    assert seen[0] == seen[1]


def test_the_rows_one_by_one_give_what_the_batch_gives():
    frame = random_batch(8, poor=True, phases=True, shuffled=False, links=False).head(1_500)
    book, single = funded(), funded()
    codes = book.apply_each(frame, 3, now=1).codes
    one_by_one = [single.apply_each(frame[row], 3, now=1).codes[0] for row in range(frame.height)]
    assert codes.tolist() == one_by_one
    assert single.root == book.root
    assert single.to_bytes() == book.to_bytes()


def test_importing_the_ledger_loads_no_compiler():
    code = "import sys, gridlab.chain.ledger; print(sorted({'numba', 'scipy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def test_without_numba_large_batches_go_at_once(monkeypatch):
    kernels._can_compile.cache_clear()
    monkeypatch.setitem(sys.modules, "gridlab.chain.ledger.compiled", None)
    try:
        assert not kernels.pays_to_compile(10**9)
        book = funded()
        frame = random_batch(5, **CASES["rich"])
        assert book.apply_each(frame, 3).applied > 0
    finally:
        kernels._can_compile.cache_clear()


def test_walks_in_python_that_have_cost_as_much_as_loading_numba_let_it_be_loaded(monkeypatch):
    monkeypatch.setattr(kernels, "_MODULE", "gridlab.chain.ledger.compiled_elsewhere")
    monkeypatch.setattr(kernels, "_can_compile", lambda: True)
    monkeypatch.setattr(kernels._walked, "rows", kernels.WALKED_BEFORE_LOADING - 1, raising=False)
    assert not kernels.pays_to_compile(kernels.COMPILED_FROM - 1)
    kernels._walked.rows += 1
    assert kernels.pays_to_compile(kernels.COMPILED_FROM_ONCE_LOADED)
    assert not kernels.pays_to_compile(kernels.COMPILED_FROM_ONCE_LOADED - 1)
