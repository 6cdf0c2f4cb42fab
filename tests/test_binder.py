"""Binder and conda: one environment file, pins as in constraints.txt, scripts that repo2docker accepts."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import ROOT, run, tool

BINDER = ROOT / "binder"
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIP_LINES = next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))


def test_binder_reads_the_environment_file_of_the_root():
    assert (BINDER / "environment.yml").is_symlink()
    assert (BINDER / "environment.yml").readlink() == Path("../environment.yml")


def test_environment_is_named_and_has_one_exact_python():
    assert ENVIRONMENT["name"] == "gridlab"
    assert [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)] == ["python=3.12", "pip"]


def test_environment_lists_what_the_package_and_its_extras_fast_and_notebook_need():
    extras = PROJECT["optional-dependencies"]
    needed = [*PROJECT["dependencies"], *extras["fast"], *extras["notebook"]]
    assert {canonicalize_name(Requirement(line).name) for line in PIP_LINES} == {
        canonicalize_name(Requirement(line).name) for line in needed
    }


@pytest.mark.parametrize("line", PIP_LINES)
def test_environment_pin_is_that_of_the_constraints(line):
    assert line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["binder/postBuild", "binder/start", ".ci/run"])
def test_script_is_executable_stops_at_the_first_error_and_parses(name):
    path = ROOT / name
    assert os.access(path, os.X_OK)
    lines = path.read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert lines[0].startswith("#!")
    assert commands[0] == "set -euo pipefail"
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_post_build_installs_the_package_without_dependencies():
    assert "pip install --no-cache-dir --no-deps ." in (BINDER / "postBuild").read_text(encoding="utf-8")


def test_start_hands_over_to_the_command_with_a_fixed_hash_seed_and_time_zone():
    script = [str(BINDER / "start"), "sh", "-c", 'echo "$PYTHONHASHSEED $TZ $1"', "sh", "two words"]
    assert run(script).strip() == "0 Asia/Bangkok two words"
    last = (BINDER / "start").read_text(encoding="utf-8").splitlines()[-1]
    assert last == 'exec "$@"'


def test_repo2docker_accepts_the_project_without_building():
    done = subprocess.run(
        [tool("repo2docker"), "--no-build", "--debug", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "Building conda environment for python=3.12" in printed
    assert "RUN ./binder/postBuild" in printed
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in printed
