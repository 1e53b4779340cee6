"""What a study stands on: keys of references.bib, by what its protocol and its designs name.

Every kind that a study can name is here, those that need no reference with none; a solver that is
not here is one of diffrax. Some papers are of a setting, several names together.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jaxflow.core.names import flattened

Keys = tuple[str, ...]
Fact = tuple[str, str]  # a dotted name, and the kind that it has

ALWAYS: Keys = ("jaxflow", "jax2018github")
DIFFRAX: Keys = ("kidger2021",)
WEAKLY_INTERACTING: Keys = ("dana2025",)
KINDS: dict[str, dict[str, Keys]] = {
    "dynamics.kind": {
        "flow": DIFFRAX,
        "descent": ("deepmind2020jax",),
        "edge_flow": ("marion2026",),
        "linearized_flow": ("jacot2018", "chizat2019"),
    },
    "dynamics.solver": {"RKC1": ("vanderhouwen1980", "sommeijer1998"), "RKC2": ("sommeijer1998",)},
    "dynamics.clock": {"time": (), "loss": ("nacson2019",)},
    "event.kind": {"certificate": (), "below": (), "above": (), "never": ()},
    "problem.kind": {
        "shallow_network": (),
        "committee": ("saad1995",),
        "deep_linear": ("saxe2014",),
        "deep_network": (),
        "jamming": ("geiger2019", "spigler2019"),
        "least_squares": (),
        "logistic_regression": ("soudry2018", "cover1965"),
        "matrix_sensing": ("gunasekar2017", "li2018"),
        "perceptron": ("cover1965",),
        "phase_retrieval": ("sun2018",),
        "quadratic_network": ("du2018", "soltanolkotabi2019"),
        "random_features": ("rahimi2007",),
        "spherical_perceptron": ("gardner1988",),
    },
    "problem.inputs.law": {
        "sphere": (),
        "gaussian": (),
        "rademacher": (),
        "student": ("bailey1994",),
        "orthogonal": WEAKLY_INTERACTING,
        "explicit": (),
    },
    "problem.labels.law": {
        "random_signs": (),
        "group_signs": WEAKLY_INTERACTING,
        "gaussian": (),
        "teacher": (),
        "explicit": (),
    },
    "problem.initialization.law": {
        "dominated": WEAKLY_INTERACTING,
        "balanced": (),
        "antisymmetric": ("zhang2020", "chizat2019"),
        "gaussian": (),
        "group": WEAKLY_INTERACTING,
        "explicit": (),
    },
    "problem.network.activation.name": {
        "relu": (),
        "leaky_relu": (),
        "quadratic": (),
        "monomial": WEAKLY_INTERACTING,
        "tanh": (),
        "gelu": ("hendrycks2016",),
        "softplus": (),
    },
    "horizon.rule": {"steps_of_descent": WEAKLY_INTERACTING},
    "axes.p.rule": {"well_initialized": WEAKLY_INTERACTING, "groups": WEAKLY_INTERACTING},
    "plan": {
        "threshold": ("watson1983", "kontsevich1999"),
        "grid": (),
        "plane": ("minka2001", "rasmussen2006", "krause2008"),
        "point": ("wilson1927",),
    },
    "measure": {"means": ("efron1979",)},
}
SETTINGS: tuple[tuple[dict[str, str], str], ...] = (
    (
        {
            "problem.network.scaling": "1/sqrt(p)",
            "problem.initialization.law": "gaussian",
            "problem.initialization.outputs": "signs",
        },
        "du2019",
    ),
    (
        {"problem.network.activation.name": "quadratic", "problem.labels.law": "teacher"},
        "xia2019",
    ),
)


def entries() -> dict[str, str]:
    """The entries of references.bib by key, as BibTeX."""
    text = (files("jaxflow.papers") / "references.bib").read_text(encoding="utf-8")
    every: list[str] = re.findall(r"^@.*?^\}$", text, re.M | re.S)
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in every}


def cited(facts: Sequence[Fact]) -> dict[str, str]:
    """The keys of a study by its `facts`, in order, and what each is for."""
    named, found = set(facts), dict.fromkeys(ALWAYS, "every study")
    for name, kind in facts:
        others = DIFFRAX if name == "dynamics.solver" else ()
        for key in KINDS.get(name, {}).get(kind, others):
            found.setdefault(key, f"{name} = {kind}")
    for setting, key in SETTINGS:
        if setting.items() <= named:
            found.setdefault(
                key, " and ".join(f"{name} = {kind}" for name, kind in setting.items())
            )
    return found


def facts_of(protocol: Mapping[str, Any], designs: Sequence[Mapping[str, Any]]) -> Iterator[Fact]:
    """What a protocol and its designs name, by dotted name; dynamics and events without theirs."""
    events = [protocol.get("event"), *_table(protocol.get("events")).values()]
    tables = [("event", _table(event)) for event in events]
    tables += [("dynamics", rule) for rule in protocol["dynamics"].values()]
    tables.append(("problem", flattened(_table(protocol.get("problem")), "the problem")))
    plans: list[str] = []
    for design in designs:
        axes, horizon = _table(design.get("axes")), _table(design.get("horizon"))
        tables += [("horizon", _table(horizon.get("rule"))), ("axes.p", _table(axes.get("p")))]
        plans += _plans(design, axes)
    for prefix, table in tables:
        yield from ((f"{prefix}.{k}", x) for k, x in table.items() if isinstance(x, str))
    yield from (("plan", kind) for kind in plans)
    if protocol.get("measure"):
        yield "measure", "means"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plans(design: Mapping[str, Any], axes: Mapping[str, Any]) -> Iterator[str]:
    """How a design samples: a search or a grid, of a plane, of a single value."""
    grid, values = design.get("grid"), [*axes.values(), *_table(axes.get("parameters")).values()]
    yield "threshold" if grid is None else "grid"
    if any("from" in _table(axis) for axis in values):
        yield "plane"
    if len(_table(grid).get("values") or ()) == 1:
        yield "point"
