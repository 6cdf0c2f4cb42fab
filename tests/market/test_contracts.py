"""The energy trading contract: templates, a slow reference of what they say, JSON, signatures and the summary."""

import doctest
import json
import pickle
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab.market.agreements.contracts as contracts_module
from gridlab.chain import keys
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError
from gridlab.market.agreements.contract_templates import PPA_KINDS
from gridlab.market.agreements.contracts import EnergyTradingContract
from gridlab.market.time_scales.community import share_community
from gridlab.market.time_scales.ppa import settle_ppa

START = datetime(2026, 5, 6)
SLOT = timedelta(minutes=15)
SPAN = {"start": "2026-05-06", "end": "2026-05-06T01:00"}
ENERGY = st.integers(0, 40) | st.integers(0, 10**6) | st.integers(0, 10**10)
NET = st.builds(lambda load, generation: (load, generation), ENERGY, ENERGY)


def readings(meters):
    """One slot per row; each row has account -> (load, generation)."""
    rows = [(START + place * SLOT, who, *pair) for place, row in enumerate(meters) for who, pair in row.items()]
    types = {"slot": pl.Datetime("us"), "account": pl.UInt32, "load": pl.Int64, "generation": pl.Int64}
    return pl.DataFrame(rows, schema=types, orient="row")


def meters_of(*accounts):
    return st.lists(st.fixed_dictionaries(dict.fromkeys(accounts, NET)), min_size=1, max_size=4)


def export(pair):
    return max(pair[1] - pair[0], 0)


def taken(pair):
    return max(pair[0] - pair[1], 0)


def by_pair(contract, frame, **given_):
    """(slot number, buyer) -> Wh, and (slot number, seller) -> Wh, of the energy payments."""
    due = contract.payments(frame, **given_).filter(pl.col("code") == "energy")
    place = (pl.col("slot").dt.replace_time_zone(None) - START).dt.total_minutes() // 15
    energy = due.with_columns(place=place)
    sums = [energy.group_by("place", side).agg(pl.col("energy").sum()) for side in ("debit_account", "credit_account")]
    return [{row[:2]: row[2] for row in each.rows()} for each in sums]


def slow_split(amount, weights):
    weights = weights if any(weights) else [1] * len(weights)
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    parts = [int(part) for part in exact]
    for place in sorted(range(len(parts)), key=lambda each: (parts[each] - exact[each], each))[: amount - sum(parts)]:
        parts[place] += 1
    return parts


@settings(max_examples=60, deadline=None)
@given(meters=meters_of(5, 6), limit=st.integers(0, 50))
def test_p2p_passes_what_both_have_and_never_more_than_the_limit(meters, limit):
    contract = EnergyTradingContract.p2p(seller=5, buyer=6, price=3.2, energy=Fraction(limit, 1_000), **SPAN)
    due = contract.payments(readings(meters))
    wanted = [min(export(row[5]), taken(row[6]), *([limit] if limit else [])) for row in meters]
    assert due["energy"].to_list() == wanted
    assert due["amount"].to_list() == [3_200 * energy for energy in wanted]


@settings(max_examples=60, deadline=None)
@given(
    meters=meters_of(1, 2, 3, 4, 5),
    limit=st.integers(0, 50),
    coefficients=st.none() | st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any),
)
def test_community_equals_the_slow_reference_and_nobody_sells_more_than_it_feeds_in(meters, limit, coefficients):
    contract = EnergyTradingContract.community(
        plants=[1, 2], members=[3, 4, 5], price=2.5, energy=Fraction(limit, 1_000), coefficients=coefficients, **SPAN
    )
    bought, sold = by_pair(contract, readings(meters))
    for place, row in enumerate(meters):
        offered = sum(export(row[plant]) for plant in (1, 2))
        total = min(offered, limit) if limit else offered
        wants = [taken(row[member]) for member in (3, 4, 5)]
        shares = slow_split(10**9, wants if coefficients is None else coefficients)
        wanted = [min(part, want) for part, want in zip(slow_split(total, shares), wants, strict=True)]
        assert [bought[place, member] for member in (3, 4, 5)] == wanted
        assert sold[place, 1] + sold[place, 2] == sum(wanted)
        assert all(sold[place, plant] <= export(row[plant]) for plant in (1, 2))


@settings(max_examples=40, deadline=None)
@given(meters=meters_of(1, 3, 4))
def test_a_community_contract_shares_as_the_community_does(meters):
    contract = EnergyTradingContract.community(plants=[1], members=[3, 4], price=2.5, **SPAN)
    bought, _ = by_pair(contract, readings(meters))
    made = pl.DataFrame(
        {"slot": [START + place * SLOT for place in range(len(meters))], "energy": [export(row[1]) for row in meters]}
    )
    used = readings([{who: (taken(row[who]), 0) for who in (3, 4)} for row in meters]).rename({"load": "energy"})
    shares = share_community(made, used.drop("generation")).shares
    assert shares["shared"].to_list() == [bought[key] for key in sorted(bought)]


