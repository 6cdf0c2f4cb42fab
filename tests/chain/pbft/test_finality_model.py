"""The finality model: equal to a slow reference on the same delays, right where the answer is known, honest in size."""

import heapq
import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gridlab.chain.pbft.finality import Finality
from gridlab.chain.pbft.finality_model import BLOCKS_A_YEAR, FinalityModel
from gridlab.chain.pbft.finality_outages import outage_spans
from gridlab.chain.pbft.finality_phases import agree, elect, kth_arrival
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.chain.pbft.wan import WideAreaNetwork
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError

STEADY = {"jitter": 0, "loss": 0}


class Recorder(WideAreaNetwork):
    """A network that keeps what it drew."""

    def sample(self, delays_ms, count, rng):
        drawn = super().sample(delays_ms, count, rng)
        self.__dict__.setdefault("kept", []).append(drawn.copy())
        return drawn


def agree_one_by_one(sent, primary, prepare, commit, needed):
    """One block: deliver votes one by one in the order of arrival. prepare[j][i] is the delay from i to j."""
    size = len(sent)
    waiting = [(sent[j], 0, j, j) for j in range(size)]  # 0: the pre-prepare is there
    heapq.heapify(waiting)
    prepares, commits = ([set() for _ in range(size)] for _ in range(2))
    accepted, prepared, committed = ([None] * size for _ in range(3))
    while waiting:
        now, kind, sender, at = heapq.heappop(waiting)
        if kind == 0:
            accepted[at] = now
            prepares[at].add(primary)
            if at != primary:
                prepares[at].add(at)
                for other in range(size):
                    if other != at:
                        heapq.heappush(waiting, (now + prepare[other][at], 1, at, other))
        (prepares if kind == 1 else commits)[at].add(sender) if kind else None
        if accepted[at] is not None and prepared[at] is None and len(prepares[at]) >= needed:
            prepared[at] = now
            commits[at].add(at)
            for other in range(size):
                if other != at:
                    heapq.heappush(waiting, (now + commit[other][at], 2, at, other))
        if prepared[at] is not None and committed[at] is None and len(commits[at]) >= needed:
            committed[at] = now
    return committed


def elect_one_by_one(expiry, delay, needed, join):
    """One view change: deliver VIEW-CHANGEs one by one. delay[j][i] is the delay from i to j."""
    size = len(expiry)
    waiting = [(expiry[j], 0, j, j) for j in range(size)]  # 0: the own timer runs out
    heapq.heapify(waiting)
    heard = [set() for _ in range(size)]
    sent, gathered = [None] * size, [None] * size
    while waiting:
        now, kind, sender, at = heapq.heappop(waiting)
        if kind == 1:
            heard[at].add(sender)
        if sent[at] is None and (kind == 0 or len(heard[at]) >= join):
            sent[at] = now
            heard[at].add(at)
            for other in range(size):
                if other != at:
                    heapq.heappush(waiting, (now + delay[other][at], 1, at, other))
        if sent[at] is not None and gathered[at] is None and len(heard[at]) >= needed:
            gathered[at] = now
    return sent, gathered


@st.composite
def rounds(draw):
    size = draw(st.integers(1, 9))
    needed = draw(st.sampled_from(sorted({quorum(size), max(1, size - 1), size})))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Multiples of 1/8 below 64: float32 adds them exactly, and some of them are equal.
    drawn = (generator.integers(1, 512, (4, size, size)) / 8).astype(np.float32)
    for matrix in drawn:
        np.fill_diagonal(matrix, 0)
    return size, needed, drawn


@given(rounds())
def test_agreement_equals_the_delivery_of_vote_by_vote(case):
    size, needed, (first, prepare, commit, _) = case
    primary = size // 2
    arrival = first[:, primary].copy()
    found = agree(arrival[None], np.array([primary]), prepare[None].copy(), commit[None].copy(), needed)
    assert found[0].tolist() == agree_one_by_one(arrival.tolist(), primary, prepare.tolist(), commit.tolist(), needed)


@given(rounds())
def test_view_change_equals_the_delivery_of_message_by_message(case):
    size, needed, (first, delay, _, _) = case
    join = max_faulty(size) + 1
    expiry = first.sum(axis=1)
    sent, gathered = elect(expiry[None], delay[None].copy(), needed, join)
    reference = elect_one_by_one(expiry.tolist(), delay.tolist(), needed, join)
    assert (sent[0].tolist(), gathered[0].tolist()) == reference


def test_the_k_th_arrival_is_the_k_th_smallest():
    sent = np.array([[0, 10, np.inf]], dtype=np.float32)
    delays = np.array([[[5, 1, 0], [20, 0, 0]]], dtype=np.float32)
    assert kth_arrival(sent, delays.copy(), 1).tolist() == [[5, 10]]
    assert kth_arrival(sent, delays.copy(), 2).tolist() == [[11, 20]]
    assert kth_arrival(sent, delays.copy(), 3).tolist() == [[math.inf, math.inf]]


