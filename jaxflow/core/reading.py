"""From what a user writes to the value of a declared type, checked to the last field.

A table, a list, a scalar and a dataclass made in Python go the same way, so that the same study
comes of all of them, and the same message of the same mistake.
"""

import collections.abc as abstract
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from functools import cache
from math import isfinite
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jaxflow.core import open_names
from jaxflow.core.errors import mistake, shown, unknown_name
from jaxflow.core.open_names import Unloaded, called, check_law
from jaxflow.core.values import (
    WANTED,
    constant,
    is_array,
    is_traced,
    listed,
    plain,
    scalar,
    text_key,
    unwrapped,
)


@dataclass(frozen=True)
class Choice:
    """The laws that a protocol stands for, by name, and the key that holds the name.

    A table without that key is one of the `default`, if there is one.
    """

    tag: str
    laws: Mapping[str, type]
    default: str | None = None


@dataclass(frozen=True)
class Reader:
    """Reads values of declared types; it imports "module:Class" only if told to `load`."""

    choices: Mapping[Any, Choice]
    load: bool = False

    def read(self, kind: Any, value: Any, where: str) -> Any:
        """The value of type `kind`; `ValueError`, one line that names `where`, if it is none."""
        kind = getattr(kind, "__value__", getattr(kind, "__supertype__", kind))
        value = unwrapped(value)
        origin = get_origin(kind) or kind
        if is_traced(value):
            return value
        if isinstance(value, type) and kind is not Any:
            remedy = f"make one, {value.__name__}()"
            meant = get_args(kind)[0] if origin in (Union, types.UnionType) else origin
            raise mistake(f"{called(meant)} at {where}", value, remedy)
        if kind in self.choices:
            return self._choice(kind, value, where)
        if origin in (Union, types.UnionType):
            return self._union(get_args(kind), value, where)
        if origin is Literal:
            return _literal(get_args(kind), value, where)
        if origin in (tuple, list, abstract.Sequence, abstract.Iterable):
            return self._tuple(kind, value, where)
        if origin in (dict, abstract.Mapping):
            entry = (get_args(kind) or (Any, Any))[1]
            table = as_table(value, where)
            return {k: self.read(entry, v, inside(where, k)) for k, v in table.items()}
        if kind in WANTED:
            return scalar(kind, value, where)
        if is_array_kind(origin):
            return constant(value, where)
        if isinstance(kind, type) and is_dataclass(kind):
            return self._dataclass(kind, value, where)
        return _other(kind, value, where)

    def _choice(self, kind: Any, value: Any, where: str) -> Any:
        choice = self.choices[kind]
        if isinstance(value, Unloaded):
            value = {**value.fields, choice.tag: value.name}
        value = {choice.tag: value} if isinstance(value, str) else value
        if not isinstance(value, Mapping):
            return self._law(kind, value, where)
        table = as_table(value, where)
        if choice.default is not None:
            table.setdefault(choice.tag, choice.default)
        if choice.tag not in table:
            names = ", ".join(choice.laws)
            raise mistake(inside(where, choice.tag), list(table), f"name one of {names}")
        name = table.pop(choice.tag)
        if isinstance(name, str) and open_names.is_open(name):
            return self._open(kind, name, table, where)
        if not isinstance(name, str) or name not in choice.laws:
            other = "use one of these, or the name of your own, 'module:Class'"
            said_name = name if isinstance(name, str) else shown(name)
            raise unknown_name(inside(where, choice.tag), said_name, choice.laws, other)
        return self._made(choice.laws[name], table, where)

    def _law(self, kind: Any, value: Any, where: str) -> Any:
        """An instance, of a law of ours or of any class that does what the protocol asks."""
        choice = self.choices[kind]
        if not is_dataclass(value) and not hasattr(value, "__dict__"):  # a number, a list, None
            raise mistake(f"{called(kind)} at {where}", value, f"name one of {list(choice.laws)}")
        if type(value) not in choice.laws.values():
            check_law(value, kind, where)
            if choice.tag in {f.name for f in fields(value)}:
                raise mistake(f"no field {choice.tag} in {where}", value, "call it otherwise")
        return _hashable(self._checked(value, where), where)

    def _open(self, kind: Any, name: str, table: dict[str, Any], where: str) -> Any:
        if not self.load:
            return Unloaded(name, plain(table, where))
        law = open_names.imported(name, where)
        if not isinstance(law, type):
            raise mistake(f"a class as {name} for {where}", law, "name the class")
        check_law(law, kind, where)
        known, version = open_names.version_of(law), table.get("version")
        if version is not None and not any(f.name == "version" for f in fields(law)):
            del table["version"]
            if str(plain(version, inside(where, "version"))) != known:
                remedy = "use the code of that version, or start a new study"
                raise mistake(f"version {version} of {name} for {where}", known, remedy)
        return _hashable(self._made(law, table, where), where)

    def _dataclass(self, kind: type, value: Any, where: str) -> Any:
        if type(value) is kind:
            return self._checked(value, where)
        if is_dataclass(value) or not isinstance(value, Mapping):
            table = f"a table at {where}" if where else "a table"
            raise mistake(table, value, f"write it as [key = value], or make one, {kind.__name__}")
        return self._made(kind, as_table(value, where), where)

    def _made(self, kind: type, table: Mapping[str, Any], where: str) -> Any:
        hints, known = annotations(kind, where), {key_of(f): f for f in said(kind)}
        for key in table:
            if key not in known:
                raise unknown_name(f"key of {where}", key, known)
        for key, f in known.items():
            if key not in table and f.default is MISSING and f.default_factory is MISSING:
                raise mistake(inside(where, key), "nothing", "add it")
        read = {
            known[key].name: self.read(hints[known[key].name], value, inside(where, key))
            for key, value in table.items()
        }
        made = _constructed(lambda: kind(**read), kind, where)
        return self._checked(made, where)  # its defaults too

    def _checked(self, value: Any, where: str) -> Any:
        """The instance, or one like it whose fields are of the declared types."""
        hints = annotations(type(value), where)
        old = {f.name: getattr(value, f.name) for f in said(type(value))}
        new = {k: self.read(hints[k], v, inside(where, k)) for k, v in old.items()}
        changed = {k: v for k, v in new.items() if not _same(v, old[k])}
        made = value
        if changed:
            made = _constructed(lambda: replace(value, **changed), type(value), where)
        return made

    def _union(self, kinds: tuple[Any, ...], value: Any, where: str) -> Any:
        if value is None and type(None) in kinds:
            return None
        kinds = tuple(kind for kind in kinds if kind is not type(None))
        errors = []
        for kind in kinds:
            try:
                return self.read(kind, value, where)
            except ValueError as error:
                errors.append((kind, error))
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        meant = [e for kind, e in errors if is_number and kind in (int, float)]
        simple = all(kind in WANTED or get_origin(kind) is Literal for kind in kinds)
        if len(kinds) > 1 and simple and not meant:
            wanted = " or ".join(map(_wanted, kinds))
            raise mistake(f"{wanted} at {where}", value, "use one of these")
        meant = meant or [e for kind, e in errors if self._fits(kind, value)]
        raise (meant or [e for _, e in errors])[0]

    def _fits(self, kind: Any, value: Any) -> bool:
        """Whether a value looks as if it were meant for this branch of a union."""
        origin = get_origin(kind) or kind
        if isinstance(value, Mapping) and kind in self.choices:
            return self.choices[kind].default is not None or self.choices[kind].tag in value
        if isinstance(value, Mapping) and is_dataclass(origin):
            return not value or any(key_of(f) in value for f in fields(origin))
        if isinstance(value, Mapping) or is_dataclass(value):
            return kind in self.choices or origin is dict or is_dataclass(origin)
        if isinstance(value, str):
            return kind in self.choices or origin in (str, Literal)
        if isinstance(value, list | tuple | range) or is_array(value):
            return origin in (tuple, list) or is_array_kind(origin)
        return kind in WANTED

    def _tuple(self, kind: Any, value: Any, where: str) -> Any:
        is_tuple = get_origin(kind) is tuple
        kinds = get_args(kind) or (Any,)
        free = not is_tuple or kinds[-1] is ...
        value = listed(value)
        if free and isinstance(value, Mapping):
            value = [value] if self._fits(kinds[0], value) else value
        elif free and (isinstance(value, bool | int | float | str) or is_dataclass(value)):
            value = [value]
        if not isinstance(value, list | tuple):
            raise mistake(f"a list at {where}", value, "put it in [brackets]")
        if free and kinds[0] is float and all(type(x) is float and isfinite(x) for x in value):
            return tuple(value)
        if free:
            kinds = (kinds[0],) * len(value)
        if len(kinds) != len(value):
            raise mistake(f"{len(kinds)} entries at {where}", value, "give as many")
        return tuple(
            self.read(kind, entry, f"{where}[{i}]")
            for i, (kind, entry) in enumerate(zip(kinds, value, strict=True))
        )


