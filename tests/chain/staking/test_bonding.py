"""Bonding, unbonding, validating, nominating, kicking: what they do, and what they refuse."""

from __future__ import annotations

import pytest

from gridlab.chain.staking import Staking, StakingAccounts, StakingRules, carry_out
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError, LedgerError


def rows(frame):
    return frame.select("debit_account", "credit_account", "amount", "code").rows()


def test_stake_goes_into_the_pot_and_comes_back_after_the_bonding_duration(make):
    staking = make()
    assert rows(staking.bond(20, 500)) == [(20, 1, 500, "deposit")]
    assert rows(staking.bond_extra(20, 100)) == [(20, 1, 100, "deposit")]
    staking.unbond(20, 250)
    assert (staking.stake(20).active, staking.stake(20).total, staking.bonded) == (350, 600, 4_600)
    for _ in range(2):
        staking.end_era()
        assert staking.withdraw_unbonded(20).is_empty()
    staking.end_era()
    assert rows(staking.withdraw_unbonded(20)) == [(1, 20, 250, "withdrawal")]
    assert staking.bonded == 4_350


def test_rebonded_stake_is_active_at_once(make):
    staking = make()
    staking.unbond(10, 400)
    staking.rebond(10, 150)
    assert (staking.stake(10).active, staking.stake(10).total) == (750, 1_000)


def test_account_with_nothing_left_is_forgotten(make):
    staking = make(nominators={20: (100, [10])})
    staking.chill(20)
    staking.unbond(20, 100)
    for _ in range(3):
        staking.end_era()
    staking.withdraw_unbonded(20)
    assert 20 not in staking.stakes["account"].to_list()
    staking.bond(20, 5)
    assert staking.stake(20).total == 5


def test_validator_that_nominates_stops_validating_and_back(make, pair):
    staking = make()
    staking.nominate(10, [11])
    assert 10 not in staking.candidates["validator"].to_list()
    staking.validate(10, commission=0, public_key=pair(10).public_key)
    assert staking.nominators.is_empty()
    assert 10 in staking.candidates["validator"].to_list()


def test_kicked_nominator_backs_the_others_only(make):
    staking = make(nominators={20: (100, [10, 11]), 21: (100, [10])})
    staking.kick(10, [20, 21])
    assert staking.nominators.select("nominator", "targets").rows() == [(20, [11])]
    staking.end_era()
    assert staking.exposure(10).others == ()
    assert staking.exposure(11).others == ((20, 100),)


def test_kick_of_somebody_who_does_not_nominate_changes_nothing(make):
    staking = make(nominators={20: (100, [10])})
    before = staking.commitment
    with pytest.raises(ChainError, match=r"nominators\[1\] is 21, which does not nominate validator 10"):
        staking.kick(10, [20, 21])
    assert staking.commitment == before


def test_blocked_validator_keeps_its_nominators_and_takes_no_new_ones(make, pair):
    staking = make(nominators={20: (100, [10])})
    staking.validate(10, commission=0, public_key=pair(10).public_key, blocked=True)
    staking.nominate(20, [11, 10])
    staking.bond(21, 50)
    with pytest.raises(ChainError, match=r"targets\[0\] is validator 10, which takes no new nominators"):
        staking.nominate(21, [10])


