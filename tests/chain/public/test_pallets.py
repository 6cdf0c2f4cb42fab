"""Pallets: parts, kinds and acts in every block that rooms above the chain add."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.public import EFFECTS, FeeRules, PublicChain, PublicEffect, PublicTerms, RuleSet, effects_with
from gridlab.chain.public.accounts import EVERYONE, TREASURY
from gridlab.chain.public.parts import part_of
from gridlab.chain.public.state import part_prefix
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError
from gridlab.frames import Column, Schema

KEYED = Schema("tallies", (Column("amount", pl.Int64, "integer", "what to count on"),))
PAYER = 2**32 - 100


@dataclass
class Tally:
    """What the pallet of these tests holds: a sum, and what it saw of each block."""

    total: int = 0
    seen: tuple[tuple[int, int, int], ...] = ()

    @property
    def hash(self):
        return tagged_hash("gridlab/test-tally/1", repr((self.total, self.seen)).encode())

    def fork(self):
        return Tally(self.total, self.seen)


@dataclass
class Counting:
    """Adds up what people send, notes every block, and pays the first account after genesis from the treasury."""

    name: str = "tally"
    kind: str = "count"
    weight: int = 100
    pays: int = 0
    fails_at: int = 0
    effects: dict = field(init=False)

    def __post_init__(self):
        self.effects = {self.kind: PublicEffect(KEYED, EVERYONE, self._count, self.weight, 10, "a number added")}

    def part(self, chain_id):
        return Tally(len(chain_id))

    def on_block(self, state, height, timestamp):
        part = part_of(state, self.name, Tally)
        part.seen = (*part.seen, (height, timestamp, part.total))
        if height == self.fails_at:
            raise ChainError("out of numbers")
        if self.pays and state.treasury >= self.pays:
            row = {"transfer_id": height, "debit_account": TREASURY, "credit_account": 5, "amount": self.pays}
            frame = pl.DataFrame([row]).with_columns(asset=pl.lit("GRID", ASSETS), code=pl.lit("transfer", CODES))
            state.ledger.apply(frame, sender=PAYER, now=timestamp)

    def _count(self, state, call):
        part = part_of(state, self.name, Tally)
        for amount in call.frame["amount"]:
            part.total += amount
            if amount < 0:
                raise ChainError("tallies: below 0")


def counted(chain, name="tally"):
    return part_of(chain._final.state, name, Tally)


@pytest.fixture
def chain(make_chain, key):
    made = make_chain(pallets=[Counting(pays=7), Counting("second", "count_again")], equivocators=[1])
    for amount in (5, -1, 6):
        made.send(key("alice"), "count", pl.DataFrame({"amount": [amount]}))
        made.run(2)
    made.send(key("bob"), "count_again", pl.DataFrame({"amount": [30, 1]}))
    made.run(4)
    return made


def test_a_pallet_has_a_part_kinds_and_acts_in_every_block_before_its_transactions(chain):
    start = len(chain.chain_id)
    assert counted(chain).total == start + 11
    assert counted(chain, "second").total == start + 31
    seen = counted(chain).seen
    assert [height for height, _, _ in seen] == list(range(1, chain.height + 1))
    assert [time for _, time, _ in seen] == [chain.header(height).timestamp for height, _, _ in seen]
    rows = chain.transactions.filter(pl.col("kind") == "count").select("height", "accepted").rows()
    assert [accepted for _, accepted in rows] == [True, False, True]
    before = {height: total for height, _, total in seen}
    first = rows[0][0]
    assert (before[first], before[first + 1]) == (start, start + 5)
    prefix = part_prefix("tally")
    assert prefix + counted(chain).hash in chain.state_leaves()


def test_a_pallet_may_move_money_and_the_books_still_balance(chain, key):
    rows = chain.transactions.join(chain.blocks.filter("final").select("height", "fees"), on="height")
    fees = rows.filter(pl.col("kind") == "count")["fees"].sum()
    # The treasury has something to pay from the block after the first fee on.
    payments = chain.height - rows["height"].min()
    assert payments > 5
    assert chain.balance(key("alice")) == 100_000_000 - fees + 7 * payments
    assert chain.accounts["GRID"].sum() == 0


def test_a_follower_needs_the_same_pallets(chain):
    data = chain.to_bytes()
    same = [Counting(pays=7), Counting("second", "count_again")]
    again = PublicChain.from_bytes(data, pallets=same)
    assert again.state_root == chain.state_root == chain.replay().state_root
    assert counted(again).seen == counted(chain).seen
    with pytest.raises(ChainError, match="give the rules that the chain was made with"):
        PublicChain.from_bytes(data)
    with pytest.raises(ChainError, match=r"block .*: its state_root is"):
        PublicChain.from_bytes(data, pallets=[Counting(pays=8), same[1]])
    with pytest.raises(ChainError, match="give the rules"):
        PublicChain.from_bytes(data, pallets=[Counting(pays=7, weight=101), same[1]])


def test_the_kinds_of_pallets_are_in_the_hash_of_the_rules():
    fees = FeeRules()
    plain, with_one = RuleSet(1, fees, EFFECTS), RuleSet(1, fees, effects_with([Counting()]))
    assert plain.hash != with_one.hash
    assert set(with_one.effects) - set(plain.effects) == {"count"}
    assert RuleSet(1, fees, effects_with([Counting(weight=101)])).hash != with_one.hash


def test_a_later_version_has_the_kinds_it_is_made_with(key, make_chain):
    pallet = Counting()
    later = RuleSet(2, PublicTerms().fees, EFFECTS)
    chain = make_chain(pallets=[pallet], rules=[later])
    chain.upgrade(2, 3)
    chain.run(6)
    assert "count" not in chain.kinds["kind"].to_list()
    with pytest.raises(ChainError, match="kind 'count' is not known"):
        chain.send(key("alice"), "count", pl.DataFrame({"amount": [1]}))
    assert counted(chain).seen[-1][0] == chain.height


def test_a_pallet_that_refuses_stops_the_chain_and_says_so(make_chain):
    chain = make_chain(pallets=[Counting(fails_at=3)])
    with pytest.raises(ChainError, match=r"block 3: pallet 'tally' refused.*out of numbers"):
        chain.run(10)
    assert chain.height <= 2
    with pytest.raises(ChainError, match="block 3: pallet 'tally' refused"):
        chain.run(1)


class Partless(Counting):
    """A pallet whose part has no hash of 32 bytes."""

    def part(self, chain_id):
        return Tally() if chain_id == "other" else chain_id


@pytest.mark.parametrize(
    ("pallets", "error", "message"),
    [
        ("tally", ArgumentTypeError, "pallets is a str"),
        ([Counting], ArgumentTypeError, r"pallets\[0\] .* is a class"),
        ([Counting(), object()], ArgumentTypeError, r"pallets\[1\] .* has no name, effects, part, on_block"),
        ([Counting(name="")], ArgumentError, "name is empty"),
        ([Counting(name=3)], ArgumentTypeError, "name is a int"),
        ([Counting(name="staking")], ChainError, "the name 'staking' is taken already by the chain"),
        ([Counting(), Counting(kind="other")], ChainError, "the name 'tally' is taken already by pallet 'tally'"),
        ([Counting(kind="transfer")], ChainError, "the kind 'transfer' is taken already by the chain"),
        ([Counting(), Counting("b")], ChainError, "the kind 'count' is taken already by pallet 'tally'"),
        ([Partless()], ArgumentTypeError, "its part is 'gridlab-public'"),
    ],
)
def test_wrong_pallets_are_refused(pallets, error, message, make_chain):
    with pytest.raises(error, match=message):
        make_chain(pallets=pallets)


def test_wrong_effects_and_methods_are_refused(make_chain):
    wrong = Counting()
    wrong.effects = {"count": "everything"}
    with pytest.raises(ArgumentTypeError, match="effects\\['count'\\] is a str, allowed: a PublicEffect"):
        make_chain(pallets=[wrong])
    wrong.effects = ["count"]
    with pytest.raises(ArgumentTypeError, match="effects is a list"):
        make_chain(pallets=[wrong])
    wrong = Counting()
    wrong.on_block = None
    with pytest.raises(ArgumentTypeError, match="on_block"):
        make_chain(pallets=[wrong])
