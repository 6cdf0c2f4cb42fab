"""The public chain as one object: sending, waiting, finality, replay, and everything that is refused."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from gridlab.chain import Transaction, keys, merkle
from gridlab.chain.public import (
    EFFECTS,
    FeeRules,
    Justification,
    PublicBlock,
    PublicChain,
    PublicHeader,
    PublicTerms,
    RuleSet,
    finality_message,
)
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError, LeverError


@pytest.fixture
def used(make_chain, key):
    """A chain after some payments."""
    chain = make_chain({"alice": 100_000_000, "bob": 1_000_000})
    chain.attest([key("carol").public_key])
    chain.run(3)
    chain.pay(key("alice"), key("carol"), 5_000_000)
    chain.pay(key("bob"), key("alice"), 10**9)
    chain.pay(key("alice"), key("bob"), 7, tip=11)
    chain.run(5)
    return chain


def test_payments_become_final_with_a_certificate(used, key):
    assert used.balance(key("carol")) == 5_000_000
    assert sorted(used.transactions["code"]) == ["accepted", "accepted", "accepted", "ledger_refused"]
    assert used.waiting.height == 0
    final = used.blocks.filter("final")
    assert final["height"].to_list() == list(range(used.height + 1))
    assert (final["stake_ppb"][1:] > 666_666_666).all()
    for height in range(1, used.height + 1):
        block = used.block(height)
        assert block.is_sealed
        assert block.justification.why_not(block.header.to_bytes(), used.authorities) is None
        assert block.header.next_authority == used.authorities.hash
        assert block.header.parent == used.block(height - 1).hash


def test_the_head_is_ahead_of_finality_and_builds_on_it(used):
    assert used.head.height >= used.height
    rows = used.blocks.filter(~pl.col("final"))
    assert rows["height"].to_list() == list(range(used.height + 1, used.head.height + 1))


def test_replay_gives_the_same_root_and_so_do_the_bytes(used):
    again = used.replay()
    assert again.state_root == used.state_root
    assert again.blocks.equals(used.blocks.filter("final"))
    assert again.transactions.equals(used.transactions)
    read = PublicChain.from_bytes(used.to_bytes())
    assert (read.state_root, read.height, read.slot) == (used.state_root, used.height, used.finalised.header.slot)
    assert read.to_bytes() == used.to_bytes()
    with pytest.raises(ChainError, match="no keys to write blocks"):
        read.run(1)


def test_same_seed_same_roots_another_seed_others(make_chain, key):
    roots = []
    for seed in (0, 0, 1):
        chain = make_chain(seed=seed)
        chain.pay(key("alice"), key("bob"), 5)
        chain.run(6)
        roots.append((chain.state_root, chain.finalised.hash))
    assert roots[0] == roots[1] != roots[2]


def test_forks_are_executed_and_losing_blocks_give_their_transactions_back(make_chain, key):
    chain = make_chain(validators_count=10)
    for slot in range(40):
        chain.pay(key("alice"), key("bob"), slot + 1)
        chain.run(1)
    chain.run(3)
    kpis = dict(chain.kpis().select("kpi", "value").iter_rows())
    assert kpis["abandoned blocks"] > 0
    assert kpis["deepest reorganisation"] >= 1
    assert kpis["finality p99"] < 12
    # Each payment is in one final block, and in one only.
    assert chain.transactions["id"].n_unique() == chain.transactions.height == 40
    assert chain.transactions["accepted"].all()
    assert chain.balance(key("bob")) == 100_000_000 + sum(range(1, 41))
    assert chain.replay().state_root == chain.state_root


def test_only_attested_accounts_act(make_chain, key):
    chain = make_chain()
    stranger = keys.sandbox(9, "stranger")
    with pytest.raises(ChainError, match="has no account here"):
        chain.pay(stranger, key("bob"), 1)
    with pytest.raises(ChainError, match="has no account here"):
        chain.pay(key("alice"), stranger, 1)
    chain.attest([stranger.public_key], "pending")
    chain.run(3)
    chain.pay(key("alice"), stranger, 50_000)
    chain.run(3)
    assert chain.balance(stranger) == 50_000
    chain.pay(stranger, key("bob"), 1)
    chain.run(3)
    assert chain.waiting.height == 1
    chain.attest([stranger.public_key])
    chain.run(4)
    assert chain.waiting.height == 0
    assert chain.balance(stranger) < 50_000


def test_attesting_is_the_attesters_alone(make_chain, key):
    chain = make_chain()
    chain.attest([key("bob").public_key], "refused", attester=key("alice"))
    chain.run(3)
    assert chain.transactions["code"].to_list() == ["not_permitted"]
    assert chain.accounts.filter(pl.col("name") == "bob")["kyc"].to_list() == ["verified"]


def test_tips_buy_priority(make_chain, key):
    """A block with room for three transfers takes those with the highest tips."""
    chain = make_chain(terms=PublicTerms(validators=4, block_size=64, block_weight=10))
    for name, tip in (("alice", 0), ("bob", 300), ("carol", 0), ("dave", 900)):
        for _ in range(30):
            chain.pay(key(name), key("alice" if name != "alice" else "bob"), 1, tip=tip)
    chain.run(12)
    first = chain.transactions.filter(pl.col("height") == pl.col("height").min())
    assert first.height == 66
    assert first["tip"].to_list() == [900] * 30 + [300] * 30 + [0] * 6
    assert chain.transactions.height == 120


def test_tips_pay_within_a_senders_own_order(make_chain, key):
    chain = make_chain()
    tips = [0, 500, 20]
    for tip in tips:
        chain.pay(key("alice"), key("bob"), 1, tip=tip)
    chain.run(3)
    assert chain.transactions["nonce"].to_list() == [0, 1, 2]
    assert chain.transactions["tip"].to_list() == tips


def test_two_with_one_nonce_the_better_paid_one_counts(make_chain, key):
    chain = make_chain()
    frame = {"debit_account": [5], "credit_account": [6], "asset": ["GRID"], "amount": [1], "code": ["transfer"]}
    kinds = [
        chain.sign(key("alice"), "transfer", pl.DataFrame({"transfer_id": [number]} | frame), tip=tip)
        for number, tip in ((1, 3), (2, 800), (3, 0))
    ]
    chain.submit_many(kinds)
    chain.run(4)
    assert chain.transactions["tip"].to_list() == [800]
    assert chain.waiting.height == 0


def test_fees_rise_with_demand_and_fall_without(make_chain, key):
    chain = make_chain(terms=PublicTerms(validators=4, block_weight=10, adjustment=1.0))
    quiet = chain.multiplier
    chain.run(4)
    assert chain.multiplier < quiet
    low = chain.multiplier
    for _ in range(100):
        chain.pay(key("alice"), key("bob"), 1)
    chain.run(3)
    assert chain.multiplier > low


def test_expired_transactions_are_forgotten(make_chain, key):
    chain = make_chain()
    account = chain.account(key("bob"))
    frame = {"transfer_id": [1], "debit_account": [chain.account(key("alice"))], "credit_account": [account]}
    late = pl.DataFrame(frame | {"asset": ["GRID"], "amount": [1], "code": ["transfer"]})
    good = chain.sign(key("alice"), "transfer", late, valid_for=2)
    names = {"chain_id": good.chain_id, "kind": "transfer", "payload": good.payload}
    # Nonce 5 never comes up, because the ones before it are missing.
    chain.submit(Transaction.sign(key("alice"), nonce=5, expiry=2, **names))
    assert chain.waiting.height == 1
    chain.run(6)
    assert chain.waiting.height == 0
    assert chain.transactions.height == 0


def test_proofs_hold_under_the_roots(used):
    block = next(used.block(h) for h in range(1, used.height + 1) if len(used.block(h).transactions) > 1)
    ids, size = block.transactions.ids, len(block.transactions)
    for index in range(size):
        proof = block.prove_transaction(index)
        root = block.header.transactions_root
        assert merkle.verify_inclusion(root, ids[index], index, size, proof, hash="blake2b-256")
        leaf, root = block.receipts[index].to_bytes(), block.header.receipts_root
        proof = block.prove_receipt(index)
        assert merkle.verify_inclusion(root, leaf, index, size, proof, hash="blake2b-256")
    with pytest.raises(ArgumentError, match="at most"):
        block.prove_transaction(size)
    bare = PublicBlock.from_bytes(block.to_bytes())
    with pytest.raises(ChainError, match="not executed here"):
        bare.prove_receipt(0)


def follower(chain, height):
    """A chain that has followed to just before `height`."""
    return PublicChain._followed(chain._builder, chain._record.blocks[1:height])


def resealed(chain, block, **changes):
    """The block with other fields, sealed and certified by keys that everybody knows."""
    header = dataclasses.replace(block.header, **changes)
    pair = keys.sandbox(0, f"validator {block.header.seat}")
    signatures = {
        seat: keys.sandbox(0, f"validator {seat}").sign(finality_message(header.to_bytes(), 0)) for seat in range(4)
    }
    sealed = PublicBlock.sealed(header, pair, block.transactions)
    return dataclasses.replace(sealed, justification=Justification(0, signatures))


def test_a_block_that_is_not_what_execution_gives_is_refused(used):
    height = next(h for h in range(2, used.height + 1) if len(used.block(h).transactions))
    chain, block = follower(used, height), used.block(height)
    root = chain.state_root
    cases = {
        "its state_root is": resealed(used, block, state_root=bytes(32)),
        "its receipts_root is": resealed(used, block, receipts_root=bytes(32)),
        "its transactions_root is": resealed(used, block, transactions_root=bytes(32)),
        "its next_authority is": resealed(used, block, next_authority=bytes(32)),
        "its parent is": resealed(used, block, parent=bytes(32)),
        "its rules_version is": resealed(used, block, rules_version=7),
        "its timestamp is": resealed(used, block, timestamp=block.header.timestamp + 1),
        "not after its parent's": resealed(used, block, slot=0),
        "claim is not signed": resealed(used, block, claim=bytes(64)),
        "the seal is not": dataclasses.replace(resealed(used, block), seal=bytes(64)),
        "has no certificate": dataclasses.replace(block, justification=None),
        "signature of seat 0": dataclasses.replace(
            block, justification=dataclasses.replace(block.justification, signatures={0: bytes(64)})
        ),
    }
    for words, wrong in cases.items():
        with pytest.raises(ChainError, match=words):
            chain.append_block(wrong)
        assert (chain.state_root, chain.height) == (root, height - 1)
    with pytest.raises(ChainError, match=r"must not stand in a block|transactions_root"):
        chain.append_block(dataclasses.replace(block, transactions=block.transactions + block.transactions))
    with pytest.raises(ArgumentTypeError, match="PublicBlock"):
        chain.append_block(b"")
    chain.append_block(block)
    assert chain.height == height
    with pytest.raises(ChainError, match="writes its own blocks"):
        used.append_block(block)


def test_headers_and_blocks_survive_their_bytes(used):
    block = used.finalised
    assert PublicHeader.from_bytes(block.header.to_bytes()) == block.header
    assert PublicBlock.from_bytes(block.to_bytes()) == block
    for data in (block.to_bytes()[:-1], block.to_bytes() + b"x"):
        with pytest.raises(ChainError):
            PublicBlock.from_bytes(data)
    damaged = bytearray(used.to_bytes())
    damaged[-40] ^= 1
    with pytest.raises((ChainError, ArgumentError)):
        PublicChain.from_bytes(bytes(damaged))


def test_offline_and_lying_validators_on_the_chain(key, make_chain):
    chain = make_chain(validators_count=7, equivocators=[2], offline=[5])
    chain.pay(key("alice"), key("bob"), 1)
    chain.run(20)
    assert chain.height >= 12
    assert chain.equivocations["seat"].unique().to_list() == [2]
    assert set(chain.equivocations["what"]) == {"block", "prevote", "precommit"}
    assert chain.balance(key("bob")) == 100_000_001
    assert chain.replay().state_root == chain.state_root
    stopped = make_chain(validators_count=6, offline=[0, 1])
    stopped.pay(key("alice"), key("bob"), 1)
    stopped.run(10)
    assert stopped.height == 0
    assert stopped.head.height > 3
    assert stopped.balance(key("bob")) == 100_000_000


def test_upgrade_changes_the_rules_at_its_height_and_replay_uses_those_of_the_day(make_chain, key):
    """A change of fee rules in mid-chain, approved by governance."""
    second = RuleSet(2, FeeRules(base_fee=9_999, byte_fee=0, weight_fee=0, treasury_share=0), EFFECTS)
    chain = make_chain(rules=[second])
    chain.pay(key("alice"), key("bob"), 1)
    chain.run(3)
    due = chain.head.height + 4
    chain.upgrade(2, due)
    chain.run(8)
    chain.pay(key("alice"), key("bob"), 1)
    chain.run(4)
    final = chain.blocks.filter("final", pl.col("height") > 0)
    assert final.filter(pl.col("height") < due)["rules_version"].unique().to_list() == [1]
    assert final.filter(pl.col("height") >= due)["rules_version"].unique().to_list() == [2]
    paid = final.filter(pl.col("transactions") > 0)
    assert paid.filter(pl.col("height") >= due)["fees"].to_list() == [9_999]
    assert paid["fees"].to_list()[0] == chain._builder.rules[1].fees.fee(150, chain.transactions["bytes"][0], 10**18)
    assert chain.replay().state_root == chain.state_root
    with pytest.raises(ChainError, match="is under version 2 of the rules"):
        PublicChain.from_bytes(chain.to_bytes())
    first = chain._builder.rules[1]
    assert PublicChain.from_bytes(chain.to_bytes(), rules=[first, second]).state_root == chain.state_root
    other = RuleSet(1, FeeRules(base_fee=5), EFFECTS)
    with pytest.raises(ChainError, match="another hash"):
        PublicChain.from_bytes(chain.to_bytes(), rules=[other, second])
    changed = RuleSet(2, FeeRules(base_fee=1), EFFECTS)
    with pytest.raises(ChainError, match="is under version 2 of the rules with the hash"):
        PublicChain.from_bytes(chain.to_bytes(), rules=[first, changed])


@pytest.mark.parametrize(
    ("version", "height", "who", "code"),
    [(2, 1, "governance", "rule_broken"), (1, 99, "governance", "rule_broken"), (2, 99, "alice", "not_permitted")],
)
def test_bad_upgrades_are_refused(make_chain, key, version, height, who, code):
    chain = make_chain(rules=[RuleSet(2, FeeRules(), EFFECTS)])
    chain.run(2)
    chain.upgrade(version, height, governance=key(who))
    chain.run(3)
    assert chain.transactions["code"].to_list() == [code]
    assert chain.transactions["reason"].to_list() != [""]
    assert chain.best.state.upgrade is None


def test_rules_that_are_not_released_are_refused_at_the_door(make_chain, key):
    chain = make_chain()
    with pytest.raises(ChainError, match="not released"):
        chain.upgrade(2, 9)
    frame = pl.DataFrame({"version": [2], "height": [9], "rules": [bytes(32)]})
    with pytest.raises(ChainError, match="not released under this hash"):
        chain.send(key("governance"), "upgrade", frame)
    assert chain.waiting.height == 0


def test_frames_for_people(used, key):
    explorer = used.explorer
    assert explorer["height"].to_list() == sorted(explorer["height"].to_list(), reverse=True)
    assert (explorer["certified_stake_percent"] > 66.6).all()
    accounts = used.accounts
    assert accounts["GRID"].sum() == 0
    assert accounts.filter(pl.col("name") == "alice")["address"].to_list() == [key("alice").address]
    assert set(used.kinds["kind"]) >= {"transfer", "kyc_attestation", "upgrade"}
    assert "final height" in repr(used)
    assert used.ledger.balance(0, "GRID") == accounts["GRID"][0]
    assert used.header(0).height == 0


def test_the_object_alone_has_everything():
    chain = PublicChain()
    assert len(chain.authorities) == 100
    chain.run(2)
    assert chain.height >= 1


def test_bad_arguments_are_refused(make_chain, key):
    chain = make_chain()
    frame = pl.DataFrame({"version": [1], "height": [3], "rules": [chain.rules.hash]})
    with pytest.raises(ChainError, match="did you mean 'transfer'"):
        chain.send(key("alice"), "transfers", frame)
    with pytest.raises(FrameError):
        chain.send(key("alice"), "transfer", frame)
    with pytest.raises(ArgumentTypeError, match="KeyPair"):
        chain.send("alice", "upgrade", frame)
    with pytest.raises(ArgumentError, match="slots is 0"):
        chain.run(0)
    with pytest.raises(ArgumentTypeError, match="allowed: a Transaction"):
        chain.submit(b"")
    good = chain.sign(key("governance"), "upgrade", frame)
    forged = dataclasses.replace(good, signature=bytes(64))
    with pytest.raises(ChainError, match=r"transactions\[1\]: the signature"):
        chain.submit_many([good, forged])
    assert chain.waiting.height == 0
    other = make_chain(chain_id="other")
    with pytest.raises(ChainError, match="is for the chain 'gridlab-public', this is 'other'"):
        other.submit(good)
    with pytest.raises(ArgumentTypeError, match="PublicTerms"):
        PublicChain(terms=4)
    with pytest.raises(LeverError, match="two slots"):
        PublicTerms(slot_time=1, gossip_time=2.0)
    with pytest.raises(ArgumentTypeError, match="stake in micro-GRID"):
        PublicChain(validators=[key("alice")])
    with pytest.raises(ChainError, match="below 0"):
        make_chain({"alice": -1})
    with pytest.raises(ChainError, match="stands there twice"):
        make_chain(rules=[RuleSet(1, FeeRules(), EFFECTS)])
    with pytest.raises(ArgumentError, match="empty"):
        make_chain(chain_id="")


def test_levers_are_declared_with_thai_labels_and_sources():
    levers = PublicTerms().levers()
    assert levers.filter(pl.col("label_th").str.len_chars() < 4).height == 0
    assert levers.filter(pl.col("source") == "").height == 0
    fees = PublicTerms(base_fee=0.002, byte_fee=0.00002, weight_fee=0.02, target_fullness=30, adjustment=0.01).fees
    assert (fees.base_fee, fees.byte_fee, fees.weight_fee) == (2_000, 20, 20)
    assert (fees.target_fullness, fees.adjustment) == (300_000_000, 100_000)
    assert PublicTerms().fees == FeeRules()
