"""Mutations of a study file: of its text, of its table, of the flags beside it, of the file."""

import contextlib
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random

import tomli_w

from tests.fuzz.values import DEEP, changed, shown, weird

Mutation = Callable[[Path, str, Random], tuple[str, list[str]]]  # what was done, and flags
DOTS = ".".join("a" * 3000)
LITERALS = (
    "1e999", "-1e999", "nan", "-inf", "inf", "9" * 400, "9" * 5000, "-" + "9" * 400,
    "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "0x10", "0b1", "1_000", "true",
    '"""a\nb"""', "'''x'''", '"\\u001b[31m"', '"\\u0000"', "[" * DEEP, "[" * DEEP + "]" * DEEP,
    "{a=" * 3000 + "1" + "}" * 3000, "{" * DEEP, '"' + "x" * 10**6 + '"', "[1,]", "[[1],[2]]",
    "[" + "1," * 10**5 + "]", "[{}, {}]", "{}", '"1.0"', "1e-999", "-0.0", "[true]", "[nan]",
    "[1e308]", "[1, 2, 2, 1]", "[1.5]", '["1"]', "[9223372036854775808]", "[-1]", "[0]",
)  # fmt: skip
TABLES = "axes", "dynamics", "problem", "event", "small", "x"
LINES = (  # NAME stands for one of the tables
    "small = 3", "small = []", "[[small]]\na = 1", "[small.small]\nx = 1", "record = true",
    "[small]\nsmall = 1", f"[small]\n{DOTS} = 1", f"{DOTS} = 1", f"[{DOTS}]", "NAME = 3",
    "[[NAME]]\na = 1", "[NAME]\na = 1", '"" = 1', 'NAME."" = 1', "=", "[", "[]", "]",
    "NAME.a = 1\nNAME.a.b = 2", "a = 1\na = 1", '"\\u001b[31m" = 1', "[dynamics.'[red]']",
    f"[NAME.parameters]\n{DOTS} = [1.0]", '[dynamics."a.b"]\nkind = "flow"',
    '[axes.parameters]\n"problem.initialization.shrink" = [nan]', "[grid]\nvalues = [1, 2]",
    '[axes.parameters]\n"dynamics.flow.max_steps" = [1e300, 2]', "[threshold]\nlow = 1",
    "[problem]\ninputs = 'nosuch:Law'", "[problem]\ninputs = {law = 'side_effect:Law'}",
    "\n".join(f"k{i} = {i}" for i in range(20_000)), "# " + "x" * 10**6, "\n" * 10**5,
    f"small.{DOTS} = 1", "[horizon]\ntime = 1\nfactor = 1", "[horizon]\ntime = [1e308, 1]",
    "[record]\nobservables = ['loss']\ntrials = 1e3", "[record]\nobservables = []",
)  # fmt: skip
FLAGS = (
    "axes.p", "axes.d", "axes", "seed", "name", "event", "threshold.low", "threshold", "",
    "event.square", "event.kind", "event.observable", "problem", "problem.kind",
    "axes.parameters", "axes.parameters.x", "horizon.time", "dynamics.flow.rtol", "dynamics",
    "problem.inputs", "problem.inputs.law", "record.trials", "precision", "grid", "a.b.c",
    "small", "small.x", "name.x", "seed.x", ".", "..", DOTS, "\x1b[31m", "[red]",
)  # fmt: skip


