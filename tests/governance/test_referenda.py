"""From submission to enactment: the published tests of pallet-referenda, and what they do not ask.

Source: paritytech/substrate, frame/referenda/src/tests.rs and mock.rs, 2022 (track "root": prepare 4, decision 4,
confirm 2, enactment 4 blocks, both curves straight lines; undeciding timeout 20; deposits 2 and 10; holders of 100).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridlab.errors import GovernanceError, LedgerError
from gridlab.governance import proposing
from gridlab.governance.actions import Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.referenda import Referendum


@pytest.fixture
def root(world):
    return world([100] * 6, treasury=5)


def state(world, number):
    return world.book.referendum(number)


def created(root, *, immediate=None, passing=False):
    """Bring a referendum to deciding, and if wanted to confirming, as the mock's RefState."""
    number = root.propose(1)
    root.deposit(2, number)
    if immediate:
        root.set_tally(number, 100, 0)
    root.run_to(5)
    if immediate is False:
        root.set_tally(number, 100, 0)
        root.run_to(6)
    if passing:
        root.set_tally(number, 100, 99)
        root.run_to(6)
    return number


def test_basic_happy_path_works(root):
    number = root.propose(1, action=Spend.to(7, 3), after=1)
    assert root.usable(1) == 98
    root.deposit(2, number)
    assert root.usable(2) == 90
    root.run_to(4)
    assert state(root, number).since is None
    root.run_to(5)
    assert state(root, number).since == 5
    root.run_to(6)
    root.set_tally(number, 100, 0)
    root.run_to(7)
    assert state(root, number).confirming == 9
    root.run_to(9)
    assert (state(root, number).end, state(root, number).ended) == ("approved", 9)
    assert [root.usable(holder) for holder in (1, 2)] == [100, 100]
    root.run_to(12)
    assert root.usable(6) == 100
    root.run_to(13)
    assert root.usable(6) == 103


def test_insta_confirm_then_kill_works(root):
    number = created(root, immediate=True)
    root.run_to(6)
    root.do(proposing.kill, number)
    assert (state(root, number).end, state(root, number).ended) == ("killed", 6)


@pytest.mark.parametrize(("immediate", "until"), [(False, 8), (True, 7)])
def test_confirm_then_reconfirm_with_elapsed_trigger_works(root, immediate, until):
    number = created(root, immediate=immediate)
    assert state(root, number).confirming == until
    root.run_to(until - 1)
    root.set_tally(number, 100, 99)
    root.run_to(until)
    assert (state(root, number).since, state(root, number).confirming) == (5, None)
    root.run_to(11)
    assert (state(root, number).end, state(root, number).ended) == ("approved", 11)


def test_instaconfirm_then_reconfirm_with_voting_trigger_works(root):
    number = created(root, immediate=True)
    root.run_to(6)
    root.set_tally(number, 100, 99)
    root.run_to(7)
    assert state(root, number).confirming is None
    root.run_to(8)
    root.set_tally(number, 100, 0)
    root.run_to(9)
    assert state(root, number).confirming == 11
    root.run_to(11)
    assert state(root, number).ended == 11


def test_voting_should_extend_for_late_confirmation(root):
    number = created(root, passing=True)
    root.run_to(10)
    assert state(root, number).confirming == 11
    root.run_to(11)
    assert (state(root, number).end, state(root, number).ended) == ("approved", 11)


def test_should_instafail_during_extension_confirmation(root):
    number = created(root, passing=True)
    root.run_to(10)
    root.set_tally(number, 100, 101)
    root.run_to(11)
    assert (state(root, number).end, state(root, number).ended) == ("rejected", 11)


def test_confirming_then_fail_works(root):
    number = created(root)
    root.set_tally(number, 100, 0)
    root.run_to(6)
    assert state(root, number).confirming == 8
    root.set_tally(number, 100, 101)
    root.run_to(9)
    assert (state(root, number).end, state(root, number).ended) == ("rejected", 9)