def inside(where: str, name: str) -> str:
    """The dotted place of a field; what "the study" holds goes by its own name."""
    return name if not where or where.startswith("the ") else f"{where}.{name}"


def said(kind: Any) -> list[Field[Any]]:
    """The fields that a table holds; those with metadata {"said": False} are not among them."""
    return [f for f in fields(kind) if f.init and f.metadata.get("said", True)]


def key_of(field: Field[Any]) -> str:
    """What a field is called in a table: its name, or its metadata "key"."""
    return str(field.metadata.get("key", field.name))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def annotations(kind: type, where: str) -> dict[str, Any]:
    """The declared types of a dataclass' fields; `ValueError` where a name in them is unknown."""
    try:
        return _hints(kind)
    except Exception as error:  # whatever the text of an annotation evaluates to
        got = f"{type(error).__name__}: {error}"
        remedy = "use types that its module can name"
        raise mistake(f"types of the fields of {kind.__name__} at {where}", got, remedy) from error


def as_table(value: Any, where: str) -> dict[str, Any]:
    """A copy of the table; `ValueError` where it is none, or a key is no text."""
    if not isinstance(value, Mapping):
        raise mistake(f"a table at {where}", value, "write it as [key = value]")
    return {text_key(key, where): inner for key, inner in value.items()}


