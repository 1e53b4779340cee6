"""Nested tables by dotted name, and fields of laws, loaded or not."""

from dataclasses import dataclass
from typing import Any

import pytest

from jaxflow.core.names import annotation, changed, flattened, replaced
from jaxflow.core.open_names import Unloaded


@dataclass(frozen=True)
class Law:
    scale: float = 1.0
    pairs: tuple[tuple[str, Any], ...] = (("momentum", 0.9),)
    ends: tuple[float, int] | None = (1.0, 2)


def test_types_of_entries_are_those_of_their_places():
    root = {"law": Law()}
    assert annotation(root, "law.scale") is float
    assert annotation(root, "law.pairs.0.0") is str
    assert annotation(root, "law.pairs.0.1") is float  # of the value, where none is declared
    assert annotation(root, "law.ends.0") is float
    assert annotation(root, "law.ends.1") is int


def test_names_go_into_a_law_that_is_not_loaded():
    root = {"law": Unloaded("laws:Ring", {"radius": 2.0, "sides": 3})}
    assert annotation(root, "law.radius") is float
    assert annotation(root, "law.sides") is int
    moved = replaced(root, "law.radius", 5.0)["law"]
    assert moved == Unloaded("laws:Ring", {"radius": 5.0, "sides": 3})
    with pytest.raises(ValueError, match="did you mean 'radius'"):
        annotation(root, "law.radios")


def test_flattened_tables_are_changes():
    nested = {"a": {"b": {"c": 1}, "d": [2]}, "e": 3}
    flat = flattened(nested, "it")
    assert flat == {"a.b.c": 1, "a.d": [2], "e": 3}
    assert changed({}, flat) == nested
    assert changed({"a": {"b": {"c": 9, "x": 0}}}, {"a.b.c": 1}) == {"a": {"b": {"c": 1, "x": 0}}}
    assert changed({}, {"axes.parameters.u.v": [1]}) == {"axes": {"parameters": {"u.v": [1]}}}


@pytest.mark.parametrize("table", [{"a.b": 1, "a": {"b": 2}}, {"a": {"b.c": 1}, "a.b": {"c": 2}}])
def test_two_values_of_one_name_are_refused(table):
    with pytest.raises(ValueError, match=r"^expected one value of a\.b.* in it, got \[1, 2\]"):
        flattened(table, "it")


def test_a_value_where_a_table_is_needed_is_refused():
    with pytest.raises(ValueError, match="a table at a in it, got 1"):
        flattened({"a": 1, "a.b": 2}, "it")
    with pytest.raises(ValueError, match="a table at a, got 1"):
        changed({"a": 1}, {"a.b": 2})
