"""From a lie to a slash: an equivocator is caught by the observer, reported by anybody, and slashed by the chain."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.public import EFFECTS, PublicChain, PublicTerms
from gridlab.chain.public.accounts import STAKING_POT
from gridlab.chain.public.evidence_effects import report_frame
from gridlab.chain.public.witness import vote_place
from gridlab.chain.staking import EquivocationProof, StakingRules, sign_statement
from gridlab.chain.staking.evidence import require_equivocation
from gridlab.errors import ArgumentTypeError, ChainError

ERA = 24
RULES = StakingRules(
    validators=7, session_length=ERA // 2, sessions_per_era=2, bonding_duration=4, slash_defer_duration=1,
    history_depth=6,
)  # fmt: skip
GRID = 10**6
NAMES = tuple(f"v{number}" for number in range(7))
LIAR = 2


def pair(name):
    return keys.sandbox(0, name)


def staking_of(chain):
    return chain._final.state.parts["staking"].staking


def beat(chain):
    """Let every validator say that it is there."""
    for name in NAMES:
        chain.send(pair(name), "heartbeat", pl.DataFrame({"note": [""]}))


@pytest.fixture
def lying():
    """A chain in its second era, with a validator that has lied in both, and a bystander with an account."""
    frame = pl.DataFrame(
        {
            "public_key": [pair(name).public_key for name in (*NAMES, "bystander")],
            "balance": [10_000 * GRID] * 8,
            "name": [*NAMES, "bystander"],
        }
    )
    chain = PublicChain(
        frame,
        validators=[(pair(name), 100 * GRID) for name in NAMES],
        terms=PublicTerms(validators=7),
        staking=RULES,
        equivocators=[LIAR],
    )
    for number, name in enumerate(NAMES):
        chain.send(pair(name), "bond", pl.DataFrame({"amount": [(1_000 + number) * GRID], "payee": ["stash"]}))
        candidacy = {"commission": [0], "public_key": [pair(name).public_key], "blocked": [False]}
        chain.send(pair(name), "validate", pl.DataFrame(candidacy))
    for _ in range(3):
        chain.run(7)
        beat(chain)
    for _ in range(12):
        # An author that lies leaves out in its second block what waits; with nothing waiting both are the same.
        chain.pay(pair("v0"), pair("v1"), 5)
        chain.run(1)
    assert chain.authorities.number == 1
    return chain


def test_a_liar_is_caught_reported_and_slashed_when_the_time_to_cancel_is_over(lying):
    found = lying.evidence
    assert {proof.public_key for proof in found} == {pair(NAMES[LIAR]).public_key}
    assert {proof.first.kind for proof in found} == {"header", "vote"}
    for proof in found:
        require_equivocation(proof, lying.chain_id)
    proof, who, era = found[-1], lying.account(pair(NAMES[LIAR])), staking_of(lying).era
    bonded, before = staking_of(lying).stake(who).total, lying.balance(pair("bystander"))
    lying.report(proof, pair("bystander"))
    lying.run(4)
    row = lying.transactions.filter(pl.col("kind") == "report_equivocation").row(0, named=True)
    assert (row["accepted"], row["account"]) == (True, lying.account(pair("bystander")))
    fee = before - lying.balance(pair("bystander"))
    assert fee > 0
    slash = staking_of(lying).slashes.row(0, named=True)
    assert (slash["validator"], slash["era"], slash["state"]) == (who, era, "pending")
    assert who in staking_of(lying).disabled
    assert proof not in lying.evidence
    assert staking_of(lying).stake(who).total == bonded
    while staking_of(lying).slashes.row(0, named=True)["state"] == "pending":
        beat(lying)
        lying.run(8)
        assert lying.slot < 8 * ERA
    slash = staking_of(lying).slashes.row(0, named=True)
    assert slash["state"] == "applied"
    taken = bonded * (9 * 10**9 // 49) // 10**9  # one of seven: (3 / 7)^2 of its stake
    assert abs(slash["taken"] - taken) <= 1
    assert staking_of(lying).stake(who).total == bonded - slash["taken"]
    paid = lying.balance(pair("bystander")) - before + fee
    assert paid == slash["paid"] == slash["taken"] // 10 // 2
    assert lying.ledger.balance(STAKING_POT, "GRID") == staking_of(lying).bonded + staking_of(lying).unclaimed
    # Chilled when it was reported, so it was not elected again.
    assert pair(NAMES[LIAR]).public_key not in lying.authorities.keys
    again = PublicChain.from_bytes(lying.to_bytes(), staking=RULES)
    assert again.state_root == lying.state_root


def test_what_proves_nothing_is_refused_with_the_reason(lying):
    proof = next(each for each in lying.evidence if each.first.kind == "header")
    vote = next(each for each in lying.evidence if each.first.kind == "vote")
    liar, honest, session = pair(NAMES[LIAR]), pair(NAMES[0]), staking_of(lying).session

    def signed(place=3, digest=b"a", session=session, who=liar, chain_id=lying.chain_id):
        return sign_statement(who, chain_id, "vote", session, place, digest * 32)

    bad = {
        "the same statement twice is no offence": replace(proof, second=proof.first),
        "of two kinds": replace(proof, second=vote.second),
        "of two slots or rounds": EquivocationProof(liar.public_key, signed(), signed(4, b"b")),
        "of two sessions": EquivocationProof(liar.public_key, signed(), signed(3, b"b", session - 1)),
        "now is session": EquivocationProof(liar.public_key, signed(session=session + 9), signed(3, b"b", session + 9)),
        "is not that of": replace(proof, public_key=honest.public_key),
        "signed for no validator": EquivocationProof(
            pair("bystander").public_key, signed(who=pair("bystander")), signed(3, b"b", who=pair("bystander"))
        ),
        "is not of session": EquivocationProof(
            liar.public_key,
            *(sign_statement(liar, lying.chain_id, "header", session, 1, digest * 32) for digest in (b"a", b"b")),
        ),
        "for chain 'gridlab-public'": EquivocationProof(
            liar.public_key, signed(chain_id="other"), signed(3, b"b", chain_id="other")
        ),
    }
    for wrong in bad.values():
        lying.report(wrong, pair("bystander"))
    lying.report(proof, pair("v1"))
    lying.run(1)
    lying.report(proof, pair("v1"))
    lying.run(4)
    rows = lying.transactions.filter(pl.col("kind") == "report_equivocation")
    reasons = rows.filter(account=lying.account(pair("bystander")))["reason"].to_list()
    for words, reason in zip(bad, reasons, strict=True):
        assert words in reason
    own = rows.filter(account=lying.account(pair("v1")))
    assert own["accepted"].to_list() == [True, False]
    assert "was reported for this header" in own["reason"][1]
    assert staking_of(lying).slashes.filter(kind="header").height == 1


def test_honest_validators_leave_no_evidence(lying):
    # Both votes of a round stand at places of their own.
    assert vote_place(7, "prevote") != vote_place(7, "precommit") != vote_place(8, "prevote")
    assert not {pair(name).public_key for name in NAMES if name != NAMES[LIAR]} & {
        proof.public_key for proof in lying.evidence
    }


def test_seals_are_statements_of_the_session(lying):
    staking = staking_of(lying)
    block = lying.finalised
    assert block.session == staking.session > 0
    assert block.is_sealed
    assert not replace(block, session=block.session - 1).is_sealed
    data = lying.to_bytes()
    assert PublicChain.from_bytes(data, staking=RULES).finalised.session == block.session
    other = next(pair(name) for name in NAMES if pair(name).public_key != block.header.author)
    forged = replace(block, seal=other.sign(block.header.seal_message(block.session)))
    follower = PublicChain.from_bytes(data, staking=RULES)
    parent = follower._builder.root()
    for height in range(1, block.height):
        parent = follower._builder.check(parent, follower.block(height))
    with pytest.raises(ChainError, match="the seal is not its author"):
        follower._builder.check(parent, forged)


def test_a_chain_without_staking_has_nothing_to_report(make_chain, key):
    chain = make_chain(equivocators=[1])
    chain.run(8)
    assert chain.equivocations.height > 0
    assert chain.evidence == ()
    with pytest.raises(ArgumentTypeError, match="allowed: an EquivocationProof"):
        chain.report("proof", key("alice"))
    proof = EquivocationProof(
        key("alice").public_key,
        *(sign_statement(key("alice"), chain.chain_id, "vote", 0, 1, digest * 32) for digest in (b"a", b"b")),
    )
    chain.report(proof, key("alice"))
    chain.run(3)
    assert "this chain has no staking" in chain.transactions["reason"].to_list()[-1]


def test_two_proofs_in_one_report_are_refused(lying, key):
    frame = pl.concat([report_frame(proof) for proof in lying.evidence[:2]])
    lying.send(pair("bystander"), "report_equivocation", frame)
    lying.run(3)
    assert "2 rows, allowed: one proof" in lying.transactions["reason"].to_list()[-1]
    assert "attester" in EFFECTS["report_equivocation"].roles
