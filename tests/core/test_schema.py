"""Tables to studies and back: round trips, hashes, and one-line errors."""

import json
import random
import tomllib
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import studies, words

from jaxflow.core.schema import canonical
from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.events import Above, Below, Certificate
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.sampling.axes import Axes, Horizon
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study.study import SCHEMA, Study

BASE = {
    "name": "small",
    "axes": {"d": [5], "p": [8]},
    "dynamics": {"flow": {"kind": "flow"}},
    "grid": {"values": [5, 9], "repetitions": 2},
}


def changed(**changes):
    """The base table with some keys replaced, or left out where None."""
    table = {**BASE, **changes}
    return {key: value for key, value in table.items() if value is not None}


def boundary(**known):
    """A table that searches a boundary over p, of which something is known."""
    axes, threshold = {"d": [5], "p": [8, 16]}, {"low": 5, "high": 90, **known}
    return changed(grid=None, axes=axes, threshold=threshold)


def said(study):
    """All of a study as canonical JSON."""
    return canonical(study.table)


laws = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.one_of(
            st.just({"law": "gaussian", "scale": 2.0}),
            st.builds(
                lambda low: {"law": "sphere", "low": low, "high": 2 * low}, st.integers(1, 4)
            ),
        ),
        "labels": st.sampled_from(["random_signs", {"law": "teacher", "rank": 2}]),
        "network": st.builds(
            lambda activation, scaling, trained: {
                "activation": activation,
                "scaling": scaling,
                "trained": trained,
            },
            st.sampled_from(["relu", {"name": "leaky_relu", "leak": 0.1}, "quadratic"]),
            st.sampled_from(["1/p", "1/sqrt(p)", "1"]),
            st.sampled_from(["both", "first"]),
        ),
        "initialization": st.sampled_from(["dominated", {"law": "balanced", "scale": 0.5}]),
    },
)
tables = st.builds(
    lambda name, problem, d, p, seed, event, horizon: changed(
        name=name,
        problem=problem,
        axes={"d": d, "p": p},
        seed=seed,
        event=event,
        horizon=horizon,
        dynamics={
            "flow": {"kind": "flow", "rtol": 0.1},
            "control": {"kind": "descent", "step": 0.5, "options": [["momentum", 0.9]]},
        },
    ),
    words,
    laws,
    st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
    st.integers(0, 2**32 - 1),
    st.one_of(
        st.just("certificate"),
        st.builds(lambda square: {"square": square}, st.floats(1e-9, 1e3)),
        st.just({"kind": "below", "observable": "sharpness", "value": 2}),
    ),
    st.one_of(st.builds(lambda t: {"time": t}, st.floats(1e-3, 1e6)), st.just({"factor": 2})),
)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_studies_survive_a_round_trip(table):
    study = Study.from_table(table)
    again = Study.from_table(json.loads(said(study)))
    assert again == study
    assert said(again) == said(study)


def test_ways_to_write_one_study_hash_equally():
    short = Study.from_table(changed(problem={"inputs": "sphere"}))
    long = Study.from_table(
        changed(
            problem={"inputs": {"high": 2, "low": 1, "law": "sphere"}, "labels": "random_signs"},
            precision="float32",
            horizon={"factor": 1},
        )
    )
    assert said(short) == said(long)
    assert said(short) != said(Study.from_table(changed(seed=1)))


SIZES = [list, tuple, np.array, np.int16, jnp.asarray]
REALS = [list, tuple, np.array]


def listing(values, make):
    """The values as a list of some kind; a single one perhaps alone."""
    if make is np.int16:
        return np.int16(values[0]) if len(values) == 1 else [np.int16(x) for x in values]
    return make(values)


def number(x, dice):
    """The number as Python or NumPy has it."""
    makes = [float, np.float64, np.array]
    return dice.choice([*makes, int, np.int64] if float(x).is_integer() else makes)(x)


def in_python(table, dice):
    """The study of a table, made of Python objects and NumPy numbers."""
    axes = dict(table["axes"])
    sizes = {k: listing(v, dice.choice(SIZES)) for k, v in axes.items() if k != "parameters"}
    parameters = {k: listing(v, dice.choice(REALS)) for k, v in axes.get("parameters", {}).items()}
    laws = {GradientFlow: "flow", GradientDescent: "descent"}
    made = {
        "name": table["name"],
        "axes": Axes(**sizes, parameters=parameters),
        "dynamics": {
            name: law(**{k: v for k, v in fields.items() if k != "kind"})
            for name, fields in table["dynamics"].items()
            for law, kind in laws.items()
            if kind == fields["kind"]
        },
        "seed": dice.choice([int, float, np.uint32, np.array])(table.get("seed", 0)),
    }
    if "problem" in table:
        made["problem"] = SCHEMA.read(ShallowNetwork, table["problem"], "problem")
    if "horizon" in table:
        made["horizon"] = Horizon(**{k: np.array(v) for k, v in table["horizon"].items()})
    if "event" in table:
        made["event"] = _event(table["event"], dice)
    if "events" in table:
        made["events"] = {name: _event(one, dice) for name, one in table["events"].items()}
    if "measure" in table:
        made["measure"] = dice.sample(table["measure"], len(table["measure"]))
    for name, kind in (("threshold", ThresholdPlan), ("grid", GridPlan)):
        if name in table:
            entries = table[name].items()
            made[name] = kind(**{k: _entry(v, dice) for k, v in entries})
    return Study(**made)


