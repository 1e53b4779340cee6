"""What may lie where a store's file, its journal or its lock belongs: one line, and no waiting."""

import os
import shutil
import signal
import sqlite3

import pytest
from stores import PROTOCOL, ROW, execute, hash_of, made, one_line, open_store

from jaxflow.store.checking import check
from jaxflow.store.file import FILE, LOCK, existing, is_locked
from jaxflow.store.store import Store


@pytest.fixture(autouse=True)
def no_waiting():
    """Whoever waits for the other end of a pipe is woken."""

    def stop(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path):
    os.mkfifo(path)


def folder(path):
    path.mkdir()


def nowhere(path):
    path.symlink_to(path.parent / "nowhere")


def circle(path):
    path.symlink_to(path)


def device(path):
    path.symlink_to("/dev/zero")


THINGS = [pipe, folder, nowhere, circle, device]


def refused(attempt) -> str:
    with pytest.raises(ValueError, match="got") as error:
        attempt()
    return one_line(error)


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", [FILE, f"{FILE}-journal", f"{FILE}-wal", f"{FILE}-shm"])
def test_what_is_no_file_is_not_opened(tmp_path, thing, name):
    store = made(tmp_path / "store", [ROW])
    (store / name).unlink(missing_ok=True)
    thing(store / name)
    for attempt in (open_store, Store.read, check):
        refused(lambda attempt=attempt: attempt(store))
    assert not (tmp_path / "store" / "nowhere").exists()


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_no_lock_is_not_locked(tmp_path, thing):
    store = made(tmp_path / "store", [ROW])
    before = (store / FILE).read_bytes()
    (store / LOCK).unlink()
    thing(store / LOCK)
    refused(lambda: open_store(store))
    assert not is_locked(store)
    with Store.read(store) as found:
        assert found.rows() == [ROW]
    assert (store / FILE).read_bytes() == before
    assert not (tmp_path / "store" / "nowhere").exists()


def test_a_lock_is_seen_and_let_go(tmp_path):
    assert not is_locked(tmp_path)
    with open_store(tmp_path):
        assert is_locked(tmp_path)
        assert is_locked(str(tmp_path))
    assert not is_locked(tmp_path)


def test_a_link_to_a_store_is_a_store(tmp_path):
    store = made(tmp_path / "store", [ROW])
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / FILE).symlink_to(store / FILE)
    assert check(tmp_path / "link") == []


def hot(tmp_path, name: str, make) -> bytes:
    """The journal that a change left when it was stopped halfway."""
    make(tmp_path / name)
    with sqlite3.connect(tmp_path / name / FILE) as connection:
        connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
        connection.execute("CREATE TABLE filling (body BLOB)")
        connection.executemany("INSERT INTO filling VALUES (?)", [(bytes(5000),)] * 50)
        left = (tmp_path / name / f"{FILE}-journal").read_bytes()
        connection.rollback()
    connection.close()
    return left


def another_program(path):
    path.mkdir()
    with sqlite3.connect(path / FILE) as connection:
        connection.execute("PRAGMA user_version = 7")
        connection.execute("CREATE TABLE letters (body TEXT)")
    connection.close()


@pytest.mark.parametrize(
    "make", [another_program, lambda path: made(path, []), lambda path: path.mkdir()]
)
def test_the_journal_of_another_database_is_not_rolled_back(tmp_path, make):
    store = made(tmp_path / "store", [ROW])
    left = hot(tmp_path, "other", make)
    assert len(left) > 512
    (store / f"{FILE}-journal").write_bytes(left)
    before = (store / FILE).read_bytes()
    for attempt in (open_store, Store.read, check):
        assert "journal" in refused(lambda attempt=attempt: attempt(store))
    assert (store / FILE).read_bytes() == before
    (store / f"{FILE}-journal").unlink()
    assert check(store) == []


