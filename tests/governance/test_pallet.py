"""Governance on the public chain: votes in blocks, levers moved at a height, money truly held."""

from __future__ import annotations

import polars as pl
import pytest

import gridlab as gl
from gridlab.chain import keys
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.public import EFFECTS, PublicChain, PublicTerms, RuleSet, effects_with
from gridlab.chain.public.state import part_prefix
from gridlab.errors import ArgumentTypeError, ChainError, FrameError
from gridlab.governance.actions import Emergency, ProtocolUpgrade, Spend
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.governance import Governance
from gridlab.governance.kinds import (
    account_form,
    delegation_form,
    proposal_form,
    referendum_form,
    track_form,
    vote_form,
)
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.pallet import GovernancePallet, governance_part
from gridlab.governance.roll import Delegation

GRID = 1_000_000
NAMES = ("ana", "bun", "chai", "governance", "attester")
BALANCES = {"ana": 600 * GRID, "bun": 300 * GRID, "chai": 100 * GRID, "governance": GRID, "attester": GRID}
TERMS = PublicTerms(validators=4)


def brisk():
    quick = {"prepare": 0, "decision": 4, "confirm": 1, "enactment": 1, "decision_deposit": 20.0}
    values = {f"{track}.{name}": value for track in Governance.parts for name, value in quick.items()}
    return Governance(lock_period=1, timeout=20, submission_deposit=5.0).set(values)


class People:
    """A chain, its people, and what became of their transactions."""

    def __init__(self, levers, **options):
        self.pallet = GovernancePallet(brisk(), levers)
        self.keys = {name: keys.sandbox(0, name) for name in NAMES}
        frame = pl.DataFrame(
            {
                "public_key": [pair.public_key for pair in self.keys.values()],
                "balance": list(BALANCES.values()),
                "role": ["user"] * 3 + ["governance", "attester"],
            }
        )
        rules = [RuleSet(each.version, each.fees, effects_with([self.pallet])) for each in options.pop("rules", [])]
        self.chain = PublicChain(frame, terms=TERMS, pallets=[self.pallet], rules=rules, **options)
        self.account = {name: self.chain.account(pair) for name, pair in self.keys.items()}

    def send(self, who, kind, frame):
        """Send a transaction and let it into a block; return why it was refused, or an empty text."""
        sent = self.chain.send(self.keys[who], kind, frame)
        self.chain.run(5)
        found = self.chain.transactions.filter(pl.col("id") == hexadecimal(sent.id))
        return found["reason"].item()

    def propose(self, who, action, **options):
        made = self.pallet.table.action(action) if isinstance(action, dict) else action
        assert self.send(who, "propose", proposal_form(made, **options)) == ""
        return len(self.book.referenda) - 1

    def campaign(self, action):
        number = self.propose("ana", action)
        assert self.send("bun", "decision_deposit", referendum_form(number)) == ""
        assert self.send("ana", "vote", vote_form(number, Ballot.for_it(500 * GRID))) == ""
        return number

    @property
    def part(self):
        return governance_part(self.chain.best.state)

    @property
    def book(self):
        return self.part.book

    def available(self, name):
        return self.chain.ledger.available(self.account[name], "GRID")


@pytest.fixture
def people(lever_frame):
    return People(lever_frame)


def test_a_vote_moves_a_lever_of_the_lab_at_a_block_that_can_be_cited():
    lab = gl.Lab.thailand(prosumers=2)
    people = People(lab.levers())
    number = people.campaign({"market.wheeling.postage_stamp": 0.8})
    people.chain.run(40)
    row = people.part.enacted.row(0, named=True)
    assert (row["referendum"], row["action"], row["path"]) == (number, "set", "market.wheeling.postage_stamp")
    ((height, which, levers),) = people.part.moved()
    assert (height, which) == (row["height"], number)
    assert people.part.moved(after=height) == []
    assert lab.set(levers).get("market.wheeling.postage_stamp") == 0.8
    approved = people.book.referendum(number).ended
    assert people.chain.header(height).timestamp >= approved + 60_000_000
    assert people.chain.header(height - 1).timestamp < approved + 60_000_000


