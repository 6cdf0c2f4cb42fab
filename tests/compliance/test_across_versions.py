"""A chain whose rules have changed is audited block by block under the rules of each block's day."""

from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.effects import RULES, RuleSet
from gridlab.compliance import Audit
from gridlab.frames import Column, Schema

START = datetime(2026, 4, 1)
ROLES = {"bank": "reserve_bank", "regulator": "regulator", "operator": "market_operator"}
PAIRS = {name: keys.sandbox(5, name) for name in ROLES}


def second():
    """Version 2: reserves come with a note, and there are no trades any more."""
    first = RULES[1]
    reserve = first["reserve"]
    noted = Schema("noted_transfers", (*reserve.schema.columns, Column("note", pl.String, "text", "why")))
    changed = {"reserve": replace(reserve, schema=noted, act=_without_note(reserve.act), meaning="reserves, with why")}
    return RuleSet(2, {kind: each for kind, each in (first | changed).items() if kind != "trade"})


def _without_note(act):
    return lambda state, call: act(state, replace(call, frame=call.frame.drop("note")))


@pytest.fixture(scope="module")
def chain():
    members = {"account": range(3), "name": list(ROLES), "role": list(ROLES.values())}
    public_keys = [pair.public_key for pair in PAIRS.values()]
    chain = ConsortiumChain(
        pl.DataFrame({**members, "public_key": public_keys}),
        ordering=SingleSequencer(keys.sandbox(5, "sequencer")),
        rules=[second()],
    )
    row = {"debit_account": 0, "credit_account": 2, "asset": "THB", "amount": 10**6, "code": "reserve"}
    chain.send(PAIRS["operator"], "trade", RULES[1]["trade"].schema.empty())
    chain.send(PAIRS["bank"], "reserve", pl.DataFrame([{"transfer_id": 1, **row}]))
    chain.approve(PAIRS["regulator"], 2, 2)
    assert chain.seal(START).rejected == 0
    chain.send(PAIRS["bank"], "reserve", pl.DataFrame([{"transfer_id": 2, **row, "note": "quarter's end"}]))
    assert chain.seal(START).rejected == 0
    return chain


def test_rows_of_a_kind_come_from_both_versions(chain):
    rows = Audit(chain).rows("reserve")
    assert rows.select("height", "transfer_id", "note").rows() == [(1, 1, None), (2, 2, "quarter's end")]
    assert chain.payloads("reserve")["note"].to_list() == [None, "quarter's end"]


def test_a_kind_that_was_dropped_can_still_be_looked_up(chain):
    audit = Audit(chain)
    assert audit.trail("trade")["height"].to_list() == [1]
    assert audit.rows("trade").is_empty()
    assert audit.trail()["kind"].to_list() == ["trade", "reserve", "upgrade", "reserve"]
    assert audit.rows("upgrade").select("version", "height").row(0) == (2, 1)


def test_what_moved_under_either_version_is_led_back_to_its_transaction(chain):
    moved = Audit(chain).movements
    assert moved.select("height", "transfer_id", "amount").rows() == [(1, 1, 10**6), (2, 2, 10**6)]


def test_an_auditor_who_replays_uses_the_rules_of_the_day(chain):
    assert chain.replay().fingerprint == chain.fingerprint
    assert [chain.rules_of(height).version for height in (1, 2)] == [1, 2]
