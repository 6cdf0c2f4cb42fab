"""Questions, the keys to them, and the verdict on an answer.

A question knows how to work its answer out; nothing that the market gives is written down here. A typical mistake is
worked out the same way, so that its hint comes up when a reader makes it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from gridlab import settings, units
from gridlab.errors import GridlabError, nearest

__all__ = ["Key", "Mistake", "NumberQuestion", "Phrase", "Question", "Verdict", "WordQuestion"]

_LINE = 100
# A hint that an answer is nearly right comes up to this many tolerances away.
_NEARLY = 10
_COUNTED_FINER = (1000, 1_000_000)  # Wh and THB/MWh; micro-THB


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text in both languages; ``str(phrase)`` is the one in force.

    Attributes
    ----------
    english, thai : str
    """

    english: str
    thai: str

    def __str__(self) -> str:
        return settings.say(self.english, self.thai)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A typical wrong answer and the hint that it deserves.

    Attributes
    ----------
    answer : Fraction or str
        What the mistake leads to.
    hint : Phrase
    """

    answer: Fraction | str
    hint: Phrase


@dataclass(frozen=True, slots=True)
class Key:
    """What is known about the answer of a question, worked out from a lab.

    Attributes
    ----------
    answer : Fraction or str
    why : Phrase
        Shown with a right answer.
    mistakes : tuple of Mistake
        The first that fits gives its hint.
    """

    answer: Fraction | str
    why: Phrase
    mistakes: tuple[Mistake, ...] = ()


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
class Question:
    """A question of a lesson.

    Attributes
    ----------
    name : str
        Lesson and number, such as ``01-q2``.
    grade : int
        1 to 3, the stars of the exercise.
    asks : Phrase
    hint : Phrase
        For a wrong answer that is no typical mistake.
    solve : callable
        Works out the key; called when the question is first checked.
    """

    name: str
    grade: int
    asks: Phrase
    hint: Phrase
    solve: Callable[[], Key]

    def expects(self) -> Phrase:
        """Say what kind of answer is asked for."""
        raise AssertionError("each kind of question says what it expects")

    def judge(self, answer: object) -> Verdict:
        """Return the verdict on `answer`; an answer of another kind than asked for gets a hint, too."""
        raise AssertionError("each kind of question judges its own answers")

    def _verdict(self, *, correct: bool, text: Phrase) -> Verdict:
        return Verdict(self.name, correct, str(text))


@dataclass(frozen=True, slots=True)
class NumberQuestion(Question):
    """A question whose answer is a number.

    Attributes
    ----------
    unit : str
    within : Fraction
        How far from the key an answer may lie.
    """

    unit: str = ""
    within: Fraction = Fraction(1, 100)

    def expects(self) -> Phrase:
        unit = f" ({self.unit})" if self.unit else ""
        return Phrase(f"a number{unit}", f"ตัวเลข{unit}")

    def judge(self, answer: object) -> Verdict:
        try:
            given = units.exact(_alone(answer), what=self.name)  # type: ignore[arg-type]
        except GridlabError:
            return self._verdict(correct=False, text=_not_a_number(answer, self.expects()))
        key = self.solve()
        right = _fraction(key.answer)
        if abs(given - right) <= self.within:
            return self._verdict(correct=True, text=key.why)
        for mistake in key.mistakes:
            if abs(given - _fraction(mistake.answer)) <= self.within:
                return self._verdict(correct=False, text=mistake.hint)
        return self._verdict(correct=False, text=self._by_size(given, right) or self.hint)

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

    choices: tuple[str, ...] = ()

    def expects(self) -> Phrase:
        words = ", ".join(repr(word) for word in self.choices)
        return Phrase(f"one of {words}", f"หนึ่งใน {words}")

    def judge(self, answer: object) -> Verdict:
        alone = _alone(answer)
        given = _plain(alone) if isinstance(alone, str) else None
        known = {_plain(word): word for word in self.choices}
        if given not in known:
            return self._verdict(correct=False, text=_not_a_choice(alone, self.choices))
        key = self.solve()
        if known[given] == key.answer:
            return self._verdict(correct=True, text=key.why)
        hints = [mistake.hint for mistake in key.mistakes if mistake.answer == known[given]]
        return self._verdict(correct=False, text=hints[0] if hints else self.hint)


def _fraction(value: Fraction | str) -> Fraction:
    return Fraction(value)


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
        return Phrase(f"No answer yet: {expects.english} is asked for.", f"ยังไม่มีคำตอบ คำถามนี้ต้องการ{expects.thai}")
    hint, hint_th = "", ""
    if isinstance(answer, str):
        hint, hint_th = " Write it without quotation marks.", " ให้พิมพ์โดยไม่ใส่เครื่องหมายคำพูด"
    elif isinstance(answer, (pl.DataFrame, pl.Series)):
        hint, hint_th = " Pick the one value, for example with .item().", " ให้เลือกค่าเดียว เช่น ใช้ .item()"
    return Phrase(
        f"{expects.english[0].upper()}{expects.english[1:]} is asked for; this is a {kind}.{hint}",
        f"คำถามนี้ต้องการ{expects.thai} แต่คำตอบเป็น {kind}{hint_th}",
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
