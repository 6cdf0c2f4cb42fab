"""Wheeling: what the grid charges for carrying a kWh from seller to buyer.

Two schemes, since the choice between them is the policy question: the postage stamp of the ERC's draft, which knows no
distance, and a ladder that grows with the distance between the two meters.
"""

from __future__ import annotations

import polars as pl

from gridlab import units
from gridlab.levers import Levers, choice, number

__all__ = ["LADDER", "PATHS", "Wheeling"]

_LADDER_SOURCE = "synthetic teaching ladder (fact sheet 2, S): no distance-based charge is published in Thailand"

# From the nearest to the farthest: path, and the account column that both meters share on it.
LADDER = (
    ("same_transformer", "transformer"),
    ("same_feeder", "feeder"),
    ("same_substation", "substation"),
    ("same_area", "area"),
)
PATHS = (*(path for path, _ in LADDER), "other_area")


def _rung(default: float, label: str, label_th: str) -> object:
    return number(
        default,
        0.0,
        5.0,
        0.001,
        unit="THB/kWh",
        label=label,
        label_th=label_th,
        source=_LADDER_SOURCE,
        governed_by="ERC",
    )


class Wheeling(Levers):
    """The wheeling tariff: one object, asked by the agents, the matcher and the settlement alike."""

    scheme = choice(
        "postage_stamp",
        ["postage_stamp", "distance_ladder"],
        label="Wheeling scheme",
        label_th="รูปแบบค่าผ่านสายส่ง",
        source="ERC draft of May 2026 is a postage stamp (fact sheet 2, V2); the ladder is a teaching alternative (S)",
        governed_by="ERC",
    )
    postage_stamp = number(
        1.07,
        0.0,
        5.0,
        0.001,
        unit="THB/kWh",
        label="Postage stamp",
        label_th="ค่าผ่านสายส่งอัตราเดียว",
        source="ERC draft, May 2026, as reported by Cap Solar (fact sheet 2, V2)",
        governed_by="ERC",
    )
    same_transformer = _rung(0.20, "Same transformer", "หม้อแปลงเดียวกัน")
    same_feeder = _rung(0.35, "Same feeder", "สายป้อนเดียวกัน")
    same_substation = _rung(0.45, "Same substation", "สถานีไฟฟ้าเดียวกัน")
    same_area = _rung(0.75, "Same utility area", "เขตการไฟฟ้าเดียวกัน")
    other_area = _rung(1.07, "Other utility area", "ต่างเขตการไฟฟ้า")
    losses = number(
        5.35,
        0.0,
        30.0,
        0.01,
        unit="%",
        label="Grid losses paid by the buyer",
        label_th="ค่าพลังงานสูญเสียที่ผู้ซื้อรับภาระ",
        source="PEA losses 2022: 8,177 of 152,896 GWh (fact sheet 3.4, D)",
        governed_by="ERC",
    )

    def charges(self) -> dict[str, int]:
        """Return path -> charge in THB/MWh under the scheme in force."""
        if self.scheme == "postage_stamp":
            return dict.fromkeys(PATHS, units.price(self.postage_stamp))
        return {path: units.price(getattr(self, path)) for path in PATHS}

    def highest(self) -> int:
        """Return the highest charge (THB/MWh) that a trade may meet: what a careful buyer allows for."""
        return max(self.charges().values())

    def loss_share(self) -> int:
        """Return the losses as parts per million of the energy's amount."""
        return units.share(self.losses)

    def locate(self, trades: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
        """Add to each trade its `path` and its wheeling `charge`.

        Parameters
        ----------
        trades : polars.DataFrame
            With ``buyer`` and ``seller``, indexes into `accounts`.
        accounts : polars.DataFrame
            As `gridlab.frames.ACCOUNTS`; row i is account i.

        Returns
        -------
        polars.DataFrame
            `trades` with ``path`` (Enum of `PATHS`) and ``charge`` (Int64, THB/MWh).
        """
        charges = self.charges()
        path = pl.lit("other_area")
        within = pl.col("buyer").is_not_null() & pl.col("seller").is_not_null()  # null: the grid beyond the zone
        for name, column in reversed(LADDER):
            place = accounts[column]
            near = place.gather(trades["buyer"].fill_null(0)) == place.gather(trades["seller"].fill_null(0))
            path = pl.when(pl.lit(near) & within).then(pl.lit(name)).otherwise(path)
        located = trades.with_columns(path.cast(pl.Enum(PATHS)).alias("path"))
        return located.with_columns(
            pl.col("path").replace_strict(list(charges), list(charges.values()), return_dtype=pl.Int64).alias("charge")
        )
