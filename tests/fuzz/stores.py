"""Mutations of a store: of its bytes, its tables, its journal, its folder.

A mutation changes the folder in place and says what it did.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz import tables
from tests.fuzz.seeds import LOCK, STORE, Seed
from tests.fuzz.tables import connected

Mutation = Callable[[Path, Random, Seed], str]
PAGE = 4096
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


# Bytes


def bit(folder: Path, dice: Random, seed: Seed) -> str:
    """One bit, a third of the time among the first page's."""
    data = bytearray((folder / STORE).read_bytes())
    at = dice.randrange(len(data) if dice.random() < 0.67 else PAGE)
    data[at] ^= 1 << dice.randrange(8)
    (folder / STORE).write_bytes(data)
    return f"a bit of byte {at}"


def some_bytes(folder: Path, dice: Random, seed: Seed) -> str:
    data = bytearray((folder / STORE).read_bytes())
    at, count = dice.randrange(len(data)), dice.choice([1, 2, 4, 16, 200])
    data[at : at + count] = dice.randbytes(count)
    (folder / STORE).write_bytes(data)
    return f"{count} bytes at {at}"


def pages(folder: Path, dice: Random, seed: Seed) -> str:
    data = (folder / STORE).read_bytes()
    count = len(data) // PAGE
    i, j = dice.randrange(count) * PAGE, dice.randrange(count) * PAGE
    one, before, after = data[i : i + PAGE], data[:j], data[j + PAGE :]
    kind = dice.choice(["zero", "garbage", "copied", "inserted", "removed", "swapped", "upset"])
    if kind == "swapped":
        made = bytearray(data)
        made[i : i + PAGE], made[j : j + PAGE] = data[j : j + PAGE], one
    elif kind == "upset":
        made = bytearray(before + data[j : j + PAGE][::-1] + after)
    else:
        page = {"zero": bytes(PAGE), "garbage": dice.randbytes(PAGE), "removed": b""}.get(kind, one)
        made = bytearray(before + page + (data[j:] if kind == "inserted" else after))
    (folder / STORE).write_bytes(made)
    return f"page {j // PAGE} {kind} ({i // PAGE})"


def length(folder: Path, dice: Random, seed: Seed) -> str:
    data = (folder / STORE).read_bytes()
    kind = dice.choice(["cut", "cut at a page", "a tail", "a tail of pages", "twice", "head"])
    at = dice.randrange(len(data))
    made = {
        "cut": lambda: data[:at],
        "cut at a page": lambda: data[: at - at % PAGE],
        "a tail": lambda: data + dice.randbytes(dice.randrange(1, 9000)),
        "a tail of pages": lambda: data + dice.randbytes(PAGE * dice.randrange(1, 5)),
        "twice": lambda: data + data,
        "head": lambda: data[: dice.randrange(110)],
    }[kind]()
    (folder / STORE).write_bytes(made)
    return f"{kind} {at}"


# Journals


