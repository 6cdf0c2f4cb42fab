"""A run played on the real chain: signed redemptions, payouts by the chain's rules, the same to the micro-baht."""

from dataclasses import replace

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering
from gridlab.errors import ArgumentTypeError, StablecoinError
from gridlab.stablecoin import HolderTerms, LiabilityTree, WattTerms
from gridlab.stablecoin.alerts import watt_alerts
from gridlab.stablecoin.payouts import payouts_of
from gridlab.stablecoin.play import Cast, chain_for, play_on
from gridlab.stablecoin.run import run

TERMS = HolderTerms(shock_hour=0.5)
LEVERS = {"attestation_hours": 1.0, "fee": 0.35, "gate": 4.0, "fire_discount": 7.3}


@pytest.fixture(scope="module")
def cast():
    return Cast.sandbox(60)


def played(cast, slots=None, **levers):
    outcome = run(WattTerms(**(LEVERS | levers)), TERMS, holders=60, circulation=10**12 + 7, hours=8, seed=2)
    chain = chain_for(outcome, cast, ordering=PbftOrdering.of(4))
    return outcome, chain, play_on(chain, outcome, cast, slots=slots)


@pytest.mark.parametrize("rule", ["stop", "haircut", "par"])
def test_chain_and_model_agree_to_the_micro_baht(cast, rule):
    outcome, chain, blocks = played(cast, gap_rule=rule)
    assert blocks.height == outcome.slots.height == 32
    model = outcome.slots.select("queued", "circulation", "paid", reserve="attested")
    assert blocks.select(model.columns).equals(model)
    assert (blocks["circulation"] <= blocks["booked"]).all()
    assert blocks["gap"].max() > 0
    got = payouts_of(chain).group_by("account").agg(pl.col("redeemed", "received").sum()).sort("account")
    people = outcome.people.filter(pl.col("redeemed") > 0).sort("holder")
    assert got["account"].to_list() == (people["holder"] + 3).to_list()
    assert got["received"].to_list() == people["received"].to_list()
    assert got["redeemed"].to_list() == people["redeemed"].to_list()
    assert got["received"].sum() > 0


def test_a_pause_is_played_too(cast):
    outcome, chain, blocks = played(cast, gap_rule="haircut", pause_below=99.0, pause_hours=1.5)
    assert outcome.slots["pauses"].sum() == outcome.slots["resumes"].sum() == 1
    sent = chain.transactions.filter(pl.col("kind").is_in(["watt_pause", "watt_resume"]))
    assert sent["accepted"].to_list() == [True, True]
    assert blocks.filter(outcome.slots["paused"])["paid"].sum() == 0


def test_the_chain_can_be_replayed_and_its_liabilities_proved(cast):
    _, chain, _ = played(cast, slots=12, gap_rule="haircut")
    assert ConsortiumChain.from_bytes(chain.to_bytes()).fingerprint == chain.fingerprint
    tree = LiabilityTree.of_chain(chain, secret=bytes(32))
    statement = tree.sign_for(cast.issuer, chain)
    assert statement.total == chain.ledger.circulation("WATT")


def test_alerts_name_the_gap_the_pause_and_the_queue(cast):
    outcome, chain, _ = played(cast, slots=8, gap_rule="stop", pause_below=99.0)
    alerts = watt_alerts(chain)
    assert alerts["alert"].to_list() == ["reserve gap", "WATT paused", "redemptions queue"]
    assert alerts["severity"].to_list() == ["critical", "warning", "notice"]
    assert str(chain.watt.gap(chain.ledger)) in alerts["detail"][0]
    fresh = chain_for(outcome, cast, ordering=PbftOrdering.of(4))
    assert watt_alerts(fresh).is_empty()
    fresh.seal(fresh.head.timestamp + 4 * 49 * 900_000_000)
    assert watt_alerts(fresh)["alert"].to_list() == ["stale attestation"]
    bare = ConsortiumChain(cast.members, ordering=PbftOrdering.of(4))
    assert watt_alerts(bare).is_empty()


def test_a_model_that_is_wrong_is_found_out(cast):
    outcome = run(WattTerms(gap_rule="haircut"), TERMS, holders=60, circulation=10**12, hours=2)
    lying = outcome.slots.with_columns(paid=pl.col("paid") + (pl.col("slot") == 2).cast(pl.Int64))
    chain = chain_for(outcome, cast, ordering=PbftOrdering.of(4))
    with pytest.raises(StablecoinError, match="slot 2: chain and model differ"):
        play_on(chain, replace(outcome, slots=lying), cast)
    steps = [step._replace(burned=step.burned + 1) for step in outcome.steps]
    with pytest.raises(StablecoinError, match="refuses a transaction"):
        play_on(
            chain_for(outcome, cast, ordering=PbftOrdering.of(4)), replace(outcome, steps=tuple(steps)), cast
        )


def test_bad_input_says_what_is_allowed(cast):
    outcome = run(holders=61, circulation=10**12, hours=1)
    with pytest.raises(StablecoinError, match=r"Cast.sandbox\(61\)"):
        chain_for(outcome, cast)
    with pytest.raises(ArgumentTypeError, match="WattRun"):
        chain_for("run", cast)
    with pytest.raises(ArgumentTypeError, match="chain_for"):
        play_on("chain", outcome, Cast.sandbox(61))
    for call in (payouts_of, watt_alerts):
        with pytest.raises(ArgumentTypeError, match="ConsortiumChain"):
            call("chain")
