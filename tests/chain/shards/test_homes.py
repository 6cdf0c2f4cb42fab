"""Where accounts live."""

from __future__ import annotations

import polars as pl
import pytest

import gridlab as gl
from gridlab.agents.population import population
from gridlab.chain.shards import SHARD_NAMES, ShardedLedger, home_shards
from gridlab.errors import ChainError, FrameError


def accounts(*places):
    """Rows of (utility, zone, substation)."""
    frame = pl.DataFrame(places, schema=["utility", "zone", "substation"], orient="row")
    return frame.with_row_index("account")


def test_the_shards_are_mea_and_the_areas_of_pea_in_the_table_of_provinces():
    areas = gl.dataset("provinces")["pea_area"].drop_nulls().unique().sort().to_list()
    assert sorted(SHARD_NAMES) == sorted(["MEA", *areas])
    assert len(SHARD_NAMES) == 13


def test_area_province_and_utility_decide():
    homes = home_shards(
        accounts(("PEA", "NE2", 5), ("PEA", "Chiang Mai", 7), ("MEA", "Nonthaburi", 0), ("MEA", "x", 1))
    )
    assert homes["shard"].to_list() == ["NE2", "N1", "MEA", "MEA"]


def test_every_province_goes_where_the_table_says():
    table = gl.dataset("provinces")
    rows = zip(table["utility"], table["province"], range(table.height), strict=True)
    found = home_shards(accounts(*rows))["shard"].to_list()
    assert found == table.select(pl.coalesce("pea_area", pl.lit("MEA"))).to_series().to_list()


def test_a_region_deals_whole_substations_to_its_areas():
    table = gl.dataset("provinces").filter(egat_region="NEC")["pea_area"].unique().sort().to_list()
    homes = home_shards(accounts(*(("PEA", "NEC", station) for station in (0, 1, 2, 0, 1))))
    assert homes["shard"].to_list() == [table[station % len(table)] for station in (0, 1, 2, 0, 1)]


def test_a_labs_population_has_homes_and_makes_a_ledger():
    people = population(200, seed=0, pv_share=0.3)
    homes = home_shards(people)
    assert homes.height == 200
    book = ShardedLedger(homes)
    assert book.names == tuple(name for name in SHARD_NAMES if name in homes["shard"].to_list())
    mea = people.filter(utility="MEA")["account"].to_list()
    assert {book.home(account) for account in mea} == {"MEA"}


@pytest.mark.parametrize(
    ("places", "error", "words"),
    [
        ((("PEA", "Atlantis", 0),), ChainError, "(?s)zone of PEA is neither.*Atlantis"),
        ((("EGAT", "MAC", 0),), ChainError, "(?s)neither 'MEA' nor 'PEA'.*EGAT"),
    ],
)
def test_unknown_places_are_named(places, error, words):
    with pytest.raises(error, match=words):
        home_shards(accounts(*places))


def test_a_frame_without_zones_is_refused():
    with pytest.raises(FrameError, match="'zone' is missing"):
        home_shards(accounts(("PEA", "N1", 0)).drop("zone"))


def test_other_names_than_the_areas_are_allowed_and_sorted_behind(make_homes):
    assert ShardedLedger(make_homes("west", "MEA", "east", "S3"), issuers={"GRID": [1]}).names == (
        *("supply", "S3", "east", "west"),
    )
