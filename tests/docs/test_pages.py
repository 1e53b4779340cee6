"""The code of README.md and of the pages: it can be read here, and the slow tests run it, smaller.

Tutorials are run by `make docs`; the laws of docs/laws.md and the jobs of docs/clusters.md have
tests of their own.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from diagrams import BOUNDARY

import jaxflow
from jaxflow.cli.parser import _changes, _parser
from jaxflow.study.study import Study

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("[!_]*.md"))]
NAMES = {path: str(path.relative_to(ROOT)) for path in PAGES}
GIVEN = {  # what a page takes from elsewhere
    "README.md": "import jax, jax.numpy as jnp, jaxflow as jf",
    "docs/problems.md": """
import jaxflow as jf, jax.numpy as jnp
class Student(jf.LeastSquares):
    def nature(self, key, point):
        return jf.MatrixSensing.nature(jf.MatrixSensing(), key, point)[0]
    def sample(self, key, nature, point):
        x, _ = super().sample(key, nature, point)
        return x, x @ nature
def my_experiment(n):
    return n < 300
""",
}
BEFORE = {  # and what was run before
    "docs/clusters.md": "for i in 1 2; do jaxflow run study.toml --part $i/2 --out parts/$i; done",
    "docs/shell.md": "jaxflow run study.toml --out runs/demo",
    "docs/howto/export.md": "jaxflow run study.toml --out runs/boundary",
    "docs/large.md": "for i in 1 2; do jaxflow run study.toml --part $i/2 --out runs/part-$i; done",
}
SMALLER = {  # a size at which it can be tried
    "tcp://node1:8786": "tcp://127.0.0.1:18786",
    "--port 8786": "--port 18786",
    "--nworkers 16": "--nworkers 1",
    "--workers 8": "--workers 2",
    "scheduler.json\n": "scheduler.json & until [ -s scheduler.json ]; do sleep 1; done\n",
    'eval "$(jaxflow completion zsh)"': "jaxflow completion zsh",
    "completion fish | source": "completion fish",
    "jaxflow run demo": "jaxflow run demo --axes.d='[8]' --axes.p='[16]' --threshold.low=10"
    " --threshold.high=200 --threshold.relative_half_width=0.4",
}
FUNCTIONS = f"""
set -e
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
pip() {{ true; }}
make() {{ command make --no-print-directory -C {ROOT} -n "$@"; }}
ssh() {{ shift; bash -c "$*"; }}
jq() {{ cat; }}
"""
IN_OTHER_TESTS = {"docs/laws.md"}
COMMANDS = set(_parser()._subparsers._group_actions[0].choices)
SLURM = "#SBATCH"  # as in test_clusters.py


def blocks(path, *languages):
    """The blocks of a page in these languages, without those of a notebook."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```", path.read_text(), re.M | re.S)
    return [text for language, text in found if language.strip() in languages]


def scripts(path):
    """Its blocks of shell; of those in no language, such as pictures, the ones of commands."""
    plain = [text for text in blocks(path, "") if re.match("(make|jaxflow|python) ", text)]
    return [*blocks(path, "bash"), *plain]


def having(*languages):
    return [NAMES[path] for path in PAGES if blocks(path, *languages)]


WITH_SHELL = [NAMES[path] for path in PAGES if scripts(path)]
WITH_CODE = [NAMES[path] for path in PAGES if scripts(path) or blocks(path, "python")]


def commands(text):
    """The commands of jaxflow in a script or a line, as lists of words."""
    for line in text.replace("\\\n", " ").split("\n"):
        for part in re.split(r"&&|;|\|(?!\|)|(?<!&)&(?!&)", line.split(" #")[0]):
            if part.strip().startswith("jaxflow "):
                yield shlex.split(part.split(">")[0])[1:]