def _event(event, dice):
    if isinstance(event, str):
        return dice.choice([event, np.str_(event), Certificate()])
    law = {"below": Below, "above": Above}.get(event.get("kind"), Certificate)
    return law(**{k: _entry(v, dice) for k, v in event.items() if k != "kind"})


def _entry(value, dice):
    if isinstance(value, list):
        return listing(value, dice.choice(SIZES))
    return value if isinstance(value, str) else number(value, dice)


@settings(max_examples=60)
@given(studies(), st.integers(0, 2**32))
def test_python_and_toml_make_equal_studies(table, seed):
    read = Study.from_table(tomllib.loads(tomli_w.dumps(table)))
    made = in_python(table, random.Random(seed))
    assert made == read
    assert said(made) == said(read)
    assert made.protocol.hash == read.protocol.hash


@settings(max_examples=30)
@given(studies())
def test_a_study_of_python_survives_its_own_table(table):
    study = in_python(table, random.Random(0))
    assert Study.from_table(study.table) == study
    assert said(replace(study)) == said(study)


def plain_study(**changes):
    """A study made in Python, with some fields replaced."""
    made = {
        "name": "small",
        "axes": Axes(d=5, p=8),
        "dynamics": {"flow": GradientFlow()},
        "grid": GridPlan(range(5, 10, 4), 2),
        **changes,
    }
    return Study(**made)


def test_single_values_ranges_tables_and_names_do_in_python():
    study = Study.from_table(BASE)
    assert plain_study() == study
    ways = [
        {
            "axes": {"d": np.int8(5), "p": jnp.asarray([8])},
            "grid": {"values": [5, 9.0], "repetitions": 2},
        },
        {
            "dynamics": {"flow": "flow"},
            "event": np.str_("certificate"),
            "precision": np.str_("float32"),
        },
        {"seed": 0.0, "problem": {"inputs": "sphere"}, "record": None},
    ]
    for changes in ways:
        assert said(plain_study(**changes)) == said(study)


nested: dict = {}
for _ in range(3000):
    nested = {"flow": nested}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dynamics": {"flow": GradientFlow}}, "make one, GradientFlow()"),
        ({"dynamics": [GradientFlow()]}, "a table at dynamics"),
        ({"dynamics": {1: GradientFlow()}}, "a text as key of dynamics"),
        ({"dynamics": {"flow": {"kind": "flow", "rtol": "0.1"}}}, "at dynamics.flow.rtol"),
        ({"dynamics": nested}, "dynamics.flow"),
        ({"axes": Axes}, "an axes at axes, got the class Axes"),
        ({"axes": Horizon()}, "a table at axes, got Horizon("),
        ({"axes": nested}, "key of axes"),
        ({"horizon": 2.0}, "or make one, Horizon"),
        ({"precision": "float16"}, "'float32', 'float64'"),
        ({"seed": 1.5}, "an integer at seed, got 1.5"),
        ({"seed": True}, "an integer at seed, got True"),
        ({"seed": 10**5000}, "an integer below 2^63 at seed"),
        (
            {"event": "certificat"},
            "event.kind in {above, below, certificate, never}, got 'certificat'",
        ),
        ({"event": {"square": 10**400}}, "a number below 1e308 at event.square"),
        ({"event": {"square": float("nan")}}, "a finite number at event.square"),
        ({"event": {"kind": "below", "observable": 1, "value": 1}}, "a text at event.observable"),
        ({"event": 1.0}, "an event at event, got 1.0"),
        ({"event": Certificate}, "make one, Certificate()"),
        ({"name": 3}, "a text at name, got 3"),
        ({"name": ["x" * 10**6]}, "a text at name"),
        ({"grid": GridPlan}, "got the class GridPlan"),
    ],
)
def test_mistakes_in_python_are_one_line(changes, words):
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        plain_study(**changes)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1100


