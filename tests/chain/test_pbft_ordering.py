"""The chain on validators that agree: certificates, liars, crashes, cuts, stops, and a new set at a checkpoint."""

from datetime import timedelta

import polars as pl
import pytest

from gridlab.chain import Block, ConsortiumChain, PbftOrdering, keys
from gridlab.chain.authority import CHECKPOINT_INTERVAL, Authority, authority_hash, pack_validators, unpack_validators
from gridlab.chain.pbft.certificates import sealed_header, verify_certificate
from gridlab.chain.pbft_ordering import unpack_certificate
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, GridlabError


@pytest.fixture
def ordering():
    return PbftOrdering.of(21)


@pytest.fixture
def twenty_one(members, ordering):
    return ConsortiumChain(members, ordering=ordering)


def test_by_default_twenty_one_validators_agree(members, make):
    chain = ConsortiumChain(members)
    block = chain.seal(make.start)
    view, handover, signatures = unpack_certificate(block.certificate, chain.ordering.validators)
    assert (len(chain.ordering.validators), view, handover) == (21, 0, b"")
    assert len(signatures) >= 14
    sealed = sealed_header(block.header.to_bytes(), view)
    assert verify_certificate(sealed, signatures, chain.ordering.validators)


def test_a_certificate_with_thirteen_signatures_is_refused(twenty_one, make):
    block = twenty_one.seal(make.start)
    ordering, authority = twenty_one.ordering, twenty_one.ordering.authority
    _, _, signatures = unpack_certificate(block.certificate, ordering.validators)
    places = {key: place for place, key in enumerate(ordering.validators)}

    def packed(view, items):
        bodies = b"".join(place.to_bytes(4, "little") + signature for place, signature in items)
        return view.to_bytes(8, "little") + b"\x00" + bytes([len(items) << 2]) + bodies

    items = sorted((places[key], signature) for key, signature in signatures.items())
    assert packed(0, items) == block.certificate
    assert ordering.accepts(block.header, packed(0, items), authority)
    assert not ordering.accepts(block.header, packed(0, items[:13]), authority)
    assert not ordering.accepts(block.header, packed(0, [items[0], *items]), authority)
    assert not ordering.accepts(block.header, packed(0, items[::-1]), authority)
    assert not ordering.accepts(block.header, packed(1, items), authority)
    assert not ordering.accepts(block.header, packed(0, [*items[:-1], (20, bytes(64))]), authority)
    assert not ordering.accepts(block.header, packed(0, [*items, (21, items[-1][1])]), authority)
    other = twenty_one.seal(make.start).header
    assert not ordering.accepts(other, block.certificate, authority)
    for end in range(len(block.certificate)):
        assert not ordering.accepts(block.header, block.certificate[:end], authority)
    reader = ConsortiumChain.from_bytes(ConsortiumChain(twenty_one.members, ordering=ordering).to_bytes())
    with pytest.raises(ChainError, match="block 1: its certificate does not make this header final"):
        reader.append_block(Block(block.header, block.transactions, packed(0, items[:13])))
    reader.append_block(block)
    assert reader.height == 1


@pytest.mark.parametrize("kind", ["equivocate", "silent", "delay", "forge", "stale_view", "collude"])
def test_six_liars_of_twenty_one_change_neither_order_nor_outcome(twenty_one, pairs, make, account, kind):
    for liar in range(6):
        twenty_one.ordering.corrupt(liar, kind)
    for number in range(3):
        twenty_one.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=10 * number))
        twenty_one.seal(make.start + timedelta(minutes=15 * number))
    twenty_one.seal(make.start + timedelta(hours=1))
    assert not twenty_one.ordering.cluster.forked
    assert twenty_one.payloads("order_batch").height == 12
    assert twenty_one.pending == ()
    assert twenty_one.rounds["height"].to_list() == [1, 2, 3, 4]
    honest = twenty_one.replay()
    assert honest.fingerprint == twenty_one.fingerprint


def test_a_liar_leaves_proof_of_its_lie(twenty_one, pairs, make, account):
    for liar in range(6):
        twenty_one.ordering.corrupt(liar, "equivocate")
    twenty_one.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    twenty_one.seal(make.start)
    evidence = twenty_one.ordering.cluster.evidence
    assert evidence
    assert {each.validator for each in evidence} <= set(range(6))


def test_more_liars_than_the_protocol_bears_are_named_where_they_fork_it(twenty_one, pairs, make, account):
    for liar in range(7):
        twenty_one.ordering.corrupt(liar, "collude")
    twenty_one.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    with pytest.raises(ChainError, match="two different final blocks of one height, so more than 6 of them lie"):
        twenty_one.seal(make.start)
    assert {each.validator for each in twenty_one.ordering.cluster.evidence} == set(range(7))


def test_with_seven_down_the_chain_goes_on(twenty_one, make):
    for validator in range(7):
        twenty_one.ordering.crash(validator)
    assert twenty_one.seal(make.start).height == 1
    assert twenty_one.rounds["view"][0] >= 1


