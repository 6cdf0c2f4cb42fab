"""What-if sweeps: every combination and seed once, the lab untouched, the same figures by any executor."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError

STAMP, RULE = "market.wheeling.postage_stamp", "market.rule"
SWEEP = {STAMP: [0.5, 1.07], RULE: ["uniform", "pay_as_bid"]}


@pytest.fixture(scope="module")
def lab():
    return gl.Lab.thailand(prosumers=15, seed=7)


@pytest.fixture(scope="module")
def frame(lab):
    return gl.what_if(lab, SWEEP, runs=2, slots=52).filter(pl.col("kpi") != "orders_per_second")


def test_shape(frame):
    assert frame.columns == [STAMP, RULE, "seed", "kpi", "value", "unit"]
    cases = frame.group_by(STAMP, RULE, "seed").len()
    assert cases.height == 8
    assert set(frame["seed"]) == {7, 8}
    assert cases["len"].n_unique() == 1


def test_a_row_is_what_the_lab_itself_gives(frame, lab):
    other = gl.Lab.thailand(prosumers=15, seed=8).set({STAMP: 0.5, RULE: "pay_as_bid"})
    alone = other.preview(slots=52).filter(pl.col("kpi") != "orders_per_second")
    mine = frame.filter((pl.col(STAMP) == 0.5) & (pl.col(RULE) == "pay_as_bid") & (pl.col("seed") == 8))
    assert mine.select("kpi", "value", "unit").equals(alone)


def test_what_is_asked_of_the_chain_runs_the_chain(lab):
    liars = gl.what_if(lab, {"consensus.liars": [0, 6]}, slots=8)
    changes = dict(liars.filter(kpi="view_changes").select("consensus.liars", "value").rows())
    assert changes[6] > changes[0] == 0
    assert liars.filter(kpi="savings")["value"].n_unique() == 1


def test_the_lab_is_untouched(frame, lab):
    assert lab.get(STAMP) == 1.07
    assert lab.get(RULE) == "uniform"
    assert lab.seed == 7


def test_threads_and_processes_give_the_same(frame, lab):
    with ThreadPoolExecutor(2) as pool:
        threads = gl.what_if(lab, SWEEP, runs=2, slots=52, executor=pool)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        processes = gl.what_if(lab, SWEEP, runs=2, slots=52, executor=pool)
    for other in (threads, processes):
        assert other.filter(pl.col("kpi") != "orders_per_second").equals(frame)


def test_a_pool_that_forks_does_not_hang(frame, lab):
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        other = gl.what_if(lab, SWEEP, runs=2, slots=52, executor=pool)
    assert other.filter(pl.col("kpi") != "orders_per_second").equals(frame)


def test_values_may_come_as_array_series_or_range(lab):
    for values in (np.array([0.5, 1.07]), pl.Series([0.5, 1.07]), (0.5, 1.07)):
        frame = gl.what_if(lab, {STAMP: values}, slots=4)
        assert frame[STAMP].unique().sort().to_list() == [0.5, 1.07]
    assert gl.what_if(lab, {"agents.pv_share": range(10, 30, 10)}, slots=4)["agents.pv_share"].n_unique() == 2


@pytest.mark.parametrize("levers", [None, [(STAMP, [1])], STAMP])
def test_levers_must_be_a_mapping(lab, levers):
    with pytest.raises(ArgumentTypeError, match="expected a mapping"):
        gl.what_if(lab, levers)


class _Cluster:
    """Speaks as much of dask.distributed.Client as a sweep needs."""

    def map(self, function, cases, pure):
        assert pure is False
        return [(function, case) for case in cases]

    def gather(self, futures):
        return [function(case) for function, case in futures]


def test_a_client_that_gathers_is_taken(frame, lab):
    other = gl.what_if(lab, SWEEP, runs=2, slots=52, executor=_Cluster())
    assert other.filter(pl.col("kpi") != "orders_per_second").equals(frame)


@pytest.mark.parametrize(
    ("levers", "options", "error"),
    [
        ({STAMP: [0.5, 99]}, {}, LeverError),
        ({"market.nothing": [1]}, {}, LeverError),
        ({STAMP: 0.5}, {}, ArgumentTypeError),
        ({RULE: "uniform"}, {}, ArgumentTypeError),
        ({STAMP: []}, {}, ArgumentTypeError),
        ({STAMP: [0.5]}, {"runs": 0}, ArgumentError),
        ({STAMP: [0.5]}, {"executor": 3}, ArgumentTypeError),
    ],
)
def test_bad_sweeps_are_refused_before_anything_is_computed(lab, levers, options, error):
    with pytest.raises(error):
        gl.what_if(lab, levers, slots=4, **options)


def test_no_lab_no_sweep():
    with pytest.raises(ArgumentTypeError, match="expected a Lab"):
        gl.what_if("thailand", {STAMP: [1]})
