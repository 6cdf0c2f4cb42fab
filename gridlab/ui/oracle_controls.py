"""Live controls of the oracle network: bribe providers, cut a feed, and watch round by round what is reported."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import ipywidgets as widgets
import polars as pl

from gridlab.calendar import slots
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError, nearest
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.oracle import Oracle
from gridlab.oracle.roster import KINDS
from gridlab.ui.consensus_words import ranges
from gridlab.ui.figures import clock, day_of, duration
from gridlab.ui.html import definitions, escape, scrolled
from gridlab.ui.lever_panel import LeverPanel
from gridlab.ui.oracle_pictures import day_picture, provider_strip, round_picture
from gridlab.ui.oracle_rounds import round_rows, said_in
from gridlab.ui.oracle_summary import score_table
from gridlab.ui.oracle_words import FAMILY_WORDS, PROVIDER_KINDS, STATUS_WORDS, member_words, value_text
from gridlab.ui.word import Word, lookup

__all__ = ["OracleControls", "oracle_controls"]

_HEIGHT = "1080px"
_RULES = Word("Rules of the network", "กติกาของเครือข่าย")
_HOURS = 24
_WIDE = {"width": "98%"}
_BUTTON = {"width": "auto", "flex": "1 1 110px"}
_BUTTONS = {
    "bribe": Word("Bribe them", "ติดสินบน"),
    "cut": Word("Cut the feed", "ตัดข้อมูล"),
    "mend": Word("Mend all", "คืนสภาพทั้งหมด"),
    "day": Word("Run the next day", "เดินวันถัดไป"),
}


class OracleControls(LeverPanel):
    """The controls of one oracle network. What they do, they do to the network itself.

    Parameters
    ----------
    oracle : Oracle
    feeds : Feeds
        The world that is looked at.
    feed : str
    day : date
    seed : int
        Of errors and delays.

    Attributes
    ----------
    chosen : ipywidgets.SelectMultiple
        The providers that the next bribe is for.
    kind : ipywidgets.Dropdown
        What they are paid to do.
    bias : ipywidgets.FloatSlider
        How far they then lie (% of the value).
    hours : ipywidgets.IntRangeSlider
        From when until when the next cut lasts (hours of the day).
    family, about : ipywidgets.Dropdown
        Which feed is watched.
    round : ipywidgets.IntSlider
        Which round of the day; `play` moves it on.
    buttons : dict of str to ipywidgets.Button
        "bribe", "cut", "mend", "day".
    run : OracleRun
        The day that is shown.
    """

    def __init__(self, oracle: Oracle, feeds: Feeds, *, feed: str, day: date, seed: int) -> None:
        self.oracle, self.feeds, self.day, self.seed = oracle, feeds, day, seed
        super().__init__({"oracle": (_RULES, oracle)}, height=_HEIGHT)
        wide, shown = widgets.Layout(**_WIDE), {"description_width": "120px"}
        self.chosen = widgets.SelectMultiple(rows=6, layout=wide, style=shown)
        self.kind = widgets.Dropdown(options=list(KINDS), value="lying", layout=wide, style=shown)
        self.bias = widgets.FloatSlider(value=20, min=-200, max=200, step=1, layout=wide, style=shown)
        self.hours = widgets.IntRangeSlider(value=(10, 14), min=0, max=_HOURS, layout=wide, style=shown)
        self.family = widgets.Dropdown(layout=widgets.Layout(width="49%"))
        self.about = widgets.Dropdown(layout=widgets.Layout(width="49%"))
        self.round = widgets.IntSlider(value=48, min=0, max=95, layout=widgets.Layout(width="70%"))
        self.play = widgets.Play(value=48, min=0, max=95, interval=500)
        self._link = widgets.jslink((self.play, "value"), (self.round, "value"))
        self.buttons = {name: widgets.Button(layout=widgets.Layout(**_BUTTON)) for name in _BUTTONS}
        prefix, _, about = feed.rpartition("/")
        self._shown = feed, day
        self._name_feeds(prefix, about)
        self._place(list(self.buttons.values()))
        self._listen()

    def _place(self, buttons: list[widgets.Button]) -> None:
        def row(*members: widgets.Widget) -> widgets.HBox:
            return widgets.HBox(list(members), layout=widgets.Layout(flex_flow="row wrap"))

        left = [self.chosen, self.kind, self.bias, self.hours, row(*buttons)]
        self.arrange(left, [row(self.family, self.about), row(self.play, self.round)], fold=None)

    def _listen(self) -> None:
        for name, button in self.buttons.items():
            button.on_click(partial(self._press, name))
        self.family.observe(self._other_family, names="value")
        self.about.observe(self._other_feed, names="value")
        self.round.observe(self._look, names="value")

    @property
    def feed(self) -> str:
        """The feed that is watched."""
        return f"{self.family.value}/{self.about.value}"

    # What is shown

    def _compute(self) -> None:
        times, wanted = slots(self.day, hours=_HOURS), (self.feed, self.day)
        try:
            self.run = self.oracle.run(self.feeds.truth(times, [self.feed]), seed=self.seed, sign=False)
        except GridlabError:
            # A feed or day that there is not: what is shown stays, and the lists say so.
            shown, self.day = self._shown
            self._name_feeds(*shown.rsplit("/", 1))
            raise
        self._shown = wanted
        self._list_providers()

    def _list_providers(self) -> None:
        count, chosen = int(self.oracle.providers), self.chosen.value
        if len(self.chosen.options) != count:
            self.chosen.options = [(str(each), each) for each in range(count)]
            self.chosen.value = tuple(each for each in chosen if each < count)

    def _figure(self) -> str:
        place = self.round.value
        reputation = self.run.scores["reputation"].to_list()
        title = day_of(datetime.combine(self.day, datetime.min.time()))
        parts = [
            f'<div style="font-weight:600">{escape(title)}</div>',
            scrolled(provider_strip(self.run.scores["kind"].to_list(), [str(points) for points in reputation]), 480),
            _small(Word("Below each provider: its reputation at the end of the day.",
                        "ตัวเลขใต้ผู้ให้ข้อมูลแต่ละราย: คะแนนชื่อเสียงเมื่อสิ้นวัน")),
            scrolled(day_picture(self.run, self.feed, place, height=220.0), 420),
            scrolled(round_picture(self.run, self.feed, place), 420),
            definitions(self._round_figures(place)),
            score_table(self.run),
        ]  # fmt: skip
        return "".join(parts)

    def _round_figures(self, place: int) -> list[tuple[object, str]]:
        row = round_rows(self.run, self.feed).row(place, named=True)
        said = said_in(self.run, self.feed, row["round"])
        who = said.filter(pl.col("state") == "lies")["provider"].to_list()
        report = self.run.reports.filter(pl.col("round") == row["round"])
        late = (report["published"][0] - row["time"]).total_seconds() * 1000 if report.height else None
        slashed = self.run.scores.filter(pl.col("slashed") > 0)["provider"].to_list()
        nobody = "\N{EN DASH}"
        return [
            (Word("Round at", "รอบเวลา"), escape(clock(row["time"]))),
            (Word("What became of it", "ผลของรอบ"), escape(lookup(STATUS_WORDS, row["status"]))),
            (Word("Truth", "ค่าจริง"), escape(value_text(self.feed, row["truth"]))),
            (Word("Median", "มัธยฐาน"), escape(value_text(self.feed, row["value"]))),
            (Word("Outliers, or not counted", "ค่าผิดปกติหรือไม่นับ"), escape(ranges(who) if who else nobody)),
            (Word("Published after", "เผยแพร่ภายใน"), nobody if late is None else duration(late)),
            (Word("Slashed for two values", "ถูกริบเพราะลงนามสองค่า"), escape(ranges(slashed) if slashed else nobody)),
        ]

    def _name(self) -> None:
        kind = self.kind.value
        self.kind.options = [(lookup(PROVIDER_KINDS, name), name) for name in KINDS]
        self.kind.value = kind  # new options make a list jump to its first one
        for name, button in self.buttons.items():
            button.description = str(_BUTTONS[name])
        for widget, word in (
            (self.chosen, Word("providers", "ผู้ให้ข้อมูล")),
            (self.kind, Word("are paid to be", "จ้างให้")),
            (self.bias, Word("lie by (%)", "บิดเบือน (%)")),
            (self.hours, Word("cut, hours", "ตัดช่วงเวลา (น.)")),
            (self.round, Word("round", "รอบ")),
        ):
            widget.description = str(word)
        self._name_feeds(self.family.value, self.about.value)

    def _name_feeds(self, prefix: str, about: str) -> None:
        # New options make a list jump to its first one, which nobody chose.
        with self.silence():
            self.family.options = [(str(word), name) for name, word in FAMILY_WORDS.items()]
            self.family.value = prefix
            members = [name.rpartition("/")[2] for name in self.feeds.names() if name.rpartition("/")[0] == prefix]
            self.about.options = [(member_words(name), name) for name in members]
            self.about.value = about if about in members else members[0]

    # What happens

    def _look(self, _: Any) -> None:
        if not self.quiet:
            self.draw()

    def _other_family(self, _: Any) -> None:
        if not self.quiet:
            self._name_feeds(self.family.value, self.about.value)
            self.act(lambda: None)

    def _other_feed(self, _: Any) -> None:
        if not self.quiet:
            self.act(lambda: None)

    def _press(self, name: str, _: Any = None) -> None:
        self.act(getattr(self, f"_do_{name}"))

    def _do_bribe(self) -> Word:
        who = self.chosen.value
        if not who:
            return Word("First choose providers in the list.", "เลือกผู้ให้ข้อมูลในรายการก่อน")
        for provider in who:
            self.oracle.bribe(provider, self.kind.value, bias=self.bias.value)
        word = PROVIDER_KINDS[self.kind.value]
        return Word(
            f"From now on {word.english}: {ranges(who)}.",
            f"นับจากนี้ {word.thai}: ผู้ให้ข้อมูล {ranges(who)}",
        )

    def _do_cut(self) -> Word:
        first, last = self.hours.value
        start = datetime.combine(self.day, datetime.min.time())
        self.oracle.cut(self.feed, start + timedelta(hours=first), start + timedelta(hours=last))
        return Word(
            f"Nobody sees the feed from {first}:00 to {last}:00.",
            f"ไม่มีผู้ใดเห็นข้อมูลนี้ตั้งแต่ {first}:00 น. ถึง {last}:00 น.",
        )

    def _do_mend(self) -> Word:
        self.oracle.mend()
        return Word("Bribes and cuts are taken back.", "ยกเลิกสินบนและการตัดข้อมูลทั้งหมดแล้ว")

    def _do_day(self) -> Word:
        self.day += timedelta(days=1)
        return Word("A new day; bribes hold, cuts were of the day before.", "วันใหม่ สินบนยังมีผล การตัดข้อมูลเป็นของวันก่อน")


def _small(words: object) -> str:
    return f'<div style="font-size:12px;opacity:.75">{escape(words)}</div>'


def oracle_controls(
    oracle: Oracle,
    *,
    feeds: Feeds | None = None,
    feed: str = "price/wholesale",
    day: date | datetime | str = "2026-04-20",
    seed: int = 0,
) -> OracleControls:
    """Return live controls for an oracle network.

    Parameters
    ----------
    oracle : Oracle
        Bribes, cuts and levers are set on it.
    feeds : Feeds, optional
        The world that is looked at; a synthetic one unless given.
    feed : str
        The feed that is watched first.
    day : date, datetime or str
        The first day, as `gridlab.calendar.slots` reads it.
    seed : int
        Of errors and delays.

    Raises
    ------
    ArgumentTypeError, ArgumentError, CalendarError
        An argument does not fit.
    """
    if not isinstance(oracle, Oracle):
        raise ArgumentTypeError(f"controls: expected an Oracle, got {type(oracle).__name__}")
    world = Feeds(seed) if feeds is None else feeds
    if not isinstance(world, Feeds):
        raise ArgumentTypeError(f"feeds is a {type(feeds).__name__}, allowed: Feeds(…)")
    if feed not in world.names():
        raise ArgumentError(f"there is no feed {feed!r}; {nearest(feed, world.names())}")
    first: datetime = slots(day, slots=1)[0]
    return OracleControls(oracle, world, feed=feed, day=first.date(), seed=seed)
