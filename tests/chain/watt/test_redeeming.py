"""Redemptions queue, are paid in order, burn exactly what is paid for; a gap and a pause do what the rules say."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.swaps import LockTerms, lock_frame
from gridlab.chain.watt import ReserveAttestation, WattRules
from gridlab.chain.watt.wire import amount_frame, attestation_frame, rules_frame

MILLION = 1_000_000


def test_without_rules_there_is_nothing_to_redeem_by(watt):
    assert "a regulator sets them" in watt.redeem("alice", 1).reason
    assert "a regulator sets them" in watt.pause("issuer").reason
    assert "a regulator sets them" in watt.pay(1).reason


def test_what_is_queued_is_held_and_cannot_be_spent(watt, pay):
    watt.rules()
    assert watt.redeem("alice", 70 * MILLION).accepted
    ledger = watt.chain.ledger
    assert (ledger.balance(5, "WATT"), ledger.available(5, "WATT")) == (100 * MILLION, 30 * MILLION)
    assert watt.send("alice", "transfer", pay(900, 31 * MILLION)).code == "ledger_refused"
    assert watt.redeem("alice", 31 * MILLION).code == "ledger_refused"
    assert watt.redeem("alice", 30 * MILLION).accepted


def test_who_came_first_is_paid_first_and_the_last_in_part(watt):
    watt.rules(fee_ppb=10_000_000)
    for name, amount in (("alice", 60), ("bob", 50), ("alice", 40)):
        assert watt.redeem(name, amount * MILLION).accepted
    assert watt.pay(70 * MILLION).accepted
    ledger, queue = watt.chain.ledger, watt.chain.watt.queue
    assert queue.frame.rows() == [(1, 6, 40 * MILLION, 5), (2, 5, 40 * MILLION, 2)]
    assert (ledger.balance(5, "WATT"), ledger.balance(6, "WATT")) == (40 * MILLION, 40 * MILLION)
    assert ledger.circulation("WATT") == ledger.circulation("THB") == 80 * MILLION
    baht = ledger.transfers.filter(asset="THB").select("amount", "code").rows()[1:]
    assert baht == [(59_400_000, "redeem"), (9_900_000, "redeem"), (700_000, "fee")]
    assert watt.pay(80 * MILLION).accepted
    assert len(watt.chain.watt.queue) == 0
    assert watt.chain.ledger.circulation("THB") == 0


def test_no_more_is_paid_than_is_queued(watt):
    watt.rules()
    watt.redeem("alice", 5)
    assert "allowed: 1 … 5" in watt.pay(6).reason
    assert "more than 0" in watt.pay(0).reason
    assert watt.pay(5, by="issuer").accepted
    assert watt.pay(5, by="alice").code == "not_permitted"


def test_dust_and_issuers_do_not_queue(watt):
    watt.rules(least=100)
    assert "allowed: 100 or more" in watt.redeem("alice", 99).reason
    assert "more than 0" in watt.redeem("alice", -1).reason
    assert "new money" in watt.redeem("issuer", 100).reason


def test_the_gate_limits_a_slot_and_opens_with_the_next(watt):
    watt.rules(gate=10 * MILLION)
    watt.redeem("alice", 30 * MILLION)
    assert watt.pay(6 * MILLION).accepted
    assert "allowed in this slot: 4000000 more" in watt.pay(5 * MILLION).reason
    assert watt.pay(4 * MILLION).accepted
    assert watt.pay(10 * MILLION, slot=2).accepted
    assert "allowed in this slot: 0 more" in watt.pay(1, slot=2).reason


def test_a_gap_stops_payouts_by_default(watt):
    watt.rules()
    watt.redeem("alice", 30 * MILLION)
    watt.attest(120 * MILLION)
    assert "30000000 micro-THB are missing in reserve, and the rule for a gap is 'stop'" in watt.pay(MILLION).reason
    assert watt.redeem("bob", MILLION).accepted


def test_a_haircut_gives_first_and_last_the_same(watt):
    watt.rules(gap_rule="haircut")
    watt.redeem("alice", 100 * MILLION)
    watt.redeem("bob", 50 * MILLION)
    watt.attest(120 * MILLION)
    assert watt.pay(100 * MILLION).accepted
    assert watt.chain.watt.reserve(watt.chain.ledger) == 40 * MILLION
    assert watt.pay(50 * MILLION).accepted
    ledger = watt.chain.ledger
    paid = ledger.transfers.filter(asset="THB", code="redeem")["amount"].to_list()
    assert paid == [80 * MILLION, 40 * MILLION]
    # What was lost stays booked until somebody writes it off; nothing circulates that it could back.
    assert (ledger.circulation("WATT"), ledger.circulation("THB")) == (0, 30 * MILLION)
    assert watt.chain.watt.reserve(ledger) == 0


def test_a_haircut_never_burns_for_nothing(watt):
    watt.rules(gap_rule="haircut")
    watt.redeem("alice", 100 * MILLION)
    watt.attest(0)
    assert "not burned for nothing" in watt.pay(MILLION).reason
    assert watt.chain.ledger.circulation("WATT") == 150 * MILLION


def test_at_par_the_last_gets_nothing(watt):
    watt.rules(gap_rule="par")
    watt.redeem("alice", 100 * MILLION)
    watt.redeem("bob", 50 * MILLION)
    watt.attest(120 * MILLION)
    assert watt.pay(100 * MILLION).accepted
    assert "allowed: 20000000, all there is in reserve" in watt.pay(21 * MILLION).reason
    assert watt.pay(20 * MILLION).accepted
    assert "allowed: 0" in watt.pay(1).reason
    assert watt.chain.watt.gap(watt.chain.ledger) == 30 * MILLION


def test_a_pause_stops_money_at_the_issuer_and_not_between_holders(watt, pay):
    watt.rules()
    watt.attest(160 * MILLION)
    watt.redeem("alice", 5)
    assert watt.pause("alice").code == "not_permitted"
    assert watt.pause("issuer").accepted
    for refused in (watt.pay(5), watt.mint(12, 1), watt.release(1), watt.pause("regulator")):
        assert "WATT is paused ('drill')" in refused.reason
    assert watt.redeem("bob", 7).accepted
    assert watt.send("alice", "transfer", pay(900, 1)).accepted
    assert watt.resume("issuer").code == "not_permitted"
    assert watt.resume("regulator").accepted
    assert "not paused" in watt.resume("regulator").reason
    assert watt.pay(12).accepted
    assert "1 to 200" in watt.pause("issuer", why="").reason


def test_only_what_backs_nothing_is_released(watt):
    watt.rules()
    watt.deposit(11, 20 * MILLION)
    assert "nobody has attested" in watt.release(1).reason
    watt.attest(162 * MILLION)
    assert "allowed: 12000000" in watt.release(12 * MILLION + 1).reason
    assert watt.release(12 * MILLION).accepted
    assert watt.chain.watt.reserve(watt.chain.ledger) == 150 * MILLION
    assert "µs old" in watt.release(1, slot=6).reason


def test_baht_booked_after_an_attestation_are_not_released(watt):
    """Else the bank would book what nobody paid in, and take baht out that back WATT."""
    watt.rules()
    watt.attest(150 * MILLION)
    watt.deposit(11, 20 * MILLION)
    assert "allowed: 0, which are attested" in watt.release(1).reason
    watt.attest(170 * MILLION, slot=2)
    assert watt.release(20 * MILLION, slot=2).accepted


def test_nobody_goes_around_the_queue(watt, pay, make, account):
    """Once there are rules, WATT go back by 'redeem' and baht by payouts and releases alone."""
    back = (901, account["alice"], account["issuer"], "WATT", 5, "transfer")
    assert watt.send("alice", "transfer", make.transfers(back)).accepted
    watt.rules()
    assert "'redeem'" in watt.send("alice", "transfer", pay(902, 5, credit="issuer")).reason
    baht = (903, account["issuer"], account["bank"], "THB", 5, "transfer")
    assert "'redemption_payout'" in watt.send("issuer", "transfer", make.transfers(baht)).reason
    assert "'redeem'" in watt.send("operator", "settlement", pay(904, 5, credit="issuer")).reason
    lock = lock_frame(LockTerms(account["issuer"], account["bank"], "THB", 5, bytes(32), 10**16))
    assert "'redemption_payout'" in watt.send("issuer", "hash_lock", lock).reason
    opening = {"account_0": account["issuer"], "account_1": account["bank"], "asset": "THB", "deposit_0": 5}
    opening |= {"deposit_1": 0, "window": 900_000_000, "longest_lock": 900_000_000}
    signed = pl.DataFrame([opening | {"signature_0": bytes(64), "signature_1": bytes(64)}])
    assert "'redemption_payout'" in watt.send("issuer", "channel_open", signed).reason


def test_many_transfers_in_one_block_obey_the_same_rule(watt, pairs, pay, chain):
    """A stretch of single transfers is executed in one piece; those that give WATT back are not among them."""
    watt.rules()
    for number in range(24):
        chain.send(pairs["alice"], "transfer", pay(1_000 + number, 1, credit="issuer" if number == 11 else "bob"))
    # The refused one used no nonce, so those behind it are out of turn.
    codes = [receipt.code for receipt in chain.seal(chain.head.timestamp).receipts]
    assert codes == ["accepted"] * 11 + ["rule_broken"] + ["bad_nonce"] * 12


def test_replaying_gives_the_same_chain(watt):
    watt.rules(gap_rule="haircut", gate=60 * MILLION)
    watt.redeem("alice", 80 * MILLION)
    watt.attest(149 * MILLION)
    watt.pay(50 * MILLION)
    watt.pause("issuer", slot=2)
    twin = ConsortiumChain.from_bytes(watt.chain.to_bytes())
    assert twin.fingerprint == watt.chain.fingerprint
    assert twin.watt == watt.chain.watt


@pytest.fixture(scope="module")
def small():
    """Makes a chain of bank, issuer, regulator and three holders with 1,000, 700 and 300 micro-WATT."""
    roles = {"bank": "reserve_bank", "issuer": "watt_issuer", "regulator": "regulator"} | dict.fromkeys("abc", "trader")
    pairs = {name: keys.sandbox(3, name) for name in (*roles, "auditor")}
    members = pl.DataFrame(
        {
            "account": range(6),
            "name": list(roles),
            "role": list(roles.values()),
            "public_key": [pairs[name].public_key for name in roles],
        }
    )

    def transfers(*rows):
        names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
        return pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])

    def made(**rules):
        chain = ConsortiumChain(members, ordering=PbftOrdering.of(4))
        chain.send(pairs["bank"], "reserve", transfers((1, 0, 1, "THB", 2_000, "reserve")))
        rows = [(2 + place, 1, 3 + place, "WATT", amount, "mint") for place, amount in enumerate((1_000, 700, 300))]
        chain.send(pairs["issuer"], "mint", transfers(*rows))
        decided = WattRules(pairs["auditor"].public_key, 10**9, **rules)
        chain.send(pairs["regulator"], "watt_rules", rules_frame(decided))
        assert chain.seal(0).rejected == 0
        return chain, pairs

    return made


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("redeem"), st.sampled_from("abc"), st.integers(1, 400)),
        st.tuples(st.just("pay"), st.just("bank"), st.integers(1, 900)),
        st.tuples(st.just("attest"), st.just("bank"), st.integers(0, 2_500)),
        st.tuples(st.just("release"), st.just("bank"), st.integers(1, 50)),
        st.tuples(st.just("reserve"), st.just("bank"), st.integers(1, 400)),
        st.tuples(st.just("mint"), st.just("issuer"), st.integers(1, 400)),
    ),
    max_size=14,
)


@given(STEPS, st.sampled_from(["stop", "haircut", "par"]), st.sampled_from([0, 37_000_000]))
def test_at_every_block_all_is_covered_conserved_and_in_order(small, steps, rule, fee):
    chain, pairs = small(gap_rule=rule, fee_ppb=fee)
    attested = gone = 0  # found by the newest attestation; left the reserve since
    for slot, (step, name, amount) in enumerate(steps, start=1):
        before, watt_before = chain.ledger, chain.watt
        _take(chain, pairs, step, name, amount, slot)
        accepted = not chain.seal(slot).rejected
        ledger, watt = chain.ledger, chain.watt
        circulating, booked = ledger.circulation("WATT"), ledger.circulation("THB")
        assert 0 <= circulating <= booked
        assert watt.queue.total == ledger.reservations["WATT"].sum() == sum(each.amount for each in watt.queue.entries)
        burned = before.circulation("WATT") - circulating
        released = before.circulation("THB") - booked
        attested, gone = (amount, 0) if step == "attest" and accepted else (attested, gone + max(0, released))
        if watt.attestation:
            assert watt.cover(ledger) == max(0, attested - gone)
        if step == "pay" and accepted:
            assert burned == amount
            share = Fraction(watt_before.reserve(before), max(before.circulation("WATT"), 1))
            fair = amount if rule == "par" or share >= 1 else share * amount
            assert fair - len(watt_before.queue) - 1 - amount / 10**9 <= released <= fair
            assert released <= watt_before.reserve(before)
        else:
            assert -burned == (amount if step == "mint" and accepted else 0)
            assert released == {"release": amount, "reserve": -amount}.get(step, 0) * accepted
        if step in {"release", "mint"} and accepted:
            assert circulating <= attested - gone
        if step not in {"attest", "pay"}:
            assert watt.gap(ledger) <= watt_before.gap(before)


def _take(chain, pairs, step, name, amount, slot):
    if step == "attest":
        statement = ReserveAttestation(slot, amount, chain.ledger.circulation("THB"))
        frame = attestation_frame(statement, statement.sign(pairs["auditor"], chain.chain_id))
        chain.send(pairs[name], "reserve_attestation", frame)
    elif step in {"reserve", "mint"}:
        debit, credit, asset = (0, 1, "THB") if step == "reserve" else (1, 3, "WATT")
        frame = pl.DataFrame({"transfer_id": [100 + slot], "debit_account": [debit], "credit_account": [credit]})
        chain.send(pairs[name], step, frame.with_columns(asset=pl.lit(asset), amount=amount, code=pl.lit(step)))
    else:
        kind = {"redeem": "redeem", "pay": "redemption_payout", "release": "reserve_release"}[step]
        chain.send(pairs[name], kind, amount_frame(amount))
