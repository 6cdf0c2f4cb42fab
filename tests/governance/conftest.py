"""A ledger of a few holders and a book of governance on it, with time in whole steps, as in the pallets' tests."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from gridlab.chain.ledger import Ledger
from gridlab.governance import casting, delegating, proposing
from gridlab.governance.actions import Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.governance.ballots import Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.curves import Linear
from gridlab.governance.deciding import at_block
from gridlab.governance.governance import Governance
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.purse import Purse
from gridlab.governance.referenda import Referendum
from gridlab.governance.roll import Delegation
from gridlab.governance.tracks import TRACKS, GovernanceRules, Track

# Accounts 0 and 1 are the issuer and the treasury; holder i of a pallet's test is account i + 1.
SYSTEM = 2
ACTIONS = {
    "parameter": SetLevers((("market.fee", "0.5"),)),
    "treasury": Spend.to(SYSTEM, 1),
    "upgrade": ProtocolUpgrade(2, 100, bytes(32)),
    "emergency": Emergency(stop=True, scope="market"),
}


def levers():
    return pl.DataFrame(
        {
            "path": ["market.fee", "market.rule", "market.open", "governance.parameter.decision"],
            "low": [0.0, None, None, 1.0],
            "high": [2.0, None, None, 100_000.0],
            "step": [0.001, None, None, 1.0],
            "choices": [None, ["uniform", "pay_as_bid"], None, None],
            "governed_by": ["operator"] * 4,
        }
    )


class World:
    """Holders 1 … n, a book, a clock; what fails changes nothing."""

    def __init__(self, balances, rules, *, treasury=0):
        self.ledger = Ledger(SYSTEM + len(balances), issuers={"GRID": [0]})
        paid = [(account, amount) for account, amount in enumerate([treasury, *balances], start=1) if amount]
        rows = [
            {"transfer_id": i, "debit_account": 0, "credit_account": a, "asset": "GRID", "amount": n, "code": "mint"}
            for i, (a, n) in enumerate(paid)
        ]
        self.ledger.apply(pl.DataFrame(rows))
        self.book = GovernanceBook(rules, Governance().lever_values(), LeverTable(levers()))
        self.now = self.height = 1
        self.switched = []

    @property
    def purse(self):
        return Purse(self.ledger, self.now, 1, SYSTEM)

    def do(self, act, *args, **options):
        book, ledger = self.book.fork(), self.ledger.fork()
        result = act(book, Purse(ledger, self.now, 1, SYSTEM), *args, **options)
        self.book, self.ledger = book, ledger
        return result

    def run_to(self, now):
        while self.now < now:
            self.now += 1
            self.height += 1
            self.do(lambda book, purse: at_block(book, purse, self.height, self.switched.append))

    def usable(self, holder):
        return self.ledger.available(holder + 1, "GRID")

    def tally(self, number):
        tally = self.book.referendum(number).tally
        return tally.ayes, tally.nays, tally.turnout

    def open(self, number, track):
        self.book.put(Referendum(number, SYSTEM, ACTIONS[track], self.now, lock_period=self.book.rules.lock_period))

    def complete(self, number, end, ended):
        self.book.put(replace(self.book.referendum(number).closed(end, ended)))

    def set_tally(self, number, ayes, nays):
        support = ayes * self.purse.electorate // 100
        self.book.put(replace(self.book.referendum(number), tally=Tally(ayes, nays, support, support)))

    def propose(self, holder, track="treasury", action=None, **options):
        return self.do(proposing.propose, holder + 1, action or ACTIONS[track], **options)

    def deposit(self, holder, number):
        self.do(proposing.place_decision_deposit, holder + 1, number)

    def vote(self, holder, number, ballot):
        self.do(casting.vote, holder + 1, number, ballot)

    def remove_vote(self, holder, number):
        self.do(casting.remove_vote, holder + 1, number)

    def unlock(self, holder):
        # The pallet's call does nothing where nothing is locked.
        if self.book.locks.get(holder + 1):
            self.do(casting.unlock, holder + 1)

    def delegate(self, holder, track, to, level, amount):
        self.do(delegating.delegate, holder + 1, track, Delegation(to + 1, level, amount))

    def undelegate(self, holder, track):
        self.do(delegating.undelegate, holder + 1, track)


def make_rules(*, lock_period=3, timeout=20, submission_deposit=2, **changes):
    line = {"approval": Linear(1, 0.5, 1), "support": Linear(1, 0, 1)}
    numbers = {"capacity": 1, "decision_deposit": 10, "prepare": 4, "decision": 4, "confirm": 2, "enactment": 4}
    tracks = tuple(Track(name=name, **{**numbers, **line, **changes}) for name in TRACKS)
    return GovernanceRules(tracks, lock_period, timeout, submission_deposit)


@pytest.fixture
def rules():
    return make_rules


@pytest.fixture
def lever_frame():
    return levers()


@pytest.fixture
def world():
    return lambda balances, rules=None, **options: World(balances, rules or make_rules(), **options)


@pytest.fixture
def polls(world):
    """Six holders of 10 … 60, and one open referendum, 3, of the first track: as pallet-conviction-voting's mock."""
    made = world([10, 20, 30, 40, 50, 60])
    made.open(3, "parameter")
    return made
