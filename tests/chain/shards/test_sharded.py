"""Two phases between shards, proofs, refunds, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from gridlab.chain import merkle
from gridlab.chain.shards import AbsenceLetter, ParcelLetter, ReceiptLetter, ShardedLedger, verify_account
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError, GridlabError, LedgerError

NOTHING = ()
ISSUERS = {"WATT": [0], "THB": [0]}


@pytest.fixture
def book(make_homes, pay):
    """Accounts 1 and 2 in MEA with 100 WATT each, 3 in N1, 4 in S3; account 0 issues. Timeout 10."""
    ledger = ShardedLedger(make_homes("MEA", "MEA", "MEA", "N1", "S3"), issuers=ISSUERS, timeout=10)
    ledger.apply_each(pay((1, 0, 1, 100), (2, 0, 2, 100)))
    ledger.settle()
    return ledger


def watt(book):
    return book.balances["WATT"].to_list()


def test_a_transfer_within_a_shard_is_done_in_its_block(book, pay):
    block = book.apply_each(pay((1, 1, 2, 30)))
    assert (block.crossing, watt(book), book.in_flight.height) == (0, [-200, 70, 130, 0, 0], 0)


def test_a_transfer_between_shards_is_pending_then_credited_then_posted(book, pay):
    block = book.apply_each(pay((1, 1, 3, 30)))
    assert block.results.names.to_list() == ["ok"]
    assert block.crossing == 1
    assert (book.balance(1, "WATT"), book.reserved(1, "WATT"), book.available(1, "WATT")) == (100, 30, 70)
    assert book.in_flight.select("source", "destination", "sequence", "state", "amount").row(0) == (
        *("MEA", "N1", 0, "sent", 30),
    )
    book.apply_each(pay())
    assert (watt(book), book.in_flight["state"].to_list()) == ([-200, 100, 100, 30, 0], ["credited"])
    book.apply_each(pay())
    assert (watt(book), book.in_flight.height, book.reserved(1, "WATT")) == ([-200, 70, 100, 30, 0], 0, 0)


def test_what_arrives_may_be_spent_in_the_block_that_receives_it_and_not_before(book, pay):
    first = book.apply_each(pay((1, 1, 3, 30), (1, 3, 4, 10)))
    second = book.apply_each(pay((2, 3, 4, 10)))
    assert first.results.names.to_list() == ["ok", "exceeds_balance"]
    assert second.results.names.to_list() == ["ok"]


def test_a_pending_amount_cannot_be_spent_again(book, pay):
    results = book.apply_each(pay((1, 1, 3, 60), (2, 1, 4, 60), (3, 1, 2, 40), (4, 1, 2, 1))).results
    assert results.names.to_list() == ["ok", "exceeds_balance", "ok", "exceeds_balance"]


def test_a_parcel_is_executed_once_however_often_it_comes(book, pay):
    book.apply_each(pay((1, 1, 3, 30)))
    (letter,) = book.letters
    block = book.apply_each(pay(), deliver=[letter, letter])
    assert block.refused.row(0) == (1, "parcel", "parcel (1, 2, 0) was received before; it is executed once")
    assert book.apply_each(pay(), deliver=[letter]).refused.height == 1
    (receipt,) = book.letters
    assert book.apply_each(pay(), deliver=[receipt, receipt]).refused["kind"].to_list() == ["receipt"]
    assert watt(book) == [-200, 70, 100, 30, 0]


def test_a_parcel_that_timed_out_is_refunded_on_proof_of_non_receipt(book, pay):
    book.apply_each(pay((1, 1, 3, 30)), now=5)
    (letter,) = book.letters
    early = book.absence(letter.key)
    refused = book.apply_each(pay(), now=15, deliver=[letter, early]).refused
    assert "timed out at 15, and it is 15" in refused["reason"][0]
    assert "may be executed until 15" in refused["reason"][1]
    assert book.apply_each(pay(), deliver=[book.absence(letter.key)]).refused.is_empty()
    assert (watt(book), book.reserved(1, "WATT")) == ([-200, 100, 100, 0, 0], 0)
    assert book.refunds.select("source", "credit_account", "amount", "reason").row(0) == ("MEA", 3, 30, "timed out")
    assert book.apply_each(pay(), deliver=[letter]).refused.height == 1


def test_settle_takes_a_parcel_that_timed_out_back_by_itself(book, pay):
    book.apply_each(pay((1, 1, 3, 30)), now=5)
    book.settle(now=20)
    assert (watt(book), book.refunds.height) == ([-200, 100, 100, 0, 0], 1)


def test_a_limit_at_the_destination_refuses_and_refunds(book, pay):
    book.set_limit(3, "WATT", 40)
    assert book.limit(3, "WATT") == 40
    book.apply_each(pay((1, 1, 3, 30), (2, 2, 3, 20), (3, 2, 3, 10)))
    book.settle()
    assert watt(book) == [-200, 70, 90, 40, 0]
    assert book.refunds.select("transfer_id", "reason").rows() == [(2, "exceeds_limit")]


def test_backing_holds_over_all_shards(make_homes, pay):
    """Reserve that has left its shard still backs; a reserve on its way back is taken only where it is free."""
    book = ShardedLedger(make_homes(*["MEA"] * 4), issuers={"WATT": [0], "THB": [1]}, backing={"WATT": "THB"})
    book.apply_each(pay((1, 1, 2, 50, "THB"), (1, 0, 2, 10)))
    assert book.in_flight["asset"].to_list() == ["THB"]
    book.settle()
    assert book.apply_each(pay((2, 0, 3, 51), (3, 0, 3, 50))).results.names.to_list() == ["exceeds_backing", "ok"]
    book.settle()
    book.apply_each(pay((1, 2, 1, 1, "THB")))
    book.settle()
    assert book.refunds["reason"].to_list() == ["exceeds_backing"]
    assert book.supply.select("asset", "circulating").rows()[:2] == [("WATT", 50), ("THB", 50)]


def test_a_transfer_sent_again_changes_nothing_and_another_under_its_id_is_named(book, pay):
    book.apply_each(pay((1, 1, 3, 30)))
    book.settle()
    again = book.apply_each(pay((1, 1, 3, 30), (1, 1, 4, 30), (1, 1, 2, 30), (1, 1, 3, 31), (1, 2, 3, 30)))
    assert again.results.names.to_list() == [
        "exists",
        "exists_with_different_credit_account",
        "exists_with_different_credit_account",
        "exists_with_different_amount",
        "ok",
    ]


def test_the_root_is_that_of_rfc_6962_over_the_shards_roots(book, pay):
    block = book.apply_each(pay((1, 1, 3, 30)))
    roots = [bytes.fromhex(each[2:]) for each in book.shards["root"]]
    assert block.root == book.root == merkle.root(roots, hash="blake2b-256")


def test_an_account_is_proved_by_the_block_root_alone(book, pay):
    book.apply_each(pay((1, 1, 3, 30)))
    proof, old = book.prove_account(1), book.root
    assert verify_account(old, proof, shards=len(book.names))["WATT"] == (100, 30)
    book.apply_each(pay())
    with pytest.raises(ChainError, match="does not lead to the root"):
        verify_account(book.root, proof, shards=len(book.names))
    with pytest.raises(ChainError, match="another account"):
        verify_account(old, replace(proof, account=2), shards=len(book.names))
    leaf = proof.inclusion.leaf
    forged = replace(proof.inclusion, leaf=leaf[:8] + (10**9).to_bytes(8, "little") + leaf[16:])
    with pytest.raises(ChainError, match="not under its shard"):
        verify_account(old, replace(proof, inclusion=forged), shards=len(book.names))
    with pytest.raises(ChainError):
        verify_account(old, replace(proof, shard=book.prove_account(3).shard), shards=len(book.names))


def test_forged_letters_are_refused_with_the_reason(book, pay):
    book.apply_each(pay((1, 1, 3, 30), (2, 2, 4, 10)))
    letter, other = book.letters
    moves = letter.parcel.moves.copy()
    moves["amount"] = 31
    forged = [
        replace(letter, parcel=replace(letter.parcel, moves=moves)),
        replace(letter, parcel=replace(letter.parcel, timeout=10**6)),
        replace(letter, parcel=replace(letter.parcel, sequence=1)),
        replace(letter, parcel=replace(letter.parcel, destination=3)),
        replace(letter, parcel=replace(letter.parcel, destination=9)),
        replace(letter, inclusion=other.inclusion),
        replace(letter, inclusion=replace(letter.inclusion, path=letter.inclusion.path[1:])),
        replace(letter, proof=replace(letter.proof, height=0)),
        replace(letter, proof=replace(letter.proof, height=99)),
        replace(letter, proof=replace(letter.proof, path=())),
        replace(letter, proof=replace(letter.proof, summary=replace(letter.proof.summary, outbox_root=bytes(32)))),
        AbsenceLetter(book.absence(letter.key).proof, (1, 2, 7), ()),
    ]
    before = watt(book)
    refused = book.apply_each(pay(), deliver=forged).refused
    assert refused["letter"].to_list() == list(range(len(forged)))
    assert watt(book) == before
    book.apply_each(pay(), deliver=[letter, other])
    receipt = next(each for each in book.letters if each.key == letter.key)
    lies = [
        replace(receipt, receipt=replace(receipt.receipt, codes=np.array([7], np.uint8))),
        replace(receipt, receipt=replace(receipt.receipt, codes=np.zeros(0, np.uint8))),
        replace(receipt, receipt=replace(receipt.receipt, destination=3)),
    ]
    assert book.apply_each(pay(), deliver=lies).refused.height == len(lies)
    with pytest.raises(ArgumentError, match="in the ranges"):
        book.absence(letter.key)
    book.settle()
    assert watt(book) == [-200, 70, 90, 30, 10]


def test_a_gap_between_received_parcels_is_proved_by_its_neighbours(book, pay):
    for number in range(3):
        book.apply_each(pay((number, 1, 3, 10)), now=0, deliver=[])
    first, gap, last = book.letters
    book.apply_each(pay(), now=9, deliver=[last, first])
    book.apply_each(pay(), now=10, deliver=[])
    assert len(book.absence(gap.key).neighbours) == 2
    lie = replace(book.absence(gap.key), key=first.key)
    block = book.apply_each(pay(), deliver=[lie, book.absence(gap.key)])
    assert block.refused["letter"].to_list() == [0]
    book.settle()
    assert (watt(book), book.refunds["transfer_id"].to_list()) == ([-200, 80, 100, 20, 0], [1])


def test_frames_and_the_table_for_people(book, pay):
    book.apply_each(pay((1, 1, 3, 30)))
    assert book.shards.select("shard", "accounts", "transfers", "parcels_sent", "parcels_open").rows() == [
        *[("supply", 1, 2, 1, 0), ("MEA", 2, 1, 1, 1), ("N1", 1, 0, 0, 0), ("S3", 1, 0, 0, 0)],
    ]
    assert "<caption>5 accounts, 1 transfers between shards</caption>" in book._repr_html_()
    assert repr(book).startswith("ShardedLedger(5 accounts, 4 shards in this process, 0x")
    assert book.home(4) == "S3"
    assert book.supply.filter(asset="WATT").row(0) == ("WATT", 200, 170, 30)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (pl.lit("pending").alias("phase"), LedgerError, "transfers that move at once"),
        (pl.lit(True).alias("linked"), LedgerError, "transfers that move at once"),
        (pl.lit("BTC").alias("asset"), FrameError, "BTC"),
        (pl.lit(None, pl.Int64).alias("amount"), FrameError, "nulls"),
    ],
)
def test_a_frame_is_taken_whole_or_not_at_all(book, pay, change, error, words):
    before = book.root, book.height, watt(book)
    frame = pay((1, 1, 2, 5)).with_columns(pl.col("asset").cast(pl.String)).with_columns(change)
    with pytest.raises(error, match=words):
        book.apply_each(frame)
    assert (book.root, book.height, watt(book)) == before


def test_rows_that_are_wrong_by_themselves_are_refused_as_by_the_ledger(book, pay):
    results = book.apply_each(pay((1, 1, 2, 0), (2, 1, 1, 5), (3, 1, 99, 5), (4, 99, 1, 5), (5, 99, 99, -1))).results
    assert results.names.to_list() == [
        *("amount_not_positive", "same_accounts", "unknown_account", "unknown_account", "amount_not_positive"),
    ]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda book, pay: book.apply_each([1]), "transfers"),
        (lambda book, pay: book.apply_each(pay(), now=-1), "now is -1"),
        (lambda book, pay: book.apply_each(pay(), now="noon"), "now is 'noon'"),
        (lambda book, pay: book.apply_each(pay(), now=2**63 - 2), "now is"),
        (lambda book, pay: book.apply_each(pay(), deliver=["letter"]), r"deliver\[0\] is a str"),
        (lambda book, pay: book.apply_each(pay(), deliver=7), "deliver is a int"),
        (lambda book, pay: book.balance(5, "WATT"), "account is 5"),
        (lambda book, pay: book.balance(1, "watt"), "'watt' is not known; allowed: 'WATT'"),
        (lambda book, pay: book.set_limit(1, "WATT", -1), "highest is -1"),
        (lambda book, pay: book.absence((0, 9, 0)), "destination is 9"),
        (lambda book, pay: book.absence("0-1-2"), "allowed: .source, destination, sequence"),
        (lambda book, pay: book.prove_account(-1), "account is -1"),
        (lambda book, pay: verify_account("root", None, shards=1), "root is a str"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(book, pay, act, words):
    before = book.root
    with pytest.raises(GridlabError, match=words):
        act(book, pay)
    assert book.root == before


def test_time_does_not_go_backwards(book, pay):
    book.apply_each(pay(), now=100)
    with pytest.raises(ArgumentError, match="at least 100"):
        book.apply_each(pay(), now=99)


@pytest.mark.parametrize(
    ("homes", "options", "words"),
    [
        ({"account": [0, 2], "shard": ["MEA", "MEA"]}, {}, "without gaps"),
        ({"account": [0, 0], "shard": ["MEA", "N1"]}, {}, "without gaps"),
        ({"account": [0], "shard": ["supply"]}, {}, "only issuers live in 'supply'"),
        ({"account": [0], "shard": [""]}, {}, "1 to 64 bytes"),
        ({"account": [0]}, {}, "'shard' is missing"),
        ({"account": [], "shard": []}, {}, "0 accounts"),
        ({"account": [0], "shard": ["MEA"]}, {"issuers": {"WATT": [1]}}, "is 1, allowed"),
        ({"account": [0], "shard": ["MEA"]}, {"issuers": {"Watt": [0]}}, "'Watt' is not known"),
        ({"account": [0], "shard": ["MEA"]}, {"backing": {"WATT": "WATT"}}, "backs itself"),
        ({"account": [0], "shard": ["MEA"]}, {"workers": 2}, "workers is 2, allowed: at least 0 and at most 1"),
        ({"account": [0], "shard": ["MEA"]}, {"timeout": 0}, "timeout is 0"),
    ],
)
def test_a_sharded_ledger_that_cannot_be(homes, options, words):
    dtypes = {"account": pl.UInt32, "shard": pl.String}
    frame = pl.DataFrame(homes, schema={name: dtypes[name] for name in homes})
    with pytest.raises(GridlabError, match=words):
        ShardedLedger(frame, **options)


def test_there_is_no_root_before_the_first_block(make_homes):
    empty = ShardedLedger(make_homes("MEA"))
    with pytest.raises(ChainError, match="no block yet"):
        _ = empty.root
    with pytest.raises(ChainError, match="no block yet"):
        empty.prove_account(0)


def test_letters_of_another_type_are_refused_at_the_door(book, pay):
    book.apply_each(pay((1, 1, 3, 30)))
    (letter,) = book.letters
    assert isinstance(letter, ParcelLetter)
    with pytest.raises(ArgumentTypeError, match="parcel is a str"):
        ParcelLetter(letter.proof, "parcel", letter.inclusion)
    with pytest.raises(ArgumentTypeError, match="receipt is a Parcel"):
        ReceiptLetter(letter.proof, letter.parcel, letter.inclusion)
    with pytest.raises(ArgumentTypeError, match="moves is a ndarray"):
        replace(letter.parcel, moves=np.zeros(3))
