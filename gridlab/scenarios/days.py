"""Scenarios of the calendar and the sky: a working day, Songkran, the hottest evening, a monsoon front."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from gridlab.lab import Lab
from gridlab.scenarios.measures import evening_figures, front_figures, heat_figures
from gridlab.scenarios.scenario import Bound, Scenario, Source

__all__ = ["DAYS", "FT_2026", "POPULATION", "STAMP", "TERMS"]

TERMS = (
    Source("retail tariffs", "MEA and PEA since November 2015, class 2.2 by a vendor (fact sheet 1.2)", "V2"),
    Source("buy-back of rooftop surplus 2.20 THB/kWh", "household net billing since 2021 (fact sheet 1.4)", "V"),
    Source("grid losses 5.35 %", "PEA, 2022 (fact sheet 3.4)", "D"),
    Source("trading fee 0.02 THB/kWh, price cap 6 THB/kWh", "levers of the market", "S"),
)
STAMP = Source("wheeling 1.07 THB/kWh, a postage stamp", "ERC draft, May 2026, by Cap Solar (fact sheet 2)", "V2")
FT_2026 = Source("Ft 0.1623 THB/kWh", "ERC, May to August 2026, by Cap Solar (fact sheet 1.3)", "V2")
POPULATION = (
    Source("accounts per region", "shares of energy in 2019 (fact sheet 3.2)", "D"),
    Source("sizes, roofs, daily shapes and bids of the prosumers", "drawn for teaching", "S"),
)
_HOLIDAYS = Source(
    "13 April 2026 is off-peak all day", "MEA's rule for TOU, the Bank of Thailand's holidays (fact sheet 7.6)", "D"
)
_FT_APRIL = Source("Ft 0.0972 THB/kWh", "January to April 2026 (fact sheet 1.3)", "G")
_FESTIVAL = Source("demand at 70 % of a day of rest", "for all; feeds.festival_load has it for shops", "S")


def _order_heat(lab: Lab) -> None:
    """Let a heat wave be at its highest on the evening of the lab's first day."""
    lab.feeds.hot_spell(lab.start - timedelta(days=2), days=5.0, degrees=2.5)


def _order_front(lab: Lab) -> None:
    """Send a front that is over the South at noon of the day before and over the north-east a day later."""
    lab.feeds.front(lab.start - timedelta(hours=12), origin="SAC", to="NEC", hours=24.0)