@pytest.mark.parametrize("crashed", [(), (0,), (0, 1, 5), (2, 9, 20)])
def test_a_run_equals_the_reference_on_the_delays_it_drew(crashed):
    network = Recorder(loss=5)
    model = FinalityModel(network, availability=100, timeout=300)
    blocks = 40
    found = model.run(blocks, crashed=crashed, seed=4)
    running = [v for v in range(21) if v not in crashed]
    failed = running[0]
    kept = iter(network.kept)
    if failed:
        assert found.view_changes.tolist() == [failed] + [0] * (blocks - 1)
    expected = []
    # The model times the blocks without a view change first.
    for count, failures in ((blocks - 1, 0), (1, failed)) if failed else ((blocks, 0),):
        expected = rounds_by_reference(kept, count, failures, len(running), 300.0) + expected
    # float32 in the model, float64 in the reference.
    assert found.finality_ms == pytest.approx(np.array(expected), rel=1e-5)


def own_at_once(delays):
    for matrix in delays:
        np.fill_diagonal(matrix, 0)
    return delays


def rounds_by_reference(kept, count, failures, size, timeout):
    changes = [own_at_once(next(kept)) for _ in range(failures)]
    first = next(kept)[0]
    if failures:  # NEW-VIEW beside the pre-prepare
        first = np.maximum(first, next(kept)[0])
    prepare, commit = own_at_once(next(kept)), own_at_once(next(kept))
    times = []
    for block in range(count):
        start, expiry = 0.0, [timeout] * size
        for failure in range(failures):
            _, gathered = elect_one_by_one(expiry, changes[failure][block].tolist(), 14, 7)
            start = gathered[0]
            expiry = [moment + timeout * 2**failure for moment in gathered]
        arrival = [start + delay for delay in first[block].tolist()]
        arrival[0] = start
        done = agree_one_by_one(arrival, 0, prepare[block].tolist(), commit[block].tolist(), 14)
        times.append(sorted(done)[13])
    return times


@pytest.mark.parametrize("crashed", [(), (20, 19, 18, 17, 16, 15), (14, 15, 16, 17, 18, 19, 20)])
def test_three_equal_delays_where_nothing_varies(crashed):
    model = FinalityModel(WideAreaNetwork(**STEADY), delays_ms=10 * (1 - np.eye(21)), availability=100)
    assert (model.run(50, crashed=crashed).finality_ms == 30).all()


@pytest.mark.parametrize(("crashed", "failures"), [([0], 1), ([0, 1], 2), ([0, 1, 2, 3, 4, 5], 6)])
def test_a_primary_that_is_down_costs_doubling_timeouts_once(crashed, failures):
    model = FinalityModel(WideAreaNetwork(**STEADY), delays_ms=10 * (1 - np.eye(21)), availability=100, timeout=1000)
    found = model.run(5, crashed=crashed)
    # 1, 1, 2, 4 … s by Castro and Liskov 1999, a VIEW-CHANGE per view, and NEW-VIEW, prepare and commit.
    first = 1000 * 2 ** (failures - 1) + 10 * failures + 30
    assert found.finality_ms.tolist() == [first, 30, 30, 30, 30]
    assert found.view_changes.tolist() == [failures, 0, 0, 0, 0]


def test_a_rotating_primary_that_is_down_costs_a_view_change_in_every_turn():
    levers = {"primary": "rotating", "availability": 100, "timeout": 1000}
    model = FinalityModel(WideAreaNetwork(**STEADY), delays_ms=10 * (1 - np.eye(21)), **levers)
    found = model.run(63, crashed=[3, 4])
    assert np.flatnonzero(found.view_changes).tolist() == [3, 4, 24, 25, 45, 46]
    assert found.finality_ms[[2, 3, 4, 5]].tolist() == [30, 2050, 1040, 30]


def test_fourteen_that_run_reach_finality_and_thirteen_do_not():
    model = FinalityModel(availability=100)
    assert np.isfinite(model.run(200, crashed=list(range(14, 21))).finality_ms).all()
    stopped = model.run(200, crashed=list(range(13, 21)))
    assert np.isinf(stopped.finality_ms).all()
    assert stopped.summary().filter(figure="blocks without a quorum")["value"].item() == 200


def test_one_validator_agrees_with_itself_at_once():
    model = FinalityModel(delays_ms=[[0]], availability=100)
    assert model.quorum == 1
    assert model.run(3).finality_ms.tolist() == [0, 0, 0]


def test_p99_is_under_three_seconds_by_the_default_table():
    found = FinalityModel().run(100_000, seed=1)
    assert found.quantile(0.99).high < 3_000
    assert found.within(3_000).low > 0.99


