"""Bare labs and runs: static, escaped, the same everywhere."""

from __future__ import annotations

import re
import sys

import pytest

import gridlab as gl
from gridlab.ui.figures import figure_rows
from gridlab.ui.html import definitions, table
from gridlab.ui.summary import MEASURED
from gridlab.ui.words import figure
from tests.house import run as run_command

HOSTILE = '<script>alert("x")</script><img src=x onerror=y>'
SUMMARIES = """
import hashlib, sys
import gridlab as gl
lab = gl.Lab.thailand(prosumers=20).set({"market.rule": "pay_as_bid"})
run = lab.run(hours=24, progress=False)
for language in ("en", "th"):
    gl.config(language=language)
    print(hashlib.sha256((lab._repr_html_() + run._repr_html_()).encode()).hexdigest())
loaded = {"bokeh", "holoviews", "ipywidgets", "matplotlib", "pandas", "panel", "scipy"} & set(sys.modules)
print(sorted(loaded))
"""


def test_summaries_are_equal_in_two_processes_and_load_no_widget_or_plotting_library():
    first, second = (run_command([sys.executable, "-c", SUMMARIES], PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first == second
    english, thai, loaded = first.splitlines()
    assert english != thai
    assert loaded == "[]"


def test_a_hostile_title_is_shown_letter_by_letter():
    lab = gl.Lab.thailand(prosumers=5, title=HOSTILE, title_th=HOSTILE)
    for html in (lab._repr_html_(), lab.run(hours=1, progress=False)._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;alert" in html


def test_summaries_have_no_ids_scripts_or_style_sheets(lab, any_run):
    for html in (lab._repr_html_(), any_run._repr_html_()):
        assert not re.search(r"\sid=|<script|<style|[0-9a-f]{8}-[0-9a-f]{4}-", html)


def test_a_run_shows_every_key_figure_but_the_measured_one(any_run):
    html = any_run._repr_html_()
    for name, label, text in figure_rows(any_run.kpis()):
        assert (label in html.replace("&#x27;", "'")) == (name != MEASURED)
        assert name == MEASURED or text in html


def test_a_run_shows_its_chain(day_run):
    html = day_run._repr_html_()
    assert day_run.fingerprint in html
    assert f"{day_run.blocks.height} blocks with {day_run.blocks['transactions'].sum()} signed transactions" in html


def test_a_lab_shows_its_prosumers_and_what_is_not_the_default(lab):
    assert "All levers stand at the Thai default." in lab._repr_html_()
    html = lab.set({"market.wheeling.postage_stamp": 0.5})._repr_html_()
    assert "All levers stand" not in html
    assert "0.5 THB/kWh (default 1.07 THB/kWh)" in html
    households = lab.agents.accounts().filter(kind="household")
    assert f"{households.height} ({(households['pv_kw'] > 0).sum()} with solar" in html


@pytest.mark.usefixtures("thai")
def test_thai_summaries_are_thai_with_the_buddhist_year(lab, day_run):
    assert "6 พฤษภาคม 2569" in lab._repr_html_()
    html = day_run._repr_html_()
    assert str(figure("savings").label) in html
    assert "Savings" not in html


def test_tables_escape_their_cells_and_set_sums_in_bold():
    html = table(["<a>", "b"], [("<i>", "1"), ("all", "<2>")], strong_last=True)
    assert "<a>" not in html
    assert "&lt;i&gt;" in html
    assert html.count("font-weight:600") == 2
    assert "&lt;x&gt;" in definitions([("<x>", "1")])
