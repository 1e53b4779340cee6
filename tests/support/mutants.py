"""Study tables and texts with damage of all kinds, from a seed."""

import datetime
import random

from studies import get, leaves, put, tables

SPITE = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**5000), 0.0, -0.0, 0.5, 20.5),
    *(1e-320, 1e308, -1e308, float("inf"), float("nan"), "", "x", "certificate", "1", "\x1b[31m\n"),
    *("a:b", "os:system", "no.such:Law", ":", "é" * 300, "n", "p", "dynamics.flow.step"),
    *([], [[]], [1, 1], ["x"], [0], [None], {}, {"": 1}, {"a.b": {"a": 1}}, {"kind": "flow"}),
    *({"law": "sphere", "low": []}, {"name": ["relu"]}, {"law": 3}, {"law": "a:B", "law.x": 1}),
    *(datetime.date(2000, 1, 1), datetime.time(1), b"bytes", range(3), (1, 2), 1j, object, len),
]

SPITEFUL_TEXT = [
    *(b"", b"[" * 2000, b"9" * 5000, b"=", b"\n[small]\n", b"\nsmall = 1\n", b"nan", b"-inf"),
    *(b"'", b".", b"{", b"]]", b"a." * 300),
]


def deep(levels: int, as_list: bool):
    """A table or list in itself, that often."""
    value = 1
    for _ in range(levels):
        value = [value] if as_list else {"x": value}
    return value


def mutated(table: dict, dice: random.Random) -> dict:
    """The table with one to four places changed, left out, renamed or moved."""
    made = table
    for _ in range(dice.choice([1, 1, 2, 4])):
        places = [path for path in (*leaves(made), *tables(made)) if path]
        if not places:
            return made
        path = dice.choice(places)
        parent = get(made, path[:-1])
        kind = dice.choice(["value", "value", "missing", "key", "move", "wrap"])
        if kind == "value":
            made = put(made, path, dice.choice(SPITE))
        elif kind == "missing":
            made = put(made, path[:-1], {k: v for k, v in parent.items() if k != path[-1]})
        elif kind == "key":
            key = dice.choice(["", "x", "a.b", "small", "n", "law", "kind", "é", path[-1] + "s"])
            made = put(made, path[:-1], {**parent, key: dice.choice(SPITE)})
        elif kind == "move":
            made = put(made, path, get(made, dice.choice(places)))
        else:
            made = put(made, path, [get(made, path)])
    if dice.random() < 0.05:
        levels, as_list = dice.choice([3, 30, 3000]), dice.random() < 0.5
        made = put(made, dice.choice(list(leaves(made))), deep(levels, as_list))
    return made


def garbled(text: str, dice: random.Random) -> bytes:
    """The text with some bytes changed, cut out, doubled or put in."""
    made = bytearray(text.encode())
    for _ in range(dice.choice([1, 1, 3, 9])):
        at = dice.randrange(len(made) + 1)
        to = min(len(made), at + dice.choice([1, 1, 5, 40]))
        twice, any_byte = bytes(made[at:to]) * 2, bytes([dice.randrange(256)])
        made[at:to] = dice.choice([twice, any_byte, *SPITEFUL_TEXT])
    return bytes(made)
