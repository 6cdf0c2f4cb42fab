"""What the text of lesson 06 says of its two days, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.chain.certificates import REC_ENERGY
from gridlab.chain.keys import sandbox
from gridlab.errors import CertificateError
from gridlab.learn import lesson_01, lesson_06
from gridlab.market.green.carbon import Carbon, grid_factor_on
from gridlab.market.green.cbam import Cbam, free_allocation_in
from gridlab.market.green.certificates import issue, issue_from_readings, metered
from gridlab.market.green.green_products import green_product
from gridlab.market.green.matching_24_7 import match
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "06-certificates-24-7.ipynb"
MALL, MALAI = lesson_06.MALL, lesson_01.MALAI
WORKS = {
    "good": ["clinker"],
    "sector": ["cement"],
    "mass": [1_000_000],
    "electricity": [60_000_000],
    "direct": [850_000_000],
    "benchmark": [693],
}


@cache
def lab():
    return gl.Lab.thailand(prosumers=200, seed=0)


@cache
def run():
    return lab().run(hours=lesson_06.HOURS, progress=False)


@cache
def roofs():
    return run().accounts.filter(pl.col("pv_kw") > 0)


@cache
def earned():
    egat = run().institutions.filter(name="EGAT")["account"].item()
    return issue_from_readings(run().readings, roofs(), registrant=egat)


@cache
def hours(recs=2):
    """Matched by the hour: what the mall uses against so many certificates."""
    return match(lesson_06.bought_hours(run().readings, recs), lesson_06.used_hours(run().readings, MALL)).cells


def by_year(recs):
    bought = lesson_06.bought_hours(run().readings, recs)
    return match(bought, lesson_06.used_hours(run().readings, MALL), every="1y").score


def score(recs=2):
    return hours(recs)["matched"].sum() / hours(recs)["consumption"].sum()


@cache
def cell_names():
    """Names that the notebook's own cell of helpers defines, over the mall's hours."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    source = next(cell.source for cell in cells if cell.cell_type == "code" and "def supply(" in cell.source)
    names = {"np": np}
    names |= {"sun": hours()["generation"].to_numpy() / 1000, "used": hours()["consumption"].to_numpy() / 1000}
    exec(source, names)  # noqa: S102 - the lesson's own cell
    return names


def mixed(recs, battery, wind):
    return cell_names()["score"](cell_names()["supply"](recs, battery / 100, wind / 100))


# 1 From meter to certificate


def test_the_roofs_earn_fewer_certificates_than_megawatt_hours_and_one_zone_has_none():
    generated, certificates = run().readings["generation"].sum(), run().certificates["quantity"].sum()
    assert 10.5 < generated / REC_ENERGY < 11
    assert (roofs().height, certificates) == (75, 9)
    zones = run().accounts["zone"].cast(pl.String).unique()
    assert zones.filter(~zones.is_in(run().certificates["zone"].implode())).to_list() == ["NEC"]
    ranges = run().certificates.filter(certificate_id=4)
    assert ranges.select("quantity", "zone").row(0) == (3, "MAC")


def test_bangkok_earns_one_certificate_on_the_first_day_and_two_on_the_second_of_about_as_much_sun():
    in_zone = run().readings.join(run().accounts.select("account", "zone"), on="account")
    daily = in_zone.filter(pl.col("zone").cast(pl.String) == "MAC").group_by(pl.col("slot").dt.date())
    first, second = daily.agg(pl.col("generation").sum()).sort("slot")["generation"]
    assert first // REC_ENERGY == 1
    assert (first + second) // REC_ENERGY == 3
    assert abs(second / first - 1) < 0.1
    assert round((first + second) % REC_ENERGY / REC_ENERGY, 2) == 0.48


def test_two_days_one_after_the_other_earn_what_they_earn_at_once():
    egat = run().institutions.filter(name="EGAT")["account"].item()
    first = pl.col("slot").dt.day() == 6
    one = issue_from_readings(run().readings.filter(first), roofs(), registrant=egat)
    two = issue_from_readings(run().readings.filter(~first), roofs(), registrant=egat, carried=one.carried)
    assert [made.certificates["quantity"].sum() for made in (one, two, earned())] == [3, 6, 9]
    assert two.carried.equals(earned().carried)


def test_alone_one_roof_of_a_factory_gets_a_certificate_and_malai_waits_for_more_than_two_months():
    alone = issue_from_readings(run().readings, roofs()).certificates
    assert alone["quantity"].sum() == 1
    assert run().accounts["kind"][int(alone["device"][0])] == "factory"
    daily = run().readings.filter(account=MALAI)["generation"].sum() / 2
    assert 62 < REC_ENERGY / daily < 90


# 2 What green costs


def test_prices_compare_as_the_lesson_says():
    first, mean = (
        float(green_product(name).price) for name in ("first I-REC sale, hydro", "I-REC, hydro, average of 2025")
    )
    tariff, proposed = (1000 * float(green_product(name).price) for name in ("UGT1", "UGT1, proposed"))
    assert 0.5 < mean / first < 0.6
    assert 1.9 < tariff / mean < 2.2
    assert mean < proposed < tariff


def test_a_certificate_is_worth_about_a_hundredth_of_its_electricity():
    price = float(green_product("I-REC, hydro, average of 2025").price)
    bill = run().balances.filter(account=MALL)["with_market"].item() / 1_000_000
    assert 0.005 < 2 * price / bill < 0.01
    assert 0.01 < price / (1000 * lab().get("market.retail.buy_back")) < 0.02
    yearly = run().readings.filter(account=MALAI)["generation"].sum() / 2 * 365 / REC_ENERGY
    assert 100 < int(yearly) * price < 200


# 3 By the year, by the hour


def test_the_mall_has_no_roof_stands_in_bangkoks_zone_and_two_certificates_cover_it_on_paper():
    mall = run().accounts.row(MALL, named=True)
    assert (mall["kind"], str(mall["zone"]), mall["pv_kw"]) == ("mall", "MAC", 0.0)
    assert by_year(1) < 1 == by_year(2)


def test_by_the_hour_less_than_sixty_percent_is_left_and_nine_certificates_leave_a_third_open():
    assert 0.5 < score(2) < 0.6
    assert score(2) < score(9) < 2 / 3
    assert 4.8 < 9 * REC_ENERGY / hours()["consumption"].sum() < 5.5


def test_noon_has_too_much_and_the_evening_nothing():
    hour = pl.col("slot").dt.hour()
    noon, evening, night = (hours().filter(hour.is_between(*span)) for span in ((9, 14), (18, 23), (0, 5)))
    assert (noon["generation"] > noon["consumption"]).all()
    assert (evening["matched"] < evening["consumption"] * 0.05).all()
    assert (night["matched"] < night["consumption"] * 0.05).all()


# 4 What would fill the evening?


def test_battery_and_wind_each_help_to_a_point_and_not_to_the_end():
    battery = [mixed(2, share, 0) for share in range(0, 101, 5)]
    wind = [mixed(2, 0, share) for share in range(0, 101, 5)]
    assert battery[0] == wind[0] == pytest.approx(100 * score(2))
    assert battery[0] < max(battery) < max(wind) < 100
    assert battery[-1] < max(battery)
    assert wind[-1] < wind[0]


def test_by_the_year_all_of_them_are_whole():
    names = cell_names()
    need = names["need"].sum()
    for share in range(0, 101, 5):
        assert names["supply"](2, share / 100, 0).sum() >= need
        assert names["supply"](2, 0, share / 100).sum() >= need


def test_the_answer_given_to_the_task_is_one():
    assert mixed(2, 20, 30) == pytest.approx(92, abs=0.5)
    assert mixed(5, 70, 0) == pytest.approx(79, abs=0.5)
    assert max(mixed(5, share, 0) for share in range(0, 101, 5)) < 90


# 5 Who gets the green hour?


def matched_by_kind(rule):
    surplus = run().readings.group_by("slot").agg(energy=pl.col("exported").sum())
    found = match(surplus, run().readings.select("slot", "account", energy="imported"), rule=rule)
    kinds = run().accounts.select("account", pl.col("kind").cast(pl.String))
    sums = found.scores.join(kinds, on="account").group_by("kind").agg(pl.col("matched").sum())
    return dict(sums.rows())


def test_rules_share_the_same_energy_with_others():
    rata, split = matched_by_kind("pro_rata"), matched_by_kind("equal_split")
    whole = sum(rata.values())
    assert sum(split.values()) == whole
    assert rata["mall"] + rata["factory"] + rata["school"] > 0.75 * whole
    assert split["household"] == pytest.approx(2 / 3 * whole, rel=0.05)


# 6 One use, two figures


def test_three_figures_for_one_use():
    drawn = int(hours()["consumption"].sum())
    green = [2_000_000, int(hours()["matched"].sum())]
    made = lab().carbon.statement(pl.DataFrame({"account": [MALL] * 2, "energy": [drawn] * 2, "green": green}))
    assert made["location_based"].to_list() == pytest.approx([833_000] * 2, rel=0.001)
    assert made["market_based"][0] == 0 < made["market_based"][1] < made["location_based"][1]


def test_a_cleaner_grid_makes_the_same_roof_avoid_less_and_a_credit_need_more():
    before, after = float(grid_factor_on(date(2025, 12, 31))), float(grid_factor_on(date(2026, 1, 1)))
    found = gl.what_if(lab(), {"carbon.grid_factor": [before, after]}).filter(kpi="carbon_avoided")["value"]
    assert found[1] < found[0]
    needs = [Carbon(grid_factor=factor).credit_energy() / REC_ENERGY for factor in (before, after, 0.2)]
    assert [round(each, 1) for each in needs] == [2.0, 2.1, 5.0]


def test_a_credit_is_fine_alone_and_refused_after_the_certificates():
    meters = metered(run().readings, earned().groups)
    held = issue(None, earned().certificates, meters)
    credit = (
        earned()
        .certificates.head(1)
        .with_columns(
            certificate_id=pl.lit(10, dtype=pl.UInt64),
            instrument=pl.lit("T-VER", dtype=held["instrument"].dtype),
            quantity=pl.lit(1, dtype=pl.Int64),
            energy=pl.lit(lab().carbon.credit_energy(), dtype=pl.Int64),
        )
    )
    assert issue(None, credit, meters)["quantity"].sum() == 1
    with pytest.raises(CertificateError, match="energy is certified once"):
        issue(held, credit, meters)


# 7 The factory and Europe


def certificates(**extra):
    works = pl.DataFrame(WORKS).with_columns(**{name: pl.lit(value) for name, value in extra.items()})
    return lab().carbon.cbam.statement(works)


def test_recs_save_nothing_in_europe_a_contract_or_a_line_saves_nineteen():
    nothing = certificates().certificates
    assert nothing - certificates(certificates=40_000_000).certificates == 0
    assert nothing - certificates(ppa=40_000_000).certificates == 19
    assert nothing - certificates(direct_line=40_000_000).certificates == 19


def test_a_price_at_home_is_nearly_all_taken_off():
    paid = 850 * int(lab().carbon.tax_rate) * 1_000_000
    saved = certificates().cost - certificates(paid_at_origin=paid).cost
    assert paid == 170_000 * 1_000_000
    assert 0.95 * paid < saved <= paid


def test_without_free_allocation_more_than_four_times_as_many_are_due():
    works = pl.DataFrame(WORKS)
    due = {year: Cbam(free_allocation=free_allocation_in(year)).statement(works).certificates for year in (2026, 2034)}
    assert free_allocation_in(2026) == 97.5
    assert free_allocation_in(2034) == 0
    assert due[2034] > 4 * due[2026]


# 8 The chain, and 9 What a policy could do


def sent(chain, account, kind, frame):
    """Send a frame as an account of the run, and return the receipt."""
    names = [*run().accounts["name"], *run().institutions["name"]]
    chain.send(sandbox(run().facts.seed, names[account]), kind, frame)
    return chain.seal(datetime(2026, 5, 8)).receipts[0]


def test_on_the_chain_the_range_is_cut_and_four_cheats_are_refused_with_their_reason():
    egat, chain = run().institutions.filter(name="EGAT")["account"].item(), run().chain.replay()
    delivery = pl.DataFrame({"certificate_id": [4], "quantity": [2], "new_owner": [MALL]})
    claim = pl.DataFrame({"certificate_id": [4], "quantity": [2], "beneficiary": ["the mall"]})
    assert sent(chain, egat, "certificate_transfer", delivery).accepted
    assert sent(chain, MALL, "certificate_retire", claim).accepted
    held = chain.certificates
    rows = held.filter(pl.col("certificate_id").is_between(4, 6)).select(
        "certificate_id", "quantity", "owner", "status"
    )
    assert rows.rows() == [(4, 2, MALL, "retired"), (6, 1, egat, "issued")]
    same = run().certificates.drop("status", "beneficiary")
    ten = {"certificate_id": pl.lit(100, dtype=pl.UInt64), "quantity": pl.lit(10, dtype=pl.Int64)}
    air = same.head(1).with_columns(**ten, energy=pl.lit(10 * REC_ENERGY, dtype=pl.Int64))
    theft = delivery.with_columns(certificate_id=pl.lit(1), quantity=pl.lit(1), new_owner=pl.lit(MALAI))
    cheats = {
        "issued once": (egat, "certificate_issue", same),
        "retired once": (MALL, "certificate_retire", claim.with_columns(beneficiary=pl.lit("the sister"))),
        "another owner": (MALAI, "certificate_transfer", theft),
        "than was metered": (egat, "certificate_issue", air),
    }
    for reason, cheat in cheats.items():
        receipt = sent(chain, *cheat)
        assert receipt.code == "rule_broken"
        assert reason in receipt.reason
    assert chain.certificates.equals(held)


def test_only_the_issuer_may_issue_and_only_grid_operators_read():
    roles = dict(run().institutions.select("name", "role").rows())
    assert (roles["EGAT"], roles["PEA"]) == ("certificate_issuer", "grid_operator")


def test_paper_and_hour_agree_while_solar_is_scarce_and_part_later():
    figures = gl.what_if(lab(), {"agents.pv_size": [100.0, 150.0, 300.0]})
    rows = figures.pivot("kpi", index="agents.pv_size", values="value").to_dicts()
    gaps = [100 * row["energy_generated"] / row["energy_used"] - row["matching_24_7"] for row in rows]
    assert gaps[0] == pytest.approx(0, abs=0.01)
    assert gaps[1] == pytest.approx(0, abs=0.1)
    assert gaps[2] > 10


# The exercises


def test_the_rest_of_the_nearest_zone_takes_less_than_an_hour_at_noon():
    missing = lesson_06.nearest_zone().facts["missing"] * 1000
    zone = lesson_06.nearest_zone().answer
    in_zone = run().readings.join(run().accounts.select("account", "zone"), on="account")
    noon = in_zone.filter((pl.col("zone").cast(pl.String) == zone) & (pl.col("slot").dt.hour() == 12))
    assert missing < noon.group_by(pl.col("slot").dt.date()).agg(pl.col("generation").sum())["generation"].min()


def test_the_condominium_buys_far_more_than_it_uses():
    assert run().accounts["kind"][lesson_06.CONDOMINIUM] == "condominium"
    assert run().accounts["pv_kw"][lesson_06.CONDOMINIUM] == 0
    assert lesson_06.hourly_share().facts["times"] > 4


def test_one_more_certificate_of_mixed_zones_would_be_accepted():
    """What the fact sheet of the chain says: the register sees meters and groups, and no zones."""
    rests = run().frames["certificates_carried"]["energy"]
    assert rests.max() < REC_ENERGY < rests.sum() < 2 * REC_ENERGY
    assert lesson_06.mixed_rest().answer == 1


def test_the_days_are_those_that_the_lesson_names():
    slots = run().readings["slot"].unique().sort().dt.replace_time_zone(None)
    assert (slots[0], slots[-1]) == (datetime(2026, 5, 6), datetime(2026, 5, 7, 23, 45))
    assert [slots[0].weekday(), slots[-1].weekday()] == [2, 3]


def test_the_numbers_of_the_first_table_are_the_datasets_and_levers_in_force():
    text = nbformat.read(NOTEBOOK, as_version=4).cells[1].source
    stated = re.findall(r"\| ([\d.]+)(?: to ([\d.]+))? (?:THB/REC|THB/kWh|kgCO2e/kWh|EUR/tCO2e|THB/EUR) \|", text)
    products = [
        "first I-REC sale, hydro",
        "I-REC, hydro, average of 2025",
        "I-REC, indication",
        "UGT1",
        "UGT1, proposed",
    ]
    expected = [(each.price, each.price_high) for each in map(green_product, products)]
    numbers = [(float(low), float(high or low)) for low, high in stated]
    factors = [grid_factor_on(date(2026, 1, 1)), grid_factor_on(date(2025, 12, 31))]
    levers = [lab().get(f"carbon.cbam.{name}") for name in ("certificate_price", "exchange_rate")]
    assert numbers[:5] == [(float(low), float(high)) for low, high in expected]
    assert [low for low, _ in numbers[5:]] == [float(each) for each in (*factors, *levers)]
    assert lab().get("carbon.grid_factor") == float(factors[0])
