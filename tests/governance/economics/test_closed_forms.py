"""Cases with an answer on paper: compounding, geometric decay, straight lines, fixed points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.public import FeeRules, PublicTerms
from gridlab.chain.public.fees import LARGEST_MULTIPLIER, ONE
from gridlab.chain.staking import StakingRules, StakingTerms
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError
from gridlab.governance.economics import Books, GasMarket, GridEconomics, Vesting, exact_path, simulate
from gridlab.units import MICRO

# Nothing happens by chance, nobody moves, nobody pays.
STILL = {
    "vesting": 0.0, "burn": 0.0, "spending": 0.0, "pace": 0.0, "transactions": 0,
    "offences": 0.0, "incidents": 0.0, "compounding": 0.0,
}  # fmt: skip
FLAT = {"minimum_inflation": 6.0, "maximum_inflation": 6.0}


def test_constant_inflation_compounds():
    path = exact_path(3, terms=GridEconomics(**STILL), staking=StakingTerms(**FLAT))
    eras = 1 + path["era"].to_numpy().astype(float)
    rate = 0.06 / 365.25
    expected = 10**9 * MICRO * (1 + rate) ** eras
    assert np.abs(path["issuance"].to_numpy() - expected).max() < 2 * len(path) + 1
    assert path["issuance"][-1] / (10**9 * MICRO) == pytest.approx(math.exp(0.06 * 1095 / 365.25), rel=1e-4)


def test_what_is_minted_goes_to_treasury_and_stakers_in_their_shares():
    path = exact_path(1, terms=GridEconomics(**STILL), staking=StakingTerms(treasury_share=15.0, **FLAT))
    minted = path["issuance"][-1] - 10**9 * MICRO
    assert path["treasury"][-1] + path["rewards"][-1] == minted
    assert path["treasury"][-1] / minted == pytest.approx(0.15, abs=1e-6)
    assert (path["staked"] == path["staked"][0]).all()


def test_unspent_treasury_decays_geometrically():
    books, treasury = Books(10**15, treasury=10**14), 10**14
    for period in range(1, 60):
        books = books.spent(0, burn=10_000_000)
        assert abs(books.treasury - treasury * 0.99**period) < 2 * period
        assert books.issuance == 10**15 - (treasury - books.treasury)


def test_burn_and_inflow_meet_at_the_level_where_they_are_equal():
    # A treasury that gets a and burns b of what it has comes to rest at a (1 - b) / b.
    books, inflow = Books(10**18), 10**9
    for _ in range(3_000):
        books = books.paid_fees(inflow).spent(0, burn=10_000_000)
    assert books.treasury == pytest.approx(inflow * 99, rel=1e-6)


def test_a_treasury_asked_for_more_than_it_has_burns_nothing_and_pays_later():
    terms = GridEconomics(**STILL | {"spending": 200.0, "spending_spread": 0.0, "burn": 10.0})
    path = exact_path(1, terms=terms, staking=StakingTerms(**FLAT))
    assert path["burnt"][-1] == 0
    assert path["treasury"].to_numpy()[23::24].max() == 0


@pytest.mark.parametrize(("block", "locked"), [(0, 1_000), (100, 1_000), (101, 990), (150, 500), (199, 10), (200, 0)])
def test_vesting_is_a_straight_line_from_the_cliff_on(block, locked):
    schedule = Vesting.linear(1_000, cliff=100, blocks=100)
    assert schedule.locked_at(block) == locked
    assert schedule.end == 200


@given(st.integers(0, 10**15), st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 3 * 10**6))
def test_vesting_only_ever_frees_and_ends_in_time(locked, cliff, blocks, block):
    schedule = Vesting.linear(locked, cliff, blocks)
    now, later = schedule.locked_at(block), schedule.locked_at(block + 1)
    assert 0 <= later <= now <= locked
    assert schedule.locked_at(cliff) == locked
    assert schedule.locked_at(cliff + blocks) == 0
    assert schedule.end <= cliff + blocks
    if locked:
        assert schedule.locked_at(schedule.end - 1) > 0 == schedule.locked_at(schedule.end)


def test_vesting_in_the_economy_is_locked_until_the_cliff_and_gone_at_the_end():
    terms = GridEconomics(vesting=20.0, vesting_cliff=365, vesting_duration=730)
    locked = exact_path(3.5, terms=terms)["locked"].to_numpy() / MICRO
    assert (locked[:365] == 2e8).all()
    assert locked[364 + 365] == pytest.approx(1e8)
    assert locked[364 + 730] == 0


def test_the_multiplier_at_rest_is_where_the_chain_s_own_rule_stands_still():
    # Ten times less room, so that demand fills it.
    rules = FeeRules(block_weight=150_000)
    market = GasMarket(rules, weight=150, size=452, blocks=1_000)
    gas = market.settle(3 * market.room, 10**18)
    assert gas.transactions == market.room
    multiplier = 2 * rules.least_multiplier
    for _ in range(400_000):
        wanted = 3 * market.target // 1_000 * rules.least_multiplier // multiplier
        multiplier = rules.next_multiplier(multiplier, wanted)
    assert gas.multiplier == pytest.approx(multiplier, rel=1e-3)
    assert gas.multiplier == pytest.approx(3 * rules.least_multiplier, rel=1e-9)


def test_an_empty_chain_asks_for_the_least_fee():
    gas = GasMarket(FeeRules(), weight=150, size=452, blocks=14_400).settle(0, 10**15)
    assert (gas.transactions, gas.paid, gas.treasury, gas.multiplier) == (0, 0, 0, ONE // 10)
    assert gas.fee == 1_000 + 4_520 + 150


def test_the_multiplier_goes_no_higher_than_on_the_chain():
    rules = FeeRules(block_weight=10)
    market = GasMarket(rules, weight=10, size=452, blocks=10)
    gas = market.settle(10**12, 10**15)
    assert gas.multiplier == LARGEST_MULTIPLIER == rules.next_multiplier(10**40, 0)
    assert gas.fee == rules.fee(10, 452, LARGEST_MULTIPLIER)
    paid, treasury = market.settle_many(np.array([1e12]), np.array([1e15]))
    assert (paid[0], treasury[0]) == (gas.paid, gas.treasury)
    assert gas.paid == 2 * gas.fee


@given(st.integers(0, 10**9), st.integers(0, 10**18), st.sampled_from([FeeRules(), FeeRules(block_weight=15_000)]))
def test_gas_never_costs_more_than_users_have(wanted, purse, rules):
    gas = GasMarket(rules, weight=150, size=452, blocks=600).settle(wanted, purse)
    assert gas.paid <= purse
    assert 0 <= gas.treasury <= gas.paid * 8 // 10
    assert gas.transactions <= wanted


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**15)), min_size=1, max_size=20))
def test_many_paths_pay_what_each_would_pay(paths):
    market = GasMarket(FeeRules(block_weight=150_000), weight=150, size=452, blocks=14_400)
    wanted, purse = (np.array(column, float) for column in zip(*paths, strict=True))
    paid, treasury = market.settle_many(wanted, purse)
    single = [market.settle(*path) for path in paths]
    assert paid == pytest.approx([gas.paid for gas in single], rel=1e-3, abs=10_000)
    assert treasury == pytest.approx([gas.treasury for gas in single], rel=1e-3, abs=10_000)


def test_books_refuse_what_is_not_there():
    books = Books(1_000, bonded=600, treasury=100)
    assert books.holders == 300
    for attempt in (
        lambda: books.bonds(301),
        lambda: books.bonds(-601),
        lambda: books.spent(101, burn=0),
        lambda: books.claimed(1),
        lambda: books.claimed(-1),
        lambda: books.slashed(-1, StakingRules()),
        lambda: books.slashed(601, StakingRules()),
        lambda: Books(10, bonded=11),
    ):
        with pytest.raises(ArgumentError):
            attempt()
    with pytest.raises(ArgumentTypeError):
        Books(1.5)


@given(st.integers(1, 10**15), st.integers(0, 10**9))
def test_a_slash_moves_between_stakers_reporter_and_treasury_and_makes_nothing(bonded, amount):
    amount = min(amount, bonded)
    before = Books(2 * bonded, bonded=bonded)
    after = before.slashed(amount, StakingRules())
    assert after.issuance == before.issuance
    reward = after.holders - before.holders
    assert before.bonded - after.bonded == amount == after.treasury + reward
    assert abs(reward - amount * 0.05) <= 1


def test_more_staked_and_locked_than_there_is_is_refused():
    with pytest.raises(LeverError, match="more than all GRID"):
        GridEconomics(staked=70.0, vesting=40.0)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"years": "10"}, ArgumentTypeError, "a number"),
        ({"years": True}, ArgumentTypeError, "a number"),
        ({"years": float("nan")}, ArgumentError, "finite"),
        ({"years": 0}, ArgumentError, "0 eras"),
        ({"years": 1_000}, ArgumentError, "allowed: 1 to 50000 eras"),
        ({"paths": 0}, ArgumentError, "paths"),
        ({"paths": 2.5}, ArgumentTypeError, "paths"),
        ({"seed": -1}, ArgumentTypeError, "seed"),
        ({"samples": 0}, ArgumentError, "samples"),
        ({"terms": 0}, ArgumentTypeError, "GridEconomics"),
        ({"terms": StakingTerms()}, ArgumentTypeError, "GridEconomics"),
        ({"staking": StakingRules()}, ArgumentTypeError, "StakingTerms"),
        ({"public": FeeRules()}, ArgumentTypeError, "PublicTerms"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(options, error, says):
    with pytest.raises(error, match=says):
        simulate(**{"years": 0.1, "paths": 2} | options)


def test_every_lever_has_labels_unit_and_source():
    frame = GridEconomics().levers()
    assert GridEconomics().set(GridEconomics().lever_values()).lever_values() == GridEconomics().lever_values()
    assert (frame["unit"] != "").all()
    assert (frame["label_th"] != "").all()
    assert (frame["source"] != "").all()
    assert PublicTerms().fees.treasury_share == 800_000_000
