"""What happened in a run, in plain words: three sentences made of its figures, and one beneath each picture."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from gridlab.run import Run
from gridlab.ui.figures import clock, day_of, energy, money, number, price, unit
from gridlab.ui.views import Frames, busiest, day_view, hour_prices, saving_by_kind, zones
from gridlab.ui.words import KINDS, ZONES, Word, lookup

__all__ = ["book_reading", "net_load_reading", "price_reading", "saving_reading", "sentences", "volume_reading"]

_PER_KWH = 1000.0


def sentences(run: Run) -> list[str]:
    """Return three sentences: what was traded, where the price came from, who gained what."""
    return [_what(run), _price(run), _who(run)]


def _what(run: Run) -> str:
    facts, traded = run.facts, float(run.trades["energy"].sum())
    generated, used = (float(run.readings[column].sum()) for column in ("generation", "load"))
    days = -(-facts.slots // 96)
    on = Word(f"On {day_of(facts.start)}", f"วันที่ {day_of(facts.start)}")
    if days > 1:
        on = Word(f"In the {days} days from {day_of(facts.start)}", f"ใน {days} วันนับจาก {day_of(facts.start)}")
    english = (
        f"{on}, {number(facts.prosumers)} prosumers used {energy(used)} and their roofs generated {energy(generated)}; "
    )
    thai = (
        f"{on} โปรซูเมอร์ {number(facts.prosumers)} รายใช้ไฟฟ้า {energy(used)} "
        f"และหลังคาของพวกเขาผลิตไฟฟ้าได้ {energy(generated)} "
    )
    if not traded:
        return str(Word(english + "nothing was traded between them.", thai + "แต่ไม่มีการซื้อขายระหว่างกัน"))
    share = number(run.kpi("traded_share_of_surplus"), 1)
    return str(
        Word(
            f"{english}{energy(traded)}, {share} % of what the roofs had left over, was sold from one to another.",
            f"{thai}ในจำนวนนี้ {energy(traded)} หรือร้อยละ {share} ของไฟฟ้าที่เหลือใช้ ถูกขายให้กันเองในตลาด",
        )
    )


def _scarce(frames: Frames) -> float:
    """Return the share of traded energy in books where more was wanted than offered, 0..100."""
    orders = (
        frames["orders"]
        .group_by("slot", "zone")
        .agg(
            wanted=pl.col("energy").filter(pl.col("side") == "buy").sum(),
            offered=pl.col("energy").filter(pl.col("side") == "sell").sum(),
        )
    )
    traded = frames["prices"].filter(pl.col("energy") > 0).select("slot", "zone", "energy")
    joined = traded.join(orders, on=["slot", "zone"], how="left")
    scarce = joined.filter(pl.col("wanted") > pl.col("offered"))["energy"].sum()
    return 100.0 * float(scarce) / float(traded["energy"].sum() or 1)


def _price(run: Run) -> str:
    if not run.trades.height:
        return str(
            Word(
                "Without a single pair of a willing buyer and a willing seller there was no market price.",
                "เมื่อไม่มีผู้ซื้อและผู้ขายที่ตกลงกันได้แม้แต่คู่เดียว จึงไม่มีราคาตลาด",
            )
        )
    average, landed = run.kpi("average_price") * _PER_KWH, run.kpi("average_landed_price") * _PER_KWH
    why = _why(run.frames)
    return str(
        Word(
            f"It fetched {price(average)} on average: {why}; wheeling, losses, fee and VAT bring it to {price(landed)} "
            "at the buyer's meter.",
            f"ราคาเฉลี่ยอยู่ที่ {price(average)} เพราะ{why} เมื่อรวมค่าผ่านสายส่ง พลังงานสูญเสีย ค่าธรรมเนียม และภาษี "
            f"ผู้ซื้อจ่าย {price(landed)} ณ มิเตอร์",
        )
    )


def _why(frames: Frames) -> Word:
    """Return which side of the market was short of the other."""
    short = _scarce(frames)
    if short >= 50:
        return Word(
            f"for {number(short)} % of that energy more was wanted than offered, so that buyers outbid each other",
            f"ไฟฟ้าร้อยละ {number(short)} ซื้อขายกันในช่วงที่มีผู้ต้องการมากกว่าที่เสนอขาย ผู้ซื้อจึงแข่งกันให้ราคา",
        )
    return Word(
        f"for {number(100 - short)} % of that energy as much or more was offered than wanted, "
        "so that sellers undercut each other",
        f"ไฟฟ้าร้อยละ {number(100 - short)} ซื้อขายกันในช่วงที่มีผู้เสนอขายไม่น้อยกว่าที่ต้องการ ผู้ขายจึงแข่งกันลดราคา",
    )


def _who(run: Run) -> str:
    if not run.trades.height:
        return str(
            Word(
                "Everybody paid what he pays without a market, and nobody gained or lost.",
                "ทุกฝ่ายจ่ายและได้รับเท่ากับกรณีไม่มีตลาด จึงไม่มีใครได้หรือเสีย",
            )
        )
    told = _saved(run)
    parties = [
        ("the utilities", "การไฟฟ้า", run.kpi("utilities_gain")),
        ("the state", "รัฐ", run.kpi("state_gain")),
        ("the market operator", "ผู้ดำเนินตลาด", run.kpi("operator_gain")),
    ]
    return str(
        Word(
            f"{told}; {', '.join(_gained(name, value) for name, _, value in parties)}.",
            f"{told} ส่วน{' '.join(_gained_thai(name, value) for _, name, value in parties)}",
        )
    )


def _saved(run: Run) -> Word:
    """Return what the prosumers saved, as the beginning of a sentence."""
    saved, sellers = run.kpi("savings"), run.kpi("sellers_share_of_savings")
    gain = f"{number(abs(saved), 2)} {unit('THB')}"
    percent = number(abs(run.kpi("savings_share")), 1)
    if saved > 0:
        english = f"The prosumers together paid {gain} ({percent} %) less than without a market"
        thai = f"โปรซูเมอร์ทั้งหมดจ่ายน้อยลง {gain} (ร้อยละ {percent}) เมื่อเทียบกับไม่มีตลาด"
        if 0 <= sellers <= 100:  # outside, one side lost, and a share of the whole says nothing
            english += f", {number(sellers)} % of it gained by those who sold"
            thai += f" โดยร้อยละ {number(sellers)} เป็นของผู้ที่ขายไฟ"
    elif saved < 0:
        english = f"The prosumers together paid {gain} more than without a market"
        thai = f"โปรซูเมอร์ทั้งหมดจ่ายเพิ่มขึ้น {gain} เมื่อเทียบกับไม่มีตลาด"
    else:
        english, thai = "The prosumers paid what they would pay without a market", "โปรซูเมอร์จ่ายเท่ากับกรณีไม่มีตลาด"
    return Word(english, thai)


def _when(frames: Frames, slot: datetime) -> str:
    """Return a slot's time of day, with its date where the run has several days."""
    days = frames["readings"]["slot"].dt.date().n_unique()
    return clock(slot) if days == 1 else f"{day_of(slot)} {clock(slot)}"


