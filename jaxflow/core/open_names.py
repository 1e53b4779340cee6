"""Laws that are not ours, by the names that they can be imported by: "module:Class".

Whoever only reads a study never imports them: an `Unloaded` stands in their place, writes itself
as it was read, and so hashes as the law does.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module, invalidate_caches
from importlib.machinery import PathFinder
from inspect import getattr_static
from pathlib import Path
from re import fullmatch
from sysconfig import get_path
from traceback import extract_tb
from types import FunctionType
from typing import Any

from jaxflow.core.errors import mistake, unknown_name

REMEDY = "put it in a module that can be imported, or run without a folder"


class NotLoadedError(AttributeError, ValueError):
    """What a law does was asked of its name."""


@dataclass(frozen=True)
class Unloaded:
    """A law of which only the name and the fields are known, as plain values.

    It counts as an instance of every protocol of a schema, but has nothing that they ask for.
    """

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        expected = f"the law {self.name} with its {name}"
        raise NotLoadedError(str(mistake(expected, "its name alone", "import it first")))


def is_open(name: str) -> bool:
    """Whether a name is that of a class to import, "module:Class", not one of a table's."""
    return ":" in name


def name_of(thing: Any) -> str | None:
    """The "module:Class" of a class or function; None where that is not how to import it."""
    module, path = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    found = sys.modules.get(module or "")
    if module == "__main__" or getattr(found, "__spec__", None) is None:
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return f"{module}:{path}" if found is thing else None


def name_in_memory(thing: Any) -> str:
    """A name that no other class or function of this process has."""
    path = getattr(thing, "__qualname__", type(thing).__name__)
    return f"<{getattr(thing, '__module__', None)}:{path} at {id(thing):#x}>"


def version_of(law: type) -> str | None:
    """The `version` that a class says of itself; None if it says none, or has a field so called."""
    version = getattr(law, "version", None)
    if any(f.name == "version" for f in fields(law)) or not isinstance(version, str | int | float):
        return None
    return str(version)


def imported(name: str, where: str) -> Any:
    """What "module:Class" names; `ValueError`, one line, where it cannot be imported."""
    if not fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", name):
        raise mistake(f"a name module:Class at {where}", name, "write it as 'mymodule:MyLaw'")
    module, _, path = name.partition(":")
    try:
        found = import_module(module)
    except (Exception, SystemExit) as error:  # whatever the code of a user's module raises
        got = f"{type(error).__name__}: {error}"
        remedy = "put its folder on PYTHONPATH, or the module beside the study file"
        if not (isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]):
            remedy = f"fix it{_place_of(error)}"
        raise mistake(f"a module {module} that can be imported for {where}", got, remedy) from error
    _check_origin(module.partition(".")[0])
    within: Any = found
    for part in path.split("."):
        within = getattr(within, part, None)
    if within is None:
        there = [name for name, thing in vars(found).items() if _is_own(thing, module)]
        raise unknown_name(f"a name of the module {module} for {where}", path, there)
    return within


def _is_own(thing: Any, module: str) -> bool:
    """Whether a class is a module's, and not one that it has imported."""
    return isinstance(thing, type) and thing.__module__ == module


def _place_of(error: BaseException) -> str:
    """Where in the user's code it was raised: the last file that is not ours or Python's own."""
    others = str(Path(__file__).parent.parent), get_path("stdlib"), "<"
    found = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(others)]
    return f", {Path(found[-1].filename).name} line {found[-1].lineno}" if found else ""


@contextmanager
def importing_from(folder: str | Path) -> Iterator[None]:
    """Within it, modules in the folder can be imported, as beside a script that Python runs."""
    path = str(Path(folder).resolve())
    sys.path.insert(0, path)
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(path)


def check_law(law: Any, kind: Any, where: str) -> None:
    """Raise `ValueError` unless `law` is a frozen dataclass with all that the protocol asks for.

    It is an instance, or a class of which an instance is yet to be made.
    """
    made = law if isinstance(law, type) else type(law)
    is_frozen = is_dataclass(made) and made.__dataclass_params__.frozen  # type: ignore[attr-defined]
    own = vars(made)  # one that says nothing of its own may be as its base is
    constructs = "__init__" in own and "__dataclass_params__" not in own
    if not is_frozen or constructs or undeclared(made):
        remedy = "decorate the class with @dataclass(frozen=True)"
        raise mistake(f"a frozen dataclass at {where}", law, remedy)
    for f in fields(made):
        if isinstance(vars(kind).get(f.name), FunctionType):
            remedy = f"call the field otherwise: {f.name} is a method of {called(kind)}"
            raise mistake(f"no field {f.name} of {made.__name__} at {where}", "one", remedy)
    missing = [name for name in _asked(kind) if not _has(law, name)]
    if missing:
        remedy = f"define {', '.join(missing)} as {kind.__name__} does"
        raise mistake(f"{called(kind)} at {where}", law, remedy)


def undeclared(kind: type) -> str | None:
    """An annotation of a class, or of a base of it, that is no field; None if all are."""
    known = {f.name for f in fields(kind)}
    for base in kind.__mro__:
        for name, hint in vars(base).get("__annotations__", {}).items():
            if name not in known and "ClassVar" not in str(hint):
                return str(name)
    return None


def check_instance(value: Any, kind: Any, where: str) -> None:
    """Raise `ValueError` unless it is such a law, or stands for one that has not been imported."""
    if isinstance(value, type):
        raise mistake(f"{called(kind)} at {where}", value, f"make one, {value.__name__}(...)")
    if not isinstance(value, Unloaded):
        check_law(value, kind, where)


def called(kind: Any) -> str:
    """A protocol's name in words: `InputLaw` is "an input law"."""
    name = getattr(kind, "__name__", str(kind))
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).split()
    phrase = name if name.isupper() else " ".join(words)
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def _asked(kind: Any) -> list[str]:
    asked = sorted(name for name in vars(kind) if name[0] != "_" or name == "__call__")
    is_protocol = getattr(kind, "_is_protocol", False)
    return asked if is_protocol else sorted(getattr(kind, "__abstractmethods__", ()))


def _has(law: Any, name: str) -> bool:
    if isinstance(law, type) and any(f.name == name for f in fields(law)):
        return True
    found = getattr_static(law, name, None)
    if name == "__call__":  # every class has the one of its metaclass
        made = law if isinstance(law, type) else type(law)
        found = next((vars(c)[name] for c in made.__mro__ if name in vars(c)), None)
    return found is not None and not getattr(found, "__isabstractmethod__", False)


def _check_origin(module: str) -> None:
    """Raise `ValueError` where another module of that name, from elsewhere, was imported before."""
    found = PathFinder.find_spec(module)
    known = getattr(sys.modules.get(module), "__spec__", None)
    here, there = (spec.origin if spec and spec.has_location else None for spec in (found, known))
    if here and there and Path(here).resolve() != Path(there).resolve():
        raise mistake(f"the module {module} of {here}", there, "rename one, or start Python anew")