def test_queueing_works(root):
    root.deposit(5, root.propose(5))
    root.run_to(2)
    for holder in range(1, 5):
        root.deposit(holder, root.propose(holder))
    root.run_to(5)
    assert state(root, 0).since == 5
    assert [state(root, number).status for number in range(1, 5)] == ["preparing"] * 4
    for number, tally in {1: (1, 10), 2: (2, 20), 3: (3, 30), 4: (100, 0)}.items():
        root.set_tally(number, *tally)
    root.run_to(6)
    assert [state(root, number).status for number in range(1, 5)] == ["queued"] * 4
    root.do(proposing.cancel, 0)
    root.run_to(7)
    assert (state(root, 4).since, state(root, 4).confirming) == (7, 9)
    root.set_tally(1, 30, 31)
    root.set_tally(2, 20, 20)
    root.run_to(9)
    assert state(root, 4).ended == 9
    root.run_to(10)
    assert state(root, 1).since == 10
    root.run_to(14)
    assert (state(root, 1).end, state(root, 1).ended) == ("rejected", 14)
    root.run_to(15)
    assert state(root, 2).since == 15
    root.run_to(19)
    assert state(root, 2).confirming == 21
    root.run_to(21)
    assert state(root, 2).ended == 21
    # The pallet's queue holds three, so that its last one has fallen out and times out; ours holds all.
    root.run_to(22)
    assert state(root, 3).since == 22


def test_auto_timeout_should_happen_with_nothing_but_submit(root):
    number = root.propose(1)
    root.run_to(20)
    assert state(root, number).ongoing
    root.run_to(21)
    assert (state(root, number).end, state(root, number).ended) == ("timed_out", 21)
    assert root.usable(1) == 100


def test_tracks_are_distinguished(root):
    root.deposit(3, root.propose(1, "treasury"))
    root.deposit(4, root.propose(2, "emergency"))
    root.run_to(5)
    assert [state(root, number).track for number in (0, 1)] == ["treasury", "emergency"]
    assert [state(root, number).since for number in (0, 1)] == [5, 5]


def test_submit_errors_work(world):
    poor = world([1, 100])
    with pytest.raises(GovernanceError, match="submission deposit is 2 micro-GRID, account 2 has 1 to spend"):
        poor.propose(1)


def test_decision_deposit_errors_work(root):
    with pytest.raises(GovernanceError, match="there is no referendum 0"):
        root.deposit(2, 0)
    number = root.propose(1)
    root.deposit(2, number)
    with pytest.raises(GovernanceError, match="has its decision deposit already"):
        root.deposit(2, number)


def test_cancel_works_and_refunds(root):
    number = root.propose(1)
    root.deposit(2, number)
    root.run_to(8)
    root.do(proposing.cancel, number)
    assert (state(root, number).end, state(root, number).ended) == ("cancelled", 8)
    assert [root.usable(holder) for holder in (1, 2)] == [100, 100]


@pytest.mark.parametrize("end", [proposing.cancel, proposing.kill])
def test_cancel_and_kill_errors_work(root, end):
    number = root.propose(1)
    root.deposit(2, number)
    root.run_to(11)
    with pytest.raises(GovernanceError, match="has ended"):
        root.do(end, number)


def test_kill_slashes_both_deposits_to_the_treasury(root):
    number = root.propose(1)
    root.deposit(2, number)
    root.run_to(8)
    root.do(proposing.kill, number)
    assert [root.usable(holder) for holder in (1, 2)] == [98, 90]
    assert root.ledger.balance(1, "GRID") == 5 + 12


# What the pallet's tests do not ask.


def passed(world, action, **options):
    """Let an action pass as fast as it can; return the moment of approval."""
    number = world.propose(1, action=action, **options)
    world.deposit(2, number)
    world.set_tally(number, 100, 0)
    start = world.now
    world.run_to(start + 6)
    assert state(world, number).end == "approved"
    return number, world.now


def test_a_longer_wait_is_kept_and_a_shorter_one_is_the_timelock(root):
    number, approved = passed(root, Spend.to(7, 1), after=9)
    assert state(root, number).enact == approved + 9
    number, approved = passed(root, Spend.to(7, 1), after=1)
    assert state(root, number).enact == approved + 4


def test_spending_more_than_the_treasury_has_fails_as_a_whole(root):
    number, approved = passed(root, Spend(((6, 4), (7, 4))))
    root.run_to(approved + 4)
    assert state(root, number).outcome.startswith("transfers: an account pays more than it holds")
    rows = [(each.path, each.value, each.failed == state(root, number).outcome) for each in root.book.enacted]
    assert rows == [("6", "4", True), ("7", "4", True)]
    assert (root.usable(5), root.usable(6), root.ledger.balance(1, "GRID")) == (100, 100, 5)


