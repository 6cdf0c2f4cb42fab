"""The levers of the world behind the oracle: how cloudy, how hot, how much load, how dear. None of them is a seed."""

from __future__ import annotations

from gridlab.levers import Levers, number
from gridlab.oracle.feeds.demand import COMFORT

__all__ = ["WorldLevers"]

_WORLD = "nobody: the world"
_TEACHING = "teaching choice (S)"


class WorldLevers(Levers):
    """What may be moved about weather, load and prices."""

    cloudiness = number(
        100.0, 0.0, 200.0, 1.0,
        unit="%", label="Cloud, of what is usual in the month", label_th="ปริมาณเมฆเทียบกับค่าปกติของเดือน",
        source="100 % is the table sky_clearness_synthetic (S)", governed_by=_WORLD,
    )  # fmt: skip
    front_strength = number(
        100.0, 0.0, 200.0, 1.0,
        unit="%", label="Strength of the monsoon's fronts", label_th="ความแรงของแนวปะทะมรสุม",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    heat_wave = number(
        3.0, 0.0, 8.0, 0.1,
        unit="°C", label="How much hotter the heat waves of April and May are",
        label_th="อุณหภูมิที่เพิ่มขึ้นในช่วงคลื่นความร้อนเดือนเมษายนถึงพฤษภาคม",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    tilt = number(
        12.0, 0.0, 60.0, 1.0,
        unit="degrees", label="Tilt of the panels, to the south", label_th="มุมเอียงของแผงโซลาร์ (หันทิศใต้)",
        source="near the country's mean latitude; " + _TEACHING, governed_by="whoever mounts the panels",
    )  # fmt: skip
    system_loss = number(
        14.0, 0.0, 50.0, 0.1,
        unit="%", label="Lost before the inverter", label_th="การสูญเสียก่อนอินเวอร์เตอร์",
        source="PVWatts 5 default (Dobos 2014)", governed_by="whoever maintains the panels",
    )  # fmt: skip
    comfort_temperature = number(
        COMFORT, 20.0, 32.0, 0.5,
        unit="°C", label="Temperature above which people cool", label_th="อุณหภูมิที่เริ่มเปิดเครื่องปรับอากาศ",
        source="EGAT's advice for air conditioners, April 2016 (V)", governed_by="households and shops",
    )  # fmt: skip
    temperature_response = number(
        100.0, 0.0, 300.0, 1.0,
        unit="%", label="How strongly load answers to heat", label_th="การตอบสนองของความต้องการไฟฟ้าต่ออุณหภูมิ",
        source="100 %: shares by kind of customer, " + _TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    load_level = number(
        113.7, 20.0, 300.0, 0.1,
        unit="%", label="Load, of that of 2019", label_th="ระดับความต้องการไฟฟ้าเทียบกับปี 2562",
        source="36,700 MW of April 2024 over 32,273 MW of May 2019 (D)", governed_by=_WORLD,
    )  # fmt: skip
    festival_load = number(
        70.0, 0.0, 100.0, 1.0,
        unit="%", label="What shops and factories use at Songkran and New Year",
        label_th="การใช้ไฟฟ้าของร้านค้าและโรงงานในช่วงสงกรานต์และปีใหม่",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    wholesale_price = number(
        3.019, -5.0, 20.0, 0.001,
        unit="THB/kWh", label="Wholesale price at the usual load", label_th="ราคาขายส่งไฟฟ้าที่ความต้องการปกติ",
        source="generation part of tariff 6.1 at 69 kV and more, 3.0194 THB/kWh (D, MaMo and MEA-259)",
        governed_by=_WORLD,
    )  # fmt: skip
    price_slope = number(
        35.0, 0.0, 300.0, 1.0,
        unit="%", label="Rise of the wholesale price where load is twice the usual",
        label_th="อัตราที่ราคาขายส่งเพิ่มขึ้นเมื่อความต้องการเป็นสองเท่าของปกติ",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    price_spread = number(
        8.0, 0.0, 60.0, 0.5,
        unit="%", label="Spread of prices around their means", label_th="ความผันผวนของราคารอบค่าเฉลี่ย",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    lao_price = number(
        1.63, 0.0, 20.0, 0.01,
        unit="THB/kWh", label="Price of power from Lao PDR", label_th="ราคาไฟฟ้าจาก สปป.ลาว",
        source="115 kV exchange with EDL, mean of 2019 (V, Bangkok Post 1647164)", governed_by="EDL and EGAT",
    )  # fmt: skip
    malaysian_price = number(
        2.2, 0.0, 20.0, 0.01,
        unit="THB/kWh", label="Price of power in Malaysia", label_th="ราคาไฟฟ้าในมาเลเซีย",
        source=_TEACHING, governed_by="TNB and its regulator",
    )  # fmt: skip
    singapore_price = number(
        5.0, 0.0, 20.0, 0.01,
        unit="THB/kWh", label="Price of power in Singapore", label_th="ราคาไฟฟ้าในสิงคโปร์",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    carbon_price = number(
        190.0, 0.0, 10_000.0, 1.0,
        unit="THB/tCO2e", label="Price of a T-VER credit", label_th="ราคาคาร์บอนเครดิต T-VER",
        source="middle of 80 to 300 THB (V2, CAP irec, 2026)", governed_by=_WORLD,
    )  # fmt: skip
    exchange_rate = number(
        31.4, 10.0, 100.0, 0.1,
        unit="THB/USD", label="Baht for one US dollar", label_th="อัตราแลกเปลี่ยนบาทต่อดอลลาร์สหรัฐ",
        source="28.6 THB for 0.91 USD, mean of 2025 (D, Argus 2773175)", governed_by=_WORLD,
    )  # fmt: skip
    exchange_spread = number(
        3.0, 0.0, 30.0, 0.5,
        unit="%", label="Spread of the exchange rate", label_th="ความผันผวนของอัตราแลกเปลี่ยน",
        source=_TEACHING, governed_by=_WORLD,
    )  # fmt: skip
    reserve = number(
        100.0, 0.0, 1_000_000.0, 0.000001,
        unit="million THB", label="Baht held against WATT", label_th="เงินบาทสำรองของ WATT",
        source=_TEACHING + "; a lab puts its own bank's balance in its place", governed_by="the issuer of WATT",
    )  # fmt: skip
