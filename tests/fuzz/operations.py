"""What a user does with a store or a study file, and what is a fault in the answer."""

import contextlib
import importlib
import io
import os
import pkgutil
import re
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.fuzz.values import OUTSIDE

LONGEST = 2000  # characters of a message
RUNNER = (
    "LocalRunner",
    "check_numerics",
    "try_laws",
)  # what a run calls once it has read everything


class Hang(BaseException):
    """The time of an operation is over."""


class Reached(BaseException):
    """A run has come to where it would compute."""


class Fault(NamedTuple):
    """What went wrong: traceback, message, escape, hang, crash, altered, unsound, outside, miss."""

    kind: str
    operation: str
    place: str  # in the package
    said: str


class Case(NamedTuple):
    """What came of one mutation."""

    number: int
    mutation: str
    said: str
    operations: int
    faults: list[Fault]
    seconds: dict[str, float]


def prepare() -> None:
    """Import everything once, and end every run where it would compute."""
    import jaxflow

    for module in pkgutil.walk_packages(jaxflow.__path__, "jaxflow."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def reached(*_: object, **__: object) -> None:
        raise Reached

    for name, module in list(sys.modules.items()):
        if name.startswith("jaxflow"):
            for one in RUNNER:
                if hasattr(module, one):
                    setattr(module, one, reached)


class Bench:
    """Runs operations, and notes the faults of each."""

    def __init__(self, about_to: Callable[[str], None]) -> None:
        self.faults: list[Fault] = []
        self.seconds: dict[str, float] = {}
        self._about_to = about_to

    def command(self, operation: str, *arguments: object) -> int:
        """A command line; its exit code, 3 for a fault."""
        from jaxflow.cli.parser import main

        out, err = io.StringIO(), io.StringIO()

        def run() -> int:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    return main([str(argument) for argument in arguments])
                except SystemExit as error:
                    return int(error.code or 0)

        code: int = self.call(operation, run, 3)
        said, told = err.getvalue(), out.getvalue()
        if code == 2:  # before it, what a command tells of its progress, or how it is used
            found = re.search(r"^jaxflow.*?: .*", said, re.M | re.S)
            self._message(operation, (found[0] if found else said).rstrip("\n"))
        elif code not in (0, 1, 3):
            self._fault("message", operation, "", f"exit code {code}")
        if any(len(line) > LONGEST for line in told.splitlines()):
            self._fault("message", operation, "", f"a line of {len(told)} characters: {told[:80]}")
        if {"\x1b", "\x07"} & set(said + told):
            self._fault("escape", operation, "", (said + told)[:100])
        return code

    def call(self, operation: str, function: Callable[[], Any], otherwise: Any = None) -> Any:
        """A call from Python, that may end by a one-line `ValueError`."""
        self._about_to(operation)
        began = time.monotonic()
        try:
            return function()
        except ValueError as error:
            self._message(operation, str(error))
        except Hang:
            self._fault("hang", operation, _place(sys.exc_info()[2]), "")
            raise
        except Reached:
            return 0
        except BaseException as error:
            said = f"{type(error).__name__}: {str(error)[:150]}"
            self._fault("traceback", operation, _place(error.__traceback__), said)
        finally:
            self.seconds[operation] = time.monotonic() - began
        return otherwise

    def _message(self, operation: str, text: str) -> None:
        if "\n" in text or len(text) > LONGEST:
            said = f"{len(text)} characters, {text.count(chr(10))} ends of lines: {text[:80]!r}"
            self._fault("message", operation, "", said)
        if {"\x1b", "\x07"} & set(text):
            self._fault("escape", operation, "", repr(text[:100]))

    def _fault(self, *said: str) -> None:
        self.faults.append(Fault(*said))

    def outside(self, operation: str) -> None:
        """Nothing was written, imported or unpickled where it should not."""
        path = Path(OUTSIDE)
        if os.path.lexists(path):
            self._fault("outside", operation, "", f"{path} was made")
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if "side_effect" in sys.modules:
            self._fault("outside", operation, "", "a module that a file names was imported")
            del sys.modules["side_effect"]


def _place(trace: Any) -> str:
    """The innermost line of the package, and of all."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if f"{os.sep}jaxflow{os.sep}" in frame.filename]
    if not ours:
        return ""
    name = ours[-1].filename.rpartition(f"{os.sep}jaxflow{os.sep}")[2]
    return f"{name}:{ours[-1].lineno}"


def chosen(mutations: Any, dice: Random) -> tuple[str, Any]:
    """A mutation, by its weight."""
    names = list(mutations)
    (name,) = dice.choices(names, [mutations[name][0] for name in names])
    return name, mutations[name][1]
