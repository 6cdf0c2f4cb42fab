"""What the text of lesson 08 says of its chain, sentence by sentence: figures move, words must hold."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import pairwise

import nbformat
import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.chain import merkle
from gridlab.chain.keys import sandbox
from gridlab.chain.store import Store
from gridlab.compliance import verify_extension
from gridlab.institutions import institutions_of
from gridlab.learn import lesson_08
from gridlab.market.exchange import MarketExchange
from tests.house import ROOT

NOTEBOOK = ROOT / "tutorials" / "08-audit-trail.ipynb"
SCHOOL, WORKS = lesson_08.SCHOOL, lesson_08.WORKS
HALF_PAST_ONE = pl.col("slot").dt.strftime("%H:%M") == "13:30"
BLAKE = "blake2b-256"


@cache
def run():
    return gl.Lab.thailand(prosumers=200, seed=0).run(progress=False)


@cache
def impostor():
    return gl.Lab.thailand(prosumers=20, seed=1).run(progress=False)


@cache
def book():
    return run().audit.movements.filter(asset="WATT")


def account(institution):
    return run().institutions.filter(name=institution)["account"].item()


@cache
def thursday():
    """Return the chain after the three messages of Thursday morning."""
    chain = run().chain.replay()
    egat = account("EGAT")
    names = {WORKS: run().accounts["name"][WORKS], egat: "EGAT"}
    move = pl.DataFrame({"certificate_id": [3], "quantity": [1], "new_owner": [WORKS]})
    claim = pl.DataFrame({"certificate_id": [3], "quantity": [1], "beneficiary": ["the customer abroad"]})
    steps = [(WORKS, "certificate_transfer", move), (egat, "certificate_transfer", move)]
    steps += [(WORKS, "certificate_retire", claim)]
    for quarter, (sender, kind, frame) in enumerate(steps):
        chain.send(sandbox(0, names[sender]), kind, frame)
        chain.seal(datetime(2026, 5, 7, 9, 15 * quarter))
    return chain


def proof():
    rows = run().chain.trades.with_row_index("row")
    return run().prove_trade(rows.filter(HALF_PAST_ONE, buyer=WORKS, seller=SCHOOL)["row"].item())


@cache
def cell_names():
    """Names of the notebook's own cells that need nothing but numpy and hashes."""
    names = {"np": np, "pl": pl, "hashlib": hashlib, "my_guess": 0}
    for begins in ("def h(data)", "def chained(", "from gridlab.chain import merkle", "from gridlab.ui import svg"):
        cells = nbformat.read(NOTEBOOK, as_version=4).cells
        source = next(cell.source for cell in cells if cell.cell_type == "code" and cell.source.startswith(begins))
        exec(source, names)  # noqa: S102 - the lesson's own cell
    careless = next(cell.source for cell in cells if cell.source.startswith("def careless("))
    exec(careless, names)  # noqa: S102 - the lesson's own cell
    return names


# 1 The trail


def test_some_four_hundred_signatures_stand_behind_three_thousand_trades_and_nobody_signed_a_trade():
    trail = run().audit.trail()
    assert run().chain.trades.height == 3263
    assert 380 < trail.height < 430
    assert trail["accepted"].all()
    assert "trade" not in trail["kind"].to_list()
    kinds = dict(trail.group_by("kind").agg(pl.len()).rows())
    assert (kinds["order_batch"], kinds["meter_readings"], kinds["gate_closure"]) == (200, 192, 1)
    assert trail.filter(kind="order_batch")["account"].n_unique() == 200
    assert trail.filter(kind="meter_readings")["name"].unique().sort().to_list() == ["MEA", "PEA"]


def test_the_works_and_the_school_are_what_the_lesson_calls_them():
    kinds = run().accounts.filter(pl.col("account").is_in([WORKS, SCHOOL])).sort("account")
    assert kinds["kind"].to_list() == ["factory", "school"]
    assert kinds["zone"].cast(pl.String).to_list() == ["SAC", "SAC"]


# 2 Double entry


def test_balances_sum_to_zero_and_the_issuer_is_below_it_by_what_lies_in_reserve():
    balances = run().chain.ledger.balances
    assert balances["WATT"].sum() == 0
    given_out = -balances.filter(account=account("WATT issuer"))["WATT"].item()
    assert given_out == run().audit.movements.filter(code="reserve", asset="THB")["amount"].sum() > 0