def is_array_kind(kind: Any) -> bool:
    """Whether it is the type of an array: NumPy's, JAX's, or one of jaxtyping."""
    return isinstance(kind, type) and (hasattr(kind, "__array__") or hasattr(kind, "array_type"))


def _literal(allowed: tuple[Any, ...], value: Any, where: str) -> Any:
    for one in allowed:
        if isinstance(value, type(one)) and isinstance(one, type(value)) and value == one:
            return one
    raise mistake(f"{where} in {{{', '.join(map(repr, allowed))}}}", value, "use one of these")


def _wanted(kind: Any) -> str:
    return WANTED[kind] if kind in WANTED else " or ".join(map(repr, get_args(kind)))


def _other(kind: Any, value: Any, where: str) -> Any:
    """A value of a type that no table can hold, or of any."""
    if kind is Any or kind is object:
        return plain(value, where)
    if kind is type(None) and value is not None:
        raise mistake(f"nothing at {where}", value, "leave it out")
    is_protocol = getattr(kind, "_is_protocol", False)
    if isinstance(kind, type) and not is_protocol and not isinstance(value, kind):
        raise mistake(f"{called(kind)} at {where}", value, "fix its type")
    return value


def _hashable(law: Any, where: str) -> Any:
    """The law, which a compiled program has to hold; `ValueError` if it cannot."""
    try:
        hash(law)
    except TypeError as error:
        got = f"{type(law).__name__}: {error}"
        raise mistake(
            f"a law at {where} that can be hashed", got, "hold tuples or arrays"
        ) from error
    return law


def _constructed(make: Any, kind: type, where: str) -> Any:
    """What `make` makes; `ValueError`, one line with its place, where it refuses."""
    try:
        return make()
    except ValueError as error:
        raise mistaken(error, where) from error
    except Exception as error:  # of a constructor of the user's
        got = f"{type(error).__name__}: {error}"
        raise mistake(f"{kind.__name__} at {where} that can be made", got, "fix it") from error


def mistaken(error: ValueError, where: str) -> ValueError:
    """The error with its place before it; one that is not in our form is put into it."""
    text = str(error)
    if text.startswith("expected ") or ": expected " in text:
        return ValueError(f"{where}: {text}" if where else text)
    return mistake(f"values that make {where or 'it'}", f"{type(error).__name__}: {text}", "fix it")


def _same(new: Any, old: Any) -> bool:
    """Whether a field may stay what it is: equal, and of the same types all through."""
    if new is old:
        return True
    if type(new) is not type(old):
        return False
    if isinstance(new, tuple):
        return len(new) == len(old) and all(map(_same, new, old))
    if isinstance(new, dict):
        return list(new) == list(old) and all(_same(new[k], old[k]) for k in new)
    return isinstance(new, bool | int | float | str) and new == old
