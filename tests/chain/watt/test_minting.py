"""WATT is minted against a reserve that is attested, fresh and large enough, and against nothing else."""

import polars as pl

from gridlab.chain import keys
from gridlab.chain.moments import require_microseconds
from gridlab.chain.watt import ReserveAttestation, WattRules
from gridlab.chain.watt.wire import attestation_frame, rules_frame

MILLION = 1_000_000


def test_without_rules_minting_is_what_it_was(watt):
    assert watt.deposit(11, 5 * MILLION).accepted
    assert watt.mint(12, 5 * MILLION).accepted
    assert watt.chain.watt.is_empty


def test_under_rules_nothing_is_minted_before_somebody_attests(watt):
    assert watt.rules().accepted
    assert watt.deposit(11, 5 * MILLION).accepted
    refused = watt.mint(12, 5 * MILLION)
    assert refused.code == "rule_broken"
    assert "nobody has attested" in refused.reason
    assert watt.attest(155 * MILLION).accepted
    assert watt.mint(13, 5 * MILLION).accepted
    assert watt.chain.ledger.circulation("WATT") == 155 * MILLION


def test_a_stale_attestation_stops_minting_to_the_microsecond(watt):
    watt.rules()
    watt.deposit(11, 5 * MILLION)
    watt.attest(155 * MILLION, slot=1)
    assert watt.mint(12, MILLION, slot=5).accepted
    refused = watt.mint(13, MILLION, slot=6)
    assert "4500000000 µs old, allowed: at most 3600000000" in refused.reason
    assert watt.attest(155 * MILLION, slot=6).accepted
    assert watt.mint(14, MILLION, slot=6).accepted


def test_the_attested_reserve_counts_where_the_books_say_more(watt):
    """The bank has booked 10 more, the auditor finds 4 of them."""
    watt.rules()
    watt.deposit(11, 10 * MILLION)
    watt.attest(154 * MILLION)
    assert "1000000 micro-THB would be missing" in watt.mint(12, 5 * MILLION).reason
    assert watt.mint(13, 4 * MILLION).accepted
    assert watt.chain.watt.gap(watt.chain.ledger) == 0


def test_the_books_count_where_the_auditor_finds_more(watt):
    """More WATT than booked baht is what the ledger never takes."""
    watt.rules()
    watt.attest(900 * MILLION)
    refused = watt.mint(12, MILLION)
    assert refused.code == "ledger_refused"
    assert "back" in refused.reason


def test_what_is_booked_after_an_attestation_closes_a_gap_and_backs_no_mint_until_attested(watt):
    watt.rules()
    watt.attest(149 * MILLION)
    watt.deposit(11, 5 * MILLION)
    watt_now, ledger = watt.chain.watt, watt.chain.ledger
    assert (watt_now.reserve(ledger), watt_now.cover(ledger), watt_now.gap(ledger)) == (154 * MILLION, 149 * MILLION, 0)
    assert "attested: 149000000" in watt.mint(12, 1).reason
    assert watt.attest(154 * MILLION, slot=2).accepted
    assert watt.mint(13, 4 * MILLION, slot=2).accepted
    assert "missing" in watt.mint(14, 1, slot=2).reason


def test_bank_and_issuer_together_make_no_watt_by_booking_and_minting_in_turn(watt):
    watt.rules()
    watt.attest(150 * MILLION)
    for turn in range(3):
        assert watt.deposit(20 + turn, 10 * MILLION, slot=turn + 1).accepted
        refused = watt.mint(30 + turn, 10 * MILLION, slot=turn + 1)
        assert refused.code == "rule_broken"
        assert "attested: 150000000, of which 150000000 are left" in refused.reason
    assert watt.chain.ledger.circulation("WATT") == 150 * MILLION


def test_baht_paid_out_are_not_made_good_by_a_booking(watt):
    """20 are paid out and 20 booked: the books are where they were, and 130 of 150 attested baht are left."""
    watt.rules()
    watt.attest(150 * MILLION)
    assert watt.redeem("alice", 20 * MILLION).accepted
    assert watt.pay(20 * MILLION).accepted
    assert watt.deposit(11, 20 * MILLION).accepted
    assert watt.chain.watt.reserve(watt.chain.ledger) == 150 * MILLION
    refused = watt.mint(12, MILLION).reason
    assert "1000000 micro-THB would be missing" in refused
    assert "attested: 150000000, of which 130000000 are left" in refused


