import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError

LENGTHS = [1, 2, 4, 8, 32, 33]
PREFIXES = st.integers(0, 16_383).filter(lambda prefix: prefix not in (46, 47))


@pytest.mark.parametrize("number", range(4))
def test_ss58_addresses_of_substrate(vectors, number):
    case = vectors("ss58")["encode"][number]
    payload = bytes.fromhex(case["public_key"][2:])
    assert keys.ss58_encode(payload, case["format"]) == case["address"]
    assert keys.ss58_decode(case["address"]) == (payload, case["format"])


@pytest.mark.parametrize(("number", "reason"), [(0, "46 is reserved"), (1, "47 is reserved"), (2, "checksum")])
def test_ss58_addresses_that_must_be_rejected(vectors, number, reason):
    address = vectors("ss58")["must_reject"][number].split(" ")[0]
    with pytest.raises(ChainError, match=reason):
        keys.ss58_decode(address)


@given(payload=st.sampled_from(LENGTHS).flatmap(lambda size: st.binary(min_size=size, max_size=size)), prefix=PREFIXES)
@settings(deadline=None)
def test_what_is_encoded_is_decoded(payload, prefix):
    assert keys.ss58_decode(keys.ss58_encode(payload, prefix)) == (payload, prefix)


@given(text=st.text(max_size=70))
@settings(deadline=None)
def test_any_text_is_read_or_refused_with_a_gridlab_error(text):
    try:
        payload, prefix = keys.ss58_decode(text)
    except GridlabError:
        return
    assert keys.ss58_encode(payload, prefix) == text


@given(payload=st.binary(min_size=32, max_size=32), place=st.integers(0, 46), letter=st.sampled_from("123ABCabcxyz"))
@settings(deadline=None)
def test_a_mistyped_letter_is_noticed(payload, place, letter):
    address = keys.ss58_encode(payload)
    mistyped = address[:place] + letter + address[place + 1 :]
    if mistyped != address:
        with pytest.raises(ChainError):
            keys.ss58_decode(mistyped)


def test_a_small_network_number_in_two_bytes_is_refused():
    from gridlab.chain import ss58

    body = bytes([0b0100_0000 | 42 >> 2, (42 & 3) << 6]) + bytes(32)
    with pytest.raises(ChainError, match="two bytes where one is enough"):
        keys.ss58_decode(ss58._base58_encode(body + ss58._checksum(body)[:2]))


@pytest.mark.parametrize("prefix", [-1, 46, 47, 16_384])
def test_prefixes_that_do_not_exist_are_refused(prefix):
    with pytest.raises(ArgumentError, match=str(prefix)):
        keys.ss58_encode(bytes(32), prefix)


@pytest.mark.parametrize("size", [0, 3, 31, 34])
def test_payloads_of_other_lengths_are_refused(size):
    with pytest.raises(ArgumentError, match=f"{size} bytes"):
        keys.ss58_encode(bytes(size))


@pytest.mark.parametrize(
    "call",
    [
        lambda: keys.ss58_encode("text"),
        lambda: keys.ss58_encode(bytes(32), "42"),
        lambda: keys.ss58_encode(bytes(32), True),
        lambda: keys.ss58_decode(b"5Grw"),
        lambda: keys.ss58_decode(None),
    ],
)
def test_wrong_types_are_argument_type_errors(call):
    with pytest.raises(ArgumentTypeError):
        call()


@pytest.mark.parametrize("text", ["", "0", "5Grw", "l" * 47, "z" * 65, "1" * 48])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ChainError, match="SS58 address"):
        keys.ss58_decode(text)
