"""The kind of transaction that reports a validator with proof, and how a proof stands in a frame."""

from __future__ import annotations

import polars as pl

from gridlab.chain.public.accounts import EVERYONE
from gridlab.chain.public.parts import STAKING, StakingPart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.chain.staking import EquivocationProof, Statement, carry_out
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import Column, Schema

__all__ = ["REPORTS", "REPORT_EQUIVOCATION", "report_frame"]

_BASE, _HEAVY = 100, 1_000

REPORTS = Schema(
    "equivocation_reports",
    (
        Column("public_key", pl.Binary, "binary", "the validator's key in that session, 32 bytes"),
        *(
            Column(f"{which}_{name}", dtype, kind, meaning)
            for which in ("first", "second")
            for name, dtype, kind, meaning in (
                ("kind", pl.String, "text", "'header' or 'vote'"),
                ("session", pl.UInt64, "integer", "session in which it was signed"),
                ("place", pl.UInt64, "integer", "slot of a header; twice the round of a vote, 1 more for a precommit"),
                ("digest", pl.Binary, "binary", "hash of what was signed, 32 bytes"),
                ("signature", pl.Binary, "binary", "64 bytes"),
            )
        ),
    ),
)


def report_frame(proof: EquivocationProof) -> pl.DataFrame:
    """Return a proof as a frame of `REPORTS`.

    Raises
    ------
    ArgumentTypeError
        `proof` is no `EquivocationProof`.
    """
    if not isinstance(proof, EquivocationProof):
        raise ArgumentTypeError(
            f"proof is a {type(proof).__name__}, allowed: an EquivocationProof; chain.evidence lists those at hand"
        )
    row = [proof.public_key]
    for each in (proof.first, proof.second):
        row += [each.kind, each.session, each.place, each.digest, each.signature]  # type: ignore[list-item]
    return pl.DataFrame([row], schema={column.name: column.dtype for column in REPORTS.columns}, orient="row")


def _report(state: PublicState, call: PublicCall) -> None:
    if call.frame.height != 1:
        raise ChainError(f"equivocation_reports: {call.frame.height} rows, allowed: one proof")
    key, *parts = call.frame.row(0)
    proof = EquivocationProof(key, Statement(*parts[:5]), Statement(*parts[5:]))
    part = part_of(state, STAKING, StakingPart)
    part.staking, state.ledger = carry_out(
        part.staking,
        state.ledger,
        lambda staking: staking.report_equivocation(proof, reporter=call.account),
        now=call.timestamp,
    )


REPORT_EQUIVOCATION = PublicEffect(
    REPORTS, EVERYONE, _report, _BASE, _HEAVY, "a validator reported with two signed statements that contradict"
)
