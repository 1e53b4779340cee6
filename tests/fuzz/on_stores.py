"""What is done with a spoiled store, and what must be true afterwards."""

import contextlib
import os
import shutil
import sqlite3
import stat
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from tests.fuzz import stores
from tests.fuzz.operations import Bench, Fault, chosen
from tests.fuzz.seeds import STORE, Seed
from tests.fuzz.tables import FORGED


def store(dice: Random, seeds: list[Seed], room: Path, bench: Bench) -> tuple[str, str]:
    """Mutate one store, and do everything with it."""
    seed = dice.choice([seeds[0], seeds[0], seeds[0], *seeds[1:]])
    mutation, change = chosen(stores.MUTATIONS, dice)
    mutant, good = room / "mutant", room / "good"
    shutil.copytree(seed.full, mutant)
    shutil.copytree(seed.half, good)
    said = change(mutant, dice, seed._replace(half=good))
    copies = [copied(mutant, room / f"mutant-{i}") for i in range(5)]  # reading may roll back
    before, whole, known = _listing(good), content(seed.full / STORE), content(good / STORE)

    code = bench.command("check", "check", copies[0])
    is_another = said.endswith(FORGED)  # whatever it says was written so, or might be
    if code == 0 and seed.present and _is_plain(mutant) and not is_another:
        _missed(bench, copies[1], whole)
    bench.command("thresholds", "thresholds", mutant, *dice.choice([[], ["--json"]]))
    bench.command("status", "status", mutant)
    bench.command("export", "export", mutant, room / "trials.csv")
    bench.call("trajectories", lambda: _trajectories(mutant))
    if dice.random() < 0.05:
        bench.command("figure", "figure", mutant, "--out", room / "figure.png")
    if seed.name != "search" or dice.random() < 0.2:
        bench.command("times", "times", mutant)
        bench.command("scaling", "scaling", mutant)
    _unchanged(bench, "reading", good, before)

    code = bench.command("merge", "merge", good, copies[2])
    if code == 0:
        if not is_another:
            _sound(bench, content(good / STORE), whole, known)
        before = _listing(good)
    _unchanged(bench, "merge", good, before)
    if not copies[3].is_symlink() and not (copies[3] / STORE).is_symlink():
        bench.command("merge into", "merge", copies[3], seed.half)
        if dice.random() < 0.4:
            with mock.patch("jaxflow.show.figures.draw", return_value="not drawn"):
                bench.command("run", "run", seed.study, "--out", copies[4])
    _unchanged(bench, "writing", good, before)
    bench.outside("store")
    return f"{seed.name} {mutation}", said


def _trajectories(folder: Path) -> None:
    from jaxflow.report.recorded import recorded

    recorded(folder)


def _missed(bench: Bench, mutant: Path, whole: Counter[Any] | None) -> None:
    """Note where `check` has found nothing though the content differs."""
    found = content(mutant / STORE)
    if found is None or whole is None:
        bench.faults.append(Fault("miss", "check", "", "SQLite cannot read it"))
    elif found != whole:
        away, new = whole - found, found - whole
        tables = ",".join(sorted({table for table, *_ in (*away, *new)}))
        said = f"{tables}: {sum(away.values())} rows less, {sum(new.values())} more"
        bench.faults.append(Fault("miss", "check", tables, said))


def _sound(
    bench: Bench,
    found: Counter[Any] | None,
    whole: Counter[Any] | None,
    known: Counter[Any] | None,
) -> None:
    """A mutant that was merged into a good store has added sound trials and lost none."""
    if found is None or whole is None or known is None:
        bench.faults.append(Fault("unsound", "merge", "", "the good store cannot be read any more"))
        return
    trials = {key for key in found if key[0] in ("trials", "trajectories")}
    lost = [key for key in known if key[0] in ("trials", "trajectories") and key not in trials]
    bad = trials - whole.keys() - known.keys()
    if lost or bad:
        said = f"{len(lost)} rows lost, {len(bad)} rows added that no run made"
        bench.faults.append(Fault("unsound", "merge", "", said))


def content(path: Path) -> Counter[Any] | None:
    """The rows of every table but what says when; None where SQLite cannot read them."""
    rows: Counter[Any] = Counter()
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            for (name,) in connection.execute(query).fetchall():
                table = name.decode()
                info = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
                columns = [row[1].decode() for row in info]
                kept = sorted(name for name in columns if name not in ("created", "extra"))
                names = ", ".join(f'"{name}"' for name in kept)
                for row in connection.execute(f'SELECT {names} FROM "{table}" LIMIT 10000'):
                    rows[table, *map(repr, row)] += 1
    except (sqlite3.Error, UnicodeDecodeError, OverflowError):
        return None
    return rows


def copied(folder: Path, into: Path) -> Path:
    """A copy that reads nothing but plain files."""
    if folder.is_symlink() or not folder.is_dir():
        _copy_one(folder, into)
        return into
    into.mkdir()
    for path in folder.iterdir():
        _copy_one(path, into / path.name)
    return into


def _copy_one(path: Path, into: Path) -> None:
    if path.is_symlink():
        target = os.readlink(path)
        into.symlink_to(into if target == str(path) else target)
        return
    if not path.exists():
        return
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        shutil.copy(path, into)
    elif stat.S_ISDIR(mode):
        shutil.copytree(path, into)
    elif stat.S_ISFIFO(mode):
        os.mkfifo(into)


def _is_plain(folder: Path) -> bool:
    """Whether the folder holds a file as its store, and none but files."""
    if folder.is_symlink() or not folder.is_dir() or not (folder / STORE).is_file():
        return False
    return all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


def _listing(folder: Path) -> dict[str, Any]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _unchanged(bench: Bench, operation: str, good: Path, before: dict[str, Any]) -> None:
    """Byte for byte as it was."""
    after = _listing(good)
    if after != before:
        names = [name for name in before | after if before.get(name) != after.get(name)]
        bench.faults.append(Fault("altered", operation, "", f"the good store's {', '.join(names)}"))
