"""Who voted what and when in a run, read off the transactions of its public chain."""

from __future__ import annotations

from typing import Any

import polars as pl

from gridlab.chain.frame_encoding import decode_frame
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import sandbox
from gridlab.chain.public.envelope import open_envelope
from gridlab.errors import GovernanceError
from gridlab.frames import SLOT
from gridlab.governance.agenda import COOPERATIVE
from gridlab.governance.ballots import Ballot
from gridlab.run import Run

__all__ = ["EVENTS", "require_votes", "vote_events"]

EVENTS: dict[str, Any] = {
    "time": SLOT,
    "referendum": pl.UInt32,
    "holder": pl.String,
    "choice": pl.String,
    "conviction": pl.UInt8,
    "grid": pl.Int64,
    "ayes": pl.Int128,
    "nays": pl.Int128,
}


def require_votes(run: Run) -> pl.DataFrame:
    """Return the referenda of a run; raises GovernanceError where it has none."""
    referenda = run.frames.get("referenda")
    if referenda is None or referenda.is_empty():
        raise GovernanceError(
            "nobody proposed anything in this run; write "
            'lab.governance.propose({"market.wheeling.postage_stamp": 0.8}) and lab.governance.vote(…) before lab.run()'
        )
    return referenda


def vote_events(run: Run) -> pl.DataFrame:
    """Return the votes that stand in final blocks, in their order.

    Parameters
    ----------
    run : Run

    Returns
    -------
    polars.DataFrame
        ``time`` (of the block), ``referendum``, ``holder`` (name), ``choice`` ("aye", "nay" or "split"),
        ``conviction`` (level), ``grid`` (micro-GRID), ``ayes`` and ``nays`` (votes after conviction, without those that
        others have delegated).
    """
    sent = run.public.transactions.filter(pl.col("accepted"), pl.col("kind") == "vote").join(
        run.public.blocks.select("height", "time"), on="height", how="left", maintain_order="left"
    )
    names = _names(run)
    rows: list[tuple[Any, ...]] = []
    for height, index, sender, time in sent.select("height", "index", "sender", "time").rows():
        transaction = run.public.block(height).transactions[index]
        _, payload = open_envelope(transaction.payload)
        for number, choice, level, aye, nay, abstain in decode_frame(payload, "votes").rows():
            ballot = Ballot(choice, level, aye, nay, abstain)
            tally = ballot.tally
            rows.append((time, number, names.get(sender, ""), choice, level, ballot.amount, tally.ayes, tally.nays))
    return pl.DataFrame(rows, schema=EVENTS, orient="row")


def _names(run: Run) -> dict[str, str]:
    """Return public key as hex -> name; holders have the same key on both chains, the cooperative is on one alone."""
    members = run.chain.members.select("name", key="0x" + pl.col("public_key").bin.encode("hex"))
    cooperative = hexadecimal(sandbox(run.facts.seed, COOPERATIVE).public_key)
    return {cooperative: COOPERATIVE, **dict(members.select("key", "name").rows())}
