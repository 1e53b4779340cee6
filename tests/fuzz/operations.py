"""What a user does with a store or a study file, and what is a fault in the answer."""

import contextlib
import io
import os
import shutil
import sqlite3
import stat
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.fuzz import files, stores
from tests.fuzz.seeds import STORE, Seed
from tests.fuzz.values import OUTSIDE

LONGEST = 2000  # characters of a message
RUNNER = ("Runner", "check_numerics")  # what a run calls once it has read everything


class Hang(BaseException):
    """The time of an operation is over."""


class Reached(BaseException):
    """A run has come to where it would compute."""


class Fault(NamedTuple):
    """What went wrong: traceback, message, escape, hang, crash, altered, unsound, outside, miss."""

    kind: str
    operation: str
    place: str  # in the package
    said: str


class Case(NamedTuple):
    """What came of one mutation."""

    number: int
    mutation: str
    said: str
    operations: int
    faults: list[Fault]
    seconds: dict[str, float]


def prepare() -> None:
    """Import everything once, and end every run where it would compute."""
    import jaxflow.cli.commands
    import jaxflow.engine.runner
    import jaxflow.report.export
    import jaxflow.report.growth
    import jaxflow.report.recorded
    import jaxflow.report.status
    import jaxflow.report.thresholds
    import jaxflow.report.times
    import jaxflow.show.figures
    import jaxflow.show.progress
    import jaxflow.store
    import jaxflow.study.run  # noqa: F401

    def reached(*_: object, **__: object) -> None:
        raise Reached

    for name, module in list(sys.modules.items()):
        if name.startswith("jaxflow"):
            for one in RUNNER:
                if hasattr(module, one):
                    setattr(module, one, reached)


class Bench:
    """Runs operations, and notes the faults of each."""

    def __init__(self, about_to: Callable[[str], None]) -> None:
        self.faults: list[Fault] = []
        self.seconds: dict[str, float] = {}
        self._about_to = about_to

    def command(self, operation: str, *arguments: object) -> int:
        """A command line; its exit code, 3 for a fault."""
        from jaxflow.cli.parser import main

        out, err = io.StringIO(), io.StringIO()

        def run() -> int:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    return main([str(argument) for argument in arguments])
                except SystemExit as error:
                    return int(error.code or 0)

        code: int = self.call(operation, run, 3)
        said, told = err.getvalue(), out.getvalue()
        if code == 2:  # what a command tells of its progress may stand before
            self._message(operation, said[max(said.find("jaxflow: "), 0) :].rstrip("\n"))
        elif code not in (0, 1, 3):
            self._fault("message", operation, "", f"exit code {code}")
        if any(len(line) > LONGEST for line in told.splitlines()):
            self._fault("message", operation, "", f"a line of {len(told)} characters: {told[:80]}")
        if {"\x1b", "\x07"} & set(said + told):
            self._fault("escape", operation, "", (said + told)[:100])
        return code

    def call(self, operation: str, function: Callable[[], Any], otherwise: Any = None) -> Any:
        """A call from Python, that may end by a one-line `ValueError`."""
        self._about_to(operation)
        began = time.monotonic()
        try:
            return function()
        except ValueError as error:
            self._message(operation, str(error))
        except Hang:
            self._fault("hang", operation, _place(sys.exc_info()[2]), "")
            raise
        except Reached:
            return 0
        except BaseException as error:
            said = f"{type(error).__name__}: {str(error)[:150]}"
            self._fault("traceback", operation, _place(error.__traceback__), said)
        finally:
            self.seconds[operation] = time.monotonic() - began
        return otherwise

    def _message(self, operation: str, text: str) -> None:
        if "\n" in text or len(text) > LONGEST:
            said = f"{len(text)} characters, {text.count(chr(10))} ends of lines: {text[:80]!r}"
            self._fault("message", operation, "", said)
        if {"\x1b", "\x07"} & set(text):
            self._fault("escape", operation, "", repr(text[:100]))

    def _fault(self, *said: str) -> None:
        self.faults.append(Fault(*said))

    def outside(self, operation: str) -> None:
        """Nothing was written, imported or unpickled where it should not."""
        path = Path(OUTSIDE)
        if os.path.lexists(path):
            self._fault("outside", operation, "", f"{path} was made")
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if "side_effect" in sys.modules:
            self._fault("outside", operation, "", "a module that a file names was imported")
            del sys.modules["side_effect"]


