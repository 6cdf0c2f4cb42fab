import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import Transaction, keys, transaction_list
from gridlab.chain.ed25519 import Verdicts
from gridlab.chain.encoding import text
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.single_transfers import SingleTransfers, layout_of, recognise
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import ArgumentTypeError, ChainError

CHAIN = "unit-chain"
PAIRS = [keys.sandbox(0, f"member {number}") for number in range(3)]
REQUIRED = [column for column in TRANSFERS.columns if column.required]


def values_of(column):
    if isinstance(column.dtype, pl.Enum):
        return st.sampled_from(column.dtype.categories.to_list())
    bits = {pl.UInt64: (0, 64), pl.UInt32: (0, 32), pl.Int64: (63, 63)}[column.dtype]
    return st.integers(-(2 ** bits[0]) if bits[0] else 0, 2 ** bits[1] - 1)


ROWS = st.fixed_dictionaries({column.name: values_of(column) for column in REQUIRED})
HEADS = st.fixed_dictionaries({"nonce": st.integers(0, 2**64 - 1), "expiry": st.integers(0, 2**64 - 1)})


def frame_of(row, rows=1):
    return pl.DataFrame({column.name: pl.Series([row[column.name]] * rows, dtype=column.dtype) for column in REQUIRED})


def transfer(row=None, *, sender=0, chain_id=CHAIN, kind="transfer", payload=None, nonce=0, expiry=9):
    row = row or {column.name: 1 for column in REQUIRED} | {"asset": "WATT", "code": "transfer"}
    payload = encode_frame(frame_of(row)) if payload is None else payload
    return Transaction.sign(PAIRS[sender], chain_id=chain_id, kind=kind, nonce=nonce, expiry=expiry, payload=payload)


