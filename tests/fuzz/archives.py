"""Archives of arrays that are none, or not those that were kept."""

import io
import struct
import zipfile
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.values import OUTSIDE, shown


def spoiled(packed: bytes, dice: Random) -> tuple[str, Any]:
    """What was done to an archive, and what came of it."""
    kind = dice.choice(["bit", "bit", "bit", "cut", "arrays", "members", "header", "other"])
    if kind == "bit":
        data = bytearray(packed)
        at = dice.choice([dice.randrange(len(data)), dice.randrange(60), -dice.randrange(1, 60)])
        data[at] ^= 1 << dice.randrange(8)
        return f"a bit of byte {at}", bytes(data)
    if kind == "cut":
        at = dice.randrange(len(packed))
        return f"cut at {at}", dice.choice([packed[:at], packed[at:], packed + packed[:at]])
    if kind == "other":
        made = dice.choice([b"", b"PK\x03\x04", "text", 3, 1e308, b"x" * 10**6, _pickle()])
        return f"all of it {shown(made)}", made
    buffer = io.BytesIO()
    if kind == "arrays":
        with np.load(io.BytesIO(packed)) as found:
            arrays = dict(found)
        name, array = dice.choice(list(arrays)), dice.choice(ARRAYS)
        arrays[name] = array
        np.savez_compressed(buffer, allow_pickle=True, **arrays)
        return f"{name} = {shown(array)}", buffer.getvalue()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        if kind == "header":
            shape = dice.choice(["(10**12,)", "(1000000000000,)", "(-1,)", "(2**70,)", "()", "3"])
            descr = dice.choice(["'<f8'", "'|O'", "'<U9999999'", "[('a', '<f8')]", "'nonsense'"])
            text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
            made.writestr("time.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
            return f"a header of shape {shape}, {descr}", buffer.getvalue()
        names = dice.choice([[], ["time"], ["../time.npy"], ["time.npy", "loss"], ["\x1b[31m.npy"]])
        for name in names:
            made.writestr(name, dice.choice([b"", b"x", bytes(10**6), _pickle()]))
    return f"members {names}", buffer.getvalue()


ARRAYS = (
    np.array([object()] * 3), np.zeros(0), np.zeros((3, 3)), np.array(3.0), np.array(["a", "b"]),
    np.full(7, np.nan), np.full(7, 1e308), np.zeros(7, complex), np.zeros(7, [("a", "f8")]),
    np.arange(9)[::-1],
)  # fmt: skip


def _pickle() -> bytes:
    """One that would leave a file, were it loaded."""
    return f"cos\nsystem\n(S'touch {OUTSIDE}'\ntR.".encode()
