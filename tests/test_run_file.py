"""Saved runs: whole or not at all, and every damage is named."""

import json
import zipfile

import polars as pl
import pytest

import gridlab as gl
from gridlab.errors import ArgumentTypeError, MissingRunError, RunFileError


@pytest.fixture(scope="module")
def run():
    return gl.Lab.thailand(prosumers=10).run(slots=50, progress=False)


@pytest.fixture
def saved(run, tmp_path):
    return run.save(tmp_path / "day.gridlab")


def test_a_run_comes_back_whole(run, saved):
    again = gl.load(saved)
    assert again.fingerprint == run.fingerprint
    assert again.kpis().equals(run.kpis())
    assert again.facts == run.facts
    for name, frame in run.frames.items():
        assert again.frames[name].equals(frame), name
        assert again.frames[name].schema == frame.schema, name
    assert again.blocks.equals(run.blocks)


def test_equal_runs_are_equal_files(run, tmp_path):
    one, two = run.save(tmp_path / "a"), run.save(tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()


def test_saving_again_replaces_and_leaves_no_part_behind(run, saved):
    run.save(saved)
    assert [p.name for p in saved.parent.iterdir()] == ["day.gridlab"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingRunError, match="no such file") as caught:
        gl.load(tmp_path / "nowhere.gridlab")
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("path", [None, 3, b"x" * 2 and ["a"]])
def test_a_path_must_be_a_path(path, run):
    with pytest.raises(ArgumentTypeError):
        gl.load(path)
    with pytest.raises(ArgumentTypeError):
        run.save(path)


def test_a_folder_that_is_not_there(run, tmp_path):
    with pytest.raises(RunFileError, match="cannot be written"):
        run.save(tmp_path / "no" / "folder" / "x.gridlab")


def test_any_flipped_byte_is_found_or_harmless(run, saved):
    data = saved.read_bytes()
    damaged = 0
    for place in range(0, len(data), max(1, len(data) // 150)):
        broken = bytearray(data)
        broken[place] ^= 0x41
        saved.write_bytes(broken)
        try:
            again = gl.load(saved)
        except RunFileError:
            damaged += 1
        else:  # a byte of the zip's own padding, such as a time stamp: what comes back is the same
            assert again.fingerprint == run.fingerprint
            assert all(again.frames[name].equals(frame) for name, frame in run.frames.items())
    assert damaged > 100


def test_a_cut_file_is_refused(saved):
    data = saved.read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 1):
        saved.write_bytes(data[:length])
        with pytest.raises(RunFileError):
            gl.load(saved)


def rewrite(path, change):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_missing_part_is_named(saved):
    rewrite(saved, lambda members: members.pop("trades.parquet"))
    with pytest.raises(RunFileError, match=r"part 'trades\.parquet' is damaged or missing"):
        gl.load(saved)


def test_an_exchanged_part_is_named(saved):
    def change(members):
        members["trades.parquet"] = members["orders.parquet"]

    rewrite(saved, change)
    with pytest.raises(RunFileError, match=r"trades\.parquet"):
        gl.load(saved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(format="gridlab-run/99"), "format 'gridlab-run/99' is unknown"),
        (lambda m: m.update(fingerprint="0x" + "0" * 64), "its manifest says"),
        (lambda m: m.pop("facts"), "unknown"),
        (lambda m: m["facts"].pop("seed"), "does not open"),
    ],
)
def test_a_bent_manifest_is_refused(saved, change, words):
    def bend(members):
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    rewrite(saved, bend)
    with pytest.raises(RunFileError, match=words):
        gl.load(saved)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b'{"format": 3}'])
def test_a_broken_manifest_is_refused(saved, manifest):
    rewrite(saved, lambda members: members.update({"manifest.json": manifest}))
    with pytest.raises(RunFileError):
        gl.load(saved)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "frame.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(RunFileError, match="not a saved run"):
        gl.load(path)
