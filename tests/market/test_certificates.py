"""Certificates from meter readings: one per metered megawatt-hour, the rest carried forward, nothing made twice."""

import doctest
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.certificates import TECHNOLOGY
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, ChainError, FrameError
from gridlab.frames import READINGS
from gridlab.market.green.carbon import Carbon
from gridlab.market.green.certificate_attributes import attributes, technologies
from gridlab.market.green.certificates import CARRIED, expand, issue, issue_from_readings, metered, retire, transfer
from gridlab.market.green.green_products import green_product, green_products

DOCS = Path(__file__).parents[2] / "docs" / "market"
START = datetime(2026, 5, 31, 22)
ZONES = ["MAC", "CAC", "MAC", "NEC"]
ACCOUNTS = pl.DataFrame({"account": range(4), "zone": ZONES})
# Slots on both sides of the midnight between May and June; a slot of an account at most once.
GENERATED = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 15)), st.integers(0, 3_000_000), max_size=30)


def readings(generated):
    rows = [
        {"slot": START + timedelta(minutes=15 * slot), "account": account, "load": 0, "generation": energy}
        for (account, slot), energy in generated.items()
    ]
    frame = pl.DataFrame(
        rows, schema={"slot": pl.Datetime("us"), "account": pl.Int64, "load": pl.Int64, "generation": pl.Int64}
    )
    return READINGS.check(frame)


def slow_issue(generated, key, carried):
    """Fill a bucket per source slot after slot; when a megawatt-hour is full, a certificate of that month drops out."""
    bucket, certificates = dict(carried), {}
    for (account, slot), energy in sorted(generated.items(), key=lambda item: item[0][1]):
        source, month = key(account), 5 if slot < 8 else 6
        if not energy:
            continue
        bucket[source] = bucket.get(source, 0) + energy
        while bucket[source] >= 1_000_000:
            bucket[source] -= 1_000_000
            certificates[source, month] = certificates.get((source, month), 0) + 1
    return certificates, {source: energy for source, energy in bucket.items() if energy}


def as_books(made):
    certificates = {
        ((row["device"], row["zone"]), row["vintage_start"].month): row["quantity"]
        for row in made.certificates.to_dicts()
    }
    return certificates, {
        (row["device"], row["zone"]): row["energy"] for row in made.carried.to_dicts() if row["energy"]
    }


@settings(max_examples=150, deadline=None)
@given(generated=GENERATED, second=GENERATED, pooled=st.booleans())
def test_equals_a_slow_bucket_and_carries_the_rest_into_the_next_call(generated, second, pooled):
    registrant = 9 if pooled else None
    key = (lambda account: (9, ZONES[account])) if pooled else (lambda account: (account, ZONES[account]))
    made = issue_from_readings(readings(generated), ACCOUNTS, registrant=registrant)
    certificates, rest = slow_issue(generated, key, {})
    assert as_books(made) == (certificates, rest)
    after = issue_from_readings(readings(second), ACCOUNTS, registrant=registrant, carried=made.carried)
    assert as_books(after) == slow_issue(second, key, rest)
    energy = sum(generated.values()) + sum(second.values())
    issued = made.certificates["energy"].sum() + after.certificates["energy"].sum()
    assert issued + after.carried["energy"].sum() == energy
    assert (after.carried["energy"] < 1_000_000).all()


@settings(max_examples=100, deadline=None)
@given(generated=GENERATED, pooled=st.booleans())
def test_what_is_earned_is_always_within_the_meter_and_not_one_more(generated, pooled):
    made = issue_from_readings(readings(generated), ACCOUNTS, registrant=9 if pooled else None)
    meters = metered(readings(generated), made.groups)
    held = issue(None, made.certificates, meters)
    assert held["energy"].sum() == made.certificates["energy"].sum()
    if made.certificates.height:
        with pytest.raises(CertificateError, match="issued already"):
            issue(held, made.certificates, meters)
        again = made.certificates.with_columns(pl.col("certificate_id") + 10_000)
        with pytest.raises(CertificateError, match="metered"):
            issue(issue(held, again, meters), again.with_columns(pl.col("certificate_id") + 10_000), meters)


