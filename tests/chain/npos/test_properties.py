"""What holds for every election: nothing lost, nothing given where it was not approved, everybody represented."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridlab.chain import npos

METHODS = [npos.seq_phragmen, npos.phragmms]


@st.composite
def elections(draw, least=0, most=2**64 - 1, voters=8, candidates=7):
    names = [f"candidate {number}" for number in range(draw(st.integers(1, candidates)))]
    stakes = st.one_of(st.integers(least, min(least + 20, most)), st.integers(least, most))
    approvals = st.lists(st.sampled_from(names), min_size=1, unique=True)
    votes = draw(st.lists(st.tuples(stakes, approvals), min_size=1, max_size=voters))
    return names, [(number, *vote) for number, vote in enumerate(votes)], draw(st.integers(1, candidates))


@pytest.mark.parametrize("method", METHODS)
@given(election=elections(), iterations=st.integers(0, 3))
def test_stakes_are_conserved_and_given_only_where_approved(method, election, iterations):
    names, votes, seats = election
    found = method(names, votes, seats, balance_iterations=iterations)
    elected = [winner for winner, _ in found.winners]
    assert len(set(elected)) == len(elected) <= min(seats, len(names))
    backed = Counter()
    for voter, stake, approved in votes:
        given_to = found.assignments.get(voter, {})
        assert set(given_to) <= set(approved) & set(elected)
        assert all(part > 0 for part in given_to.values())
        assert sum(given_to.values()) == (stake if given_to else 0)
        backed.update(given_to)
        # A voter is left out only if no winner is its own or its units are too few to go round.
        assert given_to or stake < len(set(approved) & set(elected)) or not set(approved) & set(elected) or stake == 0
    assert found.winners == [(winner, backed[winner]) for winner in elected]


@pytest.mark.parametrize("method", METHODS)
@given(election=elections())
def test_ratios_sum_to_a_billion_and_what_a_chain_recovers_to_the_stake(method, election):
    found = method(*election)
    for voter, parts in found.ratios.items():
        assert sum(parts.values()) == 10**9
        assert sum(found.staked[voter].values()) == found.stakes[voter]
        assert set(found.staked[voter]) <= set(found.assignments[voter])
    assert found.ratios.keys() == found.assignments.keys()


@given(election=elections(), iterations=st.integers(1, 5), tolerance=st.integers(0, 50))
def test_balancing_never_lowers_the_smallest_support_and_keeps_the_total(election, iterations, tolerance):
    plain = npos.seq_phragmen(*election)
    even = npos.seq_phragmen(*election, balance_iterations=iterations, tolerance=tolerance)
    assert [winner for winner, _ in plain.winners] == [winner for winner, _ in even.winners]
    assert even.score.least >= plain.score.least
    assert even.score.total == plain.score.total


@pytest.mark.parametrize("method", METHODS)
@given(election=elections(voters=6, candidates=5), shift=st.integers(1, 5))
def test_the_order_of_voters_changes_neither_winners_nor_seats(method, election, shift):
    names, votes, seats = election
    turned = votes[shift % len(votes) :] + votes[: shift % len(votes)]
    one, other = (method(names, each, 1) for each in (votes, turned))
    assert one.winners == other.winners  # the first seat: no assignment has been rounded yet
    if method is npos.seq_phragmen:
        # All seats: scores are sums over voters, each rounded on its own; weights are each voter's own.
        whole, again = (method(names, each, seats) for each in (votes, turned))
        assert whole.winners == again.winners
        assert whole.assignments == again.assignments


@pytest.mark.parametrize("method", METHODS)
@given(election=elections(), names=st.permutations(range(7)))
def test_what_candidates_and_voters_are_called_is_without_effect(method, election, names):
    before, votes, seats = election
    new = {name: f"other {names[place]}" for place, name in enumerate(before)}
    renamed = [((voter, "x"), stake, [new[one] for one in approved]) for voter, stake, approved in votes]
    found = method(before, votes, seats)
    again = method([new[name] for name in before], renamed, seats)
    assert again.winners == [(new[winner], stake) for winner, stake in found.winners]


@pytest.mark.parametrize("method", METHODS)
@given(election=elections())
def test_voters_without_stake_are_without_effect(method, election):
    names, votes, seats = election
    more = [(f"empty {place}", 0, [name]) for place, name in enumerate(names)]
    with_them = method(names, votes + more, seats)
    assert with_them.winners == method(names, votes, seats).winners
    assert not {name for name, _, _ in more} & set(with_them.assignments)


def deserved(winners, names, votes):
    """Proportional justified representation by its definition: every group, every set of shared candidates."""
    total = sum(stake for _, stake, _ in votes)
    for size in range(1, len(votes) + 1):
        for group in combinations(votes, size):
            shared = set(names).intersection(*(approved for _, _, approved in group))
            union = set().union(*(approved for _, _, approved in group))
            stake = sum(stake for _, stake, _ in group)
            claim = min(len(shared), stake * len(winners) // total)
            if len(union & set(winners)) < claim:
                return False
    return True


@pytest.mark.parametrize("method", METHODS)
@given(election=elections(least=1000, voters=6, candidates=6), iterations=st.integers(0, 3))
def test_every_group_is_represented_by_the_definition(method, election, iterations):
    names, votes, seats = election
    found = method(names, votes, seats, balance_iterations=iterations)
    assume(len(found.winners) == min(seats, len(names)))
    assert deserved([winner for winner, _ in found.winners], names, votes)


# The check compares stakes rounded to parts per billion with a threshold rounded down: it may doubt a result by that.
@given(election=elections(least=1_000_000), iterations=st.integers(0, 3))
def test_results_of_seq_phragmen_pass_the_check(election, iterations):
    names, votes, seats = election
    found = npos.seq_phragmen(names, votes, seats, balance_iterations=iterations)
    total, winners = sum(stake for _, stake, _ in votes), len(found.winners)
    threshold = total // winners + total // 10**8 + len(votes) + 1
    assert npos.pjr_check(found, names, votes, threshold=threshold)


@given(election=elections(least=1_000_000))
def test_results_of_phragmms_pass_the_check_once_balanced(election):
    names, votes, seats = election
    found = npos.phragmms(names, votes, seats, balance_iterations=10)
    assume(found.winners)
    total, winners = sum(stake for _, stake, _ in votes), len(found.winners)
    threshold = total // winners + total // 10**6 + len(votes) + 1
    assert npos.pjr_check(found, names, votes, threshold=threshold)
