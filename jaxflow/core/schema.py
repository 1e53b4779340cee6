"""Frozen dataclasses to tables of plain values and back: one definition for TOML, JSON and hash.

A field's annotation says what it takes; a single value will do for a list of one. Where it is a
protocol with several laws, the table names the law under a tag: `{law = "sphere", low = 1.0, high =
2.0}`.
"""

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jaxflow.core.errors import mistake, unknown_name


@dataclass(frozen=True)
class Choice:
    """The laws that a protocol stands for, by name, and the key that holds the name."""

    tag: str
    laws: Mapping[str, type]


class Schema:
    """Reads and writes tables of dataclasses; `choices` are the laws of each protocol."""

    def __init__(self, choices: Mapping[type, Choice]) -> None:
        self.choices = choices

    def read(self, kind: Any, value: Any, where: str) -> Any:
        """The value of type `kind` that a table, list or scalar stands for.

        Raises `ValueError`, one line that names `where` it stands, for a wrong type, an unknown
        key or law, or a missing key.
        """
        if kind in self.choices:
            return self._read_choice(self.choices[kind], value, where)
        if isinstance(kind, type) and is_dataclass(kind):
            return self._read_dataclass(kind, value, where)
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            return self._read_union(get_args(kind), value, where)
        if origin is Literal:
            if value not in get_args(kind):
                allowed = ", ".join(map(repr, get_args(kind)))
                raise mistake(f"{where} in {{{allowed}}}", value, "use one of these")
            return value
        if origin is tuple:
            return self._read_tuple(get_args(kind), value, where)
        if origin is dict:
            table = _table(value, where)
            return {k: self.read(get_args(kind)[1], v, f"{where}.{k}") for k, v in table.items()}
        return _read_scalar(kind, value, where)

    def write(self, value: Any) -> Any:
        """The table, list or scalar that `read` turns back into the value."""
        if is_dataclass(value) and not isinstance(value, type):
            table = {f.name: self.write(getattr(value, f.name)) for f in _said(type(value))}
            table = {k: v for k, v in table.items() if v is not None}
            for choice in self.choices.values():
                for name, law in choice.laws.items():
                    if type(value) is law:
                        return {choice.tag: name, **table}
            return table
        if isinstance(value, dict):
            return {k: self.write(v) for k, v in value.items()}
        return [self.write(v) for v in value] if isinstance(value, tuple) else value

    def _read_choice(self, choice: Choice, value: Any, where: str) -> Any:
        value = {choice.tag: value} if isinstance(value, str) else value
        table = dict(_table(value, where))
        if choice.tag not in table:
            names = ", ".join(choice.laws)
            raise mistake(f"{where}.{choice.tag}", list(table), f"name one of {names}")
        name = table.pop(choice.tag)
        if not isinstance(name, str) or name not in choice.laws:
            raise unknown_name(f"{where}.{choice.tag}", str(name), choice.laws)
        return self._read_dataclass(choice.laws[name], table, where)

    def _read_dataclass(self, kind: type, value: Any, where: str) -> Any:
        table = _table(value, where)
        annotations = get_type_hints(kind)
        known = {f.name: f for f in _said(kind)}
        for key in table:
            if key not in known:
                raise unknown_name(f"key of {where}", key, known)
        for name, f in known.items():
            if name not in table and f.default is MISSING and f.default_factory is MISSING:
                raise mistake(f"{where}.{name}", "nothing", "add it")
        read = {k: self.read(annotations[k], v, f"{where}.{k}") for k, v in table.items()}
        try:
            return kind(**read)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error

    def _read_union(self, kinds: tuple[Any, ...], value: Any, where: str) -> Any:
        errors = []
        for kind in kinds:
            if kind is not type(None):
                try:
                    return self.read(kind, value, where)
                except ValueError as error:
                    errors.append(error)
        raise errors[-1 if not isinstance(value, str) else 0]

    def _read_tuple(self, kinds: tuple[Any, ...], value: Any, where: str) -> Any:
        if kinds[-1] is ...:
            value = [value] if isinstance(value, int | float | str) else value
        if not isinstance(value, list | tuple):
            raise mistake(f"a list at {where}", value, "put it in [brackets]")
        if kinds[-1] is ...:
            kinds = (kinds[0],) * len(value)
        if len(kinds) != len(value):
            raise mistake(f"{len(kinds)} entries at {where}", value, "give as many")
        return tuple(
            self.read(kind, entry, f"{where}[{i}]")
            for i, (kind, entry) in enumerate(zip(kinds, value, strict=True))
        )


def canonical(table: Any) -> str:
    """A table of plain values as canonical JSON."""
    return json.dumps(table, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _said(kind: Any) -> list[Field[Any]]:
    """The fields that a table holds; those with metadata {"said": False} are not among them."""
    return [f for f in fields(kind) if f.metadata.get("said", True)]


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise mistake(f"a table at {where}", value, "write it as [key = value]")
    return value


def _read_scalar(kind: Any, value: Any, where: str) -> Any:
    names = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}
    if kind is Any:
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is float and (whole or isinstance(value, float)):
        if value != value or value in (float("inf"), float("-inf")):
            raise mistake(f"a finite number at {where}", value, "give a finite one")
        return float(value)
    if (kind is int and whole) or (kind in (str, bool) and isinstance(value, kind)):
        return value
    raise mistake(f"{names.get(kind, kind)} at {where}", value, "fix its type")
