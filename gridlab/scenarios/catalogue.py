"""The Thai scenarios: each a start date, a few levers, and what it teaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from gridlab.errors import ArgumentTypeError, ScenarioError, nearest
from gridlab.lab import DEFAULT_START, Lab

__all__ = ["CATALOGUE", "Scenario", "scenario", "scenarios"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named starting point.

    Attributes
    ----------
    title, title_th, teaches, teaches_th : str
    start : str
        First day, midnight Bangkok time.
    levers : Mapping[str, object]
        Lever path -> value, on top of the Thai defaults.
    """

    title: str
    title_th: str
    teaches: str
    teaches_th: str
    start: str = DEFAULT_START
    levers: Mapping[str, object] = field(default_factory=dict)


CATALOGUE: Mapping[str, Scenario] = MappingProxyType(
    {
        "thai_day": Scenario(
            "A Thai working day",
            "วันทำงานหนึ่งวันในประเทศไทย",
            "How neighbours' solar power is priced against the retail tariff and the 2.20 THB/kWh buy-back.",
            "ไฟฟ้าแสงอาทิตย์ของเพื่อนบ้านตั้งราคาอย่างไร เมื่อเทียบกับค่าไฟฟ้าขายปลีกและราคารับซื้อ 2.20 บาทต่อหน่วย",
        ),
        "songkran": Scenario(
            "Songkran: a holiday at off-peak rates",
            "สงกรานต์: วันหยุดที่คิดอัตรา Off-Peak ทั้งวัน",
            "What is left of local trade when every TOU customer pays the off-peak rate all day.",
            "การซื้อขายในชุมชนจะเหลือเท่าใด เมื่อผู้ใช้ไฟแบบ TOU จ่ายอัตรา Off-Peak ตลอดวัน",
            start="2026-04-13",
        ),
        "distance_wheeling": Scenario(
            "Wheeling by distance",
            "ค่าผ่านสายส่งตามระยะทาง",
            "What changes when the neighbour on the same transformer is cheaper to reach than the next province.",
            "อะไรเปลี่ยนไป เมื่อส่งไฟให้เพื่อนบ้านที่ใช้หม้อแปลงเดียวกันถูกกว่าส่งไปจังหวัดอื่น",
            levers={"market.wheeling.scheme": "distance_ladder"},
        ),
        "rooftop_boom": Scenario(
            "A rooftop boom",
            "โซลาร์รูฟท็อปเต็มเมือง",
            "When most roofs have panels the midday price falls to the buy-back: abundance changes who gains.",
            "เมื่อบ้านส่วนใหญ่ติดโซลาร์ ราคาช่วงเที่ยงจะลดลงใกล้ราคารับซื้อ ความเหลือเฟือเปลี่ยนผู้ได้ประโยชน์",
            levers={"agents.pv_share": 80.0, "agents.pv_size": 150.0},
        ),
    }
)


def scenarios() -> pl.DataFrame:
    """Return the scenarios: ``name``, ``title``, ``title_th``, ``teaches``, ``teaches_th``, ``start``."""
    return pl.DataFrame(
        {
            "name": list(CATALOGUE),
            **{
                column: [getattr(entry, column) for entry in CATALOGUE.values()]
                for column in ("title", "title_th", "teaches", "teaches_th", "start")
            },
        }
    )


def scenario(name: str, *, seed: int = 0, prosumers: int = 200, **levers: object) -> Lab:
    """Return the lab of a scenario.

    Parameters
    ----------
    name : str
        As `scenarios` lists them.
    seed : int
    prosumers : int
    **levers : object
        Lever path -> value on top of the scenario's own; write the dots of a path as two underscores
        (``market__wheeling__postage_stamp=0.8``) or pass a dict with ``**{"market.wheeling.postage_stamp": 0.8}``.

    Raises
    ------
    ArgumentTypeError
        `name` is not text.
    ScenarioError
        No scenario has this name.
    LeverError
        A lever does not exist or its value is not allowed.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name: expected text, got {name!r}; gl.scenarios() lists the names")
    if name not in CATALOGUE:
        raise ScenarioError(f"no scenario {name!r}; {nearest(name, CATALOGUE)}; gl.scenarios() lists them all")
    entry = CATALOGUE[name]
    lab = Lab.thailand(prosumers=prosumers, seed=seed, start=entry.start, title=entry.title, title_th=entry.title_th)
    return lab.set({**entry.levers, **{path.replace("__", "."): value for path, value in levers.items()}})
