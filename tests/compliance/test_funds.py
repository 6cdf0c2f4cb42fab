"""Following money, against a plain reference that carries every unit's whole way with it."""

from collections import Counter, defaultdict, deque

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.ledger import ASSETS, CODES
from gridlab.compliance import Audit
from gridlab.compliance.funds_door import trace_funds
from gridlab.compliance.intervals import joined, laid_out, overlaps
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

ISSUER = 4
NAMES = pl.DataFrame(
    {
        "account": range(5),
        "name": ["alice", "bob", "carol", "dan", "issuer"],
        "role": ["trader"] * 4 + ["watt_issuer"],
    },
    schema_overrides={"account": pl.UInt32},
)


def movements_of(rows):
    """Rows of (height, payer, payee, amount)."""
    return pl.DataFrame(rows, schema=["height", "debit_account", "credit_account", "amount"], orient="row").select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.col("height").cast(pl.UInt64),
        pl.lit(0, dtype=pl.UInt32).alias("index"),
        pl.lit(7, dtype=pl.UInt32).alias("sender"),
        pl.int_range(pl.len(), dtype=pl.UInt64).alias("transfer_id"),
        pl.col("debit_account", "credit_account").cast(pl.UInt32),
        pl.lit("WATT", dtype=ASSETS).alias("asset"),
        "amount",
        pl.lit("transfer", dtype=CODES).alias("code"),
    )


@st.composite
def histories(draw):
    """Payments that nobody's balance forbids, in rising blocks."""
    held, height, rows = Counter(), 1, []
    for _ in range(draw(st.integers(1, 25))):
        height += draw(st.integers(0, 1))
        payer, payee = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1]))
        most = 100 if payer == ISSUER else held[payer]
        if most:
            amount = draw(st.integers(1, most))
            rows.append((height, payer, payee, amount))
            held[payer] -= amount
            held[payee] += amount
    return rows or [(1, ISSUER, 0, 5)]


def ways_of(rows):
    """Every unit of money with the payments that it went through, first in first out: list of (amount, rows)."""
    queues, done = defaultdict(deque), []
    for row, (_, payer, payee, amount) in enumerate(rows):
        parts = []
        if payer == ISSUER:
            parts = [(amount, (row,))]
        left = 0 if payer == ISSUER else amount
        while left:
            size, way = queues[payer].popleft()
            used = min(size, left)
            parts.append((used, (*way, row)))
            left -= used
            if used < size:
                queues[payer].appendleft((size - used, way))
        (done if payee == ISSUER else queues[payee]).extend(parts)
    return [*done, *(part for queue in queues.values() for part in queue)]


def reference(rows, *, account=None, transfer=None, direction, hops, since, until):
    """Edges (hop, row) -> amount and ends account -> amount, one unit after another."""
    edges, ends = Counter(), Counter()
    here, there = (1, 2) if direction == "forward" else (2, 1)
    inside = [since <= row[0] <= until for row in rows]
    for amount, way in ways_of(rows):
        path = way if direction == "forward" else way[::-1]
        for place, first in enumerate(path):
            begins = first == transfer if transfer is not None else rows[first][here] == account
            if not (begins and inside[first]):
                continue
            for hop, row in enumerate(path[place:], 1):
                edges[hop, row] += amount
                at = rows[row][there]
                following = path[place + hop] if place + hop < len(path) else None
                stop = at in (ISSUER, account) or following is None or not inside[following] or hop == hops
                if stop:
                    ends[at] += amount
                    break
    return edges, ends


ASKED = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["forward", "backward"]),
        "hops": st.none() | st.integers(1, 4),
        "since": st.integers(0, 6),
        "span": st.integers(0, 30),
    }
)


