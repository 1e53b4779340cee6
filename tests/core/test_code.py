"""The code of a user's laws: told by what it does, not by how it is written down."""

import importlib
import sys
from dataclasses import dataclass

import pytest

import jaxflow as jf
from jaxflow.core.code import codes, codes_in
from jaxflow.core.open_names import Unloaded

SOURCE = """
from dataclasses import dataclass
@dataclass(frozen=True)
class Law:
    scale: float = 1.0
    def __call__(self, x):
        return self.scale * x
"""


@dataclass(frozen=True)
class Outer:
    inner: object
    others: tuple = ()


@pytest.fixture
def law_of(tmp_path, monkeypatch):
    """Imports a source as a module of the name, and makes its law."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(source, name="written_by_a_user"):
        (tmp_path / f"{name}.py").write_text(source)
        sys.modules.pop(name, None)
        monkeypatch.setattr("linecache.cache", {})
        return __import__(name).Law()

    yield make
    for name in ("written_by_a_user", "written_by_another"):
        sys.modules.pop(name, None)


def test_comments_and_empty_lines_are_not_code(law_of):
    (before,) = codes(law_of(SOURCE))
    (after,) = codes(law_of("# what it is\n" + SOURCE.replace("\n", "  \n\n")))
    assert before == after and before.startswith("written_by_a_user@")
    (other,) = codes(law_of(SOURCE.replace("self.scale * x", "self.scale + x")))
    assert codes_in(other).keys() == codes_in(before).keys()
    assert other != before


def test_laws_inside_others_are_found_and_ours_are_left_out(law_of):
    one, two = law_of(SOURCE), law_of(SOURCE, "written_by_another")
    found = codes({"problem": Outer(one, (two, 3)), "flow": jf.GradientFlow()})
    assert [name.partition("@")[0] for name in found] == [
        __name__,
        "written_by_a_user",
        "written_by_another",
    ]
    assert codes(jf.Perceptron()) == codes(Unloaded("mine:Law")) == codes((1, "x", None)) == ()


@pytest.mark.parametrize("how", ["import aside", "from aside import SCALE", "from aside import *"])
def test_what_a_module_imports_from_beside_it_is_its_code_too(law_of, tmp_path, how):
    """As a constant in a file of its own; what is installed is told by its version, or not."""

    def told(scale):
        (tmp_path / "aside.py").write_text(f"import numpy\nSCALE = {scale}\n")
        sys.modules.pop("aside", None)
        return codes_in(" ".join(codes(law_of(f"import jax\n{how}\n{SOURCE}"))))

    before, again, after = told("1.0"), told("1.0\n# one"), told("0.05")
    sys.modules.pop("aside")
    assert before.keys() == {"written_by_a_user"}
    assert before != after
    alone = codes_in(" ".join(codes(law_of(f"import jax\n{SOURCE}"))))
    assert alone != before
    assert again == before


def test_modules_of_a_package_are_its_code(tmp_path, monkeypatch):
    (tmp_path / "ours" / "laws").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)

    def told(**changed):
        texts = {
            "__init__": "",
            "laws/__init__": "",
            "laws/one": f"from ..numbers import SCALE\nfrom . import two\n{SOURCE}",
            "laws/two": "from ours.laws import three",
            "laws/three": "X = 1\n",
            "numbers": "SCALE = 2\n",
        }
        for name, text in {**texts, **changed}.items():
            (tmp_path / "ours" / f"{name}.py").write_text(text)
        for name in [name for name in sys.modules if name.partition(".")[0] == "ours"]:
            del sys.modules[name]
        monkeypatch.setattr("linecache.cache", {})
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        importlib.invalidate_caches()
        return codes(importlib.import_module("ours.laws.one").Law())

    before = told()
    assert [code.partition("@")[0] for code in before] == ["ours.laws.one"]
    assert told() == before
    for name in ("laws/three", "laws/two", "numbers"):
        assert told(**{name: "SCALE, X = 3, 4\nfrom ours.laws import three\n"}) != before
    for name in [name for name in sys.modules if name.partition(".")[0] == "ours"]:
        del sys.modules[name]


def test_a_row_tells_packages_and_codes_apart(law_of):
    (code,) = codes(law_of(SOURCE))
    name, _, digest = code.partition("@")
    assert codes_in(f"jaxflow 0.1.0 jax 0.10.1 {code}") == {name: digest}
    assert codes_in("jaxflow 0.1.0 jax 0.10.1") == {}


def test_what_has_no_source_is_left_out(monkeypatch):
    law = Outer(None)
    monkeypatch.setattr(Outer, "__module__", "a_notebook")
    assert codes(law) == ()
