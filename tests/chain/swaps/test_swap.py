"""Atomic swaps under an adversary: whoever is honest gets what was agreed, or keeps what it had."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gridlab.chain.swaps import BEHAVIOURS, Deal, Halt, Swap, SwapTerms, World, worst_case
from gridlab.chain.swaps.deal import INITIATOR, ISSUER, RESPONDER
from gridlab.chain.swaps.parties import INITIATOR_NAME, RESPONDER_NAME, Party, behave
from gridlab.chain.swaps.swap import outcome_of
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError

SECRET = bytes(range(32))
# As short as the inequalities allow, so that every race is near.
TIGHT = {
    "public_finality": 3, "consortium_finality": 2, "drift": 1, "notice": 3, "reaction": 2, "answer": 11, "delta": 11,
}  # fmt: skip
ONE_HONEST = [pair for pair in itertools.product(BEHAVIOURS, repeat=2) if "honest" in pair]


def tight():
    return SwapTerms(**TIGHT)


def tape(data):
    """An adversary who reads his choices from bytes; when they end he does the first thing there is."""
    left = iter(data)
    return lambda options: next(left, 0) % options


def honest_losers(outcome, behaviours):
    return [role for role in outcome.losers if behaviours[role] == "honest"]


def test_two_honest_parties_swap_under_default_terms():
    outcome = Swap(seed=3).run()
    assert (outcome.result, outcome.losers) == ("swapped", ())
    assert outcome.orders.filter(refused="")["action"].to_list() == ["lock", "lock", "claim", "claim"]


def test_the_same_seed_gives_the_same_outcome():
    one, other = Swap(responder="chaotic", seed=9).run(), Swap(responder="chaotic", seed=9).run()
    assert one.orders.equals(other.orders)
    assert one.locked.equals(other.locked)


@pytest.mark.parametrize(("initiator", "responder"), ONE_HONEST)
@pytest.mark.parametrize("halts", [(), (Halt("second", 9, 80),), (Halt("first", 12, 60), Halt("second", 20, 90))])
def test_nobody_honest_loses(initiator, responder, halts):
    for seed in range(6):
        swap = Swap(terms=tight(), initiator=initiator, responder=responder, halts=halts, seed=seed)
        outcome = swap.run()
        assert honest_losers(outcome, swap.behaviours) == [], outcome.orders
        if (initiator, responder) == ("honest", "honest"):
            assert outcome.result in ("swapped", "refunded")


@given(
    pair=st.sampled_from(ONE_HONEST),
    data=st.binary(max_size=700),
    chain=st.sampled_from(["first", "second"]),
    begin=st.integers(0, 45),
    length=st.integers(1, 60),
)
@settings(max_examples=150)
def test_nobody_honest_loses_whatever_the_adversary_chooses(pair, data, chain, begin, length):
    halts = [Halt(chain, begin, begin + length)]
    swap = Swap(terms=tight(), initiator=pair[0], responder=pair[1], halts=halts)
    outcome = swap.drive(tape(data), SECRET)
    assert honest_losers(outcome, swap.behaviours) == [], outcome.orders


def test_forks_happen_in_the_drills():
    assert sum(Swap(seed=seed).run().forks for seed in range(10)) > 3


def losses(*, told):
    """Count the drills in which an honest responder loses to one who waits for a stop of the second chain."""
    lost = 0
    for begin in range(8, 24, 2):
        swap = Swap(terms=tight(), initiator="racing", halts=[Halt("second", begin, begin + 60)], told=told)
        lost += swap.run().losers == (RESPONDER_NAME,)
    return lost


def test_without_notice_of_the_stop_the_responder_loses_so_the_notice_is_needed():
    assert losses(told=False) > 0
    assert losses(told=True) == 0


def test_with_too_small_a_delta_the_responder_loses_so_the_bound_is_needed():
    slow = {"public_finality": 6, "consortium_finality": 3, "drift": 2, "notice": 1, "reaction": 4, "answer": 21}
    safe, unsafe = SwapTerms(**slow, delta=16), SwapTerms(**slow, delta=16)
    # Past the door on purpose: the door is what is tested.
    unsafe.param.update(delta=2)
    losers = {
        name: [Swap(terms=terms, initiator="late", seed=seed).run().losers for seed in range(60)]
        for name, terms in (("safe", safe), ("unsafe", unsafe))
    }
    assert (RESPONDER_NAME,) in losers["unsafe"]
    assert (RESPONDER_NAME,) not in losers["safe"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"delta": 10}, "above 10 s"), ({"answer": 10}, "above 10 s"), ({"public_finality": 60}, "allowed: above")],
)
def test_terms_that_are_not_safe_are_refused(changes, sentence):
    with pytest.raises(LeverError, match=sentence):
        SwapTerms(**(TIGHT | changes))


def test_griefing_costs_time_not_money():
    for behaviours in ({"responder": "griefing"}, {"initiator": "griefing"}):
        outcome = Swap(seed=4, **behaviours).run()
        assert outcome.result == "refunded"
        victim = "initiator" if "responder" in behaviours else "responder"
        row = outcome.locked.filter(payer=victim)
        terms = SwapTerms()
        least = terms.first_timeout if victim == "initiator" else terms.answer - terms.finality - terms.drift
        most = worst_case(terms, 1, 1).filter(victim=victim)["seconds"].item()
        assert least <= row["seconds"].item() <= most
        assert row["cost"].item() == pytest.approx(row["amount"].item() * row["seconds"].item() * 0.05 / 31_536_000)


def test_worst_case_of_griefing_is_what_the_timeouts_say():
    found = worst_case(SwapTerms(), 31_536_000, 63_072_000)
    assert found["seconds"].to_list() == [268 + 24, 120 + 24]
    assert found["cost"].to_list() == pytest.approx([292 * 0.05, 2 * 144 * 0.05])


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda: Swap(initiator="honset"), ArgumentError),
        (lambda: Swap(terms=5), ArgumentTypeError),
        (lambda: Swap(Deal(amount_given=0)), ArgumentError),
        (lambda: Swap(Deal(gives="BAHT")), ArgumentError),
        (lambda: Swap(halts=[Halt("first", 5, 9), Halt("first", 8, 12)]), ArgumentError),
        (lambda: Halt("third", 1, 2), ArgumentError),
        (lambda: Halt("first", 5, 5), ArgumentError),
        (lambda: worst_case(1, 2, 3), ArgumentTypeError),
    ],
)
def test_bad_input_is_refused(act, error):
    with pytest.raises(error):
        act()


class Races(RuleBasedStateMachine):
    """Every interleaving of seconds, acts, stops and notices; honest parties act within their reaction time."""

    @initialize(pair=st.sampled_from(ONE_HONEST))
    def begin(self, pair):
        self.world = World.of(Deal(), tight())
        self.behaviours = dict(zip((INITIATOR_NAME, RESPONDER_NAME), pair, strict=True))
        self.parties = {INITIATOR_NAME: Party(INITIATOR_NAME, SECRET), RESPONDER_NAME: Party(RESPONDER_NAME)}
        self.idle = dict.fromkeys(self.parties, 0)
        self.stood = {"first": 0, "second": 0}

    def _act(self, role, choose):
        behave(self.parties[role], self.behaviours[role], self.world, choose)
        self.idle[role] = 0

    def _second(self, choose):
        for role in self.parties:
            if self.idle[role] >= self.world.terms.reaction - 1:
                self._act(role, choose)
            self.idle[role] += 1
        self.world.advance(choose)

    @rule(data=st.binary(max_size=40), seconds=st.integers(1, 6))
    def let_time_pass(self, data, seconds):
        choose = tape(data)
        for _ in range(seconds):
            self._second(choose)

    @rule(role=st.sampled_from([INITIATOR_NAME, RESPONDER_NAME]), data=st.binary(max_size=8))
    def act(self, role, data):
        self._act(role, tape(data))

    @precondition(lambda self: hasattr(self, "world"))
    @rule(name=st.sampled_from(["first", "second"]))
    def stop_or_resume(self, name):
        chain = getattr(self.world, name)
        if chain.standing:
            self.world.resume(chain)
        else:
            self.world.stop(chain)

    @invariant()
    def nothing_is_made_or_lost(self):
        if not hasattr(self, "world"):
            return
        deal = self.world.deal
        for chain, asset, amount in (
            (self.world.first, deal.gives, deal.amount_given),
            (self.world.second, deal.gets, deal.amount_got),
        ):
            held = [chain.head.ledger.balance(who, asset) for who in (ISSUER, INITIATOR, RESPONDER)]
            assert sum(held) == 0
            assert chain.head.ledger.circulation(asset) + min(held[0] + 2 * amount, 0) == 2 * amount

    def teardown(self):
        if not hasattr(self, "world"):
            return
        for chain in (self.world.first, self.world.second):
            if chain.standing:
                self.world.resume(chain)
        for _ in range(100):
            self._second(lambda options: 0)
        outcome = outcome_of(self.world)
        assert [role for role in outcome.losers if self.behaviours[role] == "honest"] == [], outcome.orders
        for role, chain in ((INITIATOR_NAME, self.world.first), (RESPONDER_NAME, self.world.second)):
            if self.behaviours[role] == "honest":
                lock = self.world.lock_of(chain.head, self.parties[role].account)
                assert lock is None or lock.status != "locked"


TestRaces = Races.TestCase
TestRaces.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
