"""The question that a study asks, in a sentence, and how its answer came about."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import tomli_w

from jaxflow.core.errors import printable
from jaxflow.report.compute import compute
from jaxflow.report.health import recorded
from jaxflow.report.slices import SliceReport
from jaxflow.sampling.axes import Axes, Range
from jaxflow.sampling.design import Design
from jaxflow.sampling.slice import Slice
from jaxflow.show.canvas import spoken
from jaxflow.show.repeat import Origin, origin
from jaxflow.show.text import number, symbol, taken
from jaxflow.store.store import Store
from jaxflow.study import files

if TYPE_CHECKING:
    from jaxflow.study.study import Study


class Provenance(NamedTuple):
    """Where the numbers of a store come from: names and values, the study, how it is run again."""

    facts: dict[str, str]
    study: str  # as TOML
    commands: tuple[str, ...]


def question(protocol: Mapping[str, Any], design: Design, slices: Sequence[Slice]) -> str:
    """Which random problem, dynamics, event and axis, in what time."""
    problem = _problem(protocol.get("problem", {}))
    dynamics = protocol["dynamics"].items()
    rules = _listed([_rule(name, rule, design.axes) for name, rule in dynamics])
    places = _listed(_axes(design.axes)) if _axes(design.axes) else ""
    start = f"For a random {problem}{' with ' if places else ''}{places}, trained by {rules}"
    along, extents = spoken(design.along), [slice.extent for slice in slices]
    ends = f"from {number(min(extents)[0])} to {number(max(high for _, high in extents))}"
    times = _listed(list(slices[0].horizon.labels), "or")
    if _kind(protocol.get("event")) == "never":
        return f"{start}: what is measured where trials end, at {along} {ends}, after {times}?"
    way = "rise" if slices[0].rises else "fall"
    return (
        f"{start}: at which {along}, looked for {ends}, does the probability that "
        f"{_event(protocol)}, within {times}, {way} through one half?"
    )


def asked(study: "Study") -> str:
    """A study as HTML for notebooks: its question, and its file to be unfolded."""
    sentence = question(study.table, study.design, list(study.slices()))
    file = f"<details><summary>study file</summary><pre>{escape(study.to_toml())}</pre></details>"
    return f"<p><b>{escape(study.name)}</b>: {escape(printable(sentence))}</p>{file}"


def _name(table: Any) -> str:
    """Its kind in words; of one that cannot be imported, <__main__:Mine at 0x..>, its class."""
    kind = str(table.get("kind", "problem") if isinstance(table, Mapping) else table)
    words = kind.strip("<>").partition(" at 0x")[0]
    return words.rpartition(":")[2].rpartition(".")[2].replace("_", " ")


def _problem(table: Any) -> str:
    """What is drawn, and the laws of its parts."""
    parts = table.items() if isinstance(table, Mapping) else ()
    laws = [
        f"{name} {str(part['law']).replace('_', ' ')}"
        for name, part in sorted(parts)
        if isinstance(part, Mapping) and "law" in part
    ]
    return f"{_name(table)} ({', '.join(laws)})" if laws else _name(table)


def _rule(name: str, rule: Mapping[str, Any], axes: Axes) -> str:
    """A dynamics, its kind, and what it has that is no axis."""
    kind = _name(rule)
    plain = {"optimizer": "sgd"}
    said = {
        key: rule[key]
        for key in ("solver", "optimizer", "step", "batch")
        if rule.get(key, plain.get(key)) != plain.get(key)
        and f"dynamics.{name}.{key}" not in axes.parameters
    }
    about = [x if isinstance(x, str) else f"{key} {x:g}" for key, x in said.items()]
    inside = ", ".join([*([kind] if kind != name else []), *about])
    return f"{name} ({inside})" if inside else name


def _event(protocol: Mapping[str, Any]) -> str:
    events = protocol.get("events")
    if isinstance(events, Mapping):
        return _listed([f"“{name}” ({_happens(event)})" for name, event in events.items()], "or")
    return _happens(protocol.get("event", {}))


def _kind(event: Any) -> str:
    return str(event.get("kind", "certificate") if isinstance(event, Mapping) else event)


def _happens(event: Any) -> str:
    """What happens at an event, in words."""
    table, kind = event if isinstance(event, Mapping) else {}, _kind(event)
    if kind in ("below", "above"):
        way = "falls below" if kind == "below" else "rises above"
        return f"{str(table.get('observable')).replace('_', ' ')} {way} {table.get('value'):g}"
    if kind == "certificate":
        square = table.get("square")
        is_known = isinstance(square, int | float)
        return f"the loss falls to {square:g} / 2n" if is_known else "its certificate is reached"
    return f"{_name(table)} happens"


def _axes(axes: Axes) -> list[str]:
    """Every axis with its values; one that a dynamics has goes by the name of both."""
    made = []
    for name in ("d", "n", "p", *axes.parameters):
        given = axes.parameters.get(name, getattr(axes, name, ()))
        of = name.split(".")[1:2] if name.startswith("dynamics.") else []
        called = " ".join([*of, symbol(name)])
        if isinstance(given, Range):
            made.append(f"{called} from {number(given.low)} to {number(given.high)}")
        elif isinstance(given, tuple) and given:
            made.append(f"{called} = {_listed([f'{x:g}' for x in given])}")
    return made


def _listed(words: Sequence[str], join: str = "and") -> str:
    *others, last = words
    return f"{', '.join(others)} {join} {last}" if others else last


def provenance(folder: Any, found: Sequence[SliceReport]) -> Provenance:
    """The study of a store, what ran it, and the commands that do so again."""
    with Store.read(folder) as store:
        protocol, designs, spent = store.protocol, store.designs, compute(store)
    study, last = origin(folder), designs[-1]
    facts = {
        "study": str(last.table.get("name")),
        "protocol (SHA-256)": protocol.hash,
        "design (SHA-256)": last.hash,
        "seed": str(protocol.table.get("seed")),
        "precision": protocol.precision,
        "versions": "; ".join(recorded(found, "versions")),
        "device": "; ".join(recorded(found, "device")),
        "compute": taken(spent) or "not noted",
        "first run": designs[0].created,
        "last run": last.last_run,
        "designs run on the store": str(len(designs)),
    }
    said = {name: printable(value) for name, value in facts.items()}
    return Provenance(said, tomli_w.dumps(_told(files.table(folder))), _commands(study, last))


def _told(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what is None, for which TOML has no word."""
    return {
        name: _told(value) if isinstance(value, Mapping) else value
        for name, value in table.items()
        if value is not None
    }


def _commands(study: Origin, last: Any) -> tuple[str, ...]:
    name = str(last.table.get("name"))
    run = " ".join(("jaxflow", "run", *study.words))
    return run, f"jaxflow thresholds runs/{name}", f"jaxflow report runs/{name}"