def test_an_upgrade_goes_to_the_chain_and_a_refusal_is_written_down(root):
    upgrade = ProtocolUpgrade(2, 100, bytes(32))
    number, approved = passed(root, upgrade)
    root.run_to(approved + 4)
    assert root.switched == [upgrade]
    assert state(root, number).outcome == "enacted"

    class Refusing:
        def append(self, _):
            raise LedgerError("too late")

    root.switched = Refusing()
    number, approved = passed(root, upgrade)
    root.run_to(approved + 4)
    assert state(root, number).outcome == "too late"


def test_an_emergency_stops_once_and_resumes_what_others_may_have_stopped(root):
    for stop, outcome in ((True, "enacted"), (True, "'zone:BKK' stands already"), (False, "enacted"),
                          (False, "enacted")):  # fmt: skip
        number, approved = passed(root, Emergency(stop, "zone:BKK"))
        root.run_to(approved + 4)
        assert state(root, number).outcome == outcome
        assert ("zone:BKK" in root.book.stopped) is (outcome.endswith("already") or (stop and outcome == "enacted"))


def test_governance_moves_its_own_levers(root):
    minutes = root.book.table.action({"governance.parameter.decision": 7})
    number, approved = passed(root, minutes)
    root.run_to(approved + 4)
    assert state(root, number).outcome == "enacted"
    assert root.book.rules["parameter"].decision == 7 * 60_000_000
    assert root.book.terms["parameter.decision"] == 7


def test_nothing_is_enacted_after_a_block_late_in_time(root):
    number, approved = passed(root, SetLevers((("market.fee", "1.5"),)))
    # The chain skipped slots: the next block comes long after, and does it all the same.
    root.now = approved + 50
    root.run_to(root.now + 1)
    assert state(root, number).outcome == "enacted"
    assert [each.timestamp for each in root.book.enacted] == [approved + 51]


def test_room_goes_to_the_most_ayes_and_among_equals_to_the_oldest(root):
    for holder in range(1, 5):
        root.deposit(holder, root.propose(holder))
    root.run_to(5)
    assert [state(root, number).status for number in range(4)] == ["deciding", "queued", "queued", "queued"]
    root.set_tally(3, 5, 100)
    root.do(proposing.cancel, 0)
    root.run_to(6)
    root.do(proposing.cancel, 3)
    root.run_to(7)
    assert [state(root, number).since for number in range(4)] == [5, 7, None, 6]


def test_adaptive_quorum_has_to_be_met_beside_the_curves(world, rules):
    strict = world([100] * 6, rules(quorum="super_majority_approve"))
    for made in (strict, world([100] * 6, rules(quorum="super_majority_against"))):
        number = made.propose(1)
        made.deposit(2, number)
        made.vote(3, number, Ballot.for_it(90, 1))
        made.vote(4, number, Ballot.against(60, 1))
        made.run_to(11)
    # 60 % of approval and 15 % of support pass both lines at the end of deciding, in either world.
    assert strict.book.referendum(0).end == "rejected"
    assert made.book.referendum(0).end == "approved"


def test_a_referendum_of_nobody_is_rejected_even_where_no_support_is_asked_for(root):
    number = created(root)
    root.run_to(9)
    assert state(root, number).end == "rejected"


def test_every_field_of_a_referendum_is_in_its_bytes():
    one = Referendum(1, 2, Spend.to(7, 1), 5)
    others = [
        replace(one, **change)
        for change in (
            {"number": 2}, {"proposer": 3}, {"action": Spend.to(7, 2)}, {"submitted": 6}, {"after": 1}, {"paid": True},
            {"queued": True}, {"since": 1}, {"confirming": 1}, {"end": "killed"}, {"ended": 1}, {"enact": 1},
            {"outcome": "enacted"}, {"tally": Tally(1)}, {"tally": Tally(0, 1)}, {"tally": Tally(0, 0, 1)},
        )
    ]  # fmt: skip
    assert len({each.to_bytes() for each in (one, *others)}) == len(others) + 1
