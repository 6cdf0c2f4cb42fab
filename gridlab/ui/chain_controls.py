"""Live controls of a chain: make validators lie or crash, cut their network, stop them, and see whether blocks come."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import sandbox
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError
from gridlab.ui.chain_figure import chain_figure
from gridlab.ui.chain_summary import standing
from gridlab.ui.consensus_words import city_words, ranges
from gridlab.ui.figures import duration, number
from gridlab.ui.html import escape
from gridlab.ui.words import CHOICES, Word, lookup, speaking

__all__ = ["ChainControls", "chain_controls"]

_SLOT_US = 15 * 60 * 1_000_000
_VALID_FOR = 96
_HEIGHT = "470px"
_BUTTON = {"width": "auto", "flex": "1 1 110px"}

_BUTTONS = {
    "lie": Word("Make them lie", "ให้โกหก"),
    "honest": Word("Make them honest", "ให้ซื่อสัตย์"),
    "crash": Word("Crash", "ให้ล่ม"),
    "restart": Word("Restart", "ให้กลับมาทำงาน"),
    "cut": Word("Cut them off", "ตัดเครือข่ายออก"),
    "heal": Word("Mend the network", "ซ่อมเครือข่าย"),
    "stop": Word("Stop the chain", "หยุดเชน"),
    "resume": Word("Resume", "เดินต่อ"),
    "seal": Word("Seal a block", "ปิดบล็อก"),
}
_OF_CHOSEN = ("lie", "honest", "crash", "restart", "cut")


class ChainControls(widgets.VBox):
    """The controls of one chain. What they do, they do to the chain itself: a sealed block stays.

    Parameters
    ----------
    chain : ConsortiumChain

    Attributes
    ----------
    chosen : ipywidgets.SelectMultiple
        The validators that the next action is about.
    lie : ipywidgets.Dropdown
        How they are to lie.
    buttons : dict of str to ipywidgets.Button
        "lie", "honest", "crash", "restart", "cut", "heal", "stop", "resume", "seal".
    sample : ipywidgets.Checkbox
        Whether an empty block gets a transaction of a stranger, so that a lying primary has two blocks to show.
    told : ipywidgets.HTML
        What became of the last action; a refusal in full.
    picture : ipywidgets.HTML
        Has the class ``gridlab-figure``.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone.
    """

    def __init__(self, chain: ConsortiumChain) -> None:
        self.chain = chain
        self.chosen = widgets.SelectMultiple(rows=9, layout=widgets.Layout(width="98%"))
        self.lie = widgets.Dropdown(layout=widgets.Layout(width="98%"), style={"description_width": "initial"})
        self.buttons = {name: widgets.Button(layout=widgets.Layout(**_BUTTON)) for name in _BUTTONS}
        self.sample = widgets.Checkbox(value=True, indent=False, layout=widgets.Layout(width="98%"))
        self.told = widgets.HTML(layout=widgets.Layout(min_height="58px", width="98%"))
        self.picture = widgets.HTML(layout=widgets.Layout(height=_HEIGHT, overflow="auto", min_width="320px"))
        self.picture.add_class("gridlab-figure")
        self.language = widgets.ToggleButtons(
            options=[("English", "en"), ("ไทย", "th")],
            value=settings.current().language,
            style={"button_width": "80px"},
        )
        super().__init__([self._columns()])
        self._speak()
        self._tell(self._standing)
        for name, button in self.buttons.items():
            button.on_click(partial(self._press, name))
        self.language.observe(self._translate, names="value")

    def _columns(self) -> widgets.Box:
        def row(*names: str) -> widgets.HBox:
            return widgets.HBox([self.buttons[name] for name in names], layout=widgets.Layout(flex_flow="row wrap"))

        about_validators = [
            self.chosen, self.lie, row("lie", "honest"), row("crash", "restart"), row("cut", "heal"),
            row("stop", "resume"),
        ]  # fmt: skip
        own = about_validators if isinstance(self.chain.ordering, PbftOrdering) else []
        parts = [self.language, *own, self.sample, row("seal"), self.told]
        left = widgets.VBox(parts, layout=widgets.Layout(flex="1 1 300px", min_width="280px"))
        right = widgets.VBox([self.picture], layout=widgets.Layout(flex="2 1 520px", min_width="320px"))
        return widgets.Box([left, right], layout=widgets.Layout(display="flex", flex_flow="row wrap"))

    # Words -----------------------------------------------------------------------------------------------------------

    def _translate(self, _: Any = None) -> None:
        self._speak()
        self._tell(self._standing)  # what was said last was said in the other language

    def _speak(self) -> None:
        with speaking(self.language.value):
            for name, button in self.buttons.items():
                button.description = str(_BUTTONS[name])
            kind = self.lie.value
            self.lie.options = [(lookup(CHOICES, name), name) for name in KINDS]
            self.lie.value = kind or next(iter(KINDS))
            self.lie.description = str(Word("lie:", "วิธีโกหก:"))
            self.sample.description = str(
                Word("a stranger's transaction if none waits", "ใส่ธุรกรรมของคนนอก ถ้าไม่มีธุรกรรมรออยู่")
            )
            self.sample.tooltip = str(
                Word(
                    "It has no licence and is rejected with a receipt; of a block without transactions a liar has no "
                    "second version to show.",
                    "ธุรกรรมนี้ไม่มีใบอนุญาต จึงถูกปฏิเสธพร้อมใบตอบรับ ถ้าบล็อกว่าง ผู้โกหกจะไม่มีบล็อกที่สองให้เสนอ",
                )
            )
        self.draw()

    def draw(self) -> None:
        """Redraw the figure, and name the validators of the set in force."""
        with speaking(self.language.value):
            self.picture.value = chain_figure(self.chain)
            ordering = self.chain.ordering
            for button in self.buttons.values():
                button.disabled = not getattr(ordering, "can_seal", True)
            if isinstance(ordering, PbftOrdering):
                states, kept = ordering.states, self.chosen.value
                named = zip(states["validator"].to_list(), states["city"].to_list(), strict=True)
                options = [(f"{validator} {city_words(city)}", validator) for validator, city in named]
                if options != list(self.chosen.options):
                    self.chosen.options = options
                    self.chosen.value = tuple(each for each in kept if each < len(options))

    def _tell(self, say: Callable[[], str]) -> None:
        """Say what an action returns, or in full why it was refused."""
        with speaking(self.language.value):
            try:
                words, role, colour = say(), "status", "inherit"
            except GridlabError as problem:
                words, role, colour = f"⚠ {problem}", "alert", "#d55e00"
            self.told.value = f'<div role="{role}" style="color:{colour};line-height:1.35">{escape(words)}</div>'

    # Actions ---------------------------------------------------------------------------------------------------------

    def _press(self, name: str, _: Any = None) -> None:
        if name in _OF_CHOSEN and not self.chosen.value:
            self._tell(lambda: str(Word("First choose validators in the list.", "เลือกผู้ตรวจสอบธุรกรรมในรายการก่อน")))
            return
        button = self.buttons[name]
        button.disabled = True  # a second press while the first is at work would do it twice
        try:
            self._tell(getattr(self, f"_{name}"))
        finally:
            self.draw()

    def _ordering(self) -> PbftOrdering:
        ordering = self.chain.ordering
        if not isinstance(ordering, PbftOrdering):
            raise ChainError(f"{ordering!r} has no validators that could lie or fail, PbftOrdering.of(21) has")
        return ordering

    def _who(self) -> str:
        return str(Word(f"Validators {ranges(self.chosen.value)}", f"ผู้ตรวจสอบธุรกรรม {ranges(self.chosen.value)}"))

    def _lie(self) -> str:
        for validator in self.chosen.value:
            self._ordering().corrupt(validator, self.lie.value)
        return f"{self._who()}: {lookup(CHOICES, self.lie.value)}"

    def _honest(self) -> str:
        for validator in self.chosen.value:
            self._ordering().corrupt(validator, None)
        return f"{self._who()}: {Word('honest', 'ซื่อสัตย์')}"

    def _crash(self) -> str:
        for validator in self.chosen.value:
            self._ordering().crash(validator)
        return f"{self._who()}: {Word('down', 'ล่ม')}"

    def _restart(self) -> str:
        for validator in self.chosen.value:
            self._ordering().restart(validator)
        return f"{self._who()}: {Word('up', 'ทำงาน')}"

    def _cut(self) -> str:
        self._ordering().partition([self.chosen.value])
        return f"{self._who()}: {Word('cut off from all others', 'ถูกตัดขาดจากรายอื่นทั้งหมด')}"

    def _heal(self) -> str:
        self._ordering().heal()
        return str(Word("The network is whole.", "เครือข่ายเชื่อมถึงกันครบ"))

    def _stop(self) -> str:
        ordering = self._ordering()
        ordering.stop()
        if ordering.stopped:
            return str(
                Word(
                    "A quorum has voted to stop: no block until it resumes.",
                    "ครบองค์ประชุมลงคะแนนให้หยุด จะไม่มีบล็อกจนกว่าจะเดินต่อ",
                )
            )
        return str(Word("No quorum answered the vote to stop.", "การลงคะแนนให้หยุดไม่ครบองค์ประชุม"))

    def _resume(self) -> str:
        ordering = self._ordering()
        ordering.resume()
        if ordering.stopped:
            return str(Word("No quorum answered the vote to resume.", "การลงคะแนนให้เดินต่อไม่ครบองค์ประชุม"))
        return str(Word("The validators go on.", "ผู้ตรวจสอบธุรกรรมทำงานต่อ"))

    def _seal(self) -> str:
        chain = self.chain
        if self.sample.value and not len(chain.pending):
            chain.submit(self._stranger())
        block = chain.seal(chain.head.timestamp + _SLOT_US)
        rounds = chain.rounds.filter(height=block.height)
        if rounds.is_empty():
            return str(Word(f"Block {block.height} is sealed.", f"ปิดบล็อก {block.height} แล้ว"))
        last = rounds.row(0, named=True)
        after, sent = duration(last["finality_ms"]), number(last["messages"])
        return str(
            Word(
                f"Block {block.height} is final after {after} in view {last['view']}, with {sent} messages.",
                f"บล็อก {block.height} เป็นที่สิ้นสุดใน {after} ที่มุมมอง {last['view']} ด้วยข้อความ {sent} ข้อความ",
            )
        )

    def _stranger(self) -> Transaction:
        """Return a transaction of a key without a licence."""
        chain = self.chain
        return Transaction.sign(
            sandbox(0, "stranger"), chain_id=chain.chain_id, kind="transfer", nonce=chain.height,
            expiry=chain.height + _VALID_FOR, payload=b"",
        )  # fmt: skip

    def _standing(self) -> str:
        ordering = self.chain.ordering
        if isinstance(ordering, PbftOrdering):
            return standing(ordering).capitalize()
        return str(
            Word(
                "One sequencer orders these blocks: there are no validators that could lie or agree.",
                "บล็อกเหล่านี้จัดลำดับโดยผู้จัดลำดับรายเดียว จึงไม่มีผู้ตรวจสอบธุรกรรมที่จะโกหกหรือลงมติ",
            )
        )


def chain_controls(chain: ConsortiumChain) -> ChainControls:
    """Return live controls for a chain.

    Parameters
    ----------
    chain : ConsortiumChain

    Returns
    -------
    ChainControls
        An ipywidgets widget: show it as the last line of a cell.

    Raises
    ------
    ArgumentTypeError
        `chain` is not a chain.
    """
    if not isinstance(chain, ConsortiumChain):
        raise ArgumentTypeError(f"controls: expected a ConsortiumChain, got {type(chain).__name__}")
    return ChainControls(chain)
