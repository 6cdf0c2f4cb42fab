import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.encoding import blob
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.receipts import Receipt, ReceiptList, decode_receipts, encode_receipts, listed, receipts_root
from gridlab.errors import ArgumentError, ChainError, GridlabError

RECEIPTS = st.lists(
    st.builds(
        Receipt,
        st.binary(min_size=32, max_size=32),
        st.sampled_from(["accepted", "bad_nonce", "ledger_refused"]),
        st.text(max_size=5),
        st.none() | st.integers(0, 2**32 - 1),
        st.sampled_from([b"", bytes(32), b"\x01" * 32]),
    ),
    max_size=8,
).map(tuple)


@given(RECEIPTS)
def test_receipts_by_the_column_are_the_receipts(receipts):
    columns = listed(receipts)
    assert columns == receipts
    assert receipts == columns
    assert tuple(columns) == receipts
    assert hash(columns) == hash(receipts)
    assert columns[1:] == receipts[1:]
    assert columns.leaves() == [receipt.to_bytes() for receipt in receipts]
    assert receipts_root(columns) == receipts_root(receipts)
    assert columns.rejected == sum(not receipt.accepted for receipt in receipts)
    assert len(repr(columns)) < 60
    if receipts:
        assert columns[-1] == receipts[-1]
    with pytest.raises(IndexError):
        columns[len(receipts)]


@given(RECEIPTS)
def test_receipts_have_one_encoding_that_reads_back(receipts):
    data = encode_receipts(receipts)
    ids = [receipt.transaction_id for receipt in receipts]
    assert decode_receipts(data, ids) == receipts
    assert encode_receipts(decode_receipts(data, ids)) == data
    with pytest.raises(ChainError, match=f"{len(ids)} receipts for {len(ids) + 1} transactions"):
        decode_receipts(data, [*ids, bytes(32)])


@given(RECEIPTS, st.integers(0), st.integers(0, 255))
def test_changed_bytes_are_refused_or_are_other_receipts(receipts, place, value):
    data = bytearray(encode_receipts(receipts))
    data[place % len(data)] = value
    ids = [receipt.transaction_id for receipt in receipts]
    try:
        found = decode_receipts(bytes(data), ids)
    except GridlabError:
        return
    assert encode_receipts(found) == bytes(data)
    assert (found == receipts) is (bytes(data) == encode_receipts(receipts))


WHOLE = pl.DataFrame({"code": ["accepted"], "reason": [""], "known": [True], "account": [1]}).cast(
    {"code": pl.Enum(["accepted"]), "account": pl.UInt32}
)
OUTPUTS = pl.DataFrame({"place": [0, 1], "output": [b"a", b"b"]}).cast({"place": pl.UInt32})


@pytest.mark.parametrize(
    ("whole", "outputs"),
    [
        (WHOLE.rename({"code": "kode"}), OUTPUTS.clear()),
        (WHOLE.select("reason", "code", "known", "account"), OUTPUTS.clear()),
        (WHOLE.cast({"code": pl.String}), OUTPUTS.clear()),
        (WHOLE.cast({"account": pl.UInt64}), OUTPUTS.clear()),
        (WHOLE.with_columns(reason=pl.lit(1, dtype=pl.Int64)), OUTPUTS.clear()),
        (WHOLE.with_columns(known=pl.lit(value=False)), OUTPUTS.clear()),
        (WHOLE.cast({"code": pl.Enum(["other", "accepted"])}), OUTPUTS.clear()),
        (WHOLE, OUTPUTS),
        (WHOLE, OUTPUTS.with_columns(place=pl.lit(0, dtype=pl.UInt32))),
        (WHOLE, OUTPUTS.head(1).cast({"output": pl.String})),
        (WHOLE, OUTPUTS.head(1).with_columns(output=pl.lit(b""))),
    ],
)
def test_frames_in_another_form_are_refused(whole, outputs):
    with pytest.raises(ChainError, match="receipts"):
        decode_receipts(blob(encode_frame(whole)) + blob(encode_frame(outputs)), [bytes(32)])


def test_outputs_come_in_the_order_of_the_receipts():
    two = pl.concat([WHOLE, WHOLE])
    with pytest.raises(ChainError, match="canonical"):
        decode_receipts(blob(encode_frame(two)) + blob(encode_frame(OUTPUTS.reverse())), [bytes(32)] * 2)


def test_columns_of_two_lengths_are_refused():
    with pytest.raises(ArgumentError, match="one length"):
        ReceiptList([bytes(32)], ["accepted"], [], [None], {})