def _gained(name: str, value: float) -> str:
    verb = "earned" if value >= 0 else "went without"
    return f"{name} {verb} {number(abs(value), 2)} {unit('THB')}"


def _gained_thai(name: str, value: float) -> str:
    return f"{name}{'ได้เพิ่ม' if value >= 0 else 'ได้ลดลง'} {number(abs(value), 2)} {unit('THB')}"


def price_reading(frames: Frames) -> str:
    """Return what is seen in the prices by zone and hour."""
    grid, names = hour_prices(frames), zones(frames)
    if not np.isfinite(grid).any():
        return str(Word("No hour of this run has a price.", "ไม่มีชั่วโมงใดที่เกิดราคาตลาด"))
    low_row, low_hour = np.unravel_index(np.nanargmin(grid), grid.shape)
    high_row, high_hour = np.unravel_index(np.nanargmax(grid), grid.shape)
    cheap, dear = lookup(ZONES, names[low_row]), lookup(ZONES, names[high_row])
    low, high = float(grid[low_row, low_hour]), float(grid[high_row, high_hour])
    return str(
        Word(
            f"Cheapest in {cheap} from {low_hour:02d}:00 ({price(low * _PER_KWH)}), dearest in {dear} from "
            f"{high_hour:02d}:00 ({price(high * _PER_KWH)}).",
            f"ถูกที่สุดใน{cheap} ช่วง {low_hour:02d}:00 น. ({price(low * _PER_KWH)}) แพงที่สุดใน{dear} ช่วง "
            f"{high_hour:02d}:00 น. ({price(high * _PER_KWH)})",
        )
    )