def test_serial_numbers_follow_on_and_expand_to_one_row_each():
    made = issue_from_readings(
        readings({(0, 0): 2_500_000, (1, 1): 1_000_000, (0, 9): 600_000}), ACCOUNTS, first_id=100
    )
    assert made.certificates.select("certificate_id", "quantity", "device").rows() == [
        (100, 2, 0),
        (102, 1, 1),
        (103, 1, 0),
    ]
    assert made.carried.select("device", "energy").rows() == [(0, 100_000), (1, 0)]
    held = issue(None, made.certificates, metered(readings({(0, 0): 2_500_000, (1, 1): 1_000_000, (0, 9): 600_000})))
    single = expand(held)
    assert single["certificate_id"].to_list() == [100, 101, 102, 103]
    assert single["energy"].to_list() == [1_000_000] * 4
    assert "4 certificates" in repr(made)


def test_transfer_and_retire_on_frames_change_nothing_that_was_given():
    generated = readings({(0, 0): 3_000_000})
    held = issue(None, issue_from_readings(generated, ACCOUNTS).certificates, metered(generated))
    before = held.clone()
    sold = transfer(held, pl.DataFrame({"certificate_id": [2], "quantity": [2], "new_owner": [3]}), sender=0)
    used = retire(sold, pl.DataFrame({"certificate_id": [3], "quantity": [1], "beneficiary": ["Siam Steel"]}), sender=3)
    assert used.select("certificate_id", "owner", "status").rows() == [
        (1, 0, "issued"),
        (2, 3, "issued"),
        (3, 3, "retired"),
    ]
    assert held.equals(before)
    with pytest.raises(CertificateError, match="another owner"):
        transfer(sold, pl.DataFrame({"certificate_id": [2], "quantity": [1], "new_owner": [0]}), sender=0)


def test_technology_and_province_of_the_accounts_are_used():
    accounts = ACCOUNTS.with_columns(
        province=pl.lit("Rayong"), technology=pl.Series(["wind", "solar_roof", "hydro", "biomass"])
    )
    made = issue_from_readings(readings({(0, 0): 1_000_000, (2, 0): 1_000_000}), accounts)
    assert made.certificates["zone"].unique().to_list() == ["Rayong"]
    assert made.certificates["technology"].to_list() == ["wind", "hydro"]


def test_i_rec_codes_fact_sheet_section_6_1():
    codes = {row[0]: row[1:3] for row in technologies().rows()}
    assert codes["solar_ground"] == ("ES100", "TC110")
    assert codes["solar_roof"] == ("ES100", "TC120")
    assert [codes[name][0] for name in ("wind", "hydro", "biomass")] == ["ES200", "ES300", "ES570"]
    assert list(codes) == TECHNOLOGY.categories.to_list()


def test_what_is_printed_on_a_certificate():
    generated = readings({(0, 0): 3_000_000})
    printed = attributes(
        issue(None, issue_from_readings(generated, ACCOUNTS, first_id=7).certificates, metered(generated))
    )
    row = printed.row(0, named=True)
    assert (row["first_certificate"], row["last_certificate"], row["energy_mwh"]) == (7, 9, 3.0)
    assert (row["issuer"], row["country"], row["energy_source"], row["technology_code"]) == (
        "EGAT",
        "TH",
        "ES100",
        "TC120",
    )
    assert (str(row["production_start"]), str(row["production_end"])) == ("2026-05-01", "2026-05-31")


