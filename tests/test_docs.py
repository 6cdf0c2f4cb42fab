"""The examples in the docs run and give what they say."""

import doctest
from pathlib import Path

import pytest

from tests.house import ROOT


@pytest.mark.parametrize("page", ["market/wheeling.md", "chain.md"])
def test_examples_of_a_page(page):
    failed, attempted = doctest.testfile(str(ROOT / "docs" / page), module_relative=False)
    assert failed == 0
    assert attempted > 3


def test_the_ten_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition("```python\n")
    code, _, _ = rest.partition("```")
    exec(code, {})  # noqa: S102 - the README's own example
    printed = capsys.readouterr().out
    assert "energy_used" in printed
    assert "0x" in printed
    assert (tmp_path / "cheaper.html").stat().st_size > 10_000


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in _links(page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def _links(text: str) -> list[Path]:
    parts = text.split("](")[1:]
    targets = [part.partition(")")[0].partition("#")[0] for part in parts]
    return [Path(target) for target in targets if target and "://" not in target]
