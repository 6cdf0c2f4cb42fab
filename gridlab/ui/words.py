"""Every word that is shown, in English and in Thai; `gridlab.config(language=...)` picks one.

A word becomes text when it is written into something (``str(word)``, an f-string), so the same table serves both
languages in one session. In Thai a kWh is a หน่วย, as on every Thai electricity bill.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.ui.word import Word, lookup, speaking

__all__ = [
    "CHOICES",
    "FIGURES",
    "GROUPS",
    "HEADLINES",
    "KINDS",
    "PARTIES",
    "PARTS",
    "PATHS",
    "PAYMENTS",
    "SIDES",
    "UNITS",
    "ZONES",
    "Figure",
    "Word",
    "figure",
    "lookup",
    "speaking",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """How a key figure is shown.

    Attributes
    ----------
    label : Word
    decimals : int
        Digits shown after the point.
    group : str
        Key of `GROUPS`.
    signed : bool
        Whether a gain carries its plus sign.
    """

    label: Word
    decimals: int
    group: str
    signed: bool = False


GROUPS = {
    "energy": Word("Energy", "พลังงานไฟฟ้า"),
    "market": Word("Market", "ตลาด"),
    "money": Word("Money", "เงิน"),
    "fairness": Word("Who shares in it", "การกระจายประโยชน์"),
    "grid": Word("Grid and climate", "ระบบไฟฟ้าและภูมิอากาศ"),
    "chain": Word("Consensus of the chain", "ฉันทามติของบล็อกเชน"),
    "work": Word("Computing", "การคำนวณ"),
}

FIGURES = {
    "energy_used": Figure(Word("Energy used", "ไฟฟ้าที่ใช้"), 1, "energy"),
    "energy_generated": Figure(Word("Solar energy generated", "ไฟฟ้าที่ผลิตจากโซลาร์"), 1, "energy"),
    "self_consumption": Figure(Word("Self-consumption of solar", "สัดส่วนไฟฟ้าโซลาร์ที่ใช้เอง"), 1, "energy"),
    "self_sufficiency": Figure(Word("Self-sufficiency", "สัดส่วนการพึ่งพาไฟฟ้าตนเอง"), 1, "energy"),
    "community_self_sufficiency": Figure(
        Word("Self-sufficiency with trade", "สัดส่วนการพึ่งพาตนเองเมื่อซื้อขายกัน"), 1, "energy"
    ),
    "traded_energy": Figure(Word("Energy traded", "ไฟฟ้าที่ซื้อขายกัน"), 1, "market"),
    "traded_share_of_surplus": Figure(Word("Share of surplus sold to others", "ส่วนเกินที่ขายในตลาดได้"), 1, "market"),
    "average_price": Figure(Word("Average market price", "ราคาตลาดเฉลี่ย"), 3, "market"),
    "average_landed_price": Figure(
        Word("Average price at the buyer's meter", "ราคาเฉลี่ยถึงมิเตอร์ผู้ซื้อ (รวมค่าผ่านสายและภาษี)"), 3, "market"
    ),
    "local_share": Figure(Word("Traded within one feeder", "ซื้อขายภายในสายป้อนเดียวกัน"), 1, "market"),
    "market_welfare": Figure(Word("Gains from trade", "ประโยชน์รวมจากการซื้อขาย"), 2, "market"),
    "welfare_share": Figure(Word("Share of the best possible gains", "สัดส่วนต่อประโยชน์สูงสุดที่เป็นไปได้"), 1, "market"),
    "buyer_surplus": Figure(Word("Buyers' surplus", "ส่วนเกินผู้ซื้อ"), 2, "market"),
    "seller_surplus": Figure(Word("Sellers' surplus", "ส่วนเกินผู้ขาย"), 2, "market"),
    "bills_without_market": Figure(Word("Bills without the market", "ค่าไฟเมื่อไม่มีตลาด"), 2, "money"),
    "bills_with_market": Figure(Word("Bills with the market", "ค่าไฟเมื่อมีตลาด"), 2, "money"),
    "savings": Figure(Word("Savings of the prosumers", "เงินที่โปรซูเมอร์ประหยัดได้"), 2, "money", signed=True),
    "savings_share": Figure(Word("Savings, share of bills", "ประหยัดได้เทียบกับค่าไฟเดิม"), 2, "money"),
    "utilities_gain": Figure(Word("Change for the utilities", "ผลต่อรายได้การไฟฟ้า"), 2, "money", signed=True),
    "state_gain": Figure(Word("Change for the state (VAT)", "ผลต่อรายได้รัฐ (ภาษีมูลค่าเพิ่ม)"), 2, "money", signed=True),
    "operator_gain": Figure(Word("Change for the market operator", "ผลต่อรายได้ผู้ดำเนินตลาด"), 2, "money", signed=True),
    "carbon_tax_paid": Figure(Word("Carbon tax on grid energy", "ภาษีคาร์บอนของไฟฟ้าจากระบบ"), 2, "money"),
    "oracle_fees": Figure(Word("Paid to data providers", "ค่าข้อมูลที่จ่ายให้ผู้ให้บริการออราเคิล"), 2, "money"),
    "congestion_rent": Figure(Word("Congestion rent (EGAT)", "ค่าความแออัดของสายส่ง (กฟผ.)"), 2, "money"),
    "imbalance_paid": Figure(Word("Paid for imbalance", "ค่าความไม่สมดุลที่จ่าย"), 2, "money"),
    "wheeling_paid": Figure(Word("Wheeling paid", "ค่าผ่านสายส่งที่จ่าย"), 2, "money"),
    "sellers_share_of_savings": Figure(Word("Sellers' share of savings", "ส่วนที่ผู้ขายประหยัดได้"), 1, "fairness"),
    "gini_of_savings": Figure(Word("Gini index of savings", "ดัชนีจีนีของเงินที่ประหยัดได้"), 3, "fairness"),
    "hhi_sellers": Figure(Word("Concentration of sellers (HHI)", "การกระจุกตัวของผู้ขาย (HHI)"), 0, "fairness"),
    "hhi_buyers": Figure(Word("Concentration of buyers (HHI)", "การกระจุกตัวของผู้ซื้อ (HHI)"), 0, "fairness"),
    "peak_of_net_load": Figure(Word("Highest net load", "ความต้องการไฟฟ้าสุทธิสูงสุด"), 1, "grid"),
    "peak_ratio": Figure(Word("Highest over mean net load", "ค่าสูงสุดต่อค่าเฉลี่ยของความต้องการสุทธิ"), 2, "grid"),
    "carbon_of_use": Figure(Word("Emissions of grid energy used", "ก๊าซเรือนกระจกจากไฟฟ้าระบบที่ใช้"), 1, "grid"),
    "carbon_avoided": Figure(Word("Emissions avoided by solar", "ก๊าซเรือนกระจกที่โซลาร์ช่วยลด"), 1, "grid"),
    "books_with_pivotal_seller": Figure(
        Word("Books that need their largest seller", "ตลาดย่อยที่ขาดผู้ขายรายใหญ่ไม่ได้"), 1, "fairness"
    ),
    "residual_supply_index": Figure(Word("Residual supply index", "ดัชนีอุปทานคงเหลือ (RSI)"), 3, "fairness"),
    "certificates_earned": Figure(Word("Certificates earned (REC)", "ใบรับรองไฟฟ้าหมุนเวียนที่ได้ (REC)"), 0, "grid"),
    "matching_24_7": Figure(Word("Use matched by solar, hour by hour", "การใช้ไฟที่ตรงกับโซลาร์รายชั่วโมง"), 1, "grid"),
    "finality_median": Figure(Word("Time to finality, median", "เวลาจนบล็อกเป็นที่สิ้นสุด (มัธยฐาน)"), 3, "chain"),
    "finality_p99": Figure(
        Word("Time to finality, 99 % of blocks", "เวลาจนบล็อกเป็นที่สิ้นสุด (ร้อยละ 99 ของบล็อก)"), 3, "chain"
    ),
    "consensus_messages": Figure(Word("Messages between validators", "ข้อความระหว่างผู้ตรวจสอบธุรกรรม"), 1, "chain"),
    "view_changes": Figure(Word("View changes", "การเปลี่ยนมุมมอง (เปลี่ยนผู้ตรวจสอบหลัก)"), 0, "chain"),
    "public_finality_p99": Figure(
        Word("Public chain: time to finality, 99 % of blocks", "เชนสาธารณะ: เวลาจนบล็อกเป็นที่สิ้นสุด (ร้อยละ 99 ของบล็อก)"),
        1,
        "chain",
    ),
    "public_transactions": Figure(Word("Public chain: transactions", "เชนสาธารณะ: จำนวนธุรกรรม"), 0, "chain"),
    "public_fees": Figure(Word("Public chain: fees", "เชนสาธารณะ: ค่าธรรมเนียม"), 3, "chain"),
    "anchors": Figure(Word("Roots anchored on the public chain", "รากที่บันทึกไว้บนเชนสาธารณะ"), 0, "chain"),
    "chain_fees": Figure(Word("Chain fees paid", "ค่าธรรมเนียมบล็อกเชนที่จ่าย"), 2, "chain"),
    "orders": Figure(Word("Orders", "คำสั่งซื้อขาย"), 0, "work"),
    "trades": Figure(Word("Trades", "รายการที่จับคู่ได้"), 0, "work"),
    "orders_per_second": Figure(Word("Orders cleared per second (measured)", "คำสั่งที่จับคู่ได้ต่อวินาที (วัดจริง)"), 0, "work"),
}

# The four that a reader wants first, in the controls and on top of a report.
HEADLINES = ("savings", "traded_energy", "average_price", "local_share")


def figure(name: str) -> Figure:
    """Return how the key figure `name` is shown; one without words of its own shows its name, with two decimals."""
    plain = name.replace("_", " ")
    return FIGURES.get(name, Figure(Word(plain, plain), 2, "work"))


UNITS = {
    "times": Word("times", "เท่า"),
    "anchors": Word("anchors", "ครั้ง"),
    "transactions": Word("transactions", "ธุรกรรม"),
    "kWh": Word("kWh", "หน่วย"),
    "MWh": Word("MWh", "พันหน่วย"),
    "kW": Word("kW", "กิโลวัตต์"),
    "MW": Word("MW", "เมกะวัตต์"),
    "THB": Word("THB", "บาท"),
    "THB/kWh": Word("THB/kWh", "บาท/หน่วย"),
    "EUR/tCO2e": Word("EUR/tCO₂e", "ยูโร/ตัน CO₂e"),
    "THB/EUR": Word("THB/EUR", "บาท/ยูโร"),
    "THB/tCO2e": Word("THB/tCO₂e", "บาท/ตัน CO₂e"),
    "% of baseline": Word("% of baseline", "% ของปีฐาน"),
    "% of the benchmark": Word("% of the benchmark", "% ของเกณฑ์เปรียบเทียบ"),
    "% of the cap": Word("% of the cap", "% ของเพดาน"),
    "slots": Word("slots", "ช่วงเวลา"),
    "REC": Word("REC", "ใบ"),
    "mean": Word("(mean)", "(เฉลี่ย)"),
    "minutes": Word("minutes", "นาที"),
    "GRID": Word("GRID", "GRID"),
    "min": Word("min", "นาที"),
    "h": Word("h", "ชม."),
    "days": Word("days", "วัน"),
    "proposals": Word("proposals", "ข้อเสนอ"),
    "blocks": Word("blocks", "บล็อก"),
    "seats": Word("seats", "ที่นั่ง"),
    "halts": Word("halts", "ครั้ง"),
    "GRID/byte": Word("GRID/byte", "GRID/ไบต์"),
    "GRID/ms": Word("GRID/ms", "GRID/มิลลิวินาที"),
    "KiB": Word("KiB", "กิบิไบต์"),
    "bytes": Word("bytes", "ไบต์"),
    "µs": Word("µs", "ไมโครวินาที"),
    "%/year": Word("%/year", "%/ปี"),
    "%/day": Word("%/day", "%/วัน"),
    "%/√year": Word("%/√year", "%/√ปี"),
    "per day": Word("per day", "ต่อวัน"),
    "points per point": Word("points per point", "จุดต่อจุด"),
    "eras": Word("eras", "ยุค"),
    "sessions": Word("sessions", "รอบ"),
    "voters": Word("voters", "ราย"),
    "level": Word("(level)", "(ระดับ)"),
    "THB/month": Word("THB/month", "บาท/เดือน"),
    "kWh/month": Word("kWh/month", "หน่วย/เดือน"),
    "kW/MW": Word("kW/MW", "กิโลวัตต์/เมกะวัตต์"),
    "kgCO2e": Word("kgCO₂e", "กก. CO₂e"),
    "kgCO2e/kWh": Word("kgCO₂e/kWh", "กก. CO₂e/หน่วย"),
    "%": Word("%", "%"),
    "orders": Word("orders", "คำสั่ง"),
    "trades": Word("trades", "รายการ"),
    "orders/s": Word("orders/s", "คำสั่ง/วินาที"),
    "s": Word("s", "วินาที"),
    "ms": Word("ms", "มิลลิวินาที"),
    "validators": Word("validators", "ราย"),
    "B": Word("B", "ไบต์"),
    "shape": Word("(shape)", "(รูปร่าง)"),
    "messages/block": Word("messages/block", "ข้อความ/บล็อก"),
    "changes": Word("changes", "ครั้ง"),
    "peak/mean": Word("× mean", "เท่า"),
    "0..1": Word("(0 equal, 1 one has all)", "(0 เท่ากัน, 1 คนเดียวได้หมด)"),
    "0..10000": Word("(0 to 10,000)", "(0 ถึง 10,000)"),
    "providers": Word("providers", "ราย"),
    "rounds": Word("rounds", "รอบ"),
    "points": Word("points", "คะแนน"),
    "MADs": Word("MADs", "เท่าของ MAD"),
    "°C": Word("°C", "°C"),
    "degrees": Word("degrees", "องศา"),
    "W/m²": Word("W/m²", "วัตต์/ตร.ม."),
    "kW/kWp": Word("kW/kWp", "กิโลวัตต์/กิโลวัตต์สูงสุด"),
    "THB/MWh": Word("THB/MWh", "บาท/เมกะวัตต์ชั่วโมง"),
    "THB/USD": Word("THB/USD", "บาท/ดอลลาร์"),
    "million THB": Word("million THB", "ล้านบาท"),
    "million WATT": Word("million WATT", "ล้าน WATT"),
    "THB/WATT": Word("THB/WATT", "บาท/WATT"),
    "%/h": Word("%/h", "%/ชม."),
    "% of the reserve": Word("% of the reserve", "% ของเงินสำรอง"),
    "% of coverage": Word("% of coverage", "% ของความครอบคลุม"),
    "% attested coverage": Word("% attested coverage", "% ความครอบคลุมที่รับรอง"),
    "% of circulation per slot": Word("% of circulation per slot", "% ของยอดหมุนเวียนต่อช่วงเวลา"),
}

KINDS = {
    "household": Word("Households", "บ้านอยู่อาศัย"),
    "condominium": Word("Condominiums", "คอนโดมิเนียม"),
    "school": Word("Schools", "โรงเรียน"),
    "mall": Word("Malls", "ห้างสรรพสินค้า"),
    "factory": Word("Factories", "โรงงาน"),
}

SIDES = {
    "buy": Word("Demand (buy)", "ความต้องการซื้อ"),
    "sell": Word("Supply (sell)", "ปริมาณเสนอขาย"),
}

ZONES = {
    "MAC": Word("Metropolitan", "นครหลวง"),
    "CAC": Word("Central", "ภาคกลาง"),
    "NEC": Word("North-East", "ภาคตะวันออกเฉียงเหนือ"),
    "SAC": Word("South", "ภาคใต้"),
    "NAC": Word("North", "ภาคเหนือ"),
}

PARTIES = {
    "buyers": Word("Buyers", "ผู้ซื้อ"),
    "sellers": Word("Sellers", "ผู้ขาย"),
    "prosumers": Word("Prosumers", "โปรซูเมอร์"),
    "utilities": Word("Utilities", "การไฟฟ้า"),
    "state": Word("State (VAT)", "รัฐ (ภาษีมูลค่าเพิ่ม)"),
    "operator": Word("Market operator", "ผู้ดำเนินตลาด"),
    "MEA": Word("Utility MEA", "การไฟฟ้านครหลวง (MEA)"),
    "PEA": Word("Utility PEA", "การไฟฟ้าส่วนภูมิภาค (PEA)"),
    "Reserve plant": Word("Reserve plant", "โรงไฟฟ้าสำรอง"),
    "EGAT": Word("EGAT (grid)", "กฟผ. (ระบบส่ง)"),
    "Market operator": Word("Market operator", "ผู้ดำเนินตลาด"),
    "Revenue Department": Word("State (Revenue Department)", "รัฐ (กรมสรรพากร)"),
}

PAYMENTS = {
    "energy": Word("energy traded", "ค่าไฟฟ้าที่ซื้อขายกัน"),
    "wheeling": Word("wheeling", "ค่าผ่านสายส่ง"),
    "losses": Word("grid losses", "ค่าพลังงานสูญเสีย"),
    "fee": Word("trading fee", "ค่าธรรมเนียมซื้อขาย"),
    "vat": Word("VAT on trades", "ภาษีมูลค่าเพิ่มของการซื้อขาย"),
    "retail": Word("retail energy", "ค่าไฟฟ้าขายปลีก"),
    "carbon_tax": Word("carbon tax on grid energy", "ภาษีคาร์บอนของไฟฟ้าจากระบบ"),
    "retail_vat": Word("VAT on retail energy", "ภาษีมูลค่าเพิ่มของค่าไฟขายปลีก"),
    "imbalance": Word("imbalance", "ค่าความไม่สมดุล"),
    "balancing": Word("balancing energy", "ค่าพลังงานรักษาสมดุล"),
    "buy_back": Word("buy-back of surplus", "ค่ารับซื้อไฟฟ้าส่วนเกิน"),
    "oracle_fee": Word("data of the oracle", "ค่าข้อมูลออราเคิล"),
}

PATHS = {
    "same_transformer": Word("same transformer", "หม้อแปลงเดียวกัน"),
    "same_feeder": Word("same feeder", "สายป้อนเดียวกัน"),
    "same_substation": Word("same substation", "สถานีไฟฟ้าเดียวกัน"),
    "same_area": Word("same utility area", "เขตการไฟฟ้าเดียวกัน"),
    "other_area": Word("other utility area", "ต่างเขตการไฟฟ้า"),
}

PARTS = {
    "agents": Word("Prosumers", "โปรซูเมอร์"),
    "carbon": Word("Carbon", "คาร์บอน"),
    "carbon.cbam": Word("CBAM of the EU", "มาตรการ CBAM ของสหภาพยุโรป"),
    "": Word("The lab", "ห้องทดลอง"),
    "sequence": Word("Day-ahead to imbalance", "ตลาดล่วงหน้าถึงความไม่สมดุล"),
    "market": Word("Market rules", "กติกาตลาด"),
    "market.protection": Word("Protection of the market", "การคุ้มครองตลาด"),
    "consensus": Word("Consensus of the chain", "ฉันทามติของบล็อกเชน"),
    "consensus.network": Word("Network between the validators", "เครือข่ายระหว่างผู้ตรวจสอบธุรกรรม"),
    "public": Word("Public chain", "เชนสาธารณะ"),
    "emergency": Word("Emergency stop", "การหยุดฉุกเฉิน"),
    "bridge": Word("Bridge between the chains", "สะพานเชื่อมสองเชน"),
    "feeds": Word("The world that the oracle sees", "โลกจริงที่ออราเคิลสังเกต"),
    "oracle": Word("Oracle network", "เครือข่ายออราเคิล"),
    "governance": Word("Votes of GRID holders", "การลงมติของผู้ถือ GRID"),
    "governance.parameter": Word("Track for levers", "ช่องทางข้อเสนอปรับค่าระบบ"),
    "governance.treasury": Word("Track for the treasury", "ช่องทางข้อเสนอใช้เงินคลัง"),
    "governance.upgrade": Word("Track for new rules of the chain", "ช่องทางข้อเสนอปรับรุ่นกติกาของเชน"),
    "governance.emergency": Word("Track for emergencies", "ช่องทางข้อเสนอฉุกเฉิน"),
    "market.zonal": Word("Corridors between regions", "สายส่งระหว่างภาค"),
    "market.retail": Word("Retail tariff", "ค่าไฟฟ้าขายปลีก"),
    "market.wheeling": Word("Wheeling and losses", "ค่าผ่านสายส่งและพลังงานสูญเสีย"),
}

CHOICES = {
    "uniform": Word("uniform price", "ราคาเดียว"),
    "pay_as_bid": Word("pay as bid", "จ่ายตามที่เสนอ"),
    "continuous": Word("continuous (price and time)", "ต่อเนื่อง (ราคาและเวลา)"),
    "tiered": Word("local first", "ใกล้ก่อน"),
    "mcafee": Word("McAfee", "แมคอะฟี (McAfee)"),
    "trade_reduction": Word("trade reduction", "ตัดคู่ขอบ"),
    "sbb": Word("strongly balanced reduction", "ตัดคู่ขอบแบบงบสมดุล"),
    "huang": Word("Huang (multi-unit)", "หวง (Huang หลายหน่วย)"),
    "muda": Word("MUDA (random halves)", "MUDA (สุ่มแบ่งครึ่ง)"),
    "vcg": Word("Vickrey-Clarke-Groves", "วิกเครย์-คลาร์ก-โกรฟส์ (VCG)"),
    "zonal": Word("zones coupled", "เชื่อมตลาดระหว่างภาค"),
    "default": Word("as today", "ตามปัจจุบัน"),
    "before_2022": Word("before 2022", "ก่อนปี 2565"),
    "competitive": Word("competitive interval", "ช่วงราคาแข่งขัน"),
    "marginal_accepted": Word("marginal accepted offers", "ข้อเสนอขอบที่ได้จับคู่"),
    "last_ask": Word("last accepted ask", "ราคาเสนอขายสุดท้ายที่ได้จับคู่"),
    "last_bid": Word("last accepted bid", "ราคาเสนอซื้อสุดท้ายที่ได้จับคู่"),
    "first_rejected": Word("first rejected offer", "ข้อเสนอแรกที่ไม่ได้จับคู่"),
    "seller_share": Word("seller's share of the margin", "ส่วนแบ่งส่วนต่างของผู้ขาย"),
    "pro_rata": Word("pro rata", "ตามสัดส่วน"),
    "time": Word("first come, first served", "มาก่อนได้ก่อน"),
    "postage_stamp": Word("postage stamp", "อัตราเดียวทั่วประเทศ"),
    "distance_ladder": Word("distance ladder", "ขั้นบันไดตามระยะทาง"),
    "utility": Word("sold to or bought from the utility", "ซื้อขายกับการไฟฟ้า"),
    "imbalance": Word("left to imbalance", "ปล่อยเป็นความไม่สมดุล"),
    "marginal": Word("marginal price", "ราคาขอบ"),
    "single": Word("one price", "ราคาเดียวสองทิศทาง"),
    "dual": Word("two prices", "สองราคา"),
    "balancing": Word("balancing market", "ตลาดรักษาสมดุล"),
    "markup": Word("mark-up on the day-ahead price", "บวกเพิ่มจากราคาล่วงหน้า"),
    "law": Word("goods named by the law", "สินค้าที่กฎหมายระบุ"),
    "all_goods": Word("all goods", "สินค้าทุกชนิด"),
    "per_voltage": Word("by voltage", "ตามระดับแรงดัน"),
    "percentage": Word("share of the price", "ร้อยละของราคา"),
    "buyer": Word("the buyer", "ผู้ซื้อ"),
    "seller": Word("the seller", "ผู้ขาย"),
    "split": Word("half each", "คนละครึ่ง"),
    "truthful": Word("truthful", "เสนอตามจริง"),
    "zero_intelligence": Word("zero intelligence", "สุ่มราคา (ZI-C)"),
    "pbft": Word("validators agree (PBFT)", "ผู้ตรวจสอบธุรกรรมลงมติ (PBFT)"),
    "single_sequencer": Word("one sequencer, no agreement", "ผู้จัดลำดับรายเดียว ไม่มีการลงมติ"),
    "equivocate": Word("show two blocks, vote for both", "ลงคะแนนสองทาง (เสนอสองบล็อก)"),
    "silent": Word("say nothing", "ไม่ส่งข้อความใดเลย"),
    "delay": Word("say everything too late", "ส่งทุกข้อความช้าเกินไป"),
    "forge": Word("speak in others' names", "ปลอมข้อความในนามผู้อื่น"),
    "stale_view": Word("repeat messages of the past", "ส่งข้อความเก่าซ้ำ"),
    "collude": Word("show two blocks and hide votes, together", "สมคบกันเสนอสองบล็อกและปกปิดคะแนน"),
    "twins": Word("run twice with one key", "ใช้กุญแจเดียวกันสองเครื่อง"),
    "none": Word("none", "ไม่มี"),
    "linear": Word("straight line", "เส้นตรง"),
    "stepped": Word("stairs", "ขั้นบันได"),
    "reciprocal": Word("hyperbola", "ไฮเพอร์โบลา"),
    "super_majority_approve": Word("few voters must agree widely", "ผู้ใช้สิทธิ์น้อยต้องเห็นชอบมาก"),
    "super_majority_against": Word("few voters may pass it", "ผู้ใช้สิทธิ์น้อยก็ผ่านได้"),
    "simple_majority": Word("simple majority", "เสียงข้างมากธรรมดา"),
    "lognormal": Word("lognormal", "ล็อกนอร์มัล"),
    "pareto": Word("Pareto", "พาเรโต"),
    "lying": Word("move what they see by a share", "บิดเบือนค่าที่เห็นไปตามสัดส่วน"),
    "colluding": Word("say one agreed number, together", "สมคบกันบอกตัวเลขเดียวกัน"),
    "equivocating": Word("sign two values", "ลงนามสองค่าในรอบเดียว"),
    "noisy": Word("say it with a large error", "บอกค่าที่คลาดเคลื่อนมาก"),
    "stale": Word("repeat what was seen before", "บอกค่าเก่าที่เคยเห็น"),
    "raise": Word("is refused", "ปฏิเสธการอ่าน"),
    "flag": Word("gives it, marked as stale", "ให้อ่านได้แต่มีเครื่องหมายเตือน"),
    "par": Word("in full, first come first served", "จ่ายเต็มตามลำดับก่อนหลัง"),
    "haircut": Word("the same share for all", "จ่ายทุกคนในสัดส่วนเท่ากัน"),
    "stop": Word("none until it is filled", "หยุดจ่ายจนกว่าจะครบ"),
    "fire": Word("at once, at a discount", "เร่งขายทันทีโดยยอมขาดทุน"),
    "orderly": Word("in order, paid later", "ขายตามปกติ รับเงินภายหลัง"),
    "True": Word("on", "เปิด"),
    "False": Word("off", "ปิด"),
}
