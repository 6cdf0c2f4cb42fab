"""Elected validators become the authorities: the change is final first, nothing forks over it, and clients follow."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import keys
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.public import AuthoritySet, PublicChain, PublicTerms, candidacy_frame
from gridlab.chain.public.authorities import LARGEST_STAKE
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.handover import Conduct, successor
from gridlab.chain.public.parts import PUBLIC_LAYOUT
from gridlab.chain.staking import StakingRules
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

ERA = 24
RULES = StakingRules(
    validators=8, session_length=ERA, sessions_per_era=1, bonding_duration=4, slash_defer_duration=1, history_depth=6,
    least_validators=1,
)
GRID = 10**6
NAMES = tuple(f"v{number}" for number in range(8))


def pair(name):
    return keys.sandbox(0, name)


def stand(chain, name, amount, key=None):
    """Bond and stand for election, with a key of one's own unless another is given."""
    chain.send(pair(name), "bond", pl.DataFrame({"amount": [amount * GRID], "payee": ["stash"]}))
    signing = key or pair(name)
    chain.send(pair(name), "validate", candidacy_frame(chain.chain_id, chain.account(pair(name)), signing))


def more(chain, name, amount):
    chain.send(pair(name), "bond_extra", pl.DataFrame({"amount": [amount * GRID]}))


def people(names=NAMES, *, named=True):
    return pl.DataFrame(
        {
            "public_key": [pair(name).public_key for name in names],
            "balance": [10_000 * GRID] * len(names),
            "name": list(names) if named else [""] * len(names),
        }
    )


def make(*, idle=0, first=4, accounts=None, **options):
    return PublicChain(
        people() if accounts is None else accounts,
        validators=[(pair(name), 100 * GRID) for name in NAMES[:first]],
        terms=PublicTerms(validators=4, idle_slots=idle),
        staking=RULES,
        **options,
    )


def names_of(authorities):
    known = {pair(name).public_key: name for name in NAMES}
    return [known.get(key, "?") for key in authorities.keys]


@pytest.fixture(scope="module")
def changed():
    """A chain over several eras, in which others come to the front each time."""
    chain = make()
    for number, name in enumerate(NAMES):
        stand(chain, name, 100 + number)
    chain.run(ERA)
    for era in range(4):
        more(chain, NAMES[era], 500 * (era + 1))
        more(chain, NAMES[2 * era % 8], 300)
        chain.run(ERA)
    chain.run(4)
    return chain


def changes(chain):
    """Heights at which another set is named than the one that certifies."""
    headers = [chain.header(height) for height in range(1, chain.height + 1)]
    return [each.height for each in headers if each.next_authority != each.authority]


def test_the_elected_become_the_authorities_in_the_first_block_of_an_era(changed):
    heights = changes(changed)
    assert len(heights) >= 3
    assert changed.authorities.number == len(heights)
    staking = changed.finalised and changed._final.state.parts["staking"].staking
    assert changed.authorities.keys == tuple(staking.keys[who] for who in staking.elected)
    assert changed.authorities.weights == tuple(staking.exposure(who).total for who in staking.elected)
    assert len({tuple(names_of(changed._record.authorities(height))) for height in range(1, changed.height)}) >= 3
    for height in heights:
        before, after = (changed._record.authorities(each) for each in (height, height + 1))
        header = changed.header(height)
        assert (header.authority, header.next_authority) == (before.hash, after.hash)
        # Nobody wrote upon the change before it was final: its child came with a later slot, by the new set.
        child = changed.header(height + 1)
        assert child.author == after.keys[child.seat]
        assert changed.block(height).justification.why_not(header.to_bytes(), before) is None
        assert changed.block(height).justification.why_not(header.to_bytes(), after) is not None


def test_no_fork_reaches_over_a_change(changed):
    tree = changed._network.tree
    by_height = {}
    final = set(tree.path(int(changed._network.final[-1]), 0))
    for block in sorted(final):
        by_height[tree.height[block]] = block
    for height in changes(changed):
        change = by_height[height]
        for block in range(len(tree)):
            if tree.parent[block] == change:
                assert tree.slot[block] > tree.slot[change]
        # Of the blocks beside the change none has a child.
        beside = [block for block in range(len(tree)) if tree.height[block] == height and block != change]
        assert not [block for block in range(len(tree)) if tree.parent[block] in beside]


def test_authors_earn_points_with_their_stake(changed):
    staking = changed._final.state.parts["staking"].staking
    assert staking.validators["points"].sum() > 0
    written = changed.blocks.filter("final")["fees"].sum()
    assert written > 0


def test_a_light_client_follows_through_all_changes(changed):
    client = LightClient.trusting(
        "public",
        changed.signed_header(1).header,
        PUBLIC_LAYOUT,
        trusting_period=10**12,
        clock_drift=10**9,
        longest_skip=10**6,
    )
    now = changed.finalised.header.timestamp
    heights = changes(changed)
    with pytest.raises(ChainError):
        # A change cannot be skipped, since only the old set proves the new one.
        client.update(changed.signed_header(heights[0] + 1), now)
    for height in (*heights, changed.height):
        client = client.update(changed.signed_header(height), now)
    assert client.newest.height == changed.height