def test_chilled_validator_is_not_elected_again(make):
    staking = make()
    staking.chill(12)
    assert 12 in staking.elected
    staking.end_era()
    assert staking.elected == (10, 11, 13)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda s: s.bond(20, 0), ArgumentError, "amount .* is 0, allowed: at least 1"),
        (lambda s: s.bond(20, -5), ArgumentError, "amount .* is -5"),
        (lambda s: s.bond(20, 2**64 - 1), ArgumentError, "amount .* is 18446744073709551615, allowed: .* at most"),
        (lambda s: s.bond(20, 999_999), ChainError, "at most the 995900 of 1000000 that are not bonded"),
        (lambda s: s.bond(20, 1.5), ArgumentTypeError, "amount .* is 1.5"),
        (lambda s: s.bond(10, 5), ChainError, "account 10 has bonded already; bond_extra"),
        (lambda s: s.bond(1, 5), ChainError, "account 1 is the issuer's, the pot's or the treasury's"),
        (lambda s: s.bond(20, 5, payee="bank"), ArgumentError, "payee is 'bank', allowed: 'stash', 'compound'"),
        (lambda s: s.bond(20, 5, payee=1), ChainError, "payee 1 is the issuer's, the pot's"),
        (lambda s: s.bond_extra(20, 5), ChainError, "account 20 has bonded nothing"),
        (lambda s: s.unbond(10, 1_001), ChainError, "has 1000 micro-GRID active and cannot unbond 1001"),
        (lambda s: s.unbond(10, 1_000), ChainError, "validates or nominates.*chill"),
        (lambda s: s.rebond(10, 1), ChainError, "has 0 micro-GRID unlocking"),
        (lambda s: s.withdraw_unbonded(20), ChainError, "account 20 has bonded nothing"),
        (lambda s: s.chill(20), ChainError, "account 20 has bonded nothing"),
        (lambda s: s.set_payee(20, "stash"), ChainError, "account 20 has bonded nothing"),
        (lambda s: s.nominate(30, []), ChainError, "targets names 0 validators, allowed: 1 … 16"),
        (lambda s: s.nominate(30, [10] * 17), ChainError, "targets names 17 validators"),
        (lambda s: s.nominate(30, [10, 11, 10]), ChainError, r"targets\[2\] is validator 10, as is targets\[0\]"),
        (lambda s: s.nominate(30, [10, 99]), ChainError, r"targets\[1\] is 99, which is no candidate"),
        (lambda s: s.nominate(10, [11, 10]), ChainError, r"targets\[1\] is 10, which is no candidate"),
        (lambda s: s.nominate(30, ["a"]), ArgumentTypeError, r"targets\[0\] is a str"),
        (lambda s: s.nominate(20, [10]), ChainError, "account 20 has bonded nothing"),
        (lambda s: s.kick(30, [10]), ChainError, "account 30 is no candidate"),
        (lambda s: s.validate(30, commission=10**9 + 1, public_key=bytes(32)), ArgumentError, "commission .*at most"),
        (lambda s: s.validate(30, commission=0, public_key=bytes(31)), ArgumentError, "public_key has 31 bytes"),
        (lambda s: s.validate(30, commission=0, public_key=s.keys[10]), ChainError, "is that of validator 10"),
        (lambda s: s.validate(30, commission=0, public_key=bytes(32), blocked=1), ArgumentTypeError, "blocked is 1"),
        (lambda s: s.start(), ChainError, "started already"),
        (lambda s: s.payout(10, 0), ChainError, r"era 0 has not ended \(now is era 0\)"),
        (lambda s: s.note_author(30), ChainError, "account 30 does not validate in era 0"),
        (lambda s: s.note_votes([10, 30]), ChainError, "account 30 does not validate in era 0"),
        (lambda s: s.note_votes([10, 10]), ChainError, "names one twice"),
        (lambda s: s.cancel_slashes([0]), ChainError, "slash 0, which is unknown"),
        (lambda s: s.cancel_slashes([]), ChainError, "one or more, each named once"),
        (lambda s: s.exposure(30), ChainError, "account 30 did not validate in era 0"),
        (lambda s: setattr(s, "rules", {}), ArgumentTypeError, "rules is a dict"),
    ],
)
def test_bad_input_is_refused_with_its_reason_and_nothing_is_lost(make, act, error, message):
    staking = make(nominators={30: (100, [10])})
    before = staking.commitment
    with pytest.raises(error, match=message) as caught:
        act(staking)
    assert isinstance(caught.value, GridlabError)
    assert staking.commitment == before


