"""What a simulated run leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from gridlab.chain.pbft.evidence import Evidence
from gridlab.doors import through

__all__ = ["BLOCKS", "Trace"]

BLOCKS = {
    "height": pl.Int64,
    "hash": pl.String,
    "view": pl.Int64,
    "proposed_ms": pl.Float64,
    "finality_ms": pl.Float64,
    "holders": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Trace:
    """The outcome of `gridlab.chain.pbft.simulate`.

    Attributes
    ----------
    committed : dict of int to list of str
        Block hashes (``0x…``) that each honest validator holds as final, in order of height. Validators that are down
        from the beginning to the end are left out.
    forked : bool
        Whether two honest validators hold different blocks of one height.
    messages : dict of str to int
        Messages sent, by kind; it also answers to "pre-prepare" and "view-change".
    finality_ms : list of float
        For each height, virtual milliseconds from the first proposal until a quorum of honest validators had it final;
        heights that got so far, in order.
    evidence : list of Evidence
        Provable misbehaviour, by height and view.
    fingerprint : str
        ``0x`` and 64 digits over all of the above; equal arguments give an equal one.
    n, quorum : int
    byzantine : dict of int to str
        Who lied, and how.
    complete : bool
        Whether every request was executed and every honest validator that is up holds all blocks.
    views : int
        The highest view that an honest validator was in.
    clock_ms : float
        Virtual time at the end.
    blocks : polars.DataFrame
        Columns height, hash, view, proposed_ms, finality_ms (null where no quorum of honest validators has it),
        holders; in a fork a height has several rows.
    message_log : polars.DataFrame
        Every message of the height that was asked for (see `gridlab.chain.pbft.message_log.message_frame`).
    finals : polars.DataFrame
        When each honest validator held which block as final: height, validator, hash, final_ms.
    signers : dict of str to tuple of int
        Hash of each final block to the validators whose commit signatures its certificate has.
    crashed : tuple of int
        Validators that were down at the end for good.
    instances : dict of int to int
        Number in the message log of each second instance of a twin, to its validator's.
    """

    committed: dict[int, list[str]] = field(repr=False)
    forked: bool
    messages: dict[str, int] = field(repr=False)
    finality_ms: list[float] = field(repr=False)
    evidence: list[Evidence] = field(repr=False)
    fingerprint: str
    n: int
    quorum: int
    byzantine: dict[int, str]
    complete: bool
    views: int
    clock_ms: float
    blocks: pl.DataFrame = field(repr=False)
    message_log: pl.DataFrame = field(repr=False)
    finals: pl.DataFrame = field(repr=False)
    signers: dict[str, tuple[int, ...]] = field(repr=False)
    crashed: tuple[int, ...]
    instances: dict[int, int] = field(repr=False)

    def __repr__(self) -> str:
        heights = max(map(len, self.committed.values()), default=0)
        state = "FORKED" if self.forked else "complete" if self.complete else "not complete"
        return (
            f"Trace({self.n} validators, quorum {self.quorum}, {len(self.byzantine)} lie: {heights} blocks, {state}, "
            f"view {self.views}, {sum(self.messages.values()):,} messages, {self.fingerprint[:18]}…)"
        )

    @property
    def plot(self) -> Any:
        """HoloViews pictures of the run, such as ``trace.plot.finality()``; its repr lists them all."""
        return through("trace_plot", self)

    def picture(self, height: int | None = None) -> Any:
        """Return the logged messages of one block as a picture: time from left to right, one line per validator.

        Parameters
        ----------
        height : int, optional
            The height that was logged, which it is anyway.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            No message of that height was logged: ``simulate(..., message_log=height)`` does.
        """
        return through("trace_picture", self, height)

    def quorums(self, height: int | None = None) -> Any:
        """Return a picture of who voted for which of two rival blocks, and of where the two groups overlap.

        Parameters and errors as for `picture`.
        """
        return through("trace_quorums", self, height)

    def _repr_html_(self) -> str:
        html: str = through("trace_html", self)
        return html