@settings(max_examples=40, deadline=None)
@given(
    meters=meters_of(1),
    kind=st.sampled_from(list(PPA_KINDS)),
    prices=st.lists(st.integers(-500, 6_000), min_size=4, max_size=4),
)
def test_a_ppa_contract_pays_what_the_ppa_says(meters, kind, prices):
    energy = 7 if kind.startswith("baseload") else 0
    contract = EnergyTradingContract.ppa(seller=1, buyer=2, price=2.6, kind=kind, energy=energy, **SPAN)
    count = len(meters)
    index = pl.DataFrame({"slot": [START + place * SLOT for place in range(count)], "price": prices[:count]})
    balance = contract.balances(readings(meters), reference=index)
    production = index.rename({"price": "reference"}).with_columns(
        contract=pl.lit(0, dtype=pl.UInt32), produced=pl.Series([export(row[1]) for row in meters])
    )
    terms = {"contract": [0], "kind": [kind], "price": [2_600], "energy": [1_000 * energy]}
    paid = settle_ppa(pl.DataFrame(terms, schema_overrides={"contract": pl.UInt32}), production)["payment"].sum()
    assert dict(balance.rows()) == {1: paid, 2: -paid}


@settings(max_examples=40, deadline=None)
@given(meters=meters_of(1, 2, 3, 4), wheeling=st.integers(1, 2_000), payer=st.sampled_from(["buyer", "seller"]))
def test_money_in_is_money_out_with_wheeling(meters, wheeling, payer):
    contract = EnergyTradingContract.community(
        plants=[1, 2],
        members=[3, 4],
        price=-0.5,
        wheeling=Fraction(wheeling, 1_000),
        grid_operator=9,
        payer=payer,
        **SPAN,
    )
    balance = contract.balances(readings(meters))
    due = contract.payments(readings(meters))
    assert balance["amount"].sum() == 0
    carried = due.filter(pl.col("code") == "energy")["energy"].sum()
    assert dict(balance.rows())[9] == wheeling * carried
    assert due["amount"].min() >= 0


def test_a_block_trade_runs_whatever_the_meters_say():
    block = EnergyTradingContract.block_trade(seller=1, buyer=2, price=3.05, energy=50, **SPAN)
    frame = readings([{1: (0, 0), 2: (0, 0)}] * 6)
    due = block.payments(frame)
    assert due["energy"].to_list() == [50_000] * 4  # the last two slots are outside the contract
    assert due["amount"].sum() == 4 * 50_000 * 3_050


def test_several_buyers_of_a_ppa_share_by_coefficients():
    contract = EnergyTradingContract.ppa(seller=1, buyer=[2, 3, 4], price=2.6, coefficients=[1, 1, 1], **SPAN)
    assert contract.terms.trading.shares == (333_333_334, 333_333_333, 333_333_333)
    assert contract.payments(readings([{1: (0, 10)}]))["energy"].to_list() == [4, 3, 3]


# Signatures and JSON

PAIRS = {account: keys.sandbox(1, f"party {account}") for account in (5, 6)}


@pytest.fixture(scope="module")
def contract():
    made = EnergyTradingContract.p2p(seller=5, buyer=6, price=3.2, name="บ้าน & <b>ร้าน</b>", **SPAN)
    return made.sign(PAIRS[6], 6).sign(PAIRS[5], 5)


def test_json_and_pickle_carry_the_whole_contract(contract):
    assert EnergyTradingContract.from_json(contract.to_json()) == contract
    assert pickle.loads(pickle.dumps(contract)) == contract
    assert hash(EnergyTradingContract.from_json(contract.to_json())) == hash(contract)
    assert list(contract.signatures) == [5, 6]
    assert contract.is_signed


def test_the_order_of_signing_does_not_matter(contract):
    again = EnergyTradingContract(contract.terms).sign(PAIRS[5], 5).sign(PAIRS[6], 6)
    assert again == contract
    assert again.registration().equals(contract.registration())


CHANGES = {
    "price": lambda found: found["terms"]["settlement"].update(price=3_201),
    "buyer": lambda found: found["terms"].update(buyers=[7]),
    "end": lambda found: found["terms"].update(end="2026-05-06T02:00:00+07:00"),
    "name": lambda found: found["terms"].update(name="another"),
    "id": lambda found: found.update(id="0x00"),
    "chain": lambda found: found.update(chain_id="elsewhere"),
    "key": lambda found: found["signatures"][0].update(public_key="0x" + keys.sandbox(1, "x").public_key.hex()),
    "signature": lambda found: found["signatures"][0].update(signature="0x" + "00" * 64),
}


