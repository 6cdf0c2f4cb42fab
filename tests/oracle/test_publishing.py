"""Deviation, heartbeat, bounds and the jump breaker."""

from hypothesis import given
from hypothesis import strategies as st

from gridlab.oracle import aggregation
from gridlab.oracle.publishing import STATUSES, PublicationRules, publish

SECOND = 1_000_000
RULES = PublicationRules(
    deviation_ppb=10_000_000, heartbeat_us=60 * SECOND, jump_ppb=300_000_000, jump_rounds=3, bounds=(0, 1_000)
)


def statuses(values, *, every=1, quorate=None, rules=RULES, last=None):
    times = [place * every * SECOND for place in range(1, len(values) + 1)]
    return publish(times, values, [True] * len(values) if quorate is None else quorate, rules, last=last)


def test_a_report_is_made_for_a_deviation_or_a_heartbeat():
    assert statuses([100, 100, 101, 101]) == ["reported", "not due", "reported", "not due"]
    assert statuses([100, 100, 100], every=30) == ["reported", "not due", "reported"]


def test_the_first_value_is_held_to_the_bounds_as_well():
    assert statuses([5_000, -1, 1_000]) == ["absurd", "absurd", "reported"]


def test_a_jump_is_refused_until_enough_rounds_in_a_row_agree():
    # 505 is 1 % away from 500.
    assert statuses([100, 500, 500, 500, 505]) == ["reported", "jump", "jump", "jump confirmed", "reported"]
    # One wild round between others confirms nothing, nor do jumps in different directions.
    assert statuses([100, 500, 100, 500, 500]) == ["reported", "jump", "not due", "jump", "jump"]
    assert statuses([500, 850, 100, 850, 100]) == ["reported", "jump", "jump", "jump", "jump"]


def test_too_few_signatures_neither_confirm_nor_report():
    found = statuses([100, 500, 500, 500, 500], quorate=[True, True, False, True, True])
    assert found == ["reported", "jump", "no quorum", "jump", "jump confirmed"]


def test_without_bounds_a_jump_is_measured_by_the_last_report():
    free = PublicationRules(0, SECOND, 300_000_000, 3)
    assert statuses([100, 131, 130], rules=free) == ["reported", "jump", "reported"]
    assert statuses([0, 50], rules=free) == ["reported", "reported"]


def test_one_round_of_confirmation_switches_the_breaker_off():
    assert statuses([100, 900], rules=PublicationRules(0, SECOND, 1, 1, (0, 1_000))) == ["reported", "jump confirmed"]


def test_a_chain_s_last_report_is_where_it_goes_on():
    assert statuses([100, 101], last=(0, 100)) == ["not due", "reported"]
    assert statuses([900], last=(0, 100)) == ["jump"]


@given(st.lists(st.tuples(st.integers(-200, 1_200), st.booleans()), max_size=40))
def test_no_report_is_absurd_and_none_jumps_unconfirmed(rounds):
    values, quorate = [value for value, _ in rounds], [enough for _, enough in rounds]
    found = statuses(values, every=7, quorate=quorate)
    assert set(found) <= set(STATUSES)
    last = None
    for place, (status, value, enough) in enumerate(zip(found, values, quorate, strict=True)):
        assert enough == (status != "no quorum")
        if status in ("reported", "jump confirmed"):
            assert 0 <= value <= 1_000
            if status == "reported" and last is not None:
                age = (place - last[0]) * 7
                assert abs(value - last[1]) <= 300
                assert aggregation.due(last[1], value, age_s=age, deviation_ppb=10_000_000, heartbeat_s=60)
            last = (place, value)
