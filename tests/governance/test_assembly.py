"""Governance alone: a proposal all the way, what is locked cannot be spent, and what fails changes nothing."""

from __future__ import annotations

import pytest

from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError, LedgerError
from gridlab.governance.actions import ProtocolUpgrade, Spend
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.governance import Governance

GRID = 1_000_000


@pytest.fixture
def assembly(lever_frame):
    return Assembly({"ana": 600 * GRID, "bun": 300 * GRID, "chai": 100 * GRID}, Governance(), lever_frame,
                    treasury=50 * GRID)  # fmt: skip


def moved(assembly):
    from gridlab.governance.views import levers_moved

    return levers_moved(assembly.book)


def test_a_proposal_goes_from_deposit_to_enactment(assembly):
    number = assembly.propose("ana", {"market.fee": 0.8, "market.rule": "pay_as_bid"})
    assert assembly.available("ana") == 590 * GRID
    assembly.place_deposit("bun", number)
    assembly.vote("ana", number, Ballot.for_it(500 * GRID, 1))
    assembly.vote("bun", number, Ballot.against(100 * GRID, 1))
    statuses = []
    for _ in range(60):
        assembly.advance()
        if not statuses or statuses[-1] != assembly.status(number):
            statuses.append(assembly.status(number))
    assert statuses == ["preparing", "deciding", "confirming", "approved"]
    assert assembly.enacted["path", "value", "failed"].rows() == [
        ("market.fee", "0.8", ""),
        ("market.rule", "pay_as_bid", ""),
    ]
    ((height, which, levers),) = moved(assembly)
    assert (which, levers) == (number, {"market.fee": 0.8, "market.rule": "pay_as_bid"})
    assert height == assembly.enacted["height"][0]
    assert assembly.referenda["status"].to_list() == ["approved"]


def test_overlapping_locks_share_the_same_grid_and_cannot_be_spent(assembly):
    first = assembly.propose("chai", {"market.fee": 0.8})
    second = assembly.propose("chai", assembly.spend({"chai": GRID}))
    assert assembly.available("chai") == 80 * GRID
    assembly.vote("chai", first, Ballot.for_it(60 * GRID, 1))
    assembly.vote("chai", second, Ballot.against(40 * GRID, 2))
    assert assembly.available("chai") == 20 * GRID
    with pytest.raises(LedgerError):
        assembly.pay("chai", "ana", 20 * GRID + 1)
    assembly.pay("chai", "ana", 20 * GRID)
    with pytest.raises(GovernanceError, match="votes with 60000001 micro-GRID, it has 60000000"):
        assembly.vote("chai", second, Ballot.against(60 * GRID + 1))
    with pytest.raises(GovernanceError, match="has 0 to spend"):
        assembly.propose("chai", {"market.fee": 0.9})
    assembly.remove_vote("chai", first)
    assert assembly.available("chai") == 0
    assert assembly.unlock("chai") == 40 * GRID
    assert assembly.available("chai") == 20 * GRID
    assembly.remove_vote("chai", second)
    assert assembly.unlock("chai") == 0
    assert assembly.available("chai") == 60 * GRID


def test_what_fails_changes_nothing(assembly):
    number = assembly.propose("ana", {"market.fee": 0.8})
    assembly.vote("bun", number, Ballot.for_it(GRID))
    before = assembly.book.hash, assembly.ledger.root
    for act, error in (
        (lambda: assembly.propose("ana", {"market.fee": 3}), GovernanceError),
        (lambda: assembly.propose("ana", {"market.fee": 1}, after=-1), ArgumentError),
        (lambda: assembly.propose("ana", Spend.to(0, 1)), GovernanceError),
        (lambda: assembly.propose("ana", Spend.to(1, 1)), GovernanceError),
        (lambda: assembly.propose("ana", Spend.to(5, 1)), GovernanceError),
        (lambda: assembly.propose("ana", "lower the fee"), ArgumentTypeError),
        (lambda: assembly.propose("dao", {"market.fee": 1}), GovernanceError),
        (lambda: assembly.vote("ana", number, 5), ArgumentTypeError),
        (lambda: assembly.vote("ana", number, Ballot.for_it(600 * GRID)), GovernanceError),
        (lambda: assembly.vote("ana", 1, Ballot.for_it(1)), GovernanceError),
        (lambda: assembly.vote("ana", "0", Ballot.for_it(1)), ArgumentTypeError),
        (lambda: assembly.delegate("bun", "parameter", "ana", GRID), GovernanceError),
        (lambda: assembly.delegate("chai", "parameter", "ana", 0), ArgumentError),
        (lambda: assembly.delegate("chai", "parameter", "ana", GRID, 0.5), GovernanceError),
        (lambda: assembly.remove_vote("ana", number), GovernanceError),
        (lambda: assembly.unlock("ana"), GovernanceError),
        (lambda: assembly.cancel(7), GovernanceError),
        (lambda: assembly.advance(0), ArgumentError),
    ):
        with pytest.raises(error):
            act()
        assert (assembly.book.hash, assembly.ledger.root) == before


def test_an_assembly_has_no_rules_to_switch(assembly):
    number = assembly.propose("ana", ProtocolUpgrade(2, 100, bytes(32)))
    with pytest.raises(GovernanceError, match="1000000000 micro-GRID, account 2 has 590000000 to spend"):
        assembly.place_deposit("ana", number)


def test_own_levers_that_do_not_go_together_are_refused_when_proposed():
    levers = Governance().levers().with_columns(path="governance." + Governance().levers()["path"])
    assembly = Assembly({"ana": 600 * GRID}, levers=levers)
    with pytest.raises(GovernanceError, match="the approval curve: level is"):
        assembly.propose("ana", {"governance.parameter.approval_level": 99.0})
    number = assembly.propose("ana", {"governance.parameter.decision": 30})
    assembly.place_deposit("ana", number)
    assembly.vote("ana", number, Ballot.for_it(400 * GRID))
    assembly.advance(60)
    assert assembly.book.rules["parameter"].decision == 30 * 60_000_000


def test_a_fork_is_independent(assembly):
    number = assembly.propose("ana", {"market.fee": 0.8})
    twin = assembly.fork()
    before = assembly.book.hash, assembly.ledger.root, assembly.now
    twin.vote("bun", number, Ballot.for_it(GRID))
    twin.place_deposit("ana", number)
    twin.advance(30)
    assert (assembly.book.hash, assembly.ledger.root, assembly.now) == before
    assert assembly.tally(number) == Tally()


def test_views_show_votes_and_delegations(assembly):
    number = assembly.propose("ana", {"market.fee": 0.8})
    assembly.vote("bun", number, Ballot.split(aye=5, abstain=7))
    assembly.delegate("chai", "parameter", "bun", 9, 0.1)
    assert assembly.votes(number).rows() == [(3, "split", 0, 5, 0, 7)]
    assert assembly.delegations("parameter").rows() == [(4, 3, 0, 9)]
    assert assembly.delegations("treasury").is_empty()
    assert assembly.referenda["action"].to_list() == ["set market.fee = 0.8"]


def test_balances_that_are_none_are_refused():
    with pytest.raises(ArgumentTypeError):
        Assembly([("ana", 1)])
    with pytest.raises(ArgumentError):
        Assembly({"ana": -1})
    with pytest.raises(ArgumentTypeError):
        Assembly({1: 1})
    with pytest.raises(ArgumentTypeError):
        Assembly({"ana": 1}, treasury=1.5)