def test_a_late_attestation_counts_what_was_booked_up_to_its_moment_only(watt):
    """Booked 5 in slot 2 and 7 in slot 3; in slot 4 comes what the auditor signed for slot 2."""
    watt.rules()
    watt.attest(150 * MILLION)
    watt.deposit(11, 5 * MILLION, slot=2)
    watt.deposit(12, 7 * MILLION, slot=3)
    assert watt.attest(155 * MILLION, slot=2, booked=155 * MILLION, seal=4).accepted
    assert watt.chain.watt.bookings.total == 7 * MILLION
    assert watt.mint(13, 5 * MILLION, slot=4).accepted
    assert "1 micro-THB would be missing" in watt.mint(14, 1, slot=4).reason


def test_never_more_than_attested_whatever_the_auditor_says_was_booked(watt):
    """He signs 150 beside 100 booked, where 160 are: the books would make 210 of it."""
    watt.rules()
    watt.deposit(11, 10 * MILLION)
    watt.attest(150 * MILLION, booked=100 * MILLION)
    assert watt.chain.watt.reserve(watt.chain.ledger) == 210 * MILLION
    assert "attested: 150000000" in watt.mint(12, MILLION).reason


def test_a_gap_stops_minting_and_is_there_to_see(watt):
    watt.rules()
    watt.attest(140 * MILLION)
    assert watt.chain.watt.gap(watt.chain.ledger) == 10 * MILLION
    watt.deposit(11, MILLION)
    assert "11000000 micro-THB would be missing" in watt.mint(12, MILLION).reason
    assert watt.chain.ledger.circulation("WATT") == 150 * MILLION
    assert watt.attest(151 * MILLION, slot=2).accepted
    assert watt.mint(13, MILLION, slot=2).accepted


def test_minting_in_two_phases_is_refused(watt, make, account):
    watt.rules()
    watt.deposit(11, 5 * MILLION)
    watt.attest(155 * MILLION)
    frame = make.transfers((12, account["issuer"], account["alice"], "WATT", MILLION, "mint"))
    pending = frame.with_columns(phase=pl.lit("pending"))
    assert "two phases" in watt.send("issuer", "mint", pending).reason


def test_attestations_of_others_and_of_other_chains_are_refused(watt):
    watt.rules()
    assert "not the attestor's" in watt.attest(150 * MILLION, signer=keys.sandbox(7, "stranger")).reason
    assert "not the attestor's" in watt.attest(150 * MILLION, chain_id="another chain").reason
    assert watt.attest(150 * MILLION, sender="alice").accepted


def test_attestations_go_forward_in_time(watt, chain, pairs, auditor, make):
    watt.rules()
    assert watt.attest(150 * MILLION, slot=2).accepted
    assert "later than the one before" in watt.attest(150 * MILLION, slot=2).reason
    ahead = ReserveAttestation(require_microseconds("start", make.start) + 9 * 900_000_000, 1, 1)
    frame = attestation_frame(ahead, ahead.sign(auditor, chain.chain_id))
    assert "after its block" in watt.send("bank", "reserve_attestation", frame, slot=3).reason


def test_only_a_regulator_sets_rules_and_bad_ones_are_refused(watt, auditor):
    frame = rules_frame(WattRules(auditor.public_key, 1))
    assert watt.send("issuer", "watt_rules", frame).code == "not_permitted"
    for change in ({"fee_ppb": 200_000_000}, {"gate": -1}, {"least": 0}, {"longest_age": 0}, {"attestor": b"short"}):
        broken = frame.with_columns(**{name: pl.lit(value, dtype=frame[name].dtype) for name, value in change.items()})
        assert watt.send("regulator", "watt_rules", broken).code == "rule_broken", change
    assert watt.chain.watt.is_empty
