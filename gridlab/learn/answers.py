"""Questions, the keys to them, and the verdict on an answer.

A question knows how to work its answer out; nothing that the market gives is written down. A typical mistake is worked
out the same way, so that its hint comes up when a reader makes it. The words stand in the lesson's TOML file.
"""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

import polars as pl

from gridlab import settings, units
from gridlab.errors import GridlabError, nearest

__all__ = ["Key", "NumberQuestion", "Phrase", "Question", "Verdict", "WordQuestion"]

_LINE = 100
# A hint that an answer is nearly right comes up to this many tolerances away.
_NEARLY = 10
_COUNTED_FINER = (1000, 1_000_000)  # Wh and THB/MWh; micro-THB

Value = Fraction | str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text in both languages; ``str(phrase)`` is the one in force.

    Attributes
    ----------
    en, th : str
        May hold fields such as ``{bill:.2f}``, which `filled` fills in.
    """

    en: str
    th: str

    def __str__(self) -> str:
        return settings.say(self.en, self.th)

    def filled(self, facts: Mapping[str, object]) -> str:
        """Return the text in the language in force, its fields filled in with `facts`."""
        return str(self).format(**facts)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known about the answer of a question, worked out from a lab.

    Attributes
    ----------
    answer : Fraction or str
    mistakes : Mapping[str, Fraction or str]
        Name of a typical mistake -> the answer that it leads to.
    facts : Mapping[str, object]
        What the texts of the question mention.
    """

    answer: Value
    mistakes: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What is said to an answer; true where it is right.

    Attributes
    ----------
    question : str
    correct : bool
    text : str
        Why it is right, or a hint.
    """

    question: str
    correct: bool
    text: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        word = settings.say("Correct.", "ถูกต้อง") if self.correct else settings.say("Not yet.", "ยังไม่ใช่")
        # Thai has no blanks between words, so that only English lines can be folded.
        text = f"{self.question}: {word} {self.text}"
        return text if settings.current().language == "th" else textwrap.fill(text, _LINE)


@dataclass(frozen=True, slots=True)
class Question(ABC):
    """A question of a lesson.

    Attributes
    ----------
    name : str
        Lesson and number, such as ``01-q2``.
    grade : int
        1 to 3, the stars of the exercise.
    asks : Phrase
    why : Phrase
        Shown with a right answer.
    hint : Phrase
        For a wrong answer that is no typical mistake.
    mistakes : Mapping[str, Phrase]
        Name of a typical mistake, as in its `Key` -> hint.
    solve : callable
        Works out the key when the question is checked.
    """

    name: str
    grade: int
    asks: Phrase
    why: Phrase
    hint: Phrase
    mistakes: Mapping[str, Phrase]
    solve: Callable[[], Key]

    @abstractmethod
    def expects(self) -> Phrase:
        """Say what kind of answer is asked for."""

    @abstractmethod
    def judge(self, answer: object) -> Verdict:
        """Return the verdict on `answer`; an answer of another kind than asked for gets a hint, too."""

    def _right(self, key: Key) -> Verdict:
        return Verdict(self.name, correct=True, text=self.why.filled(key.facts))

    def _wrong(self, hint: Phrase) -> Verdict:
        return Verdict(self.name, correct=False, text=str(hint))


@dataclass(frozen=True, slots=True)
class NumberQuestion(Question):
    """A question whose answer is a number.

    Attributes
    ----------
    unit : str
    within : Fraction
        How far from the key an answer may lie.
    """

    unit: str
    within: Fraction

    def expects(self) -> Phrase:
        """Say that a number is asked for, and its unit."""
        return Phrase(f"a number in {self.unit}", f"ตัวเลขเป็น {self.unit}")

    def judge(self, answer: object) -> Verdict:
        """Return the verdict on a number, as near as `within`; a wrong one is looked up among the typical mistakes."""
        try:
            given = units.exact(_alone(answer), what=self.name)  # type: ignore[arg-type]
        except GridlabError:
            return self._wrong(_not_a_number(answer, self.expects()))
        key = self.solve()
        right = Fraction(key.answer)
        if abs(given - right) <= self.within:
            return self._right(key)
        for name, value in key.mistakes.items():
            if abs(given - Fraction(value)) <= self.within:
                return self._wrong(self.mistakes[name])
        return self._wrong(self._by_size(given, right) or self.hint)

    def _by_size(self, given: Fraction, right: Fraction) -> Phrase | None:
        if abs(given + right) <= self.within:
            return Phrase("The size is right; look at the sign.", "ขนาดถูกแล้ว ลองดูเครื่องหมายบวกลบ")
        if any(abs(given - right * scale) <= self.within * scale for scale in _COUNTED_FINER):
            return Phrase(
                f"The digits are right; the answer is asked for in {self.unit}. Frames count energy in Wh, prices in "
                "THB/MWh and money in micro-THB: divide.",
                f"ตัวเลขถูกแล้ว แต่คำถามให้ตอบเป็น {self.unit} ตารางนับพลังงานเป็น Wh ราคาเป็นบาทต่อ MWh และเงินเป็นไมโครบาท ลองหาร",
            )
        if abs(given - right) <= self.within * _NEARLY:
            return Phrase(
                "Very near. Keep all decimals and round once, at the end.",
                "ใกล้มากแล้ว เก็บทศนิยมไว้ทุกหลัก แล้วปัดครั้งเดียวตอนท้าย",
            )
        return None


@dataclass(frozen=True, slots=True)
class WordQuestion(Question):
    """A question whose answer is one of several words.

    Attributes
    ----------
    choices : tuple of str
    """

    choices: tuple[str, ...]

    def expects(self) -> Phrase:
        """Say which words are possible."""
        words = ", ".join(self.choices)
        return Phrase(f"one of {words}", f"หนึ่งใน {words}")

    def judge(self, answer: object) -> Verdict:
        """Return the verdict on a word in any case; blanks and hyphens count as underscores."""
        alone = _alone(answer)
        given = _plain(alone) if isinstance(alone, str) else None
        known = {_plain(word): word for word in self.choices}
        if given not in known:
            return self._wrong(_not_a_choice(alone, self.choices))
        key = self.solve()
        if known[given] == key.answer:
            return self._right(key)
        hints = [self.mistakes[name] for name, value in key.mistakes.items() if value == known[given]]
        return self._wrong(hints[0] if hints else self.hint)


def _alone(answer: object) -> object:
    """Return the one value of a frame or series that holds one, else the answer itself."""
    if isinstance(answer, pl.DataFrame) and answer.shape == (1, 1):
        return answer.item()
    return answer.item() if isinstance(answer, pl.Series) and answer.len() == 1 else answer


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split())


def _not_a_number(answer: object, expects: Phrase) -> Phrase:
    kind = type(answer).__name__
    if answer is None or answer is ...:
        return Phrase(f"No answer yet: {expects.en} is asked for.", f"ยังไม่มีคำตอบ คำถามนี้ต้องการ{expects.th}")
    hint, hint_th = "", ""
    if isinstance(answer, str):
        hint, hint_th = " Write it without quotation marks.", " ให้พิมพ์โดยไม่ใส่เครื่องหมายคำพูด"
    elif isinstance(answer, (pl.DataFrame, pl.Series)):
        hint, hint_th = " Pick the one value, for example with .item().", " ให้เลือกค่าเดียว เช่น ใช้ .item()"
    return Phrase(
        f"{expects.en[0].upper()}{expects.en[1:]} is asked for; this is a {kind}.{hint}",
        f"คำถามนี้ต้องการ{expects.th} แต่คำตอบเป็น {kind}{hint_th}",
    )


def _not_a_choice(answer: object, choices: tuple[str, ...]) -> Phrase:
    words = ", ".join(repr(word) for word in choices)
    if not isinstance(answer, str):
        given = "no answer yet" if answer is None or answer is ... else f"this is a {type(answer).__name__}"
        return Phrase(f"A word is asked for, one of {words}; {given}.", f"คำถามนี้ต้องการคำหนึ่งคำ คือหนึ่งใน {words}")
    return Phrase(
        f"{answer!r} is none of the possible answers; {nearest(answer, choices)}",
        f"{answer!r} ไม่อยู่ในคำตอบที่เป็นไปได้ ซึ่งมี {words}",
    )
