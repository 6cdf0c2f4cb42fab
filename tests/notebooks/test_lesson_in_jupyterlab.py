"""The first lesson as a reader meets it: JupyterLab in a browser, all cells run, a slider moved, the figure follows."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from tests.house import ROOT

pytestmark = pytest.mark.browser

LESSON = ROOT / "tutorials" / "01-a-thai-day.ipynb"
FIGURE = ".gridlab-figure"
SLIDER = ".jupyter-widgets .noUi-handle:visible"  # folds hide some
BADGE = "https://mybinder.org/badge_logo.svg"
LONGEST_RUN_MS = 60_000  # a lesson runs top to bottom in a minute
SETTINGS = {
    # all cells stand in the page, not only those in view
    "notebook-extension/tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    # nothing is fetched from outside, and no question about it lies over the notebook
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def prepare(place: Path) -> dict[str, str]:
    """Lay out a folder for JupyterLab: the lesson without its outputs, and settings that are no user's."""
    lesson = nbformat.read(LESSON, as_version=4)
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    (place / "lessons").mkdir()
    nbformat.write(lesson, place / "lessons" / LESSON.name)
    for name, values in SETTINGS.items():
        path = place / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    return {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
        "IPYTHONDIR": str(place / "ipython"),
        "PYTHONPATH": str(ROOT),
    }


def wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail("JupyterLab did not come up within a minute\n" + log.read_text(encoding="utf-8", errors="replace"))


@pytest.fixture(scope="module")
def lesson_address(chromium, tmp_path_factory):
    """Start JupyterLab on a free loopback port and give the lesson's address there; not where there is no browser."""
    place = tmp_path_factory.mktemp("jupyterlab")
    environment = prepare(place)
    port, token, log = free_port(), secrets.token_hex(16), place / "log.txt"
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": place / "lessons",
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": token,
        "LabApp.news_url": None,
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/api?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/lab/tree/{LESSON.name}?token={token}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for_kernel(page) -> None:
    """Wait until server and page agree that the kernel is idle; what is sent to it earlier may be dropped."""
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    connected = """async () => {
        const sessions = await (await fetch('/api/sessions')).json();
        return sessions.some(each => each.kernel.execution_state === 'idle' && each.kernel.connections > 0);
    }"""
    page.wait_for_function(connected, timeout=60_000, polling=500)
    page.wait_for_selector("text=/\\| Idle$/", timeout=60_000)


def run_all_cells(page) -> None:
    """Open the menu Run, choose Run All Cells, and wait until every code cell has been run."""
    wait_for_kernel(page)
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
    all_run = """() => {
        const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(each => each.textContent);
        const shown = prompts.filter(text => text.trim());  // a collapsed solution shows none
        return shown.length > 0 && shown.every(text => /\\[\\d+\\]/.test(text));
    }"""
    page.wait_for_function(all_run, timeout=LONGEST_RUN_MS)


@pytest.fixture
def asked_outside(page) -> list[str]:
    """Addresses outside this machine that the page asked for; a lesson works without a network, but for its badge."""
    addresses: list[str] = []

    def answer(route):
        if route.request.url == BADGE:
            route.fulfill(content_type="image/svg+xml", body='<svg xmlns="http://www.w3.org/2000/svg"/>')
        else:
            addresses.append(route.request.url)
            route.abort()

    page.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), answer)
    return addresses


def place_of(slider) -> str:
    """Return where the handle stands; what a screen reader is told is rounded to one decimal."""
    return slider.locator("xpath=..").get_attribute("style")


def test_slider_moved_by_keyboard_changes_the_figure(lesson_address, page, asked_outside, console_errors):
    page.goto(lesson_address)
    run_all_cells(page)
    output = page.locator(".jp-Cell-outputArea", has=page.locator(FIGURE)).first
    output.scroll_into_view_if_needed()
    figure, slider = output.locator(FIGURE).first, output.locator(SLIDER).first
    slider.wait_for(state="visible", timeout=30_000)
    before, stood = figure.inner_html(), place_of(slider)
    assert before.strip()

    slider.press("PageUp")
    if place_of(slider) == stood:  # at its upper end
        slider.press("PageDown")
    assert place_of(slider) != stood

    changed = "([selector, before]) => document.querySelector(selector).innerHTML !== before"
    page.wait_for_function(changed, arg=[FIGURE, before], timeout=10_000)
    assert asked_outside == []
    assert console_errors == []
