"""The keys to lesson 10, "A proof in your hand", each worked out on the chains, and what the lesson's cells need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from gridlab.chain import merkle
from gridlab.chain.hashing import HASH_BYTES, blake2b_256
from gridlab.chain.keys import sandbox
from gridlab.errors import GridlabError
from gridlab.learn.answers import Key

if TYPE_CHECKING:
    from gridlab.chain.public.authorities import AuthoritySet
    from gridlab.lab import Lab
    from gridlab.run import Run

__all__ = [
    "SLOTS",
    "covered_by",
    "false_path",
    "gang",
    "hundred",
    "longest_wait",
    "stranger_needs",
    "sunny_lab",
    "waits",
]

SLOTS = 72
_LEVERS = {"agents.pv_share": 100.0, "agents.pv_size": 300.0, "public.validators": 10}
_BLOCK, _EVERY, _MINUTES = 30, 12, 15
_OPENING = 3  # the bridge opens with the first blocks, and anchors nothing before
_WORDS = {
    "authorities": "the public chain's authority set",
    "client": "the anchored headers",
    "header": "the consortium's genesis header",
    "readings": "the meter readings",
}


def sunny_lab(every: int = 4) -> Lab:
    """Return the lab of the lesson: few customers, each with a roof three times as large as usual.

    Parameters
    ----------
    every : int
        Consortium blocks from one anchored root to the next.
    """
    from gridlab.lab import Lab

    return Lab.thailand(prosumers=30, seed=4, start="2026-05-08").set(_LEVERS | {"bridge.anchor_every": every})


def waits(run: Run) -> pl.DataFrame:
    """Return how long each block of the consortium waited until the public chain knew its root for good.

    Parameters
    ----------
    run : Run

    Returns
    -------
    polars.DataFrame
        ``height``, ``slot``, ``anchor`` (the first anchored height at or above it) and ``minutes`` from the block's
        time until the public block that told the anchor was final.
    """
    final = run.public_blocks.select("height", (pl.col("time") + pl.duration(milliseconds="finality_ms")).alias("told"))
    sent = run.public.transactions.filter(pl.col("accepted"), kind="bridge_header")
    told = sent.join(final, on="height", how="left", maintain_order="left").select("told")
    # One transaction for each anchor, in the same order; genesis is trusted from the start.
    anchors = run.anchors.filter(pl.col("height") > 0).select("height", anchor="height").hstack(told)
    blocks = run.blocks.filter(pl.col("height") > 0).select("height", "slot")
    minutes = (pl.col("told") - pl.col("slot")).dt.total_milliseconds() / 60_000
    found = blocks.join_asof(anchors, on="height", strategy="forward")
    return found.select("height", "slot", "anchor", minutes=minutes)


@cache
def _run(every: int = 4) -> Run:
    return sunny_lab(every).run(slots=SLOTS, progress=False)


@cache
def covered_by() -> Key:
    """Work out which anchored header covers a block that is not anchored itself (a height)."""
    heights = _run().anchors["height"].to_list()
    above = min(height for height in heights if height >= _BLOCK)
    return Key(
        Fraction(above),
        {
            "itself": Fraction(_BLOCK),
            "below": Fraction(max(height for height in heights if height < _BLOCK)),
            "newest": Fraction(heights[-1]),
        },
        {"answer": above, "headers": above - _BLOCK + 1},
    )


def _holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except GridlabError:
        return False
    return True


@cache
def stranger_needs() -> Key:
    """Find out, by trying, what a proof from the public register is checked with."""
    from gridlab.chain.bridge import prove_registered, verify_event

    run = _run()
    issued = run.chain.transactions.filter(kind="certificate_issue")["id"].item()
    proof = prove_registered(run.public, bytes.fromhex(issued[2:]))
    offered = {
        "authorities": run.public.authorities,
        "client": run.public.bridge_end.client("consortium"),
        "header": run.chain.block(0).header,
        "readings": run.readings,
    }
    good = [
        name
        for name, thing in offered.items()
        if _holds(lambda thing=thing: verify_event(proof, thing))  # type: ignore[misc]
    ]
    (only,) = good
    wrong = {name: words for name, words in _WORDS.items() if name != only}
    return Key(_WORDS[only], wrong, {"answer": _WORDS[only], "bytes": len(run.public.authorities.to_bytes())})


def _even(count: int) -> AuthoritySet:
    from gridlab.chain.public import AuthoritySet

    return AuthoritySet(0, tuple(sandbox(0, f"seat {seat}").public_key for seat in range(count)), (1_000_000,) * count)


def _bytes_of(signatures: int) -> int:
    from gridlab.chain.public import Justification

    signed = {seat: bytes(64) for seat in range(signatures)}
    return len(Justification(0, signed).to_bytes()) - len(Justification(0, {}).to_bytes())


@cache
def hundred() -> Key:
    """Work out the least size of the signatures in a certificate of 100 equal validators (bytes)."""
    authorities = _even(100)
    least = next(count for count in range(101) if count * authorities.weights[0] >= authorities.threshold)
    each = _bytes_of(1)
    return Key(
        Fraction(least * each),
        {
            "two_thirds": Fraction((least - 1) * each),
            "all": Fraction(100 * each),
            "no_seats": Fraction(least * 64),
            "consortium": Fraction(14 * each),
        },
        {"answer": f"{least * each:,}", "least": least, "each": each},
    )


@cache
def longest_wait() -> Key:
    """Work out the longest wait for an anchor where every twelfth block is anchored (minutes)."""
    found = waits(_run(_EVERY)).filter(pl.col("height") > _OPENING)
    longest, mean = (Fraction(found["minutes"].max()), Fraction(found["minutes"].mean()))  # type: ignore[arg-type]
    return Key(
        longest,
        {
            "every": Fraction(_EVERY * _MINUTES),
            "mean": mean,
            "blocks": Fraction(_EVERY - 1),
            "default": Fraction(waits(_run()).filter(pl.col("height") > _OPENING)["minutes"].max()),  # type: ignore[arg-type]
        },
        {"answer": float(longest), "blocks": _EVERY - 1, "slots": (_EVERY - 1) * _MINUTES},
    )


def _careless(data: bytes) -> bytes:
    # Without the byte in front that tells leaf from node.
    return blake2b_256(data[1:])


@cache
def false_path() -> Key:
    """Forge a proof in a tree without prefixes and count its hashes."""
    fake = b"a message that nobody ever put in"
    leaves = [*(f"message {number}".encode() for number in range(7)), bytes(HASH_BYTES) + blake2b_256(fake)]
    honest = merkle.prove_inclusion(leaves, 7, hash=_careless)
    forged = [bytes(HASH_BYTES), *honest]
    node = blake2b_256(fake)
    for left in forged:  # the last leaf has all its neighbours on the left
        node = blake2b_256(left + node)
    if node != merkle.root(leaves, hash=_careless):  # pragma: no cover - the lesson's forgery would be wrong
        raise ArithmeticError("the forged path does not lead to the root")
    return Key(
        Fraction(len(forged)),
        {"honest": Fraction(len(honest)), "all": Fraction(len(leaves))},
        {"answer": len(forged), "honest": len(honest)},
    )


@cache
def gang() -> Key:
    """Count how many public validators must conspire until a header of their liking is certified."""
    from gridlab.chain.public.authorities import Justification, finality_message

    public = _run().public
    header = replace(public.header(public.height), state_root=bytes(HASH_BYTES)).to_bytes()
    message = finality_message(header, public.authorities.number)
    count = len(public.authorities)
    signed = {seat: sandbox(public.seed, f"validator {seat}").sign(message) for seat in range(count)}

    def certified(thieves: int) -> bool:
        first = {seat: signed[seat] for seat in range(thieves)}
        return Justification(public.authorities.number, first).why_not(header, public.authorities) is None

    least = next(thieves for thieves in range(count + 1) if certified(thieves))
    return Key(
        Fraction(least),
        {
            "stops": Fraction(count - least + 1),
            "two_thirds": Fraction(least - 1),
            "all": Fraction(count),
            "consortium": Fraction(14),
        },
        {"answer": least, "stops": count - least + 1, "of": count},
    )
