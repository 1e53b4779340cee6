"""Laws that are not ours: three laws are three hashes, and only who asks for it imports them."""

import json
import sys
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from jaxflow.core.open_names import Unloaded, importing_from, name_of
from jaxflow.core.schema import PLAIN, Schema
from jaxflow.flow.flow import GradientFlow
from jaxflow.problems.problem import Problem
from jaxflow.problems.shallow.inputs import InputLaw, Sphere
from jaxflow.problems.shallow.network import Network
from jaxflow.problems.shallow.padding import Everywhere
from jaxflow.problems.shallow.shallow_network import ShallowNetwork
from jaxflow.study.study import SCHEMA, Study

RING = """
from dataclasses import dataclass

import numpy as np

from jaxflow.problems.shallow.inputs import Sphere
from jaxflow.problems.shallow.padding import Everywhere


@dataclass(frozen=True)
class Ring(Everywhere):
    radius: float = 1.0

    def draw(self, sample, sizes):
        return Sphere(self.radius, self.radius).draw(sample, sizes)


@dataclass(frozen=True)
class Versioned(Ring):
    version = 2


@dataclass(frozen=True)
class Turned(Ring):
    rotation: np.ndarray | None = None


@dataclass
class Loose(Ring.__mro__[1]):
    def draw(self, sample, sizes): ...


@dataclass(frozen=True)
class NoDraw(Everywhere):
    radius: float = 1.0


@dataclass(frozen=True)
class Tagged(Ring):
    law: str = "x"


@dataclass(frozen=True)
class Refusing(Ring):
    def __post_init__(self):
        raise KeyError("two\\nlines")


class Plain:
    def draw(self, sample, sizes): ...


def function(): ...
"""


@pytest.fixture
def modules(tmp_path):
    """A folder on the import path with two modules of the same laws and one that fails."""
    for name in ("ring_one", "ring_two"):
        (tmp_path / f"{name}.py").write_text(RING)
    (tmp_path / "ring_broken.py").write_text("raise RuntimeError('two\\nlines')")
    with importing_from(tmp_path):
        yield tmp_path
    for name in ("ring_one", "ring_two", "ring_broken"):
        sys.modules.pop(name, None)


def study(inputs):
    table = {
        "name": "open",
        "axes": {"d": 5, "p": 8},
        "dynamics": {"flow": {"kind": "flow"}},
        "grid": {"values": [5, 9], "repetitions": 2},
    }
    made = Study.from_table(table)
    return replace(made, problem=ShallowNetwork(inputs=inputs))


def loaded(name, **fields):
    return SCHEMA.read(
        ShallowNetwork, {"inputs": {"law": name, **fields}}, "problem", load=True
    ).inputs


def test_laws_of_two_modules_and_two_parameters_are_three_hashes(modules):
    one, two = loaded("ring_one:Ring"), loaded("ring_two:Ring")
    other = loaded("ring_one:Ring", radius=2)
    hashes = {study(law).protocol.hash for law in (one, two, other)}
    assert len(hashes) == 3
    assert study(loaded("ring_one:Ring", radius=2.0)).protocol.hash in hashes
    assert study(loaded("ring_one:Versioned")).protocol.hash not in hashes
    assert SCHEMA.write(loaded("ring_one:Versioned", radius=np.float32(3))) == {
        "law": "ring_one:Versioned",
        "radius": 3.0,
        "version": "2",
    }


def test_a_law_that_is_not_loaded_hashes_as_the_law(modules):
    table = json.loads(study(loaded("ring_one:Versioned", radius=2)).protocol.json)["problem"]
    del sys.modules["ring_one"]
    read = SCHEMA.read(Problem, table, "problem")
    assert read.inputs == Unloaded("ring_one:Versioned", {"radius": 2.0, "version": "2"})
    assert "ring_one" not in sys.modules
    assert SCHEMA.unloaded({"a": (read,)}) == ["ring_one:Versioned"]
    assert SCHEMA.write(read) == table
    assert hash(read) == hash(SCHEMA.read(Problem, SCHEMA.write(read), "problem"))
    with pytest.raises(ValueError, match="import it first"):
        _ = read.inputs.draw
    again = SCHEMA.read(Problem, read, "problem", load=True)
    assert SCHEMA.unloaded(again) == []
    assert SCHEMA.write(again) == table


def test_a_class_within_a_function_runs_in_memory_and_is_no_part_of_a_store():
    def local():
        @dataclass(frozen=True)
        class Ring(Everywhere):
            def draw(self, sample, sizes): ...

        return Ring()

    one, two = local(), local()
    assert name_of(type(one)) is None
    assert study(one).protocol.hash == study(one).protocol.hash
    assert study(one).protocol.hash != study(two).protocol.hash
    with pytest.raises(ValueError, match="put it in a module that can be imported") as caught:
        SCHEMA.check_storable(study(one))
    assert "problem.inputs" in str(caught.value)
    SCHEMA.check_storable(study(Sphere()))


