"""The command: one day, its figures, a report; a wrong wish ends with a sentence and exit code 2."""

import pytest

from gridlab.__main__ import main
from gridlab.lab import Lab


def test_the_day_is_printed_with_its_fingerprint_and_reported(tmp_path, capsys):
    report = tmp_path / "day.html"
    assert main(["--prosumers", "8", "--hours", "12", "--report", str(report)]) == 0
    printed = capsys.readouterr().out
    assert Lab.thailand(prosumers=8).run(hours=12, progress=False).fingerprint in printed
    assert "savings" in printed
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scenario", "thai_dya"], "did you mean 'thai_day'"),
        (["--prosumers", "0"], "allowed: 1 to 1,000,000"),
        (["--hours", "0.1"], "hours"),
    ],
)
def test_an_impossible_wish_is_a_sentence(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
