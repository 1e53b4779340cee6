"""What the build of the pages makes from the code, and that it ends without a warning."""

import re
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import jaxflow
from jaxflow.study.protocol import SCHEMA
from jaxflow.study.study import Study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture
def made(monkeypatch):
    """A module of docs/_ext by name."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return import_module


def test_every_public_name_is_in_one_group(made):
    grouped = [name for _, names in made("api").GROUPS.values() for name in names]
    assert sorted(grouped) == jaxflow.__all__
    for name, shown in made("api").CALLED.items():
        for member in filter(None, shown.split(", ")):
            assert hasattr(getattr(jaxflow, name), member), (name, member)


def test_the_page_of_the_study_file_has_every_key_and_law(made):
    text = made("schema").text()
    for field in fields(Study):
        assert f"| `{field.name}` |" in text
    for choice in SCHEMA.choices.values():
        for name in choice.laws:
            assert f"| `{name}` |" in text
    assert not re.search(r"ValueError|[(]\"|\b(GroupWise|Iteration|ThresholdPlan|GridPlan)\b", text)
    for anchor in re.findall(r"\]\(#([\w-]+)\)", text):
        titles = re.findall(r"^## (.*)$", text, re.M)
        anchors = [re.sub(r"[^\w\s-]", "", t.lower()).strip().replace(" ", "-") for t in titles]
        assert anchor in anchors


def test_what_is_said_otherwise_in_a_study_file_is_in_a_docstring(made):
    schema = made("schema")
    laws = [law for choice in SCHEMA.choices.values() for law in choice.laws.values()]
    said = " ".join(" ".join((kind.__doc__ or "").split()) for kind in (*schema.TABLES, *laws))
    assert [python for python in schema.IN_A_FILE if python not in said] == []
    names = {f.name for kind in (Study, *schema.TABLES, *laws) for f in fields(kind)}
    assert set(schema.LEFT_OUT) <= names


def test_signatures_are_short(made):
    api = made("api")
    said = "(axes: ~jaxflow.sampling.axes.Axes, problem: ~a.Problem = <factory>, seed: int = 0)"
    assert "= ShallowNetwork()" in api.with_defaults(Study, said)
    assert "= Horizon()" in api.with_defaults(Study, f"(horizon: Horizon = {jaxflow.Horizon()!r})")


def test_docstrings_mean_what_they_say(made):
    """Signs of reStructuredText are no markup, backticks are code, blocks stay as they are."""
    prose = made("prose")
    said = ["|a_j| = *w_j*, `x[0]`:", "", "    y = |z|", "", "    z", "", "and on"]
    assert prose.restructured(said) == [
        r"\|a\_j\| = \*w\_j\*, \ ``x[0]``\ :", "", "::", "", "    y = |z|", "", "    z", "",
        "and on", "",
    ]  # fmt: skip
    assert prose.line("|a_j| `b_j`") == r"\|a\_j\| `b_j`"


def test_every_figure_has_a_script_that_says_what_it_is(made):
    gallery = made("gallery")
    text = gallery.text()
    for picture in (ROOT / "figures").glob("*.png"):
        assert f"(../figures/{picture.name})" in text
    assert len(re.findall(r"^### ", text, re.M)) >= 20
    assert len(re.findall(r"^\| (?!what|---)", gallery.numbers(), re.M)) > 200


def test_benchmarks_say_on_what_and_when(made):
    text = made("measured").text()
    assert re.search(r"2 cores; Python 3.*, jax .*; \d{4}-\d\d-\d\d\.", text)
    assert re.search(r"\| jaxflow flow \| [\d.]+ \| \d+ \| \d+ % \|", text)
    assert not re.search(r"\de\+\d", text)


def test_pages_ask_for_what_can_be_made(made):
    pages, pictures = made("site_pages"), made("pictures")
    asked = {"made": set(), "picture": set()}
    for page in DOCS.rglob("*.md"):
        pattern = r"^<!-- (made|picture): (\w+)[ \w]* -->$"
        for kind, name in re.findall(pattern, page.read_text(), re.M):
            asked[kind].add(name)
    assert asked["made"] == set(pages.MADE)
    assert all(
        pictures.drawn(getattr(pictures, name)).count("<svg") == 1 for name in asked["picture"]
    )


def test_the_atlas_has_a_page_for_every_problem(made):
    """With what was measured, the code and the study; between them all that is claimed."""
    atlas, gallery = made("atlas_pages"), made("gallery")
    pages = {page.stem: page.read_text() for page in (DOCS / "atlas").glob("*.md")}
    assert pages.keys() == atlas.PROBLEMS.keys()
    measured = 0
    for name, page in pages.items():
        assert page.endswith(f"<!-- made: atlas {name} -->\n")
        assert f"(atlas/{name}.md)" in (DOCS / "atlas.md").read_text()
        rows = [row for row in atlas.text(name).split("\n") if row.startswith("| ")][1:]
        assert rows
        measured += len(rows)
    assert measured == sum(len(gallery.rows()[figure]) for figure in ("atlas", "perceptron"))


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """But for the notebooks, which `make docs` runs."""
    pytest.importorskip("sphinx")
    options = ["-q", "-W", "--keep-going", "-n", "-E", "-D", "nb_execution_mode=off"]
    options += ["-D", "suppress_warnings=myst-nb.lexer"]  # of notebooks that were not run
    command = [sys.executable, "-m", "sphinx", *options, "-d", str(tmp_path / "trees")]
    done = subprocess.run(
        [*command, str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
