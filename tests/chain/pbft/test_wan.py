"""The Thai wide-area network: where its figures come from, and what it draws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gridlab.chain.pbft.wan import CITIES, WideAreaNetwork, default_placement, require_delays
from gridlab.datasets import card, dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError

LEGS = dataset("wan_legs_synthetic")


def rng(seed=0):
    return np.random.default_rng(seed)


def test_every_leg_of_the_table_is_a_lever_with_its_default():
    network = WideAreaNetwork()
    levers = {city: getattr(network, lever) for city, lever in CITIES.items()}
    assert levers == dict(LEGS.select("city", "delay_ms").rows())


def test_every_leg_follows_from_its_coordinates_by_the_formula_on_the_card():
    assert "0.56 ms + 2.1 x great-circle distance" in card("wan_legs_synthetic").description
    points = {c: np.radians([lat, lon]) for c, lat, lon in LEGS.select("city", "latitude", "longitude").rows()}
    south, west = points["Bangkok"]
    for city, distance, delay in LEGS.select("city", "distance_km", "delay_ms").rows():
        latitude, longitude = points[city]
        # The law of cosines; the script uses the haversine formula.
        turn = math.cos(longitude - west)
        cosine = math.sin(latitude) * math.sin(south) + math.cos(latitude) * math.cos(south) * turn
        assert distance == pytest.approx(6371.0088 * math.acos(min(1.0, cosine)), abs=0.06)
        assert delay == pytest.approx(0.56 + 2.1 * distance / (299.792458 / 1.4682), abs=0.006)


def test_udon_thani_to_bangkok_and_back_takes_the_12_ms_published_by_commons_host_2018():
    delays = WideAreaNetwork().delays_ms(["Udon Thani", "Bangkok"])
    assert delays[0, 1] + delays[1, 0] == pytest.approx(12.0, abs=0.05)


def test_twenty_one_validators_stand_in_known_cities_and_every_pea_area_at_its_office():
    validators = dataset("validators_synthetic")
    assert validators["validator"].to_list() == list(range(21))
    assert validators["name"].n_unique() == validators["name_th"].n_unique() == 21
    assert default_placement() == tuple(validators["city"])
    assert set(default_placement()) == set(CITIES)
    offices = dict(dataset("provinces").drop_nulls("pea_area").select("pea_area", "pea_office").unique().rows())
    placed = {name.removeprefix("PEA area "): city for name, city in validators.select("name", "city").rows()}
    assert {area: placed[area] for area in offices} == offices


def test_a_message_takes_the_leg_of_its_sender_and_the_leg_of_its_receiver():
    network = WideAreaNetwork(bangkok=1, yala=10)
    assert network.delays_ms(["Bangkok", "Yala", "Yala"]).tolist() == [[0, 11, 11], [11, 0, 20], [11, 20, 0]]
    whole = network.delays_ms()
    assert whole.shape == (21, 21)
    assert (whole == whole.T).all()
    network.set({"yala": 20})
    assert network.delays_ms(["Bangkok", "Yala"])[0, 1] == 21


@pytest.mark.parametrize(
    ("placement", "error", "words"),
    [
        (["Bangkok", "Chiangmai"], ArgumentError, r"placement\[1\] is 'Chiangmai'; did you mean 'Chiang Mai'"),
        ([], ArgumentError, "placement is empty"),
        ("Bangkok", ArgumentTypeError, "list or tuple of str"),
        ([3], ArgumentTypeError, r"placement\[0\] is a int"),
    ],
)
def test_a_placement_that_is_none_is_refused(placement, error, words):
    with pytest.raises(error, match=words):
        WideAreaNetwork().delays_ms(placement)


@pytest.mark.parametrize("lever", [{"loss": 51}, {"jitter_shape": 0}, {"yala": -1}, {"retransmission": 0}])
def test_levers_have_bounds(lever):
    with pytest.raises(LeverError):
        WideAreaNetwork(**lever)


def test_levers_know_their_unit_source_and_thai_label():
    frame = WideAreaNetwork().levers()
    assert frame.height == 14 + 4
    assert (frame["unit"].str.len_chars() > 0).all()
    assert (frame["source"].str.contains(r"\((V|S|G)")).all()
    assert frame["label_th"].str.contains(r"[\u0E00-\u0E7F]").all()


def test_queues_follow_the_gamma_of_the_levers_above_the_least_delay():
    for shape in (1.0, 0.5, 3.0):
        network = WideAreaNetwork(jitter=5, jitter_shape=shape, loss=0)
        drawn = network.sample(np.array([[0.0, 7.0]]), 20_000, rng())
        assert drawn.shape == (20_000, 1, 2)
        assert drawn.dtype == np.float32
        for link, least in enumerate((0.0, 7.0)):
            queue = drawn[:, 0, link].astype(np.float64) - least
            # 0.00001: float32 in the sum of a least delay and a tiny queue.
            assert queue.min() >= -1e-5
            assert stats.kstest(queue, stats.gamma(shape, scale=5 / shape).cdf).pvalue > 0.001


def test_the_default_queue_meets_itu_t_y1541_class_0_just():
    network = WideAreaNetwork()
    quantile = stats.gamma(network.jitter_shape, scale=network.jitter / network.jitter_shape).ppf(0.999)
    assert quantile == pytest.approx(50.0, abs=0.05)
    assert network.loss == 0.1


def repetitions_one_by_one(share, messages, generator):
    """Lose every message on its own, as often as it happens."""
    lost = []
    for _ in range(messages):
        times = 0
        while generator.random() < share:
            times += 1
        lost.append(times)
    return lost


def test_losses_are_distributed_as_if_every_message_were_lost_on_its_own():
    network = WideAreaNetwork(jitter=0, loss=20, retransmission=100)
    drawn = network.sample(np.zeros(10), 4_000, rng(1)).reshape(-1)
    one_by_one = repetitions_one_by_one(0.2, 40_000, rng(2))
    # 100, 100 + 200, 100 + 200 + 400 …
    repeated = np.log2(drawn / 100 + 1)
    assert (repeated == repeated.round()).all()
    top = 5
    counts = [np.bincount(np.minimum(found, top).astype(int), minlength=top + 1) for found in (repeated, one_by_one)]
    assert stats.chi2_contingency(np.array(counts)).pvalue > 0.001


def test_without_queues_and_losses_a_message_takes_the_least_delay():
    network = WideAreaNetwork(jitter=0, loss=0)
    delays = network.delays_ms()
    assert (network.sample(delays, 3, rng()) == delays.astype(np.float32)).all()
    assert network.sample(delays, 0, rng()).shape == (0, 21, 21)


def test_the_same_generator_state_gives_the_same_delays():
    network = WideAreaNetwork()
    one, same, other = (network.sample(network.delays_ms(), 50, rng(seed)) for seed in (5, 5, 6))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("count", "generator", "error"),
    [(-1, rng(), ArgumentError), (1.5, rng(), ArgumentTypeError), (1, 0, ArgumentTypeError)],
)
def test_sample_refuses_what_is_no_count_or_no_generator(count, generator, error):
    with pytest.raises(error):
        WideAreaNetwork().sample(np.zeros((2, 2)), count, generator)


@given(st.integers(1, 5), st.data())
def test_a_matrix_of_delays_is_taken_as_it_is(size, data):
    values = data.draw(st.lists(st.floats(0, 1e6), min_size=size * size, max_size=size * size))
    matrix = np.array(values).reshape(size, size)
    np.fill_diagonal(matrix, 0)
    assert (require_delays("delays_ms", matrix.tolist()) == matrix).all()


@pytest.mark.parametrize(
    ("matrix", "error", "words"),
    [
        ([[0, 1]], ArgumentError, r"shape \(1, 2\)"),
        (3, ArgumentError, r"shape \(\)"),
        ([], ArgumentError, r"shape \(0,\)"),
        ([[0, -1], [1, 0]], ArgumentError, r"delays_ms\[0, 1\] is -1.0"),
        ([[0, math.nan], [1, 0]], ArgumentError, r"delays_ms\[0, 1\] is nan"),
        ([[0, math.inf], [1, 0]], ArgumentError, r"delays_ms\[0, 1\] is inf"),
        ([[1, 1], [1, 0]], ArgumentError, "on its diagonal"),
        ([["0"]], ArgumentTypeError, "matrix of numbers"),
        ([[0, 1], [1]], ArgumentTypeError, "no array"),
        (None, ArgumentTypeError, "matrix of numbers"),
        ([[False]], ArgumentTypeError, "matrix of numbers"),
    ],
)
def test_a_matrix_that_is_none_is_refused_with_the_place(matrix, error, words):
    with pytest.raises(error, match=words):
        require_delays("delays_ms", matrix)
