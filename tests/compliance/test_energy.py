"""Following a kilowatt-hour: by hand on the small town, and against a plain walk over random chains."""

from collections import Counter
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.compliance import Audit
from gridlab.compliance.energy import _reach
from gridlab.compliance.energy_edges import EnergyEdges
from gridlab.errors import ArgumentError, ArgumentTypeError

MONTHS = [datetime(2026, 4, 1), datetime(2026, 5, 1), datetime(2026, 6, 1)]


def edges_of(trace):
    return trace.edges.select("source", "edge", "target", "energy").rows()


def test_a_trade_is_followed_from_the_sellers_meter_to_the_buyer(town):
    trace = Audit(town).trace_energy(trade=0)
    assert edges_of(trace) == [
        ("meter 1 2026-04-30 20:00", "sold", "trade 0", 1_000),
        ("trade 0", "bought", "account 0", 1_000),
    ]
    assert trace.nodes.select("kind", "account", "name").rows() == [
        ("meter", 1, "bob"),
        ("trade", None, None),
        ("account", 0, "alice"),
    ]
    closing = Audit(town).trail("gate_closure")
    assert trace.edges["transaction"].to_list() == closing["id"].to_list() * 2
    assert trace.edges["height"].to_list() == closing["height"].to_list() * 2


def test_a_meter_is_followed_forward_through_its_trade_and_its_month_to_whoever_used_the_certificate(town, make):
    trace = Audit(town).trace_energy(meter=(make.account["bob"], make.start), direction="forward")
    assert edges_of(trace) == [
        ("meter 1 2026-04-30 20:00", "sold", "trade 0", 1_000),
        ("trade 0", "bought", "account 0", 1_000),
        ("meter 1 2026-04-30 20:00", "metered", "generation 9 2026-04", 700_000),
        ("generation 9 2026-04", "certified", "certificates 1 to 1", 1_000_000),
        ("generation 9 2026-04", "certified", "certificates 2 to 2", 400_000),
        ("certificates 1 to 1", "issued", "account 9", 1_000_000),
        ("certificates 2 to 2", "issued", "account 9", 1_000_000),
        ("certificates 1 to 1", "transferred", "account 2", 1_000_000),
        ("certificates 2 to 2", "transferred", "account 2", 1_000_000),
        ("certificates 2 to 2", "retired", "beneficiary Siam Cement Works", 1_000_000),
    ]


def test_a_certificate_is_followed_back_to_the_months_and_meters_whose_energy_it_stands_for(town):
    trace = Audit(town).trace_energy(certificate=2, direction="backward")
    assert edges_of(trace) == [
        ("meter 1 2026-04-30 20:00", "metered", "generation 9 2026-04", 700_000),
        ("meter 1 2026-04-30 20:15", "metered", "generation 9 2026-04", 700_000),
        *((f"meter 3 2026-05-01 00:{n:02}", "metered", "generation 9 2026-05", 900_000) for n in (0, 15, 30, 45)),
        ("generation 9 2026-04", "certified", "certificates 2 to 2", 400_000),
        ("generation 9 2026-05", "certified", "certificates 2 to 2", 600_000),
    ]
    assert trace.start == "certificates 2 to 2"


def test_a_buyers_energy_and_certificates_are_followed_back(town, make):
    trace = Audit(town).trace_energy(buyer=make.account["carol"], direction="backward")
    kinds = Counter(trace.edges["edge"].cast(pl.String))
    assert kinds == {"bought": 1, "sold": 1, "transferred": 3, "certified": 4, "metered": 6}
    assert trace.nodes.filter(kind="certificate")["node"].to_list() == [
        "certificates 1 to 1",
        "certificates 2 to 2",
        "certificates 4 to 4",
    ]


def test_a_window_of_blocks_cuts_what_was_made_outside_it(town):
    audit = Audit(town)
    height = audit.trail("gate_closure")["height"][0]
    assert audit.trace_energy(trade=0, until=height).edges.height == 2
    assert audit.trace_energy(trade=0, since=height + 1).edges.is_empty()
    assert audit.trace_energy(trade=0, since=height + 1).nodes["node"].to_list() == ["trade 0"]


def test_a_trade_with_the_grid_has_the_grid_as_its_end(make):
    from gridlab.chain.trades import NO_ACCOUNT, NO_ORDER, TRADES

    chain = make.chain()
    row = {column.name: 0 for column in TRADES.columns}
    row |= {"slot": make.start, "zone": "NAC", "buyer": 0, "seller": NO_ACCOUNT, "sell_order": NO_ORDER, "energy": 9}
    chain.send(make.pairs["operator"], "trade", TRADES.check(pl.DataFrame([row])))
    assert chain.seal(make.start).rejected == 0
    trace = Audit(chain).trace_energy(buyer=0)
    assert edges_of(trace) == [
        ("meter grid 2026-04-30 20:00", "sold", "trade 0", 9),
        ("trade 0", "bought", "account 0", 9),
    ]
    assert trace.nodes["name"].to_list() == ["the grid", None, "alice"]


