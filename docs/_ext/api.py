"""The public names, in groups: a table of each group, then what the docstrings say."""

import inspect
import re
from dataclasses import MISSING, fields, is_dataclass
from types import ModuleType

from prose import first, restructured

import jaxflow

# The names whose methods a user calls or writes; of the others the fields are all there is.
GROUPS: dict[str, tuple[str, list[str]]] = {
    "Ask and run": (
        "From Python: one threshold, one transition, one trial, or a study.",
        ["threshold", "transition", "trial", "Study", "run", "Result", "configure", "BlackBox"],
    ),
    "Problems": (
        "What one trial draws, and the loss that it descends.",
        ["Supervised", "Problem", "Dataset", "ShallowNetwork", "check_problem", "losses"],
    ),
    "Examples of problems": (
        "Some forty lines each; [the atlas](atlas.md) has their transitions beside theory.",
        [
            "Perceptron",
            "LogisticRegression",
            "SphericalPerceptron",
            "LeastSquares",
            "RandomFeatures",
            "QuadraticNetwork",
            "Committee",
            "PhaseRetrieval",
            "MatrixSensing",
            "DeepLinear",
            "DeepNetwork",
            "Jamming",
        ],
    ),
    "Dynamics": (
        "What moves the parameters.",
        [
            "GradientFlow",
            "GradientDescent",
            "Optax",
            "EdgeFlow",
            "LinearizedFlow",
            "Iteration",
            "RKC2",
            "RKC1",
        ],
    ),
    "Events": ("What counts.", ["Above", "Below", "Certificate", "Never"]),
    "Designs": (
        "What is run: axes, horizons, where the trials are, what is recorded.",
        [
            "Axes",
            "Range",
            "Horizon",
            "ThresholdPlan",
            "GridPlan",
            "Recording",
            "Design",
            "Protocol",
            "StepsOfDescent",
            "WellInitializedWidth",
            "GroupCount",
        ],
    ),
    "Shallow networks": (
        "The network; an activation is called with z and gives σ(z). How a law of yours is written "
        "is [a page of its own](laws.md).",
        [
            "Network",
            "ReLU",
            "LeakyReLU",
            "Monomial",
            "Quadratic",
            "Tanh",
            "GELU",
            "Softplus",
            "laws",
        ],
    ),
    "Laws of inputs": (
        "Rows x_i of X (n, d).",
        ["Sphere", "Gaussian", "Rademacher", "Student", "Orthogonal", "ExplicitInputs"],
    ),
    "Laws of labels": (
        "Entries y_i of y (n,).",
        ["RandomSigns", "GaussianLabels", "GroupSigns", "Teacher", "ExplicitLabels"],
    ),
    "Laws of first parameters": (
        "Rows w_j of W (p, d) and entries a_j of a (p,).",
        [
            "Dominated",
            "Balanced",
            "Antisymmetric",
            "GaussianWeights",
            "Group",
            "ExplicitWeights",
        ],
    ),
    "Records": (
        "What passes from a run to its store and to the statistics.",
        ["Outcome", "Point", "Trial", "Row", "Store", "check", "merge"],
    ),
    "Statistics and figures": (
        "Numbers from rows, pictures from numbers.",
        ["Tally", "Posterior", "report", "plot", "papers"],
    ),
    "Machines": (
        "Where trials run.",
        ["Lanes", "Cluster", "Runner", "LocalRunner"],
    ),
}
CALLED = {  # the methods that are shown
    "Study": "load, from_table, run, table, to_toml, slices, protocol, design",
    "Result": "",
    "BlackBox": "",
    "Supervised": "start, sample, predict, loss, nature, corrupt, margin",
    "Problem": "draw, loss, check, field, decay, precondition, residuals, well_initialized, shape, "
    "observables",
    "Iteration": "update, first_state",
    "Posterior": "",
    "Store": "open, read, rows, insert, trajectory, trajectories, designs, close",
    "Runner": "submit, harvest, run, drain, close, usage, parallel, backlog",
    "Point": "moved",
    "Row": "point, trial, of_event, answers, converged_by, outcome_by",
    "Axes": "values, points",
    "Horizon": "labels, times",
    "Recording": "schedule",
    "Protocol": "by_name, json, hash",
    "Design": "plan, along, slices, json, hash",
}


def text() -> str:
    """All groups, as Markdown."""
    return "\n".join(_group(title, *group) for title, group in GROUPS.items())


def _group(title: str, said: str, names: list[str]) -> str:
    table = [
        "| name | what it is |",
        "|---|---|",
        *(f"| {_link(name)} | {first(inspect.getdoc(_thing(name)) or '')} |" for name in names),
    ]
    entries = [line for name in names for line in _entry(name)]
    return "\n".join(
        [f"## {title}", "", said, "", *table, "", "```{eval-rst}", *entries, "```", ""]
    )


def _link(name: str) -> str:
    role = "py:mod" if isinstance(_thing(name), ModuleType) else "py:obj"
    return f"{{{role}}}`{name} <jaxflow.{name}>`"


def _thing(name: str) -> object:
    return getattr(jaxflow, name)


def _entry(name: str) -> list[str]:
    thing = _thing(name)
    if isinstance(thing, ModuleType):
        return [f".. py:module:: jaxflow.{name}", "", *_module(thing), ""]
    if inspect.isfunction(thing):
        return [f".. autofunction:: jaxflow.{name}", ""]
    members = [f"   :members: {CALLED[name]}".rstrip()] if name in CALLED else []
    members += ["   :inherited-members:"] if name == "Posterior" else []
    return [f".. autoclass:: jaxflow.{name}", *members, ""]


def _module(module: ModuleType) -> list[str]:
    """A module by what it says of itself and, in a line each, of its names."""
    public = [name for name in getattr(module, "__all__", ()) if name != "mistake"]
    said = inspect.getdoc(module) or ""
    lines = [
        f"**jaxflow.{module.__name__.rpartition('.')[2]}**",
        "",
        *restructured(said.split("\n")),
    ]
    for name in public:
        thing = getattr(module, name)
        if inspect.isroutine(thing) or inspect.isclass(thing):
            said = (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")
            lines += ["", f"``{name}``", *(f"   {line}" for line in restructured([said]))]
    return lines


def short(said: str | None) -> str | None:
    """A signature whose types have their last names only, and arrays their shapes."""
    if said is None:
        return None
    said = said.replace("jaxlib._jax.Array", "Array")
    return re.sub(r"<([\w.]+\.)?(\w+) object( at 0x[0-9a-f]+)?>", r"\2()", said)


def with_defaults(thing: object, said: str | None) -> str | None:
    """A signature of a dataclass in which what is made anew, or is all defaults, is a call."""
    if said is None or not is_dataclass(thing):
        return said
    for f in fields(thing):
        if f.default_factory is not MISSING:
            said = said.replace("<factory>", f"{f.default_factory.__name__}()", 1)
        elif is_dataclass(f.default) and f.default == type(f.default)():
            said = said.replace(repr(f.default), f"{type(f.default).__name__}()")
    return said
