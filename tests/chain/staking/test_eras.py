"""Sessions, elections, reward points, payouts, and what happens to what nobody claims."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import npos
from gridlab.chain.staking import Inflation, Staking, StakingAccounts, StakingRules
from gridlab.chain.staking.payouts import shares_of
from gridlab.chain.staking.state import Exposure
from gridlab.errors import ChainError

BILLION = 10**9
# A year in one era, so that a payout is inflation itself: 10 % of the supply, which is 100,000.
YEAR = {"session_length": 2_629_800, "sessions_per_era": 2}


def rows(frame):
    return frame.select("debit_account", "credit_account", "amount", "code").rows()


def test_sessions_and_eras_count_slots(make):
    staking = make()
    assert (staking.era, staking.session, staking.session_end) == (0, 0, 10)
    staking.note_votes()
    assert staking.end_session().is_empty()
    assert (staking.era, staking.session, staking.session_end) == (0, 1, 20)
    staking.note_votes()
    staking.end_session()
    assert (staking.era, staking.session, staking.session_end) == (1, 2, 30)


def test_nothing_can_end_before_the_start(make):
    staking = make(start=False)
    for act in (staking.end_session, partial(staking.note_author, 10)):
        with pytest.raises(ChainError, match="staking has not started; start"):
            act()
    with pytest.raises(ChainError, match="nobody stands for election"):
        make(0, start=False).start()


def test_era_goes_on_while_nobody_stands(make):
    staking = make()
    for validator in staking.elected:
        staking.chill(validator)
    staking.end_era()
    assert (staking.era, staking.session, staking.elected) == (0, 2, (10, 11, 12, 13))
    staking.note_votes()
    staking.end_session()
    assert (staking.era, staking.session) == (0, 3)


def test_payout_by_hand(make):
    staking = make(2, {20: (500, [10]), 21: (250, [10])}, commission=BILLION // 10, **YEAR)
    staking.note_author(10)
    staking.note_author(10)
    staking.note_author(11)
    moved = staking.end_era()
    # 100,000 are minted. Points are 42 for 10 and 22 for 11: 65,625 and 34,375.
    assert rows(moved) == [(0, 1, 100_000, "mint")]
    assert staking.validators_of(0).select("validator", "points", "earned").rows() == [
        (10, 42, 65_625),
        (11, 22, 34_375),
    ]
    # Commission 6,562; the rest, 59,063, over 1,750: own 33,750, others 16,875 and 8,437; one is left over.
    assert rows(staking.payout(10, 0)) == [
        (1, 10, 6_562 + 33_750, "reward"),
        (1, 20, 16_875, "reward"),
        (1, 21, 8_437, "reward"),
        (1, 2, 1, "transfer"),
    ]
    assert staking.unclaimed == 34_375
    assert staking.validators_of(0)["paid"].to_list() == [65_624, 0]


def test_treasury_gets_its_share_and_the_dust_of_the_points(make):
    staking = make(3, treasury_share=150_000_000, **YEAR)
    for validator in (10, 11, 12):
        staking.note_author(validator)
    moved = staking.end_era()
    # 85,000 by three equal parts leave 1, which goes to the treasury with its 15,000.
    assert rows(moved) == [(0, 2, 15_001, "mint"), (0, 1, 84_999, "mint")]
    assert staking.issuance == 1_100_000
    summary = staking.eras.row(0, named=True)
    assert (summary["minted"], summary["treasury"], summary["stakers"]) == (100_000, 15_001, 84_999)
    assert (summary["inflation_ppb"], summary["issuance"], summary["unclaimed"]) == (100_000_000, 1_000_000, 84_999)


def test_nothing_is_minted_for_stakers_when_nobody_works(make):
    staking = make(treasury_share=BILLION // 2, **YEAR)
    for _ in range(2):
        for validator in staking.elected:
            staking.heartbeat(validator)
        moved = staking.end_session()
    assert rows(moved) == [(0, 2, 50_000, "mint")]
    assert staking.unclaimed == 0


def test_payout_is_claimed_once_and_only_for_who_validated(make):
    staking = make()
    staking.end_era()
    staking.payout(10, 0)
    before = staking.commitment
    with pytest.raises(ChainError, match="validator 10 and its nominators were paid for era 0 already"):
        staking.payout(10, 0)
    with pytest.raises(ChainError, match="account 30 did not validate in era 0"):
        staking.payout(30, 0)
    assert staking.commitment == before


def test_compounded_reward_adds_to_the_stake_and_moves_nothing(make):
    staking = make(1, **YEAR)
    staking.set_payee(10, "compound")
    staking.end_era()
    assert staking.payout(10, 0).is_empty()
    assert (staking.stake(10).active, staking.bonded, staking.unclaimed) == (101_000, 101_000, 0)
    staking.end_era()
    assert staking.exposure(10).own == 101_000


def test_reward_may_go_to_another_account(make):
    staking = make(1, **YEAR)
    staking.set_payee(10, 33)
    staking.end_era()
    assert rows(staking.payout(10, 0)) == [(1, 33, 100_000, "reward")]


def test_only_the_largest_nominators_are_rewarded_and_the_rest_goes_to_the_treasury(make):
    nominators = {20: (100, [10]), 21: (400, [10]), 22: (100, [10])}
    staking = make(1, nominators, rewarded_nominators=2, **YEAR)
    staking.end_era()
    # 100,000 over 1,600: 62,500 own, 25,000 for 21, 6,250 for 20 (as large as 22, but first), 6,250 left.
    assert rows(staking.payout(10, 0)) == [
        (1, 10, 62_500, "reward"),
        (1, 21, 25_000, "reward"),
        (1, 20, 6_250, "reward"),
        (1, 2, 6_250, "transfer"),
    ]


def test_what_nobody_claims_goes_to_the_treasury_when_the_history_ends(make):
    staking = make(1, **YEAR)
    staking.end_era()
    for _ in range(4):
        staking.end_era()
    assert staking.era == 5
    earned = staking.validators_of(0)["earned"].item()
    moved = staking.end_era()
    assert (1, 2, earned, "transfer") in rows(moved)
    with pytest.raises(ChainError, match="era 0 is older than the 5 eras of the history"):
        staking.payout(10, 0)
    assert staking.validators_of(0).is_empty()


exposures = st.builds(
    lambda own, others: Exposure(own, tuple(enumerate(others, start=20))),
    st.integers(0, 10**15),
    st.lists(st.integers(1, 10**15), max_size=12),
)


@given(st.integers(0, 10**16), st.integers(0, BILLION), exposures, st.integers(1, 12))
def test_shares_are_rounded_down_and_add_up_to_the_part(part, commission, exposure, rewarded):
    shares = shares_of(part, commission, exposure, rewarded)
    assert shares.commission + shares.own + sum(each for _, each in shares.others) + shares.dust == part
    assert shares.dust >= 0
    for who, share in shares.others:
        exact = Fraction(part - shares.commission) * dict(exposure.others)[who] / exposure.total
        assert exact - 1 < share <= exact


def test_voters_of_an_election_are_candidates_and_nominators_of_those_who_stand(make):
    seen = []

    def watch(candidates, voters, seats):
        seen.append((list(candidates), list(voters), seats))
        return npos.seq_phragmen(candidates, voters, seats)

    staking = make(3, {20: (500, [10, 12]), 21: (300, [12])}, start=False)
    staking._elect = watch
    staking.chill(12)
    staking.start()
    assert seen == [([10, 11], [(10, 1_000, (10,)), (11, 1_000, (11,)), (20, 500, (10,))], 2)]
    assert staking.exposure(10) == Exposure(1_000, ((20, 500),))


def test_nominator_with_nothing_left_does_not_vote(make, prove):
    voting = []

    def watch(candidates, voters, seats):
        voting.extend(voter for voter, _, _ in voters)
        return npos.seq_phragmen(candidates, voters, seats)

    staking = make(3, {20: (500, [10, 11]), 21: (500, [11])})
    staking.report_equivocation(prove(10, kind="vote"))
    staking.report_equivocation(prove(11, kind="vote"))
    staking._elect = watch
    staking.end_era()
    assert staking.stake(20).total == staking.stake(21).total == 0
    assert voting == [12]


def chosen(account):
    return list(dict.fromkeys([10 + account % 6, 10 + account % 5]))


def test_phragmen_of_this_package_elects_unless_another_rule_is_given(pair):
    staking = Staking(10**9, StakingAccounts(0, 1, 2), rules=StakingRules(validators=3, least_validators=1))
    for account in range(10, 16):
        staking.bond(account, 1_000 + account)
        staking.validate(account, commission=0, public_key=pair(account).public_key)
    for account in range(20, 40):
        staking.bond(account, 500)
        staking.nominate(account, chosen(account))
    staking.start()
    assert len(staking.elected) == 3
    assert staking.validators["total"].sum() == sum(
        sum(share.values())
        for share in npos.seq_phragmen(
            list(range(10, 16)),
            [(who, 1_000 + who, [who]) for who in range(10, 16)] + [(who, 500, chosen(who)) for who in range(20, 40)],
            3,
        ).assignments.values()
    )


def lying(winners, assignments):
    return lambda *_: SimpleNamespace(winners=winners, assignments=assignments)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lying([(99, 5)], {}), "no candidates: \\[99\\]"),
        (lying([(10, 5), (10, 5)], {}), "different candidates"),
        (lying([], {}), "allowed: 1 … 4"),
        (lying([(10, 5)], {10: {10: 1_001}}), "voter 10 with 1000 micro-GRID"),
        (lying([(10, 5)], {10: {11: 5}}), "voter 10 with 1000"),
        (lying([(10, 5)], {11: {11: 5}}), "voter 11 backs 11, which did not win"),
    ],
)
def test_election_that_gives_what_voters_did_not_is_refused_and_nothing_changes(make, rule, message):
    staking = make()
    staking._elect = rule
    staking.note_votes()
    staking.end_session()
    staking.note_votes()
    before = staking.commitment
    with pytest.raises(ChainError, match=message):
        staking.end_session()
    assert staking.commitment == before


def test_silent_validators_are_chilled_and_slashed_only_where_many_are_silent(make):
    few = make(20, validators=20)
    few.note_votes([who for who in few.elected if who not in (10, 11, 12)])
    few.end_session()
    # 3 of 20 do not exceed 20 / 10 + 1, so they are only chilled.
    assert few.slashes.is_empty()
    assert not {10, 11, 12} & set(few.candidates["validator"].to_list())
    many = make(20, validators=20)
    silent = many.elected[:6]
    many.note_votes(many.elected[6:])
    moved = many.end_session()
    # 3 (6 - 3) / 20 of 7 % is 3.15 %: 31.5 of 1,000, to the nearest unit with halves down.
    assert many.slashes.select("kind", "fraction_ppb", "own", "state").unique().rows() == [
        ("offline", 31_500_000, 31, "applied")
    ]
    assert many.slashes["validator"].to_list() == list(silent)
    assert rows(moved) == [(1, 2, 31, "penalty")] * 6


def test_same_history_gives_the_same_commitment(make):
    first, second = make(nominators={20: (77, [10, 11])}), make(nominators={20: (77, [10, 11])})
    for staking in (first, second):
        staking.end_era()
        staking.payout(10, 0)
    assert first.commitment == second.commitment
    second.note_votes()
    assert first.commitment != second.commitment


def test_supply_never_exceeds_what_a_ledger_counts(pair):
    only = lying([(10, 1)], {10: {10: 1}})
    staking = Staking(2**63 - 1, StakingAccounts(0, 1, 2), rules=StakingRules(inflation=Inflation()), elect=only)
    staking.bond(10, 1)
    staking.validate(10, commission=0, public_key=pair(10).public_key)
    staking.start()
    assert staking.end_era().is_empty()
    assert staking.issuance == 2**63 - 1
