"""Seeded noise against a plain loop, and its promises: variance, memory, independence of the window."""

import datetime as dt

import numpy as np
import pytest

from gridlab.oracle.feeds.noise import between_days, field_by_day, field_by_slot, remembered
from gridlab.oracle.feeds.places import correlation_root, places
from gridlab.oracle.feeds.window import Window


def slow_average(noise, persistence, memory):
    weights = [persistence**lag for lag in range(memory)]
    norm = sum(weight**2 for weight in weights) ** 0.5
    return [
        sum(weights[lag] / norm * noise[row - lag] for lag in range(memory)) for row in range(memory - 1, len(noise))
    ]


def test_memory_is_the_plain_weighted_sum():
    noise = np.random.default_rng(3).standard_normal((40, 2))
    np.testing.assert_allclose(remembered(noise, 0.8, 7), slow_average(noise, 0.8, 7), rtol=1e-12)


def test_variance_is_one_and_correlation_falls_as_an_autoregression():
    path = remembered(np.random.default_rng(1).standard_normal((200_000, 1)), 0.85, 24)[:, 0]
    assert path.var() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(path[:-4], path[4:])[0, 1] == pytest.approx(0.85**4, abs=0.02)


def test_lines_between_midnights_pass_through_their_middle():
    lines = between_days(np.array([[0.0], [96.0], [0.0]]))[:, 0]
    assert lines[:3].tolist() == [0.5, 1.5, 2.5]
    assert lines[96:98].tolist() == [95.5, 94.5]


@pytest.mark.parametrize("field", [field_by_day, field_by_slot])
def test_field_does_not_depend_on_the_window_to_the_last_bit(field):
    long, short = Window(dt.date(2026, 5, 1), 5, 0, 480), Window(dt.date(2026, 5, 3), 1, 0, 96)
    options = {"persistence": 0.7, "memory": 5, "length_km": 300.0}
    whole, part = (field(9, "test", window, **options) for window in (long, short))
    start = 2 if field is field_by_day else 192
    np.testing.assert_array_equal(whole[start : start + part.shape[0]], part)


def test_neighbours_share_their_noise_and_far_places_do_not():
    here = places()
    window = Window(dt.date(2026, 1, 1), 60, 0, 60 * 96)
    noise = field_by_slot(4, "test", window, persistence=0.0, memory=1, length_km=200.0)
    near, far = here.names.index("Roi Et"), here.names.index("Narathiwat")
    home = here.names.index("Maha Sarakham")
    distance = np.hypot(here.east[home] - here.east[near], here.north[home] - here.north[near])
    assert np.corrcoef(noise[:, home], noise[:, near])[0, 1] == pytest.approx(np.exp(-distance / 200.0), abs=0.05)
    assert abs(np.corrcoef(noise[:, home], noise[:, far])[0, 1]) < 0.05
    root = correlation_root(200.0)
    np.testing.assert_allclose((root @ root.T).diagonal(), 1.0, rtol=1e-12)
