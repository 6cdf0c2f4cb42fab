"""What a run of the finality model found, with the uncertainty of every figure."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["Estimate", "Finality"]

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its confidence interval; `high` is infinite where the sample is too small to bound it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Finality:
    """Finality of consecutive blocks.

    Attributes
    ----------
    finality_ms : numpy.ndarray
        Shape (blocks,), float32: from the first primary's turn to propose until a quorum has committed; infinite where
        no quorum ran.
    view_changes : numpy.ndarray
        Shape (blocks,), uint16: primaries that had to be passed over.
    """

    finality_ms: npt.NDArray[np.float32]
    view_changes: npt.NDArray[np.uint16]

    def __repr__(self) -> str:
        middle, late = (self.quantile(share).value for share in (0.5, 0.99))
        return f"Finality({len(self.finality_ms):,} blocks, p50 {middle:.1f} ms, p99 {late:.1f} ms)"

    @property
    def frame(self) -> pl.DataFrame:
        """One row per block: block (UInt32), finality_ms (Float32), view_changes (UInt16)."""
        columns = {"finality_ms": self.finality_ms, "view_changes": self.view_changes}
        return pl.DataFrame(columns).with_row_index("block")

    def quantile(self, share: float, *, confidence: float = 0.95) -> Estimate:
        r"""Return a quantile of the finality times and its distribution-free confidence interval.

        Parameters
        ----------
        share : float
            0 < share < 1, 0.99 for p99.
        confidence : float
            0 < confidence < 1.

        Returns
        -------
        Estimate
            ms. Value: the smallest time that a `share` of the blocks does not exceed.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `share` or `confidence` does not fit.

        Notes
        -----
        With order statistics :math:`x_{(1)} \le \dots \le x_{(N)}` of independent blocks,

        .. math:: \Pr\bigl(x_{(l)} \le \xi_p \le x_{(u)}\bigr) \ge \sum_{i=l}^{u-1} \binom{N}{i} p^i (1-p)^{N-i},

        whatever the distribution (David and Nagaraja 2003, Order Statistics, 3rd ed., section 7.1). Blocks of one
        outage share their quorum, so over outages the interval is somewhat too narrow.
        """
        share, confidence = _require_share("share", share), _require_share("confidence", confidence)
        from scipy.stats import binom

        count = len(self.finality_ms)
        tail = (1.0 - confidence) / 2.0
        low = int(binom.ppf(tail, count, share))
        high = int(binom.ppf(1.0 - tail, count, share)) + 1
        value = int(np.ceil(share * count))
        ranks = [rank for rank in (low, value, high) if 1 <= rank <= count]
        ordered = np.partition(self.finality_ms, [rank - 1 for rank in ranks])
        at = {rank: float(ordered[rank - 1]) for rank in ranks}
        return Estimate(at[value], at.get(low, 0.0), at.get(high, float("inf")))

    def within(self, limit_ms: float, *, confidence: float = 0.95) -> Estimate:
        """Return the share of the blocks that are final within `limit_ms`, with its Clopper-Pearson interval (1934).

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `limit_ms` is no number, or `confidence` does not fit.
        """
        if isinstance(limit_ms, bool) or not isinstance(limit_ms, Real):
            raise ArgumentTypeError(f"limit_ms is {limit_ms!r}, allowed: a number of ms")
        tail = (1.0 - _require_share("confidence", confidence)) / 2.0
        from scipy.stats import beta

        count = len(self.finality_ms)
        good = int(np.count_nonzero(self.finality_ms <= limit_ms))
        low = float(beta.ppf(tail, good, count - good + 1)) if good else 0.0
        high = float(beta.ppf(1.0 - tail, good + 1, count - good)) if good < count else 1.0
        return Estimate(good / count, low, high)

    def summary(self, *, limit_ms: float = 3000.0, confidence: float = 0.95) -> pl.DataFrame:
        """Return the figures of the run.

        Parameters
        ----------
        limit_ms : float
            Target whose attainment is counted.
        confidence : float
            Of the intervals, 0 < confidence < 1.

        Returns
        -------
        polars.DataFrame
            figure, value, low, high (null where the figure is a count of this run), unit.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit.
        """
        rows: list[tuple[str, float, float | None, float | None, str]] = []
        for name, share in _QUANTILES.items():
            found = self.quantile(share, confidence=confidence)
            rows.append((name, found.value, found.low, found.high, "ms"))
        reached = self.within(limit_ms, confidence=confidence)
        rows.append((f"within {limit_ms:g} ms", 100 * reached.value, 100 * reached.low, 100 * reached.high, "%"))
        changed = self.view_changes > 0
        rows.append(("longest", float(self.finality_ms.max()), None, None, "ms"))
        rows.append(("blocks with a view change", float(np.count_nonzero(changed)), None, None, "blocks"))
        halted = np.count_nonzero(np.isinf(self.finality_ms))
        rows.append(("blocks without a quorum", float(halted), None, None, "blocks"))
        rows.append(("blocks", float(len(self.finality_ms)), None, None, "blocks"))
        types = {"figure": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "unit": pl.String}
        return pl.DataFrame(rows, schema=types, orient="row")


def _require_share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ArgumentTypeError(f"{name} is {value!r}, allowed: a number between 0 and 1")
    share = float(value)
    if not 0 < share < 1:
        raise ArgumentError(f"{name} is {share}, allowed: above 0 and below 1, such as 0.99")
    return share