@pytest.mark.parametrize("own", [True, False])
def test_a_journal_that_names_another_file_deletes_none(tmp_path, own):
    """SQLite deletes what the end of a journal names, as that of a change to several databases."""
    store, good = made(tmp_path / "store", [ROW]), made(tmp_path / "good", [ROW])
    name = str(good / FILE).encode()
    left = hot(tmp_path, "other", lambda path: made(path, [])) if own else bytes(512)
    checksum = sum(name)
    end = (1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big") + checksum.to_bytes(4, "big")
    (store / f"{FILE}-journal").write_bytes(left + end + bytes.fromhex("d9d505f920a163d7"))
    for attempt in (open_store, Store.read, check):
        assert "journal" in refused(lambda attempt=attempt: attempt(store))
    assert check(good) == []


def test_its_own_journal_is(tmp_path):
    store = made(tmp_path / "store", [ROW])
    before = (store / FILE).read_bytes()
    stopped = tmp_path / "stopped"
    with open_store(store) as writer:
        writer._connection.execute("PRAGMA cache_size = 1")
        with writer.writing() as connection:
            asked = [(seed,) for seed in range(1, 500)]
            sql = "INSERT INTO asked VALUES (1, 'flow', 2, 8, 4, '{}', ?, 100.0)"
            connection.executemany(sql, asked)
            shutil.copytree(store, stopped)
    left = stopped / f"{FILE}-journal"
    assert left.exists() and (stopped / FILE).read_bytes() != before
    assert check(stopped) == []
    with Store.read(stopped) as found:
        assert found.rows() == [ROW]
    assert not left.exists()


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / FILE).touch()
    refused(lambda: Store.read(tmp_path))
    open_store(tmp_path).close()
    assert check(tmp_path) == []


def test_a_store_half_made_is_made_again(tmp_path):
    (tmp_path / "trials.new").write_bytes(b"half")
    open_store(tmp_path).close()
    assert check(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {FILE, LOCK}


def test_a_file_marked_for_a_write_ahead_log_is_refused(tmp_path):
    store = made(tmp_path, [ROW])
    data = bytearray((store / FILE).read_bytes())
    data[18:20] = b"\2\2"
    (store / FILE).write_bytes(data)
    for attempt in (open_store, Store.read, check):
        assert "write-ahead" in refused(lambda attempt=attempt: attempt(store))
    assert {path.name for path in store.iterdir()} == {FILE, LOCK}


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER one AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
        "CREATE VIEW other AS SELECT 1",
        "CREATE TABLE other (x)",
        "CREATE INDEX one ON trials (n)",
        "DROP TABLE asked",
        "ALTER TABLE trials ADD COLUMN x",
        "DELETE FROM protocol",
        "INSERT INTO protocol SELECT * FROM protocol",
        "UPDATE protocol SET json = ''",
        "UPDATE protocol SET json = x'ff'",
        "UPDATE protocol SET json = CAST(x'ff' AS TEXT)",
        "UPDATE protocol SET hash = 7",
    ],
)
def test_tables_that_are_not_those_of_a_store_are_refused(tmp_path, change):
    store = made(tmp_path, [ROW])
    execute(store, change)
    before = (store / FILE).read_bytes()
    for attempt in (open_store, Store.read):
        assert len(refused(lambda attempt=attempt: attempt(store))) < 600
    assert check(store)
    assert (store / FILE).read_bytes() == before


def test_a_view_in_place_of_a_table_is_refused(tmp_path):
    store = made(tmp_path, [ROW])
    execute(store, "ALTER TABLE trials RENAME TO rows")
    endless = "WITH RECURSIVE k(x) AS (SELECT 1 UNION ALL SELECT x FROM k) SELECT * FROM k"
    execute(store, f"CREATE VIEW trials AS {endless}")
    for attempt in (open_store, Store.read):
        refused(lambda attempt=attempt: attempt(store))
    assert check(store)


def test_a_folder_named_by_a_text_is_found(tmp_path):
    made(tmp_path, [ROW])
    assert existing(str(tmp_path)) == tmp_path / FILE
    Store.open(str(tmp_path), hash_of(PROTOCOL), PROTOCOL).close()