def test_a_class_that_another_has_replaced_has_no_name(modules):
    old = loaded("ring_one:Ring")
    SCHEMA.check_storable(study(old))
    del sys.modules["ring_one"]
    new = loaded("ring_one:Ring")
    SCHEMA.check_storable(study(new))
    with pytest.raises(ValueError, match="can be imported"):
        SCHEMA.check_storable(study(old))
    assert study(old).protocol.hash != study(new).protocol.hash


def test_arrays_in_laws_hash_by_content(modules):
    turned = type(loaded("ring_one:Turned"))
    eye, other = np.eye(3), np.eye(3) * 2
    laws = [study(turned(1, rotation)).problem.inputs for rotation in (eye, eye.copy(), other)]
    assert laws[0] == laws[1] != laws[2]
    assert hash(laws[0]) == hash(laws[1])
    assert len({study(law).protocol.hash for law in laws}) == 2
    assert (
        study(turned(1, jnp.eye(3))).protocol.hash
        == study(turned(1, np.eye(3, dtype="f4"))).protocol.hash
    )
    assert loaded("ring_one:Turned", rotation=eye.tolist()) == laws[0]
    kept = SCHEMA.write(laws[0])
    assert kept["rotation"]["shape"] == [3, 3]
    with pytest.raises(ValueError, match=r"an array of numbers at problem\.inputs\.rotation"):
        loaded(kept.pop("law"), **kept)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ring_none:Ring", "a module ring_none that can be imported"),
        ("ring_broken:Ring", "RuntimeError"),
        ("ring_one:Rong", "did you mean 'Ring'"),
        ("ring_one:Loose", "decorate the class with @dataclass(frozen=True)"),
        ("ring_one:Plain", "decorate the class with @dataclass(frozen=True)"),
        ("ring_one:NoDraw", "define draw as InputLaw does"),
        ("ring_one:Refusing", "KeyError"),
        ("ring_one:Tagged", "no field law"),
        ("ring_one:function", "name the class"),
        ("os:system", "name the class"),
        ("ring_one:", "a name module:Class"),
        (":", "a name module:Class"),
        ("../x:Ring", "a name module:Class"),
    ],
)
def test_what_is_no_law_is_refused_in_one_line(modules, name, words):
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        study(loaded(name))
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_another_version_of_a_law_is_refused(modules):
    assert loaded("ring_one:Versioned", version="2") == loaded("ring_one:Versioned", version=2)
    with pytest.raises(ValueError, match="version 1 of ring_one:Versioned"):
        loaded("ring_one:Versioned", version=1)


def test_a_module_of_the_same_name_from_elsewhere_is_refused(modules, tmp_path_factory):
    loaded("ring_one:Ring")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "ring_one.py").write_text(RING)
    with importing_from(elsewhere), pytest.raises(ValueError, match="start Python anew"):
        loaded("ring_one:Ring")
    assert str(elsewhere) not in sys.path


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Sphere, "got the class Sphere: make one, Sphere()"),
        (3, "an input law at inputs, got 3"),
        (None, "an input law at inputs, got None"),
        ([Sphere()], "an input law at inputs"),
        (object(), "an input law at inputs"),
        (GradientFlow(), "define check, draw as InputLaw does"),
        ("spere", "did you mean 'sphere'"),
        ("ring", "'module:Class'"),
        ({"low": 1}, "expected inputs.law, got ['low']"),
        ({"law": -(10**5000)}, "inputs.law in"),
    ],
)
def test_what_stands_in_place_of_a_law_is_named(value, words):
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        SCHEMA.read(InputLaw, value, "inputs")
    assert words in str(caught.value)


@dataclass(frozen=True)
class Holder:
    entry: Any = None
    network: Network = Network()


@dataclass(frozen=True)
class Wider(Network):
    """The fields of a network, and another function."""


def test_no_dataclass_goes_without_its_name_where_none_is_declared():
    assert SCHEMA.write(Holder(Network()))["entry"]["class"].endswith("network:Network")
    assert "class" not in SCHEMA.write(Holder())["network"]
    with pytest.raises(ValueError, match="a table at network, got Wider"):
        SCHEMA.write(Holder(network=Wider()))
    with pytest.raises(ValueError, match=r"a name to import entry by.*<lambda>"):
        PLAIN.check_storable(Holder(lambda x: x))
    assert PLAIN.write(Holder(jnp.tanh))["entry"].endswith(":tanh")


def test_a_schema_without_laws_leaves_laws_alone():
    problem = ShallowNetwork(inputs=Sphere(1.0, 3.0))
    law = problem.inputs
    PLAIN.coerce(problem)
    assert problem.inputs is law
    assert Schema({}).read(ShallowNetwork, problem, "it") is problem
