"""Who may stop what: seats that sign, a monitor that is a machine, voters that let it go on."""

from datetime import timedelta

import polars as pl
import pytest

from gridlab.chain import ChainTerms
from gridlab.chain.emergency import Emergency, EmergencyBook, approval_frame, council_frame, request_frame, resume_frame
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, LeverError


def market(stage, minutes=60, reason="fault"):
    return approval_frame("market", reason=reason, until=stage.moment(minutes))


def test_the_third_of_three_signatures_stops_the_market_in_its_own_block(stage):
    stage = stage()
    for name in ("regulator", "bank"):
        stage.must(name, "emergency_approve", market(stage))
        assert not stage.chain.emergency.standing
    assert stage.chain.emergency.motion_frame["approvals"].to_list() == ["regulator, bank"]
    stage.send("grid", "emergency_approve", market(stage))
    stage.send("alice", "order_batch", stage.orders("alice", "buy", 30))
    receipts = stage.seal().receipts
    assert [receipt.code for receipt in receipts] == ["accepted", "stopped"]
    assert "the market stands by emergency stop 0 (fault)" in receipts[1].reason
    stop = stage.chain.emergency.standing[0]
    assert (stop.approvals, stop.height) == (("regulator", "bank", "grid"), stage.chain.height)
    assert not stage.chain.emergency.motions


def test_a_seat_signs_once_and_another_text_is_another_motion(stage):
    stage = stage()
    stage.must("regulator", "emergency_approve", market(stage))
    assert "has approved of this already" in stage.do("regulator", "emergency_approve", market(stage)).reason
    stage.must("bank", "emergency_approve", market(stage, reason="another"))
    stage.must("grid", "emergency_approve", market(stage, minutes=61))
    assert len(stage.chain.emergency.motions) == 3
    assert not stage.chain.emergency.standing


@pytest.mark.parametrize("name", ["alice", "voters", "issuer"])
def test_who_has_no_seat_approves_nothing(stage, name):
    stage = stage()
    assert "has no seat" in stage.do(name, "emergency_approve", market(stage)).reason


def test_a_seat_whose_licence_is_withdrawn_does_not_count(stage):
    stage = stage()
    gone = stage.chain.members.filter(pl.col("name") == "grid").with_columns(active=pl.lit(False))
    stage.must("regulator", "membership", gone)
    assert stage.do("grid", "emergency_approve", market(stage)).code == "licence_withdrawn"


def test_machines_alone_do_not_stop_a_market(stage):
    stage = stage(stop_threshold=1)
    stage.must("monitor", "emergency_approve", market(stage))
    assert not stage.chain.emergency.standing
    stage.must("bank", "emergency_approve", market(stage))
    assert stage.chain.emergency.standing[0].approvals == ("monitor", "bank")


def test_what_does_not_fit_is_refused_with_the_reason(stage):
    stage = stage(stop_longest=3_600)
    until = stage.moment(30)
    cases = {
        "no asset 'WAT'; did you mean 'WATT'": approval_frame("asset", "WAT", reason="x", until=until),
        "names none": approval_frame("zone", reason="x", until=until),
        "allowed: no target": approval_frame("chain", "WATT", reason="x", until=until),
        "reason has 0 bytes": approval_frame("market", reason="", until=until),
        "reason has 201 bytes": approval_frame("market", reason="x" * 201, until=until),
        "the stop would end at": approval_frame("market", reason="x", until=stage.moment(61)),
        "allowed: after": approval_frame("market", reason="x", until=stage.moment(0)),
        "2 rows, allowed: one": pl.concat([market(stage, 20), market(stage, 21)]),
        "no stop of market": approval_frame("market", reason="x", until=until, action="resume"),
    }
    for reason, frame in cases.items():
        assert reason in stage.do("bank", "emergency_approve", frame).reason
    assert stage.chain.emergency.motions == ()