@given(rows=st.lists(st.tuples(ROWS, HEADS, st.integers(0, 2)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_columns_of_single_transfers_are_their_fields(rows):
    made = [transfer(row, sender=sender, **head) for row, head, sender in rows]
    encoded = [each.to_bytes() for each in made]
    assert recognise(encoded, CHAIN).all()
    columns = SingleTransfers.of(encoded, CHAIN)
    assert len(columns) == len(made)
    assert [bytes(sender) for sender in columns.values["sender"]] == [each.sender for each in made]
    assert [bytes(signature) for signature in columns.values["signature"]] == [each.signature for each in made]
    assert columns.column("nonce").tolist() == [each.nonce for each in made]
    assert columns.column("expiry").tolist() == [each.expiry for each in made]
    expected = pl.concat([decode_frame(each.payload) for each in made])
    assert columns.frame().equals(expected)
    assert columns.frame().schema == expected.schema


@given(row=ROWS, place=st.integers(0, 10_000), value=st.integers(0, 255), rest=st.integers(-2, 2))
@settings(max_examples=300, deadline=None)
def test_what_is_recognised_is_canonical_and_holds_one_row_whatever_byte_is_changed(row, place, value, rest):
    plain = transfer(row).to_bytes()
    whole = bytearray(plain)
    whole[place % len(whole)] = value
    whole = bytes(whole[:rest] if rest < 0 else whole + bytes(rest))
    layout = layout_of(CHAIN)
    expected = len(whole) == layout.length and all(
        new == old for new, old, fixed in zip(whole, plain, layout.constant, strict=True) if fixed
    )
    for column in REQUIRED:
        if isinstance(column.dtype, pl.Enum) and expected:
            expected = whole[layout.fields.fields[column.name][1]] < len(column.dtype.categories)
    assert recognise([whole], CHAIN).tolist() == [expected]
    if expected:
        read = Transaction.from_bytes(whole)
        assert (read.to_bytes(), read.chain_id, read.kind) == (whole, CHAIN, "transfer")
        payload = decode_frame(read.payload)
        assert payload.schema == frame_of(row).schema
        assert payload.equals(SingleTransfers.of([whole], CHAIN).frame())


@pytest.mark.parametrize(
    "other",
    [
        transfer(chain_id="other-name"),
        transfer(kind="transfes"),
        transfer(kind="settlement"),
        transfer(payload=b""),
        transfer(payload=encode_frame(frame_of({c.name: 1 for c in REQUIRED} | {"asset": "WATT", "code": "fee"}, 2))),
    ],
)
def test_any_other_transaction_is_left_to_the_reader_of_all(other):
    encoded = [transfer().to_bytes(), other.to_bytes(), transfer(nonce=1).to_bytes()]
    assert recognise(encoded, CHAIN).tolist() == [True, False, True]
    mixed = TransactionList.of(encoded, CHAIN)
    assert mixed.single.tolist() == [True, False, True]
    assert mixed == (transfer(), other, transfer(nonce=1))


def test_a_code_beyond_the_categories_is_not_recognised():
    layout = layout_of(CHAIN)
    whole = bytearray(transfer().to_bytes())
    whole[layout.fields.fields["asset"][1]] = 255
    assert not recognise([bytes(whole)], CHAIN).any()


def test_ids_senders_and_verdicts_are_those_of_the_objects():
    good = [transfer(nonce=number, sender=number % 3) for number in range(40)]
    spoilt = Transaction(CHAIN, "transfer", PAIRS[0].public_key, 7, 9, good[0].payload, good[1].signature)
    too_large = good[2].signature[:32] + b"\xff" * 32
    large = Transaction(CHAIN, "transfer", PAIRS[0].public_key, 8, 9, good[0].payload, too_large)
    small = Transaction(CHAIN, "transfer", bytes(32), 8, 9, good[0].payload, good[3].signature)
    batch = transfer(kind="order_batch", payload=b"anything")
    everything = [*good[:20], spoilt, large, small, batch, *good[20:]]
    listed = TransactionList.of([each.to_bytes() for each in everything], CHAIN)
    assert list(listed.signed) == [each.is_signed for each in everything]
    assert sum(listed.signed) == 41
    assert list(listed.ids) == [each.id for each in everything]
    assert list(listed.senders) == [each.sender for each in everything]
    assert list(listed.encoded) == [each.to_bytes() for each in everything]
    assert list(listed) == everything
    assert listed[23] is listed[23]


def test_a_list_of_objects_is_the_list_of_their_bytes():
    made = [transfer(nonce=number) for number in range(3)]
    from_objects, from_bytes = TransactionList.of(made, CHAIN), TransactionList.of([m.to_bytes() for m in made], CHAIN)
    assert from_objects == from_bytes == tuple(made)
    assert tuple(made) == from_bytes
    assert hash(from_bytes) == hash(tuple(made))
    assert from_bytes != from_bytes[:2]
    assert from_bytes != [1, 2, 3]
    assert from_objects[1] is made[1]
    assert TransactionList.of(from_bytes, CHAIN) is from_bytes
    assert repr(from_bytes) == "TransactionList(3 transactions)"
    assert from_bytes.ids == [each.id for each in made]


def test_what_is_known_stays_known_through_slices_and_sums(monkeypatch):
    made = [transfer(nonce=number) for number in range(6)]
    first, second = (TransactionList.of(part, CHAIN) for part in (made[:4], made[4:]))
    assert all(first.signed)
    assert all(second.signed)
    monkeypatch.setattr(transaction_list, "open_many", lambda *_: pytest.fail("checked again"))
    monkeypatch.setattr(transaction_list, "_ids", lambda *_: pytest.fail("hashed again"))
    whole = first + second
    assert list(whole.signed) == [True] * 6
    assert list(whole[1:5].ids) == [each.id for each in made[1:5]]
    assert whole[::-1] == tuple(made[::-1])
    assert whole.take([5, 0]) == (made[5], made[0])
    assert list(whole.take([5, 0]).signed) == [True, True]
    assert len(TransactionList.joined([], CHAIN)) == 0
    assert list(TransactionList.joined([], CHAIN).signed) == []


def test_verdicts_are_remembered_from_one_list_to_another(monkeypatch):
    monkeypatch.setattr(transaction_list, "_verdicts", Verdicts(100))
    made = [transfer(nonce=number) for number in range(3)]
    assert all(TransactionList.of(made, CHAIN).signed)
    asked = []
    monkeypatch.setattr(transaction_list, "open_many", lambda keys, _: asked.extend(keys) or [True] * len(keys))
    more = [*made, transfer(nonce=3, sender=2)]
    assert list(TransactionList.of(more, CHAIN).signed) == [True] * 4
    assert asked == [PAIRS[2].public_key]


def test_what_is_no_transaction_is_refused_with_its_place():
    good = transfer()
    for wrong in ("text", None, bytearray(good.to_bytes())):
        with pytest.raises(ArgumentTypeError, match=r"transactions\[1\] is a .*allowed"):
            TransactionList.of([good, wrong], CHAIN)
    cut = good.to_bytes()[:-1]
    with pytest.raises(ChainError, match=r"transactions\[2\]: transaction: cut short"):
        TransactionList.of([good, good, cut], CHAIN)
    with pytest.raises(ChainError, match=r"transactions\[0\].*left over"):
        TransactionList.of([good.to_bytes() + b"x"], CHAIN)
    with pytest.raises(TypeError):
        TransactionList.of([good], CHAIN) + 5


@given(st.lists(st.sampled_from([CHAIN, "x", "a" * 63, "ก"]), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_layout_follows_the_length_of_the_chains_name(names):
    for name in names:
        encoded = transfer(chain_id=name).to_bytes()
        assert recognise([encoded], name).all()
        assert layout_of(name).length == len(encoded)
        assert bytes(layout_of(name).template[: len(text(name))].astype(np.uint8)) == text(name)
