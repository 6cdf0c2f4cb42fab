import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain.encoding import compact, text
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.moments import LATEST
from gridlab.errors import ArgumentTypeError, ChainError, FrameError, GridlabError
from gridlab.frames import SLOT

LAYOUTS = {pl.Int64: (1, "<q"), pl.UInt64: (2, "<Q"), pl.UInt32: (3, "<I"), pl.UInt8: (4, "<B"), pl.Boolean: (5, "<B")}
VALUES = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.UInt32: st.integers(0, 2**32 - 1),
    pl.UInt8: st.integers(0, 255),
    pl.Boolean: st.booleans(),
    pl.String: st.text(max_size=6),
    pl.Binary: st.binary(max_size=6),
}


def reference(frame):
    """The canonical bytes, one value at a time."""
    out = compact(frame.width) + compact(frame.height)
    for series in frame:
        out += text(series.name)
        values = series.to_list()
        if series.dtype in LAYOUTS:
            tag, layout = LAYOUTS[series.dtype]
            out += bytes([tag]) + b"".join(struct.pack(layout, value) for value in values)
        elif series.dtype == SLOT:
            micros = series.dt.timestamp("us").to_list()
            out += bytes([6]) + b"".join(struct.pack("<q", value) for value in micros)
        elif isinstance(series.dtype, pl.Enum):
            names = series.dtype.categories.to_list()
            layout = "<B" if len(names) <= 256 else "<H"
            out += bytes([16]) + compact(len(names)) + b"".join(text(name) for name in names)
            out += b"".join(struct.pack(layout, names.index(value)) for value in values)
        else:
            raw = [value.encode() if isinstance(value, str) else value for value in values]
            out += bytes([17 if series.dtype == pl.String else 18])
            out += b"".join(struct.pack("<I", len(value)) for value in raw) + b"".join(raw)
    return out


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 5))
    series = []
    for number in range(draw(st.integers(1, 5))):
        name = f"{draw(st.text(max_size=3))}{number}"
        kind = draw(st.sampled_from([*VALUES, "enum", "slot"]))
        if kind == "enum":
            names = draw(st.lists(st.text(max_size=4), min_size=1, max_size=4, unique=True))
            values = draw(st.lists(st.sampled_from(names), min_size=rows, max_size=rows))
            series.append(pl.Series(name, values, dtype=pl.Enum(names)))
        elif kind == "slot":
            micros = draw(st.lists(st.integers(0, 2**52), min_size=rows, max_size=rows))
            series.append(pl.Series(name, micros, dtype=pl.Int64).cast(SLOT))
        else:
            values = draw(st.lists(VALUES[kind], min_size=rows, max_size=rows))
            series.append(pl.Series(name, values, dtype=kind))
    return pl.DataFrame(series)


@given(frame=frames())
@settings(max_examples=150, deadline=None)
def test_frames_encode_as_the_reference_and_come_back_the_same(frame):
    data = encode_frame(frame)
    assert data == reference(frame)
    again = decode_frame(data)
    assert again.schema == frame.schema
    assert again.equals(frame)


