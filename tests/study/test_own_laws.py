"""Studies of laws that are not ours: told apart, run, kept, and read when their module is gone."""

import importlib
import sys
from dataclasses import dataclass, replace

import pytest

from jaxflow.cli.parser import main
from jaxflow.problems.shallow.laws import Everywhere, below, normal
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.report import slices, thresholds
from jaxflow.show.lights import lights
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

MODULE = '''
from dataclasses import dataclass
import jax.numpy as jnp
from jaxflow.problems.shallow.laws import Dense, Everywhere, below, normal

@dataclass(frozen=True)
class Stretched(Everywhere):
    """x ~ N(0, scale^2 I)."""
    scale: float = 1.0

    def draw(self, sample, sizes):
        inside = below(sizes.n, sample.rows)[:, None] & below(sizes.d, sample.d)
        return Dense(jnp.where(inside, {scale} * self.scale * normal(sample.entries), 0))

@dataclass(frozen=True)
class PerSample:
    """T0 = each n."""
    each: float = 1.0

    def __call__(self, point):
        return self.each * point.n
'''
STUDY = """
name = "own"
event.square = 1.0
horizon = {time = 20.0}
axes = {d = [3], p = [6]}
dynamics.control = {kind = "descent", step = 0.2}
problem.inputs = {law = "MODULE:Stretched"}
grid = {values = [4, 12], repetitions = 4}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two modules, which have a law of the same name, and a study of one of them."""
    for name, scale in (("laws_one", 1.0), ("laws_two", 3.0)):
        (tmp_path / f"{name}.py").write_text(MODULE.replace("{scale}", str(scale)))
        (tmp_path / f"{name}.toml").write_text(STUDY.replace("MODULE", name))
    yield tmp_path
    for name in ("laws_one", "laws_two"):
        sys.modules.pop(name, None)


def printed(capsys, *arguments) -> str:
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def delete_module(folder):
    (folder / "laws_one.py").unlink()
    sys.modules.pop("laws_one")
    importlib.invalidate_caches()


def test_two_laws_of_one_name_are_two_protocols(folder, capsys):
    """The second of them once ran no trial, and had the first one's answers."""
    printed(capsys, "run", folder / "laws_one.toml", "--out", folder / "out")
    assert main(["run", str(folder / "laws_two.toml"), "--out", str(folder / "out")]) == 2
    line = capsys.readouterr().err
    assert "laws_one:Stretched" in line
    assert "laws_two:Stretched" in line


def test_trials_of_another_code_are_told_where_they_are_met(folder, capsys, caplog):
    """A grid grows: in silence by the code that it has, with a warning by another."""
    path, out = folder / "laws_one.toml", folder / "out"
    printed(capsys, "run", path, "--out", out)
    (folder / "laws_one.py").write_text("# the same\n" + MODULE.replace("{scale}", "1.0"))
    sys.modules.pop("laws_one")
    printed(capsys, "run", path, "--grid.repetitions=5", "--out", out)
    assert not caplog.records
    (folder / "laws_one.py").write_text(MODULE.replace("{scale}", "2.0"))
    sys.modules.pop("laws_one")
    printed(capsys, "run", path, "--grid.repetitions=6", "--out", out)
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("laws_one is not the code that ran 10 trials of this store")
    with Store.read(out) as store:
        assert len({row.versions for row in store.rows()}) == 2
    (light,) = [one for one in lights(slices(out)) if one.name == "Numerics"]
    assert light.level == "act" and "several codes of laws_one" in light.found


def test_a_store_is_read_when_the_module_is_gone(folder, capsys):
    out, copy = folder / "out", folder / "copy"
    printed(capsys, "run", folder / "laws_one.toml", "--out", out)
    expected = thresholds(out)
    delete_module(folder)
    assert thresholds(out) == expected
    assert "N" in printed(capsys, "thresholds", out)
    assert "sound" in printed(capsys, "check", out)
    assert "finished" in printed(capsys, "status", out)
    assert "8 trials added" in printed(capsys, "merge", copy, out)
    assert thresholds(copy) == expected
    assert "8 trials" in printed(capsys, "export", out, folder / "trials.csv")
    assert "figure" in printed(capsys, "figure", out)
    assert "laws_one" not in sys.modules
    assert main(["run", str(out)]) == 2
    assert "laws_one" in capsys.readouterr().err


def test_horizons_by_a_rule_of_ones_own_are_read_when_its_module_is_gone(folder, capsys):
    out, copy = folder / "out", folder / "copy"
    path = folder / "laws_one.toml"
    path.write_text(
        path.read_text().replace(
            "horizon = {time = 20.0}",
            'horizon = {factor = [0.5, 2.0], rule = {rule = "laws_one:PerSample", each = 3.0}}',
        )
    )
    printed(capsys, "run", path, "--out", out)
    with Store.read(out) as store:
        assert {(row.n, row.horizon) for row in store.rows()} == {(4, 24.0), (12, 72.0)}
    expected = thresholds(out)
    delete_module(folder)
    assert thresholds(out) == expected
    assert "sound" in printed(capsys, "check", out)
    assert "run it to see" in printed(capsys, "status", out)
    assert "T0" in printed(capsys, "times", out)
    printed(capsys, "merge", copy, out)
    assert thresholds(copy) == expected


def test_a_law_without_a_name_runs_in_memory_and_is_refused_by_a_store(tmp_path):
    from jaxflow.problems.shallow.laws import Dense

    @dataclass(frozen=True)
    class Local(Everywhere):
        """x ~ N(0, I)."""

        def draw(self, sample, sizes):
            inside = below(sizes.n, sample.rows)[:, None] & below(sizes.d, sample.d)
            return Dense(normal(sample.entries) * inside)

    study = Study.from_table(
        {
            "name": "local",
            "event": {"square": 1.0},
            "horizon": {"time": 20.0},
            "axes": {"d": [3], "p": [6]},
            "dynamics": {"control": {"kind": "descent", "step": 0.2}},
            "grid": {"values": [4, 12], "repetitions": 4},
        }
    )
    study = replace(study, problem=ShallowNetwork(inputs=Local()))
    with pytest.raises(ValueError, match="a module that can be imported") as caught:
        run(study, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    found = study.run(quiet=True)
    assert len(found.rows()) == 8


def test_a_law_that_breaks_its_word_is_told_before_anything_is_run(folder, capsys):
    broken = (folder / "laws_one.py").read_text().replace("inside, 1.0", "True, 1.0")
    (folder / "laws_one.py").write_text(broken)
    assert main(["run", str(folder / "laws_one.toml"), "--out", str(folder / "out")]) == 2
    line = capsys.readouterr().err
    assert "Stretched at problem.inputs" in line
    assert line.count("\n") == 1
    assert not (folder / "out").exists()