def test_the_lines_of_the_school_are_its_balance_and_it_bought_a_little_mostly_in_the_afternoon():
    came, left = (book().filter(pl.col(side) == SCHOOL) for side in ("credit_account", "debit_account"))
    assert came["amount"].sum() - left["amount"].sum() == run().chain.ledger.balance(SCHOOL, "WATT")
    by_code = dict(came.group_by(pl.col("code").cast(pl.String)).agg(pl.col("amount").sum()).rows())
    assert by_code["mint"] > by_code["energy"]
    assert left.filter(code="retail").height == 1
    bought = run().chain.trades.filter(buyer=SCHOOL)
    in_the_afternoon = bought.filter(pl.col("slot").dt.hour() >= 12)
    assert in_the_afternoon["energy"].sum() > 0.5 * bought["energy"].sum()
    assert left.filter(code="energy")["amount"].sum() < 0.1 * by_code["energy"]


# 3 Following money


def test_the_jar_of_two_conventions():
    assert (60 * 70 / 100, 40 * 70 / 100) == (42, 28)
    assert (min(60, 70), 70 - 60) == (60, 10)


def test_the_deposit_of_the_works_is_found_again_and_roofs_hold_two_in_a_hundred():
    deposit = book().filter(code="mint", credit_account=WORKS).row(0, named=True)
    trace = run().audit.trace_funds(transfer=(deposit["sender"], deposit["transfer_id"]))
    assert round(trace.total / 1e6) == 8377
    assert trace.ends["amount"].sum() == trace.total
    roofs = trace.edges.filter(code="energy")
    assert roofs["target"].n_unique() == 8
    assert 0.015 < roofs["amount"].sum() / trace.total < 0.025
    largest = trace.ends.sort("amount", descending=True)["account"].head(2).to_list()
    assert largest == [account("PEA"), WORKS]
    meter = run().readings.filter(account=WORKS)
    assert 0.045 < meter["bought"].sum() / meter["imported"].sum() < 0.055


def test_eleven_buyers_paid_the_school_and_the_works_most():
    income = run().audit.trace_funds(account=SCHOOL, direction="backward").edges.filter(hop=1, code="energy")
    paid = income.group_by("source").agg(pl.col("amount").sum()).sort("amount", descending=True)
    assert (paid.height, paid["source"][0]) == (11, WORKS)


# 4 Following a kilowatt-hour


def test_the_reading_of_half_past_one_went_into_six_trades_the_largest_to_the_works():
    trace = run().audit.trace_energy(meter=(SCHOOL, datetime(2026, 5, 6, 13, 30)), direction="forward")
    bought = trace.edges.filter(edge="bought").sort("energy", descending=True)
    assert bought.height == bought["target"].n_unique() == 6
    assert bought["target"][0] == f"account {WORKS}"
    assert trace.edges.filter(edge="certified").height == 3
    assert trace.edges.filter(edge="issued")["target"].unique().to_list() == [f"account {account('EGAT')}"]


def test_the_attempt_is_refused_and_stays_on_record():
    trail = gl.Audit(thursday()).trail().filter(pl.col("height") > run().chain.height)
    assert trail["code"].to_list() == ["rule_broken", "accepted", "accepted"]
    assert trail["reason"][0]


def test_a_certificate_leads_back_to_thousands_of_readings_of_all_roofs():
    audit = gl.Audit(thursday())
    read = audit.trace_energy(certificate=3, direction="backward").edges.filter(edge="metered")
    assert read.height > 3000
    assert read["energy"].sum() == run().readings["generation"].sum() > 5_000_000
    last = audit.trace_energy(certificate=3).edges.filter(edge="retired")
    assert last["target"].to_list() == ["beneficiary the customer abroad"]


# 5 One satang


def test_one_satang_flips_about_half_of_the_bits():
    bits = cell_names()["bits"]
    trade = run().chain.trades.filter(HALF_PAST_ONE, buyer=WORKS, seller=SCHOOL)
    assert round(trade["gross"].item() / 10_000) == 1102  # satang
    assert 100 < (bits(1102) != bits(1103)).sum() < 156
    flips = [(bits(1102) != bits(other)).sum() for other in range(1103, 2103)]
    assert 126 < np.mean(flips) < 130


def test_a_bent_block_changes_all_later_ones_and_no_earlier_one():
    names = cell_names()
    same = [one == other for one, other in zip(*map(names["chained"], (names["honest"], names["bent"])), strict=True)]
    assert same == [True, False, False, False]
    gross = run().chain.trades.filter(pl.col("slot").dt.minute() == 0, buyer=WORKS, seller=SCHOOL)
    paid = {row[0]: round(row[1] / 1e6, 2) for row in gross.select(pl.col("slot").dt.hour(), "gross").rows()}
    assert names["amounts"].items() <= paid.items()