def test_commission_below_the_floor_is_refused(make, pair):
    staking = make(commission=50_000_000, commission_floor=50_000_000)
    with pytest.raises(ArgumentError, match=r"commission .* is 49999999, allowed: at least 50000000"):
        staking.validate(10, commission=49_999_999, public_key=pair(10).public_key)


def test_rewards_that_nobody_claimed_yet_cannot_be_bonded(make):
    staking = make(1, session_length=2_629_800)
    staking.end_era()
    with pytest.raises(ChainError, match="at most the 999000 of 1100000 that are not bonded"):
        staking.bond(20, 999_001)
    staking.bond(20, 999_000)


def test_no_more_nominators_than_allowed(make):
    staking = make(nominators={20: (5, [10]), 21: (5, [10])}, maximum_nominators=2)
    staking.nominate(20, [11])
    staking.bond(22, 5)
    with pytest.raises(ChainError, match="2 accounts nominate already"):
        staking.nominate(22, [10])


def test_no_more_unlocking_chunks_than_allowed(make):
    staking = make(unlocking_chunks=2, bonding_duration=5)
    for _ in range(2):
        staking.unbond(10, 1)
        staking.end_era()
    with pytest.raises(ChainError, match="has 2 parts unlocking, allowed: 2"):
        staking.unbond(10, 1)


def test_ledger_that_refuses_leaves_both_as_they_were(make, make_ledger):
    staking, ledger = make(), make_ledger(each=10)
    before, book = staking.commitment, ledger.root
    with pytest.raises(LedgerError):
        carry_out(staking, ledger, lambda each: each.bond(20, 11))
    assert (staking.commitment, ledger.root) == (before, book)
    after, paid = carry_out(staking, ledger, lambda each: each.bond(20, 10))
    assert (after.stake(20).total, paid.balance(1, "GRID"), staking.stake(20).total) == (10, 10, 0)


def test_wrong_things_to_carry_out_are_refused(make, make_ledger):
    with pytest.raises(ArgumentTypeError, match="ledger is a dict, allowed: a Ledger"):
        carry_out(make(), {}, lambda each: each.bond(20, 11))


def test_fork_is_independent(make):
    staking = make(nominators={20: (100, [10])})
    before = staking.commitment
    copy = staking.fork()
    assert copy.commitment == before
    copy.note_votes()
    copy.end_era()
    copy.unbond(20, 5)
    copy.payout(10, 0)
    assert staking.commitment == before
    assert copy.commitment != before


@pytest.mark.parametrize(
    ("accounts", "error"), [((0, 0, 2), ChainError), ((0, 1, -1), ArgumentError), ((0, "1", 2), ArgumentTypeError)]
)
def test_accounts_of_staking_are_three(accounts, error):
    with pytest.raises(error):
        StakingAccounts(*accounts)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slash_defer_duration": 28}, "slash_defer_duration is 28, allowed: below bonding_duration 28"),
        ({"history_depth": 27}, "history_depth is 27, allowed: at least bonding_duration 28"),
        ({"validators": 0}, "validators is 0, allowed: at least 1"),
        ({"treasury_share": 10**9 + 1}, "treasury_share is 1000000001"),
        ({"inflation": 5}, "inflation is a int"),
    ],
)
def test_rules_that_do_not_go_together_are_refused(fields, message):
    with pytest.raises(GridlabError, match=message):
        StakingRules(**fields)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, StakingAccounts(0, 1, 2)), {}, "issuance .* is 0"),
        ((2**63, StakingAccounts(0, 1, 2)), {}, "issuance .*at most"),
        ((5, (0, 1, 2)), {}, "accounts is a tuple"),
        ((5, StakingAccounts(0, 1, 2)), {"elect": "phragmen"}, "elect is a str"),
        ((5, StakingAccounts(0, 1, 2)), {"rules": 3}, "rules is a int"),
    ],
)
def test_staking_of_wrong_parts_is_refused(arguments, options, message):
    with pytest.raises(GridlabError, match=message):
        Staking(*arguments, **options)
