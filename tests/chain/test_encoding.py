import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import encoding
from gridlab.chain.encoding import Reader
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "04"),
        (42, "a8"),
        (63, "fc"),
        (64, "0101"),
        (69, "1501"),
        (16_383, "fdff"),
        (16_384, "02000100"),
        (65_535, "feff0300"),
        (2**30 - 1, "feffffff"),
        (2**30, "0300000040"),
        (100_000_000_000_000, "0b00407a10f35a"),
        (2**536 - 1, "ff" * 68),
    ],
)
def test_compact_integers_of_the_scale_documentation(value, encoded):
    assert encoding.compact(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).compact() == value


@given(value=st.integers(0, 2**536 - 1))
@settings(deadline=None)
def test_compact_integers_round_trip_in_the_fewest_bytes(value):
    encoded = encoding.compact(value)
    reader = Reader(encoded)
    assert reader.compact() == value
    reader.finish()
    if value >= 2**30:
        assert encoded[-1]  # no leading zero in the big form


@given(data=st.binary(max_size=70))
@settings(deadline=None)
def test_compact_bytes_are_read_as_their_own_canonical_form_or_refused(data):
    reader = Reader(data)
    try:
        value = reader.compact()
    except ChainError:
        return
    assert data[: reader.position] == encoding.compact(value)


@pytest.mark.parametrize("data", ["0100", "fd00", "02000000", "feff0000", "0300000000", "07ffffff3f00"])
def test_numbers_that_are_longer_than_need_be_are_refused(data):
    with pytest.raises(ChainError, match="shortest form"):
        Reader(bytes.fromhex(data)).compact()


@given(
    parts=st.lists(
        st.one_of(
            st.tuples(st.just("u8"), st.integers(0, 2**8 - 1)),
            st.tuples(st.just("u32"), st.integers(0, 2**32 - 1)),
            st.tuples(st.just("u64"), st.integers(0, 2**64 - 1)),
            st.tuples(st.just("i64"), st.integers(-(2**63), 2**63 - 1)),
            st.tuples(st.just("blob"), st.binary(max_size=90)),
            st.tuples(st.just("text"), st.text(max_size=40)),
        ),
        max_size=8,
    )
)
@settings(deadline=None)
def test_what_is_written_is_read_and_nothing_less_or_more(parts):
    data = b"".join(getattr(encoding, kind)(value) for kind, value in parts)
    reader = Reader(data)
    assert [(kind, getattr(reader, kind)()) for kind, _ in parts] == parts
    reader.finish()
    for wrong in [data + b"\0", *([data[:-1]] if data else [])]:
        reader = Reader(wrong)
        with pytest.raises(ChainError, match=r"left over|cut short"):
            _ = [getattr(reader, kind)() for kind, _ in parts], reader.finish()


def test_text_that_is_not_utf_8_is_refused():
    for raw in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80"):
        with pytest.raises(ChainError, match="UTF-8"):
            Reader(encoding.blob(raw)).text()


def test_an_error_says_what_was_read_and_where():
    with pytest.raises(ChainError, match=r"header: cut short, 4 more bytes expected and 2 left.*byte 0 of 2"):
        Reader(b"ab", "header").u32()


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (encoding.u8, 256),
        (encoding.u32, -1),
        (encoding.u64, 2**64),
        (encoding.i64, 2**63),
        (encoding.compact, -1),
        (encoding.compact, 2**536),
        (encoding.text, "\ud800"),
    ],
)
def test_values_out_of_range_are_refused(write, value):
    with pytest.raises(ArgumentError, match="allowed"):
        write(value)


@pytest.mark.parametrize(
    ("write", "value"),
    [(encoding.u8, "1"), (encoding.u64, 1.0), (encoding.compact, True), (encoding.blob, "a"), (encoding.text, b"a")],
)
def test_wrong_types_are_argument_type_errors(write, value):
    with pytest.raises(ArgumentTypeError, match="allowed"):
        write(value)
