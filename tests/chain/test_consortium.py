from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import (
    Block,
    ConsortiumChain,
    Header,
    Ordering,
    PbftOrdering,
    SingleSequencer,
    Transaction,
    keys,
    merkle,
)
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError, GridlabError


def test_blocks_link_and_commit_to_what_they_hold(chain, pairs, pay, make):
    chain.send(pairs["alice"], "transfer", pay())
    chain.submit(chain.sign(pairs["bob"], "transfer", pay(debit="alice")))
    block = chain.seal(make.start + timedelta(minutes=15))
    ids = [transaction.id for transaction in block.transactions]
    receipts = [
        ids[0] + b"\x20accepted" + b"\x00",
        ids[1] + b"\x2crule_broken" + b"\x00",
    ]
    assert block.header.parent == chain.block(1).hash
    assert block.header.transactions_root == merkle.root(ids, hash="blake2b-256")
    assert block.header.receipts_root == merkle.root(receipts, hash="blake2b-256")
    assert block.header.state_root == chain.state_root
    proof = block.prove_transaction(1)
    assert merkle.verify_inclusion(block.header.transactions_root, ids[1], 1, 2, proof, hash="blake2b-256")
    assert Block.from_bytes(block.to_bytes()) == block
    assert Header.from_bytes(block.header.to_bytes()) == block.header
    assert Transaction.from_bytes(block.transactions[0].to_bytes()) == block.transactions[0]


def test_the_frames_say_what_the_blocks_hold(chain, pairs, pay, make, account):
    chain.send(pairs["alice"], "transfer", pay())
    chain.submit(chain.sign(pairs["bob"], "transfer", pay(debit="alice")))
    chain.seal(make.start + timedelta(minutes=15))
    blocks, transactions = chain.blocks, chain.transactions
    assert blocks["height"].to_list() == [0, 1, 2]
    assert blocks["parent"][1:].to_list() == blocks["hash"][:-1].to_list()
    assert blocks["hash"].to_list() == ["0x" + chain.block(height).hash.hex() for height in range(3)]
    assert blocks.select("transactions", "rejected").rows() == [(0, 0), (2, 0), (2, 1)]
    assert blocks["bytes"].to_list() == [
        len(chain.genesis.to_bytes()),
        *(len(chain.block(height).to_bytes()) for height in (1, 2)),
    ]
    assert blocks["slot"].dt.strftime("%Y-%m-%d %H:%M %z").to_list()[1:] == [
        "2026-04-01 00:00 +0700",
        "2026-04-01 00:15 +0700",
    ]
    assert transactions.select("height", "index", "kind", "account", "accepted", "code").rows()[2:] == [
        (2, 0, "transfer", account["alice"], True, "accepted"),
        (2, 1, "transfer", account["bob"], False, "rule_broken"),
    ]
    assert transactions["id"].to_list()[2] == "0x" + chain.block(2).transactions[0].id.hex()


def test_time_never_runs_backwards(chain, pairs, pay, make):
    chain.send(pairs["alice"], "transfer", pay())
    with pytest.raises(ChainError, match="never older than its parent"):
        chain.seal(make.start - timedelta(microseconds=1))
    assert (chain.height, len(chain.pending)) == (1, 1)
    assert chain.seal(make.start).rejected == 0


def test_a_moment_may_be_bangkok_time_any_zone_or_microseconds(chain):
    moments = [datetime(2026, 4, 1), datetime(2026, 3, 31, 17, tzinfo=UTC), 1_774_976_400_000_000]
    assert {chain.seal(moment).header.timestamp for moment in moments} == {1_774_976_400_000_000}
    assert chain.head.time == moments[1]


def test_two_chains_of_the_same_transactions_are_the_same_to_the_byte(members, pairs, pay, make, account):
    def build():
        chain = ConsortiumChain(members)
        chain.send(pairs["bank"], "reserve", pay(1, 9, "bank", "issuer", "THB", "reserve"))
        chain.send(pairs["issuer"], "mint", pay(2, 9, "issuer", "alice", code="mint"))
        chain.seal(make.start)
        return chain

    one, two = build(), build()
    assert one.to_bytes() == two.to_bytes()
    assert one.fingerprint == two.fingerprint
    other = ConsortiumChain(members, chain_id="other")
    assert other.genesis.header.hash != one.genesis.header.hash
    assert other.fingerprint != ConsortiumChain(members).fingerprint


class NewestFirst(SingleSequencer):
    """Takes the newest transaction alone and leaves the others waiting."""

    def arrange(self, pending):
        return tuple(pending[-1:])


def test_another_ordering_may_arrange_and_leave_transactions(members, pairs, make, account, pay):
    chain = ConsortiumChain(members, ordering=NewestFirst(keys.sandbox(0, "sequencer")))
    assert isinstance(chain.ordering, Ordering)
    chain.send(pairs["grid"], "meter_readings", make.readings())
    chain.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    kinds = []
    for _ in range(3):
        kinds += [transaction.kind for transaction in chain.seal(make.start).transactions]
    assert kinds == ["order_batch", "meter_readings"]
    assert chain.blocks["rejected"].sum() == 0


@pytest.mark.parametrize("ordering", [PbftOrdering.of(4), SingleSequencer(keys.sandbox(0, "sequencer"))])
def test_without_secret_keys_a_chain_is_checked_and_not_sealed(members, ordering, make):
    chain = ConsortiumChain(members, ordering=ordering)
    chain.seal(make.start)
    reader = ConsortiumChain.from_bytes(chain.to_bytes())
    with pytest.raises(ChainError, match=r"secret keys? .*not here"):
        reader.seal(make.start)
    assert reader.height == chain.height


