"""Whatever stakers, reporters and governance do in whatever order, every micro-GRID is accounted for."""

from __future__ import annotations

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gridlab.chain import Ledger, keys
from gridlab.chain.staking import (
    EquivocationProof,
    Inflation,
    Staking,
    StakingAccounts,
    StakingRules,
    carry_out,
    sign_statement,
)
from gridlab.errors import GridlabError, LedgerError

ISSUER, POT, TREASURY = 0, 1, 2
VALIDATORS, PEOPLE = range(10, 16), range(10, 24)
EACH = 1_000_003
PAIRS = {account: keys.sandbox(3, f"validator {account}") for account in PEOPLE}

accounts = st.sampled_from(list(PEOPLE))
amounts = st.integers(1, EACH)
parts = st.integers(0, 10**9)


class Chain(RuleBasedStateMachine):
    """Staking and ledger in step, and what was ever slashed of whom."""

    @initialize(
        defer=st.integers(0, 2),
        treasury=parts,
        rewarded=st.integers(1, 3),
        reporters=parts,
        maximum=st.integers(0, 10**9),
    )
    def begin(self, defer, treasury, rewarded, reporters, maximum):
        rules = StakingRules(
            validators=4,
            least_validators=1,
            session_length=100_000,
            sessions_per_era=2,
            bonding_duration=3,
            slash_defer_duration=defer,
            history_depth=3,
            inflation=Inflation(0, maximum),
            treasury_share=treasury,
            reporter_share=reporters,
            rewarded_nominators=rewarded,
            unlocking_chunks=3,
        )
        self.ledger = Ledger(24, issuers={"GRID": [ISSUER]})
        names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
        first = [dict(zip(names, (who, ISSUER, who, "GRID", EACH, "mint"), strict=True)) for who in PEOPLE]
        self.ledger.apply(pl.DataFrame(first), sender=ISSUER)
        self.staking = Staking(EACH * len(PEOPLE), StakingAccounts(ISSUER, POT, TREASURY), rules=rules)
        for who in VALIDATORS:
            self.act(lambda staking, who=who: staking.bond(who, EACH // 2))
            self.act(lambda staking, who=who: staking.validate(who, commission=0, public_key=PAIRS[who].public_key))
        for who in range(16, 22):
            self.act(lambda staking, who=who: staking.bond(who, EACH // 3))
            self.act(lambda staking, who=who: staking.nominate(who, [who - 6, 10 + who % 5]))
        assert self.act(lambda staking: staking.start())

    def act(self, operation):
        before, trial = self.staking.commitment, self.staking.fork()
        assert trial.commitment == before
        try:
            operation(trial)
        except GridlabError:
            changed = trial.commitment != before
            assert not changed, "refused, and yet something was done"
            return False
        try:
            self.staking, self.ledger = carry_out(self.staking, self.ledger, operation)
        except LedgerError:  # an account that cannot pay for what it bonds
            return False
        assert self.staking.commitment == trial.commitment
        return True

    @rule(who=accounts, amount=amounts, payee=st.sampled_from(["stash", "compound", 23]))
    def bond(self, who, amount, payee):
        self.act(lambda staking: staking.bond(who, amount, payee=payee))

    @rule(who=accounts, amount=amounts)
    def bond_extra(self, who, amount):
        self.act(lambda staking: staking.bond_extra(who, amount))

    @rule(who=accounts, amount=amounts)
    def unbond(self, who, amount):
        self.act(lambda staking: staking.unbond(who, min(amount, staking.stake(who).active)))

    @rule(who=accounts, amount=amounts)
    def rebond(self, who, amount):
        self.act(lambda staking: staking.rebond(who, amount))

    @rule(who=accounts)
    def withdraw(self, who):
        self.act(lambda staking: staking.withdraw_unbonded(who))

    @rule(who=accounts, commission=parts, blocked=st.booleans())
    def validate(self, who, commission, blocked):
        key = PAIRS[who].public_key
        self.act(lambda staking: staking.validate(who, commission=commission, public_key=key, blocked=blocked))

    @rule(who=accounts, chosen=st.lists(st.sampled_from(list(VALIDATORS)), min_size=1, max_size=4))
    def nominate(self, who, chosen):
        self.act(lambda staking: staking.nominate(who, chosen))

    @rule(who=accounts)
    def chill(self, who):
        self.act(lambda staking: staking.chill(who))

    @rule(who=accounts, other=accounts)
    def kick(self, who, other):
        self.act(lambda staking: staking.kick(who, [other]))

    @rule(share=st.integers(0, 4))
    def end_session(self, share):
        working = [who for who in self.staking.elected if who not in self.staking.disabled][share:]
        assert self.act(lambda staking: staking.note_votes(working))
        assert self.act(lambda staking: staking.end_session())

    @rule()
    def end_era(self):
        assert self.act(lambda staking: staking.end_era())

    @rule(who=accounts, era=st.integers(0, 8))
    def payout(self, who, era):
        self.act(lambda staking: staking.payout(who, era))

    @precondition(lambda self: self.staking.elected)
    @rule(place=st.integers(0, 7), back=st.integers(0, 9), slot=st.integers(0, 1), reporter=st.sampled_from([None, 22]))
    def equivocate(self, place, back, slot, reporter):
        who = self.staking.elected[place % len(self.staking.elected)]
        session = max(0, self.staking.session - back)
        made = [
            sign_statement(PAIRS[who], "gridlab-public", "vote", session, slot, bytes([each]) * 32) for each in (1, 2)
        ]
        proof = EquivocationProof(PAIRS[who].public_key, *made)
        pot = self.ledger.balance(POT, "GRID")
        bonded = self.staking.bonded
        if self.act(lambda staking: staking.report_equivocation(proof, reporter=reporter)):
            # What left the pot is what the stakes lost, and no more than they had.
            assert pot - self.ledger.balance(POT, "GRID") == bonded - self.staking.bonded <= bonded

    @rule(index=st.integers(0, 5))
    def cancel(self, index):
        self.act(lambda staking: staking.cancel_slashes([index]))

    @invariant()
    def every_unit_is_accounted_for(self):
        pot = self.ledger.balance(POT, "GRID")
        assert pot == self.staking.bonded + self.staking.unclaimed
        assert (
            self.staking.bonded
            == self.staking.stakes.select(pl.col("active", "unlocking").sum()).sum_horizontal().item()
        )
        free = sum(self.ledger.balance(who, "GRID") for who in PEOPLE)
        assert pot + free + self.ledger.balance(TREASURY, "GRID") == self.ledger.circulation("GRID")
        assert self.ledger.circulation("GRID") == self.staking.issuance
        minted = self.staking.eras["minted"].sum() if self.staking.eras.height else 0
        assert self.staking.issuance == EACH * len(PEOPLE) + minted

    @invariant()
    def nobody_lost_more_than_was_at_stake(self):
        slashes = self.staking.slashes
        assert slashes.filter(pl.col("taken") > pl.col("own") + pl.col("others")).is_empty()
        assert slashes.filter(pl.col("paid") > pl.col("taken")).is_empty()
        assert slashes.filter((pl.col("state") != "applied") & (pl.col("taken") > 0)).is_empty()
        assert (self.staking.stakes["active"] >= 0).all()

    @invariant()
    def rewards_are_paid_once(self):
        for era in range(max(0, self.staking.era - 3), self.staking.era):
            earned = self.staking.validators_of(era)
            assert earned.filter(pl.col("paid") > pl.col("earned")).is_empty()
            assert self.staking.eras.filter(pl.col("era") == era)["unclaimed"].item() == (
                earned.filter(~pl.col("claimed"))["earned"].sum()
            )


TestConservation = Chain.TestCase
TestConservation.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
