"""Single transfers executed by the run give the very outcome of executing them one after another."""

import functools
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import Transaction, execution, keys, transfer_runs
from gridlab.chain.effects import RULES
from gridlab.chain.execution import Context, encode_payload, execute
from gridlab.chain.genesis import Genesis
from gridlab.chain.members import Members
from gridlab.chain.receipts import receipts_root
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transaction_list import TransactionList

CHAIN = "test-chain"
EFFECTS = RULES[1]
HEIGHT = 5
NAMES = {
    "bank": "reserve_bank",
    "issuer": "watt_issuer",
    "operator": "market_operator",
    "regulator": "regulator",
    "alice": "trader",
    "bob": "trader",
    "carol": "trader",
    "withdrawn": "trader",
    "unknown to KYC": "trader",
}
PAIRS = [keys.sandbox(1, name) for name in NAMES]
STRANGER = keys.sandbox(1, "stranger")
BANK, ISSUER, OPERATOR, REGULATOR, ALICE, BOB, CAROL, WITHDRAWN, UNVERIFIED = range(len(NAMES))


def transfers(*rows):
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    return pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows], orient="row")


@functools.cache
def payload(*rows, kind="transfer"):
    return encode_payload(EFFECTS[kind], transfers(*rows))


@functools.cache
def signed(sender, nonce, data, kind="transfer", chain_id=CHAIN, expiry=HEIGHT):
    pair = STRANGER if sender < 0 else PAIRS[sender]
    return Transaction.sign(pair, chain_id=chain_id, kind=kind, nonce=nonce, expiry=expiry, payload=data)


@functools.cache
def start(fee=0, per_kibibyte=0):
    frame = pl.DataFrame(
        {
            "account": range(len(NAMES)),
            "name": list(NAMES),
            "role": list(NAMES.values()),
            "public_key": [pair.public_key for pair in PAIRS],
            "active": [account != WITHDRAWN for account in range(len(NAMES))],
            "kyc": ["pending" if account == UNVERIFIED else "verified" for account in range(len(NAMES))],
        }
    )
    terms = ChainTerms(fee_per_transaction=fee, fee_per_kibibyte=per_kibibyte)
    state = Genesis(CHAIN, 0, 1, "single-sequencer", PAIRS[0].public_key, Members.of(frame), terms).state
    reserve = signed(BANK, 0, payload((1, BANK, ISSUER, "THB", 1_000, "reserve"), kind="reserve"), "reserve")
    minted = [(each, ISSUER, each, "WATT", 100, "mint") for each in (ALICE, BOB, CAROL)]
    mint = signed(ISSUER, 0, payload(*minted, kind="mint"), "mint")
    made = execute(state, [reserve, mint], Context(CHAIN, 1, 0, EFFECTS))
    assert not made.rejected
    return state


def outcome(state, transactions, *, runs, limits=(1, 4, 64)):
    """Execute on a copy, by runs or one by one; return the state and the receipts."""
    pays, guesses, per_block = limits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_RUN_PAYS", pays if runs else 10**9)
        patch.setattr(execution, "_RUNS_PER_BLOCK", per_block)
        patch.setattr(transfer_runs, "_GUESSES", guesses)
        after = state.fork()
        receipts = execute(after, transactions, Context(CHAIN, HEIGHT, 7, EFFECTS))
    return after, receipts


def assert_same_either_way(state, transactions, limits=(1, 4, 64)):
    slow, expected = outcome(state, transactions, runs=False)
    fast, receipts = outcome(state, transactions, runs=True, limits=limits)
    assert tuple(receipts) == tuple(expected)
    assert receipts_root(receipts) == receipts_root(tuple(expected)) == receipts_root(expected)
    assert fast.root == slow.root
    assert fast.nonces.tolist() == slow.nonces.tolist()
    assert (fast.charged, fast.ledger.to_bytes()) == (slow.charged, slow.ledger.to_bytes())
    return receipts


