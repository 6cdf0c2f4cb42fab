"""Whatever is stopped, resumed, ordered, paid and locked in whatever order: no money is lost and the chain goes on."""

import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ChainTerms
from gridlab.chain.emergency import approval_frame, resume_frame
from gridlab.chain.swaps import LockTerms, lock_frame

MINUTE = 60_000_000
SECRETS = [bytes([number]) * 32 for number in range(200)]
SCOPES = [("market", ""), ("chain", ""), ("asset", "WATT"), ("asset", "GRID"), ("zone", "BKK"), ("zone", "NE")]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("stop"), st.sampled_from(SCOPES), st.integers(1, 90)),
        st.tuples(st.just("alone"), st.sampled_from(["BKK", "NE"]), st.integers(1, 90)),
        st.tuples(st.just("resume"), st.integers(0, 4)),
        st.tuples(st.just("order"), st.sampled_from(["BKK", "NE"]), st.sampled_from([15, 30, 45, 60, 90, 120])),
        st.tuples(st.just("gate"), st.sampled_from([15, 30, 45, 60, 90, 120])),
        st.tuples(st.just("pay"), st.booleans()),
        st.tuples(st.just("pend"), st.integers(1, 60)),
        st.tuples(st.just("lock"), st.integers(1, 60)),
        st.tuples(st.just("claim"), st.integers(0, 5)),
        st.tuples(st.just("refund"), st.integers(0, 5)),
    ),
    min_size=8,
    max_size=25,
)


class Play:
    """Plays steps on a stage; a transaction may be refused, a block may not fail."""

    def __init__(self, stage):
        self.stage, self.minutes, self.paid = stage, 0, 0

    def step(self, name, *more):
        getattr(self, name)(*more)
        self.check()

    def wait(self, minutes):
        self.minutes += minutes
        self.stage.at(self.minutes).seal()

    def stop(self, scope, minutes):
        until = self.stage.moment(self.minutes + minutes)
        frame = approval_frame(*scope, reason="drill", until=until)
        for seat in ("regulator", "bank", "grid"):
            self.stage.do(seat, "emergency_approve", frame)

    def alone(self, zone, minutes):
        until = self.stage.moment(self.minutes + minutes)
        self.stage.do("monitor", "emergency_approve", approval_frame("zone", zone, reason="drill", until=until))

    def resume(self, place):
        standing = self.stage.chain.emergency.standing
        if standing:
            stop = standing[place % len(standing)]
            self.stage.do("voters", "emergency_resume", resume_frame(stop, 100 + stop.number, "drill"))

    def order(self, zone, minutes):
        for name, side in (("alice", "buy"), ("bob", "sell")):
            self.stage.do(name, "order_batch", self.stage.orders(name, side, minutes, zone))

    def gate(self, minutes):
        self.stage.do("operator", "gate_closure", self.stage.gate(minutes))

    def pay(self, back):
        pair = ("bob", "alice") if back else ("alice", "bob")
        if self.stage.do(pair[0], "transfer", self.stage.transfer(*pair, 1_000)).accepted:
            self.paid += -1_000 if back else 1_000

    def pend(self, minutes):
        more = {"phase": "pending", "pending_id": 0, "timeout": minutes * MINUTE}
        self.stage.do("alice", "transfer", self.stage.transfer("alice", "bob", 2_000, **more))

    def lock(self, minutes):
        stage, book = self.stage, self.stage.chain.lock_book
        digest = hashlib.sha256(SECRETS[len(book.locks)]).digest()
        ends = stage.start + (self.minutes + minutes) * MINUTE
        terms = LockTerms(stage.account["alice"], stage.account["bob"], "WATT", 3_000, digest, ends)
        stage.do("alice", "hash_lock", lock_frame(terms))

    def claim(self, place):
        locks = list(self.stage.chain.lock_book.locks)
        if place < len(locks):
            frame = pl.DataFrame({"lock": [locks[place]], "preimage": [SECRETS[place]]})
            if self.stage.do("bob", "hash_claim", frame).accepted:
                self.paid += 3_000

    def refund(self, place):
        locks = list(self.stage.chain.lock_book.locks)
        if place < len(locks):
            self.stage.do("alice", "hash_refund", pl.DataFrame({"lock": [locks[place]]}))

    def check(self):
        """Both hold what they had, less and plus what they have paid each other; the ledger adds up."""
        stage = self.stage
        moved = self.paid + stage.chain.trades["amount"].sum()
        assert (stage.held("alice"), stage.held("bob")) == (100_000_000 - moved, 100_000_000 + moved)
        assert stage.chain.ledger.balances.drop("account").sum().row(0) == (0,) * 5


@settings(max_examples=30)
@given(steps)
def test_no_money_is_lost_and_the_chain_goes_on(make_stage, played):
    play = Play(make_stage(ChainTerms(monitor_stop=1_200, stop_longest=7_200)))
    for step in played:
        play.step(*step)
    stage, chain = play.stage, play.stage.chain
    # When all is over, everything that was held up goes its way.
    play.wait(1_000)
    assert not chain.emergency.standing
    play.wait(1_000)  # timeouts have their time back
    for lock_id, lock in chain.lock_book.locks.items():
        if lock.status == "locked":
            stage.must("alice", "hash_refund", pl.DataFrame({"lock": [lock_id]}))
    for minutes in (15, 30, 45, 60, 90, 120):
        stage.do("operator", "gate_closure", stage.gate(minutes))
    play.check()
    assert chain.ledger.pending.is_empty()
    assert stage.free("alice") == stage.held("alice")
    assert chain.replay().fingerprint == chain.fingerprint


@settings(max_examples=30)
@given(steps)
def test_nothing_moves_an_asset_while_it_stands(make_stage, played):
    play = Play(make_stage(ChainTerms(stop_longest=7_200)))
    for step in played:
        chain = play.stage.chain
        stood = chain.emergency.stands("asset", "WATT") or chain.emergency.stands("chain")
        before = chain.ledger.balances["WATT"].to_list()
        play.step(*step)
        after = play.stage.chain.emergency
        if stood and (after.stands("asset", "WATT") == stood or after.stands("chain") == stood):
            assert chain.ledger.balances["WATT"].to_list() == before
