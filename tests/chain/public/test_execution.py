"""Executing blocks: many transfers at once give what one after another gives, and money is never lost."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import Transaction
from gridlab.chain.public import FeeRules, execution
from gridlab.chain.public.accounts import ATTESTATIONS, BRIDGE, FEE_POT, ISSUANCE, TREASURY
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.envelope import open_envelope, seal_envelope
from gridlab.errors import ArgumentError, ChainError

FIRST = BRIDGE + 1  # account of the first person at genesis
FEES = FeeRules(base_fee=100, byte_fee=1, weight_fee=1)


@pytest.fixture(scope="session")
def one_by_one():
    """Let no stretch be executed as a run."""

    def run(state, batch, context):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execution, "_RUNS_PER_BLOCK", 0)
            return execution.execute(state, batch, context)

    return run


rows = st.lists(
    st.tuples(
        st.integers(0, 2),  # who sends
        st.integers(0, 2),  # who receives
        st.integers(1, 3_000),  # how much
        st.sampled_from([0, 0, 0, 1, -1]),  # how far the nonce is out of turn
        st.sampled_from([0, 0, 5, 700]),  # tip
        st.sampled_from([0, 0, 0, 0, 1]),  # pays from somebody else's account
        st.sampled_from([50, 50, 50, 0, 99_999]),  # expiry
    ),
    min_size=8,
    max_size=40,
)


@settings(deadline=None)
@given(rows=rows, balances=st.tuples(*[st.integers(0, 12_000)] * 3))
def test_a_run_is_one_transaction_after_another(rows, balances, block, one_by_one):
    names = ["alice", "bob", "carol"]
    rules, genesis = block.genesis(dict(zip(names, balances, strict=True)), FEES)
    nonces = [0, 0, 0]
    transactions = []
    for number, (sender, receiver, amount, late, tip, foreign, expiry) in enumerate(rows):
        frame = block.transfer(number, FIRST + (sender + foreign) % 3, FIRST + receiver, amount)
        nonce = max(nonces[sender] + late, 0)
        transactions.append(block.signed(names[sender], "transfer", frame, nonce, tip=tip, expiry=expiry))
        nonces[sender] += late == 0 and expiry == 50
    batch = block.batch(transactions)
    assert batch.single.all()
    states = [genesis.state, genesis.state]
    many = block.execute(states[0], batch, block.context(rules, states[0]))
    single = one_by_one(states[1], batch, block.context(rules, states[1]))
    assert many.included.tolist() == single.included.tolist()
    assert many.receipts.codes == single.receipts.codes
    assert many.receipts.accounts == single.receipts.accounts
    assert sorted(many.invalid) == sorted(single.invalid)
    assert (many.weight, many.fees, many.tips) == (single.weight, single.fees, single.tips)
    assert states[0].root == states[1].root
    require_conserved(states[0], many)


def require_conserved(state, outcome):
    """All GRID adds up to nothing with what issuance owes; the split is 80 : 20 and tips."""
    balances = state.ledger.balances["GRID"]
    assert balances.sum() == 0
    assert (balances.to_numpy()[1:] >= 0).all()
    assert state.undistributed == 0
    least = outcome.fees * 8 // 10 - len(outcome.included)
    assert least <= state.treasury <= outcome.fees * 8 // 10
    assert state.ledger.circulation("GRID") == -balances[ISSUANCE]


def test_what_is_paid_goes_to_treasury_and_author_to_the_unit(block):
    rules, genesis = block.genesis({"alice": 50_000, "bob": 0}, FeeRules(base_fee=101, byte_fee=0, weight_fee=0))
    state = genesis.state
    one = block.signed("alice", "transfer", block.transfer(0, FIRST, FIRST + 1, 10), 0, tip=7)
    context = block.context(rules, state)
    outcome = block.execute(state, block.batch([one]), context)
    assert (outcome.fees, outcome.tips) == (101, 7)
    assert state.treasury == 80
    assert state.ledger.balance(context.author, "GRID") == 21 + 7
    assert state.ledger.balance(FIRST, "GRID") == 50_000 - 10 - 101 - 7
    assert state.ledger.balance(FIRST + 1, "GRID") == 10


def test_an_author_pays_itself_too(block):
    rules, genesis = block.genesis({"validator 0": 10_000, "bob": 0}, FEES, seats=1)
    accounts = genesis.accounts.unique("public_key", keep="first", maintain_order=True)
    genesis = type(genesis)(**{**vars(genesis), "accounts": accounts})
    state = genesis.state
    one = block.signed("validator 0", "transfer", block.transfer(0, FIRST, FIRST + 1, 10), 0, tip=3)
    outcome = block.execute(state, block.batch([one]), block.context(rules, state))
    assert outcome.receipts.rejected == 0
    assert state.ledger.balance(FIRST, "GRID") == 10_000 - 10 - state.treasury


def test_who_fails_pays_and_uses_the_nonce_and_changes_nothing_else(block):
    rules, genesis = block.genesis({"alice": 50_000, "bob": 5}, FEES)
    state = genesis.state
    transactions = [
        block.signed("alice", "transfer", block.transfer(0, FIRST, FIRST + 1, 10**9), 0),
        block.signed("alice", "transfer", block.transfer(1, FIRST + 1, FIRST, 5), 1),
        block.signed("alice", "transfer", block.transfer(2, FIRST, FIRST, 5), 2),
        block.signed("alice", "kyc_attestation", attestations(block, "bob", "refused"), 3),
    ]
    outcome = block.execute(state, block.batch(transactions), block.context(rules, state))
    assert outcome.receipts.codes == ["ledger_refused", "rule_broken", "ledger_refused", "not_permitted"]
    assert all(outcome.receipts.reasons)
    assert state.nonces[FIRST] == 4
    assert state.ledger.balance(FIRST + 1, "GRID") == 5
    assert state.ledger.balance(FIRST, "GRID") == 50_000 - outcome.fees


def attestations(block, name, kyc):
    frame = pl.DataFrame({"public_key": [block.pair(name).public_key], "kyc": [kyc]})
    return ATTESTATIONS.check(frame)


def test_who_is_invalid_leaves_no_trace(block):
    rules, genesis = block.genesis({"alice": 50_000, "bob": 5}, FEES)
    state = genesis.state
    before = state.root
    frame = block.transfer(0, FIRST, FIRST + 1, 10)
    good = block.signed("alice", "transfer", frame, 0)
    fields = {name: getattr(good, name) for name in ("chain_id", "kind", "sender", "nonce", "expiry", "payload")}
    forged = Transaction(**fields, signature=block.signed("bob", "transfer", frame, 0).signature)
    wrong = {
        "no account": block.signed("stranger", "transfer", frame, 0),
        "signature": forged,
        "nonce 5": block.signed("alice", "transfer", frame, 5),
        "not good for|good until": block.signed("alice", "transfer", frame, 0, expiry=0),
        "fee and tip|cannot pay": block.signed("bob", "transfer", block.transfer(0, FIRST + 1, FIRST, 1), 0),
        "chain 'other'": block.signed("alice", "transfer", frame, 0, chain_id="other"),
    }
    outcome = block.execute(state, block.batch(list(wrong.values())), block.context(rules, state))
    assert not len(outcome.included)
    for place, words in enumerate(wrong):
        assert any(word in outcome.invalid[place] for word in words.split("|"))
    # Only the price of space has moved, because the block was empty.
    assert state.multiplier < genesis.state.multiplier
    state.multiplier = genesis.state.multiplier
    assert state.root == before
    many = block.batch([forged] * 4 + [wrong["no account"]] * 4)
    assert not len(block.execute(state, many, block.context(rules, state)).included)


def test_a_key_that_is_not_attested_any_more_cannot_act(block):
    rules, genesis = block.genesis({"alice": 50_000, "bob": 5}, FEES)
    state = genesis.state
    outcome = block.execute(
        state,
        block.batch(
            [
                block.signed("attester", "kyc_attestation", attestations(block, "alice", "expired"), 0),
                block.signed("alice", "transfer", block.transfer(0, FIRST, FIRST + 1, 10), 0),
            ]
        ),
        block.context(rules, state),
    )
    assert outcome.included.tolist() == [0]
    assert "not attested" in outcome.invalid[1]
    assert state.ledger.balance(FIRST, "GRID") == 50_000


@pytest.mark.parametrize("tip", [0, 1, 2**40])
def test_batches_read_singles_with_and_without_tip_as_the_slow_reader_does(block, tip):
    transactions = [
        block.signed("alice", "transfer", block.transfer(n, FIRST + n, FIRST, n + 1, asset), n, tip=tip * (n % 2))
        for n, asset in enumerate(["GRID", "WATT", "GRID", "REC"])
    ]
    batch = block.batch(transactions)
    assert batch.single.all()
    slow = [open_envelope(each.payload) for each in transactions]
    assert batch.tip.tolist() == [found for found, _ in slow]
    assert batch.nonce.tolist() == [each.nonce for each in transactions]
    assert batch.size.tolist() == [each.size for each in transactions]
    assert batch.moved["amount"].tolist() == [1, 2, 3, 4]
    assert batch.moved["debit_account"].tolist() == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    taken = batch.take(np.array([3, 0]))
    assert taken.nonce.tolist() == [3, 0]
    assert Batch.joined([taken, batch]).tip.tolist() == [batch.tip[3], batch.tip[0], *batch.tip.tolist()]


@given(st.binary(min_size=1, max_size=40), st.integers(0, 2**40))
def test_envelopes_are_canonical(frame, tip):
    if frame[0] == 0:
        return
    sealed = seal_envelope(frame, tip)
    assert open_envelope(sealed) == (tip, frame)
    assert len(sealed) == len(frame) + (9 if tip else 0)


@pytest.mark.parametrize("payload", [b"\x00", b"\x00" + bytes(8) + b"x", b"\x00" + b"\xff" * 8 + b"x"])
def test_malformed_tips_are_refused(payload):
    with pytest.raises(ChainError, match="tip"):
        open_envelope(payload)


def test_tips_have_bounds(block):
    with pytest.raises(ArgumentError, match="tip is"):
        seal_envelope(b"x", 2**40 + 1)
    frame = block.transfer(0, FIRST, FIRST, 1)
    one = block.signed("alice", "transfer", frame, 0)
    payload = b"\x00" + bytes(8) + one.payload
    bad = Transaction.sign(block.pair("alice"), chain_id="test", kind="transfer", nonce=0, expiry=9, payload=payload)
    with pytest.raises(ChainError, match=r"transactions\[1\]: tip of 0"):
        block.batch([one, bad])


def test_system_accounts_are_nobodys(block):
    _, genesis = block.genesis({"alice": 1})
    accounts = genesis.state.accounts
    assert not accounts.verified[[ISSUANCE, TREASURY, FEE_POT, BRIDGE]].any()
    assert isinstance(block.batch([]), Batch)
