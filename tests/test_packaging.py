"""What a person gets who installs the project: pins that fit, a wheel with the data, an sdist without rubbish."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tarfile
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import gridlab
from tests.house import ROOT, run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN_LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PINS = [Requirement(line) for line in PIN_LINES]


def pinned_versions(name: str) -> set[Version]:
    """Return the versions that constraints.txt gives to a package, of which a Python takes one by its marker."""
    return {
        Version(next(iter(pin.specifier)).version)
        for pin in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name)
    }


def declared() -> list[Requirement]:
    """Return every requirement of pyproject.toml, base and extras, but for the extras that name other extras."""
    lines = [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]
    return [Requirement(line) for line in lines if not line.startswith("gridlab[")]


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_requirement_has_a_pin_that_fits_it(requirement):
    versions = pinned_versions(requirement.name)
    assert versions, f"constraints.txt has no {requirement.name}"
    assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("line", PIN_LINES)
def test_pin_is_a_name_and_a_version_without_address_or_hash(line):
    assert re.fullmatch(r'[A-Za-z0-9._-]+==[0-9][0-9a-z.]*(; python_full_version (<|>=) "3\.[0-9.]+")?', line)


def test_pins_fit_each_other_and_leave_out_nothing_that_is_installed_for_the_tests():
    """Walks the requirements of what is installed here, extras followed, and looks each one up among the pins."""
    waiting, seen, faults = declared(), set(), []
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        versions = pinned_versions(requirement.name)
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            faults.append(f"{requirement} against {sorted(map(str, versions)) or 'no pin'}")
        if key in seen:
            continue
        seen.add(key)
        wanted = map(Requirement, importlib.metadata.requires(requirement.name) or [])
        extras = [{"extra": extra} for extra in requirement.extras or {""}]
        waiting += [each for each in wanted if not each.marker or any(map(each.marker.evaluate, extras))]
    assert faults == []
    assert len(seen) > 100, "the walk ended too early"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build wheel and sdist once, with the hatchling that is installed, so that no network is needed."""
    place = tmp_path_factory.mktemp("built")
    run([sys.executable, "-m", "hatchling", "build", "-d", str(place)])
    return place


@pytest.fixture(scope="module")
def wheel(built):
    return next(built.glob("*.whl"))


def test_wheel_carries_the_package_and_its_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names}
    assert rooms == {"gridlab", f"gridlab-{gridlab.__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]
    for source in (ROOT / "gridlab").rglob("*.py"):
        assert source.relative_to(ROOT).as_posix() in names
    for table in (path for path in (ROOT / "datasets").iterdir() if path.suffix in {".csv", ".parquet", ".toml"}):
        assert f"gridlab/_datasets/{table.name}" in names


def test_wheel_works_away_from_the_tree(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = "import gridlab as gl; print(gl.__file__); print(gl.dataset('tariffs').height, gl.datasets().height)"
    place, counts = run([sys.executable, "-c", script], cwd=tmp_path, PYTHONPATH=str(tmp_path)).splitlines()
    tables = [path for path in (ROOT / "datasets").iterdir() if path.suffix in {".csv", ".parquet"}]
    assert place.startswith(str(tmp_path))
    rows, listed = map(int, counts.split())
    assert rows > 0
    assert listed == len(tables)


def test_wheel_states_licence_and_needs(wheel):
    metadata = zipfile.ZipFile(wheel).read(f"gridlab-{gridlab.__version__}.dist-info/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata
    needed = {line.partition(": ")[2].lower() for line in metadata.splitlines() if line.startswith("Requires-Dist: ")}
    assert {requirement.lower() for requirement in PROJECT["dependencies"]} <= needed


def test_sdist_carries_what_the_tests_need_and_no_rubbish(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers()}
    code = {"gridlab/__init__.py", "tests/test_packaging.py", "tests/notebooks/sanitize.cfg", "conftest.py"}
    rest = {"LICENSE", "README.md", "Makefile", "constraints.txt", "environment.yml", "binder/environment.yml"}
    assert code | rest <= names
    assert not [name for name in names if re.search(r"(^|/)(\.venv|\.git|__pycache__|\.hypothesis)/|\.pyc$", name)]


def test_licence_is_the_whole_apache_2_0_text():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability." in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_changelog_knows_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.escape(gridlab.__version__)
    assert re.search(rf"(?m)^## \[{version}\] - (unreleased|\d{{4}}-\d\d-\d\d)$", changelog)