def test_a_quorum_hides_the_slowest_validators():
    slow = FinalityModel(WideAreaNetwork(yala=400, nakhon_si_thammarat=400), availability=100).run(5_000)
    usual = FinalityModel(availability=100).run(5_000)
    assert slow.quantile(0.5).value < usual.quantile(0.5).value + 5
    alone = FinalityModel(WideAreaNetwork(yala=400, nakhon_si_thammarat=400), quorum=21, availability=100).run(500)
    assert alone.quantile(0.5).value > 1_000


def test_equal_seeds_give_equal_runs_and_other_seeds_others():
    model = FinalityModel(availability=95, outage=0.1)
    one, same, other = (model.run(3_000, seed=seed) for seed in (7, 7, 8))
    assert one.frame.equals(same.frame)
    assert not one.frame.equals(other.frame)


def test_moving_a_lever_of_the_network_moves_the_model():
    model = FinalityModel(availability=100)
    before = model.run(500).quantile(0.5).value
    model.set({"network.bangkok": 50, "network.nonthaburi": 50})
    assert model.run(500).quantile(0.5).value > before + 50


def test_progress_is_shown_when_asked_for_and_only_then(capsys):
    model = FinalityModel(availability=100)
    model.run(2_000)
    assert capsys.readouterr().err == ""
    model.run(2_000, progress=True)
    assert "finality" in capsys.readouterr().err


