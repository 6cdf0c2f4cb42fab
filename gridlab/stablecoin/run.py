"""A run on WATT: who asks first, what is paid, and who is left with the loss.

In each slot of fifteen minutes: the world strikes or bonds are paid; the reserve is attested, where it is due;
redemption pauses or resumes; frightened holders queue; the front of the queue is paid, as far as gate, cash and the
rule for a gap allow; the secondary market prices what is left. Payouts follow the chain's own rules to the micro-baht
(`gridlab.stablecoin.play` sends them there).

The chain knows the reserve by attestations alone. Between two of them it does not know what was lost, and whoever comes
then is paid in full: with sequential service running is worth it because others run (Diamond and Dybvig, 1983). A
haircut on an attested gap takes that away, as far as attestations are frequent.

References
----------
Diamond and Dybvig, "Bank runs, deposit insurance, and liquidity", Journal of Political Economy 91, 1983.
Goldstein and Pauzner, "Demand-deposit contracts and the probability of bank runs", Journal of Finance 60, 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger.schema import LARGEST
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError
from gridlab.seeds import check_seed
from gridlab.stablecoin.holders import GROUPS, Holders
from gridlab.stablecoin.slots import Course, Steps
from gridlab.stablecoin.terms import SLOTS_PER_HOUR, HolderTerms, WattTerms

__all__ = ["WattRun", "compare_rules", "run"]

Int64Array = npt.NDArray[np.int64]

_QUARTERS = ("first quarter", "second quarter", "third quarter", "last quarter")


@dataclass(frozen=True, slots=True)
class WattRun:
    """What happened.

    Attributes
    ----------
    watt : WattTerms
    holders : Holders
    circulation, reserve : int
        Before the run, micro-THB.
    slots : polars.DataFrame
        One row per slot: slot, hour, asked (holders), queued, burned, paid (to holders), fees, cash, bonds (sold ones
        not yet paid included), reserve, attested (as the chain carries it on), circulation, price (micro-THB per WATT),
        coverage, attested_coverage, attests, pauses, resumes, paused, and lost (since the beginning).
    steps : Steps
        The same as instructions to a chain.
    people : polars.DataFrame
        One row per holder: holder, group, before, redeemed, received, held, queued, worth (of what is held and queued,
        at the end), loss, place (in the queue, null who never asked).
    """

    watt: WattTerms
    holders: Holders
    circulation: int
    reserve: int
    slots: pl.DataFrame
    steps: Steps
    people: pl.DataFrame

    def __repr__(self) -> str:
        last = self.slots.row(-1, named=True)
        return (
            f"WattRun({self.slots.height} slots, {len(self.holders)} holders, {self.people['place'].count()} asked, "
            f"coverage {last['coverage']:.3f})"
        )

    def _repr_html_(self) -> str:
        html: str = through("watt_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``run.plot.queue()``, ``.reserve()``, ``.price()``, ``.losses()``, ``.advantage()`` (HoloViews)."""
        return through("watt_plot", self)

    def controls(self) -> Any:
        """Return live controls: the levers of issuer and holders beside the run that follows from them (ipywidgets).

        They move levers of their own and leave this run as it is; what they show is ``controls().run``.
        """
        return through("watt_controls", self)

    @property
    def groups(self) -> pl.DataFrame:
        """Who lost what: group, holders, asked, before, received, worth, loss (micro-THB), recovered (share)."""
        grouped = self.people.group_by("group", maintain_order=True).agg(
            pl.len().alias("holders"),
            pl.col("place").count().alias("asked"),
            pl.col("before", "received", "worth", "loss").sum(),
        )
        return grouped.with_columns(recovered=_recovered())

    @property
    def order(self) -> pl.DataFrame:
        """The same by who came first: quarters of the queue by WATT, and those who never asked."""
        queue = self.people.sort("place", nulls_last=True)
        asked = pl.col("place").is_not_null()
        upto = pl.col("before").filter(asked).sum()
        quarter = ((pl.col("before").cum_sum() - pl.col("before")) * 4 // pl.max_horizontal(upto, pl.lit(1))).clip(0, 3)
        names = pl.Series(_QUARTERS).to_frame("came").with_columns(quarter=pl.int_range(4, dtype=pl.Int64))
        placed = queue.with_columns(quarter=pl.when(asked).then(quarter)).join(
            names, on="quarter", how="left", maintain_order="left"
        )
        grouped = placed.group_by(pl.col("came").fill_null("never"), maintain_order=True).agg(
            pl.len().alias("holders"), pl.col("before", "received", "worth", "loss").sum()
        )
        return grouped.with_columns(recovered=_recovered())

    @property
    def first_mover_advantage(self) -> float:
        """What the first quarter recovers of its WATT above what all others recover, as shares."""
        frame = self.order.with_columns(first=pl.col("came") == _QUARTERS[0])
        pairs = frame.group_by("first").agg(pl.col("before", "received", "worth").sum())
        shares = dict(pairs.select("first", share=_recovered()).rows())
        return float(shares[True] - shares[False]) if len(shares) == 2 else 0.0


def _recovered() -> pl.Expr:
    return (pl.col("received") + pl.col("worth")) / pl.col("before")


def run(
    watt: WattTerms | None = None,
    terms: HolderTerms | None = None,
    *,
    holders: int = 2_000,
    circulation: int = 100_000_000_000_000,
    hours: float = 48.0,
    seed: int = 0,
) -> WattRun:
    """Let holders run, or not.

    Parameters
    ----------
    watt : WattTerms, optional
        The issuer's levers.
    terms : HolderTerms, optional
        The holders' levers.
    holders : int
        50 … 10,000,000.
    circulation : int
        Micro-THB; by default 100 million WATT.
    hours : float
        How long, in quarters of an hour.
    seed : int

    Returns
    -------
    WattRun

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or out of bounds.

    Examples
    --------
    >>> calm = run(terms=HolderTerms(shock_loss=0.0, news=0.0), hours=24)
    >>> calm.people["loss"].sum(), calm.slots["coverage"].min()
    (0, 1.0)
    """
    watt, terms = WattTerms() if watt is None else watt, HolderTerms() if terms is None else terms
    for name, value, kind in (("watt", watt, WattTerms), ("terms", terms, HolderTerms)):
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: {kind.__name__}(…)")
    require_int("holders", holders, 50, 10_000_000)
    require_int("circulation", circulation, 100 * holders, LARGEST // 4)
    count = require_int("hours in slots", round(hours * SLOTS_PER_HOUR), 1, 400_000)
    people = Holders.drawn(holders, circulation, terms, check_seed(seed))
    course = Course.begun(watt, people, circulation)
    for slot in range(count):
        course.advance(slot)
    return WattRun(
        watt, people, circulation, course.initial_reserve, course.frame(), course.steps(), _people(people, course)
    )


def _people(holders: Holders, course: Course) -> pl.DataFrame:
    queued = course.queued_by_holder()
    left = holders.balance - course.redeemed
    worth = course.worth(left)
    names = pl.Series([group.name for group in GROUPS])
    frame = pl.DataFrame(
        {
            "holder": np.arange(len(holders)),
            "group": names.gather(holders.group),
            "before": holders.balance,
            "redeemed": course.redeemed,
            "received": course.received,
            "held": left - queued,
            "queued": queued,
            "worth": worth,
            "loss": holders.balance - course.received - worth,
            "place": course.places,
        }
    )
    return frame.with_columns(place=pl.when(pl.col("place") >= 0).then(pl.col("place")))


def compare_rules(
    watt: WattTerms | None = None, terms: HolderTerms | None = None, *, seeds: int = 5, **how: float
) -> pl.DataFrame:
    """Measure the first-mover advantage under each rule for a gap, with the same holders and the same news.

    Parameters
    ----------
    watt, terms : WattTerms and HolderTerms, optional
        As for `run`; the lever ``gap_rule`` is replaced.
    seeds : int
        How many draws of holders, numbered from 0.
    **how
        Further arguments of `run`: holders, circulation, hours.

    Returns
    -------
    polars.DataFrame
        One row per rule and seed: rule, seed, asked (share of holders), redeemed (share of WATT), first_quarter and
        others (recovered shares), advantage (the difference).
    """
    rows = []
    base = WattTerms() if watt is None else watt
    for rule in ("par", "haircut", "stop"):
        own = WattTerms(**(base.values() | {"gap_rule": rule}))
        for seed in range(require_int("seeds", seeds, 1, 1_000)):
            outcome = run(own, terms, seed=seed, **how)  # type: ignore[arg-type]
            people, order = outcome.people, outcome.order
            first = order.filter(pl.col("came") == _QUARTERS[0])["recovered"]
            recovered = first[0] if len(first) else 1.0
            advantage = outcome.first_mover_advantage
            asked = people["place"].count() / people.height
            redeemed = float(people.select(pl.col("redeemed").sum() / pl.col("before").sum()).item())
            rows.append((rule, seed, asked, redeemed, recovered, recovered - advantage, advantage))
    names = ("rule", "seed", "asked", "redeemed", "first_quarter", "others", "advantage")
    return pl.DataFrame(rows, schema=names, orient="row")