def volume_reading(frames: Frames) -> str:
    """Return what is seen in the traded energy."""
    if not frames["trades"].height:
        return str(Word("Nothing was traded.", "ไม่มีการซื้อขาย"))
    by_slot = frames["prices"].group_by("slot").agg(pl.col("energy").sum()).sort("slot")
    most = by_slot.row(int(by_slot["energy"].arg_max() or 0), named=True)
    times = frames["trades"]["slot"].dt.to_string("%H:%M")
    first, last, when = str(times.min()), str(times.max()), _when(frames, most["slot"])
    return str(
        Word(
            f"The first trades of a day are for {first}, the last for {last}; most is traded at {when} "
            f"({energy(most['energy'])} in a quarter of an hour).",
            f"การซื้อขายของวันเริ่มตั้งแต่ช่วง {first} ถึง {last} น. และมากที่สุดเมื่อ {when} ({energy(most['energy'])} ในสิบห้านาที)",
        )
    )


def net_load_reading(frames: Frames) -> str:
    """Return what is seen in the net load."""
    view = day_view(frames)
    low, high = float(view.net.min()), float(view.net.max())
    slots = frames["readings"]["slot"].unique().sort()
    valley, peak = (_when(frames, slots[int(place)]) for place in (view.net.argmin(), view.net.argmax()))
    sunny = view.generation[int(view.net.argmin())] > 0
    fall = Word("Under the sun the net load falls" if sunny else "The net load falls", "เมื่อมีแดด" if sunny else "")
    return str(
        Word(
            f"{fall} to {number(low)} {unit('kW')} at {valley}; its peak of {number(high)} {unit('kW')} comes "
            f"at {peak}.",
            f"{fall}ความต้องการสุทธิลดลงเหลือ {number(low)} {unit('kW')} เมื่อ {valley} ส่วนจุดสูงสุด {number(high)} "
            f"{unit('kW')} เกิดขึ้นเมื่อ {peak}",
        )
    )


def saving_reading(run: Run) -> str:
    """Return who saves most."""
    kinds = saving_by_kind(run.balances)
    if (kinds["saving"] <= 0).all():
        return str(Word("No kind of prosumer saves anything.", "ไม่มีกลุ่มใดประหยัดได้"))
    best = kinds.row(int(kinds["saving"].arg_max() or 0), named=True)
    each = best["saving"] / best["accounts"]
    name = lookup(KINDS, best["kind"])
    return str(
        Word(
            f"{name} save most together: {money(best['saving'])}, on average {money(each)} each.",
            f"กลุ่มที่ประหยัดได้มากที่สุดคือ{name} รวม {money(best['saving'])} เฉลี่ยรายละ {money(each)}",
        )
    )


def book_reading(frames: Frames) -> str:
    """Return what the busiest book shows."""
    if not frames["trades"].height:
        return str(
            Word(
                "No order of this book found a counterparty at a price that both accept.",
                "ไม่มีคำสั่งใดในช่วงนี้ที่พบคู่ค้าในราคาที่ยอมรับได้ทั้งสองฝ่าย",
            )
        )
    slot, zone = busiest(frames)
    return str(
        Word(
            f"The busiest quarter of an hour is {_when(frames, slot)} in {lookup(ZONES, zone)}: left of the point "
            "every buyer bids at least what every seller asks, and what lies between a limit and the price is gained.",
            f"ช่วงที่ซื้อขายมากที่สุดคือ {_when(frames, slot)} {lookup(ZONES, zone)}: ทางซ้ายของจุดตลาด "
            "ผู้ซื้อทุกรายเสนอไม่ต่ำกว่าราคาที่ผู้ขายขอ ระยะห่างจากราคาที่เสนอถึงราคาตลาดคือประโยชน์ที่แต่ละฝ่ายได้รับ",
        )
    )
