"""Live controls of a public chain: let slots pass, let validators fail or lie, cut the network, and see finality."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.chain.keys import sandbox
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.sandbox import ATTESTER, GOVERNANCE
from gridlab.errors import ArgumentTypeError, GridlabError
from gridlab.ui.consensus_words import ranges
from gridlab.ui.figures import number
from gridlab.ui.fork_layout import fork_picture
from gridlab.ui.html import definitions, escape, scrolled
from gridlab.ui.public_summary import run_figures
from gridlab.ui.validator_strip import Validator, validator_strip
from gridlab.ui.words import Word, speaking

__all__ = ["PublicControls", "public_controls"]

_HEIGHT = "560px"
_BUTTON = {"width": "auto", "flex": "1 1 110px"}
_PAYMENT = 1_000_000

_BUTTONS = {
    "offline": Word("Take offline", "ให้ออฟไลน์"),
    "cut": Word("Cut them off", "ตัดเครือข่ายออก"),
    "equivocate": Word("Make them lie", "ให้ทำสองทาง"),
    "pay": Word("Pay 1 GRID", "จ่าย 1 GRID"),
    "run": Word("Let slots pass", "เดินเวลา"),
}
_OF_CHOSEN = ("offline", "cut", "equivocate")


class PublicControls(widgets.VBox):
    """The controls of one public chain. What they do, they do to the chain itself.

    Parameters
    ----------
    chain : PublicChain

    Attributes
    ----------
    chosen : ipywidgets.SelectMultiple
        The validators that the next action is about.
    slots : ipywidgets.IntSlider
        How many slots pass.
    lasting : ipywidgets.IntSlider
        For how many slots validators are offline or cut off; then it mends itself.
    buttons : dict of str to ipywidgets.Button
        "offline", "cut", "equivocate", "pay", "run".
    told, picture : ipywidgets.HTML
        What became of the last action; how the validators stand, the tree of blocks and the figures of finality.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone.
    """

    def __init__(self, chain: PublicChain) -> None:
        self.chain = chain
        wide, shown = widgets.Layout(width="98%"), {"description_width": "initial"}
        seats = [(str(seat), seat) for seat in range(len(chain.authorities.weights))]
        self.chosen = widgets.SelectMultiple(options=seats, rows=9, layout=wide)
        self.slots = widgets.IntSlider(value=5, min=1, max=50, layout=wide, style=shown)
        self.lasting = widgets.IntSlider(value=10, min=1, max=100, layout=wide, style=shown)
        self.buttons = {name: widgets.Button(layout=widgets.Layout(**_BUTTON)) for name in _BUTTONS}
        self.told = widgets.HTML(layout=widgets.Layout(min_height="58px", width="98%"))
        self.picture = widgets.HTML(layout=widgets.Layout(height=_HEIGHT, overflow="auto", min_width="320px"))
        self.picture.add_class("gridlab-figure")
        self.language = widgets.ToggleButtons(
            options=[("English", "en"), ("ไทย", "th")],
            value=settings.current().language,
            style={"button_width": "80px"},
        )
        super().__init__([self._columns()])
        self._translate()
        for name, button in self.buttons.items():
            button.on_click(partial(self._press, name))
        self.language.observe(self._translate, names="value")

    def _columns(self) -> widgets.Box:
        def row(*names: str) -> widgets.HBox:
            return widgets.HBox([self.buttons[name] for name in names], layout=widgets.Layout(flex_flow="row wrap"))

        parts = [
            self.language, self.chosen, self.lasting, row("offline", "cut", "equivocate"), self.slots,
            row("pay", "run"), self.told,
        ]  # fmt: skip
        left = widgets.VBox(parts, layout=widgets.Layout(flex="1 1 300px", min_width="280px"))
        right = widgets.VBox([self.picture], layout=widgets.Layout(flex="2 1 520px", min_width="320px"))
        return widgets.Box([left, right], layout=widgets.Layout(display="flex", flex_flow="row wrap"))

    def _translate(self, _: Any = None) -> None:
        with speaking(self.language.value):
            for name, button in self.buttons.items():
                button.description = str(_BUTTONS[name])
            self.slots.description = str(Word("slots to pass:", "จำนวนช่วงเวลาที่เดิน:"))
            self.lasting.description = str(Word("failure lasts (slots):", "ขัดข้องนาน (ช่วงเวลา):"))
        self.draw()
        self._tell(self._standing)  # what was said last was said in the other language

    def draw(self) -> None:
        """Redraw the figure."""
        with speaking(self.language.value):
            for button in self.buttons.values():
                button.disabled = not self.chain.runs
            self.picture.value = self._figure() if self.chain.runs else ""

    def _figure(self) -> str:
        states = self.chain.seats
        columns = (states[name].to_list() for name in ("seat", "lies", "online", "side"))
        validators = [
            Validator(seat, lie="equivocate" if lies else None, up=up, side=side)
            for seat, lies, up, side in zip(*columns, strict=True)
        ]
        trace = self.chain.trace
        return "".join([
            scrolled(validator_strip(validators, primary=False), 480), scrolled(fork_picture(trace), 480),
            definitions(run_figures(trace)),
        ])  # fmt: skip

    def _tell(self, say: Callable[[], str]) -> None:
        """Say what an action returns, or in full why it was refused."""
        with speaking(self.language.value):
            try:
                words, role, colour = say(), "status", "inherit"
            except GridlabError as problem:
                words, role, colour = f"⚠ {problem}", "alert", "#d55e00"
            self.told.value = f'<div role="{role}" style="color:{colour};line-height:1.35">{escape(words)}</div>'

    def _press(self, name: str, _: Any = None) -> None:
        if name in _OF_CHOSEN and not self.chosen.value:
            self._tell(lambda: str(Word("First choose validators in the list.", "เลือกผู้ตรวจสอบธุรกรรมในรายการก่อน")))
            return
        self.buttons[name].disabled = True  # a second press while the first is at work would do it twice
        try:
            self._tell(getattr(self, f"_{name}"))
        finally:
            self.draw()

    def _failing(self, english: str, thai: str) -> str:
        who, last = ranges(self.chosen.value), self.chain.slot + self.lasting.value
        return str(
            Word(f"Validators {who} are {english} until slot {last}.",
                 f"ผู้ตรวจสอบธุรกรรม {who} {thai}จนถึงช่วงเวลาที่ {last}")
        )  # fmt: skip

    def _offline(self) -> str:
        self.chain.fail(offline=self.chosen.value, slots=self.lasting.value)
        return self._failing("offline", "ออฟไลน์")

    def _cut(self) -> str:
        self.chain.fail(cut=self.chosen.value, slots=self.lasting.value)
        return self._failing("cut off from all others", "ถูกตัดขาดจากรายอื่นทั้งหมด")

    def _equivocate(self) -> str:
        self.chain.fail(equivocators=self.chosen.value)
        who = ranges(self.chosen.value)
        return str(
            Word(
                f"Validators {who} write and vote twice from now on.",
                f"ผู้ตรวจสอบธุรกรรม {who} จะเขียนและลงคะแนนสองทางนับจากนี้",
            )
        )

    def _pay(self) -> str:
        payer, payee = (sandbox(self.chain.seed, name) for name in (ATTESTER, GOVERNANCE))
        self.chain.pay(payer, payee, _PAYMENT)
        return str(
            Word(
                "The attester pays governance 1 GRID; the payment waits for a block.",
                "ผู้รับรองตัวตนจ่าย 1 GRID ให้ฝ่ายกำกับดูแล รายการรอเข้าบล็อก",
            )
        )

    def _run(self) -> str:
        final = self.chain.run(self.slots.value).height
        return f"{Word(f'{number(final)} blocks became final.', f'มี {number(final)} บล็อกเป็นที่สิ้นสุด')} {self._standing()}"

    def _standing(self) -> str:
        chain = self.chain
        if not chain.runs:
            return str(
                Word(
                    "This chain was read from bytes: it follows and writes no blocks.",
                    "เชนนี้อ่านมาจากไฟล์ จึงติดตามอย่างเดียว ไม่เขียนบล็อก",
                )
            )
        behind = chain.head.height - chain.height
        return str(
            Word(
                f"Slot {chain.slot}: block {chain.height} is final, {behind} more are not yet.",
                f"ช่วงเวลาที่ {chain.slot}: บล็อก {chain.height} เป็นที่สิ้นสุด อีก {behind} บล็อกยังไม่สิ้นสุด",
            )
        )


def public_controls(chain: PublicChain) -> PublicControls:
    """Return live controls for a public chain.

    Raises
    ------
    ArgumentTypeError
        `chain` is not a `PublicChain`.
    """
    if not isinstance(chain, PublicChain):
        raise ArgumentTypeError(f"controls: expected a PublicChain, got {type(chain).__name__}")
    return PublicControls(chain)
