"""The sections of a run's report, each a piece of HTML: pictures with one sentence, money, levers, chain, notes."""

from __future__ import annotations

from itertools import groupby

import polars as pl

from gridlab.datasets import datasets
from gridlab.run import Run
from gridlab.ui import story
from gridlab.ui.book_picture import book_picture
from gridlab.ui.figures import day_of, figure_rows, money, number, unit
from gridlab.ui.html import definitions, escape, scrolled, table, tiles
from gridlab.ui.lever_words import lever_lines, part_of, part_words
from gridlab.ui.run_pictures import (
    GAINS,
    gains_picture,
    heat_picture,
    net_load_picture,
    price_picture,
    saving_picture,
    volume_picture,
)
from gridlab.ui.views import book, day_view, payments, positions, saving_by_kind
from gridlab.ui.words import GROUPS, HEADLINES, KINDS, PARTIES, PAYMENTS, Word, figure, lookup
from gridlab.units import MICRO

__all__ = ["chain", "figures", "head", "levers", "market", "notes", "savings", "who_gains", "who_pays"]

_TILES = (*HEADLINES, "bills_with_market", "savings_share", "self_consumption", "carbon_avoided")

# What every run reads; the levers name their own sources.
_DATASETS = ("tariffs", "tou_holidays", "load_shapes_synthetic", "solar_day_synthetic")


def _section(title: object, *parts: str, wide: bool = False) -> str:
    return f"<section{' class=wide' if wide else ''}><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _figure(picture: str, reading: str, *, least_width: int = 0) -> str:
    return f"<figure>{scrolled(picture, least_width)}<figcaption>{escape(reading)}</figcaption></figure>"


def head(run: Run) -> str:
    """Return title, date, the three sentences and the headline figures."""
    facts = run.facts
    length = Word(f"{facts.slots} slots of 15 minutes", f"{facts.slots} ช่วง ช่วงละ 15 นาที")
    seed = Word(f"seed {facts.seed}", f"ค่าเริ่มสุ่ม {facts.seed}")
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in story.sentences(run))
    rows = {name: (label, text) for name, label, text in figure_rows(run.kpis())}
    return (
        f"<header><h1>{escape(Word(facts.title, facts.title_th))}</h1>"
        f"<p class=quiet>{escape(day_of(facts.start))} · {length} · {seed}</p>"
        f"<div class=lead>{told}</div>{tiles(rows[name] for name in _TILES)}</header>"
    )


def market(run: Run) -> list[str]:
    """Return the sections about prices, energy and one order book."""
    frames, view = run.frames, day_view(run.frames)
    return [
        _section(Word("Prices", "ราคา"), _figure(price_picture(view), story.price_reading(frames))),
        _section(Word("Energy traded", "ไฟฟ้าที่ซื้อขายกัน"), _figure(volume_picture(view), story.volume_reading(frames))),
        _section(
            Word("Supply and demand", "อุปสงค์และอุปทาน"), _figure(book_picture(book(frames)), story.book_reading(frames))
        ),
        _section(
            Word("What the grid sees", "สิ่งที่ระบบไฟฟ้าเห็น"),
            _figure(net_load_picture(view), story.net_load_reading(frames)),
        ),
        _section(
            Word("Price by zone and hour (THB/kWh)", "ราคาตามเขตและชั่วโมง (บาท/หน่วย)"),
            _heat(run),
        ),
    ]


def _heat(run: Run) -> str:
    if not run.trades.height:
        return f"<p>{escape(story.price_reading(run.frames))}</p>"
    reading = Word(
        "Mean of the trades in each hour, weighted by energy; a dot is an hour without trade. Hours before the first "
        "trade and after the last are left out.",
        "ค่าเฉลี่ยของรายการซื้อขายในแต่ละชั่วโมง ถ่วงน้ำหนักด้วยพลังงาน จุดคือชั่วโมงที่ไม่มีการซื้อขาย "
        "ไม่แสดงชั่วโมงก่อนรายการแรกและหลังรายการสุดท้าย",
    )
    return _figure(heat_picture(run.frames), str(reading), least_width=430)


def who_gains(run: Run) -> str:
    """Return what the four parties gain by the market, with the sum that must be nothing."""
    total = sum(round(run.kpi(name) * MICRO) for name in GAINS.values())
    gained = Word(
        f"What one gains the others forgo: the four sum to {money(total)}. Only payments between the four are counted; "
        "energy that the utilities no longer need to buy wholesale is not.",
        f"สิ่งที่ฝ่ายหนึ่งได้คือสิ่งที่ฝ่ายอื่นเสีย ผลรวมทั้งสี่ฝ่ายเท่ากับ {money(total)} นับเฉพาะเงินที่จ่ายกันระหว่างสี่ฝ่าย "
        "ไม่รวมค่าไฟฟ้าขายส่งที่การไฟฟ้าไม่ต้องซื้ออีก",
    )
    shown = _figure(gains_picture(run), str(gained))
    return _section(Word("Who gains by the market", "ใครได้ใครเสียจากตลาด"), shown)


