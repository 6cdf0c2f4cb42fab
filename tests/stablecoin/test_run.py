"""A run conserves every micro-baht, is the same for the same seed, and rewards haste as far as the rule lets it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError
from gridlab.stablecoin import HolderTerms, WattTerms
from gridlab.stablecoin.holders import GROUPS, Holders, Signals
from gridlab.stablecoin.run import compare_rules, run
from gridlab.stablecoin.vault import Vault

QUIET = {"shock_loss": 0.0, "news": 0.0, "ordinary": 0.0}


def assert_conserved(outcome):
    people, slots = outcome.people, outcome.slots
    assert (people["before"] == people["redeemed"] + people["held"] + people["queued"]).all()
    assert people["before"].sum() == outcome.circulation
    last = slots.row(-1, named=True)
    assert last["circulation"] == people["held"].sum() + people["queued"].sum()
    assert last["queued"] == people["queued"].sum()
    assert outcome.circulation - last["circulation"] == slots["burned"].sum() == people["redeemed"].sum()
    assert slots["paid"].sum() == people["received"].sum()
    # Every baht of the reserve is with holders, with the issuer as a fee, lost, or still there.
    assert outcome.reserve == slots["paid"].sum() + slots["fees"].sum() + last["lost"] + last["reserve"]
    assert (slots["reserve"] == slots["cash"] + slots["bonds"]).all()
    amounts = slots.select("queued", "burned", "paid", "fees", "cash", "bonds", "attested", "circulation")
    assert (amounts.to_numpy() >= 0).all()
    assert people.select((pl.col("before") - pl.col("received") - pl.col("worth") == pl.col("loss")).all()).item()
    assert people["worth"].sum() <= last["reserve"]


LEVERS = st.fixed_dictionaries(
    {
        "cash_share": st.sampled_from([0.0, 20.0, 100.0]),
        "buffer": st.sampled_from([0.0, 2.0]),
        "bond_sale": st.sampled_from(["fire", "orderly"]),
        "bond_days": st.sampled_from([0.25, 1.0]),
        "fire_discount": st.sampled_from([0.0, 4.0, 50.0]),
        "gate": st.sampled_from([0.0, 0.1, 3.0]),
        "fee": st.sampled_from([0.0, 0.35, 10.0]),
        "gap_rule": st.sampled_from(["stop", "haircut", "par"]),
        "pause_below": st.sampled_from([0.0, 99.0]),
        "pause_hours": st.sampled_from([0.5, 3.0]),
        "attestation_hours": st.sampled_from([0.25, 1.0, 24.0]),
    }
)


@given(LEVERS, st.sampled_from([0.0, 8.3, 100.0]), st.integers(0, 50), st.integers(50, 300))
def test_money_is_conserved_under_all_levers(levers, loss, seed, holders):
    terms = HolderTerms(shock_hour=0.5, shock_loss=loss)
    outcome = run(WattTerms(**levers), terms, holders=holders, circulation=10**10 + 7, hours=10, seed=seed)
    assert_conserved(outcome)
    slots = outcome.slots
    if levers["gate"]:
        assert slots["burned"].max() <= max(int(levers["gate"] * 10**10 / 100) + 7, 1)
    if levers["gap_rule"] == "stop":
        gap = slots["attested"] < slots["circulation"]
        assert slots.filter(gap)["burned"].sum() == 0
    assert slots.filter("paused")["burned"].sum() == 0


def test_the_queue_is_served_in_order():
    outcome = run(WattTerms(gate=0.5, gap_rule="haircut"), HolderTerms(shock_hour=0.0), holders=400, hours=12, seed=3)
    queue = outcome.people.drop_nulls("place").sort("place")
    assert queue["place"].to_list() == list(range(queue.height))
    whole = (queue["redeemed"] == queue["before"]).to_numpy()
    touched = (queue["redeemed"] > 0).to_numpy()
    # All that are paid whole come before the one in part, which comes before the untouched.
    assert (np.diff(whole.astype(int)) <= 0).all()
    assert touched.sum() - whole.sum() in {0, 1}
    assert 0 < whole.sum() < queue.height


def test_nothing_happens_where_nothing_is_wrong():
    outcome = run(terms=HolderTerms(**QUIET), hours=24)
    assert outcome.slots["asked"].sum() == 0
    assert (outcome.slots["price"] == 1_000_000).all()
    assert outcome.first_mover_advantage == 0.0
    assert "0 asked" in repr(outcome)


def test_full_cash_and_no_loss_serve_even_a_panic_in_full():
    """Diamond and Dybvig (1983): a bank that holds its deposits in cash cannot be run down."""
    panic = HolderTerms(shock_hour=0.0, shock_loss=0.0, news=5.0)
    outcome = run(WattTerms(cash_share=100.0), panic, hours=24)
    assert outcome.people["place"].null_count() == 0
    assert outcome.people["loss"].sum() == 0


def test_the_same_panic_ruins_those_who_come_late_where_bonds_must_be_dumped():
    panic = HolderTerms(shock_hour=0.0, shock_loss=0.0, news=5.0)
    outcome = run(WattTerms(cash_share=10.0, fire_discount=20.0, gap_rule="par"), panic, hours=24)
    recovered = dict(outcome.order.select("came", "recovered").rows())
    assert recovered["first quarter"] == 1.0
    assert recovered["last quarter"] < 0.5
    assert outcome.people["loss"].sum() == outcome.slots["lost"][-1]


def test_the_same_seed_gives_the_same_run_and_another_one_another():
    first, again, other = (run(hours=30, seed=seed) for seed in (4, 4, 5))
    assert first.slots.equals(again.slots)
    assert first.people.equals(again.people)
    assert not first.people.equals(other.people)


def test_a_haircut_takes_the_first_movers_advantage_away_only_where_attestations_are_frequent():
    often = compare_rules(WattTerms(attestation_hours=0.25), seeds=3, holders=600, hours=30)
    daily = compare_rules(WattTerms(attestation_hours=24.0), seeds=3, holders=600, hours=30)
    mean = {
        name: dict(frame.group_by("rule").agg(pl.col("advantage").mean()).rows())
        for name, frame in (("often", often), ("daily", daily))
    }
    assert mean["often"]["par"] > 0.1
    assert mean["often"]["haircut"] < 0.4 * mean["often"]["par"]
    assert mean["daily"]["haircut"] > 0.9 * mean["daily"]["par"]


def test_a_larger_cash_share_leaves_less_to_lose():
    losses = [
        run(WattTerms(cash_share=share, gap_rule="par"), holders=600, hours=30).people["loss"].sum()
        for share in (10.0, 50.0, 100.0)
    ]
    assert losses[0] > losses[1] > losses[2]


def slow_asking(holders, seen, asked):
    """Holder by holder, as the docstring of HolderTerms says it."""
    terms, since, frightened = holders.terms, seen.slot - round(holders.terms.shock_hour * 4), set()
    for number in range(len(holders)):
        heard = holders.heard[number] <= since
        news = terms.news * 0.5 ** (max(since, 0) / (terms.half_life * 4)) * heard
        missing = max(0.0, 1 - seen.coverage - holders.reading[number]) if seen.coverage < 1 else 0.0
        shared = terms.queue * seen.queued + terms.price * (1 - seen.price) + terms.stale * seen.stale
        if news + shared + terms.cover * missing > holders.threshold[number] and not asked[number]:
            frightened.add(number)
    return frightened


@pytest.mark.parametrize(
    "seen",
    [Signals(30, 0.05, 0.98, 0.97, True), Signals(24, 0.0, 1.0, 1.0, False), Signals(3, 0.2, 0.9, 1.0, False)],
)
def test_who_asks_equals_asking_one_by_one(seen):
    holders = Holders.drawn(300, 10**9, HolderTerms(ordinary=0.0), 1)
    asked = np.arange(300) % 5 == 0
    found = holders.asking(seen, asked)
    assert set(found.tolist()) == slow_asking(holders, seen, asked)
    assert len(found) == len(set(found.tolist()))


@given(st.integers(50, 500), st.integers(100, 10**6), st.integers(0, 20))
def test_holders_together_hold_exactly_what_circulates(count, each, seed):
    holders = Holders.drawn(count, count * each, HolderTerms(), seed)
    assert holders.balance.sum() == count * each
    assert (holders.balance > 0).all()
    assert len(holders.group) == count
    assert sum(group.holders for group in GROUPS) == sum(group.watt for group in GROUPS) == 100


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 2 * 10**9), st.integers(0, 5 * 10**8))
def test_a_vault_loses_exactly_what_a_fire_sale_costs(cash, bonds, wanted, discount):
    vault = Vault(cash, bonds)
    vault.raise_at_once(wanted, discount)
    assert vault.cash + vault.bonds + vault.lost == cash + bonds
    assert min(vault.cash, vault.bonds, vault.lost) >= 0
    assert vault.cash >= wanted or not vault.bonds
    assert vault.cash <= max(cash, wanted + 1)


def test_bonds_sold_in_order_are_paid_when_due_and_not_before():
    vault = Vault(10, 90)
    vault.sell_in_order(60, due=5)
    vault.sell_in_order(60, due=6)
    assert (vault.cash, vault.bonds, vault.total) == (10, 40, 100)
    vault.settle(4)
    assert vault.cash == 10
    vault.settle(5)
    assert (vault.cash, len(vault.selling)) == (60, 0)
    vault.lose(1_000)
    assert (vault.total, vault.lost) == (0, 100)


def test_bad_input_says_what_is_allowed():
    with pytest.raises(ArgumentTypeError, match=r"HolderTerms\(…\)"):
        run(WattTerms(), WattTerms())
    with pytest.raises(ArgumentError, match="at least 50"):
        run(holders=3)
    with pytest.raises(ArgumentError, match="at least 200000"):
        run(holders=2_000, circulation=1)
    with pytest.raises(ArgumentError, match="hours"):
        run(hours=0.1)
    with pytest.raises(ArgumentTypeError, match="seed"):
        run(seed=-1)
    with pytest.raises(LeverError, match=r"0\.0 to 100\.0"):
        WattTerms(cash_share=101.0)
    with pytest.raises(LeverError, match="haircut"):
        WattTerms(gap_rule="hair cut")


@pytest.mark.parametrize("terms", [WattTerms(), HolderTerms()])
def test_every_lever_has_labels_a_source_and_somebody_who_governs_it(terms):
    frame = terms.levers()
    for column in ("label", "label_th", "source", "governed_by"):
        assert (frame[column].str.len_chars() > 2).all()
    pure = frame.filter(pl.col("low").is_not_null() & (pl.col("unit") == ""))["path"]
    assert pure.is_in(["news", "queue", "price", "cover", "stale"]).all()
