"""The levers of zonal coupling: which corridors there are, and how large they are beside the lab."""

from __future__ import annotations

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
        1.0,
        0.001,
        unit="kW/MW",
        label="Size of the lab's corridors for each MW in the country",
        label_th="ขนาดสายส่งในห้องทดลองต่อ 1 เมกะวัตต์ของประเทศ",
        source="teaching choice (S): 200 prosumers peak near 1.25 MW, the country at 36,699.9 MW in 2024 (V)",
        governed_by="teacher (scenario)",
    )

    def limits(self) -> pl.DataFrame:
        """Return the transfer limits in force, as `gridlab.market.zones.transfer_limits.LIMITS`."""
        national = thai_zones(self.corridors, cross_border=False)
        return national.with_columns(limit_mw=pl.col("limit_mw") * self.corridor_size / 1000).select(
            "from_zone", "to_zone", "limit_mw", "loss"
        )
