"""Whatever is done to a store's file, opening it names the damage or gives exactly what was written."""

import random
import sqlite3

import pytest

from gridlab.chain import ConsortiumChain
from gridlab.chain.store import Store
from gridlab.chain.store.layout import checksum
from gridlab.errors import ChainError, StoreError

FLIPS = 700


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def field(path, column, height=5):
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT {column} FROM blocks WHERE height = ?", (height,)).fetchone()[0]  # noqa: S608
    connection.close()
    return found


def set_field(path, column, value, height=5):
    change(path, f"UPDATE blocks SET {column} = ? WHERE height = ?", value, height)  # noqa: S608


def outcome(read_all, path):
    """What a store holds, or what was said about it; errors of another kind are not caught."""
    try:
        return read_all(path), ""
    except ChainError as problem:
        return None, str(problem) or "nothing"


def flipped(value, place):
    damaged = bytearray(value)
    damaged[place] ^= 1 << place % 8
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_anywhere_is_found_or_does_not_matter(whole, tmp_path, read_all, seed):
    choose = random.Random(seed)
    path = tmp_path / "run.db"
    named = 0
    for _ in range(FLIPS // 4):
        place = choose.randrange(len(whole.data))
        path.write_bytes(flipped(whole.data, place))
        found, said = outcome(read_all, path)
        assert str(path) in said if said else found == whole.content, f"byte {place}: {said}"
        named += bool(said)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
    assert named > FLIPS // 4 // 4  # much of a small file is free space in its pages


def test_a_page_overwritten_with_another_is_found_or_does_not_matter(whole, tmp_path, read_all):
    path, page = tmp_path / "run.db", 4096
    pages = [whole.data[start : start + page] for start in range(0, len(whole.data), page)]
    for target in range(len(pages)):
        for source in {0, target - 1, len(pages) - 1} - {target}:
            path.write_bytes(b"".join([*pages[:target], pages[source], *pages[target + 1 :]]))
            found, said = outcome(read_all, path)
            assert str(path) in said if said else found == whole.content, f"page {source} over {target}"


def test_a_file_cut_short_is_found(whole, tmp_path, read_all):
    path = tmp_path / "run.db"
    # The last page may end with free space, and SQLite reads what is missing of a page as zeros.
    used = len(whole.data.rstrip(b"\0"))
    for size in [0, 1, 15, 16, 100, 511, 512, *range(1000, used, 3001), used - 1]:
        path.write_bytes(whole.data[:size])
        with pytest.raises(StoreError, match=r"is empty|not a store|is damaged|pages are damaged|missing"):
            read_all(path)
    for size in range(used, len(whole.data)):
        path.write_bytes(whole.data[:size])
        assert read_all(path) == whole.content


@pytest.mark.parametrize(
    ("column", "place", "said"),
    [
        ("hash", 3, "block 5: its hash is"),
        ("parent", 3, "block 5: its parent is"),
        ("checksum", 3, "block 5: its certificate, a reason in its receipts or its checksum is damaged"),
        ("body", 30, r"block 5: (its hash|its bytes|its parent|its height)"),
        ("body", 300, r"block 5: (its transactions|its bytes)"),
        ("body", -3, "block 5: its certificate"),
        ("receipts", -2, r"block 5: (its bytes are damaged|its receipts|its certificate, a reason)"),
    ],
)
def test_a_flipped_byte_of_a_block_is_named_with_its_height(path, column, place, said, sequencer):
    value = field(path, column)
    set_field(path, column, flipped(value, place % len(value)))
    for look in (lambda: ConsortiumChain.open(path, ordering=sequencer), lambda: Store.open(path).check()):
        with pytest.raises(StoreError, match=said) as caught:
            look()
        assert str(path) in str(caught.value)


def test_every_byte_of_a_block_counts(path, read_all):
    for column in ("hash", "parent", "checksum", "body", "receipts"):
        value = field(path, column)
        for place in range(0, len(value), 1 + len(value) // 40):
            set_field(path, column, flipped(value, place))
            with pytest.raises(StoreError, match="block 5: "):
                read_all(path)
        set_field(path, column, value)
    assert read_all(path)[1].height == 12


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM blocks WHERE height = 5", "block 5 is missing, block 6 stands in its place"),
        ("DELETE FROM blocks WHERE height = 12", "block 12 is missing, the head is block 12"),
        ("UPDATE blocks SET height = 50 WHERE height = 5", "block 5 is missing"),
        ("UPDATE blocks SET hash = 'text' WHERE height = 5", "block 5: a field of its row has changed its type"),
        ("DELETE FROM meta WHERE name = 'head'", r"meta: \['head'\] is missing"),
        ("DELETE FROM meta", "is missing"),
        ("UPDATE meta SET value = zeroblob(40) WHERE name = 'head'", "meta: the row 'head' is damaged"),
        ("UPDATE meta SET name = 'genesiS' WHERE name = 'genesis'", "meta: the row 'genesiS' is damaged"),
        ("UPDATE notes SET value = x'00' WHERE name = 'lab'", "notes: the row 'lab' is damaged"),
        ("UPDATE snapshots SET data = zeroblob(9) WHERE height = 8", "snapshot of block 8: part 0 is damaged"),
        ("UPDATE snapshots SET parts = 2 WHERE height = 8", "snapshot of block 8: part 0 is damaged"),
        ("UPDATE snapshots SET height = 9 WHERE height = 8", "snapshot of block 9: part 0 is damaged"),
        ("DROP TABLE notes", "its tables are not those of a store"),
        ("CREATE TABLE more (x)", "its tables are not those of a store"),
        ("CREATE TRIGGER t AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END", "its tables are not those"),
        ("PRAGMA user_version = 2", "is of format 2, this version reads 1"),
        ("PRAGMA application_id = 7", "not a store of gridlab"),
    ],
)
def test_damage_to_a_table_is_named(path, statement, said, read_all):
    change(path, statement)
    with pytest.raises(StoreError, match=said):
        read_all(path)


def test_other_files_are_no_stores(tmp_path, whole):
    path = tmp_path / "run.db"
    for data in (b"not a database, but long enough to be looked at " * 20, whole.chain.to_bytes(), b"\0" * 5000):
        path.write_bytes(data)
        with pytest.raises(StoreError, match="is not a store of gridlab"):
            Store.open(path)
    path.unlink()
    change(path, "CREATE TABLE something (x)")
    with pytest.raises(StoreError, match="is an SQLite database and not a store of gridlab"):
        Store.open(path)


def test_blocks_left_off_the_end_with_a_matching_head_still_need_their_certificates(path, sequencer, whole):
    """Whoever can write the file can cut it to an older state; what he cannot do is make a block."""
    value = field(path, "body", 12)
    signature = value[:-1] + bytes([value[-1] ^ 1])
    row = (12, whole.chain.block(12).hash, whole.chain.block(12).header.parent, signature)
    receipts = field(path, "receipts", 12)
    change(
        path,
        "UPDATE blocks SET body = ?, checksum = ? WHERE height = 12",
        signature,
        checksum("blocks", *row, receipts),
    )
    with pytest.raises(StoreError, match="block 12: its certificate does not make this header final"):
        ConsortiumChain.open(path, ordering=sequencer)
