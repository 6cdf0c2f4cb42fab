"""Hourly matching: a slow reference cell by cell, what is conserved, and what is refused."""

from datetime import datetime, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError
from gridlab.market.green.matching_24_7 import PERIODS, RULES, match

MIDNIGHT = datetime(2026, 5, 6)
ENERGIES = st.integers(0, 40) | st.integers(0, 10**13)
USES = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("AB"), st.integers(0, 5), ENERGIES), max_size=25)
MADE = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("AB"), ENERGIES), max_size=12)


def generation(*rows):
    """Rows of (slot number, zone, Wh)."""
    return pl.DataFrame(
        {
            "slot": [MIDNIGHT + timedelta(minutes=15 * slot) for slot, _, _ in rows],
            "zone": [zone for _, zone, _ in rows],
            "energy": [energy for _, _, energy in rows],
        },
        schema={"slot": pl.Datetime("us"), "zone": pl.String, "energy": pl.Int64},
    )


def consumption(*rows):
    """Rows of (slot number, zone, account, Wh)."""
    frame = generation(*((slot, zone, energy) for slot, zone, _, energy in rows))
    return frame.with_columns(account=pl.Series([account for *_, account, _ in rows], dtype=pl.UInt32))


def slow_pro_rata(total, used):
    whole = sum(used.values())
    exact = {account: Fraction(total * energy, whole) if whole else Fraction(0) for account, energy in used.items()}
    share = {account: int(value) for account, value in exact.items()}
    for account in sorted(used, key=lambda each: (share[each] - exact[each], each))[: total - sum(share.values())]:
        share[account] += 1
    return share


