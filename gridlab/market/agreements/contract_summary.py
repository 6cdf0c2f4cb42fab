"""A contract in words, English and Thai side by side, for a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from gridlab.chain.contract_terms import ContractTerms
from gridlab.chain.sharing import PPB
from gridlab.units import to_kwh, to_thb_per_kwh

__all__ = ["contract_html"]

_TEMPLATES = {
    "ppa": ("Power purchase agreement", "สัญญาซื้อขายไฟฟ้า (PPA)"),
    "p2p": ("Trade between neighbours", "สัญญาซื้อขายไฟฟ้าระหว่างเพื่อนบ้าน"),
    "community": ("Energy community", "สัญญาชุมชนพลังงาน"),
    "block_trade": ("Block trade", "สัญญาซื้อขายแบบบล็อก"),
}
_VOLUMES = {
    "as_produced": ("all that the seller feeds in", "ทั้งหมดที่ผู้ขายจ่ายเข้าระบบ"),
    "fixed": ("the same energy in every slot", "ปริมาณคงที่ทุกช่วงเวลา"),
    "matched": ("what the seller feeds in and the buyer takes", "ส่วนที่ผู้ขายจ่ายและผู้ซื้อใช้ตรงกัน"),
    "shared": ("what the plants feed in, shared by members", "ไฟฟ้าที่โรงไฟฟ้าจ่าย แบ่งกันในหมู่สมาชิก"),
}
_PRICINGS = {
    "fixed": ("fixed price", "ราคาคงที่"),
    "difference": ("difference to the reference price", "จ่ายส่วนต่างจากราคาอ้างอิง"),
}
_PAYERS = {"buyer": ("paid by the buyer", "ผู้ซื้อจ่าย"), "seller": ("paid by the seller", "ผู้ขายจ่าย")}
_CELL = "padding:3px 10px;text-align:left;vertical-align:top"
_MOST_NAMED = 8

Row = tuple[str, str, str, str]


def contract_html(terms: ContractTerms, identity: str, chain_id: str, missing: Sequence[int]) -> str:
    """Return the summary as HTML: what it says, in English and in Thai.

    Parameters
    ----------
    terms : ContractTerms
    identity : str
        The contract's id.
    chain_id : str
    missing : sequence of int
        Parties that have not signed.
    """
    body = "".join(
        f'<tr><th style="{_CELL}">{html.escape(english)}<br><span lang="th">{html.escape(thai)}</span></th>'
        f'<td style="{_CELL}">{html.escape(value)}</td>'
        f'<td style="{_CELL}" lang="th">{html.escape(thai_value)}</td></tr>'
        for english, thai, value, thai_value in _rows(terms, identity, chain_id, missing)
    )
    title, thai_title = _TEMPLATES[terms.template]
    caption = f'{html.escape(terms.name)} · {title} · <span lang="th">{thai_title}</span>'
    return f'<table style="border-collapse:collapse"><caption>{caption}</caption><tbody>{body}</tbody></table>'


def _rows(terms: ContractTerms, identity: str, chain_id: str, missing: Sequence[int]) -> Iterator[Row]:
    trading, settlement, grid = terms.trading, terms.settlement, terms.grid
    yield _same("Sellers", "ผู้ขาย", _accounts(terms.sellers))
    yield _same("Buyers", "ผู้ซื้อ", _accounts(terms.buyers))
    span = f"{terms.start:%Y-%m-%d %H:%M} – {terms.end:%Y-%m-%d %H:%M}"
    yield "Period", "ระยะเวลา", f"{span} ({terms.slots:,} slots)", f"{span} ({terms.slots:,} ช่วง)"
    yield ("Energy", "ปริมาณไฟฟ้า", *_energy(trading.volume, trading.energy))
    if terms.template == "community" or trading.shares:
        yield ("Shares", "สัดส่วน", *_shares(trading.shares))
    words, thai = _PRICINGS[settlement.pricing]
    price = f"{to_thb_per_kwh(settlement.price):,.3f}"
    yield "Price", "ราคา", f"{price} THB/kWh, {words}", f"{price} บาท/หน่วย {thai}"
    if grid.wheeling:
        words, thai = _PAYERS[grid.payer]
        rate = f"{to_thb_per_kwh(grid.wheeling):,.3f}"
        yield (
            "Wheeling", "ค่าผ่านสายส่ง",
            f"{rate} THB/kWh to account {grid.operator}, {words}", f"{rate} บาท/หน่วย ให้บัญชี {grid.operator} {thai}",
        )  # fmt: skip
    yield _same("Chain", "เชน", chain_id)
    yield _same("Id", "รหัส", identity)
    unsigned = _accounts(missing)
    yield (
        "Signatures", "ลายมือชื่อ",
        f"missing: {unsigned}" if missing else "all parties have signed",
        f"ยังขาด: {unsigned}" if missing else "ลงนามครบทุกฝ่าย",
    )  # fmt: skip


def _same(english: str, thai: str, value: str) -> Row:
    return english, thai, value, value


def _accounts(accounts: Sequence[int]) -> str:
    named = ", ".join(map(str, accounts[:_MOST_NAMED]))
    return named + (f" … ({len(accounts)})" if len(accounts) > _MOST_NAMED else "")


def _energy(volume: str, energy: int) -> tuple[str, str]:
    words, thai = _VOLUMES[volume]
    if not energy:
        return words, thai
    amount = f"{to_kwh(energy):,.3f}"
    if volume == "fixed":
        return f"{words}: {amount} kWh", f"{thai}: {amount} หน่วย"
    return f"{words}, at most {amount} kWh a slot", f"{thai} ไม่เกิน {amount} หน่วยต่อช่วง"


def _shares(shares: Sequence[int]) -> tuple[str, str]:
    if not shares:
        return "dynamic: by what each member takes", "แบบพลวัต ตามการใช้ของสมาชิก"
    shown = ", ".join(f"{100 * share / PPB:.2f} %" for share in shares[:_MOST_NAMED])
    shown += f" … ({len(shares)})" if len(shares) > _MOST_NAMED else ""
    return f"static: {shown}", f"คงที่: {shown}"
