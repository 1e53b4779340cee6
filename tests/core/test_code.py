"""The code of a user's laws: told by what it does, not by how it is written down."""

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


def test_a_row_tells_packages_and_codes_apart(law_of):
    (code,) = codes(law_of(SOURCE))
    name, _, digest = code.partition("@")
    assert codes_in(f"jaxflow 0.1.0 jax 0.10.1 {code}") == {name: digest}
    assert codes_in("jaxflow 0.1.0 jax 0.10.1") == {}


def test_what_has_no_source_is_left_out(monkeypatch):
    law = Outer(None)
    monkeypatch.setattr(Outer, "__module__", "a_notebook")
    assert codes(law) == ()
