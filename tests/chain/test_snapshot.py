"""A state goes into bytes and comes back whole, and no byte of it can change without the state root telling."""

import random
from dataclasses import fields, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gridlab.chain import keys
from gridlab.chain.array_encoding import encode_array, read_array
from gridlab.chain.authority import Authority, pack_validators
from gridlab.chain.blocks import Header
from gridlab.chain.certificates import CertificateRegistry
from gridlab.chain.channels import open_channel
from gridlab.chain.contract_terms import ContractTerms, SettlementTerms, TradingRules
from gridlab.chain.contracts import ContractRegistry
from gridlab.chain.emergency import EmergencyBook, Motion, Seat, StopRecord
from gridlab.chain.encoding import Reader
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.locked import Locked
from gridlab.chain.members import Members
from gridlab.chain.meters import MeterRegister
from gridlab.chain.oracle import ProviderSet
from gridlab.chain.packets import Packets
from gridlab.chain.reports import OracleReports
from gridlab.chain.resting import RestingOrders
from gridlab.chain.snapshot import _CODECS, decode_state, encode_state
from gridlab.chain.state import State
from gridlab.chain.swaps import LockTerms, Stops
from gridlab.chain.terms import ChainTerms
from gridlab.chain.versions import Upgrade, Versions
from gridlab.errors import ChainError, GridlabError
from gridlab.frames import READINGS

START = datetime(2026, 4, 1)
MICROSECONDS = 1_775_000_000_000_000 // 900_000_000 * 900_000_000


def a_contract():
    return ContractTerms(
        "roof to roof", "p2p", (5,), (6,), START, START + timedelta(hours=1), TradingRules("matched"),
        SettlementTerms("fixed", 3_200),
    )  # fmt: skip


def contracts():
    terms = a_contract()
    return ContractRegistry(
        {terms.id: terms},
        {terms.id: np.array([MICROSECONDS], np.int64)},
        np.array([5 << 32 | 7, 6 << 32 | 7], np.uint64),
        np.array([-900, 300], np.int64),
        3,
    )


@pytest.fixture
def state(members, account, make):
    """A state in which every register holds something."""
    validators = pack_validators([keys.sandbox(3, f"validator {number}").public_key for number in range(4)])
    state = State.of(Members.of(members), ChainTerms(fee_per_transaction=5), Authority(validators), "a chain")
    rows = [
        (1, account["bank"], account["issuer"], "THB", 10**9, "reserve"),
        (2, account["issuer"], account["alice"], "WATT", 10**9, "mint"),
        (3, account["alice"], account["bob"], "WATT", 77, "transfer"),
    ]
    for row in rows:
        state.ledger.apply(make.transfers(row), sender=row[1])
    state.nonces[:] = np.arange(len(state.nonces))
    state.charged = 9
    orders = make.orders(account["alice"])
    state.resting, _ = state.resting.add(
        account["alice"], orders, np.full(orders.height, 40, np.int64), encode_frame(orders)
    )
    state.meters = state.meters.read(READINGS.check(make.readings()))
    state.meters = state.meters.group(pl.Series([6], dtype=pl.UInt32), pl.Series([5], dtype=pl.UInt32))
    state.certificates = CertificateRegistry.of(certificates())
    state.contracts = contracts()
    providers = ProviderSet.sandbox(15, seed=7).strike(14)
    said = make.observations(dict.fromkeys(range(10), -7), number=2)
    state.reports = OracleReports().appoint(providers).add(said)
    packet = {"channel": ["public"], "sequence": [0], "timeout": [START], "payload": [b"pay"]}
    state.packets = Packets().add(make_frame(packet, sequence=pl.UInt64))
    state.locked = something_locked(state, account)
    state.emergency = an_emergency()
    state.versions = Versions(2, Upgrade(3, 99, bytes(32)), b"now".ljust(32), b"then".ljust(32))
    return state


