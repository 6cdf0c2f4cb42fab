"""A chain with shards does what the same chain without them does, and every block commits to each shard."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.bridge.inclusion import inclusion_of
from gridlab.chain.genesis import Genesis
from gridlab.chain.shards import ShardedLedger, ShardPlan, ShardTerms, verify_chain_account
from gridlab.chain.shards.in_chain import _MOST_ROUNDS
from gridlab.chain.shards.rounds import netted, waiting
from gridlab.chain.state import MOST_IN_SHARDS
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError, LeverError

START = datetime(2026, 4, 1)
ROLES = {"bank": "reserve_bank", "issuer": "watt_issuer", "operator": "market_operator", "regulator": "regulator"}
TRADERS = ("malee", "somchai", "niran", "ploy", "anong", "krit")
PAIRS = {name: keys.sandbox(11, name) for name in (*ROLES, *TRADERS)}
ACCOUNT = {name: place for place, name in enumerate(PAIRS)}
HOMES = {"malee": "MEA", "somchai": "MEA", "niran": "N1", "ploy": "N1", "anong": "NE2", "krit": "S3"}
SEQUENCER = keys.sandbox(11, "sequencer")
NAMES = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")


def homes(*extra):
    rows = [(ACCOUNT[name], shard) for name, shard in HOMES.items()]
    return pl.DataFrame([*rows, *extra], schema={"account": pl.UInt32, "shard": pl.String}, orient="row")


def members():
    roles = [ROLES.get(name, "trader") for name in PAIRS]
    return pl.DataFrame(
        {
            "account": range(len(PAIRS)),
            "name": list(PAIRS),
            "role": roles,
            "public_key": [pair.public_key for pair in PAIRS.values()],
        }
    )


def transfers(*rows, **columns):
    return pl.DataFrame([dict(zip(NAMES, row, strict=True)) for row in rows]).with_columns(**columns)


def row(number, payer, payee, amount, asset="WATT", code="transfer"):
    return (number, ACCOUNT[payer], ACCOUNT[payee], asset, amount, code)


def make_chain(shards=None, **options):
    """A chain on which every trader but krit holds 100 WATT."""
    chain = ConsortiumChain(members(), ordering=SingleSequencer(SEQUENCER), shards=shards, **options)
    chain.send(PAIRS["bank"], "reserve", transfers(row(1, "bank", "issuer", 10**9, "THB", "reserve")))
    minted = [row(2 + place, "issuer", name, 100, code="mint") for place, name in enumerate(TRADERS[:5])]
    chain.send(PAIRS["issuer"], "mint", transfers(*minted))
    assert chain.seal(START).rejected == 0
    return chain


@pytest.fixture
def chain():
    return make_chain(homes())


def pay(chain, number, payer, payee, amount):
    return chain.send(PAIRS[payer], "transfer", transfers(row(number, payer, payee, amount)))


def require_same(sharded, plain):
    """Same balances in the ledger and in the shards, same receipts; other roots."""
    assert sharded.ledger.balances.equals(plain.ledger.balances)
    assert sharded.shards.balances[: len(PAIRS)].equals(plain.ledger.balances)
    assert sharded.transactions.drop("id").equals(plain.transactions.drop("id"))
    assert sharded.block(sharded.height).header.receipts_root == plain.block(plain.height).header.receipts_root
    assert sharded.state_root != plain.state_root


def test_members_live_where_the_frame_says_issuers_in_supply_and_the_rest_among_institutions(chain):
    frame = chain.shards.frame
    assert frame.select("shard", "accounts").rows() == [
        ("supply", 2), ("MEA", 2), ("N1", 2), ("NE2", 1), ("S3", 1), ("institutions", 2),
    ]  # fmt: skip
    assert chain.shards.names == tuple(frame["shard"])


def test_what_crosses_takes_two_phases_and_is_there_after_the_block(chain):
    before = chain.shards.frame
    pay(chain, 1, "malee", "somchai", 10)
    pay(chain, 2, "malee", "niran", 20)
    assert chain.seal(START).rejected == 0
    after = chain.shards.frame
    moved = dict(zip(after["shard"], (after["parcels_sent"] - before["parcels_sent"]).to_list(), strict=True))
    assert moved == {"supply": 0, "MEA": 1, "N1": 0, "NE2": 0, "S3": 0, "institutions": 0}
    assert after["parcels_open"].sum() == 0
    assert chain.shards.balances["WATT"].to_list() == chain.ledger.balances["WATT"].to_list()


@pytest.mark.parametrize(("payments", "rounds"), [(2, 2), (_MOST_ROUNDS, _MOST_ROUNDS), (50, _MOST_ROUNDS + 1)])
def test_a_ring_of_payments_in_one_block_arrives_as_on_one_ledger(payments, rounds):
    """Each spends what the one before has just sent: a round for each, and after many rounds what is left goes net."""
    sharded, plain = make_chain(homes()), make_chain()
    ring, before = ["malee", "niran", "anong", "krit"], sharded.shards._book.height
    for chain in (sharded, plain):
        for number in range(payments):
            # Three of them put in the 100 that they have, and from then on 300 go round.
            pay(chain, number, ring[number % 4], ring[(number + 1) % 4], 100 * min(number + 1, 3))
        assert chain.seal(START).rejected == 0
    require_same(sharded, plain)
    # Each round sends, credits and posts.
    assert sharded.shards._book.height - before == 3 * rounds


def test_every_shards_root_is_a_leaf_under_the_state_root(chain):
    leaves = chain.state_leaves()
    roots = [each.root for each in chain.shards.summaries]
    assert [leaf[-32:] for leaf in leaves[-6:]] == roots
    pay(chain, 1, "niran", "ploy", 1)
    chain.seal(START)
    changed = [each.root != root for each, root in zip(chain.shards.summaries, roots, strict=True)]
    assert changed[2]
    assert chain.block(2).header.state_root == chain.state_root != chain.block(1).header.state_root


@pytest.mark.parametrize("name", [*PAIRS])
def test_an_account_is_proved_from_its_shards_root_to_the_blocks_alone(chain, name):
    pay(chain, 1, "malee", "krit", 30)
    chain.seal(START)
    header = chain.block(2).header
    proof = chain.prove_account(ACCOUNT[name])
    held = verify_chain_account(header.state_root, proof)
    assert held == {asset: chain.ledger.balance(ACCOUNT[name], asset) for asset in held}
    with pytest.raises(ChainError, match="proof of a shard"):
        verify_chain_account(chain.block(1).header.state_root, proof)


def test_proofs_that_are_bent_do_not_hold(chain):
    root, proof, other = chain.state_root, chain.prove_account(4), chain.prove_account(6)
    bent = [
        replace(proof, account=5),
        replace(proof, inclusion=other.inclusion),
        replace(proof, summary=other.summary),
        replace(proof, shard=other.shard),
        replace(proof, inclusion=replace(proof.inclusion, leaf=proof.inclusion.leaf[:-1] + b"\1")),
        replace(proof, inclusion=replace(proof.inclusion, index=1)),
        replace(proof, summary=replace(proof.summary, accounts_root=bytes(32))),
        replace(proof, shard=inclusion_of(chain.state_leaves(), 4)),
        replace(proof, shard=replace(proof.shard, path=proof.shard.path[1:])),
    ]
    for each in bent:
        with pytest.raises(ChainError):
            verify_chain_account(root, each)
    assert verify_chain_account(root, proof)["WATT"] == 100


def test_replay_and_bytes_bring_back_the_shards(chain):
    for number in range(5):
        pay(chain, number, "malee", "anong", 7)
        pay(chain, number, "anong", "krit", 3)
        chain.seal(START + timedelta(minutes=number))
    for again in (chain.replay(), ConsortiumChain.from_bytes(chain.to_bytes())):
        assert again.fingerprint == chain.fingerprint
        assert again.shards.frame.equals(chain.shards.frame)
    assert Genesis.from_bytes(chain.genesis.to_bytes()).header.hash == chain.genesis.header.hash


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_store_opens_with_its_shards(tmp_path, checkpoint):
    chain = make_chain(homes(), store=tmp_path / "run.db")
    pay(chain, 1, "malee", "krit", 30)
    chain.seal(START)
    chain.close()
    trusted = chain.head.hash if checkpoint else None
    again = ConsortiumChain.open(tmp_path / "run.db", ordering=SingleSequencer(SEQUENCER), checkpoint=trusted)
    assert again.shards.frame.equals(chain.shards.frame)
    pay(again, 2, "krit", "malee", 30)
    assert again.seal(START).rejected == 0
    again.close()
    # Every block would write a snapshot, and a chain with shards has none.
    kept = make_chain(homes())
    with kept.store_in(tmp_path / "other.db", snapshot_every=1) as store:
        kept.seal(START)
        assert store.snapshot_heights() == []


def test_what_is_reserved_stays_with_the_one_ledger_until_it_moves(chain):
    held = {"phase": pl.lit("pending"), "pending_id": pl.lit(0, pl.UInt64)}
    chain.send(PAIRS["malee"], "transfer", transfers(row(1, "malee", "niran", 60), **held))
    chain.seal(START)
    root = chain.shards.summaries[1].root
    posted = {"phase": pl.lit("post"), "pending_id": pl.lit(1, pl.UInt64)}
    chain.send(PAIRS["malee"], "transfer", transfers(row(2, "malee", "niran", 25), **posted))
    assert chain.seal(START).rejected == 0
    assert chain.shards.balances["WATT"].to_list() == chain.ledger.balances["WATT"].to_list()
    assert chain.shards.summaries[1].root != root


def test_no_more_is_issued_than_the_shards_can_count():
    chain = make_chain(homes())
    left = MOST_IN_SHARDS - 10**9
    for number, amount, code in ((9, left + 1, "rule_broken"), (9, left, "accepted"), (10, 1, "rule_broken")):
        chain.send(PAIRS["bank"], "reserve", transfers(row(number, "bank", "issuer", amount, "THB", "reserve")))
        assert [receipt.code for receipt in chain.seal(START).receipts] == [code]
    mint = [row(99, "issuer", "krit", MOST_IN_SHARDS - 500, code="mint")]
    chain.send(PAIRS["issuer"], "mint", transfers(*mint))
    assert chain.seal(START).rejected == 0
    # All of it there and back and there again in one block.
    for number in range(3):
        pay(chain, number, "krit", "malee", MOST_IN_SHARDS - 500)
        pay(chain, number, "malee", "krit", MOST_IN_SHARDS - 500)
    assert chain.seal(START).rejected == 0
    assert chain.shards.balances["WATT"].to_list() == chain.ledger.balances["WATT"].to_list()
    plain = make_chain()
    plain.send(PAIRS["bank"], "reserve", transfers(row(9, "bank", "issuer", left + 1, "THB", "reserve")))
    assert plain.seal(START).rejected == 0


def newcomer(name, role="trader"):
    fields = {"account": [len(PAIRS)], "name": [name], "role": [role], "active": [True], "kyc": ["verified"]}
    return pl.DataFrame({**fields, "public_key": [keys.sandbox(11, name).public_key]})


def test_members_who_come_later_have_the_homes_that_genesis_keeps_for_them():
    chain = make_chain(homes((len(PAIRS), "N1")))
    newest = keys.sandbox(11, "new")
    chain.send(PAIRS["regulator"], "membership", newcomer("new"))
    assert chain.seal(START).rejected == 0
    frame = transfers((1, ACCOUNT["malee"], len(PAIRS), "WATT", 40, "transfer"))
    chain.send(PAIRS["malee"], "transfer", frame)
    assert chain.seal(START).rejected == 0
    chain.send(newest, "transfer", transfers((1, len(PAIRS), ACCOUNT["krit"], "WATT", 15, "transfer")))
    assert chain.seal(START).rejected == 0
    assert verify_chain_account(chain.state_root, chain.prove_account(len(PAIRS)))["WATT"] == 25


@pytest.mark.parametrize(
    ("extra", "role", "reason"),
    [
        ((), "trader", "the chain's shards have homes for 10"),
        (((10, "N1"),), "watt_issuer", "a new watt_issuer may issue"),
        (((10, "N1"),), "bridge_operator", "a new bridge_operator may issue"),
    ],
)
def test_members_without_a_home_and_new_issuers_are_refused(extra, role, reason):
    chain = make_chain(homes(*extra))
    chain.send(PAIRS["regulator"], "membership", newcomer("new", role))
    (receipt,) = chain.seal(START).receipts
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason
    assert chain.members.height == len(PAIRS)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: make_chain("MEA"), ArgumentTypeError, "frame"),
        (lambda: make_chain(homes().drop("shard")), FrameError, "shard"),
        (lambda: make_chain(homes((12, "N1"))), ChainError, "count on without gaps"),
        (lambda: make_chain(homes((4, "N1"))), ChainError, "stands there twice"),
        (lambda: make_chain(homes((10, "supply"))), ChainError, "only issuers live in 'supply'"),
        (lambda: make_chain(homes(), shard_terms=60), ArgumentTypeError, r"allowed: ShardTerms\(timeout="),
        (lambda: ShardTerms(timeout=0), LeverError, "timeout"),
        (
            lambda: replace(make_chain().genesis, shards=ShardPlan.of(homes()[:5], 9)),
            ChainError,
            "9 homes for 10 members",
        ),
        (lambda: ShardPlan.from_bytes(replace(ShardPlan.of(homes(), 10), timeout=0).to_bytes()), ArgumentError, "is 0"),
        (lambda: make_chain().prove_account(1), ChainError, "this chain has no shards"),
        (lambda: make_chain(homes()).prove_account(10), ArgumentError, "account is 10"),
        (lambda: verify_chain_account(bytes(31), None), ArgumentError, "exactly 32"),
        (lambda: verify_chain_account(bytes(32), None), ArgumentTypeError, "allowed: what chain.prove_account gives"),
    ],
)
def test_calls_that_make_no_sense(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_genesis_commits_to_homes_and_timeout():
    hashes = {
        make_chain(shards, **options).genesis.header.hash
        for shards, options in (
            (None, {}),
            (homes(), {}),
            (homes((10, "N1")), {}),
            (homes(), {"shard_terms": ShardTerms(timeout=61)}),
        )
    }
    assert len(hashes) == 4
    plan = ShardPlan.of(homes(), 10, ShardTerms(timeout=2.5))
    assert (plan.timeout, ShardPlan.from_bytes(plan.to_bytes()).homes.rows()) == (2_500_000, plan.homes.rows())


def test_the_timeout_is_a_lever_with_unit_source_and_label():
    (lever,) = ShardTerms().levers().rows(named=True)
    assert (lever["path"], lever["value"], lever["unit"]) == ("timeout", "60.0", "s")
    assert all(lever[name] for name in ("label", "label_th", "source", "governed_by"))


def test_a_copy_of_a_sharded_ledger_goes_its_own_way():
    book = ShardedLedger(pl.DataFrame({"account": [0, 1, 2], "shard": ["A", "B", "B"]}), issuers={"WATT": [0]})
    book.apply_each(transfers((1, 0, 1, "WATT", 50, "mint")))
    twin = book.fork()
    assert (book.settle(), book.balance(1, "WATT"), twin.balance(1, "WATT")) == (2, 50, 0)
    assert twin.root != book.root
    assert (twin.settle(), twin.root) == (2, book.root)


def reference_waiting(debit, credit, crossing):
    """Row by row: who may not pay yet."""
    late, held = set(), []
    for payer, payee, crosses in zip(debit, credit, crossing, strict=True):
        waits = payer in late
        held.append(waits)
        if waits or crosses:
            late.add(payee)
        if waits:
            late.add(payer)
    return held


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda r: r[0] != r[1]), min_size=1, max_size=30)


@given(rows=ROWS, shard=st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_who_waits_is_what_the_plain_loop_says(rows, shard):
    debit, credit = (np.array(each) for each in zip(*rows, strict=True))
    crossing = np.array(shard)[debit] != np.array(shard)[credit]
    assert waiting(debit, credit, crossing, 6).tolist() == reference_waiting(debit, credit, crossing)


@given(rows=ROWS, amounts=st.lists(st.integers(1, 2**40), min_size=30, max_size=30), codes=st.data())
def test_netted_movements_have_the_same_outcome_and_nobody_pays_and_is_paid(rows, amounts, codes):
    assets = codes.draw(st.lists(st.sampled_from(["WATT", "THB"]), min_size=len(rows), max_size=len(rows)))
    moves = transfers(
        *((place, *pair, asset, amount, "transfer")
          for place, (pair, asset, amount) in enumerate(zip(rows, assets, amounts, strict=False)))
    ).with_columns(pl.col("debit_account", "credit_account").cast(pl.UInt32))  # fmt: skip
    net = netted(moves, 7)
    assert net.height < 2 * moves.height
    assert (net["amount"] > 0).all()
    for asset in ("WATT", "THB"):
        outcomes = []
        for frame in (moves, net):
            change = dict.fromkeys(range(6), 0)
            for payer, payee, amount in frame.filter(asset=asset).select(NAMES[1], NAMES[2], "amount").rows():
                change[payer] -= amount
                change[payee] += amount
            outcomes.append(change)
        assert outcomes[0] == outcomes[1]
        own = net.filter(asset=asset)
        assert not set(own["debit_account"]) & set(own["credit_account"])


BLOCKS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(TRADERS), st.sampled_from([*TRADERS, "issuer"]), st.integers(1, 120)), max_size=12
    ),
    min_size=1,
    max_size=4,
)


@given(blocks=BLOCKS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_blocks_give_the_state_of_the_chain_without_shards(blocks):
    """Payments within and between shards, redemptions, overdrafts, payments to oneself: the same to the last unit."""
    sharded, plain = make_chain(homes()), make_chain()
    number = 0
    for block in blocks:
        for payer, payee, amount in block:
            number += 1
            for chain in (sharded, plain):
                pay(chain, number, payer, payee, amount)
        for chain in (sharded, plain):
            chain.seal(START)
        require_same(sharded, plain)
        assert sharded.shards.frame["parcels_open"].sum() == 0
    assert sharded.replay().fingerprint == sharded.fingerprint
