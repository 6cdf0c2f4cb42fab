"""The public chain in the lab: roots anchored, certificates registered, both chains in fingerprint and files."""

from itertools import pairwise

import polars as pl
import pytest

import gridlab as gl
from gridlab.chain.public import PublicChain
from gridlab.chain.store import Store
from gridlab.errors import LeverError, StoreError
from gridlab.lab_store import stored_public_blocks
from gridlab.public_side import rules_of

SLOTS = 48


SUNNY = {"agents.pv_share": 100.0, "agents.pv_size": 300.0}


def make(**levers):
    return gl.Lab.thailand(prosumers=30, seed=4, start="2026-05-08").set(SUNNY | levers)


@pytest.fixture(scope="module")
def run():
    return make().run(slots=SLOTS, progress=False)


def test_the_last_block_of_the_consortium_is_anchored_with_its_state_root(run):
    newest = run.anchors.row(-1, named=True)
    assert newest["height"] == run.chain.height
    assert newest["state_root"] == "0x" + run.chain.state_root.hex()


def test_roots_are_anchored_every_so_many_blocks(run):
    heights = run.anchors["height"].to_list()
    steps = {later - earlier for earlier, later in pairwise(heights)}
    assert len(heights) > SLOTS // 5
    assert max(steps) <= 6  # four blocks, and what is sealed until that anchor is final
    seldom = make(**{"bridge.anchor_every": 24}).run(slots=SLOTS, progress=False)
    assert seldom.anchors.height < run.anchors.height / 2
    assert seldom.anchors["height"][-1] == seldom.chain.height


def test_every_certificate_stands_in_the_public_register(run):
    issued = run.chain.transactions.filter(pl.col("accepted"), kind="certificate_issue")
    assert issued.height == 1
    assert set(issued["id"]) <= set(run.public.registry.events["transaction"])


def test_both_chains_count_in_the_fingerprint(run):
    other = make(**{"public.treasury_share": 50}).run(slots=SLOTS, progress=False)
    assert other.chain.ledger.balances.equals(run.chain.ledger.balances)
    assert other.public.state_root != run.public.state_root
    assert other.fingerprint != run.fingerprint
    assert make().run(slots=SLOTS, progress=False).fingerprint == run.fingerprint


def test_anybody_replays_the_public_chain_from_its_bytes(run):
    lab = make()
    pallets = [lab.governance.pallet(lab.votable())]
    again = PublicChain.from_bytes(run.public.to_bytes(), rules=[rules_of(lab.public, pallets)], pallets=pallets)
    assert again.state_root == run.public.state_root
    assert again.height == run.public.height


def test_a_saved_run_holds_both_chains(run, tmp_path):
    path = run.save(tmp_path / "day.gridlab")
    loaded = gl.load(path)
    assert loaded.fingerprint == run.fingerprint
    assert loaded.public.registry.events.equals(run.public.registry.events)
    assert loaded.anchors.equals(run.anchors)
    assert loaded.public_blocks.equals(run.public_blocks)


def test_a_saved_run_under_other_prices_of_the_public_chain_loads(tmp_path):
    run = make(**{"public.byte_fee": 0.001}).run(slots=8, progress=False)
    assert gl.load(run.save(tmp_path / "dear.gridlab")).fingerprint == run.fingerprint


def test_the_store_keeps_the_public_chains_final_blocks(run, tmp_path):
    path = tmp_path / "run.db"
    assert make().run(slots=SLOTS, progress=False, store=path).fingerprint == run.fingerprint
    with Store.open(path, read_only=True) as store:
        stored = stored_public_blocks(store)
    assert stored == {height: run.public.block(height).to_bytes() for height in range(1, run.public.height + 1)}
    assert gl.open(path).run(progress=False).fingerprint == run.fingerprint


def test_a_store_with_another_public_block_is_refused_by_name(tmp_path):
    path = tmp_path / "run.db"
    lab = make()
    lab.run(slots=8, progress=False, store=path)
    with Store.open(path) as store:
        stored = stored_public_blocks(store)
        store.write_notes({"public/0000000002": stored[1]})
    with pytest.raises(StoreError, match="block 2 of the public chain is not the one"):
        gl.open(path).run(progress=False)


def test_key_figures_tell_of_the_public_chain(run):
    assert run.kpi("anchors") == run.anchors.height
    assert run.kpi("public_transactions") == run.public.transactions.height
    paid = run.public.blocks.select(pl.col("fees").sum() + pl.col("tips").sum()).item()
    assert run.kpi("public_fees") == pytest.approx(paid / 1e6)
    assert 0 < run.kpi("public_finality_p99") < 12


def test_levers_of_the_public_chain_and_of_the_bridge_stand_in_the_lab():
    levers = make().levers()
    paths = set(levers["path"])
    assert {"public.validators", "public.treasury_share", "bridge.anchor_every"} <= paths
    with pytest.raises(LeverError, match=r"bridge\.anchor_every"):
        make(**{"bridge.anchor_every": 0})


def test_what_if_runs_the_chains_where_it_is_asked_about_them():
    table = gl.what_if(make(), {"bridge.anchor_every": [4, 16]}, slots=SLOTS)
    anchors = table.filter(kpi="anchors")["value"].to_list()
    assert anchors[0] > anchors[1]


def test_who_earned_which_fee_adds_up_to_what_both_ledgers_moved(run):
    earned = run.earned
    here = earned.filter(chain=run.chain.chain_id)
    for kind in ("fee", "wheeling"):
        paid = run.settlement.filter(pl.col("kind") == kind)["amount"].sum()
        assert here.filter(kind=kind)["amount"].sum() == paid
    there = earned.filter(chain=run.public.chain_id)
    blocks = run.public.blocks
    assert there["amount"].sum() == blocks["fees"].sum() + blocks["tips"].sum()
    assert set(here.filter(kind="wheeling")["earner_name"]) <= {"MEA", "PEA"}
    assert "Market operator" in there["payer_name"].to_list()