# Small numbers on purpose: nonces, ids and balances must collide.
PLAIN = st.tuples(
    st.sampled_from([ALICE, BOB, CAROL]),
    st.sampled_from([0, 0, 0, 0, 0, 1, -1]),
    st.integers(0, 6),
    st.sampled_from([OPERATOR, ALICE, BOB, CAROL, ALICE, BOB, 99]),
    st.sampled_from(["WATT", "WATT", "WATT", "THB"]),
    st.sampled_from([0, 1, 5, 30, 60, 100, 150]),
    st.sampled_from(["transfer", "energy"]),
)
ODD = st.sampled_from(
    [
        *("bad signature", "other chain", "expired", "stranger", "withdrawn", "unverified", "another's account"),
        *("issuing", "redeeming", "two rows", "malformed", "unknown kind", "membership", "terms", "empty"),
    ]
)


def written(steps):
    """Turn drawn steps into transactions whose nonces mostly count on."""
    nonces = {BANK: 1, ISSUER: 1}
    made = []
    for step in steps:
        if isinstance(step, str):
            made += odd(step, nonces)
            continue
        sender, offset, number, credit, asset, amount, code = step
        nonce = max(0, nonces.get(sender, 0) + offset)
        made.append(signed(sender, nonce, payload((number, sender, credit, asset, amount, code))))
        nonces[sender] = nonces.get(sender, 0) + (offset == 0)
    return made


def odd(what, nonces):
    nonce = nonces.get(ALICE, 0)
    plain = payload((50 + nonce, ALICE, BOB, "WATT", 1, "transfer"))
    if what == "bad signature":
        good = signed(ALICE, nonce, plain)
        return [replace(good, signature=good.signature[:40] + bytes(24))]
    if what in {"two rows", "membership", "terms", "issuing", "redeeming", "malformed", "another's account", "empty"}:
        sender = {"membership": REGULATOR, "terms": REGULATOR, "issuing": ISSUER, "redeeming": ISSUER}.get(what, ALICE)
        nonce = nonces.get(sender, 0)
        nonces[sender] = nonce + 1
        return [signed(sender, nonce, *admitted(what, nonce))]
    return {
        "other chain": [signed(ALICE, nonce, plain, chain_id="fork-chain")],
        "expired": [signed(ALICE, nonce, plain, expiry=HEIGHT - 1)],
        "stranger": [signed(-1, 0, plain)],
        "withdrawn": [signed(WITHDRAWN, 0, payload((1, WITHDRAWN, BOB, "WATT", 1, "transfer")))],
        "unverified": [signed(UNVERIFIED, 0, payload((1, UNVERIFIED, BOB, "WATT", 1, "transfer")))],
        "unknown kind": [signed(ALICE, nonce, plain, kind="transfex")],
    }[what]


def admitted(what, nonce):
    """Payload and kind of a transaction whose sender may well send it."""
    if what == "membership":
        changed = start().members.frame.filter(pl.col("account") == CAROL).with_columns(active=pl.lit(nonce % 2 == 1))
        return encode_payload(EFFECTS["membership"], changed), "membership"
    if what == "terms":
        terms = pl.DataFrame({"term": ["fee_per_transaction"], "value": [nonce % 3]})
        return encode_payload(EFFECTS["terms"], terms), "terms"
    rows = {
        "two rows": [(70 + nonce, ALICE, BOB, "WATT", 1, "energy"), (80 + nonce, ALICE, CAROL, "WATT", 2, "energy")],
        "issuing": [(nonce, ISSUER, BOB, "WATT", 1, "transfer")],
        "redeeming": [(nonce, ISSUER, BANK, "THB", 900, "redeem")],
        "another's account": [(60 + nonce, BOB, ALICE, "WATT", 1, "transfer")],
    }
    return (payload(*rows[what]) if what in rows else b"\x00" * (what == "malformed")), "transfer"


@given(
    steps=st.lists(PLAIN | PLAIN | PLAIN | ODD, max_size=30),
    fees=st.sampled_from([(0, 0), (0, 0), (3, 0), (0, 2)]),
    limits=st.sampled_from([(1, 4, 64), (8, 4, 64), (2, 1, 64), (1, 2, 3)]),
)
@settings(max_examples=250, deadline=None)
def test_runs_give_receipts_and_state_of_one_after_another(steps, fees, limits):
    assert_same_either_way(start(*fees), written(steps), limits)


