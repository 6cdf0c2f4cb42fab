"""GRANDPA's rule for all nodes at once, against the paper's definitions for one node with sets and dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.public import grandpa, supermajority
from gridlab.chain.public.grandpa import Votes
from gridlab.chain.public.tree import BlockTree, Window

NODES = 3


def ancestors(parents, block):
    found = [block]
    while block:
        block = parents[block]
        found.append(block)
    return found


def reference(parents, weights, votes, node, now, known):
    """Support of each block, who voted and who lied, as the definitions say.

    `votes` is a list of (voter, block, arrival by node), `known` the time at which the node has each block.
    """
    seen = {}
    for voter, block, arrival in votes:
        if arrival[node] <= now and known[block] <= now:
            seen.setdefault(voter, []).append(block)
    liars = {voter for voter, blocks in seen.items() if len(blocks) > 1}
    support = {}
    for block in range(len(parents)):
        backing = {v for v, blocks in seen.items() if any(block in ancestors(parents, b) for b in blocks)}
        support[block] = sum(weights[v] for v in backing | liars)
    return support, sum(weights[v] for v in seen), sum(weights[v] for v in liars)


def reference_ghost(parents, support, threshold):
    heights = {block: len(ancestors(parents, block)) for block in support}
    best = [block for block in support if support[block] >= threshold]
    return max(best, key=lambda block: (heights[block], -block)) if best else None


def reference_round(parents, weights, prevotes, precommits):
    """Ghost, estimate and completability from two (support, voted, lied)."""
    total, threshold = sum(weights), supermajority(sum(weights))
    ghost = reference_ghost(parents, prevotes[0], threshold)
    if ghost is None:
        return None, None, False

    def possible(block):
        support, voted, lied = precommits
        bearable = max(total - threshold - lied, 0)
        return support[block] + min(voted - support[block], bearable) + total - voted >= threshold

    if precommits[1] < threshold:
        return ghost, ghost, False
    way = [block for block in ancestors(parents, ghost) if possible(block)]
    estimate = way[0] if way else ghost
    above = [b for b in range(len(parents)) if b != ghost and ghost in ancestors(parents, b)]
    return ghost, estimate, estimate != ghost or not any(possible(b) for b in above)


@st.composite
def rounds(draw):
    """A tree of blocks, voters with weights, and votes of two phases, some of them double."""
    size = draw(st.integers(1, 7))
    parents = [0, *(draw(st.integers(0, block - 1)) for block in range(1, size))]
    weights = draw(st.lists(st.integers(1, 5), min_size=1, max_size=7))
    known = [[0] * NODES] + [[draw(st.integers(0, 12)) for _ in range(NODES)] for _ in range(size - 1)]
    for block in range(1, size):
        known[block] = [max(pair) for pair in zip(known[block], known[parents[block]], strict=True)]
    phases = []
    for _ in range(2):
        votes = []
        for voter in range(len(weights)):
            votes += [
                (voter, block, [draw(st.integers(0, 12)) for _ in range(NODES)])
                for block in draw(st.lists(st.integers(0, size - 1), max_size=2, unique=True))
            ]
        phases.append(votes)
    return parents, weights, known, phases


def window_of(parents, known):
    tree, window = BlockTree(), Window(NODES)
    for block in range(1, len(parents)):
        tree.add(parents[block], block, 0, primary=True, variant=0, written=0)
        window.add(block, tree, np.array(known[block], float))
    return window


def votes_of(votes, voters):
    made = Votes(voters, NODES)
    rows = {}
    for voter, block, arrival in votes:
        row = rows.get(voter, 0)
        made.cast(np.array([voter]), block, np.array([arrival], float), row=row)
        rows[voter] = row + 1
    return made


@given(rounds(), st.integers(0, 12))
def test_rounds_are_those_of_the_definitions(case, now):
    parents, weights, known, phases = case
    window = window_of(parents, known)
    tallies = [grandpa.tally(votes_of(votes, len(weights)), window, np.array(weights, float), now) for votes in phases]
    ghosts = grandpa.ghost(tallies[0].decided, window)
    estimates = grandpa.estimate(ghosts, tallies[1], window)
    done = grandpa.completable(ghosts, estimates, tallies[1], window)
    for node in range(NODES):
        seen = [known[block][node] for block in range(len(parents))]
        plain = [reference(parents, weights, votes, node, now, seen) for votes in phases]
        for tally, (support, voted, lied) in zip(tallies, plain, strict=True):
            assert tally.support[:, node].tolist() == [support[block] for block in range(len(parents))]
            assert (tally.voted[node], tally.lied[node]) == (voted, lied)
        ghost, estimate, completable = reference_round(parents, weights, *plain)
        assert ghosts[node] == (-1 if ghost is None else ghost)
        # Two branches may both stay possible only when the liars weigh a third; the way to the ghost is one line.
        assert estimates[node] == (-1 if estimate is None else estimate)
        assert bool(done[node]) == completable


@given(rounds(), st.integers(1, 6))
def test_the_window_keeps_relations_when_it_is_pruned(case, root):
    parents, _, known, _ = case
    root = min(root, len(parents) - 1)
    window = window_of(parents, known)
    whole = window.below.copy()
    kept = window.prune(root)
    blocks = np.flatnonzero(kept)
    assert window.blocks.tolist() == blocks.tolist() == [b for b in range(len(parents)) if whole[root, b]]
    assert (window.below == whole[np.ix_(blocks, blocks)]).all()
    wanted = [blocks.tolist().index(b) if b in blocks else -1 for b in range(-1, len(parents))]
    assert window.places(np.arange(-1, len(parents))).tolist() == wanted


def test_fresh_reports_each_arrival_once():
    votes = Votes(2, NODES)
    votes.cast(np.array([0]), 0, np.array([[1.0, 5.0, np.inf]]))
    assert not votes.fresh(0.5)
    assert votes.fresh(1.0)
    assert not votes.fresh(4.0)
    votes.cast(np.array([1]), 0, np.array([[4.5, 9.0, 9.0]]))
    assert votes.fresh(4.5)
    assert votes.fresh(7.0)
    assert votes.fresh(9.0)
    assert not votes.fresh(99.0)


def test_tree_paths_and_common_ancestors():
    tree = BlockTree()
    names = {"primary": False, "variant": 0, "written": 0}
    one, two, three = (tree.add(parent, 1, 0, **names) for parent in (0, 1, 1))
    assert tree.path(three, 0) == [one, three]
    assert tree.path(two, two) == []
    assert tree.common(two, three) == one
    assert tree.common(one, three) == one
    assert tree.score(tree.add(two, 2, 0, primary=True, variant=0, written=0)) > tree.score(two) + 2**31
