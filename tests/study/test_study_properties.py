"""Random studies: a round trip through TOML, one hash however written, one line for a mistake."""

import math
import random
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import get, leaves, put, studies, tables

from jaxflow.cli.parser import main
from jaxflow.report.soundness import check
from jaxflow.store.store import Store
from jaxflow.study.run import run
from jaxflow.study.study import Study

FREE = {("dynamics",), ("events",), ("axes", "parameters")}  # tables whose keys are the user's own


def hashes(study: Study) -> tuple[str, str]:
    """Those of its protocol and of its design."""
    return study.protocol.hash, study.design.hash


@settings(max_examples=200, deadline=None)
@given(studies())
def test_a_study_survives_a_round_trip_through_toml(table):
    study = Study.from_table(table)
    again = Study.from_table(tomllib.loads(study.to_toml()))
    assert again == study
    assert hashes(again) == hashes(study)
    assert Study.from_table(study.table) == study


def otherwise(value, dice: random.Random):
    """The same, written otherwise: keys in another order, 2 for 2.0, x for [x]."""
    if isinstance(value, dict):
        items = [(key, otherwise(inner, dice)) for key, inner in value.items()]
        dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        made = [otherwise(inner, dice) for inner in value]
        return made[0] if len(made) == 1 and dice.random() < 0.5 else made
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@settings(max_examples=150, deadline=None)
@given(studies(), st.integers(0, 2**32))
def test_a_study_hashes_equally_however_it_is_written(table, seed):
    study, dice = Study.from_table(table), random.Random(seed)
    assert hashes(Study.from_table(otherwise(table, dice))) == hashes(study)
    assert hashes(Study.from_table(otherwise(study.table, dice))) == hashes(study)


@settings(max_examples=100, deadline=None)
@given(studies(), st.integers(0, 2**32))
def test_another_value_is_another_hash(table, seed):
    study = Study.from_table(table)
    protocol, design = hashes(study)
    seed = hashes(Study.from_table({**table, "seed": study.seed + 1}))
    name = hashes(Study.from_table({**table, "name": study.name + "x"}))
    assert seed[0] != protocol
    assert seed[1] == design
    assert name[0] == protocol
    assert name[1] != design


def spoiled(table, dice: random.Random):
    """A study with one mistake in it."""
    kind = dice.choice(["key", "type", "number", "missing", "axis"])
    if kind == "key":
        path = dice.choice([p for p in tables(table) if p not in FREE])
        return put(table, path, {**get(table, path), "dimensoin": 3})
    if kind == "type":
        path = dice.choice(list(leaves(table)))
        return put(table, path, dice.choice([{"a": 1}, [[]], [["x"]], [{}]]))
    if kind == "number":
        wrong = dice.choice([-3, -0.5, math.nan, math.inf, "many", True])
        name = dice.choice(["p", "d", "n"])
        return {**table, "axes": {**table["axes"], name: [wrong]}}
    if kind == "missing":
        return {key: x for key, x in table.items() if key != dice.choice(["name"])}
    wrong = dice.choice(["problem.labels.colour", "dynamics.nobody.step", "q", "seed"])
    return {**table, "axes": {**table["axes"], "parameters": {wrong: [1.0]}}}


@settings(max_examples=600, deadline=None)
@given(studies(), st.integers(0, 2**32))
def test_a_mistake_is_one_line(table, seed):
    with pytest.raises(ValueError, match="expected") as caught:
        Study.from_table(spoiled(table, random.Random(seed)))
    assert "\n" not in str(caught.value)
    assert ", got " in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_as_a_file_is_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="expected") as caught:
        Study.load(path)
    assert "\n" not in " ".join(str(caught.value).split())


def runs(table, folder):
    """Run a study at toy size; every trial has a legal row, and a second run adds none."""
    study = Study.from_table({**table, "horizon": {"time": [1.0, 3.0]}})
    run(study, folder)
    with Store.read(folder) as store:
        rows = store.rows()
    assert rows
    assert check(folder) == []
    assert run(study, folder).usage.trials == 0


TOY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@settings(TOY, max_examples=2)
@given(studies())
def test_a_random_study_runs(tmp_path_factory, table):
    runs(table, tmp_path_factory.mktemp("toy"))


@pytest.mark.slow
@settings(TOY, max_examples=25)
@given(studies())
def test_random_studies_run(tmp_path_factory, table):
    runs(table, tmp_path_factory.mktemp("toy"))


def test_the_example_names_every_key_and_is_a_study(tmp_path, capsys):
    path = tmp_path / "study.toml"
    assert main(["init", str(path)]) == 0
    study, text = Study.load(path), path.read_text()
    for leaf in leaves(study.table):
        for word in leaf:
            assert word in text, word
    assert main(["init", str(path)]) == 2
    assert "another name" in capsys.readouterr().err