def test_a_carbon_credit_and_a_certificate_never_come_from_one_megawatt_hour_fact_sheet_section_6_1():
    generated = readings({(0, 0): 2_900_000})
    unit = Carbon().credit_energy()
    earned = issue_from_readings(generated, ACCOUNTS, instrument="T-VER", unit_energy=unit)
    assert (earned.certificates["quantity"].sum(), earned.carried["energy"].sum()) == (1, 2_900_000 - unit)
    held = issue(None, earned.certificates, metered(generated))
    certificates = issue_from_readings(generated, ACCOUNTS, first_id=2).certificates
    with pytest.raises(CertificateError, match="certificates and credits"):
        issue(held, certificates, metered(generated))
    assert attributes(held)["issuer"].to_list() == ["TGO"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"technology": "solar_rof"}, ArgumentError, "did you mean 'solar_roof'"),
        ({"technology": 1}, ArgumentTypeError, "allowed"),
        ({"instrument": "GO"}, ArgumentError, "T-VER"),
        ({"registrant": 1.5}, ArgumentTypeError, "whole number"),
        ({"registrant": -1}, ArgumentError, "0 or more"),
        ({"first_id": "1"}, ArgumentTypeError, "whole number"),
        ({"unit_energy": 500_000}, ArgumentError, "or more"),
        ({"unit_energy": 1_000_001}, ArgumentError, "REC"),
        ({"readings": [1]}, ArgumentTypeError, "polars"),
        ({"readings": readings({(0, 0): -1})}, CertificateError, "below 0 Wh"),
        ({"readings": pl.concat([readings({(0, 0): 1})] * 2)}, CertificateError, "read twice"),
        ({"accounts": ACCOUNTS.tail(3)}, CertificateError, "not in the accounts frame"),
        ({"accounts": pl.concat([ACCOUNTS] * 2)}, CertificateError, "stands there twice"),
        ({"carried": 3}, ArgumentTypeError, "polars"),
        ({"carried": (0, 1_000_000)}, CertificateError, "whole certificates"),
        ({"carried": (0, -1)}, CertificateError, "below 0 Wh"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(changes, error, words):
    arguments = {"readings": readings({(0, 0): 1}), "accounts": ACCOUNTS} | changes
    if isinstance(arguments.get("carried"), tuple):
        device, energy = arguments["carried"]
        row = {"device": device, "technology": "solar_roof", "zone": "MAC", "energy": energy}
        arguments["carried"] = CARRIED.check(pl.DataFrame([row]))
    with pytest.raises(error, match=words):
        issue_from_readings(arguments.pop("readings"), arguments.pop("accounts"), **arguments)


def test_frames_that_are_no_certificates_are_refused():
    with pytest.raises(FrameError, match="certificate_id"):
        transfer(ACCOUNTS, ACCOUNTS, sender=0)
    with pytest.raises(ArgumentTypeError):
        issue(None, "all", metered(readings({(0, 0): 1})))
    with pytest.raises(ChainError, match="read twice"):
        metered(pl.concat([readings({(0, 0): 1})] * 2))


# Green products


@pytest.mark.parametrize(("name", "price"), [("UGT1", 59_400), ("UGT1, proposed", 37_500)])
def test_utility_green_tariff_premiums_fact_sheet_section_1_4(name, price):
    bill = green_product(name).bill(pl.DataFrame({"account": [1, 2], "energy": [1_000, 1]}))
    assert bill["amount"].to_list() == [price, (price * 10 // 1000 + 5) // 10]


def test_green_products_come_with_their_sources():
    products = green_products()
    assert {"UGT1", "UGT2, indication", "T-VER credit"} <= set(products["product"])
    assert products["source"].null_count() == 0
    assert set(green_products("carbon credit")["product"]) == {"T-VER credit"}
    credit = green_product("T-VER credit")
    assert (credit.price, credit.price_high) == (80, 300)
    assert green_product("I-REC, hydro").valid_from == "2025-12"
    assert float(green_product("I-REC, hydro", valid_from="2025-01").price) == 1.32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: green_product("UGT3"), ArgumentError, "did you mean 'UGT1'"),
        (lambda: green_product(1), ArgumentTypeError, "UGT1"),
        (lambda: green_product("UGT1", valid_from="1999"), ArgumentError, "2025"),
        (lambda: green_products("premiun"), ArgumentError, "premium"),
        (lambda: green_products(2), ArgumentTypeError, "premium"),
        (lambda: green_product("T-VER credit").bill(ACCOUNTS), ArgumentError, "THB/kWh"),
        (lambda: green_product("UGT1").bill(ACCOUNTS), CertificateError, "'energy' is missing"),
        (lambda: green_product("UGT1").bill(3), ArgumentTypeError, "polars"),
    ],
)
def test_unknown_products_are_answered_with_those_there_are(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("page", ["certificates.md", "carbon.md"])
def test_the_examples_of_the_page_print_what_it_says(page):
    result = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 5
    assert result.failed == 0
