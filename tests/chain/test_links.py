"""Bridge packets: numbered, in order, once."""

from datetime import datetime

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.packets import Packets
from gridlab.errors import GridlabError


@pytest.fixture
def linked(members):
    further = pl.DataFrame(
        {
            "account": [7],
            "name": ["bridge"],
            "role": ["bridge_operator"],
            "public_key": [keys.sandbox(7, "bridge").public_key],
        }
    )
    return ConsortiumChain(pl.concat([members, further], how="vertical_relaxed"), ordering=PbftOrdering.of(4))


def packet(channel="public", sequence=0, payload=b"\x01"):
    return pl.DataFrame(
        {"channel": [channel], "sequence": [sequence], "timeout": [datetime(2026, 4, 2)], "payload": [payload]}
    )


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


def test_only_bridge_operators_send(linked, pairs, make):
    assert make.sealed(linked, linked.sign(pairs["alice"], "bridge_packet", packet())).code == "not_permitted"


def test_the_register_comes_back_from_bytes_and_a_damaged_one_does_not():
    packets = Packets().add(packet()).add(packet("other"))
    data = packets.to_bytes()
    assert Packets.from_bytes(data) == packets
    for end in range(len(data)):
        with pytest.raises(GridlabError):
            Packets.from_bytes(data[:end])
