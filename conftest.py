"""How notebooks become tests: a fixed environment for their kernels, and which outputs are compared.

nbval runs every code cell of ``tutorials/`` and ``notebooks/`` and compares what it shows with what is stored. Text,
JSON and errors are compared; pictures and HTML are not, since they change with the versions of the libraries that draw.
"""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import settings

# Inherited by every kernel and every child process that a test starts.
os.environ["PYTHONHASHSEED"] = "0"
os.environ["TZ"] = "Asia/Bangkok"
if hasattr(time, "tzset"):
    time.tzset()

RICH_MIME_TYPES = (
    "application/javascript",
    "application/vnd.bokehjs_exec.v0+json",
    "application/vnd.bokehjs_load.v0+json",
    "application/vnd.holoviews_exec.v0+json",
    "application/vnd.holoviews_load.v0+json",
    "application/vnd.jupyter.widget-view+json",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "text/html",
)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Take the rich outputs of a notebook out of nbval's comparison."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += RICH_MIME_TYPES


# Examples are the same in every run, so that what passed here passes there; `make soak` looks for new ones. No
# deadline, since a busy machine is slow, not wrong.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
