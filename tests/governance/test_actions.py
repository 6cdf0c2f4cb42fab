"""Actions and the table of levers: canonical bytes, and what no proposal may say."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GovernanceError, GridlabError
from gridlab.governance.actions import (
    Emergency,
    ProtocolUpgrade,
    SetLevers,
    Spend,
    action_from_bytes,
    action_to_bytes,
    require_action,
)
from gridlab.governance.lever_table import LeverTable

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
actions = st.one_of(
    st.dictionaries(words, words, min_size=1, max_size=4).map(lambda each: SetLevers(tuple(sorted(each.items())))),
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 2**63 - 1)), min_size=1, max_size=4)
    .map(lambda each: Spend(tuple(each))),
    st.builds(ProtocolUpgrade, st.integers(1, 2**31), st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32)),
    st.builds(Emergency, st.booleans(), words.map(lambda word: f"zone:{word}")),
)  # fmt: skip


@given(actions)
def test_bytes_give_the_action_back(action):
    assert action_from_bytes(action_to_bytes(action)) == action


@given(st.one_of(st.binary(max_size=60), actions.map(lambda each: action_to_bytes(each)[:-1])))
def test_bytes_of_a_stranger_are_an_action_or_refused(data):
    try:
        action = action_from_bytes(data)
    except GridlabError:
        return
    assert action_to_bytes(action) == data


def test_one_action_has_one_form():
    with pytest.raises(GovernanceError, match="not sorted, or a path stands there twice"):
        SetLevers((("b", "1"), ("a", "1")))
    with pytest.raises(GovernanceError, match="not sorted, or a path stands there twice"):
        SetLevers((("a", "1"), ("a", "1")))
    with pytest.raises(GovernanceError, match="begins with 2"):
        action_from_bytes(b"\x03\x02\x18market")


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: SetLevers(()), GovernanceError, "0 of them"),
        (lambda: SetLevers((("a",),)), GovernanceError, "allowed: .path, value as text"),
        (lambda: SetLevers({"a": "1"}), ArgumentTypeError, "levers is a dict"),
        (lambda: SetLevers((("a", 1),)), ArgumentTypeError, "allowed: str"),
        (lambda: SetLevers((("a", "1" * 300),)), ArgumentError, "at most 256"),
        (lambda: Spend(()), GovernanceError, "0 of them"),
        (lambda: Spend(((1, 1),) * 65), GovernanceError, "65 of them"),
        (lambda: Spend(((1, 1, 1),)), GovernanceError, "allowed: .account, micro-GRID"),
        (lambda: Spend.to(1, 0), ArgumentError, "at least 1"),
        (lambda: Spend.to(-1, 1), ArgumentError, "at least 0"),
        (lambda: Spend.to(1, 2**63), ArgumentError, "at most"),
        (lambda: ProtocolUpgrade(0, 1, bytes(32)), ArgumentError, "version is 0"),
        (lambda: ProtocolUpgrade(2, 0, bytes(32)), ArgumentError, "height is 0"),
        (lambda: ProtocolUpgrade(2, 1, bytes(31)), ArgumentError, "31 bytes"),
        (lambda: Emergency(1, "market"), ArgumentTypeError, "stop is a int"),
        (lambda: Emergency(True, "everything"), GovernanceError, "scope is 'everything'"),
        (lambda: Emergency(True, "zone:"), GovernanceError, "scope is 'zone:'"),
        (lambda: require_action({"a": 1}), ArgumentTypeError, "a LeverTable makes one"),
        (lambda: action_from_bytes(b"\x09"), GovernanceError, "tag 9"),
        (lambda: action_from_bytes("set"), ArgumentTypeError, "allowed: bytes"),
    ],
)  # fmt: skip
def test_what_no_action_may_be_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


@pytest.fixture
def table(lever_frame):
    return LeverTable(lever_frame)


def test_values_of_all_kinds_go_there_and_back(table):
    values = {"market.fee": 0.123, "market.rule": "uniform", "market.open": True}
    action = table.action(values)
    assert action.levers == (("market.fee", "0.123"), ("market.open", "true"), ("market.rule", "uniform"))
    assert table.values(action) == values
    whole = table.values(table.action({"market.fee": 1.0, "governance.parameter.decision": 60}))
    assert whole == {"market.fee": 1, "governance.parameter.decision": 60}
    assert all(type(value) is int for value in whole.values())


@pytest.mark.parametrize(
    ("levers", "says"),
    [
        ({"market.fees": 1}, r"no lever 'market.fees'.*did you mean 'market.fee'"),
        ({1: 1}, "no lever 1"),
        ({"market.fee": 2.001}, r"market.fee: 2.001 is not allowed; allowed: 0 to 2 in steps of 0.001"),
        ({"market.fee": -0.001}, "allowed: 0 to 2"),
        ({"market.fee": 0.0005}, "in steps of 0.001"),
        ({"market.fee": True}, "allowed: 0 to 2"),
        ({"market.fee": float("nan")}, "allowed: 0 to 2"),
        ({"market.fee": "1"}, "allowed: 0 to 2"),
        ({"market.rule": "vcg"}, "allowed: 'uniform', 'pay_as_bid'"),
        ({"market.rule": 1}, "allowed: 'uniform', 'pay_as_bid'"),
        ({"market.open": 1}, "allowed: True or False"),
        ({"market.fee": 1, "market.open": "yes"}, "allowed: True or False"),
    ],
)
def test_a_value_that_its_lever_does_not_take_is_refused(table, levers, says):
    with pytest.raises(GovernanceError, match=says):
        table.action(levers)


@pytest.mark.parametrize(
    "written", ["2.001", "0.0005", "1e0", "1.0", "01", "+1", " 1", "-0", "1e999999999", "nan", "", "½", "١"]
)
def test_a_number_of_a_stranger_counts_only_as_it_would_be_written(table, written):
    with pytest.raises(GovernanceError, match=r"market.fee: .* is not allowed"):
        table.values(SetLevers((("market.fee", written),)))


@pytest.mark.parametrize(("path", "written"), [("market.open", "True"), ("market.rule", "vcg"), ("market.x", "1")])
def test_other_values_of_a_stranger_are_checked_too(table, path, written):
    with pytest.raises(GovernanceError):
        table.values(SetLevers(((path, written),)))


def test_the_hash_covers_every_column_and_no_order(lever_frame, table):
    assert LeverTable(lever_frame.reverse()).hash == table.hash
    others = [
        lever_frame.with_columns(pl.col("path").str.replace("fee", "toll")),
        lever_frame.with_columns(pl.col("low") - 1),
        lever_frame.with_columns(pl.col("high") + 1),
        lever_frame.with_columns(pl.col("step") / 2),
        lever_frame.with_columns(governed_by=pl.lit("ERC")),
        lever_frame.with_columns(choices=pl.lit(None, pl.List(pl.String))),
    ]
    assert len({LeverTable(other).hash for other in (*others, lever_frame)}) == len(others) + 1


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda frame: pl.concat([frame, frame]), GovernanceError, "stands there twice"),
        (lambda frame: frame.with_columns(step=pl.lit(None, pl.Float64)), GovernanceError, "only some of low, high"),
        (lambda frame: frame.with_columns(high=pl.col("low") - 1), GovernanceError, "allowed: upwards"),
        (lambda frame: frame.drop("governed_by"), FrameError, "'governed_by' is missing"),
        (lambda frame: frame.to_dict(), ArgumentTypeError, "expected a polars DataFrame"),
    ],
)
def test_a_table_that_is_none_is_refused(lever_frame, change, error, says):
    with pytest.raises(error, match=says):
        LeverTable(change(lever_frame))


def test_without_levers_there_is_nothing_to_move():
    assert len(LeverTable()) == 0
    with pytest.raises(GovernanceError, match="there is none"):
        LeverTable().action({"market.fee": 1})
    with pytest.raises(ArgumentTypeError):
        LeverTable().action([("market.fee", 1)])


def test_every_lever_of_a_lab_can_be_proposed_at_its_own_value():
    import gridlab as gl

    lab = gl.Lab.thailand(prosumers=2)
    levers = lab.levers()
    table = LeverTable(levers)
    assert list(table) == sorted(levers["path"])
    values = {path: lab.get(path) for path in table}
    for path, value in values.items():
        assert table.values(table.action({path: value})) == {path: value}