def _place(trace: Any) -> str:
    """The innermost line of the package, and of all."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if f"{os.sep}jaxflow{os.sep}" in frame.filename]
    if not ours:
        return ""
    name = ours[-1].filename.rpartition(f"{os.sep}jaxflow{os.sep}")[2]
    return f"{name}:{ours[-1].lineno}"


# Stores


def store(
    number: int, dice: Random, seeds: list[Seed], room: Path, bench: Bench
) -> tuple[str, str]:
    """Mutate one store, and do everything with it."""
    seed = dice.choice([seeds[0], seeds[0], seeds[0], *seeds[1:]])
    mutation, change = _chosen(stores.MUTATIONS, dice)
    mutant, good = room / "mutant", room / "good"
    shutil.copytree(seed.full, mutant)
    shutil.copytree(seed.half, good)
    said = change(mutant, dice, seed._replace(half=good))
    copies = [copied(mutant, room / f"mutant-{i}") for i in range(5)]  # reading may roll back
    before, whole, known = _listing(good), content(seed.full / STORE), content(good / STORE)

    code = bench.command("check", "check", copies[0])
    is_another = said.endswith(stores.FORGED)  # whatever it says was written so, or might be
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
        bench.command("run", "run", seed.study, "--out", copies[4])
    _unchanged(bench, "writing", good, before)
    bench.outside("store")
    return f"{seed.name} {mutation}", said


def _chosen(mutations: Any, dice: Random) -> tuple[str, Any]:
    names = list(mutations)
    (name,) = dice.choices(names, [mutations[name][0] for name in names])
    return name, mutations[name][1]


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


# Study files


def study(
    number: int, dice: Random, texts: dict[str, str], room: Path, bench: Bench
) -> tuple[str, str]:
    """Mutate one study file, and do everything with it that needs no trial."""
    name = dice.choice(list(texts))
    mutation, change = _chosen(files.MUTATIONS, dice)
    here = room / "a" / "b" / "c"  # so that ../../x is still ours
    here.mkdir(parents=True)
    path = here / "study.toml"
    said, flags = change(path, texts[name], dice)
    loaded = None
    if not flags:
        loaded = bench.call("load", lambda: _loaded(path))
        bench.call("small", lambda: _loaded(path, small=True))
    if loaded is not None:
        bench.call("again", lambda: _again(loaded))
        bench.call("propose", lambda: _proposed(loaded))
    bench.outside("load")
    small = dice.choice([[], [], ["--small"]])
    with contextlib.chdir(here):
        bench.command("run", "run", path, *small, *flags)
        made = sorted(str(p.relative_to(room)) for p in _new(room, path))
    if made:
        bench.faults.append(Fault("outside", "run", "", f"wrote {made[0]}"))
    sys.modules.pop("side_effect", None)
    bench.outside("run")
    return f"{name} {mutation}", said


def _new(room: Path, study: Path) -> Iterator[Path]:
    """What a run has written, but for its folder."""
    runs = study.parent / "runs"
    for path in room.rglob("*"):
        inside = path == runs or runs in path.parents
        if not inside and path not in (study, *study.parents):
            yield path
        elif path.parent != runs and path.is_dir() and runs in path.parents:
            yield path


def _loaded(path: Path, small: bool = False) -> Any:
    from jaxflow.study.study import Study

    study = Study.load(path, small=small)
    assert len(study.hash) == 64
    return study


def _again(study: Any) -> None:
    """Written and read back it is the same study."""
    import tomllib

    from jaxflow.study.study import Study

    again = Study.from_table(tomllib.loads(study.to_toml()))
    if again.hash != study.hash:
        raise AssertionError("another hash after a round trip through TOML")


def _proposed(study: Any) -> None:
    for slice in study.slices()[:3]:
        trials = slice.propose()
        assert all(trial.horizon >= 0 for trial in trials)
