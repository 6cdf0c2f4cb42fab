"""Certificates on the chain: who may do what, never twice, never beyond the meter, and all of it in the state root."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, keys
from gridlab.chain.certificates import CERTIFICATES, GROUPS, ISSUES, CertificateRegistry, grouped
from gridlab.chain.meters import MOST_GENERATION, MeterRegister
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, ChainError
from gridlab.frames import READINGS

MAY, JUNE, JULY = (datetime(2026, month, 1) for month in (5, 6, 7))
NEXT = {MAY: JUNE, JUNE: JULY}
ISSUER, SUN, ALICE, BOB = 7, 5, 5, 6


def readings(*rows):
    """Rows of (moment, account, Wh generated)."""
    names = ("slot", "account", "generation")
    frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]).with_columns(load=pl.lit(0))
    return READINGS.check(frame)


def issue(first, quantity, /, *, device=SUN, vintage=MAY, owner=ALICE, instrument="REC", unit=1_000_000, **changes):
    row = {
        "certificate_id": first,
        "instrument": instrument,
        "quantity": quantity,
        "energy": quantity * unit,
        "device": device,
        "technology": "solar_roof",
        "zone": "Bangkok",
        "vintage_start": vintage,
        "vintage_end": NEXT[vintage],
        "owner": owner,
    }
    return ISSUES.check(pl.DataFrame(row | changes))


def ranges(*rows, **third):
    frame = pl.DataFrame(rows, schema=["certificate_id", "quantity"], orient="row")
    return frame.with_columns(**{name: pl.lit(value) for name, value in third.items()})


def moves(*rows, new_owner=BOB):
    return ranges(*rows, new_owner=new_owner)


def retirements(*rows, beneficiary="Siam Cement Works"):
    return ranges(*rows, beneficiary=beneficiary)


@pytest.fixture
def issuer():
    return keys.sandbox(7, "EGAT")


@pytest.fixture
def sunny(members, pairs, issuer):
    """A chain on which alice's roof (account 5) has generated 2.7 MWh in May and 0.6 MWh in June."""
    egat = {"account": ISSUER, "name": "EGAT", "role": "certificate_issuer", "public_key": issuer.public_key}
    chain = ConsortiumChain(pl.concat([members, pl.DataFrame([egat])]))
    metered = [(MAY, SUN, 1_500_000), (datetime(2026, 5, 31, 23, 45), SUN, 1_200_000), (JUNE, SUN, 600_000)]
    chain.send(pairs["grid"], "meter_readings", readings(*metered))
    assert chain.seal(JUNE).rejected == 0
    return chain


def send(chain, pair, kind, frame):
    """Send, seal, and return the receipt; a refused transaction has changed nothing."""
    before, root = chain.certificates, chain.state_root
    chain.send(pair, kind, frame)
    receipt = chain.seal(JUNE).receipts[0]
    if not receipt.accepted:
        assert chain.state_root == root
        assert chain.certificates.equals(before)
    return receipt


def test_a_certificate_is_issued_sold_and_retired_and_the_chain_replays(sunny, pairs, issuer):
    assert send(sunny, issuer, "certificate_issue", issue(1, 2)).accepted
    assert send(sunny, pairs["alice"], "certificate_transfer", moves((2, 1))).accepted
    assert send(sunny, pairs["bob"], "certificate_retire", retirements((2, 1))).accepted
    held = sunny.certificates.select("certificate_id", "quantity", "owner", "status", "beneficiary").rows()
    assert held == [(1, 1, ALICE, "issued", ""), (2, 1, BOB, "retired", "Siam Cement Works")]
    again = ConsortiumChain.from_bytes(sunny.to_bytes())
    assert again.state_root == sunny.state_root
    assert again.certificates.equals(sunny.certificates)


def test_only_the_issuer_issues(sunny, pairs):
    for name in ("alice", "grid", "operator", "regulator"):
        assert send(sunny, pairs[name], "certificate_issue", issue(1, 1)).code == "not_permitted"


def test_the_issuer_does_not_read_meters(sunny, issuer):
    assert send(sunny, issuer, "meter_readings", readings((JULY, SUN, 1))).code == "not_permitted"


def test_issued_twice_is_refused(sunny, issuer):
    assert send(sunny, issuer, "certificate_issue", issue(1, 1)).accepted
    receipt = send(sunny, issuer, "certificate_issue", issue(1, 1))
    assert (receipt.code, "issued already" in receipt.reason) == ("rule_broken", True)


def test_issued_beyond_the_metered_energy_is_refused(sunny, issuer):
    receipt = send(sunny, issuer, "certificate_issue", issue(1, 3))
    assert (receipt.code, "more energy than was metered" in receipt.reason) == ("rule_broken", True)
    assert send(sunny, issuer, "certificate_issue", issue(1, 2)).accepted
    assert not send(sunny, issuer, "certificate_issue", issue(3, 1)).accepted


