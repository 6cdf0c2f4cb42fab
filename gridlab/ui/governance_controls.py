"""Live controls of an assembly: propose, vote, delegate, let minutes pass, and watch the curves fall."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from gridlab import settings
from gridlab.errors import ArgumentTypeError, GridlabError
from gridlab.governance.actions import TRACKS
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.voting import CONVICTIONS
from gridlab.ui.figures import number
from gridlab.ui.governance_forms import lever_value, micro_of
from gridlab.ui.governance_summary import delegations_html, referenda_table, title_of
from gridlab.ui.governance_words import (
    BALLOT_WORDS,
    STATUSES,
    TRACK_WORDS,
    action_words,
    conviction_words,
    grid_text,
)
from gridlab.ui.html import escape, scrolled
from gridlab.ui.referendum_picture import referendum_picture
from gridlab.ui.referendum_view import course_of, scene_of
from gridlab.ui.words import Word, lookup, speaking

__all__ = ["AssemblyControls", "assembly_controls"]

_HEIGHT = "620px"
_BUTTON = {"width": "auto", "flex": "1 1 110px"}

_BUTTONS = {
    "propose": Word("Propose", "เสนอ"),
    "deposit": Word("Pay the deposit", "วางเงินมัดจำ"),
    "vote": Word("Vote", "ลงคะแนน"),
    "remove": Word("Take back", "ถอนคะแนน"),
    "unlock": Word("Unlock", "ปลดล็อก"),
    "delegate": Word("Delegate", "มอบสิทธิ์"),
    "undelegate": Word("End the delegation", "เลิกมอบสิทธิ์"),
    "pass": Word("Let minutes pass", "เดินเวลา"),
}
_FIELDS = {
    "who": Word("holder:", "ผู้ถือ GRID:"),
    "lever": Word("lever:", "ค่าที่จะปรับ:"),
    "value": Word("new value:", "ค่าใหม่:"),
    "referendum": Word("referendum:", "ประชามติ:"),
    "side": Word("vote:", "คะแนน:"),
    "grid": Word("GRID:", "จำนวน GRID:"),
    "conviction": Word("conviction:", "ความเชื่อมั่น:"),
    "to": Word("delegate to:", "มอบให้:"),
    "track": Word("on the track:", "ในช่องทาง:"),
    "minutes": Word("minutes:", "นาที:"),
}
_WHEELING = "market.wheeling.postage_stamp"
_OF_REFERENDA = ("deposit", "vote", "remove")
_SIDES = ("aye", "nay", "abstain")


class AssemblyControls(widgets.VBox):
    """The controls of one assembly. What they do, they do to the assembly itself.

    Parameters
    ----------
    assembly : Assembly

    Attributes
    ----------
    fields : dict of str to ipywidgets.ValueWidget
        "who" (a holder, who does what is pressed), "lever" and "value" of a proposal, "referendum", "side", "grid" and
        "conviction" of a vote, "to" and "track" of a delegation, "minutes".
    buttons : dict of str to ipywidgets.Button
        "propose", "deposit", "vote", "remove", "unlock", "delegate", "undelegate", "pass".
    told, picture : ipywidgets.HTML
        What became of the last action, a refusal in full; the referendum against its curves, all referenda, and
        delegations.
    language : ipywidgets.ToggleButtons
        English or Thai, for these controls alone.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self._quiet = False
        self.fields = _fields(assembly)
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
        self.fields["referendum"].observe(self._look, names="value")
        self.language.observe(self._translate, names="value")

    def _columns(self) -> widgets.Box:
        def row(*names: str) -> widgets.HBox:
            return widgets.HBox([self.buttons[name] for name in names], layout=widgets.Layout(flex_flow="row wrap"))

        def of(*names: str) -> list[Any]:
            return [self.fields[name] for name in names]

        parts = [
            self.language, *of("who", "lever", "value"), row("propose"), *of("referendum"), row("deposit"),
            *of("side", "grid", "conviction"), row("vote", "remove", "unlock"), *of("to", "track"),
            row("delegate", "undelegate"), *of("minutes"), row("pass"), self.told,
        ]  # fmt: skip
        left = widgets.VBox(parts, layout=widgets.Layout(flex="1 1 320px", min_width="300px"))
        right = widgets.VBox([self.picture], layout=widgets.Layout(flex="2 1 520px", min_width="320px"))
        return widgets.Box([left, right], layout=widgets.Layout(display="flex", flex_flow="row wrap"))

    # Words and picture -----------------------------------------------------------------------------------------------

    def _translate(self, _: Any = None) -> None:
        self._quiet = True
        with speaking(self.language.value):
            for name, button in self.buttons.items():
                button.description = str(_BUTTONS[name])
            for name, field in self.fields.items():
                field.description = str(_FIELDS[name])
            self._name("side", [(lookup(BALLOT_WORDS, side), side) for side in _SIDES])
            self._name("track", [(lookup(TRACK_WORDS, track), track) for track in TRACKS])
        self._quiet = False
        self.draw()
        self._tell(self._standing)  # what was said last was said in the other language

    def _name(self, name: str, options: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        value = field.value
        field.options = options
        values = [each for _, each in options]
        if values:
            # A list that was empty stands at nothing; the newest is what people want to see.
            field.value = value if value in values else values[-1]

    def _look(self, _: Any = None) -> None:
        if not self._quiet:
            self.draw()

    def draw(self) -> None:
        """Redraw the figure, and list the referenda."""
        self._quiet = True
        with speaking(self.language.value):
            count = self.assembly.referenda.height
            self._name("referendum", [(self._titled(each), each) for each in range(count)])
            for name in _OF_REFERENDA:
                self.buttons[name].disabled = not count
            self.buttons["propose"].disabled = not self.fields["lever"].options
            self.picture.value = self._figure()
        self._quiet = False

    def _titled(self, referendum: int) -> str:
        return f"#{referendum} {lookup(STATUSES, self.assembly.status(referendum))}"

    def _figure(self) -> str:
        scene, chosen = scene_of(self.assembly), self.fields["referendum"].value
        parts = []
        if chosen is not None:
            title = title_of(chosen)
            picture = scrolled(referendum_picture(course_of(self.assembly, chosen), title), 420)
            parts.append(f'<div style="font-weight:600">{escape(title)}</div>{picture}')
        return "".join([*parts, referenda_table(scene), delegations_html(scene)])

    def _tell(self, say: Callable[[], str]) -> None:
        """Say what an action returns, or in full why it was refused."""
        with speaking(self.language.value):
            try:
                words, role, colour = say(), "status", "inherit"
            except GridlabError as problem:
                words, role, colour = f"⚠ {self._named(str(problem))}", "alert", "#d55e00"
            self.told.value = f'<div role="{role}" style="color:{colour};line-height:1.35">{escape(words)}</div>'

    def _named(self, words: str) -> str:
        """Return a refusal with the names of holders in place of their accounts' numbers."""
        names = {str(self.assembly.account(name)): name for name in self.assembly.holders}
        return re.sub(r"\baccount (\d+)", lambda found: names.get(found[1], found[0]), words)

    # Actions ---------------------------------------------------------------------------------------------------------

    def _press(self, name: str, _: Any = None) -> None:
        self.buttons[name].disabled = True  # a second press while the first is at work would do it twice
        try:
            self._tell(getattr(self, f"_{name}"))
        finally:
            self.buttons[name].disabled = False
            self.draw()

    def _is(self, name: str) -> Any:
        return self.fields[name].value

    def _propose(self) -> str:
        path = self._is("lever")
        made = self.assembly.propose(self._is("who"), {path: lever_value(self._is("value"))})
        self.draw()
        self.fields["referendum"].value = made
        return str(
            Word(
                f"Referendum {made} is proposed; it needs a decision deposit, which anybody may pay.",
                f"เสนอประชามติที่ {made} แล้ว ยังต้องวางเงินมัดจำเพื่อเข้าสู่การตัดสิน ซึ่งใครจ่ายก็ได้",
            )
        )

    def _deposit(self) -> str:
        who, referendum = self._is("who"), self._is("referendum")
        self.assembly.place_deposit(who, referendum)
        return str(
            Word(
                f"{who} pays the decision deposit of referendum {referendum}.",
                f"{who} วางเงินมัดจำเพื่อตัดสินประชามติที่ {referendum}",
            )
        )

    def _vote(self) -> str:
        who, referendum, side = self._is("who"), self._is("referendum"), self._is("side")
        amount, level = micro_of(self._is("grid")), self._is("conviction")
        if side == "abstain":
            ballot = Ballot.split(abstain=amount)
        else:
            make = Ballot.for_it if side == "aye" else Ballot.against
            ballot = make(amount, CONVICTIONS[level])
        self.assembly.vote(who, referendum, ballot)
        words, told = lookup(BALLOT_WORDS, side), f"{grid_text(amount)} · {conviction_words(ballot.level)}"
        return str(
            Word(
                f"{who} votes {words} in referendum {referendum}: {told}.",
                f"{who} ลงคะแนน{words}ในประชามติที่ {referendum}: {told}",
            )
        )

    def _remove(self) -> str:
        who, referendum = self._is("who"), self._is("referendum")
        self.assembly.remove_vote(who, referendum)
        return str(
            Word(
                f"{who} has no vote in referendum {referendum} any more.",
                f"{who} ไม่มีคะแนนในประชามติที่ {referendum} แล้ว",
            )
        )

    def _unlock(self) -> str:
        who = self._is("who")
        left = grid_text(self.assembly.unlock(who))
        return str(Word(f"{left} of {who} stay locked.", f"GRID ของ {who} ยังถูกล็อกอยู่ {left}"))

    def _delegate(self) -> str:
        who, to, track = self._is("who"), self._is("to"), self._is("track")
        amount, level = micro_of(self._is("grid")), self._is("conviction")
        self.assembly.delegate(who, track, to, amount, CONVICTIONS[level])
        told, on = f"{grid_text(amount)} · {conviction_words(level)}", lookup(TRACK_WORDS, track)
        return str(Word(f"{who} delegates to {to} ({on}): {told}.", f"{who} มอบสิทธิ์ให้ {to} ({on}): {told}"))

    def _undelegate(self) -> str:
        who, track = self._is("who"), self._is("track")
        self.assembly.undelegate(who, track)
        on = lookup(TRACK_WORDS, track)
        return str(Word(f"{who} votes itself again ({on}).", f"{who} กลับมาลงคะแนนเอง ({on})"))

    def _pass(self) -> str:
        done = self.assembly.advance(self._is("minutes"))
        if done.is_empty():
            return self._standing()
        scene = scene_of(self.assembly)
        told = []
        for referendum in done["referendum"].unique(maintain_order=True).to_list():
            one = scene.book.referendum(referendum)
            acted = action_words(one.action, scene.names)
            if one.outcome == "enacted":
                told.append(str(Word(f"Enacted: {acted}.", f"มีผลบังคับใช้: {acted}")))
            else:
                why = self._named(one.outcome)
                told.append(str(Word(f"Not enacted: {acted}: {why}.", f"บังคับใช้ไม่สำเร็จ: {acted}: {why}")))
        return " ".join([*told, self._standing()])

    def _standing(self) -> str:
        who = self.assembly
        going = [each for each in range(who.referenda.height) if who.book.referendum(each).ongoing]
        return str(
            Word(
                f"Minute {number(who.height)}: {len(going)} of {who.referenda.height} referenda go on.",
                f"นาทีที่ {number(who.height)}: ประชามติดำเนินอยู่ {len(going)} จาก {who.referenda.height} เรื่อง",
            )
        )


def _fields(assembly: Assembly) -> dict[str, Any]:
    """Return the widgets that say who does what."""
    common = {"layout": widgets.Layout(width="98%"), "style": {"description_width": "120px"}}
    holders, levers = list(assembly.holders), list(assembly.book.table)
    return {
        "who": widgets.Dropdown(options=holders, **common),
        "lever": widgets.Dropdown(options=levers, value=_first(levers), **common),
        "value": widgets.Text(value="", continuous_update=False, **common),
        "referendum": widgets.Dropdown(options=[], **common),
        "side": widgets.Dropdown(options=list(_SIDES), **common),
        "grid": widgets.BoundedFloatText(value=1_000.0, min=0.0, max=1e12, step=100.0, **common),
        "conviction": widgets.Dropdown(
            options=[(conviction_words(level), level) for level in range(len(CONVICTIONS))], value=1, **common
        ),
        "to": widgets.Dropdown(options=holders, value=holders[-1] if holders else None, **common),
        "track": widgets.Dropdown(options=list(TRACKS), **common),
        "minutes": widgets.IntSlider(value=10, min=1, max=240, **common),
    }


def _first(levers: list[str]) -> str | None:
    """Return the lever that stands chosen: wheeling, that of the policy question, or the first."""
    return _WHEELING if _WHEELING in levers else next(iter(levers), None)


def assembly_controls(assembly: Assembly) -> AssemblyControls:
    """Return live controls for an assembly.

    Raises
    ------
    ArgumentTypeError
        `assembly` is not an `Assembly`.
    """
    if not isinstance(assembly, Assembly):
        raise ArgumentTypeError(f"controls: expected an Assembly, got {type(assembly).__name__}")
    return AssemblyControls(assembly)
