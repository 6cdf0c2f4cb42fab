"""Scenes of pallet-staking's own tests: polkadot-sdk substrate/frame/staking/src/tests.rs, 2024.

There, validator 11 has 1,000 of its own and 125 of a nominator behind it, and offences come with a share of their own.
"""

from __future__ import annotations

import pytest

from gridlab.chain.staking.movements import Movements
from gridlab.chain.staking.slashing import punish
from gridlab.chain.staking.state import Offender


@pytest.fixture
def staking(make):
    return make(10, {20: (125, [11])}, validators=10)


def offend(staking, parts, *, reporter=None, place=0, era=None):
    state = staking._state
    moves, offence = Movements(state), ("vote", staking.session, place)
    state.offences[offence] = (Offender(11, reporter),)
    punish(state, state.eras[staking.era if era is None else era], offence, parts, moves)
    return moves.frame().select("credit_account", "amount").rows()


def test_reporters_receive_their_slice(staking):
    # F1 * (reward_proportion * slash - 0): 50 % of 10 % of half of 1,125.
    assert offend(staking, 500_000_000, reporter=30) == [(30, 28), (2, 562 - 28)]


def test_subsequent_reports_in_same_span_pay_out_less(staking):
    assert offend(staking, 200_000_000, reporter=30) == [(30, 11), (2, 225 - 11)]
    # 50 % of (10 % of half of 1,125, less the 11 paid before), out of what is taken beyond the first slash.
    assert offend(staking, 500_000_000, reporter=30, place=1) == [(30, 22), (2, 300 + 37 - 22)]


def test_only_slash_for_max_in_era(staking):
    assert offend(staking, 500_000_000) == [(2, 562)]
    assert offend(staking, 250_000_000, place=1) == []
    assert offend(staking, 600_000_000, place=2) == [(2, 100 + 13)]
    assert staking.stake(11).total == 400


def test_zero_slash_keeps_nominators_and_chills_the_validator(staking):
    assert offend(staking, 0) == []
    assert 11 not in staking.candidates["validator"].to_list()
    assert staking.nominators["nominator"].to_list() == [20]
    assert (staking.stake(11).total, staking.stake(20).total) == (1_000, 125)


def test_slash_in_old_span_does_not_deselect(staking, pair):
    assert offend(staking, 0) == []
    staking.validate(11, commission=0, public_key=pair(11).public_key)
    staking.end_era()
    # The offence is of the era before it came back, so that it stays in the election.
    assert offend(staking, 0, place=1, era=0) == []
    assert offend(staking, 950_000_000, place=2, era=0) == [(2, 950 + 119)]
    assert 11 in staking.candidates["validator"].to_list()


def test_nominator_of_two_validators_is_slashed_for_both_in_one_era(make):
    staking = make(10, {20: (500, [11, 12])}, validators=10)
    state = staking._state
    for offender, taken in ((11, 25), (12, 25)):
        before = staking.stake(20).total
        state.offences["vote", 0, offender] = (Offender(offender, None),)
        punish(state, state.eras[0], ("vote", 0, offender), 100_000_000, Movements(state))
        assert before - staking.stake(20).total == taken
    assert staking.stake(20).total == 450
