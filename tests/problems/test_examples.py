"""The examples are what a user writes: a screen each, of names that a user has."""

import ast
from pathlib import Path

import pytest

from jaxflow import problems

FOLDER = Path(problems.__file__).parent / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
SCREEN = 60  # lines


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_screen_of_public_names(name):
    text = (FOLDER / f"{name}.py").read_text()
    assert len(text.splitlines()) <= SCREEN
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    for node in imports:
        names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        assert not any(part.startswith("_") for part in names), names
