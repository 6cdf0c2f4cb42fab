"""What the text of lesson 14 says of its clouds, its forecasts and its market, sentence by sentence."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.calendar import slots
from gridlab.errors import FrameError
from gridlab.kpis import balances
from gridlab.learn.lesson_14 import (
    DAY,
    FRONT,
    HOUSE,
    colleague,
    cost_of_error,
    found_file,
    two_afternoons,
)
from gridlab.market.charges.retail import marginal_rate
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.calibration import calibration
from tests.house import ROOT

LESSON = ROOT / "tutorials" / "14-clouds-over-khon-kaen.ipynb"
TOWN = "Khon Kaen"
GHI = f"weather/ghi/{TOWN}"
SEASON = slots("2026-05-16", hours=153 * 24)
THURSDAY = slots(DAY, hours=24)
LEADS = ("day_ahead", "4h", "1h", "15min")


@cache
def feeds():
    return Feeds(0)


@cache
def wet():
    return Feeds(0).front(**FRONT)


@cache
def stormy_day(*levers, seed=0, front=True, read=True):
    lab = gl.Lab.thailand(prosumers=200, seed=seed, start=DAY)
    lab.set({"trade_on_forecasts": True, "read_oracle": read} | {f"sequence.{name}": value for name, value in levers})
    if front:
        lab.feeds.front(**FRONT)
    return lab.day()


def cost(*levers, **kinds):
    return float(cost_of_error(stormy_day(*levers, **kinds)))


def read(world, when, lead=None):
    frame = world.truth(when, [GHI]) if lead is None else world.forecast(when, [GHI], lead=lead)
    return frame["value"].to_numpy() / 10


def lesson_names(*marks):
    """Run the lesson's own cells that hold a mark, with its imports, and return their names."""
    cells = [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]
    names: dict[str, object] = {"feeds": feeds(), "TOWN": TOWN, "season": SEASON, "draw": lambda *_, **__: None}
    exec(cells[0].replace("gl.notebook()", ""), names)  # noqa: S102 - the lesson's own cell
    for mark in marks:
        exec(next(source for source in cells if mark in source), names)  # noqa: S102 - the lesson's own cell
    return names


def text():
    return "\n".join(cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "markdown")


# First result and section 1.


def test_three_days_have_one_sun_and_three_skies():
    sky = feeds().weather(slots("2026-06-16", hours=72), [TOWN]).group_by(pl.col("slot").dt.day(), maintain_order=True)
    days = sky.agg(pl.col("clear", "ghi").sum())
    assert days["clear"].max() / days["clear"].min() < 1.01
    share = days["ghi"] / days["clear"]
    assert share.max() - share.min() > 0.2


def test_a_cloudless_sky_by_hand_is_that_of_the_feeds_ineichen_and_perez_2002():
    names = lesson_names("def sun(", "kwh = ", "def cloudless(")
    clear = feeds().weather(THURSDAY, [TOWN])["clear"]
    by_hand = {hour: names["cloudless"](169, names["sun"](169, hour + 0.125)[1], 5.55) for hour in range(7, 18)}
    assert names["turbidity"] == 5.55
    assert max(abs(found - clear[4 * hour]) for hour, found in by_hand.items()) < 2
    assert abs(by_hand[12] - clear[48]) < 0.5


def test_the_cosine_by_hand_is_that_of_the_solar_position_algorithm():
    world = feeds().world(THURSDAY, [TOWN])
    cosine = world.sky.spread(np.cos(np.radians(world.sky.zenith)))[:, 0]
    sun = lesson_names("def sun(")["sun"]
    assert max(abs(sun(169, slot / 4 + 0.125)[1] - cosine[slot]) for slot in range(26, 70)) < 0.0015
    assert sun(169, 12.125)[1] == pytest.approx(0.9926, abs=0.0001)


