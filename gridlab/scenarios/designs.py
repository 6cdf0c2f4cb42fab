"""Scenarios of market design: distance, neighbourhoods, corridors, votes and taxes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridlab.governance.agenda import COOPERATIVE
from gridlab.holders import holders
from gridlab.lab import Lab
from gridlab.scenarios.days import FT_2026, POPULATION, STAMP, TERMS
from gridlab.scenarios.measures import southern_figures, vote_figures
from gridlab.scenarios.neighbourhood import NeighbourhoodLab
from gridlab.scenarios.scenario import Bound, Scenario, Source
from gridlab.units import MICRO

__all__ = ["DESIGNS"]

_LADDER = Source("charges by distance, 0.20 to 1.07 THB/kWh", "no such charge is published (fact sheet 2)", "S")
_CORRIDORS = (
    Source("Ft 0.2477 THB/kWh", "ERC, May to August 2022 (fact sheet 1.3)", "V"),
    Source("all other corridors, and the size of the lab's", "levers market.zonal (fact sheet 3.3)", "S"),
    Source("60 % of households with panels", "so that there is something to carry", "S"),
    STAMP,
    *TERMS,
    *POPULATION,
)
_SOUTH_DAY = "2022-05-11"
_SOUTH_LEVERS = {"market.rule": "zonal", "agents.pv_share": 60.0}


def _propose_ladder(lab: Lab) -> None:
    """Let the cooperative propose charges by distance at half past six, and EGAT vote against them."""
    held = dict(holders(lab.agents.accounts()).select("name", "balance").rows())
    number = lab.governance.propose({"market.wheeling.scheme": "distance_ladder"}, track="parameter", at="06:30")
    # Not all of it, so that another seed's people can pay for the same votes and the deposits.
    aye, nay = held[COOPERATIVE] // MICRO * 2 // 5, held["EGAT"] // MICRO // 5
    lab.governance.vote(number, COOPERATIVE, aye, conviction=2, at="06:35")
    lab.governance.vote(number, "EGAT", nay, side="nay", at="06:36")


DESIGNS: Mapping[str, Scenario] = MappingProxyType(
    {
        "distance_wheeling": Scenario(
            "Wheeling by distance",
            "ค่าผ่านสายส่งตามระยะทาง",
            "What changes when the neighbour on the same transformer is cheaper to reach than the next province.",
            "อะไรเปลี่ยนไป เมื่อส่งไฟให้เพื่อนบ้านที่ใช้หม้อแปลงเดียวกันถูกกว่าส่งไปจังหวัดอื่น",
            sources=(_LADDER, FT_2026, *TERMS, *POPULATION),
            bounds=(
                Bound("average_landed_price", 3.7, 4.45),
                Bound("wheeling_paid", 200, 700),
                Bound("savings_share", 1.4, 3.0),
            ),
            levers={"market.wheeling.scheme": "distance_ladder"},
        ),
        "rooftop_boom": Scenario(
            "A rooftop boom",
            "โซลาร์รูฟท็อปเต็มเมือง",
            "When most roofs have panels the midday price falls to the buy-back: abundance changes who gains.",
            "เมื่อบ้านส่วนใหญ่ติดโซลาร์ ราคาช่วงเที่ยงจะลดลงใกล้ราคารับซื้อ ความเหลือเฟือเปลี่ยนผู้ได้ประโยชน์",
            sources=(
                Source("80 % of households with panels of one and a half times the usual size", "a what-if", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("average_price", 2.35, 2.75),
                Bound("traded_share_of_surplus", 20, 55),
                Bound("energy_generated", 11_000, 20_000),
                Bound("sellers_share_of_savings", 25, 50),
            ),
            levers={"agents.pv_share": 80.0, "agents.pv_size": 150.0},
        ),
        "t77_rooftop": Scenario(
            "T77: rooftop trading in one Bangkok neighbourhood",
            "T77: ซื้อขายไฟโซลาร์รูฟท็อปในย่านเดียวกันของกรุงเทพฯ",
            "A school is shut on Saturday, its roof is not: who gets the surplus where wires cost by distance.",
            "วันเสาร์โรงเรียนปิดแต่แผงโซลาร์ยังผลิตไฟ ใครได้ซื้อไฟส่วนเกิน เมื่อค่าผ่านสายส่งคิดตามระยะทางและจับคู่รายที่ใกล้ก่อน",
            sources=(
                Source(
                    "roofs of the T77 pilot: mall 54, school 413, apartments 168, dental hospital 0 kWp",
                    "Sansiri, BCPG and Power Ledger on MEA's grid, 2018 (fact sheet 2)",
                    "G",
                ),
                Source("loads, classes and feeders of the four, and every home around them", "made up", "S"),
                _LADDER,
                FT_2026,
                *TERMS,
            ),
            bounds=(
                Bound("average_landed_price", 3.0, 3.7),
                Bound("traded_energy", 350, 1_200),
                Bound("average_price", 2.3, 2.8),
                Bound("savings_share", 0.7, 3.0),
            ),
            levers={"market.rule": "tiered", "market.wheeling.scheme": "distance_ladder", "agents.pv_share": 10.0},
            start="2026-05-09",
            prosumers=80,
            kind=NeighbourhoodLab,
        ),
        "south_before_2022": Scenario(
            "The South behind a thin line",
            "ภาคใต้ก่อนมีสายส่ง 500 kV",
            "A full line splits one market into two prices, and the difference goes to whoever owns the line.",
            "เมื่อสายส่งเต็ม ตลาดเดียวแยกเป็นสองราคา และส่วนต่างตกเป็นของเจ้าของสายส่ง",
            sources=(
                Source("Central to South 700 MW before April 2022", "The Phuket News 84270 (fact sheet 3.3)", "V"),
                *_CORRIDORS,
            ),
            bounds=(
                Bound("southern_flow", 23.7, 23.9),
                Bound("southern_rent", 0.2, 90),
                Bound("average_price", 2.7, 3.4),
            ),
            start=_SOUTH_DAY,
            levers={**_SOUTH_LEVERS, "market.zonal.corridors": "before_2022"},
            measure=southern_figures,
        ),
        "south_after_2022": Scenario(
            "The South behind the new line",
            "ภาคใต้หลังมีสายส่ง 500 kV",
            "The same day with the line of 2022, which carries twice as much: the prices part less often.",
            "วันเดียวกันแต่ใช้สายส่งใหม่ของปี 2565 ซึ่งส่งไฟได้กว่าสองเท่า: ราคาภาคใต้กับภาคกลางต่างกันน้อยช่วงลง",
            sources=(
                Source(
                    "Central to South 1,600 MW with the first 500 kV line, end of April 2022",
                    "The Phuket News 84270 and 84657 (fact sheet 3.3)",
                    "V",
                ),
                *_CORRIDORS,
            ),
            bounds=(
                Bound("southern_flow", 23.9, 54.5),
                Bound("southern_rent", -0.001, 25),
                Bound("average_price", 2.7, 3.4),
            ),
            start=_SOUTH_DAY,
            levers={**_SOUTH_LEVERS, "market.zonal.corridors": "default"},
            measure=southern_figures,
        ),
        "wheeling_reform": Scenario(
            "Wheeling reform by vote",
            "ปฏิรูปค่าผ่านสายส่งด้วยประชามติ",
            "A proposal goes from deposit to enactment before breakfast, and the next slot pays for wires by distance.",
            "ข้อเสนอผ่านตั้งแต่วางเงินมัดจำจนมีผลบังคับใช้ภายในเช้าเดียว แล้วช่วงเวลาถัดไปก็คิดค่าผ่านสายส่งตามระยะทาง",
            sources=(
                Source("rules of the vote", "Substrate's pallets (docs/governance.md)", "V"),
                Source("periods of minutes, where Polkadot's are days", "a reform within one day", "S"),
                Source("who holds GRID, and how they vote", "nobody holds GRID in Thailand", "S"),
                Source("60 % of households with panels of twice the usual size", "so that the morning trades", "S"),
                _LADDER,
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("levers_moved", 0.5, 1.5),
                Bound("wheeling_before", 1.0699, 1.0701),
                Bound("wheeling_after", 0.19, 0.9),
            ),
            start="2026-05-08",
            levers={
                "governance.parameter.prepare": 1,
                "governance.parameter.decision": 30,
                "governance.parameter.confirm": 10,
                "governance.parameter.enactment": 15,
                "agents.pv_share": 60.0,
                "agents.pv_size": 200.0,
            },
            prosumers=24,
            prepare=_propose_ladder,
            measure=vote_figures,
        ),
        "carbon_tax": Scenario(
            "A carbon tax on electricity",
            "ภาษีคาร์บอนบนไฟฟ้าจากโครงข่าย",
            "Grid power costs 0.095 THB/kWh more, a neighbour's sun does not: local prices follow, and sellers gain.",
            "ไฟจากโครงข่ายแพงขึ้น 0.095 บาทต่อหน่วย แต่ไฟจากแดดของเพื่อนบ้านไม่เสียภาษี ราคาในชุมชนจึงขยับตาม และผู้ขายได้ประโยชน์",
            sources=(
                Source("200 THB/tCO2e", "cabinet, 21 January 2025, inside the fuel excise (fact sheet 6.2)", "V"),
                Source("0.475 kgCO2e/kWh of grid power", "Scope 2 factor from 1 January 2026 (fact sheet 6.2)", "V"),
                Source("0.095 THB/kWh", "the two multiplied", "D"),
                Source("the tax on electricity", "the tax of 2025 is on fuels only; a what-if", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("carbon_tax_paid", 1_700, 3_100),
                Bound("average_price", 2.9, 3.7),
                Bound("savings_share", 1.1, 2.0),
            ),
            levers={"carbon.tax_on_electricity": True, "carbon.tax_rate": 200.0},
        ),
    }
)
