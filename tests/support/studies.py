"""Random studies as tables of plain values, for the property tests."""

from hypothesis import strategies as st

words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
sizes = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)
positive = st.floats(0.1, 5.0)


def table(**optional):
    """A table with some of these keys."""
    return st.fixed_dictionaries({}, optional=optional)


def law(name, **optional):
    return table(**optional).map(lambda made: {"law": name, **made})


def ordered(made):
    """The table with its low not above its high."""
    if "low" in made and "high" in made and made["low"] > made["high"]:
        return {**made, "low": made["high"], "high": made["low"]}
    return made


between = {"low": st.floats(0.1, 1.0), "high": st.floats(2.0, 4.0)}
activations = st.one_of(
    st.sampled_from(["relu", "quadratic"]),
    st.builds(lambda leak: {"name": "leaky_relu", "leak": leak}, st.floats(0, 0.9)),
    st.builds(lambda beta: {"name": "monomial", "beta": beta}, st.floats(1, 3)),
)
flows = table(
    solver=st.sampled_from(["RKC2", "RKC1", "Tsit5", "Heun"]),
    rtol=st.floats(0.01, 0.5),
    atol=st.floats(0.01, 0.5),
    max_steps=st.integers(100, 1000),
).map(lambda made: {"kind": "flow", **made})
descents = table(
    step=st.floats(0.01, 1.0), optimizer=st.sampled_from(["sgd", "adam"]), max_steps=st.just(500)
).map(lambda made: {"kind": "descent", **made})
problems = table(
    inputs=st.one_of(
        law("sphere", **between),
        law("rademacher", **between),
        law("student", nu=st.floats(2.5, 9.0), **between),
        law("gaussian", scale=positive),
    ),
    labels=st.one_of(
        law("random_signs", **between),
        law("group_signs", **between),
        law("gaussian", scale=positive),
        law("teacher", rank=st.integers(1, 3), activation=activations),
    ),
    network=table(
        activation=activations,
        scaling=st.sampled_from(["1/p", "1/sqrt(p)", "1"]),
        trained=st.sampled_from(["both", "first"]),
    ),
    initialization=st.one_of(
        law("dominated", ratio=positive, excess=positive, shrink=positive),
        law("balanced", scale=positive),
    ),
)
events = st.one_of(
    st.just("certificate"),
    table(square=positive),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["below", "above"]),
            "observable": st.sampled_from(["loss", "balancedness"]),
            "value": positive,
        }
    ),
)
several = st.dictionaries(words, events, min_size=1, max_size=2)
measures = st.lists(st.sampled_from(["loss", "distance", "flips"]), min_size=1, unique=True)
horizons = st.one_of(
    table(factor=st.one_of(positive, st.lists(positive, min_size=1, max_size=3))),
    table(time=st.one_of(positive, st.lists(positive, min_size=1, max_size=2))),
)
searches = st.fixed_dictionaries(
    {"low": st.integers(2, 6), "high": st.integers(7, 14)},
    optional={
        "relative_half_width": st.floats(0.1, 0.5),
        "batch": st.integers(2, 8),
        "max_trials": st.integers(4, 16),
    },
)
grids = st.fixed_dictionaries(
    {
        "values": st.lists(st.integers(2, 12), min_size=1, max_size=3, unique=True),
        "repetitions": st.integers(1, 2),
    }
)


@st.composite
def studies(draw):
    """A valid study, every key of it written or left out by chance."""
    names = draw(st.lists(words, min_size=1, max_size=2, unique=True))
    dynamics = {name: draw(st.one_of(flows, descents)) for name in names}
    along = draw(st.sampled_from(["n", "d", "p"]))
    made = {
        "name": draw(words),
        "axes": {name: draw(sizes) for name in ("d", "n", "p") if name != along},
        "dynamics": dynamics,
        **draw(table(problem=problems, horizon=horizons, seed=st.integers(0, 99))),
        **draw(st.one_of(table(event=events), st.fixed_dictionaries({"events": several}))),
        **draw(table(measure=measures)),
        **draw(table(precision=st.just("float32"))),
    }
    kind = draw(st.sampled_from(["threshold", "grid"]))
    made[kind] = draw(searches if kind == "threshold" else grids)
    if along != "n":
        made[kind]["along"] = along
    parameters = {}
    if draw(st.booleans()):
        parameters["problem.network.activation.leak"] = draw(
            st.lists(st.floats(0, 0.9), min_size=1, max_size=2, unique=True)
        )
        made.setdefault("problem", {}).setdefault("network", {})["activation"] = {
            "name": "leaky_relu"
        }
    steps = [name for name, table in dynamics.items() if table["kind"] == "descent"]
    if len(steps) == len(dynamics) and draw(st.booleans()):
        unit = draw(st.sampled_from(["steps", "epochs"]))
        made["horizon"] = {unit: draw(st.lists(st.integers(1, 99), min_size=1, max_size=2))}
    if steps and draw(st.booleans()):
        parameters[f"dynamics.{steps[0]}.step"] = [0.5, 1.0]
    if parameters:
        made["axes"]["parameters"] = parameters
    return made


def leaves(value, path=()):
    """The paths to everything in a table that is not a table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path


def tables(value, path=()):
    """The paths to a table and all tables in it."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from tables(inner, (*path, key))


def put(value, path, new):
    """The table with `new` at a path."""
    if not path:
        return new
    return {**value, path[0]: put(value[path[0]], path[1:], new)}


def get(value, path):
    return get(value[path[0]], path[1:]) if path else value