def slow_equal_split(total, used):
    """Give every account that still needs some an equal part, again and again; the last Wh one by one."""
    share = dict.fromkeys(used, 0)
    while total:
        needy = sorted(account for account in used if share[account] < used[account])
        part = min(total // len(needy), *(used[account] - share[account] for account in needy))
        if not part:
            needy, part = needy[:total], 1
        for account in needy:
            share[account] += part
            total -= part
    return share


def slow_match(made, uses, rule, slots_per_cell, zones):
    cells = {}
    for slot, zone, energy in made:
        cells.setdefault((slot // slots_per_cell, zone if zones else ""), [0, {}])[0] += energy
    for slot, zone, account, energy in uses:
        used = cells.setdefault((slot // slots_per_cell, zone if zones else ""), [0, {}])[1]
        used[account] = used.get(account, 0) + energy
    share = {"pro_rata": slow_pro_rata, "equal_split": slow_equal_split}[rule]
    result = {}
    for cell, (total, used) in cells.items():
        for account, matched in share(min(total, sum(used.values())), used).items():
            result[*cell, account] = matched
    return result


@pytest.mark.parametrize(("rule", "zones"), [(rule, zones) for rule in RULES for zones in (False, True)])
@settings(max_examples=120, deadline=None)
@given(made=MADE, uses=USES)
def test_equals_the_slow_reference_and_conserves_energy(rule, zones, made, uses):
    got = match(generation(*made), consumption(*uses), rule=rule, zones=zones)
    hour = (pl.col("slot").dt.replace_time_zone(None) - MIDNIGHT).dt.total_hours()
    rows = got.matches.select(hour, "zone" if zones else pl.lit("").alias("zone"), "account", "matched").rows()
    assert {tuple(row[:3]): row[3] for row in rows} == slow_match(made, uses, rule, 4, zones)
    assert got.matches.filter(~pl.col("matched").is_between(0, pl.col("consumption"))).is_empty()
    cells = got.cells
    assert cells["generation"].sum() == sum(energy for *_, energy in made)
    assert cells["consumption"].sum() == sum(energy for *_, energy in uses)
    assert cells["matched"].sum() == got.matches["matched"].sum() == got.scores["matched"].sum()
    assert (cells["matched"] + cells["surplus"]).equals(cells["generation"].alias("matched"))


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60, deadline=None)
@given(made=MADE, uses=USES)
def test_a_longer_period_never_matches_less(rule, made, uses):
    totals = [
        match(generation(*made), consumption(*uses), rule=rule, every=every).cells["matched"].sum() for every in PERIODS
    ]
    assert totals == sorted(totals)


@settings(max_examples=60, deadline=None)
@given(made=MADE, uses=USES, seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(made, uses, seed):
    for rule in RULES:
        straight = match(generation(*made), consumption(*uses), rule=rule)
        shuffled = match(
            generation(*made).sample(fraction=1, shuffle=True, seed=seed),
            consumption(*uses).sample(fraction=1, shuffle=True, seed=seed).lazy(),
            rule=rule,
        )
        assert straight.matches.equals(shuffled.matches)
        assert straight.cells.equals(shuffled.cells)


def test_pro_rata_and_equal_split_of_the_same_hour():
    made, used = generation((0, "A", 100)), consumption((0, "A", 1, 300), (1, "A", 2, 100), (3, "A", 3, 10))
    assert match(made, used).matches["matched"].to_list() == [73, 24, 3]
    assert match(made, used, rule="equal_split").matches["matched"].to_list() == [45, 45, 10]


def test_the_last_watt_hours_go_to_the_lower_accounts():
    made, used = generation((0, "A", 5)), consumption(*((0, "A", account, 4) for account in (7, 3, 5)))
    for rule in RULES:
        assert match(made, used, rule=rule).matches.select("account", "matched").rows() == [(3, 2), (5, 2), (7, 1)]


def test_solar_at_noon_does_not_light_the_evening_but_a_year_of_certificates_says_so():
    made, used = generation((48, "A", 1_000)), consumption((48, "A", 1, 500), (80, "A", 1, 500))
    assert match(made, used).score == 0.5
    assert match(made, used, every="1y").score == 1.0


def test_energy_of_one_zone_does_not_serve_another_where_zones_count():
    made, used = generation((0, "A", 10)), consumption((0, "B", 1, 10))
    assert match(made, used, zones=True).score == 0.0
    assert match(made, used).score == 1.0


def test_hours_are_bangkok_hours_and_nothing_used_has_no_score():
    got = match(generation((1, "A", 10)), consumption())
    assert got.cells["slot"].dt.hour().to_list() == [0]
    assert (got.score, got.cells["score"].to_list(), got.matches.height) == (None, [None], 0)
    assert "nothing used" in repr(got)


def test_huge_energies_are_shared_exactly():
    big = 2**60
    got = match(generation((0, "A", big)), consumption((0, "A", 1, big - 1), (0, "A", 2, big)))
    assert got.matches["matched"].to_list() == list(slow_pro_rata(big, {1: big - 1, 2: big}).values())


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"rule": "prorata"}, ArgumentError, "did you mean 'pro_rata'"),
        ({"rule": None}, ArgumentTypeError, "allowed"),
        ({"every": "2h"}, ArgumentError, "1h"),
        ({"zones": 1}, ArgumentTypeError, "True or False"),
    ],
)
def test_unknown_options_are_refused_with_what_is_allowed(changes, error, words):
    with pytest.raises(error, match=words):
        match(generation((0, "A", 1)), consumption((0, "A", 1, 1)), **changes)


@pytest.mark.parametrize(
    ("made", "used", "words"),
    [
        (generation((0, "A", -1)), consumption(), "below 0 Wh"),
        (generation(), consumption((0, "A", 1, -1)), "below 0 Wh"),
        (generation((0, "A", 2**61), (1, "A", 2**62)), consumption(), "wrong unit"),
        (generation().drop("energy"), consumption(), "'energy' is missing"),
        (generation().drop("zone"), consumption(), "'zone' is missing"),
    ],
)
def test_bad_frames_are_refused(made, used, words):
    with pytest.raises(CertificateError, match=words):
        match(made, used, zones=True)


def test_something_else_than_a_frame_is_refused():
    with pytest.raises(ArgumentTypeError, match="polars"):
        match([1], consumption())