def test_replay_and_bytes_give_the_same(changed):
    again = PublicChain.from_bytes(changed.to_bytes(), staking=RULES)
    assert again.state_root == changed.state_root == changed.replay().state_root
    assert again.authorities == changed.authorities
    for height in range(1, changed.height + 1):
        assert again.signed_header(height) == changed.signed_header(height)
    assert again.blocks.equals(changed.blocks.filter("final"))


def test_walking_gives_the_same():
    chains = []
    for walks in (True, False):
        chain = make(idle=6, offline={3: [(200, 260)]})
        chain._network.walks = walks
        for number, name in enumerate(NAMES):
            stand(chain, name, 100 + number)
        chain.run(3 * ERA)
        chains.append(chain)
    assert chains[0].authorities.number > 0
    assert chains[0].to_bytes() == chains[1].to_bytes()
    assert chains[0].trace.fingerprint == chains[1].trace.fingerprint


def test_a_validator_whose_key_nobody_holds_counts_as_offline():
    chain = make(accounts=people((*NAMES[:4], "stranger")))
    for name in NAMES[:4]:
        stand(chain, name, 200)
    stand(chain, "stranger", 150, keys.KeyPair.from_seed(b"s" * 32))
    chain.run(2 * ERA - 8)
    seats = chain.seats
    assert len(seats) == 5
    assert seats.filter(~pl.col("online"))["stake"].to_list() == [min(chain.authorities.weights)]
    assert chain.finalised.header.slot > 2 * ERA - 14
    # Nobody heard of it, so it does not stand in the next election.
    chain.run(ERA)
    assert chain.seats["online"].to_list() == [True] * 4


def test_further_keys_can_be_given():
    session = keys.KeyPair.from_seed(b"k" * 32)
    chain = make(candidates=[session], accounts=people((*NAMES[:4], "v5")))
    for name in NAMES[:3]:
        stand(chain, name, 200)
    stand(chain, "v5", 190, session)
    chain.run(2 * ERA)
    assert session.public_key in chain.authorities.keys
    assert chain.seats["online"].all()
    before = chain.balance(pair("v5"))
    for _ in range(6):
        chain.pay(pair("v0"), pair("v1"), 5, tip=1_000)
        chain.run(4)
    # The key has no account; its blocks pay the account whose stake stands behind it.
    authors = {chain.header(height).author for height in range(1, chain.height + 1)}
    assert session.public_key in authors
    assert chain.balance(pair("v5")) >= before
    with pytest.raises(ArgumentTypeError, match="candidates"):
        make(candidates=["key"])


def test_without_enough_keys_the_new_set_makes_nothing_final():
    chain = make(accounts=people(("v0", "v1", "v2", "v3", "x", "y")))
    for name, byte in (("x", b"x"), ("y", b"y")):
        stand(chain, name, 300, keys.KeyPair.from_seed(byte * 32))
    stand(chain, "v0", 200)
    chain.run(3 * ERA)
    assert chain.authorities.number == 1
    height = chain.height
    chain.run(10)
    assert chain.height == height == changes(chain)[-1]
    assert chain.head.height > height


def test_faults_go_with_the_validators():
    chain = make(equivocators=[1], first=7)
    for number, name in enumerate(NAMES[:7]):
        stand(chain, name, 100 + number)
    chain.run(ERA - 14)
    # Who is not heard of in the session does not stand, and not everybody is drawn to write a block in it.
    chain.send(pair("v2"), "heartbeat", pl.DataFrame({"note": [""]}))
    chain.run(10)
    chain.fail(offline=[2], slots=30)
    chain.run(16)
    assert chain.authorities.number == 1
    table = dict(zip(names_of(chain.authorities), chain.seats.select("online", "lies").rows(), strict=True))
    assert table == {name: (name != "v2", name == "v1") for name in NAMES[:7]}
    chain.run(20)
    assert chain.seats["online"].all()


@given(
    seed=st.integers(0, 50),
    liar=st.integers(0, 6),
    away=st.integers(0, 6),
    cut=st.lists(st.integers(0, 6), max_size=3, unique=True),
    extra=st.lists(st.tuples(st.integers(0, 7), st.integers(1, 900)), min_size=2, max_size=2),
)
@settings(max_examples=5)
def test_with_less_than_a_third_faulty_no_two_blocks_of_a_height_are_final(seed, liar, away, cut, extra):
    chain = make(first=7, seed=seed, equivocators=[liar], partitions=[(100, 190, [[], cut])])
    for number, name in enumerate(NAMES):
        stand(chain, name, 300 + number)
    chain.run(10)
    for name, amount in extra:
        more(chain, NAMES[name], amount % 40 + 1)
        seats = chain.seats
        faulty = seats.filter(pl.col("lies") | (pl.col("seat") == away))["stake"].sum()
        if away < seats.height and 3 * faulty < seats["stake"].sum():
            chain.fail(offline=[away], slots=6)
        assert 3 * seats.filter("lies")["stake"].sum() < seats["stake"].sum()
        chain.run(ERA)
    chain.run(20)
    assert not chain._network.conflicts
    tree, final = chain._network.tree, {}
    for block in tree.path(int(chain._network.final[-1]), 0):
        assert final.setdefault(tree.height[block], block) == block
    assert chain.authorities.number >= 1
    assert chain.replay().state_root == chain.state_root


