"""Tables to studies and back: round trips, hashes, and one-line errors."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxflow.flow.descent import GradientDescent
from jaxflow.flow.flow import GradientFlow
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
    lambda name, ensemble, d, p, seed, success, horizon: changed(
        name=name,
        ensemble=ensemble,
        axes={"d": d, "p": p},
        seed=seed,
        success=success,
        horizon=horizon,
        dynamics={
            "flow": {"kind": "flow", "rtol": 0.1},
            "control": {"kind": "descent", "step": 0.5, "options": [["momentum", 0.9]]},
        },
    ),
    st.text(min_size=1, max_size=8),
    laws,
    st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
    st.integers(0, 2**32 - 1),
    st.one_of(st.just("signs"), st.floats(1e-9, 1e3)),
    st.one_of(st.builds(lambda t: {"time": t}, st.floats(1e-3, 1e6)), st.just({"factor": 2})),
)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_studies_survive_a_round_trip(table):
    study = Study.from_table(table)
    again = Study.from_table(json.loads(study.json))
    assert again == study
    assert again.hash == study.hash


def test_ways_to_write_one_study_hash_equally():
    short = Study.from_table(changed(ensemble={"inputs": "sphere"}))
    long = Study.from_table(
        changed(
            ensemble={"inputs": {"high": 2, "low": 1, "law": "sphere"}, "labels": "random_signs"},
            precision="float32",
            horizon={"factor": 1},
        )
    )
    assert short.hash == long.hash
    assert short.hash != Study.from_table(changed(seed=1)).hash


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
        (changed(dynamics={}), ["at least one dynamics"]),
        (changed(dynamics={"flow": {"kind": "flwo"}}), ["dynamics.flow.kind", "'flow'"]),
        (changed(dynamics={"flow": {"rtol": 0.1}}), ["kind", "name one of"]),
        (changed(dynamics={"flow": {"kind": "flow", "rtoll": 1}}), ["did you mean 'rtol'"]),
        (changed(dynamics={"flow": {"kind": "flow", "rtol": -1}}), ["rtol > 0"]),
        (changed(dynamics={"flow": {"kind": "flow", "solver": "RKC"}}), ["did you mean 'RKC2'"]),
        (changed(dynamics="flow"), ["a table at dynamics"]),
        (changed(ensemble={"inputs": "spere"}), ["ensemble.inputs.law", "did you mean 'sphere'"]),
        (changed(ensemble={"inputs": "orthogonal"}), ["n <= d for orthogonal inputs", "d = 5"]),
        (changed(ensemble={"network": {"trained": "none"}}), ["'both', 'first'"]),
        (changed(success=-1.0), ["success > 0"]),
        (changed(success="sign"), ["'signs'"]),
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
    st.sampled_from(["axes", "dynamics", "ensemble", "horizon", "success", "grid", "seed"]),
)
def test_no_table_causes_a_traceback(value, key):
    try:
        study = Study.from_table({**BASE, key: value})
    except ValueError as error:
        assert "expected" in str(error)
        assert "\n" not in str(error)
    else:
        assert Study.from_table(SCHEMA.write(study)) == study