def test_the_sun_stands_north_of_khon_kaen_in_mid_june():
    world = feeds().world(THURSDAY, [TOWN])
    azimuth = world.sky.spread(world.sky.azimuth)[48, 0]
    assert azimuth < 30 or azimuth > 330


def test_the_place_is_the_one_in_the_table():
    place = gl.dataset("province_places").filter(province=TOWN).row(0, named=True)
    assert f"{place['latitude']:.2f}° N, {place['longitude']:.2f}° E" in text()


# Section 2.


def test_clouds_remember_as_the_lesson_says():
    names = lesson_names("def alike")
    k, alike = names["k"], names["alike"]
    after = {hours: alike(k[: -int(4 * hours)], k[int(4 * hours) :]) for hours in (0.25, 1, 4, 24)}
    wanted = {0.25: 0.90, 1: 0.69, 4: 0.34, 24: 0.28}
    assert after == pytest.approx(wanted, abs=0.01)
    assert alike(k, names["wide"]["Udon Thani"].to_numpy()) > 0.5
    assert abs(alike(k, names["wide"]["Phuket"].to_numpy())) < 0.15


def test_own_clouds_have_the_memory_that_they_were_given():
    clouds = lesson_names("def clouds")["clouds"]
    for rho in (0.0, 0.85, 0.98):
        k = clouds(rho, steps=20_000)
        assert 0.06 < k.min() < k.max() < 1.08
        z = np.log((k - 0.06) / (1.08 - k))
        assert np.corrcoef(z[:-1], z[1:])[0, 1] == pytest.approx(rho, abs=0.02)


def test_yearly_sums_lie_within_what_is_published():
    table = calibration(Feeds(1), 2026).filter(
        pl.col("figure").str.contains("irradiation|yield") & pl.col("where").str.contains("provinces|northeast")
    )
    assert table.height == 3
    assert table["residual"].to_list() == [0, 0, 0]


# Section 3.


def test_error_falls_by_a_third_skill_is_small_and_bias_above_zero():
    scores = {row["lead"]: row for row in feeds().scores(SEASON, [GHI]).to_dicts()}
    mae = [scores[lead]["mae"] for lead in LEADS]
    assert mae == sorted(mae, reverse=True)
    assert round(mae[0]) == 87
    assert 0.28 < 1 - mae[-1] / mae[0] < 0.38
    assert [round(scores[lead]["skill"], 2) for lead in ("day_ahead", "15min")] == [0.15, 0.03]
    assert all(row["bias"] > 0 for row in scores.values())


def test_the_mean_error_by_hand_is_the_score_and_nights_nearly_halve_it():
    by_day = feeds().weather(SEASON, [TOWN])["clear"].to_numpy() > 0
    error = np.abs(read(feeds(), SEASON, "15min") - read(feeds(), SEASON))
    score = feeds().scores(SEASON, [GHI]).filter(lead="15min")["mae"].item()
    assert error[by_day].mean() == pytest.approx(score, abs=0.01)
    assert 0.5 < error.mean() / error[by_day].mean() < 0.56


@pytest.mark.parametrize("seed", range(4))
def test_fronts_are_one_reason_of_the_bias(seed):
    bias = {
        strength: Feeds(seed, front_strength=strength).scores(SEASON, [GHI]).filter(lead="day_ahead")["bias"].item()
        for strength in (0, 100)
    }
    assert bias[100] > bias[0]


# Section 4.


def test_two_worlds_are_one_until_noon():
    light, dark = (read(world, THURSDAY) for world in two_afternoons())
    assert (light[:48] == dark[:48]).all()
    assert (dark[48:72] < 0.25 * light[48:72]).all()


@pytest.mark.parametrize(("lead", "first"), [("day_ahead", None), ("4h", 65), ("1h", 53), ("15min", 50)])
def test_no_forecast_made_before_a_quarter_past_twelve_moves_with_the_afternoon(lead, first):
    light, dark = two_afternoons()
    moved = read(light, THURSDAY, lead) != read(dark, THURSDAY, lead)
    assert (int(np.argmax(moved)) if moved.any() else None) == first
    if first is not None:
        assert f"{light.forecast(THURSDAY, [GHI], lead=lead)['issued'][first]:%H:%M}" == "12:15"