def test_with_too_few_elected_the_old_set_goes_on():
    chain = PublicChain(
        people(),
        validators=[(pair(name), 100 * GRID) for name in NAMES[:4]],
        terms=PublicTerms(validators=4),
        staking=replace(RULES, least_validators=4),
    )
    for name in NAMES[:3]:
        stand(chain, name, 200)
    chain.run(2 * ERA)
    assert (chain.authorities.number, names_of(chain.authorities)) == (0, list(NAMES[:4]))
    stand(chain, NAMES[5], 200)
    chain.run(ERA + 4)
    assert sorted(names_of(chain.authorities)) == [*NAMES[:3], NAMES[5]]
    with pytest.raises(ArgumentError, match="least_validators"):
        StakingRules(validators=4, least_validators=5)


def four(**rules):
    """A chain of four validators with 100 GRID each, and rules of staking as they are unless given."""
    return PublicChain(
        people(),
        validators=[(pair(name), 100 * GRID) for name in NAMES[:4]],
        terms=PublicTerms(validators=4),
        staking=replace(RULES, **({"least_validators": StakingRules().least_validators} | rules)),
    )


def test_one_candidate_with_one_grid_does_not_get_the_chain():
    chain = four()
    assert "nobody is elected" in chain.handover
    stand(chain, "v7", 1)
    chain.run(2 * ERA)
    assert (chain.authorities.number, names_of(chain.authorities)) == (0, list(NAMES[:4]))
    assert "fewer are elected than 4" in chain.handover
    assert chain.replay().state_root == chain.state_root


def test_a_set_with_little_stake_is_not_handed_the_chain():
    chain = four()
    for name in NAMES[4:]:
        stand(chain, name, 33)
    chain.run(ERA - 2)
    assert "genesis serves through the first one" in chain.handover
    chain.run(ERA)
    # 4 x 33 GRID is less than a third of 4 x 100; the era turns all the same, and the old set writes its blocks.
    assert (chain.authorities.number, names_of(chain.authorities)) == (0, list(NAMES[:4]))
    assert chain.state.parts["staking"].staking.era >= 1
    assert f"{132 * GRID} micro-GRID stand behind the elected" in chain.handover
    for name in NAMES[4:]:
        more(chain, name, 1)
    chain.run(ERA)
    assert chain.authorities.number == 1
    assert sorted(names_of(chain.authorities)) == list(NAMES[4:])
    assert "as elected" in chain.handover
    assert chain.replay().state_root == chain.state_root


def test_more_seats_than_a_set_can_have_are_refused(make_chain):
    with pytest.raises(ArgumentError, match="staking elects 1001 validators"):
        make_chain(staking=StakingRules(validators=1001))


def test_a_set_that_stays_the_same_keeps_its_number():
    current = AuthoritySet(3, (b"a" * 32, b"b" * 32), (5, 6))
    assert successor(current, [(b"a" * 32, 5), (b"b" * 32, 6)]) is current
    assert successor(current, [(b"a" * 32, 5), (b"b" * 32, 7)]).number == 4
    assert successor(current, [(b"b" * 32, 6), (b"a" * 32, 5)]).number == 4


def test_stakes_that_a_set_cannot_count_are_halved_all_alike():
    huge = successor(AuthoritySet(0, (b"a" * 32,), (1,)), [(b"a" * 32, 2**62), (b"b" * 32, 2**61), (b"c" * 32, 0)])
    assert huge.weights[0] == 2 * huge.weights[1]
    assert huge.weights[2] == 1
    assert LARGEST_STAKE // 2 < huge.total <= LARGEST_STAKE


def test_conduct_remembers_those_who_leave_and_come_back():
    names = [bytes([each]) * 32 for each in range(4)]
    first = Faults.of(3, {1: [(5, 9)]}, [(1, 100, [[], [1]])], [2])
    conduct = Conduct()
    second = conduct.carried(first, names[:3], [names[0], names[3]], [True, False])
    assert second.liars.tolist() == [False, False]
    assert (second.down_node.tolist(), second.down_from.tolist()) == ([1], [0.0])
    assert second.gone.tolist() == [False, True]
    assert second.cuts[0][2].tolist() == [0, 0, 0]
    third = conduct.carried(second, [names[0], names[3]], [names[2], names[1]], [True, True])
    assert third.liars.tolist() == [True, False]
    assert (third.down_node.tolist(), third.down_from.tolist(), third.down_until.tolist()) == ([1], [5e3], [9e3])
    assert third.cuts[0][2].tolist() == [0, 1, 0]
