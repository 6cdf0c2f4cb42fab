"""Proofs of equivocation, and what follows from them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain.staking import EquivocationProof, sign_statement
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

BILLION = 10**9


def rows(frame):
    return frame.select("debit_account", "credit_account", "amount", "code").rows()


def test_equivocator_is_slashed_chilled_and_disabled(make, prove):
    staking = make(10, {20: (500, [10]), 21: (333, [10])}, validators=10)
    moved = staking.report_equivocation(prove(10, place=3))
    # (3 / 10)^2 is 9 %: 90 of 1,000, 45 of 500, 29.97 of 333.
    assert rows(moved) == [(1, 2, 90 + 45 + 30, "penalty")]
    assert [staking.stake(who).total for who in (10, 20, 21)] == [910, 455, 303]
    assert staking.disabled == (10,)
    assert 10 not in staking.candidates["validator"].to_list()
    assert staking.slashes.row(0, named=True) == {
        "slash": 0,
        "kind": "header",
        "era": 0,
        "due": 1,
        "validator": 10,
        "fraction_ppb": 90_000_000,
        "own": 90,
        "others": 75,
        "nominators": 2,
        "reporter": None,
        "reward": 0,
        "state": "applied",
        "taken": 165,
        "paid": 0,
    }
    with pytest.raises(ChainError, match="validator 10 is disabled until era 0 ends"):
        staking.note_author(10)
    staking.end_era()
    assert staking.disabled == ()
    assert 10 not in staking.elected


def test_more_equivocators_at_one_place_cost_all_of_them_more(make, prove):
    staking = make(10, validators=10)
    staking.report_equivocation(prove(10, place=3))
    staking.report_equivocation(prove(11, place=3))
    staking.report_equivocation(prove(12, place=4))
    # Two of ten: (6 / 10)^2 is 36 %, for both; another slot counts for itself.
    assert [staking.stake(who).total for who in (10, 11, 12)] == [640, 640, 910]
    staking.report_equivocation(prove(13, place=3))
    staking.report_equivocation(prove(14, place=3))
    assert [staking.stake(who).total for who in (10, 11, 13, 14)] == [0, 0, 0, 0]


def test_votes_and_headers_of_the_same_number_are_different_offences(make, prove):
    staking = make(10, validators=10)
    staking.report_equivocation(prove(10, place=3))
    staking.report_equivocation(prove(11, place=3, kind="vote"))
    assert [staking.stake(who).total for who in (10, 11)] == [910, 910]


def test_in_one_span_the_highest_slash_counts_not_the_sum(make, prove):
    staking = make(10, {20: (500, [10])}, validators=10)
    staking.report_equivocation(prove(10, place=3))
    assert staking.report_equivocation(prove(10, place=4)).is_empty()
    assert (staking.stake(10).total, staking.stake(20).total, staking.slashes.height) == (910, 455, 1)


def test_new_span_after_coming_back_is_judged_anew(make, prove, pair):
    staking = make(10, validators=10)
    staking.report_equivocation(prove(10, place=3))
    staking.validate(10, commission=0, public_key=pair(10).public_key)
    staking.end_era()
    first = staking.session_end - 10
    staking.report_equivocation(prove(10, session=staking.session, place=first))
    # 9 % of the 910 that were left, on top of the first slash.
    assert staking.stake(10).total == 910 - 82


def test_late_report_for_an_older_era_of_the_same_span_takes_nothing_more(make, prove):
    staking = make(10, validators=10)
    staking.end_era()
    staking.report_equivocation(prove(10, session=2, place=20))
    assert staking.stake(10).total == 910
    staking.report_equivocation(prove(10, session=1, place=10))
    assert staking.stake(10).total == 910


def test_nominator_of_two_offenders_pays_for_both(make, prove):
    staking = make(10, {20: (500, [10, 11])}, validators=10)
    staking.report_equivocation(prove(10, place=3))
    staking.report_equivocation(prove(11, place=4))
    # 250 behind each; 9 % is 22.5, halves down.
    assert staking.stake(20).total == 500 - 44


def test_reporter_is_paid_half_of_its_share_and_less_for_the_next_report(make, prove):
    staking = make(10, validators=10)
    moved = staking.report_equivocation(prove(10, place=3), reporter=30)
    # f_1 x f_inf x slash = 50 % of 10 % of 90 is 4.5, halves down.
    assert rows(moved) == [(1, 30, 4, "reward"), (1, 2, 86, "penalty")]
    moved = staking.report_equivocation(prove(11, place=3), reporter=31)
    # Both are slashed by 36 % now: 270 more of the first and half of 36 - 4 for its reporter, 18 for the second's.
    assert rows(moved) == [(1, 30, 16, "reward"), (1, 2, 254, "penalty"), (1, 31, 18, "reward"), (1, 2, 342, "penalty")]


# The fixtures are functions without state, so that one serves all examples.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stakes=st.lists(st.integers(1, 9_000), min_size=1, max_size=6), offenders=st.integers(1, 3))
def test_nominators_lose_pro_rata_by_exposure(make, prove, stakes, offenders):
    staking = make(10, {20 + place: (stake, [10]) for place, stake in enumerate(stakes)}, validators=10)
    for validator in range(10, 10 + offenders):
        staking.report_equivocation(prove(validator))
    share = Fraction(3 * offenders, 10) ** 2
    for account, stake in ((10, 1_000), *enumerate(stakes, start=20)):
        assert abs(stake - staking.stake(account).total - share * stake) <= Fraction(1, 2)


def test_slash_is_deferred_and_then_applied(make, prove):
    staking = make(10, slash_defer_duration=2, validators=10)
    assert staking.report_equivocation(prove(10), reporter=30).is_empty()
    assert staking.slashes.select("state", "due").rows() == [("pending", 3)]
    for _ in range(2):
        staking.end_era()
        assert staking.stake(10).total == 1_000
    moved = staking.end_era()
    assert {(1, 30, 4, "reward"), (1, 2, 86, "penalty")} <= set(rows(moved))
    assert staking.stake(10).total == 910
    assert staking.slashes.select("state", "taken", "paid").rows() == [("applied", 90, 4)]


def test_governance_cancels_by_index(make, prove):
    staking = make(10, slash_defer_duration=2, validators=10)
    for place, validator in enumerate((10, 11, 12)):
        staking.report_equivocation(prove(validator, place=place))
    for wrong in ([3], [1, 1], []):
        with pytest.raises(ChainError, match="indices"):
            staking.cancel_slashes(wrong)
    staking.cancel_slashes([2, 0])
    for _ in range(3):
        staking.end_era()
    assert staking.slashes["state"].to_list() == ["cancelled", "applied", "cancelled"]
    assert [staking.stake(who).total for who in (10, 11, 12)] == [1_000, 910, 1_000]
    with pytest.raises(ChainError, match="slash 1, which is applied"):
        staking.cancel_slashes([1])


def test_unlocking_stake_that_was_at_stake_is_slashed_too(make, prove):
    staking = make(10, slash_defer_duration=2, validators=10)
    staking.report_equivocation(prove(10))
    staking.unbond(10, 600)
    for _ in range(3):
        staking.end_era()
    # 9 % of each part: 36 of 400, 54 of 600; and the era in which it may be withdrawn has only begun.
    assert (staking.stake(10).active, staking.stake(10).total) == (364, 910)
    assert rows(staking.withdraw_unbonded(10)) == [(1, 10, 546, "withdrawal")]


def test_nobody_outruns_a_slash_by_withdrawing_before_the_last_report(make, prove):
    staking = make(10, validators=10, slash_defer_duration=2)
    staking.chill(10)
    staking.unbond(10, 1_000)
    for _ in range(2):
        staking.end_era()
    staking.report_equivocation(prove(10))
    assert staking.withdraw_unbonded(10).is_empty()
    staking.end_era()
    assert rows(staking.withdraw_unbonded(10)) == [(1, 10, 910, "withdrawal")]


def test_never_more_than_is_bonded(make, prove):
    staking = make(3, {20: (500, [10])})
    staking.unbond(20, 400)
    assert rows(staking.report_equivocation(prove(10))) == [(1, 2, 1_500, "penalty")]
    assert (staking.stake(10).total, staking.stake(20).total, staking.bonded) == (0, 0, 2_000)


def test_no_more_than_a_third_is_disabled(make, prove):
    staking = make(10, validators=10)
    for place, validator in enumerate(staking.elected[:5]):
        staking.report_equivocation(prove(validator, place=place))
    assert staking.disabled == staking.elected[:3]


def test_disabled_validator_is_not_blamed_for_its_silence(make, prove):
    staking = make(10, validators=10)
    staking.report_equivocation(prove(10))
    staking.note_votes()
    staking.end_session()
    assert staking.slashes["kind"].to_list() == ["header"]


def changed(proof, **fields):
    return replace(proof, second=replace(proof.second, **fields))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: changed(p, place=4), "two slots or rounds, 3 and 4"),
        (lambda p: changed(p, session=1), "two sessions, 0 and 1"),
        (lambda p: changed(p, kind="vote"), "two kinds, 'header' and 'vote'"),
        (lambda p: replace(p, second=p.first), "the same statement twice is no offence"),
        (lambda p: changed(p, signature=bytes(64)), "signature of the second statement"),
        (lambda p: changed(p, digest=bytes(32)), "signature of the second statement"),
        (lambda p: replace(p, public_key=bytes(32)), "signature of the first statement"),
    ],
)
def test_proof_that_proves_nothing_is_refused(make, prove, spoil, message):
    staking = make()
    before = staking.commitment
    with pytest.raises(ChainError, match=message):
        staking.report_equivocation(spoil(prove(10, place=3)))
    assert staking.commitment == before


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((30,), {}, "signed for no validator of session 0"),
        ((10,), {"chain_id": "another"}, "not that of .* for chain 'gridlab-public'"),
        ((10,), {"session": 5}, "of session 5, now is session 0; evidence of another session"),
        ((10,), {"place": 10}, "slot 10 is not of session 0, which has slots 0 … 9"),
    ],
)
def test_evidence_of_somebody_or_somewhere_else_is_refused(make, prove, arguments, options, message):
    staking = make()
    before = staking.commitment
    with pytest.raises(ChainError, match=message):
        staking.report_equivocation(prove(*arguments, **options))
    assert staking.commitment == before


@pytest.mark.parametrize("moved", [{"session": 1}, {"place": 3}, {"kind": "vote"}])
def test_signatures_do_not_hold_for_another_session_place_or_kind(make, prove, moved):
    staking, proof = make(), prove(10)
    staking.note_votes()
    staking.end_session()
    shifted = replace(proof, first=replace(proof.first, **moved), second=replace(proof.second, **moved))
    with pytest.raises(ChainError, match="the signature of the first statement is not that of"):
        staking.report_equivocation(shifted)


def test_reporter_is_never_paid_more_than_was_taken(make, prove, pair):
    staking = make(3, slash_defer_duration=2, reporter_share=BILLION, first_report_share=BILLION)
    staking.report_equivocation(prove(10), reporter=30)
    staking.validate(10, commission=0, public_key=pair(10).public_key)
    staking.end_era()
    # In a new span, and before the first slash is applied: both take all there is, and only one finds it.
    staking.report_equivocation(prove(10, session=2, place=20), reporter=31)
    assert staking.slashes["reward"].to_list() == [1_000, 1_000]
    for _ in range(3):
        staking.end_era()
    assert staking.slashes.select("state", "taken", "paid").rows() == [("applied", 1_000, 1_000), ("applied", 0, 0)]


def test_evidence_is_taken_once(make, prove):
    staking = make()
    staking.report_equivocation(prove(10))
    for digests in ((1, 2), (3, 4)):
        with pytest.raises(ChainError, match="reported for this header of session 0, place 0 already"):
            staking.report_equivocation(prove(10, digests=digests))


def test_evidence_of_the_last_session_is_refused_by_slot(make, prove):
    staking = make()
    staking.note_votes()
    staking.end_session()
    with pytest.raises(ChainError, match="slot 10 is not of session 0, which has slots 0 … 9"):
        staking.report_equivocation(prove(10, session=0, place=10))
    assert not staking.report_equivocation(prove(10, session=1, place=10)).is_empty()


def test_evidence_older_than_the_bonding_duration_is_refused(make, prove):
    staking = make()
    for _ in range(3):
        staking.end_era()
    with pytest.raises(ChainError, match=r"session 0 lies before the last 3 eras .*report offences sooner"):
        staking.report_equivocation(prove(10))
    assert not staking.report_equivocation(prove(10, session=2, place=20)).is_empty()


def test_key_of_the_era_counts_not_the_key_of_today(make, prove, pair):
    staking = make()
    staking.validate(10, commission=0, public_key=pair(99).public_key)
    with pytest.raises(ChainError, match="signed for no validator"):
        staking.report_equivocation(prove(99))
    assert not staking.report_equivocation(prove(10)).is_empty()


def test_reporter_that_is_no_account_is_refused(make, prove):
    staking = make()
    before = staking.commitment
    for reporter, error in (("alice", ArgumentTypeError), (1, ChainError), (-1, ArgumentError)):
        with pytest.raises(error, match="reporter"):
            staking.report_equivocation(prove(10), reporter=reporter)
    assert staking.commitment == before


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        (("block", 0, 0, bytes(32)), ArgumentError, "kind is 'block'"),
        (("header", -1, 0, bytes(32)), ArgumentError, "-1"),
        (("header", 0, 2**64, bytes(32)), ArgumentError, "18446744073709551616"),
        (("header", 0, 0, bytes(31)), ArgumentError, "digest has 31 bytes"),
        (("header", 0, 0, "hash"), ArgumentTypeError, "digest is a str"),
    ],
)
def test_statement_of_wrong_parts_is_refused(pair, fields, error, message):
    with pytest.raises(error, match=message):
        sign_statement(pair(10), "gridlab-public", *fields)


def test_proof_of_wrong_parts_is_refused(make, prove):
    with pytest.raises(ArgumentTypeError, match="first is a str, allowed: a Statement"):
        EquivocationProof(bytes(32), "a", "b")
    with pytest.raises(ArgumentTypeError, match="proof is a dict"):
        make().report_equivocation({})
    assert "place 3" in repr(prove(10, place=3))
