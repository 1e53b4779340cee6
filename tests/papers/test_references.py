"""References: every kind has its own or is listed with none, and every entry is what it says."""

import inspect
import json
import re
from pathlib import Path

import pytest
from stores import DESIGN, PROTOCOL, ROW, made

from jaxflow.cli.parser import main
from jaxflow.core import __version__
from jaxflow.flow.stabilized import RKC1, RKC2
from jaxflow.papers.references import (
    ALWAYS,
    DIFFRAX,
    KINDS,
    SETTINGS,
    cited,
    entries,
    facts_of,
)
from jaxflow.problems.shallow import activations, initialization, inputs, labels
from jaxflow.sampling import rules
from jaxflow.study import protocol
from jaxflow.study.files import presets
from jaxflow.study.study import Study

ROOT = Path(__file__).parents[2]
TABLES = {
    "dynamics.kind": protocol.DYNAMICS,
    "dynamics.solver": {"RKC1": RKC1, "RKC2": RKC2},
    "event.kind": protocol.EVENTS,
    "problem.kind": protocol.PROBLEMS,
    "problem.inputs.law": inputs.LAWS,
    "problem.labels.law": labels.LAWS,
    "problem.initialization.law": initialization.LAWS,
    "problem.network.activation.name": activations.ACTIVATIONS,
    "horizon.rule": rules.HORIZON_RULES,
    "axes.p.rule": rules.WIDTH_RULES,
}
ELSEWHERE = {"deepmind2020jax", "kidger2021"}  # of optax and of diffrax themselves
GIVEN = {"assumption-1-points"}  # its data and weights are listed: no law tells of a paper
ARXIV = r"\b(\d{4}\.\d{4,5})\b"


def fields(entry):
    """The fields of an entry, by a parser that knows name = {value}, braces balanced."""
    head, rest = re.fullmatch(r"@(?:\w+)\{(\w+),\n(.*)\}", entry, re.S).groups()
    found = {}
    while rest.strip():
        name, rest = re.match(r"\s*(\w+) = \{(.*)", rest, re.S).groups()
        depth, end = 1, 0
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[end], 0)
            end += 1
        assert name not in found, (head, name)
        found[name], rest = rest[: end - 1], rest[end:]
        assert rest.startswith(",\n")
        rest = rest[2:]
    return found


ENTRIES = {key: fields(entry) for key, entry in entries().items()}


def surname(entry):
    """That of the first author, in plain letters."""
    first = entry["author"].partition(" and ")[0].partition(",")[0]
    return re.sub(r"[{}]|\\.", "", first)


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_is_there(name):
    assert KINDS[name].keys() == TABLES[name].keys()


def test_every_key_has_an_entry_and_every_entry_is_used():
    of_kinds = {key for kinds in KINDS.values() for keys in kinds.values() for key in keys}
    used = of_kinds | {*ALWAYS, *DIFFRAX} | {key for _, key in SETTINGS}
    assert used == ENTRIES.keys()
    text = (ROOT / "jaxflow" / "papers" / "references.bib").read_text()
    assert text.count("\n@") == len(ENTRIES)


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_is_whole(key):
    found = ENTRIES[key]
    assert {"title", "author"} < found.keys()
    assert key == "jaxflow" or re.fullmatch(r"(19|20)\d\d", found["year"])
    assert ("eprint" in found) == ("archiveprefix" in found)
    assert re.fullmatch(ARXIV, found.get("eprint", "0000.00000"))
    assert re.fullmatch(r"10\.\d{4,}/\S+", found.get("doi", "10.1000/x"))
    assert re.fullmatch(r"\d+(--\d+)?", found.get("pages", "1"))


@pytest.mark.parametrize("name", TABLES)
def test_modules_name_what_they_are_mapped_to(name):
    """By arXiv number, or by author and year; and no arXiv number there is unknown."""
    known = {found.get("eprint") for found in ENTRIES.values()}
    for kind, keys in KINDS[name].items():
        source = inspect.getsource(inspect.getmodule(TABLES[name][kind]))
        assert set(re.findall(rf"arXiv\s+{ARXIV}", source)) <= known
        for key in set(keys) - ELSEWHERE:
            found = ENTRIES[key]
            by_name = surname(found) in source and found["year"] in source
            assert by_name or found.get("eprint", "none") in source, key


def keys_of(name):
    study = Study.load(name)
    table = json.loads(study.protocol.json)
    return set(cited(list(facts_of(table, [json.loads(study.design.json)]))))


@pytest.mark.parametrize(
    ("name", "here", "absent"),
    [
        ("demo", {"sommeijer1998", "kidger2021", "dana2025", "watson1983"}, {"jacot2018"}),
        ("group-rates", {"kidger2021", "dana2025", "wilson1927"}, {"sommeijer1998"}),
        ("edge-flow", {"marion2026"}, {"jacot2018"}),
        ("lazy-scale", {"jacot2018", "chizat2019", "zhang2020"}, {"du2019"}),
        ("overparameterized", {"du2019"}, {"dana2025", "xia2019"}),
        ("quadratic-recovery-r1", {"xia2019"}, {"dana2025", "du2019"}),
        ("phase-diagram-d30", {"minka2001", "rasmussen2006", "krause2008"}, {"wilson1927"}),
        ("atlas-jamming", {"geiger2019", "spigler2019"}, {"dana2025"}),
    ],
)
def test_presets_stand_on_their_papers(name, here, absent):
    found = keys_of(name)
    assert here <= found and not absent & found
    assert set(ALWAYS) <= found


@pytest.mark.parametrize("name", sorted(set(presets()) - GIVEN))
def test_the_papers_that_a_preset_is_about_are_cited(name):
    comments = [line for line in presets()[name].read_text().splitlines() if line[:1] == "#"]
    numbers = {ENTRIES[key].get("eprint") for key in keys_of(name)}
    assert set(re.findall(ARXIV, "\n".join(comments))) <= numbers


def test_a_store_is_cited_without_a_module_of_its_user(tmp_path, capsys):
    table = json.loads(PROTOCOL)
    table["problem"] = {"kind": "no_such_module:Problem", "initialization": {"law": "dominated"}}
    table["dynamics"]["flow"]["solver"] = "RKC2"
    made(tmp_path, [ROW], protocol=json.dumps(table), design=DESIGN)
    assert main(["cite", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "% problem.kind = no_such_module:Problem: not of jaxflow" in said
    shown = {key for key, entry in entries().items() if entry in said}
    assert {"jaxflow", "sommeijer1998", "dana2025"} <= shown
    assert said.count("\n@") == len(shown)
    assert main(["cite", str(tmp_path / "none")]) == 2


def test_the_tool_is_called_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text()
    told = dict(re.findall(r'^(title|version): "?([^"\n]+)"?$', citation, re.M))
    ours = ENTRIES["jaxflow"]
    assert told == {"title": ours["title"], "version": ours["version"]}
    assert ours["version"] == __version__
    assert ours["author"].strip("{}") in citation