def something_locked(state, account):
    """A lock, a channel and a stop."""
    stops = Stops().begin("public", 3)
    terms = LockTerms(account["alice"], account["bob"], "WATT", 11, bytes(32), MICROSECONDS, ("public",))
    locks, _ = state.locked.locks.lock(state.ledger, terms, 5, stops)
    sides = [keys.sandbox(3, name) for name in ("alice", "bob")]
    ends = (account["alice"], account["bob"])
    channels, _ = open_channel(state.locked.channels, state.ledger, sides, ends, (13, 0), now=5)
    return Locked(locks, channels, stops)


def an_emergency():
    """A council, a motion of its own and a stop that is over."""
    what = ("zone", "BKK", "three halts")
    stop = StopRecord(0, *what, 7, 9, 3, ("ERC", "BOT"), ended=8, ended_by="vote", referendum=4, reference="block 12")
    motion = Motion("stop", "market", "", "a fault", 99, 10, ("ERC",))
    return EmergencyBook((Seat("ERC", 4, "seat"), Seat("monitor", 2, "monitor")), (motion,), (stop,))


def header_of(state):
    """A header that commits to a state."""
    return Header(
        chain_id=state.chain_id,
        height=5,
        parent=bytes(32),
        timestamp=0,
        transactions_root=bytes(32),
        receipts_root=bytes(32),
        state_root=state.root,
        rules_version=1,
        next_authority=bytes(32),
    )


def make_frame(columns, **dtypes):
    frame = pl.DataFrame(columns, schema_overrides=dtypes)
    return frame.with_columns(pl.col(pl.Datetime).cast(pl.Datetime("us")).dt.replace_time_zone("Asia/Bangkok"))


def certificates():
    return pl.DataFrame(
        {
            "certificate_id": [1],
            "instrument": ["REC"],
            "quantity": [2],
            "energy": [2_000_000],
            "device": [5],
            "technology": ["solar_roof"],
            "zone": ["BKK"],
            "vintage_start": [START],
            "vintage_end": [datetime(2026, 5, 1)],
            "owner": [5],
            "status": ["issued"],
            "beneficiary": [""],
        }
    )


def test_every_register_of_the_state_has_its_way_into_bytes():
    assert list(_CODECS) == [each.name for each in fields(State)]


def test_a_state_comes_back_whole(state):
    again = decode_state(encode_state(state), header_of(state))
    assert encode_state(again) == encode_state(state)
    assert again.root == state.root
    assert again.chain_id == "a chain"
    assert again.ledger.balances.equals(state.ledger.balances)
    assert again.ledger.transfers.equals(state.ledger.transfers)
    assert again.members.frame.equals(state.members.frame)
    assert again.nonces.tolist() == state.nonces.tolist()
    assert (again.charged, again.terms, again.authority) == (9, state.terms, state.authority)
    assert again.versions == state.versions
    for name in ("resting", "meters", "certificates", "contracts", "reports", "packets", "locked"):
        own, other = getattr(state, name), getattr(again, name)
        assert not own.is_empty, name
        assert other.hash == own.hash, name
    assert again.contracts.frame.equals(state.contracts.frame)
    assert again.meters.monthly.equals(state.meters.monthly)


def test_locks_of_another_chain_are_not_taken_even_while_there_are_none(members):
    state = State.of(Members.of(members), ChainTerms(), Authority(b""), "a chain")
    header = header_of(state)
    state.locked = Locked.on("b chain")
    with pytest.raises(ChainError, match="its locks are of 'b chain'"):
        decode_state(encode_state(state), header)
    with pytest.raises(ChainError, match="give one chain's"):
        Locked(Locked.on("a chain").locks, Locked.on("b chain").channels)


def test_a_state_that_came_back_goes_on_like_the_one_it_was(state, make, account):
    again = decode_state(encode_state(state), header_of(state))
    row = (4, account["alice"], account["bob"], "WATT", 5, "transfer")
    late = READINGS.check(make.readings().with_columns(pl.col("slot").dt.offset_by("1h")))
    for each in (state, again):
        each.ledger.apply(make.transfers(row), sender=account["alice"])
        each.meters = each.meters.read(late)
        each.contracts = each.contracts.read(late)
        each.nonces[0] += 1
        each.resting, _, _ = each.resting.close(each.resting.batches[0].slots[:1])
    assert again.root == state.root
    assert encode_state(again) == encode_state(state)