@pytest.mark.parametrize("change", CHANGES)
def test_json_changed_after_signing_is_refused(contract, change):
    found = json.loads(contract.to_json())
    CHANGES[change](found)
    with pytest.raises(ChainError):
        EnergyTradingContract.from_json(json.dumps(found))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "not JSON"),
        ("[]", "allowed: an object"),
        ("{}", "lacks the field 'format'"),
        ('{"format": 1, "pirce": 2}', "unknown field 'pirce'"),
        (5, "allowed: str"),
    ],
)
def test_text_that_is_no_contract_is_refused(text, match):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
        EnergyTradingContract.from_json(text)


@pytest.mark.parametrize(("field", "value"), [("start", "today"), ("start", 5), ("sellers", 5), ("trading", None)])
def test_a_field_that_does_not_fit_is_refused(contract, field, value):
    found = json.loads(contract.to_json())
    found["terms"][field] = value
    with pytest.raises((ArgumentError, ArgumentTypeError), match=field):
        EnergyTradingContract.from_json(json.dumps(found))


def test_only_parties_sign(contract):
    with pytest.raises(ChainError, match="signs and is no party"):
        contract.sign(PAIRS[5], 7)
    with pytest.raises(ArgumentTypeError, match="key_pair"):
        contract.sign("alice", 5)
    with pytest.raises(ArgumentTypeError, match="signature of account 5 is 3"):
        EnergyTradingContract(contract.terms, signatures={5: 3})
    with pytest.raises(ArgumentTypeError, match="terms is a dict"):
        EnergyTradingContract({})
    with pytest.raises(ChainError, match="lacks the signatures of accounts"):
        EnergyTradingContract(contract.terms).registration()


def test_what_people_type_is_checked():
    with pytest.raises(ArgumentError, match="finer than what is counted"):
        EnergyTradingContract.p2p(seller=1, buyer=2, price=3.20005, **SPAN)
    with pytest.raises(ArgumentError, match="did you mean 'baseload'"):
        EnergyTradingContract.ppa(seller=1, buyer=2, price=3, kind="basload", **SPAN)
    with pytest.raises(ArgumentError, match="nothing says how"):
        EnergyTradingContract.ppa(seller=1, buyer=[2, 3], price=3, **SPAN)
    with pytest.raises(ArgumentError, match="not a moment"):
        EnergyTradingContract.p2p(seller=1, buyer=2, price=3, start="soon", end="later")
    with pytest.raises(ArgumentError, match="energy is 0"):
        EnergyTradingContract.block_trade(seller=1, buyer=2, price=3, energy=0, **SPAN)
    with pytest.raises(ArgumentTypeError, match="price"):
        EnergyTradingContract.p2p(seller=1, buyer=2, price="3.2", **SPAN)


def test_frames_that_do_not_fit_are_refused(contract):
    good = readings([{5: (0, 10), 6: (5, 0)}, {5: (0, 10), 6: (5, 0)}])
    with pytest.raises(ChainError, match="lacks the reading of a party"):
        contract.payments(good.head(3))
    with pytest.raises(ChainError, match="read twice"):
        contract.payments(pl.concat([good, good]))
    with pytest.raises(ChainError, match="wrong unit"):
        contract.payments(good.with_columns(load=pl.lit(10**11)))
    with pytest.raises(FrameError, match="load"):
        contract.payments(good.drop("load"))
    cfd = EnergyTradingContract.ppa(seller=5, buyer=6, price=3, kind="cfd", **SPAN)
    with pytest.raises(ChainError, match="give reference="):
        cfd.payments(good)
    with pytest.raises(ChainError, match="a slot of the contract has none"):
        cfd.payments(good, reference=pl.DataFrame({"slot": [START], "price": [3_000]}))
    assert contract.payments(good.clear()).is_empty()


def test_the_summary_speaks_both_languages_and_escapes_names(contract):
    html = contract._repr_html_()
    assert "Trade between neighbours" in html
    assert "สัญญาซื้อขายไฟฟ้าระหว่างเพื่อนบ้าน" in html
    assert "<b>ร้าน" not in html
    assert "all parties have signed" in html
    assert contract.id in html
    unsigned = EnergyTradingContract.community(
        plants=[1], members=range(2, 20), price=2.5, wheeling=0.35, grid_operator=30, **SPAN
    )._repr_html_()
    assert "missing: 1, 2, 3" in unsigned
    assert "0.350 THB/kWh to account 30" in unsigned
    assert "dynamic" in unsigned


def test_the_examples_of_the_page_and_of_the_class_are_true():
    page = Path(__file__).parents[2] / "docs" / "market" / "contracts.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert (failed, attempted > 20) == (0, True)
    assert doctest.testmod(contracts_module) == (0, 4)