def ask(rows, asked, **what):
    until = asked["since"] + asked["span"]
    settings = {"direction": asked["direction"], "hops": asked["hops"], "since": asked["since"], "until": until}
    account, transfer = what.get("account"), what.get("transfer")
    found = trace_funds(
        movements_of(rows),
        NAMES,
        account=account,
        transfer=None if transfer is None else (7, transfer),
        asset="WATT",
        **settings,
    )
    edges, ends = reference(rows, **settings, **what)
    got = dict(
        zip(zip(found.edges["hop"], found.edges["transfer_id"], strict=True), found.edges["amount"], strict=True)
    )
    assert got == dict(edges)
    assert dict(zip(found.ends["account"], found.ends["amount"], strict=True)) == dict(ends)
    assert found.total == sum(ends.values())
    return found


@settings(max_examples=150)
@given(histories(), ASKED, st.integers(0, 4))
def test_what_an_account_paid_or_got_is_followed_as_unit_by_unit(rows, asked, account):
    ask(rows, asked, account=account)


@settings(max_examples=100)
@given(histories(), ASKED, st.data())
def test_one_transfer_is_followed_as_unit_by_unit(rows, asked, data):
    ask(rows, asked, transfer=data.draw(st.integers(0, len(rows) - 1)))


@settings(max_examples=100)
@given(histories())
def test_all_money_ever_issued_is_traced_to_exactly_where_it_lies_now(rows):
    whole = {"direction": "forward", "hops": None, "since": 0, "span": 10**6}
    found = ask(rows, whole, account=ISSUER)
    held = Counter()
    for _, payer, payee, amount in rows:
        held[payer] -= amount
        held[payee] += amount
    del held[ISSUER]
    lies = dict(zip(found.ends["account"], found.ends["amount"], strict=True))
    burned = lies.pop(ISSUER, 0)
    assert lies == {account: amount for account, amount in held.items() if amount}
    assert burned == sum(amount for _, _, payee, amount in rows if payee == ISSUER)


@settings(max_examples=60)
@given(histories(), st.integers(0, 3))
def test_forward_and_backward_see_the_same_way_from_either_end(rows, account):
    """What backward says came from the issuer to an account is what forward says went there, transfer by transfer."""
    backward = ask(rows, {"direction": "backward", "hops": None, "since": 0, "span": 10**6}, account=account)
    origin = dict(zip(backward.ends["account"], backward.ends["amount"], strict=True))
    returned = origin.pop(account, 0)
    assert set(origin) <= {ISSUER}
    fresh = 0
    for amount, way in ways_of(rows):
        arrivals = [row for row in way if rows[row][2] == account]
        fresh += amount * bool(arrivals)
    assert origin.get(ISSUER, 0) == fresh
    assert returned + fresh == sum(amount for _, _, payee, amount in rows if payee == account)


def test_the_example_of_claytons_case():
    """Alice's 100 come before Bob's 50; the first 100 that go out are hers, the next are his."""
    rows = [(1, ISSUER, 0, 100), (1, ISSUER, 1, 50), (2, 0, 2, 100), (2, 1, 2, 50), (3, 2, 3, 120)]
    found = ask(rows, {"direction": "forward", "hops": None, "since": 0, "span": 9}, account=1)
    assert found.edges.select("hop", "source", "target", "amount").rows() == [(1, 1, 2, 50), (2, 2, 3, 20)]
    assert found.ends.select("name", "amount").rows() == [("carol", 30), ("dan", 20)]


def test_where_the_towns_money_lies_is_what_its_ledger_says(town, make):
    audit, ledger = Audit(town), town.ledger
    found = audit.trace_funds(account=make.account["issuer"])
    for account, amount in found.ends.select("account", "amount").rows():
        assert ledger.balance(account, "WATT") == amount
    assert found.total == ledger.circulation("WATT") == found.ends["amount"].sum()
    assert audit.trace_funds(account=make.account["bank"], asset="THB").total == ledger.circulation("THB")