def test_the_leaky_forecast_looks_much_better_and_moves_from_sunrise_on():
    names = lesson_names("def alike", "def read(", "my_error = ", "by_day = ", "def leaky(")
    leaky, by_day, truth = names["leaky"], names["by_day"], names["truth"]
    root = {
        name: np.sqrt(((guess - truth)[by_day] ** 2).mean())
        for name, guess in (("honest", read(feeds(), SEASON, "day_ahead")), ("leaky", leaky(feeds(), SEASON)))
    }
    assert root["leaky"] < 0.75 * root["honest"]
    light, dark = two_afternoons()
    moved = np.abs(leaky(light, THURSDAY) - leaky(dark, THURSDAY)) > 0.05
    assert int(np.argmax(moved)) == 23


def test_the_colleague_beats_the_last_forecast_and_peeks():
    by_day = feeds().weather(SEASON, [TOWN])["clear"].to_numpy() > 0
    truth = read(feeds(), SEASON)
    root = [
        np.sqrt(((guess - truth)[by_day] ** 2).mean())
        for guess in (colleague(feeds(), SEASON), read(feeds(), SEASON, "15min"))
    ]
    assert root[0] < root[1]
    light, dark = (colleague(world, THURSDAY) for world in two_afternoons())
    assert f"{THURSDAY[int(np.argmax(np.abs(light - dark) > 1))]:%H:%M}" == "11:45"


# Section 5.


def test_the_front_takes_half_of_the_day_and_a_day_ahead_nobody_knew():
    pv = [f"weather/pv/{TOWN}"]
    dry, rainy = (world.truth(THURSDAY, pv)["value"].sum() for world in (feeds(), wet()))
    assert 0.5 < 1 - rainy / dry < 0.6
    ahead = {lead: wet().forecast(THURSDAY, pv, lead=lead)["value"].sum() / rainy for lead in LEADS}
    assert ahead["day_ahead"] > 1.6
    assert list(ahead.values()) == sorted(ahead.values(), reverse=True)


def test_the_front_comes_from_the_south_west():
    darkest = {}
    for town in ("Bangkok", TOWN, "Udon Thani"):
        dry, rainy = (world.weather(THURSDAY, [town])["ghi"].to_numpy() for world in (feeds(), wet()))
        share = np.divide(rainy, dry, out=np.ones(96), where=dry > 5)
        darkest[town] = np.flatnonzero(share < 1.25 * share.min()).mean() / 4
    assert darkest["Bangkok"] < 9
    assert 12 < darkest[TOWN] < 13.5 < darkest["Udon Thani"] < 15


# Sections 6 and 7.


def test_the_boonmees_are_a_household_of_the_northeast():
    who = stormy_day().accounts.filter(account=HOUSE).row(0, named=True)
    assert (who["kind"], who["zone"], who["utility"], who["pv_kw"]) == ("household", "NEC", "PEA", 11.8)


def test_the_slot_at_eleven_is_worked_as_the_lesson_says():
    stages = stormy_day().stages
    eleven = (pl.col("account") == HOUSE) & (pl.col("slot").dt.strftime("%H:%M") == "11:00")
    row = stages.positions.filter(eleven).row(0, named=True)
    paid = stages.imbalance.filter(eleven).row(0, named=True)
    agreed = row["day_ahead"] + row["intraday"] + row["utility"] + row["balancing"]
    assert (agreed, row["metered"], row["imbalance"]) == (-782, 232, 1014)
    assert (paid["price"], paid["payment"]) == (3704, 1014 * 3704)


