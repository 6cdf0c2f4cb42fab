"""Levers: declared once, set all or nothing, refused with path, value and what is allowed."""

import pickle
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentTypeError, GridlabError, LeverError, UnknownLeverError
from gridlab.lab import Lab
from gridlab.levers import ChoiceLever, Levers, NumberLever, SwitchLever, choice, number, switch
from gridlab.market.market import Market


@pytest.fixture(scope="module")
def thai_lab():
    return Lab.thailand(prosumers=5)


@pytest.fixture
def lab(thai_lab):
    before = thai_lab.lever_values()
    yield thai_lab
    thai_lab.set(before)


def test_the_frame_has_the_columns_of_the_contract(lab):
    frame = lab.levers()
    wanted = ["path", "value", "low", "high", "choices", "unit", "label", "label_th", "source", "governed_by"]
    assert set(wanted) <= set(frame.columns)
    assert frame["path"].is_unique().all()


def test_every_lever_has_labels_in_both_languages_a_source_and_a_governor(lab):
    frame = lab.levers()
    for column in ("label", "label_th", "source", "governed_by"):
        assert (frame[column].str.len_chars() > 0).all(), column
    assert frame["label_th"].str.contains(r"[\u0E00-\u0E7F]").all()


def test_every_number_lever_has_a_unit_or_is_a_share_of_one(lab):
    for path, _, lever in lab.lever_paths():
        if isinstance(lever, NumberLever):
            low, high = lever.bounds
            assert low < high, path
            assert lever.info.unit or (low, high) == (0.0, 1.0), path


def test_set_moves_and_returns_the_lab(lab):
    assert lab.set({"market.wheeling.postage_stamp": 0.8}) is lab
    assert lab.get("market.wheeling.postage_stamp") == 0.8
    assert lab.market.wheeling.postage_stamp == 0.8


def test_a_float_that_arithmetic_left_beside_a_step_is_that_step(lab):
    lab.set({"market.wheeling.postage_stamp": 0.1 * 3})
    assert lab.get("market.wheeling.postage_stamp") == 0.3


@pytest.mark.parametrize("value", [Decimal("0.8"), np.float64(0.8), 1, np.int64(1)])
def test_any_number_type_is_taken(lab, value):
    lab.set({"market.wheeling.postage_stamp": value})
    assert lab.get("market.wheeling.postage_stamp") == float(value)


BAD = [
    ({"market.wheeling.postage_stamp": 9}, "0.0 to 5.0 THB/kWh"),
    ({"market.wheeling.postage_stamp": -0.001}, "0.0 to 5.0 THB/kWh"),
    ({"market.wheeling.postage_stamp": 1.00001}, "steps of 0.001"),
    ({"market.wheeling.postage_stamp": "1"}, "0.0 to 5.0 THB/kWh"),
    ({"market.wheeling.postage_stamp": True}, "0.0 to 5.0 THB/kWh"),
    ({"market.wheeling.postage_stamp": float("nan")}, "0.0 to 5.0 THB/kWh"),
    ({"market.wheeling.postage_stamp": None}, "0.0 to 5.0 THB/kWh"),
    ({"market.rule": "unifrom"}, "did you mean 'uniform'"),
    ({"market.rule": 3}, "'uniform', 'pay_as_bid'"),
]


@pytest.mark.parametrize(("levers", "allowed"), BAD)
def test_a_bad_value_names_path_value_and_what_is_allowed(lab, levers, allowed):
    before = lab.lever_values()
    with pytest.raises(LeverError) as caught:
        lab.set(levers)
    ((path, value),) = levers.items()
    assert path in str(caught.value)
    assert repr(value) in str(caught.value)
    assert allowed in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert lab.lever_values() == before


@pytest.mark.parametrize("call", [lambda lab, p: lab.get(p), lambda lab, p: lab.set({p: 1})])
@pytest.mark.parametrize("path", ["market.wheeling.postage_stmp", "nonsense", "", 3, None])
def test_an_unknown_path_is_named(lab, call, path):
    with pytest.raises(UnknownLeverError) as caught:
        call(lab, path)
    assert repr(path) in str(caught.value)
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, LeverError)


def test_a_near_path_is_suggested(lab):
    with pytest.raises(UnknownLeverError, match=r"did you mean 'market\.wheeling\.postage_stamp'"):
        lab.get("market.wheeling.postage_stmp")


def test_all_or_nothing(lab):
    before = lab.lever_values()
    with pytest.raises(LeverError):
        lab.set({"market.wheeling.postage_stamp": 0.5, "market.rule": "pay_as_bid", "market.k": 2})
    assert lab.lever_values() == before


def test_values_that_do_not_go_together_are_refused_and_both_may_move_at_once(lab):
    before = lab.lever_values()
    with pytest.raises(LeverError, match=r"price_floor 7\.0 THB/kWh is above price_cap 6\.0"):
        lab.set({"market.price_floor": 7})
    assert lab.lever_values() == before
    lab.set({"market.price_floor": 7, "market.price_cap": 8})
    assert lab.get("market.price_floor") == 7


def test_set_wants_a_mapping(lab):
    with pytest.raises(ArgumentTypeError, match="expected a mapping"):
        lab.set([("market.k", 1)])


def test_assigning_the_attribute_meets_the_same_door(lab):
    with pytest.raises(LeverError, match=r"Wheeling\.postage_stamp: 77"):
        lab.market.wheeling.postage_stamp = 77
    assert lab.get("market.wheeling.postage_stamp") == 1.07


def test_keyword_arguments_of_a_part_are_levers():
    assert Market(rule="pay_as_bid", k=1).values()["rule"] == "pay_as_bid"
    with pytest.raises(LeverError):
        Market(rule="other")
    with pytest.raises(GridlabError):
        Market(rul="uniform")


def test_two_labs_do_not_share_levers():
    one, two = Lab.thailand(prosumers=5), Lab.thailand(prosumers=5)
    one.set({"market.wheeling.postage_stamp": 0.1, "carbon.grid_factor": 0.5})
    assert two.get("market.wheeling.postage_stamp") == 1.07
    assert two.get("carbon.grid_factor") == 0.475


def test_a_lab_goes_through_pickle_with_its_levers(lab):
    lab.set({"market.wheeling.postage_stamp": 0.3})
    assert pickle.loads(pickle.dumps(lab)).lever_values() == lab.lever_values()


class _Part(Levers):
    amount = number(1, 0, 10, 1, unit="kWh", label="a", label_th="ก", source="s", governed_by="g")
    mode = choice("x", ["x", "y"], label="a", label_th="ก", source="s", governed_by="g")
    flag = switch(default=False, label="a", label_th="ก", source="s", governed_by="g")


@given(st.one_of(st.integers(-20, 20), st.floats(), st.text(max_size=3), st.booleans(), st.none()))
def test_a_lever_takes_what_it_allows_and_nothing_else(value):
    part = _Part()
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    fits = whole and 0 <= round(value) <= 10 and abs(value - round(value)) < 1e-9
    if fits:
        assert part.set({"amount": value}).amount == round(value)
        assert isinstance(part.amount, int)
    else:
        with pytest.raises(LeverError):
            part.set({"amount": value})


def test_the_three_kinds_show_what_they_are():
    part = _Part()
    kinds = [type(lever) for _, _, lever in part.lever_paths()]
    assert kinds == [NumberLever, ChoiceLever, SwitchLever]
    assert part.set({"flag": True}).flag is True
    with pytest.raises(LeverError, match="True or False"):
        part.set({"flag": 1})
    assert part.levers().select(pl.col("value")).to_series().to_list() == ["1", "x", "True"]
