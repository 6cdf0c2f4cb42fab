"""Every way to balance, and random elections."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

WAYS = ["interpreted", *(["compiled"] if find_spec("numba") else [])]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Balance in Python, or compiled where 64 bits hold the stakes, however small the election."""
    monkeypatch.setattr("gridlab.chain.npos.balancing.pays_to_compile", lambda _: request.param == "compiled")
    return request.param


@pytest.fixture(scope="session")
def make_election():
    """Return a function that makes candidates and voters: stakes of a long-tailed law, some candidates better known."""

    def make(seed, *, voters, choices, candidates, most=10**15, fame=0.5):
        rng = np.random.default_rng(seed)
        known = 1 / np.arange(1, candidates + 1) ** fame
        names = [f"validator {number}" for number in range(candidates)]
        stakes = (rng.pareto(1.2, voters) + 1) * (most / 1000)
        votes = []
        for number in range(voters):
            chosen = rng.choice(candidates, size=choices, replace=False, p=known / known.sum())
            votes.append((f"nominator {number}", min(int(stakes[number]), most), [names[place] for place in chosen]))
        return names, votes

    return make
