"""A run of block production and finality alone, without transactions: for questions of safety and speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.encoding import u64
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.keys import sandbox
from gridlab.chain.public.authorities import LARGEST_STAKE
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.network import Equivocation, Network
from gridlab.chain.public.terms import PublicTerms
from gridlab.doors import through
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.seeds import check_seed

__all__ = ["PublicTrace", "simulate_public", "trace_of"]

_RANDOMNESS_DOMAIN = "gridlab/public-simulation/1"
_MOST = 1_000


@dataclass(frozen=True)
class PublicTrace:
    """What happened.

    Attributes
    ----------
    blocks : polars.DataFrame
        One row per block that was written, losing branches included: block (its number; 0 is genesis and not here),
        parent, slot, seat, primary, variant (1 for an equivocator's second block of a slot), height, written_ms, best
        (on the observer's best branch), final, finality_ms (from writing until the observer knew it final; null where
        it did not).
    heads, finalised : dict of int to int
        Seat -> number of its head and of its last final block; seat -1 is the observer.
    reorganisations : polars.DataFrame
        time_ms, node (-1 for the observer) and depth: how many blocks an honest node left behind for another branch.
    messages : dict of str to int
        Signed blocks, prevotes and precommits.
    evidence : tuple of Equivocation
        Who was caught, in the order of seats, kinds and numbers.
    conflicts : tuple of (int, int)
        Pairs of blocks that honest nodes hold final, of which neither descends from the other; empty unless finality
        is broken.
    slots : int
    """

    blocks: pl.DataFrame = field(repr=False)
    heads: dict[int, int] = field(repr=False)
    finalised: dict[int, int] = field(repr=False)
    reorganisations: pl.DataFrame = field(repr=False)
    messages: dict[str, int]
    evidence: tuple[Equivocation, ...] = field(repr=False)
    conflicts: tuple[tuple[int, int], ...]
    slots: int

    def __repr__(self) -> str:
        return (
            f"PublicTrace({self.slots} slots, {self.blocks.height} blocks, final height {self.final_height}, "
            f"finality p50 {_shown(self.finality_p50)} p99 {_shown(self.finality_p99)}, {self.missed_slots} missed, "
            f"deepest reorganisation {self.reorganisation_depth}, {len(self.conflicts)} conflicts)"
        )

    def _repr_html_(self) -> str:
        html: str = through("public_trace_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``trace.plot.finality()``, ``trace.plot.forks()``, ``trace.plot.slots()`` (HoloViews)."""
        return through("public_trace_plot", self)

    @property
    def forked(self) -> bool:
        """Whether two conflicting blocks were final for honest nodes."""
        return bool(self.conflicts)

    @property
    def final_height(self) -> int:
        """Height of the observer's last final block."""
        return int(self.blocks.filter("final")["height"].max() or 0)  # type: ignore[arg-type]

    @property
    def finality_ms(self) -> list[int]:
        """Milliseconds from writing to finality of every final block, in the order of height."""
        return self.blocks.filter("final").sort("height")["finality_ms"].to_list()

    @property
    def finality_p50(self) -> float | None:
        """Median of `finality_ms` in seconds; None without a final block."""
        return self._quantile(0.5)

    @property
    def finality_p99(self) -> float | None:
        """99th percentile of `finality_ms` in seconds; None without a final block."""
        return self._quantile(0.99)

    def _quantile(self, share: float) -> float | None:
        lags = self.finality_ms
        return float(np.quantile(np.array(lags) / 1000, share)) if lags else None

    @property
    def missed_slots(self) -> int:
        """How many slots have no block on the observer's best branch."""
        return self.slots - int(self.blocks.filter("best")["slot"].n_unique())

    @property
    def reorganisation_depth(self) -> int:
        """The most blocks that an honest node left behind at once."""
        return int(self.reorganisations["depth"].max() or 0)  # type: ignore[arg-type]

    @property
    def fingerprint(self) -> str:
        """Hash over all blocks and what is final where; equal for equal arguments, anywhere."""
        columns = [self.blocks[name].cast(pl.Int64).fill_null(-1).to_numpy() for name in self.blocks.columns]
        ends = np.array([*self.heads.values(), *self.finalised.values()], np.int64)
        data = b"".join(np.ascontiguousarray(column, "<i8").tobytes() for column in [*columns, ends])
        return hexadecimal(tagged_hash(_RANDOMNESS_DOMAIN, data))

    def kpis(self) -> pl.DataFrame:
        """Return the figures: kpi, value (null where there is none), unit."""
        rows = [
            ("blocks written", float(self.blocks.height), "blocks"),
            ("final height", float(self.final_height), "blocks"),
            ("finality p50", self.finality_p50, "s"),
            ("finality p99", self.finality_p99, "s"),
            ("missed slots", float(self.missed_slots), "slots"),
            ("lost blocks", float(self.blocks.filter(~pl.col("best")).height), "blocks"),
            ("deepest reorganisation", float(self.reorganisation_depth), "blocks"),
            ("equivocators caught", float(len({each.seat for each in self.evidence})), "validators"),
            ("conflicting final blocks", float(len(self.conflicts)), "pairs"),
        ]
        return pl.DataFrame(rows, schema={"kpi": pl.String, "value": pl.Float64, "unit": pl.String}, orient="row")


def simulate_public(
    validators: int = 100,
    stakes: Sequence[int] | None = None,
    slots: int = 100,
    latency: float | None = None,
    *,
    offline: Sequence[int] | Mapping[int, Sequence[tuple[float, float]]] = (),
    partitions: Sequence[tuple[float, float, Sequence[Sequence[int]]]] = (),
    equivocators: Sequence[int] = (),
    terms: PublicTerms | None = None,
    seed: int = 0,
) -> PublicTrace:
    """Simulate slots of block production and finality.

    Parameters
    ----------
    validators : int
        1 … 1,000; the lever of `terms` that says how many is not used here.
    stakes : sequence of int, optional
        What each vote weighs (micro-GRID, more than 0); equal unless given.
    slots : int
    latency : float, optional
        Mean time of a message in seconds; that of `terms` unless given.
    offline : sequence of int, or mapping of int to sequence of (float, float)
        Seats that are down all the time, or from and until when, in seconds since genesis.
    partitions : sequence of (float, float, sequence of sequence of int)
        From and until when (seconds), and the seats on each side; seats that are named on no side are on the first, and
        so is the observer.
    equivocators : sequence of int
        Seats that write two blocks in their slots and vote for two in each round.
    terms : PublicTerms, optional
        Slot, waiting time, share of primary blocks, epochs, and how many slots may go without a block (there are no
        transactions here to wait for one).
    seed : int

    Raises
    ------
    ArgumentTypeError, ArgumentError, LeverError
        An argument does not fit.

    Examples
    --------
    >>> trace = simulate_public(10, slots=20, equivocators=[0, 1, 2], seed=1)
    >>> trace.forked, trace.finality_p99 < 12
    (False, True)
    """
    terms = _checked_terms(terms)
    require_int("validators", validators, 1, _MOST)
    require_int("slots", slots, 1)
    weights = _checked_stakes(stakes, validators)
    faults = Faults.of(validators, offline, partitions, equivocators)
    if latency is not None:
        terms = PublicTerms(**(terms.values() | {"latency": latency}))
    network = Network(
        [sandbox(check_seed(seed), f"validator {seat}") for seat in range(validators)],
        weights,
        draws=terms.draws(tagged_hash(_RANDOMNESS_DOMAIN, u64(seed))),
        timing=terms.timing,
        faults=faults,
        seed=seed,
        idle_slots=terms.idle_slots,
    )
    network.run_until((slots + 1) * terms.timing.slot - terms.timing.tick)
    return trace_of(network, slots)


def _checked_terms(terms: PublicTerms | None) -> PublicTerms:
    if terms is None:
        return PublicTerms()
    if not isinstance(terms, PublicTerms):
        raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: PublicTerms(slot_time=…, …)")
    return terms


def _checked_stakes(stakes: Sequence[int] | None, validators: int) -> list[int]:
    if stakes is None:
        return [1] * validators
    weights = [require_int(f"stakes[{seat}]", s, 1) for seat, s in enumerate(require_sequence("stakes", stakes, int))]
    if len(weights) != validators:
        raise ArgumentError(f"stakes has {len(weights)} values, allowed: one for each of the {validators} validators")
    if sum(weights) > LARGEST_STAKE:
        raise ArgumentError(f"the stakes add up to {sum(weights)}, allowed: at most {LARGEST_STAKE}")
    return weights


def trace_of(network: Network, slots: int) -> PublicTrace:
    """Return what has happened so far in a network that has run through `slots` slots."""
    tree, observer = network.tree, network.observer
    best = set(tree.path(int(network.best[observer]), 0))
    final = set(tree.path(int(network.final[observer]), 0))
    lags = dict(network.lags)
    numbers = range(1, len(tree))
    blocks = pl.DataFrame(
        {
            "block": list(numbers),
            "parent": tree.parent[1:],
            "slot": tree.slot[1:],
            "seat": tree.seat[1:],
            "primary": tree.primary[1:],
            "variant": tree.variant[1:],
            "height": tree.height[1:],
            "written_ms": tree.written[1:],
            "best": [block in best for block in numbers],
            "final": [block in final for block in numbers],
            "finality_ms": pl.Series([lags.get(block) for block in numbers], dtype=pl.Int64),
        },
        schema_overrides={"primary": pl.Boolean, "best": pl.Boolean, "final": pl.Boolean},
    )
    named = [*range(observer), -1]
    moves = [(time, -1 if node == observer else node, depth) for time, node, depth in network.reorganisations]
    return PublicTrace(
        blocks=blocks,
        heads=dict(zip(named, network.best.tolist(), strict=True)),
        finalised=dict(zip(named, network.final.tolist(), strict=True)),
        reorganisations=pl.DataFrame(
            moves, schema={"time_ms": pl.Int64, "node": pl.Int64, "depth": pl.Int64}, orient="row"
        ),
        messages=dict(network.messages),
        evidence=tuple(network.evidence[key] for key in sorted(network.evidence)),
        conflicts=tuple(network.conflicts),
        slots=slots,
    )


def _shown(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:.1f} s"
