"""Files that are none, endless views, names that order a terminal about: told, in a line."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pytest
from rich.console import Console

from jaxflow.cli.parser import main
from jaxflow.core.schema import digest
from jaxflow.show.progress import Monitor, state
from jaxflow.store.file import FILE, LOCK
from jaxflow.store.store import Store
from jaxflow.study.files import STUDY
from jaxflow.study.run import run
from jaxflow.study.study import Study

mpl.use("Agg")

EVIL = "\x1b[1mvil\x9b\n\u202e"
TABLE = {
    "name": "strange",
    "axes": {"d": [5], "p": [8], "parameters": {f"dynamics.{EVIL}.step": [0.5, 1.0]}},
    "horizon": {"time": [20.0, 40.0]},
    "dynamics": {EVIL: {"kind": "descent"}},
    "events": {EVIL: {"square": 1.0}, f"{EVIL} late": {"square": 0.5}},
    "measure": ["loss"],
    "threshold": {
        "low": 2, "high": 60, "relative_half_width": 0.5, "batch": 4, "max_trials": 16,
    },
}  # fmt: skip
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The folder of a study with names that no terminal should see, and what its run said."""
    folder = tmp_path_factory.mktemp("strange") / "store"
    said = StringIO()
    with Monitor(Console(file=said, force_terminal=True, color_system=None)) as monitor:
        run(Study.from_table(TABLE), folder, listener=monitor)
    return folder, said.getvalue()


@pytest.fixture
def folder(store, tmp_path):
    """A copy of its folder."""
    return Path(shutil.copytree(store[0], tmp_path / "copy"))


def refused(*arguments: object) -> str:
    """The one line that a command says in a process of its own, which does not wait for ever."""
    command = [sys.executable, "-m", "jaxflow", *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    (line,) = found.stderr.splitlines()
    assert found.returncode == 2 and found.stdout == "" and line.startswith("jaxflow: expected")
    return line


def commands(folder: Path) -> list[tuple[object, ...]]:
    """All that read a store."""
    one = [(name, folder) for name in ("status", "thresholds", "scaling", "times", "means")]
    out = folder.parent / "out"
    return [*one, ("figure", folder), ("compare", folder, folder), ("merge", out, folder),
            ("export", folder, out.with_suffix(".csv"))]  # fmt: skip


def said(capsys, *arguments: object) -> str:
    """All that a command prints; that it is fit for a terminal."""
    main([str(argument) for argument in arguments])
    found = "".join(capsys.readouterr())
    assert fit(found), ascii(found)
    return found


def fit(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def piped(path: Path) -> Path:
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def test_a_pipe_in_the_place_of_a_lock_does_not_hang_a_run(folder):
    piped(folder / LOCK)
    (folder / STUDY).write_text(
        (folder / STUDY).read_text() + "\n"
    )  # no fingerprint of it is known
    assert "a regular file" in refused("run", folder, "--out", folder)


def test_a_pipe_in_the_place_of_a_store_hangs_no_command(folder, capsys):
    piped(folder / FILE)
    for command in [*commands(folder), ("check", folder), ("run", folder)]:
        assert main([str(argument) for argument in command]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "a regular file" in line
    assert "a regular file" in refused("status", folder)


def test_a_pipe_in_the_place_of_a_study_file_hangs_no_command(folder):
    piped(folder / STUDY)
    assert "a regular file as study" in refused("run", folder)
    assert "a regular file as study" in refused("trial", piped(folder / "other.toml"))


def test_a_pipe_in_the_place_of_an_export_is_not_written_to(folder):
    path = piped(folder / "x.csv")
    assert "a regular file" in refused("export", folder, path)
    assert path.is_fifo()


@pytest.mark.parametrize("name", ["protocol", "designs", "trials", "asked", "sums", "more"])
def test_a_view_without_end_hangs_no_command(folder, name, capsys):
    with sqlite3.connect(folder / FILE) as connection:
        columns = connection.execute(f"SELECT name FROM pragma_table_info('{name}')").fetchall()
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        named = ", ".join(f"x AS {column}" for (column,) in columns) or "x"
        connection.execute(f"CREATE VIEW {name} AS {ENDLESS} SELECT {named} FROM c")
    connection.close()
    line = refused("status", folder)
    assert "of a store at" in line or "of a study at" in line
    for command in commands(folder):
        assert main([str(argument) for argument in command]) == 2
    assert main(["check", str(folder)]) == 1


def test_names_order_no_terminal_about(store, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder.parent)
    escaped = r"\x1b[1mvil\x9b\n\u202e"
    for command in (*commands(folder), ("check", folder), ("thresholds", folder, "--json")):
        found = said(capsys, *command)
        if command[0] in ("thresholds", "times", "means") and len(command) == 2:
            assert escaped[:8] in "".join(found.split())
    assert escaped in said(capsys, "trial", folder, "-n", "8")
    assert said(capsys, "run", folder, "--part", EVIL)
    with Store.read(folder) as kept:
        assert {row.dynamics for row in kept.rows()} == {EVIL}


def test_progress_orders_no_terminal_about(store):
    """Beside the orders that move the cursor of a bar."""
    shown = re.sub(r"\x1b\[(\d*[A-K]|\?25[hl])|\r", "", store[1])
    assert "vil" in shown and fit(shown), ascii(shown)
    study = Study.from_table(TABLE)
    searches = study.design.searches(study.protocol.outline)
    with Store.read(store[0]) as kept:
        for search in searches:
            search.tell(kept.rows())
    while any([search.propose() for search in searches]):
        pass
    assert all("vil" in state(search) and fit(state(search)) for search in searches)


@pytest.mark.parametrize("column", ["outcome", "reason", "device", "program", "dynamics"])
def test_texts_of_a_crafted_store_order_no_terminal_about(folder, column, capsys):
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute(f"UPDATE trials SET {column} = ? WHERE seed = 0", (f"{EVIL}2",))
    connection.close()
    for command in (*commands(folder), ("check", folder)):
        assert said(capsys, *command)


@pytest.mark.parametrize("name", ["../x", "../../x", "/tmp/x", "..", "a/../../x"])
def test_no_name_leads_a_file_out_of_its_folder(folder, name, capsys, monkeypatch):
    """That of a study, of a design in a store, of a kind of figure."""
    below = folder.parent / "one" / "two"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    text = (folder / STUDY).read_text().replace('name = "strange"', f'name = "{name}"')
    (folder / STUDY).write_text(text)
    (folder.parent / "study.toml").write_text(text)
    before = sorted(folder.parent.rglob("*"))
    assert main(["run", str(folder.parent / "study.toml")]) == 2
    assert main(["run", str(folder)]) == 2
    assert main(["figure", str(folder), "--kind", name]) == 2
    with Store.read(folder) as kept:
        protocol, design = kept.protocol, kept.designs[-1].json.replace("strange", name)
    with Store.open(folder, protocol.hash, protocol.json) as kept:
        kept.begin(digest(design), design)
    reading = [command for command in commands(folder) if command[0] != "export"]
    for command in reading:
        assert main([str(argument) for argument in command]) == 2
    assert sorted(folder.parent.rglob("*")) == before
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 + len(reading)
    assert all("name" in line for line in lines[3:])