def test_most_of_the_imbalance_bill_is_the_energy_itself():
    stages = stormy_day().stages
    prices = stages.prices.filter(zone="NEC").select("slot", "reference")
    bill = stages.imbalance.filter(account=HOUSE).join(prices, on="slot")
    paid, energy = bill["payment"].sum() / 1e6, (bill["imbalance"] * bill["reference"]).sum() / 1e6
    assert paid == pytest.approx(32.17, abs=0.01)
    assert paid - energy == pytest.approx(4.27, abs=0.01)


def test_errors_of_one_sky_do_not_cancel():
    def left(**kinds):
        stages = stormy_day(**kinds).stages
        mine = stages.imbalance.filter(pl.col("account").is_in(stages.accounts.implode()))
        net = mine.group_by("slot", "zone").agg(pl.col("imbalance").sum())["imbalance"]
        return net.abs().sum() / mine["imbalance"].abs().sum()

    assert left(front=False, read=False) == pytest.approx(0.34, abs=0.03)
    assert 0.65 < left(front=False) < 0.72 < left() < 0.78


def test_all_providers_are_honest():
    assert repr(gl.Lab.thailand(prosumers=200).oracle) == "Oracle(15 providers, 0 lying, 0 bribed, 0 cuts)"


# Section 8.

GATE, DUAL = ("gate_closure", 15), ("imbalance_method", "dual")


@pytest.mark.parametrize("seed", range(3))
def test_with_the_front_the_gate_matters_more_than_the_pricing(seed):
    start, gate, dual = (cost(*levers, seed=seed) for levers in ((), (GATE,), (DUAL,)))
    assert 0.3 < 1 - gate / start < 0.4
    assert 1 / 12 < dual / start - 1 < 1 / 6
    assert start - gate > dual - start


def test_without_the_front_both_are_of_like_size_and_once_pricing_matters_more():
    larger = []
    for seed in range(3):
        start, gate, dual = (cost(*levers, seed=seed, front=False) for levers in ((), (GATE,), (DUAL,)))
        assert 0.6 < (start - gate) / (dual - start) < 1.6
        larger.append("gate" if start - gate > dual - start else "pricing")
    assert larger == ["gate", "gate", "pricing"]


def test_dual_prices_move_no_energy_and_what_they_add_is_kept_by_the_operator():
    single, dual = stormy_day().stages, stormy_day(DUAL).stages
    assert single.positions.equals(dual.positions)
    kept = (dual.operator["kept"].sum() - single.operator["kept"].sum()) / 1e6
    assert kept == pytest.approx(cost(DUAL) - cost(), abs=0.01)


def test_a_gate_of_half_an_hour_changes_little():
    assert abs(cost(("gate_closure", 30)) / cost() - 1) < 0.05


# Section 9.


def whole(*levers):
    day = stormy_day(*levers)
    bill = balances(day.frames())
    energy = day.stages.imbalance["imbalance"].abs().sum()
    return bill.filter(account=HOUSE)["with_market"].item() / 1e6, bill["saving"].sum() / 1e6, energy


def test_the_better_they_correct_the_more_the_boonmees_pay():
    ways = [(("intraday", False),), (("gate_closure", 240),), (), (GATE,)]
    bills, savings, energies = zip(*(whole(*way) for way in ways), strict=True)
    assert list(bills) == sorted(bills)
    assert [round(bill) for bill in (bills[0], bills[-1])] == [105, 121]
    assert max(savings) == savings[0]
    assert list(energies) == sorted(energies, reverse=True)


def test_imbalance_is_cheaper_than_what_is_bought_from_the_utility():
    lab = gl.Lab.thailand(prosumers=200, start=DAY)
    who = stormy_day().accounts.filter(account=HOUSE).row(0, named=True)
    rate = marginal_rate(who["tariff"], monthly_kwh=who["monthly_kwh"], on_peak=True)
    retail = float((rate + Decimal(str(lab.get("market.retail.ft")))) * Decimal("1.07"))
    assert retail == pytest.approx(4.90, abs=0.02)
    prices = stormy_day().stages.prices.filter(zone="NEC", slot=THURSDAY[48])
    assert prices["price_short"].item() / 1000 == pytest.approx(3.7, abs=0.05)