@given(steps=st.lists(PLAIN, min_size=20, max_size=60), fee=st.sampled_from([0, 0, 1]))
@settings(max_examples=100, deadline=None)
def test_long_runs_of_transfers_that_hang_on_one_another(steps, fee):
    assert_same_either_way(start(fee), written(steps))


def pay(sender, nonce, number, credit, amount, asset="WATT"):
    return signed(sender, nonce, payload((number, sender, credit, asset, amount, "transfer")))


def test_what_a_refusal_for_want_of_backing_says_is_of_its_own_moment():
    # 1,000 THB back 300 WATT; the refusal names what is free, which the payment after it would change.
    redeem = signed(ISSUER, 1, payload((9, ISSUER, BANK, "THB", 900, "redeem")))
    back = pay(ALICE, 0, 1, ISSUER, 40)
    receipts = assert_same_either_way(start(), [redeem, back, pay(BOB, 0, 1, CAROL, 5)])
    assert receipts.codes == ["ledger_refused", "accepted", "accepted"]
    assert "700 are free" in receipts.reasons[0]


def test_a_refused_transfer_puts_its_senders_next_ones_out_of_turn():
    receipts = assert_same_either_way(
        start(),
        [pay(ALICE, 0, 1, BOB, 101), pay(ALICE, 1, 2, BOB, 1), pay(BOB, 0, 1, ALICE, 5), pay(ALICE, 0, 3, BOB, 105)],
    )
    assert receipts.codes == ["ledger_refused", "bad_nonce", "accepted", "accepted"]
    assert receipts.reasons[1] == "nonce 1, the sender's next one is 0"
    assert "more than it holds" in receipts.reasons[0]


def test_a_block_of_good_transfers_is_one_run_and_no_object(monkeypatch):
    encoded = [
        pay(sender, nonce, nonce, OPERATOR, 1).to_bytes() for nonce in range(20) for sender in (ALICE, BOB, CAROL)
    ]
    listed = TransactionList.of(encoded, CHAIN)
    monkeypatch.setattr(Transaction, "from_bytes", lambda _: pytest.fail("an object was made"))
    after, receipts = outcome(start(), listed, runs=True, limits=(8, 4, 1))
    assert receipts.rejected == 0
    assert after.nonces[[ALICE, BOB, CAROL]].tolist() == [20, 20, 20]
    assert after.ledger.balance(OPERATOR, "WATT") == 60


def test_rules_that_give_transfers_another_effect_have_no_runs(monkeypatch):
    monkeypatch.setattr(execution.TransferRun, "settle", lambda *_: pytest.fail("a run was executed"))
    monkeypatch.setattr(execution, "_RUN_PAYS", 1)
    effects = dict(EFFECTS) | {"transfer": replace(EFFECTS["transfer"], act=lambda _state, _call: None)}
    receipts = execute(start().fork(), [pay(ALICE, 0, 1, BOB, 101)], Context(CHAIN, HEIGHT, 7, effects))
    assert receipts.codes == ["accepted"]


def test_a_key_at_two_chains_is_read_anew_for_each():
    other = TransactionList.of([signed(ALICE, 0, payload((1, ALICE, BOB, "WATT", 1, "transfer")))], "another-chain")
    assert not other.single.any()
    _, receipts = outcome(start(), other, runs=True)
    assert receipts.codes == ["accepted"]


def test_strangers_alone_on_a_chain_without_members_are_refused():
    nobody = Members.of(start().members.frame.clear())
    state = Genesis(CHAIN, 0, 1, "single-sequencer", PAIRS[0].public_key, nobody).state
    receipts = assert_same_either_way(state, [pay(ALICE, nonce, 1, BOB, 1) for nonce in range(9)])
    assert set(receipts.codes) == {"not_a_member"}
