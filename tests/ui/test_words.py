"""Everything that can be shown has a word in both languages."""

from __future__ import annotations

import re

import polars as pl
import pytest

import gridlab as gl
from gridlab import settings
from gridlab.agents.population import KINDS as POPULATION_KINDS
from gridlab.agents.population import ZONES as POPULATION_ZONES
from gridlab.chain import pbft
from gridlab.chain.pbft import byzantine
from gridlab.market.charges.settlement import KINDS as SETTLEMENT_KINDS
from gridlab.market.charges.wheeling import PATHS as WHEELING_PATHS
from gridlab.oracle.alerts import SEVERITIES
from gridlab.oracle.feeds import FAMILIES, Feeds
from gridlab.oracle.publishing import STATUSES
from gridlab.oracle.roster import KINDS as PROVIDER_KINDS
from gridlab.stablecoin import HolderTerms, WattTerms
from gridlab.stablecoin.holders import GROUPS as WATT_GROUPS
from gridlab.ui import consensus_words, oracle_words, palette, watt_words, words
from gridlab.ui.lever_words import part_of

THAI = re.compile(r"[\u0e00-\u0e7f]")


def test_every_key_figure_has_a_label_a_unit_and_a_group(day_run):
    assert set(day_run.kpis()["kpi"]) == set(words.FIGURES)
    assert set(day_run.kpis()["unit"]) <= set(words.UNITS)
    assert {figure.group for figure in words.FIGURES.values()} == set(words.GROUPS)


def test_every_kind_zone_payment_and_path_has_a_word():
    assert set(words.KINDS) == {kind.name for kind in POPULATION_KINDS}
    assert set(words.ZONES) == set(POPULATION_ZONES)
    assert set(words.PAYMENTS) == set(SETTLEMENT_KINDS)
    assert set(words.PATHS) == set(WHEELING_PATHS)


def test_every_lever_choice_unit_and_part_has_a_word(lab):
    levers = lab.levers()
    choices = levers["choices"].explode(empty_as_null=True).drop_nulls().to_list()
    assert set(choices) <= set(words.CHOICES)
    assert set(levers["unit"]) - {""} <= set(words.UNITS)
    assert {part_of(path) for path in levers["path"]} == set(words.PARTS)


@pytest.mark.parametrize(
    "table", ["GROUPS", "KINDS", "SIDES", "ZONES", "PARTIES", "PAYMENTS", "PATHS", "PARTS", "CHOICES"]
)
def test_thai_words_are_thai_and_english_words_are_not(table):
    for word in getattr(words, table).values():
        assert THAI.search(word.thai)
        assert not THAI.search(word.english)


def test_every_kind_of_message_and_of_liar_has_a_word():
    trace = pbft.simulate(n=4, blocks=12, byzantine={0: "silent"}, loss=0.1)
    assert set(trace.messages) <= set(consensus_words.MESSAGES)
    assert set(byzantine.KINDS) <= set(words.CHOICES)
    tables = (consensus_words.MESSAGES, consensus_words.MESSAGE_CLASSES, consensus_words.STATES)
    for word in (word for table in tables for word in table.values()):
        assert THAI.search(word.thai)
        assert not THAI.search(word.english)


def test_everything_of_the_oracle_has_a_word():
    assert set(oracle_words.PROVIDER_KINDS) == set(PROVIDER_KINDS)
    assert set(oracle_words.STATUS_WORDS) == set(oracle_words.STATUS_GROUPS) == set(STATUSES)
    assert set(oracle_words.SEVERITY_WORDS) == set(SEVERITIES.categories)
    assert set(oracle_words.FAMILY_WORDS) == {family.prefix for family in FAMILIES}
    assert {family.unit for family in FAMILIES} <= set(words.UNITS)


def test_everything_of_a_run_on_watt_has_a_word_and_an_ink():
    assert set(watt_words.GROUP_WORDS) == set(palette.WATT_HOLDERS) == {group.name for group in WATT_GROUPS}
    levers = pl.concat([WattTerms().levers(), HolderTerms().levers()])
    rules = WattTerms().levers().filter(path="gap_rule")["choices"][0].to_list()
    assert set(watt_words.GAP_RULE_WORDS) == set(palette.GAP_RULES) == set(rules)
    assert set(levers["choices"].explode(empty_as_null=True).drop_nulls()) <= set(words.CHOICES)
    assert set(levers["unit"]) - {""} <= set(words.UNITS)
    assert set(watt_words.LEVELS) == set(palette.WATT)


@pytest.mark.parametrize(
    "table",
    [
        *(getattr(oracle_words, name) for name in oracle_words.__all__ if name.isupper() and name != "STATUS_GROUPS"),
        *(getattr(watt_words, name) for name in ("LEVELS", "RATIOS", "FLOWS", "GROUP_WORDS", "CAME", "GAP_RULE_WORDS")),
    ],
)
def test_words_of_oracle_and_watt_are_thai_in_thai(table):
    for word in table.values():
        assert THAI.search(word.thai)
        assert not THAI.search(word.english)


def test_feeds_are_called_by_what_they_are_about_in_both_languages():
    assert oracle_words.feed_words("weather/ghi/Khon Kaen") == "Solar irradiance: Khon Kaen"
    assert oracle_words.feed_words("my/own") == "my/own"
    assert oracle_words.value_text("load/NEC", 3_000_500) == "3,000.500 MW"
    assert oracle_words.value_text("price/wholesale", None) == "–"
    gl.config(language="th")
    assert oracle_words.feed_words("weather/ghi/Khon Kaen") == "ความเข้มรังสีดวงอาทิตย์: ขอนแก่น"
    assert all(THAI.search(oracle_words.feed_words(name)) for name in Feeds().names())


def test_every_message_class_has_an_ink():
    assert set(consensus_words.MESSAGE_CLASSES) == set(palette.MESSAGES)
    assert {consensus_words.message_class(kind) for kind in consensus_words.MESSAGES} == set(palette.MESSAGES)
    assert set(palette.STATES) < set(consensus_words.STATES)


def test_labels_of_figures_are_thai_and_no_two_are_the_same():
    labels = [figure.label for figure in words.FIGURES.values()]
    assert all(THAI.search(label.thai) for label in labels)
    assert len({label.thai for label in labels}) == len({label.english for label in labels}) == len(labels)


def test_a_word_follows_the_language_in_force():
    word = words.Word("sun", "แดด")
    assert f"{word}" == "sun"
    gl.config(language="th")
    assert f"{word}" == "แดด"


def test_speaking_returns_to_the_language_before_even_after_an_error():
    with words.speaking("th"):
        assert settings.current().language == "th"
    with pytest.raises(ZeroDivisionError), words.speaking("th"):
        1 / 0  # noqa: B018
    assert settings.current().language == "en"


def test_an_unknown_name_is_shown_as_it_is():
    assert words.lookup(words.KINDS, "night_market") == "night market"
    assert str(words.figure("new_figure").label) == "new figure"