@pytest.mark.parametrize("price", [3.2, -0.4])
def test_energy_under_a_contract_goes_from_seller_to_buyer_whoever_pays(make, price):
    from gridlab.market.agreements.contracts import EnergyTradingContract

    alice, bob = make.account["alice"], make.account["bob"]
    chain = make.chain()
    make.deposit(chain)
    contract = EnergyTradingContract.p2p(
        seller=alice, buyer=bob, price=price, start=make.start, end=make.start + 4 * make.quarter
    )
    contract = contract.sign(make.pairs["alice"], alice).sign(make.pairs["bob"], bob)
    chain.send(make.pairs["alice"], "contract", contract.registration())
    chain.seal(make.start)
    slots = [make.start, make.start + make.quarter]
    rows = [(slot, name, *both) for slot in slots for name, both in (("alice", (0, 700)), ("bob", (500, 0)))]
    frame = make.readings(*rows)
    chain.send(make.pairs["grid"], "meter_readings", frame)
    chain.send(make.pairs["bob"], "contract_execution", contract.payments(frame))
    assert chain.seal(make.start).rejected == 0
    audit = Audit(chain)
    trace = audit.trace_energy(buyer=bob)
    contracted = trace.edges.filter(edge="contracted")
    assert contracted.select("source", "target", "energy").rows() == [
        ("meter 0 2026-04-30 20:00", "account 1", 500),
        ("meter 0 2026-04-30 20:15", "account 1", 500),
    ]
    paid = audit.movements.filter(pl.col("height") == chain.height)
    payer, payee = (bob, alice) if price > 0 else (alice, bob)
    assert paid.select("debit_account", "credit_account", "index").rows() == [(payer, payee, 1)] * 2


def test_a_chain_without_energy_gives_empty_traces(make):
    audit = Audit(make.chain())
    trace = audit.trace_energy(buyer=0)
    assert (trace.edges.height, trace.nodes["node"].to_list()) == (0, ["account 0"])
    with pytest.raises(ArgumentError, match="no trades"):
        audit.trace_energy(trade=0)
    with pytest.raises(ArgumentError, match="never issued"):
        audit.trace_energy(certificate=1)


def test_a_trace_shows_itself(town):
    trace = Audit(town).trace_energy(trade=0)
    assert repr(trace) == "EnergyTrace(trade 0, both, 3 nodes, 2 edges)"
    assert "meter 1 2026-04-30 20:00" in trace._repr_html_()
    long = Audit(town).trace_energy(buyer=2)
    assert "more rows" in long._repr_html_()


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({}, ArgumentTypeError, "exactly one"),
        ({"trade": 0, "buyer": 0}, ArgumentTypeError, "exactly one"),
        ({"trade": 3}, ArgumentError, "at most 2"),
        ({"trade": "0"}, ArgumentTypeError, "trade is '0'"),
        ({"meter": 1}, ArgumentTypeError, "account, slot"),
        ({"meter": (1, "noon")}, ArgumentTypeError, "slot is a str"),
        ({"meter": (99, datetime(2026, 4, 30))}, ArgumentError, "at most 9"),
        ({"certificate": 6}, ArgumentError, "never issued"),
        ({"certificate": 0}, ArgumentError, "never issued"),
        ({"buyer": 10}, ArgumentError, "at most 9"),
        ({"buyer": 0, "direction": "up"}, ArgumentError, "'up' is not known"),
        ({"buyer": 0, "until": -1}, ArgumentError, "at least 0"),
    ],
)
def test_wrong_arguments_are_refused_by_name(town, asked, error, words):
    with pytest.raises(error, match=words):
        Audit(town).trace_energy(**asked)


@st.composite
def greens(draw):
    """Readings, groups, certificates as far as energy goes, and what happens to them."""
    read = draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 3), st.integers(0, 2_500_000)),
            min_size=1,
            max_size=12,
            unique_by=lambda row: row[:3],
        )
    )
    grouped = draw(st.booleans())
    acts = draw(
        st.lists(st.tuples(st.sampled_from(["move", "retire"]), st.integers(1, 12), st.integers(1, 3)), max_size=5)
    )
    return read, grouped, acts