@pytest.mark.parametrize("name", having("python", "{code-cell}"))
def test_python_of_a_page_names_what_there_is(name):
    for text in blocks(ROOT / name, "python", "{code-cell}"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "jf":
                assert hasattr(jaxflow, node.attr), node.attr


@pytest.mark.parametrize("name", having("toml"))
def test_toml_of_a_page_can_be_read(name):
    for text in blocks(ROOT / name, "toml"):
        assert tomllib.loads(text)


@pytest.mark.parametrize("name", WITH_SHELL)
def test_shell_of_a_page_has_commands_and_targets_that_there_are(name):
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
    for text in scripts(ROOT / name):
        said = subprocess.run(
            ["bash", "-n"], input=text, text=True, capture_output=True, check=True
        )
        assert not said.stderr
        assert set(re.findall(r"^make (\w+)", text, re.M)) <= targets
        for words in commands(text):
            parses(words)


@pytest.mark.parametrize("name", NAMES.values())
def test_commands_inside_a_text_can_be_parsed(name):
    for code in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", (ROOT / name).read_text())):
        line = " ".join(code.split())
        if line.startswith("jaxflow ") and " | " not in line and "..." not in line:
            for words in commands(line):
                parses(words)


def parses(words):
    """A command with its flags; capitals and variables stand for values."""
    if len(words) == 1 and words[0] in COMMANDS:
        return  # its name alone
    if "--help" not in words and "--version" not in words:
        numbered = ["1/2" if word in ("i/k", "i/100") else word for word in words]
        values = [re.sub(r"^[A-Z]$|\$\w+", "1", word) for word in numbered]
        options, others = _parser().parse_known_args(values)
        _changes(others, options.flags)


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text()):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def smaller(monkeypatch):
    """What is run from Python is cut down: shorter times, wider intervals, fewer places."""
    threshold, load = jaxflow.threshold, Study.load

    def small_threshold(*problem, time=None, **asked):
        short = {"time": [10.0, 20.0, 40.0][: np.size(time)]} if time else {}
        small = {"d": [5, 6] if isinstance(asked["d"], list) else 6, "low": 4, "high": 40}
        wide = {"relative_half_width": 0.5, "quiet": True}
        return threshold(*problem, **asked | short | small | wide)

    def small_load(source, changes=None, **options):
        small = {"axes.d": [8], "threshold.low": 10, "threshold.high": 300}
        axis = {"axes.p": {"from": 12, "to": 24} if "p" in str(changes) else [16]}
        width = {"threshold.relative_half_width": 0.4}
        is_preset = not Path(source).exists()
        return load(source, small | axis | width if is_preset else changes, **options)

    monkeypatch.setattr(jaxflow, "threshold", small_threshold)
    monkeypatch.setattr(Study, "load", small_load)


def run_shell(text, folder):
    """A script, with the commands of this environment."""
    for said, meant in SMALLER.items():
        text = text.replace(said, meant)
    (folder / "study.toml").write_text(BOUNDARY)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with (folder / "said.txt").open("w") as said:
        done = subprocess.run(
            ["bash", "-c", FUNCTIONS + text],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdout=said,
            stderr=said,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, (folder / "said.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in WITH_CODE if n not in IN_OTHER_TESTS])
def test_a_page_runs_as_it_stands(name, tmp_path, monkeypatch):
    """Shell first, in a folder with a small study; then Python, from top to bottom."""
    shell = [text for text in scripts(ROOT / name) if SLURM not in text]
    run_shell("\n".join([BEFORE.get(name, ""), *shell]), tmp_path)
    monkeypatch.chdir(tmp_path)
    smaller(monkeypatch)
    names = {"__name__": "page"}
    exec(GIVEN.get(name, ""), names)
    for text in blocks(ROOT / name, "python"):
        exec(text, names)


def test_every_error_of_the_page_is_one_of_the_code():
    code = "\n".join(path.read_text() for path in (ROOT / "jaxflow").rglob("*.py"))
    values = {"a number at": '"a number"', "an integer at": '"an integer"', "key of": '"key of {'}
    page = (ROOT / "docs" / "faq.md").read_text()
    quoted = re.findall(r"^\| ([^|]+) \|", page.split("<!-- errors -->")[1], re.M)[1:]
    assert len(quoted) >= 20
    for text in quoted:
        assert re.search(rf'f?"{re.escape(text)}\b', code) or values[text].strip("{") in code, text