def who_pays(run: Run) -> str:
    """Return every stream of money, and what each party received and paid."""
    held = f"<div class=columns><div>{_streams(run)}</div><div>{_positions(run)}</div></div>"
    return _section(Word("Who pays whom", "ใครจ่ายให้ใคร"), held, wide=True)


def _in_baht(name: Word) -> str:
    return f"{name} ({unit('THB')})"


def _baht(micro: float, *, signed: bool = False) -> str:
    return number(micro / MICRO, 2, signed=signed)


def _streams(run: Run) -> str:
    paid = payments(run.frames).to_dict(as_series=False)
    heads = [
        Word("payer", "ผู้จ่าย"),
        Word("payee", "ผู้รับ"),
        Word("for", "ค่า"),
        _in_baht(Word("amount", "จำนวนเงิน")),
    ]
    rows = [
        (lookup(PARTIES, payer), lookup(PARTIES, payee), lookup(PAYMENTS, kind), _baht(amount))
        for payer, payee, kind, amount in zip(*(paid[c] for c in ("payer", "payee", "kind", "amount")), strict=True)
    ]
    return scrolled(table(heads, rows))


def _positions(run: Run) -> str:
    frame = positions(payments(run.frames))
    held = frame.to_dict(as_series=False)
    heads = [Word("party", "ฝ่าย"), *map(_in_baht, (Word("received", "รับ"), Word("paid", "จ่าย"), Word("net", "สุทธิ")))]
    rows = [
        (lookup(PARTIES, party), _baht(received), _baht(paid), _baht(net, signed=True))
        for party, received, paid, net in zip(*(held[c] for c in ("party", "received", "paid", "net")), strict=True)
    ]
    sums = frame.select(pl.col("received", "paid", "net").sum()).row(0)
    received, paid, net = (_baht(value) for value in sums)
    rows.append((str(Word("all", "รวม")), received, paid, net))
    return scrolled(table(heads, rows, numbers=3, strong_last=True))


def savings(run: Run) -> str:
    """Return who saves, by kind."""
    kinds = saving_by_kind(run.balances)
    held = kinds.to_dict(as_series=False)
    heads = [
        Word("kind", "ประเภท"),
        Word("accounts", "จำนวนราย"),
        _in_baht(Word("bills before", "ค่าไฟเดิม")),
        _in_baht(Word("now", "ค่าไฟใหม่")),
        _in_baht(Word("saved each", "ประหยัดต่อราย")),
    ]
    columns = (held[c] for c in ("kind", "accounts", "without", "with_market", "saving"))
    rows = [
        (lookup(KINDS, kind), number(count), _baht(without), _baht(now), _baht(saving / count, signed=True))
        for kind, count, without, now, saving in zip(*columns, strict=True)
    ]
    shown = _figure(saving_picture(run), story.saving_reading(run))
    listed = scrolled(table(heads, rows, numbers=4))
    both = f"<div class=columns><div class=half>{shown}</div><div>{listed}</div></div>"
    return _section(Word("Who saves", "ใครประหยัดได้"), both, wide=True)


def figures(run: Run) -> str:
    """Return every key figure, in groups."""
    order = list(GROUPS)
    rows = sorted(figure_rows(run.kpis()), key=lambda row: order.index(figure(row[0]).group))
    blocks = [
        scrolled(definitions([(label, escape(text)) for _, label, text in members], caption=GROUPS[group]))
        for group, members in groupby(rows, key=lambda row: figure(row[0]).group)
    ]
    held = "".join(f"<div>{block}</div>" for block in blocks)
    return _section(Word("All key figures", "ตัวชี้วัดทั้งหมด"), f"<div class=columns>{held}</div>", wide=True)


def levers(run: Run) -> str:
    """Return the levers in force with their sources and governors."""
    heads = [
        Word("lever", "ค่าที่ปรับได้"),
        Word("source of the default", "ที่มาของค่าตั้งต้น"),
        Word("governed by", "ผู้กำหนด"),
        Word("value", "ค่าที่ใช้"),
    ]
    default = Word("default", "ค่าตั้งต้น")
    parts = []
    for part, lines in groupby(lever_lines(run.facts.levers), key=lambda line: part_of(line.path)):
        rows = [
            (
                line.label,
                line.source,
                line.governed_by,
                line.value + (f" ({default} {line.default})" if line.default else ""),
            )
            for line in lines
        ]
        parts.append(f"<h3>{escape(part_words(part))}</h3>{scrolled(table(heads, rows))}")
    return _section(Word("Levers in force", "ค่าที่ใช้ในการจำลอง"), *parts, wide=True)


