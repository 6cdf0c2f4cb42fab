"""Votes in a run: from deposit to enactment, and the next slot clears under what they moved."""

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, GovernanceError
from gridlab.governance.actions import Emergency, ProtocolUpgrade
from gridlab.governance.agenda import COOPERATIVE
from gridlab.institutions import SEATS

QUICK = {
    "governance.parameter.prepare": 1,
    "governance.parameter.decision": 30,
    "governance.parameter.confirm": 10,
    "governance.parameter.enactment": 15,
    "public.validators": 4,
    "public.idle_slots": 30,
    "consensus.protocol": "single_sequencer",
    "agents.pv_share": 100.0,
    "agents.pv_size": 200.0,
}
STAMP = "market.wheeling.postage_stamp"
SLOTS = 40  # until ten in the morning


def make(**levers):
    return gl.Lab.thailand(prosumers=30, seed=3, start="2026-05-08").set(QUICK | levers)


def voted(lab, value=0.2, *, aye=3_000.0, nay=0.0, at="06:30"):
    number = lab.governance.propose({STAMP: value}, track="parameter", at=at)
    lab.governance.vote(number, COOPERATIVE, aye, at="06:35", conviction=2)
    if nay:
        lab.governance.vote(number, "EGAT", nay, side="nay", at="06:36", conviction=6)
    return lab


@pytest.fixture(scope="module")
def run():
    return voted(make()).run(slots=SLOTS, progress=False)


@pytest.fixture(scope="module")
def unmoved():
    return make().run(slots=SLOTS, progress=False)


def test_a_proposal_goes_from_deposit_to_enactment_in_one_run(run):
    (row,) = run.frames["referenda"].rows(named=True)
    assert (row["track"], row["status"], row["outcome"]) == ("parameter", "approved", "enacted")
    assert row["submitted"] < row["deciding_since"] < row["ended"] < row["enacted_from"]
    (moved,) = run.frames["moved"].rows(named=True)
    assert (moved["path"], moved["value"], moved["failed"]) == (STAMP, "0.2", "")
    kinds = set(run.public.transactions["kind"])
    assert {"propose", "decision_deposit", "vote"} <= kinds
    assert run.public.transactions["accepted"].all()


def test_the_next_slot_after_the_enactment_pays_the_new_charge(run, unmoved):
    (moved,) = run.frames["moved"].rows(named=True)
    charge = pl.col("wheeling").sum() / pl.col("energy").sum() * 1_000
    after = run.trades.filter(pl.col("slot") >= moved["slot"], pl.col("path").cast(pl.String) != "same_transformer")
    before = run.trades.filter(pl.col("slot") < moved["slot"])
    usual = unmoved.trades.filter(pl.col("slot") < moved["slot"])
    assert not after.is_empty()
    assert not before.is_empty()
    assert (after["wheeling"] == (after["energy"] * 200)).all()
    assert before.select(charge).equals(usual.select(charge))
    later = unmoved.prices.filter(pl.col("slot") >= moved["slot"]).select("slot", "zone", "price")
    now = run.prices.filter(pl.col("slot") >= moved["slot"]).select("slot", "zone", "price")
    assert not now.equals(later)


def test_the_block_that_moved_the_lever_can_be_cited(run):
    (moved,) = run.frames["moved"].rows(named=True)
    (change,) = run.chain.market_changes.rows(named=True)
    assert change["reference"] == f"public block {moved['public_block']}, referendum 0"
    block = run.public.block(moved["public_block"])
    assert block.justification is not None
    assert block.header.timestamp <= int(moved["slot"].timestamp() * 1_000_000)


def test_settlement_bills_and_ledger_agree_on_a_day_with_a_vote(run):
    ledger = run.chain.ledger
    moved = run.settlement
    paid = moved.group_by(account="debit").agg(out=pl.col("amount").sum())
    got = moved.group_by(account="credit").agg(into=pl.col("amount").sum())
    bills = run.balances.join(paid, on="account", how="left").join(got, on="account", how="left").fill_null(0)
    assert (bills["with_market"] == bills["out"] - bills["into"]).all()
    deposits = run.chain.payloads("mint").group_by(account="credit_account").agg(deposit=pl.col("amount").sum())
    held = deposits.join(paid, on="account", how="left").join(got, on="account", how="left").fill_null(0)
    for account, deposit, out, into in held.select("account", "deposit", "out", "into").rows():
        assert ledger.balance(account, "WATT") == deposit - out + into
    total = sum(run.kpi(name) for name in ("savings", "utilities_gain", "state_gain", "operator_gain"))
    assert abs(total) < 1e-6
    assert run.chain.transactions["accepted"].all()


def test_the_lab_itself_is_not_moved_and_runs_again_to_the_same_fingerprint(run):
    lab = voted(make())
    before = lab.get(STAMP)
    assert lab.run(slots=SLOTS, progress=False).fingerprint == run.fingerprint
    assert lab.get(STAMP) == before