def test_every_block_holds_the_hash_before_it():
    blocks = [run().chain.block(height) for height in range(run().chain.height + 1)]
    assert all(after.header.parent == before.hash for before, after in pairwise(blocks))


# 6 A tree


def test_the_gate_block_holds_all_trades():
    assert run().chain.trades["height"].unique().to_list() == [2]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 32, 33, 100])
def test_the_longest_proof_has_the_logarithm_rounded_up(size):
    leaves = [bytes([place]) for place in range(size)]
    longest = max(len(merkle.prove_inclusion(leaves, place)) for place in range(size))
    assert longest == lesson_08.path_length(size) == int(np.ceil(np.log2(size)))


def test_a_tree_ten_times_as_large_needs_three_or_four_hashes_more():
    lengths = [lesson_08.path_length(10**power) for power in range(11)]
    assert {after - before for before, after in pairwise(lengths[1:])} == {3, 4}


def orange(picture, prove):
    """Return the hashes of the orange boxes, from the left."""
    return re.findall(r'fill="#e69f00".*?>([✗ ]*[0-9a-f]{5})<', picture)


def test_each_changed_payment_spoils_one_orange_hash_of_another_and_always_the_root():
    draw = cell_names()["draw"]
    before = orange(draw(2), 2)
    assert len(before) == 3
    spoilt = {change: [one for one in orange(draw(2, change), 2) if one.startswith("✗")] for change in range(8)}
    assert [len(spoilt[change]) for change in range(8)] == [1, 1, 0, 1, 1, 1, 1, 1]
    top = 'y="18"'
    for change in range(8):
        assert re.search(rf"{top}[^>]*/>.*?>✗ [0-9a-f]{{5}}<", draw(2, change))
    # The right-hand one near the top is the last drawn, and 4 to 7 spoil it.
    assert [orange(draw(2, change), 2)[-1].startswith("✗") for change in range(8)] == [False] * 4 + [True] * 4


def test_without_the_two_bytes_two_lists_share_a_root_and_with_them_they_do_not():
    names = cell_names()
    assert names["careless"](names["payments"]) == names["careless"](names["invented"])
    assert names["own"][0] != names["own"][1]
    assert names["levels"](names["payments"])[-1][0] == names["own"][0]


# 7 A proof in your hand


def test_twelve_hashes_prove_the_trade_and_its_parts_add_up(tmp_path):
    verdict = gl.verify(proof().save(tmp_path / "proof.json"))
    assert verdict
    assert len(proof().content["trade_path"]) == 12
    assert (len(verdict.signers), verdict.validators) == (14, 21)
    parts = [verdict.trade[f"{part}_thb"] for part in ("amount", "wheeling", "losses", "fee", "vat")]
    assert sum(parts) == verdict.trade["gross_thb"]


def test_each_changed_field_is_noticed(tmp_path):
    trade = proof().content["trade"]
    changes = [("trade", field, value * 2 or 1) for field, value in trade.items()]
    changes += [("header", "height", 3), ("receipt", "code", "rule_broken"), ("trade", "seller", 169)]
    for part, field, value in changes:
        content = json.loads(proof().to_json())
        content[part][field] = value
        path = tmp_path / "bent.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        assert not gl.verify(path), field


def test_the_impostors_proof_holds_alone_and_not_against_the_known_genesis(tmp_path):
    path = impostor().prove_trade(0).save(tmp_path / "impostor.json")
    assert impostor().chain.chain_id == run().chain.chain_id
    assert gl.verify(path)
    assert not gl.verify(path, genesis=run().chain.block(0).hash)
    ours = gl.verify(proof().save(tmp_path / "proof.json"), genesis=run().chain.block(0).hash)
    assert ours.trusted == "that at most 6 of the 21 validators lie"


def test_a_proof_shows_two_account_numbers_and_no_name_while_names_stand_in_genesis():
    text = proof().to_json()
    assert f'"seller": {SCHOOL}' in text
    assert f'"buyer": {WORKS}' in text
    names = [*run().accounts["name"], *run().institutions["name"]]
    assert not [name for name in names if name in text]
    assert run().accounts["name"][SCHOOL].encode() in run().chain.genesis.to_bytes()


# 8 Yesterday and today


def test_the_honest_log_extends_the_kept_root_and_a_log_with_a_hole_does_not():
    kept, old, chain = run().audit.log_root(), run().chain.height, thursday()
    audit = gl.Audit(chain)
    added = audit.prove_extension(old)
    assert verify_extension(kept, old, audit.log_root(), chain.height, added)
    hashes = [chain.block(height).hash for height in range(chain.height + 1)]
    cut = hashes[:60] + hashes[61:]
    root = merkle.root(cut, hash=BLAKE)
    tries = [merkle.prove_consistency(cut, old + 1, hash=BLAKE), added, [], [bytes(32)] * len(added)]
    assert not any(verify_extension(kept, old, root, len(cut) - 1, each) for each in tries)