def chain(run: Run) -> str:
    """Return what was signed and sealed, and the fingerprint."""
    blocks = run.blocks
    rows = [
        (Word("Blocks", "จำนวนบล็อก"), number(blocks.height)),
        (Word("Signed transactions", "ธุรกรรมที่ลงลายมือชื่อ"), number(int(blocks["transactions"].sum()))),
        (Word("Rejected", "ถูกปฏิเสธ"), number(int(blocks["rejected"].sum()))),
        (Word("State root", "รากสถานะบัญชี"), f"<code>{run.blocks['state_root'][-1]}</code>"),
        (Word("Last block", "บล็อกสุดท้าย"), f"<code>{run.blocks['hash'][-1]}</code>"),
        (Word("Fingerprint", "ลายพิมพ์ผลการจำลอง"), f"<code>{run.fingerprint}</code>"),
    ]
    told = Word(
        "Every order and every payment above is part of a signed transaction in a block. Whoever runs the same lab "
        "with the same seed gets the same fingerprint, to the last digit.",
        "คำสั่งซื้อขายและการชำระเงินทุกรายการข้างต้นเป็นธุรกรรมที่ลงลายมือชื่อและบันทึกในบล็อก "
        "ผู้ที่จำลองด้วยค่าและค่าเริ่มสุ่มเดียวกันจะได้ลายพิมพ์เดียวกันทุกตัวอักษร",
    )
    body = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in rows)
    return _section(Word("The chain", "บล็อกเชน"), f"<p>{told}</p><dl>{body}</dl>", wide=True)


def notes() -> str:
    """Return what is synthetic, what the marks mean and where the data come from."""
    synthetic = Word(
        "Synthetic: the prosumers, their loads, their roofs and the clouds are drawn from the seed; their sizes and "
        "shapes are teaching values, not measurements. Tariffs, Ft, VAT, buy-back and the draft wheeling charge are "
        "those of the sources named with each lever.",
        "ข้อมูลสังเคราะห์: โปรซูเมอร์ การใช้ไฟ หลังคาโซลาร์ และเมฆ สุ่มจากค่าเริ่มสุ่ม "
        "ขนาดและรูปแบบเป็นค่าเพื่อการเรียนรู้ ไม่ใช่ค่าที่วัดจริง "
        "ส่วนค่าไฟฟ้า Ft ภาษีมูลค่าเพิ่ม ราคารับซื้อ และร่างค่าผ่านสายส่ง เป็นไปตามแหล่งที่มาที่ระบุไว้กับแต่ละค่า",
    )
    marks = Word(
        "Marks: V verified in a primary, news or law-firm source; V2 in a secondary source only; D derived by "
        "arithmetic; "
        "G general knowledge, not verified; S synthetic teaching value.",
        "เครื่องหมาย: V ตรวจสอบกับแหล่งปฐมภูมิ ข่าว หรือสำนักกฎหมาย; V2 พบในแหล่งทุติยภูมิเท่านั้น; "
        "D คำนวณจากข้อมูลที่มีแหล่ง; G ความรู้ทั่วไปที่ยังไม่ตรวจสอบ; S ค่าสังเคราะห์เพื่อการเรียนรู้",
    )
    measured = Word(
        "Orders cleared per second is measured on the computer that ran this; every other number is the same anywhere.",
        "จำนวนคำสั่งที่จับคู่ได้ต่อวินาทีวัดจากเครื่องที่จำลอง ตัวเลขอื่นทั้งหมดเท่ากันทุกเครื่อง",
    )
    told = "".join(f"<p>{escape(words)}</p>" for words in (synthetic, marks, measured))
    return _section(Word("Notes and sources", "หมายเหตุและแหล่งที่มา"), told, _sources(), wide=True)


def _sources() -> str:
    listed = datasets().filter(pl.col("name").is_in(_DATASETS)).to_dict(as_series=False)
    heads = [Word("table", "ตาราง"), Word("source", "แหล่งที่มา"), Word("as of", "ข้อมูล ณ วันที่")]
    rows = [
        (Word(title, title_th), source, day_of(as_of.isoformat()))
        for title, title_th, source, as_of in zip(
            *(listed[c] for c in ("title", "title_th", "source", "as_of")), strict=True
        )
    ]
    return scrolled(table(heads, rows))
