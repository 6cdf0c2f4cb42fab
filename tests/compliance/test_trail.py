"""The trail: nothing missing, refused transactions included, every row of every payload in its place."""

import polars as pl
import pytest

from gridlab.chain import Transaction
from gridlab.chain.effects import RULES
from gridlab.chain.terms import ChainTerms
from gridlab.compliance import Audit
from gridlab.compliance.movements import MOVEMENTS
from gridlab.compliance.trail import TRAIL
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError


def test_every_transaction_stands_in_the_trail_as_declared(town):
    trail = Audit(town).trail()
    assert trail.columns == [column.name for column in TRAIL.columns]
    assert TRAIL.check(trail).schema == {column.name: column.dtype for column in TRAIL.columns}
    blocks = [town.block(height) for height in range(1, town.height + 1)]
    ids = ["0x" + each.id.hex() for block in blocks for each in block.transactions]
    assert trail["id"].to_list() == ids
    codes = [receipt.code for block in blocks for receipt in block.receipts]
    assert trail["code"].to_list() == codes
    assert trail["slot"].to_physical().to_list() == [
        block.header.timestamp for block in blocks for _ in block.transactions
    ]


def test_a_refused_transaction_and_a_stranger_stand_in_it_with_the_reason(make):
    from gridlab.chain import keys

    chain = make.chain()
    stranger = keys.sandbox(9, "stranger")
    chain.submit(
        Transaction.sign(stranger, chain_id=chain.chain_id, kind="riot", nonce=0, expiry=9, payload=b"\x04\xff\xff")
    )
    chain.seal(make.start)
    row = Audit(chain).trail("riot").row(0, named=True)
    assert (row["account"], row["name"], row["role"], row["rows"]) == (None, None, None, None)
    assert (row["accepted"], row["code"]) == (False, "not_a_member")
    assert row["reason"]


def test_names_and_row_counts_are_those_of_senders_and_payloads(town, make):
    batches = Audit(town).trail("order_batch")
    assert batches["name"].to_list() == ["alice", "bob", "carol", "dan", "bob", "alice"]
    assert batches["role"].unique().to_list() == ["trader"]
    assert batches["rows"].to_list() == [1] * 6
    renamed = Audit(town, pl.DataFrame({"account": [make.account["bob"]], "name": ["house 7"]}))
    assert renamed.trail("order_batch")["name"].to_list() == ["alice", "house 7", "carol", "dan", "house 7", "alice"]


@pytest.mark.parametrize("kind", list(RULES[1]))
def test_rows_of_a_kind_are_the_accepted_payloads_with_their_place(town, kind):
    audit = Audit(town)
    rows = audit.rows(kind)
    assert rows.columns[:3] == ["height", "index", "sender"]
    payloads = town.payloads(kind).rename(lambda name: f"payload_{name}" if name in rows.columns[:3] else name)
    assert rows.drop("height", "index", "sender").equals(payloads)
    accepted = audit.trail(kind).filter("accepted")
    counted = rows.group_by("height", "index", "sender").len().sort("height", "index")
    expected = accepted.select("height", "index", sender="account", len=pl.col("rows").cast(pl.UInt32))
    assert counted.equals(expected)


def replayed_heights(chain):
    """Height of every movement, by executing block after block and looking at how the ledger grows."""
    twin = type(chain)._from_blocks(chain.genesis, [], chain.ordering, chain._releases)
    heights = []
    for height in range(1, chain.height + 1):
        twin.append_block(chain.block(height))
        moved = twin.ledger.transfers.filter(pl.col("moved") > 0).height
        heights += [height] * (moved - len(heights))
    return heights


def test_every_movement_is_led_back_to_the_block_in_which_it_was_made(town):
    moved = Audit(town).movements
    assert moved.columns == list(MOVEMENTS)
    assert moved["height"].to_list() == replayed_heights(town)
    assert moved["row"].to_list() == list(range(moved.height))


def test_every_movement_is_led_back_to_its_transaction(town, make):
    audit = Audit(town)
    joined = audit.movements.join(audit.trail(), on=["height", "index"], how="left")
    assert joined["accepted"].all()
    kinds = joined.group_by("code").agg(pl.col("kind").unique().sort()).sort("code")
    found = dict(zip(kinds["code"].cast(pl.String), kinds["kind"].to_list(), strict=True))
    assert found["chain_fee"] == ["transfer"]
    assert found["energy"] == ["gate_closure", "settlement"]
    assert found["mint"] == ["mint"]
    # The payer of a fee is the sender of the transaction that it was taken for.
    fees = joined.filter(pl.col("code") == "chain_fee")
    assert fees.height == 2
    assert fees["debit_account"].equals(fees["account"].alias("debit_account"))
    assert fees["debit_account"].to_list() == [make.account["carol"]] * 2


def test_a_transfer_that_was_sent_again_belongs_to_the_first_transaction(town, make):
    audit = Audit(town)
    own = audit.movements.filter((pl.col("sender") == make.account["carol"]) & (pl.col("transfer_id") == 6))
    assert own["height"].to_list() == [town.height - 1]
    assert audit.rows("transfer").filter(pl.col("transfer_id") == 6)["height"].to_list() == [
        town.height - 1,
        town.height,
    ]


