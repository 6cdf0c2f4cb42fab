"""What providers earn and lose: data fees by accepted observations, reputation by outliers, stake by two values.

Fees are whole micro-THB. The fee of a report is shared equally among the providers whose observations were accepted;
what does not divide goes one micro-THB each to those of the lowest numbers, so that a report's shares sum to its fee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.perbill import floor_of
from gridlab.chain.sharing import apportion
from gridlab.errors import ArgumentError
from gridlab.oracle.roster import KINDS, Roster
from gridlab.oracle.rounds import FeedRounds

__all__ = ["ScoreRules", "fee_transfers", "outliers_of", "scores", "share_fee", "straying"]

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """What providers earn and lose.

    Attributes
    ----------
    fee : int
        Of a report, micro-THB.
    distance : float
        From how many MADs on an observation is an outlier.
    outliers, window : int
        So many outliers in the last so many rounds of a feed cost reputation.
    loss : int
        Points of reputation that each such round costs; 100 is the whole.
    stake : int
        micro-THB.
    slash : int
        Share of the stake that two values in a round cost, parts per billion.
    """

    fee: int
    distance: float
    outliers: int
    window: int
    loss: int
    stake: int
    slash: int


def share_fee(accepted: Bools, fee: int) -> Int64s:
    """Share the fee of each report among the providers whose observations were accepted.

    Parameters
    ----------
    accepted : ndarray of bool, shape (reports, providers)
        At least one in each row.
    fee : int
        micro-THB of one report.

    Returns
    -------
    ndarray of int64, shape (reports, providers)
        Each row sums to `fee`.
    """
    return apportion(np.full(len(accepted), fee, np.int64), accepted.astype(np.int64))


def straying(outlier: Bools, *, outliers: int, window: int) -> Bools:
    """Return where at least `outliers` of the last `window` rounds are outliers.

    Parameters
    ----------
    outlier : ndarray of bool, shape (rounds, providers)
        Of one feed, in the order of its rounds.
    outliers, window : int
        m of w.

    Returns
    -------
    ndarray of bool, shape (rounds, providers)
    """
    total = np.cumsum(outlier, axis=0, dtype=np.int64)
    before = np.zeros_like(total)
    before[window:] = total[:-window]
    many: Bools = total - before >= outliers
    return many


def scores(
    rounds: Sequence[FeedRounds], roster: Roster, rules: ScoreRules, offences: dict[int, tuple[int, str, int]]
) -> pl.DataFrame:
    """Return what every provider has earned and lost.

    Parameters
    ----------
    rounds : sequence of FeedRounds
        One per feed.
    roster : Roster
    rules : ScoreRules
    offences : dict
        Provider -> (time, feed, place) at which it signed two values.

    Returns
    -------
    polars.DataFrame
        ``provider``, ``kind``, ``observations`` (that counted), ``accepted`` (in reports, and no outliers),
        ``outliers``, ``missed`` (rounds without an observation in time), ``flagged`` (outliers that cost reputation,
        m of w being reached), ``reputation`` (points, 0 to 100), ``fees``, ``stake``, ``slashed`` (micro-THB).
    """
    count = len(roster)
    sums = {name: np.zeros(count, np.int64) for name in ("observations", "accepted", "outliers", "missed", "flagged")}
    fees = np.zeros(count, np.int64)
    for feed in rounds:
        outlier = outliers_of(feed, rules)
        accepted = (feed.counted & (feed.distance <= rules.distance))[feed.reported]
        sums["observations"] += feed.counted.sum(axis=0)
        sums["accepted"] += accepted.sum(axis=0)
        sums["outliers"] += outlier.sum(axis=0)
        sums["missed"] += (~feed.said.present).sum(axis=0)
        many = straying(outlier, outliers=rules.outliers, window=rules.window)
        sums["flagged"] += (outlier & many).sum(axis=0)
        if len(accepted):
            fees += share_fee(accepted, rules.fee).sum(axis=0)
    slashed = [floor_of(rules.slash, rules.stake) if provider in offences else 0 for provider in range(count)]
    columns = {
        "provider": pl.Series(range(count), dtype=pl.UInt32),
        "kind": pl.Series(roster.kinds, dtype=pl.Enum(list(KINDS))),
        **{name: pl.Series(each) for name, each in sums.items()},
        "reputation": pl.Series(np.maximum(0, 100 - rules.loss * sums["flagged"])),
        "fees": pl.Series(fees),
        "stake": pl.Series([rules.stake - each for each in slashed], dtype=pl.Int64),
        "slashed": pl.Series(slashed, dtype=pl.Int64),
    }
    return pl.DataFrame(columns)


def fee_transfers(scores: pl.DataFrame, payer: int, accounts: Sequence[int], *, first_id: int = 1) -> pl.DataFrame:
    """Return the transfers that pay the providers their data fees, in WATT.

    Parameters
    ----------
    scores : polars.DataFrame
        What `scores` returned.
    payer : int
        Account that pays.
    accounts : sequence of int
        Where each provider is paid, one for each row of `scores`.
    first_id : int
        Of the transfers.

    Returns
    -------
    polars.DataFrame
        As `gridlab.chain.ledger.TRANSFERS`, one row for each provider that has earned anything.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type, or there is not one account for each provider.
    """
    require_int("first_id", first_id, 0, 2**63)
    if len(require_sequence("accounts", accounts, int)) != scores.height:
        raise ArgumentError(f"accounts are {len(accounts)}, allowed: one for each of {scores.height} providers")
    earned = scores.select("fees", credit_account=pl.Series(accounts, dtype=pl.UInt32)).filter(pl.col("fees") > 0)
    rows = earned.select(
        transfer_id=first_id + pl.int_range(pl.len()),
        debit_account=pl.lit(require_int("payer", payer, 0, 2**32 - 1)),
        credit_account="credit_account",
        asset=pl.lit("WATT"),
        amount="fees",
        code=pl.lit("fee"),
    )
    return TRANSFERS.check(rows)


def outliers_of(feed: FeedRounds, rules: ScoreRules) -> Bools:
    """Return which observations are outliers, shape (rounds, providers); a round without a quorum has none."""
    found: Bools = feed.counted & feed.quorate[:, None] & (feed.distance > rules.distance)
    return found
