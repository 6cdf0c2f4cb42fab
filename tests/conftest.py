"""Headless Chromium for the tests marked `browser`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # the tests may run as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the path of Debian's Chromium, or of one that goes by a usual name."""
    names = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Start one headless Chromium with a fresh profile for the tests of a module.

    Module scope: Playwright keeps an event loop running in this thread, which notebooks run by nbval in the same
    process must not meet.
    """
    executable = find_chromium()
    if executable is None:
        message = "no Chromium here: apt-get install chromium (or run .ci/run, which does)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message + "; with CI=true the browser tests must run")
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    profile: Path = tmp_path_factory.mktemp("chromium-profile")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=executable,
            headless=True,
            args=CHROMIUM_ARGUMENTS,
            viewport={"width": 1280, "height": 900},
        )
        try:
            yield context
        finally:
            context.close()


@pytest.fixture
def console_errors() -> list[str]:
    """Errors that `page` reported: messages of level error, and exceptions that no script caught."""
    return []


@pytest.fixture
def page(chromium, console_errors: list[str]) -> Iterator[object]:
    """Open a fresh tab whose errors gather in `console_errors`."""
    tab = chromium.new_page()
    tab.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: console_errors.append(str(error)))
    try:
        yield tab
    finally:
        tab.close()
