"""Looking through the write-ahead log that a killed writer left, for damage that SQLite would not report.

SQLite reads a log up to the first frame whose checksum is wrong and drops the rest, since that is how a torn write at a
power cut looks. A flipped byte in the middle looks the same, and would take final blocks away without a word. The two
can be told apart: a writer waits for the disk at each commit, so only the frames of the newest transaction can be torn.
Frames of a later transaction behind a wrong one prove damage.

Each frame's checksum continues that of the frame before. With the words x of a frame taken in pairs, ::

    s0 <- s0 + x[2i] + s1;   s1 <- s1 + x[2i + 1] + s0        (mod 2^32)

which is linear, so all frames are checked in one product with the powers of one 2 x 2 matrix.

References
----------
SQLite, "Database file format", section 4, "The write-ahead log", documentation, 2025.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.errors import StoreError

__all__ = ["check_log"]

Words = npt.NDArray[np.uint32]

_HEADER_BYTES, _FRAME_BYTES = 32, 24
_MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}
# How many frames are looked at in one go; bounds the memory, not the answer.
_CHUNK = 1024
_LOOKS, _PAUSE_SECONDS = 3, 0.05


def check_log(path: Path) -> None:
    """Raise StoreError if the log beside the store at `path` is damaged before its newest transaction."""
    log = path.with_name(path.name + "-wal")
    found = _damage(log)
    for _ in range(_LOOKS - 1):
        if found is None:
            return
        # A living writer may have begun the log anew while it was read; then the next look finds it in order.
        time.sleep(_PAUSE_SECONDS)
        found = _damage(log)
    if found is not None:
        broken, later = found
        raise StoreError(
            f"{log}: frame {broken} is damaged, and {later} later transaction(s) stand behind it, so it is no write "
            "that was cut short; take another copy of the store and its log"
        )


def _damage(log: Path) -> tuple[int, int] | None:
    """Return the number of the first wrong frame (0 is the header) and how many transactions stand behind its own."""
    try:
        # Read, not mapped: a writer may cut the log short, and a page that is gone ends the process.
        data = np.fromfile(log, np.uint8)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"{log}: cannot be read ({problem})") from problem
    if len(data) < _HEADER_BYTES + _FRAME_BYTES:
        return None
    broken, later = _broken_before_commit(data)
    return (broken, later) if later else None


def _broken_before_commit(data: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Do the work of `_damage` on the bytes of a log."""
    magic, _, page = (int(word) for word in data[:12].view(">u4"))
    order = _MAGIC.get(magic, "<u4")
    if not _is_page_size(page):
        page = 4096  # what SQLite has made for ten years; a damaged header is found by its frames
    frames = _frames(data, page)
    head = data[:_HEADER_BYTES].view(">u4").astype(np.uint32)
    start = _continued(np.zeros((1, 2), np.uint32), data[None, :24].view(order).astype(np.uint32))[0]
    whole = magic in _MAGIC and page == int(head[2]) and bool((start == head[6:]).all())
    salts = head[4:6] if whole else frames[0, 8:16].view(">u4").astype(np.uint32)
    good = _good_frames(frames, order, head[6:]) & (frames[:, 8:16].view(">u4") == salts).all(axis=1)
    commits = frames[:, 4:8].view(">u4")[:, 0] != 0
    first = int(np.argmin(good)) if not good.all() else len(good)
    if not whole:
        return 0, int((good & commits)[1:].sum())
    return first + 1, _later_transactions(good[first:], commits[first:])


def _later_transactions(good: npt.NDArray[np.bool_], commits: npt.NDArray[np.bool_]) -> int:
    """Count the transactions that stand whole behind that of the first frame, which is a wrong one.

    Its own may be the newest, so what follows up to its commit proves nothing. A wrong checksum makes the next frame
    wrong, too; a run that begins later than that is what a refused commit once left, and nobody counted on it.
    """
    begin = next((place for place in (1, 2) if good[place : place + 1].any()), len(good))
    run = good[begin:]
    end = begin + (len(run) if run.all() else int(np.argmin(run)))
    behind: npt.NDArray[np.int64] = np.cumsum(commits) - commits
    return len(np.unique(behind[begin:end][behind[begin:end] > 0]))


def _is_page_size(page: int) -> bool:
    return 512 <= page <= 65536 and page & (page - 1) == 0


def _frames(data: npt.NDArray[np.uint8], page: int) -> npt.NDArray[np.uint8]:
    size = _FRAME_BYTES + page
    count = (len(data) - _HEADER_BYTES) // size
    if not count:
        return np.zeros((1, size), np.uint8)
    return data[_HEADER_BYTES : _HEADER_BYTES + count * size].reshape(count, size)


def _good_frames(frames: npt.NDArray[np.uint8], order: str, start: Words) -> npt.NDArray[np.bool_]:
    """Say for each frame whether its checksum continues the one that stands in the frame before."""
    stored = np.ascontiguousarray(frames[:, 16:24]).view(">u4").astype(np.uint32)
    before = np.vstack([start[None], stored[:-1]])
    good = np.zeros(len(frames), np.bool_)
    for begin in range(0, len(frames), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        covered = np.concatenate([frames[part, :8], frames[part, _FRAME_BYTES:]], axis=1)
        found = _continued(before[part], covered.view(order).astype(np.uint32))
        good[part] = (found == stored[part]).all(axis=1)
    return good


def _continued(start: Words, words: Words) -> Words:
    """Continue checksums, shape (f, 2), over the words of f frames, shape (f, 2n)."""
    pairs = words.shape[1] // 2
    powers = np.empty((pairs + 1, 2, 2), np.uint64)
    powers[0] = np.eye(2)
    step = np.array([[1, 1], [1, 2]], np.uint64)
    for place in range(pairs):
        powers[place + 1] = step @ powers[place] & np.uint64(0xFFFF_FFFF)
    x, y = words[:, 0::2], words[:, 1::2]
    # One pair adds (x, x + y); the later ones carry it on by as many powers as there are of them.
    added = np.stack([x, x + y], axis=2).astype(np.uint64)
    total = _applied(powers[pairs], start.astype(np.uint64))
    terms = powers[:pairs][::-1]
    for row in range(2):
        products = (terms[:, row, :] * added) & np.uint64(0xFFFF_FFFF)
        total[:, row] += products.sum(axis=(1, 2), dtype=np.uint64)
    return (total & np.uint64(0xFFFF_FFFF)).astype(np.uint32)


def _applied(matrix: npt.NDArray[Any], vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.stack([(matrix[row] * vectors & np.uint64(0xFFFF_FFFF)).sum(axis=1) for row in range(2)], axis=1)