@given(frame=frames(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_refused_or_are_the_canonical_form_of_another_frame(frame, data):
    good = encode_frame(frame)
    place, change = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(1, 255))
    bad = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
    try:
        other = decode_frame(bad)
    except ChainError:
        return
    assert encode_frame(other) == bad
    assert not (other.equals(frame) and other.schema == frame.schema)


@given(frame=frames(), cut=st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_bytes_that_are_missing_or_left_over_are_refused(frame, cut):
    data = encode_frame(frame)
    with pytest.raises(ChainError):
        decode_frame(data[: max(0, len(data) - cut)])
    with pytest.raises(ChainError, match="left over"):
        decode_frame(data + bytes(cut))


@given(data=st.binary(max_size=60))
@settings(deadline=None)
def test_garbage_is_refused_with_a_chain_error(data):
    try:
        frame = decode_frame(data)
    except ChainError:
        return
    assert encode_frame(frame) == data


@pytest.mark.parametrize("count", [1, 255, 256, 257])
def test_enum_codes_take_the_narrowest_width_that_holds_them(count):
    names = [f"zone {number}" for number in range(count)]
    frame = pl.DataFrame({"zone": pl.Series(names[::-1], dtype=pl.Enum(names))})
    data = encode_frame(frame)
    assert data == reference(frame)
    assert decode_frame(data).equals(frame)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (compact(0) + compact(0), "no columns"),
        (compact(2) + compact(0) + 2 * (text("a") + b"\x01"), "'a' stands there twice"),
        (compact(1) + compact(0) + text("a") + b"\x07", "tag 7"),
        (compact(1) + compact(1) + text("a") + b"\x05\x02", "neither 0 nor 1"),
        (compact(1) + compact(1) + text("a") + b"\x10" + compact(1) + text("x") + b"\x01", "holds the code 1"),
        (compact(1) + compact(1) + text("a") + b"\x10" + compact(0) + b"\x00", "0 categories"),
        (compact(1) + compact(0) + text("a") + b"\x10" + compact(2) + 2 * text("x"), "category twice"),
        (compact(1) + compact(1) + text("a") + b"\x11\x01\0\0\0\xff", "UTF-8"),
        (compact(1) + compact(2) + text("a") + b"\x11" + 2 * b"\x01\0\0\0" + "ก".encode()[:2], "UTF-8"),
        (compact(1) + compact(2**60) + text("a") + b"\x01", "cut short"),
        (compact(2**500) + compact(1), "cut short"),
        (compact(1) + compact(0) + text("a") + b"\x10" + compact(2**500), "cut short"),
    ],
)
def test_bytes_that_no_frame_gives_are_refused(data, reason):
    with pytest.raises(ChainError, match=reason):
        decode_frame(data, "orders")


@pytest.mark.parametrize(
    "series",
    [
        pl.Series("x", [1.5]),
        pl.Series("x", [1], dtype=pl.Int32),
        pl.Series("x", [[1]]),
        pl.Series("x", [0], dtype=pl.Int64).cast(pl.Datetime("us")),
        pl.Series("x", [0], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
        pl.Series("x", ["a"], dtype=pl.Categorical),
    ],
)
def test_dtypes_that_are_not_exact_or_not_ours_are_refused(series):
    with pytest.raises(FrameError, match="column 'x' has dtype"):
        encode_frame(pl.DataFrame([series]))


@pytest.mark.parametrize("moment", [-1, -(2**63), 2**63 - 1, LATEST + 1])
def test_moments_that_no_calendar_shows_are_refused_on_both_ways(moment):
    slots = pl.DataFrame({"slot": pl.Series([0, moment], dtype=pl.Int64).cast(SLOT)})
    with pytest.raises(FrameError, match=f"before 1970 or after 9998[\\s\\S]*│ 1 [^│]*┆ {moment}"):
        encode_frame(slots)
    with pytest.raises(ChainError, match="moment is outside"):
        decode_frame(reference(slots.with_columns(pl.col("slot").cast(pl.Int64))).replace(b"slot\x01", b"slot\x06"))


def test_nulls_and_frames_without_columns_are_refused():
    with pytest.raises(FrameError, match=r"column 'x' has 1 nulls"):
        encode_frame(pl.DataFrame({"x": [1, None]}))
    with pytest.raises(FrameError, match="without columns"):
        encode_frame(pl.DataFrame())


def test_chunks_and_slices_do_not_show_in_the_bytes():
    whole = pl.DataFrame({"x": np.arange(10), "y": [str(number) for number in range(10)]})
    parts = pl.concat([whole[:3], whole[3:]], rechunk=False)
    assert parts.n_chunks() == 2
    assert encode_frame(parts) == encode_frame(whole)
    assert encode_frame(whole[2:5]) == encode_frame(pl.DataFrame(whole[2:5].to_dicts(), schema=whole.schema))


@pytest.mark.parametrize("call", [lambda: encode_frame({"x": [1]}), lambda: encode_frame(pl.LazyFrame({"x": [1]}))])
def test_what_is_no_frame_is_an_argument_type_error(call):
    with pytest.raises(ArgumentTypeError, match="DataFrame"):
        call()


def test_what_is_no_bytes_is_an_argument_type_error():
    with pytest.raises(GridlabError, match="allowed: bytes"):
        decode_frame("text")