def test_the_part_is_a_leaf_of_the_state_and_replays_to_the_same_root(people, lever_frame):
    people.campaign({"market.fee": 0.8})
    people.chain.run(30)
    assert part_prefix("governance") + people.part.hash in people.chain.state_leaves()
    assert people.chain.replay().state_root == people.chain.state_root
    again = PublicChain.from_bytes(people.chain.to_bytes(), pallets=[GovernancePallet(brisk(), lever_frame)])
    assert governance_part(again.best.state).enacted.equals(people.part.enacted)
    for other in (GovernancePallet(brisk(), lever_frame.head(2)), GovernancePallet(Governance(), lever_frame)):
        with pytest.raises(ChainError, match="genesis names the parts"):
            PublicChain.from_bytes(people.chain.to_bytes(), pallets=[other])


def test_what_a_vote_locks_cannot_be_paid_away_and_fees_come_from_the_rest(people):
    number = people.propose("bun", {"market.fee": 0.8})
    free = people.available("chai")
    assert people.send("chai", "vote", vote_form(number, Ballot.against(99 * GRID, 2))) == ""
    assert people.available("chai") < free - 99 * GRID
    pair = people.keys["chai"]
    people.chain.pay(pair, people.keys["ana"], people.available("chai") + 1)
    people.chain.run(5)
    assert people.chain.transactions["reason"][-1].startswith("transfers: an account pays more than it holds")
    people.chain.pay(pair, people.keys["ana"], people.available("chai") - 100_000)
    people.chain.run(5)
    assert people.chain.transactions["reason"][-1] == ""
    assert people.part.locks.rows() == [(people.account["chai"], 99 * GRID)]
    assert people.chain.accounts["GRID"].sum() == 0


def test_a_second_vote_replaces_and_two_in_one_transaction_are_refused(people):
    number = people.propose("bun", {"market.fee": 0.8})
    twice = pl.concat([vote_form(number, Ballot.for_it(GRID)), vote_form(number, Ballot.for_it(2 * GRID))])
    assert "a referendum stands there twice" in people.send("ana", "vote", twice)
    assert people.part.tally(number) == Tally()
    assert people.send("ana", "vote", vote_form(number, Ballot.for_it(GRID))) == ""
    assert people.send("ana", "vote", vote_form(number, Ballot.against(2 * GRID, 3))) == ""
    assert people.part.tally(number) == Tally(0, 6 * GRID, 0, 2 * GRID)
    assert people.part.votes(number).rows() == [(people.account["ana"], "nay", 3, 0, 2 * GRID, 0)]