def test_motions_lapse_and_one_seat_cannot_crowd_out_the_others(stage):
    stage = stage(motion_lifetime=600)
    for number in range(8):
        stage.must("bank", "emergency_approve", market(stage, reason=f"nuisance {number}"))
    assert "has approved of 8 open motions" in stage.do("bank", "emergency_approve", market(stage)).reason
    stage.must("grid", "emergency_approve", market(stage, reason="real"))
    stage.at(10).seal()
    assert stage.chain.emergency.motions == ()
    stage.must("regulator", "emergency_approve", market(stage, reason="real"))
    assert stage.chain.emergency.motions[0].approvals == ("regulator",)


def test_a_stop_ends_by_itself_at_the_moment_that_was_signed(stage):
    stage = stage()
    stage.stop("market", minutes=45)
    assert stage.at(44).do("alice", "order_batch", stage.orders("alice", "buy", 90)).code == "stopped"
    assert stage.at(45).do("alice", "order_batch", stage.orders("alice", "buy", 90)).accepted
    row = stage.chain.emergency.frame.row(0, named=True)
    assert (row["ended_by"], row["ended"] - row["since"]) == ("expiry", timedelta(minutes=45))


def test_only_governance_resumes_with_a_vote_that_is_not_an_old_one(stage):
    stage = stage()
    stop = stage.stop("market")
    good = resume_frame(stop, 3, "public block 812, referendum 3")
    assert "has no seat" in stage.do("regulator", "emergency_resume", good).reason
    assert (
        "no stop 1 is in force"
        in stage.do("voters", "emergency_resume", good.with_columns(stop=pl.lit(1, dtype=pl.UInt32))).reason
    )
    assert "reference has 0 bytes" in stage.do("voters", "emergency_resume", resume_frame(stop, 3, "")).reason
    assert "beyond what is counted" in stage.do("voters", "emergency_resume", resume_frame(stop, 2**64 - 1, "x")).reason
    stage.at(5).must("voters", "emergency_resume", good)
    ended = stage.chain.emergency.stops[0]
    assert (ended.ended_by, ended.referendum, ended.reference) == ("vote", 3, "public block 812, referendum 3")
    again = stage.at(10).stop("market", reason="again")
    assert "it takes a vote of its own" in stage.do("voters", "emergency_resume", resume_frame(again, 3, "x")).reason
    stage.must("voters", "emergency_resume", resume_frame(again, 4, "x"))


def test_one_vote_ends_all_stops_that_were_in_force(stage):
    stage = stage()
    stage.stop("market")
    stage.stop("zone", "BKK")
    stage.resume(referendum=9)
    assert not stage.chain.emergency.standing


def test_the_council_asks_for_a_vote_and_does_not_decide_it(stage):
    stage = stage()
    stop = stage.stop("market")
    for name in ("bank", "grid", "operator"):
        stage.must(name, "emergency_approve", request_frame(stop, "mended"))
    standing = stage.chain.emergency.standing[0]
    assert standing.requested == stage.now
    assert stage.do("alice", "order_batch", stage.orders("alice", "buy", 90)).code == "stopped"


def test_the_monitor_stops_a_zone_for_a_while_and_people_take_it_over(stage):
    stage = stage(monitor_stop=3_600)
    frame = approval_frame("zone", "BKK", reason="3 halts", until=stage.moment(240))
    stage.must("monitor", "emergency_approve", frame)
    own = stage.chain.emergency.standing[0]
    assert (own.alone, own.until - own.since) == (True, 3_600_000_000)
    stage.at(10).must("bank", "emergency_approve", frame)
    stage.must("grid", "emergency_approve", frame)
    first, second = stage.chain.emergency.stops
    assert (first.ended_by, first.ended, second.since, second.alone) == ("council", stage.now, stage.now, False)
    assert second.approvals == ("monitor", "bank", "grid")


def test_the_monitor_cannot_keep_a_zone_stopped_for_ever(stage):
    stage = stage(monitor_stop=600, motion_lifetime=60)

    def propose(minutes):
        frame = approval_frame("zone", "BKK", reason="halts", until=stage.moment(minutes + 60))
        stage.at(minutes).must("monitor", "emergency_approve", frame)
        return bool(stage.chain.emergency.standing)

    # The first stop is over with the block at 12 minutes; ten minutes' pause follow, as long as a stop.
    assert [propose(minutes) for minutes in (0, 12, 21, 22)] == [True, False, False, True]