def text(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Letters and lines."""
    at, lines = dice.randrange(len(sound)), sound.splitlines()
    i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
    kind = dice.choice(["letter", "letter", "letter", "cut", "line twice", "line away", "swapped"])
    if kind == "letter":
        new = dice.choice([*"\"'[]{}=.,#\\ \n\t0x-_", "\x00", "\x1b", "\x7f", "é", "\ufeff", "\r"])
        made = sound[:at] + new + sound[at + dice.randrange(2) :]
        kind = f"{new!r} at {at}"
    elif kind == "cut":
        made = sound[:at]
    else:
        if kind == "line twice":
            lines.insert(j, lines[i])
        elif kind == "line away":
            del lines[i]
        else:
            lines[i], lines[j] = lines[j], lines[i]
        made = "\n".join(lines)
    path.write_text(made, encoding="utf-8")
    return f"{kind} {at} {i} {j}", []


def raw(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Bytes and encodings."""
    data = bytearray(sound.encode())
    at = dice.randrange(len(data))
    kind = dice.choice(["bit", "bit", "bytes", "utf-16", "utf-32", "latin-1", "bom", "cr", "empty"])
    if kind == "bit":
        data[at] ^= 1 << dice.randrange(8)
    elif kind == "bytes":
        data[at : at + 4] = dice.randbytes(4)
    elif kind == "bom":
        data = bytearray(b"\xef\xbb\xbf") + data
    elif kind == "cr":
        data = bytearray(bytes(data).replace(b"\n", dice.choice([b"\r", b"\r\n", b"\x0c"])))
    elif kind == "empty":
        data = bytearray(dice.choice([b"", b"\0" * 1000, b"\xff" * 10, b"\n" * 10**6]))
    else:
        data = bytearray(("é" + sound).encode(kind, "replace"))
    path.write_bytes(data)
    return f"{kind} at {at}", []


def literal(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Another value in place of one, as a text of TOML."""
    new = dice.choice(LITERALS)
    lines = sound.splitlines()
    spots = [i for i, line in enumerate(lines) if " = " in line and line[0] != "#"]
    i = dice.choice(spots)
    lines[i] = f"{lines[i].split(' = ')[0]} = {new}"
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"line {i}: {lines[i].split(' = ')[0]} = {shown(new)}", []


def added(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Lines that were not there."""
    name = dice.choice(TABLES)
    line = dice.choice(LINES).replace("NAME", name)
    where = dice.choice(["first", "last", "between"])
    lines = sound.splitlines()
    lines.insert({"first": 0, "last": len(lines)}.get(where, dice.randrange(len(lines))), line)
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"{shown(line)} {where}", []


def table(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Values, keys and types of the table."""
    for _ in range(50):
        made, said = changed(tomllib.loads(sound), dice)
        with contextlib.suppress(TypeError, ValueError):  # null is no value of TOML
            path.write_text(tomli_w.dumps(made), encoding="utf-8", errors="surrogatepass")
            return said, []
    raise AssertionError("no change of the table can be written")


def flags(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """A sound file, and flags beside it."""
    path.write_text(sound, encoding="utf-8")
    made = []
    for _ in range(dice.choice([1, 1, 2])):
        try:
            value = tomli_w.dumps({"x": weird(dice)}).removeprefix("x = ").replace("\n", " ")
        except (TypeError, ValueError):
            value = dice.choice(
                ["9" * 5000, "[" * DEEP, "nan", "", "1e999", "\x00", "[[x]]\ny = 1"]
            )
        made.append(f"--{dice.choice(FLAGS)}={value}" if dice.random() < 0.95 else value)
    return " ".join(map(shown, made)), made


def lanes(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Flags of the command itself."""
    path.write_text(sound, encoding="utf-8")
    name = dice.choice(["transform", "width", "chunk", "threads", "coordinates"])
    value = dice.choice(
        ["-1", "0", "3", "1e3", "x", "", "map", "10" * 30, "span", "orthogonal", "[]"]
    )
    return f"--{name}={value}", [f"--{name}={value}"]


def place(path: Path, sound: str, dice: Random) -> tuple[str, list[str]]:
    """Something else than a file."""
    kind = dice.choice(["fifo", "folder", "cycle", "dangling", "/dev/zero", "/dev/null", "nothing"])
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "nothing":
        target = {"cycle": path, "dangling": path / "x"}.get(kind, Path(kind))
        path.symlink_to(target)
    return kind, []


MUTATIONS: dict[str, tuple[int, Mutation]] = {  # and how often each is taken
    "text": (20, text),
    "raw": (10, raw),
    "literal": (20, literal),
    "added": (14, added),
    "table": (60, table),
    "flags": (20, flags),
    "lanes": (3, lanes),
    "place": (2, place),
}