def test_the_state_at_genesis_comes_back(members):
    state = State.of(Members.of(members), ChainTerms(), Authority(b"k"), "c")
    assert encode_state(decode_state(encode_state(state), header_of(state))) == encode_state(state)


def test_a_flipped_bit_in_any_byte_of_a_snapshot_is_found(state):
    data, choose = encode_state(state), random.Random(5)
    places = sorted({*range(60), *(choose.randrange(len(data)) for _ in range(400))})
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(GridlabError):
            decode_state(bytes(damaged), header_of(state))


def test_a_snapshot_cut_short_or_too_long_is_refused(state):
    data = encode_state(state)
    for size in range(0, len(data), 1 + len(data) // 50):
        with pytest.raises(GridlabError):
            decode_state(data[:size], header_of(state))
    with pytest.raises(ChainError, match="left over"):
        decode_state(data + b"\0", header_of(state))
    with pytest.raises(ChainError, match=r"snapshot of block 5: its state root is .*, the block's header says"):
        decode_state(data, replace(header_of(state), state_root=bytes(32)))
    with pytest.raises(ChainError, match="snapshot of block 5: is of chain 'a chain', not 'another'"):
        decode_state(data, replace(header_of(state), chain_id="another"))
    with pytest.raises(ChainError, match="begins with"):
        decode_state(data.replace(b"state-snapshot/1", b"state-snapshot/2"), header_of(state))


def test_meters_whose_lists_do_not_match_are_refused(make):
    register = MeterRegister().read(READINGS.check(make.readings()))
    for wrong in (
        replace(register, days=register.days[:1]),
        replace(register, generation=np.append(register.generation, 1)),
    ):
        with pytest.raises(ChainError, match="allowed: one for each"):
            MeterRegister.from_bytes(wrong.to_bytes())
    assert MeterRegister.from_bytes(register.to_bytes()).hash == register.hash
    assert MeterRegister.from_bytes(MeterRegister().to_bytes()).is_empty


def test_contracts_whose_lists_do_not_match_are_refused():
    registry = contracts()
    assert ContractRegistry.from_bytes(registry.to_bytes()).hash == registry.hash
    with pytest.raises(ChainError, match="2 readings and 1 energies"):
        ContractRegistry.from_bytes(replace(registry, net=registry.net[:1]).to_bytes())


def test_certificates_in_another_form_are_refused():
    registry = CertificateRegistry.of(certificates())
    assert CertificateRegistry.from_bytes(registry.to_bytes()).frame.equals(registry.frame)
    halves = pl.concat([registry.frame, registry.frame]).with_columns(
        certificate_id=pl.Series([1, 2], dtype=pl.UInt64), quantity=1, energy=1_000_000
    )
    with pytest.raises(ChainError, match="not the canonical form"):
        CertificateRegistry.from_bytes(encode_frame(halves.with_columns(pl.col("quantity", "energy").cast(pl.Int64))))


def test_a_resting_batch_comes_back(state):
    assert RestingOrders.from_bytes(state.resting.to_bytes()).hash == state.resting.hash


@given(arrays(np.int64, array_shapes(max_dims=1, min_side=0)))
def test_arrays_come_back(values):
    data = encode_array(values)
    reader = Reader(data)
    assert read_array(reader, np.int64).tolist() == values.tolist()
    reader.finish()
    with pytest.raises(ChainError):
        read_array(Reader(data[:-1]), np.int64)


@given(st.integers(0, 5), st.data())
def test_arrays_of_two_dimensions_come_back_and_can_be_written(rows, data):
    values = data.draw(arrays(np.uint8, (rows, 12)))
    found = read_array(Reader(encode_array(values)), np.uint8, width=12)
    assert found.tolist() == values.tolist()
    found[:] = 0