def test_what_is_left_of_may_completes_a_certificate_of_june_and_never_the_other_way(sunny, issuer):
    assert not send(sunny, issuer, "certificate_issue", issue(1, 3, vintage=MAY)).accepted
    assert send(sunny, issuer, "certificate_issue", issue(1, 3, vintage=JUNE)).accepted
    receipt = send(sunny, issuer, "certificate_issue", issue(4, 1, vintage=MAY))
    assert "metered" in receipt.reason


def test_a_megawatt_hour_backs_a_certificate_or_a_carbon_credit_and_not_both(sunny, issuer):
    credit = issue(1, 1, instrument="T-VER", unit=2_105_264)
    assert send(sunny, issuer, "certificate_issue", credit).accepted
    assert "metered" in send(sunny, issuer, "certificate_issue", issue(2, 1)).reason
    assert send(sunny, issuer, "certificate_issue", issue(2, 1, vintage=JUNE)).accepted


def test_transferred_by_a_stranger_is_refused(sunny, pairs, issuer):
    send(sunny, issuer, "certificate_issue", issue(1, 2))
    receipt = send(sunny, pairs["bob"], "certificate_transfer", moves((1, 1)))
    assert (receipt.code, "another owner" in receipt.reason) == ("rule_broken", True)
    assert "another owner" in send(sunny, issuer, "certificate_retire", retirements((1, 1))).reason


def test_retired_twice_or_moved_after_retiring_is_refused(sunny, pairs, issuer):
    send(sunny, issuer, "certificate_issue", issue(1, 2))
    assert send(sunny, pairs["alice"], "certificate_retire", retirements((1, 1))).accepted
    for kind, frame in (("certificate_retire", retirements((1, 2))), ("certificate_transfer", moves((1, 1)))):
        assert "retired already" in send(sunny, pairs["alice"], kind, frame).reason


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("certificate_issue", issue(1, 1, owner=8)),
        ("certificate_issue", issue(1, 1, device=8)),
        ("certificate_transfer", moves((1, 1), new_owner=8)),
        ("certificate_group", pl.DataFrame({"device": [6], "registrant": [8]})),
    ],
)
def test_an_account_that_does_not_exist_is_refused(sunny, pairs, issuer, kind, frame):
    pair = pairs["alice"] if kind == "certificate_transfer" else issuer
    assert "does not exist" in send(sunny, pair, kind, frame).reason


def test_the_same_slot_is_metered_once_however_it_is_sent(sunny, pairs):
    receipt = send(sunny, pairs["grid"], "meter_readings", readings((JULY, SUN, 5), (MAY, SUN, 1_500_000)))
    assert (receipt.code, "read before" in receipt.reason) == ("rule_broken", True)
    assert send(sunny, pairs["grid"], "meter_readings", readings((MAY, BOB, 5), (JULY, SUN, 5))).accepted


def test_meters_and_certificates_are_in_the_state_root(sunny, pairs, issuer):
    roots = [sunny.state_root]
    leaf = sunny._state.leaves()[-1]
    send(sunny, pairs["grid"], "meter_readings", readings((JULY, SUN, 0)))
    assert sunny._state.leaves()[-1] != leaf
    send(sunny, issuer, "certificate_issue", issue(1, 2))
    roots.append(sunny.state_root)
    fork = sunny._state.fork()
    fork.certificates = fork.certificates.transfer(moves((1, 1)), sender=ALICE)
    roots.append(fork.root)
    assert len(set(roots)) == 3
    assert sunny.state_root == sunny._state.root
    accounts = len(sunny.members)
    lengths = {len(each) for each in sunny._state.leaves()[:accounts]}
    assert len(lengths) == 1
    assert all(
        len(each) not in lengths for each in sunny._state.leaves()[accounts:]
    )  # no register passes for an account


def test_small_roofs_are_certified_together_under_their_registrant(sunny, pairs, issuer):
    send(sunny, pairs["grid"], "meter_readings", readings((JULY, SUN, 500_000), (MAY, BOB, 500_000)))
    group = pl.DataFrame({"device": [SUN, BOB], "registrant": [ISSUER, ISSUER]})
    assert send(sunny, issuer, "certificate_issue", issue(1, 1)).accepted
    assert send(sunny, issuer, "certificate_group", group).accepted
    together = issue(10, 2, device=ISSUER, owner=ISSUER)
    assert "belongs to a group" in send(sunny, issuer, "certificate_issue", issue(10, 1)).reason
    assert not send(sunny, issuer, "certificate_issue", issue(10, 3, device=ISSUER)).accepted
    assert send(sunny, issuer, "certificate_issue", together).accepted
    assert "a group already" in send(sunny, issuer, "certificate_group", group.head(1)).reason