def test_no_council_is_changed_while_a_stop_stands_and_none_is_too_small(stage):
    stage = stage()
    account = stage.account
    cases = {
        "1 seats may approve and stop_threshold is 3": council_frame({"bank": account["bank"]}),
        "each name and account once": council_frame(dict.fromkeys("abc", account["bank"])),
        "allowed: a name of 1 to 64 bytes": council_frame({"": 0, "b": 1, "c": 2}),
        "an account of 0 … 8": council_frame({"a": 9, "b": 1, "c": 2}),
        "more than one monitor": council_frame({"a": 0, "b": 1}, monitor={"x": 2, "y": 3}),
    }
    for reason, frame in cases.items():
        assert reason in stage.do("regulator", "emergency_council", frame).reason
    terms = pl.DataFrame({"term": ["stop_threshold"], "value": [6]})
    assert "lower the term" in stage.do("regulator", "terms", terms).reason
    good = council_frame({"a": 0, "b": 1, "c": 2})
    assert stage.do("alice", "emergency_council", good).code == "not_permitted"
    stage.stop("zone", "BKK")
    assert "the council stays until then" in stage.do("regulator", "emergency_council", good).reason
    stage.resume()
    # A stop that the monitor makes alone must not keep the monitor in its seat.
    stage.must("regulator", "terms", pl.DataFrame({"term": ["monitor_stop"], "value": [600]}))
    stage.must("monitor", "emergency_approve", approval_frame("zone", "BKK", reason="x", until=stage.moment(60)))
    assert stage.chain.emergency.standing
    stage.must("regulator", "emergency_council", good)
    assert stage.chain.emergency.council["seat"].to_list() == ["a", "b", "c"]


def test_the_regulator_alone_no_longer_stops_a_chain_that_has_a_council(stage):
    stage = stage()
    told = pl.DataFrame({"chain": [stage.chain.chain_id], "moment": [stage.moment(0)], "stands": [True]})
    assert "which its emergency council stops" in stage.do("regulator", "emergency_stop", told).reason
    stage.stop("chain")
    assert "a vote lets go on" in stage.do("regulator", "emergency_stop", told.with_columns(stands=False)).reason
    stage.must("regulator", "emergency_stop", told.with_columns(chain=pl.lit("elsewhere")))


def test_levers_become_terms_of_the_chain():
    levers = Emergency(threshold=2, longest_stop=2.5, proposed_stop=1.0, motion_lifetime=0.5, monitor_alone=8)
    terms = levers.terms(ChainTerms(fee_per_transaction=7))
    assert (terms.stop_threshold, terms.stop_longest) == (2, 9_000)
    assert (terms.motion_lifetime, terms.monitor_stop) == (1_800, 7_200)
    assert terms.fee_per_transaction == 7
    with pytest.raises(LeverError, match="proposed_stop is 5"):
        Emergency(proposed_stop=5.0, longest_stop=4.0)
    with pytest.raises(ArgumentTypeError):
        levers.terms("cheap")
    with pytest.raises(ArgumentError, match="stop_longest"):
        ChainTerms(stop_longest=31 * 86_400)


def test_a_book_reads_back_and_damage_is_seen(stage):
    stage = stage(monitor_stop=600)
    stage.stop("asset", "WATT")
    stage.must("voters", "emergency_resume", resume_frame(stage.chain.emergency.stops[0], 2, "x"))
    stage.must("monitor", "emergency_approve", approval_frame("zone", "BKK", reason="กระโดด", until=stage.moment(50)))
    book = stage.chain.emergency
    data = book.to_bytes()
    assert EmergencyBook.from_bytes(data) == book
    for place in range(len(data)):
        with pytest.raises(ChainError):
            EmergencyBook.from_bytes(data[:place])
    swapped = EmergencyBook(book.seats, (), book.stops[::-1]).to_bytes()
    with pytest.raises(ChainError, match="not numbered"):
        EmergencyBook.from_bytes(swapped)