# 9 The file


def test_a_flipped_bit_is_found_and_named(tmp_path):
    path = tmp_path / "run.db"
    finished = gl.Lab.thailand(prosumers=20, seed=1).run(progress=False, store=path)
    assert finished.fingerprint == impostor().fingerprint
    last = finished.chain.block(finished.chain.height)
    bills = next(each for each in last.transactions if each.kind == "settlement")
    data = bytearray(path.read_bytes())
    data[data.index(bills.payload[200:260])] ^= 1
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(data)
    with pytest.raises(gl.errors.StoreError, match=f"block {last.height}: its transactions"):
        gl.open(damaged).run(progress=False)


# 10 Break it


def test_three_hashes_can_be_repaired_and_then_signatures_are_missing(tmp_path):
    exchange = MarketExchange(gl.Market(), run().accounts, institutions_of(run().accounts))
    old = [run().chain.block(height) for height in range(1, run().chain.height + 1)]
    Store.create(tmp_path / "forged.db", run().chain.genesis, blocks=old[:-1]).close()
    fork = gl.ConsortiumChain.open(tmp_path / "forged.db", exchange=exchange)
    due = run().chain.payloads("settlement")
    assert round(due.filter(debit_account=SCHOOL)["amount"].sum() / 1e6) == 389
    moved = due.with_columns(debit_account=pl.col("debit_account").replace(SCHOOL, WORKS))
    signed = fork.sign(sandbox(0, "Market operator"), "settlement", moved)
    assert signed.is_signed
    bills = next(each for each in old[-1].transactions if each.kind == "settlement")
    block = replace(old[-1], transactions=[signed if each == bills else each for each in old[-1].transactions])
    for field in ("transactions_root", "receipts_root", "state_root"):
        with pytest.raises(gl.errors.ChainError, match=f"its {field} is") as found:
            fork.append_block(block)
        value = bytes.fromhex(str(found.value).rpartition("0x")[2])
        block = replace(block, header=replace(block.header, **{field: value}))
    with pytest.raises(gl.errors.ChainError, match="its certificate does not make this header final"):
        fork.append_block(block)
    fork.close()
    Store.create(tmp_path / "whole.db", run().chain.genesis, blocks=[*old[:-1], block]).close()
    with Store.open(tmp_path / "whole.db", read_only=True) as store:
        store.check()
    with pytest.raises(gl.errors.StoreError, match="its certificate does not make this header final"):
        gl.ConsortiumChain.open(tmp_path / "whole.db", exchange=exchange)
    # A root over the forged block would not be the one that was kept on Wednesday night.
    hashes = [run().chain.block(0).hash, *(each.hash for each in old[:-1]), block.hash]
    assert merkle.root(hashes, hash=BLAKE) != run().audit.log_root()


# Exercises


def test_typical_mistakes_are_no_right_answers():
    solved = [getattr(lesson_08, each) for each in ("signed_readings", "deposit_at_malai", "hashes_after_a_year")]
    solved += [lesson_08.boonmees_part, lesson_08.guessed_energy, lesson_08.stolen_keys]
    for solve in solved:
        key = solve()
        assert key.answer not in key.mistakes.values(), solve.__name__
        assert len(set(key.mistakes.values())) == len(key.mistakes), solve.__name__


def test_somchai_is_not_malais_best_customer():
    sales = run().chain.trades.filter(seller=78).group_by("buyer").agg(pl.col("energy").sum()).sort("energy")
    assert sales["buyer"][-1] != 77


def test_a_gang_of_six_can_do_nothing_and_the_quorum_is_fourteen():
    facts = lesson_08.stolen_keys().facts
    assert (facts["needed"], facts["faulty"], facts["splits"], facts["stops"]) == (14, 6, 7, 8)
    # Two quorums of honest validators and liars: with 7 liars, 7 honest ones on either side are enough.
    honest = facts["validators"] - facts["splits"]
    assert honest // 2 + facts["splits"] >= facts["needed"]
    assert (facts["validators"] - facts["faulty"]) // 2 + facts["faulty"] < facts["needed"]


def test_the_fingerprint_at_the_end_is_the_runs():
    outputs = nbformat.read(NOTEBOOK, as_version=4).cells[-1].outputs
    assert run().fingerprint in str(outputs[0]["data"]["text/plain"])