def test_with_eight_down_it_stops_and_goes_on_when_one_returns(twenty_one, pairs, make, account):
    twenty_one.seal(make.start)
    for validator in range(13, 21):
        twenty_one.ordering.crash(validator)
    twenty_one.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    before = twenty_one.to_bytes()
    with pytest.raises(ChainError, match="block 2: no quorum of 14 of 21 validators answered"):
        twenty_one.seal(make.start)
    assert (twenty_one.to_bytes(), len(twenty_one.pending)) == (before, 1)
    twenty_one.send(pairs["bob"], "order_batch", make.orders(account["bob"]))
    twenty_one.ordering.restart(13)
    twenty_one.seal(make.start + timedelta(minutes=15))
    while twenty_one.pending:
        twenty_one.seal(make.start + timedelta(minutes=30))
    assert twenty_one.payloads("order_batch")["account"].n_unique() == 2
    assert twenty_one.replay().fingerprint == twenty_one.fingerprint


def test_a_cut_network_has_at_most_one_side_that_goes_on(twenty_one, make):
    twenty_one.seal(make.start)
    twenty_one.ordering.partition([range(10), range(10, 21)])
    with pytest.raises(ChainError, match="no quorum"):
        twenty_one.seal(make.start)
    twenty_one.ordering.heal()
    assert twenty_one.seal(make.start).height == 2
    assert not twenty_one.ordering.cluster.forked


def test_an_emergency_stop_holds_until_a_quorum_resumes(twenty_one, make):
    twenty_one.seal(make.start)
    twenty_one.ordering.stop()
    with pytest.raises(ChainError, match="the validators have stopped"):
        twenty_one.seal(make.start)
    twenty_one.ordering.resume()
    assert twenty_one.seal(make.start).height == 2


def test_what_is_done_before_the_first_block_holds_for_it(twenty_one, make):
    twenty_one.ordering.stop()
    with pytest.raises(ChainError, match="the validators have stopped"):
        twenty_one.seal(make.start)


def test_a_copy_has_validators_of_its_own(twenty_one, pairs, make, account):
    twenty_one.seal(make.start)
    copies = [twenty_one.replay() for _ in range(2)]
    for number, chain in enumerate([*copies, twenty_one]):
        chain.send(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=10 * number))
        assert chain.seal(make.start).rejected == 0
    assert len({chain.head.hash for chain in [*copies, twenty_one]}) == 3
    same = ConsortiumChain.from_bytes(copies[0].to_bytes(), ordering=twenty_one.ordering)
    with pytest.raises(ChainError, match="have decided about another chain"):
        same.seal(make.start)


def hand_over(chain, pairs, new, make):
    frame = pl.DataFrame({"public_key": [pair.public_key for pair in new]})
    chain.send(pairs["regulator"], "validators", frame)
    assert chain.seal(make.start).rejected == 0


def test_a_new_set_of_validators_takes_over_after_a_checkpoint(members, pairs, make):
    ordering = PbftOrdering.of(4)
    chain = ConsortiumChain(members, ordering=ordering)
    new = [keys.sandbox(1, f"validator {place}") for place in range(7)]
    hand_over(chain, pairs, new, make)
    with pytest.raises(AssertionError):
        hand_over(chain, pairs, new[:4], make)
    assert "another set is appointed" in chain.block(2).receipts[0].reason
    while chain.height < CHECKPOINT_INTERVAL:
        chain.seal(make.start)
    last = chain.head.next_authority
    assert chain.block(CHECKPOINT_INTERVAL - 1).header.next_authority == authority_hash(ordering.authority)
    assert last == authority_hash(pack_validators([pair.public_key for pair in new]))
    with pytest.raises(ChainError, match=r"the secret keys of 7 of 7 validators are not here.*admit"):
        chain.seal(make.start)
    for pair in new:
        ordering.admit(pair)
    block = chain.seal(make.start)
    assert len(unpack_certificate(block.certificate, [pair.public_key for pair in new])[2]) >= 5
    assert not ordering.accepts(block.header, block.certificate, ordering.authority)
    assert chain.replay().fingerprint == chain.fingerprint
    assert ConsortiumChain.from_bytes(chain.to_bytes()).fingerprint == chain.fingerprint


@pytest.mark.parametrize(
    ("keys_given", "reason"),
    [([], "0 validators"), ([b"short"], "does not have 32 bytes"), ([bytes(32)] * 2, "stands there twice")],
)
def test_a_set_that_is_none_is_refused(chain, pairs, make, keys_given, reason):
    frame = pl.DataFrame({"public_key": keys_given}, schema={"public_key": pl.Binary})
    receipt = make.sealed(chain, chain.sign(pairs["regulator"], "validators", frame))
    assert reason in receipt.reason


def test_an_authority_comes_back_from_bytes():
    key = keys.sandbox(0, "a").public_key
    frame = pl.DataFrame({"public_key": [key]})
    authority = Authority(pack_validators([key])).appoint(frame, 20)
    assert Authority.from_bytes(authority.to_bytes()) == authority
    assert authority.since == 2 * CHECKPOINT_INTERVAL + 1
    assert (authority.at(32), authority.at(33)) == (authority.current, authority.following)
    assert unpack_validators(authority.at(33)) == (key,)
    with pytest.raises(GridlabError):
        Authority.from_bytes(authority.to_bytes()[:-1])


def test_validators_must_be_keys():
    with pytest.raises(ArgumentTypeError):
        PbftOrdering(["a"])
    with pytest.raises(ArgumentError):
        PbftOrdering.of(0)
    with pytest.raises(GridlabError, match="twice"):
        PbftOrdering([keys.sandbox(0, "a")] * 2)
    with pytest.raises(ChainError, match="start with the first block"):
        _ = PbftOrdering.of(4).cluster