def test_the_answer_given_to_the_task():
    found = {
        step: [whole(("reserve_step", step), ("intraday", on))[1] for on in (False, True)] for step in (10, 50, 60)
    }
    assert {step: [round(value) for value in values] for step, values in found.items()} == {
        10: [1485, 80],
        50: [-1312, -1426],
        60: [-2011, -1802],
    }
    assert all(without > with_it for without, with_it in (found[10], found[50]))


# Section 10.


def school(tmp_path, change=None, feed=GHI):
    hazy = slots("2026-06-17", hours=72)
    frame = pl.DataFrame(
        {
            "slot": hazy.dt.strftime("%Y-%m-%dT%H:%M"),
            "value": (0.62 * feeds().weather(hazy, [TOWN])["clear"]).round(0),
        }
    )
    frame = frame if change is None else change(frame)
    frame.write_csv(tmp_path / "school.csv")
    return Feeds(0).replace(feed, tmp_path / "school.csv")


def test_persistence_would_have_been_right_where_the_forecast_draws_to_the_mean(tmp_path):
    mine = school(tmp_path)
    scores = mine.scores(THURSDAY, [GHI]).filter(lead="1h").row(0, named=True)
    assert scores["mae"] == pytest.approx(19, abs=0.5)
    assert scores["persistence_rmse"] < 1
    assert mine.solar(THURSDAY, [TOWN])[TOWN].sum() < feeds().solar(THURSDAY, [TOWN])[TOWN].sum()
    assert mine.restore(GHI).solar(THURSDAY).equals(feeds().solar(THURSDAY))


def test_the_door_refuses_a_gap_and_watts(tmp_path):
    with pytest.raises(FrameError, match="slots are missing"):
        school(tmp_path, lambda frame: frame.filter(pl.col("slot") != "2026-06-18T12:00"))
    with pytest.raises(FrameError, match="check the unit"):
        school(tmp_path, feed=f"weather/pv/{TOWN}")


def test_what_the_door_cannot_see_the_index_and_the_night_show(tmp_path):
    kilo = school(tmp_path, lambda frame: frame.with_columns(pl.col("value") / 1000)).weather(THURSDAY, [TOWN])
    assert kilo["ghi"].sum() / kilo["clear"].sum() < 0.001
    abroad = slots("2026-06-17", hours=72).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M")
    utc = school(tmp_path, lambda frame: frame.with_columns(slot=abroad)).weather(THURSDAY, [TOWN])
    assert utc.filter(pl.col("clear") == 0)["ghi"].max() > 500
    said = school(tmp_path, lambda frame: frame.with_columns(slot=abroad + ":00+00:00")).weather(THURSDAY, [TOWN])
    assert said["ghi"].equals(school(tmp_path).weather(THURSDAY, [TOWN])["ghi"])


def test_the_darkest_day_of_the_season_is_far_brighter_than_a_wrong_unit():
    sky = feeds().weather(SEASON, [TOWN]).group_by(pl.col("slot").dt.date()).agg(pl.col("ghi", "clear").sum())
    assert (sky["ghi"] / sky["clear"]).min() > 0.1


def test_the_found_file_is_accepted():
    mine = Feeds(0).replace(GHI, found_file())
    assert mine.replaced == (GHI,)
    sky = mine.weather(slots("2026-06-21", hours=24), [TOWN])
    assert sky.filter(pl.col("clear") == 0)["ghi"].max() > 50


def test_the_costs_of_the_lesson_are_those_of_the_keys():
    names = lesson_names("def stormy_lab", "def cost(day)")
    assert names["cost"](stormy_day()) == pytest.approx(cost())
    lab = names["stormy_lab"](**{"sequence.gate_closure": 15})
    assert names["cost"](lab.day()) == pytest.approx(cost(GATE))