def journal(folder: Path, dice: Random, seed: Seed) -> str:
    """Beside the store, a journal that is not its own, or a write-ahead log."""
    data = (folder / STORE).read_bytes()
    kind = dice.choice(["garbage", "hot", "hot", "super", "wal", "log", "shm", "empty", "header"])
    beside = folder / f"{STORE}-journal"
    if kind == "garbage":
        beside.write_bytes(dice.randbytes(dice.choice([1, 100, 5000])))
    elif kind == "empty":
        beside.write_bytes(b"")
    elif kind == "header":
        beside.write_bytes(JOURNAL_MAGIC + dice.randbytes(dice.choice([10, 504, 5000])))
    elif kind in ("hot", "super"):
        page = dice.randrange(1, len(data) // PAGE + 1)
        other = dice.choice([bytes(PAGE), dice.randbytes(PAGE), data[:PAGE], data[-PAGE:]])
        beside.write_bytes(_hot(page, other, len(data) // PAGE, dice))
        if kind == "super":
            name = os.fsencode(seed.half / STORE)
            tail = struct.pack(">II", len(name), sum(name)) + JOURNAL_MAGIC
            with beside.open("ab") as file:
                file.write(struct.pack(">I", 0x40000000 // PAGE + 1) + name + tail)
    elif kind == "log":
        (folder / f"{STORE}-wal").write_bytes(dice.randbytes(dice.choice([32, 5000])))
        if dice.random() < 0.5:
            _to_wal(folder)
    elif kind == "shm":
        _to_wal(folder)
        (folder / f"{STORE}-shm").write_bytes(dice.randbytes(32768))
    else:
        _to_wal(folder)
        if dice.random() < 0.5:
            with contextlib.closing(sqlite3.connect(folder / STORE)) as connection:
                connection.execute("DELETE FROM trials WHERE rowid % 2")
                connection.commit()
                log = (folder / f"{STORE}-wal").read_bytes()
            (folder / f"{STORE}-wal").write_bytes(log[: dice.randrange(len(log) + 1)])
    return kind


def _to_wal(folder: Path) -> None:
    with connected(folder) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _hot(page: int, other: bytes, count: int, dice: Random) -> bytes:
    """A journal of one page that SQLite would play back."""
    nonce = dice.getrandbits(32)
    header = JOURNAL_MAGIC + struct.pack(">IIIII", 1, nonce, count, 512, PAGE)
    total = nonce + sum(other[i] for i in range(PAGE - 200, 0, -200))
    return (
        header.ljust(512, b"\0")
        + struct.pack(">I", page)
        + other
        + struct.pack(">I", total & 0xFFFFFFFF)
    )


# The file system


PLACES = (
    *("fifo", "folder", "full folder", "dangling", "cycle", "/dev/zero", "/dev/null", "/dev/full"),
    *("unreadable", "empty", "socket", "text", "another's store", "another's lock", "/proc/self"),
)


def place(folder: Path, dice: Random, seed: Seed) -> str:
    """Something else than a file where the store, its lock or a file beside it is."""
    beside = [STORE, STORE, STORE, LOCK, LOCK, f"{STORE}-journal", f"{STORE}-wal", f"{STORE}-shm"]
    name = dice.choice([*beside, "finished", "study.toml", "thresholds.png"])
    path = folder / name
    kind = dice.choice(PLACES)
    if kind == "unreadable":
        path.touch()
        path.chmod(0)
        return f"{name} {kind}"
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "full folder":
        shutil.copytree(seed.half, path)
    elif kind == "dangling":
        path.symlink_to(folder / "nowhere" / "at all")
    elif kind == "cycle":
        path.symlink_to(path)
    elif kind == "socket":
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind(str(path))
    elif kind in ("empty", "text"):
        path.write_text("" if kind == "empty" else "a letter\n" * 1000)
    elif kind == "another's store":
        path.symlink_to(seed.half / STORE)
    elif kind == "another's lock":
        path.symlink_to(seed.half / LOCK)
    else:
        path.symlink_to(kind)
    return f"{name} {kind}"


def whole(folder: Path, dice: Random, seed: Seed) -> str:
    """Something else than a folder with a store."""
    kind = dice.choice(["nothing", "a file", "cycle", "/dev/null", "empty", "fifo", "readonly"])
    if kind == "readonly":
        (folder / STORE).chmod(0o444)
        folder.chmod(0o555)
        return kind
    shutil.rmtree(folder)
    if kind == "a file":
        folder.write_text("x")
    elif kind == "cycle":
        folder.symlink_to(folder)
    elif kind == "/dev/null":
        folder.symlink_to(kind)
    elif kind == "empty":
        folder.mkdir()
    elif kind == "fifo":
        os.mkfifo(folder)
    return kind


MUTATIONS: dict[str, tuple[int, Mutation]] = {  # and how often each is taken
    "bit": (20, bit),
    "bytes": (8, some_bytes),
    "pages": (8, pages),
    "length": (5, length),
    "value": (24, tables.value),
    "altered": (18, tables.altered),
    "swapped": (6, tables.swapped),
    "deleted": (5, tables.deleted),
    "doubled": (5, tables.doubled),
    "study": (24, tables.study),
    "schema": (10, tables.schema),
    "numbers": (2, tables.numbers),
    "archive": (10, tables.archive),
    "journal": (7, journal),
    "place": (10, place),
    "whole": (1, whole),
}
