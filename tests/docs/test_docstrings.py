"""Public docstrings are complete: there, with every parameter, the shapes of arrays, and errors."""

import ast
import inspect
import re
import textwrap
from dataclasses import fields, is_dataclass
from types import ModuleType

import pytest

import jaxflow

THINGS = {name: getattr(jaxflow, name) for name in jaxflow.__all__}
CODE = {name: thing for name, thing in THINGS.items() if not isinstance(thing, ModuleType)}
CLASSES = {name: thing for name, thing in CODE.items() if inspect.isclass(thing)}
FUNCTIONS = {name: thing for name, thing in CODE.items() if inspect.isfunction(thing)}
RAISES = re.compile(r"\b[Rr]aises?\b|`ValueError`")
RECORDS = {"Row"}  # its fields are the columns of a store, each with a comment of its own
SELF_EVIDENT = {"name", "key", "point", "problem", "dynamics", "seed", "args", "kwargs", "self"}


def methods(thing):
    """The public methods and properties that a class defines itself."""
    for name, member in vars(thing).items():
        member = getattr(
            member, "__func__", getattr(member, "fget", getattr(member, "func", member))
        )
        if not name.startswith("_") and inspect.isfunction(member):
            yield name, member


def whole_doc(thing):
    """What a class and those that it inherits from in this package say."""
    parents = [base for base in thing.__mro__ if base.__module__.startswith("jaxflow")]
    return " ".join(parent.__doc__ or "" for parent in parents)


@pytest.mark.parametrize("name", CLASSES)
def test_public_methods_say_what_they_do(name):
    silent = [
        method
        for method, function in methods(CLASSES[name])
        if not inspect.getdoc(getattr(CLASSES[name], method, None) or function)
    ]
    assert not silent


@pytest.mark.parametrize(
    "name", [n for n in CLASSES if is_dataclass(CLASSES[n]) and n not in RECORDS]
)
def test_every_field_is_told(name):
    """By its name in the docstring of the class, or of one that it inherits from."""
    said = whole_doc(CLASSES[name])
    own = [f.name for f in fields(CLASSES[name]) if f.init and f.metadata.get("said", True)]
    assert [field for field in own if not re.search(rf"\b{field}\b", said, re.I)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_told(name):
    function = FUNCTIONS[name]
    said = inspect.getdoc(function) + (
        inspect.getdoc(jaxflow.threshold)
        if "see `threshold`" in " ".join(inspect.getdoc(function).split())
        else ""
    )
    asked = set(inspect.signature(function).parameters) - SELF_EVIDENT
    assert {p for p in asked if not re.search(rf"\b{p.rstrip('s')}s?\b", said)} == set()


def raises(function):
    """Whether the code of a function itself makes a mistake of the user's.

    Constructors are not asked: that they refuse what they cannot take is said of all of them.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    called = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {getattr(getattr(call, "func", None), "id", "") for call in called}
    return bool(names & {"mistake", "unknown_name"})


@pytest.mark.parametrize("name", CODE)
def test_what_raises_says_so(name):
    thing = CODE[name]
    if inspect.isfunction(thing):
        assert RAISES.search(thing.__doc__) or not raises(thing)
        return
    for method, function in methods(thing):
        assert RAISES.search(function.__doc__ or "") or not raises(function), method


@pytest.mark.parametrize("name", CODE)
def test_arrays_have_shapes(name):
    """In the annotation, or in words: a shape in brackets, or "of the shape of"."""
    thing = CODE[name]
    for method, function in [(name, thing)] if inspect.isfunction(thing) else methods(thing):
        hints = function.__annotations__
        if any("ArrayLike" in str(hint) for hint in hints.values()):
            said = function.__doc__ or ""
            assert re.search(r"\(\w*,|in the shape|named arrays", said), method
