"""Scenarios of trust: validators that lie, providers that lie, and holders that run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridlab.errors import ArgumentTypeError
from gridlab.lab import Lab
from gridlab.scenarios.days import FT_2026, POPULATION, STAMP, TERMS
from gridlab.scenarios.measures import consensus_figures, oracle_figures, watt_figures
from gridlab.scenarios.scenario import Bound, Scenario, Source
from gridlab.scenarios.watt_lab import WattLab

__all__ = ["FAULTS"]


def _first_come(lab: Lab) -> None:
    """Pay in full, first come first served, while nobody has signed that baht are missing."""
    if not isinstance(lab, WattLab):
        raise ArgumentTypeError(f"lab: expected a WattLab, got {type(lab).__name__}; WattLab.thailand() makes one")
    lab.watt.set({"gap_rule": "par", "attestation_hours": 24.0})


FAULTS: Mapping[str, Scenario] = MappingProxyType(
    {
        "six_byzantine": Scenario(
            "Six liars among 21 validators",
            "ผู้ตรวจสอบธุรกรรม 21 ราย สมคบกันโกหก 6 ราย",
            "Six that collude cost time and messages, and never a second truth; the seventh breaks the chain.",
            "ผู้สมคบ 6 รายทำให้ช้าลงและสิ้นเปลืองข้อความ แต่สร้างความจริงชุดที่สองไม่ได้ หากมีรายที่ 7 เชนจะแตก",
            sources=(
                Source(
                    "6 of 21 may lie, quorum 14", "floor((n - 1) / 3), Castro and Liskov 1999 (docs/consensus.md)", "D"
                ),
                Source("21 validators, and their seats", "the brief of this project; the towns are made up", "S"),
                Source("delays of the lines between towns", "from distances (dataset wan_legs_synthetic)", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("view_changes", 5.5, 6.5),
                Bound("finality_p99", 2.0, 8.0),
                Bound("consensus_messages", 1_150, 1_800),
            ),
            levers={"consensus.liars": 6, "consensus.lie": "collude"},
            prosumers=40,
            measure=consensus_figures,
        ),
        "four_liars": Scenario(
            "Four liars among fifteen providers",
            "ผู้ให้ข้อมูลออราเคิล 15 ราย โกหก 4 ราย",
            "Four providers say half as much again of everything: the median stays honest, and the four are flagged.",
            "ผู้ให้ข้อมูล 4 รายรายงานสูงเกินจริงครึ่งหนึ่ง แต่ค่ามัธยฐานยังซื่อตรง และทั้ง 4 รายถูกจับได้",
            sources=(
                Source("4 of 15 may lie: 9 observations, 10 signatures", "floor((n - 1) / 3) (docs/oracle.md)", "D"),
                Source("15 providers", "the brief of this project", "S"),
                Source("a lie of 50 %, honest errors of 0.1 %", "levers oracle.bias and oracle.noise", "S"),
                Source("outliers by median absolute deviation", "Hampel 1974", "G"),
                Source("what is reported: sun and wholesale prices", "synthetic feeds (docs/feeds.md)", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("largest_report_error", 0.01, 0.5),
                Bound("liars_flagged", 3.5, 4.5),
                Bound("honest_flagged", -0.5, 0.5),
                Bound("average_price", 2.8, 3.5),
            ),
            levers={
                "trade_on_forecasts": True,
                "read_oracle": True,
                "oracle.liars": 4,
                "oracle.lie": "lying",
                "oracle.bias": 50.0,
            },
            measure=oracle_figures,
        ),
        "watt_run": Scenario(
            "A run on WATT",
            "แห่ไถ่ถอนเหรียญ WATT",
            "Baht are missing and nobody has signed it yet: who asks first is paid in full, so it pays to run.",
            "เงินบาทสำรองหายไปแต่ยังไม่มีใครรับรอง ผู้ที่มาก่อนได้เงินเต็มจำนวน ทุกคนจึงมีเหตุผลที่จะแห่ไถ่ถอน",
            sources=(
                Source(
                    "1 token = 1 THB, all in unencumbered baht", "BOT sandbox, by Baker McKenzie (fact sheet 7.2)", "V"
                ),
                Source("8.3 % of the reserve lost", "USDC, 10 March 2023: 3.3 of 40 billion dollars (Circle)", "G"),
                Source("running pays because others run", "Diamond and Dybvig 1983", "G"),
                Source("100 million WATT, 40 % cash, an attestation a day", "levers of WattTerms", "S"),
                Source("what holders fear", "levers of HolderTerms", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("watt_asked", 95, 100.001),
                Bound("watt_first_quarter", 99.9, 100.001),
                Bound("watt_advantage", 10, 18),
                Bound("watt_lowest_price", 0.05, 0.3),
            ),
            kind=WattLab,
            prepare=_first_come,
            measure=watt_figures,
        ),
    }
)
