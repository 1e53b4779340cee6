"""What is mutated: sound stores, made once by tiny studies, and sound study files."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

SEARCH = """
name = "search"
horizon.time = [2.0, 6.0]

[axes]
d = [3]
p = [4]

[axes.parameters]
"problem.initialization.shrink" = [0.5, 1.0]

[dynamics.flow]
kind = "flow"

[dynamics.descent]
kind = "descent"
step = 0.5

[threshold]
low = 4
high = 8
relative_half_width = 0.3
batch = 3
max_trials = 6

[record]
observables = ["loss", "curvature"]
points = 6

[small]
axes.p = [2]
threshold.batch = 2
"""
GROWTH = """
name = "growth"
horizon.time = [4.0]

[axes]
d = [3]
p = [2, 4, 8]

[dynamics.flow]
kind = "flow"

[threshold]
low = 4
high = 8
relative_half_width = 0.3
batch = 3
max_trials = 6
"""
GRID = """
name = "grid"
event.square = 4.0
horizon.factor = [0.5, 1.0]

[axes]
n = [6]
p = [4]

[dynamics.flow]
kind = "flow"

[grid]
along = "d"
values = [2, 3]
repetitions = 3
"""
DESIGNS = {"search": SEARCH, "growth": GROWTH, "grid": GRID}
QUICK = "reference"
REFERENCE = Path(__file__).parents[1] / "support" / "reference"
STORE = "trials.sqlite"
LOCK = "trials.lock"


class Seed(NamedTuple):
    """A sound store, the same interrupted half way, and the study file of both."""

    name: str
    full: Path
    half: Path
    study: Path
    present: bool  # of the present schema, whose rows `check` can hold against what was written


class Interrupted(BaseException):
    """Ends a run after its first harvests."""


def make(root: Path) -> None:
    """Run the tiny studies into `root`; half a minute, most of it XLA's."""
    from jaxflow.cli.parser import main
    from jaxflow.store.store import Store

    insert, calls = Store.insert, [0]

    def interrupted(store: Store, *rest: Any, **more: Any) -> Any:
        written = insert(store, *rest, **more)
        calls[0] += 1
        if calls[0] == 3:
            raise Interrupted
        return written

    for name, text in DESIGNS.items():
        study, full, half = root / f"{name}.toml", root / name, root / f"{name}-half"
        study.write_text(text)
        command = ["run", str(study), "--threads", "1", "--out"]
        calls[0] = 0
        Store.insert = interrupted  # type: ignore[method-assign]
        try:
            with contextlib.suppress(Interrupted):
                main([*command, str(half)])
        finally:
            Store.insert = insert  # type: ignore[method-assign]
        shutil.copytree(half, full)
        if main([*command, str(full)]) != 0:
            raise RuntimeError(f"the tiny study {name} did not run")
        (full / "thresholds.png").write_bytes(b"")  # there, so that it is not drawn again
    for script in REFERENCE.glob("store-schema-*.sql"):
        _make_earlier(root, script.stem, script)


def make_quickly(root: Path) -> None:
    """One sound store, into `root`, without running a trial: an earlier one brought up to date."""
    from jaxflow.store.store import Store

    _make_earlier(root, QUICK, sorted(REFERENCE.glob("store-schema-*.sql"))[-1])
    with Store.read(root / QUICK) as store:
        protocol = store.protocol_hash, store.protocol_json
    Store.open(root / QUICK, *protocol).close()
    shutil.copytree(root / QUICK, root / f"{QUICK}-half")
    (root / f"{QUICK}.toml").write_text(GRID)


def _make_earlier(root: Path, name: str, script: Path) -> None:
    (root / name).mkdir()
    with contextlib.closing(sqlite3.connect(root / name / STORE)) as connection:
        connection.executescript(script.read_text("utf-8"))


def stores(root: Path) -> list[Seed]:
    """The stores that were made in `root`; one of an earlier schema has the half of another."""
    own = [
        Seed(name, root / name, root / f"{name}-half", root / f"{name}.toml", True)
        for name in (*DESIGNS, QUICK)
        if (root / name).exists()
    ]
    earlier = sorted(path for path in root.glob("store-schema-*") if path.is_dir())
    return own + [Seed(path.name, path, own[0].half, own[0].study, False) for path in earlier]


def files() -> dict[str, str]:
    """Texts of sound study files, by name."""
    from jaxflow.study.files import example, presets

    texts = {name: str(resource.read_text()) for name, resource in presets().items()}
    return {**DESIGNS, **texts, "example": example()}
