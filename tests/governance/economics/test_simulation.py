"""Many paths in floats against one in whole numbers, and what holds in every path."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.public import PublicTerms
from gridlab.chain.staking import StakingTerms
from gridlab.errors import ArgumentError
from gridlab.governance.economics import FIGURES, GridEconomics, Model, exact_path, simulate
from gridlab.governance.economics.shocks import CHUNK
from gridlab.units import MICRO

# What docs/grid_economics.md states: of the figure, and at least of 1 GRID.
TOLERANCE = 1e-7
SUMMED = ("rewards", "fees", "spent", "burnt", "slashed")


def furthest(run, number, exact):
    """Return the largest relative distance between a path in floats and the exact one."""
    whole = exact.select(FIGURES).to_numpy().astype(float).T[:, run.eras]
    return np.abs(run.figures[:, :, number] - whole) / np.maximum(whole, MICRO)


@pytest.mark.parametrize("path", [0, 7])
def test_ten_years_in_floats_agree_with_whole_numbers(path):
    run = simulate(10, paths=8, seed=3, samples=3_652)
    assert run.figures.shape == (len(FIGURES), 3_652, 8)
    assert furthest(run, path, exact_path(10, seed=3, path=path)).max() < TOLERANCE


@pytest.mark.parametrize(
    ("levers", "staking"),
    [
        ({"staked": 0.0}, {}),
        ({"burn": 100.0, "spending": 0.0}, {}),
        ({"spending": 200.0, "spending_spread": 200.0}, {}),
        ({"transactions": 100_000_000, "growth": 200.0, "volatility": 0.0}, {}),
        ({"incidents": 1000.0, "incident_share": 100.0}, {}),
        ({"pace": 50.0, "response": 1.0}, {"minimum_inflation": 20.0, "maximum_inflation": 50.0}),
        ({"vesting": 100.0, "staked": 0.0}, {"falloff": 1.0, "ideal_stake": 10.0}),
    ],
)
def test_extreme_levers_agree_too(levers, staking):
    terms, rules = GridEconomics(**levers), StakingTerms(**staking)
    run = simulate(1, paths=2, seed=1, terms=terms, staking=rules, samples=365)
    found = furthest(run, 1, exact_path(1, seed=1, path=1, terms=terms, staking=rules))
    assert found.max() < 1e-6


shares = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@settings(max_examples=30)
@given(
    staked=st.integers(0, 500).map(lambda tenths: tenths / 10),
    vesting=st.integers(0, 500).map(lambda tenths: tenths / 10),
    burn=shares,
    spending=shares,
    participation=shares,
    pace=shares,
    compounding=shares,
    transactions=st.integers(0, 10**6).map(lambda hundreds: hundreds * 100),
    incidents=st.sampled_from([0.0, 1000.0]),
    seed=st.integers(0, 100),
)
def test_no_grid_is_made_or_lost_and_nobody_owes(seed, **levers):
    path = exact_path(0.25, seed=seed, terms=GridEconomics(**levers))
    start = 10**9 * MICRO
    minted = path["issuance"] - start + path["burnt"]
    # 15 % of what is minted is the treasury's, and so is the dust of a hundred validators in each era.
    dust = minted - path["rewards"] - minted * 15 // 100
    assert (dust >= -1 - path["era"].cast(pl.Int64)).all()
    assert (dust <= 101 * (1 + path["era"].cast(pl.Int64))).all()
    assert path.select(pl.all_horizontal(pl.col(FIGURES) >= 0).all()).item()
    assert (path["staked"] + path["treasury"] + path["locked"] + path["circulating"] == path["issuance"]).all()
    for name in SUMMED:
        assert (path[name].diff().drop_nulls() >= 0).all()


def test_a_path_is_the_same_however_many_there_are():
    few, many = simulate(0.5, paths=3, seed=5), simulate(0.5, paths=CHUNK + 2, seed=5)
    assert np.array_equal(few.figures, many.figures[:, :, :3])
    exact = exact_path(0.5, seed=5, path=CHUNK + 1)
    assert furthest(many, CHUNK + 1, exact).max() < TOLERANCE


def test_the_seed_decides():
    one, same, other = (simulate(0.5, paths=4, seed=seed).kpis() for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_bands_are_quantiles_of_the_paths():
    run = simulate(2, paths=200, seed=4)
    bands, ends = run.bands(), run.paths
    assert bands["figure"].n_unique() == len(FIGURES) + 3
    assert bands.filter(pl.col("figure") == "staked").height == 24
    ordered = bands.filter(
        (pl.col("p5") <= pl.col("p25")) & (pl.col("p25") <= pl.col("p50"))
        & (pl.col("p50") <= pl.col("p75")) & (pl.col("p75") <= pl.col("p95"))
    )  # fmt: skip
    assert ordered.height == bands.height
    last = bands.filter(pl.col("figure") == "treasury").tail(1)
    assert last["p50"].item() == pytest.approx(ends["treasury"].median())
    assert last["p95"].item() == pytest.approx(ends["treasury"].quantile(0.95, "linear"))
    assert last["year"].item() == pytest.approx(2, abs=0.01)


def test_key_figures_are_medians_with_their_range():
    run = simulate(1, paths=100, seed=4)
    kpis, ends = run.kpis(), run.paths
    assert kpis.columns == ["kpi", "value", "unit", "low", "high"]
    assert (kpis["low"] <= kpis["value"]).all()
    assert (kpis["value"] <= kpis["high"]).all()
    values = dict(kpis.select("kpi", "value").rows())
    assert values["supply_growth"] == pytest.approx(ends["supply_growth"].median())
    growth = 100 * (run.figures[0, -1] / (10**9 * MICRO) - 1)
    assert values["supply_growth"] == pytest.approx(np.median(growth), rel=0.01)


def test_holders_follow_the_yield():
    quiet = {"required_yield_spread": 0.0, "participation": 45.0, "response": 3.0}
    low, high = (
        dict(simulate(5, paths=20, terms=GridEconomics(required_yield=required, **quiet)).kpis().rows_by_key("kpi"))
        for required in (6.0, 14.0)
    )
    assert low["staked_share"][0][0] > high["staked_share"][0][0] + 10
    # At rest participation is what the response says of the yield, of all GRID that is not the treasury's.
    paths = simulate(9, paths=5, terms=GridEconomics(**quiet, vesting=0.0, offences=0.0, incidents=0.0)).bands()
    end = paths.filter(pl.col("era") == pl.col("era").max())
    share, gained = (end.filter(pl.col("figure") == name)["p50"].item() for name in ("staked_share", "staking_yield"))
    assert share == pytest.approx(45 + 3 * (gained - 8), abs=1.5)


def test_more_validators_that_fail_together_cost_more_stake():
    def slashed(size):
        levers = GridEconomics(incidents=500.0, incident_share=size)
        return simulate(3, paths=20, terms=levers).paths["slashed"].median()

    assert slashed(30.0) > 30 * slashed(5.0) > 0


def test_dearer_gas_fills_the_treasury():
    def fees(base):
        return simulate(1, paths=10, public=PublicTerms(base_fee=base)).paths["fees"].median()

    assert fees(0.01) > 2 * fees(0.001) > 0


def test_samples_times_paths_are_bounded():
    with pytest.raises(ArgumentError, match="samples"):
        simulate(10, paths=100_000, samples=3_000)
    assert simulate(0.1, paths=2, samples=1_000).figures.shape[1] == 36


def test_the_slot_s_length_is_the_public_chain_s_lever():
    short, usual = (Model.of(1, public=PublicTerms(slot_time=slot)) for slot in (3, 6))
    assert short.milliseconds * 2 == usual.milliseconds == 86_400_000
    assert short.eras == pytest.approx(2 * usual.eras, abs=1)
    assert short.spend_period == 2 * usual.spend_period == 48
    assert short.vesting.start == 2 * usual.vesting.start
