"""Exercises: right answers are told why, typical mistakes get their own hint, and no hint gives the answer away."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.kpis import balances
from gridlab.learn import lesson_01
from gridlab.learn.answers import NumberQuestion, WordQuestion
from gridlab.learn.bank import all_questions
from gridlab.market.charges.retail import marginal_rate
from tests.house import ROOT

QUESTIONS = all_questions()
NUMBERS = [name for name, question in QUESTIONS.items() if isinstance(question, NumberQuestion)]
WORDS = [name for name, question in QUESTIONS.items() if isinstance(question, WordQuestion)]
LANGUAGES = ("en", "th")


@pytest.fixture(autouse=True)
def _english_again():
    yield
    gl.config(language="en")


def key_of(name):
    return QUESTIONS[name].solve()


def shown(answer):
    return answer if isinstance(answer, str) else float(answer)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_right_answer_is_accepted_with_a_reason(name, language):
    gl.config(language=language)
    verdict = gl.learn.check(name, shown(key_of(name).answer))
    assert verdict
    assert verdict.correct is True
    assert len(verdict.text) > 40
    assert not re.search(r"[{}]", verdict.text)


MISTAKES = [(name, mistake) for name, question in QUESTIONS.items() for mistake in question.mistakes]


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_typical_mistake_gets_its_own_hint(name, mistake):
    wrong = shown(key_of(name).mistakes[mistake])
    verdict = gl.learn.check(name, wrong)
    assert not verdict
    assert verdict.text == QUESTIONS[name].mistakes[mistake].en


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_mistake_that_a_key_knows_has_words_and_the_other_way_round(name):
    assert set(key_of(name).mistakes) == set(QUESTIONS[name].mistakes)


@pytest.mark.parametrize("name", NUMBERS)
def test_mistakes_of_a_number_lie_apart_from_the_answer_and_from_each_other(name):
    key, within = key_of(name), QUESTIONS[name].within
    values = sorted([Fraction(key.answer), *map(Fraction, key.mistakes.values())])
    assert all(after - before > 2 * within for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_no_hint_gives_the_answer_away(name, language):
    gl.config(language=language)
    key, question = key_of(name), QUESTIONS[name]
    hints = [str(question.hint), *map(str, question.mistakes.values())]
    if isinstance(question, WordQuestion):
        assert not [hint for hint in hints if str(key.answer).casefold() in hint.casefold()]
    else:
        written = {float(number) for hint in hints for number in re.findall(r"\d+(?:\.\d+)?", hint)}
        assert not [number for number in written if abs(Fraction(number) - Fraction(key.answer)) <= question.within]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda right, within: right + 3 * within, "Very near"),
        (lambda right, within: -right, "sign"),
        (lambda right, within: right * 1000, "divide"),
        (lambda right, within: right * 1_000_000, "divide"),
    ],
)
def test_number_of_the_wrong_size_is_told_so(name, change, said):
    question = QUESTIONS[name]
    text = gl.learn.check(name, float(change(Fraction(key_of(name).answer), question.within))).text
    assert said in text or text in map(str, question.mistakes.values())


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("kind", [float, np.float64, np.float32, Fraction, lambda value: pl.Series([value])])
def test_number_may_come_as_any_kind_of_number(name, kind):
    assert gl.learn.check(name, kind(float(key_of(name).answer)))


@pytest.mark.parametrize("name", NUMBERS)
def test_frame_of_one_value_counts_as_the_value(name):
    assert gl.learn.check(name, pl.DataFrame({"answer": [float(key_of(name).answer)]}))


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("write", [str.upper, str.title, lambda word: f" {word.replace('_', ' ')} "])
def test_word_may_be_written_in_any_case_and_with_blanks(name, write):
    assert gl.learn.check(name, write(key_of(name).answer))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "answer", ["9.20", None, ..., True, float("nan"), float("inf"), [9.2], {}, pl.DataFrame({"a": [1, 2]})]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_told_so_kindly(name, answer, language):
    gl.config(language=language)
    verdict = gl.learn.check(name, answer)
    assert not verdict
    assert QUESTIONS[name].unit in verdict.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ["Chiang Mai", "", 7, None, ..., ["NAC"], pl.DataFrame({"a": [1, 2]})])
@pytest.mark.parametrize("name", WORDS)
def test_what_is_no_possible_word_is_told_what_is(name, answer, language):
    gl.config(language=language)
    verdict = gl.learn.check(name, answer)
    assert not verdict
    assert all(choice in verdict.text for choice in QUESTIONS[name].choices) or "did you mean" in verdict.text


@pytest.mark.parametrize("name", ["01-q9", "1-q1", ""])
def test_unknown_question_names_the_nearest_and_the_list(name):
    with pytest.raises(ArgumentError, match=r"01-q\d.*gl\.learn\.questions\(\)"):
        gl.learn.check(name, 1)


def test_question_that_is_no_text_is_an_error():
    with pytest.raises(ArgumentTypeError, match="question: expected text"):
        gl.learn.check(1, 1)


def test_verdict_is_one_short_paragraph():
    verdict = gl.learn.check("01-q2", "SAC")
    assert repr(verdict).startswith("01-q2: Not yet. ")
    assert max(map(len, repr(verdict).splitlines())) <= 100


def test_questions_lists_every_question_in_both_languages():
    listed = gl.learn.questions()
    assert listed["question"].to_list() == list(QUESTIONS)
    assert sorted(listed["grade"].unique()) == [1, 2, 3]
    assert listed["asks_th"].str.contains("[\u0e01-\u0e5b]").all()


def test_moved_levers_do_not_change_what_is_right():
    right = key_of("01-q3").answer
    gl.Lab.thailand().set({"market.wheeling.postage_stamp": 0.0, "market.fee": 1.0})
    assert key_of("01-q3").answer == right


# The people of lesson 01 must stay who the lesson says they are.


def test_malai_and_somchai_are_neighbours_and_only_she_has_a_roof():
    lab = gl.Lab.thailand(prosumers=200)
    malai, somchai = (lab.agents.accounts().row(index, named=True) for index in (lesson_01.MALAI, lesson_01.SOMCHAI))
    assert malai["kind"] == somchai["kind"] == "household"
    assert malai["zone"] == somchai["zone"] == "CAC"
    assert malai["transformer"] == somchai["transformer"]
    assert malai["pv_kw"] > 0 == somchai["pv_kw"]
    rates = [marginal_rate(each["tariff"], monthly_kwh=each["monthly_kwh"], on_peak=True) for each in (malai, somchai)]
    assert [str(rate) for rate in rates] == ["4.2218", "4.4217"]


def test_malai_sells_all_her_surplus_and_buys_nothing_and_somchai_gains():
    day = gl.Lab.thailand(prosumers=200).day()
    malai = day.rest.filter(account=lesson_01.MALAI).select(pl.col("bought", "sold", "exported").sum()).row(0)
    assert malai[0] == 0
    assert malai[1] == malai[2] > 0
    assert balances(day.frames())["saving"][lesson_01.SOMCHAI] > 0


def test_saving_of_malai_worked_by_hand():
    """Retail rate and Ft times what she draws, with VAT, less what she gets, to the micro-baht."""
    day = gl.Lab.thailand(prosumers=200).day()
    meter = day.rest.filter(account=lesson_01.MALAI).select(pl.col("imported", "exported").sum()).row(0)
    sold = sum(row["energy"] * row["price"] for row in day.trades.filter(seller=lesson_01.MALAI).to_dicts())
    retail = Fraction(meter[0]) * Fraction("4.3841") * Fraction("1.07") * 1000
    without, with_market = retail - meter[1] * 2200, retail - sold
    key = key_of("01-q1")
    assert abs(key.answer * 1_000_000 - (without - with_market)) < 2
    assert abs(key.mistakes["bill_without"] * 1_000_000 - without) < 2


def test_five_orders_clear_as_the_lesson_works_them_by_hand():
    """Last accepted 3.30 and 2.50, first rejected 2.60 THB/kWh: 2.60 to 3.30 clears, the middle is 2.95."""
    prices = gl.clear(lesson_01.FIVE_ORDERS).prices
    assert prices.select("price_low", "price", "price_high", "energy").row(0) == (2600, 2950, 3300, 3000)
    assert prices["slot"][0] == dt.datetime(2026, 5, 6, 12, tzinfo=prices["slot"][0].tzinfo)


# What gl.notebook does.

_STATE = """
import json, sys
import polars as pl
import gridlab as gl
gl.notebook({language!r})
heavy = sorted(name for name in ("holoviews", "bokeh", "panel") if name in sys.modules)
print(json.dumps([gl.config().language, str(pl.DataFrame({{"a": [1234.567]}})), heavy]))
"""


@pytest.mark.parametrize(("language", "spoken"), [(None, "en"), ("th", "th")])
def test_notebook_outside_a_notebook_sets_language_and_tables_and_loads_no_plotting(language, spoken):
    command = [sys.executable, "-c", _STATE.format(language=language)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    said, table, heavy = json.loads(done.stdout)
    assert (said, heavy, done.stderr) == (spoken, [], "")
    assert "1,234.57" in table
    assert "shape" not in table


def test_notebook_refuses_an_unknown_language():
    before = gl.config().language
    with pytest.raises(ArgumentError, match="language"):
        gl.notebook(language="fr")
    assert gl.config().language == before


@pytest.mark.parametrize("path", sorted([*(ROOT / "tutorials").glob("*.ipynb"), *(ROOT / "notebooks").glob("*.ipynb")]))
def test_stored_notebook_is_small_and_names_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1_500_000, "python tutorials/store.py stores a notebook without Bokeh's own library"
    assert not re.search(r"/(home|root|work|Users)/", text)
    assert "widgets" not in json.loads(text)["metadata"]
