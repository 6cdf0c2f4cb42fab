"""What holds whatever holders do: tallies, locks, deposits, the sum of all GRID, timelocks, forks."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gridlab.errors import GovernanceError, LedgerError
from gridlab.governance.actions import TRACKS, Emergency, ProtocolUpgrade
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.governance import Governance
from gridlab.governance.tallying import count_votes

HOLDERS = ("ana", "bun", "chai", "dao")
BALANCES = dict(zip(HOLDERS, (700, 500, 300, 40), strict=True))
TREASURY = 100
MINUTE = 60_000_000

holders = st.sampled_from(HOLDERS)
numbers = st.integers(0, 5)
convictions = st.sampled_from([0.1, 1, 2, 3, 4, 5, 6])
amounts = st.integers(1, 400)
ballots = st.one_of(
    st.builds(Ballot.for_it, amounts, convictions),
    st.builds(Ballot.against, amounts, convictions),
    st.builds(lambda aye, nay, abstain: Ballot.split(aye=aye, nay=nay, abstain=abstain), amounts, amounts, amounts),
)


def brisk():
    quick = {"prepare": 1, "decision": 4, "confirm": 1, "enactment": 2, "capacity": 1, "decision_deposit": 0.0}
    support = {"support_shape": "linear", "support_start": 20.0, "support_end": 0.0}
    values = {f"{track}.{name}": value for track in TRACKS for name, value in {**quick, **support}.items()}
    return Governance(lock_period=2, timeout=12, submission_deposit=0.0).set(values)


class Parliament(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.assembly = Assembly(BALANCES, brisk(), treasury=TREASURY)
        # Deposits of whole micro-GRID, which the levers are too coarse for.
        book = self.assembly._book
        rules = book.rules
        tracks = tuple(track.__class__(**{name: getattr(track, name) for name in track.__slots__}
                                       | {"decision_deposit": 20}) for track in rules.tracks)  # fmt: skip
        book.rules = rules.__class__(tracks, rules.lock_period, rules.timeout, 10)
        self.killed = 0

    def attempt(self, act):
        before = self.assembly.book.hash, self.assembly.ledger.root
        try:
            act()
        except (GovernanceError, LedgerError):
            assert (self.assembly.book.hash, self.assembly.ledger.root) == before

    @rule(who=holders, to=holders, amount=amounts, after=st.integers(0, 4))
    def propose_spending(self, who, to, amount, after):
        action = self.assembly.spend({to: amount})
        self.attempt(lambda: self.assembly.propose(who, action, after=after))

    @rule(who=holders, action=st.sampled_from([Emergency(stop=True, scope="market"), ProtocolUpgrade(2, 1, bytes(32))]))
    def propose_something_else(self, who, action):
        self.attempt(lambda: self.assembly.propose(who, action))

    @rule(to=holders, amount=st.integers(1, 60), conviction=convictions, after=st.integers(0, 4), stop=st.booleans())
    def campaign(self, to, amount, conviction, after, stop):
        """Propose what many are for, so that it has a chance."""
        action = Emergency(stop, "market") if amount < 10 else self.assembly.spend({to: amount})
        self.attempt(lambda: self.assembly.propose("ana", action, after=after))
        number = len(self.assembly.book.referenda) - 1
        self.attempt(lambda: self.assembly.place_deposit("bun", number))
        for who, ayes in (("ana", 600), ("bun", 400)):
            self.attempt(lambda w=who, a=ayes: self.assembly.vote(w, number, Ballot.for_it(a, conviction)))

    @rule(who=holders, number=numbers)
    def place_deposit(self, who, number):
        self.attempt(lambda: self.assembly.place_deposit(who, number))

    @rule(who=holders, number=numbers, ballot=ballots)
    def vote(self, who, number, ballot):
        self.attempt(lambda: self.assembly.vote(who, number, ballot))

    @rule(who=holders, number=numbers)
    def remove_vote(self, who, number):
        self.attempt(lambda: self.assembly.remove_vote(who, number))

    @rule(who=holders, track=st.sampled_from(TRACKS), to=holders, amount=amounts, conviction=convictions)
    def delegate(self, who, track, to, amount, conviction):
        self.attempt(lambda: self.assembly.delegate(who, track, to, amount, conviction))

    @rule(who=holders, track=st.sampled_from(TRACKS))
    def undelegate(self, who, track):
        self.attempt(lambda: self.assembly.undelegate(who, track))

    @rule(who=holders)
    def unlock(self, who):
        self.attempt(lambda: self.assembly.unlock(who))

    @rule(who=holders, to=holders, amount=amounts)
    def pay(self, who, to, amount):
        self.attempt(lambda: self.assembly.pay(who, to, amount))

    @rule(number=numbers, killed=st.booleans())
    def cancel_or_kill(self, number, killed):
        if not killed:
            self.attempt(lambda: self.assembly.cancel(number))
            return
        before = self.assembly.treasury
        held = 0
        if number < len(self.assembly.book.referenda):
            referendum = self.assembly.book.referendum(number)
            held = sum(each.amount for each in (referendum.submission, referendum.decision) if each)
        self.attempt(lambda: self.assembly.kill(number))
        assert self.assembly.treasury == before + held
        self.killed += held

    @rule(minutes=st.integers(1, 8))
    def advance(self, minutes):
        self.assembly.advance(minutes)

    @rule(minutes=st.integers(1, 3))
    def advance_a_little(self, minutes):
        self.assembly.advance(minutes)

    @rule(minutes=st.integers(1, 6), who=holders, number=numbers, ballot=ballots)
    def live_in_a_fork(self, minutes, who, number, ballot):
        before = self.assembly.book.hash, self.assembly.ledger.root
        twin = self.assembly.fork()
        assert twin.book.hash == before[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self, "assembly", twin)
            self.attempt(lambda: twin.vote(who, number, ballot))
            twin.advance(minutes)
        assert (self.assembly.book.hash, self.assembly.ledger.root) == before

    @invariant()
    def tallies_are_what_the_votes_and_delegations_count(self):
        for referendum in self.assembly.book.referenda.values():
            if referendum.ongoing:
                handed = self.assembly.delegations(referendum.track)
                assert count_votes(self.assembly.votes(referendum.number), handed) == referendum.tally

    @invariant()
    def received_is_what_others_delegate(self):
        book = self.assembly.book
        for track in TRACKS:
            for account, voter in book.rolls[track].items():
                given = [each.delegation for _, each in book.rolls[track].items() if each.delegation]
                mine = [each.given for each in given if each.delegate == account]
                assert voter.received.votes == sum(each.votes for each in mine)
                assert voter.received.capital == sum(each.capital for each in mine)

    @invariant()
    def locks_hold_what_is_asked_and_never_more_than_the_balance(self):
        book, ledger = self.assembly.book, self.assembly.ledger
        for name in HOLDERS:
            account = self.assembly.account(name)
            held = book.locks.get(account)
            locked = held.amount if held else 0
            asked = max(book.voter(track, account).locked for track in TRACKS)
            deposits = sum(
                each.amount
                for referendum in book.referenda.values()
                for each in (referendum.submission, referendum.decision)
                if each and each.account == account
            )
            assert asked <= locked
            assert ledger.reserved(account, "GRID") == locked + deposits <= ledger.balance(account, "GRID")

    @invariant()
    def deposits_are_held_while_a_referendum_goes_on_and_no_longer(self):
        for referendum in self.assembly.book.referenda.values():
            assert (referendum.submission is not None) is referendum.ongoing
            assert (referendum.decision is not None) is (referendum.ongoing and referendum.paid)

    @invariant()
    def no_grid_is_made_or_lost(self):
        spent = self.assembly.enacted.filter(action="spend", failed="")["value"].cast(int).sum()
        assert self.assembly.treasury == TREASURY + self.killed - spent
        assert sum(self.assembly.balance(name) for name in HOLDERS) + self.assembly.treasury == (
            sum(BALANCES.values()) + TREASURY
        )

    @invariant()
    def nothing_is_enacted_before_its_timelock(self):
        book = self.assembly.book
        for entry in book.enacted:
            referendum = book.referendum(entry.referendum)
            assert referendum.end == "approved"
            assert entry.timestamp >= referendum.ended + max(2 * MINUTE, referendum.after)
        for referendum in book.referenda.values():
            if referendum.awaits_enactment:
                assert referendum.enact > self.assembly.now

    @invariant()
    def what_is_alive_is_known_without_looking_at_all_referenda(self):
        book = self.assembly.book
        assert book.alive == {each.number for each in book.referenda.values() if each.alive}

    @invariant()
    def capacity_is_kept_and_phases_have_their_length(self):
        for track in TRACKS:
            mine = [each for each in self.assembly.book.referenda.values() if each.track == track]
            assert sum(each.ongoing and each.since is not None for each in mine) <= 1
            for each in mine:
                assert each.since is None or each.since >= each.submitted + MINUTE
                assert each.end != "approved" or each.ended >= each.since + MINUTE


TestParliament = Parliament.TestCase
TestParliament.settings = settings(settings.get_profile("suite"), max_examples=40, stateful_step_count=40)
