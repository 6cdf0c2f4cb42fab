"""Rules that change at a height: what was before stays under the old ones, for everybody and for ever."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, PbftOrdering
from gridlab.chain.effects import RULES, RuleSet
from gridlab.chain.effects.money import transfer
from gridlab.chain.encoding import Reader
from gridlab.chain.pbft_ordering import unpack_certificate
from gridlab.chain.versions import UPGRADES, Upgrade, Versions
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, StoreError

MOST = 5_000_000


def small_transfer(state, call):
    """Under version 2 nobody pays more than 5 THB at once."""
    if call.frame["amount"].max() > MOST:
        raise ChainError(f"transfers: more than {MOST} micro-WATT at once")
    transfer(state, call)


def second(version=2, meaning="payments of at most 5 THB from the sender's own account"):
    """One kind less, one with another effect."""
    first = RULES[1]
    changed = {"transfer": replace(first["transfer"], act=small_transfer, meaning=meaning)}
    return RuleSet(version, {kind: each for kind, each in (first | changed).items() if kind != "trade"})


@pytest.fixture
def upgraded(chain, pairs, pay, make):
    """Version 2 approved in block 2 for block 4, and a payment of 6 THB tried in each of the blocks 2 … 5."""
    chain.release(second())
    chain.approve(pairs["regulator"], 2, 4)
    for number in range(4):
        chain.send(pairs["alice"], "transfer", pay(100 + number, 6_000_000))
        chain.seal(make.start)
    return chain


def codes(chain):
    return chain.transactions.filter(kind="transfer").select("height", "code").rows()


def test_an_approved_version_rules_from_its_height_on_and_not_before(upgraded):
    assert upgraded.blocks["rules_version"].to_list() == [1, 1, 1, 1, 2, 2]
    assert codes(upgraded) == [(2, "accepted"), (3, "accepted"), (4, "rule_broken"), (5, "rule_broken")]
    assert [upgraded.rules_of(height).version for height in (1, 3, 4, 5)] == [1, 1, 2, 2]
    assert upgraded.rules.version == 2
    assert upgraded.upgrade is None


def test_an_approval_waits_until_its_height(chain, pairs, make):
    chain.release(second())
    chain.approve(pairs["regulator"], 2, 4)
    chain.seal(make.start)
    assert chain.upgrade == Upgrade(2, 4, second().hash)
    assert (chain.rules.version, chain.blocks["rules_version"][-1]) == (1, 1)
    chain.seal(make.start)
    assert chain.rules.version == 2  # of the next block, the fourth
    assert chain.blocks["rules_version"][-1] == 1


def test_a_kind_that_a_version_dropped_is_unknown_from_its_height_on(upgraded, pairs, make):
    trade = RULES[1]["trade"].schema.empty()
    with pytest.raises(ChainError, match="kind 'trade' is not known"):
        upgraded.send(pairs["operator"], "trade", trade)
    # A transaction signed under the old rules comes too late.
    older = ConsortiumChain(upgraded.members, ordering=PbftOrdering.of(4))
    late = older.sign(pairs["operator"], "trade", trade)
    assert make.sealed(upgraded, late).code == "unknown_kind"
    assert upgraded.payloads("trade").is_empty()
    assert upgraded.payloads("transfer").height == 2


def test_replay_from_genesis_uses_the_rules_of_each_blocks_day(upgraded):
    again = upgraded.replay()
    assert again.fingerprint == upgraded.fingerprint
    assert again.transactions.equals(upgraded.transactions)
    read = ConsortiumChain.from_bytes(upgraded.to_bytes(), rules=[second()])
    assert read.blocks.equals(upgraded.blocks)
    assert read.rules.version == 2


def test_a_node_without_the_approved_rules_stops_at_their_height_and_goes_on_once_it_has_them(upgraded, pairs, pay):
    node = ConsortiumChain(upgraded.members, ordering=PbftOrdering.checking(upgraded.genesis.ordering_authority))
    for height in (1, 2, 3):
        node.append_block(upgraded.block(height))
    stop = r"block 4 is under version 2 of the rules with the hash 0x[0-9a-f]{64}, known here are \[1\]; .*release"
    with pytest.raises(ChainError, match=stop):
        node.append_block(upgraded.block(4))
    for look in (lambda: node.rules, lambda: node.sign(pairs["alice"], "transfer", pay())):
        with pytest.raises(ChainError, match=stop):
            look()
    assert node.height == 3
    node.release(second())
    for height in (4, 5):
        node.append_block(upgraded.block(height))
    assert node.fingerprint == upgraded.fingerprint


def test_a_node_with_other_rules_under_the_same_version_stops(upgraded):
    with pytest.raises(ChainError, match=r"known here are \[1, 2\], that one with another hash"):
        ConsortiumChain.from_bytes(upgraded.to_bytes(), rules=[second(meaning="something else")])
    with pytest.raises(ChainError, match="block 4 is under version 2"):
        ConsortiumChain.from_bytes(upgraded.to_bytes())


def test_the_same_rules_with_other_code_part_at_the_state_root(upgraded):
    """The hash names a release; what its code does shows in the first block where it does something else."""
    first = RULES[1]
    meaning = second().effects["transfer"].meaning
    same_name = second().effects | {"transfer": replace(first["transfer"], meaning=meaning)}
    lying = RuleSet(2, same_name)
    assert lying.hash == second().hash
    with pytest.raises(ChainError, match="block 4: its receipts_root is"):
        ConsortiumChain.from_bytes(upgraded.to_bytes(), rules=[lying])


@pytest.mark.parametrize("checkpoint", [None, 3, 5])
def test_a_store_is_opened_across_the_border(upgraded, pairs, pay, make, tmp_path, checkpoint):
    upgraded.store_in(tmp_path / "run.db", snapshot_every=1).close()
    trusted = None if checkpoint is None else upgraded.block(checkpoint).hash
    again = ConsortiumChain.open(tmp_path / "run.db", ordering=PbftOrdering.of(4), rules=[second()], checkpoint=trusted)
    assert again.fingerprint == upgraded.fingerprint
    again.send(pairs["alice"], "transfer", pay(900, 5_000_000))
    assert again.seal(make.start).rejected == 0
    again.close()
    with pytest.raises(StoreError, match=r"block \d is under version 2"):
        ConsortiumChain.open(tmp_path / "run.db")


def test_a_store_is_not_opened_without_the_rules_of_blocks_below_the_checkpoint(upgraded, pairs, make, tmp_path):
    """They need not be executed again, and still nobody could read what is in them."""
    upgraded.release(second(version=3))
    upgraded.approve(pairs["regulator"], 3, 7)
    for _ in range(2):
        upgraded.seal(make.start)
    upgraded.store_in(tmp_path / "run.db", snapshot_every=1)
    upgraded.seal(make.start)
    upgraded.close()
    at = {"ordering": PbftOrdering.of(4), "checkpoint": upgraded.head.hash}
    with pytest.raises(StoreError, match=r"block 4 is under version 2 of the rules, known here are \[1, 3\]"):
        ConsortiumChain.open(tmp_path / "run.db", rules=[second(version=3)], **at)
    again = ConsortiumChain.open(tmp_path / "run.db", rules=[second(), second(version=3)], **at)
    assert [again.rules_of(height).version for height in (3, 6, 7, 8)] == [1, 2, 3, 3]
    again.close()


def test_a_store_that_is_written_at_every_block_holds_what_waits(chain, pairs, make, tmp_path):
    """A snapshot between approval and height carries the approval."""
    chain.release(second())
    chain.store_in(tmp_path / "run.db", snapshot_every=1)
    chain.approve(pairs["regulator"], 2, 4)
    chain.seal(make.start)
    chain.close()
    again = ConsortiumChain.open(
        tmp_path / "run.db", ordering=PbftOrdering.of(4), rules=[second()], checkpoint=chain.head.hash
    )
    assert again.upgrade == Upgrade(2, 4, second().hash)
    assert [again.seal(make.start).header.rules_version for _ in range(3)] == [1, 2, 2]
    again.close()


def test_pbft_validators_switch_at_the_same_block(members, pairs, make):
    """A quorum of them has signed the header of the first block that names version 2, whoever lies or is down."""
    ordering = PbftOrdering.of(7, seed=3)
    ordering.corrupt(0, "equivocate")
    ordering.crash(6)
    chain = ConsortiumChain(members, ordering=ordering, rules=[second()])
    chain.approve(pairs["regulator"], 2, 3)
    for _ in range(4):
        chain.seal(make.start)
    assert chain.blocks["rules_version"].to_list() == [1, 1, 1, 2, 2]
    for height in (2, 3):
        _, _, signed = unpack_certificate(chain.block(height).certificate, ordering.validators)
        assert len(signed) >= 5
    # The honest ones that are up hold the same headers.
    cluster = ordering.cluster
    assert not cluster.forked
    replica = ConsortiumChain.from_bytes(chain.to_bytes(), rules=[second()])
    assert replica.fingerprint == chain.fingerprint
    forged = replace(chain.block(3).header, rules_version=1)
    node = ConsortiumChain(members, ordering=PbftOrdering.checking(ordering.authority), rules=[second()])
    for height in (1, 2):
        node.append_block(chain.block(height))
    with pytest.raises(ChainError, match="its rules_version is 1, replaying gives 2"):
        node.append_block(replace(chain.block(3), header=forged))


def test_a_later_approval_replaces_one_that_is_not_in_force_yet(chain, pairs, make):
    chain.release(second(), second(version=3))
    chain.approve(pairs["regulator"], 2, 3)
    chain.approve(pairs["regulator"], 3, 4)
    assert chain.seal(make.start).rejected == 0
    assert chain.upgrade == Upgrade(3, 4, second(version=3).hash)
    assert [chain.seal(make.start).header.rules_version for _ in range(2)] == [1, 3]
    back = chain.sign(pairs["regulator"], "upgrade", approval(2, 99, second().hash))
    assert "version 2 is not above 3" in make.sealed(chain, back).reason


def approval(version, height, rules):
    return UPGRADES.check(pl.DataFrame({"version": [version], "height": [height], "rules": [rules]}))


@pytest.mark.parametrize(
    ("who", "version", "height", "rules", "code", "reason"),
    [
        ("operator", 2, 9, bytes(32), "not_permitted", "is for: regulator"),
        ("regulator", 1, 9, bytes(32), "rule_broken", "version 1 is not above 1"),
        ("regulator", 2, 2, bytes(32), "rule_broken", "block 2 is not after this one, block 2"),
        ("regulator", 2, 2**63, bytes(32), "rule_broken", "no chain reaches block"),
        ("regulator", 2, 9, bytes(31), "rule_broken", "has 31 bytes, allowed: 32"),
    ],
)
def test_bad_approvals_are_refused_and_change_nothing(chain, pairs, make, who, version, height, rules, code, reason):
    # Past the door, as a node with another program would send it.
    chain._require_known = lambda transactions: None
    receipt = make.sealed(chain, chain.sign(pairs[who], "upgrade", approval(version, height, rules)))
    assert receipt.code == code
    assert reason in receipt.reason
    assert chain.upgrade is None


def test_two_versions_in_one_approval_are_refused(chain, pairs, make):
    rows = pl.concat([approval(2, 9, second().hash), approval(3, 9, second(version=3).hash)])
    chain.release(second(), second(version=3))
    assert "2 rows, allowed: one version" in make.sealed(chain, chain.sign(pairs["regulator"], "upgrade", rows)).reason


def test_approving_what_this_node_does_not_know_is_refused_at_the_door(chain, pairs):
    with pytest.raises(ChainError, match=r"version 2 of the rules is not released, released are \[1\]"):
        chain.approve(pairs["regulator"], 2, 9)
    unknown = chain.sign(pairs["regulator"], "upgrade", approval(2, 9, second().hash))
    for submit in (lambda: chain.submit(unknown), lambda: chain.submit_many([unknown])):
        with pytest.raises(ChainError, match=r"is not released under the hash .* every node without it stops"):
            submit()
    assert len(chain.pending) == 0
    chain.release(second())
    chain.submit(unknown)
    assert len(chain.pending) == 1


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda chain: chain.release("rules"), ArgumentTypeError, "a release is a str, allowed: a RuleSet, or"),
        (lambda chain: chain.release(second(), second(meaning="other")), ChainError, "known with another content"),
        (lambda chain: chain.release(RuleSet(1, second().effects)), ChainError, "version 1 is known with another"),
        (lambda chain: RuleSet(0, RULES[1]), ArgumentError, "version is 0"),
        (lambda chain: RuleSet(2, {"upgrade": 1}), ArgumentTypeError, "allowed: a kind's name and its Effect"),
        (lambda chain: RuleSet(2, {}), ChainError, "without the kind 'upgrade' it would be the last"),
        (lambda chain: RuleSet(2, [1]), ArgumentTypeError, "effects is a list"),
        (lambda chain: chain.rules_of(9), ArgumentError, "height is 9"),
        (lambda chain: ConsortiumChain(chain.members, rules=second()), ArgumentTypeError, "rules is a RuleSet"),
        (lambda chain: ConsortiumChain(chain.members, rules=["x"]), ArgumentTypeError, "allowed: RuleSet"),
    ],
)
def test_calls_that_make_no_sense(chain, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(chain)
    assert list(chain._releases.rules) == [1]


def test_what_was_released_does_not_change_afterwards():
    effects = dict(RULES[1])
    rules = RuleSet(2, effects)
    before = rules.hash
    effects.pop("trade")
    assert rules.hash == before
    assert RuleSet(2, effects).hash != before


@given(
    st.builds(
        Versions,
        st.integers(1, 2**31),
        st.none()
        | st.builds(Upgrade, st.integers(1, 2**31), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32)),
        st.sampled_from([b"", b"a" * 32]),
        st.sampled_from([b"", b"b" * 32]),
    )
)
def test_versions_come_back_from_their_bytes(versions):
    assert Versions.from_bytes(versions.to_bytes()) == versions
    with pytest.raises(ChainError):
        Versions.from_bytes(versions.to_bytes() + b"\0")
    with pytest.raises(ChainError):
        Versions.from_bytes(versions.to_bytes()[:-1])


def test_versions_with_a_flag_that_is_none_are_refused():
    data = bytearray(Versions().to_bytes())
    data[4] = 2
    with pytest.raises(ChainError, match="2 upgrades, allowed: 0 or 1"):
        Versions.from_bytes(bytes(data))
    assert Reader(Versions().to_bytes(), "versions").u32() == 1


@given(
    plan=st.lists(st.sampled_from(["pay", "pay much", "approve", "seal"]), min_size=1, max_size=14),
    ahead=st.integers(2, 4),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_approved_when_replay_equals(members, pairs, account, make, plan, ahead):
    released = [second(version) for version in (2, 3, 4)]
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), rules=released)
    chain.send(
        pairs["bank"], "reserve", make.transfers((1, account["bank"], account["issuer"], "THB", 10**9, "reserve"))
    )
    chain.send(pairs["issuer"], "mint", make.transfers((2, account["issuer"], account["alice"], "WATT", 10**9, "mint")))
    for number, step in enumerate(plan):
        if step == "seal":
            chain.seal(make.start)
        elif step == "approve":
            chain.approve(pairs["regulator"], 2 + number % 3, chain.height + ahead)
        else:
            amount = MOST + (step == "pay much")
            row = (10 + number, account["alice"], account["bob"], "WATT", amount, "transfer")
            chain.send(pairs["alice"], "transfer", make.transfers(row))
    for _ in range(ahead + 1):
        chain.seal(make.start)
    versions = chain.blocks["rules_version"].to_list()
    assert versions == sorted(versions)
    much = chain.transactions.filter(pl.col("kind") == "transfer")
    for height, code in much.select("height", "code").rows():
        assert code == "accepted" or versions[height] > 1
    assert chain.replay().fingerprint == chain.fingerprint
    assert ConsortiumChain.from_bytes(chain.to_bytes(), rules=released).blocks.equals(chain.blocks)