def test_how_things_show_themselves(chain, pairs, make):
    assert repr(chain) == "ConsortiumChain('gridlab-consortium', height 1, 7 members, 0 transactions pending)"
    assert "150.000000" in chain._repr_html_()
    block = chain.block(1)
    assert repr(block).startswith("Block(height 1, 2 transactions, 0x")
    assert "2 transactions" not in block._repr_html_()
    assert "2, of which 0 rejected" in block._repr_html_()
    assert "<script" not in ConsortiumChain(chain.members, chain_id="<script>")._repr_html_()
    assert len(repr(block.transactions[0])) < 60
    assert len(repr(block.header)) < 60


@given(
    payments=st.lists(
        st.tuples(st.sampled_from(["alice", "bob"]), st.integers(-1, 60_000_000), st.integers(0, 12)), max_size=12
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_replays_and_keeps_the_promises(members, pairs, account, make, payments):
    chain = ConsortiumChain(members)
    reserve = (1, account["bank"], account["issuer"], "THB", 100_000_000, "reserve")
    mints = [
        (2, account["issuer"], account["alice"], "WATT", 50_000_000, "mint"),
        (3, account["issuer"], account["bob"], "WATT", 50_000_000, "mint"),
    ]
    chain.send(pairs["bank"], "reserve", make.transfers(reserve))
    chain.send(pairs["issuer"], "mint", make.transfers(*mints))
    for sender, amount, number in payments:
        receiver = "bob" if sender == "alice" else "alice"
        row = (10 + number, account[sender], account[receiver], "WATT", amount, "transfer")
        chain.send(pairs[sender], "transfer", make.transfers(row))
        if number % 3 == 0:
            chain.seal(make.start)
    chain.seal(make.start)
    balances = chain.ledger.balances
    assert balances.select("WATT", "THB").sum().row(0) == (0, 0)
    assert balances.filter(~pl.col("account").is_in([account["bank"], account["issuer"]]))["WATT"].min() >= 0
    assert chain.ledger.circulation("WATT") == 100_000_000 <= chain.ledger.circulation("THB")
    again = chain.replay()
    assert again.fingerprint == chain.fingerprint
    assert again.blocks.equals(chain.blocks)
    assert again.transactions.equals(chain.transactions)
    assert ConsortiumChain.from_bytes(chain.to_bytes()).to_bytes() == chain.to_bytes()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda chain, _: chain.submit(b"transaction"), ArgumentTypeError),
        (lambda chain, _: chain.seal("2026-04-01"), ArgumentTypeError),
        (lambda chain, _: chain.seal(-1), ArgumentError),
        (lambda chain, _: chain.seal(2**62), ArgumentError),
        (lambda chain, _: chain.block(2), ArgumentError),
        (lambda chain, _: chain.block("1"), ArgumentTypeError),
        (lambda chain, _: chain.payloads("orders"), ChainError),
        (lambda chain, _: chain.payloads("order_batch", 9), ArgumentError),
        (lambda chain, pair: chain.send(pair.public_key, "transfer", pl.DataFrame()), ArgumentTypeError),
        (lambda chain, pair: chain.send(pair, "transfers", pl.DataFrame()), ChainError),
        (lambda chain, pair: chain.send(pair, "transfer", {"amount": 1}), ArgumentTypeError),
        (lambda chain, pair: chain.send(pair, "transfer", pl.DataFrame({"amount": [1]})), FrameError),
        (lambda chain, _: chain.append_block(b"block"), ArgumentTypeError),
        (lambda _chain, _: ConsortiumChain([1]), ArgumentTypeError),
        (lambda chain, _: ConsortiumChain(chain.members, chain_id=""), ArgumentError),
        (lambda chain, _: ConsortiumChain(chain.members, chain_id="x" * 65), ArgumentError),
        (lambda chain, _: ConsortiumChain(chain.members, chain_id=b"x"), ArgumentTypeError),
        (lambda chain, _: ConsortiumChain(chain.members, ordering="first come"), ArgumentTypeError),
        (lambda chain, _: ConsortiumChain(chain.members, genesis_time="today"), ArgumentTypeError),
        (lambda chain, _: ConsortiumChain(chain.members.drop("role")), FrameError),
        (lambda chain, _: ConsortiumChain(chain.members[1:]), FrameError),
        (lambda chain, _: ConsortiumChain(chain.members.with_columns(name=pl.lit("x"))), FrameError),
        (lambda chain, _: ConsortiumChain(chain.members.with_columns(public_key=pl.lit(bytes(32)))), FrameError),
        (lambda chain, _: ConsortiumChain(chain.members.with_columns(public_key=pl.lit(b""))), FrameError),
        (lambda chain, _: ConsortiumChain(chain.members.with_columns(role=pl.lit("king"))), FrameError),
        (lambda _chain, _: SingleSequencer("key"), ArgumentTypeError),
        (lambda _chain, _: SingleSequencer(b"short"), ArgumentError),
    ],
)
def test_calls_that_make_no_sense_are_errors_and_change_nothing(chain, pairs, call, error):
    before = chain.to_bytes()
    with pytest.raises(error) as caught:
        call(chain, pairs["alice"])
    assert isinstance(caught.value, GridlabError)
    assert len(str(caught.value)) > 20
    assert (chain.to_bytes(), chain.pending) == (before, ())
