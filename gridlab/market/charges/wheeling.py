"""Wheeling: what the grid charges for carrying a kWh from seller to buyer.

Four schemes, since the choice among them is the policy question: the postage stamp of the ERC's draft, which knows no
distance; a ladder that grows with the distance between the two meters; a rate by the buyer's voltage; a percentage of
the energy's price. Buyer, seller or both may have to pay it, and the grid's losses with it.
"""

from __future__ import annotations

from fractions import Fraction

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

_BANDS = {"<22 kV": "low_voltage", "22-33 kV": "medium_voltage", ">=69 kV": "high_voltage"}
_SELLERS_PART = {"buyer": Fraction(0), "split": Fraction(1, 2), "seller": Fraction(1)}


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


def _band(default: float, label: str, label_th: str, source: str) -> object:
    return number(
        default, 0.0, 5.0, 0.001, unit="THB/kWh", label=label, label_th=label_th, source=source, governed_by="ERC"
    )


class Wheeling(Levers):
    """The wheeling tariff: one object, asked by the agents, the matcher and the settlement alike."""

    scheme = choice(
        "postage_stamp",
        ["postage_stamp", "distance_ladder", "per_voltage", "percentage"],
        label="Wheeling scheme",
        label_th="รูปแบบค่าผ่านสายส่ง",
        source="ERC draft of May 2026 is a postage stamp (fact sheet 2, V2); the others are teaching alternatives (S)",
        governed_by="ERC",
    )
    payer = choice(
        "buyer",
        ["buyer", "seller", "split"],
        label="Who pays wheeling and losses",
        label_th="ผู้รับภาระค่าผ่านสายส่งและพลังงานสูญเสีย",
        source="teaching choice (S)",
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
    low_voltage = _band(1.07, "Below 22 kV", "แรงดันต่ำกว่า 22 kV", "as the ERC draft's stamp (fact sheet 2, S)")
    medium_voltage = _band(
        0.706,
        "22 to 33 kV",
        "แรงดัน 22 ถึง 33 kV",
        "transmission 0.3759 and distribution 0.3297 of tariff 6.1 (fact sheet 1.2, D)",
    )
    high_voltage = _band(
        0.551,
        "69 kV and above",
        "แรงดัน 69 kV ขึ้นไป",
        "transmission 0.3636 and distribution 0.1875 of tariff 6.1 (fact sheet 1.2, D)",
    )
    percentage = number(
        30.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Wheeling as a share of the energy's price",
        label_th="ค่าผ่านสายส่งเป็นสัดส่วนของราคาไฟฟ้า",
        source="teaching choice (S)",
        governed_by="ERC",
    )
    losses = number(
        5.35,
        0.0,
        30.0,
        0.01,
        unit="%",
        label="Grid losses as a share of the energy's price",
        label_th="ค่าพลังงานสูญเสียเป็นสัดส่วนของราคาไฟฟ้า",
        source="PEA losses 2022: 8,177 of 152,896 GWh (fact sheet 3.4, D)",
        governed_by="ERC",
    )

    def charges(self) -> dict[str, int]:
        """Return path -> charge in THB/MWh under the scheme in force; the highest one where it hangs on the voltage."""
        if self.scheme == "distance_ladder":
            return {path: units.price(getattr(self, path)) for path in PATHS}
        if self.scheme == "per_voltage":
            return dict.fromkeys(PATHS, max(self.bands().values()))
        return dict.fromkeys(PATHS, units.price(self.postage_stamp) if self.scheme == "postage_stamp" else 0)

    def bands(self) -> dict[str, int]:
        """Return voltage band of the buyer's tariff -> charge in THB/MWh, under the scheme ``per_voltage``."""
        return {band: units.price(getattr(self, lever)) for band, lever in _BANDS.items()}

    def highest(self) -> int:
        """Return the highest charge (THB/MWh) that a trade may meet: what a careful buyer allows for."""
        return max(self.charges().values())

    def highest_for(self, voltage: pl.Expr) -> pl.Expr:
        """Return the highest charge (Int64, THB/MWh) that buyers may meet whose tariffs have these `voltage` bands."""
        if self.scheme == "per_voltage":
            return _by_band(self.bands(), voltage)
        return pl.lit(self.highest(), dtype=pl.Int64)

    def loss_share(self) -> int:
        """Return the losses as parts per million of the energy's amount."""
        return units.share(self.losses)

    def price_share(self) -> int:
        """Return wheeling as parts per million of the energy's amount; 0 except under the scheme ``percentage``."""
        return units.share(self.percentage) if self.scheme == "percentage" else 0

    def sellers_part(self) -> Fraction:
        """Return the share of wheeling and losses that the seller pays: 0, 1/2 or 1."""
        return _SELLERS_PART[self.payer]

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
        if self.scheme == "per_voltage":
            band = accounts["voltage"].gather(trades["buyer"].fill_null(0))
            return located.with_columns(_by_band(self.bands(), pl.lit(band)).alias("charge"))
        return located.with_columns(
            pl.col("path").replace_strict(list(charges), list(charges.values()), return_dtype=pl.Int64).alias("charge")
        )


def _by_band(bands: dict[str, int], voltage: pl.Expr) -> pl.Expr:
    # A band that the tariff tables do not have pays like low voltage.
    return voltage.replace_strict(list(bands), list(bands.values()), default=bands["<22 kV"], return_dtype=pl.Int64)