def test_a_rejected_proposal_moves_nothing(unmoved):
    lab = voted(make(), aye=100.0, nay=900.0)
    run = lab.run(slots=SLOTS, progress=False)
    assert run.frames["moved"].is_empty()
    assert run.frames["referenda"]["status"].to_list() == ["rejected"]
    assert run.trades.select("slot", "zone", "buyer", "seller", "energy", "price").equals(
        unmoved.trades.select("slot", "zone", "buyer", "seller", "energy", "price")
    )


def test_a_run_with_votes_is_saved_loaded_and_stored(run, tmp_path):
    loaded = gl.load(run.save(tmp_path / "voted.gridlab"))
    assert loaded.fingerprint == run.fingerprint
    assert loaded.frames["moved"].equals(run.frames["moved"])
    path = tmp_path / "voted.db"
    assert voted(make()).run(slots=SLOTS, progress=False, store=path).fingerprint == run.fingerprint
    assert gl.open(path).run(progress=False).fingerprint == run.fingerprint


def test_impossible_proposals_are_refused_when_they_are_made():
    governance = make().governance
    with pytest.raises(GovernanceError, match="not allowed"):
        governance.propose({STAMP: 99.0})
    with pytest.raises(GovernanceError, match=r"market\.wheeling\.postage_stamp"):
        governance.propose({"market.wheeling.postage_stamps": 0.5})
    with pytest.raises(GovernanceError):
        governance.propose({"agents.pv_share": 50.0})
    with pytest.raises(GovernanceError, match="emergency"):
        governance.propose(Emergency(False, "market"), track="parameter")
    with pytest.raises(ArgumentError, match="08:30"):
        governance.propose({STAMP: 0.5}, at="8 o'clock")
    assert len(governance.agenda) == 0


def test_what_holders_ask_for_in_vain_is_told_and_the_day_goes_on():
    lab = voted(make())
    lab.governance.vote(0, "PEA", 10.0**6, at="06:40")
    with pytest.raises(GovernanceError, match="no holder 'nobody'"):
        lab.governance.vote(0, "nobody", 5.0, at="06:41")
    # Five seats, where three are enough, and a stop that stands already.
    for reason in ("fire", "flood"):
        lab.governance.agenda.stop("zone", "SAC", reason=reason, seats=tuple(SEATS), at="05:00", until="05:30")
    run = lab.run(slots=SLOTS, progress=False)
    refused = run.frames["refused"]
    assert refused.filter(kind="vote")["holder"].to_list() == ["PEA"]
    assert refused.filter(kind="emergency_approve").height == 7
    assert run.alerts.filter(alert="asked in vain").height == 8
    assert run.frames["stops"].height == 1
    assert run.frames["moved"].height == 1


def test_votes_do_not_go_with_trade_on_forecasts():
    lab = voted(make(trade_on_forecasts=True))
    with pytest.raises(ArgumentError, match="trade_on_forecasts"):
        lab.run(slots=8, progress=False)


def test_few_voters_raise_an_alert():
    lab = make(low_turnout=99.0)
    voted(lab)
    run = lab.run(slots=SLOTS, progress=False)
    assert run.alerts.filter(alert="low turnout")["severity"].to_list() == ["warning"]


_FLOWS = (["bought", "from_utility"], ["sold", "to_utility"])


def stopped_lab(*, resume, seats=("ERC", "BOT", "EGAT")):
    lab = make(
        **{
            "governance.emergency.prepare": 1,
            "governance.emergency.decision": 30,
            "governance.emergency.confirm": 5,
            "governance.emergency.enactment": 5,
        }
    )
    lab.governance.agenda.stop(reason="prices make no sense", seats=seats, at="07:30", until="09:30")
    if resume:
        number = lab.governance.propose(Emergency(False, "market"), at="07:40")
        for holder in (COOPERATIVE, "MEA", "PEA"):
            lab.governance.vote(number, holder, 1_800.0, at="07:41")
    return lab


def between(frame, start, end):
    time = pl.col("slot").dt.strftime("%H:%M")
    return frame.filter(time >= start, time < end)


def test_three_seats_stop_the_market_and_it_goes_on_when_the_stop_ends(unmoved):
    run = stopped_lab(resume=False).run(slots=SLOTS, progress=False)
    assert between(run.trades, "07:30", "09:30").is_empty()
    assert between(run.trades, "07:15", "07:30").height == between(unmoved.trades, "07:15", "07:30").height > 0
    assert between(run.trades, "09:30", "10:00").height == between(unmoved.trades, "09:30", "10:00").height > 0
    (stop,) = run.frames["stops"].rows(named=True)
    assert (stop["scope"], stop["ended_by"]) == ("market", "expiry")
    # Nobody loses energy by it: what was not traded is with the utility.
    meters = run.readings.select((pl.col("load") - pl.col("generation")).sum()).item()
    taken, given = (run.readings.select(pl.col(names).sum()).sum_horizontal() for names in _FLOWS)
    assert meters == (taken - given).item()