def test_bad_input_is_refused_with_the_reason_and_only_the_fee_is_gone(people):
    number = people.propose("bun", {"market.fee": 0.8})
    other = people.propose("bun", Spend.to(people.account["chai"], 1))
    assert people.send("governance", "cancel", referendum_form(other)) == ""
    big = LeverTable(pl.DataFrame({"path": ["market.fee", "x"], "low": [0.0, 0.0], "high": [9.0, 9.0],
                                   "step": [1.0, 1.0], "governed_by": ["", ""]}))  # fmt: skip
    two = pl.concat([proposal_form(Emergency(stop=True, scope="market"))] * 2)
    ballot = vote_form(number, Ballot.for_it(1))
    me = people.account["ana"]
    released = people.chain._builder.rules[1].hash
    before = people.part.hash
    for kind, frame, reason in (
        ("propose", proposal_form(big.action({"market.fee": 3})), "market.fee: '3' is not allowed; allowed: 0 to 2"),
        ("propose", proposal_form(big.action({"x": 3})), "no lever 'x' that votes may move"),
        ("propose", proposal_form(Spend.to(1, 1)), "the beneficiary 1 is not an account that somebody holds"),
        ("propose", proposal_form(ProtocolUpgrade(1, 10**6, released)), "version 1 of the rules is not above 1"),
        ("propose", two, "2 rows, allowed: one"),
        ("propose", pl.DataFrame({"action": [b"\x07"], "after": [0]}), "tag 7"),
        ("decision_deposit", referendum_form(9), "there is no referendum 9"),
        ("vote", vote_form(number, Ballot.for_it(10**15)), "votes with 1000000000000000 micro-GRID"),
        ("vote", vote_form(other, Ballot.for_it(1)), "has ended (cancelled)"),
        ("vote", ballot.with_columns(conviction=pl.lit(7, pl.UInt8)), "the level of conviction is 7"),
        ("vote", ballot.with_columns(aye=pl.lit(-1, pl.Int64)), "aye is -1"),
        ("vote", ballot.with_columns(nay=pl.lit(1, pl.Int64)), "amounts on another side"),
        ("delegate", delegation_form("parameter", Delegation.to(me, 1)), "delegates to itself"),
        ("delegate", delegation_form("parameter", Delegation.to(0, 1)), "the delegate 0 is not an account"),
        ("undelegate", track_form("treasury"), "delegates nothing"),
        ("remove_vote", referendum_form(number), "has no vote in referendum 0"),
        ("unlock", account_form(me), "locks nothing"),
        ("cancel", referendum_form(number), "is a user, this kind is for: governance"),
        ("kill", referendum_form(number), "is a user, this kind is for: governance"),
    ):
        assert reason in people.send("ana", kind, frame)
        assert people.part.hash == before
    assert people.available("ana") == people.chain.balance(people.keys["ana"])


def test_delegation_over_transactions_and_its_lock(people):
    number = people.propose("ana", {"market.fee": 0.8})
    to_bun = delegation_form("parameter", Delegation.to(people.account["bun"], 50 * GRID, 2))
    assert people.send("chai", "delegate", to_bun) == ""
    assert people.send("bun", "vote", vote_form(number, Ballot.against(10 * GRID, 1))) == ""
    assert people.part.tally(number) == Tally(0, 110 * GRID, 0, 60 * GRID)
    assert people.part.delegations("parameter").height == 1
    to_chai = delegation_form("parameter", Delegation.to(people.account["chai"], GRID))
    assert "remove them first" in people.send("bun", "delegate", to_chai)
    assert people.send("bun", "remove_vote", referendum_form(number)) == ""
    assert "so that all these votes would be cast by nobody" in people.send("bun", "delegate", to_chai)
    assert "undelegate first" in people.send("chai", "vote", vote_form(number, Ballot.for_it(1)))
    assert people.send("chai", "undelegate", track_form("parameter")) == ""
    assert people.send("chai", "unlock", account_form(people.account["chai"])) == ""
    assert people.part.locks.filter(account=people.account["chai"])["amount"].to_list() == [50 * GRID]
    people.chain.run(30)
    assert people.send("chai", "unlock", account_form(people.account["chai"])) == ""
    assert people.part.locks.filter(account=people.account["chai"]).is_empty()


def test_the_treasury_spends_by_vote_and_a_kill_fills_it(people):
    number = people.propose("chai", Spend.to(people.account["chai"], 10))
    before = people.chain.treasury
    assert people.send("governance", "kill", referendum_form(number)) == ""
    assert people.chain.treasury >= before + 5 * GRID
    held = people.chain.balance(people.keys["chai"])
    number = people.campaign(Spend.to(people.account["chai"], 4 * GRID))
    poor = people.campaign(Spend(((people.account["bun"], 1), (people.account["chai"], 10**15))))
    people.chain.run(40)
    assert people.book.referendum(number).outcome == "enacted"
    assert people.chain.balance(people.keys["chai"]) == held + 4 * GRID
    assert people.book.referendum(poor).outcome.startswith("transfers: an account pays more than it holds")
    assert people.part.enacted.filter(pl.col("failed") != "")["path"].len() == 2
    assert people.chain.accounts["GRID"].sum() == 0


