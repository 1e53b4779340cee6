"""Values that nobody expects, and tables with some of them inside."""

import copy
import json
import os
from random import Random
from typing import Any

DEEP = 10**5
OUTSIDE = f"/tmp/jaxflow-fuzz-{os.getpid()}"  # where a name that is a path, or a pickle, writes

NUMBERS: list[Any] = [
    0, -1, 1, 2, 3, 0.0, -0.0, 0.5, -0.5, 1.5, 1e-320, 1e-30, 1e20, 1e39, 1e308, -1e308,
    float("inf"), -float("inf"), float("nan"), 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64,
    -(2**63), 10**30, 10**400, -(10**400), 10**7, 10**9, 10**12,
]  # fmt: skip
TEXTS: list[str] = [
    "", " ", "x", "n", "d", "p", "flow", "certificate", "1.0", "nan", "CONVERGED", "x" * 100_000,
    "../../x", f"{OUTSIDE}/x", "a/b", ".", "..", "con\x00trol", "\n", "a\nb\nc", "\r", "\t",
    "[red]x[/red]", "[/]", "[link=file:///]x", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u202ex",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "é", "😀", "problem.inputs.low",
    "dynamics.flow.rtol", "problem.initialization.a.0", "axes.p", "seed", "nosuch:Law",
    "nosuch.module:Class", "side_effect:Law", "os:system", "jaxflow.study.study:Study", ":", "a:",
    ":b", "__main__:Law", "builtins:dict", "antigravity:x", "%s%n", "{0}", "$HOME", "-x", "--help",
]  # fmt: skip
OTHERS: list[Any] = [
    True, False, None, [], {}, [[]], [{}], [[1]], [1, "x"], [1, 1], {"a": 1}, {"": {}}, [None],
    {"law": "sphere"}, {"kind": "flow"}, {"kind": "descent", "step": 1}, {"low": 2, "high": 1},
    [0.1] * 1000, list(range(1, 2000)), [["momentum", 0.9]], [True], [float("nan")], [10**400],
]  # fmt: skip


def weird(dice: Random) -> Any:
    """Any value."""
    kind = dice.random()
    if kind < 0.4:
        return dice.choice(NUMBERS)
    return copy.deepcopy(dice.choice(TEXTS if kind < 0.65 else OTHERS))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything inside a value of tables and lists, itself left out."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:8]))
    else:
        return []
    found = []
    for key, one in inner:
        found += [(*path, key), *places(one, (*path, key))]
    return found


def changed(table: Any, dice: Random) -> tuple[Any, str]:
    """The table with one to three places changed, and what was done."""
    made, said = copy.deepcopy(table), []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        paths = places(made)
        if not paths:
            break
        path = dice.choice(paths)
        node = made
        for key in path[:-1]:
            node = node[key]
        said.append(_change(node, path, dice))
    return made, "; ".join(said)


def _change(node: Any, path: tuple[Any, ...], dice: Random) -> str:
    key, where = path[-1], ".".join(map(str, path))
    kind = dice.choice(["value"] * 6 + ["number", "missing", "unknown", "renamed", "wrapped"])
    value = node[key]
    if kind == "missing":
        del node[key]
    elif kind == "unknown" and isinstance(node, dict):
        node[str(dice.choice(TEXTS))] = value = weird(dice)
    elif kind == "renamed" and isinstance(node, dict):
        node[str(dice.choice(TEXTS))] = node.pop(key)
    elif kind == "wrapped":
        node[key] = value = dice.choice([[value], [value, value], {"x": value}, [[value]]])
    elif kind == "number":
        node[key] = value = dice.choice(NUMBERS)
    else:
        kind, node[key] = "value", (value := weird(dice))
    return f"{where} {kind} {shown(value)}"


def shown(value: Any) -> str:
    """The value in a few characters."""
    try:
        text = repr(value)
    except ValueError:
        text = "a huge integer"
    return text if len(text) < 60 else f"{text[:50]}.. ({len(text)})"


def texts_of_json(text: str, dice: Random) -> tuple[str, str]:
    """The text of a JSON document, spoiled as a text or as a table."""
    kind = dice.choice(["table"] * 6 + ["deep", "cut", "letter", "number", "other"])
    if kind == "table":
        table, said = changed(json.loads(text), dice)
        try:
            return json.dumps(table, sort_keys=True, separators=(",", ":")), said
        except ValueError:  # an integer of too many digits
            return text.replace(":", ":9" + "9" * 5000, 1), "a number of 5000 digits"
    if kind == "deep":
        opening, closing = dice.choice([("[", "]"), ('{"a":', "}")])
        inner = f"{opening * DEEP}1{closing * DEEP}"
        if dice.random() < 0.5 or ":" not in text:
            return inner, f"{DEEP} times {opening}"
        cut = text.index(":") + 1
        return f'{text[:cut]}{inner},"z"{text[cut - 1 :]}', f"{DEEP} times {opening} inside"
    at = dice.randrange(len(text))
    if kind == "cut":
        return text[:at], f"cut at {at}"
    if kind == "letter":
        return text[:at] + dice.choice('"{}[]:,0x\\\x00é') + text[at + 1 :], f"a letter at {at}"
    if kind == "number" and any(map(str.isdigit, text)):
        number = dice.choice(["1e999", "NaN", "-Infinity", "9" * 5000, "1e-999", "0x10"])
        spots = [i for i, letter in enumerate(text) if letter.isdigit()]
        at = dice.choice(spots)
        return text[:at] + number + text[at + 1 :], f"{number[:9]} at {at}"
    made = dice.choice(["", "null", "3", "[]", "{}", '"x"', "true", "no json", "{" + " " * 10**6])
    return made, f"all of it {made[:9]!r}"
