"""The agenda: every act becomes the transaction it says, times are kept, and it is read again as it was written."""

import pytest

from gridlab.chain.public.accounts import SYSTEM_NAMES
from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.governance.actions import Spend, action_from_bytes
from gridlab.governance.agenda import COOPERATIVE, Agenda
from gridlab.governance.kinds import VOTES

ACCOUNTS = {"PEA": 7, "MEA": 8, COOPERATIVE: 9, "governance": 10}


@pytest.fixture
def agenda():
    written = Agenda()
    number = written.propose(Spend.to(len(SYSTEM_NAMES), 5), track="treasury", at="08:00", after=30)
    written.vote(number, "PEA", 1.5, at="08:30", conviction=6)
    written.vote(number, "MEA", 2, side="nay", at=511)
    written.split(number, COOPERATIVE, aye=1, nay=2, abstain=3, at="08:32")
    written.delegate("MEA", "PEA", 4, track="parameter", conviction=0.1, at="07:00")
    written.undelegate("MEA", track="parameter", at="09:00")
    written.remove_vote(number, "PEA", at="09:01")
    written.unlock("PEA", at="09:02")
    written.cancel(number, at="09:03")
    written.kill(number, at="09:04")
    return written


def frames(agenda):
    return [(act.holder, act.kind, act.frame(ACCOUNTS.__getitem__)) for act in agenda]


def test_acts_come_by_time_whenever_they_were_written_down(agenda):
    assert [act.minute for act in agenda] == [420, 480, 480, 510, 511, 512, 540, 541, 542, 543, 544]
    assert agenda.frame["time"].to_list()[:4] == ["07:00", "08:00", "08:00", "08:30"]


def test_every_act_is_the_transaction_that_it_says(agenda):
    found = {kind: frame for _, kind, frame in frames(agenda) if kind != "vote"}
    assert action_from_bytes(found["propose"]["action"][0]) == Spend.to(len(SYSTEM_NAMES), 5)
    assert found["propose"]["after"].to_list() == [30 * 60_000_000]
    handed = found["delegate"].select("track", "delegate", "conviction", "amount")
    assert handed.row(0) == ("parameter", 7, 0, 4_000_000)
    assert found["undelegate"]["track"].to_list() == ["parameter"]
    assert found["unlock"]["account"].to_list() == [7]
    for kind in ("decision_deposit", "remove_vote", "cancel", "kill"):
        assert found[kind]["referendum"].to_list() == [0]
    votes = {holder: VOTES.check(frame).row(0, named=True) for holder, kind, frame in frames(agenda) if kind == "vote"}
    assert (votes["PEA"]["choice"], votes["PEA"]["conviction"], votes["PEA"]["aye"]) == ("aye", 6, 1_500_000)
    assert (votes["MEA"]["choice"], votes["MEA"]["nay"]) == ("nay", 2_000_000)
    assert [votes[COOPERATIVE][name] for name in ("aye", "nay", "abstain")] == [10**6, 2 * 10**6, 3 * 10**6]


def test_it_is_read_again_as_it_was_written(agenda):
    agenda.stop("zone", "MAC", reason="fire", seats=("ERC", "BOT"), at="10:00", until="12:00")
    twin = Agenda()
    twin.read_json(agenda.to_json())
    assert twin.to_json() == agenda.to_json()
    assert list(twin) == list(agenda)
    assert twin.council == agenda.council
    assert len(twin) == 13
    twin.clear()
    assert not twin


def test_a_damaged_agenda_is_refused_whole(agenda):
    before = agenda.to_json()
    for damaged in ("", "[]", '{"acts": [{"minute": 1}], "council": []}'):
        with pytest.raises(GovernanceError, match="does not read"):
            agenda.read_json(damaged)
    assert agenda.to_json() == before


@pytest.mark.parametrize(
    ("act", "error", "sentence"),
    [
        (lambda a: a.vote(1, "PEA", 1), GovernanceError, "not proposed"),
        (lambda a: a.vote(0, "PEA", -1), ArgumentError, "0 or more"),
        (lambda a: a.vote(0, "PEA", 1e-7), ArgumentError, "six decimals"),
        (lambda a: a.vote(0, "PEA", 1, conviction=7), GovernanceError, "conviction"),
        (lambda a: a.vote(0, "PEA", 1, side="maybe"), GovernanceError, "aye"),
        (lambda a: a.vote(0, "PEA", 1, at="25h"), ArgumentError, "08:30"),
        (lambda a: a.vote(0, "PEA", 1, at=1.5), ArgumentTypeError, "08:30"),
        (lambda a: a.vote(0, "", 1), ArgumentError, "holder is empty"),
        (lambda a: a.delegate("PEA", "PEA", 1, track="parameter"), GovernanceError, "itself"),
        (lambda a: a.delegate("PEA", "MEA", 1, track="taxes"), GovernanceError, "taxes"),
        (lambda a: a.propose(Spend.to(6, 1), at="07:00"), GovernanceError, "before 08:00"),
        (lambda a: a.propose(Spend.to(6, 1), track="parameter", at="08:00"), GovernanceError, "treasury"),
        (lambda a: a.propose({"market.fee": 1}, at="08:00"), GovernanceError, "knows no levers"),
        (lambda a: a.propose(Spend.to(6, 1), at="08:00", after=-1), ArgumentError, "0 or more"),
        (lambda a: a.stop("chain", reason="x", seats=("ERC",), at=1, until=2), GovernanceError, "market"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written_down(agenda, act, error, sentence):
    before = agenda.to_json()
    with pytest.raises(error, match=sentence):
        act(agenda)
    assert agenda.to_json() == before
