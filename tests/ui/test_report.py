"""The report: whole, honest, readable without a network."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import gridlab as gl
from gridlab.errors import ArgumentTypeError, GridlabError, ReportError
from gridlab.ui import report, story
from gridlab.ui.figures import figure_rows, number
from gridlab.ui.words import HEADLINES

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Outline(HTMLParser):
    """Reads a page, and fails on a tag that is closed out of turn."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(html):
    reader = Outline()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_a_report_is_well_formed_and_fetches_nothing(any_run):
    html = report.page(any_run)
    read = outline(html)
    assert read.addresses == []
    assert not re.search(r"url\(|@import|<script|<link|\sid=", html)


def test_a_report_tells_every_figure_lever_and_the_fingerprint(any_run):
    text = "".join(outline(report.page(any_run)).text)
    assert any_run.fingerprint in text
    assert any_run.blocks["state_root"][-1] in text
    shown = {name: (label, figure) for name, label, figure in figure_rows(any_run.kpis())}
    assert set(HEADLINES) <= set(shown)
    for label, figure in shown.values():
        assert label in text
        assert figure in text
    for label in gl.Lab.thailand(prosumers=1).levers()["label"]:
        assert label in text


def test_a_report_shows_that_money_sums_to_nothing(day_run):
    text = "".join(outline(report.page(day_run)).text)
    assert "the four sum to 0.00 THB" in text
    assert number(day_run.settlement["amount"].sum() / 1e6, 2) in text


def test_three_sentences_tell_the_figures_of_the_run(day_run):
    what, price, who = story.sentences(day_run)
    assert f"{number(day_run.kpi('traded_energy'), 1)} kWh" in what
    assert f"{number(day_run.kpi('average_price'), 3)} THB/kWh" in price
    assert f"{number(day_run.kpi('average_landed_price'), 3)} THB/kWh" in price
    for name in ("savings", "utilities_gain", "state_gain", "operator_gain"):
        assert number(abs(day_run.kpi(name)), 2) in who


def test_who_outbids_whom_follows_the_orders():
    scarce = gl.Lab.thailand(prosumers=40).run(hours=24, progress=False)
    plenty = gl.Lab.thailand(prosumers=40).set({"agents.pv_share": 100.0, "agents.pv_size": 300.0})
    assert "buyers outbid each other" in story.sentences(scarce)[1]
    assert "sellers undercut each other" in story.sentences(plenty.run(hours=24, progress=False))[1]


def test_a_night_without_trade_is_told_as_such(night_run):
    what, price, who = story.sentences(night_run)
    assert "nothing was traded" in what
    assert "no market price" in price
    assert "nobody gained or lost" in who
    assert "busiest" not in report.page(night_run)


def test_longer_runs_name_their_days(days_run):
    assert story.sentences(days_run)[0].startswith("In the 3 days from 6 May 2026")


@pytest.mark.usefixtures("thai")
def test_a_thai_report_is_thai(any_run):
    html = report.page(any_run)
    assert '<html lang="th">' in html
    text = "".join(outline(html).text)
    assert "6 พฤษภาคม 2569" in text
    for english in ("Who gains", "Prices", "THB", "Households", "Wheeling", "Utility", "Notes", "sum to"):
        assert english not in re.sub(r"\([^)]*\)", "", text.split("ค่าที่ใช้ในการจำลอง")[0])
    told = story.sentences(any_run)
    assert all(re.search("[\u0e00-\u0e7f]", sentence) and not re.search(r"[a-z]{3}", sentence) for sentence in told)


def test_reports_of_equal_runs_differ_in_the_measured_speed_alone(day_run):
    again = gl.Lab.thailand(prosumers=day_run.facts.prosumers).run(hours=24, progress=False)
    pages = [re.sub(r"[\d,]+ orders/s", "", report.page(run)) for run in (day_run, again)]
    assert pages[0] == pages[1]


def test_a_hostile_title_does_no_harm():
    hostile = "</title><script>alert(1)</script>"
    run = gl.Lab.thailand(prosumers=5, title=hostile).run(hours=1, progress=False)
    assert "script" not in outline(report.page(run)).tags


def test_writing_returns_the_path_and_leaves_nothing_else(day_run, tmp_path):
    target = tmp_path / "day.html"
    assert day_run.report(str(target)) == target
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["day.html"]


def test_a_folder_that_is_not_there_is_refused_with_advice(day_run, tmp_path):
    with pytest.raises(ReportError, match="folder that exists"):
        day_run.report(tmp_path / "nowhere" / "day.html")
    with pytest.raises(OSError, match="cannot be written"):
        day_run.report(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [None, 3, "", b"day.html", "."])
def test_what_is_no_file_name_is_refused(day_run, path):
    with pytest.raises(GridlabError, match="path: "):
        day_run.report(path)


def test_a_name_that_no_file_can_have_is_refused(day_run, tmp_path):
    with pytest.raises(ReportError):
        day_run.report(tmp_path / "day\0.html")
    assert list(tmp_path.iterdir()) == []


def test_only_runs_are_reported(tmp_path):
    with pytest.raises(ArgumentTypeError, match="expected a Run"):
        report.write("run", tmp_path / "day.html")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("language", ["en", "th"])
def test_a_report_fits_phones_and_screens_and_asks_the_network_for_nothing(
    page, console_errors, day_run, tmp_path, width, language
):
    gl.config(language=language)
    target = day_run.report(tmp_path / "day.html")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(target.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("figure svg").count() == 7
    assert asked == [target.as_uri()]
    assert console_errors == []