def test_a_vote_ends_the_stop_before_its_time_and_is_cited(tmp_path):
    run = stopped_lab(resume=True).run(slots=SLOTS, progress=False)
    (stop,) = run.frames["stops"].rows(named=True)
    assert stop["ended_by"] == "vote"
    assert stop["reference"].startswith("gridlab-public, block ")
    assert not between(run.trades, "08:45", "09:30").is_empty()
    assert gl.load(run.save(tmp_path / "stop.gridlab")).fingerprint == run.fingerprint


def test_two_seats_stop_nothing(unmoved):
    run = stopped_lab(resume=False, seats=("ERC", "BOT")).run(slots=SLOTS, progress=False)
    assert run.frames["stops"].is_empty()
    assert run.trades.height == unmoved.trades.height


def test_a_stop_of_one_zone_leaves_the_others_trading(unmoved):
    lab = make()
    lab.governance.agenda.stop("zone", "CAC", reason="fire", seats=("ERC", "BOT", "SEC"), at="07:30", until="09:30")
    run = lab.run(slots=SLOTS, progress=False)
    zones = between(run.trades, "07:30", "09:30")["zone"].cast(pl.String).unique().to_list()
    usual = between(unmoved.trades, "07:30", "09:30")["zone"].cast(pl.String).unique().to_list()
    assert "CAC" in usual
    assert sorted(zones) == sorted(set(usual) - {"CAC"})


def test_stops_that_a_run_cannot_settle_under_are_refused():
    agenda = make().governance.agenda
    with pytest.raises(GovernanceError, match="market"):
        agenda.stop("asset", "WATT", reason="x", seats=("ERC",), at="07:30", until="08:00")
    with pytest.raises(ArgumentError, match="not after"):
        agenda.stop(reason="x", seats=("ERC",), at="07:30", until="07:30")


@pytest.mark.parametrize("rule", ["vcg", "continuous", "mcafee", "tiered", "pay_as_bid"])
def test_a_vote_may_change_the_market_rule(rule):
    lab = gl.Lab.thailand(prosumers=12, seed=3, start="2026-05-08").set(QUICK)
    number = lab.governance.propose({"market.rule": rule}, at="07:00")
    lab.governance.vote(number, COOPERATIVE, 1_000.0, at="07:01", conviction=6)
    lab.governance.vote(number, "EGAT", 700.0, at="07:01", conviction=6)
    run = lab.run(slots=34, progress=False)
    assert run.frames["moved"]["value"].to_list() == [rule]
    assert run.kpis().height > 20


def test_chain_fees_of_a_voted_day_are_deposited():
    fees = {"consensus.fee_per_transaction": 1.0, "consensus.protocol": "pbft", "consensus.validators": 4}
    lab = make(**fees)
    lab.governance.agenda.unlock("PEA", at="00:10")
    run = lab.run(slots=SLOTS, progress=False)
    assert run.kpi("chain_fees") > 0


def test_a_lab_with_a_circuit_breaker_takes_no_agenda_and_no_vote_for_one():
    lab = voted(make(**{"market.protection.breaker_move": 5.0}))
    with pytest.raises(ArgumentError, match="breaker_move"):
        lab.run(slots=8, progress=False)
    lab = make()
    number = lab.governance.propose({"market.protection.breaker_move": 5.0}, at="06:30")
    lab.governance.vote(number, COOPERATIVE, 3_000.0, at="06:35", conviction=2)
    run = lab.run(slots=SLOTS, progress=False)
    (moved,) = run.frames["moved"].rows(named=True)
    assert "breaker" in moved["failed"]
    assert run.alerts.filter(alert="lever not moved").height == 1


def test_what_a_lab_cannot_carry_out_is_refused_when_it_is_proposed():
    governance = make().governance
    for action in (Emergency(True, "market"), ProtocolUpgrade(2, 40, bytes(32)), Emergency(False, "zone:nowhere")):
        with pytest.raises(GovernanceError):
            governance.propose(action)
    for seats in ((), ("nobody",), ("ERC", "ERC")):
        with pytest.raises(GovernanceError, match="seat"):
            governance.agenda.stop(reason="x", seats=seats, at="07:30", until="08:00")
    with pytest.raises(GovernanceError, match="nowhere"):
        governance.agenda.stop("zone", "nowhere", reason="x", seats=("ERC",), at="07:30", until="08:00")
    with pytest.raises(ArgumentError, match="reason"):
        governance.agenda.stop(reason="", seats=("ERC",), at="07:30", until="08:00")
    with pytest.raises(GovernanceError, match="does not read"):
        governance.agenda.read_json('{"acts":[{"minute":"x","holder":3,"kind":"boom","said":5}],"council":[]}')
    assert not governance.agenda
