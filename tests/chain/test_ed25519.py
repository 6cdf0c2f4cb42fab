import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ed25519, keys
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError

P = ed25519.FIELD_PRIME
L = ed25519.GROUP_ORDER
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


# RFC 8032, section 5.1, in affine coordinates and big integers: slow, and nothing to hide.


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data):
    """Return the point, or None where the encoding is not canonical or not on the curve."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
ORDER_8 = decode(ed25519._Y_OF_ORDER_8.to_bytes(32, "little"))


def challenge(r, a, message):
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def reference_verify(public_key, message, signature):
    r, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    a = decode(public_key)
    if a is None or r is None or s >= L or times(8, a) == (0, 1) or times(8, r) == (0, 1):
        return False
    k = challenge(signature[:32], public_key, message)
    return times(s, BASE) == add(r, times(k, a))


@pytest.mark.parametrize("number", range(5))
def test_speccheck_edge_cases_only_the_fourth_is_valid(vectors, number):
    case = vectors("ed25519_edge_cases")["cases"][number]
    key, message, signature = (bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature"))
    assert keys.verify(key, message, signature) is (number == 3)
    assert reference_verify(key, message, signature) is (number == 3)


@pytest.mark.parametrize(
    ("seed", "public_key", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
                "595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
                "b4302aeeb00d291612bb0c00"
            ),
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
                "716ed28dc027beceea1ec40a"
            ),
        ),
    ],
)
def test_rfc_8032_section_7_1_vectors(seed, public_key, message, signature):
    pair = keys.KeyPair.from_seed(bytes.fromhex(seed))
    assert pair.public_key.hex() == public_key
    assert pair.sign(bytes.fromhex(message)).hex() == signature
    assert keys.verify(pair.public_key, bytes.fromhex(message), bytes.fromhex(signature))


def test_the_block_list_is_all_points_of_small_order_and_no_other():
    points = {times(number, ORDER_8) for number in range(8)}
    assert len(points) == 8
    assert {y for _, y in points} == ed25519.SMALL_ORDER_Y


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), flip=st.integers(0, 96 * 8 - 1))
@settings(max_examples=40, deadline=None)
def test_a_flipped_bit_in_key_or_signature_gets_the_verdict_of_the_reference(seed, message, flip):
    pair = keys.KeyPair.from_seed(seed)
    whole = bytearray(pair.public_key + pair.sign(message))
    assert keys.verify(bytes(whole[:32]), message, bytes(whole[32:]))
    whole[flip // 8] ^= 1 << flip % 8
    key, signature = bytes(whole[:32]), bytes(whole[32:])
    assert keys.verify(key, message, signature) is reference_verify(key, message, signature) is False


@given(secret=st.integers(1, L - 1), nonce=st.integers(1, L - 1), torsion=st.integers(0, 7), place=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_keys_of_mixed_order_get_the_cofactorless_verdict(secret, nonce, torsion, place):
    # A = aB + T (place 0 or 2) and R = rB + T (place 1 or 2): libraries that multiply by 8 accept every one of these.
    extra = times(torsion, ORDER_8)
    a = add(times(secret, BASE), extra if place in (0, 2) else (0, 1))
    r = add(times(nonce, BASE), extra if place in (1, 2) else (0, 1))
    message = nonce.to_bytes(32, "little")
    k = challenge(encode(r), encode(a), message)
    signature = encode(r) + ((nonce + k * secret) % L).to_bytes(32, "little")
    expected = reference_verify(encode(a), message, signature)
    assert keys.verify(encode(a), message, signature) is expected
    assert ed25519._openssl(encode(a), message, signature) is expected


def test_a_signature_with_the_group_order_added_to_s_is_refused():
    pair = keys.sandbox(0, "malleable")
    signature = pair.sign(b"once")
    larger = int.from_bytes(signature[32:], "little") + L
    assert not keys.verify(pair.public_key, b"once", signature[:32] + larger.to_bytes(32, "little"))


@given(key=st.binary(max_size=40), message=st.binary(max_size=8), signature=st.binary(max_size=70))
@settings(deadline=None)
def test_garbage_bytes_are_not_valid_and_never_an_exception(key, message, signature):
    assert keys.verify(key, message, signature) is False


def test_verdicts_are_remembered_by_key_message_and_signature(monkeypatch):
    asked = []
    monkeypatch.setattr(ed25519, "_verdicts", ed25519.Verdicts(2))
    monkeypatch.setattr(ed25519, "_equation", lambda: lambda *check: asked.append(check) or True)
    pair = keys.sandbox(0, "remembered")
    checks = [(pair.public_key, message, pair.sign(message)) for message in (b"a", b"b", b"c")]
    for check in (checks[0], checks[0], checks[1], checks[2], checks[0]):
        assert keys.verify(*check)
    assert asked == [checks[0], checks[1], checks[2], checks[0]]  # the memory holds two, so the first was forgotten


def test_a_library_that_multiplies_by_the_cofactor_is_not_used(monkeypatch):
    ed25519._equation.cache_clear()
    monkeypatch.setattr(ed25519, "_libsodium", lambda *_: True)
    try:
        assert ed25519._equation() is ed25519._openssl
    finally:
        ed25519._equation.cache_clear()


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 101])
def test_verify_many_gives_one_verdict_per_check_in_order(count):
    pair = keys.sandbox(0, "many")
    checks, expected = [], []
    for number in range(count):
        message = number.to_bytes(2, "little")
        good = number % 3 > 0
        checks.append((pair.public_key, message if good else b"other", pair.sign(message)))
        expected.append(good)
    assert keys.verify_many(checks) == expected


EDGES = [
    *range(3),
    *(P + step for step in range(-2, 20)),
    *(L + step for step in range(-2, 3)),
    *sorted(ed25519.SMALL_ORDER_Y),
    *(y + step for y in sorted(ed25519.SMALL_ORDER_Y) for step in (1, 2**64, 2**128, 2**192)),
    *(2**bits - 1 for bits in (64, 128, 192, 252, 253, 254, 255)),
]
NUMBERS = st.sampled_from(EDGES) | st.integers(0, 2**255 - 1)


@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 7)), max_size=12))
def test_well_formedness_by_the_column_is_that_of_each_row(rows):
    # The three top bits: the signs of A and R, and a bit that makes S too large.
    numbers = [
        [number % 2**255 | (signs >> place & 1) << 255 for place, number in enumerate(row)] for *row, signs in rows
    ]
    whole = [[number.to_bytes(32, "little") for number in row] for row in numbers]
    keys_array = np.frombuffer(b"".join(row[0] for row in whole), np.uint8).reshape(-1, 32)
    signatures = np.frombuffer(b"".join(row[1] + row[2] for row in whole), np.uint8).reshape(-1, 64)
    expected = [ed25519._well_formed(row[0], row[1] + row[2]) for row in whole]
    assert ed25519.well_formed(keys_array, signatures).tolist() == expected


def test_every_edge_is_judged_alike_by_row_and_by_column():
    fine = (9).to_bytes(32, "little")
    edges = [(number | sign << 255).to_bytes(32, "little") for number in EDGES if number < 2**255 for sign in (0, 1)]
    spots = (((edge, fine, fine), (fine, edge, fine), (fine, fine, edge)) for edge in edges)
    places = itertools.chain.from_iterable(spots)
    rows = np.frombuffer(b"".join(map(b"".join, places)), np.uint8).reshape(-1, 96)
    expected = [ed25519._well_formed(row.tobytes()[:32], row.tobytes()[32:]) for row in rows]
    assert ed25519.well_formed(rows[:, :32], rows[:, 32:]).tolist() == expected
    assert 0 < sum(expected) < len(expected)


@pytest.mark.parametrize("library", ["_libsodium", "_openssl"])
def test_opening_many_gives_one_verdict_per_signed_message(monkeypatch, library):
    monkeypatch.setattr(ed25519, "_equation", lambda: getattr(ed25519, library))
    pair = keys.sandbox(0, "open")
    messages = [b"", b"one", bytes(1000)]
    signed = [pair.sign(message) + message for message in messages]
    spoilt = [whole[:-1] + bytes([whole[-1] ^ 1]) for whole in signed]
    assert ed25519.open_many([pair.public_key] * 6, [*signed, *spoilt]) == [True] * 3 + [False] * 3


@pytest.mark.parametrize("cores", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 15, 16, 1025, 2000])
def test_slices_on_any_number_of_cores_give_the_results_in_order(monkeypatch, cores, count):
    monkeypatch.setattr(ed25519.os, "cpu_count", lambda: cores)
    assert ed25519.in_slices(lambda part: [2 * item for item in part], range(count)) == [2 * n for n in range(count)]


def test_many_verdicts_at_once_push_out_the_oldest():
    memory = ed25519.Verdicts(3)
    memory.put_many([b"a", b"b"], [True, False])
    memory.put_many([b"c", b"b", b"d"], [True, True, False])
    assert memory.get_many([b"a", b"b", b"c", b"d"]) == [None, True, True, False]
    memory.put_many([b"1", b"2", b"3", b"4", b"5"], [True] * 5)
    assert memory.get_many([b"d", b"1", b"2", b"3", b"4", b"5"]) == [None, None, None, True, True, True]


def test_sandbox_keys_differ_by_seed_and_name_and_never_by_run():
    pairs = [keys.sandbox(seed, name) for seed in (0, 1, 256) for name in ("a", "b", "a\0", "")]
    assert len({pair.public_key for pair in pairs}) == len(pairs)
    # The derivation spelled out, because every published fingerprint of a run depends on it. Text has its length,
    # times four, in front.
    domain, name = b"gridlab/sandbox-key/1", b"trader"
    parts = bytes([len(domain) * 4]) + domain + (9).to_bytes(8, "little") + bytes([len(name) * 4]) + name
    seed = hashlib.blake2b(parts, digest_size=32).digest()
    assert keys.sandbox(9, "trader") == keys.KeyPair.from_seed(seed)


def test_a_key_pair_shows_its_address_and_not_its_secret():
    pair = keys.sandbox(3, "quiet")
    assert repr(pair) == f"KeyPair({pair.address})"
    assert keys.ss58_decode(pair.address) == (pair.public_key, 42)


@pytest.mark.parametrize(
    "call",
    [
        lambda: keys.verify("key", b"", b""),
        lambda: keys.verify(bytes(32), "message", bytes(64)),
        lambda: keys.verify(bytes(32), b"", bytearray(64)),
        lambda: keys.verify_many(5),
        lambda: keys.verify_many([b"key"]),
        lambda: keys.verify_many([(b"key", b"message", "signature")] * 40),
        lambda: keys.KeyPair.from_seed("seed"),
        lambda: keys.sandbox("0", "name"),
        lambda: keys.sandbox(True, "name"),
        lambda: keys.sandbox(0, b"name"),
        lambda: keys.sandbox(0, "name").sign("text"),
    ],
)
def test_wrong_types_are_argument_type_errors(call):
    with pytest.raises(ArgumentTypeError, match="allowed"):
        call()


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed):
    with pytest.raises(ArgumentError, match="exactly 32"):
        keys.KeyPair.from_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_sandbox_seed_has_bounds(seed):
    with pytest.raises(ArgumentError, match=str(seed)):
        keys.sandbox(seed, "name")


def test_a_name_that_utf_8_cannot_hold_is_refused():
    with pytest.raises(GridlabError, match="UTF-8"):
        keys.sandbox(0, "\ud800")