def test_memory_grows_by_six_bytes_a_block():
    model = FinalityModel()
    model.run(5_000)
    tracemalloc.start()
    try:
        found = model.run(120_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.finality_ms.nbytes + found.view_changes.nbytes == 6 * 120_000
    assert peak < 6 * 120_000 + 24e6
    assert BLOCKS_A_YEAR == 31_536_000


@given(st.integers(1, 3_000), st.integers(1, 8), st.floats(0.5, 1.0), st.floats(1, 500), st.integers(0, 2**32))
def test_spans_cover_the_run_and_the_crashed_never_run(blocks, validators, availability, outage, seed):
    crashed = list(range(validators // 3))
    spans = list(
        outage_spans(
            blocks,
            validators,
            crashed=crashed,
            availability=availability,
            outage_blocks=outage,
            rng=np.random.default_rng(seed),
        )
    )
    assert [span.start for span in spans] == [0, *(span.stop for span in spans[:-1])]
    assert spans[-1].stop == blocks
    assert all(span.start < span.stop for span in spans)
    running = [span.running.tolist() for span in spans]
    assert all(sorted(set(now)) == now and not set(now) & set(crashed) for now in running)
    assert all(now != following for now, following in pairwise(running))


def test_validators_run_for_the_share_of_the_lever_in_outages_of_its_length():
    blocks, outage = 2_000_000, 200.0
    spans = list(
        outage_spans(blocks, 5, crashed=[], availability=0.9, outage_blocks=outage, rng=np.random.default_rng(3))
    )
    lengths = np.array([span.stop - span.start for span in spans])
    up = np.array([np.isin(np.arange(5), span.running) for span in spans])
    shares = (lengths[:, None] * up).sum(axis=0) / blocks
    # 1,000 cycles: the share of each has a standard deviation of about 0.004.
    assert shares == pytest.approx(np.full(5, 0.9), abs=0.02)
    falls = (up[:-1] & ~up[1:]).sum()
    assert (lengths[:, None] * ~up).sum() / falls == pytest.approx(outage, rel=0.1)


def test_a_primary_that_fails_hands_over_once_and_stays_deposed():
    model = FinalityModel(availability=97, outage=0.1)
    found = model.run(100_000, seed=2)
    changed = np.count_nonzero(found.view_changes)
    # Outages last 360 blocks; a primary runs for 360 x 97 / 3 more blocks on average, so that about 9 fall.
    assert 2 <= changed <= 20
    quiet = found.finality_ms[found.view_changes == 0]
    assert quiet.max() < model.timeout


def test_quantile_and_its_interval_are_the_order_statistics_of_david_and_nagaraja_2003():
    count, share = 1_000, 0.9
    found = Finality(np.random.default_rng(0).permutation(np.arange(1, count + 1)).astype(np.float32), np.zeros(count))
    estimate = found.quantile(share)
    assert estimate.value == 900
    low, high = int(estimate.low), int(estimate.high)
    covered = sum(math.comb(count, i) * share**i * (1 - share) ** (count - i) for i in range(low, high))
    assert 0.95 <= covered < 0.97


def test_intervals_cover_the_true_quantile_as_often_as_they_say():
    generator = np.random.default_rng(1)
    truth = -math.log(1 - 0.99)
    samples = generator.standard_exponential((600, 1_500), dtype=np.float32)
    found = [Finality(sample, np.zeros(1_500, dtype=np.uint16)).quantile(0.99) for sample in samples]
    hits = sum(estimate.low <= truth <= estimate.high for estimate in found)
    assert hits >= stats.binom.ppf(0.001, 600, 0.95)


def test_a_small_sample_bounds_no_high_quantile():
    estimate = Finality(np.arange(10, dtype=np.float32), np.zeros(10, dtype=np.uint16)).quantile(0.99)
    assert estimate.high == math.inf
    assert estimate.value == 9


def test_share_within_a_limit_has_the_interval_of_clopper_and_pearson_1934():
    found = Finality(np.array([1.0] * 8 + [5.0, np.inf], dtype=np.float32), np.zeros(10, dtype=np.uint16))
    reached = found.within(3)
    exact = stats.binomtest(8, 10).proportion_ci(0.95, method="exact")
    assert (reached.value, reached.low, reached.high) == pytest.approx((0.8, exact.low, exact.high))
    assert found.within(0).low == 0
    assert found.within(math.inf).high == 1


def test_summary_and_frame_say_what_was_found():
    found = FinalityModel(availability=100).run(2_000, seed=3)
    summary = found.summary(limit_ms=2_500)
    assert summary.columns == ["figure", "value", "low", "high", "unit"]
    row = summary.filter(figure="p99").row(0, named=True)
    estimate = found.quantile(0.99)
    assert (row["value"], row["low"], row["high"]) == (estimate.value, estimate.low, estimate.high)
    assert summary.filter(figure="within 2500 ms")["value"].item() == 100.0
    assert summary.filter(figure="blocks")["value"].item() == 2_000
    assert found.frame.columns == ["block", "finality_ms", "view_changes"]
    assert found.frame["finality_ms"].to_list() == found.finality_ms.tolist()
    assert repr(found).startswith("Finality(2,000 blocks, p50 ")


def test_levers_have_units_sources_and_thai_labels():
    frame = FinalityModel().levers()
    assert {"primary", "timeout", "availability", "outage", "network.yala", "network.loss"} <= set(frame["path"])
    assert frame["path"].is_unique().all()
    assert frame["label_th"].str.contains(r"[\u0E00-\u0E7F]").all()
    assert frame["source"].str.contains(r"\((V|S|G)").all()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"network": 3}, ArgumentTypeError, "allowed: a WideAreaNetwork"),
        ({"placement": ["Paris"]}, ArgumentError, "'Paris'"),
        ({"placement": 3}, ArgumentTypeError, "placement is a int"),
        ({"placement": ["Yala"], "delays_ms": [[0]]}, ArgumentError, "both given"),
        ({"delays_ms": [[0, 1]]}, ArgumentError, "shape"),
        ({"quorum": 22}, ArgumentError, "quorum is 22"),
        ({"quorum": 0}, ArgumentError, "quorum is 0"),
        ({"quorum": 14.0}, ArgumentTypeError, "whole number"),
        ({"timeout": 0}, LeverError, "10.0 to 600000.0 ms"),
        ({"primary": "random"}, LeverError, "'sticky', 'rotating'"),
    ],
)
def test_a_model_of_nothing_sensible_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        FinalityModel(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"blocks": 0}, ArgumentError, "blocks is 0"),
        ({"blocks": 1e6}, ArgumentTypeError, "whole number"),
        ({"crashed": [21]}, ArgumentError, r"crashed\[0\] is 21, allowed: at least 0 and at most 20"),
        ({"crashed": [-1]}, ArgumentError, r"crashed\[0\] is -1"),
        ({"crashed": 3}, ArgumentTypeError, "list or tuple of int"),
        ({"crashed": [True]}, ArgumentTypeError, "whole number"),
        ({"seed": -1}, ArgumentTypeError, "integer >= 0"),
        ({"interval_ms": 0}, ArgumentError, "interval_ms is 0"),
        ({"interval_ms": "1"}, ArgumentTypeError, "a number of ms"),
    ],
)
def test_a_run_of_nothing_sensible_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        FinalityModel().run(**arguments)


@pytest.mark.parametrize("share", [0, 1, -0.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(share):
    found = Finality(np.ones(5, dtype=np.float32), np.zeros(5, dtype=np.uint16))
    for call in (found.quantile, lambda value: found.quantile(0.5, confidence=value)):
        with pytest.raises(ArgumentError, match="above 0 and below 1"):
            call(share)


@pytest.mark.parametrize("wrong", ["0.5", None, True])
def test_what_is_no_number_is_refused(wrong):
    found = Finality(np.ones(5, dtype=np.float32), np.zeros(5, dtype=np.uint16))
    for call in (found.quantile, found.within):
        with pytest.raises(ArgumentTypeError):
            call(wrong)