DAYS: Mapping[str, Scenario] = MappingProxyType(
    {
        "thai_day": Scenario(
            "A Thai working day",
            "วันทำงานหนึ่งวันในประเทศไทย",
            "How neighbours' solar power is priced against the retail tariff and the 2.20 THB/kWh buy-back.",
            "ไฟฟ้าแสงอาทิตย์ของเพื่อนบ้านตั้งราคาอย่างไร เมื่อเทียบกับค่าไฟฟ้าขายปลีกและราคารับซื้อ 2.20 บาทต่อหน่วย",
            sources=(FT_2026, STAMP, *TERMS, *POPULATION),
            bounds=(
                Bound("energy_used", 23_000, 35_000),
                Bound("average_price", 2.8, 3.6),
                Bound("savings_share", 1.0, 2.0),
                Bound("peak_ratio", 1.2, 1.55),
            ),
        ),
        "songkran": Scenario(
            "Songkran: a holiday at off-peak rates",
            "สงกรานต์: วันหยุดที่คิดอัตรา Off-Peak ทั้งวัน",
            "What is left of local trade when every TOU customer pays the off-peak rate all day.",
            "การซื้อขายในชุมชนจะเหลือเท่าใด เมื่อผู้ใช้ไฟแบบ TOU จ่ายอัตรา Off-Peak ตลอดวัน",
            sources=(_HOLIDAYS, _FT_APRIL, STAMP, *TERMS, *POPULATION),
            bounds=(
                Bound("energy_used", 19_000, 30_000),
                Bound("average_price", 2.3, 2.8),
                Bound("traded_share_of_surplus", 20, 55),
                Bound("peak_ratio", 1.4, 1.9),
            ),
            start="2026-04-13",
        ),
        "songkran_low_load": Scenario(
            "Songkran: low load under April's sun",
            "สงกรานต์: ความต้องการไฟต่ำใต้แดดเดือนเมษายน",
            "At noon there is more sun than demand: the net load turns negative, and most surplus goes to the utility.",
            "ตอนเที่ยงไฟจากแดดมีมากกว่าความต้องการ โหลดสุทธิติดลบ และไฟส่วนเกินส่วนใหญ่ต้องขายให้การไฟฟ้า",
            sources=(
                _HOLIDAYS,
                _FESTIVAL,
                Source("10,523 MW, lowest of 2019, 1 January", "LFE (fact sheet 3.2); to compare with", "V"),
                Source("60 % of households with panels", "so that it shows", "S"),
                _FT_APRIL,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("least_net_load", -1_100, -450),
                Bound("hour_of_least", 11, 14),
                Bound("traded_share_of_surplus", 5, 18),
                Bound("average_price", 2.2, 2.5),
            ),
            start="2026-04-13",
            levers={"agents.load_level": 70.0, "agents.pv_share": 60.0},
            measure=evening_figures,
        ),
        "hottest_evening": Scenario(
            "The hottest April evening",
            "ค่ำวันที่ใช้ไฟสูงสุดของเดือนเมษายน",
            "The peak comes about nine in the evening, when no roof gives power: panels lower the day, not the peak.",
            "ความต้องการไฟฟ้าสูงสุดเกิดราวสามทุ่ม ตอนที่ไม่มีแดด โซลาร์จึงลดการใช้ไฟช่วงกลางวันได้ แต่ลดพีคช่วงค่ำไม่ได้",
            sources=(
                Source("36,699.9 MW on 29 April 2024 at 20:57", "Bangkok Post 2784507 (fact sheet 3.1)", "V"),
                Source("35,830 MW on 22 April 2024 at 20:58", "Pattaya Mail 458957 (fact sheet 3.1); to compare", "V"),
                Source("36,792 MW on 2 May 2024 at 22:24", "the record usually quoted (fact sheet 3.1)", "G"),
                Source("demand below 30,000 MW outside summer", "Bangkok Post 2784507 (fact sheet 3.1)", "V"),
                Source("demand at 122 % of a usual day's", "36,699.9 MW over 30,000 MW", "D"),
                Source("Ft 0.3972 THB/kWh", "ERC, January to April 2024 (fact sheet 1.3)", "V"),
                Source(
                    "five days up to 2.5 °C hotter than the month",
                    "ordered, so that the country of the feeds peaks near the record",
                    "S",
                ),
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("national_peak", 34_500, 41_000),
                Bound("hour_of_peak", 19.5, 21.5),
                Bound("peak_of_net_load", 1_300, 1_900),
                Bound("average_price", 3.2, 4.0),
            ),
            start="2024-04-29",
            levers={"trade_on_forecasts": True, "read_oracle": True, "agents.load_level": 122.0},
            prepare=_order_heat,
            measure=heat_figures,
        ),
        "monsoon_front": Scenario(
            "A monsoon front over the north-east",
            "แนวปะทะมรสุมพาดผ่านภาคอีสาน",
            "Clouds that the forecast did not see: what was sold is not there, and who sold it pays for imbalance.",
            "เมื่อพยากรณ์ล่วงหน้าหนึ่งวันมองไม่เห็นเมฆ ไฟที่ขายไว้ก็ไม่มีส่งมอบ และผู้ขายต้องจ่ายค่าความไม่สมดุล",
            sources=(
                Source(
                    "south-west monsoon from mid-May to mid-October",
                    "Thai Meteorological Department, as others quote it",
                    "V2",
                ),
                Source(
                    "roofs yield 50 to 80 % less in heavy rain", "Cap Solar (fact sheet 5.1); to compare with", "V2"
                ),
                Source("the front: its hour, way, width and depth", "the weather that was ordered", "S"),
                Source("errors of the forecasts, reserve plant and imbalance rules", "levers of the sequence", "S"),
                Source("60 % of households with panels", "so that clouds move the market", "S"),
                FT_2026,
                STAMP,
                *TERMS,
                *POPULATION,
            ),
            bounds=(
                Bound("north_east_missing", 20, 95),
                Bound("energy_generated", 2_500, 9_500),
                Bound("traded_share_of_surplus", 70, 500),
            ),
            start="2026-06-10",
            levers={"trade_on_forecasts": True, "read_oracle": True, "agents.pv_share": 60.0},
            prepare=_order_front,
            measure=front_figures,
        ),
    }
)