def green_chain(make, read, grouped, acts):
    chain = make.chain()
    if grouped:
        chain.send(make.pairs["egat"], "certificate_group", pl.DataFrame({"device": [0, 1], "registrant": [9, 9]}))
    rows = [
        (MONTHS[month] + n * make.quarter, ["alice", "bob", "carol", "dan"][who], 0, e) for month, n, who, e in read
    ]
    chain.send(make.pairs["grid"], "meter_readings", make.readings(*rows))
    chain.seal(MONTHS[2] + timedelta(days=1))
    energy, done, serial = Counter(), Counter(), 1
    for month in range(3):
        for other, _, who, generated in read:
            if other == month:
                energy[9 if grouped and who < 2 else who] += generated
        for device in sorted(energy):
            quantity = energy[device] // 1_000_000 - done[device]
            if quantity:
                name = list(make.account)[device]
                chain.send(
                    make.pairs["egat"], "certificate_issue", make.issue(serial, quantity, name, MONTHS[month], "egat")
                )
                done[device] += quantity
                serial += quantity
    for act, first, quantity in acts:
        frame = pl.DataFrame({"certificate_id": [first], "quantity": [quantity]})
        if act == "move":
            chain.send(make.pairs["egat"], "certificate_transfer", frame.with_columns(new_owner=pl.lit(2)))
        else:
            chain.send(make.pairs["egat"], "certificate_retire", frame.with_columns(beneficiary=pl.lit("works")))
    chain.seal(MONTHS[2] + timedelta(days=1))
    assert all(Audit(chain).trail("certificate_issue")["accepted"])
    return chain


@settings(max_examples=40)
@given(greens())
def test_every_certificate_is_backed_by_its_own_months_energy_or_earlier_and_no_energy_twice(make, green):
    edges = EnergyEdges(green_chain(make, *green))
    whole = {(first, size): energy for first, size, energy in edges.pieces.select("first", "quantity", "energy").rows()}
    vintage = {(first, size): v for first, size, v in edges.pieces.select("first", "quantity", "vintage").rows()}
    backed, used = Counter(), Counter()
    columns = ("source_a", "source_b", "target_a", "target_b", "energy")
    for device, month, first, size, energy in edges.frame.filter(edge="certified").select(columns).rows():
        assert month <= vintage[first, size]
        backed[first, size] += energy
        used[device, month] += energy
    assert backed == whole
    made = Counter()
    for device, month, energy in edges.frame.filter(edge="metered").select("target_a", "target_b", "energy").rows():
        made[device, month] += energy
    assert all(used[place] <= made[place] for place in used)


@settings(max_examples=40)
@given(greens())
def test_the_pieces_of_certificates_are_the_serials_that_were_issued(make, green):
    chain = green_chain(make, *green)
    pieces = EnergyEdges(chain).pieces
    serials = [s for first, size in pieces.select("first", "quantity").rows() for s in range(first, first + size)]
    ranges = chain.certificates.select("certificate_id", "quantity").rows()
    assert serials == [s for first, size in ranges for s in range(first, first + size)]
    for first, size, owner in chain.certificates.select("certificate_id", "quantity", "owner").rows():
        for serial in range(first, first + size):
            trace = Audit(chain).trace_energy(certificate=serial, direction="forward")
            kept = trace.edges.filter(pl.col("edge").is_in(["issued", "transferred"]))
            assert kept["target"][-1] == f"account {owner}"


def walked(edges, start, way):
    """Rows of the edges that lead on from a node, one step after another."""
    here, there = (0, 1) if way == "forward" else (1, 0)
    front, seen, found = {start}, {start}, set()
    while front:
        met = {row for row, edge in enumerate(edges) if edge[here] in front}
        found |= met
        front = {edges[row][there] for row in met} - seen
        seen |= front
    return found


@settings(max_examples=25)
@given(greens())
def test_forward_and_backward_give_the_same_edges_seen_from_either_end(make, green):
    frame = EnergyEdges(green_chain(make, *green)).frame.with_row_index("edge_row")
    edges = [((a, b, c), (d, e, f)) for _, a, b, c, d, e, f, *_ in frame.rows()]
    nodes = sorted({end for edge in edges for end in edge})
    reached = {}
    for node in nodes:
        start = pl.DataFrame([node], schema={"kind": pl.UInt8, "a": pl.UInt64, "b": pl.Int64}, orient="row")
        for way in ("forward", "backward"):
            reached[node, way] = set(_reach(frame, start, way)["edge_row"])
            assert reached[node, way] == walked(edges, node, way)
    for node in nodes:
        for row, (source, _) in enumerate(edges):
            behind = {edges[other][0] for other in reached[source, "backward"]} | {source}
            assert (row in reached[node, "forward"]) == (node in behind)


@settings(max_examples=15)
@given(greens())
def test_both_is_forward_and_backward_together(make, green):
    audit = Audit(green_chain(make, *green))
    for first in audit.rows("certificate_issue")["certificate_id"]:
        parts = [set(edges_of(audit.trace_energy(certificate=first, direction=way))) for way in ("forward", "backward")]
        assert set(edges_of(audit.trace_energy(certificate=first))) == parts[0] | parts[1]
