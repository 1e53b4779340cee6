"""What is done with a spoiled study file, up to where a run would compute."""

import contextlib
import math
import sys
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import files
from tests.fuzz.operations import Bench, Fault, chosen


def study(dice: Random, texts: dict[str, str], room: Path, bench: Bench) -> tuple[str, str]:
    """Mutate one study file, and do everything with it that needs no trial."""
    name = dice.choice(list(texts))
    mutation, change = chosen(files.MUTATIONS, dice)
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
    sys.modules.pop("side_effect", None)  # a study that is made imports its laws
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


def _new(room: Path, study: Path) -> list[Path]:
    """What a run has written that is neither its folder in runs/ nor in it."""
    runs, expected = study.parent / "runs", {study, *study.parents}
    written = [path for path in room.rglob("*") if path != runs and path not in expected]
    deeper = [path.parent for path in written if runs in path.parents[2:]]
    return [path for path in written if runs not in path.parents] + deeper


def _loaded(path: Path, small: bool = False) -> Any:
    from jaxflow.study.study import Study

    study = Study.load(path, small=small)
    if {len(text) for text in _hashes(study)} != {64}:
        raise AssertionError("a hash of another length")
    return study


def _hashes(study: Any) -> tuple[str, str]:
    return study.protocol.hash, study.design.hash


def _again(study: Any) -> None:
    """Written and read back it is the same study."""
    import tomllib

    from jaxflow.study.study import Study

    again = Study.from_table(tomllib.loads(study.to_toml()))
    if _hashes(again) != _hashes(study):
        raise AssertionError("another hash after a round trip through TOML")


def _proposed(study: Any) -> None:
    """What a run asks for first, at the horizons of a few slices."""
    for search in study.design.searches(study.protocol.outline)[:3]:
        for trial in search.propose():
            if not 0 < trial.horizon < math.inf:
                raise AssertionError(f"a horizon of {trial.horizon}")
