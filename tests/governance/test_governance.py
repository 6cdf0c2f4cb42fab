"""The levers of governance: from minutes, GRID and per cent to the units of the chain."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gridlab.errors import ArgumentTypeError, GovernanceError, LeverError
from gridlab.governance.actions import TRACKS
from gridlab.governance.curves import Linear, Reciprocal, Stepped
from gridlab.governance.governance import Governance
from gridlab.governance.tracks import GovernanceRules, Track

MINUTE = 60_000_000


def test_levers_become_rules_in_the_units_of_the_chain():
    made = Governance(lock_period=2, timeout=3, submission_deposit=0.5)
    made.set({"treasury.capacity": 4, "treasury.decision_deposit": 1.5, "treasury.prepare": 5, "treasury.decision": 6,
              "treasury.confirm": 7, "treasury.enactment": 8, "treasury.quorum": "simple_majority"})  # fmt: skip
    rules = made.rules()
    assert (rules.lock_period, rules.timeout, rules.submission_deposit) == (2 * MINUTE, 3 * MINUTE, 500_000)
    track = rules["treasury"]
    assert (track.capacity, track.decision_deposit, track.quorum) == (4, 1_500_000, "simple_majority")
    assert [track.prepare, track.decision, track.confirm, track.enactment] == [n * MINUTE for n in (5, 6, 7, 8)]
    assert tuple(track.name for track in rules.tracks) == TRACKS


@pytest.mark.parametrize(
    ("shape", "curve"),
    [
        ("linear", Linear(0.25, 0.1, 0.9)),
        ("stepped", Stepped(0.9, 0.1, 0.2, 0.25)),
        ("reciprocal", Reciprocal.through(0.25, 0.2, 0.1, 0.9)),
    ],
)
@pytest.mark.parametrize("what", ["approval", "support"])
def test_each_shape_is_drawn_from_the_same_four_levers(shape, curve, what):
    values = {"shape": shape, "start": 90, "end": 10, "at": 25, "level": 20}
    made = Governance().set({f"parameter.{what}_{name}": value for name, value in values.items()})
    assert getattr(made.rules()["parameter"], what) == curve


def test_a_curve_that_cannot_be_drawn_is_refused_and_nothing_moves():
    made = Governance()
    before = made.lever_values()
    with pytest.raises(LeverError, match="the approval curve: level is"):
        made.set({"parameter.approval_level": 99.0, "parameter.decision": 60})
    with pytest.raises(LeverError, match="the support curve: ceil is 0, below floor"):
        made.set({"emergency.support_start": 0.0, "emergency.support_shape": "linear"})
    assert made.lever_values() == before


def test_every_lever_says_what_it_is_in_both_languages_and_where_it_comes_from():
    levers = Governance().levers()
    assert levers.height == 3 + 4 * 17
    for column in ("label", "label_th", "source", "governed_by"):
        assert (levers[column].str.len_chars() > 5).all()
    # Thai letters in each Thai label.
    assert levers["label_th"].str.contains("[\u0e01-\u0e4e]").all()


@pytest.mark.parametrize("track", TRACKS)
def test_defaults_ask_for_less_and_less_and_let_a_proposal_pass_within_a_day(track):
    rules = Governance().rules()
    made = rules[track]
    needs = [made.needs(made.decision * part // 10) for part in range(11)]
    assert needs == sorted(needs, reverse=True)
    assert needs[-1][0] >= Fraction(1, 2)
    assert made.prepare + made.decision + made.confirm + made.enactment < 24 * 60 * MINUTE


def test_rules_that_are_none_are_refused():
    track = Governance().rules()["parameter"]
    with pytest.raises(GovernanceError, match="in this order"):
        GovernanceRules((track,), 1, 1, 1)
    names = ("capacity", "decision_deposit", "prepare", "decision", "confirm", "enactment", "approval", "support")
    values = {name: getattr(track, name) for name in names}
    with pytest.raises(GovernanceError, match="track 'tax' is not known"):
        Track(name="tax", **values)
    with pytest.raises(GovernanceError, match="quorum 'all' is not known"):
        Track(name="treasury", quorum="all", **values)


def test_pallet_and_assembly_take_governance_only():
    from gridlab.governance.assembly import Assembly
    from gridlab.governance.pallet import GovernancePallet

    with pytest.raises(ArgumentTypeError, match="allowed: Governance"):
        Assembly({"ana": 1}, "rules")
    with pytest.raises(ArgumentTypeError, match="allowed: Governance"):
        GovernancePallet("rules")
    assert repr(Governance().pallet()) == "GovernancePallet(0 levers)"
    assert repr(Governance().assembly({"ana": 1})) == "Assembly(1 holders, 0 referenda, minute 0)"
