"""Who holds GRID in a lab: the prosumers, their cooperative, the utilities, and the relayer of the bridge.

Synthetic: nobody holds GRID in Thailand. A prosumer has 100 GRID per kilowatt of its peak, so that size counts as it
would where stakes follow turnover; the cooperative has as much as a fifth of all prosumers together, each of the three
utilities a tenth.
"""

from __future__ import annotations

import polars as pl

from gridlab.governance.agenda import COOPERATIVE
from gridlab.units import MICRO

__all__ = ["MOST_DIRECT", "holders"]

# Prosumers beyond these hold their GRID through the cooperative, so that a national lab starts in seconds.
MOST_DIRECT = 1_000
_GRID_PER_KW = 100
_UTILITIES = ("EGAT", "MEA", "PEA")
# For the fees of a year of anchors.
_RELAYER = ("Market operator", "relayer", 10**9)


def holders(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the holders of GRID at the start of a run.

    Parameters
    ----------
    accounts : polars.DataFrame
        The prosumers, as `gridlab.frames.ACCOUNTS`.

    Returns
    -------
    polars.DataFrame
        ``name`` (that of the account on the consortium chain; the key is the same, too), ``group`` (the prosumer's
        kind, "cooperative", "utility" or "relayer"), ``balance`` (Int64, micro-GRID).
    """
    grid = (pl.col("peak_kw") * _GRID_PER_KW).round().cast(pl.Int64) * MICRO
    own = accounts.select("name", group=pl.col("kind").cast(pl.String), balance=grid)
    total = int(own["balance"].sum())
    direct = own.head(MOST_DIRECT)
    through = total - int(direct["balance"].sum())
    rows = [(COOPERATIVE, "cooperative", total // 5 + through)]
    rows += [(name, "utility", total // 10) for name in _UTILITIES]
    others = pl.DataFrame([*rows, _RELAYER], schema=direct.schema, orient="row")
    return pl.concat([direct, others]).filter(pl.col("balance") > 0)
