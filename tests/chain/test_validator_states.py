"""How validators stand, before the first block and after it: what was planned is what then is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import PbftOrdering
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.validator_states import VALIDATOR_STATES, Planned
from gridlab.errors import ArgumentError, ArgumentTypeError

ACTS = st.one_of(
    st.tuples(st.just("corrupt"), st.integers(0, 6), st.sampled_from([None, *KINDS])),
    st.tuples(st.sampled_from(["crash", "restart"]), st.integers(0, 6)),
    st.tuples(st.just("partition"), st.sets(st.integers(0, 6)).map(lambda side: [sorted(side)])),
    st.tuples(st.just("heal")),
)


def test_a_new_ordering_has_honest_validators_in_a_whole_network():
    ordering = PbftOrdering.of(21)
    states = ordering.states
    assert dict(states.schema) == dict(VALIDATOR_STATES)
    assert states["public_key"].to_list() == [hexadecimal(key) for key in ordering.validators]
    assert states["up"].all()
    assert states["lie"].null_count() == states["side"].null_count() == 21
    assert states.filter(states["primary"])["validator"].to_list() == [0]
    assert (ordering.can_seal, ordering.stopped, ordering.view) == (True, False, 0)


@given(st.lists(ACTS, max_size=8))
def test_what_is_planned_before_the_first_block_is_what_the_cluster_then_is(started, acts):
    ordering, cluster = PbftOrdering.of(7), started()
    for name, *arguments in acts:
        getattr(ordering, name)(*arguments)
        getattr(cluster, name)(*arguments)
    planned = ordering.states
    assert {v: lie for v, lie in enumerate(planned["lie"]) if lie is not None} == cluster.corrupted
    assert tuple(v for v, up in enumerate(planned["up"]) if not up) == cluster.crashed
    sides = cluster.sides
    assert planned["side"].to_list() == [None if sides is None else sides.get(v, 0) for v in range(7)]


@pytest.fixture(scope="module")
def started():
    """Make clusters of seven, each as it starts."""
    from gridlab.chain.keys import sandbox
    from gridlab.chain.pbft import Cluster

    class Nothing:
        def propose(self, _height):
            return None

        def rival(self, _proposal):
            return None

        def check(self, _proposal):
            return None

    pairs = [sandbox(0, f"validator {number}") for number in range(7)]
    return lambda: Cluster(pairs, chain_id="states", application=Nothing())


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda ordering: ordering.corrupt(21, "silent"), ArgumentError),
        (lambda ordering: ordering.corrupt(0, "silently"), ArgumentError),
        (lambda ordering: ordering.corrupt(0, 3), ArgumentTypeError),
        (lambda ordering: ordering.crash(-1), ArgumentError),
        (lambda ordering: ordering.restart("0"), ArgumentTypeError),
        (lambda ordering: ordering.partition([[0], [0]]), ArgumentError),
    ],
)
def test_what_the_cluster_would_refuse_is_refused_before_it_starts(act, problem):
    ordering = PbftOrdering.of(21)
    before = ordering.states
    with pytest.raises(problem):
        act(ordering)
    assert ordering.states.equals(before)


def test_stop_and_resume_are_planned_too():
    planned = Planned(4)
    planned.stop()
    assert planned.stopped
    planned.resume()
    assert not planned.stopped


def test_public_keys_alone_cannot_seal():
    assert not PbftOrdering.checking(PbftOrdering.of(4).authority).can_seal