def test_an_upgrade_by_vote_changes_the_rules_at_its_height(lever_frame):
    later = RuleSet(2, PublicTerms(byte_fee=0.00002).fees, EFFECTS)
    people = People(lever_frame, rules=[later])
    rules = people.chain._builder.rules[2].hash
    people.campaign(ProtocolUpgrade(2, 60, rules))
    people.chain.run(80)
    assert people.part.enacted["failed"].to_list() == [""]
    assert people.chain.header(59).rules_version == 1
    assert people.chain.header(60).rules_version == 2
    assert people.chain.replay().state_root == people.chain.state_root
    assert people.send("bun", "unlock", account_form(people.account["ana"])) == ""


def test_an_upgrade_that_comes_too_late_fails_and_the_chain_goes_on(lever_frame):
    people = People(lever_frame, rules=[RuleSet(2, PublicTerms(byte_fee=0.00002).fees, EFFECTS)])
    rules = people.chain._builder.rules[2].hash
    assert "is not after block" in people.send("ana", "propose", proposal_form(ProtocolUpgrade(2, 1, rules)))
    people.campaign(ProtocolUpgrade(2, 20, rules))
    people.chain.run(40)
    assert "is not after block" in people.part.enacted["failed"].item()
    assert people.chain.best.state.upgrade is None


@pytest.mark.parametrize(("version", "rules"), [(2, bytes(32)), (3, None)])
def test_a_proposal_of_rules_that_the_node_has_not_is_not_taken(lever_frame, version, rules):
    people = People(lever_frame, rules=[RuleSet(2, PublicTerms(byte_fee=0.00002).fees, EFFECTS)])
    known = people.chain._builder.rules[2].hash
    form = proposal_form(ProtocolUpgrade(version, 60, rules or known))
    with pytest.raises(ChainError, match=f"version {version} of the rules is not released under this hash"):
        people.chain.send(people.keys["ana"], "propose", form)
    signed = people.chain.sign(people.keys["ana"], "propose", form)
    with pytest.raises(ChainError, match="is not released"):
        people.chain.submit(signed)
    with pytest.raises(ChainError, match=r"transactions\[1\]"):
        people.chain.submit_many(
            [people.chain.sign(people.keys["bun"], "propose", proposal_form(ProtocolUpgrade(2, 60, known))), signed]
        )
    assert people.send("ana", "propose", proposal_form(ProtocolUpgrade(2, 60, known))) == ""


def test_what_is_no_action_is_left_to_the_chain_which_says_why(lever_frame):
    people = People(lever_frame)
    form = proposal_form(Emergency(stop=True, scope="market")).with_columns(action=pl.lit(b"no"))
    assert people.pallet.upgrades_in("propose", form) == []
    assert people.send("ana", "propose", form) != ""


def test_a_chain_without_governance_has_no_such_kinds():
    chain = PublicChain(terms=TERMS)
    with pytest.raises(ChainError, match="kind 'propose' is not known"):
        chain.send(keys.sandbox(0, "governance"), "propose", proposal_form(Emergency(stop=True, scope="market")))
    with pytest.raises(ChainError, match="this chain has no governance"):
        governance_part(chain.best.state)


def test_forms_refuse_what_is_none():
    with pytest.raises(ArgumentTypeError, match="a LeverTable makes one"):
        proposal_form({"market.fee": 1})
    with pytest.raises(ArgumentTypeError, match=r"allowed: Ballot\.for_it"):
        vote_form(0, 5)
    with pytest.raises(ArgumentTypeError, match=r"allowed: Delegation\.to"):
        delegation_form("parameter", 5)
    with pytest.raises(FrameError, match="track"):
        track_form("tax")