# The registry alone, against a set of serial numbers.


def plenty(accounts=3):
    """A register on which every account generated more than any test certifies."""
    rows = [(MAY + timedelta(minutes=15 * slot), account, 10**10) for slot in range(3) for account in range(accounts)]
    return MeterRegister().read(readings(*rows))


METERS = plenty()
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["issue", "transfer", "retire"]), st.integers(0, 20), st.integers(1, 8), st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=25,
)  # fmt: skip


def slow_act(book, act, first, quantity, sender, other):
    """Change the book {serial: (device, owner, beneficiary)} by one act, serial by serial; False if it is refused."""
    serials = range(first, first + quantity)
    if act == "issue":
        if any(serial in book for serial in serials):
            return False
        book.update(dict.fromkeys(serials, (sender, sender, "")))
        return True
    if not all(serial in book and book[serial][1:] == (sender, "") for serial in serials):
        return False
    for serial in serials:
        device = book[serial][0]
        book[serial] = (device, other, "") if act == "transfer" else (device, sender, f"b{other}")
    return True


def do(registry, act, first, quantity, sender, other):
    if act == "issue":
        return registry.issue(issue(first, quantity, device=sender, owner=sender), METERS)
    if act == "transfer":
        return registry.transfer(moves((first, quantity), new_owner=other), sender=sender)
    return registry.retire(retirements((first, quantity), beneficiary=f"b{other}"), sender=sender)


@settings(max_examples=100, deadline=None)
@given(acts=ACTS)
def test_ranges_equal_a_slow_book_of_single_certificates(acts):
    registry, book = CertificateRegistry(), {}
    for act in acts:
        before = registry.frame.clone()
        if slow_act(book, *act):
            registry = do(registry, *act)
        else:
            with pytest.raises(CertificateError):
                do(registry, *act)
            assert registry.frame.equals(before)
    found = {
        row["certificate_id"] + place: (row["device"], row["owner"], row["beneficiary"])
        for row in registry.frame.to_dicts()
        for place in range(row["quantity"])
    }
    assert found == book
    assert registry.frame["energy"].sum() == 1_000_000 * len(book)
    assert CertificateRegistry.of(registry.frame).hash == registry.hash


@settings(max_examples=100, deadline=None)
@given(
    made=st.dictionaries(st.tuples(st.integers(0, 2), st.sampled_from([MAY, JUNE])), st.integers(0, 4), max_size=6),
    wanted=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([MAY, JUNE]), st.integers(1, 3)), min_size=1, max_size=4
    ),
)
def test_no_device_is_ever_certified_beyond_its_meter(made, wanted):
    register = MeterRegister()
    for (account, month), megawatt_hours in made.items():
        register = register.read(readings((month, account, megawatt_hours * 1_000_000 + 999_999)))
    registry, taken = CertificateRegistry(), {}
    for number, (device, vintage, quantity) in enumerate(wanted):
        after = taken | {(device, vintage): taken.get((device, vintage), 0) + quantity}
        fits = all(
            sum(after.get((device, each), 0) for each in months) * 1_000_000
            <= sum(made.get((device, each), 0) * 1_000_000 + 999_999 * ((device, each) in made) for each in months)
            for months in ([MAY], [MAY, JUNE])
        )
        row = issue(100 * number, quantity, device=device, vintage=vintage)
        if fits:
            registry, taken = registry.issue(row, register), after
        else:
            with pytest.raises(CertificateError, match="metered"):
                registry.issue(row, register)


def test_a_million_certificates_are_one_row_and_a_sale_of_half_makes_two():
    register = MeterRegister().read(
        readings(*((MAY + timedelta(minutes=15 * slot), SUN, MOST_GENERATION) for slot in range(100)))
    )
    registry = CertificateRegistry().issue(issue(1, 1_000_000), register)
    assert registry.frame.height == 1
    sold = registry.transfer(moves((1, 500_000)), sender=ALICE)
    assert sold.frame.height == 2
    assert sold.transfer(moves((1, 500_000), new_owner=ALICE), sender=BOB).frame.equals(registry.frame)
    assert "1000000 certificates" in repr(registry)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": 0, "energy": 1}, "quantity"),
        ({"quantity": 10**12 + 1, "energy": 1}, "quantity"),
        ({"certificate_id": 2**63}, "serial number"),
        ({"energy": 999_999}, "exactly 1000000 Wh"),
        ({"energy": -1}, "more than 0 Wh"),
        ({"instrument": "T-VER", "energy": 999_999}, "T-VER"),
        ({"instrument": "T-VER", "energy": 2_000_001, "quantity": 2}, "T-VER"),
        ({"zone": ""}, "zone"),
        ({"zone": "x" * 201}, "zone"),
        ({"vintage_start": datetime(2026, 5, 2)}, "calendar month"),
        ({"vintage_end": JULY}, "calendar month"),
    ],
)
def test_certificates_that_break_a_rule_are_refused(changes, words):
    with pytest.raises(CertificateError, match=words):
        CertificateRegistry().issue(issue(1, 1, device=0, **changes), METERS)


