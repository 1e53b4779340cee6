"""The keys of a study file, their types, defaults and meaning, from the classes that read it."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from prose import first, markdown

from jaxflow.core.reading import annotations, key_of, said
from jaxflow.core.types import Recording
from jaxflow.flow.descent import Optax
from jaxflow.flow.dynamics import Dynamics
from jaxflow.flow.events import Event
from jaxflow.flow.iteration import Iteration
from jaxflow.problems.problem import Problem
from jaxflow.problems.shallow.activations import Activation
from jaxflow.problems.shallow.initialization import Initialization
from jaxflow.problems.shallow.inputs import InputLaw
from jaxflow.problems.shallow.labels import LabelLaw
from jaxflow.problems.shallow.network import Network
from jaxflow.sampling.axes import Axes, Horizon, Range
from jaxflow.sampling.grid import GridPlan
from jaxflow.sampling.rules import HorizonRule, WidthRule
from jaxflow.sampling.threshold import ThresholdPlan
from jaxflow.study.protocol import SCHEMA
from jaxflow.study.study import Study

PLAIN = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}
BATCHES = "With a `batch`" + (inspect.getdoc(Iteration) or "").partition("With a `batch`")[2]
IN_A_FILE = {  # what docstrings say for Python
    'As `Axes(d=(10, 20), p=(50,), parameters={"problem.initialization.shrink": (0.1, 1.0)})`, '
    "whose four": (
        "With `d = [10, 20]`, `p = [50]` and "
        '`parameters = { "problem.initialization.shrink" = [0.1, 1.0] }` the four'
    ),
    '("d", "p")': '`["d", "p"]`',
    '("momentum", 0.9)': '`["momentum", 0.9]`',
    ': Below("test_error", 0.1)': "",
    ': Above("margin", 0)': "",
    "`ThresholdPlan`": "`[threshold]`",
    "`StepsOfDescent`": '`"steps_of_descent"`',
    ", see `GroupWise`": "",
    "For `batch`, `replacement` and `max_steps` see `Iteration`.": BATCHES,
    "`max_steps` are those of `Iteration`.": "A trial fails that takes more than `max_steps`.",
    "Raises `ValueError` unless low < high": "Refused unless from < to",
    "Raises `ValueError`": "Refused",
}
LEFT_OUT = {  # what holds in place of a key that says nothing by itself
    "batch": "all samples",
    "d": "it is scanned, or 1 where the problem does without",
    "n": "it is scanned, or 1 where the problem does without",
    "p": "it is scanned, or 1 where the problem does without",
    "event": '`"certificate"`, if there are no `events`',
    "factor": "`[1.0]`, if there are no `time`, `steps` or `epochs`",
    "lattice": '`"ladder"` where every size is a program of its own',
    "replacement": "`false`",
    "rising": "what is usual of the events",
    "rule": '`"steps_of_descent"` for a `factor`',
    "step": "steps that adapt",
    "times": "`points` of them",
    "trend": '`"power"`',
}
TABLES: dict[type, str] = {
    Axes: "`[axes]`",
    Range: "A range",
    Horizon: "`[horizon]`",
    ThresholdPlan: "`[threshold]`",
    GridPlan: "`[grid]`",
    Recording: "`[record]`",
    Network: "`[problem.network]`",
    Optax: "A function of optax",
}
CHOICES: dict[Any, str] = {
    Dynamics: "`[dynamics.NAME]`",
    Event: "`[event]` and `[events.NAME]`",
    Problem: "`[problem]`",
    InputLaw: "`[problem.inputs]`",
    LabelLaw: "`[problem.labels]`",
    Initialization: "`[problem.initialization]`",
    Activation: "An activation",
    HorizonRule: "A rule of the horizon",
    WidthRule: "A rule of the width",
}
ORDER = (
    Axes,
    Range,
    WidthRule,
    Horizon,
    HorizonRule,
    ThresholdPlan,
    GridPlan,
    Dynamics,
    Optax,
    Event,
    Problem,
    InputLaw,
    LabelLaw,
    Initialization,
    Network,
    Activation,
    Recording,
)


def text() -> str:
    """The whole file, then every table of it, as Markdown."""
    parts = ["## The file", "", markdown(_said(Study)), "", *_keys(Study)]
    for kind in ORDER:
        parts += ["", *(_choice(kind) if kind in CHOICES else _table(kind))]
    return "\n".join(parts)


def _table(kind: type) -> list[str]:
    return [f"## {TABLES[kind]}", "", markdown(_said(kind)), "", *_keys(kind)]


def _choice(kind: Any) -> list[str]:
    """What a name under the tag may be, and the keys of each."""
    choice = SCHEMA.choices[kind]
    default = f" If it is left out: `{choice.default}`." if choice.default else ""
    lines = [f"## {CHOICES[kind]}", "", f"By the key `{choice.tag}`.{default}", ""]
    lines += [f"| `{choice.tag}` | keys | what it is |", "|---|---|---|"]
    large = []
    for name, law in choice.laws.items():
        keys = ", ".join(_short(law, f) for f in said(law))
        if kind is Dynamics:
            keys = "below"
            large.append((name, law))
        lines.append(f"| `{name}` | {keys} | {first(_said(law))} |")
    for name, law in large:
        title = f'### `{choice.tag} = "{name}"`'
        lines += ["", title, "", markdown(_said(law)), "", *_keys(law)]
    return lines


def _said(kind: type) -> str:
    """The docstring of a class, in words of a study file."""
    text = inspect.getdoc(kind) or ""
    for python, meant in IN_A_FILE.items():
        text = re.sub(r"\s+".join(map(re.escape, python.split(" "))), meant, text)
    return text


def _short(law: type, f: Field[Any]) -> str:
    """A key with its default, or what it takes, for a line."""
    default = _default(f)
    asked = f" ({_type(_hint(law, f))})" if default == "required" else ""
    return f"`{key_of(f)}` = {default}" if default.startswith("`") else f"`{key_of(f)}`{asked}"


def _keys(kind: type) -> list[str]:
    rows = [f"| `{key_of(f)}` | {_type(_hint(kind, f))} | {_default(f)} |" for f in said(kind)]
    return ["| key | takes | if it is left out |", "|---|---|---|", *rows] if rows else []


def _hint(kind: type, f: Field[Any]) -> Any:
    return annotations(kind, "")[f.name]


def _type(kind: Any) -> str:
    """What a key takes, in words."""
    kind = getattr(kind, "__value__", getattr(kind, "__supertype__", kind))
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if kind in CHOICES:
        return _link(CHOICES[kind])
    if kind in TABLES:
        return _link(TABLES[kind])
    if origin in (Union, UnionType):
        return ", or ".join(dict.fromkeys(_type(k) for k in arguments if k is not type(None)))
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin in (tuple, list, Sequence):
        return _list(arguments)
    if origin in (dict, Mapping):
        return f"by name: {_type(arguments[1])}"
    return PLAIN.get(kind, "any value")


def _list(kinds: tuple[Any, ...]) -> str:
    if kinds[-1] is not ...:
        return f"pair of {' and '.join(map(_type, kinds))}"
    inner = _type(kinds[0])
    if inner.startswith("pair"):
        return f"list of {inner.replace('pair', 'pairs', 1)}"
    return f"list of {inner}s" if inner.endswith(("number", "text")) else f"list of: {inner}"


def _default(f: Field[Any]) -> str:
    if f.default is MISSING and f.default_factory is MISSING:
        return "required"
    value = f.default if f.default is not MISSING else f.default_factory()  # type: ignore[misc]
    if value is None or value in ((), {}):
        return LEFT_OUT.get(f.name, "nothing")
    if is_dataclass(value):
        laws = [law for choice in SCHEMA.choices.values() for law in choice.laws.items()]
        names = [name for name, law in laws if law is type(value)]
        return f'`"{names[0]}"`' if names else "its defaults"
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:_}" if value >= 10_000 else f"{value}"


def _link(title: str) -> str:
    """To the heading of a table."""
    anchor = re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-")
    return f"[{title}](#{anchor})"