def test_movements_of_a_lab_are_all_led_back():
    import gridlab as gl

    chain = gl.Lab.thailand(prosumers=12, seed=4).run(slots=8, progress=False).chain
    audit = Audit(chain)
    assert audit.movements["height"].null_count() == 0
    assert audit.movements["amount"].sum() == chain.ledger.transfers["moved"].sum()


def test_an_audit_shows_itself(town):
    audit = Audit(town)
    assert repr(audit) == f"Audit('gridlab-consortium', blocks 0 to {town.height}, {audit.trail().height} transactions)"
    html = audit._repr_html_()
    assert "<script" not in html
    assert "0x" + audit.log_root().hex() in html
    assert "of which 1 refused" in html


def test_a_name_is_escaped(make, town):
    named = Audit(town, pl.DataFrame({"account": [0], "name": ["<b>alice</b>"]}))
    assert "<b>alice" not in named.trace_funds(account=0)._repr_html_()


@pytest.mark.parametrize(
    ("chain", "accounts", "error", "words"),
    [
        ("chain", None, ArgumentTypeError, "chain is a str"),
        (None, [1], ArgumentTypeError, "accounts: expected a polars DataFrame"),
        (None, pl.DataFrame({"account": [1]}), FrameError, "column 'name' is missing"),
        (None, pl.DataFrame({"account": [1, 1], "name": ["a", "b"]}), FrameError, "stands there twice"),
    ],
)
def test_wrong_arguments_are_refused_by_name(town, chain, accounts, error, words):
    with pytest.raises(error, match=words):
        Audit(chain or town, accounts)


def test_an_unknown_kind_is_refused_where_it_has_no_schema(town):
    assert Audit(town).trail("riot").is_empty()
    with pytest.raises(ChainError, match="'riot' is not known"):
        Audit(town).rows("riot")
    with pytest.raises(ArgumentTypeError):
        Audit(town).trail(7)


def test_a_reservation_moves_nothing_until_it_is_posted(make):
    chain = make.chain()
    make.deposit(chain)
    alice = make.pairs["alice"]
    chain.send(alice, "transfer", make.transfers((1, "alice", "bob", 900)).with_columns(phase=pl.lit("pending")))
    chain.seal(make.start)
    audit = Audit(chain)
    assert audit.movements["transfer_id"].to_list() == [1, 2, 3, 4, 5]
    post = make.transfers((2, "alice", "bob", 500)).with_columns(
        phase=pl.lit("post"), pending_id=pl.lit(1, dtype=pl.UInt64)
    )
    chain.send(alice, "transfer", post)
    assert chain.seal(make.start).rejected == 0
    last = audit.movements.row(-1, named=True)
    assert (last["height"], last["transfer_id"], last["amount"]) == (3, 2, 500)
    assert audit.trace_funds(account=0).total == 500


def test_an_audit_goes_with_its_chain(make):
    chain = make.chain()
    audit = Audit(chain)
    before = audit.log_root()
    make.deposit(chain)
    make.trade_some(chain)
    assert audit.trail().height == chain.transactions.height
    assert audit.trace_energy(trade=2).edges.height == 2
    assert audit.log_root(0) == before
    assert audit.log_root() != before
    assert audit.prove_trade(2).verdict.trade["buyer"] == chain.trades["buyer"][2]
    assert audit.prove_transaction(1, 0).verdict
    with pytest.raises(ArgumentError, match="row is 3"):
        audit.prove_trade(3)
    with pytest.raises(ArgumentError, match="no trades"):
        Audit(make.chain()).prove_trade(0)


@pytest.mark.parametrize("fee", [0, 7])
def test_a_block_of_many_single_transfers_is_read_as_one_by_one(make, fee):
    """Single transfers are read as columns; what is none of them stands between them in its place."""
    chain = make.chain(terms=ChainTerms(fee_per_transaction=fee))
    make.deposit(chain)
    for number in range(40):
        name = ["alice", "bob"][number % 2]
        frame = make.transfers((number, name, "carol", 10 + number))
        if number % 7 == 3:
            frame = make.transfers((number, name, "carol", 1), (1_000 + number, name, "dan", 2))
        if number == 20:
            frame = frame.with_columns(linked=pl.lit(value=False))
        chain.send(make.pairs[name], "transfer", frame)
    chain.send(make.pairs["bob"], "transfer", make.transfers((5_000, "bob", "carol", 10**15)))
    assert chain.seal(make.start).rejected == 1
    rows = Audit(chain).rows("transfer")
    assert rows.drop("height", "index", "sender").equals(chain.payloads("transfer"))
    expected = [number for number in range(40) for _ in range(2 if number % 7 == 3 else 1)]
    assert rows["index"].to_list() == expected
    assert rows["sender"].to_list() == [number % 2 for number in expected]
    moved = Audit(chain).movements
    assert moved["height"].to_list() == replayed_heights(chain)
    fees = moved.filter(pl.col("code") == "chain_fee")
    assert fees["index"].to_list() == (list(range(40)) if fee else [])
    assert fees["debit_account"].to_list() == [number % 2 for number in range(40 if fee else 0)]