def test_issues_that_only_a_wrapped_sum_would_admit_are_refused():
    huge = pl.concat([issue(10**13 * place, 10**12, device=0) for place in range(20)])
    with pytest.raises(CertificateError, match="wrong unit"):
        CertificateRegistry().issue(huge, METERS)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (moves((5, 1)), "never issued"),
        (moves((3, 2)), "never issued"),
        (moves((1, 2), (2, 1)), "stands there twice"),
        (moves((1, 0)), "quantity"),
        (moves().cast({"certificate_id": pl.Int64, "quantity": pl.Int64}), "no row"),
    ],
)
def test_transfers_of_what_does_not_exist_are_refused(frame, words):
    registry = CertificateRegistry().issue(issue(1, 3, device=0, owner=0), METERS)
    with pytest.raises(CertificateError, match=words):
        registry.transfer(frame, sender=0)


def test_a_beneficiary_has_a_name():
    registry = CertificateRegistry().issue(issue(1, 3, device=0, owner=0), METERS)
    with pytest.raises(CertificateError, match="beneficiary"):
        registry.retire(retirements((1, 1), beneficiary=""), sender=0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(1, 1)], "its own registrant"),
        ([(1, 2), (1, 0)], "twice"),
        ([(1, 2), (2, 0)], "registrant, too"),
        ([(5, 9)], "a group already"),
        ([(9, 3)], "leads a group"),
        ([(8, 5)], "in a group itself|belongs to a group"),
    ],
)
def test_groups_that_would_count_energy_twice_are_refused(rows, words):
    register = grouped(MeterRegister(), pl.DataFrame({"device": [5], "registrant": [9]}))
    frame = GROUPS.check(pl.DataFrame(rows, schema=["device", "registrant"], orient="row"))
    with pytest.raises(CertificateError, match=words):
        grouped(register, frame)


def test_wrong_types_are_refused_by_name():
    registry = CertificateRegistry()
    for call in (
        lambda: registry.issue([1], METERS),
        lambda: registry.issue(issue(1, 1), readings((MAY, 1, 1))),
        lambda: registry.transfer("all", sender=0),
        lambda: registry.retire(retirements((1, 1)), sender="me"),
        lambda: grouped(None, GROUPS.empty()),
        lambda: CertificateRegistry.of(3),
    ):
        with pytest.raises(ArgumentTypeError):
            call()
    with pytest.raises(ArgumentError):
        registry.transfer(moves((1, 1)), sender=-1)
    with pytest.raises(CertificateError, match="twice"):
        CertificateRegistry.of(pl.concat([CertificateRegistry().issue(issue(1, 1, device=0), METERS).frame] * 2))
    assert CertificateRegistry.of(CERTIFICATES.empty()).is_empty


# The meter register, against a set of slots.


@settings(max_examples=100, deadline=None)
@given(
    batches=st.lists(
        st.dictionaries(
            st.tuples(st.integers(0, 3), st.integers(-100, 400)),
            st.integers(0, MOST_GENERATION),
            min_size=1,
            max_size=8,
        ),
        max_size=6,
    )
)
def test_the_register_equals_a_slow_set_of_slots(batches):
    register, seen, generated = MeterRegister(), set(), {}
    for batch in batches:
        # Slots around midnight of 1 June, Bangkok time, so that days and months change inside.
        rows = [(JUNE + timedelta(minutes=15 * slot), account, energy) for (account, slot), energy in batch.items()]
        if seen.isdisjoint(batch):
            register = register.read(readings(*rows))
            seen |= set(batch)
            for moment, account, energy in rows:
                month = moment.date().replace(day=1)
                generated[account, month] = generated.get((account, month), 0) + energy
        else:
            with pytest.raises(ChainError, match="read before"):
                register.read(readings(*rows))
    assert {row[:2]: row[2] for row in register.monthly.rows()} == generated
    assert register.is_empty == (not seen)
    assert int(np.unpackbits(register.slots).sum()) == len(seen)


def test_the_register_does_not_depend_on_the_order_of_batches():
    first, second = readings((MAY, 1, 5), (JUNE, 0, 7)), readings((MAY, 0, 3), (JUNE, 1, 2))
    assert MeterRegister().read(first).read(second).hash == MeterRegister().read(second).read(first).hash
    assert MeterRegister().read(first).hash != MeterRegister().read(second).hash


def test_more_than_any_plant_generates_is_refused():
    with pytest.raises(ChainError, match="wrong unit"):
        MeterRegister().read(readings((MAY, 1, MOST_GENERATION + 1)))
