"""Agents: seeded, vectorised, and bounded by what tariff and buy-back offer."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.agents import Agents
from gridlab.agents.population import KINDS, ZONES, population
from gridlab.agents.profiles import readings
from gridlab.calendar import slots
from gridlab.day import market_day
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError
from gridlab.frames import ACCOUNTS, ORDERS, READINGS
from gridlab.market.market import Market

DAY = slots("2026-05-06", hours=24)


@given(st.integers(1, 400), st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_population_has_every_account_once_and_shares_zones_by_energy(prosumers, seed, pv_share):
    accounts = population(prosumers, seed=seed, pv_share=pv_share)
    assert accounts["account"].to_list() == list(range(prosumers))
    assert accounts["name"].is_unique().all()
    assert accounts.columns == [c.name for c in ACCOUNTS.columns]
    for name, (share, utility, _, _) in ZONES.items():
        here = accounts.filter(pl.col("zone").cast(pl.String) == name)
        assert abs(here.height - prosumers * share / sum(z[0] for z in ZONES.values())) < 1
        assert set(here["utility"]) <= {utility}


def test_places_nest():
    accounts = population(500, seed=0, pv_share=0.3)
    for inner, outer in (("transformer", "feeder"), ("feeder", "substation"), ("substation", "area")):
        assert accounts.group_by(inner).agg(pl.col(outer).n_unique())[outer].max() == 1


def test_the_mix_follows_the_kinds():
    counts = dict(population(1000, seed=4, pv_share=0.3)["kind"].value_counts().iter_rows())
    assert counts == {kind.name: round(1000 * kind.share) for kind in KINDS}


def test_more_pv_adds_roofs_and_takes_none_away():
    few, many = (population(300, seed=0, pv_share=share) for share in (0.2, 0.6))
    assert ((few["pv_kw"] > 0) & (many["pv_kw"] == 0)).sum() == 0
    assert (few.filter(pl.col("pv_kw") > 0)["pv_kw"].sum()) < many["pv_kw"].sum()
    assert few.drop("pv_kw").equals(many.drop("pv_kw"))


@pytest.mark.parametrize(
    ("prosumers", "error"),
    [
        (0, ArgumentError),
        (-3, ArgumentError),
        (10**7, ArgumentError),
        (2.5, ArgumentTypeError),
        ("9", ArgumentTypeError),
        (True, ArgumentTypeError),
    ],
)
def test_an_impossible_population_is_refused(prosumers, error):
    with pytest.raises(error, match="prosumers"):
        Agents(prosumers)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None])
def test_an_impossible_seed_is_refused(seed):
    with pytest.raises(ArgumentTypeError, match="seed"):
        Agents(5, seed=seed)


def test_same_seed_same_meters_other_seed_other_meters():
    accounts = population(50, seed=9, pv_share=0.5)
    one, same = (readings(accounts, DAY, seed=9, pv_scale=1.0, load_scale=1.0) for _ in range(2))
    other = readings(accounts, DAY, seed=10, pv_scale=1.0, load_scale=1.0)
    assert one.equals(same)
    assert not one.equals(other)
    assert one.columns == [c.name for c in READINGS.columns]


def test_a_longer_run_repeats_the_shorter_one_and_goes_on():
    agents = Agents(20, seed=2)
    long = agents.readings(slots("2026-05-06", hours=48))
    assert long.head(20 * 96).equals(agents.readings(DAY))
    assert long.head(20 * 8).equals(agents.readings(slots("2026-05-06", slots=8)))


def test_a_run_that_starts_later_in_the_day_reads_the_same_meters():
    agents = Agents(20, seed=2)
    noon = agents.readings(slots("2026-05-06 12:00", slots=4))
    assert noon.equals(agents.readings(DAY).filter(pl.col("slot").dt.hour() == 12))


def test_meters_are_sane():
    agents = Agents(200, seed=0)
    frame = agents.readings(DAY).join(agents.accounts(), on="account")
    assert (frame["load"] > 0).all()
    assert (frame.filter(pl.col("pv_kw") == 0)["generation"] == 0).all()
    night = frame.filter(pl.col("slot").dt.hour().is_in([0, 1, 2, 3, 4, 20, 21, 22, 23]))
    assert (night["generation"] == 0).all()
    # A quarter of an hour at full sun gives at most a quarter of the roof's rating.
    assert (frame["generation"] <= frame["pv_kw"] * 1000 / 4 + 1).all()
    mean = frame.group_by("kind").agg(
        (pl.col("load").sum() * 4 / 96 / 1000).alias("mean"), pl.col("peak_kw").sum() / 96
    )
    assert ((mean["mean"] / mean["peak_kw"]).is_between(0.3, 0.95)).all()


def test_levers_scale_load_and_roofs():
    base, scaled = Agents(30, seed=1), Agents(30, seed=1, load_level=200, pv_size=50)
    one, two = base.readings(DAY), scaled.readings(DAY)
    assert abs(two["load"].sum() / one["load"].sum() - 2) < 1e-3
    assert abs(two["generation"].sum() / one["generation"].sum() - 0.5) < 1e-2
    with pytest.raises(LeverError):
        Agents(30, pv_share=101)


@pytest.mark.parametrize("strategy", ["truthful", "zero_intelligence"])
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    buy_back=st.sampled_from([0.0, 1.68, 2.2, 3.5]),
    gain=st.sampled_from([0.0, 0.3, 2.0]),
    limits=st.sampled_from([(0.0, 6.0), (2.5, 3.0), (0.0, 2.0), (4.0, 9.0)]),
    scheme=st.sampled_from(["postage_stamp", "distance_ladder", "percentage"]),
)
def test_no_limit_is_worse_than_tariff_or_buy_back(strategy, seed, buy_back, gain, limits, scheme):
    floor, cap = limits
    market = Market(price_floor=floor, price_cap=cap)
    market.set({"retail.buy_back": buy_back, "wheeling.scheme": scheme})
    agents = Agents(25, seed=seed, strategy=strategy, least_gain=gain)
    day = market_day(market, agents, slots("2026-05-06 11:00", slots=4))
    orders = ORDERS.check(day.orders)
    assert orders["order_id"].is_unique().all()
    assert orders["price"].is_between(*market.limits()).all()
    net = day.readings.with_columns(net=pl.col("load") - pl.col("generation"))
    joined = orders.join(net, on=["slot", "account"]).join(day.rates.energy, on="account")
    buys, sells = joined.filter(side="buy"), joined.filter(side="sell")
    assert (buys["energy"] == buys["net"]).all()
    assert (sells["energy"] == -sells["net"]).all()
    assert (sells["price"] >= day.rates.buy_back).all()
    # 11:00 on a working Wednesday is on-peak.
    value = buys.select(v=market.landed_terms().highest_energy_price(pl.col("on_peak")))["v"]
    assert (buys["price"] <= value).all()
    saved = day.trades.join(day.rates.energy.rename({"account": "buyer"}), on="buyer", how="left").select(
        pl.col("gross") - (pl.col("energy") * pl.col("on_peak") * 107) / 1000
    )
    assert (saved.to_series() <= 2).all()  # micro-THB: the two roundings of a bill
    assert (day.trades["price"] >= day.rates.buy_back).all()


def test_truthful_limits_do_not_change_with_the_slot():
    agents = Agents(25, seed=1)
    day = market_day(Market(), agents, slots("2026-05-06 10:00", slots=8))
    limits = day.orders.filter(side="sell").group_by("account").agg(pl.col("price").n_unique())
    assert limits["price"].max() == 1


def test_zero_intelligence_draws_anew_for_every_order():
    agents = Agents(25, seed=1, strategy="zero_intelligence")
    day = market_day(Market(), agents, slots("2026-05-06 10:00", slots=8))
    assert day.orders.filter(side="buy").group_by("account").agg(pl.col("price").n_unique())["price"].max() > 4