def test_a_transfer_of_the_town_is_followed_by_its_sender_and_id(town, make):
    audit, alice = Audit(town), make.account["alice"]
    found = audit.trace_funds(transfer=(alice, 10))
    first = found.edges.row(0, named=True)
    assert (first["source_name"], first["target_name"], first["amount"], first["hop"]) == ("alice", "bob", 7_000_000, 1)
    assert found.start == f"transfer 10 of sender {alice}"
    assert audit.trace_funds(transfer=(alice, 10), hops=1).ends["name"].to_list() == ["bob"]
    back = audit.trace_funds(transfer=(alice, 10), direction="backward")
    assert back.ends["name"].to_list() == ["issuer"]
    assert back.total == 7_000_000


def test_nothing_moved_gives_an_empty_trace(town, make):
    found = Audit(town).trace_funds(account=make.account["regulator"])
    assert (found.edges.height, found.ends.height, found.total) == (0, 0, 0)
    assert found.edges.columns[:3] == ["hop", "source", "target"]
    assert "0 of WATT" in found._repr_html_()


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({}, ArgumentTypeError, "exactly one"),
        ({"account": 0, "transfer": (0, 10)}, ArgumentTypeError, "exactly one"),
        ({"account": 10}, ArgumentError, "at most 9"),
        ({"account": "alice"}, ArgumentTypeError, "account is 'alice'"),
        ({"transfer": 10}, ArgumentTypeError, "sender, transfer_id"),
        ({"transfer": (0, 999)}, ArgumentError, "moved nothing"),
        ({"transfer": (0, 10), "asset": "THB"}, ArgumentError, "give asset='WATT'"),
        ({"account": 0, "direction": "sideways"}, ArgumentError, "'sideways' is not known"),
        ({"account": 0, "asset": "DOGE"}, ArgumentError, "'DOGE' is not known"),
        ({"account": 0, "hops": 0}, ArgumentError, "at least 1"),
        ({"account": 0, "since": 5, "until": 4}, ArgumentError, "since is 5 and until is 4"),
    ],
)
def test_wrong_arguments_are_refused_by_name(town, asked, error, words):
    with pytest.raises(error, match=words):
        Audit(town).trace_funds(**asked)


INTERVALS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, 5)), max_size=8)


def lines_of(parts):
    """Intervals without overlap on three lines, out of gaps and sizes: (line, start, end)."""
    ends, found = Counter(), []
    for line, gap, size in parts:
        start = ends[line] + gap
        found.append((line, start, start + size))
        ends[line] = start + size
    return found


@given(INTERVALS, INTERVALS)
def test_overlaps_are_those_of_every_pair_looked_at(front, flows):
    front, flows = lines_of(front), lines_of(flows)
    expected = sorted(
        (line, max(start, low), min(end, high))
        for line, start, end in front
        for other, low, high in flows
        if line == other and max(start, low) < min(end, high)
    )
    kinds = pl.Int64
    met = overlaps(
        pl.DataFrame(front, schema={"line": kinds, "start": kinds, "end": kinds}, orient="row"),
        pl.DataFrame(flows, schema={"line": kinds, "flow_start": kinds, "flow_end": kinds}, orient="row"),
        "line",
    )
    assert sorted(met.select("line", "low", "high").rows()) == expected


@given(INTERVALS)
def test_joining_keeps_every_unit_and_leaves_nothing_that_touches(parts):
    parts = lines_of(parts)
    frame = pl.DataFrame(parts, schema={"line": pl.Int64, "start": pl.Int64, "end": pl.Int64}, orient="row")
    whole = joined(frame, "line").rows()
    units = {(line, unit) for line, start, end in parts for unit in range(start, end)}
    assert sorted(units) == [(line, unit) for line, start, end in whole for unit in range(start, end)]
    ends = {(line, end) for line, _, end in whole}
    assert not ends & {(line, start) for line, start, _ in whole}


def test_a_line_that_int64_cannot_count_is_refused():
    frame = pl.DataFrame({"account": [1] * 4, "amount": [2**61] * 4})
    with pytest.raises(ChainError, match="more than can be traced"):
        laid_out(frame, "account")
