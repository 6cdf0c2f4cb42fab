"""The levers of zonal coupling: which corridors there are, and how large they are beside the lab."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from gridlab.levers import Levers, choice, number
from gridlab.market.zones.transfer_limits import thai_zones

__all__ = ["ZonalTerms"]


class ZonalTerms(Levers):
    """Transfer limits between the regions, read by the rule ``zonal``."""

    corridors = choice(
        "default",
        ["default", "before_2022"],
        label="Corridors between the regions",
        label_th="สายส่งระหว่างภาค",
        source="dataset corridors_synthetic (fact sheet 3.3, S); the southern corridor follows a report (V)",
        governed_by="EGAT",
    )
    corridor_size = number(
        0.034,
        0.0,
        1000.0,
        0.001,
        unit="kW/MW",
        label="Size of the lab's corridors for each MW in the country",
        label_th="ขนาดสายส่งในห้องทดลองต่อ 1 เมกะวัตต์ของประเทศ",
        source="teaching choice (S): 200 prosumers peak near 1.25 MW, the country at 36,699.9 MW in 2024 (V)",
        governed_by="teacher (scenario)",
    )

    exports = number(
        100.0,
        0.0,
        200.0,
        1.0,
        unit="%",
        label="Lines to the neighbours: exports",
        label_th="สายส่งไปประเทศเพื่อนบ้าน: การส่งออก",
        source="dataset cross_border_synthetic (fact sheet 3.3 and 6.3, S); 0 closes the border for exports",
        governed_by="Ministry of Energy",
    )
    imports = number(
        100.0,
        0.0,
        200.0,
        1.0,
        unit="%",
        label="Lines from the neighbours: imports",
        label_th="สายส่งจากประเทศเพื่อนบ้าน: การนำเข้า",
        source="dataset cross_border_synthetic (fact sheet 3.3 and 6.3, S); 0 closes the border for imports",
        governed_by="Ministry of Energy",
    )

    def limits(self, zones: Collection[str] | None = None) -> pl.DataFrame:
        """Return the transfer limits in force, as `gridlab.market.zones.transfer_limits.LIMITS`.

        Parameters
        ----------
        zones : collection of str, optional
            Only corridors between these. Lao PDR, Malaysia and Singapore are zones like any region: they matter where
            an order frame has orders in them.
        """
        regions = thai_zones(self.corridors, cross_border=False)["from_zone"].unique().implode()
        leaves = pl.col("from_zone").is_in(regions) & ~pl.col("to_zone").is_in(regions)
        enters = ~pl.col("from_zone").is_in(regions) & pl.col("to_zone").is_in(regions)
        border = pl.when(leaves).then(self.exports / 100).when(enters).then(self.imports / 100).otherwise(1.0)
        limits = thai_zones(self.corridors).with_columns(
            limit_mw=pl.col("limit_mw") * self.corridor_size / 1000 * border
        )
        if zones is not None:
            limits = limits.filter(pl.col("from_zone").is_in(list(zones)) & pl.col("to_zone").is_in(list(zones)))
        return limits.select("from_zone", "to_zone", "limit_mw", "loss")
