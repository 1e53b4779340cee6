"""Frozen dataclasses to tables of plain values and back: one definition for TOML, JSON and hash.

A field's annotation says what it takes; a single value will do for a list of one. Where it is a
protocol with several laws, the table names the law under a tag: `{law = "sphere", low = 1.0, high =
2.0}`. A law that is not among ours goes by the name it can be imported by: `{law = "mymodule:Ring",
radius = 2.0}`, and, if its class says one, its `version`: code that changed under one name and
version cannot be seen.
"""

import hashlib
import json
from abc import ABCMeta
from collections.abc import Mapping
from dataclasses import MISSING, is_dataclass
from typing import Any, Union, get_args, get_origin

from jaxflow.core import open_names
from jaxflow.core.errors import mistake
from jaxflow.core.open_names import Unloaded
from jaxflow.core.reading import Choice, Reader, annotations, inside, key_of, said
from jaxflow.core.values import ConstantArray, constant, is_array, unwrapped

__all__ = ["PLAIN", "Choice", "Schema", "canonical", "digest"]


class Schema:
    """Reads and writes tables of dataclasses; `choices` are the laws of each protocol."""

    def __init__(self, choices: Mapping[Any, Choice]) -> None:
        self.choices = choices
        for kind in choices:
            if isinstance(kind, ABCMeta):
                kind.register(Unloaded)

    def read(self, kind: Any, value: Any, where: str, *, load: bool = False) -> Any:
        """The value of type `kind` that a table, list, scalar or Python object stands for.

        A law that is not ours is imported if told to `load`; else an `Unloaded` stands for it.
        Raises `ValueError`, one line that names `where` it stands, for a wrong type, an unknown
        key or law, or a missing key.
        """
        try:
            return Reader(self.choices, load).read(kind, value, where)
        except RecursionError as error:
            raise _too_deep(where) from error

    def law(self, kind: Any, value: Any, where: str) -> Any:
        """A law that a name or a table stands for, or the law itself; `ValueError` for others."""
        if isinstance(value, str | Mapping):
            return self.read(kind, value, where)
        open_names.check_instance(value, kind, where)
        return value

    def coerce(self, instance: Any, where: str = "") -> None:
        """Give every field of a frozen dataclass the type that it declares, as `read` would.

        For a `__post_init__`. Raises `ValueError`, one line with the dotted place.
        """
        reader, hints = Reader(self.choices), annotations(type(instance), where)
        try:
            for f in said(type(instance)):
                value = reader.read(hints[f.name], getattr(instance, f.name), inside(where, f.name))
                object.__setattr__(instance, f.name, value)
        except RecursionError as error:
            raise _too_deep(where) from error

    def write(self, value: Any) -> Any:
        """The table, list or scalar that `read` turns back into the value; a law with its name.

        A class without a name to import it by is written with one that holds in this process only.
        """
        return self._write(*self._canonical(value), "", storable=False)

    def check_storable(self, value: Any, where: str = "") -> None:
        """Raise `ValueError`, one line, if part of it means nothing outside this process."""
        self._write(*self._canonical(value), where, storable=True)

    def unloaded(self, value: Any) -> list[str]:
        """The names of the laws in it that have not been imported."""
        if isinstance(value, Unloaded):
            return [value.name]
        if is_dataclass(value):
            value = [getattr(value, f.name) for f in said(type(value))]
        inner = value.values() if isinstance(value, Mapping) else value
        if not isinstance(inner, list | tuple) and inner is value:
            return []
        return [name for entry in inner for name in self.unloaded(entry)]

    def _canonical(self, value: Any) -> tuple[Any, Any]:
        """With fields of the declared types, however it was made, and what it is: law or table."""
        if not is_dataclass(value) or isinstance(value, type):
            return value, Any
        kinds = (kind for kind in self.choices if isinstance(value, Unloaded) or _does(value, kind))
        kind = next(kinds, type(value))
        return self.read(kind, value, ""), kind

    def _write(self, value: Any, kind: Any, where: str, *, storable: bool) -> Any:
        value = unwrapped(value)
        if isinstance(value, Unloaded):
            fields = self._write(dict(value.fields), dict, where, storable=storable)
            return {self._tag(kind, None): value.name, **fields}
        if is_array(value):
            array: ConstantArray = constant(value, where)
            dtype, shape = array.dtype.name, list(array.shape)
            return {"array": array.digest, "dtype": dtype, "shape": shape}
        if is_dataclass(value) and not isinstance(value, type):
            return self._write_dataclass(value, kind, where, storable)
        if isinstance(value, Mapping):
            kinds = get_args(_meant(kind, value)) or (Any, Any)
            return {
                k: self._write(v, kinds[-1], inside(where, str(k)), storable=storable)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            kinds = get_args(_meant(kind, value)) or (Any,)
            each = kinds if len(kinds) == len(value) else (kinds[0],) * len(value)
            return [
                self._write(
                    v, each[i] if each[i] is not ... else kinds[0], where, storable=storable
                )
                for i, v in enumerate(value)
            ]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        return _name(value, where, storable)

    def _write_dataclass(self, value: Any, kind: Any, where: str, storable: bool) -> dict[str, Any]:
        law = type(value)
        hints, table = annotations(law, where), {}
        for f in said(law):
            entry = getattr(value, f.name)
            place = inside(where, key_of(f))
            if entry is not None:
                table[key_of(f)] = self._write(entry, hints[f.name], place, storable=storable)
            elif storable and f.default is not None:
                remedy = "give it the default None"
                got = "nothing" if f.default is MISSING else f"None, its default {f.default!r}"
                raise mistake(f"a value of {place}", got, remedy)
        for choice in self.choices.values():
            for name, known in choice.laws.items():
                if law is known:
                    return {choice.tag: name, **table}
        if law in _branches(kind):
            return table
        version = open_names.version_of(law)
        named = {self._tag(kind, law): _name(law, where, storable), **table}
        return named if version is None else {**named, "version": version}

    def _tag(self, kind: Any, law: type | None) -> str:
        """The key for the name of a law that is in no table."""
        tags = [self.choices[branch].tag for branch in _branches(kind) if branch in self.choices]
        return tags[0] if tags else "class"


def canonical(table: Any) -> str:
    """A table of plain values as canonical JSON."""
    return json.dumps(table, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


PLAIN = Schema({})  # for dataclasses without laws


def _name(thing: Any, where: str, storable: bool) -> str:
    """The name of a class or function; `ValueError` if it is to be stored and has none."""
    name = open_names.name_of(thing)
    if name is None and storable:
        got = getattr(thing, "__qualname__", thing)
        expected = f"a name to import {where or 'it'} by"
        raise mistake(expected, got, open_names.REMEDY)
    return name or open_names.name_in_memory(thing)


def _does(value: Any, kind: Any) -> bool:
    """Whether it is a law of that protocol."""
    try:
        open_names.check_law(value, kind, "")
    except ValueError:
        return False
    return True


def _branches(kind: Any) -> tuple[Any, ...]:
    """The types of a union; of another type, that type."""
    kind = getattr(kind, "__value__", kind)
    is_union = get_origin(kind) is Union or type(kind).__name__ == "UnionType"
    return get_args(kind) if is_union else (kind,)


def _meant(kind: Any, value: Any) -> Any:
    """The branch of a union that holds a list or table."""
    wanted = (dict, Mapping) if isinstance(value, Mapping) else (tuple, list)
    return next((branch for branch in _branches(kind) if get_origin(branch) in wanted), Any)


def _too_deep(where: str) -> ValueError:
    got = f"too many levels at {where}" if where else "too many levels"
    return mistake("tables nested less deeply", got, "flatten them")