def test_dynamics_are_what_they_say():
    study = Study.from_table(
        changed(dynamics={"a": {"kind": "flow", "rtol": 0.2}, "b": {"kind": "descent", "step": 1}})
    )
    assert study.dynamics == {"a": GradientFlow(rtol=0.2), "b": GradientDescent(1.0)}
    assert [slice.dynamics for slice in study.slices()] == ["a", "b"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (changed(name=None), ["expected name, got", "add it"]),
        (changed(nmae="x"), ["key of the study", "did you mean 'name'"]),
        (changed(axes={"d": [-5], "p": [8]}), ["a whole number d >= 1", "-5"]),
        (changed(axes={"d": [5], "p": []}), ["values of p", "list some"]),
        (changed(axes={"d": {"x": 5}, "p": [8]}), ["a list at axes.d", "5"]),
        (changed(axes={"d": [5.5], "p": [8]}), ["an integer at axes.d[0]", "5.5"]),
        (changed(grid={"values": [0, 4], "repetitions": 1}), ["n in values >= 1", "0"]),
        (changed(grid={"values": [], "repetitions": 1}), ["expected"]),
        (changed(grid=None), ["a threshold or a grid", "neither"]),
        (changed(threshold={"low": 5, "high": 9}), ["either a threshold or a grid", "both"]),
        (changed(grid=None, threshold={"low": 9, "high": 5}), ["low < high"]),
        (boundary(monotone={"d": "increasing"}), ["axis of the boundary in {p}", "'d'"]),
        (boundary(monotone={"p": "up"}), ["threshold.monotone.p", "'increasing'"]),
        (boundary(trend={"q": "power"}), ["axis of the boundary in {p}", "'q'"]),
        (boundary(trend="linear"), ["threshold.trend", "'linear'"]),
        (changed(dynamics={}), ["at least one dynamics"]),
        (changed(dynamics={"flow": {"kind": "flwo"}}), ["dynamics.flow.kind", "'flow'"]),
        (changed(dynamics={"flow": {"rtol": 0.1}}), ["kind", "name one of"]),
        (changed(dynamics={"flow": {"kind": "flow", "rtoll": 1}}), ["did you mean 'rtol'"]),
        (changed(dynamics={"flow": {"kind": "flow", "rtol": -1}}), ["rtol > 0"]),
        (changed(dynamics={"flow": {"kind": "flow", "solver": "RKC"}}), ["did you mean 'RKC2'"]),
        (changed(dynamics="flow"), ["a table at dynamics"]),
        (changed(problem={"inputs": "spere"}), ["problem.inputs.law", "did you mean 'sphere'"]),
        (changed(problem={"inputs": "orthogonal"}), ["n <= d for orthogonal inputs", "d = 5"]),
        (changed(problem={"network": {"trained": "none"}}), ["'both', 'first'"]),
        (changed(problem="shallow"), ["problem.kind", "did you mean 'shallow_network'"]),
        (changed(problem={"kind": "shallow"}), ["problem.kind", "did you mean 'shallow_network'"]),
        (changed(event={"square": -1.0}), ["square > 0", "-1.0", "give c of L <= c/2n"]),
        (changed(event={"square": 0}), ["square > 0"]),
        (
            changed(event="certain"),
            ["event.kind in {above, below, certificate, never}", "'certain'"],
        ),
        (changed(event={"kind": "beneath"}), ["event.kind", "got 'beneath'"]),
        (changed(event={"kind": "below", "value": 1}), ["event.observable, got", "add it"]),
        (changed(event={"kind": "below", "observable": "loss"}), ["event.value, got", "add it"]),
        (
            changed(event={"kind": "below", "observable": "nope", "value": 1}),
            ["observable in {", "loss", "sharpness", "got 'nope'"],
        ),
        (
            changed(event={"kind": "above", "observable": "loss", "value": float("inf")}),
            ["a finite number at event.value"],
        ),
        (
            changed(event={"kind": "above", "observable": "loss", "value": 1, "square": 1}),
            ["key of event in {observable, value}"],
        ),
        (
            changed(event={"kind": "below", "observable": "teacher_distance", "value": 1}),
            ["teacher"],
        ),
        (changed(success="signs"), ["key of the study", "got 'success'"]),
        (changed(horizon={"time": 0}), ["a finite number time of the horizon > 0", "0.0"]),
        (changed(horizon={"time": float("inf")}), ["a finite number"]),
        (changed(seed=-1), ["0 <= seed"]),
        (changed(seed=True), ["an integer at seed"]),
        (changed(precision="float16"), ["'float32', 'float64'"]),
    ],
)
def test_mistakes_are_one_line_that_names_expected_got_and_remedy(table, words):
    with pytest.raises(ValueError, match="expected") as caught:
        Study.from_table(table)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@settings(max_examples=120, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["law", "kind", "d", "p", "low", "values", "step", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(["axes", "dynamics", "problem", "horizon", "event", "grid", "seed"]),
)
def test_no_table_causes_a_traceback(value, key):
    try:
        study = Study.from_table({**BASE, key: value})
    except ValueError as error:
        assert "expected" in str(error)
        assert "\n" not in str(error)
    else:
        assert Study.from_table(SCHEMA.write(study)) == study
