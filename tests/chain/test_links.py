"""Oracle reports and bridge packets: numbered, in order, once."""

from datetime import datetime

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.packets import Packets
from gridlab.chain.reports import OracleReports
from gridlab.errors import GridlabError


@pytest.fixture
def linked(members):
    further = pl.DataFrame(
        {
            "account": [7, 8],
            "name": ["oracle", "bridge"],
            "role": ["oracle", "bridge_operator"],
            "public_key": [keys.sandbox(7, "oracle").public_key, keys.sandbox(7, "bridge").public_key],
        }
    )
    return ConsortiumChain(pl.concat([members, further], how="vertical_relaxed"), ordering=PbftOrdering.of(4))


def report(feed="price/MAC", epoch=1, number=1, value=3_100):
    return pl.DataFrame(
        {
            "feed": [feed],
            "epoch": [epoch],
            "round": [number],
            "observed": [datetime(2026, 4, 1)],
            "value": [value],
        }
    )


def packet(channel="public", sequence=0, payload=b"\x01"):
    return pl.DataFrame(
        {"channel": [channel], "sequence": [sequence], "timeout": [datetime(2026, 4, 2)], "payload": [payload]}
    )


def test_reports_of_a_feed_come_in_strictly_increasing_rounds(linked, make):
    oracle = keys.sandbox(7, "oracle")

    def code(**changes):
        return make.sealed(linked, linked.sign(oracle, "oracle_report", report(**changes))).code

    steps = [({}, True), ({}, False), ({"number": 2}, True), ({"number": 1}, False), ({"epoch": 2}, True)]
    steps += [({"number": 9}, False), ({"feed": "fx/usd"}, True), ({"feed": ""}, False), ({"feed": "x" * 65}, False)]
    for changes, accepted in steps:
        assert code(**changes) == ("accepted" if accepted else "rule_broken"), changes
    assert linked.reports.select("feed", "epoch", "round").rows() == [("fx/usd", 1, 1), ("price/MAC", 2, 1)]
    assert linked.replay().state_root == linked.state_root


def test_packets_of_a_channel_have_no_gaps(linked, make):
    bridge = keys.sandbox(7, "bridge")

    def code(**changes):
        return make.sealed(linked, linked.sign(bridge, "bridge_packet", packet(**changes))).code

    steps = [({"sequence": 1}, False), ({}, True), ({}, False), ({"sequence": 1}, True), ({"channel": "other"}, True)]
    for changes, accepted in [*steps, ({"channel": ""}, False)]:
        assert code(**changes) == ("accepted" if accepted else "rule_broken"), changes
    assert {name: count for name, (count, _) in linked._state.packets.channels.items()} == {"public": 2, "other": 1}


def test_what_a_packet_holds_is_committed_to():
    assert Packets().add(packet()).hash != Packets().add(packet(payload=b"\x02")).hash


def test_only_oracles_report_and_only_bridge_operators_send(linked, pairs, make):
    for kind, frame in (("oracle_report", report()), ("bridge_packet", packet())):
        assert make.sealed(linked, linked.sign(pairs["alice"], kind, frame)).code == "not_permitted"


def test_registers_come_back_from_bytes_and_damaged_ones_do_not():
    reports = OracleReports().add(report()).add(report(feed="fx/usd"))
    packets = Packets().add(packet()).add(packet("other"))
    assert OracleReports.from_bytes(reports.to_bytes()).hash == reports.hash
    assert Packets.from_bytes(packets.to_bytes()) == packets
    for register, data in ((OracleReports, reports.to_bytes()), (Packets, packets.to_bytes())):
        for end in range(len(data)):
            with pytest.raises(GridlabError):
                register.from_bytes(data[:end])
