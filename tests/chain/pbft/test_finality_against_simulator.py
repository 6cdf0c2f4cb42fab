"""The finality model against the simulator that sends every message: the same delays, the same distribution of times.

The simulator draws an exponential delay on top of the matrix, as the model does with shape 1 and no loss. All runs are
seeded, so a test that passes once passes always; what a level of 0.001 says is how easily it would have failed.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from gridlab.chain import keys, pbft
from gridlab.chain.encoding import text, u64
from gridlab.chain.pbft.cluster import Cluster
from gridlab.chain.pbft.finality import Finality
from gridlab.chain.pbft.finality_model import FinalityModel
from gridlab.chain.pbft.messages import Proposal
from gridlab.chain.pbft.wan import WideAreaNetwork

NETWORK = WideAreaNetwork(loss=0)
BLOCKS = 400
PAIRS = [keys.sandbox(0, f"validator {number}") for number in range(21)]


class EmptyBlock:
    """An application with one block, which holds nothing."""

    def propose(self, height):
        return Proposal(text("latency") + u64(height) + bytes(32), b"")

    def rival(self, _proposal):
        return None

    def check(self, _proposal):
        return None


def cluster_of(crashed, *, seed=0, timeout_ms=2000.0, jitter=NETWORK.jitter):
    cluster = Cluster(
        PAIRS,
        chain_id="latency",
        application=EmptyBlock(),
        latency_ms=NETWORK.delays_ms(),
        jitter=jitter,
        seed=seed,
        timeout_ms=timeout_ms,
    )
    for validator in crashed:
        cluster.crash(validator)
    return cluster


@pytest.fixture(scope="module")
def simulated():
    """Finality of consecutive blocks, a second apart, each run made once."""

    @cache
    def run(crashed=()):
        network = {"latency_ms": NETWORK.delays_ms(), "jitter": NETWORK.jitter}
        trace = pbft.simulate(n=21, blocks=BLOCKS, crashed=crashed, seed=2, **network)
        assert len(trace.finality_ms) == BLOCKS
        return np.array(trace.finality_ms)

    return run


def first_blocks(crashed, timeout_ms, runs):
    """Finality of the first block of many runs, from the moment that it was wanted."""
    times = []
    for seed in range(runs):
        cluster = cluster_of(crashed, seed=seed, timeout_ms=timeout_ms)
        decision = cluster.decide(1, limit_ms=1e6)
        assert decision.view_changes == len(crashed)
        times.append(sorted(decision.final_ms.values())[13])
    return np.array(times)


def same_quantile(one, other, share):
    """Whether the 99.9 % intervals of a quantile in two samples meet."""
    first, second = (
        Finality(np.float32(times), np.zeros(len(times), dtype=np.uint16)).quantile(share, confidence=0.999)
        for times in (one, other)
    )
    return first.low <= second.high and second.low <= first.high


@pytest.mark.parametrize("crashed", [(), (15, 16, 17, 18, 19, 20)])
def test_finality_is_distributed_as_in_the_simulator(crashed, simulated):
    sent = simulated(crashed)
    drawn = FinalityModel(NETWORK, availability=100).run(20_000, crashed=crashed, seed=1).finality_ms
    assert stats.ks_2samp(sent, drawn).pvalue > 0.001
    assert all(same_quantile(sent, drawn, share) for share in (0.1, 0.5, 0.9, 0.98))


def test_the_comparison_tells_a_queue_that_is_ten_per_cent_longer(simulated):
    sent = simulated()
    longer = WideAreaNetwork(loss=0, jitter=round(1.1 * NETWORK.jitter, 2))
    drawn = FinalityModel(longer, availability=100).run(20_000, seed=1).finality_ms
    assert stats.ks_2samp(sent, drawn).pvalue < 1e-6


# 1.5 s, not the default of 2 s: at 2 s the simulator's replicas also ask one another where they stand, which sends a
# few VIEW-CHANGEs a second time and so, now and then, lets one arrive earlier than the first would.
@pytest.mark.parametrize("crashed", [(0,), (0, 1), (0, 1, 2)])
def test_view_changes_take_as_long_as_in_the_simulator(crashed):
    sent = first_blocks(crashed, 1500.0, 60)
    model = FinalityModel(NETWORK, availability=100, timeout=1500)
    drawn = np.array([model.run(1, crashed=crashed, seed=seed).finality_ms[0] for seed in range(300)])
    assert stats.ks_2samp(sent, drawn).pvalue > 0.001
    assert same_quantile(sent, drawn, 0.5)


@pytest.mark.parametrize("crashed", [(), (0,), (0, 1), (0, 1, 2, 3, 4, 5), (14, 15, 16, 17, 18, 19, 20)])
def test_without_queues_model_and_simulator_agree_to_the_digit(crashed):
    cluster = cluster_of(crashed, jitter=0.0)
    decision = cluster.decide(1, limit_ms=1e6)
    model = FinalityModel(WideAreaNetwork(loss=0, jitter=0), availability=100)
    drawn = float(model.run(1, crashed=crashed).finality_ms[0])
    # float32 in the model.
    assert sorted(decision.final_ms.values())[13] == pytest.approx(drawn, rel=1e-6)


def test_eight_that_are_down_stop_both():
    cluster = cluster_of(range(8))
    assert cluster.decide(1, limit_ms=10_000.0) is None
    assert np.isinf(FinalityModel(NETWORK, availability=100).run(1, crashed=list(range(8))).finality_ms).all()
